"""The QGIS plugin takes Qt from QGIS, names enums with their scopes, which Qt 6 needs, opens
no connection of its own, has type hints, and has lines of 95 columns."""
import ast

import common

FOLDER, COLUMNS_MAX = "plugin/qgis/", 95
QT = {"PyQt4", "PyQt5", "PyQt6", "PySide2", "PySide6", "sip"}
NETWORK = {"http", "urllib", "socket", "ssl", "requests", "httplib2", "urllib3"}


def modules(node):
    """The first parts of the names that a node imports."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        return [node.module.split(".")[0]]
    return []


def check_import(name):
    if name in QT:
        return f"{name}: import qgis.PyQt, which is there for each Qt"
    if name in NETWORK:
        return f"{name}: the driver alone talks to the service"
    return None


def is_constant(node):
    """Whether it is Qxxx.Yyy, which may be a value of an enum without its scope."""
    return (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            and node.value.id.startswith("Q") and node.attr[:1].isupper())


def check_enums(tree):
    """A class within a class is called or is the scope of a value."""
    scopes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if is_constant(node) and id(node) not in scopes | called:
            yield node.lineno, (f"{node.value.id}.{node.attr}: Qt 6 needs the scope of the "
                                "enum too")


def check_hints(tree):
    """A function with arguments has hints; a constructor may take what QGIS gives it."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or node.name == "__init__":
            continue
        named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        hints = [argument.annotation for argument in named if argument.arg != "self"]
        if node.returns is None and hints and not any(hints):
            yield node.lineno, f"{node.name}() has no type hint"


def check_tree(tree):
    for node in ast.walk(tree):
        for problem in filter(None, map(check_import, modules(node))):
            yield node.lineno, problem
    yield from check_enums(tree)
    yield from check_hints(tree)


def check(root):
    for path in common.files(root, ("plugin",), (".py",)):
        if not path.startswith(FOLDER):
            continue
        lines = common.lines(root, path)
        for number, line in lines:
            if len(line) > COLUMNS_MAX:
                yield f"{path}:{number}: {len(line)} columns, more than {COLUMNS_MAX}"
        try:
            tree = ast.parse("\n".join(line for _, line in lines))
        except SyntaxError as error:
            yield f"{path}:{error.lineno}: cannot be parsed"
            continue
        for number, problem in sorted(check_tree(tree)):
            yield f"{path}:{number}: {problem}"


if __name__ == "__main__":
    common.main(check)
