"""src/README.md names every module, in the row of its folder, and no other; it stays short."""
import os

import common
from folders import module_of

README, LINES_MAX = "src/README.md", 60


def rows(root):
    """(number, folder, module) of every name in the table of modules."""
    column = None
    for number, line in common.lines(root, README):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            column = None
        elif "modules" in cells:
            column = cells.index("modules")
        elif column is not None and not cells[0].startswith("-"):
            for name in cells[column].split(", "):
                yield number, cells[0].strip("`"), "giq_" + name


def check(root):
    if not os.path.isfile(os.path.join(root, README)):
        yield f"{README}:1: there is none"
        return
    folders = {module_of(path): os.path.dirname(path)
               for path in common.files(root, ("src", "plugin"), common.C_SUFFIXES)}
    named = set()
    for number, folder, module in rows(root):
        named.add(module)
        if folder != folders.get(module):
            yield f"{README}:{number}: no {module} in {folder}"
    for module in sorted(set(folders) - named):
        yield f"{README}:1: {module} is not named"
    count = len(common.lines(root, README))
    if count > LINES_MAX:
        yield f"{README}:{count}: {count} lines, more than {LINES_MAX}"


if __name__ == "__main__":
    common.main(check)
