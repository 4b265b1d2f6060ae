#include "footprint.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scene.h"
#include "text.h"

static void register_drivers(void)
{
    GDALAllRegister();
}

/* ---- geometry ---- */

/* A closed ring of four corners, each x and y. */
static OGRGeometryH quadrangle(const double corner[4][2])
{
    OGRGeometryH ring = OGR_G_CreateGeometry(wkbLinearRing);
    OGRGeometryH polygon = OGR_G_CreateGeometry(wkbPolygon);
    for (int i = 0; i <= 4; i++) {
        OGR_G_AddPoint_2D(ring, corner[i % 4][0], corner[i % 4][1]);
    }
    (void)OGR_G_AddGeometryDirectly(polygon, ring);
    return polygon;
}

/* `shape` in degrees, cut at 180 degrees; NULL where it has no location. */
static OGRGeometryH to_degrees(OGRGeometryH shape, OGRSpatialReferenceH srs)
{
    char *options[] = {"WRAPDATELINE=YES", NULL};
    if (srs == NULL) {
        return NULL;
    }
    OGRSpatialReferenceH from = OSRClone(srs);
    OGRSpatialReferenceH to = scene_degrees();
    OSRSetAxisMappingStrategy(from, OAMS_TRADITIONAL_GIS_ORDER);
    OGRCoordinateTransformationH transform = OCTNewCoordinateTransformation(from, to);
    OGRGeomTransformerH transformer =
        transform == NULL ? NULL : OGR_GeomTransformer_Create(transform, options);
    OGRGeometryH moved =
        transformer == NULL ? NULL : OGR_GeomTransformer_Transform(transformer, shape);
    OGR_GeomTransformer_Destroy(transformer);
    OCTDestroyCoordinateTransformation(transform);
    OSRRelease(to);
    OSRRelease(from);
    return moved;
}

static OGRGeometryH raster_shape(GDALDatasetH dataset)
{
    double transform[6];
    double corner[4][2];
    const int width = GDALGetRasterXSize(dataset);
    const int height = GDALGetRasterYSize(dataset);
    const int pixel[4][2] = {{0, 0}, {0, height}, {width, height}, {width, 0}};
    if (GDALGetGeoTransform(dataset, transform) != CE_None) {
        return NULL;
    }
    for (int i = 0; i < 4; i++) {
        GDALApplyGeoTransform(transform, pixel[i][0], pixel[i][1], &corner[i][0],
                              &corner[i][1]);
    }
    OGRGeometryH shape = quadrangle(corner);
    OGRGeometryH moved = to_degrees(shape, GDALGetSpatialRef(dataset));
    OGR_G_DestroyGeometry(shape);
    return moved;
}

static OGRGeometryH layer_shape(OGRLayerH layer)
{
    OGREnvelope box;
    if (OGR_L_GetExtent(layer, &box, 1) != OGRERR_NONE) {
        return NULL;
    }
    const double corner[4][2] = {{box.MinX, box.MinY},
                                 {box.MaxX, box.MinY},
                                 {box.MaxX, box.MaxY},
                                 {box.MinX, box.MaxY}};
    OGRGeometryH shape = quadrangle(corner);
    OGRGeometryH moved = to_degrees(shape, OGR_L_GetSpatialRef(layer));
    OGR_G_DestroyGeometry(shape);
    return moved;
}

/* Of all layers that have a location. */
static OGRGeometryH vector_shape(GDALDatasetH dataset)
{
    OGRGeometryH all = NULL;
    for (int i = 0; i < GDALDatasetGetLayerCount(dataset); i++) {
        OGRGeometryH one = layer_shape(GDALDatasetGetLayer(dataset, i));
        if (all == NULL || one == NULL) {
            all = all == NULL ? one : all;
            continue;
        }
        OGRGeometryH both = OGR_G_Union(all, one);
        OGR_G_DestroyGeometry(one);
        OGR_G_DestroyGeometry(all);
        all = both;
    }
    return all;
}

