"""A project may name results that are not in this user's store: offer to fetch them."""
from __future__ import annotations

import re
from typing import Callable, Optional

from qgis.core import (Qgis, QgsApplication, QgsMapLayer, QgsProcessingAlgRunnerTask,
                       QgsProcessingContext, QgsProcessingFeedback, QgsProject)
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtWidgets import QApplication, QDialogButtonBox, QPushButton, QTableWidget

DRIVER = "GIQ:"
PREFIX = "GIQ:job="
REQUEST = re.compile(r"GIQ:(.*;)?\s*(model|batch)\s*=", re.IGNORECASE)
LOOK_MS = 20  # between two looks for QGIS's dialog while a project is read
MOST_LOOKS = 250  # without a dialog and without the end of the reading


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


def _is_all_ours(table: QTableWidget) -> bool:
    """Whether each row of QGIS's table of unavailable layers has a source of the driver."""
    def is_ours(row: int) -> bool:
        cells = [table.item(row, column) for column in range(table.columnCount())]
        return any(cell is not None and cell.text().upper().startswith(DRIVER)
                   for cell in cells)
    return all(is_ours(row) for row in range(table.rowCount()))


def has_requests(project: QgsProject) -> bool:
    """Whether opening a layer has failed that would start or resume jobs."""
    return any(REQUEST.match(layer.source()) and not layer.isValid()
               for layer in project.mapLayers().values())


class ProjectCheck:
    """Asks once, in a bar, and spares the user QGIS's dialog about unavailable layers,
    which stops everything and cannot fetch."""

    def __init__(self, iface, advise: Callable[[], None]):
        self._iface = iface
        self._advise = advise  # about layers that would start a job
        self._tasks: list[QgsProcessingAlgRunnerTask] = []
        self._contexts: list[tuple] = []
        self._looks = 0
        self._timer = QTimer()
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._keep_layers)

    def begin(self) -> None:
        QgsProject.instance().loadingLayer.connect(self._expect_dialog)
        QgsProject.instance().readProject.connect(self._check)

    def end(self) -> None:
        self._timer.stop()
        QgsProject.instance().loadingLayer.disconnect(self._expect_dialog)
        QgsProject.instance().readProject.disconnect(self._check)
        for task in self._tasks:
            task.cancel()

    def _expect_dialog(self, *_args) -> None:
        self._looks = 0
        self._timer.start()

    def _keep_layers(self) -> None:
        """Keep the layers in the dialog about unavailable ones, if all are of the driver."""
        self._looks += 1
        dialog = QApplication.activeModalWidget()
        if dialog is not None and dialog.inherits("QgsHandleBadLayers"):
            self._timer.stop()
            table = dialog.findChild(QTableWidget)
            box = dialog.findChild(QDialogButtonBox)
            if table is not None and box is not None and _is_all_ours(table):
                box.button(QDialogButtonBox.StandardButton.Ignore).click()
        elif self._looks >= MOST_LOOKS:
            self._timer.stop()

    def _check(self, *_args) -> None:
        self._timer.stop()
        if has_requests(QgsProject.instance()):
            self._advise()
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
