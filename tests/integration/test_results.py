"""Results: every kind that the sandbox computes, handed over as GDAL's own datasets,
and what is refused."""
import gzip
import io
import os
import re
import zipfile

import pytest

from archives import pack_zip
import secret_search
from programs import AREA, DATA, PUBLISHED, SCENE
from external import give, needs_source_driver, refused
from scripted import Response, GEOJSON, job

NAME = "GIQ:model=m;file=f"
WHOLE = f"GIQ:model=%s;file={SCENE}"


@pytest.mark.parametrize("model,driver,words", [
    ("water", "GPKG", ["area_m2", "mean_index", "Geometry: Polygon"]),
    ("contours", "GeoJSON", ["value", "Line String"]),
    ("segments", "ESRI Shapefile", ["class", "Geometry: Polygon"]),
])
def test_vector_result_is_read_by_its_own_driver(gdal, sandbox, model, driver, words):
    for _ in range(2):
        done = gdal.run("ogrinfo", "-so", "-al", WHOLE % model)
        assert f"using driver `{driver}' successful" in done.stdout
        for word in words:
            assert word in done.stdout
    assert [c for c in sandbox.calls() if c != "status"] == ["models", "run", "download"]


def test_raster_result_is_read_by_its_own_driver(gdal, sandbox):
    name = f"{WHOLE % 'ndvi'};geometry={AREA}"
    done = gdal.run("gdalinfo", "-stats", name)
    assert "Driver: GTiff/GeoTIFF" in done.stdout
    assert "Description = NDVI" in done.stdout
    assert "STATISTICS_MAXIMUM=0." in done.stdout
    gdal.run("gdal_translate", "-q", name, "out.tif")
    gdal.run("gdalwarp", "-q", "-t_srs", "EPSG:4326", name, "warped.tif")
    gdal.python("""
from osgeo import gdal
import sys
a, b = gdal.Open(sys.argv[1]), gdal.Open("out.tif")
assert (a.ReadAsArray() == b.ReadAsArray()).all()
assert a.GetGeoTransform() == b.GetGeoTransform()
assert gdal.Open("warped.tif").GetSpatialRef().IsGeographic()
""", name)
    assert len(sandbox.runs()) == 1
    assert sandbox.calls().count("download") == 1
    assert not list(gdal.folder.glob("GIQ*")), "nothing is written beside the user"


def test_flatgeobuf_of_a_vector_file(gdal, sandbox):
    out = gdal.folder / "hulls.csv"
    gdal.run("ogr2ogr", "-f", "CSV", out, "GIQ:model=hulls;file=parcels.geojson")
    assert "source_fid" in out.read_text().splitlines()[0]
    assert len(sandbox.runs()) == 1


def test_model_on_the_wrong_kind_of_file_fails_with_the_reason(gdal, sandbox):
    text = gdal.fails("ogrinfo", WHOLE % "hulls", tag="failed")
    assert "hulls needs a vector file" in text
    assert gdal.fails("ogrinfo", WHOLE % "hulls", tag="failed") == text
    assert len(sandbox.runs()) == 1


def test_wrong_kind_says_what_the_result_is(gdal, sandbox):
    vector = gdal.fails("gdalinfo", WHOLE % "water")
    raster = gdal.fails("ogrinfo", WHOLE % "ndvi")
    jobs = [run["job"] for run in sandbox.runs()]
    assert len(jobs) == 2
    assert vector == (f"ERROR 4: GIQ[result] the result of the job {jobs[0]} is a vector "
                      "dataset, not a raster: use ogrinfo or ogr2ogr")
    assert raster == (f"ERROR 4: GIQ[result] the result of the job {jobs[1]} is a raster, "
                      "not a vector dataset: use gdalinfo or gdal_translate")


def test_existing_job_is_opened_by_its_id(gdal, sandbox):
    gdal.run("ogrinfo", "-so", f"{WHOLE % 'water'};wait=no")
    job_id = sandbox.runs()[0]["job"]
    other = {"GIQ_STORE_DIR": str(gdal.folder / "other")}
    for name in (f"GIQ:job={job_id}", f"giq:inferenceId={job_id}"):
        done = gdal.run("ogrinfo", "-so", "-al", name, env=other)
        assert "area_m2" in done.stdout
    assert len(sandbox.runs()) == 1
    assert sandbox.calls().count("download") == 1


def shapefile(gdal, *names):
    """The bytes of a zip with Shapefiles and what else is named."""
    packed = io.BytesIO()
    (gdal.folder / "in.geojson").write_bytes(GEOJSON)
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            path = gdal.folder / name
            path.parent.mkdir(exist_ok=True)
            kind = {"shp": "ESRI Shapefile", "gpkg": "GPKG"}[name.rsplit(".", 1)[1]]
            gdal.run("ogr2ogr", "-f", kind, path, "in.geojson")
            for part in sorted(path.parent.glob(path.stem + ".*")):
                archive.write(part, str(part.relative_to(gdal.folder)))
        archive.writestr("readme.txt", "not data")
    return packed.getvalue()


