"""upload=<path>: a content is uploaded once for each kind and service, whatever it is
called, and a job runs on it once. The journal counts both."""
import json
import os
import shutil
import threading

import pytest

from programs import AREA, DATA, PUBLISHED, SCENE
from scripted import MODELS, Response

LONG_AGO = 1600000000


def place(gdal, name="scene.tif", source=SCENE):
    """A copy of a file of the sandbox, written long ago."""
    path = gdal.folder / name
    shutil.copyfile(DATA / source, path)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def uploads(sandbox):
    return [e for e in sandbox.journal() if e["path"].endswith("file/upload")]


def content_record(gdal):
    [path] = gdal.store.glob("uploads/v1/*.json")
    return path


def test_file_is_uploaded_and_run_once(gdal, sandbox):
    path = place(gdal)
    for _ in range(3):
        done = gdal.run("gdalinfo", f"GIQ:model=ndvi;upload={path}")
        assert "Driver: GTiff" in done.stdout
    [upload] = uploads(sandbox)
    [run] = sandbox.runs()
    assert upload["form"] == {"file": "scene.tif"}
    assert upload["query"] == {"sourceType": "UNKNOWN"}
    calls = [call for call in sandbox.calls() if call != "status"]
    assert calls == ["models", "upload", "run", "download"]
    [kept] = (sandbox.state / "uploads").iterdir()
    assert run["form"]["fileId"] == kept.name
    assert (kept / "scene.tif").read_bytes() == path.read_bytes()


def test_content_counts_and_not_its_name(gdal, sandbox):
    place(gdal)
    place(gdal, "other.tiff")
    for name in ("scene.tif", "./scene.tif", gdal.folder / "scene.tif", "other.tiff"):
        gdal.run("gdalinfo", f"GIQ:model=ndvi;upload={name}")
    gdal.run("ogrinfo", "GIQ:model=water;upload=other.tiff")
    gdal.run("gdalinfo", f"GIQ:model=ndvi;upload=scene.tif;geometry={AREA}")
    assert len(uploads(sandbox)) == 1 and len(sandbox.runs()) == 3
    assert len({run["form"]["fileId"] for run in sandbox.runs()}) == 1


def test_file_that_changed_under_the_same_size_and_time_is_another_content(gdal, sandbox):
    """The change time differs, which no program can set."""
    path = place(gdal)
    name = f"GIQ:model=ndvi;upload={path}"
    gdal.run("gdalinfo", name)
    with open(path, "r+b") as file:
        file.seek(1000)
        file.write(bytes(1000))
    os.utime(path, (LONG_AGO, LONG_AGO))
    for _ in range(2):
        gdal.run("gdalinfo", name)
        assert len(uploads(sandbox)) == 2 and len(sandbox.runs()) == 2


def test_file_that_was_touched_is_the_same_content(gdal, sandbox):
    path = place(gdal)
    for more in range(2):
        os.utime(path, (LONG_AGO + more, LONG_AGO + more))
        gdal.run("gdalinfo", f"GIQ:model=ndvi;upload={path}")
        path.chmod(0o600)
    assert len(uploads(sandbox)) == 1 and len(sandbox.runs()) == 1


def test_mark_of_version_0_1_is_read_again_and_kept_up(gdal, sandbox):
    """It lacks the change time. The record's ids stay, and no job is started."""
    path = place(gdal)
    name = f"GIQ:model=ndvi;upload={path}"
    gdal.run("gdalinfo", name)
    record = content_record(gdal)
    known = json.loads(record.read_text())
    mark, changed = known["paths"][str(path)].split(", changed ")
    assert changed == f"{path.stat().st_ctime_ns} ns"
    record.write_text(json.dumps({**known, "paths": {str(path): mark}, "more": [1]}))
    gdal.run("gdalinfo", name)
    assert json.loads(record.read_text()) == {**known, "more": [1]}
    assert len(uploads(sandbox)) == 1 and len(sandbox.runs()) == 1


def test_open_does_not_touch_a_file_that_is_known(gdal):
    path = place(gdal)
    gdal.run("gdalinfo", f"GIQ:model=ndvi;upload={path}")
    done = gdal.run("strace", "-f", "-e", "trace=openat", "gdalinfo",
                    f"GIQ:model=ndvi;upload={path}")
    [result] = gdal.store.glob(f"v1/*/{PUBLISHED}/ndvi.tif")
    assert f"\"{result}\"" in done.stderr and f"\"{path}\"" not in done.stderr


