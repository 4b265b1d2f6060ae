"""A project may name results that are not in this user's store: offer to fetch them."""
from __future__ import annotations

import re
from html import escape
from typing import Callable, Optional

from qgis.core import (Qgis, QgsApplication, QgsMapLayer, QgsProcessingAlgRunnerTask,
                       QgsProcessingContext, QgsProcessingFeedback, QgsProject)
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtWidgets import (QApplication, QDialogButtonBox, QPushButton, QTableWidget,
                                 QWidget)

DRIVER = "GIQ:"
PREFIX = "GIQ:job="
REQUEST = re.compile(r"GIQ:(.*;)?\s*(model|batch)\s*=", re.IGNORECASE)
BATCH = re.compile(r"\bbatches/v1/[0-9a-f]+/rows\.vrt(\||$)")  # of a store
CHECK_MS = 20  # between two checks for QGIS's dialog while a project is read
CHECKS_MAX = 250  # without a dialog and without the end of the reading


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


def missing_batches(project: QgsProject) -> list[str]:
    """The names of layers of a batch whose store cannot be read."""
    return [layer.name() for layer in project.mapLayers().values()
            if BATCH.search(layer.source()) and not layer.isValid()]


def _is_all_ours(table: QTableWidget) -> bool:
    """Whether each row of QGIS's table of unavailable layers has a source of the driver."""
    def is_ours(row: int) -> bool:
        cells = [table.item(row, column) for column in range(table.columnCount())]
        texts = [cell.text() for cell in cells if cell is not None]
        return any(text.upper().startswith(DRIVER) or BATCH.search(text) for text in texts)
    return all(is_ours(row) for row in range(table.rowCount()))


def has_requests(project: QgsProject) -> bool:
    """Whether opening a layer has failed that would start or resume jobs."""
    return any(REQUEST.match(layer.source()) and not layer.isValid()
               for layer in project.mapLayers().values())


# A bar has room for little more than a line.
_BATCH = "The layer “{}” cannot be opened: it lies in the store in which its batch was run."
_BATCH_MORE = ("Use that store (GIQ_STORE_DIR), or have the layer exported to a file where it "
               "can be opened. With another store, running the batch again is paid for again.")


def _offer_of(count: int) -> str:
    if count == 1:
        return "The result of a gIQ job is not in your store. Fetching it is not billed."
    return (f"The results of {count} gIQ jobs are not in your store. Fetching them is not "
            "billed.")


class _Errors(QgsProcessingFeedback):
    """Keeps the last error."""

    last = ""

    def reportError(self, error: str, fatalError: bool = False) -> None:
        self.last = error


# The tasks that run; QGIS keeps no reference to what they use.
_alive: set["_Fetch"] = set()


class _Fetch:
    """Fetches the result of one job in the background."""

    def __init__(self, job: str, at_end: Callable[["_Fetch"], None]):
        self.job = job
        self.error: Optional[str] = None
        self._at_end = at_end
        self._context, self._feedback = QgsProcessingContext(), _Errors()
        self.task = QgsProcessingAlgRunnerTask(
            QgsApplication.processingRegistry().algorithmById("giq:fetch"),
            {"JOB": job, "LOAD": False}, self._context, self._feedback)
        self.task.executed.connect(self._end)

    def start(self) -> None:
        _alive.add(self)
        QgsApplication.taskManager().addTask(self.task)

    def _end(self, ok: bool, _results: dict) -> None:
        _alive.discard(self)
        if not ok:
            self.error = self._feedback.last or "it was cancelled"
        self._at_end(self)


