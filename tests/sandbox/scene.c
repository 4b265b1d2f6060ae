#include "scene.h"

#include <cpl_error.h>
#include <cpl_vsi.h>
#include <gdal_alg.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool scene_fail(char error[MODEL_ERROR_SIZE], const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(error, MODEL_ERROR_SIZE, fmt, args);
    va_end(args);
    const char *reason = CPLGetLastErrorMsg();
    if (reason[0] != '\0' && len > 0 && len < MODEL_ERROR_SIZE - 1) {
        (void)snprintf(error + len, (size_t)(MODEL_ERROR_SIZE - len), ": %s", reason);
    }
    return false;
}

/* ---- the area ---- */

OGRSpatialReferenceH scene_degrees(void)
{
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    (void)OSRImportFromEPSG(srs, 4326);
    OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    return srs;
}

bool scene_area(const char *wkt, OGRSpatialReferenceH srs, OGRGeometryH *out,
                char error[MODEL_ERROR_SIZE])
{
    char *at = (char *)wkt;
    OGRGeometryH area = NULL;
    *out = NULL;
    if (wkt == NULL) {
        return true;
    }
    if (srs == NULL) {
        return scene_fail(error,
                          "the file has no coordinate system, and an area needs one");
    }
    if (OGR_G_CreateFromWkt(&at, NULL, &area) != OGRERR_NONE) {
        return scene_fail(error, "the area is not valid WKT");
    }
    OGRSpatialReferenceH from = scene_degrees();
    OGRCoordinateTransformationH transform = OCTNewCoordinateTransformation(from, srs);
    bool ok = transform != NULL && OGR_G_Transform(area, transform) == OGRERR_NONE;
    OCTDestroyCoordinateTransformation(transform);
    OSRRelease(from);
    if (!ok) {
        OGR_G_DestroyGeometry(area);
        return scene_fail(error, "the area cannot be brought to the system of the file");
    }
    *out = area;
    return true;
}

static int clamp(double value, int most)
{
    return value < 0 ? 0 : value > most ? most : (int)value;
}

/* The window that holds the area. */
static bool find_window(struct scene *scene, char error[MODEL_ERROR_SIZE])
{
    int width = GDALGetRasterXSize(scene->dataset);
    int height = GDALGetRasterYSize(scene->dataset);
    double inverse[6];
    OGREnvelope box;
    *scene = (struct scene){scene->dataset, scene->srs, scene->area, 0,   0,
                            width,          height,     {0},         NULL};
    (void)GDALGetGeoTransform(scene->dataset, scene->transform);
    if (scene->area == NULL) {
        return true;
    }
    if (!GDALInvGeoTransform(scene->transform, inverse)) {
        return scene_fail(error, "the file has no place on earth, and an area needs one");
    }
    OGR_G_GetEnvelope(scene->area, &box);
    double left = 0;
    double top = 0;
    double right = 0;
    double bottom = 0;
    GDALApplyGeoTransform(inverse, box.MinX, box.MaxY, &left, &top);
    GDALApplyGeoTransform(inverse, box.MaxX, box.MinY, &right, &bottom);
    scene->x = clamp(floor(left), width);
    scene->y = clamp(floor(top), height);
    scene->width = clamp(ceil(right), width) - scene->x;
    scene->height = clamp(ceil(bottom), height) - scene->y;
    if (scene->width <= 0 || scene->height <= 0) {
        return scene_fail(error, "the area does not touch the scene");
    }
    GDALApplyGeoTransform(scene->transform, scene->x, scene->y, &left, &top);
    scene->transform[0] = left;
    scene->transform[3] = top;
    return true;
}

static size_t pixels(const struct scene *scene)
{
    return (size_t)scene->width * (size_t)scene->height;
}

