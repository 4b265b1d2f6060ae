"""The tables of the plugin as the desktop of QGIS draws them."""
from conftest import AREA, VECTOR
from desktop_kit import desktop, screen  # noqa: F401

BAD_ID = "x'\"}); raise SystemExit(\\"
TABLES = """
from desktop_session import *
from qgis.core import QgsFeature, QgsRenderContext, QgsVectorLayer
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime

BAD_ID = """ + repr(BAD_ID) + """

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
                cost = widget.findChild(QLabel, "giqCost").text()
                if not cost:
                    return
                found.append(widget.mainWidget().wrappers["FILE"].parameterValue())
                found.append(cost)
                widget.close()
    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(50)
    [action] = layer.actions().actions()
    feature = next(layer.getFeatures())
    context = layer.createExpressionContext()
    context.setFeature(feature)
    layer.actions().doAction(action.id(), feature, context)
    timer.stop()
    return [action.name(), found, feature["file_id"]]

def dated():
    "Footprints of three days, with an id that no service should have."
    from giq import styles
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326&field=file_id:string&"
                           "field=datetime:datetime", "dated", "memory")
    for day in (1, 11, 21):
        feature = QgsFeature(layer.fields())
        feature["file_id"] = BAD_ID
        feature["datetime"] = QDateTime(QDate(2024, 5, day), QTime(12, 0), Qt.UTC)
        layer.dataProvider().addFeature(feature)
    styles.of_files(layer).postProcessLayer(layer, None, None)
    renderer = layer.renderer()
    return [renderer.type(), fills(renderer), [r.label() for r in renderer.ranges()][::4],
            run_action(layer)[1][0] == BAD_ID]

def threads():
    "Whether the thread of the window makes the symbols, of algorithms run from dialogs."
    import threading
    from giq import styles
    make, seen = styles._outline, []
    def noted(*arguments):
        seen.append(threading.current_thread() is threading.main_thread())
        return make(*arguments)
    styles._outline = noted
    types = []
    for name in ("jobs", "files"):
        dialog = open_dialog("giq:" + name, {"OUTPUT": "memory:"})
        before = set(QgsProject.instance().mapLayers())
        ends = press_run(dialog)
        wait(lambda: ends and set(QgsProject.instance().mapLayers()) - before, "the layer")
        dialog.close()
        [made] = set(QgsProject.instance().mapLayers()) - before
        types.append(QgsProject.instance().mapLayer(made).renderer().type())
    styles._outline = make
    return [seen, types]

def work():
    found = {"threads": threads()}
    for name in ("jobs", "files"):
        layer = layer_of("giq:" + name)
        renderer = layer.renderer()
        found[name] = [renderer.type(), fills(renderer), layer.featureCount()]
        iface.setActiveLayer(layer)
        iface.zoomToActiveLayer()
        iface.mapCanvas().waitWhileRendering()
        grab(iface.mainWindow(), name + ".png")
    found["action"] = run_action(layer)
    found["dated"] = dated()
    found["models"] = layer_of("giq:models").featureCount() > 0
    return found
"""


def test_jobs_and_files_are_styled_and_a_file_runs_a_model(desktop, client):  # noqa: F811
    client.run("ogrinfo", VECTOR, "-oo", f"GEOMETRY={AREA}")
    client.run("ogrinfo", f"{VECTOR};rerun=2;wait=no", "-oo", f"GEOMETRY={AREA}")
    found = desktop.run(TABLES)
    assert found["jobs"] == ["categorizedSymbol", [60], 2]
    assert found["files"][0] == "singleSymbol" and found["files"][1] == [60]
    assert found["threads"] == [[False] * 3, ["categorizedSymbol", "singleSymbol"]]
    name, dialog, file_id = found["action"]
    assert name == "Run a model on this file"
    assert dialog == [file_id, "“Model” has no valid value."]
    assert found["dated"] == ["graduatedSymbol", [60],
                              ["2024-05-01 to 2024-05-05", "2024-05-17 to 2024-05-21"], True]
    assert found["models"] and len(client.paid()) == 2
