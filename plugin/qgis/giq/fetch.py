"""giq:fetch: the result of an existing job. It starts no job, so it is never billed."""
from __future__ import annotations

from typing import Any

from qgis.core import (QgsProcessingContext, QgsProcessingFeedback,
                       QgsProcessingOutputRasterLayer, QgsProcessingOutputString,
                       QgsProcessingOutputVectorLayer, QgsProcessingParameterBoolean,
                       QgsProcessingParameterDefinition, QgsProcessingParameterNumber,
                       QgsProcessingParameterString)

from . import jobs, layers, names
from .base import GiqAlgorithm
from .jobs import Watcher
from .projects import job_of
from .run import HOUR_S


class FetchAlgorithm(GiqAlgorithm):
    def name(self) -> str:
        return "fetch"

    def displayName(self) -> str:
        return "Fetch a result"

    def shortHelpString(self) -> str:
        return ("Waits for an existing job, if it still runs, and fetches its result into "
                "the store. It starts no job and is not billed.")

    def initAlgorithm(self, config=None) -> None:
        self.addParameter(QgsProcessingParameterString("JOB", "Id of the job, or GIQ:job=…"))
        for parameter in (
                QgsProcessingParameterNumber("TIMEOUT", "Longest wait in seconds",
                                             QgsProcessingParameterNumber.Type.Double,
                                             HOUR_S, minValue=0),
                QgsProcessingParameterBoolean("LOAD", "Add the result as layers",
                                              defaultValue=True)):
            parameter.setFlags(parameter.flags()
                               | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
            self.addParameter(parameter)
        self.addOutput(QgsProcessingOutputVectorLayer("VECTOR", "Vector result"))
        self.addOutput(QgsProcessingOutputRasterLayer("RASTER", "Raster result"))
        self.addOutput(QgsProcessingOutputString("JOB", "Job"))
        self.addOutput(QgsProcessingOutputString("SOURCE", "Source of the layer"))

    def run_algorithm(self, parameters: dict[str, Any], context: QgsProcessingContext,
                      feedback: QgsProcessingFeedback, watcher: Watcher) -> dict[str, Any]:
        typed = self.parameterAsString(parameters, "JOB", context).strip()
        job = job_of(typed) or typed
        timeout_s = self.parameterAsDouble(parameters, "TIMEOUT", context)
        jobs.await_job(jobs.check(job, watcher), watcher, timeout_s)
        members = jobs.fetch(job, watcher)
        row = jobs.check(job, watcher).row
        results: dict[str, Any] = {"JOB": job, "SOURCE": names.of_job(job)}
        if not self.parameterAsBool(parameters, "LOAD", context):
            return results
        return {**results, **layers.load_all(layers.make(members, row), context)}
