"""A project that the plugin has saved is opened by another user of the machine: nothing is
paid, and what cannot be had is told. Needs root, to be two users."""
import pytest

from conftest import Client, SCENE
from desktop_kit import Desktop, desktop, screen  # noqa: F401

OTHER = 2001
SAVE = """
from desktop_session import *

def work(path, rows, scene, *jobs):
    for job in jobs:
        processing.runAndLoadResults("giq:fetch", {"JOB": job})
    if rows:
        processing.runAndLoadResults("giq:batch", {"INPUT": rows, "OUTPUT": "memory:"})
    assert QgsProject.instance().write(path)
    return [layer for layer in layers() if layer[0] != "Jobs"]
"""
OPEN = """
from desktop_session import *
from qgis.PyQt.QtWidgets import QPushButton

def work(path, journal):
    def calls():
        return [json.loads(line)["path"].rsplit("/", 1)[-1] for line in open(journal)]
    before = len(calls())
    iface.messageBar().clearWidgets()
    assert QgsProject.instance().read(path)
    QApplication.processEvents()
    found = {"calls": calls()[before:], "bars": bars(), "layers": layers()}
    grab(iface.mainWindow(), "opened.png")
    # Whoever looks at all of it still starts nothing.
    for layer in QgsProject.instance().mapLayers().values():
        found.setdefault("features", []).append(
            len(list(layer.getFeatures())) if layer.isValid() else None)
    buttons = [b for b in iface.messageBar().findChildren(QPushButton) if b.text() == "Fetch"]
    for button in buttons:
        iface.messageBar().clearWidgets()
        button.click()
        wait(lambda: bars() or all(valid for _, _, valid in layers()), "the end")
    grab(iface.mainWindow(), "fetched.png")
    found["fetched"] = {"calls": sorted(calls()[before:]), "layers": layers(),
                        "bars": bars()}
    return found
"""


@pytest.fixture
def job(client):
    client.run("ogrinfo", f"GIQ:model=water;file={SCENE}")
    [run] = client.paid()
    return run["job"]


@pytest.fixture
def saved(client, desktop):  # noqa: F811
    """Saves a project with layers of a job, and of a batch if there are rows."""
    def save(*jobs, rows=""):
        path = client.folder / "saved.qgs"
        names = desktop.run(SAVE, path, rows, SCENE, *jobs)
        path.chmod(0o644)
        return path, names
    return save


@pytest.fixture
def other(client, sandbox, screen):  # noqa: F811
    """The desktop of the other user, with a home and a store of its own."""
    folder = client.folder / "other"
    folder.mkdir()
    return Desktop(Client(folder, sandbox), screen, OTHER)


def journal(client):
    """That of the service, which the other user may read."""
    client.as_user(OTHER)
    path = client.sandbox.state / "journal.jsonl"
    path.chmod(0o644)
    for parent in path.parents[:2]:
        parent.chmod(0o755)
    return path


def test_own_store_gets_the_result_without_a_run_request(client, saved, other, job):
    path, names = saved(job)
    found = other.run(OPEN, path, journal(client))
    assert len(client.paid()) == 1
    assert found["calls"] == [] and found["features"] == [None]
    assert found["layers"] == [[*names[0][:2], False]]
    assert found["bars"] == ["The result of a gIQ job is not in your store. Fetching it is "
                             "not billed."]
    assert found["fetched"]["calls"] == ["download", "status"]
    assert found["fetched"]["layers"] == names and found["fetched"]["bars"] == []
    assert (other.client.store / "v1").stat().st_uid == OTHER


def test_store_of_somebody_else_that_cannot_be_read_is_told(client, saved, other, job):
    path, names = saved(job)
    client.store.chmod(0o700)
    found = other.run(OPEN, path, journal(client), env={"GIQ_STORE_DIR": str(client.store)})
    assert len(client.paid()) == 1
    assert found["calls"] == [] and found["layers"] == [[*names[0][:2], False]]
    [text] = found["fetched"]["bars"]
    assert text.startswith(f"The result of the job {job} could not be fetched: GIQ[store] ")
    assert str(client.store) in text
    assert found["fetched"]["calls"] == []


@pytest.fixture
def batch(client, saved):
    """A project with the layer of a batch."""
    (client.folder / "rows.csv").write_text(f"id,model,file\na,water,{SCENE}\n")
    path, [layer] = saved(rows=client.folder / "rows.csv")
    assert layer[0] == "gIQ batch" and len(client.paid()) == 1
    return path, layer[1]


def test_batch_in_a_store_that_cannot_be_read_is_told_in_a_bar(client, batch, other):
    """And not in QGIS's dialog about unavailable layers, in which nobody can help. A name is
    text, though a bar reads HTML."""
    path, source = batch
    path.write_text(path.read_text().replace("gIQ batch", "&lt;b>gIQ&lt;/b> batch"))
    client.store.chmod(0o700)
    found = other.run(OPEN, path, journal(client))
    assert len(client.paid()) == 1 and found["fetched"]["calls"] == []
    assert ["<b>gIQ</b> batch", source, False] in found["layers"]
    assert found["bars"] == ["The layer “&lt;b&gt;gIQ&lt;/b&gt; batch” cannot be opened: it "
                             "lies in the store in which its batch was run."]


def test_batch_in_a_store_that_can_be_read_starts_nothing(client, batch, other):
    path, source = batch
    for found in (client.store, *client.store.rglob("*")):
        found.chmod(found.stat().st_mode | (0o055 if found.is_dir() else 0o044))
    found = other.run(OPEN, path, journal(client))
    assert len(client.paid()) == 1 and found["fetched"]["calls"] == []
    assert found["features"] == [0, 0] and found["bars"] == []
