"""`gdal driver giq forget`, which GDAL 3.11 and later have: what it frees, what it keeps, and
what a later open costs."""
import json
import threading

import pytest

from programs import HAS_GDAL_PROGRAM
from scripted import Response, done, job
from test_commands import RUNNING, fails, giq, rows

pytestmark = pytest.mark.skipif(not HAS_GDAL_PROGRAM,
                                reason="this GDAL has no program gdal")

NAME = "GIQ:model=m;file=f"
PAYS = "A later open of a forgotten request starts a new job, which is paid for"
FREE = "A later open of a job whose result was removed downloads it again, which is free"


def test_record_is_paid_for_again_and_its_job_is_not(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    shown = giq(scripted_gdal, "forget", "job-1").stdout
    assert PAYS in shown and FREE not in shown
    assert scripted_gdal.records() == {}
    assert list(scripted_gdal.store.glob("v1/*")) == []
    scripted_gdal.run("ogrinfo", "GIQ:job=job-1")
    assert len(service.calls("run")) == 1
    scripted_gdal.run("ogrinfo", NAME)
    assert len(service.calls("run")) == 2


def test_result_is_downloaded_again_for_nothing(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    shown = giq(scripted_gdal, "forget", "job-1", "--results-only").stdout
    assert FREE in shown and PAYS not in shown
    assert list(scripted_gdal.store.glob("v1/*/result.*")) == []
    assert [row["state"] for row in rows(scripted_gdal, "jobs")] == ["published"]
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names() == ["models", "run", "status", "download", "download"]


def test_report_as_json(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    [key] = scripted_gdal.records()
    for more, outcome, later in ((("--dry-run",), "record", "pays again"),
                                 (("--results-only",), "result", "downloads again"),
                                 (("--results-only",), "nothing", None),
                                 ((), "record", "pays again")):
        [row] = rows(scripted_gdal, "forget", key, *more)
        assert row["bytes"] > 0 or outcome == "nothing"
        assert row | {"bytes": 0} == {
            "key": key, "job_id": "job-1", "state": "published", "outcome": outcome,
            "bytes": 0, "later_open": later, "reason": None}
    assert scripted_gdal.records() == {}
    assert len(service.calls("run")) == 1


def test_age_alone_frees_results_only(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    giq(scripted_gdal, "forget", "--older-than", "1h")
    assert len(list(scripted_gdal.store.glob("v1/*/result.*"))) == 1
    assert FREE in giq(scripted_gdal, "forget", "--older-than", "0h", "--force").stdout
    assert len(scripted_gdal.records()) == 1
    assert list(scripted_gdal.store.glob("v1/*/result.*")) == []
    scripted_gdal.run("ogrinfo", NAME)
    assert len(service.calls("run")) == 1


def test_nothing_is_forgotten_by_a_mistake(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    for words, text in (((), "name the key or the job"),
                        (("job-1", "job-9"), 'the job "job-9"'),
                        (("job-1", "--older-than", "soon"), 'got "soon"')):
        assert text in fails(scripted_gdal, "forget", *words, tag="usage")
    assert len(list(scripted_gdal.store.glob("v1/*/result.*"))) == 1
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names() == ["models", "run", "status", "download"]


def test_submitted_job_is_forgotten_by_force_alone(scripted_gdal, service):
    service.script["status"] = [RUNNING]
    giq(scripted_gdal, "run", "--model", "m", "--file", "f", "--no-wait")
    text = fails(scripted_gdal, "forget", "job-1", tag="usage")
    assert 'the record of job-1 is "submitted"' in text and "--force" in text
    giq(scripted_gdal, "forget", "--older-than", "0h")
    assert len(scripted_gdal.records()) == 1
    giq(scripted_gdal, "forget", "job-1", "--force")
    assert scripted_gdal.records() == {}
    assert len(service.calls("run")) == 1


def test_unknown_outcome_is_forgotten_by_force_alone(scripted_gdal, service):
    service.script["run"] = [Response(drop=True)]
    scripted_gdal.fails("ogrinfo", NAME, tag="unknown")
    [key] = scripted_gdal.records()
    assert 'is "unknown"' in fails(scripted_gdal, "forget", key, tag="usage")
    giq(scripted_gdal, "forget", key, "--force")
    assert list(scripted_gdal.store.glob("v1/*")) == []
    assert len(service.calls("run")) == 1


def hold(response):
    """A response that is given when the event `over` comes; `asked` comes before."""
    asked, over = threading.Event(), threading.Event()

    def respond_late(seen):
        asked.set()
        over.wait(60)
        return response(seen) if callable(response) else response
    return respond_late, asked, over


def test_request_that_is_being_sent_is_not_forgotten_by_force(scripted_gdal, service):
    late, asked, over = hold(Response(job("SUBMITTED")))
    service.script["run"] = [late]
    process = scripted_gdal.start("ogrinfo", NAME)
    assert asked.wait(60)
    [key] = [path.parent.name for path in scripted_gdal.store.glob("v1/*/sent.1")]
    assert 'is "sending"' in fails(scripted_gdal, "forget", key, tag="usage")
    assert "was not forgotten" in fails(scripted_gdal, "forget", key, "--force",
                                        tag="store")
    over.set()
    assert scripted_gdal.finish(process).returncode == 0
    assert [row["state"] for row in rows(scripted_gdal, "jobs")] == ["published"]
    assert len(service.calls("run")) == 1


def test_open_that_waits_for_a_forgotten_job_starts_no_other(scripted_gdal, service):
    late, asked, over = hold(done)
    service.script["status"] = [late]
    process = scripted_gdal.start("ogrinfo", NAME)
    assert asked.wait(60)
    giq(scripted_gdal, "forget", "job-1", "--force")
    over.set()
    ended = scripted_gdal.finish(process)
    assert "GIQ[store] the record of the job job-1 was removed" in ended.stderr
    assert service.names() == ["models", "run", "status"]


def test_download_under_way_is_not_disturbed(scripted_gdal, service):
    [result] = service.script["download"]
    late, asked, over = hold(result)
    service.script["download"] = [late]
    process = scripted_gdal.start("ogrinfo", NAME)
    assert asked.wait(60)
    text = fails(scripted_gdal, "forget", "job-1", tag="store")
    assert "another open or process works on it" in text
    over.set()
    assert scripted_gdal.finish(process).returncode == 0
    assert [row["state"] for row in rows(scripted_gdal, "jobs")] == ["published"]
    assert len(service.calls("run")) == 1


def test_record_of_version_0_1(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    scripted_gdal.drop_tickets()
    giq(scripted_gdal, "forget", "job-1", "--results-only")
    scripted_gdal.run("ogrinfo", NAME)
    assert len(service.calls("run")) == 1
    giq(scripted_gdal, "forget", "job-1")
    assert list(scripted_gdal.store.glob("v1/*")) == []


def test_record_of_a_newer_version_stays(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob("v1/*/job.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 3}))
    fails(scripted_gdal, "forget", path.parent.name, "--force", tag="store")
    assert path.exists()