/* The parts of a shape that was cut at 180 degrees are at both ends of the globe. */
static void find_box(OGRGeometryH shape, double box[FOOTPRINT_BOX])
{
    OGREnvelope whole;
    double west = -180;
    double east = 180;
    OGR_G_GetEnvelope(shape, &whole);
    bool is_cut = OGR_G_GetGeometryCount(shape) > 1 && whole.MinX <= -180 &&
                  whole.MaxX >= 180 &&
                  wkbFlatten(OGR_G_GetGeometryType(shape)) == wkbMultiPolygon;
    for (int i = 0; is_cut && i < OGR_G_GetGeometryCount(shape); i++) {
        OGREnvelope part;
        OGR_G_GetEnvelope(OGR_G_GetGeometryRef(shape, i), &part);
        if (part.MinX + part.MaxX < 0) {
            west = part.MaxX > west ? part.MaxX : west;
        } else {
            east = part.MinX < east ? part.MinX : east;
        }
    }
    box[0] = is_cut ? east : whole.MinX;
    box[1] = whole.MinY;
    box[2] = is_cut ? west : whole.MaxX;
    box[3] = whole.MaxY;
}

/* ---- what else is known ---- */

static int64_t taken_ms(GDALDatasetH dataset)
{
    const char *text = GDALGetMetadataItem(dataset, "TIFFTAG_DATETIME", NULL);
    struct tm civil = {.tm_isdst = 0};
    const char *end = text == NULL ? NULL : strptime(text, "%Y:%m:%d %H:%M:%S", &civil);
    return end == NULL ? -1 : (int64_t)timegm(&civil) * 1000;
}

static const char *source_type(GDALDatasetH dataset, bool is_raster)
{
    if (is_raster) {
        return GDALGetRasterCount(dataset) > 1 ? "MULTISPECTRAL" : "PANCHROMATIC";
    }
    OGRLayerH layer = GDALDatasetGetLayer(dataset, 0);
    switch (wkbFlatten(OGR_L_GetGeomType(layer))) {
    case wkbPoint:
    case wkbMultiPoint:
        return "POINT";
    case wkbLineString:
    case wkbMultiLineString:
        return "LINESTRING";
    case wkbPolygon:
    case wkbMultiPolygon:
        return "POLYGON";
    default:
        return "GEOMETRYCOLLECTION";
    }
}

static bool describe(GDALDatasetH dataset, struct footprint *out)
{
    bool is_raster = GDALGetRasterCount(dataset) > 0;
    OGRGeometryH shape = is_raster ? raster_shape(dataset) : vector_shape(dataset);
    char *json = shape == NULL ? NULL : OGR_G_ExportToJson(shape);
    if (json == NULL) {
        OGR_G_DestroyGeometry(shape);
        return false;
    }
    const char *text = GDALGetMetadataItem(dataset, "TIFFTAG_IMAGEDESCRIPTION", NULL);
    *out = (struct footprint){
        .geometry = text_make("%s", json),
        .description = text == NULL ? NULL : text_make("%s", text),
        .is_raster = is_raster,
        .source_type = source_type(dataset, is_raster),
        .taken_ms = taken_ms(dataset),
    };
    (void)snprintf(out->driver, sizeof out->driver, "%s",
                   GDALGetDriverShortName(GDALGetDatasetDriver(dataset)));
    find_box(shape, out->box);
    CPLFree(json);
    OGR_G_DestroyGeometry(shape);
    return true;
}

bool footprint_read(const char *path, struct footprint *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, register_drivers);
    CPLPushErrorHandler(CPLQuietErrorHandler);
    GDALDatasetH dataset =
        GDALOpenEx(path, GDAL_OF_RASTER | GDAL_OF_VECTOR, NULL, NULL, NULL);
    bool ok = dataset != NULL && describe(dataset, out);
    GDALClose(dataset);
    CPLPopErrorHandler();
    return ok;
}

void footprint_release(struct footprint *footprint)
{
    free(footprint->geometry);
    free(footprint->description);
    *footprint = (struct footprint){.taken_ms = -1};
}
