"""GIQ:batch: many requests as one dataset. Each row is paid for once, whatever becomes of
the others, and nothing is sent for a batch that is not valid."""
import json
import re
import shutil
import signal
import threading

import pytest

from areas import write
from batches import NAME, attached, fails, file_of, read, table
from batches import write_rows as rows
from programs import PUBLISHED, SCENE, Gdal
from scripted import Response, job

FAST = {"GIQ_POLL_INTERVAL": "0.05"}
SQUARE = "POLYGON((54 24,54 25,55 25,55 24,54 24))"


@pytest.fixture
def gdal(scripted_gdal):
    scripted_gdal.env.update(FAST)
    return scripted_gdal


# ---- reading ----

def test_rows_are_one_dataset_and_cost_nothing_the_second_time(gdal, service, jobs):
    rows(gdal, "a", "b", "c")
    found, said = read(gdal)
    assert found == [("r0", "a"), ("r1", "b"), ("r2", "c")]
    assert said == "GIQ: starting 3 jobs, 0 exist\n"
    assert jobs.paid() == ["a", "b", "c"]
    assert service.names().count("models") == 1
    calls = len(service.calls())
    found, said = read(gdal)
    assert found == [("r0", "a"), ("r1", "b"), ("r2", "c")]
    assert said == ""
    assert len(service.calls()) == calls


def test_what_is_published_needs_neither_service_nor_key_nor_a_writable_store(gdal, service,
                                                                            jobs):
    rows(gdal, "a", "b")
    read(gdal)
    calls = len(service.calls())
    env = {"GIQ_API_KEY": "", "GIQ_BASE_URL": service.url}
    found, said = read(gdal, env=env)
    assert (found, said) == ([("r0", "a"), ("r1", "b")], "")
    service.stop()
    for path in gdal.store.glob("batches/v1/*/rows.vrt"):
        path.unlink()
        path.parent.rmdir()
    found, said = read(gdal, env=env)
    assert (found, said) == ([("r0", "a"), ("r1", "b")], "")
    assert len(service.calls()) == calls


def test_row_is_the_same_request_as_if_it_were_typed_alone(gdal, service, jobs):
    rows(gdal, "a", "b")
    gdal.run("ogrinfo", "GIQ:model=m;file=b")
    found, said = read(gdal)
    assert found == [("r0", "a"), ("r1", "b")]
    assert said == "GIQ: starting 1 jobs, 1 exist\n"
    gdal.run("ogrinfo", "GIQ:model=m;file=a")
    assert jobs.paid() == ["a", "b"]


def test_equal_rows_are_one_job_whose_features_stand_for_each(gdal, jobs):
    rows(gdal, "a", "b", "a")
    found, said = read(gdal)
    assert found == [("r0", "a"), ("r1", "b"), ("r2", "a")]
    assert said == "GIQ: starting 2 jobs, 0 exist\n"
    assert jobs.paid() == ["a", "b"]


def test_parts_together_are_the_batch(gdal, jobs):
    rows(gdal, "a", "b", "c", "d", "e")
    assert read(gdal, f"{NAME};part=1/2")[0] == [("r1", "b"), ("r3", "d")]
    assert jobs.paid() == ["b", "d"]
    assert read(gdal, f"{NAME};part=0/2")[0] == [("r0", "a"), ("r2", "c"), ("r4", "e")]
    assert jobs.paid() == ["a", "b", "c", "d", "e"]


def test_no_rows_are_an_error_and_an_empty_table(gdal, service, jobs):
    rows(gdal, "a")
    said = fails(gdal, "batch", name=f"{NAME};part=1/2")
    assert "the batch has no rows" in said
    assert table(gdal, f"{NAME};part=1/2;wait=no") == ([], "")
    assert service.calls() == []


SHARED = """
import sys
from osgeo import gdal
gdal.UseExceptions()
flags = gdal.OF_VECTOR | gdal.OF_SHARED
data = gdal.OpenEx(sys.argv[1], flags)
assert data.GetDescription() == sys.argv[1], data.GetDescription()
again = gdal.OpenEx(sys.argv[1], flags)
print(sorted(row["name"] for row in again.GetLayer(0)))
"""


def test_shared_dataset_is_found_by_its_string(gdal, jobs):
    rows(gdal, "a", "b")
    assert gdal.python(SHARED, NAME).stdout == "['a', 'b']\n"
    assert jobs.paid() == ["a", "b"]


