"""What the style checks share: the files of the repository and the way to report."""
import os
import re
import subprocess
import sys

C_SUFFIXES = (".c", ".h", ".cpp", ".cc", ".cxx", ".hpp")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def _from_git(root):
    if not os.path.exists(os.path.join(root, ".git")):
        return None
    command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others",
               "--exclude-standard"]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return os.fsdecode(done.stdout).rstrip("\0").split("\0")


def _from_folder(root):
    paths = []
    for folder, folders, names in os.walk(root):
        skipped = {".git", "__pycache__"}
        if folder == root:
            skipped.update(name for name in folders if name.startswith("build"))
        folders[:] = [name for name in folders if name not in skipped]
        paths += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return paths


def files(root, folders=(), suffixes=()):
    """Paths below root, of these top folders and suffixes where they are given.

    By git, what is committed or could be; without git, all but build folders.
    """
    paths = _from_git(root)
    if paths is None:
        paths = _from_folder(root)
    paths = [path for path in paths if os.path.isfile(os.path.join(root, path))]
    if not paths:
        sys.exit(f"{root}: no files to check")
    return sorted(path for path in set(paths)
                  if (not folders or path.split("/")[0] in folders)
                  and (not suffixes or path.endswith(tuple(suffixes))))


def lines(root, path):
    """Pairs of number and line; none of a binary file."""
    with open(os.path.join(root, path), "rb") as file:
        data = file.read()
    if b"\0" in data:
        return []
    text = data.decode("utf-8", "replace").removesuffix("\n")
    return list(enumerate(text.split("\n"), 1)) if data else []


def includes(root, path):
    """(number, quoted, name) of every #include."""
    for number, line in lines(root, path):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1] == '"', match[2]


def output_of(command, **options):
    """The finished process of a tool, its output as text."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False,
                              **options)
    except FileNotFoundError:
        sys.exit(f"{command[0]} is not installed; see cmake/bootstrap.sh")


def main(check, names=("ROOT",)):
    """Run check with the arguments, print what it finds; exit status 1 if anything."""
    if len(sys.argv) != len(names) + 1:
        sys.exit(f"usage: {sys.argv[0]} {' '.join(names)}")
    problems = list(check(*sys.argv[1:]))
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)
