"""A program that opens a thousand times is in the end what it was in the beginning."""
import itertools
import json
import socket
import statistics

import pytest

from archives import pack_zip
from programs import Gdal
from raw import RESULT, RawService, response, chunk, chunked, job

# After the first opens all is in use that stays so. A heap whose free pieces do not fit
# may grow once; 100 bytes that leaked in each open would be 10 KiB in every hundred.
HUNDRED_KIB = 4
FIRST = 700  # the heap has met all sizes by then
ONCE_KIB = 256
OPEN = """
import json, os, shutil, sys
from osgeo import gdal

def measure():
    with open("/proc/self/status") as status:
        [rss] = [line.split()[1] for line in status if line.startswith("VmRSS")]
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")), int(rss)

def open_one(case):
    messages = []
    def hear(kind, code, text):
        if kind >= gdal.CE_Failure:
            messages.append(text)
    gdal.PushErrorHandler(hear)
    for name, value in case["settings"].items():
        gdal.SetConfigOption(name, value)
    data = gdal.OpenEx(case["name"], gdal.OF_VECTOR)
    for name in case["settings"]:
        gdal.SetConfigOption(name, None)
    gdal.PopErrorHandler()
    count = data.GetLayer(0).GetFeatureCount() if data else None
    tags = [text[:text.index("]") + 1] for text in messages]
    assert tags == ([case["tag"]] if case["tag"] else []), (case, messages)
    assert (count is None) == bool(case["tag"]), case

cases = json.load(open(sys.argv[1]))
for number in range(1700):
    if number % 100 == 0:
        print(json.dumps(measure()))
    if number % len(cases) == 0:
        # The store is removed: each round submits and downloads again.
        shutil.rmtree(os.environ["GIQ_STORE_DIR"], ignore_errors=True)
    open_one(cases[number % len(cases)])
print(json.dumps(measure()))
"""


# What a service does for ever, and the tag that opening its result gives.
SERVICES = {
    "well": ({}, None),
    "archive": ({"download": response(pack_zip({"r.geojson": RESULT}))}, None),
    "cut": ({"download": chunked(chunk(RESULT)[:-40])}, "GIQ[incomplete]"),
    "vrt": ({"download": response(b"<VRTDataset/>")}, "GIQ[result]"),
    "failed": ({"status": response(job("FAILED"))}, "GIQ[failed]"),
    "unreadable": ({"run": response(b"<html>")}, "GIQ[unknown]"),
}


def case(name, url, tag):
    return {"name": name, "tag": tag, "settings": {"GIQ_BASE_URL": url}}


@pytest.fixture
def cases():
    """The opens of one round."""
    made = []
    services = []
    for label, (faults, tag) in SERVICES.items():
        services.append(RawService())
        services[-1].faults = faults
        # New, and as it is recorded then.
        made += [case("GIQ:model=m;file=f", services[-1].url, tag)] * 2
    well = services[0].url
    busy = RawService()
    busy.faults = {"models": response(status="503 Busy")}
    nobody = socket.socket()
    nobody.bind(("127.0.0.1", 0))
    port = nobody.getsockname()[1]
    yield [*made, case("GIQ:models", well, None), case("GIQ:jobs", well, None),
           case("GIQ:models", busy.url, "GIQ[service]"),
           case("GIQ:model=m;file=f;wait=no", well, None),
           case("GIQ:model=m;file=f;geometry=POINT(1 1)", well, "GIQ[area]"),
           case("GIQ:model=n;file=f", well, "GIQ[usage]"),
           case("GIQ:model=m;file=f", f"http://127.0.0.1:{port}", "GIQ[network]")]
    nobody.close()
    for service in (*services, busy):
        service.stop()


def test_thousand_opens_leave_nothing(tmp_path, cases):
    gdal = Gdal(tmp_path, "")
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(cases))
    done = gdal.python(OPEN, path, env={"GIQ_MAX_RETRY": "0", "GIQ_TIMEOUT": "20"})
    measured = [json.loads(line) for line in done.stdout.splitlines()]
    print(*measured, sep="\n")
    fds, threads, kib = zip(*measured[FIRST // 100:])
    assert len(set(fds)) == len(set(threads)) == 1
    assert statistics.median(b - a for a, b in itertools.pairwise(kib)) <= HUNDRED_KIB
    assert kib[-1] - kib[0] <= ONCE_KIB
