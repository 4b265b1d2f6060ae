"""A store that an earlier version wrote, with a record in every state: the same keys, the
same words, and nothing is paid again. recorded/make_store.py made it."""
import json
import pathlib
import shutil
import sys

import pytest

RECORDED = pathlib.Path(__file__).parent / "recorded"
sys.path.insert(0, str(RECORDED))
from entries import ENTRIES, LATER, SOURCE, SOURCE_TEXT  # noqa: E402
from keys import behind_proxy  # noqa: E402
from store_service import StoreService  # noqa: E402

VERSIONS = ("0.1",)
# The service's word while a job runs, else the recorded state.
STATUS = {"submitted": "SUBMITTED", "retry-begun": "failed", "gone": "gone"}
JOBS = """
import json
from osgeo import gdal
data = gdal.OpenEx("GIQ:jobs")
for row in data.GetLayer(0):
    print(json.dumps([row["key"], row["status"]]))
"""


@pytest.fixture
def store_service(started):
    return started(StoreService())


@pytest.fixture(params=VERSIONS)
def recorded(request, scripted_gdal, store_service):
    """A Gdal whose store is a copy of the recorded one, and the keys by name."""
    folder = RECORDED / request.param
    gdal = behind_proxy(scripted_gdal, store_service)
    shutil.copytree(folder / "store", gdal.store)
    (gdal.folder / SOURCE).write_text(SOURCE_TEXT)
    return gdal, json.loads((folder / "keys.json").read_text())


def open_entry(gdal, entry):
    program = "gdalinfo" if entry.kind == "raster" else "ogrinfo"
    rest = () if entry.kind == "raster" else ("-al",)
    command = (program, *entry.arguments(), *rest, entry.dataset)
    if entry.tag:
        return gdal.fails(*command, tag=entry.tag)
    return gdal.run(*command).stdout


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_what_was_recorded_is_found_again(recorded, store_service, entry):
    gdal, keys = recorded
    assert set(gdal.records()) == set(keys.values())
    text = open_entry(gdal, entry)
    assert entry.gives in text
    assert store_service.calls("run") == []
    assert tuple(store_service.names()) == entry.calls
    records = gdal.records()
    assert set(records) == set(keys.values())
    if entry.gives:
        assert records[keys[entry.name]]["state"] == "published"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_a_second_open_is_as_the_first(recorded, store_service, entry):
    gdal, _ = recorded
    first = open_entry(gdal, entry)
    calls = store_service.names()
    assert open_entry(gdal, entry) == first
    assert store_service.names() == calls


def test_members_that_no_version_knows_are_kept(recorded):
    gdal, _ = recorded
    for entry in ENTRIES:
        open_entry(gdal, entry)
    paths = [*gdal.store.glob("v1/*/job.json"), *gdal.store.glob("uploads/v1/*.json")]
    assert len(paths) == len(ENTRIES) + 1
    for path in paths:
        read = json.loads(path.read_text())
        assert {name: read[name] for name in LATER} == LATER, path


def test_every_record_is_a_row(recorded, store_service):
    gdal, keys = recorded
    rows = dict(json.loads(line) for line in gdal.python(JOBS).stdout.splitlines())
    assert rows == {keys[entry.name]: STATUS.get(entry.name, entry.state)
                    for entry in ENTRIES}
    assert store_service.calls() == []


def test_an_intent_that_was_left_may_be_submitted(recorded, store_service):
    """Nothing was sent for it."""
    gdal, keys = recorded
    done = gdal.run("ogrinfo", "-al", "GIQ:model=m;file=intent")
    assert "name (String) = intent" in done.stdout
    assert len(store_service.calls("run")) == 1
    assert gdal.records()[keys["intent"]]["state"] == "published"
