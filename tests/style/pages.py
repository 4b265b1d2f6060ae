"""The links of the pages lead to files and sections that exist; README.md stays short."""
import os
import re

import common

README, LINES_MAX = "README.md", 250
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = "```"


def outside_code(root, path):
    """Pairs of number and line that are not in a block of code."""
    is_code = False
    for number, line in common.lines(root, path):
        if line.startswith(FENCE):
            is_code = not is_code
        elif not is_code:
            yield number, line


def sections(root, path):
    """The names by which a link may call the headings of a page."""
    return {re.sub(r"[^\w -]", "", line.lstrip("# ")).strip().lower().replace(" ", "-")
            for _, line in outside_code(root, path) if line.startswith("#")}


def problem_of(root, path, link):
    """Why a link of the page at `path` leads nowhere, or None."""
    target, _, section = link.partition("#")
    other = os.path.normpath(os.path.join(os.path.dirname(path), target)) if target else path
    if not os.path.exists(os.path.join(root, other)):
        return f"no file {other}"
    if section and section not in sections(root, other):
        return f"{other} has no section {section}"
    return None


def check(root):
    for path in common.files(root, suffixes=(".md",)):
        for number, line in outside_code(root, path):
            for link in LINK.findall(line):
                problem = None if "://" in link else problem_of(root, path, link)
                if problem:
                    yield f"{path}:{number}: {problem}"
    if os.path.isfile(os.path.join(root, README)):
        count = len(common.lines(root, README))
        if count > LINES_MAX:
            yield f"{README}:{count}: {count} lines, more than {LINES_MAX}"


if __name__ == "__main__":
    common.main(check)