/* Pixels whose centre is inside the area. */
static bool make_mask(struct scene *scene, char error[MODEL_ERROR_SIZE])
{
    int band = 1;
    const double one = 1;
    scene->mask = VSIMalloc2((size_t)scene->width, (size_t)scene->height);
    if (scene->mask == NULL) {
        return scene_fail(error, "out of memory");
    }
    (void)memset(scene->mask, scene->area == NULL, pixels(scene));
    if (scene->area == NULL) {
        return true;
    }
    GDALDatasetH raster = scene_raster(scene, scene->mask, GDT_Byte);
    bool ok = raster != NULL &&
              GDALRasterizeGeometries(raster, 1, &band, 1, &scene->area, NULL, NULL, &one,
                                      NULL, NULL, NULL) == CE_None &&
              GDALDatasetRasterIO(raster, GF_Read, 0, 0, scene->width, scene->height,
                                  scene->mask, scene->width, scene->height, GDT_Byte, 1,
                                  &band, 0, 0, 0) == CE_None;
    GDALClose(raster);
    if (ok && memchr(scene->mask, 1, pixels(scene)) == NULL) {
        return scene_fail(error, "the area holds no pixel of the scene");
    }
    return ok || scene_fail(error, "the area cannot be drawn");
}

/* ---- opening ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static bool open_raster(const struct model_task *task, int bands, struct scene *scene,
                        char error[MODEL_ERROR_SIZE])
{
    const char *name = base_name(task->input);
    scene->dataset = GDALOpenEx(task->input, GDAL_OF_RASTER, NULL, NULL, NULL);
    if (scene->dataset == NULL) {
        return scene_fail(error, "%s needs a raster, and %s is none", task->model->id,
                          name);
    }
    if (GDALGetRasterCount(scene->dataset) < bands) {
        return scene_fail(error, "%s needs %d bands, and %s has %d", task->model->id,
                          bands, name, GDALGetRasterCount(scene->dataset));
    }
    OGRSpatialReferenceH srs = GDALGetSpatialRef(scene->dataset);
    if (srs != NULL) {
        scene->srs = OSRClone(srs);
        OSRSetAxisMappingStrategy(scene->srs, OAMS_TRADITIONAL_GIS_ORDER);
    }
    return true;
}

bool scene_open(const struct model_task *task, int bands, struct scene *out,
                char error[MODEL_ERROR_SIZE])
{
    struct scene scene = {0};
    bool ok = open_raster(task, bands, &scene, error) &&
              scene_area(task->area, scene.srs, &scene.area, error) &&
              find_window(&scene, error) && make_mask(&scene, error);
    if (!ok) {
        scene_close(&scene);
        return false;
    }
    *out = scene;
    return true;
}

void scene_close(struct scene *scene)
{
    GDALClose(scene->dataset);
    OGR_G_DestroyGeometry(scene->area);
    if (scene->srs != NULL) {
        OSRRelease(scene->srs);
    }
    VSIFree(scene->mask);
}

/* ---- values ---- */

float *scene_band(const struct scene *scene, int band, char error[MODEL_ERROR_SIZE])
{
    float *values = malloc(pixels(scene) * sizeof *values);
    GDALRasterBandH from = GDALGetRasterBand(scene->dataset, band);
    if (values == NULL ||
        GDALRasterIO(from, GF_Read, scene->x, scene->y, scene->width, scene->height,
                     values, scene->width, scene->height, GDT_Float32, 0, 0) != CE_None) {
        free(values);
        (void)scene_fail(error, "band %d cannot be read", band);
        return NULL;
    }
    return values;
}

float *scene_index(const struct scene *scene, int a, int b, char error[MODEL_ERROR_SIZE])
{
    float *first = scene_band(scene, a, error);
    float *second = first == NULL ? NULL : scene_band(scene, b, error);
    for (size_t i = 0; second != NULL && i < pixels(scene); i++) {
        float sum = first[i] + second[i];
        first[i] =
            scene->mask[i] && sum > 0 ? (first[i] - second[i]) / sum : SCENE_NO_VALUE;
    }
    if (second == NULL) {
        free(first);
        first = NULL;
    }
    free(second);
    return first;
}

GDALDatasetH scene_raster(const struct scene *scene, const void *values,
                          GDALDataType type)
{
    int band = 1;
    GDALDatasetH raster = GDALCreate(GDALGetDriverByName("MEM"), "", scene->width,
                                     scene->height, 1, type, NULL);
    if (raster == NULL ||
        GDALDatasetRasterIO(raster, GF_Write, 0, 0, scene->width, scene->height,
                            (void *)values, scene->width, scene->height, type, 1, &band,
                            0, 0, 0) != CE_None) {
        GDALClose(raster);
        return NULL;
    }
    (void)GDALSetGeoTransform(raster, (double *)scene->transform);
    if (scene->srs != NULL) {
        (void)GDALSetSpatialRef(raster, scene->srs);
    }
    return raster;
}
