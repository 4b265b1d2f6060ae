"""The secrets of the tests, and the search for them: no output of a program and no file
that a test leaves may hold one.

Every output goes through in_text(); in_files() reads the files of every test when it
is over. is_input() excepts what a test writes down on purpose."""
import os
import pathlib
import re

import pytest

KEY = "k3y-0f-the-t3sts"
# Stands in the query of every presigned address to which tests redirect.
SIGNATURE = "s1gned-s3cret"
CREDENTIALS = ("GIQ_API_KEY", "GIQ_BEARER_TOKEN")
BEGINNING = 8
CORE = re.compile(r"core(\.\d+)?|vgcore\.\d+")

_known = set()
_inputs = set()


def know(*secrets):
    """Search for these too, until the test is over."""
    _known.update(secrets)


def know_environment(env):
    """So are the credentials of a program's environment."""
    know(*[env[name] for name in CREDENTIALS if env.get(name)])


def is_input(path):
    """A file or folder of the test's own or of the service's side; gives it back."""
    _inputs.add(str(path))
    return path


def in_text(text, where):
    """Fail where a text, as str or bytes, holds a secret, or its beginning, which is what
    is left of it in a text that was cut; else give it back."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    for secret in {KEY, SIGNATURE, *_known}:
        beginning = secret.encode()[:BEGINNING]
        if beginning in data:
            at = data.index(beginning)
            pytest.fail(f"{where} holds {secret}: {data[max(0, at - 200):at + 200]!r}")
    return text


def _is_searched(path):
    return str(path) not in _inputs and CORE.fullmatch(path.name) is None


def in_files(folder):
    """Fail where a file below the folder, or its name, holds a secret."""
    for where, folders, names in os.walk(folder):
        where = pathlib.Path(where)
        folders[:] = [name for name in folders if _is_searched(where / name)]
        for path in [where / name for name in folders + names]:
            in_text(os.fsencode(path.name), f"the name {path}")
        for path in filter(_is_searched, [where / name for name in names]):
            if path.is_file() and not path.is_symlink():
                in_text(path.read_bytes(), path)


@pytest.fixture(autouse=True)
def no_secret_in_files(tmp_path):
    _known.clear()
    _inputs.clear()
    yield
    in_files(tmp_path)
