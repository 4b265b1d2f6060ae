/*
 * Opening a result's file with the drivers that may read it, quietly: the reason of a
 * failure, GDAL's first error, is CPLGetLastErrorMsg(), and the caller says it.
 * Thread-safe.
 */
#ifndef GIQ_INNER_H
#define GIQ_INNER_H

#include <gdal.h>
#include <stdbool.h>

#define GIQ_INNER_KINDS ((unsigned)(GDAL_OF_RASTER | GDAL_OF_VECTOR))

/* NULL where no driver of the list takes the file. `flags` are GDAL_OF_... as the user's
 * open has them, `drivers` and `options` GDAL string lists; the latter may be NULL. */
GDALDatasetH giq_inner_open(const char *path, unsigned flags, char **drivers,
                            char **options);

/* Whether the dataset of an open with these flags gets the connection string for its
 * description. GDAL wants that of a shared one; but of a thread-safe one each thread
 * opens the description anew with the inner driver, which knows paths only. */
bool giq_inner_is_renamed(unsigned flags);

/* The same as giq_inner_open(), with the description `name`, which GDAL demands of a
 * shared dataset. */
GDALDatasetH giq_inner_open_shared(const char *path, unsigned flags, char **drivers,
                                   char **options, const char *name);

/* The driver that a text that names other files or hosts is for, where the list does not
 * have it: nothing of the list may open it. NULL for all other files. */
const char *giq_inner_source(const char *path, char **drivers);

bool giq_inner_can_open(const char *path, unsigned kinds, char **drivers);

#endif
