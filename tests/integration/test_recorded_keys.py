"""Keys of requests that a store may hold already: one that changed would be a second job.
recorded/make_areas.py made the list."""
import json
import pathlib
import sys

RECORDED = pathlib.Path(__file__).parent / "recorded"
sys.path.insert(0, str(RECORDED))
from keys import behind_proxy, keys_of  # noqa: E402


def test_an_area_has_the_key_that_it_had(scripted_gdal, service):
    recorded = json.loads((RECORDED / "areas.json").read_text())
    assert len(recorded) >= 200
    keys = [case.pop("key") for case in recorded]
    made = keys_of(behind_proxy(scripted_gdal, service), recorded)
    changed = {json.dumps(case): key for case, key, now in zip(recorded, keys, made,
                                                               strict=True) if key != now}
    assert changed == {}
    assert len(service.calls("run")) == len(set(keys))
