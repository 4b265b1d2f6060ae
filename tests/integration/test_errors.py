"""Errors: one for each failure, with its tag, the job and a way on, and without a
secret."""
import json

import pytest

import secret_search
from scripted import Response, job

NAME = "GIQ:model=m;file=f"
KEY = "k3y-of-the-user"


def open_in_python(gdal, name, flags="gdal.OF_VECTOR", env=None):
    """(number, text) of every error that GDAL's handler hears."""
    script = f"""
import sys
from osgeo import gdal
heard = []
gdal.PushErrorHandler(lambda level, number, text: heard.append((level, number, text)))
assert gdal.OpenEx(sys.argv[1], {flags} | gdal.OF_VERBOSE_ERROR) is None
for level, number, text in heard:
    if level >= gdal.CE_Failure:
        print(number, text)
"""
    return gdal.python(script, name, env=env).stdout.splitlines()


CASES = [
    # responses, tag, number, words
    ({"run": [Response({"message": "File not found"}, 404)]}, "refused", 11,
     ["File not found", "404"]),
    ({"run": [Response({"message": "no"}, 401)]}, "credentials", 11, ["401"]),
    ({"run": [Response({"message": "Error occurred while running inference."}, 500)]},
     "unknown", 1, ["Error occurred while running inference.", "rerun="]),
    ({"status": [Response(job("FAILED"))]}, "failed", 1, ["job-1", "rerun="]),
    ({"status": [Response({"message": "Forbidden"}, 403)]}, "credentials", 11, ["job-1"]),
    ({"download": [Response({"message": "gone"}, 404)]}, "gone", 11, ["job-1"]),
    ({"download": [Response({"message": "no"}, 400)]}, "service", 11, ["job-1", "400"]),
    ({"download": [Response(b"{\"type\":\"FeatureCollection\",", chunked=True, cut=10)]},
     "incomplete", 3, ["job-1"]),
    ({"download": [Response(b"{}", chunked="close")]}, "incomplete", 3,
     ["job-1", "ALLOW_UNVERIFIED_LENGTH"]),
    ({"download": [Response(b"no data at all", chunked=True)]}, "result", 4, ["job-1"]),
    ({"download": [Response(b"<!DOCTYPE html><html>log in", chunked=True)]}, "result", 4,
     ["job-1", "web page"]),
]


@pytest.mark.parametrize("script,tag,number,words", CASES)
def test_one_error_with_tag_number_and_words(scripted_gdal, service, script, tag, number,
                                             words):
    service.script.update(script)
    heard = open_in_python(scripted_gdal, NAME, env={"GIQ_MAX_RETRY": "1"})
    assert len(heard) == 1, heard
    assert heard[0].startswith(f"{number} GIQ[{tag}] ")
    for word in words:
        assert word in heard[0]


@pytest.mark.parametrize("name,env,tag,number", [
    ("GIQ:model=m", {}, "usage", 5),
    ("GIQ:model=m;file=f;geometry=POINT(1 1)", {}, "area", 5),
    (NAME, {"GIQ_BASE_URL": "http://127.0.0.1:9/public"}, "network", 11),
    (NAME, {"GIQ_STORE_DIR": "", "XDG_DATA_HOME": "", "HOME": ""}, "store", 3),
    (NAME, {"GIQ_STORE_DIR": "/proc/nothing"}, "store", 3),
])
def test_errors_before_the_service_is_reached(scripted_gdal, service, name, env, tag,
                                              number):
    heard = open_in_python(scripted_gdal, name, env={"GIQ_MAX_RETRY": "0", **env})
    assert len(heard) == 1, heard
    assert heard[0].startswith(f"{number} GIQ[{tag}] ")
    assert service.calls() == []


SIGNED = ("cannot read https://b.s3.example/x.tif?X-Amz-Credential=AKIA&X-Amz-Signature="
          f"{secret_search.SIGNATURE} of the scene")
MASKED = "cannot read https://b.s3.example/x.tif?*** of the scene"


