"""giq:run, giq:batch and giq:fetch of the QGIS plugin are cancelled in each phase. The
process lives on until the thread that is left behind has ended; run again, it is the same
job: one run request for each request in all.
"""
import io
import json
import threading
import zipfile

import pytest
from osgeo import ogr

from areas import write
from plugin_kit import script
from scripted import GEOJSON, MODELS, Response, job

# The task waits for the file "phase", which the service makes when the call is there, for a
# text of its progress, or for a file of the store, and is cancelled. It must have ended
# before the service responds, which waits for "ended".
SESSION = """
import glob, pathlib, threading, time
from giq import opening
algorithm, cancel_at = sys.argv[1:3]
parameters = json.loads(sys.argv[3])


class Feedback(QgsProcessingFeedback):
    def __init__(self):
        super().__init__()
        self.texts = []

    def pushInfo(self, text):
        self.texts.append(text)

    def setProgressText(self, text):
        if text == cancel_at:
            pathlib.Path("phase").touch()


def cancel_in_phase(feedback):
    while not pathlib.Path("phase").exists() and not glob.glob(cancel_at, recursive=True):
        time.sleep(0.01)
    feedback.cancel()


feedback = Feedback()
canceller = threading.Thread(target=cancel_in_phase, args=(feedback,))
canceller.start()
tell(run(algorithm, feedback=feedback, **parameters))
tell([text for text in feedback.texts if text.startswith("Cancelled")])
pathlib.Path("ended").touch()
canceller.join()
for thread in list(opening._left_behind):
    thread.join()
assert not opening._left_behind
pathlib.Path("over").touch()
found = run(algorithm, **parameters)
tell(found["JOB"] if "JOB" in found else
     [[row["row"], row["state"], row["job_id"]] for row in found["OUTPUT"].getFeatures()])
import tempfile
tell([name for name in os.listdir(tempfile.gettempdir()) if name.startswith("giq-")])
"""
WORDS = ("Cancelled. A job that was started continues; running the same again finds it and "
         "is not paid for again.")
# No transfer, pause or retry ends by itself while the task is cancelled.
LONG = {"GIQ_POLL_INTERVAL": "3000", "GIQ_RETRY_DELAY": "3000", "GIQ_HTTP_TIMEOUT": "3000",
        "GIQ_LOW_SPEED_TIME": "3000"}


@pytest.fixture
def folder(scripted_client):
    (scripted_client.folder / "tmp").mkdir()
    return scripted_client.folder


def held(folder, response, count=1):
    """A response that comes when the cancelled task has ended. The task is cancelled when
    there are so many requests."""
    waiting = []

    def respond_late(_):
        waiting.append(None)
        if len(waiting) == count:
            (folder / "phase").touch()
        ended = threading.Event()
        while not (folder / "ended").exists():
            ended.wait(0.01)
        return response
    return respond_late


def session(client, algorithm, at="", env=None, before="", **parameters):
    """Cancel an algorithm, then run it again; what it then found. `before` is done first."""
    [outputs, words, found, left] = script(
        client, before + SESSION, algorithm, at, json.dumps(parameters),
        env={**LONG, "TMPDIR": str(client.folder / "tmp"), **(env or {})})
    assert [outputs, words, left] == [{}, [WORDS], []]
    return found


def cancelled(client, service, at="", **parameters):
    """Cancel a run, then run it again; only one job is paid for."""
    assert session(client, "run", at, MODEL="m", **parameters) == "job-1"
    assert len(service.calls("run")) == 1
    [record] = client.records().values()
    assert record["state"] == "published"


def test_before_the_first_open(scripted_client, service, folder):
    (folder / "phase").touch()
    cancelled(scripted_client, service, FILE="f")


def test_area(scripted_client, service, folder):
    """So many vertices take the driver longer than the pause between two looks at it."""
    circle = ogr.CreateGeometryFromWkt("POINT(1 2)").Buffer(1, 100000)
    write(folder / "a.gpkg", "EPSG:4326", circle)
    cancelled(scripted_client, service, "Reading the area", FILE="f",
              AREA=str(folder / "a.gpkg"))


FULL_DISK = """
from giq import opening


def open_on_full_disk(path, mode="r", **more):
    if "w" in mode and os.path.basename(path) == "cancel":
        raise OSError(28, "No space left on device")
    return open(path, mode, **more)


opening.open = open_on_full_disk
"""


