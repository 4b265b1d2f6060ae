#include "model_lines.h"

#include <cpl_string.h>
#include <gdal_alg.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer.h"

/* ---- contours ---- */

/* The mean of each pixel and its neighbours. */
static float *smooth(const struct scene *scene, const float *values)
{
    float *made = malloc((size_t)scene->width * (size_t)scene->height * sizeof *made);
    for (int y = 0; made != NULL && y < scene->height; y++) {
        for (int x = 0; x < scene->width; x++) {
            float sum = 0;
            int count = 0;
            for (int dy = y > 0 ? -1 : 0; dy <= (y < scene->height - 1); dy++) {
                for (int dx = x > 0 ? -1 : 0; dx <= (x < scene->width - 1); dx++) {
                    sum += values[(y + dy) * scene->width + x + dx];
                    count++;
                }
            }
            made[y * scene->width + x] = sum / (float)count;
        }
    }
    return made;
}

static bool draw_contours(const struct scene *scene, const float *values, OGRLayerH layer)
{
    char **options = CSLSetNameValue(NULL, "LEVEL_INTERVAL", "10");
    options = CSLSetNameValue(options, "ID_FIELD", "0");
    options = CSLSetNameValue(options, "ELEV_FIELD", "1");
    GDALDatasetH raster = scene_raster(scene, values, GDT_Float32);
    bool ok = raster != NULL && GDALContourGenerateEx(GDALGetRasterBand(raster, 1), layer,
                                                      options, NULL, NULL) == CE_None;
    GDALClose(raster);
    CSLDestroy(options);
    return ok;
}

/* Clip to the area, bring to longitude and latitude, and add. A line that shrank to a
 * point, which GDAL draws where a pixel has just the level, is left out. */
static bool add_contour(const struct scene *scene, OGRFeatureH from,
                        OGRCoordinateTransformationH transform, OGRLayerH to)
{
    OGRGeometryH line = OGR_F_GetGeometryRef(from);
    OGRGeometryH clipped =
        scene->area == NULL ? OGR_G_Clone(line) : OGR_G_Intersection(line, scene->area);
    double pixel = fabs(scene->transform[1]);
    if (clipped == NULL || OGR_G_Length(clipped) < pixel / 100) {
        OGR_G_DestroyGeometry(clipped);
        return true;
    }
    OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(to));
    bool ok = (transform == NULL || OGR_G_Transform(clipped, transform) == OGRERR_NONE);
    OGR_F_SetFieldInteger(feature, 0, OGR_F_GetFieldAsInteger(from, 0));
    OGR_F_SetFieldDouble(feature, 1, OGR_F_GetFieldAsDouble(from, 1));
    (void)OGR_F_SetGeometryDirectly(feature, clipped);
    ok = ok && OGR_L_CreateFeature(to, feature) == OGRERR_NONE;
    OGR_F_Destroy(feature);
    return ok;
}

static const struct layer_field contour_fields[] = {
    {"id", OFTInteger}, {"value", OFTReal}, {NULL, OFTString}};

static bool write_contours(const struct scene *scene, OGRLayerH contours,
                           const char *path)
{
    OGRSpatialReferenceH degrees = OSRNewSpatialReference(NULL);
    (void)OSRImportFromEPSG(degrees, 4326);
    OSRSetAxisMappingStrategy(degrees, OAMS_TRADITIONAL_GIS_ORDER);
    OGRCoordinateTransformationH transform =
        scene->srs == NULL ? NULL : OCTNewCoordinateTransformation(scene->srs, degrees);
    char **options = CSLSetNameValue(NULL, "RFC7946", "YES");
    GDALDatasetH dataset = NULL;
    OGRLayerH layer = layer_make("GeoJSON", path, "contours", degrees, wkbUnknown,
                                 contour_fields, options, &dataset);
    bool ok = layer != NULL;
    OGRFeatureH contour = NULL;
    OGR_L_ResetReading(contours);
    while (ok && (contour = OGR_L_GetNextFeature(contours)) != NULL) {
        ok = add_contour(scene, contour, transform, layer);
        OGR_F_Destroy(contour);
    }
    GDALClose(dataset);
    CSLDestroy(options);
    OCTDestroyCoordinateTransformation(transform);
    OSRRelease(degrees);
    return ok;
}

