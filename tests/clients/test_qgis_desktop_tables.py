"""The tables of the plugin as the desktop of QGIS draws them."""
from conftest import AREA, SCENE, VECTOR
from desktop_kit import desktop, screen  # noqa: F401

TABLES = """
from desktop_session import *
from qgis.core import QgsRenderContext

def layer_of(algorithm, **given):
    before = set(QgsProject.instance().mapLayers())
    processing.runAndLoadResults(algorithm, {"OUTPUT": "memory:", **given})
    [made] = set(QgsProject.instance().mapLayers()) - before
    return QgsProject.instance().mapLayer(made)

def fills(renderer):
    "The transparencies of its fills."
    return sorted({symbol.color().alpha() for symbol in
                   renderer.symbols(QgsRenderContext())})

def run_action(layer):
    "The FILE of the dialog that the action of a footprint opens."
    found = []
    def look():
        for widget in QApplication.topLevelWidgets():
            if widget.isVisible() and hasattr(widget, "algorithm"):
                found.append(widget.createProcessingParameters()["FILE"])
                widget.close()
    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(50)
    [action] = layer.actions().actions()
    layer.actions().doAction(action.id(), next(layer.getFeatures()),
                             layer.createExpressionContext())
    timer.stop()
    return [action.name(), found[0], next(layer.getFeatures())["file_id"]]

def work():
    found = {}
    for name in ("jobs", "files"):
        layer = layer_of("giq:" + name)
        renderer = layer.renderer()
        found[name] = [renderer.type(), fills(renderer), layer.featureCount()]
        if name == "files":
            found["labels"] = [r.label() for r in getattr(renderer, "ranges", list)()]
            found["dates"] = [str(f["datetime"]) for f in layer.getFeatures()]
        iface.setActiveLayer(layer)
        iface.zoomToActiveLayer()
        iface.mapCanvas().waitWhileRendering()
        grab(iface.mainWindow(), name + ".png")
    found["action"] = run_action(layer)
    found["models"] = layer_of("giq:models").featureCount() > 0
    return found
"""


def test_jobs_and_files_are_styled_and_a_file_runs_a_model(desktop, client):  # noqa: F811
    client.run("ogrinfo", VECTOR, "-oo", f"GEOMETRY={AREA}")
    client.run("ogrinfo", f"{VECTOR};rerun=2;wait=no", "-oo", f"GEOMETRY={AREA}")
    found = desktop.run(TABLES)
    print(found)
    assert found["jobs"] == ["categorizedSymbol", [60], 2]
    assert found["files"][0] == "singleSymbol" and found["files"][1] == [60]
    assert found["action"] == ["Run a model on this file", SCENE, SCENE]
    assert found["models"] and len(client.paid()) == 2
