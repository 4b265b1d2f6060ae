"""GDAL's programs on what a job gave: the same as on the local file, and one job."""
import pytest

from conftest import AREA, RASTER, VECTOR
from datasets import features, pixels
from programs import HAS_GDAL_PROGRAM

# {source} is the connection string or the local file, {out} what is written; | is a
# space within a word.
PROGRAMS = {
    "gdalwarp": (RASTER, "gdalwarp -q -t_srs EPSG:4326 {source} {out}.tif"),
    "gdal_translate": (RASTER, "gdal_translate -q -srcwin 10 20 100 90 {source} {out}.tif"),
    "gdal_calc": (RASTER, "gdal_calc.py --quiet -A {source} --calc A*2 --outfile {out}.tif"),
    "gdal_merge": (RASTER, "gdal_merge.py -q -o {out}.tif {source}"),
    "gdaldem": (RASTER, "gdaldem hillshade -q {source} {out}.tif"),
    "gdal_fillnodata": (RASTER, "gdal_fillnodata.py -q {source} {out}.tif"),
    "gdalbuildvrt": (RASTER, "gdalbuildvrt -q {out}.vrt {source}"),
    "gdal_translate to VRT": (RASTER, "gdal_translate -q -of VRT {source} {out}.vrt"),
    "gdal_contour": (RASTER, "gdal_contour -q -i 0.5 {source} {out}.gpkg"),
    "gdal_polygonize": (RASTER, "gdal_polygonize.py -q {source} {out}.gpkg"),
    "ogr2ogr": (VECTOR, "ogr2ogr -t_srs EPSG:4326 {out}.gpkg {source}"),
    "ogrmerge": (VECTOR, "ogrmerge.py -single -o {out}.gpkg {source}"),
    "SQLite dialect": (VECTOR, "ogr2ogr -dialect SQLite -sql select|id,ST_Buffer(geom,9)|"
                               "from|water|where|area_m2>9000 {out}.gpkg {source}"),
    "gdal_rasterize": (VECTOR, "gdal_rasterize -q -burn 7 -tr 90 90 {source} {out}.tif"),
    "gdal_grid": (VECTOR, "gdal_grid -q -zfield area_m2 -outsize 20 20 {source} {out}.tif"),
}
if HAS_GDAL_PROGRAM:
    PROGRAMS.update({
        # A name that is not given as --input must be that of the dataset, which is a path.
        "gdal convert of a vector": (
            VECTOR, "gdal convert -q --input {source} --output {out}.gpkg"),
        "gdal convert of a raster": (RASTER, "gdal convert -q {source} {out}.tif"),
        "gdal raster convert": (RASTER, "gdal raster convert -q {source} {out}.tif"),
        "gdal raster calc": (
            RASTER, "gdal raster calc -q -i A={source} --calc A*2 -o {out}.tif"),
        "gdal raster pipeline": (
            RASTER, "gdal raster pipeline -q read {source} ! reproject --dst-crs EPSG:4326 "
                    "! write {out}.tif"),
        "gdal vector convert": (VECTOR, "gdal vector convert -q {source} {out}.gpkg"),
        "gdal vector pipeline": (
            VECTOR, "gdal vector pipeline -q read {source} ! filter --where area_m2>9000 "
                    "! write {out}.gpkg"),
    })


def words(template, **values):
    return [word.format(**values).replace("|", " ") for word in template.split()]


def contents(client, stem):
    """What is in the only file of that stem."""
    [path] = client.folder.glob(f"{stem}.*")
    return path, (features if path.suffix == ".gpkg" else pixels)(client, path)


@pytest.mark.parametrize("program", PROGRAMS)
def test_output_is_that_of_the_local_file(client, program):
    source, template = PROGRAMS[program]
    client.run(*words(template, source=source, out="ours"))
    path, ours = contents(client, "ours")
    assert len(client.paid()) == 1
    local = client.local("ndvi" if source == RASTER else "water")
    client.run(*words(template, source=local, out="theirs"))
    assert ours == contents(client, "theirs")[1]
    if program == "gdalbuildvrt":
        assert f">{RASTER}<" in path.read_text(), "it keeps the name"
    elif path.suffix == ".vrt":
        assert str(client.store) in path.read_text(), "a path into the store"


def test_sqlite_dialect_of_ogrinfo(client):
    ask = ("ogrinfo", "-ro", "-q", "-dialect", "SQLite", "-sql",
           "select count(*) n, sum(ST_Area(geom)) area from water")
    ours = client.run(*ask, VECTOR)
    assert "n (Integer) = 69" in ours.stdout and ours.stderr == ""
    assert ours.stdout == client.run(*ask, client.local("water")).stdout
    assert len(client.paid()) == 1


