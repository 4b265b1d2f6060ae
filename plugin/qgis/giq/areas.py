"""An area or an extent of QGIS as a key of the connection string."""
from __future__ import annotations

import os
from typing import Any, Callable, Iterator, Optional

from qgis.core import (QgsCoordinateReferenceSystem, QgsCoordinateTransformContext,
                       QgsFeature, QgsFeatureRequest, QgsFeatureSink, QgsFields, QgsGeometry,
                       QgsMapLayer, QgsProcessingContext, QgsProcessingException,
                       QgsProcessingFeatureSource,
                       QgsProcessingFeatureSourceDefinition, QgsProcessingUtils,
                       QgsRectangle, QgsVectorFileWriter, QgsVectorLayer,
                       QgsVectorLayerFeatureSource, QgsWkbTypes)

from .opening import Cancelled

DEGREES = "EPSG:4326"
# The driver checks areas, and its errors state what is wrong with them.
_AS_THEY_ARE = QgsProcessingFeatureSource.Flag.FlagSkipGeometryValidityChecks


def _write_error(path: str, writer: QgsVectorFileWriter) -> QgsProcessingException:
    return QgsProcessingException(
        f"The features could not be written to {path}: {writer.errorMessage()}")


def write_features(source: QgsProcessingFeatureSource, fields: QgsFields, attributes=None,
                   is_cancelled=lambda: False) -> tuple[str, int]:
    """Write the features of a source into a temporary GeoPackage, in their own coordinate
    system. Returns its path and the number of features. `attributes` makes those of `fields`
    from a feature."""
    path = QgsProcessingUtils.generateTempFilename("giq.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    options.layerName = "rows"
    writer = QgsVectorFileWriter.create(path, fields, source.wkbType(), source.sourceCrs(),
                                        QgsCoordinateTransformContext(), options)
    if writer.hasError() != QgsVectorFileWriter.WriterError.NoError:
        raise _write_error(path, writer)
    count = 0
    for feature in source.getFeatures(QgsFeatureRequest(), _AS_THEY_ARE):
        if is_cancelled():
            break
        copy = QgsFeature(fields)
        copy.setGeometry(feature.geometry())
        if attributes is not None:
            copy.setAttributes(attributes(feature))
        if not writer.addFeature(copy, QgsFeatureSink.Flag.FastInsert):
            raise _write_error(path, writer)
        count += 1
    del writer
    return path, count


def of_source(source: Any, is_cancelled: Callable[[], bool]) -> str:
    """Write the source's polygons into a temporary dataset; returns its path."""
    if QgsWkbTypes.geometryType(source.wkbType()) != QgsWkbTypes.GeometryType.PolygonGeometry:
        raise QgsProcessingException("AREA must be a layer of polygons.")
    path, count = write_features(source, QgsFields(), is_cancelled=is_cancelled)
    if is_cancelled() or count == 0:
        os.remove(path)
        if is_cancelled():
            raise Cancelled()
        raise QgsProcessingException("AREA has no features (or none is selected).")
    return path


def loaded_layer(value: Any, context: QgsProcessingContext) -> Optional[QgsMapLayer]:
    """The layer that a value of a feature source names; None if it is not loaded, as for a
    file."""
    if isinstance(value, QgsProcessingFeatureSourceDefinition):
        value = value.source.staticValue()
    if isinstance(value, QgsMapLayer):
        return value
    return QgsProcessingUtils.mapLayerFromString(str(value or ""), context, False)


class Snapshot:
    """What write_features() needs of the features that the value of a parameter selects
    from a layer. Made in the thread of the layer, it can be read in any other."""

    def __init__(self, layer: QgsVectorLayer, value: Any):
        self._source = QgsVectorLayerFeatureSource(layer)
        self._type, self._crs = layer.wkbType(), layer.crs()
        self._request = QgsFeatureRequest()
        self._ids: Optional[set[int]] = None
        self._limit = -1
        if isinstance(value, QgsProcessingFeatureSourceDefinition):
            if value.selectedFeaturesOnly:
                self._ids = set(layer.selectedFeatureIds())
            self._limit = value.featureLimit
            filter_text = getattr(value, "filterExpression", "")  # since QGIS 3.32
            if filter_text:
                self._request.setFilterExpression(filter_text)
                self._request.setExpressionContext(layer.createExpressionContext())

    def wkbType(self):
        return self._type

    def sourceCrs(self) -> QgsCoordinateReferenceSystem:
        return self._crs

    def getFeatures(self, _request: Any, _flags: Any) -> Iterator[QgsFeature]:
        count = 0
        for feature in self._source.getFeatures(self._request):
            if count == self._limit:
                return
            if self._ids is None or feature.id() in self._ids:
                count += 1
                yield feature


class _Rectangle:
    """The same of a rectangle."""

    def __init__(self, rectangle: QgsRectangle, crs: QgsCoordinateReferenceSystem):
        self._rectangle = rectangle
        self._crs = crs

    def wkbType(self):
        return QgsWkbTypes.Type.Polygon

    def sourceCrs(self) -> QgsCoordinateReferenceSystem:
        return self._crs

    def getFeatures(self, _request: Any, _flags: Any) -> list[QgsFeature]:
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromRect(self._rectangle))
        return [feature]


def of_extent(rectangle: QgsRectangle, crs: QgsCoordinateReferenceSystem
              ) -> dict[str, Optional[str]]:
    """A rectangle in degrees is a bbox, with the same key as a typed one; in another
    coordinate system it is transformed by the driver, like any area."""
    if rectangle.isEmpty():
        raise QgsProcessingException("EXTENT is empty.")
    if crs.authid() == DEGREES or not crs.isValid():
        numbers = (rectangle.xMinimum(), rectangle.yMinimum(), rectangle.xMaximum(),
                   rectangle.yMaximum())
        return {"bbox": ",".join(repr(n) for n in numbers)}
    path, _ = write_features(_Rectangle(rectangle, crs), QgsFields())
    return {"aoi": path}
