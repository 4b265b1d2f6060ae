"""The dialog of giq:run: its last line states what Run would cost, before it is pressed."""
from __future__ import annotations

from typing import Any, Optional

from processing.gui.AlgorithmDialog import AlgorithmDialog
from processing.gui.AlgorithmDialogBase import AlgorithmDialogBase
from processing.tools.dataobjects import createContext
from qgis.core import QgsProcessingException
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtWidgets import QLabel

from . import jobs
from .opening import Opening

QUIET_MS = 500  # after the last change of a parameter
POLL_MS = 100  # between two checks of a dry run


class RunDialog(AlgorithmDialog):
    def __init__(self, algorithm, summary, parent=None):
        super().__init__(algorithm, False, parent)
        self._summary = summary  # see run.summary()
        self._opening: Optional[Opening] = None
        self._label = QLabel("")
        self._label.setObjectName("giqCost")
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)  # it may quote the service
        layout = self.layout()
        layout.insertWidget(layout.count() - 1, self._label)
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(QUIET_MS)
        self._quiet.timeout.connect(self._begin)
        self._poll = QTimer(self)
        self._poll.setInterval(POLL_MS)
        self._poll.timeout.connect(self._check_dry_run)
        for wrapper in self.mainWidget().wrappers.values():
            wrapper.widgetValueHasChanged.connect(self._changed)

    def setParameters(self, parameters: dict[str, Any]) -> None:
        super().setParameters(parameters)
        self._changed()

    def finish(self, *arguments: Any, **more: Any) -> None:
        """What was to be paid for may be paid by now."""
        super().finish(*arguments, **more)
        self._changed()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        if not event.spontaneous():
            self._changed()

    def hideEvent(self, event) -> None:
        """The dialog is closed, by Escape too; or its window is minimised, which is
        spontaneous."""
        if not event.spontaneous():
            self._stop()
        super().hideEvent(event)

    def _changed(self, *_args) -> None:
        self._stop()
        self._label.setText("")
        if self.isVisible():
            self._quiet.start()

    def _stop(self) -> None:
        self._quiet.stop()
        self._poll.stop()
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None

    def _begin(self) -> None:
        """Start a dry run of the parameters, in a thread: it may read a large file, or
        many areas."""
        try:
            parameters = self.mainWidget().createProcessingParameters()
            context = createContext()  # which has the project, and so its layers
            algorithm = self.algorithm()
            make = algorithm.request(parameters, context, is_snapshot=True)
            options = algorithm.options(parameters, context)
            upload = algorithm.upload(parameters, context)
            retry = algorithm.retry(parameters, context)
        except AlgorithmDialogBase.InvalidParameterValue as error:
            self._label.setText(f"“{error.parameter.description()}” has no valid value.")
            return
        except AlgorithmDialogBase.InvalidOutputExtension as error:
            self._label.setText(error.message)
            return
        except QgsProcessingException as error:
            self._label.setText(str(error))
            return
        self._label.setText("Working out what this would cost …")
        summary = self._summary  # without the dialog, which its own thread must delete
        self._opening = jobs.start_dry_run(
            make, options, lambda row: summary(row, upload, retry))
        self._poll.start()

    def _check_dry_run(self) -> None:
        opening = self._opening
        if opening is None or opening.is_running():
            return
        self._poll.stop()
        self._opening = None
        if opening.failure is not None:
            self._label.setText(str(opening.failure))
        elif opening.opened.error:
            self._label.setText(opening.opened.error)
        else:
            self._label.setText(opening.value)
