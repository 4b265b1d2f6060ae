"""Content decides what a result is, whatever the service calls it."""
import gzip
import unicodedata
import zipfile

import pytest

from archives import pack_tar, pack_zip
from programs import PUBLISHED, VERSION
from external import NAME, give, needs_source_driver, refused
from scripted import GEOJSON


def kept(gdal):
    """The files of the one published result."""
    [result] = gdal.store.glob(f"v1/*/{PUBLISHED}")
    return sorted(str(p.relative_to(result)) for p in result.rglob("*") if p.is_file())


@pytest.mark.parametrize("name", ["r.bin", "r.tar.gz", "r.tgz", "r.geojson", "r.gz"])
@pytest.mark.parametrize("pack", [pack_tar, pack_zip, lambda m: pack_tar(m, "w")],
                         ids=["tar.gz", "zip", "tar"])
def test_archive_is_unpacked_whatever_its_name(scripted_gdal, service, pack, name):
    give(service, pack({"d/a.geojson": GEOJSON}), name)
    for _ in range(2):
        assert "POINT (1 2)" in scripted_gdal.run("ogrinfo", "-al", NAME).stdout
    assert kept(scripted_gdal) == ["d/a.geojson"]
    assert service.names() == ["models", "run", "status", "download"]


@pytest.mark.parametrize("name,stored", [
    ("x.geojson.gz", "x.geojson"), ("r.bin", "r.geojson"), ("x.json", "x.json"),
    ("x.tar.gz", "x.geojson")])
def test_one_compressed_file_is_that_file(scripted_gdal, service, name, stored):
    give(service, gzip.compress(GEOJSON), name)
    for _ in range(2):
        assert "POINT (1 2)" in scripted_gdal.run("ogrinfo", "-al", NAME).stdout
    assert kept(scripted_gdal) == [stored]
    [record] = scripted_gdal.records().values()
    assert (record["result"]["name"], record["result"]["size"]) == (stored, len(GEOJSON))
    assert service.names() == ["models", "run", "status", "download"]


def test_compressed_file_in_parts_is_one_file(scripted_gdal, service):
    body = b"".join(gzip.compress(GEOJSON[at:at + 40])
                    for at in range(0, len(GEOJSON), 40)) + bytes(512)
    give(service, body, "x.geojson.gz")
    assert "POINT (1 2)" in scripted_gdal.run("ogrinfo", "-al", NAME).stdout


@pytest.mark.parametrize("behind", [
    b"\r\n", b"\0\n\0 ", b"\n" * 200000, b"garbage", b"\n" * 200000 + b"\x1f",
], ids=["line end", "zeros", "long", "words", "long and words"])
def test_data_after_a_compressed_file_is_ignored(scripted_gdal, service, behind):
    give(service, gzip.compress(GEOJSON) + behind, "x.geojson.gz")
    done = scripted_gdal.run("ogrinfo", "-al", NAME)
    assert "POINT (1 2)" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("at,says", [(-8, "incorrect data check"),
                                     (-4, "incorrect length check")])
@pytest.mark.parametrize("part", [0, 1])
def test_length_and_checksum_of_each_part_are_proven(scripted_gdal, service, at, says,
                                                     part):
    parts = [bytearray(gzip.compress(GEOJSON[:40])), bytearray(gzip.compress(GEOJSON[40:]))]
    parts[part][at] ^= 1
    give(service, bytes(parts[0] + parts[1]), "x.geojson.gz")
    refused(scripted_gdal, service, f"the result is a gzip file that is damaged: {says}")


def test_archive_in_a_compressed_file_is_named(scripted_gdal, service):
    give(service, gzip.compress(pack_zip({"a.geojson": GEOJSON})), "r.zip.gz")
    refused(scripted_gdal, service, "the result is a gzip file that holds another archive "
            "(zip), which is not unpacked: only a tar in a gzip is")


