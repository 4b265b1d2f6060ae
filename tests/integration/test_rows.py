"""Outcomes of the run request, row by row of the reference's table, with the sandbox's
faults. Its journal lists what was sent and which jobs were made."""
import signal

import pytest

from programs import SCENE

NAME = f"GIQ:model=ndvi;file={SCENE}"


def paid(sandbox):
    """Jobs that were made."""
    return sum(run["job"] is not None for run in sandbox.runs())


@pytest.mark.parametrize("fault,tag", [
    ("run:status=400", "refused"), ("run:status=401", "credentials"),
    ("run:status=403", "credentials"), ("run:status=404", "refused"),
    ("run:status=405", "refused"), ("run:status=410", "refused"),
    ("run:status=413", "refused"), ("run:status=415", "refused"),
    ("run:status=422", "refused"), ("run:status=301", "network"),
    ("run:status=302", "network"),
])
def test_nothing_happened_and_the_next_open_submits(gdal, sandbox, fault, tag):
    sandbox.set_faults(fault)
    gdal.fails("gdalinfo", NAME, tag=tag)
    assert gdal.records() == {} and len(sandbox.runs()) == 1
    sandbox.set_faults()
    gdal.run("gdalinfo", NAME)
    assert len(sandbox.runs()) == 2 and paid(sandbox) == 1


@pytest.mark.parametrize("fault,runs", [("run:status=429@1-2", 3),
                                        ("run:status=429,retry-after=0@1-3", 4)])
def test_throttled_run_request_is_sent_again(gdal, sandbox, fault, runs):
    sandbox.set_faults(fault)
    gdal.run("gdalinfo", NAME)
    assert paid(sandbox) == 1 and len(sandbox.runs()) == runs


@pytest.mark.parametrize("fault", ["run:status=429", "run:status=429,retry-after=0"])
def test_run_request_throttled_beyond_max_retry_is_refused(gdal, sandbox, fault):
    sandbox.set_faults(fault)
    text = gdal.fails("gdalinfo", "-oo", "MAX_RETRY=2", NAME, tag="refused")
    assert "no job was started" in text
    assert len(sandbox.runs()) == 3 and gdal.records() == {}


def test_run_request_throttled_beyond_timeout_is_refused_at_once(gdal, sandbox):
    sandbox.set_faults("run:status=429,retry-after=100")
    text = gdal.fails("gdalinfo", "-oo", "TIMEOUT=5", NAME, tag="refused")
    assert "no job was started" in text
    assert len(sandbox.runs()) == 1 and gdal.records() == {}


def fail_unknown(gdal, sandbox, fault):
    """Open with the fault, and three times more without it. The job that was made, or
    None."""
    sandbox.set_faults(fault)
    gdal.fails("gdalinfo", NAME, tag="unknown")
    sandbox.set_faults()
    for _ in range(3):
        text = gdal.fails("gdalinfo", NAME, tag="unknown")
        assert "job=<id>" in text and "RETRY=" in text and "rerun=" in text
    [run] = sandbox.runs()
    return run["job"]


@pytest.mark.parametrize("fault", [
    "run:reset-after", "run:reset-before", "run:status=408", "run:status=409",
    "run:status=300", "run:status=303", "run:status=500", "run:status=502",
    "run:status=503", "run:status=503,retry-after=0", "run:status=504", "run:body=",
    "run:body={}", "run:body=[1]",
    "run:body={\"id\":9.1e15}", "run:body=<html>busy</html>",
])
def test_run_request_of_unknown_outcome_is_sent_again_by_retry_only(gdal, sandbox, fault):
    assert fail_unknown(gdal, sandbox, fault) is None
    gdal.run("gdalinfo", "-oo", "RETRY=a", NAME)
    assert len(sandbox.runs()) == 2 and paid(sandbox) == 1


def test_job_of_a_lost_response_is_adopted(gdal, sandbox):
    job = fail_unknown(gdal, sandbox, "run:lost")
    gdal.run("gdalinfo", f"{NAME};job={job}")
    gdal.run("gdalinfo", NAME)
    assert len(sandbox.runs()) == 1 and paid(sandbox) == 1


def test_slow_response_is_waited_for(gdal, sandbox):
    """Only the open's own time ends the wait for the response, not that of small GETs."""
    sandbox.set_faults("run:late=1.5")
    gdal.run("gdalinfo", "-oo", "HTTP_TIMEOUT=0.5", NAME)
    assert len(sandbox.runs()) == 1


def test_no_connection_costs_nothing(gdal, sandbox):
    sandbox.stop()
    gdal.fails("gdalinfo", "-oo", "MAX_RETRY=0", NAME, tag="network")
    assert gdal.records() == {}
    sandbox.start()
    gdal.env["GIQ_BASE_URL"] = sandbox.url
    gdal.run("gdalinfo", NAME)
    assert len(sandbox.runs()) == 1 and paid(sandbox) == 1


def test_result_that_the_service_no_longer_has_is_gone_and_runs_nothing(gdal, sandbox):
    sandbox.set_faults("download:status=404")
    gdal.fails("gdalinfo", NAME, tag="gone")
    sandbox.set_faults()
    gdal.fails("gdalinfo", NAME, tag="gone")
    assert len(sandbox.runs()) == 1
    sandbox.set_faults("download:status=404@1")
    gdal.run("gdalinfo", "-oo", "RETRY=a", NAME)
    assert len(sandbox.runs()) == 2


def test_restart_of_the_service_is_survived_while_waiting(gdal, sandbox):
    port = sandbox.url.rsplit(":", 1)[1].split("/")[0]
    sandbox.options += ("--port", port)
    sandbox.stop()
    sandbox.start()
    gdal.env["GIQ_BASE_URL"] = sandbox.url
    sandbox.set_faults("status:state=RUNNING")
    gdal.fails("gdalinfo", "-oo", "TIMEOUT=0.5", NAME, tag="timeout")
    sandbox.process.send_signal(signal.SIGKILL)
    sandbox.stop()
    gdal.fails("gdalinfo", "-oo", "TIMEOUT=0.5", NAME, tag="timeout")
    sandbox.start()
    gdal.run("gdalinfo", NAME)
    assert len(sandbox.runs()) == 1


def test_cut_download_is_fetched_again(gdal, sandbox):
    sandbox.set_faults("download:cut=1000@1-2")
    gdal.run("gdalinfo", NAME)
    assert len(sandbox.runs()) == 1 and sandbox.calls().count("download") == 3
