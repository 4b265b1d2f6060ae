"""giq:jobs, giq:files and giq:models: tables of the driver as layers."""
from __future__ import annotations

from typing import Any, Optional

from osgeo import gdal
from qgis.core import (QgsCoordinateReferenceSystem, QgsFeature, QgsFeatureSink,
                       QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback,
                       QgsProcessingParameterExtent, QgsProcessingParameterFeatureSink,
                       QgsProcessingParameterNumber, QgsProcessingParameterString,
                       QgsVectorLayer)

from . import areas, copies, jobs, names, styles
from .base import GiqAlgorithm
from .jobs import Watcher
from .opening import Opening, remove_files

TABLE = "/vsimem/giq/{}.gpkg"
# A list becomes JSON in newer GDALs, and a map in QGIS, which not every layer can hold.
TEXTS = ["-mapFieldType", "StringList=String"]


def copy_table(name: str, options: list[str], watcher: Watcher) -> str:
    """A table of the driver as a GeoPackage in memory; its path."""
    path = TABLE.format(id(watcher))

    def copy(dataset: gdal.Dataset) -> None:
        copies.translate(gdal.VectorTranslate, path, dataset, format="GPKG",
                         layerName="table", options=TEXTS)

    jobs.run_opening(Opening(name, options=options, read=copy), watcher)
    return path


def write_table(algorithm: GiqAlgorithm, name: str, options: list[str],
                parameters: dict[str, Any], context: QgsProcessingContext,
                watcher: Watcher, style: Optional[styles.Style],
                errors: Optional[dict[int, str]] = None) -> str:
    """Copy a table of the driver into the sink OUTPUT; its id. QGIS gives it its
    style when the layer is added. `errors` by the number of the row are those
    of which the driver keeps no record."""
    path = copy_table(name, options, watcher)
    try:
        table = QgsVectorLayer(path, "table", "ogr")
        if not table.isValid():
            raise QgsProcessingException(f"{name} could not be copied.")
        output = _fill_sink(algorithm, table, parameters, context, errors or {})
        if (style is not None and table.isSpatial()
                and context.willLoadLayerOnCompletion(output)):
            context.layerToLoadOnCompletionDetails(output).setPostProcessor(style(table))
    finally:
        copies.remove(path)
    return output


def _fill_sink(algorithm: GiqAlgorithm, table: QgsVectorLayer, parameters: dict[str, Any],
               context: QgsProcessingContext, errors: dict[int, str]) -> str:
    fields = table.fields()
    fid = fields.lookupField("fid")
    if fid >= 0:
        fields.remove(fid)
    crs = table.crs() if table.isSpatial() else QgsCoordinateReferenceSystem()
    sink, output = algorithm.parameterAsSink(parameters, "OUTPUT", context, fields,
                                             table.wkbType(), crs)
    if sink is None:
        raise QgsProcessingException(algorithm.invalidSinkError(parameters, "OUTPUT"))
    error = fields.lookupField("error")
    for number, row in enumerate(table.getFeatures()):
        feature = QgsFeature(fields)
        feature.setGeometry(row.geometry())
        feature.setAttributes([row.attribute(field.name()) for field in fields])
        if number in errors:
            feature.setAttribute(error, errors[number])
        if not sink.addFeature(feature, QgsFeatureSink.Flag.FastInsert):
            raise QgsProcessingException(
                algorithm.writeFeatureError(sink, parameters, "OUTPUT"))
    return output


class TableAlgorithm(GiqAlgorithm):
    """Subclasses name the table and its style."""

    NAME, TITLE, HELP = "", "", ""

    def name(self) -> str:
        return self.NAME

    def displayName(self) -> str:
        return self.TITLE

    def shortHelpString(self) -> str:
        return self.HELP

    def initAlgorithm(self, config=None) -> None:
        self.add_parameters()
        self.addParameter(QgsProcessingParameterFeatureSink("OUTPUT", self.NAME.capitalize()))

    def add_parameters(self) -> None:
        pass

    def source(self, parameters: dict[str, Any], context: QgsProcessingContext
               ) -> tuple[str, list[str]]:
        """The connection string and its temporary files."""
        return f"GIQ:{self.NAME}", []

    def prepare_table(self, watcher: Watcher) -> None:
        pass

    def style(self) -> Optional[styles.Style]:
        return None

    def run_algorithm(self, parameters: dict[str, Any], context: QgsProcessingContext,
                      feedback: QgsProcessingFeedback, watcher: Watcher) -> dict[str, Any]:
        self.prepare_table(watcher)
        source, files = self.source(parameters, context)
        try:
            return {"OUTPUT": write_table(self, source, [], parameters, context, watcher,
                                          self.style())}
        finally:
            remove_files(files)


class JobsAlgorithm(TableAlgorithm):
    NAME, TITLE = "jobs", "List the jobs"
    HELP = ("The jobs that were started from this store, with their areas and states. The "
            "service is asked once for the state of each unfinished job. Nothing is billed.")

    def prepare_table(self, watcher: Watcher) -> None:
        rows = jobs.table("GIQ:jobs", watcher, [])
        for job in jobs.unfinished(rows):
            try:
                jobs.check(job, watcher)
            except jobs.DriverError as error:
                watcher.log(str(error))

    def style(self) -> styles.Style:
        return styles.of_jobs


class FilesAlgorithm(TableAlgorithm):
    NAME, TITLE = "files", "Find files on the service"
    HELP = ("The files on the service with their footprints, within an extent and a time, "
            "which is a day (2024-05-01) or two of them (2024-05-01/2024-05-31). FILE of "
            "“Run a model” takes the file_id. Nothing is billed.")

    def add_parameters(self) -> None:
        self.addParameter(QgsProcessingParameterExtent("EXTENT", "Extent", optional=True))
        self.addParameter(QgsProcessingParameterString(
            "DATETIME", "Time: a day, or from/to", optional=True))
        self.addParameter(QgsProcessingParameterString("COLLECTION", "Collection",
                                                       optional=True))
        self.addParameter(QgsProcessingParameterNumber(
            "LIMIT", "Maximum number of files", defaultValue=1000, minValue=1,
            maxValue=100000))

    def source(self, parameters: dict[str, Any], context: QgsProcessingContext
               ) -> tuple[str, list[str]]:
        keys: dict[str, Any] = {}
        if parameters.get("EXTENT") not in (None, ""):
            keys = areas.of_extent(self.parameterAsExtent(parameters, "EXTENT", context),
                                   self.parameterAsExtentCrs(parameters, "EXTENT", context))
        for key in ("DATETIME", "COLLECTION"):
            keys[key.lower()] = self.parameterAsString(parameters, key, context).strip()
        keys["limit"] = str(self.parameterAsInt(parameters, "LIMIT", context))
        narrowed = names.make(**keys)[len("GIQ:"):]
        return f"GIQ:files;{narrowed}", [keys["aoi"]] if "aoi" in keys else []

    def style(self) -> styles.Style:
        return styles.of_files


class ModelsAlgorithm(TableAlgorithm):
    NAME, TITLE = "models", "List the models"
    HELP = "The models of the service. MODEL of “Run a model” takes the id or the name."
