/*
 * A table as an in-memory dataset with one layer: what all tables of the driver share.
 * An absent value is NULL in the table. Thread-safe for different tables.
 */
#ifndef GIQ_TABLE_H
#define GIQ_TABLE_H

#include <gdal.h>
#include <ogr_api.h>

#include "giq/giq.h"

struct giq_table_column {
    const char *name;
    OGRFieldType type;
};

/* Make a dataset, which the caller owns, with one empty layer, which is borrowed from it;
 * geometries are in EPSG:4326. NULL after an error: GIQ_E_MEMORY, also if GDAL lacks its
 * in-memory driver. */
GDALDatasetH giq_table_new(const char *name, OGRwkbGeometryType geometry,
                           const struct giq_table_column *columns, size_t count,
                           OGRLayerH *out_layer, struct giq_error *err);

/* Add the row, and release it. Errors: GIQ_E_MEMORY. */
bool giq_table_add_row(OGRLayerH layer, OGRFeatureH row, struct giq_error *err);

/* Set a field to a text, or to a time in milliseconds since 1970-01-01 UTC; NULL and
 * GIQ_TIME_NONE are absent. */
void giq_table_set_text(OGRFeatureH row, int column, const char *text);
void giq_table_set_time(OGRFeatureH row, int column, int64_t ms);

/* Set the geometry to a multipolygon. It stays NULL if `wkt` is NULL or cannot be parsed.
 */
void giq_table_set_area(OGRFeatureH row, const char *wkt);

#endif
