"""Areas of interest: datasets that hold them, and what of them reached the service."""
import re

from osgeo import ogr, osr

ogr.UseExceptions()
NAME = "GIQ:model=m;file=f"
# Opens the request once with each list of options of a JSON file.
OPEN_ALL = """
import json, sys
from osgeo import gdal
gdal.UseExceptions()
for options in json.load(open(sys.argv[1])):
    try:
        gdal.OpenEx("%s;wait=no", open_options=options)
    except RuntimeError as error:
        sys.exit(f"{options}: {error}")
""" % NAME


def sent_area(entry):
    """The area of a run request, as text."""
    found = re.search(rb'name="geometry"\r\n\r\n(.*?)\r\n', entry["body"])
    return found and found.group(1).decode()


def sent_areas(service):
    return [sent_area(run) for run in service.calls("run")]


def points(wkt):
    """The vertices of an area as pairs of numbers, in the order of the text."""
    return [tuple(map(float, pair.split())) for pair in
            re.findall(r"-?[\d.]+ -?[\d.]+", wkt)]


def system(name):
    """A coordinate system whose data is x before y."""
    made = osr.SpatialReference()
    made.SetFromUserInput(name)
    made.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return made


def write(path, crs, *geometries, driver="GPKG", layer="area", options=()):
    """A new layer of these geometries (WKT or OGR's); the path. In a dataset that is
    there already it is one more layer."""
    if path.exists():
        dataset = ogr.Open(str(path), 1)
    else:
        dataset = ogr.GetDriverByName(driver).CreateDataSource(str(path))
    made = dataset.CreateLayer(layer, crs and system(crs), ogr.wkbUnknown, list(options))
    for geometry in geometries:
        feature = ogr.Feature(made.GetLayerDefn())
        if isinstance(geometry, str):
            geometry = ogr.CreateGeometryFromWkt(geometry)
        feature.SetGeometry(geometry)
        made.CreateFeature(feature)
    return path


def options(**values):
    """Open options as arguments of GDAL's programs."""
    return [word for name, value in values.items() for word in ("-oo", f"{name}={value}")]


def open_with(gdal, name=NAME, env=None, **values):
    return gdal.run("ogrinfo", "-so", *options(**values), name, env=env)


def refuse(gdal, service, name=NAME, tag="area", env=None, **values):
    """The words of an open that must fail before anything is sent."""
    before = len(service.calls())
    text = gdal.fails("ogrinfo", "-so", *options(**values), name, tag=tag, env=env)
    assert len(service.calls()) == before
    return text


def write_squares(path, count):
    """A layer of so many squares within the scene, each another area; the path."""
    corners = [(-34.9 + 0.001 * (number % 10), -8 + 0.001 * (number // 10))
               for number in range(count)]
    return write(path, "EPSG:4326", *[
        f"POLYGON(({x} {y},{x + 0.001} {y},{x + 0.001} {y + 0.001},{x} {y + 0.001},{x} {y}))"
        for x, y in corners])
