"""While the plugin is enabled in the desktop, adding a layer neither starts a job, nor
waits, nor downloads: QGIS opens a source up to ten times in the thread of its window."""
from __future__ import annotations

from typing import Any

from osgeo import gdal
from qgis.core import Qgis, QgsApplication, QgsSettings
from qgis.PyQt.QtCore import QTimer

SETTING = "giq/guard"
OPTIONS = {"GIQ_SUBMIT": "NO", "GIQ_TIMEOUT": "0", "GIQ_FETCH": "NO"}
# The value that is the driver's default: an option that algorithms set for their own
# threads, and that has no value anywhere, would make the driver refuse other threads.
DEFAULTS = {"GIQ_SUBMIT": "IF_MISSING", "GIQ_TIMEOUT": "3600", "GIQ_FETCH": "YES"}
# A bar has room for little more than a line; the log has the rest.
ADVICE = ("Adding a layer starts no job. Use Processing Toolbox > gIQ > Run a model, or Fetch "
          "a result.")
REASON = ("A layer was not added, because the gIQ plugin sets GIQ_SUBMIT=NO, GIQ_FETCH=NO and "
          "GIQ_TIMEOUT=0 for layers that are typed: QGIS would open them in the thread of its "
          "window. The setting giq/guard turns this off.")
# The options that have these values because of the guard, not because of the user. The
# algorithms lift them for their own threads, and no others.
held: set[str] = set()
# A property of the application, which outlives this module: end() has left a value of
# GIQ_SUBMIT, so that a later begin() does not take it for the user's.
LEFT = "giq/left_submit"


def lifted() -> dict[str, str]:
    """What lifts the guard for one thread."""
    return {name: DEFAULTS[name] for name in tuple(held) if _has_guard_value(name)}


def _has_guard_value(name: str) -> bool:
    """Whether nobody has set the option to another value since."""
    return gdal.GetConfigOption(name) == OPTIONS[name]


def _may_set(name: str) -> bool:
    """Whether the option has no value, or only the one that end() has left."""
    value = gdal.GetConfigOption(name)
    was_left = name == "GIQ_SUBMIT" and QgsApplication.instance().property(LEFT)
    return value is None or (bool(was_left) and value == DEFAULTS[name])


def _log_signal() -> Any:
    """The signal with the texts of the log. In QGIS 4 it has a name of its own, and
    messageReceived has only a bool."""
    log = QgsApplication.messageLog()
    if hasattr(log, "messageReceivedWithFormat"):
        return log.messageReceivedWithFormat
    return log.messageReceived


class Guard:
    def __init__(self, iface):
        self._bar = iface.messageBar()
        self._is_on = False
        self._has_advised = False
        self._texts: set[str] = set()  # of the bars when they were last read

    def begin(self) -> None:
        if not QgsSettings().value(SETTING, True, type=bool):
            return
        self._is_on = True
        for name, value in OPTIONS.items():
            if _may_set(name):
                gdal.SetConfigOption(name, value)
                held.add(name)
        _log_signal().connect(self._read_log)
        self._bar.widgetAdded.connect(self._read_bars_soon)

    def end(self) -> None:
        """Undo it. GIQ_SUBMIT keeps a value, the driver's default: threads have had one of
        their own, and the driver refuses opens that lack what other threads have set."""
        if not self._is_on:
            return
        self._is_on = False
        _log_signal().disconnect(self._read_log)
        self._bar.widgetAdded.disconnect(self._read_bars_soon)
        for name in filter(_has_guard_value, held):
            is_left = name == "GIQ_SUBMIT"
            gdal.SetConfigOption(name, DEFAULTS[name] if is_left else None)
            if is_left:
                QgsApplication.instance().setProperty(LEFT, True)
        held.clear()

    def _read_log(self, text: str, *_args) -> None:
        """A project or a script has opened a layer; the log has the driver's error."""
        if "GIQ[usage]" in text and "SUBMIT=NO" in text:
            self.advise()

    def _read_bars_soon(self, *_args) -> None:
        QTimer.singleShot(0, self._read_bars)

    def _read_bars(self) -> None:
        """The data source manager does not show the driver's error, but has a bar with the
        source that could not be opened."""
        texts = {item.text() for item in self._bar.items()}
        new, self._texts = texts - self._texts, texts
        if any(text.upper().startswith("GIQ:") for text in new):
            self.advise()

    def advise(self) -> None:
        """Once for each burst of messages: a source is opened several times."""
        if self._is_on and not self._has_advised:
            self._has_advised = True
            QgsApplication.messageLog().logMessage(REASON, "gIQ", Qgis.MessageLevel.Info)
            item = self._bar.createMessage("gIQ", ADVICE)
            item.destroyed.connect(self._forget)
            self._bar.pushWidget(item, Qgis.MessageLevel.Info, 0)

    def _forget(self, *_args) -> None:
        self._has_advised = False
