"""The commands `gdal driver giq ...`, which GDAL 3.11 and later have: what they print, what
they pay for, and that a program's progress callback cancels them."""
import json
import os
import pathlib
import pty
import re
import select
import signal
import threading
import time

import pytest

from archives import pack_zip
from batches import COLUMNS, attached, result
from programs import HAS_GDAL_PROGRAM, SCENE, wait_until
from scripted import MODELS, Response, done, job

pytestmark = pytest.mark.skipif(not HAS_GDAL_PROGRAM,
                                reason="this GDAL has no program gdal")

PAGE = pathlib.Path(__file__).parents[2] / "plugin" / "COMMANDS.md"
REQUEST = ("--model", "m", "--file", "f")
RUNNING = Response(job("RUNNING"))
HOUR = {"GIQ_POLL_INTERVAL": "3000", "GIQ_RETRY_DELAY": "3000",
        "GIQ_HTTP_TIMEOUT": "3000", "GIQ_LOW_SPEED_TIME": "3000"}


def giq(gdal, command, *words, ok=True, env=None):
    return gdal.run("gdal", "driver", "giq", command, *words, ok=ok, env=env)


def rows(gdal, command, *words):
    """What a command prints as JSON, and nothing else is on standard output."""
    return json.loads(giq(gdal, command, *words, "--format", "json").stdout)


def fails(gdal, command, *words, tag, env=None):
    """A command fails with one error of the driver; its text."""
    done = giq(gdal, command, *words, ok=False, env=env)
    lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    assert len(lines) == 1 and f"GIQ[{tag}]" in lines[0], done.stderr
    return lines[0]


def test_help_names_every_command(scripted_gdal):
    shown = scripted_gdal.run("gdal", "driver", "giq", "--help").stdout
    found = [line.split(":")[0].strip("- ") for line in shown.splitlines()
             if line.startswith("  - ")]
    assert found == ["batch", "fetch", "files", "forget", "jobs", "models", "run"]


def test_json_usage_names_the_arguments(scripted_gdal):
    usage = json.loads(giq(scripted_gdal, "run", "--json-usage").stdout)
    arguments = {argument["name"]: argument for argument in usage["input_arguments"]}
    assert {"model", "file", "upload", "geometry", "aoi", "bbox", "rerun", "retry",
            "member", "timeout", "source-type", "dry-run", "no-wait", "output",
            "format"} <= arguments.keys()
    assert arguments["model"]["required"] is True
    assert arguments["file"]["mutual_exclusion_group"] == "source"
    assert arguments["format"]["choices"] == ["text", "json"]
    assert len(arguments["source-type"]["choices"]) == 20
    assert [argument["name"] for argument in usage["output_arguments"]] == ["output-string"]


# ---- tables ----

def test_models_as_table_and_as_json(scripted_gdal):
    assert giq(scripted_gdal, "models").stdout.splitlines() == [
        "id  name   version  type    labels",
        "m   Model  1        RASTER  a"]
    [model] = rows(scripted_gdal, "models")
    assert json.loads(model.pop("json")) == MODELS[0]
    assert model == {"id": "m", "name": "Model", "version": "1", "type": "RASTER",
                     "labels": ["a"]}


def test_texts_of_the_service_do_not_control_the_terminal(scripted_gdal, service):
    name = "a\x1b]0;b\x07\r\n\x9bc\u2028d\u00e9"
    service.script["models"] = [Response([{**MODELS[0], "name": name}])]
    assert giq(scripted_gdal, "models").stdout.splitlines() == [
        "id  name         version  type    labels",
        "m   a ]0;b c d\u00e9  1        RASTER  a"]
    [model] = rows(scripted_gdal, "models")
    assert model["name"] == name


def test_files_within_an_area(gdal, sandbox):
    found = rows(gdal, "files", "--bbox", "-35,-9,-34,-7", "--limit", "5")
    assert "olinda_landsat7" in [row["name"] for row in found]
    assert {"type", "coordinates"} == found[0]["geometry"].keys()
    assert rows(gdal, "files", "--bbox", "10,10,11,11") == []
    assert giq(gdal, "files").stdout.startswith("file_id ")
    assert sandbox.runs() == []


