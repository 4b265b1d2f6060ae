"""Records the keys of areas: make_areas.py BUILD > areas.json

Run with the build whose keys are to stand. A key that changes is a second job for who has
paid for the first: record again only where the area that was sent was wrong."""
import json
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
os.environ.update(GIQ_TEST_DATA=str(HERE.parents[2] / "data"),
                  GIQ_TEST_PLUGINS=str(pathlib.Path(sys.argv[1]).resolve() / "gdalplugins"))
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "kit")]
from cases import cases  # noqa: E402
from keys import behind_proxy, keys_of  # noqa: E402
from programs import Gdal  # noqa: E402
from scripted import ScriptedService  # noqa: E402


def main():
    service = ScriptedService()
    with tempfile.TemporaryDirectory() as folder:
        gdal = behind_proxy(Gdal(pathlib.Path(folder), service.url), service)
        given = list(cases())
        keys = keys_of(gdal, given)
    service.stop()
    lines = [json.dumps({**case, "key": key}) for case, key in zip(given, keys, strict=True)]
    print("[\n" + ",\n".join(lines) + "\n]")


main()
