"""The dry run of the dialog: in a thread of its own, which ends with the dialog."""
from areas import write
from desktop_kit import desktop, screen  # noqa: F401
from programs import AREA, DATA, SCENE

# Before work(): what the plugin writes and opens, and by which threads.
KIT = """
from desktop_session import *
import glob, tempfile, threading
from giq import areas, dialog as dialogs, opening
from qgis.core import (QgsFeature, QgsGeometry, QgsProcessingFeatureSourceDefinition,
                       QgsProcessingUtils, QgsVectorLayer)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest

def add(wkt, copies=1):
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326", "area", "memory")
    features = []
    for _ in range(copies):
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    QgsProject.instance().addMapLayer(layer)
    return layer

def threads():
    return [thread for thread in threading.enumerate() if thread.name == "giq-open"]

def temporary():
    return sorted(glob.glob(os.path.join(QgsProcessingUtils.tempFolder(), "**", "*.gpkg"),
                            recursive=True)
                  + glob.glob(os.path.join(tempfile.gettempdir(), "giq-*")))
"""


def run(desktop, script, *arguments):  # noqa: F811
    """With a folder for temporary files that nobody else uses."""
    folder = desktop.client.folder / "temporary"
    folder.mkdir()
    return desktop.run(script, *arguments, env={"TMPDIR": str(folder)})


THREADS = KIT + """
def note(module, name, seen):
    function = getattr(module, name)
    def noted(*arguments, **more):
        seen.append([name, threading.current_thread().name])
        return function(*arguments, **more)
    setattr(module, name, noted)

def work(scene, wkt, path):
    seen, costs = [], []
    note(areas, "write_features", seen)
    note(areas.QgsProcessingFeatureSource, "getFeatures", seen)
    note(opening, "open_dataset", seen)
    layer = add(wkt, 2)
    layer.selectByIds([1])
    selected = QgsProcessingFeatureSourceDefinition(layer.id(), True)
    for where in ({"AREA": layer.id()}, {"AREA": selected}, {"AREA": path},
                  {"EXTENT": "290000,292000,9112000,9114000 [EPSG:32725]"},
                  {"AREA": add(wkt, 0).id()}):
        dialog = open_dialog("giq:run", {"MODEL": "water", "FILE": scene, **where})
        costs.append(cost_of(dialog))
        dialog.close()
    wait(lambda: not threads(), "the end of the threads")
    return {"seen": seen, "costs": costs, "left": temporary()}
"""


def test_features_are_read_and_written_by_the_thread_of_the_dry_run(desktop,  # noqa: F811
                                                                    client):
    path = client.folder / "areas.gpkg"
    write(path, "EPSG:4326", AREA)
    found = run(desktop, THREADS, SCENE, AREA, path)
    assert client.calls() == [] and found["left"] == []
    assert {thread for _, thread in found["seen"]} == {"giq-open"}
    written = [name for name, _ in found["seen"] if name == "write_features"]
    opened = [name for name, _ in found["seen"] if name == "open_dataset"]
    assert (len(written), len(opened)) == (5, 4)
    *costs, none = found["costs"]
    assert none == "AREA has no features (or none is selected)."
    assert [cost.split(", ")[2] for cost in costs[:3]] == [
        "24.384 km²: this starts a paid job"] * 3
    assert costs[3].endswith(" km²: this starts a paid job")


# A file that is read, or an area that is written, for as long as nobody cancels it.
ESCAPE = KIT + """
def hold_open(name, flags, options):
    path = gdal.GetThreadLocalConfigOption("GIQ_CANCEL_FILE")
    held.append("open")
    while not os.path.exists(path):
        time.sleep(0.01)
    return original(name, flags, options)

class Endless:
    def __init__(self, source):
        self.wkbType, self.sourceCrs, self._source = source.wkbType, source.sourceCrs, source

    def getFeatures(self, *arguments):
        [feature, *_] = self._source.getFeatures(*arguments)
        held.append("write")
        while True:
            time.sleep(0.01)
            yield feature

from osgeo import gdal
held = []
original, write = opening.open_dataset, areas.write_features

def escape(request, close):
    dialog = open_dialog("giq:run", request)
    before = len(held)
    wait(lambda: len(held) > before, "the dry run")
    close(dialog)
    wait(lambda: not threads(), "the end of the thread")
    return [dialog.isVisible(), held[-1]]

def work(scene, wkt):
    layer = add(wkt)
    whole = {"MODEL": "water", "FILE": scene}
    press = lambda dialog: QTest.keyClick(dialog, Qt.Key.Key_Escape)
    found = []
    opening.open_dataset = hold_open
    for close in (press, lambda dialog: dialog.close(), lambda dialog: dialog.reject()):
        found.append(escape(whole, close))
    areas.write_features = (
        lambda source, *rest, **more: write(Endless(source), *rest, **more))
    found.append(escape({**whole, "AREA": layer.id()}, press))
    return {"found": found, "left": temporary()}
"""


def test_dialog_that_is_closed_ends_its_dry_run(desktop, client):  # noqa: F811
    found = run(desktop, ESCAPE, SCENE, AREA)
    assert found["found"] == [[False, "open"]] * 3 + [[False, "write"]]
    assert found["left"] == [] and client.calls() == []


UPLOAD = KIT + """
from qgis.core import QgsRasterLayer

def work(scene):
    layer = QgsRasterLayer(scene, "a scene", "gdal")
    QgsProject.instance().addMapLayer(layer)
    dialog = open_dialog("giq:run", {"MODEL": "water", "UPLOAD": layer.id()})
    found = [cost_of(dialog), layer.id()]
    dialog.close()
    return found
"""


def test_layer_to_upload_is_shown_as_its_file(desktop, client):  # noqa: F811
    cost, layer_id = run(desktop, UPLOAD, DATA / SCENE)
    size = (DATA / SCENE).stat().st_size
    assert cost == (f"model water, upload of {DATA / SCENE} ({size:,} bytes), the "
                    "whole file: this starts a paid job")
    assert layer_id not in cost
