"""Content decides what a result is, whatever the service calls it."""
import gzip
import io
import tarfile
import zipfile

import pytest

from outside import NAME, give, refused
from scripted import GEOJSON


def pack_tar(members, mode="w:gz"):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:
        for name, body in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    return packed.getvalue()


def pack_zip(members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return packed.getvalue()


def kept(gdal):
    """The files of the one published result."""
    [result] = gdal.store.glob("v1/*/result")
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
    assert record["result"] == {"name": stored, "size": len(GEOJSON)}
    assert service.names() == ["models", "run", "status", "download"]


def test_compressed_file_in_parts_is_one_file(scripted_gdal, service):
    body = b"".join(gzip.compress(GEOJSON[at:at + 40])
                    for at in range(0, len(GEOJSON), 40)) + bytes(512)
    give(service, body, "x.geojson.gz")
    assert "POINT (1 2)" in scripted_gdal.run("ogrinfo", "-al", NAME).stdout


@pytest.mark.parametrize("at,says", [(-8, "incorrect data check"),
                                     (-4, "incorrect length check")])
@pytest.mark.parametrize("part", [0, 1])
def test_length_and_checksum_of_each_part_are_proven(scripted_gdal, service, at, says,
                                                     part):
    parts = [bytearray(gzip.compress(GEOJSON[:40])), bytearray(gzip.compress(GEOJSON[40:]))]
    parts[part][at] ^= 1
    give(service, bytes(parts[0] + parts[1]), "x.geojson.gz")
    assert says in refused(scripted_gdal, service)


def test_archive_in_a_compressed_file_is_named(scripted_gdal, service):
    give(service, gzip.compress(pack_zip({"a.geojson": GEOJSON})), "r.zip.gz")
    assert "holds another archive (zip)" in refused(scripted_gdal, service)
