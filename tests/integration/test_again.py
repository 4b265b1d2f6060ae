"""Asking again: what failed is remembered until the user asks with a label, and each
label makes one job. A job that exists can be adopted."""
import json

import pytest

from scripted import Response, done, job

NAME = "GIQ:model=m;file=f"
FAILED = Response(job("FAILED"))
NO_JOB = Response({"message": "Inference Job not found"}, 404)


def runs(service):
    return len(service.calls("run"))


def retry(gdal, label, name=NAME, **more):
    return gdal.run("ogrinfo", "-oo", f"RETRY={label}", name, ok=None, **more)


def test_retry_makes_one_new_job_for_each_label(scripted_gdal, service):
    service.script["status"] = [FAILED]
    scripted_gdal.fails("ogrinfo", NAME, tag="failed")
    for label, total in (("a", 2), ("a", 2), ("b", 3), ("a", 3), ("b", 3)):
        for _ in range(3):
            assert "GIQ[failed]" in retry(scripted_gdal, label).stderr
        assert runs(service) == total
    scripted_gdal.fails("ogrinfo", NAME, tag="failed")
    assert runs(service) == 3


def test_label_is_used_by_the_first_job_that_it_accompanies(scripted_gdal, service):
    service.script["status"] = [FAILED]
    for _ in range(3):
        retry(scripted_gdal, "a")
    assert runs(service) == 1
    retry(scripted_gdal, "b")
    assert runs(service) == 2


def test_retry_leads_on_from_unknown(scripted_gdal, service):
    service.script["run"] = [Response(b"", 500), Response(job("SUBMITTED"))]
    text = scripted_gdal.fails("ogrinfo", NAME, tag="unknown")
    assert "RETRY=" in text and "job=<id>" in text and "rerun=" in text
    assert retry(scripted_gdal, "a").returncode == 0
    scripted_gdal.run("ogrinfo", NAME)
    assert runs(service) == 2


def test_unknown_job_of_a_label_is_adopted_for_it(scripted_gdal, service):
    service.script["run"] = [Response(b"", 500)]
    name = f"{NAME};rerun=z1"
    text = scripted_gdal.fails("ogrinfo", name, tag="unknown")
    assert "adopt it with job=<id> in the same request" in text
    scripted_gdal.run("ogrinfo", f"{name};job=job-1")
    scripted_gdal.run("ogrinfo", name)
    assert runs(service) == 1
    assert len(scripted_gdal.records()) == 1  # none for the request without the label


def test_retry_leads_on_from_gone(scripted_gdal, service):
    good = service.script["download"]
    service.script["download"] = [NO_JOB]
    for _ in range(2):
        text = scripted_gdal.fails("ogrinfo", NAME, tag="gone")
        assert "RETRY=" in text
    assert runs(service) == 1 and service.names().count("download") == 1
    service.script["download"] = [NO_JOB, *good]
    assert retry(scripted_gdal, "a").returncode == 0
    assert runs(service) == 2 and service.names().count("download") == 3


def test_retry_takes_a_gone_result_that_is_there_again(scripted_gdal, service):
    good = service.script["download"]
    service.script["download"] = [NO_JOB, *good]
    scripted_gdal.fails("ogrinfo", NAME, tag="gone")
    assert retry(scripted_gdal, "a").returncode == 0
    assert runs(service) == 1 and service.names().count("download") == 2
    [record] = scripted_gdal.records().values()
    assert record["state"] == "published" and not record.get("labels")


@pytest.mark.parametrize("trouble,tag", [
    (Response({"message": "no"}, 401), "credentials"), (Response(b"", 500), "service"),
    (Response(drop=True), "network")])
def test_trouble_while_a_gone_result_is_checked_starts_no_job(scripted_gdal, service,
                                                              trouble, tag):
    service.script["download"] = [NO_JOB, trouble]
    scripted_gdal.fails("ogrinfo", NAME, tag="gone")
    before = scripted_gdal.records()
    scripted_gdal.fails("ogrinfo", "-oo", "RETRY=a", "-oo", "MAX_RETRY=1", NAME, tag=tag)
    assert runs(service) == 1 and scripted_gdal.records() == before


@pytest.mark.parametrize("name", ["job.json", "request.json"])
def test_retry_leads_on_from_a_damaged_record(scripted_gdal, service, name):
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob(f"v1/*/{name}")
    path.write_text("{")
    text = scripted_gdal.fails("ogrinfo", NAME, tag="store")
    assert name in text and "RETRY=" in text
    assert retry(scripted_gdal, "a").returncode == 0
    scripted_gdal.run("ogrinfo", NAME)
    assert runs(service) == 2


