/*
 * Models on the bands of a Landsat scene (ETM+ 1, 2, 3, 4, 5, 7).
 */
#include "model_raster.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal_alg.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "layer.h"
#include "pieces.h"

enum band { BLUE = 1, GREEN, RED, NEAR_INFRARED, SHORT_WAVE, BANDS = 6 };
enum { WATER_PIXELS_MIN = 4, CLASSES = 5, SIEVE_PIXELS = 10 };

/* ---- water and segments: polygons of classes ---- */

typedef int32_t classify(float index);

static int32_t is_water(float index)
{
    return index > 0;
}

/* Five equal steps of the vegetation index from -0.5 to 0.75. */
static int32_t class_of(float index)
{
    int32_t step = (int32_t)floorf((index + 0.5f) / 0.25f);
    return step < 0 ? 1 : step >= CLASSES ? CLASSES : step + 1;
}

static int32_t *classes_of(const struct scene *scene, const float *index,
                           classify *classify_value)
{
    size_t count = (size_t)scene->width * (size_t)scene->height;
    int32_t *classes = calloc(count, sizeof *classes);
    for (size_t i = 0; classes != NULL && i < count; i++) {
        classes[i] = index[i] > -2 ? classify_value(index[i]) : 0;
    }
    return classes;
}

static bool write_water(const struct scene *scene, const struct pieces *pieces,
                        const char *path)
{
    static const struct layer_field fields[] = {{"id", OFTInteger},
                                                {"area_m2", OFTReal},
                                                {"mean_index", OFTReal},
                                                {NULL, OFTString}};
    GDALDatasetH dataset = NULL;
    OGRLayerH layer =
        layer_make("GPKG", path, "water", scene->srs, wkbPolygon, fields, NULL, &dataset);
    bool ok = layer != NULL && OGR_L_StartTransaction(layer) == OGRERR_NONE;
    for (size_t i = 0; ok && i < pieces->count; i++) {
        OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(layer));
        OGR_F_SetFieldInteger(feature, 0, (int)i + 1);
        OGR_F_SetFieldDouble(feature, 1, pieces->item[i].area);
        OGR_F_SetFieldDouble(feature, 2, pieces->item[i].mean);
        ok = OGR_F_SetGeometry(feature, pieces->item[i].polygon) == OGRERR_NONE &&
             OGR_L_CreateFeature(layer, feature) == OGRERR_NONE;
        OGR_F_Destroy(feature);
    }
    ok = ok && OGR_L_CommitTransaction(layer) == OGRERR_NONE;
    GDALClose(dataset);
    return ok;
}

bool model_water(const struct model_task *task, const char *path,
                 char error[MODEL_ERROR_SIZE])
{
    struct scene scene;
    struct pieces pieces = {0};
    if (!scene_open(task, BANDS, &scene, error)) {
        return false;
    }
    float *index = scene_index(&scene, GREEN, SHORT_WAVE, error);
    int32_t *classes = index == NULL ? NULL : classes_of(&scene, index, is_water);
    bool ok = classes != NULL &&
              pieces_make(&scene, classes, index, WATER_PIXELS_MIN, &pieces, error) &&
              (write_water(&scene, &pieces, path) ||
               scene_fail(error, "the result cannot be written"));
    pieces_release(&pieces);
    free(classes);
    free(index);
    scene_close(&scene);
    return ok;
}

/* Join segments of a few pixels with their neighbours. Pixels without a class stay
 * so. */
static bool sieve(const struct scene *scene, int32_t *classes)
{
    int band = 1;
    GDALDatasetH from = scene_raster(scene, classes, GDT_Int32);
    GDALDatasetH to = scene_raster(scene, classes, GDT_Int32);
    bool ok = from != NULL && to != NULL &&
              GDALSieveFilter(GDALGetRasterBand(from, 1), GDALGetRasterBand(from, 1),
                              GDALGetRasterBand(to, 1), SIEVE_PIXELS, 4, NULL, NULL,
                              NULL) == CE_None &&
              GDALDatasetRasterIO(to, GF_Read, 0, 0, scene->width, scene->height, classes,
                                  scene->width, scene->height, GDT_Int32, 1, &band, 0, 0,
                                  0) == CE_None;
    GDALClose(from);
    GDALClose(to);
    return ok;
}