def test_kind_of_file_is_part_of_the_request(gdal, sandbox):
    path = place(gdal)
    name = f"GIQ:model=ndvi;upload={path}"
    gdal.run("gdalinfo", name)
    gdal.run("gdalinfo", "-oo", "SOURCE_TYPE=multispectral", name)
    gdal.run("gdalinfo", name, env={"GIQ_SOURCE_TYPE": "MULTISPECTRAL"})
    assert [u["query"]["sourceType"] for u in uploads(sandbox)] == ["UNKNOWN",
                                                                    "MULTISPECTRAL"]
    assert len(sandbox.runs()) == 2
    text = gdal.fails("gdalinfo", "-oo", "SOURCE_TYPE=RASTER", name, tag="usage")
    assert "MULTISPECTRAL" in text and "UNKNOWN" in text
    assert "GIQ_SOURCE_TYPE must be" in gdal.fails("ogrinfo", "GIQ:", tag="usage",
                                       env={"GIQ_SOURCE_TYPE": "RASTER"})


def test_requests_at_once_upload_once(gdal, sandbox):
    path = place(gdal)
    names = [f"GIQ:model={model};upload={path};rerun={label}"
             for model in ("ndvi", "water") for label in "abcd"]
    opens = [gdal.start("ogrinfo" if "water" in name else "gdalinfo", name)
             for name in names]
    assert [gdal.finish(process).returncode for process in opens] == [0] * 8
    assert len(uploads(sandbox)) == 1 and len(sandbox.runs()) == 8


THREADS = """
import sys, threading
from osgeo import gdal
gdal.UseExceptions()
faults = []
def work(label):
    try:
        gdal.OpenEx(f"GIQ:model=ndvi;upload={sys.argv[1]};rerun={label}")
    except Exception as error:
        faults.append(str(error))
threads = [threading.Thread(target=work, args=(n % 4,)) for n in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not faults, faults
"""


def test_threads_at_once_upload_once(gdal, sandbox):
    gdal.python(THREADS, place(gdal))
    assert len(uploads(sandbox)) == 1 and len(sandbox.runs()) == 4


def test_vector_file_runs_too(gdal, sandbox):
    path = place(gdal, "parcels.geojson", "parcels.geojson")
    done = gdal.run("ogrinfo", "-so", "-al", f"GIQ:model=hulls;upload={path}")
    assert "source_fid" in done.stdout
    assert len(uploads(sandbox)) == 1


def test_zipped_shapefile_runs(gdal, sandbox):
    gdal.run("ogr2ogr", "-f", "ESRI Shapefile", "parcels.shp.zip",
             DATA / "parcels.geojson")
    text = gdal.run("ogrinfo", "-so", "-al", "GIQ:model=hulls;upload=parcels.shp.zip")
    assert "source_fid" in text.stdout
    assert uploads(sandbox)[0]["form"] == {"file": "parcels.shp.zip"}


def test_wait_no_uploads_and_submits(gdal, sandbox):
    path = place(gdal)
    done = gdal.run("ogrinfo", "-al", f"GIQ:model=ndvi;upload={path};wait=no")
    [run] = sandbox.runs()
    assert f"upload (String) = {path}" in done.stdout
    assert f"file_id (String) = {run['form']['fileId']}" in done.stdout
    gdal.run("gdalinfo", f"GIQ:model=ndvi;upload={path}")
    done = gdal.run("ogrinfo", "-al", "GIQ:jobs")
    assert f"upload (String) = {path}" in done.stdout
    assert len(uploads(sandbox)) == 1


def test_no_submit_and_adopting_upload_nothing(gdal, sandbox):
    path = place(gdal)
    name = f"GIQ:model=ndvi;upload={path}"
    gdal.fails("gdalinfo", "-oo", "SUBMIT=NO", name, tag="usage")
    assert sandbox.calls() == []
    gdal.run("ogrinfo", f"GIQ:model=ndvi;file={SCENE};wait=no")
    [run] = sandbox.runs()
    gdal.run("gdalinfo", f"{name};job={run['job']}")
    gdal.run("gdalinfo", "-oo", "SUBMIT=NO", name)
    assert uploads(sandbox) == [] and len(sandbox.runs()) == 1


