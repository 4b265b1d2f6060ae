"""How a program follows and ends an open: GIQ_CANCEL_FILE, GIQ_PROGRESS_FILE, GIQ_FETCH."""
import json
import threading
import time

import pytest

from archives import pack_zip
from areas import write
from scripted import GEOJSON, MODELS, Response, job

NAME = "GIQ:model=m;file=f"
HOUR = {"GIQ_POLL_INTERVAL": "3000", "GIQ_RETRY_DELAY": "3000",
        "GIQ_HTTP_TIMEOUT": "3000", "GIQ_LOW_SPEED_TIME": "3000"}
WHO = "GIQ[cancelled] the file of GIQ_CANCEL_FILE ended the "
RUNNING = Response(job("RUNNING"))
DONE = Response(job("DONE"))
NO_FETCH = {"GIQ_FETCH": "NO"}
NOT_FETCHED = "GIQ_FETCH=NO neither waits nor downloads"


@pytest.fixture
def cancel(scripted_gdal):
    return scripted_gdal.folder / "cancel"


@pytest.fixture
def hold(cancel):
    """Makes a response that comes only when the test is over, and makes the cancel file
    when its call arrives."""
    over = threading.Event()

    def held(response):
        def respond_late(_):
            cancel.touch()
            over.wait(60)
            return response
        return respond_late
    yield held
    over.set()


def cancelled(gdal, cancel, name, *options, env=None):
    """Open a name that is cancelled; returns the error."""
    return gdal.fails("ogrinfo", *options, name, tag="cancelled",
                      env={**HOUR, "GIQ_CANCEL_FILE": str(cancel), **(env or {})})


def test_nothing_is_sent_after_a_cancel(scripted_gdal, service, cancel):
    cancel.touch()
    error = cancelled(scripted_gdal, cancel, NAME)
    assert f"{WHO}open before a job was started" in error
    assert service.calls() == [] and scripted_gdal.records() == {}
    cancel.unlink()
    scripted_gdal.run("ogrinfo", NAME, env={"GIQ_CANCEL_FILE": str(cancel)})
    assert len(service.calls("run")) == 1


def test_published_result_opens_although_the_file_exists(scripted_gdal, service, cancel):
    scripted_gdal.run("ogrinfo", NAME)
    cancel.touch()
    calls = service.names()
    scripted_gdal.run("ogrinfo", NAME, env={"GIQ_CANCEL_FILE": str(cancel)})
    assert service.names() == calls


@pytest.mark.parametrize("call,response", [("models", Response(MODELS)),
                                           ("upload", Response({"fileId": "f-1"}))])
def test_call_before_the_run_request_ends_and_nothing_is_started(
        scripted_gdal, service, cancel, hold, call, response):
    (scripted_gdal.folder / "local.csv").write_text("a\n1\n")
    service.script[call] = [hold(response)]
    error = cancelled(scripted_gdal, cancel, "GIQ:model=m;upload=local.csv")
    assert f"{WHO}open before a job was started" in error
    assert service.names()[-1] == call and service.calls("run") == []
    assert scripted_gdal.records() == {}


def test_wait_ends_and_opening_again_resumes(scripted_gdal, service, cancel, hold):
    service.script["status"] = [hold(RUNNING), DONE]
    error = cancelled(scripted_gdal, cancel, NAME)
    assert f"{WHO}wait for the job job-1; the job continues; open again to resume" in error
    scripted_gdal.run("ogrinfo", NAME)
    assert len(service.calls("run")) == 1


def test_pause_between_two_status_calls_ends(scripted_gdal, service, cancel):
    def soon(_):
        threading.Timer(0.3, cancel.touch).start()
        return RUNNING
    service.script["status"] = [soon]
    error = cancelled(scripted_gdal, cancel, NAME)
    assert f"{WHO}wait for the job job-1; the job continues; open again to resume" in error
    assert service.names() == ["models", "run", "status"]