def test_rasters_only_and_the_table_contradict(gdal, service, jobs):
    rows(gdal, "a")
    said = gdal.fails("gdalinfo", f"{NAME};wait=no", tag="usage")
    assert "is not a raster" in said
    assert service.calls() == []


def test_result_of_the_other_kind_counts_as_failed(gdal, jobs):
    rows(gdal, "a", "b")
    said = gdal.fails("gdalinfo", NAME, tag="batch")
    assert "2 of 2 rows of the batch failed (2 result)" in said
    assert "not a raster" in said
    assert jobs.paid() == ["a", "b"]
    assert read(gdal)[0] == [("r0", "a"), ("r1", "b")]


def test_rasters_are_one_mosaic(tmp_path, sandbox):
    gdal = Gdal(tmp_path, sandbox.url)
    west, east = ("POLYGON((%s -8.02,%s -8.02,%s -8.01,%s -8.01,%s -8.02))" % corners
                  for corners in (("-34.89", "-34.88", "-34.88", "-34.89", "-34.89"),
                                  ("-34.87", "-34.86", "-34.86", "-34.87", "-34.87")))
    write(gdal.folder / "areas.gpkg", "EPSG:4326", west, east)
    name = f"GIQ:batch=areas.gpkg;model=ndvi;file={SCENE}"
    info = json.loads(gdal.run("gdalinfo", "-json", name).stdout)
    parts = [json.loads(gdal.run("gdalinfo", "-json", "-oo", "SUBMIT=NO",
                                 f"GIQ:model=ndvi;file={SCENE};geometry={area}").stdout)
             for area in (west, east)]
    assert info["cornerCoordinates"]["upperLeft"][0] == pytest.approx(
        parts[0]["cornerCoordinates"]["upperLeft"][0])
    assert info["cornerCoordinates"]["lowerRight"][0] == pytest.approx(
        parts[1]["cornerCoordinates"]["lowerRight"][0])
    assert len(sandbox.runs()) == 2
    calls = len(sandbox.calls())
    gdal.run("gdal_translate", name, "out.tif")
    gdal.run("gdal_translate", "-q", name, "out.tif", env={"GIQ_API_KEY": ""})
    assert len(sandbox.calls()) == calls


def test_status_line_counts_the_rows(gdal, jobs):
    rows(gdal, "a", "b", "c")
    jobs.state["c"] = "FAILED"
    said = gdal.run("ogrinfo", "-ro", "-oo", "PROGRESS=YES", "-oo", "ON_FAILED=SKIP",
                    NAME).stderr.splitlines()
    assert said[0] == "GIQ: starting 3 jobs, 0 exist"
    assert re.fullmatch(r"GIQ: [0-3] of 3 published, [0-3] running, [01] failed, "
                        r"0:0\d; Ctrl-C ends the wait, started jobs continue", said[1])


# ---- before the first POST ----

def test_model_that_is_not_listed_makes_an_invalid_row(gdal, service, jobs):
    (gdal.folder / "rows.csv").write_text("id,file,model\nx,a,\ny,b,water\nz,c,sand\n")
    for option in ("ON_FAILED=ERROR", "ON_FAILED=SKIP"):
        said = fails(gdal, "batch", option)
        assert "2 of 3 rows of the batch are not valid, so no job was started" in said
        assert "row y: " in said and "row z: " in said and "row x: " not in said
    assert service.names() == ["models", "models"]
    assert gdal.records() == {}


def test_more_new_jobs_than_allowed_are_refused(gdal, service, jobs):
    rows(gdal, "a", "b", "c")
    said = fails(gdal, "usage", "MAX_NEW_JOBS=2")
    assert "the batch would start 3 jobs, and MAX_NEW_JOBS allows 2" in said
    said = fails(gdal, "usage", "MAX_NEW_JOBS=9", env={"GIQ_MAX_NEW_JOBS": "1"})
    assert "the batch would start 3 jobs, and MAX_NEW_JOBS allows 1" in said
    assert service.calls() == [] and gdal.records() == {}
    gdal.run("ogrinfo", "GIQ:model=m;file=b")
    assert len(read(gdal, NAME, "MAX_NEW_JOBS=2")[0]) == 3
    assert jobs.paid() == ["a", "b", "c"]