def test_jobs_have_all_columns_and_areas(scripted_gdal, service):
    assert rows(scripted_gdal, "jobs") == []
    giq(scripted_gdal, "run", *REQUEST, "--bbox", "1,2,3,4")
    [row] = rows(scripted_gdal, "jobs")
    assert list(row) == COLUMNS[1:-1] + ["geometry"]
    assert (row["job_id"], row["state"], row["label"]) == ("job-1", "published", None)
    assert row["geometry"]["type"] == "MultiPolygon"
    assert row["result_size"] > 0 and row["area_km2"] > 0
    assert row["started_at"] == "2024-05-01T10:20:30Z"
    title, line = giq(scripted_gdal, "jobs").stdout.splitlines()
    assert title.split()[:3] == ["job_id", "state", "model_id"]
    assert line.split()[:4] == ["job-1", "published", "m", "f"]
    assert len(service.calls("run")) == 1


def test_error_of_the_driver_is_the_only_one(scripted_gdal, service):
    text = fails(scripted_gdal, "models", tag="credentials", env={"GIQ_API_KEY": ""})
    assert "GIQ_API_KEY" in text
    text = fails(scripted_gdal, "run", "--model", "other", "--file", "f", tag="usage")
    assert 'the service has no model with the id or name "other"' in text
    assert len(service.calls("run")) == 0


# ---- run ----

def test_run_pays_once_and_prints_the_job(scripted_gdal, service):
    for _ in range(2):
        done = giq(scripted_gdal, "run", *REQUEST)
        assert "100 - done." in done.stdout
        lines = done.stdout.splitlines()
        assert lines[1:4] == ["job_id: job-1", "state: published", "status: published"]
        assert service.names() == ["models", "run", "status", "download"]
    [row] = rows(scripted_gdal, "run", *REQUEST)
    assert (row["job_id"], row["state"]) == ("job-1", "published")
    assert service.names() == ["models", "run", "status", "download"]


def test_quoted_values_reach_the_service(scripted_gdal, service):
    giq(scripted_gdal, "run", "--model", "m", "--file", 'a;b "c"')
    [run] = service.calls("run")
    assert b'a;b "c"' in run["body"]


def test_run_copies_the_result(scripted_gdal, service):
    out = scripted_gdal.folder / "out.gpkg"
    giq(scripted_gdal, "run", *REQUEST, "--output", out)
    listed = scripted_gdal.run("ogrinfo", "-al", out).stdout
    assert "name (String) = one" in listed
    text = fails(scripted_gdal, "run", *REQUEST, "--output", out, tag="usage")
    assert "out.gpkg exists" in text
    giq(scripted_gdal, "run", *REQUEST, "--output", out, "--overwrite")
    text = scripted_gdal.folder / "out.txt"
    giq(scripted_gdal, "run", *REQUEST, "--output", text, "--of", "GeoJSON")
    assert json.loads(text.read_text())["features"][0]["properties"] == {"name": "one"}
    assert len(service.calls("run")) == 1


def test_raster_is_copied_with_creation_options(gdal, sandbox):
    out = gdal.folder / "ndvi.tif"
    giq(gdal, "run", "--model", "ndvi", "--file", SCENE, "--bbox", "-34.9,-8.1,-34.8,-8",
        "-o", out, "--co", "COMPRESS=DEFLATE")
    assert "COMPRESSION=DEFLATE" in gdal.run("gdalinfo", out).stdout
    assert len(sandbox.runs()) == 1


def test_one_member_of_several_is_copied(scripted_gdal, service):
    members = {"a.geojson": result("one"), "b.geojson": result("two")}
    service.script["download"] = [attached(pack_zip(members), "result.zip")]
    out = scripted_gdal.folder / "out.gpkg"
    [row] = rows(scripted_gdal, "run", *REQUEST)
    assert row["state"] == "published"
    text = fails(scripted_gdal, "run", *REQUEST, "-o", out, tag="usage")
    assert "several members" in text and "--member" in text
    giq(scripted_gdal, "run", *REQUEST, "--member", "b.geojson", "-o", out)
    assert "name (String) = two" in scripted_gdal.run("ogrinfo", "-al", out).stdout
    assert service.names() == ["models", "run", "status", "download"]


