"""What the desktop of QGIS needs for the plugin: the driver, and the key from QGIS's
authentication database."""
import pytest

import secret_search
from desktop_kit import desktop, screen  # noqa: F401
from programs import SCENE

MISSING = """
from desktop_session import *
from osgeo import gdal
from qgis.core import QgsVectorLayer

def errors():
    found = set()
    areas = QgsVectorLayer("Polygon?crs=EPSG:4326&field=id:int", "areas", "memory")
    for name, given in (("run", {"MODEL": "water", "FILE": "x"}), ("jobs", {}),
                        ("files", {}), ("models", {}), ("fetch", {"JOB": "x"}),
                        ("batch", {"INPUT": areas})):
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"giq:{name}")
        ok, reason = algorithm.canExecute()
        assert not ok
        try:
            processing.run(f"giq:{name}", {"OUTPUT": "memory:", **given})
        except Exception as error:
            found.add(str(error))
        else:
            found.add(name + " has run")
        found.add(reason)
    return sorted(found)

def work():
    return {"bars": bars(), "errors": errors(),
            "guard": gdal.GetConfigOption("GIQ_SUBMIT")}
"""
OLD = MISSING.replace("def work():", """
def work():
    from qgis.utils import loadPlugin, startPlugin, unloadPlugin
    assert bars() == [] and unloadPlugin("giq")
    gdal.GetDriverByName("GIQ").SetMetadataItem("DRIVER_VERSION", "0.1.9")
    assert loadPlugin("giq") and startPlugin("giq")
""")


def test_missing_driver_is_told_at_the_start_and_by_each_algorithm(desktop, client):  # noqa
    (client.folder / "none").mkdir()
    found = desktop.run(MISSING, env={"GDAL_DRIVER_PATH": str(client.folder / "none")})
    [told] = found["bars"]
    assert "has no driver GIQ" in told and "GDAL_DRIVER_PATH" in told \
        and "libgdal-plugin-giq" in told
    assert found["errors"] == [told] and found["guard"] is None


def test_old_driver_is_told_at_the_start_and_by_each_algorithm(desktop, client):  # noqa
    found = desktop.run(OLD)
    [told] = found["bars"]
    assert "has version 0.1.9; this plugin needs 0.2 or later" in told
    assert found["errors"] == [told]


KEY = """
from desktop_session import *
from osgeo import gdal
from qgis.core import QgsAuthMethodConfig

def work(chosen):
    manager = QgsApplication.authManager()
    assert manager.setMasterPassword("master", True)
    ids = {}
    for method in manager.authMethodsKeys():
        config = QgsAuthMethodConfig(method)
        config.setName(method)
        if method == "Basic":
            config.setConfig("username", "giq")
            config.setConfig("password", os.environ["THE_KEY"])
        elif method == "APIHeader":
            config.setConfig("X-API-KEY", os.environ["THE_KEY"])
        else:
            continue
        assert manager.storeAuthenticationConfig(config)
        ids[method] = config.id()
    QgsSettings().setValue("giq/authcfg", ids.get(chosen, ""))
    return ids
"""
USE = """
from desktop_session import *
from osgeo import gdal
from qgis.PyQt.QtWidgets import QDialog

def refuse():
    for widget in QApplication.topLevelWidgets():
        if widget.isVisible() and widget.inherits("QgsCredentialDialog"):
            widget.reject()

def work(scene):
    timer = QTimer()
    timer.timeout.connect(refuse)
    timer.start(50)
    dialog = open_dialog("giq:run", {"MODEL": "water", "FILE": scene})
    cost = cost_of(dialog)
    ends = press_run(dialog)
    wait(lambda: ends, "the end")
    log = dialog.findChild(QTextEdit, "txtLog").toPlainText()
    QgsProject.instance().write("kept.qgs")
    return {"ok": ends[0][0], "log": log, "cost": cost, "layers": layers(),
            "messages": messages}
"""


@pytest.mark.parametrize("method", ["Basic", "APIHeader"])
def test_key_of_the_authentication_database_is_written_nowhere(desktop, client,  # noqa
                                                               method):
    del client.env["GIQ_API_KEY"]
    ids = desktop.run(KEY, method, env={"THE_KEY": secret_search.KEY})
    assert "Basic" in ids
    if method not in ids:
        pytest.skip(f"this QGIS has no authentication method {method}")
    for word in ("wrong", "master"):
        (client.folder / word).write_text(word)
    assert "giq" in desktop.settings.read_text()
    found = desktop.run(USE, SCENE,
                        env={"QGIS_AUTH_PASSWORD_FILE": str(client.folder / "wrong")})
    assert not found["ok"] and found["layers"] == [] and client.calls() == []
    assert "could not be read" in found["log"] and "master password" in found["log"]
    assert found["cost"].endswith("this starts a paid job")
    found = desktop.run(USE, SCENE,
                        env={"QGIS_AUTH_PASSWORD_FILE": str(client.folder / "master")})
    [run] = client.paid()
    assert found["ok"] and found["layers"][0][1:] == [f"GIQ:job={run['job']}", True]
    secret_search.in_text(str(found), "what QGIS says")