def test_jobs_beyond_those_of_the_day_are_refused_as_a_whole(gdal, service, jobs):
    rows(gdal, "a", "b", "c")
    said = fails(gdal, "usage", env={"GIQ_MAX_JOBS": "2"})
    assert "the batch would start 3 jobs, and GIQ_MAX_JOBS allows 2" in said
    assert service.calls() == []
    assert len(read(gdal, env={"GIQ_MAX_JOBS": "3"})[0]) == 3
    assert len(list(gdal.store.glob("v1/spent/*/*"))) == 3
    said = fails(gdal, "usage", name=f"{NAME};rerun=x", env={"GIQ_MAX_JOBS": "5"})
    assert "of which 2 are left" in said
    assert jobs.paid() == ["a", "b", "c"]


def test_row_beyond_the_largest_area_is_not_valid(gdal, service, jobs):
    small = "POLYGON((54 24,54 24.1,54.1 24.1,54.1 24,54 24))"
    write(gdal.folder / "areas.gpkg", "EPSG:4326", SQUARE, small)
    name = "GIQ:batch=areas.gpkg;model=m;file=a"
    said = fails(gdal, "batch", name=name, env={"GIQ_MAX_AREA": "200"})
    assert "1 of 2 rows of the batch is not valid, so no job was started" in said
    assert "row 1: [usage] the area has 11226.471673 km2" in said
    assert service.calls() == [] and gdal.records() == {}


def test_no_key_is_an_error_of_its_own(gdal, service, jobs):
    rows(gdal, "a", "b")
    assert "GIQ_API_KEY" in fails(gdal, "credentials", env={"GIQ_API_KEY": ""})
    assert service.calls() == [] and gdal.records() == {}


# ---- rows that fail ----

def mixed(gdal, jobs):
    """Two rows that work, and one of each ending."""
    rows(gdal, "good", "bad", "lost", "none", "fine")
    jobs.state["bad"] = "FAILED"
    jobs.run["lost"] = Response({"message": "oops"}, 500)
    jobs.run["none"] = Response({"message": "no such file"}, 422)


def test_failed_rows_are_counted_and_the_others_paid_once(gdal, jobs):
    mixed(gdal, jobs)
    said = fails(gdal, "batch")
    assert "3 of 5 rows of the batch failed (1 refused, 1 failed, 1 unknown)" in said
    for shown in ("row r1: [failed] ", "row r2: [unknown] ", "row r3: [refused] ",
                  "RETRY=<label> starts one new job for each row that is failed or gone",
                  "RETRY leaves rows alone that are unknown", "job=<id>",
                  "ON_FAILED=SKIP reads the other 2", "GIQ:jobs lists all jobs"):
        assert shown in said, said
    assert len(said.encode()) <= 2000 + len("ERROR 1: ")
    assert jobs.paid() == ["bad", "fine", "good", "lost", "none"]
    said = fails(gdal, "batch")
    assert "3 of 5 rows of the batch failed (1 refused, 1 failed, 1 unknown)" in said
    assert jobs.paid() == ["bad", "fine", "good", "lost", "none", "none"]


def test_retry_is_not_for_unknown_rows(gdal, jobs):
    mixed(gdal, jobs)
    fails(gdal, "batch")
    jobs.state.clear()
    jobs.run.clear()
    said = fails(gdal, "batch", "RETRY=again")
    assert "1 of 5 rows of the batch failed (1 unknown)" in said
    assert jobs.paid() == ["bad", "bad", "fine", "good", "lost", "none", "none"]
    assert "RETRY=<label>" not in said


def test_advice_about_unknown_rows_leads_to_the_whole_batch(gdal, jobs):
    (gdal.folder / "rows.csv").write_text("id,file,rerun\na,f1,z1\nb,f2,\n")
    jobs.run["f1"] = Response({"message": "oops"}, 500)
    said = fails(gdal, "batch")
    assert ('by ;job=<id> after the "location" of the row in the table of wait=no with '
            "SUBMIT=NO") in said
    found, _ = table(gdal, f"{NAME};wait=no", "SUBMIT=NO")
    assert found[0]["state"] == "unknown"
    gdal.run("ogrinfo", f"{found[0]['location']};job=job-f1")
    assert read(gdal)[0] == [("a", "f1"), ("b", "f2")]
    assert jobs.paid() == ["f1", "f2"]


