"""How long the window of QGIS stands still while the plugin runs a job, and how long a
project of eight stored rasters takes to open."""
import os
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "kit"))
sys.path.append(str(pathlib.Path(__file__).parents[1] / "clients"))

JOB_S = 10
SCRIPT = """
from desktop_session import *
from qgis.core import QgsProject, QgsRasterLayer

def run(scene):
    dialog = open_dialog("giq:run", {"MODEL": "water", "FILE": scene})
    cost_of(dialog)
    delays = Delays()
    added = []
    QgsProject.instance().layersAdded.connect(lambda _: added.append(delays.take()))
    ends = press_run(dialog)
    wait(lambda: ends, "the end")
    adding = delays.take()
    dialog.close()
    return added[0], adding

def work(scene, *jobs):
    waiting, adding = run(scene)
    project = QgsProject.instance()
    project.clear()
    project.addMapLayers([QgsRasterLayer(f"GIQ:job={job}", job, "gdal") for job in jobs])
    assert len(project.mapLayers()) == 8 and project.write("eight.qgs")
    project.clear()
    began = time.monotonic()
    assert project.read("eight.qgs")
    took = time.monotonic() - began
    assert all(layer.isValid() for layer in project.mapLayers().values())
    return {"waiting": waiting, "adding": adding, "opening_s": took}
"""


def measure(table, build, folder):
    os.environ.update(GIQ_TEST_PLUGINS=str(build / "gdalplugins"),
                      GIQ_SANDBOX=str(build / "tests/sandbox/giq_sandbox"))
    from conftest import Client, RASTER
    from desktop_kit import Desktop, start_screen
    from programs import SCENE, Sandbox
    folder = folder / "qgis"
    folder.mkdir()
    sandbox = Sandbox(folder / "sandbox", "--job-seconds", str(JOB_S), "--workers", "8")
    try:
        client = Client(folder, sandbox)
        opens = [client.start("gdalinfo", f"{RASTER};rerun={i}") for i in range(8)]
        for process in opens:
            client.finish(process)
        jobs = [run["job"] for run in client.paid()]
        with start_screen(folder) as screen:
            found = Desktop(client, screen).run(SCRIPT, SCENE, *jobs)
    finally:
        sandbox.stop()
    what = f"QGIS, window while a job of {JOB_S} s runs"
    table.single(f"{what}, median delay", [found["waiting"]["median_ms"]], "ms", bound=100)
    table.single(f"{what}, worst delay", [found["waiting"]["worst_ms"]], "ms", bound=100)
    table.single("QGIS, window while the layer is added, worst delay",
                 [found["adding"]["worst_ms"]], "ms", bound=250)
    table.single("QGIS, opening a project of eight stored rasters", [found["opening_s"]],
                 "s", bound=1)
