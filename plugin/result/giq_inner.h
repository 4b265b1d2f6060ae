/*
 * Opens a file of a result with the drivers that may open results (inner drivers). The
 * driver GIQ returns the dataset of such a driver to its caller unchanged.
 *
 * The functions print no errors: if one fails, CPLGetLastErrorMsg() is the first error of
 * GDAL ("... not recognized ..." if no driver recognised the file), or "" if GDAL was not
 * called or raised none, and the caller reports it. Thread-safe.
 */
#ifndef GIQ_INNER_H
#define GIQ_INNER_H

#include <gdal.h>
#include <stdbool.h>

#define GIQ_INNER_KINDS ((unsigned)(GDAL_OF_RASTER | GDAL_OF_VECTOR))

/* Whether an open with these flags accepts only rasters. */
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
 * Whether the description of the dataset must be set to the connection string. GDAL
 * requires that of a shared dataset. A thread-safe one keeps its path: each thread opens
 * the description anew with the inner driver, which knows only paths.
 */
bool giq_inner_is_renamed(unsigned flags);

/* giq_inner_open() for a shared dataset: its description becomes `name`. */
GDALDatasetH giq_inner_open_shared(const char *path, unsigned flags, char **drivers,
                                   char **options, const char *name);

/*
 * If the file is a text that only refers to other files or hosts (VRT, WMS, ...) and
 * `drivers` does not contain its driver: that driver's name (static); else NULL. No
 * driver may open such a file, whatever its name.
 */
const char *giq_inner_reference_driver(const char *path, char **drivers);

/* Whether one of the drivers opens the file as one of these kinds (GDAL_OF_...). Opens
 * and closes the file. */
bool giq_inner_can_open(const char *path, unsigned kinds, char **drivers);

#endif
