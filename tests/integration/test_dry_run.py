"""The dry run, wait=no with SUBMIT=NO: what a request would send, without a call, without
credentials and without a record. The columns `state`, `area_km2` and `error` of jobs."""
import json

import pytest

from scripted import Response, job

NAME = "GIQ:model=m;file=f"
SQUARE = "POLYGON((54 24,54 25,55 25,55 24,54 24))"
SQUARE_KM2 = 11226.471672512  # of PROJ, see tests/unit/test_giq_ellipsoid.c
COLUMNS = ["key", "model_id", "file_id", "upload", "label", "job_id", "status", "state",
           "type", "started_at", "submitted_at", "finished_at", "result_path",
           "result_size", "area_km2", "error"]
ADVICE = "RETRY=<label> or rerun=<label>"
READ = """
import json, sys
from osgeo import gdal
gdal.UseExceptions()
data = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR, open_options=sys.argv[2:])
layer = data.GetLayer(0)
names = [field.GetName() for field in layer.schema]
for row in layer:
    area = row.GetGeometryRef()
    print(json.dumps([names, {**row.items(), "area": area and area.ExportToWkt()}]))
"""


def rows(gdal, name, *options, env=None):
    done = gdal.python(READ, name, *options, env=env)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [names for names, _ in found] == [COLUMNS] * len(found)
    return [row for _, row in found]


def dry(gdal, name, *options, env=None):
    """The row of a dry run."""
    [row] = rows(gdal, f"{name};wait=no", "SUBMIT=NO", *options, env=env)
    return row


def check(gdal, name, *options):
    """The row of a request that was sent before."""
    [row] = rows(gdal, f"{name};wait=no", *options)
    return row


def nothing_but(row, **values):
    """All other columns are NULL."""
    assert {name: value for name, value in row.items() if value is not None} == values


def test_row_shows_what_would_be_sent(scripted_gdal, service):
    row = dry(scripted_gdal, f"{NAME};geometry={SQUARE};rerun=x")
    key = row.pop("key")
    assert row.pop("area_km2") == pytest.approx(SQUARE_KM2, rel=1e-9)
    nothing_but(row, model_id="m", file_id="f", label="x", state="not submitted",
                area="MULTIPOLYGON (((54 24,54 25,55 25,55 24,54 24)))")
    assert service.calls() == []
    assert not scripted_gdal.store.exists()
    scripted_gdal.run("ogrinfo", f"{NAME};geometry={SQUARE};rerun=x")
    assert list(scripted_gdal.records()) == [key]
    [run] = service.calls("run")
    assert SQUARE.encode() in run["body"]


def test_request_without_an_area_has_no_size(scripted_gdal, service):
    row = dry(scripted_gdal, NAME)
    del row["key"]
    nothing_but(row, model_id="m", file_id="f", state="not submitted")
    assert service.calls() == []


def test_size_of_an_area_that_is_sent_as_it_is_is_not_known(scripted_gdal, service):
    request = f"{NAME};geometry={SQUARE}"
    row = dry(scripted_gdal, request, "GEOMETRY_CRS=AS_IS")
    del row["key"]
    nothing_but(row, model_id="m", file_id="f", state="not submitted")
    assert service.calls() == []
    row = check(scripted_gdal, request, "GEOMETRY_CRS=AS_IS")
    assert (row["state"], row["area"], row["area_km2"]) == ("succeeded", None, None)
    [row] = rows(scripted_gdal, "GIQ:jobs")
    assert (row["state"], row["area"], row["area_km2"]) == ("succeeded", None, None)
    # The identity of a request is its coordinates, so the record counts.
    assert dry(scripted_gdal, request) == row
    assert len(service.calls("run")) == 1


def test_no_credentials_are_needed(scripted_gdal, service):
    row = dry(scripted_gdal, NAME, env={"GIQ_API_KEY": ""})
    assert row["state"] == "not submitted" and row["error"] is None
    row = dry(scripted_gdal, NAME, env={"GIQ_API_KEY": "", "GIQ_API_KEY_FILE": "/none"})
    assert row["state"] == "not submitted" and row["error"] is None
    assert service.calls() == []


def test_submit_no_of_the_configuration_counts_too(scripted_gdal, service):
    [row] = rows(scripted_gdal, f"{NAME};wait=no", "SUBMIT=IF_MISSING",
                 env={"GIQ_SUBMIT": "NO"})
    assert row["state"] == "not submitted"
    assert service.calls() == [] and not scripted_gdal.store.exists()


def test_without_wait_no_it_is_the_error_as_ever(scripted_gdal, service):
    text = scripted_gdal.fails("ogrinfo", "-oo", "SUBMIT=NO", NAME, tag="usage")
    assert "no job is recorded for this request, and SUBMIT=NO does not start one" in text
    assert service.calls() == [] and not scripted_gdal.store.exists()