def test_file_that_the_service_forgot_is_uploaded_once_more(gdal, sandbox):
    path = place(gdal)
    gdal.run("gdalinfo", f"GIQ:model=ndvi;upload={path}")
    for kept in (sandbox.state / "uploads").iterdir():
        shutil.rmtree(kept)
    for _ in range(2):
        gdal.run("ogrinfo", f"GIQ:model=water;upload={path}")
    assert [run["status"] for run in sandbox.runs()] == [200, 404, 200]
    assert len(uploads(sandbox)) == 2


def test_file_that_is_never_found_is_refused(gdal, sandbox):
    sandbox.set_faults("run:status=404")
    gdal.fails("gdalinfo", f"GIQ:model=ndvi;upload={place(gdal)}", tag="refused")
    assert len(uploads(sandbox)) == 2 and len(sandbox.runs()) == 2
    assert gdal.records() == {}


@pytest.mark.parametrize("specs,count", [
    (["upload:status=503,retry-after=0@1"], 2), (["upload:status=500@1-2"], 3),
    (["upload:status=429@1"], 2), (["upload:reset-after@1"], 2), (["upload:lost@1"], 2),
    (["upload:reset-before@1"], 2), (["upload:late=1"], 1),
])
def test_upload_is_repeated_until_it_is_well(gdal, sandbox, specs, count):
    sandbox.set_faults(*specs)
    gdal.run("gdalinfo", "-oo", "HTTP_TIMEOUT=0.5",
             f"GIQ:model=ndvi;upload={place(gdal)}")
    # libcurl repeats by itself what it sent on a connection that had died.
    may_repeat = "reset" in specs[0] or "lost" in specs[0]
    assert len(uploads(sandbox)) - count in ((0, 1) if may_repeat else (0,))
    assert len(sandbox.runs()) == 1


@pytest.mark.parametrize("spec,tag,count", [
    ("upload:status=413", "service", 1), ("upload:status=400", "service", 1),
    ("upload:status=401", "credentials", 1), ("upload:status=403", "credentials", 1),
    ("upload:status=503", "service", 3), ("upload:body={}", "service", 1),
    ("upload:reset-after", "network", 3), ("upload:body=<html>busy</html>", "service", 1),
])
def test_upload_that_fails_starts_no_job(gdal, sandbox, spec, tag, count):
    path = place(gdal)
    sandbox.set_faults(spec)
    gdal.fails("gdalinfo", "-oo", "MAX_RETRY=2", f"GIQ:model=ndvi;upload={path}", tag=tag)
    # libcurl repeats by itself what it sent on a connection that had died.
    assert len(uploads(sandbox)) - count in ((0, 1) if tag == "network" else (0,))
    assert sandbox.runs() == [] and gdal.records() == {}
    sandbox.set_faults()
    gdal.run("gdalinfo", f"GIQ:model=ndvi;upload={path}")
    assert len(sandbox.runs()) == 1


def test_response_that_does_not_come_ends_with_the_open(gdal, sandbox):
    sandbox.set_faults("upload:hang")
    text = gdal.fails("gdalinfo", "-oo", "TIMEOUT=1",
                      f"GIQ:model=ndvi;upload={place(gdal)}", tag="network")
    assert "uploading the file" in text
    assert sandbox.runs() == []


def test_response_that_is_cut_is_asked_for_again(scripted_gdal, service):
    whole = Response({"fileId": "up-7", "originalName": "x"})
    service.script["upload"] = [Response(whole.body, cut=9), Response(whole.body, cut=0),
                                whole]
    scripted_gdal.run("ogrinfo", f"GIQ:model=m;upload={place(scripted_gdal)}")
    assert len(service.calls("upload")) == 3
    [run] = service.calls("run")
    assert b"\r\n\r\nup-7\r\n" in run["body"]


def test_wrapped_response_is_looked_through(scripted_gdal, service):
    service.script["upload"] = [Response({"data": {"fileId": 17, "originalName": "x"}})]
    scripted_gdal.run("ogrinfo", f"GIQ:model=m;upload={place(scripted_gdal)}")
    assert b"\r\n\r\n17\r\n" in service.calls("run")[0]["body"]


@pytest.mark.parametrize("change", [
    lambda path: path.write_bytes(b"x" * path.stat().st_size),
    lambda path: path.write_bytes(b"shorter"),
    lambda path: path.unlink(),
])
def test_file_that_changes_before_it_is_sent_starts_no_job(scripted_gdal, service,
                                                           change):
    path = place(scripted_gdal)

    def list_models(_):
        change(path)
        return Response(MODELS)
    service.script["models"] = [list_models, Response(MODELS)]
    name = f"GIQ:model=m;upload={path}"
    scripted_gdal.fails("ogrinfo", name, tag="usage")
    assert service.calls("run") == [] and scripted_gdal.records() == {}
    place(scripted_gdal)
    scripted_gdal.run("ogrinfo", name)
    [run] = service.calls("run")
    assert path.read_bytes() in service.calls("upload")[-1]["body"]
    assert run


