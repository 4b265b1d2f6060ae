/*
 * What the catalogue states of a file, read from the file itself by GDAL.
 * Thread-safe.
 */
#ifndef SANDBOX_FOOTPRINT_H
#define SANDBOX_FOOTPRINT_H

#include <stdbool.h>
#include <stdint.h>

/* minx, miny, maxx, maxy in degrees; minx > maxx across 180 degrees. */
enum { FOOTPRINT_BOX = 4, FOOTPRINT_DRIVER_SIZE = 32 };

struct footprint {
    char *geometry;    /* GeoJSON in longitude and latitude */
    char *description; /* or NULL */
    double box[FOOTPRINT_BOX];
    bool is_raster;
    const char *source_type;            /* static */
    char driver[FOOTPRINT_DRIVER_SIZE]; /* of GDAL */
    int64_t taken_ms;                   /* of TIFFTAG_DATETIME, or -1 */
};

/*
 * The corners of a raster, or the extents of the layers of a vector file, in
 * EPSG:4326. False for a file that GDAL cannot open, or that has no location; else
 * the caller passes `*out` to footprint_release().
 */
bool footprint_read(const char *path, struct footprint *out);
void footprint_release(struct footprint *footprint);

#endif