def test_response_to_a_run_request_that_is_out_is_recorded(scripted_gdal, service, cancel):
    def run(_):
        cancel.touch()
        return Response(job("SUBMITTED"))
    service.script["run"] = [run]
    cancelled(scripted_gdal, cancel, NAME)
    [record] = scripted_gdal.records().values()
    assert record["state"] == "submitted" and record["job_id"] == "job-1"
    assert service.names() == ["models", "run"]
    scripted_gdal.run("ogrinfo", NAME)
    assert len(service.calls("run")) == 1


def test_download_ends_and_is_repeated(scripted_gdal, service, cancel, hold):
    good = service.script["download"][0]
    service.script["download"] = [hold(Response(GEOJSON)), good]
    error = cancelled(scripted_gdal, cancel, NAME)
    assert f"{WHO}download of the result of the job job-1; open again to repeat it" in error
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names() == ["models", "run", "status", "download", "download"]


def test_unpacking_ends(scripted_gdal, service, cancel):
    def download(_):
        cancel.touch()
        return Response(pack_zip({"a.geojson": GEOJSON}))
    good = service.script["download"][0]
    service.script["download"] = [download, good]
    cancelled(scripted_gdal, cancel, NAME)
    [record] = scripted_gdal.records().values()
    assert record["state"] == "succeeded"
    scripted_gdal.run("ogrinfo", NAME)
    assert len(service.calls("run")) == 1


def test_area_ends(scripted_gdal, service, cancel):
    write(scripted_gdal.folder / "a.gpkg", "EPSG:4326", "POLYGON((0 0,0 1,1 1,1 0,0 0))")
    cancel.touch()
    error = cancelled(scripted_gdal, cancel, f"{NAME};aoi=a.gpkg")
    assert "GIQ[cancelled] the open was cancelled while its area was read" in error
    assert service.calls() == []


BATCH = "id,model,file\n" + "".join(f"r{i},m,f{i}\n" for i in range(5))


def test_batch_ends_and_starts_no_further_job(scripted_gdal, service, cancel):
    (scripted_gdal.folder / "rows.csv").write_text(BATCH)

    def run(_):
        cancel.touch()
        return Response(job("SUBMITTED"))
    service.script["run"] = [run]
    error = cancelled(scripted_gdal, cancel, "GIQ:batch=rows.csv", "-oo", "CONCURRENCY=1")
    assert f"{WHO}open of the batch; jobs that were started continue" in error
    assert service.names() == ["models", "run"]


@pytest.mark.parametrize("option", ["CANCEL_FILE=x", "PROGRESS_FILE=x", "FETCH=YES"])
def test_they_are_not_open_options(scripted_gdal, service, option):
    name = option.split("=")[0]
    error = scripted_gdal.fails("ogrinfo", "-oo", option, NAME, tag="usage")
    assert f"set the configuration option GIQ_{name}" in error
    assert service.calls() == []


def test_fetch_no_sends_nothing_for_a_new_request(scripted_gdal, service):
    error = scripted_gdal.fails("ogrinfo", NAME, tag="usage", env=NO_FETCH)
    assert NOT_FETCHED in error
    assert "which starts a job that is paid for, or with wait=no and SUBMIT=NO" in error
    assert service.calls() == [] and scripted_gdal.records() == {}


@pytest.mark.parametrize("status", [RUNNING, DONE])
def test_fetch_no_neither_waits_nor_downloads(scripted_gdal, service, status):
    service.script["status"] = [status]
    scripted_gdal.run("ogrinfo", f"{NAME};wait=no")
    calls = service.names()
    for name in [NAME, "GIQ:job=job-1", "GIQ:job=job-2"]:
        error = scripted_gdal.fails("ogrinfo", name, tag="usage", env=NO_FETCH)
        assert NOT_FETCHED in error
    assert service.names() == calls
    scripted_gdal.run("ogrinfo", f"{NAME};wait=no", env=NO_FETCH)
    assert len(service.calls("run")) == 1
    service.script["status"] = [DONE]
    scripted_gdal.run("ogrinfo", NAME)
    scripted_gdal.run("ogrinfo", NAME, env=NO_FETCH)
    assert len(service.calls("run")) == 1