class ProjectCheck:
    """Asks once, in a bar, and spares the user QGIS's dialog about unavailable layers,
    which stops everything and cannot fetch."""

    def __init__(self, iface, advise: Callable[[], None]):
        self._iface = iface
        self._advise = advise  # about layers that would start a job
        self._running: list[_Fetch] = []
        self._failed: list[_Fetch] = []
        self._offer: Optional[QWidget] = None  # the bar that asks
        self._checks = 0
        self._timer = QTimer()
        self._timer.setInterval(CHECK_MS)
        self._timer.timeout.connect(self._keep_layers)

    def begin(self) -> None:
        QgsProject.instance().loadingLayer.connect(self._expect_dialog)
        QgsProject.instance().readProject.connect(self._check)

    def end(self) -> None:
        self._timer.stop()
        QgsProject.instance().loadingLayer.disconnect(self._expect_dialog)
        QgsProject.instance().readProject.disconnect(self._check)
        self._withdraw_offer()
        running, self._running = self._running, []
        for fetch in running:
            fetch.task.cancel()

    def _expect_dialog(self, *_args) -> None:
        self._checks = 0
        self._timer.start()

    def _keep_layers(self) -> None:
        """Keep the layers in the dialog about unavailable ones, if all are of the driver."""
        self._checks += 1
        dialog = QApplication.activeModalWidget()
        if dialog is not None and dialog.inherits("QgsHandleBadLayers"):
            self._timer.stop()
            table = dialog.findChild(QTableWidget)
            box = dialog.findChild(QDialogButtonBox)
            if table is not None and box is not None and _is_all_ours(table):
                box.button(QDialogButtonBox.StandardButton.Ignore).click()
        elif self._checks >= CHECKS_MAX:
            self._timer.stop()

    def _check(self, *_args) -> None:
        self._timer.stop()
        self._withdraw_offer()  # of the project that was open before
        if has_requests(QgsProject.instance()):
            self._advise()
        found = list(missing_layers(QgsProject.instance()))
        if found:
            self._offer_to_fetch(found)
        batches = missing_batches(QgsProject.instance())
        if batches:
            self._iface.messageBar().pushMessage(
                "gIQ", escape(_BATCH.format(batches[0]), quote=False), _BATCH_MORE,
                Qgis.MessageLevel.Warning, 0)

    def _offer_to_fetch(self, job_ids: list[str]) -> None:
        bar = self._iface.messageBar()
        item = bar.createMessage("gIQ", _offer_of(len(job_ids)))
        button = QPushButton("Fetch")
        button.clicked.connect(lambda: (bar.popWidget(item), self.fetch(job_ids)))
        item.layout().addWidget(button)
        item.destroyed.connect(lambda *_: self._forget_offer(item))
        self._offer = item
        bar.pushWidget(item, Qgis.MessageLevel.Warning, 0)

    def _withdraw_offer(self) -> None:
        if self._offer is not None:
            self._iface.messageBar().popWidget(self._offer)

    def _forget_offer(self, item: QWidget) -> None:
        if self._offer is item:
            self._offer = None

    def fetch(self, job_ids: list[str]) -> None:
        """Fetch the results in the background, then open their layers again."""
        for job in job_ids:
            fetch = _Fetch(job, self._end_fetch)
            self._running.append(fetch)
            fetch.start()

    def _end_fetch(self, fetch: _Fetch) -> None:
        if fetch not in self._running:
            return  # the plugin was unloaded
        self._running.remove(fetch)
        if fetch.error is None:
            for layer in missing_layers(QgsProject.instance()).get(fetch.job, []):
                layer.setDataSource(layer.source(), layer.name(), layer.providerType())
                layer.triggerRepaint()
        else:
            self._failed.append(fetch)
        if self._failed and not self._running:
            self._report_failed()

    def _report_failed(self) -> None:
        """One bar for all of them, with the driver's error about the first."""
        first, count = self._failed[0], len(self._failed)
        self._failed = []
        text = (f"The result of the job {first.job} could not be fetched" if count == 1 else
                f"The results of {count} jobs could not be fetched, the first is {first.job}")
        # A bar reads its text as HTML, and has "Show more" in a window of plain text.
        self._iface.messageBar().pushMessage(
            "gIQ", escape(f"{text}: {first.error}", quote=False), first.error or "",
            Qgis.MessageLevel.Critical, 0)
