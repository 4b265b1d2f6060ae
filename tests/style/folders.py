"""A folder includes only the folders below it, and no two modules include each other."""
import os
import re

import common

# Each folder, and what it may include beside itself and include/giq/.
FOLDERS = {
    "src": {
        "base": (),
        "area": ("base",),
        "net": ("base",),
        "store": ("base",),
        "result": ("base",),
        "service": ("base", "net", "store", "result"),
        "job": ("base", "area", "net", "store", "result", "service"),
    },
    "plugin": {
        "options": (),
        "area": ("options",),
        "result": ("options",),
        "": ("options", "area", "result"),
    },
}
GDAL = re.compile(r"^(gdal|cpl_|ogr).*\.h$")
PUBLIC_DIR, FIRST = "giq", "giq/giq.h"  # the other public headers include the first
STANDARD = {name + ".h" for name in (
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp "
    "signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn "
    "string tgmath threads time uchar wchar wctype").split()}


def module_of(path):
    return os.path.splitext(os.path.basename(path))[0]


def folder_of(path):
    """The folder of a file of src/ or plugin/ as FOLDERS names it."""
    return os.path.dirname(path).partition("/")[2]


def is_public(name):
    return os.path.dirname(name) == PUBLIC_DIR


def check_own(path, quoted, name):
    """Why a file of src/ or plugin/ may not include `name`, or None."""
    top = path.split("/")[0]
    if top == "src" and GDAL.match(name):
        return f"src/ knows no GDAL, but includes {name}"
    if not quoted or is_public(name):
        return None
    own, other = folder_of(path), os.path.dirname(name)
    if other not in FOLDERS[top]:
        return f"{name} is not the header of a module: write \"folder/giq_name.h\""
    if other != own and other not in FOLDERS[top][own]:
        return f"{top}/{own} may not include {name}: {other or top}/ is not below it"
    return None


def is_ours(root, path, name):
    """Whether `name` is a header of src/ or include/, seen from a file outside them."""
    if os.path.isfile(os.path.join(root, os.path.dirname(path), name)):
        return ".." in name.split("/")
    return (os.path.basename(name).startswith("giq")
            or os.path.isfile(os.path.join(root, "src", name)))


def problem_of(root, path, quoted, name):
    """Why the file at `path` may not include `name`, or None."""
    if path.split("/")[0] in FOLDERS:
        if path.startswith("plugin/") and ".." in name.split("/"):
            return f"the plugin includes include/giq/ and headers of its own, not {name}"
        return check_own(path, quoted, name)
    if path.startswith("include/"):
        is_fine = name in STANDARD or (name == FIRST and path != f"include/{name}")
        return None if is_fine else f"{name} is not a standard header"
    if path.startswith("tests/sandbox/") and is_ours(root, path, name):
        return f"the sandbox shares nothing with the driver, but includes {name}"
    return None


def edges(root, paths):
    """Of each module, as a path without suffix, the modules that its files include."""
    graph = {}
    for path in paths:
        own = os.path.splitext(path)[0]
        graph.setdefault(own, set())
        for _, quoted, name in common.includes(root, path):
            other = path.split("/")[0] + "/" + os.path.splitext(name)[0]
            if quoted and not is_public(name) and other != own:
                graph[own].add(other)
    return graph


def circles(graph):
    """Pairs of modules that reach each other, each pair once."""
    reached = {}
    for start in graph:
        seen, left = set(), [start]
        while left:
            for module in graph.get(left.pop(), ()):
                if module not in seen:
                    seen.add(module)
                    left.append(module)
        reached[start] = seen
    for one in sorted(graph):
        for two in sorted(reached[one]):
            if one < two and one in reached.get(two, ()):
                yield one, two


def check(root):
    paths = common.files(root, ("src", "plugin", "include", "tests"), common.C_SUFFIXES)
    own = [path for path in paths if path.split("/")[0] in FOLDERS]
    for path in own:
        if folder_of(path) not in FOLDERS[path.split("/")[0]]:
            yield f"{path}:1: this folder has no rule in tests/style/folders.py"
    known = [path for path in paths
             if path not in own or folder_of(path) in FOLDERS[path.split("/")[0]]]
    for path in known:
        for number, quoted, name in common.includes(root, path):
            problem = problem_of(root, path, quoted, name)
            if problem:
                yield f"{path}:{number}: {problem}"
    for one, two in circles(edges(root, own)):
        yield f"{one}:1: includes {two}, which includes it in turn"


if __name__ == "__main__":
    common.main(check)