@pytest.mark.parametrize("script,tag,recorded", [
    ({"models": [Response({"message": SIGNED}, 400)],
      "run": [Response({"message": SIGNED}, 422)]}, "refused", False),
    ({"run": [Response(SIGNED.encode(), 500)]}, "unknown", True),
    ({"run": [Response(job("QUEUED", message=SIGNED))],
      "status": [Response(job("FAILED", message=SIGNED))]}, "failed", True),
    ({"status": [Response(job(SIGNED)), Response(job("FAILED", error=SIGNED))]}, "failed",
     True),
    ({"status": [Response({"message": SIGNED}, 403)]}, "credentials", False),
    ({"download": [Response({"error": {"message": SIGNED}}, 400)]}, "service", False),
])
def test_query_in_a_message_of_the_service_is_masked(scripted_gdal, service, script, tag,
                                                     recorded):
    """Each output, debug lines included, and every file of the store is searched."""
    service.script.update(script)
    env = {"CPL_DEBUG": "ON", "GIQ_POLL_INTERVAL": "0.05", "GIQ_MAX_RETRY": "1"}
    heard = open_in_python(scripted_gdal, NAME, env=env)
    assert [MASKED in line and f"GIQ[{tag}]" in line for line in heard] == [True], heard
    assert len(service.calls("run")) == 1
    errors = [record.get("error") or "" for record in scripted_gdal.records().values()]
    assert any(MASKED in error for error in errors) == recorded, errors
    done = scripted_gdal.run("ogrinfo", "-al", "GIQ:jobs")
    assert (MASKED in done.stdout) == recorded


def test_query_that_an_older_record_holds_is_masked(scripted_gdal, service):
    service.script["status"] = [Response(job("FAILED"))]
    scripted_gdal.fails("ogrinfo", NAME, tag="failed")
    [path] = scripted_gdal.store.glob("v1/*/job.json")
    record = json.loads(path.read_text())
    record["error"] = f"FAILED: {SIGNED}"
    secret_search.is_input(path).write_text(json.dumps(record))
    assert MASKED in scripted_gdal.fails("ogrinfo", NAME, tag="failed")
    assert MASKED in scripted_gdal.run("ogrinfo", "-al", "GIQ:jobs").stdout
    assert len(service.calls("run")) == 1


def test_no_secret_in_any_message(scripted_gdal, service):
    """The service throws the key back at us in every text that it sends."""
    service.script.update({
        "models": [Response([{"id": "m", "name": KEY}])],
        "status": [Response(job(f"FAILED {KEY}")),
                   Response({"message": f"the key {KEY} is wrong"}, 403)],
    })
    env = {"GIQ_API_KEY": KEY, "GIQ_BEARER_TOKEN": "t0ken-of-the-user",
           "GIQ_TIMEOUT": "1"}
    done = scripted_gdal.run("ogrinfo", "--debug", "on", NAME, ok=None, env=env)
    output = done.stdout + done.stderr
    assert "GIQ[timeout]" in output and "HTTP 403 the key *" in output
    assert KEY not in output and "t0ken" not in output
    assert "inferenceId=" not in output
    texts = {path.name: path.read_text() for path in scripted_gdal.store.rglob("*.json")}
    assert set(texts) >= {"job.json", "request.json"}
    assert [name for name, text in texts.items() if KEY in text] == []
    assert len(service.calls("run")) == 1


def test_text_of_the_service_cannot_steer_a_terminal(scripted_gdal, service):
    service.script["run"] = [Response({"message": "\x1b[2Jgone\r\n" + "x" * 5000}, 422)]
    text = scripted_gdal.fails("ogrinfo", NAME, tag="refused")
    assert "\x1b" not in text and "gone" in text
    assert len(text) < 600


def test_programs_show_one_error(scripted_gdal, service):
    service.script["run"] = [Response({"message": "File not found"}, 404)]
    for command in (["ogrinfo", NAME], ["ogrinfo", "-ro", "-sql", "select 1", NAME],
                    ["gdalinfo", NAME], ["ogr2ogr", "out.gpkg", NAME],
                    ["gdal_translate", NAME, "out.tif"]):
        scripted_gdal.fails(*command, tag="refused")
