"""Styles of the tables: jobs by their state, footprints by their date."""
from __future__ import annotations

from typing import Callable

from qgis.core import (QgsAction, QgsCategorizedSymbolRenderer, QgsFillSymbol,
                       QgsGraduatedSymbolRenderer, QgsProcessingContext,
                       QgsProcessingFeedback, QgsProcessingLayerPostProcessorInterface,
                       QgsRendererCategory, QgsSingleSymbolRenderer, QgsStyle,
                       QgsVectorLayer)

STATES = (("published", "#1a9850"), ("succeeded", "#91cf60"), ("submitted", "#4575b4"),
          ("sending", "#74add1"), ("intent", "#bdbdbd"), ("not submitted", "#bdbdbd"),
          ("failed", "#d73027"), ("unknown", "#f46d43"), ("gone", "#762a83"),
          ("damaged", "#000000"))
FILL_ALPHA = 60


def _outline(color: str) -> QgsFillSymbol:
    symbol = QgsFillSymbol.createSimple({"outline_color": color, "outline_width": "0.5"})
    fill = symbol.color()
    fill.setNamedColor(color)
    fill.setAlpha(FILL_ALPHA)
    symbol.setColor(fill)
    return symbol


def by_state(layer: QgsVectorLayer) -> None:
    found = layer.uniqueValues(layer.fields().lookupField("state"))
    categories = [QgsRendererCategory(state, _outline(color), state)
                  for state, color in STATES if state in found]
    layer.setRenderer(QgsCategorizedSymbolRenderer("state", categories))


# A JSON string is one of Python too, whatever a service has put into an id.
RUN_ACTION = """from qgis import processing
processing.execAlgorithmDialog("giq:run", {"FILE": [% to_json("file_id") %]})"""


def by_date(layer: QgsVectorLayer) -> None:
    """Footprints from old to new, and an action that runs a model on one of them."""
    ramp = QgsStyle.defaultStyle().colorRamp("Viridis")
    renderer = QgsGraduatedSymbolRenderer('epoch("datetime")')
    renderer.setSourceSymbol(_outline("#3366aa"))
    if ramp is not None and layer.featureCount() > 1:
        renderer.setSourceColorRamp(ramp)
        renderer.updateClasses(layer, QgsGraduatedSymbolRenderer.Mode.Quantile, 5)
    if renderer.ranges():
        layer.setRenderer(renderer)
    else:
        layer.setRenderer(QgsSingleSymbolRenderer(_outline("#3366aa")))
    action = QgsAction(QgsAction.ActionType.GenericPython, "Run a model on this file",
                       RUN_ACTION, False)
    action.setActionScopes({"Feature", "Canvas", "Form"})
    layer.actions().addAction(action)


class Styler(QgsProcessingLayerPostProcessorInterface):
    """Styles a layer when it is added, in the thread of the window."""

    def __init__(self, style: Callable[[QgsVectorLayer], None]):
        super().__init__()
        self._style = style

    def postProcessLayer(self, layer: QgsVectorLayer, context: QgsProcessingContext,
                         feedback: QgsProcessingFeedback) -> None:
        if isinstance(layer, QgsVectorLayer) and layer.isSpatial():
            self._style(layer)
            layer.triggerRepaint()


# QGIS keeps no reference, and calls them after the algorithm is gone.
JOBS = Styler(by_state)
FILES = Styler(by_date)