bool model_contours(const struct model_task *task, const char *path,
                    char error[MODEL_ERROR_SIZE])
{
    struct scene scene;
    if (!scene_open(task, 1, &scene, error)) {
        return false;
    }
    GDALDatasetH memory = NULL;
    OGRLayerH contours = layer_make(LAYER_MEMORY, "", "contours", scene.srs,
                                    wkbLineString, contour_fields, NULL, &memory);
    float *band = scene_band(&scene, 1, error);
    float *smoothed = band == NULL ? NULL : smooth(&scene, band);
    bool ok = smoothed != NULL && ((draw_contours(&scene, smoothed, contours) &&
                                    write_contours(&scene, contours, path)) ||
                                   scene_fail(error, "the result cannot be written"));
    free(smoothed);
    free(band);
    GDALClose(memory);
    scene_close(&scene);
    return ok;
}

/* ---- hulls ---- */

static void copy_fields(OGRFeatureDefnH from, OGRLayerH to)
{
    for (int i = 0; i < OGR_FD_GetFieldCount(from); i++) {
        (void)OGR_L_CreateField(to, OGR_FD_GetFieldDefn(from, i), 1);
    }
}

static bool add_hull(OGRFeatureH from, OGRGeometryH area, OGRLayerH to)
{
    OGRGeometryH geometry = OGR_F_GetGeometryRef(from);
    if (geometry == NULL || (area != NULL && !OGR_G_Intersects(geometry, area))) {
        return true;
    }
    OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(to));
    OGRGeometryH hull = OGR_G_ConvexHull(geometry);
    bool ok = hull != NULL && OGR_F_SetFrom(feature, from, 1) == OGRERR_NONE &&
              OGR_F_SetGeometryDirectly(feature, hull) == OGRERR_NONE;
    OGR_F_SetFieldInteger64(feature, 0, OGR_F_GetFID(from));
    (void)OGR_F_SetFID(feature, OGRNullFID);
    ok = ok && OGR_L_CreateFeature(to, feature) == OGRERR_NONE;
    OGR_F_Destroy(feature);
    return ok;
}

static bool write_hulls(OGRLayerH from, OGRGeometryH area, const char *path)
{
    static const struct layer_field fields[] = {{"source_fid", OFTInteger64},
                                                {NULL, OFTString}};
    GDALDatasetH dataset = NULL;
    OGRLayerH to = layer_make("FlatGeobuf", path, "hulls", OGR_L_GetSpatialRef(from),
                              wkbUnknown, fields, NULL, &dataset);
    bool ok = to != NULL;
    if (ok) {
        copy_fields(OGR_L_GetLayerDefn(from), to);
    }
    OGRFeatureH feature = NULL;
    OGR_L_ResetReading(from);
    while (ok && (feature = OGR_L_GetNextFeature(from)) != NULL) {
        ok = add_hull(feature, area, to);
        OGR_F_Destroy(feature);
    }
    GDALClose(dataset);
    return ok;
}

bool model_hulls(const struct model_task *task, const char *path,
                 char error[MODEL_ERROR_SIZE])
{
    const char *slash = strrchr(task->input, '/');
    const char *name = slash == NULL ? task->input : slash + 1;
    GDALDatasetH dataset = GDALOpenEx(task->input, GDAL_OF_VECTOR, NULL, NULL, NULL);
    OGRLayerH layer = dataset == NULL ? NULL : GDALDatasetGetLayer(dataset, 0);
    if (layer == NULL) {
        GDALClose(dataset);
        return scene_fail(error, "%s needs a vector file, and %s is none",
                          task->model->id, name);
    }
    OGRSpatialReferenceH srs = OGR_L_GetSpatialRef(layer);
    OGRGeometryH area = NULL;
    bool ok = scene_area(task->area, srs, &area, error) &&
              (write_hulls(layer, area, path) ||
               scene_fail(error, "the result cannot be written"));
    OGR_G_DestroyGeometry(area);
    GDALClose(dataset);
    return ok;
}
