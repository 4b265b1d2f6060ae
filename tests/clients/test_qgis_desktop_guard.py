"""What the plugin keeps the desktop of QGIS from: layers and projects that start, wait for
or download jobs while the window stands still."""
from conftest import RASTER, SCENE, VECTOR
from desktop_kit import desktop, screen  # noqa: F401

GUARD = """
from desktop_session import *
from osgeo import gdal
from qgis.utils import startPlugin, loadPlugin, unloadPlugin
from qgis.core import QgsRasterLayer, QgsVectorLayer

def options():
    return [gdal.GetConfigOption(name) for name in ("GIQ_SUBMIT", "GIQ_TIMEOUT", "GIQ_FETCH")]

def start():
    assert loadPlugin("giq") and startPlugin("giq")
    return options()

def work(vector, raster):
    found = {"guarded": options()}
    iface.messageBar().clearWidgets()
    found["added"] = [iface.addVectorLayer(vector, "water", "ogr") is None,
                      iface.addRasterLayer(raster, "ndvi") is None]
    wait(lambda: any("gIQ" in text for text in bars()), "the advice")
    found["bars"] = [text for text in bars() if "Toolbox > gIQ" in text]
    found["log"] = messages
    assert unloadPlugin("giq")
    found["unloaded"] = options()
    found["again"] = start()
    gdal.SetConfigOption("GIQ_FETCH", "YES")
    assert unloadPlugin("giq")
    found["set meanwhile"] = options()
    gdal.SetConfigOption("GIQ_FETCH", None)
    QgsSettings().setValue("giq/guard", False)
    found["off"] = start()
    assert unloadPlugin("giq")
    QgsSettings().setValue("giq/guard", True)
    gdal.SetConfigOption("GIQ_TIMEOUT", "60")
    found["typed"] = start()
    assert unloadPlugin("giq")
    found["after typed"] = options()
    return found
"""


def test_typed_strings_start_nothing_and_say_what_to_do(desktop, client):  # noqa: F811
    found = desktop.run(GUARD, VECTOR, RASTER)
    assert client.calls() == []
    assert found["guarded"] == ["NO", "0", "NO"] and found["added"] == [True, True]
    assert len(found["bars"]) == 1
    assert "Toolbox > gIQ > Run a model" in found["bars"][0]
    assert len([text for text in found["log"] if "giq/guard turns this off" in text]) == 1
    assert found["unloaded"] == ["IF_MISSING", None, None]
    assert found["again"] == ["NO", "0", "NO"]
    assert found["set meanwhile"] == ["IF_MISSING", None, "YES"]
    assert found["off"] == ["IF_MISSING", None, None]
    assert found["typed"] == ["NO", "60", "NO"]
    assert found["after typed"] == ["IF_MISSING", "60", None]


OWN = """
from desktop_session import *
from osgeo import gdal
from giq import guard
from qgis.utils import startPlugin, loadPlugin, unloadPlugin

def work(scene):
    request = {"MODEL": "water", "FILE": scene}
    found = {"lifted": guard.lifted()}
    gdal.SetConfigOption("GIQ_SUBMIT", "NO")
    found["own"] = guard.lifted()
    try:
        processing.run("giq:run", request)
    except Exception as error:
        found["error"] = str(error)
    assert unloadPlugin("giq")
    found["kept"] = gdal.GetConfigOption("GIQ_SUBMIT")
    gdal.SetConfigOption("GIQ_SUBMIT", None)
    assert loadPlugin("giq") and startPlugin("giq")
    found["job"] = processing.run("giq:run", request)["JOB"]
    return found
"""


def test_option_that_the_user_sets_after_the_guard_is_not_lifted(desktop, client):  # noqa
    """Even to the value that the guard has set."""
    found = desktop.run(OWN, SCENE)
    others = {"GIQ_TIMEOUT": "3600", "GIQ_FETCH": "YES"}
    assert found["lifted"] == {"GIQ_SUBMIT": "IF_MISSING", **others}
    assert found["own"] == others and found["kept"] == "NO"
    assert found["error"].startswith("GIQ[usage]") and "SUBMIT=NO" in found["error"]
    [run] = client.paid()
    assert found["job"] == run["job"]


