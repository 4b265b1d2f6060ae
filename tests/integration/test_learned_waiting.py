"""Learned waiting: what jobs leave in the store, how later ones wait, and approvals."""
import json
import re
import shutil
from datetime import datetime, timedelta

import pytest

from programs import AREA, SCENE, Gdal, Sandbox
from scripted import Response, done, job

NAME = "GIQ:model=m;file=f"


@pytest.fixture
def learner(scripted_gdal, service):
    return Learner(scripted_gdal, service)


def record_of(gdal, label):
    """The path of job.json of the request with this label."""
    [request] = [path for path in gdal.store.glob("v1/*/request.json")
                 if json.loads(path.read_text()).get("rerun") == label]
    return request.with_name("job.json")


def make_older(record, seconds):
    """As if the job of a record had been submitted earlier."""
    text = json.loads(record.read_text())
    time = datetime.fromisoformat(text["submitted_at"].replace("Z", "+00:00"))
    time -= timedelta(seconds=seconds)
    text["submitted_at"] = time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record.write_text(json.dumps(text))


class Learner:
    """Runs jobs that were submitted some time ago, so that no test waits for them."""

    def __init__(self, gdal, service):
        self.gdal = gdal
        self.service = service
        self.count = 0
        service.script["run"] = [
            lambda _: Response(job("SUBMITTED", id=f"job-{len(service.calls('run'))}"))]

    def submit(self, seconds, *options):
        """The name of a request whose job was submitted that many seconds ago."""
        self.count += 1
        name = f"{NAME};rerun={self.count}"
        self.service.script["status"] = [self.says("RUNNING")]
        self.gdal.fails("ogrinfo", "-oo", "TIMEOUT=0", *options, name, tag="timeout")
        make_older(record_of(self.gdal, str(self.count)), seconds)
        return name

    def says(self, status, **more):
        return lambda seen: Response(job(status, id=seen["query"]["inferenceId"]), **more)

    def finish(self, seconds, *options, name=None):
        """Run a job that takes that many seconds; returns what was learned of it."""
        name = name or self.submit(seconds, *options)
        self.service.script["status"] = [self.says("RUNNING"), done]
        self.gdal.run("ogrinfo", "-oo", "POLL_INTERVAL=0.05", *options, name)
        record = json.loads(record_of(self.gdal, str(self.count)).read_text())
        return record.get("waiting"), record["finished_at"]

    def resume(self, name, *options):
        """Wait a second for a job that goes on; the number of status calls."""
        before = len(self.service.calls("status"))
        self.service.script["status"] = [self.says("RUNNING")]
        self.gdal.fails("ogrinfo", "-oo", "TIMEOUT=1", *options, name, tag="timeout")
        return len(self.service.calls("status")) - before

    def summary(self):
        [path] = self.gdal.store.glob("waiting/v1/*")
        return path


def test_finished_jobs_leave_their_durations_in_the_store(learner, service):
    learned = [learner.finish(60 * n) for n in (1, 2, 3)]
    for n, (waiting, _) in enumerate(learned, 1):
        assert waiting["base_url"] == service.url and "area_m2" not in waiting
        assert 60000 * n <= waiting["duration_ms"] < 69000 * n
    assert json.loads(learner.summary().read_text()) == {
        "format": 1, "base_url": service.url, "model_id": "m",
        "jobs": [{"finished_at": finished, "duration_ms": waiting["duration_ms"]}
                 for waiting, finished in learned]}
    assert len(service.calls("run")) == 3


def test_area_of_a_job_is_recorded(learner):
    waiting, _ = learner.finish(
        60, "-oo", "GEOMETRY=POLYGON((0 0,0 1,1 1,1 0,0 0))")
    assert waiting["area_m2"] // 10**6 == 12308


def test_history_makes_calls_rare_before_the_likely_end(learner):
    """At 600 s of 1200 s a pause is 100 s: one call at once, one as the time runs out."""
    assert learner.resume(learner.submit(600)) > 2
    for _ in range(5):
        learner.finish(1200)
    assert learner.resume(learner.submit(600)) == 2


def test_poll_interval_and_retry_after_win(learner, service):
    for _ in range(5):
        learner.finish(1200)
    for options, more in ((("-oo", "POLL_INTERVAL=0.05"), {}),
                          ((), {"headers": {"Retry-After": "0"}})):
        name = learner.submit(600)
        before = len(service.calls("status"))
        service.script["status"] = [learner.says("RUNNING", **more)] * 3 + [done]
        learner.gdal.run("ogrinfo", "-oo", "TIMEOUT=60", *options, name)
        assert len(service.calls("status")) - before == 4


def test_status_line_states_the_time_left_once_there_is_a_history(learner, service):
    for history in (False, True):
        name = learner.submit(0)
        service.script["status"] = [learner.says("RUNNING"), done]
        line = learner.gdal.run("ogrinfo", "-oo", "PROGRESS=YES", name).stderr
        if history:
            assert re.fullmatch(r"GIQ: job job-7 RUNNING, 0:00; about \d+ min left "
                                r"\(5 jobs of this model took \d+ min\); Ctrl-C .*\n", line)
        else:
            assert re.fullmatch(r"GIQ: job job-1 RUNNING, 0:00; Ctrl-C .*\n", line)
            for _ in range(5):
                learner.finish(1200)
    name = learner.submit(3000)
    service.script["status"] = [learner.says("RUNNING"), done]
    line = learner.gdal.run("ogrinfo", "-oo", "PROGRESS=YES", name).stderr
    assert "; longer than the 5 earlier jobs of this model, which took" in line


