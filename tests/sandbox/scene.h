/*
 * The part of a raster file that a model computes on: the window of the area of
 * interest, its bands, and which of its pixels are inside.
 */
#ifndef SANDBOX_SCENE_H
#define SANDBOX_SCENE_H

#include <gdal.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdbool.h>

#include "model.h"

/* What a pixel outside the area or without data has in an index. */
#define SCENE_NO_VALUE (-9999.0f)

struct scene {
    GDALDatasetH dataset;
    OGRSpatialReferenceH srs; /* of the file, longitude before latitude */
    OGRGeometryH area;        /* in the file's system, or NULL: all of it */
    int x, y, width, height;  /* the window, in pixels of the file */
    double transform[6];      /* of the window */
    unsigned char *mask;      /* width × height; 1 inside */
};

/* Open the file of `task` with at least `bands` bands. On failure `error` is set.
 * The caller passes `*out` to scene_close(). */
bool scene_open(const struct model_task *task, int bands, struct scene *out,
                char error[MODEL_ERROR_SIZE]);
void scene_close(struct scene *scene);

/* A band of the window, to be freed; NULL after setting `error`. */
float *scene_band(const struct scene *scene, int band, char error[MODEL_ERROR_SIZE]);

/* (a - b) / (a + b) of two bands, SCENE_NO_VALUE outside. As scene_band(). */
float *scene_index(const struct scene *scene, int a, int b, char error[MODEL_ERROR_SIZE]);

/* An in-memory raster of the window with these values; NULL where GDAL fails. */
GDALDatasetH scene_raster(const struct scene *scene, const void *values,
                          GDALDataType type);

/*
 * The WKT of an area in longitude and latitude, brought to `srs`. False after
 * setting `error`; `*out` is NULL for no area.
 */
bool scene_area(const char *wkt, OGRSpatialReferenceH srs, OGRGeometryH *out,
                char error[MODEL_ERROR_SIZE]);

/* EPSG:4326, longitude before latitude; released by the caller. */
OGRSpatialReferenceH scene_degrees(void);

/* Set `error` and return false; a message of GDAL's, if there is one, follows. */
bool scene_fail(char error[MODEL_ERROR_SIZE], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