def test_mistakes_in_a_request_are_errors_as_ever(scripted_gdal, service):
    for name, tag in ((f"{NAME};geometry=POLYGON((0 0,1 1,1 0,0 1,0 0));wait=no", "area"),
                      ("GIQ:model=m;upload=none.tif;wait=no", "usage"),
                      ("GIQ:model=m;wait=no", "usage")):
        scripted_gdal.fails("ogrinfo", "-oo", "SUBMIT=NO", name, tag=tag)
    assert service.calls() == [] and not scripted_gdal.store.exists()


def test_store_may_be_read_only(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    names = service.names()
    local = scripted_gdal.folder / "local.csv"
    local.write_text("a\n1\n")
    before = sorted(scripted_gdal.store.rglob("*"))
    for path in (scripted_gdal.store, *before):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for request, state in ((NAME, "published"), (f"{NAME};rerun=x", "not submitted"),
                           (f"GIQ:model=m;upload={local}", "not submitted")):
        command = scripted_gdal.as_user(2001, "ogrinfo", "-al", "-oo", "SUBMIT=NO",
                                        f"{request};wait=no")
        assert f"state (String) = {state}\n" in scripted_gdal.run(*command).stdout
    assert sorted(scripted_gdal.store.rglob("*")) == before
    assert service.names() == names


def test_request_that_was_being_sent_is_a_row_of_a_read_only_store(scripted_gdal, service):
    """Its lock cannot be had there, which would tell whether it still is."""
    scripted_gdal.run("ogrinfo", NAME)
    names = service.names()
    plant(scripted_gdal, "sending")
    for path in (scripted_gdal.store, *scripted_gdal.store.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    command = scripted_gdal.as_user(2001, "ogrinfo", "-al", "-oo", "SUBMIT=NO",
                                    f"{NAME};wait=no")
    assert "state (String) = sending\n" in scripted_gdal.run(*command).stdout
    command = scripted_gdal.as_user(2001, "ogrinfo", "-oo", "SUBMIT=NO", NAME)
    scripted_gdal.fails(*command, tag="store")
    assert service.names() == names


def test_upload_is_identified_and_not_sent(scripted_gdal, service):
    path = scripted_gdal.folder / "local.csv"
    path.write_text("a\n1\n")
    name = f"GIQ:model=m;upload={path}"
    row = dry(scripted_gdal, name)
    key = row.pop("key")
    nothing_but(row, model_id="m", upload=str(path), state="not submitted")
    assert service.calls() == [] and scripted_gdal.records() == {}
    scripted_gdal.run("ogrinfo", name)
    assert list(scripted_gdal.records()) == [key]
    # The content is on the service now: another request would run on that file.
    row = dry(scripted_gdal, f"{name};rerun=x")
    del row["key"]
    nothing_but(row, model_id="m", upload=str(path), file_id="up-1", label="x",
                state="not submitted")
    assert service.names() == ["models", "upload", "run", "status", "download"]


def test_what_was_paid_before_shows_its_state(scripted_gdal, service):
    service.script["status"] = [Response(job("RUNNING"))]
    row = check(scripted_gdal, NAME)
    assert (row["status"], row["state"]) == ("RUNNING", "submitted")
    row = dry(scripted_gdal, NAME)
    assert (row["status"], row["state"]) == ("RUNNING", "submitted")
    service.script["status"] = [Response(job("COMPLETED"))]
    row = dry(scripted_gdal, NAME)
    assert (row["status"], row["state"]) == ("succeeded", "succeeded")
    scripted_gdal.run("ogrinfo", NAME)
    names = service.names()
    row = dry(scripted_gdal, NAME, env={"GIQ_API_KEY": ""})
    assert (row["status"], row["state"], row["error"]) == ("published", "published", None)
    assert rows(scripted_gdal, "GIQ:jobs") == [row]
    assert service.names() == names and len(service.calls("run")) == 1


def plant(gdal, state, **members):
    """Give the record of a request that has one another state, as version 0.1 wrote it."""
    gdal.drop_tickets()
    [path] = gdal.store.glob("v1/*/job.json")
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "state": state, **members}))
    return path