MARKUP = """
from desktop_session import *
from qgis.core import QgsVectorLayer
from qgis.PyQt.QtWidgets import QPushButton

def work():
    project = QgsProject.instance()
    project.addMapLayer(QgsVectorLayer("GIQ:job=<img src=x>", "a job", "ogr"))
    assert project.write("markup.qgs")
    iface.messageBar().clearWidgets()
    assert project.read("markup.qgs")
    [button] = [b for item in iface.messageBar().items()
                for b in item.findChildren(QPushButton) if b.text() == "Fetch"]
    button.click()
    return wait(lambda: [text for text in bars() if "could not be fetched" in text], "a bar")
"""


def test_markup_in_the_error_of_a_fetch_is_text_in_its_bar(desktop, client):  # noqa: F811
    """A project that somebody else has written may name any job."""
    [bar] = desktop.run(MARKUP)
    assert bar.startswith("The result of the job &lt;img src=x&gt; could not be fetched: GIQ[")
    assert "<" not in bar


PROJECTS = """
from desktop_session import *
from osgeo import gdal
from unittest.mock import ANY
from qgis.core import QgsRasterLayer, QgsVectorLayer
from qgis.PyQt.QtWidgets import QPushButton
from qgis.utils import startPlugin, loadPlugin, unloadPlugin

project = QgsProject.instance()

def work(journal, empty, raster, *jobs):
    def calls():
        return [json.loads(line)["path"].rsplit("/", 1)[-1] for line in open(journal)]
    def read(path):
        iface.messageBar().clearWidgets()
        before, began = len(calls()), time.monotonic()
        project.clear()
        assert project.read(path)
        took = time.monotonic() - began
        QApplication.processEvents()
        return {"calls": calls()[before:], "bars": bars(), "layers": layers(), "took": took}
    for job in jobs:
        processing.runAndLoadResults("giq:fetch", {"JOB": job})
    assert len(layers()) == 2, layers()
    kept = {layer.name(): layer.customProperty("giq/job")
            for layer in project.mapLayers().values()}
    assert project.write("saved.qgs")
    found = {"full": read("saved.qgs")}
    found["kept"] = kept == {layer.name(): layer.customProperty("giq/job")
                             for layer in project.mapLayers().values()}
    full = gdal.GetConfigOption("GIQ_STORE_DIR")
    gdal.SetConfigOption("GIQ_STORE_DIR", empty)
    found["empty"] = read("saved.qgs")
    assert unloadPlugin("giq")
    found["unloaded"] = bars()
    assert loadPlugin("giq") and startPlugin("giq")
    assert read("saved.qgs") == {**found["empty"], "took": ANY}
    grab(iface.mainWindow(), "fetch.png")
    before = len(calls())
    [button] = [b for item in iface.messageBar().items()
                for b in item.findChildren(QPushButton) if b.text() == "Fetch"]
    button.click()
    wait(lambda: all(valid for _, _, valid in layers()), "the fetched layers")
    found["fetched"] = {"calls": sorted(calls()[before:]), "layers": layers(),
                        "bars": bars()}
    project.clear()
    project.addMapLayers([QgsRasterLayer(f"{raster};rerun={i}", f"r{i}", "gdal")
                          for i in range(8)])
    assert project.write("eight.qgs")
    found["eight"] = read("eight.qgs")
    return found
"""


def test_projects_start_nothing_and_offer_to_fetch(desktop, client):  # noqa: F811
    client.run("ogrinfo", VECTOR)
    client.run("gdalinfo", RASTER)
    jobs = [run["job"] for run in client.paid()]
    found = desktop.run(PROJECTS, client.sandbox.state / "journal.jsonl",
                        client.folder / "empty", RASTER, *jobs)
    assert len(client.paid()) == 2
    sources = sorted(f"GIQ:job={job}" for job in jobs)
    for state, valid in (("full", True), ("empty", False), ("fetched", True)):
        assert sorted(layer[1:] for layer in found[state]["layers"]) == [
            [source, valid] for source in sources], state
    assert found["kept"]
    assert found["full"]["calls"] == found["empty"]["calls"] == []
    assert found["full"]["bars"] == []
    assert [text for text in found["empty"]["bars"] if "Fetching them is not billed" in text] \
        == ["The results of 2 gIQ jobs are not in your store. Fetching them is not billed."]
    assert found["unloaded"] == []
    # Of each job one look and one download.
    assert found["fetched"]["calls"] == 2 * ["download"] + 2 * ["status"]
    assert found["eight"]["calls"] == []
    assert len([text for text in found["eight"]["bars"] if "Run a model" in text]) == 1
    assert [layer[2] for layer in found["eight"]["layers"]] == [False] * 8
    print(f"a project of eight layers opens in {found['eight']['took']:.2f} s")
