"""Real files whose download ends too early, at every kind of boundary and at seeded
offsets: never published, and whole as soon as the service is well."""
import hashlib
import json
import random
import re
import struct
import urllib.parse

import pytest

from programs import Gdal
from raw import RawService, response, chunk

SEEDED = 50
CHUNKS = (1, 4096, 4095, 10000, 777, 16384)
# The last chunk is over, and so the body is whole, before this.
LAST_LINE_FEED = b"\n"
ALLOWED = {"request.json", "job.json", "lock", "sent.1"}
MAKE = """
from osgeo import gdal, ogr, osr
gdal.UseExceptions()
osr.UseExceptions()
wgs84 = osr.SpatialReference()
wgs84.ImportFromEPSG(4326)
for driver, name in (("GPKG", "r.gpkg"), ("GeoJSON", "r.geojson")):
    made = ogr.GetDriverByName(driver).CreateDataSource(name)
    layer = made.CreateLayer("r", wgs84, ogr.wkbPolygon)
    layer.CreateField(ogr.FieldDefn("text", ogr.OFTString))
    for i in range(300):
        row = ogr.Feature(layer.GetLayerDefn())
        row["text"] = f"feature {i} " + "x" * (i % 90)
        row.SetGeometry(ogr.CreateGeometryFromWkt(
            f"POLYGON(({i} 0,{i} 1,{i + 1} 1,{i + 1} 0,{i} 0))".replace("00", "0")))
        layer.CreateFeature(row)
    del row, layer, made
made = gdal.GetDriverByName("GTiff").Create(
    "r.tif", 256, 256, 1, gdal.GDT_Byte, ["TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64"])
made.SetProjection(wgs84.ExportToWkt())
made.SetGeoTransform((0, 1, 0, 0, 0, -1))
pixels = bytes(i * i % 251 for i in range(65536))
made.GetRasterBand(1).WriteRaster(0, 0, 256, 256, pixels)
"""
OPEN = """
import hashlib, json, sys
from osgeo import gdal
messages = []
def hear(kind, number, text):
    if kind >= gdal.CE_Failure:
        messages.append(text)
gdal.PushErrorHandler(hear)
for name in json.load(open(sys.argv[1])):
    messages.clear()
    data = gdal.OpenEx(f"GIQ:model=m;file={name}")
    digest = data and hashlib.sha256(open(data.GetDescription(), "rb").read()).hexdigest()
    print(json.dumps([digest, messages]))
"""


class CutService(RawService):
    """The id of a job is that of its file. `plans[id]` are replies to its downloads, each
    given once; then it gets `body`."""

    def __init__(self, kind, body):
        super().__init__()
        self.headers = (f"Content-Disposition: attachment; filename=r.{kind}",)
        self.kind = kind
        self.body = body
        self.digest = hashlib.sha256(body).hexdigest()
        self.plans = {}
        self.runs = []

    def next_reply(self, call, head, body):
        if call == "run":
            file = re.search(rb'name="fileId"\r\n\r\n(.*)\r\n', body)[1].decode()
            self.runs.append(file)
            return response({"id": file, "status": "SUBMITTED"})
        query = urllib.parse.parse_qs(
            urllib.parse.urlsplit(head.split(b" ")[1]).query.decode())
        if call == "status":
            return response({"id": query["inferenceId"][0], "status": "COMPLETED"})
        if call == "download":
            return self.next_download(query["inferenceJobId"][0], head.decode())
        # A fresh connection for each call: libcurl asks again by itself where a used
        # one ends before the response begins.
        reply = super().next_reply(call, head, body)
        return reply.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)

    def next_download(self, job, head):
        plan = self.plans.get(job)
        reply = plan.pop(0) if plan else response(self.body, headers=self.headers)
        return reply(self, job, head) if callable(reply) else reply


# ---- where the boundaries are ----


def pages(body):
    size = struct.unpack(">H", body[16:18])[0]
    return range(size, len(body), size)


def records(body):
    """Around each feature, and at the end of the text."""
    ends = [match.end() for match in re.finditer(rb"\} \},?\n", body)]
    return [*(at for end in ends for at in (end - 1, end)), body.rindex(b"]"),
            len(body) - 1]