@pytest.mark.parametrize("damage", ["deleted", "cut", "not JSON", "of another model"])
def test_damaged_summary_is_rebuilt_from_the_records(learner, damage):
    for _ in range(5):
        learner.finish(1200)
    path = learner.summary()
    whole = path.read_bytes()
    if damage == "deleted":
        shutil.rmtree(path.parent)
    else:
        path.write_bytes({"cut": whole[:100], "not JSON": b"\0" * 100,
                          "of another model": whole.replace(b'"m"', b'"n"')}[damage])
    assert learner.resume(learner.submit(600)) == 2
    assert path.read_bytes() == whole


def test_summary_that_cannot_be_written_fails_no_open(learner):
    for _ in range(5):
        learner.finish(1200)
    shutil.rmtree(learner.gdal.store / "waiting")
    (learner.gdal.store / "waiting").write_text("")
    assert learner.resume(learner.submit(600)) == 2
    learner.finish(1200)
    assert (learner.gdal.store / "waiting").read_text() == ""


def test_opens_that_do_not_wait_read_no_history(learner):
    name = learner.submit(600)
    learner.finish(600, name=name)
    shutil.rmtree(learner.gdal.store / "waiting")
    learner.gdal.run("ogrinfo", "-al", name)
    learner.gdal.run("ogrinfo", "-al", f"{name};wait=no")
    learner.gdal.run("ogrinfo", "-al", "GIQ:jobs")
    assert not (learner.gdal.store / "waiting").exists()


def test_failed_job_is_not_learned_from(learner, service):
    name = learner.submit(600)
    service.script["status"] = [learner.says("RUNNING"), learner.says("FAILED")]
    learner.gdal.fails("ogrinfo", "-oo", "POLL_INTERVAL=0.05", name, tag="failed")
    [record] = learner.gdal.records().values()
    assert record["state"] == "failed" and "waiting" not in record
    assert json.loads(learner.summary().read_text())["jobs"] == []


def test_sandbox_jobs_are_learned_from(tmp_path, started):
    """A whole service, whose job runs for seconds while the open waits."""
    sandbox = started(Sandbox(tmp_path / "sandbox", "--job-seconds", "5"))
    gdal = Gdal(tmp_path, sandbox.url)
    name = f"GIQ:model=ndvi;file={SCENE};geometry={AREA};rerun=1"
    gdal.fails("gdalinfo", "-oo", "TIMEOUT=0", name, tag="timeout")
    make_older(record_of(gdal, "1"), 600)
    gdal.run("gdalinfo", name)
    [record] = gdal.records().values()
    assert record["state"] == "published"
    assert record["waiting"]["duration_ms"] >= 600000
    assert len(sandbox.runs()) == 1
    [summary] = gdal.store.glob("waiting/v1/*")
    [learned] = json.loads(summary.read_text())["jobs"]
    assert learned == {"finished_at": record["finished_at"],
                       "duration_ms": record["waiting"]["duration_ms"],
                       "area_m2": record["waiting"]["area_m2"]}


# ---- approval ----

def test_wait_for_an_approval_says_so_and_where(learner, service):
    page = service.url.replace("/public", "/")
    service.script["status"] = [learner.says("REQUESTED")]
    error = learner.gdal.fails("ogrinfo", "-oo", "TIMEOUT=1", NAME, tag="timeout")
    assert ("the job job-1 is still REQUESTED after 1 s; it is waiting for approval on the "
            f"service, see {page}; it continues, and opening the same dataset again "
            "continues the wait.") in error
    service.script["status"] = [learner.says("REQUESTED"), done]
    line = learner.gdal.run("ogrinfo", "-oo", "PROGRESS=YES", NAME).stderr
    assert line.startswith("GIQ: job job-1 REQUESTED, 0:00; it is waiting for approval on "
                           f"the service, see {page}; Ctrl-C ")
    assert len(service.calls("run")) == 1


def test_wait_for_an_approval_is_not_learned(learner, service):
    name = learner.submit(600)
    service.script["status"] = [learner.says("REQUESTED"), learner.says("APPROVED"),
                                learner.says("SCHEDULED"), learner.says("INGESTING"),
                                learner.says("RUNNING"), done]
    learner.gdal.run("ogrinfo", "-oo", "POLL_INTERVAL=0.05", name)
    [record] = learner.gdal.records().values()
    # It took 600 s, of which it ran less than a minute.
    assert record.get("waiting", {}).get("duration_ms", 0) < 60000


@pytest.mark.parametrize("status", ["REJECTED", "denied"])
def test_refused_approval_is_a_failed_job(learner, service, status):
    service.script["status"] = [learner.says("REQUESTED"), learner.says(status)]
    error = learner.gdal.fails("ogrinfo", NAME, tag="failed")
    assert f"the job job-1 failed on the service ({status})" in error
    assert len(service.calls("run")) == 1
