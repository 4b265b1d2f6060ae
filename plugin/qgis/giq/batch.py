"""giq:batch: a model on many areas, or a table of requests, as one dataset."""
from __future__ import annotations

import shutil
import time
from typing import Any

from osgeo import gdal
from qgis.core import (QgsFeature, QgsField, QgsFields, QgsProcessing,
                       QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback,
                       QgsProcessingOutputRasterLayer, QgsProcessingOutputString,
                       QgsProcessingOutputVectorLayer, QgsProcessingParameterDefinition,
                       QgsProcessingParameterFeatureSink,
                       QgsProcessingParameterFeatureSource, QgsProcessingParameterField,
                       QgsProcessingParameterNumber, QgsProcessingParameterString,
                       QgsProcessingUtils)

from . import areas, jobs, layers, names, styles, tables, uploads
from .base import GiqAlgorithm
from .jobs import Watcher
from .opening import Opening, remove_files, wait
from .run import HOUR_S

REQUEST_FIELDS = ("model", "file", "file_id", "upload", "rerun", "id")


class BatchAlgorithm(GiqAlgorithm):
    def name(self) -> str:
        return "batch"

    def displayName(self) -> str:
        return "Run a model on many areas"

    def shortHelpString(self) -> str:
        return ("One job for each polygon of INPUT, or for each row of a table with the "
                "columns model, file, upload, rerun and id. All jobs are submitted first, "
                "then waited for together. A row that fails does not stop the others, and "
                "is a row of OUTPUT. Each job is paid for once, however often it is run.")

    def initAlgorithm(self, config=None) -> None:
        add = self.addParameter
        add(QgsProcessingParameterFeatureSource(
            "INPUT", "Areas, or a table of requests", [QgsProcessing.SourceType.TypeVector]))
        add(QgsProcessingParameterString("MODEL", "Model", optional=True))
        add(QgsProcessingParameterString("FILE", "File of the service", optional=True))
        add(uploads.parameter())
        add(QgsProcessingParameterField("LABEL_FIELD", "Field that names the rows",
                                        parentLayerParameterName="INPUT", optional=True))
        timeout = QgsProcessingParameterNumber(
            "TIMEOUT", "Longest wait in seconds", QgsProcessingParameterNumber.Type.Double,
            HOUR_S, minValue=0)
        timeout.setFlags(timeout.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
        add(timeout)
        add(QgsProcessingParameterFeatureSink("OUTPUT", "Jobs"))
        self.addOutput(QgsProcessingOutputVectorLayer("VECTOR", "Vector results"))
        self.addOutput(QgsProcessingOutputRasterLayer("RASTER", "Raster results"))
        self.addOutput(QgsProcessingOutputString("SOURCE", "Source of the layer"))

    def request(self, parameters: dict[str, Any], context: QgsProcessingContext,
                watcher: Watcher) -> dict[str, str]:
        """The connection string's keys; the rows are a temporary GeoPackage."""
        source = self.parameterAsSource(parameters, "INPUT", context)
        if source is None:
            raise QgsProcessingException(self.invalidSourceError(parameters, "INPUT"))
        label = self.parameterAsString(parameters, "LABEL_FIELD", context)
        path, _ = areas.write_features(source, *_columns(source.fields(), label),
                                       is_cancelled=watcher.is_cancelled)
        return {"batch": path,
                "model": self.parameterAsString(parameters, "MODEL", context).strip(),
                "file": self.parameterAsString(parameters, "FILE", context).strip(),
                "upload": uploads.path_of(self, parameters, "UPLOAD", context)}

    def run_algorithm(self, parameters: dict[str, Any], context: QgsProcessingContext,
                      feedback: QgsProcessingFeedback, watcher: Watcher) -> dict[str, Any]:
        keys = self.request(parameters, context, watcher)
        files = [keys["batch"]]
        try:
            return self.run_rows(keys, files, parameters, context, watcher)
        finally:
            remove_files(files)

    def run_rows(self, keys: dict[str, str], files: list[str], parameters: dict[str, Any],
                 context: QgsProcessingContext, watcher: Watcher) -> dict[str, Any]:
        """`files` gets the temporary files that are made."""
        name = names.make(**keys)
        timeout_s = self.parameterAsDouble(parameters, "TIMEOUT", context)
        rows = jobs.table(jobs.without_wait(name), watcher, [])
        refused = {number: row["error"] for number, row in enumerate(rows)
                   if jobs.was_not_sent(row) and row["error"]}
        rows = self._await(name, rows, watcher, timeout_s)
        if refused:
            keys["batch"] = _with_jobs(keys["batch"], rows, refused)
            files.append(keys["batch"])
        union = self._fetch(names.make(**keys), watcher)
        return {"OUTPUT": self._write_jobs(name, parameters, context, watcher, refused),
                "SOURCE": union.source,
                **layers.load_all(layers.of_batch(union), context)}

    def _await(self, name: str, rows: list[dict[str, Any]], watcher: Watcher,
               timeout_s: float) -> list[dict[str, Any]]:
        """Check all unfinished jobs, one status call each, until none is left; the last
        rows."""
        began = time.monotonic()
        pause = jobs.FIRST_PAUSE_S
        while jobs.unfinished(rows):
            waited = time.monotonic() - began
            left = len(jobs.unfinished(rows))
            watcher.progress({"phase": "wait", "finished": len(rows) - left,
                              "rows": len(rows)})
            if waited >= timeout_s:
                raise jobs.DriverError(
                    f"{left} of {len(rows)} jobs were not finished after {timeout_s:g} s; "
                    "they continue, and running the same again resumes the wait without "
                    "paying again")
            wait(min(pause, timeout_s - waited), watcher.is_cancelled)
            pause = jobs.next_pause(pause, waited)
            rows = jobs.table(jobs.without_wait(name), watcher, jobs.UNPAID)
        return rows

    def _fetch(self, name: str, watcher: Watcher) -> jobs.Member:
        """The union or mosaic of all results, which is a file of the store."""
        def read(dataset: gdal.Dataset) -> jobs.Member:
            return jobs.member_of(dataset, dataset.GetDescription(), "")

        return jobs.run_opening(
            Opening(name, gdal.OF_VECTOR | gdal.OF_RASTER,
                    options=[*jobs.UNPAID, "ON_FAILED=SKIP"], read=read), watcher)

    def _write_jobs(self, name: str, parameters: dict[str, Any], context: QgsProcessingContext,
                watcher: Watcher, refused: dict[int, str]) -> str:
        return tables.write_table(self, jobs.without_wait(name), jobs.UNPAID, parameters,
                                  context, watcher, styles.of_jobs, refused)


def _with_jobs(path: str, rows: list[dict[str, Any]], refused: dict[int, str]) -> str:
    """The path of the rows that have a job: reading the others would only report that they
    have none. They keep their ids, and so their results. `rows` are those of the table of
    jobs, in the same order. Raises DriverError if no row has a job."""
    if all(jobs.was_not_sent(row) for row in rows):
        number, text = next(iter(refused.items()))
        raise jobs.DriverError(f"No job was started for any of the {len(rows)} rows, and "
                               f"nothing is paid. Row {rows[number]['row']}: {text}")
    kept = QgsProcessingUtils.generateTempFilename("giq.gpkg")
    shutil.copyfile(path, kept)
    dataset = gdal.OpenEx(kept, gdal.OF_VECTOR | gdal.OF_UPDATE)
    layer = dataset.GetLayer(0)
    for feature_id, row in zip([feature.GetFID() for feature in layer], rows):
        if jobs.was_not_sent(row):
            layer.DeleteFeature(feature_id)
    return kept


def _columns(fields: QgsFields, label: str):
    """The fields of a request, and a function that makes their values from a feature."""
    kept = [field for field in fields if field.name().lower() in REQUEST_FIELDS]
    if label:
        kept = [field for field in kept if field.name().lower() != "id"]
    columns = QgsFields()
    for field in kept:
        columns.append(QgsField(field.name(), field.type()))
    if label:
        source = fields.field(label)
        columns.append(QgsField("id", source.type()))

    def values(feature: QgsFeature) -> list[Any]:
        found = [feature.attribute(field.name()) for field in kept]
        return found + ([feature.attribute(label)] if label else [])
    return columns, values