def tiles(body):
    """Of a TIFF: the directory, what it points to, each tile."""
    order = "<" if body[:2] == b"II" else ">"
    [first] = struct.unpack_from(order + "I", body, 4)
    [count] = struct.unpack_from(order + "H", body, first)
    places = [8, first, first + 2 + 12 * count]
    for i in range(count):
        tag, kind, number, value = struct.unpack_from(order + "HHII", body,
                                                      first + 2 + 12 * i)
        if tag in (324, 325) and kind == 4:
            places += struct.unpack_from(f"{order}{number}I", body, value)
    return [at for at in places if 0 < at < len(body)]


FORMATS = {"gpkg": pages, "geojson": records, "tif": tiles}


def some(places, most=12):
    """Not all of many: the first ones, the last ones, and some between."""
    places = sorted(set(places))
    middle = places[3:-3:max(1, len(places) // (most - 6))]
    return sorted({*places[:3], *middle, *places[-3:]})


class Wire:
    """A response as it is sent, and where the bytes of its body are in it."""

    def __init__(self, head, parts):
        self.head = head
        self.bytes = head + b"".join(frame + data for frame, data in parts)
        self.marks = []  # (offset in the body, offset in the response, length)
        at, had = len(head), 0
        for frame, data in parts:
            at += len(frame)
            self.marks.append((had, at, len(data)))
            at += len(data)
            had += len(data)

    def place(self, of_body):
        """Just before this byte of the body."""
        return next(at + of_body - had for had, at, size in self.marks
                    if had <= of_body <= had + size)

    def has_body(self, cut):
        return any(cut > at and size > 0 for _, at, size in self.marks)


def in_chunks(head, body):
    """Parts of a response in chunks: the size line with what ends the chunk before it."""
    parts, at, end = [], 0, b""
    while at < len(body):
        size = CHUNKS[len(parts) % len(CHUNKS)]
        data = body[at:at + size]
        parts.append((end + chunk(data).split(b"\r\n")[0] + b"\r\n", data))
        at, end = at + size, b"\r\n"
    return Wire(head, [*parts, (b"\r\n0\r\n\r\n", b"")])


def around_chunks(wire):
    """Every offset in what stands before the first, a middle and the last chunk, and
    behind it; at the first byte of their data, within it, and before its end."""
    places = []
    chosen = (0, 1, len(wire.marks) // 2, len(wire.marks) - 2, len(wire.marks) - 1)
    for i in chosen:
        _, at, size = wire.marks[i]
        before = sum(wire.marks[i - 1][1:]) if i else len(wire.head)
        places += range(before, at + 1)
        places += {at + 1, at + size // 2, at + size - 1} if size > 2 else set()
    return places


def framed(framing, service):
    headers, body = service.headers, service.body
    if framing == "chunked":
        head = response(headers=(*headers, "Transfer-Encoding: chunked"), length=-1)
        return in_chunks(head, body)
    if framing == "length":
        return Wire(response(headers=headers, length=len(body)), [(b"", body)])
    head = response(headers=headers, length=-1).replace(b"HTTP/1.1", b"HTTP/1.0")
    return Wire(head, [(b"", body)])


def cuts_of(wire, service, framing):
    """Offsets in the response at which it ends."""
    chance = random.Random(f"{service.kind} {framing}")
    head = len(wire.head)
    places = {5, head // 2, head - 1, head, head + 1}
    places.update(wire.place(at) for at in some(FORMATS[service.kind](service.body)))
    if framing == "chunked":
        places.update(around_chunks(wire))
    # A response without a length or chunks may be cut at any byte.
    end = {"length": len(wire.bytes), "close": len(wire.bytes) + 1}.get(
        framing, len(wire.bytes) - len(LAST_LINE_FEED))
    places.add(end - 1)
    seeded = {chance.randrange(head + 1, end) for _ in range(SEEDED)}
    assert len(places) >= 8 and len(seeded) > SEEDED // 2
    return sorted(at for at in places | seeded if 0 < at < end)


# ---- opening ----


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    Gdal(folder, "").python(MAKE)
    return {kind: (folder / f"r.{kind}").read_bytes() for kind in FORMATS}


@pytest.fixture(params=FORMATS)
def service(request, files, started):
    return started(CutService(request.param, files[request.param]))


@pytest.fixture
def gdal(tmp_path, service):
    return Gdal(tmp_path, service.url)


def open_all(gdal, names, **env):
    """For each: the digest of the published file, and the errors."""
    path = gdal.folder / "names.json"
    path.write_text(json.dumps(names))
    done = gdal.python(OPEN, path, env={"GIQ_MAX_RETRY": "0", **env})
    return dict(zip(names, map(json.loads, done.stdout.splitlines()), strict=True))


def folders(gdal):
    """The folder of each request's record, by the id of its job."""
    found = {path.parent: json.loads(path.read_text())
             for path in gdal.store.glob("v1/*/job.json")}
    return {record["job_id"]: (folder, record["state"])
            for folder, record in found.items()}


def tag_of(framing, wire, cut):
    """What is reported of a download that brings no byte, and of one that is cut later."""
    is_whole_head = framing == "close" and cut >= len(wire.head)
    return "incomplete" if is_whole_head or wire.has_body(cut) else "network"


def check_cut(name, tag, errors, folder, state):
    assert len(errors) == 1 and errors[0].startswith(f"GIQ[{tag}]"), (name, errors)
    assert state == "succeeded", name
    assert {path.name for path in folder.iterdir()} <= ALLOWED, name


@pytest.mark.parametrize("framing,unproved", [
    ("chunked", "NO"), ("chunked", "YES"), ("length", "NO"), ("length", "YES"),
    ("close", "NO")])
def test_cut_download_is_never_published(gdal, service, framing, unproved):
    wire = framed(framing, service)
    cuts = {f"cut-{at}": at for at in cuts_of(wire, service, framing)}
    print(len(cuts), "cuts")
    service.plans = {name: [wire.bytes[:at]] for name, at in cuts.items()}
    opened = open_all(gdal, list(cuts), GIQ_ALLOW_UNVERIFIED_LENGTH=unproved)
    found = folders(gdal)
    for name, cut in cuts.items():
        check_cut(name, tag_of(framing, wire, cut), opened[name][1], *found[name])
    again = open_all(gdal, list(cuts))
    assert all(again[name] == [service.digest, []] for name in cuts), again
    assert service.runs == list(cuts)


def test_last_line_feed_adds_nothing(gdal, service):
    """Old libcurls do without it, new ones call the body cut."""
    wire = framed("chunked", service)
    service.plans = {"cut": [wire.bytes[:-len(LAST_LINE_FEED)]]}
    [(digest, errors)] = open_all(gdal, ["cut"]).values()
    assert digest == service.digest if errors == [] else (
        digest is None and len(errors) == 1 and errors[0].startswith("GIQ[incomplete]"))
    assert open_all(gdal, ["cut"]) == {"cut": [service.digest, []]}
    assert service.runs == ["cut"]


# ---- going on ----


class Resumable:
    """Downloads with a strong ETag that end at these offsets of the body, one after
    another; a range is given on proof alone."""

    def __init__(self, ends):
        self.ends = ends
        self.sent = 0
        self.ranges = []

    def __call__(self, service, job, head):
        asked = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
        first = int(asked.get("range", "bytes=0-")[len("bytes="):-1])
        total = len(service.body)
        self.ranges.append(first)
        headers = [*service.headers, 'ETag: "v1"']
        status = "200 OK"
        if first > 0 and asked.get("if-range") == '"v1"':
            status = "206 Partial Content"
            headers.append(f"Content-Range: bytes {first}-{total - 1}/{total}")
        else:
            first = 0
        end = self.ends[len(self.ranges) - 1]
        self.sent += end - first
        return response(service.body[first:end], status, headers, total - first)


def check_resumed(gdal, service, cuts):
    """Open a request for each list of offsets: no byte of the result comes twice."""
    served = {name: Resumable([*ends, len(service.body)]) for name, ends in cuts.items()}
    service.plans = {name: [one] * len(one.ends) for name, one in served.items()}
    opened = open_all(gdal, list(cuts), GIQ_MAX_RETRY="100", GIQ_RETRY_DELAY="0")
    for name, ends in cuts.items():
        assert opened[name] == [service.digest, []], ends
        assert served[name].ranges == [0, *ends]
        assert served[name].sent == len(service.body)
    assert service.runs == list(cuts)


def test_cut_download_goes_on_where_it_stopped(gdal, service):
    wire = Wire(b"", [(b"", service.body)])
    check_resumed(gdal, service, {
        f"cut-{at}": [at] for at in cuts_of(wire, service, "length")})


def test_download_that_is_cut_again_and_again_goes_on(gdal, service):
    cuts = {"boundaries": some(FORMATS[service.kind](service.body), 30)}
    for seed in range(5):
        chance = random.Random(f"{service.kind} {seed}")
        cuts[f"seed-{seed}"] = sorted(chance.sample(range(1, len(service.body)), 20))
    check_resumed(gdal, service, cuts)
