"""The search for secrets finds them, wherever a program or a test leaves one."""
import pathlib
import re
import subprocess
import sys

import pytest

import secret_search

FOUND = pytest.fail.Exception
CONFTEST = f"""
import sys
sys.path.insert(0, {str(pathlib.Path(__file__).parents[1] / "kit")!r})
from secret_search import no_secret_in_files
"""


def test_every_test_is_searched(request):
    assert "no_secret_in_files" in request.fixturenames


def test_programs_are_run_where_their_output_is_searched():
    """Gdal.start() and Gdal.finish() are the way; other programs are for what serves."""
    tests = pathlib.Path(__file__).parents[1]
    others = {path.name for folder in ("integration", "fault", "clients")
              for path in (tests / folder).glob("test_*.py")
              if re.search(r"subprocess\.(run|Popen|call|check_)", path.read_text())}
    # Mounting, building, pytest itself, and a terminal, which searches what it shows.
    assert others == {"test_batch.py", "test_disk.py", "test_mounts.py",
                      "test_qgis_plugin_package.py", "test_secret_search.py",
                      "test_waiting.py"}


@pytest.mark.parametrize("secret", [secret_search.KEY, secret_search.SIGNATURE, "the-t0ken"])
@pytest.mark.parametrize("stream", ["", " >&2"])
def test_secret_in_an_output_is_found(scripted_gdal, secret, stream):
    with pytest.raises(FOUND, match=secret):
        scripted_gdal.run("sh", "-c", f"printf '%s' 'It is '; echo '{secret}.'{stream}",
                          env={"GIQ_BEARER_TOKEN": "the-t0ken"})


@pytest.mark.parametrize("name,data", [
    ("a-file", b"\xff\x00" + secret_search.KEY.encode()), (f"named-{secret_search.KEY}", b""),
    (".hidden/deep/job.json", f"?x={secret_search.SIGNATURE}&".encode()),
])
def test_secret_in_a_file_is_found(tmp_path, name, data):
    path = tmp_path / "files" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    with pytest.raises(FOUND, match=f"{path} holds " if data else f"the name {path} holds "):
        secret_search.in_files(tmp_path / "files")
    secret_search.is_input(tmp_path / "files")


def test_input_is_passed_over(tmp_path):
    (tmp_path / "folder").mkdir()
    for path in ("file", "folder/file"):
        (tmp_path / path).write_text(secret_search.KEY)
    secret_search.is_input(tmp_path / "folder")
    with pytest.raises(FOUND, match=f"{tmp_path / 'file'} holds "):
        secret_search.in_files(tmp_path)
    secret_search.is_input(tmp_path / "file")
    secret_search.in_files(tmp_path)


def test_test_that_leaves_a_secret_fails(tmp_path):
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_left.py").write_text(
        "import secret_search\n"
        "def test_left(tmp_path):\n"
        "    (tmp_path / 'left').write_text(secret_search.KEY)\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         f"--basetemp={secret_search.is_input(tmp_path / 'base')}", "test_left.py"],
        cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and "1 passed, 1 error" in done.stdout, done.stdout
