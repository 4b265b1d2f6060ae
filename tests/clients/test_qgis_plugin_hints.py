"""The hints for MODEL in a dialog of the QGIS plugin."""
import json

from plugin_kit import PLUGIN, environment

SCRIPT = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from qgis.core import QgsApplication
application = QgsApplication([], True)
application.initQgis()
from qgis.PyQt.QtWidgets import QLineEdit
from giq import hints, opening
line = QLineEdit()
hints.attach(line)
line.setText("program")
application.processEvents()
before = len(opening._left_behind)
for text in ("n", "nd"):
    line.textEdited.emit(text)
words = line.completer().model()
while words.rowCount() == 0:
    application.processEvents()
line.completer().setCompletionPrefix("DV")
print(json.dumps([before, words.rowCount(), line.completer().currentCompletion()]), flush=True)
os._exit(0)
"""


def test_list_is_fetched_once_when_the_user_types(client):
    done = client.python(SCRIPT, PLUGIN.parent, env=environment(client))
    before, count, completion = json.loads(done.stdout)
    assert before == 0 and count > 3 and completion == "ndvi"
    assert client.calls() == ["models"]