# Texts that make their driver read other files, and that driver.
SOURCES = {
    "VRT": "<VRTDataset rasterXSize='1' rasterYSize='1'/>",
    "OGR_VRT": "<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>secret.csv"
           "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
    "WMS": "<GDAL_WMS><Service name='TMS'><ServerUrl>http://127.0.0.1:1/${z}</ServerUrl>"
           "</Service></GDAL_WMS>",
    "GDALG": '{"type": "gdal_streamed_alg", "command_line": "gdal vector sql secret.csv"}',
    "GIQ": "GIQ:model=m;file=other",
}
BEFORE = {"nothing": "", "mark": "\ufeff", "space": " \r\n\t",
          "declaration": '\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<!-- a, b -->\n'}


@pytest.mark.parametrize("name,before", [
    ("r.csv", "nothing"), ("r.csv", "mark"), ("r.csv", "space"), ("r.csv", "declaration"),
    ("r.txt", "nothing"), ("r.json", "nothing"), ("r.tif", "nothing"), ("r", "mark")])
def test_text_that_names_other_sources_is_refused_as_what_it_is(scripted_gdal, service,
                                                                name, before):
    for driver, text in SOURCES.items():
        if before == "declaration" and not text.startswith("<"):
            continue
        give(service, (BEFORE[before] + text).encode(), name)
        error = scripted_gdal.fails("gdalinfo", f"{NAME};rerun={driver}", tag="result")
        assert f"needs the driver {driver}, which" in error
        is_there = driver != "GDALG" or VERSION >= (3, 11)
        assert error.endswith(f"open it again with GIQ_RESULT_DRIVERS=+{driver}") == is_there
        assert ("this GDAL does not have it" in error) == (not is_there)
    assert not list(scripted_gdal.store.glob(f"v1/*/{PUBLISHED}"))


@pytest.mark.parametrize("pack", [pack_tar, pack_zip], ids=["tar.gz", "zip"])
def test_such_a_text_in_an_archive_is_not_a_member(scripted_gdal, service, pack):
    members = {f"{driver}.csv": text.encode() for driver, text in SOURCES.items()}
    give(service, pack({**members, "good.csv": b"id,word\n1,good\n"}), "r.zip")
    assert "good" in scripted_gdal.run("ogrinfo", "-al", NAME).stdout
    for driver in SOURCES:
        text = scripted_gdal.fails("ogrinfo", f"{NAME};member={driver}.csv", tag="result")
        assert f"needs the driver {driver}" in text, text


def test_archive_of_nothing_but_such_a_text_is_refused(scripted_gdal, service):
    give(service, pack_zip({"d/r.csv": SOURCES["OGR_VRT"]}), "r.zip")
    refused(scripted_gdal, service, needs_source_driver("d/r.csv", "OGR_VRT"))


def test_such_a_text_is_read_by_its_driver_where_that_is_allowed(scripted_gdal, service):
    (scripted_gdal.folder / "in.csv").write_text("id,word\n1,within\n")
    text = SOURCES["OGR_VRT"].replace("secret.csv", str(scripted_gdal.folder / "in.csv"))
    text = text.replace("name='x'", "name='in'")
    give(service, text.encode(), "r.csv")
    env = {"GIQ_RESULT_DRIVERS": "+OGR_VRT"}
    assert "within" in scripted_gdal.run("ogrinfo", "-al", NAME, env=env).stdout
    assert kept(scripted_gdal) == ["r.vrt"]
    text = scripted_gdal.fails("ogrinfo", NAME, tag="result")
    assert "needs the driver OGR_VRT" in text


def test_table_whose_header_looks_like_such_a_text_is_read(scripted_gdal, service):
    give(service, b"giq:source,giq:layer\nsat,water\n", "r.csv")
    assert "water" in scripted_gdal.run("ogrinfo", "-al", NAME).stdout
    give(service, b"<TICKER>,<DATE>\nABC,2024\n", "r.csv")
    assert "ABC" in scripted_gdal.run("ogrinfo", "-al", f"{NAME};rerun=2").stdout


