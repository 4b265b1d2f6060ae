"""Styles of the tables: jobs by their state, footprints by their date."""
from __future__ import annotations

from datetime import datetime, timezone
from typing import Callable

from qgis.core import (QgsAction, QgsCategorizedSymbolRenderer, QgsClassificationQuantile,
                       QgsFillSymbol, QgsGradientColorRamp, QgsGraduatedSymbolRenderer,
                       QgsProcessingContext, QgsProcessingFeedback,
                       QgsProcessingLayerPostProcessorInterface, QgsRendererCategory,
                       QgsSingleSymbolRenderer, QgsVectorLayer)
from qgis.PyQt.QtGui import QColor

STATES = (("published", "#1a9850"), ("succeeded", "#91cf60"), ("submitted", "#4575b4"),
          ("sending", "#74add1"), ("intent", "#bdbdbd"), ("not submitted", "#bdbdbd"),
          ("failed", "#d73027"), ("unknown", "#f46d43"), ("gone", "#762a83"),
          ("damaged", "#000000"))
FILL_ALPHA = 60
OLDEST, NEWEST, CLASSES = "#3366aa", "#e6ab02", 5


def _outline(color: str) -> QgsFillSymbol:
    symbol = QgsFillSymbol.createSimple({"outline_color": color, "outline_width": "0.5"})
    fill = QColor(color)
    fill.setAlpha(FILL_ALPHA)
    symbol.setColor(fill)
    return symbol


def by_state(layer: QgsVectorLayer) -> None:
    found = layer.uniqueValues(layer.fields().lookupField("state"))
    categories = [QgsRendererCategory(state, _outline(color), state)
                  for state, color in STATES if state in found]
    layer.setRenderer(QgsCategorizedSymbolRenderer("state", categories))


# JSON of strings is Python too, whatever a service has put into an id.
RUN_ACTION = """from qgis import processing
[file] = [% to_json(array(coalesce("file_id", ''))) %]
processing.execAlgorithmDialog("giq:run", {"FILE": file})"""


def _text_of(epoch_ms: float) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, timezone.utc).strftime("%Y-%m-%d")


def _by_epoch(layer: QgsVectorLayer) -> QgsGraduatedSymbolRenderer:
    """A colour for each fifth of the footprints, from old to new."""
    renderer = QgsGraduatedSymbolRenderer('epoch("datetime")')
    renderer.setSourceSymbol(_outline(OLDEST))
    renderer.setClassificationMethod(QgsClassificationQuantile())
    renderer.updateClasses(layer, CLASSES)
    ramp = QgsGradientColorRamp(QColor(OLDEST), QColor(NEWEST))
    ranges = renderer.ranges()
    for i, part in enumerate(ranges):
        color = ramp.color(i / max(len(ranges) - 1, 1))
        renderer.updateRangeSymbol(i, _outline(color.name()))
        renderer.updateRangeLabel(i, f"{_text_of(part.lowerValue())} to "
                                     f"{_text_of(part.upperValue())}")
    return renderer


def by_date(layer: QgsVectorLayer) -> None:
    """Footprints from old to new, and an action that runs a model on one of them."""
    dates = layer.uniqueValues(layer.fields().lookupField("datetime"), CLASSES)
    if len(dates) > 1:
        layer.setRenderer(_by_epoch(layer))
    else:
        layer.setRenderer(QgsSingleSymbolRenderer(_outline(OLDEST)))
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
