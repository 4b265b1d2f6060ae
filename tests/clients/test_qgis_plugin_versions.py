"""What newer versions of QGIS have in other places than the ones that are tested here."""
from plugin_kit import PLUGIN, environment

BEGIN = """
import os, sys
sys.path.insert(0, sys.argv[1])
from qgis.core import QgsApplication
application = QgsApplication([], True)
application.initQgis()
"""
OTHER_DIALOG = BEGIN + """
sys.modules["processing.gui.AlgorithmDialog"] = None  # as in QGIS 4.2
from giq.run import RunAlgorithm
print(RunAlgorithm().createCustomParametersWidget(), flush=True)
os._exit(0)
"""
OTHER_LOG = BEGIN + """
from qgis.gui import QgsMessageBar
from qgis.PyQt.QtCore import QObject, pyqtSignal

class Log(QObject):  # as in QGIS 4
    messageReceived = pyqtSignal(bool)
    messageReceivedWithFormat = pyqtSignal(str, str, int, int)

    def logMessage(self, *_args):
        pass

log, bar = Log(), QgsMessageBar()
QgsApplication.messageLog = staticmethod(lambda: log)

class Window:
    def messageBar(self):
        return bar

def tell():
    log.messageReceived.emit(True)
    log.messageReceivedWithFormat.emit("GIQ[usage]: SUBMIT=NO", "GDAL", 1, 0)
    return len(bar.items())

from giq.guard import Guard
guard = Guard(Window())
guard.begin()
told = tell()
guard.end()
bar.clearWidgets()
print(told, tell(), flush=True)
os._exit(0)
"""


def words(client, script):
    return client.python(script, PLUGIN.parent, env=environment(client)).stdout.split()


def test_qgis_shows_its_own_dialog_where_it_has_another_kind(client):
    assert words(client, OTHER_DIALOG) == ["None"]


def test_guard_reads_the_log_where_its_signal_has_another_name(client):
    assert words(client, OTHER_LOG) == ["1", "0"]