def test_abandoned_intent_is_a_row_too(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    path = plant(scripted_gdal, "intent")
    path.write_text(json.dumps({"format": 1, "state": "intent"}))
    row = dry(scripted_gdal, NAME)
    del row["key"]
    nothing_but(row, model_id="m", file_id="f", status="intent", state="intent")
    assert len(service.calls("run")) == 1
    [row] = rows(scripted_gdal, "GIQ:jobs")
    assert (row["status"], row["state"]) == ("intent", "intent")


def test_jobs_show_a_request_that_is_being_sent(scripted_gdal):
    scripted_gdal.run("ogrinfo", NAME)
    plant(scripted_gdal, "sending")
    [row] = rows(scripted_gdal, "GIQ:jobs")
    assert (row["status"], row["state"]) == ("sending", "sending")


def text_of_open(gdal, tag, name=NAME):
    text = gdal.fails("ogrinfo", name, tag=tag)
    return text.partition(f"GIQ[{tag}] ")[2]


def all_rows(gdal):
    """The row of the request in `jobs`, and as `job` with and without SUBMIT=NO."""
    return rows(gdal, "GIQ:jobs") + [check(gdal, NAME), dry(gdal, NAME)]


def test_error_of_a_failed_job_is_what_an_open_says(scripted_gdal, service):
    service.script["status"] = [Response(job("FAILED"))]
    row = check(scripted_gdal, NAME)
    text = text_of_open(scripted_gdal, "failed")
    assert text.startswith("the job job-1 failed on the service (FAILED); ")
    assert ADVICE in text and len(service.calls("run")) == 1
    assert [row] * 3 == all_rows(scripted_gdal)
    assert (row["status"], row["state"], row["error"]) == ("failed", "failed", text)


def test_error_of_an_unknown_outcome_is_what_an_open_says(scripted_gdal, service):
    service.script["run"] = [Response(b"", 500)]
    scripted_gdal.fails("ogrinfo", NAME, tag="unknown")
    text = text_of_open(scripted_gdal, "unknown")
    assert "adopt it with job=<id>" in text and ADVICE in text
    for row in all_rows(scripted_gdal):
        assert (row["status"], row["state"], row["error"]) == ("unknown", "unknown", text)
        assert row["job_id"] is None
    assert len(service.calls("run")) == 1


@pytest.mark.parametrize("call", ["status", "download"])
def test_error_of_a_job_that_is_gone_is_what_an_open_says(scripted_gdal, service, call):
    service.script[call] = [Response({"message": "not found"}, 404)]
    if call == "status":
        service.script["run"] = [Response(job("SUBMITTED"))]
        service.script["status"] = [Response(job("RUNNING"))]
        check(scripted_gdal, NAME)
        plant(scripted_gdal, "submitted", submitted_at="2024-05-01T00:00:00.000Z")
        service.script["status"] = [Response(b"", 404)]
    scripted_gdal.fails("ogrinfo", NAME, tag="gone")
    text = text_of_open(scripted_gdal, "gone")
    assert "the job job-1" in text and "use job=<id> to check it again" in text
    for row in all_rows(scripted_gdal):
        assert (row["status"], row["state"], row["error"]) == ("gone", "gone", text)
    assert len(service.calls("run")) == 1


def test_damaged_record_is_a_row_of_jobs_and_an_error_of_its_request(scripted_gdal,
                                                                     service):
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob("v1/*/job.json")
    path.write_text("{")
    text = text_of_open(scripted_gdal, "store")
    assert str(path) in text and ADVICE in text
    assert text_of_open(scripted_gdal, "store", f"{NAME};wait=no") == text
    [row] = rows(scripted_gdal, "GIQ:jobs")
    nothing_but(row, key=path.parent.name, state="damaged", error=text)
    assert len(service.calls("run")) == 1


def test_sizes_are_those_on_the_ellipsoid(scripted_gdal, service):
    cap = ("MULTIPOLYGON(((179.5 24,180 24,180 25,179.5 25,179.5 24)),"
           "((-180 24,-179.5 24,-179.5 25,-180 25,-180 24)))")
    for options, km2 in (
            ([f"GEOMETRY={cap}"], SQUARE_KM2),
            (["BBOX=179.5,24,-179.5,25"], SQUARE_KM2),
            (["BBOX=-180,60,180,90"], 34415850.51490509),
            (["BBOX=-180,-90,180,90"], 510065621.7240885),
            (["GEOMETRY=POLYGON((0 40,5 42,10 40,12 47,5 50,-1 46,0 40))"],
             768359.6229160823),
            (["GEOMETRY=POLYGON((54.3773 24.4539,54.37731 24.4539,54.37731 24.45391,"
              "54.3773 24.45391,54.3773 24.4539))"], 1.1230634059757e-6)):
        row = dry(scripted_gdal, NAME, *options)
        assert row["area_km2"] == pytest.approx(km2, rel=1e-7)
    # Around the south pole, in the plane of EPSG:3031; of PROJ for 20,000 points an edge.
    row = dry(scripted_gdal, NAME, "GEOMETRY=SRID=3031;POLYGON((1000000 0,0 1000000,"
              "-1000000 0,0 -1000000,1000000 0))")
    assert row["area_km2"] == pytest.approx(2104491.423, rel=1e-6)
    assert service.calls() == []


def test_limit_of_jobs_stands_in_the_error(scripted_gdal, service):
    row = dry(scripted_gdal, NAME, env={"GIQ_MAX_JOBS": "0", "GIQ_API_KEY": ""})
    text = scripted_gdal.fails("ogrinfo", NAME, tag="usage", env={"GIQ_MAX_JOBS": "0"})
    assert row["state"] == "not submitted"
    assert row["error"] == text.partition("GIQ[usage] ")[2] and "GIQ_MAX_JOBS" in text
    assert dry(scripted_gdal, NAME, env={"GIQ_MAX_JOBS": "1"})["error"] is None
    assert service.calls() == [] and not scripted_gdal.store.exists()
