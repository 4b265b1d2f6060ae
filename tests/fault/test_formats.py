"""A store that version 0.1 wrote, opened by many processes at once whose locks lock nothing:
each record is read as before, and a further job is started by one of them."""
import json
import pathlib
import shutil
import sys

import pytest

from conftest import Opener
from programs import Gdal
from races import WORLDS, tags

RECORDED = pathlib.Path(__file__).parents[1] / "integration/recorded"
sys.path.insert(0, str(RECORDED))
from entries import ENTRIES, SOURCE, SOURCE_TEXT  # noqa: E402
from keys import behind_proxy  # noqa: E402
from store_service import StoreService  # noqa: E402

PROCESSES = 8
BY_NAME = {entry.name: entry for entry in ENTRIES if entry.kind != "raster"}


class Recorded:
    """A copy of the recorded store, and a process that opens."""

    def __init__(self, folder):
        self.service = StoreService()
        self.gdal = behind_proxy(Gdal(folder, self.service.url), self.service)
        shutil.copytree(RECORDED / "0.1/store", self.gdal.store)
        self.keys = json.loads((RECORDED / "0.1/keys.json").read_text())
        (folder / SOURCE).write_text(SOURCE_TEXT)
        self.opener = Opener(self.gdal, 0)

    def stop(self):
        self.opener.stop()
        self.service.stop()

    def race(self, world, name, options):
        envs = WORLDS[world]
        store = str(self.gdal.store)
        return self.opener.open_all([
            {"name": BY_NAME[name].dataset, "options": options, "env": {
                "GIQ_FAULT_STORE": store, "GIQ_POLL_INTERVAL": "0.05", "GIQ_TIMEOUT": "20",
                **envs[number % len(envs)]}} for number in range(PROCESSES)])

    def record(self, name):
        return self.gdal.records()[self.keys[name]]

    def tickets(self, name):
        return sorted(path.name for path in
                      (self.gdal.store / "v1" / self.keys[name]).glob("sent.*"))


@pytest.fixture
def recorded(tmp_path, started):
    return started(Recorded(tmp_path))


def check_read(done, gives):
    assert [(one.returncode, gives in one.stdout) for one in done] == [
        (0, True)] * PROCESSES, done


@pytest.mark.parametrize("world", ["dead", "hosts"])
def test_each_record_is_read_as_before(recorded, world):
    for name, entry in BY_NAME.items():
        done = recorded.race(world, name, list(entry.options))
        if entry.tag:
            assert [tags(one) for one in done] == [[entry.tag]] * PROCESSES, (name, done)
        else:
            check_read(done, entry.gives)
        assert recorded.tickets(name) == []
    assert recorded.service.calls("run") == []


@pytest.mark.parametrize("world", ["dead", "hosts"])
def test_a_further_job_of_an_old_record_is_one(recorded, world):
    """The record is of the new format then, and keeps what it is not known for."""
    names = ["failed", "unknown", "sending", "retried"]
    for name in names:
        done = recorded.race(world, name, ["RETRY=new"])
        check_read(done, f"name (String) = {name}")
        record = recorded.record(name)
        assert (record["format"], record["state"], record.get("attempt")) == (
            2, "published", 1), record
        assert record["written_later"]["number"] == 7
        assert recorded.tickets(name) == ["sent.1"]
    assert len(recorded.service.calls("run")) == len(names)


@pytest.mark.parametrize("world", ["dead", "hosts"])
def test_old_intent_and_old_job_go_on(recorded, world):
    for name, runs in (("intent", 1), ("submitted", 1), ("succeeded", 1)):
        check_read(recorded.race(world, name, []), f"name (String) = {name}")
        record = recorded.record(name)
        assert (record["format"], record["state"]) == (2, "published")
        assert len(recorded.service.calls("run")) == runs
    assert recorded.tickets("intent") == ["sent.1"]
    assert recorded.tickets("submitted") == recorded.tickets("succeeded") == []
