"""No file is longer than 800 lines, no C function longer than 60."""
import common

FOLDERS = ("src", "plugin", "include", "tests")
FILE_LINES, FUNCTION_LINES = 800, 60
CTAGS = ("ctags", "--options=NONE", "-x", "--languages=C,C++", "--c-kinds=f",
         "--c++-kinds=f", "--fields=+ne", "--_xformat=%N %n %e %F")


def long_files(root):
    for path in common.files(root, FOLDERS, common.C_SUFFIXES + (".py", ".sh")):
        count = len(common.lines(root, path))
        if count > FILE_LINES:
            yield f"{path}:{count}: {count} lines, more than {FILE_LINES}"


def long_functions(root):
    paths = common.files(root, FOLDERS, common.C_SUFFIXES)
    if not paths:
        return
    done = common.output_of([*CTAGS, *paths], cwd=root)
    if done.returncode != 0:
        yield f"ctags: {done.stderr.strip()}"
    for tag in done.stdout.splitlines():
        name, first, last, path = tag.rsplit(maxsplit=3)
        if not last.isdigit():
            yield f"{path}:{first}: no end of {name}() found"
            continue
        count = int(last) - int(first) + 1
        if count > FUNCTION_LINES:
            yield f"{path}:{first}: {name}() has {count} lines, more than {FUNCTION_LINES}"


def check(root):
    yield from long_files(root)
    yield from long_functions(root)


if __name__ == "__main__":
    common.main(check)