def test_archive_with_one_member_is_that_member(scripted_gdal, service):
    give(service, shapefile(scripted_gdal, "a/one.shp"), "r.zip")
    for name in (NAME, f"{NAME};member=a/one.shp"):
        done = scripted_gdal.run("ogrinfo", "-al", name)
        assert "Layer name: one" in done.stdout and "POINT (1 2)" in done.stdout
    text = scripted_gdal.fails("ogrinfo", f"{NAME};member=two.shp", tag="usage")
    assert text.endswith('GIQ[usage] the result of the job job-1 has no member "two.shp"; '
                         "its members are: a/one.shp")
    assert service.names().count("download") == 1


def test_folder_of_shapefiles_is_one_dataset(scripted_gdal, service):
    give(service, shapefile(scripted_gdal, "a/one.shp", "a/two.shp"), "r.zip")
    done = scripted_gdal.run("ogrinfo", NAME)
    assert "one (Point)" in done.stdout and "two (Point)" in done.stdout


def test_several_members_are_listed_and_one_can_be_chosen(scripted_gdal, service):
    give(service, shapefile(scripted_gdal, "one.shp", "two.gpkg"), "r.zip")
    text = scripted_gdal.fails("ogrinfo", NAME, tag="usage")
    before, _, members = text.rpartition(": ")
    assert before.endswith("GIQ[usage] the result of the job job-1 has several members; "
                           "choose one with member=<name>")
    assert sorted(members.split(", ")) == ["one.shp", "two.gpkg"]
    scripted_gdal.run("ogrinfo", f"{NAME};member=two.gpkg")
    assert service.names() == ["models", "run", "status", "download"]


def test_names_of_subdatasets_can_be_opened_whatever_the_id(scripted_gdal, service):
    for call in ("run", "status"):
        service.script[call] = [Response(job("COMPLETED", id="j\"1; \"2"))]
    give(service, shapefile(scripted_gdal, "one.shp", "two.gpkg"), "r.zip")
    done = scripted_gdal.run("gdalinfo", NAME)
    [one] = re.findall(r"SUBDATASET_\d_NAME=(.*one.*)", done.stdout)
    assert one == 'GIQ:job="j""1; ""2";member=one.shp'
    assert "Layer name: one" in scripted_gdal.run("ogrinfo", "-al", one).stdout
    assert service.names().count("download") == 1


def test_named_member_is_opened_and_no_other(scripted_gdal, service):
    names = [f"m{number}.gpkg" for number in range(4)]
    give(service, shapefile(scripted_gdal, *names), "r.zip")
    name = f"{NAME};member=m2.gpkg"
    scripted_gdal.run("ogrinfo", name)
    done = scripted_gdal.run("ogrinfo", name, env={"CPL_DEBUG": "ON"})
    opened = [line for line in done.stderr.splitlines() if "GDALOpen(" in line]
    assert any("m2.gpkg" in line for line in opened)
    assert not any(other in line for line in opened for other in names[:2] + names[3:])


def test_named_member_of_the_other_kind_says_what_it_is(scripted_gdal, service):
    raster = scripted_gdal.folder / "a.tif"
    scripted_gdal.run("gdal_create", "-outsize", "2", "2", raster)
    packed = io.BytesIO(shapefile(scripted_gdal, "b.gpkg"))
    with zipfile.ZipFile(packed, "a") as archive:
        archive.write(raster, "a.tif")
    give(service, packed.getvalue(), "r.zip")
    text = scripted_gdal.fails("ogrinfo", f"{NAME};member=a.tif", tag="result")
    assert text.endswith("member a.tif of the result of the job job-1 is a raster, not a "
                         "vector dataset: use gdalinfo or gdal_translate")
    text = scripted_gdal.fails("gdalinfo", f"{NAME};member=b.gpkg", tag="result")
    assert text.endswith("member b.gpkg of the result of the job job-1 is a vector dataset, "
                         "not a raster: use ogrinfo or ogr2ogr")
    text = scripted_gdal.fails("gdalinfo", f"{NAME};member=readme.txt", tag="result")
    assert text.endswith("no driver is known for the result of the job job-1 (readme.txt)")
    scripted_gdal.run("gdalinfo", f"{NAME};member=a.tif")
    assert service.names() == ["models", "run", "status", "download"]


