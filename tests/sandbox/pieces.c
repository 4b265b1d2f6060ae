#include "pieces.h"

#include <gdal_alg.h>
#include <stdlib.h>

#include "layer.h"

void pieces_release(struct pieces *pieces)
{
    for (size_t i = 0; i < pieces->count; i++) {
        OGR_G_DestroyGeometry(pieces->item[i].polygon);
    }
    free(pieces->item);
    *pieces = (struct pieces){0};
}

/* Take the polygons of a layer whose field 0 is their class. */
static bool collect(OGRLayerH layer, struct pieces *out)
{
    OGRFeatureH feature = NULL;
    out->item = calloc((size_t)OGR_L_GetFeatureCount(layer, 1) + 1, sizeof *out->item);
    OGR_L_ResetReading(layer);
    while (out->item != NULL && (feature = OGR_L_GetNextFeature(layer)) != NULL) {
        OGRGeometryH polygon = OGR_G_Clone(OGR_F_GetGeometryRef(feature));
        out->item[out->count++] = (struct piece){
            .polygon = polygon,
            .class = OGR_F_GetFieldAsInteger(feature, 0),
            .area = OGR_G_Area(polygon),
        };
        OGR_F_Destroy(feature);
    }
    return out->item != NULL;
}

static bool polygonize(const struct scene *scene, const int32_t *classes,
                       struct pieces *out)
{
    GDALDatasetH raster = scene_raster(scene, classes, GDT_Int32);
    GDALDatasetH memory =
        GDALCreate(GDALGetDriverByName(LAYER_MEMORY), "", 0, 0, 0, GDT_Unknown, NULL);
    OGRLayerH layer =
        GDALDatasetCreateLayer(memory, "pieces", scene->srs, wkbPolygon, NULL);
    OGRFieldDefnH field = OGR_Fld_Create("class", OFTInteger);
    bool ok = raster != NULL && layer != NULL &&
              OGR_L_CreateField(layer, field, 1) == OGRERR_NONE;
    if (ok) {
        GDALRasterBandH band = GDALGetRasterBand(raster, 1);
        ok = GDALPolygonize(band, band, layer, 0, NULL, NULL, NULL) == CE_None &&
             collect(layer, out);
    }
    OGR_Fld_Destroy(field);
    GDALClose(memory);
    GDALClose(raster);
    return ok;
}

/* Which piece each pixel belongs to: its number, from 1. */
static int32_t *number_pixels(const struct scene *scene, const struct pieces *pieces)
{
    size_t count = (size_t)scene->width * (size_t)scene->height;
    int32_t *numbers = calloc(count, sizeof *numbers);
    OGRGeometryH *polygons = calloc(pieces->count + 1, sizeof(OGRGeometryH));
    double *values = calloc(pieces->count + 1, sizeof *values);
    GDALDatasetH raster = numbers == NULL || polygons == NULL || values == NULL
                              ? NULL
                              : scene_raster(scene, numbers, GDT_Int32);
    int band = 1;
    for (size_t i = 0; raster != NULL && i < pieces->count; i++) {
        polygons[i] = pieces->item[i].polygon;
        values[i] = (double)(i + 1);
    }
    bool ok = raster != NULL &&
              GDALRasterizeGeometries(raster, 1, &band, (int)pieces->count, polygons,
                                      NULL, NULL, values, NULL, NULL, NULL) == CE_None &&
              GDALDatasetRasterIO(raster, GF_Read, 0, 0, scene->width, scene->height,
                                  numbers, scene->width, scene->height, GDT_Int32, 1,
                                  &band, 0, 0, 0) == CE_None;
    GDALClose(raster);
    free(values);
    free(polygons);
    if (!ok) {
        free(numbers);
        return NULL;
    }
    return numbers;
}

static bool measure(const struct scene *scene, const float *values, struct pieces *pieces)
{
    size_t count = (size_t)scene->width * (size_t)scene->height;
    int32_t *numbers = number_pixels(scene, pieces);
    for (size_t i = 0; numbers != NULL && i < count; i++) {
        if (numbers[i] > 0) {
            struct piece *piece = &pieces->item[numbers[i] - 1];
            piece->pixels++;
            piece->mean += (values[i] - piece->mean) / piece->pixels;
        }
    }
    free(numbers);
    return numbers != NULL;
}

static int larger_first(const void *a, const void *b)
{
    const struct piece *left = a;
    const struct piece *right = b;
    return (left->area < right->area) - (left->area > right->area);
}

static void drop_small(struct pieces *pieces, int least)
{
    size_t kept = 0;
    for (size_t i = 0; i < pieces->count; i++) {
        if (pieces->item[i].pixels >= least) {
            pieces->item[kept++] = pieces->item[i];
        } else {
            OGR_G_DestroyGeometry(pieces->item[i].polygon);
        }
    }
    pieces->count = kept;
}

bool pieces_make(const struct scene *scene, const int32_t *classes, const float *values,
                 int least, struct pieces *out, char error[MODEL_ERROR_SIZE])
{
    struct pieces pieces = {0};
    if (!polygonize(scene, classes, &pieces) || !measure(scene, values, &pieces)) {
        pieces_release(&pieces);
        return scene_fail(error, "the classes cannot be made polygons");
    }
    drop_small(&pieces, least);
    if (pieces.count > 0) {
        qsort(pieces.item, pieces.count, sizeof *pieces.item, larger_first);
    }
    *out = pieces;
    return true;
}
