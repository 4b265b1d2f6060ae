"""giq:run: a model on a file of the service or a local one."""
from __future__ import annotations

from typing import Any, Callable, Optional

from osgeo import gdal
from qgis.core import (QgsProcessing, QgsProcessingContext, QgsProcessingException,
                       QgsProcessingFeedback, QgsProcessingOutputRasterLayer,
                       QgsProcessingOutputString, QgsProcessingOutputVectorLayer,
                       QgsProcessingParameterBoolean, QgsProcessingParameterDefinition,
                       QgsProcessingParameterEnum, QgsProcessingParameterExtent,
                       QgsProcessingParameterFeatureSource,
                       QgsProcessingParameterFileDestination, QgsProcessingParameterNumber,
                       QgsProcessingParameterString, QgsVectorLayer)

from . import areas, copies, driver, jobs, layers, names, uploads
from .base import GiqAlgorithm
from .jobs import Watcher
from .opening import remove_files

HOUR_S = 3600


def summary(row: dict[str, Any], upload: str, retry: str) -> str:
    """What a dry run found, in one line: of a request with the path of an upload and a
    label of RETRY, '' if there is none."""
    parts = [f"model {row['model_id']}"]
    if upload:
        parts.append(f"upload of {upload} ({size_of(upload):,} bytes)"
                     if not row["file_id"] else f"{upload}, already uploaded")
    else:
        parts.append(f"file {row['file_id']}")
    parts.append("the whole file" if row["area_km2"] is None
                 else f"{row['area_km2']:,.3f} km²")
    return ", ".join(parts) + ": " + verdict(row, retry)


def size_of(path: str) -> int:
    """Of a file that GDAL can read, in bytes."""
    status = gdal.VSIStatL(path)
    return status.size if status is not None else 0


def verdict(row: dict[str, Any], retry: str) -> str:
    """Whether running it would be paid for."""
    if jobs.was_not_sent(row):
        return row["error"] or "this starts a paid job"
    found = f"job {row['job_id']}, state" if row["job_id"] else "state"
    found += f" {row['state']}"
    if row["state"] in jobs.SUBMITTED:
        return f"already paid: {found}"
    if retry:
        return (f"{found}; this starts a new paid job, unless one was already started with "
                f"the RETRY label {retry}")
    return f"{found}; this starts no job. {row['error'] or ''}".rstrip()


