"""C and C++ are laid out as clang-format does."""
import os

import common


def check(root):
    if not os.path.isfile(os.path.join(root, ".clang-format")):
        yield ".clang-format:1: is missing"
        return
    paths = common.files(root, suffixes=common.C_SUFFIXES)
    if not paths:
        return
    command = ["clang-format", "--dry-run", "-Werror", "--style=file", *paths]
    done = common.output_of(command, cwd=root)
    found = [line for line in done.stderr.splitlines() if ": error: " in line]
    yield from found
    if done.returncode != 0 and not found:
        yield f"clang-format: {done.stderr.strip()}"


if __name__ == "__main__":
    common.main(check)