def test_retry_does_nothing_to_what_is_well(scripted_gdal, service):
    for _ in range(2):
        assert retry(scripted_gdal, "a").returncode == 0
        assert retry(scripted_gdal, "b").returncode == 0
    assert runs(service) == 1


@pytest.mark.parametrize("refusal", [
    Response({"message": "no"}, 422), Response({"message": "later"}, 429),
    Response(b"", 302, {"Location": "/elsewhere"}),
])
def test_refused_retry_leaves_the_record_as_it_was(scripted_gdal, service, refusal):
    good = service.script["run"][0]
    service.script["status"] = [FAILED]
    scripted_gdal.fails("ogrinfo", NAME, tag="failed")
    before = scripted_gdal.records()
    service.script["run"] = [refusal]
    retry(scripted_gdal, "a", env={"GIQ_MAX_RETRY": "1"})
    assert scripted_gdal.records() == before
    scripted_gdal.fails("ogrinfo", NAME, tag="failed")
    service.script["run"] = [good]
    service.script["status"] = [Response(job("DONE"))]
    assert retry(scripted_gdal, "a").returncode == 0


def test_refused_retry_leaves_a_damaged_record_as_it_was(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob("v1/*/job.json")
    path.write_text("{")
    service.script["run"] = [Response({"message": "no"}, 422)]
    retry(scripted_gdal, "a")
    assert path.read_text() == "{"
    scripted_gdal.fails("ogrinfo", NAME, tag="store")


def test_record_of_a_newer_version_is_never_replaced(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob("v1/*/job.json")
    record = json.loads(path.read_text())
    record.update(format=99)
    path.write_text(json.dumps(record))
    for name in (NAME, f"{NAME};wait=no"):
        done = retry(scripted_gdal, "a", name)
        assert "GIQ[store]" in done.stderr and "newer" in done.stderr
    assert json.loads(path.read_text()) == record
    assert runs(service) == 1


def test_members_that_this_version_does_not_know_are_kept(scripted_gdal, service):
    service.script["status"] = [Response(job("RUNNING"))]
    scripted_gdal.fails("ogrinfo", "-oo", "TIMEOUT=0", NAME, tag="timeout")
    [path] = scripted_gdal.store.glob("v1/*/job.json")
    record = json.loads(path.read_text())
    record.update(note={"of": ["mine"]})
    path.write_text(json.dumps(record))
    service.script["status"] = [Response(job("DONE"))]
    scripted_gdal.run("ogrinfo", NAME)
    record = json.loads(path.read_text())
    assert record["note"] == {"of": ["mine"]} and record["state"] == "published"


def test_submit_no_never_retries(scripted_gdal, service):
    service.script["status"] = [FAILED]
    scripted_gdal.fails("ogrinfo", NAME, tag="failed")
    scripted_gdal.fails("ogrinfo", "-oo", "RETRY=a", "-oo", "SUBMIT=NO", NAME,
                        tag="failed")
    assert runs(service) == 1


def test_retry_needs_no_look_at_the_models(scripted_gdal, service):
    service.script["status"] = [FAILED]
    scripted_gdal.fails("ogrinfo", NAME, tag="failed")
    service.script["models"] = [Response([{"id": "another"}])]
    retry(scripted_gdal, "a")
    assert runs(service) == 2 and service.names().count("models") == 1


ADOPT = f"{NAME};job=job-7"


@pytest.mark.parametrize("first", [
    None, {"status": [FAILED]}, {"run": [Response(b"", 500)]}, {"download": [NO_JOB]},
])
def test_job_is_adopted_where_the_request_has_none_alive(scripted_gdal, service, first):
    good = dict(service.script)
    if first is not None:
        service.script.update(first)
        scripted_gdal.run("ogrinfo", NAME, ok=None)
    before = runs(service)
    service.script.update(good)
    service.script["status"] = [done]
    scripted_gdal.run("ogrinfo", "-oo", "SUBMIT=NO", ADOPT)
    assert service.calls("status")[-1]["query"] == {"inferenceId": "job-7"}
    assert service.calls("download")[-1]["query"] == {"inferenceJobId": "job-7"}
    names = service.names()
    scripted_gdal.run("ogrinfo", NAME)
    scripted_gdal.run("ogrinfo", ADOPT)
    assert service.names() == names
    assert runs(service) == before
    [record] = scripted_gdal.records().values()
    assert record["job_id"] == "job-7" and "before" not in record


@pytest.mark.parametrize("status", ["RUNNING", "DONE"])
def test_job_is_not_adopted_where_another_is_alive(scripted_gdal, service, status):
    service.script["status"] = [Response(job(status))]
    scripted_gdal.run("ogrinfo", "-oo", "TIMEOUT=0", NAME, ok=None)
    before = scripted_gdal.records()
    text = scripted_gdal.fails("ogrinfo", ADOPT, tag="usage")
    assert "job-1" in text
    assert scripted_gdal.records() == before


def test_adopting_a_job_that_is_not_known_leaves_no_record(scripted_gdal, service):
    service.script["status"] = [NO_JOB]
    scripted_gdal.fails("ogrinfo", ADOPT, tag="gone")
    assert scripted_gdal.records() == {}
    service.script["status"] = [FAILED]
    scripted_gdal.fails("ogrinfo", NAME, tag="failed")
    before = scripted_gdal.records()
    service.script["status"] = [NO_JOB]
    scripted_gdal.fails("ogrinfo", ADOPT, tag="gone")
    assert scripted_gdal.records() == before


def test_adopted_job_that_failed_is_recorded_as_failed(scripted_gdal, service):
    service.script["status"] = [Response(job("FAILED", id="job-7"))]
    text = scripted_gdal.fails("ogrinfo", ADOPT, tag="failed")
    assert "job-7" in text
    assert scripted_gdal.fails("ogrinfo", NAME, tag="failed") == text
    assert service.names() == ["status"]


@pytest.mark.parametrize("name", [ADOPT, "GIQ:job=job-7"])
@pytest.mark.parametrize("trouble", [
    Response(b"busy", 503), Response(job("DONE", id="job-8")), Response(drop=True)])
def test_adopting_while_the_service_is_in_trouble_ends_with_max_retry(
        scripted_gdal, service, name, trouble):
    service.script["status"] = [trouble]
    text = scripted_gdal.fails("ogrinfo", "-oo", "MAX_RETRY=2", name)
    assert "job-7 could not be checked, and nothing was recorded" in text
    assert service.names() == ["status"] * 3
    assert scripted_gdal.records() == {}
    service.script["status"] = [done]
    scripted_gdal.run("ogrinfo", name)
    assert runs(service) == 0


def make_old(gdal):
    """The service may not know a job yet that was just submitted."""
    [path] = gdal.store.glob("v1/*/job.json")
    record = json.loads(path.read_text())
    record.update(submitted_at="2024-05-01T00:00:00.000Z")
    path.write_text(json.dumps(record))


def test_standing_label_goes_on_with_a_job_that_two_404_hid(scripted_gdal, service):
    service.script["status"] = [Response(job("RUNNING"))]
    scripted_gdal.fails("ogrinfo", "-oo", "TIMEOUT=0", NAME, tag="timeout")
    make_old(scripted_gdal)
    service.script["status"] = [NO_JOB, NO_JOB, Response(job("RUNNING")), done]
    env = {"GIQ_RETRY": "monday"}
    scripted_gdal.fails("ogrinfo", NAME, tag="gone", env=env)
    scripted_gdal.run("ogrinfo", NAME, env=env)
    assert runs(service) == 1
    [record] = scripted_gdal.records().values()
    assert record["state"] == "published" and not record.get("labels")


def test_job_that_the_service_forgot_is_gone_and_retry_leads_on(scripted_gdal, service):
    service.script["status"] = [Response(job("RUNNING"))]
    scripted_gdal.fails("ogrinfo", "-oo", "TIMEOUT=0", NAME, tag="timeout")
    make_old(scripted_gdal)
    service.script["status"] = [Response(job("RUNNING")), NO_JOB]
    for _ in range(2):
        text = scripted_gdal.fails("ogrinfo", NAME, tag="gone")
        assert "no longer knows the job job-1" in text and "RETRY=" in text
    assert len(service.calls("status")) == 1 + 3 and runs(service) == 1
    table = scripted_gdal.run("ogrinfo", "-al", "GIQ:jobs").stdout
    assert "status (String) = gone" in table and "Inference Job not found" in table
    service.script["status"] = [NO_JOB, NO_JOB, done]
    assert retry(scripted_gdal, "a").returncode == 0
    assert retry(scripted_gdal, "a").returncode == 0
    assert runs(service) == 2
    assert "status (String) = published" in scripted_gdal.run("ogrinfo", "-al",
                                                             "GIQ:jobs").stdout


def test_rerun_does_not_go_with_job(scripted_gdal, service):
    scripted_gdal.fails("ogrinfo", f"{ADOPT};rerun=a", tag="usage")
    scripted_gdal.fails("ogrinfo", "GIQ:job=j;model=m", tag="usage")
    assert service.calls() == []