class RunAlgorithm(GiqAlgorithm):
    def name(self) -> str:
        return "run"

    def displayName(self) -> str:
        return "Run a model"

    def shortHelpString(self) -> str:
        return ("Runs a model of the gIQ service on a file of the service (FILE) or on a "
                "local file (UPLOAD), within an area or an extent. A job is paid for when it "
                "is started; running the same again finds the same job, and costs nothing. A "
                "label of a further run asks for a new job of the same request, a label of a "
                "retry for a new job after one that failed: one paid job for each label. "
                "Cancel ends the wait, not a job that was started.")

    def initAlgorithm(self, config=None) -> None:
        add = self.addParameter
        add(QgsProcessingParameterString("MODEL", "Model"))
        add(QgsProcessingParameterString("FILE", "File of the service", optional=True))
        add(uploads.parameter())
        add(QgsProcessingParameterEnum("SOURCE_TYPE", "Kind of the uploaded file",
                                       options=driver.choices("SOURCE_TYPE"),
                                       optional=True, usesStaticStrings=True))
        add(QgsProcessingParameterFeatureSource(
            "AREA", "Area of interest", [QgsProcessing.SourceType.TypeVectorPolygon],
            optional=True))
        add(QgsProcessingParameterExtent("EXTENT", "Extent of interest", optional=True))
        for parameter in (
                QgsProcessingParameterString(
                    "RERUN", "Label of a further run (paid)", optional=True),
                QgsProcessingParameterString(
                    "RETRY", "Label of a retry (paid)", optional=True),
                QgsProcessingParameterNumber("TIMEOUT", "Longest wait in seconds",
                                             QgsProcessingParameterNumber.Type.Double,
                                             HOUR_S, minValue=0)):
            parameter.setFlags(parameter.flags()
                               | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
            add(parameter)
        add(QgsProcessingParameterBoolean(
            "DRY_RUN", "Dry run: only say what would be paid for", defaultValue=False))
        add(QgsProcessingParameterFileDestination("OUTPUT", "Copy of the result",
                                                  optional=True, createByDefault=False))
        self.addOutput(QgsProcessingOutputVectorLayer("VECTOR", "Vector result"))
        self.addOutput(QgsProcessingOutputRasterLayer("RASTER", "Raster result"))
        self.addOutput(QgsProcessingOutputString("JOB", "Job"))
        self.addOutput(QgsProcessingOutputString("SOURCE", "Source of the layer"))

    def createCustomParametersWidget(self, parent: Any = None) -> Any:
        """A dialog with the cost; None, and so QGIS's own, where QGIS has another kind of
        dialog, as QGIS 4.2 has."""
        try:
            from . import hints  # there is no GUI in qgis_process
            from .dialog import RunDialog
        except ImportError:
            return None
        dialog = RunDialog(self.create(), summary, parent)
        hints.attach(dialog.mainWidget().wrappers["MODEL"].wrappedWidget())
        return dialog

    def upload(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """The path of the file to upload: as typed, or of a loaded layer."""
        return uploads.path_of(self, parameters, "UPLOAD", context)

    def retry(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        return self.parameterAsString(parameters, "RETRY", context).strip()

    def area(self, parameters: dict[str, Any], context: QgsProcessingContext,
             is_snapshot: bool) -> Optional[Callable[[QgsProcessingContext], Any]]:
        """A function that returns what areas.of_source() takes of AREA; None if it has no
        value. It is given the context of its thread, for which see request()."""
        value = parameters.get("AREA")
        if value in (None, ""):
            return None
        layer = areas.loaded_layer(value, context) if is_snapshot else None
        if isinstance(layer, QgsVectorLayer):
            snapshot = areas.Snapshot(layer, value)
            return lambda _own: snapshot

        def source(own: QgsProcessingContext) -> Any:
            found = self.parameterAsSource(parameters, "AREA", own)
            if found is None:
                raise QgsProcessingException(self.invalidSourceError(parameters, "AREA"))
            return found
        return source

    def request(self, parameters: dict[str, Any], context: QgsProcessingContext,
                is_snapshot: bool = False
                ) -> Callable[[Callable[[], bool]], tuple[str, list[str]]]:
        """Check the parameters. The function that is returned writes the area, which takes
        its time, until the given function says that it is cancelled; it returns the
        connection string and its temporary files. With `is_snapshot` it can be called in
        another thread."""
        def text(name: str) -> str:
            return self.parameterAsString(parameters, name, context).strip()

        file, upload = text("FILE"), self.upload(parameters, context)
        if bool(file) == bool(upload):
            raise QgsProcessingException("Give either a file of the service (FILE) or a "
                                         "local file to upload (UPLOAD).")
        area = self.area(parameters, context, is_snapshot)
        has_extent = parameters.get("EXTENT") not in (None, "")
        if area is not None and has_extent:
            raise QgsProcessingException("Give either an area (AREA) or an extent (EXTENT), "
                                         "not both.")
        extent = (self.parameterAsExtent(parameters, "EXTENT", context),
                  self.parameterAsExtentCrs(parameters, "EXTENT", context))
        model, rerun = text("MODEL"), text("RERUN")

        def write(is_cancelled: Callable[[], bool]) -> tuple[str, list[str]]:
            keys: dict[str, Any] = {}
            if area is not None:
                # Another thread opens a file with a context, and so a layer, of its own.
                own = QgsProcessingContext() if is_snapshot else context
                keys["aoi"] = areas.of_source(area(own), is_cancelled)
            elif has_extent:
                keys = areas.of_extent(*extent)
            name = names.make(model=model, file=file, upload=upload, rerun=rerun, **keys)
            return name, [keys["aoi"]] if "aoi" in keys else []
        return write

    def options(self, parameters: dict[str, Any], context: QgsProcessingContext
                ) -> list[str]:
        """Open options of the request."""
        values = {
            "SOURCE_TYPE": self.parameterAsEnumString(parameters, "SOURCE_TYPE", context),
            "RETRY": self.retry(parameters, context)}
        return [f"{name}={value}" for name, value in values.items() if value]

    def run_algorithm(self, parameters: dict[str, Any], context: QgsProcessingContext,
                      feedback: QgsProcessingFeedback, watcher: Watcher) -> dict[str, Any]:
        name, files = self.request(parameters, context)(watcher.is_cancelled)
        try:
            return self.run_request(name, parameters, context, watcher)
        finally:
            remove_files(files)

    def run_request(self, name: str, parameters: dict[str, Any],
                    context: QgsProcessingContext, watcher: Watcher) -> dict[str, Any]:
        options = self.options(parameters, context)
        row = jobs.dry_run(name, watcher, options)
        watcher.log(summary(row, self.upload(parameters, context),
                            self.retry(parameters, context)))
        if self.parameterAsBool(parameters, "DRY_RUN", context):
            return {"JOB": row["job_id"] or "", "SOURCE": ""}
        found = jobs.submit(name, watcher, options)
        timeout_s = self.parameterAsDouble(parameters, "TIMEOUT", context)
        job = jobs.await_job(found, watcher, timeout_s)["job_id"]
        members = jobs.fetch(job, watcher)
        row = jobs.check(job, watcher).row
        return self.results(parameters, context, row, members)

    def results(self, parameters: dict[str, Any], context: QgsProcessingContext,
                row: dict[str, Any], members: list[jobs.Member]) -> dict[str, Any]:
        source = members[0].source if len(members) == 1 else names.of_job(row["job_id"])
        results = {"JOB": row["job_id"], "SOURCE": source,
                   **layers.load_all(layers.make(members, row), context)}
        copy = self.parameterAsFileOutput(parameters, "OUTPUT", context)
        if copy:
            copies.write(members, copy)
            results["OUTPUT"] = copy
        return results
