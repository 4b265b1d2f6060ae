"""What no text of the repository holds, and what its root may hold."""
import re

import common

ROOT_NAMES = {"CMakeLists.txt", "README.md", "LICENSE", "plugin", "src", "include",
              "tests", "data", "cmake"}
# Written so that they do not match themselves.
FORBIDDEN = (
    (re.compile(r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b"), "unfinished: {}"),
    (re.compile(r"#\s*(if\s+0)\b"), "dead code: #{}"),
    (re.compile(r"(?<![\w.})*>-])(/(?:home|root|work)/)"), "a path of one machine: {}"),
)
URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>]*")


def check_line(path, line):
    """What is wrong with a line, one text each."""
    if path.endswith(common.C_SUFFIXES) and "\t" in line:
        yield "a tab"
    if line != line.rstrip():
        yield "white space at the end"
    without_urls = URL.sub("", line)
    for pattern, problem in FORBIDDEN:
        match = pattern.search(without_urls)
        if match:
            yield problem.format(match[1])


def check(root):
    paths = common.files(root)
    for name in sorted({path.split("/")[0] for path in paths}):
        if not (name in ROOT_NAMES or name.startswith((".", "build"))):
            yield f"{name}:1: not one of the names that the root may hold"
    for path in paths:
        for number, line in common.lines(root, path):
            for problem in check_line(path, line):
                yield f"{path}:{number}: {problem}"


if __name__ == "__main__":
    common.main(check)
