"""Styles of the tables: jobs by their state, footprints by their date."""
from __future__ import annotations

from datetime import datetime, timezone
from typing import Callable, Optional

from qgis.core import (QgsAction, QgsCategorizedSymbolRenderer, QgsClassificationQuantile,
                       QgsFeatureRenderer, QgsFillSymbol, QgsGradientColorRamp,
                       QgsGraduatedSymbolRenderer, QgsProcessingContext,
                       QgsProcessingFeedback,
                       QgsProcessingLayerPostProcessorInterface, QgsRendererCategory,
                       QgsSingleSymbolRenderer, QgsVectorLayer)
from qgis.PyQt import sip
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


def _by_state(table: QgsVectorLayer) -> QgsFeatureRenderer:
    found = table.uniqueValues(table.fields().lookupField("state"))
    categories = [QgsRendererCategory(state, _outline(color), state)
                  for state, color in STATES if state in found]
    return QgsCategorizedSymbolRenderer("state", categories)


# JSON of strings is Python too, whatever a service has put into an id.
RUN_ACTION = """from qgis import processing
[file] = [% to_json(array(coalesce("file_id", ''))) %]
processing.execAlgorithmDialog("giq:run", {"FILE": file})"""


def _text_of(epoch_ms: float) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, timezone.utc).strftime("%Y-%m-%d")


def _by_epoch(table: QgsVectorLayer) -> QgsFeatureRenderer:
    """A colour for each fifth of the footprints, from old to new."""
    renderer = QgsGraduatedSymbolRenderer('epoch("datetime")')
    renderer.setSourceSymbol(_outline(OLDEST))
    renderer.setClassificationMethod(QgsClassificationQuantile())
    renderer.updateClasses(table, CLASSES)
    ramp = QgsGradientColorRamp(QColor(OLDEST), QColor(NEWEST))
    ranges = renderer.ranges()
    for i, part in enumerate(ranges):
        color = ramp.color(i / max(len(ranges) - 1, 1))
        renderer.updateRangeSymbol(i, _outline(color.name()))
        renderer.updateRangeLabel(i, f"{_text_of(part.lowerValue())} to "
                                     f"{_text_of(part.upperValue())}")
    return renderer


def _by_date(table: QgsVectorLayer) -> QgsFeatureRenderer:
    """Footprints from old to new."""
    dates = table.uniqueValues(table.fields().lookupField("datetime"), CLASSES)
    return (_by_epoch(table) if len(dates) > 1
            else QgsSingleSymbolRenderer(_outline(OLDEST)))


def _add_action(layer: QgsVectorLayer) -> None:
    """An action that runs a model on a footprint."""
    action = QgsAction(QgsAction.ActionType.GenericPython, "Run a model on this file",
                       RUN_ACTION, False)
    action.setActionScopes({"Feature", "Canvas", "Form"})
    layer.actions().addAction(action)


# QGIS calls them after the algorithm is gone, keeps no reference, and deletes them with the
# context of the run: no two runs can share one.
_stylers: list["Styler"] = []


class Styler(QgsProcessingLayerPostProcessorInterface):
    """Styles a layer when it is added, in the thread of the window: without reading its
    features, which a renderer was made from before."""

    def __init__(self, renderer: QgsFeatureRenderer,
                 complete: Optional[Callable[[QgsVectorLayer], None]] = None):
        super().__init__()
        self._renderer = renderer
        self._complete = complete
        _stylers[:] = [one for one in _stylers if not sip.isdeleted(one)] + [self]

    def postProcessLayer(self, layer: QgsVectorLayer, context: QgsProcessingContext,
                         feedback: QgsProcessingFeedback) -> None:
        if isinstance(layer, QgsVectorLayer) and layer.isSpatial():
            layer.setRenderer(self._renderer.clone())
            if self._complete is not None:
                self._complete(layer)
            layer.triggerRepaint()


# Makes a styler from a table with the rows of the layer, in the thread of the algorithm.
Style = Callable[[QgsVectorLayer], Styler]


def of_jobs(table: QgsVectorLayer) -> Styler:
    return Styler(_by_state(table))


def of_files(table: QgsVectorLayer) -> Styler:
    return Styler(_by_date(table), _add_action)
