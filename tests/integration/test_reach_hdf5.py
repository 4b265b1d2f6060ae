"""A netCDF-4 file, which is HDF5, must not make GDAL read another file."""
import io
import random
import zipfile

import h5py
import numpy
import pytest

import external
from external import NAME, give

SECRET = 77
DOORS = (["gdalinfo", "-stats", NAME], ["gdal_translate", "-q", NAME, "out.tif"],
         ["ogrinfo", "-al", NAME],
         ["/usr/bin/python3", "-c", """
import sys
from osgeo import gdal
gdal.UseExceptions()
try:
    print(gdal.Open(sys.argv[1]).ReadAsArray())
except RuntimeError as error:
    sys.exit(str(error))
""", NAME])


@pytest.fixture
def secret(tmp_path):
    """Another file of the user's: an array of one value, as HDF5 and as it is."""
    raw = numpy.full((10, 10), SECRET, "u1")
    (tmp_path / "secret.bin").write_bytes(raw.tobytes())
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["band"] = raw
    return tmp_path / "secret"


def by_storage(file, secret):
    return file.create_dataset("band", (10, 10), "u1", external=[(f"{secret}.bin", 0, 100)])


def by_link(file, secret):
    file["band"] = h5py.ExternalLink(f"{secret}.h5", "/band")


def by_virtual_dataset(file, secret):
    layout = h5py.VirtualLayout((10, 10), "u1")
    layout[:] = h5py.VirtualSource(f"{secret}.h5", "band", (10, 10))
    return file.create_virtual_dataset("band", layout)


WAYS = {"external storage": by_storage, "external link": by_link,
        "virtual dataset": by_virtual_dataset}


def grid(path, add, many=0, **options):
    """A file that the netCDF driver opens, whose band is added by `add`."""
    with h5py.File(path, "w", **options) as file:
        for name in "yx":
            file.create_dataset(name, data=numpy.arange(10.0)).make_scale(name)
        for i in range(many):
            file[f"v{i}"] = numpy.arange(3.0)
        band = add(file)
        if band is not None:
            band.dims[0].attach_scale(file["y"])
            band.dims[1].attach_scale(file["x"])
    return path.read_bytes()


def refused(gdal, service, command, says):
    text = external.refused(gdal, service, command)
    assert says in text, text


@pytest.mark.parametrize("command", DOORS, ids=lambda command: command[0].split("/")[-1])
@pytest.mark.parametrize("says", WAYS)
def test_a_file_that_names_another_is_refused(scripted_gdal, service, secret, command,
                                              says):
    path = scripted_gdal.folder / "r.nc"
    give(service, grid(path, lambda file: WAYS[says](file, secret)), "r.nc")
    refused(scripted_gdal, service, command, says)


@pytest.mark.parametrize("options", [{"libver": "earliest"}, {"libver": "v108"},
                                     {"libver": "latest"}, {"userblock_size": 2048},
                                     {"track_order": True}],
                         ids=lambda options: str(next(iter(options.values()))))
@pytest.mark.parametrize("says", WAYS)
def test_the_form_of_the_file_hides_nothing(scripted_gdal, service, secret, says, options):
    path = scripted_gdal.folder / "r.nc"
    if options == {"libver": "v108"} and says == "virtual dataset":
        options = {"libver": "v110"}

    def add(file):
        group = file.create_group("deep/below")
        for i in range(40):
            group["long name " * 500 + str(i)] = i
        WAYS[says](group, secret)
    give(service, grid(path, add, many=60, **options), "r.nc")
    refused(scripted_gdal, service, ["gdalinfo", NAME], says)


def test_a_member_of_an_archive_is_checked(scripted_gdal, service, secret):
    body = grid(scripted_gdal.folder / "r.nc", lambda file: by_storage(file, secret))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("first.geojson", '{"type":"FeatureCollection","features":[]}')
        archive.writestr("d/r.nc", body)
    give(service, packed.getvalue(), "r.zip")
    refused(scripted_gdal, service, ["gdalinfo", NAME], "external storage")


def test_a_damaged_file_is_refused(scripted_gdal, service):
    body = grid(scripted_gdal.folder / "r.nc", lambda file: None)
    half = len(body) // 2
    give(service, body[:half] + b"\xfe" * (len(body) - half), "r.nc")
    scripted_gdal.fails("gdalinfo", NAME, tag="result")


@pytest.mark.parametrize("options", ["FORMAT=NC4", "FORMAT=NC4C", "FORMAT=NC2"])
def test_files_of_gdal_are_read(scripted_gdal, service, options):
    scripted_gdal.python("""
import sys
import numpy
from osgeo import gdal
source = gdal.GetDriverByName("MEM").Create("", 64, 64, 20, gdal.GDT_Float32)
source.SetGeoTransform([0, 1, 0, 64, 0, -1])
for i in range(20):
    source.GetRasterBand(i + 1).WriteArray(numpy.random.rand(64, 64))
    source.GetRasterBand(i + 1).SetMetadataItem("note", "text " * 2000)
compress = [] if "NC2" in sys.argv[1] else ["COMPRESS=DEFLATE"]
gdal.Translate("r.nc", source, format="netCDF", creationOptions=[sys.argv[1], *compress])
""", options)
    give(service, (scripted_gdal.folder / "r.nc").read_bytes(), "r.nc")
    assert "SUBDATASET_20_NAME" in scripted_gdal.run("gdalinfo", NAME).stdout


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_files_full_of_everything_are_read(scripted_gdal, service, libver):
    noise = random.Random(5)

    def add(file):
        group = file.create_group("g")
        group["hard"] = file["x"]
        group["soft"] = h5py.SoftLink("/band")
        for i in range(60):
            group.attrs[f"a{i}"] = "text" * (i * 100)
            group["name" * 60 + str(i)] = i
        file["refs"] = numpy.array([group.ref], dtype=h5py.ref_dtype)
        file["texts"] = numpy.array(["a", "b" * 5000], dtype=h5py.string_dtype())
        file.create_dataset("noise", data=numpy.frombuffer(noise.randbytes(4 << 20), "u1"),
                            chunks=(1 << 16,), maxshape=(None,))
        file.create_dataset("flags", data=numpy.frombuffer(
            bytes(noise.choices((0, 1, 8, 64), k=4 << 20)), "u1"))
        return file.create_dataset("band", data=numpy.full((10, 10), 5, "u1"),
                                   chunks=(5, 5), compression="gzip")
    give(service, grid(scripted_gdal.folder / "r.nc", add, many=100, libver=libver), "r.nc")
    scripted_gdal.run("gdalinfo", NAME)
