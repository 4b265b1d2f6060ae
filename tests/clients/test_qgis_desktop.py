"""A model run from the dialog of the plugin in the desktop of QGIS."""
import os

from desktop_kit import desktop, screen  # noqa: F401
from programs import AREA, DATA, SCENE

JOB_S = 10
SANDBOX_OPTIONS = ["--job-seconds", str(JOB_S)]
EITHER = "Give either a file of the service (FILE) or a local file to upload (UPLOAD)."

RUN = """
from desktop_session import *

def work(scene, journal):
    def calls():
        return len(open(journal).readlines()) if os.path.exists(journal) else 0
    request = {"MODEL": "water", "UPLOAD": scene,
               "EXTENT": "-34.89,-34.84,-8.03,-7.99 [EPSG:4326]"}
    found = {"bars": bars()}
    before = calls()
    dialog = open_dialog("giq:run", {"MODEL": "water"})
    found["costs"] = [cost_of(dialog)]
    dialog.setParameters(request)
    found["costs"].append(cost_of(dialog))
    found["free"] = [calls() - before]
    grab(dialog, "before.png")
    delays = Delays()
    began = time.monotonic()
    ends = press_run(dialog)
    wait(lambda: layers() or ends, "the layer")
    found["took"] = time.monotonic() - began
    wait(lambda: ends, "the end")
    found["delays"] = delays.take()
    found["ok"], results = ends[0]
    found["job"], found["source"] = results.get("JOB"), results.get("SOURCE")
    found["layers"] = layers()
    found["log"] = dialog.findChild(QTextEdit, "txtLog").toPlainText()
    grab(dialog, "after.png")
    before = calls()
    found["costs"].append(cost_of(dialog))
    found["free"].append(calls() - before)
    dialog.close()
    iface.mapCanvas().waitWhileRendering()
    grab(iface.mainWindow(), "window.png")
    return found
"""
CANCEL = """
from desktop_session import *
from qgis.core import QgsFeature, QgsGeometry, QgsVectorLayer

def work(scene, area):
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326", "area", "memory")
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromWkt(area))
    layer.dataProvider().addFeature(feature)
    QgsProject.instance().addMapLayer(layer)
    dialog = open_dialog("giq:run", {"MODEL": "water", "FILE": scene, "AREA": layer.id()})
    before = cost_of(dialog)
    ends = press_run(dialog)
    wait(lambda: "job " in dialog.findChild(QTextEdit, "txtLog").toPlainText(), "the job")
    began = time.monotonic()
    dialog.cancelButton().click()
    wait(lambda: ends or not dialog.cancelButton().isEnabled(), "the end")
    wait(lambda: not QgsApplication.taskManager().activeTasks(), "the end of the task")
    took = time.monotonic() - began
    grab(dialog, "cancelled.png")
    log = dialog.findChild(QTextEdit, "txtLog").toPlainText()
    cost = cost_of(dialog)
    ends = press_run(dialog)
    wait(lambda: ends, "the second end")
    QgsProject.instance().removeMapLayer(layer.id())
    return {"took": took, "log": log, "before": before, "cost": cost,
            "ok": ends[0][0], "layers": layers()}
"""

AREAS = """
from desktop_session import *
import threading
from giq import areas, opening
from qgis.core import (QgsFeature, QgsGeometry, QgsProcessingFeatureSourceDefinition,
                       QgsRectangle, QgsVectorLayer)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest

def work(scene):
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326", "area", "memory")
    for number in range(3):
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(number, 0, number + 0.5, 0.5)))
        layer.dataProvider().addFeature(feature)
    QgsProject.instance().addMapLayer(layer)
    layer.selectByIds([1, 3])
    write = areas.write_features
    written = []

    def noted(*arguments, **more):
        path, count = write(*arguments, **more)
        written.append([threading.current_thread() is threading.main_thread(), count, path])
        return path, count

    def endless(source, fields, is_cancelled):
        written.append("began")
        while not is_cancelled():
            time.sleep(0.01)
        written.append("cancelled")
        return write(source, fields, is_cancelled=is_cancelled)

    areas.write_features = noted
    request = {"MODEL": "water", "FILE": scene}
    selected = QgsProcessingFeatureSourceDefinition(layer.id(), True)
    dialog = open_dialog("giq:run", {**request, "AREA": selected})
    costs = [cost_of(dialog)]
    layer.removeSelection()
    dialog.setParameters({**request, "AREA": layer.id()})
    costs.append(cost_of(dialog))
    wait(lambda: not opening._left_behind, "the dry runs")
    found = {"costs": costs, "written": [one[:2] for one in written],
             "left": [one[2] for one in written if os.path.exists(one[2])]}
    areas.write_features, written[:] = endless, []
    dialog.setParameters({**request, "AREA": selected})
    wait(lambda: written, "a dry run")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    wait(lambda: not opening._left_behind, "the end of the dry run")
    areas.write_features = write
    QgsProject.instance().removeMapLayer(layer.id())
    return {**found, "escaped": written, "visible": dialog.isVisible()}
"""


def test_dialog_tells_the_cost_and_runs(desktop, client):  # noqa: F811
    found = desktop.run(RUN, DATA / SCENE, client.sandbox.state /
                        "journal.jsonl")
    [run] = client.paid()
    size = os.path.getsize(DATA / SCENE)
    what = f"model water, upload of {DATA / SCENE} ({size:,} bytes), 24.384"
    assert found["costs"][0] == EITHER
    assert found["costs"][1].startswith(what)
    assert found["costs"][1].endswith(" km²: this starts a paid job")
    assert found["costs"][2].endswith(f" km²: already paid: job {run['job']}, "
                                      "state published")
    assert found["free"] == [0, 0] and found["bars"] == []
    assert found["ok"] and found["job"] == run["job"]
    assert found["layers"] == [[f"water – {SCENE}", f"GIQ:job={run['job']}", True]]
    print(f"the layer was added {found['took']:.2f} s after Run was pressed")
    print(f"event loop while a job of {JOB_S} s runs and is added: {found['delays']}")


def test_cancel_ends_the_task_and_running_again_is_the_same_job(desktop, client):  # noqa
    found = desktop.run(CANCEL, SCENE, AREA)
    [run] = client.paid()
    print(f"the task ended {found['took']:.2f} s after Cancel was pressed")
    assert "Cancelled. A job that was started continues" in found["log"]
    assert found["before"] == (f"model water, file {SCENE}, 24.384 km²: this starts a paid "
                               "job")
    assert f"24.384 km²: already paid: job {run['job']}, state submitted" in found["cost"]
    assert found["ok"]
    assert [layer[1:] for layer in found["layers"]] == [[f"GIQ:job={run['job']}", True]]


def test_dialog_reads_areas_in_another_thread_and_escape_ends_that(desktop, client):  # noqa
    found = desktop.run(AREAS, SCENE)
    assert found["written"] == [[False, 2], [False, 3]]
    assert found["left"] == []
    assert [cost.split(", ")[2] for cost in found["costs"]] == [
        "6,154.460 km²: this starts a paid job", "9,231.690 km²: this starts a paid job"]
    assert found["escaped"] == ["began", "cancelled"] and found["visible"] is False
    assert client.calls() == []
