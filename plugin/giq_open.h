/*
 * What the C++ of the driver's registration calls: GDAL's view of the driver in
 * C. Thread-safe; between two opens only what ended opens of the last minute slowly is
 * kept (giq_negative_cache).
 */
#ifndef GIQ_OPEN_H
#define GIQ_OPEN_H

#include <gdal.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What GDAL was asked to open; borrowed. */
struct giq_open_info {
    const char *name;
    unsigned flags; /* GDAL_OF_... */
    bool is_update;
    char **options; /* open options, a GDAL string list, or NULL */
};

/* Whether the driver is meant: the prefix, nothing else. */
bool giq_open_identify(const char *name);

/* Open. NULL after one CPL error; NULL without one where update access is asked
 * for and the caller wants no errors. */
GDALDatasetH giq_open_dataset(const struct giq_open_info *info);

/* State on the driver what GDAL's programs list of it. */
void giq_open_describe(GDALDriverH driver);

/* The error of every function that would write; returns CE_Failure. */
CPLErr giq_open_refuse(const char *what);

#ifdef __cplusplus
}
#endif

#endif