def test_fetch_no_keeps_the_error_of_submit_no(scripted_gdal, service):
    error = scripted_gdal.fails("ogrinfo", NAME, tag="usage",
                                env={**NO_FETCH, "GIQ_SUBMIT": "NO"})
    assert "SUBMIT=NO does not start one" in error
    assert service.calls() == []


def test_fetch_no_of_a_batch(scripted_gdal, service):
    (scripted_gdal.folder / "rows.csv").write_text("id,model,file\na,m,f\nb,m,f\n")
    error = scripted_gdal.fails("ogrinfo", "GIQ:batch=rows.csv", tag="usage", env=NO_FETCH)
    assert "1 of 1 jobs of the batch are not in the store" in error
    assert service.calls() == []
    scripted_gdal.run("ogrinfo", "GIQ:batch=rows.csv")
    scripted_gdal.run("ogrinfo", "GIQ:batch=rows.csv", env=NO_FETCH)
    assert len(service.calls("run")) == 1


NOTHING = dict.fromkeys(["phase", "bytes", "total", "job", "status", "waited_s",
                         "expected_s"])


def test_progress_file_names_phases_and_the_job(scripted_gdal, service):
    path = scripted_gdal.folder / "progress.json"
    seen = []

    def note(phase, response):
        def respond(_):
            while not path.exists() or json.loads(path.read_text())["phase"] != phase:
                time.sleep(0.01)
            seen.append(json.loads(path.read_text()))
            return response
        return respond
    good = service.script["download"][0]
    service.script["run"] = [note("submit", Response(job("SUBMITTED")))]
    service.script["download"] = [note("download", good)]
    scripted_gdal.run("ogrinfo", NAME, env={"GIQ_PROGRESS_FILE": str(path)})
    last = json.loads(path.read_text())
    assert seen == [{**NOTHING, "phase": "submit"},
                    {**NOTHING, "phase": "download", "job": "job-1",
                     "status": "COMPLETED", "waited_s": seen[1]["waited_s"]}]
    assert last == {**NOTHING, "phase": "done", "job": "job-1", "status": "COMPLETED",
                    "waited_s": last["waited_s"]}
    assert list(scripted_gdal.folder.glob("progress.json.*")) == []


def test_progress_file_counts_the_bytes_of_a_download(scripted_gdal, service):
    """The first response is cut; the pause before the next one is long enough to write."""
    path = scripted_gdal.folder / "progress.json"
    whole = GEOJSON + b" " * (3 << 20)
    seen = []

    def again(_):
        seen.append(json.loads(path.read_text()))
        return Response(whole)
    service.script["download"] = [Response(whole, cut=1 << 20), again]
    scripted_gdal.run("ogrinfo", NAME, env={"GIQ_PROGRESS_FILE": str(path),
                                            "GIQ_RETRY_DELAY": "1"})
    assert seen == [{**NOTHING, "phase": "download", "bytes": 1 << 20, "total": len(whole),
                     "job": "job-1", "status": "COMPLETED",
                     "waited_s": seen[0]["waited_s"]}]


@pytest.mark.parametrize("status,phase,tag", [("FAILED", "failed", "failed")])
def test_progress_file_says_how_it_ended(scripted_gdal, service, status, phase, tag):
    path = scripted_gdal.folder / "progress.json"
    service.script["status"] = [Response(job(status))]
    scripted_gdal.fails("ogrinfo", NAME, tag=tag, env={"GIQ_PROGRESS_FILE": str(path)})
    assert json.loads(path.read_text())["phase"] == phase


def test_progress_file_says_that_it_was_cancelled(scripted_gdal, service, cancel):
    path = scripted_gdal.folder / "progress.json"
    cancel.touch()
    cancelled(scripted_gdal, cancel, NAME, env={"GIQ_PROGRESS_FILE": str(path)})
    assert json.loads(path.read_text()) == {**NOTHING, "phase": "cancelled"}


def test_progress_file_that_cannot_be_written_is_one_warning(scripted_gdal, service):
    done = scripted_gdal.run("ogrinfo", NAME, env={"GIQ_PROGRESS_FILE": "/nowhere/p.json"})
    assert done.stderr.count("GIQ_PROGRESS_FILE") == 1
    assert service.names() == ["models", "run", "status", "download"]