static bool write_segments(const struct scene *scene, const struct pieces *pieces,
                           const char *path)
{
    static const struct layer_field fields[] = {
        {"id", OFTInteger}, {"class", OFTInteger}, {"mean", OFTReal}, {NULL, OFTString}};
    GDALDatasetH dataset = NULL;
    OGRLayerH layer = layer_make("ESRI Shapefile", path, "segments", scene->srs,
                                 wkbPolygon, fields, NULL, &dataset);
    bool ok = layer != NULL;
    for (size_t i = 0; ok && i < pieces->count; i++) {
        OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(layer));
        OGR_F_SetFieldInteger(feature, 0, (int)i + 1);
        OGR_F_SetFieldInteger(feature, 1, pieces->item[i].class);
        OGR_F_SetFieldDouble(feature, 2, pieces->item[i].mean);
        ok = OGR_F_SetGeometry(feature, pieces->item[i].polygon) == OGRERR_NONE &&
             OGR_L_CreateFeature(layer, feature) == OGRERR_NONE;
        OGR_F_Destroy(feature);
    }
    GDALClose(dataset);
    return ok;
}

/* Move the parts of a Shapefile into a zip. */
static bool pack(const char *shapefile, const char *zip)
{
    static const char *const parts[] = {"shp", "shx", "dbf", "prj", "cpg"};
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof parts / sizeof parts[0]; i++) {
        char *from = CPLStrdup(CPLResetExtension(shapefile, parts[i]));
        char *to = CPLStrdup(CPLSPrintf("/vsizip/%s/%s", zip, CPLGetFilename(from)));
        VSIStatBufL st;
        if (VSIStatL(from, &st) == 0) {
            ok = CPLCopyFile(to, from) == 0 && VSIUnlink(from) == 0;
        }
        CPLFree(to);
        CPLFree(from);
    }
    return ok;
}

bool model_segments(const struct model_task *task, const char *path,
                    char error[MODEL_ERROR_SIZE])
{
    struct scene scene;
    struct pieces pieces = {0};
    if (!scene_open(task, BANDS, &scene, error)) {
        return false;
    }
    char *shapefile = CPLStrdup(CPLResetExtension(path, "shp"));
    float *index = scene_index(&scene, NEAR_INFRARED, RED, error);
    int32_t *classes = index == NULL ? NULL : classes_of(&scene, index, class_of);
    bool ok = classes != NULL &&
              (sieve(&scene, classes) || scene_fail(error, "sieving failed")) &&
              pieces_make(&scene, classes, index, 1, &pieces, error) &&
              ((write_segments(&scene, &pieces, shapefile) && pack(shapefile, path)) ||
               scene_fail(error, "the result cannot be written"));
    CPLFree(shapefile);
    pieces_release(&pieces);
    free(classes);
    free(index);
    scene_close(&scene);
    return ok;
}

/* ---- ndvi: a raster ---- */

static bool write_index(const struct scene *scene, float *index, const char *path)
{
    char **options = CSLSetNameValue(NULL, "COMPRESS", "DEFLATE");
    options = CSLSetNameValue(options, "PREDICTOR", "3");
    options = CSLSetNameValue(options, "TILED", "YES");
    GDALDatasetH file = GDALCreate(GDALGetDriverByName("GTiff"), path, scene->width,
                                   scene->height, 1, GDT_Float32, options);
    CSLDestroy(options);
    if (file == NULL) {
        return false;
    }
    GDALRasterBandH band = GDALGetRasterBand(file, 1);
    (void)GDALSetGeoTransform(file, (double *)scene->transform);
    (void)GDALSetSpatialRef(file, scene->srs);
    (void)GDALSetRasterNoDataValue(band, SCENE_NO_VALUE);
    GDALSetDescription(band, "NDVI");
    bool ok = GDALRasterIO(band, GF_Write, 0, 0, scene->width, scene->height, index,
                           scene->width, scene->height, GDT_Float32, 0, 0) == CE_None;
    GDALClose(file);
    return ok;
}

bool model_ndvi(const struct model_task *task, const char *path,
                char error[MODEL_ERROR_SIZE])
{
    struct scene scene;
    if (!scene_open(task, BANDS, &scene, error)) {
        return false;
    }
    float *index = scene_index(&scene, NEAR_INFRARED, RED, error);
    bool ok = index != NULL && (write_index(&scene, index, path) ||
                                scene_fail(error, "the result cannot be written"));
    free(index);
    scene_close(&scene);
    return ok;
}