def test_skipping_reads_the_others_with_one_warning(gdal, jobs):
    mixed(gdal, jobs)
    found, said = read(gdal, NAME, "ON_FAILED=SKIP")
    assert found == [("r0", "good"), ("r4", "fine")]
    first, warning = said.splitlines()
    assert first == "GIQ: starting 5 jobs, 0 exist"
    assert warning.startswith("Warning 1: GIQ: 3 of 5 rows of the batch failed and are left "
                              "out (1 refused, 1 failed, 1 unknown); row r1: [failed] ")
    assert jobs.paid() == ["bad", "fine", "good", "lost", "none"]


def test_nothing_left_is_an_error_though_failed_rows_are_skipped(gdal, jobs):
    rows(gdal, "a", "b")
    jobs.state.update(a="FAILED", b="FAILED")
    said = fails(gdal, "batch", "ON_FAILED=SKIP")
    assert "2 of 2 rows of the batch failed (2 failed)" in said
    assert "ON_FAILED=SKIP" not in said


def test_result_that_no_driver_reads_fails_its_row_alone(gdal, jobs):
    rows(gdal, "a", "b")
    jobs.results["b"] = attached(b"<VRTDataset/>", "result.vrt")
    said = fails(gdal, "batch")
    assert "1 of 2 rows of the batch failed (1 result)" in said
    assert read(gdal, NAME, "ON_FAILED=SKIP")[0] == [("r0", "a")]
    assert jobs.paid() == ["a", "b"]


def test_ten_bad_endings_stop_the_starting_of_rows(gdal, jobs):
    rows(gdal, *(f"f{i}" for i in range(30)))
    jobs.run.update({f"f{i}": Response({"message": "no"}, 422) for i in range(30)})
    said = fails(gdal, "batch", "CONCURRENCY=1")
    assert ("10 of 30 rows of the batch failed (10 refused); 20 further rows were not begun, "
            "because of [refused] 10 requests in a row were refused, failed, or have an "
            "unknown outcome; the last: ") in said
    assert "; opening the batch again goes on with the other rows, and pays for none twice" \
        in said
    assert len(jobs.paid()) == 10
    said = fails(gdal, "batch", "CONCURRENCY=1", "ON_FAILED=SKIP")
    assert "20 further rows were not begun" in said


def test_what_a_killed_batch_was_sending_stops_nothing(gdal, jobs):
    files = [f"f{i:02}" for i in range(14)]
    rows(gdal, *files[:12])
    read(gdal)
    gdal.drop_tickets()
    for path in gdal.store.glob("v1/*/job.json"):
        record = json.loads(path.read_text())
        path.write_text(json.dumps({**record, "state": "sending", "job_id": None}))
        [result] = path.parent.glob(PUBLISHED)
        shutil.rmtree(result)
    rows(gdal, *files)
    said = fails(gdal, "batch", "CONCURRENCY=1")
    assert "12 of 14 rows of the batch failed (12 unknown); row r0: " in said
    assert jobs.paid() == files


def test_refused_key_in_the_middle_keeps_its_tag(gdal, service, jobs):
    rows(gdal, "a", "b", "c", "d")
    jobs.run["b"] = Response({"message": "key revoked"}, 401)
    said = fails(gdal, "credentials", "CONCURRENCY=1")
    assert "1 of 4 rows of the batch failed (1 credentials); 2 further rows were not begun" \
        in said
    assert jobs.paid() == ["a", "b"]
    jobs.run.clear()
    assert len(read(gdal)[0]) == 4
    assert jobs.paid() == ["a", "b", "b", "c", "d"]


def test_timeout_counts_what_is_unfinished_and_opening_again_resumes(gdal, service, jobs):
    rows(gdal, "a", "b", "c")
    jobs.state["b"] = "RUNNING"
    for option in ("ON_FAILED=ERROR", "ON_FAILED=SKIP"):
        said = fails(gdal, "timeout", "TIMEOUT=1", option)
        assert "1 of 3 rows are not finished; 0 were not begun" in said
        assert "row r1: [timeout] " in said
    assert jobs.paid() == ["a", "b", "c"]
    jobs.state.clear()
    assert len(read(gdal)[0]) == 3
    assert jobs.paid() == ["a", "b", "c"]


