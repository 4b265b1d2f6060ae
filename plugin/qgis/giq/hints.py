"""Hints for MODEL in a dialog: the models of the service, listed in the background once the
user types. A dialog that is only opened, or filled by a program, makes no call."""
from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import QObject, QStringListModel, Qt, QTimer
from qgis.PyQt.QtWidgets import QCompleter, QLineEdit, QWidget

from . import credentials, jobs
from .opening import Opening

POLL_MS = 100  # between two checks whether the list has arrived


class ModelHints(QObject):
    def __init__(self, line: QLineEdit):
        super().__init__(line)
        self._opening: Optional[Opening] = None
        self._ids = QStringListModel(self)
        completer = QCompleter(self._ids, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        line.setCompleter(completer)
        line.textEdited.connect(self._begin)
        self._poll = QTimer(self)
        self._poll.setInterval(POLL_MS)
        self._poll.timeout.connect(self._check)

    def _begin(self, _text: str) -> None:
        """Request the list, once for a dialog, even if that fails."""
        if self._opening is None:
            try:
                credentials.apply_unlocked()
            except credentials.CredentialsError:
                pass  # running the algorithm reports it
            self._opening = Opening("GIQ:models", read=jobs.rows_of)
            self._opening.start()
            self._poll.start()

    def _check(self) -> None:
        opening = self._opening
        if opening is None or opening.is_running():
            return
        self._poll.stop()
        self._ids.setStringList([row["id"] for row in opening.value or []])


def attach(widget: Optional[QWidget]) -> None:
    """Give the widget of a parameter hints, if it is a line of text."""
    if isinstance(widget, QLineEdit):
        ModelHints(widget)