def test_disk_that_is_full(scripted_client, service, folder):
    last = service.script["models"][-1]
    service.script["models"] = [held(folder, Response(MODELS)), last]
    cancelled(scripted_client, service, FILE="f", before=FULL_DISK)


def test_temporary_folder_that_was_removed(scripted_client):
    code = """
import shutil
from giq import opening
one = opening.Opening("GIQ:models")
shutil.rmtree(one._folder)
one.cancel()
tell(os.path.exists(one._cancel_file))
one._clean_up()
tell(os.path.exists(one._folder))
"""
    assert script(scripted_client, code) == [True, False]


@pytest.mark.parametrize("call,response", [
    ("models", Response(MODELS)), ("run", Response(job("SUBMITTED"))),
    ("status", Response(job("COMPLETED"))), ("upload", Response({"fileId": "up-1"})),
    ("download", Response(GEOJSON, headers={
        "Content-Disposition": "attachment; filename=result.geojson"}))])
def test_call_that_is_out(scripted_client, service, folder, call, response):
    (folder / "local.csv").write_text("a\n1\n")
    last = service.script[call][-1]
    service.script[call] = [held(folder, response), last]
    cancelled(scripted_client, service, UPLOAD=str(folder / "local.csv"))


def test_pause_between_two_looks(scripted_client, service, folder):
    def running(_):
        (folder / "phase").touch()
        return Response(job("RUNNING"))
    last = service.script["status"][-1]
    service.script["status"] = [running, Response(job("RUNNING")), Response(job("RUNNING")),
                                last]
    cancelled(scripted_client, service, FILE="f")


AT_THE_END = """
import threading
from giq import opening
made = opening.Opening("GIQ:models")
canceller = threading.Thread(target=made.cancel)
remove = os.rmdir


def remove_while_cancelled(*arguments, **more):
    canceller.start()
    canceller.join(1)  # it may have to wait for the removal
    remove(*arguments, **more)


os.rmdir = remove_while_cancelled
made._clean_up()
canceller.join()
tell([name for name in os.listdir(os.environ["TMPDIR"]) if name.startswith("giq-")])
"""


def test_cancel_at_the_very_end_leaves_no_folder(scripted_client, folder):
    assert script(scripted_client, AT_THE_END,
                  env={"TMPDIR": str(folder / "tmp")}) == [[]]


AFTER_DRY_RUN = """
from giq import opening


class Feedback(QgsProcessingFeedback):
    def pushInfo(self, text):
        if text.endswith("this starts a paid job"):
            self.cancel()


tell(run("run", feedback=Feedback(), MODEL="m", FILE="f"))
tell(len(opening._left_behind))
"""


def test_nothing_is_sent_between_two_opens(scripted_client, service):
    assert script(scripted_client, AFTER_DRY_RUN) == [{}, 0]
    assert service.calls() == [] and scripted_client.records() == {}


BIG = 400 << 20  # bytes of an unpacked file, below the limit of the driver
UNPACKED = "store/v1/*/result.new.*/**/empty.bin"