def test_output_that_cannot_be_written_is_refused_before_anything_is_sent(
        scripted_gdal, service):
    for output, words in (("out.unknown", 'no driver of GDAL writes "out.unknown"'),
                          ("none/out.gpkg", "the folder none of the output"),
                          (".", "the output . is a folder")):
        text = fails(scripted_gdal, "run", *REQUEST, "--output", output, tag="usage")
        assert words in text
    assert service.names() == []


def test_output_that_is_an_input_is_refused_and_stays(scripted_gdal, service):
    rows_file = scripted_gdal.folder / "rows.geojson"
    rows_file.write_text("{}")
    link = scripted_gdal.folder / "link.geojson"
    link.symlink_to(rows_file)
    before = rows_file.read_bytes()
    for words in (("batch", f"{rows_file},rows", "--model", "m", "--file", "f", "-o", link),
                  ("batch", rows_file, "--model", "m", "--file", "f", "-o", rows_file),
                  ("run", "--model", "m", "--upload", rows_file, "-o", rows_file),
                  ("run", *REQUEST, "--aoi", link, "-o", rows_file)):
        text = fails(scripted_gdal, *words, "--overwrite", tag="usage")
        assert "which is read; name another file" in text
        assert rows_file.read_bytes() == before
    assert service.names() == []


def test_output_that_an_open_option_reads_is_refused_and_stays(scripted_gdal, service):
    area = scripted_gdal.folder / "area.geojson"
    area.write_text('{"type":"Polygon","coordinates":[[[0,0],[0,1],[1,1],[0,0]]]}')
    wkt = scripted_gdal.folder / "area.csv"
    wkt.write_text("POLYGON((0 0,0 1,1 1,0 0))")
    for words in (("--oo", f"AOI={area}", "-o", area), ("--geometry", f"@{wkt}", "-o", wkt)):
        text = fails(scripted_gdal, "run", *REQUEST, *words, "--overwrite", tag="usage")
        assert "is the file of --" in text
    assert area.exists() and wkt.exists()
    assert service.calls() == []


def test_password_of_an_output_is_not_printed(scripted_gdal, service):
    done = giq(scripted_gdal, "run", *REQUEST, "-o", "PG:host=127.0.0.1 port=1 password=hunter2",
               "--of", "PostgreSQL", ok=False)
    ours = [line for line in done.stderr.splitlines() if "GIQ[" in line]
    assert len(ours) == 1 and "PG:..." in ours[0] and "hunter2" not in ours[0]


def test_copy_of_what_is_not_waited_for_is_refused(scripted_gdal, service):
    text = fails(scripted_gdal, "run", *REQUEST, "--no-wait", "-o", "out.gpkg", tag="usage")
    assert "with --no-wait there is no result yet" in text
    assert service.names() == []


def test_output_of_the_other_kind_keeps_what_it_would_replace(scripted_gdal, service):
    out = scripted_gdal.folder / "out.png"
    out.write_bytes(b"kept")
    text = fails(scripted_gdal, "run", *REQUEST, "--output", out, "--overwrite",
                 tag="usage")
    assert "the result is a vector" in text and "not paid for again" in text
    assert out.read_bytes() == b"kept"
    assert len(service.calls("run")) == 1


def test_output_below_the_store_is_refused_and_the_result_stays(scripted_gdal, service):
    giq(scripted_gdal, "run", *REQUEST)
    [published] = scripted_gdal.store.glob("v1/*/result.*/*")
    before = published.read_bytes()
    folder = scripted_gdal.folder / "folder"
    folder.symlink_to(published.parent)
    file = scripted_gdal.folder / "file.geojson"
    file.symlink_to(published)
    for output in (published, folder / published.name, file,
                   published.parent / "new.geojson", scripted_gdal.store / "new.geojson",
                   f"/vsizip/{scripted_gdal.store}/new.zip/new.geojson",
                   f"/vsizip/{{{scripted_gdal.store}/new.zip}}/new.geojson",
                   f"/vsigzip/{published}"):
        text = fails(scripted_gdal, "run", *REQUEST, "-o", output, "--overwrite",
                     tag="usage")
        assert f"the output {output} is in the store" in text
        assert published.read_bytes() == before
    outside = scripted_gdal.store.parent / f"{scripted_gdal.store.name}-2.geojson"
    giq(scripted_gdal, "run", *REQUEST, "-o", outside)
    assert service.names() == ["models", "run", "status", "download"]