TWICE = """
import sys
from osgeo import gdal
gdal.DontUseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")
for name in sys.argv[1:]:
    assert gdal.OpenEx(name, gdal.OF_VECTOR, open_options=["TIMEOUT=1"]) is None
    print(gdal.GetLastErrorMsg())
"""


def test_opens_of_the_next_minute_check_once(gdal, service, jobs):
    rows(gdal, "a", "b")
    jobs.state.update(a="RUNNING", b="RUNNING")
    first, second, alone = gdal.python(TWICE, NAME, NAME,
                                       "GIQ:model=m;file=a").stdout.splitlines()
    assert first.startswith("GIQ[timeout] 2 of 2 rows are not finished")
    once = ("GIQ[timeout] another open of this program timed out or failed slowly less than "
            "a minute ago, so this open checked only once: ")
    assert second.startswith(f"{once}2 of 2 rows are not finished")
    assert alone.startswith(once)
    assert jobs.paid() == ["a", "b"]


# ---- the table of jobs ----

def test_table_has_a_row_for_each_and_waits_for_none(gdal, service, jobs):
    rows(gdal, "a", "b", "a")
    jobs.state.update(a="RUNNING", b="RUNNING")
    found, said = table(gdal)
    assert said == "GIQ: starting 2 jobs, 0 exist\n"
    assert [(row["row"], row["job_id"], row["state"]) for row in found] == [
        ("r0", "job-a", "submitted"), ("r1", "job-b", "submitted"),
        ("r2", "job-a", "submitted")]
    assert [row["location"] for row in found] == [
        "GIQ:model=m;file=a", "GIQ:model=m;file=b", "GIQ:model=m;file=a"]
    assert service.names().count("download") == 0
    found, said = table(gdal)
    assert said == "" and [row["status"] for row in found] == ["RUNNING"] * 3
    jobs.state.clear()
    gdal.run("ogr2ogr", "ledger.gpkg", f"{NAME};wait=no")
    done = gdal.run("ogrinfo", "-al", "ledger.gpkg")
    assert done.stdout.count("location (String) = GIQ:model=m;file=") == 3
    for row in found:
        gdal.run("ogrinfo", row["location"])
    assert jobs.paid() == ["a", "b"]


def test_table_states_what_failed(gdal, jobs):
    mixed(gdal, jobs)
    found, said = table(gdal)
    assert "2 of 5 rows of the batch have an error (1 refused, 1 unknown)" in said
    assert [row["state"] for row in found] == ["submitted", "submitted", "unknown",
                                               "not submitted", "submitted"]
    assert [row["error"] is None for row in found] == [True, True, False, False, True]
    found, said = table(gdal)
    assert [row["state"] for row in found] == ["succeeded", "failed", "unknown",
                                               "not submitted", "succeeded"]
    assert jobs.paid() == ["bad", "fine", "good", "lost", "none", "none"]


def test_dry_run_says_what_would_be_paid_and_sends_nothing(gdal, service, jobs):
    write(gdal.folder / "areas.gpkg", "EPSG:4326", SQUARE,
          "POLYGON((54 24,54 24.1,54.1 24.1,54 24))")
    name = "GIQ:batch=areas.gpkg;model=m;file=a;wait=no"
    found, said = table(gdal, name, "SUBMIT=NO", env={"GIQ_API_KEY": ""})
    total = sum(row["area_km2"] for row in found)
    assert said == f"GIQ: dry run: 2 jobs to be paid, {total:.3f} km2; 0 exist\n"
    assert [row["state"] for row in found] == ["not submitted"] * 2
    assert [row["error"] for row in found] == [None] * 2
    assert not gdal.store.exists()
    found, said = table(gdal, name, "SUBMIT=NO", "MAX_NEW_JOBS=1",
                        env={"GIQ_MAX_AREA": "200"})
    assert said.startswith("GIQ: dry run: 1 jobs to be paid, ")
    assert "; 0 exist, 1 refused by GIQ_MAX_AREA; a limit forbids this: the batch would " \
        "start 2 jobs" in said
    assert [row["error"] is None for row in found] == [False, True]
    assert service.calls() == []