def test_append_to_an_output_that_exists(client):
    client.run("ogr2ogr", "out.gpkg", VECTOR)
    client.run("ogr2ogr", "-append", "-update", "out.gpkg", VECTOR)
    local = features(client, client.local("water"))
    found = features(client, "out.gpkg")
    assert found == local + local
    assert len(client.paid()) == 1


def test_merge_of_a_job_and_a_local_file(client):
    client.run("ogr2ogr", "other.gpkg", VECTOR, "-nln", "other")
    client.run("ogrmerge.py", "-single", "-o", "out.gpkg", "other.gpkg", VECTOR)
    local = features(client, client.local("water"))
    assert features(client, "out.gpkg") == local + local
    assert len(client.paid()) == 1


@pytest.mark.parametrize("template", ["gdalwarp -q {west} {east} {out}",
                                      "gdal_merge.py -q -o {out} {west} {east}"])
def test_mosaic_of_two_jobs(client, template):
    west, east = (f"{RASTER};geometry=POLYGON(({x} -8.03,{x} -7.99,{x + 0.02:.2f} -7.99,"
                  f"{x + 0.02:.2f} -8.03,{x} -8.03))" for x in (-34.92, -34.88))
    client.run(*words(template, west=west, east=east, out="ours.tif"))
    west, east = (client.result(run) for run in client.paid())
    client.run(*words(template, west=west, east=east, out="theirs.tif"))
    assert pixels(client, "ours.tif") == pixels(client, "theirs.tif")


RASTER_VRT = """<VRTDataset rasterXSize="10" rasterYSize="10">
<VRTRasterBand dataType="Float32" band="1"><SimpleSource>
<SourceFilename relativeToVRT="0">{name}</SourceFilename>
<OpenOptions><OOI key="GEOMETRY">{area}</OOI></OpenOptions>
<SourceBand>1</SourceBand>
<SrcRect xOff="50" yOff="50" xSize="10" ySize="10"/>
<DstRect xOff="0" yOff="0" xSize="10" ySize="10"/>
</SimpleSource></VRTRasterBand></VRTDataset>
"""
VECTOR_VRT = """<OGRVRTDataSource><OGRVRTLayer name="water">
<SrcDataSource>{name}</SrcDataSource>
<OpenOptions><OOI key="GEOMETRY">{area}</OOI></OpenOptions>
</OGRVRTLayer></OGRVRTDataSource>
"""


def test_open_options_of_a_raster_vrt(client):
    (client.folder / "in.vrt").write_text(RASTER_VRT.format(name=RASTER, area=AREA))
    cut = client.run("gdal_translate", "-q", "-of", "XYZ", "in.vrt", "/vsistdout/")
    [run] = client.paid()
    assert run["form"]["geometry"].startswith("POLYGON")
    local = client.run("gdal_translate", "-q", "-of", "XYZ", "-srcwin", "50", "50", "10",
                       "10", client.local("ndvi"), "/vsistdout/")
    values = [[line.split()[2] for line in done.stdout.splitlines()]
              for done in (cut, local)]
    assert values[0] == values[1] and len(set(values[0])) > 10


def test_open_options_of_a_vector_vrt(client):
    (client.folder / "in.vrt").write_text(VECTOR_VRT.format(name=VECTOR, area=AREA))
    found = features(client, "in.vrt")
    [run] = client.paid()
    assert run["form"]["geometry"].startswith("POLYGON")
    assert found == features(client, client.local("water"))


def test_statistics_lie_beside_the_result_and_nowhere_else(client):
    client.run("gdalinfo", "-stats", RASTER)
    done = client.run("gdalinfo", RASTER)
    assert "STATISTICS_MEAN" in done.stdout
    assert not list(client.folder.glob("GIQ*"))
    assert len(client.paid()) == 1


def test_index_of_tiles_keeps_the_name(client):
    client.run("gdaltindex", "index.shp", RASTER)
    [tile] = features(client, "index.shp")
    assert tile["properties"]["location"] == RASTER
    client.run("gdalbuildvrt", "-q", "ours.vrt", "index.shp")
    client.run("gdalbuildvrt", "-q", "theirs.vrt", client.local("ndvi"))
    assert pixels(client, "ours.vrt") == pixels(client, "theirs.vrt")
    assert len(client.paid()) == 1