def test_dry_run_sends_nothing(scripted_gdal, service):
    done = giq(scripted_gdal, "run", *REQUEST, "--dry-run")
    assert done.stdout.splitlines()[:3] == ["state: not submitted", "model_id: m",
                                            "file_id: f"]
    assert service.names() == []
    assert not scripted_gdal.store.exists()


def test_no_wait_submits_and_reports(scripted_gdal, service):
    service.script["status"] = [RUNNING]
    [row] = rows(scripted_gdal, "run", *REQUEST, "--no-wait")
    assert (row["job_id"], row["state"], row["status"]) == ("job-1", "submitted", "RUNNING")
    assert service.names() == ["models", "run", "status"]


@pytest.mark.parametrize("arguments", [
    ("run", *REQUEST, "--bbox", ""), ("run", *REQUEST, "--geometry="),
    ("run", *REQUEST, "--rerun", ""), ("run", *REQUEST, "--timeout", ""),
    ("batch", "", *REQUEST), ("forget", "job-1", "--older-than", "")])
def test_argument_without_a_value_is_refused(scripted_gdal, service, arguments):
    """As "$BBOX" is where the variable is not set."""
    giq(scripted_gdal, "run", "--model", "m", "--file", "other")
    before = service.names()
    assert "has no value" in fails(scripted_gdal, *arguments, tag="usage")
    assert service.names() == before
    assert len(rows(scripted_gdal, "jobs")) == 1


def test_value_that_ends_in_a_colon_is_a_value(scripted_gdal, service):
    service.script["status"] = [RUNNING]
    for _ in range(2):
        [row] = rows(scripted_gdal, "run", *REQUEST, "--rerun", "try:", "--no-wait")
        assert (row["label"], row["state"]) == ("try:", "submitted")
    giq(scripted_gdal, "run", *REQUEST, "--dry-run", "--rerun", "a:", "--member", " b")
    assert len(service.calls("run")) == 1


def test_retry_and_timeout_are_options_of_the_open(scripted_gdal, service):
    service.script["status"] = [Response(job("FAILED"))]
    fails(scripted_gdal, "run", *REQUEST, tag="failed")
    service.script["run"] = [Response(job("SUBMITTED", id="job-2"))]
    service.script["status"] = [Response(job("RUNNING", id="job-2"))]
    text = fails(scripted_gdal, "run", *REQUEST, "--retry", "a", "--timeout", "0",
                 tag="timeout")
    assert "the job job-2 is still RUNNING" in text
    assert len(service.calls("run")) == 2


def test_example_of_the_page(gdal, sandbox):
    [example] = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.S)
    done = gdal.run("sh", "-ec", example)
    assert "To be forgotten: records 0, results 0, bytes 0" in done.stdout
    assert "Layer name: water" in gdal.run("ogrinfo", "-al", "-so", "water.gpkg").stdout
    [row] = json.loads((gdal.folder / "jobs.json").read_text())
    assert (row["model_id"], row["state"]) == ("water", "published")
    assert len(sandbox.runs()) == 1


# ---- fetch and batch ----

def test_fetch_waits_for_jobs_and_never_pays(scripted_gdal, service):
    found = rows(scripted_gdal, "fetch", "job-7", "job-8")
    assert [(row["job_id"], row["state"]) for row in found] == [
        ("job-7", "published"), ("job-8", "published")]
    out = scripted_gdal.folder / "out.gpkg"
    text = fails(scripted_gdal, "fetch", "job-7", "job-8", "-o", out, tag="usage")
    assert "2 jobs are to be fetched" in text
    blocks = giq(scripted_gdal, "fetch", "-q", "job-7", "job-8").stdout.split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == ["job_id: job-7", "job_id: job-8"]
    giq(scripted_gdal, "fetch", "job-7", "-o", out)
    assert out.exists()
    assert service.calls("run") == []
    assert len(service.calls("download")) == 2


