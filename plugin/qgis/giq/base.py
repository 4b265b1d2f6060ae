"""What the algorithms share."""
from __future__ import annotations

import time
from typing import Any

from qgis.core import (QgsProcessingAlgorithm, QgsProcessingContext, QgsProcessingException,
                       QgsProcessingFeedback)
from qgis.PyQt.QtGui import QIcon

from . import credentials, driver
from .jobs import DriverError, Watcher
from .opening import Cancelled
from .resources import ICON

TEXT_PAUSE_S = 2.0  # between two texts about the same phase
WORDS = {"area": "Reading the area", "models": "Reading the list of models",
         "upload": "Uploading", "submit": "Starting the job", "wait": "Waiting for the job",
         "download": "Downloading the result", "unpack": "Checking the result"}


class GiqAlgorithm(QgsProcessingAlgorithm):
    """An algorithm that calls the driver. Subclasses implement run()."""

    def createInstance(self) -> "GiqAlgorithm":
        return type(self)()

    def group(self) -> str:
        return ""

    def groupId(self) -> str:
        return ""

    def icon(self) -> QIcon:
        return QIcon(ICON)

    def canExecute(self) -> tuple[bool, str]:
        reason = driver.missing()
        return reason is None, reason or ""

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext
                             ) -> tuple[bool, str]:
        """QGIS takes existing files only, and neither a layer nor a path of GDAL's own."""
        others = {name: value for name, value in parameters.items() if name != "UPLOAD"}
        return super().checkParameterValues(others, context)

    def run_algorithm(self, parameters: dict[str, Any], context: QgsProcessingContext,
                      feedback: QgsProcessingFeedback, watcher: Watcher) -> dict[str, Any]:
        raise NotImplementedError

    def processAlgorithm(self, parameters: dict[str, Any], context: QgsProcessingContext,
                         feedback: QgsProcessingFeedback) -> dict[str, Any]:
        reason = driver.missing()  # qgis_process of 3.22 does not ask canExecute()
        if reason is not None:
            raise QgsProcessingException(reason)
        try:
            credentials.apply()
            return self.run_algorithm(parameters, context, feedback, watcher_of(feedback))
        except Cancelled:
            feedback.pushInfo("Cancelled. A job that was started continues; running the "
                              "same again finds it and is not paid for again.")
            return {}
        except (DriverError, credentials.CredentialsError) as error:
            raise QgsProcessingException(str(error)) from error


def percent_of(state: dict[str, Any]) -> int | None:
    """How far the current phase is, if that is known."""
    for part, all_of_it in (("finished", "rows"), ("bytes", "total"),
                            ("waited_s", "expected_s")):
        done, whole = state.get(part), state.get(all_of_it)
        if done is not None and whole:
            return min(99, int(100 * done / whole))
    return None


def text_of(state: dict[str, Any]) -> str:
    """A phase of the driver in words; '' for one that has none."""
    text = WORDS.get(state.get("phase") or "", "")
    if state.get("rows"):
        return f"{state['finished']} of {state['rows']} jobs have ended"
    if text and state.get("total"):
        text += f": {(state['bytes'] or 0) / 1e6:.1f} of {state['total'] / 1e6:.1f} MB"
    elif state.get("phase") == "wait" and not state.get("job") and state.get("status"):
        text = f"Jobs: {state['status']}"  # of the rows of a batch
    elif state.get("phase") == "wait" and state.get("waited_s") is not None:
        text += f": {state['waited_s']} s"
        if state.get("expected_s"):
            text += f" of about {state['expected_s']} s"
    return text


class _Progress:
    """Copies the progress of the driver to a feedback. Its dialog logs each text: one for
    each phase, and one now and then while a phase lasts."""

    def __init__(self, feedback: QgsProcessingFeedback):
        self._feedback = feedback
        self._phase: Any = None
        self._text = ""
        self._reported_s = 0.0

    def __call__(self, state: dict[str, Any]) -> None:
        percent = percent_of(state)
        if percent is not None:
            self._feedback.setProgress(percent)
        text = text_of(state)
        now_s = time.monotonic()
        is_due = state.get("phase") != self._phase or now_s - self._reported_s >= TEXT_PAUSE_S
        if text and text != self._text and is_due:
            self._phase, self._text, self._reported_s = state.get("phase"), text, now_s
            self._feedback.setProgressText(text)


def watcher_of(feedback: QgsProcessingFeedback) -> Watcher:
    return Watcher(is_cancelled=feedback.isCanceled, log=feedback.pushInfo,
                   progress=_Progress(feedback))
