"""What scripts that run within QGIS share: layers with a style of their own, pictures of
them, and what QGIS wrote to its message log."""
import os

from qgis.core import (QgsApplication, QgsErrorMessage, QgsFillSymbol,
                       QgsMapRendererParallelJob, QgsMapSettings, QgsRasterLayer,
                       QgsRectangle, QgsSingleSymbolRenderer, QgsVectorLayer)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

application = QgsApplication([], False)
application.initQgis()
messages = []
QgsApplication.messageLog().messageReceived.connect(
    lambda text, tag, level: messages.append(text))

SCENE = QgsRectangle(288000, 9110000, 299000, 9121000)
PIXELS = QSize(440, 440)


def vector(name):
    """A layer of red polygons: QGIS would draw lots for the colour."""
    layer = QgsVectorLayer(name, "vector", "ogr")
    assert layer.isValid(), messages
    symbol = QgsFillSymbol.createSimple({"color": "red", "outline_style": "no"})
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    return layer


def raster(name):
    layer = QgsRasterLayer(name, "raster", "gdal")
    assert layer.isValid(), words(layer)
    return layer


def words(layer):
    """The text of the layer's error. Not summary(), which crashes where there
    is none."""
    return layer.error().message(QgsErrorMessage.Text)


def draw(layers, path):
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(layers[0].crs())
    settings.setExtent(SCENE)
    settings.setOutputSize(PIXELS)
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    assert not job.errors(), [error.message for error in job.errors()]
    assert job.renderedImage().save(path)


def finish():
    """End the script. QGIS crashes at an orderly exit while Python holds a layer, of
    whatever kind."""
    print(end="", flush=True)
    os._exit(0)