def test_fetch_goes_on_after_a_job_that_fails(scripted_gdal, service):
    service.script["status"] = [Response(job("FAILED", id="job-6")), done]
    failed = fails(scripted_gdal, "fetch", "job-6", "job-7", tag="failed")
    assert "job-6" in failed
    assert service.names() == ["status", "status", "download"]
    assert [row["state"] for row in rows(scripted_gdal, "fetch", "job-7")] == ["published"]
    assert len(service.calls("download")) == 1


def test_fetch_ends_where_every_job_would_fail(scripted_gdal, service):
    service.script["status"] = [Response({"message": "no"}, 401)]
    fails(scripted_gdal, "fetch", "job-6", "job-7", tag="credentials")
    assert service.names() == ["status"]


def test_batch_runs_its_rows_and_copies_them(scripted_gdal, jobs, service):
    (scripted_gdal.folder / "rows.csv").write_text("id,file\na,f1\nb,f2\n")
    batch = ("rows.csv", "--model", "m")
    dry = giq(scripted_gdal, "batch", *batch, "--dry-run")
    assert "GIQ: dry run: 2 jobs to be paid" in dry.stderr
    assert [line.split()[:3] for line in dry.stdout.splitlines()[1:]] == [
        ["a", "not", "submitted"], ["b", "not", "submitted"]]
    assert service.names() == []
    out = scripted_gdal.folder / "out.gpkg"
    done = giq(scripted_gdal, "batch", *batch, "-o", out)
    assert "GIQ: starting 2 jobs, 0 exist" in done.stderr
    assert done.stdout.splitlines()[1:] == ["name    kind    features  bands",
                                            "result  vector  2         "]
    assert "Feature Count: 2" in scripted_gdal.run("ogrinfo", "-so", out, "result").stdout
    found = rows(scripted_gdal, "batch", *batch, "--no-wait")
    assert [list(row) for row in found] == [COLUMNS + ["geometry"]] * 2
    assert [row["state"] for row in found] == ["published"] * 2
    assert len(service.calls("run")) == 2


# ---- cancelling ----

CANCEL = """
import json, sys, time
from osgeo import gdal
gdal.UseExceptions()
calls, ended = [], []
def progress(share, text, _):
    calls.append(share)
    if text.startswith(sys.argv[2]) and not ended:
        ended.append(time.monotonic())
    return 0 if ended else 1
alg = gdal.Algorithm("driver", "giq", sys.argv[1])
for name, value in json.loads(sys.argv[3]).items():
    alg[name] = value
try:
    alg.Run(progress)
    print("done")
except RuntimeError as error:
    print(error)
print(time.monotonic() - ended[0] < 0.3 if ended else None)
print(calls == sorted(calls) and calls[-1] <= 1, calls.count(1))
"""


def cancel(gdal, command, text, arguments, env=None):
    """Run a command in Python whose callback cancels at the first text that begins so; the
    message, and whether it came within 0.3 s."""
    done = gdal.python(CANCEL, command, text, json.dumps(arguments), env=env)
    return done.stdout.splitlines()


def test_callback_ends_the_wait_and_the_job_continues(scripted_gdal, service):
    service.script["status"] = [RUNNING]
    arguments = {"model": "m", "file": "f"}
    shown = cancel(scripted_gdal, "run", "job job-1", arguments, env=HOUR)
    assert shown[0].endswith(
        "GIQ[cancelled] the program ended the wait for the job job-1; the job continues; "
        "open again to resume")
    assert shown[1:] == ["True", "True 0"]
    assert service.names() == ["models", "run", "status"]
    service.script["status"] = [Response(job("DONE"))]
    assert cancel(scripted_gdal, "run", "never", arguments) == ["done", "None", "True 1"]
    assert service.names() == ["models", "run", "status", "status", "download"]


