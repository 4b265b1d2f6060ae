"""The QGIS plugin in a profile of the test's own: for qgis_process, and for scripts that
register its provider themselves."""
import json
import os

from conftest import FOLDER
from programs import ROOT

PLUGIN = ROOT / "plugin" / "qgis" / "giq"
PROFILE = ".local/share/QGIS/QGIS3/profiles/default"

# Begins a script: run() is processing.run() with a feedback that keeps what it is told.
SCRIPT = f"""
import json, os, sys
sys.path[:0] = ["/usr/share/qgis/python/plugins", {str(PLUGIN.parent)!r}]
from qgis_kit import application, finish
import processing
from processing.core.Processing import Processing
from qgis.core import QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback
from qgis.core import NULL, QgsProject, QgsRasterLayer, QgsVectorLayer
Processing.initialize()
from giq.provider import GiqProvider
provider = GiqProvider()
assert application.processingRegistry().addProvider(provider)


def run(name, feedback=None, **parameters):
    feedback = feedback or QgsProcessingFeedback()
    return processing.run(f"giq:{{name}}", parameters, feedback=feedback)


def fails(name, **parameters):
    try:
        run(name, **parameters)
    except QgsProcessingException as error:
        return str(error)
    raise AssertionError("it did not fail")


def tell(value):
    def plain(other):
        return None if other == NULL else str(other)
    print("TOLD", json.dumps(value, default=plain))
"""


def environment(client):
    return {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(FOLDER),
            "XDG_DATA_HOME": str(client.folder / ".local/share")}


def script(client, text, *arguments, env=None):
    """What a script tells, as a list."""
    done = client.python(f"{SCRIPT}\n{text}\nfinish()\n", *arguments,
                         env={**environment(client), **(env or {})})
    return [json.loads(line[5:]) for line in done.stdout.splitlines()
            if line.startswith("TOLD ")]


def enable(client):
    """A profile of QGIS in which the plugin is enabled."""
    profile = client.folder / PROFILE
    (profile / "QGIS").mkdir(parents=True)
    (profile / "QGIS" / "QGIS3.ini").write_text("[PythonPlugins]\ngiq=true\n")
    (profile / "python" / "plugins").mkdir(parents=True)
    os.symlink(PLUGIN, profile / "python" / "plugins" / "giq")


def qgis_process(client, algorithm, *parameters, ok=True):
    """Run an algorithm of the plugin in qgis_process."""
    return client.run("qgis_process.bin", "run", algorithm, "--", *parameters, ok=ok,
                      env=environment(client))


def results(done):
    """The outputs that qgis_process prints."""
    lines = done.stdout.split("Results\n", 1)[1].splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)
