"""giq:run of the QGIS plugin is cancelled in each phase. The process lives on until the
thread that is left behind has ended; run again, it is the same job: one run request in all.
"""
import json
import threading

import pytest
from osgeo import ogr

from areas import write
from plugin_kit import script
from scripted import GEOJSON, MODELS, Response, job

# The task waits for the file "phase", which the service makes when the call is there, and
# is cancelled. It must have ended before the service responds, which waits for "ended".
SESSION = """
import pathlib, threading, time
from giq import opening
parameters = json.loads(sys.argv[1])
cancel_at = sys.argv[2]


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
    while not pathlib.Path("phase").exists():
        time.sleep(0.01)
    feedback.cancel()


feedback = Feedback()
canceller = threading.Thread(target=cancel_in_phase, args=(feedback,))
canceller.start()
tell(run("run", feedback=feedback, **parameters))
tell([text for text in feedback.texts if text.startswith("Cancelled")])
pathlib.Path("ended").touch()
canceller.join()
for thread in list(opening._left_behind):
    thread.join()
assert not opening._left_behind
tell(run("run", **parameters)["JOB"])
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


def held(folder, response):
    """A response that comes when the cancelled task has ended."""
    def respond_late(_):
        (folder / "phase").touch()
        ended = threading.Event()
        while not (folder / "ended").exists():
            ended.wait(0.01)
        return response
    return respond_late


def cancelled(client, service, at="", **parameters):
    """Cancel a run, then run it again; only one job is paid for."""
    found = script(client, SESSION, json.dumps({"MODEL": "m", **parameters}), at,
                   env={**LONG, "TMPDIR": str(client.folder / "tmp")})
    assert found == [{}, [WORDS], "job-1", []]
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