def test_key_in_names_of_members_is_neither_stored_nor_shown(scripted_gdal, service):
    give(service, pack_zip({f"{secret_search.KEY}/{name}.geojson": GEOJSON
                            for name in ("one", secret_search.KEY)}), "r.zip")
    text = scripted_gdal.fails("ogrinfo", NAME, tag="usage")
    masked = "_" * len(secret_search.KEY)
    assert f"{masked}/one.geojson" in text
    listed = scripted_gdal.run("gdalinfo", NAME).stdout
    [member] = re.findall(r"SUBDATASET_\d_NAME=(GIQ:.*one.geojson\"?)", listed)
    assert masked in member
    for name in (member, f"{NAME};member={masked}/{masked}.geojson"):
        assert "POINT (1 2)" in scripted_gdal.run("ogrinfo", "-al", name).stdout
    assert len(service.calls("run")) == len(service.calls("download")) == 1


def test_only_file_can_be_named_as_member(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", f"{NAME};member=result.geojson")
    text = scripted_gdal.fails("ogrinfo", f"{NAME};member=x", tag="usage")
    assert text.endswith('has no member "x"; its members are: result.geojson')


VRT = b"""<OGRVRTDataSource><OGRVRTLayer name="passwd">
<SrcDataSource>CSV:/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"""


def test_driver_that_is_not_allowed_reads_nothing(scripted_gdal, service):
    give(service, VRT, "result.vrt")
    refused(scripted_gdal, service, needs_source_driver("result.vrt", "OGR_VRT"))


def test_refused_result_is_downloaded_once_by_opens_of_one_process(scripted_gdal, service):
    """A GIS opens a source ten times; another list of drivers is another matter."""
    give(service, b"PK\3\4" + b"x" * 999, "result.zip")
    script = """
import sys
from osgeo import gdal
gdal.SetConfigOption("GIQ_RESULT_DRIVERS", "GTiff")
for _ in range(10):
    assert gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR) is None
    print(gdal.GetLastErrorMsg())
assert gdal.OpenEx(sys.argv[1] + ";wait=no", gdal.OF_VECTOR) is not None
gdal.SetConfigOption("GIQ_RESULT_DRIVERS", "GTiff,GeoJSON")
assert gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR) is None
gdal.SetConfigOption("GIQ_RESULT_DRIVERS", "GTiff")
assert gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR) is None
"""
    errors = scripted_gdal.python(script, NAME).stdout.splitlines()
    assert errors[0].startswith("GIQ[result] job job-1: ")
    assert errors == [errors[0]] * 10
    assert service.names().count("download") == 2
    assert service.names().count("run") == 1


def test_refusal_of_one_job_is_not_reported_for_another(scripted_gdal, service):
    """The user forgets the request, and a new job is paid for: its result is checked."""
    service.script["download"] = [Response(b"none", chunked=True), *service.script["download"]]
    service.script["run"] = [Response({"id": f"job-{number}"}) for number in (1, 2)]
    script = """
import shutil, sys
from osgeo import gdal
assert gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR) is None
shutil.rmtree(sys.argv[2])
assert gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR) is not None
"""
    scripted_gdal.python(script, NAME, str(scripted_gdal.store))
    assert service.names().count("download") == service.names().count("run") == 2


def test_driver_that_is_not_allowed_opens_nothing_to_be_named(scripted_gdal, service):
    """GML is not sure of what is packed, and would have to open it."""
    gml = b"""<?xml version="1.0"?><ogr:FeatureCollection
xmlns:ogr="http://ogr.maptools.org/" xmlns:gml="http://www.opengis.net/gml">
<gml:featureMember><ogr:a><ogr:n>1</ogr:n></ogr:a></gml:featureMember>
</ogr:FeatureCollection>"""
    give(service, pack_zip({"result.gz": gzip.compress(gml)}), "r.zip")
    text = scripted_gdal.fails("ogrinfo", NAME, tag="result")
    assert text.endswith("no driver is known for any file of the result: result.gz")


def test_metadata_of_a_shapefile_is_not_a_member(scripted_gdal, service):
    scripted_gdal.run("ogr2ogr", "-f", "ESRI Shapefile", "roads.shp",
                      DATA / "parcels.geojson")
    members = {path.name: path.read_bytes() for path in scripted_gdal.folder.glob("roads.*")}
    give(service, pack_zip({**members, "roads.shp.xml": GEOJSON}), "r.zip")
    assert "Layer name: roads" in scripted_gdal.run("ogrinfo", "-al", NAME).stdout


def test_allowed_drivers_are_asked_at_every_open(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    scripted_gdal.fails("ogrinfo", NAME, tag="result",
                        env={"GIQ_RESULT_DRIVERS": "GPKG,GTiff"})
    scripted_gdal.run("ogrinfo", NAME, env={"GIQ_RESULT_DRIVERS": "+GML"})
    assert service.names().count("download") == 1


@pytest.mark.parametrize("name,kept", [
    ("result.geojson", "result.geojson"), ("noextension", "noextension.geojson"),
    ("wrong.tif", "wrong.geojson"), ("..%2F..%2Fup.geojson", "%2F..%2Fup.geojson"),
    ("../../up.geojson", "up.geojson"), ("\"a b.geojson\"", "a b.geojson"),
    (".hidden.geojson", "hidden.geojson"), ("CON.geojson", "CON.geojson"),
    ("x; filename*=UTF-8''%C3%A4.geojson", "ä.geojson"),
])
def test_file_keeps_the_name_that_the_service_gave_cleaned(scripted_gdal, service, name,
                                                           kept):
    give(service, GEOJSON, name)
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}/*")
    assert path.name == kept
    assert path.parent.parent.parent.parent == scripted_gdal.store


@pytest.mark.parametrize("response", [
    Response(GEOJSON, chunked=True, cut=40), Response(GEOJSON, cut=40),
    Response(GEOJSON, chunked="close"),
    Response(gzip.compress(GEOJSON)[:-1], headers={"Content-Encoding": "gzip"}),
    Response(GEOJSON, headers={"Content-Encoding": "br"}),
    Response(GEOJSON, status=206),
])
def test_download_that_proves_nothing_is_not_kept(scripted_gdal, service, response):
    service.script["download"] = [response]
    scripted_gdal.fails("ogrinfo", "-oo", "MAX_RETRY=1", NAME, tag="incomplete")
    assert not list(scripted_gdal.store.glob(f"v1/*/{PUBLISHED}"))
    service.script["download"] = [Response(GEOJSON)]
    scripted_gdal.run("ogrinfo", NAME)
    assert len(service.calls("run")) == 1


def test_unverified_length_can_be_allowed(scripted_gdal, service):
    service.script["download"] = [Response(GEOJSON, chunked="close")]
    scripted_gdal.run("ogrinfo", NAME, env={"GIQ_ALLOW_UNVERIFIED_LENGTH": "YES"})


def test_big_result_is_streamed(scripted_gdal, service):
    """The peak of memory does not grow with the result."""
    rows = b"id,text\n" + b"".join(b"%d,%s\n" % (i, b"x" * 1000) for i in range(60000))
    script = """
import resource, sys
from osgeo import gdal
gdal.UseExceptions()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
data = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    grown = []
    for label, body in (("small", rows[:2000]), ("large", rows)):
        give(service, body, "rows.csv")
        grown.append(int(scripted_gdal.python(script, f"{NAME};rerun={label}").stdout))
    if "LD_PRELOAD" not in scripted_gdal.env:
        assert grown[1] - grown[0] < 6 * 1024, grown


def test_shared_open_is_shared_and_writes_nothing(gdal, sandbox):
    name = WHOLE % "ndvi"
    gdal.python("""
import sys
from osgeo import gdal
gdal.UseExceptions()
flags = gdal.OF_RASTER | gdal.OF_SHARED
first = gdal.OpenEx(sys.argv[1], flags)
second = gdal.OpenEx(sys.argv[1], flags)
assert first.GetDescription() == sys.argv[1]
assert int(first.this) == int(second.this)
first.GetRasterBand(1).ComputeStatistics(False)
del first, second
""", name)
    assert not list(gdal.folder.glob("GIQ*"))
    assert len(sandbox.runs()) == 1


def test_shared_open_for_several_threads_is_not_renamed(gdal, sandbox):
    """With a GDAL that has the flag, each thread opens the description anew; others take
    the flag and do nothing with it."""
    done = gdal.python("""
import sys, threading
from osgeo import gdal
gdal.UseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")
thread_safe = getattr(gdal, "OF_THREAD_SAFE", 0x800)
data = gdal.OpenEx(sys.argv[1], gdal.OF_RASTER | gdal.OF_SHARED | thread_safe)
print(data.GetDescription())
sums = []
def work():
    sums.append(data.GetRasterBand(1).Checksum())
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
    if not hasattr(gdal, "OF_THREAD_SAFE"):
        thread.join()
for thread in threads:
    thread.join()
assert len(sums) == 4 and len(set(sums)) == 1, sums
""", WHOLE % "ndvi")
    path = done.stdout.strip()
    assert path.startswith(str(gdal.store)) and os.path.exists(path)
    assert not list(gdal.folder.glob("GIQ*"))
    assert len(sandbox.runs()) == 1


def test_description_is_the_path_of_the_file(gdal):
    done = gdal.python("""
import sys
from osgeo import gdal
print(gdal.OpenEx(sys.argv[1], gdal.OF_RASTER).GetDescription())
""", WHOLE % "ndvi")
    path = done.stdout.strip()
    assert [path] == list(map(str, gdal.store.glob(f"v1/*/{PUBLISHED}/ndvi.tif")))
