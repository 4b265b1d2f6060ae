"""While the plugin is enabled in the desktop, adding a layer neither starts a job, nor
waits, nor downloads: QGIS opens a source up to ten times in the thread of its window."""
from __future__ import annotations

import ctypes
import itertools
from typing import Any

from osgeo import _gdal, gdal
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


def lifted() -> dict[str, str]:
    """What lifts the guard for one thread: the options that have their values because of
    the guard, not because of the user."""
    return {name: DEFAULTS[name] for name in OPTIONS if _is_ours(name, OPTIONS[name])}


def _own_name(name: str) -> str:
    """The name of an option as the guard spells it. GDAL ignores the case of a name, but
    keeps the spelling of whoever has set the option last, even to the same value."""
    return name.title()


def _process_options() -> dict[str, str]:
    """The options that are set process-wide, by their names as they were spelled."""
    if hasattr(gdal, "GetConfigOptions"):  # since GDAL 3.7
        return gdal.GetConfigOptions()
    library = ctypes.CDLL(_gdal.__file__)
    texts = ctypes.POINTER(ctypes.c_char_p)
    library.CPLGetConfigOptions.restype = texts
    library.CSLDestroy.argtypes = [texts]
    listed = library.CPLGetConfigOptions()
    try:
        found = itertools.takewhile(bool, listed if listed else [])
        pairs = [text.decode(errors="replace").partition("=") for text in found]
    finally:
        library.CSLDestroy(listed)
    return {name: value for name, _, value in pairs}


def _is_ours(name: str, value: str) -> bool:
    """Whether an option has a value that the guard has set, and nobody has set it since."""
    return _process_options().get(_own_name(name)) == value


def _may_set(name: str) -> bool:
    """Whether the option has no value, or only the one that end() has left."""
    return gdal.GetConfigOption(name) is None or _is_ours(name, DEFAULTS[name])


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
                gdal.SetConfigOption(_own_name(name), value)
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
        for name in lifted():
            is_left = name == "GIQ_SUBMIT"
            gdal.SetConfigOption(_own_name(name), DEFAULTS[name] if is_left else None)

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