def test_callback_that_says_stop_at_once_starts_nothing(scripted_gdal, service):
    for command, arguments in (("run", {"model": "m", "file": "f"}),
                               ("fetch", {"job": ["job-7"]}), ("models", {})):
        shown = cancel(scripted_gdal, command, "", arguments)
        assert "GIQ[cancelled] the program ended" in shown[0]
        assert shown[1] == "True"
    assert service.calls("run") == []


def test_callback_ends_a_call_that_is_silent(scripted_gdal, service):
    over = threading.Event()
    asked = threading.Event()

    def hold(_):
        asked.set()
        over.wait(60)
        return RUNNING
    service.script["status"] = [hold]
    script = CANCEL.replace("text.startswith(sys.argv[2])",
                            "__import__('os').path.exists(sys.argv[2])")
    flag = scripted_gdal.folder / "flag"
    process = scripted_gdal.start("/usr/bin/python3", "-c", script, "run", flag,
                                  json.dumps({"model": "m", "file": "f"}), env=HOUR)
    assert asked.wait(60)
    flag.touch()
    shown = scripted_gdal.finish(process).stdout.splitlines()
    over.set()
    assert "GIQ[cancelled] the program ended the wait for the job job-1" in shown[0]
    assert shown[1] == "True"
    assert service.names() == ["models", "run", "status"]


def test_callback_ends_the_copy_and_the_result_stays(gdal, sandbox):
    out = gdal.folder / "ndvi.tif"
    arguments = {"model": "ndvi", "file": SCENE, "output": str(out)}
    script = CANCEL.replace("text.startswith(sys.argv[2])", "share > 0.91")
    shown = gdal.python(script, "run", "", json.dumps(arguments)).stdout
    assert "GIQ[cancelled] the program ended the copy to " in shown
    assert not out.exists()
    assert cancel(gdal, "run", "never", arguments)[0] == "done"
    assert out.exists()
    assert len(sandbox.runs()) == 1


def test_callback_ends_a_batch(scripted_gdal, jobs, service):
    (scripted_gdal.folder / "rows.csv").write_text("id,file\na,f1\nb,f2\n")
    jobs.state = {"f1": "RUNNING", "f2": "RUNNING"}
    shown = cancel(scripted_gdal, "batch", "0 of 2 published, 2 running",
                   {"batch": "rows.csv", "model": "m"}, env=HOUR)
    assert "GIQ[cancelled] the program ended the open of the batch" in shown[0]
    assert shown[1:] == ["True", "True 0"]
    assert len(service.calls("run")) == 2


# ---- on a terminal ----

def read_until(terminal, text, seconds=60):
    seen = b""
    end = time.monotonic() + seconds
    while text not in seen:
        assert time.monotonic() < end, seen
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 65536)
    return seen.decode()


def test_terminal_says_how_to_resume_and_ctrl_c_ends_the_program(scripted_gdal, service):
    service.script["status"] = [RUNNING]
    terminal, other = pty.openpty()
    process = scripted_gdal.start("gdal", "driver", "giq", "run", *REQUEST, env=HOUR,
                                  stdout=other, stderr=other)
    os.close(other)
    shown = read_until(terminal, b"resumes")
    assert "GIQ: job job-1 RUNNING, 0:00; Ctrl-C ends the program but not a started job; " \
           "the same command, or gdal driver giq fetch <job>, resumes" in shown
    wait_until(lambda: "status" in service.names(), "status call")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == -signal.SIGINT
    os.close(terminal)
    assert len(service.calls("run")) == 1


# ---- completion ----

def test_words_are_completed_from_the_store_alone(scripted_gdal, service):
    giq(scripted_gdal, "run", *REQUEST)
    before = service.names()
    for words, expected in ((("run", "--model"), "m"), (("fetch", "--job"), "job-1"),
                            (("fetch",), "job-1"), (("forget", "jo"), "job-1")):
        done = scripted_gdal.run("gdal", "completion", "gdal", "driver", "giq", *words,
                                 "last_word_is_complete=true")
        assert done.stdout == expected
    assert service.names() == before