def test_redirects_of_an_upload(scripted_gdal, service):
    path = place(scripted_gdal)
    service.script["upload"] = [Response(b"", 308, {"Location": "/public/file/there?a=b"})]
    service.script["there"] = [Response({"fileId": "up-1"})]
    scripted_gdal.run("ogrinfo", f"GIQ:model=m;upload={path}")
    assert path.read_bytes() in service.calls("there")[0]["body"]
    for status, place_of in ((302, "/x"), (307, f"http://localhost:{service.port}/x")):
        service.script["upload"] = [Response(b"", status, {"Location": place_of})]
        scripted_gdal.fails("ogrinfo", "-oo", f"SOURCE_TYPE={'SAR' if status == 302 else 'IMAGE'}",
                            f"GIQ:model=m;upload={path}", tag="network")
    assert service.calls("x") == []


def test_progress_tells_that_a_file_is_uploaded_once(scripted_gdal):
    name = f"GIQ:model=m;upload={place(scripted_gdal)}"
    done = scripted_gdal.run("ogrinfo", "-oo", "PROGRESS=YES", name)
    assert done.stderr.startswith("GIQ: uploading ") and "scene.tif" in done.stderr
    done = scripted_gdal.run("ogrinfo", "-oo", "PROGRESS=YES", f"{name};rerun=a")
    assert "uploading" not in done.stderr and "GIQ: job job-1 " in done.stderr


def test_damaged_record_is_named(gdal, sandbox):
    path = place(gdal)
    gdal.run("gdalinfo", f"GIQ:model=ndvi;upload={path}")
    record = content_record(gdal)
    for text, words in (("{", "damaged"), (json.dumps({"format": 9}), "newer version")):
        record.write_text(text)
        shown = gdal.fails("ogrinfo", f"GIQ:model=water;upload={path}", tag="store")
        assert str(record) in shown and words in shown
    assert len(uploads(sandbox)) == 1 and len(sandbox.runs()) == 1
    record.unlink()
    gdal.run("ogrinfo", f"GIQ:model=water;upload={path}")
    assert len(uploads(sandbox)) == 2


def test_what_is_known_of_files_lies_in_the_record(gdal):
    path = place(gdal)
    gdal.run("gdalinfo", f"GIQ:model=ndvi;upload={path.name}")
    record = json.loads(content_record(gdal).read_text())
    assert list(record["paths"]) == [str(path)]
    [of_service] = record["files"].values()
    assert of_service["UNKNOWN"]["file_id"].startswith("file-")


def test_killed_while_uploading_is_begun_again(scripted_gdal, service):
    path = place(scripted_gdal)
    came = threading.Event()
    go = threading.Event()

    def hold(_):
        came.set()
        go.wait(30)
        return Response({"fileId": "up-1"})
    service.script["upload"] = [hold, Response({"fileId": "up-2"})]
    name = f"GIQ:model=m;upload={path}"
    first = scripted_gdal.start("ogrinfo", name)
    assert came.wait(30)
    first.kill()
    scripted_gdal.finish(first)
    scripted_gdal.run("ogrinfo", name)
    go.set()
    assert len(service.calls("upload")) == 2
    assert b"\r\n\r\nup-2\r\n" in service.calls("run")[0]["body"]


def test_published_result_opens_without_key_service_and_store_to_write(gdal, sandbox):
    """Needs root, to mount."""
    path = place(gdal)
    name = f"GIQ:model=ndvi;upload={path}"
    gdal.run("gdalinfo", name)
    sandbox.stop()
    gdal.run("gdalinfo", name, env={"GIQ_API_KEY": ""})
    # A file that is not known is read, and nothing is written for it.
    copy = place(gdal, "copy.tif")
    gdal.run("mount", "--bind", gdal.store, gdal.store)
    try:
        gdal.run("mount", "-o", "remount,ro,bind", gdal.store)
        gdal.run("gdalinfo", f"GIQ:model=ndvi;upload={copy}", env={"GIQ_API_KEY": ""})
    finally:
        gdal.run("umount", "-l", gdal.store)
