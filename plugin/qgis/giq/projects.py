"""A project may name results that are not in this user's store: offer to fetch them."""
from __future__ import annotations

from typing import Optional

from qgis.core import (Qgis, QgsApplication, QgsMapLayer, QgsProcessingAlgRunnerTask,
                       QgsProcessingContext, QgsProcessingFeedback, QgsProject)
from qgis.PyQt.QtWidgets import QPushButton

PREFIX = "GIQ:job="


def job_of(source: str) -> Optional[str]:
    """The id of the job that a source names; None for any other source."""
    if not source.upper().startswith(PREFIX.upper()):
        return None
    value = source[len(PREFIX):].split("|")[0].split(";")[0]
    return value.strip("\"'") or None


def missing_layers(project: QgsProject) -> dict[str, list[QgsMapLayer]]:
    """Layers whose result could not be opened, by the id of their job."""
    found: dict[str, list[QgsMapLayer]] = {}
    for layer in project.mapLayers().values():
        job = job_of(layer.source())
        if job is not None and not layer.isValid():
            found.setdefault(job, []).append(layer)
    return found


class ProjectCheck:
    def __init__(self, iface):
        self._iface = iface
        self._tasks: list[QgsProcessingAlgRunnerTask] = []
        self._contexts: list[tuple] = []

    def begin(self) -> None:
        QgsProject.instance().readProject.connect(self._check)

    def end(self) -> None:
        QgsProject.instance().readProject.disconnect(self._check)
        for task in self._tasks:
            task.cancel()

    def _check(self, *_args) -> None:
        found = missing_layers(QgsProject.instance())
        if not found:
            return
        bar = self._iface.messageBar()
        text = (f"The results of {len(found)} gIQ jobs are not on this machine." if
                len(found) > 1 else "The result of a gIQ job is not on this machine.")
        item = bar.createMessage("gIQ", text + " Fetching them is not billed.")
        button = QPushButton("Fetch")
        button.clicked.connect(lambda: (bar.popWidget(item), self.fetch(list(found))))
        item.layout().addWidget(button)
        bar.pushWidget(item, Qgis.MessageLevel.Warning, 0)

    def fetch(self, job_ids: list[str]) -> None:
        """Fetch the results in the background, then open their layers again."""
        algorithm = QgsApplication.processingRegistry().algorithmById("giq:fetch")
        for job in job_ids:
            context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
            task = QgsProcessingAlgRunnerTask(algorithm, {"JOB": job, "LOAD": False},
                                              context, feedback)
            task.executed.connect(
                lambda ok, _results, job=job: self._reload(job, ok))
            self._contexts.append((context, feedback))
            self._tasks.append(task)
            QgsApplication.taskManager().addTask(task)

    def _reload(self, job: str, ok: bool) -> None:
        if not ok:
            return
        for layer in missing_layers(QgsProject.instance()).get(job, []):
            layer.setDataSource(layer.source(), layer.name(), layer.providerType())
            layer.triggerRepaint()
