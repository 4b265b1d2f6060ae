"""Layers of results: their names, sources and where they come from."""
from __future__ import annotations

from typing import Any

from osgeo import gdal
from qgis.core import (QgsLayerMetadata, QgsMapLayer, QgsProcessingContext, QgsRasterLayer,
                       QgsVectorLayer)

from .jobs import Member

# Columns of the table of jobs that are kept with a layer. Neither a key nor an area is
# among them: a project file is passed on.
KEPT = (("job_id", "giq/job"), ("model_id", "giq/model"), ("file_id", "giq/file"),
        ("area_km2", "giq/area_km2"), ("label", "giq/label"),
        ("submitted_at", "giq/submitted"), ("finished_at", "giq/finished"))


def service() -> str:
    return gdal.GetConfigOption("GIQ_BASE_URL") or "https://giq.ae/public"


def provenance(row: dict[str, Any]) -> dict[str, str]:
    """The custom properties of a layer."""
    kept = {name: str(row[column]) for column, name in KEPT if row.get(column) is not None}
    return {**kept, "giq/service": service()}


def _describe(layer: QgsMapLayer, title: str, kept: dict[str, str]) -> None:
    for name, value in kept.items():
        layer.setCustomProperty(name, value)
    metadata = QgsLayerMetadata(layer.metadata())
    metadata.setTitle(title)
    metadata.setType("dataset")
    metadata.setAbstract("Result of the job {giq/job} of the service {giq/service}".format(
        **{"giq/job": "?", **kept}))
    metadata.setHistory([f"{name[4:]}: {value}" for name, value in kept.items()])
    layer.setMetadata(metadata)


def title_of(row: dict[str, Any], member: str = "") -> str:
    """A name that a reader of the layer tree recognises."""
    upload = row.get("upload")
    what = upload.rsplit("/", 1)[-1] if upload else row.get("file_id")
    parts = [row.get("model_id"), what, row.get("label"), member]
    return " – ".join(str(part) for part in parts if part) or str(row.get("job_id"))


def make(members: list[Member], row: dict[str, Any]) -> list[QgsMapLayer]:
    """A layer for each dataset of a result, and for each of its vector layers."""
    made: list[QgsMapLayer] = []
    for member in members:
        named = member.name if len(members) > 1 else ""
        if member.is_raster:
            made.append(_layer(QgsRasterLayer(member.source, title_of(row, named), "gdal"),
                               row, named))
        for name in member.layers:
            several = len(member.layers) > 1
            source = f"{member.source}|layername={name}" if several else member.source
            title = named or (name if several else "")
            made.append(_layer(QgsVectorLayer(source, title_of(row, title), "ogr"), row,
                               title))
    return made


def _layer(layer: QgsMapLayer, row: dict[str, Any], member: str) -> QgsMapLayer:
    _describe(layer, title_of(row, member), provenance(row))
    return layer


def load(layer: QgsMapLayer, context: QgsProcessingContext, output: str) -> str:
    """Have QGIS add the layer when the algorithm has ended. A string could not be loaded
    by QGIS 3.22, so the layer itself is stored."""
    context.temporaryLayerStore().addMapLayer(layer)
    project = context.project()
    if project is not None:
        details = QgsProcessingContext.LayerDetails(layer.name(), project, output)
        context.addLayerToLoadOnCompletion(layer.id(), details)
    return layer.id()


def load_all(made: list[QgsMapLayer], context: QgsProcessingContext) -> dict[str, str]:
    """Have QGIS add the layers; the outputs VECTOR and RASTER, the first of each kind."""
    results: dict[str, str] = {}
    for layer in made:
        output = "RASTER" if isinstance(layer, QgsRasterLayer) else "VECTOR"
        layer_id = load(layer, context, output)
        results.setdefault(output, layer_id)
    return results


def of_batch(source: str) -> QgsMapLayer:
    """The layer of all results of a batch: a file of the store, whose sources start no
    job."""
    vector = QgsVectorLayer(source, "gIQ batch", "ogr")
    layer = vector if vector.isValid() else QgsRasterLayer(source, "gIQ batch", "gdal")
    _describe(layer, layer.name(), {"giq/service": service()})
    return layer
