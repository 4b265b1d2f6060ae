"""Draws the pictures of QGIS in the README, from a real desktop with a service of its own:

    /usr/bin/python3 tests/qgis_pictures.py     # build/qgis-run.png and build/qgis-map.png

Needs a build, qgis and xvfb. Look at them before they replace those in data/."""
import pathlib
import shutil
import sys
import tempfile

from osgeo import ogr

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "clients"), str(ROOT / "tests" / "kit")]

from conftest import Client  # noqa: E402
from desktop_kit import Desktop, start_screen  # noqa: E402
from programs import DATA, SCENE, Sandbox  # noqa: E402

SCRIPT = """
from desktop_session import *
from qgis.core import QgsFillSymbol, QgsRasterLayer, QgsSingleSymbolRenderer, QgsVectorLayer
from qgis.PyQt.QtGui import QImage
from qgis.PyQt.QtWidgets import QDockWidget

def picture(widget, path):
    "A small PNG: of fewer colours than a screen has."
    grab(widget, path)
    QImage(path).convertToFormat(QImage.Format.Format_RGB16).convertToFormat(
        QImage.Format.Format_RGB888).save(path, "PNG", 0)

def work(scene, path, area):
    project = QgsProject.instance()
    project.addMapLayer(QgsRasterLayer(path, "Landsat 7", "gdal"))
    coast = QgsVectorLayer(area, "coast", "ogr")
    assert coast.isValid()
    project.addMapLayer(coast)
    window = iface.mainWindow()
    for dock in window.findChildren(QDockWidget):
        dock.setVisible(dock.objectName() == "Layers")
    window.resize(800, 480)
    dialog = open_dialog("giq:run", {"MODEL": "water", "FILE": scene, "AREA": coast.id()})
    dialog.resize(700, 500)
    assert "46.045 km" in cost_of(dialog)
    picture(dialog, "qgis-run.png")
    ends = press_run(dialog)
    wait(lambda: ends, "the end")
    dialog.close()
    project.removeMapLayer(coast.id())
    water = project.mapLayersByName("water – " + scene)[0]
    water.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(
        {"color": "#4292c6", "outline_color": "#08519c"})))
    processing.runAndLoadResults("giq:jobs", {"OUTPUT": "memory:"})
    iface.setActiveLayer(project.mapLayersByName("Jobs")[0])
    iface.zoomToActiveLayer()
    iface.mapCanvas().zoomByFactor(1.2)
    iface.mapCanvas().waitWhileRendering()
    picture(window, "qgis-map.png")
    return layers()
"""


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sandbox = Sandbox(folder / "sandbox", "--job-seconds", "0")
        try:
            client = Client(folder, sandbox)
            shape = ogr.CreateGeometryFromWkt((DATA / "coast.wkt").read_text())
            (folder / "coast.geojson").write_text(shape.ExportToJson())
            with start_screen(folder) as screen:
                Desktop(client, screen).run(SCRIPT, SCENE, DATA / SCENE,
                                            folder / "coast.geojson")
            for picture in ("qgis-run.png", "qgis-map.png"):
                shutil.copy(folder / picture, ROOT / "build")
        finally:
            sandbox.stop()


main()