def test_submit_no_reads_what_is_recorded_alone(gdal, service, jobs):
    rows(gdal, "a", "b")
    gdal.run("ogrinfo", "GIQ:model=m;file=b")
    calls = len(service.calls())
    said = fails(gdal, "batch", "SUBMIT=NO")
    assert "1 of 2 rows of the batch failed (1 usage)" in said
    assert read(gdal, NAME, "SUBMIT=NO", "ON_FAILED=SKIP")[0] == [("r1", "b")]
    assert len(service.calls()) == calls


# ---- programs ----

INTERRUPTED = """
import signal, sys
from osgeo import gdal
gdal.DontUseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")
signal.signal(signal.SIGINT, lambda *_: None)
assert gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR) is None
print(gdal.GetLastErrorMsg())
"""


def test_ctrl_c_ends_the_wait_and_the_jobs_continue(gdal, service, jobs):
    rows(gdal, "a", "b")
    jobs.state.update(a="RUNNING", b="RUNNING")
    checked = threading.Event()
    on_status = jobs.on_status

    def status(seen):
        names = {one["query"]["inferenceId"] for one in service.calls("status")}
        if names == {"job-a", "job-b"}:
            checked.set()
        return on_status(seen)

    service.script["status"] = [status]
    process = gdal.start("/usr/bin/python3", "-c", INTERRUPTED, NAME)
    assert checked.wait(60)
    process.send_signal(signal.SIGINT)
    done = gdal.finish(process)
    assert done.stdout.startswith("GIQ[cancelled] Ctrl-C ended the open of the batch"), done
    jobs.state.clear()
    assert len(read(gdal)[0]) == 2
    assert jobs.paid() == ["a", "b"]


FORKS = """
import os, sys
from osgeo import gdal
gdal.UseExceptions()
def names():
    data = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR)
    return sorted(row["name"] for row in data.GetLayer(0))
if sys.argv[2] == "before":
    assert names() == ["a", "b", "c"]
children = [os.fork() for _ in range(1)]
if 0 in children:
    os._exit(0 if names() == ["a", "b", "c"] else 1)
assert names() == ["a", "b", "c"]
for child in children:
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_forked_child_reads_the_same_batch(gdal, jobs, when):
    rows(gdal, "a", "b", "c")
    gdal.python(FORKS, NAME, when)
    assert jobs.paid() == ["a", "b", "c"]


def test_two_batches_and_single_opens_at_once_pay_each_row_once(gdal, jobs):
    rows(gdal, "a", "b", "c", "d", "e", "f")
    rows(gdal, "f", "e", "x", "b", "a", name="others.csv")
    other = NAME.replace("rows", "others")
    names = [NAME, other, NAME, other, "GIQ:model=m;file=c", "GIQ:model=m;file=x"]
    started = [gdal.start("ogrinfo", "-ro", "-al", name) for name in names]
    ended = [gdal.finish(process) for process in started]
    assert [done.returncode for done in ended] == [0] * len(names), ended
    assert jobs.paid() == ["a", "b", "c", "d", "e", "f", "x"]


def test_store_that_fails_in_the_middle_pays_nothing_twice(gdal, service, jobs):
    rows(gdal, "a", "b", "c", "d")
    on_run = jobs.on_run
    spent = gdal.store / "v1" / "spent"

    def run(seen):
        if file_of(seen) == "b":
            shutil.rmtree(spent)
            spent.touch()  # no slot can be taken
        return on_run(seen)

    service.script["run"] = [run]
    env = {"GIQ_MAX_JOBS": "9"}
    said = fails(gdal, "batch", "CONCURRENCY=1", env=env)
    assert "1 of 4 rows of the batch failed (1 store); 1 further rows were not begun" in said
    assert jobs.paid() == ["a", "b"]
    spent.unlink()
    assert len(read(gdal, env=env)[0]) == 4
    assert jobs.paid() == ["a", "b", "c", "d"]


# ---- opens that are repeated ----

REPEATED = """
import sys
from osgeo import gdal
gdal.DontUseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")
for _ in range(3):
    assert gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR) is None
    print(gdal.GetLastErrorMsg())
