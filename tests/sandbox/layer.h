/*
 * Writing the vector results of models.
 */
#ifndef SANDBOX_LAYER_H
#define SANDBOX_LAYER_H

#include "scene.h"

/* GDAL's driver of layers in memory. */
#if GDAL_VERSION_NUM < GDAL_COMPUTE_VERSION(3, 11, 0)
#define LAYER_MEMORY "Memory"
#else
#define LAYER_MEMORY "MEM"
#endif

struct layer_field {
    const char *name;
    OGRFieldType type;
};

/* Make the file `path` with one layer and its fields (ended by a NULL name). The
 * caller closes `*out` with GDALClose(), which writes it. NULL where GDAL fails. */
OGRLayerH layer_make(const char *driver, const char *path, const char *name,
                     OGRSpatialReferenceH srs, OGRwkbGeometryType geometry,
                     const struct layer_field *fields, char **options, GDALDatasetH *out);

#endif
