"""Records a store with a record in every state: make_store.py BUILD FOLDER

FOLDER gets store/ and keys.json. Run with the build whose records are to be read for ever;
a later version gets a store of its own beside this one."""
import dataclasses
import json
import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
os.environ.update(GIQ_TEST_DATA=str(HERE.parents[2] / "data"),
                  GIQ_TEST_PLUGINS=str(pathlib.Path(sys.argv[1]).resolve() / "gdalplugins"))
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "kit")]
from entries import ENTRIES, LATER, SOURCE, SOURCE_TEXT  # noqa: E402
from keys import behind_proxy  # noqa: E402
from programs import Gdal  # noqa: E402
from store_service import StoreService  # noqa: E402

# The path of an uploaded file is recorded, so it is the same at every run.
FOLDER = pathlib.Path("/tmp/giq-recorded-store")
# The second connection of an open is that of the run request.
KILLED_BEFORE_SENDING = ("strace", "-f", "-e", "trace=connect", "-e",
                         "inject=connect:signal=KILL:when={}")


def open_entry(gdal, entry, *before, options=()):
    gdal.run(*before, "ogrinfo" if entry.kind == "geojson" else "gdalinfo",
             *entry.arguments(), *options, entry.dataset, ok=None)


def kill_before_sending(gdal, entry, connection, *options):
    command = [word.format(connection) for word in KILLED_BEFORE_SENDING]
    open_entry(gdal, entry, *command, options=options)


def kill_when_sent(gdal, service, entry):
    process = None
    service.on_run[entry.name] = lambda: process.kill()
    process = gdal.start("ogrinfo", entry.dataset)
    gdal.finish(process)


def make(gdal, service, entry):
    no_retry = ("--config", "GIQ_MAX_RETRY", "0")
    service.kinds[entry.name] = entry.kind
    if entry.name == "intent":
        kill_before_sending(gdal, dataclasses.replace(entry, options=()), 2)
    elif entry.name == "sending":
        kill_when_sent(gdal, service, entry)
    elif entry.name == "submitted":
        service.status_of[entry.name] = "RUNNING"
        open_entry(gdal, entry, options=("-oo", "TIMEOUT=0"))
    elif entry.name in ("succeeded", "gone"):
        service.refuses[entry.name] = 500 if entry.name == "succeeded" else 404
        open_entry(gdal, entry, options=no_retry)
    elif entry.name == "unknown":
        service.on_run[entry.name] = lambda: None
        open_entry(gdal, entry)
    elif entry.name in ("failed", "retried", "retried-well", "retry-begun"):
        make_failed(gdal, service, entry)
    else:
        open_entry(gdal, entry)


def make_failed(gdal, service, entry):
    service.status_of[entry.name] = "FAILED"
    gdal.run("ogrinfo", entry.dataset, ok=None)
    if entry.name == "retried-well":
        del service.status_of[entry.name]
    if entry.name.startswith("retried"):
        open_entry(gdal, entry)
    if entry.name == "retry-begun":
        kill_before_sending(gdal, entry, 1, "-oo", "RETRY=spring")


def add_later_members(store):
    for path in (*store.glob("v1/*/job.json"), *store.glob("uploads/v1/*.json")):
        path.write_text(json.dumps({**json.loads(path.read_text()), **LATER}) + "\n")


def main():
    out = pathlib.Path(sys.argv[2])
    FOLDER.mkdir()
    service = StoreService()
    gdal = behind_proxy(Gdal(FOLDER, service.url), service)
    (FOLDER / SOURCE).write_text(SOURCE_TEXT)
    keys = {}
    for entry in ENTRIES:
        make(gdal, service, entry)
        [key] = set(gdal.records()) - set(keys.values())
        keys[entry.name] = key
        assert gdal.records()[key]["state"] == entry.state, (entry, gdal.records()[key])
    service.stop()
    add_later_members(gdal.store)
    out.mkdir()
    shutil.copytree(gdal.store, out / "store")
    (out / "keys.json").write_text(json.dumps(keys, indent=1) + "\n")
    shutil.rmtree(FOLDER)


main()
