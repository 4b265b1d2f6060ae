"""tests/live.sh, which people run against the real service."""
import pathlib
import subprocess

import pytest
from programs import AREA, DATA, SCENE

SCRIPT = pathlib.Path(__file__).parents[1] / "live.sh"


@pytest.fixture
def live(gdal):
    def run(*arguments, says="", env=None):
        return gdal.finish(gdal.start("sh", SCRIPT, *arguments, env=env,
                                      stdin=subprocess.PIPE), says=says)
    return run


def test_says_what_it_needs(live, sandbox):
    done = live(env={"GIQ_API_KEY": ""})
    assert done.returncode == 1 and "Set GIQ_API_KEY" in done.stdout
    assert sandbox.calls() == []


def test_reads_only_the_models_without_a_job(live, sandbox):
    done = live()
    assert done.returncode == 0, done.stderr
    assert "assumed:" in done.stdout and "answered: HTTP 200 [{" in done.stdout
    assert sandbox.calls() == ["models"]


def test_runs_nothing_unless_told_yes(live, sandbox):
    done = live("--model", "ndvi", "--file", SCENE, says="no\n")
    assert done.returncode == 1 and "nothing was run" in done.stdout
    assert sandbox.runs() == []


@pytest.mark.parametrize("model, words", [("ndvi", "Driver: GTiff"),
                                          ("water", "Feature Count")])
def test_runs_one_job_that_the_driver_opens(live, sandbox, model, words):
    done = live("--model", model, "--file", SCENE, "--geometry", AREA, says="yes\n")
    assert done.returncode == 0, done.stdout + done.stderr
    for call in ("models", "run", "status", "download"):
        assert f"\ninference/{call}\n" in done.stdout
    assert "takes it as succeeded" in done.stdout and words in done.stdout
    assert len(sandbox.runs()) == 1


def test_upload_alone_runs_nothing(live, sandbox):
    done = live("--upload", DATA / SCENE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nfile/upload\n" in done.stdout and "fileId: text" in done.stdout
    [kept] = (sandbox.state / "uploads").glob("*/*")
    assert kept.name == SCENE and kept.read_bytes() == (DATA / SCENE).read_bytes()
    assert kept.parent.name in done.stdout
    assert sandbox.calls() == ["models", "upload"]


def test_job_runs_on_what_was_uploaded(live, sandbox):
    done = live("--model", "water", "--upload", DATA / SCENE, says="yes\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Feature Count" in done.stdout
    [run] = sandbox.runs()
    [kept] = (sandbox.state / "uploads").glob("*/*")
    assert run["form"]["fileId"] == kept.parent.name
    assert sandbox.calls().count("upload") == 1


def test_file_that_cannot_be_uploaded_is_not_sent(live, sandbox, tmp_path):
    (tmp_path / "empty.tif").touch()
    for name in ("empty.tif", "nothing.tif"):
        done = live("--model", "ndvi", "--upload", tmp_path / name)
        assert done.returncode == 1 and f"{name} is no file" in done.stdout
    assert "upload" not in sandbox.calls() and sandbox.runs() == []


def test_tells_of_a_refused_key(live):
    done = live(env={"GIQ_API_KEY": "an0ther-key"})
    assert done.returncode == 1
    assert "HTTP 401" in done.stdout and "error status" in done.stdout