@pytest.mark.parametrize("system", [0, 3], ids=["dos", "unix"])
@pytest.mark.parametrize("encoding,name,stored", [
    ("shift_jis", "\u8868.geojson", "__.geojson"),
    ("shift_jis", "\uff71\u30bd\u8868/\u8868.geojson", "_____/__.geojson"),
    ("big5", "\u529f/\u84cb.geojson", "__/__.geojson"),
    ("gbk", "\u76f6/\u76f6.geojson", "__/__.geojson"),
])
def test_names_of_two_bytes_a_character_are_kept_whole(scripted_gdal, service, encoding,
                                                       name, stored, system):
    raw = name.encode(encoding)
    entry = zipfile.ZipInfo("x" * len(raw))
    entry.create_system = system
    body = pack_zip({entry: GEOJSON}).replace(b"x" * len(raw), raw)
    give(service, body, "r.zip")
    assert "POINT (1 2)" in scripted_gdal.run("ogrinfo", "-al", NAME).stdout
    assert kept(scripted_gdal) == [stored]


def test_name_of_two_bytes_a_character_in_a_header_is_kept_whole(scripted_gdal, service):
    name = "\u8868\u30bd.geojson".encode("shift_jis").decode("latin-1")
    give(service, GEOJSON, f'"{name}"')
    assert "POINT (1 2)" in scripted_gdal.run("ogrinfo", "-al", NAME).stdout
    assert kept(scripted_gdal) == ["____.geojson"]


# Letters that people type, as one character each where Unicode has one.
LETTERS = [letter for low, high in ((0xC0, 0x250), (0x386, 0x400), (0x400, 0x500),
                                    (0x1E00, 0x1F00), (0x3040, 0x3100), (0xAC00, 0xAC40))
           for letter in map(chr, range(low, high))
           if len(unicodedata.normalize("NFD", letter)) > 1]


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")], ids="-".join)
def test_member_is_found_in_whichever_form_its_name_is_typed(scripted_gdal, service, forms):
    parts = ["".join(LETTERS[at:at + 12]) for at in range(0, len(LETTERS), 12)]
    members = {f"{unicodedata.normalize(forms[0], part)}.csv":
               f"id,word\n1,number{at}\n".encode()
               for at, part in enumerate(parts)}
    members["caf\u00e9.csv"] = b"id,word\n1,composed\n"
    members["cafe\u0301.csv"] = b"id,word\n1,decomposed\n"
    give(service, pack_tar(members), "r.tar.gz")
    script = """
import sys
from osgeo import gdal
gdal.UseExceptions()
for name in sys.argv[1:]:
    found = gdal.OpenEx(name, gdal.OF_VECTOR)
    layer = found.GetLayer(0)
    print(layer.GetNextFeature().GetField(1))
"""
    names = [f"{NAME};member={unicodedata.normalize(forms[1], part)}.csv" for part in parts]
    names += [f"{NAME};member=caf\u00e9.csv", f"{NAME};member=cafe\u0301.csv"]
    done = scripted_gdal.python(script, *names)
    assert done.stdout.split() == [f"number{at}" for at in range(len(parts))] + [
        "composed", "decomposed"]
    text = scripted_gdal.fails("ogrinfo", f"{NAME};member=cafe.csv", tag="usage")
    assert 'no member "cafe.csv"' in text


def test_files_beside_a_shapefile_are_its_parts(scripted_gdal, service):
    (scripted_gdal.folder / "in.geojson").write_bytes(GEOJSON)
    scripted_gdal.run("ogr2ogr", scripted_gdal.folder / "r.shp", "in.geojson")
    others = ("fbn", "fbx", "ixs", "mxs", "qml")
    parts = {name: (scripted_gdal.folder / name).read_bytes()
             for name in ("r.shp", "r.shx", "r.dbf", "r.prj")}
    beside = {f"r.{part}": b"x" for part in others}
    give(service, pack_zip({**parts, **beside}), "r.zip")
    done = scripted_gdal.run("ogrinfo", "-al", NAME)
    assert "name (String) = one" in done.stdout
    error = scripted_gdal.fails("ogrinfo", f"{NAME};member=x", tag="usage")
    assert "r.shp" in error and not any(f"r.{part}" in error for part in others)
