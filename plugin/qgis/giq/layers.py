"""Layers of results: their names, sources and where they come from."""
from __future__ import annotations

from html import escape
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


def _describe(layer: QgsMapLayer, kept: dict[str, str]) -> QgsMapLayer:
    """Give a layer its provenance, and have it find its extent, for which many formats are
    read from end to end: here, rather than in the thread of the window."""
    layer.extent()
    for name, value in kept.items():
        layer.setCustomProperty(name, value)
    metadata = QgsLayerMetadata(layer.metadata())
    # QGIS shows these texts, some of which are of the service, as HTML.
    metadata.setTitle(escape(layer.name(), quote=False))
    metadata.setType("dataset")
    what = f"job {kept['giq/job']}" if "giq/job" in kept else "a batch of jobs"
    metadata.setAbstract(
        escape(f"Result of {what} of the service {kept['giq/service']}", quote=False))
    metadata.setHistory([escape(f"{name[4:]}: {value}", quote=False)
                         for name, value in kept.items()])
    layer.setMetadata(metadata)
    return layer


def title_of(row: dict[str, Any]) -> str:
    """A name that a reader of the layer tree recognises."""
    upload = row.get("upload")
    what = upload.rsplit("/", 1)[-1] if upload else row.get("file_id")
    parts = [row.get("model_id"), what, row.get("label")]
    return " – ".join(str(part) for part in parts if part) or str(row.get("job_id"))


def make(members: list[Member], row: dict[str, Any]) -> list[QgsMapLayer]:
    """A layer for each dataset of a result, and for each of its vector layers."""
    kept = provenance(row)
    return [_describe(layer, kept) for member in members
            for layer in _layers_of(member, title_of(row), len(members) > 1)]


def _layers_of(member: Member, title: str, is_named: bool) -> list[QgsMapLayer]:
    """The raster and the vector layers of a dataset."""
    made: list[QgsMapLayer] = []
    if is_named:
        title = f"{title} – {member.name}"
    if member.is_raster:
        made.append(QgsRasterLayer(member.source, title, "gdal"))
    if len(member.layers) == 1:
        made.append(QgsVectorLayer(member.source, title, "ogr"))
    elif member.layers:
        made += [QgsVectorLayer(f"{member.source}|layername={name}", f"{title} – {name}",
                                "ogr") for name in member.layers]
    return made


def load(layer: QgsMapLayer, context: QgsProcessingContext, output: str) -> str:
    """Have QGIS add the layer when the algorithm has ended. A string could not be loaded
    by QGIS 3.22, so the layer itself is stored."""
    context.temporaryLayerStore().addMapLayer(layer)
    project = context.project()
    if project is not None:
        details = QgsProcessingContext.LayerDetails(layer.name(), project, output)
        details.forceName = True  # QGIS may be set to name layers after their files
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


def of_batch(union: Member) -> list[QgsMapLayer]:
    """The layers of all results of a batch: a file of the store, whose sources start no
    job."""
    kept = {"giq/service": service()}
    return [_describe(layer, kept) for layer in _layers_of(union, "gIQ batch", False)]