"""


def test_refused_result_is_downloaded_once_a_minute(gdal, service, jobs):
    rows(gdal, "a", "b")
    jobs.results["b"] = attached(b"<VRTDataset/>", "result.vrt")
    said = gdal.python(REPEATED, NAME).stdout.splitlines()
    assert len(said) == 3
    for line in said:
        assert line.startswith("GIQ[batch] 1 of 2 rows of the batch failed (1 result)")
    assert service.names().count("download") == 2
    assert jobs.paid() == ["a", "b"]


def test_slow_failure_is_tried_once_for_a_minute(gdal, service, jobs):
    rows(gdal, "a", "b")
    service.script["models"] = [Response(drop=True)]
    said = gdal.python(REPEATED, NAME, env={"GIQ_MAX_RETRY": "3",
                                            "GIQ_RETRY_DELAY": "0.5"}).stdout.splitlines()
    assert [line.split()[0] for line in said] == ["GIQ[network]"] * 3
    assert service.names() == ["models"] * (4 + 1 + 1)


LOCAL = """
import sys
from osgeo import gdal
gdal.UseExceptions()
gdal.SetThreadLocalConfigOption("OGR_GEOJSON_MAX_OBJ_SIZE", "100")
data = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR)
print(data.GetLayer(0).GetFeatureCount())
"""


def test_options_of_the_callers_thread_hold_in_all_threads(gdal, jobs):
    """Without them no driver opens the results when they are checked, and so none of them
    is summed up in its record."""
    rows(gdal, "a", "b")
    tiny = {"OGR_GEOJSON_MAX_OBJ_SIZE": "0.00001"}
    assert gdal.python(LOCAL, NAME, env=tiny).stdout == "2\n"
    assert [record["summary"]["files"][0]["name"] for record in gdal.records().values()] == [
        "result.geojson"] * 2


# ---- the file that is handed over ----

def test_file_that_was_changed_is_written_again(gdal, service, jobs):
    rows(gdal, "a", "b")
    expected = read(gdal)[0]
    path, = gdal.store.glob("batches/v1/*/rows.vrt")
    written = path.read_text()
    path.write_text(written.replace("file=b", "file=a"))
    assert read(gdal)[0] == expected
    assert path.read_text() == written
    path.write_text(written[:len(written) // 2])
    assert read(gdal)[0] == expected
    assert path.read_text() == written
    assert jobs.paid() == ["a", "b"]


RASTER = """
import sys
from osgeo import gdal
gdal.UseExceptions()
data = gdal.OpenEx(sys.argv[1], gdal.OF_RASTER)
band = data.GetRasterBand(1)
print(band.GetNoDataValue(), data.GetGeoTransform(), band.Checksum())
band.SetNoDataValue(5)
data.SetGeoTransform((0, 1, 0, 0, 0, -1))
"""


def test_what_a_program_sets_on_a_mosaic_is_not_in_the_next_one(tmp_path, sandbox):
    gdal = Gdal(tmp_path, sandbox.url)
    gdal.env.update(FAST)
    rows(gdal, SCENE)
    name = f"{NAME[:-1]}ndvi"
    first = gdal.python(RASTER, name).stdout
    assert gdal.python(RASTER, name).stdout == first
    assert len(sandbox.runs()) == 1


STATISTICS = """
import sys
from osgeo import gdal
gdal.UseExceptions()
flags = gdal.OF_RASTER | gdal.OF_SHARED
data = gdal.OpenEx(sys.argv[1], flags)
band = data.GetRasterBand(1)
assert data.GetDescription() == sys.argv[1] and band.GetMetadata() == {}
statistics = band.ComputeStatistics(False)
again = gdal.OpenEx(sys.argv[1], flags)
assert "STATISTICS_MEAN" in again.GetRasterBand(1).GetMetadata(), "it is shared"
print(statistics, data.GetGeoTransform(), band.GetNoDataValue(), band.Checksum())
"""


@pytest.mark.parametrize("store", ["store", "what store?a=b"])
def test_shared_mosaic_writes_no_file_of_its_name(tmp_path, sandbox, store):
    gdal = Gdal(tmp_path, sandbox.url)
    env = {**FAST, "GIQ_STORE_DIR": str(tmp_path / store)}
    rows(gdal, SCENE)
    name = f"{NAME[:-1]}ndvi"
    alone = gdal.python(RASTER, name, env=env).stdout
    first = gdal.python(STATISTICS, name, env=env)
    again = gdal.python(STATISTICS, name, env=env)
    assert (first.stderr, again.stdout) == ("", first.stdout)
    assert first.stdout.split()[-1] == alone.split()[-1], "its checksum"
    assert list(gdal.folder.glob("GIQ*")) == []
    assert len(sandbox.runs()) == 1
