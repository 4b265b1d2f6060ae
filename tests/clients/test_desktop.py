"""The QGIS desktop itself on a screen in memory: where its user puts the key, and what
its user sees."""
import json

import secret_search
from conftest import RASTER, VECTOR
from desktop_kit import screen  # noqa: F401

# What Settings > Options > System > Environment writes to the profile.
SETTINGS = """[qgis]
checkVersion=false
customEnvVarsUse=true
customEnvVars=overwrite|GIQ_API_KEY={key}, overwrite|GIQ_TIMEOUT=60
"""
SCRIPT = """
import json, os, traceback
from qgis.core import QgsApplication, QgsVectorLayer
from qgis.utils import iface
messages = []
QgsApplication.messageLog().messageReceived.connect(lambda text, *_: messages.append(text))
VECTOR, RASTER, WRONG = {names}

def report():
    bar = iface.messageBar()
    added = [iface.addVectorLayer(VECTOR, "water", "ogr"),
             iface.addRasterLayer(RASTER, "ndvi")]
    found = {{"valid": [layer is not None and layer.isValid() for layer in added],
              "timeout": os.environ["GIQ_TIMEOUT"]}}
    bar.clearWidgets()
    assert iface.addVectorLayer(WRONG, "wrong", "ogr") is None
    found["bar"] = [item.text() for item in bar.items()]
    del messages[:]
    QgsVectorLayer(WRONG, "wrong", "ogr")
    found["log"] = messages
    with open("found.json", "w") as out:
        json.dump(found, out)

def work():
    code = 1
    try:
        report()
        code = 0
    except Exception:
        traceback.print_exc()
    os._exit(code)

iface.initializationCompleted.connect(work)
"""
WRONG = "GIQ:model=ndwi;file=x"


def desktop(client, screen):  # noqa: F811
    """Add layers in a QGIS whose settings hold the key; what QGIS reports."""
    profile = client.folder / "profiles" / "default" / "QGIS"
    profile.mkdir(parents=True)
    settings = secret_search.is_input(profile / "QGIS3.ini")
    settings.write_text(SETTINGS.format(key=secret_search.KEY))
    (client.folder / "report.py").write_text(SCRIPT.format(names=(VECTOR, RASTER, WRONG)))
    del client.env["GIQ_API_KEY"]
    client.run("qgis", "--nologo", "--noversioncheck", "--profiles-path", client.folder,
               "--code", "report.py", env={"DISPLAY": screen, "QT_QPA_PLATFORM": "xcb"})
    return json.loads((client.folder / "found.json").read_text())


def test_key_of_the_settings_and_layers_of_the_desktop(client, screen):  # noqa: F811
    found = desktop(client, screen)
    assert found["valid"] == [True, True] and found["timeout"] == "60"
    assert len(client.paid()) == 2
    # The bar of this QGIS has words of its own; the log panel has the driver's.
    assert found["bar"] == [f"{WRONG} is not a valid or recognized data source."]
    assert "GIQ[usage]" in found["log"][0] and "ndvi" in found["log"][0]
