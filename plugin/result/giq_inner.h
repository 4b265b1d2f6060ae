/*
 * Opens a file of a result with the drivers that may open results. The dataset of such a
 * driver is the inner dataset: the driver GIQ hands it to the caller as it is.
 *
 * The functions print no errors: if one fails, CPLGetLastErrorMsg() is the first error of
 * GDAL, or "" if no driver recognised the file, and the caller reports it. Thread-safe.
 */
#ifndef GIQ_INNER_H
#define GIQ_INNER_H

#include <gdal.h>
#include <stdbool.h>

#define GIQ_INNER_KINDS ((unsigned)(GDAL_OF_RASTER | GDAL_OF_VECTOR))

/* Whether an open with these flags takes rasters and no tables. */
static inline bool giq_inner_is_raster_only(unsigned flags)
{
    return (flags & GIQ_INNER_KINDS) == GDAL_OF_RASTER;
}

/*
 * Open the file `path`; NULL if none of the drivers opens it. `flags` are GDAL_OF_... of
 * the user's open. `drivers` and `options` are GDAL string lists; the latter may be NULL.
 */
GDALDatasetH giq_inner_open(const char *path, unsigned flags, char **drivers,
                            char **options);

/*
 * Whether an open with these flags gives the dataset the connection string for its
 * description. GDAL requires that of a shared dataset. A thread-safe one keeps its path:
 * each thread opens the description anew with the inner driver, which knows only paths.
 */
bool giq_inner_is_renamed(unsigned flags);

/* giq_inner_open() for a shared dataset: its description becomes `name`. */
GDALDatasetH giq_inner_open_shared(const char *path, unsigned flags, char **drivers,
                                   char **options, const char *name);

/*
 * The driver that a text file needs which names other files or hosts (VRT, WMS, ...), if
 * `drivers` does not contain it; NULL for every other file. No driver may open such a
 * file, whatever its name.
 */
const char *giq_inner_reference_driver(const char *path, char **drivers);

/* Whether one of the drivers opens the file as one of these kinds (GDAL_OF_...). */
bool giq_inner_can_open(const char *path, unsigned kinds, char **drivers);

#endif
