"""While the plugin is enabled in the desktop, adding a layer neither starts a job, nor
waits, nor downloads: QGIS opens a source up to ten times in the thread of its window."""
from __future__ import annotations

from osgeo import gdal
from qgis.core import Qgis, QgsApplication, QgsSettings

SETTING = "giq/guard"
OPTIONS = {"GIQ_SUBMIT": "NO", "GIQ_TIMEOUT": "0", "GIQ_FETCH": "NO"}
# The value that is the driver's default: an option that algorithms set for their own
# threads, and that has no value anywhere, would make the driver refuse other threads.
DEFAULTS = {"GIQ_SUBMIT": "IF_MISSING", "GIQ_TIMEOUT": "3600", "GIQ_FETCH": "YES"}
ADVICE = ("A layer was not added, because the gIQ plugin starts no job while QGIS adds "
          "layers. Run the model with Processing > gIQ > Run a model, which shows the price "
          "first; for a result that is not in the store yet use Processing > gIQ > Fetch a "
          "result.")
# The options that have these values because of the guard, not because of the user. The
# algorithms lift them for their own threads, and no others.
held: set[str] = set()


def lifted() -> dict[str, str]:
    """What lifts the guard for one thread."""
    return {name: DEFAULTS[name] for name in held}


class Guard:
    def __init__(self, iface):
        self._iface = iface
        self._has_advised = False

    def begin(self) -> None:
        if not QgsSettings().value(SETTING, True, type=bool):
            return
        for name, value in OPTIONS.items():
            if gdal.GetConfigOption(name) is None:
                gdal.SetConfigOption(name, value)
                held.add(name)
        QgsApplication.messageLog().messageReceived.connect(self._read_log)

    def end(self) -> None:
        if not held:
            return
        for name in held:
            gdal.SetConfigOption(name, DEFAULTS[name])
        held.clear()
        QgsApplication.messageLog().messageReceived.disconnect(self._read_log)

    def _read_log(self, text: str, _tag: str = "", _level=None) -> None:
        """Once for each burst of messages: a source is opened several times."""
        is_refused = "GIQ[usage]" in text and ("SUBMIT=NO" in text or "GIQ_FETCH=NO" in text)
        if is_refused and not self._has_advised:
            self._has_advised = True
            item = self._iface.messageBar().createMessage("gIQ", ADVICE)
            item.destroyed.connect(self._forget)
            self._iface.messageBar().pushWidget(item, Qgis.MessageLevel.Info, 15)

    def _forget(self, *_args) -> None:
        self._has_advised = False