@pytest.fixture
def archive(service):
    """The result (of a batch: of its first row) is an archive that takes much longer to
    unpack than the pause between two looks at the store and at the driver."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("result.geojson", GEOJSON)
        file.writestr("empty.bin", bytes(BIG))
    small = service.script["download"][-1]
    packed = Response(packed.getvalue(), headers={
        "Content-Disposition": "attachment; filename=result.zip"})
    service.script["download"] = [
        lambda seen: small if seen["query"]["inferenceJobId"] in ("job-g", "job-h") else packed]


def test_unpacking(scripted_client, service, folder, archive):
    cancelled(scripted_client, service, UNPACKED, FILE="f")
    assert len(service.calls("download")) == 2


# ---- giq:fetch ----

def fetch_cancelled(client, service, at=""):
    """Cancel the fetch of a job that was submitted before, then fetch it again."""
    client.run("ogrinfo", "GIQ:model=m;file=f;wait=no")
    assert session(client, "fetch", at, JOB="job-1") == "job-1"
    assert len(service.calls("run")) == 1
    [record] = client.records().values()
    assert record["state"] == "published"


@pytest.mark.parametrize("call", ["status", "download"])
def test_fetch_with_a_call_that_is_out(scripted_client, service, folder, call):
    last = service.script[call][-1]
    # The first look is that of the open which submits.
    first = [Response(job("RUNNING"))] if call == "status" else []
    service.script[call] = [*first, held(folder, last), last]
    fetch_cancelled(scripted_client, service)


def test_fetch_between_two_looks(scripted_client, service, folder):
    def running(_):
        (folder / "phase").touch()
        return Response(job("RUNNING"))
    last = service.script["status"][-1]
    service.script["status"] = [Response(job("RUNNING")), running, last]
    fetch_cancelled(scripted_client, service)


def test_fetch_that_unpacks(scripted_client, service, folder, archive):
    fetch_cancelled(scripted_client, service, UNPACKED)
    assert len(service.calls("download")) == 2


# ---- giq:batch ----

FILES = ("f", "g", "h")


@pytest.fixture
def rows(folder, service):
    """A table of requests, and a service that starts a job for each of them."""
    (folder / "rows.csv").write_text(
        "id,model,file\n" + "".join(f"row {file},m,{file}\n" for file in FILES))
    service.script["run"] = [start_job]
    return str(folder / "rows.csv")


def start_job(seen):
    [file] = [file for file in FILES if f"\r\n\r\n{file}\r\n".encode() in seen["body"]]
    return Response(job("SUBMITTED", id=f"job-{file}"))


def running(seen):
    return Response(job("RUNNING", id=seen["query"]["inferenceId"]))


def batch_cancelled(client, service, rows, at="", env=None):
    """Cancel a batch, then run it again; one job is paid for each row."""
    found = session(client, "batch", at, env, INPUT=rows, OUTPUT="memory:")
    assert found == [[f"row {file}", "published", f"job-{file}"] for file in FILES]
    assert len(service.calls("run")) == len(FILES)
    assert [record["state"] for record in client.records().values()] == 3 * ["published"]


def test_batch_before_its_rows_are_read(scripted_client, service, folder, rows):
    (folder / "phase").touch()
    batch_cancelled(scripted_client, service, rows)


def test_batch_with_all_run_requests_out(scripted_client, service, folder, rows):
    service.script["run"] = [held(folder, start_job, len(FILES))]
    batch_cancelled(scripted_client, service, rows)


def test_batch_begins_no_row_after_the_cancel(scripted_client, service, folder, rows):
    """Not even in the thread that stays behind until the response is recorded."""
    early = []

    def respond(seen):
        if not (folder / "over").exists():
            early.append(seen)
        return start_job(seen)
    service.script["run"] = [held(folder, respond), respond]
    batch_cancelled(scripted_client, service, rows, env={"GIQ_CONCURRENCY": "1"})
    assert len(early) == 1


@pytest.mark.parametrize("call", ["models", "status", "download"])
def test_batch_with_a_call_that_is_out(scripted_client, service, folder, rows, call):
    last = service.script[call][-1]
    service.script[call] = [held(folder, last), last]
    batch_cancelled(scripted_client, service, rows)


def test_batch_between_two_looks(scripted_client, service, folder, rows):
    def still_running(seen):
        if len(service.calls("status")) == len(FILES):
            (folder / "phase").touch()
        return running(seen)
    last = service.script["status"][-1]
    service.script["status"] = [still_running, still_running, still_running, last]
    batch_cancelled(scripted_client, service, rows)


def test_batch_with_an_upload_that_is_out(scripted_client, service, folder, rows):
    (folder / "local.csv").write_text("a\n1\n")
    (folder / "rows.csv").write_text("id,model,upload,file\n"
                                     f"row f,m,{folder}/local.csv,\n"
                                     "row g,m,,g\nrow h,m,,h\n")
    uploaded = Response({"fileId": "f"})
    service.script["upload"] = [held(folder, uploaded), uploaded]
    batch_cancelled(scripted_client, service, rows)
    assert len(service.calls("upload")) == 2


def test_batch_that_unpacks(scripted_client, service, folder, rows, archive):
    batch_cancelled(scripted_client, service, rows, UNPACKED)
    jobs = [seen["query"]["inferenceJobId"] for seen in service.calls("download")]
    assert jobs.count("job-f") == 2
