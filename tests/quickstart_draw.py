"""Draw a scene with an area of interest and its result, and beside it many areas and theirs.

quickstart_draw.py SCENE AREA RESULT AREAS RESULTS PICTURE
"""
import sys

import numpy
from osgeo import gdal, ogr, osr

gdal.UseExceptions()
SCALE = 2  # pixels of the picture for one of the scene
GAP = 8
AREA_COLOUR = (255, 221, 0)
RESULT_COLOUR = (0, 200, 255)
# Segments by their class, from water over bare ground to dense vegetation.
CLASS_COLOURS = {1: (30, 90, 200), 2: (200, 130, 80), 3: (245, 225, 150),
                 4: (130, 195, 90), 5: (10, 110, 50)}
BANDS = (3, 2, 1)  # red, green, blue


def read_scene(path):
    """The scene in natural colours, stretched between its 2nd and 98th percentile."""
    scene = gdal.Open(path)
    bands = []
    for number in BANDS:
        values = scene.GetRasterBand(number).ReadAsArray().astype(float)
        low, high = numpy.percentile(values, (2, 98))
        bands.append(numpy.clip((values - low) / (high - low), 0, 1) * 255)
    picture = numpy.stack(bands).astype("u1")
    return scene, picture.repeat(SCALE, axis=1).repeat(SCALE, axis=2)


def canvas(scene):
    """An empty mask that lies where the scene does, in the picture's pixels."""
    made = gdal.GetDriverByName("MEM").Create(
        "", scene.RasterXSize * SCALE, scene.RasterYSize * SCALE, 1)
    transform = list(scene.GetGeoTransform())
    for i in (1, 2, 4, 5):
        transform[i] /= SCALE
    made.SetGeoTransform(transform)
    made.SetProjection(scene.GetProjection())
    return made


def burn(scene, geometries):
    """The mask of the pixels that the geometries cover."""
    memory = "MEM" if int(gdal.VersionInfo()) >= 3110000 else "Memory"
    holder = gdal.GetDriverByName(memory).Create("", 0, 0, 0)
    layer = holder.CreateLayer("burn", scene.GetSpatialRef())
    for geometry in geometries:
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometry(geometry)
        layer.CreateFeature(feature)
    mask = canvas(scene)
    gdal.RasterizeLayer(mask, [1], layer, burn_values=[1])
    return mask.ReadAsArray().astype(bool)


def edges(geometries, width):
    return [g.Boundary().Buffer(width) for g in geometries]


def paint(picture, mask, colour, share):
    for band, value in enumerate(colour):
        picture[band][mask] = picture[band][mask] * (1 - share) + value * share


def project(areas, scene):
    """Areas in longitude and latitude, moved to the system of the scene."""
    degrees = osr.SpatialReference()
    degrees.ImportFromEPSG(4326)
    degrees.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    transformation = osr.CoordinateTransformation(degrees, scene.GetSpatialRef())
    for area in areas:
        area.Transform(transformation)
    return areas


def read_area(path):
    with open(path, encoding="ascii") as file:
        return ogr.CreateGeometryFromWkt(file.read())


def read_geometries(path, where=None):
    data = ogr.Open(path)
    layer = data.GetLayer(0)
    layer.SetAttributeFilter(where)
    return [feature.GetGeometryRef().Clone() for feature in layer]


def paint_areas(picture, scene, areas):
    line = scene.GetGeoTransform()[1] / SCALE
    paint(picture, burn(scene, edges(areas, 1.5 * line)), AREA_COLOUR, 1)


def draw_result(picture, scene, path):
    line = scene.GetGeoTransform()[1] / SCALE
    result = read_geometries(path)
    paint(picture, burn(scene, result), RESULT_COLOUR, 0.5)
    paint(picture, burn(scene, edges(result, line / 2)), RESULT_COLOUR, 1)


def draw_classes(picture, scene, path):
    for number, colour in CLASS_COLOURS.items():
        segments = read_geometries(path, f"class = {number}")
        paint(picture, burn(scene, segments), colour, 0.75)


def main(scene_path, area_path, result_path, areas_path, results_path, picture_path):
    scene, left = read_scene(scene_path)
    right = left.copy()
    draw_result(left, scene, result_path)
    paint_areas(left, scene, project([read_area(area_path)], scene))
    draw_classes(right, scene, results_path)
    paint_areas(right, scene, project(read_geometries(areas_path), scene))
    gap = numpy.full((3, left.shape[1], GAP), 255, "u1")
    whole = numpy.concatenate([left, gap, right], axis=2)
    made = gdal.GetDriverByName("MEM").Create("", whole.shape[2], whole.shape[1], 3)
    made.WriteArray(whole)
    gdal.GetDriverByName("PNG").CreateCopy(picture_path, made)


if __name__ == "__main__":
    main(*sys.argv[1:])
