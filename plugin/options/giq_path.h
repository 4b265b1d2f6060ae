/*
 * Paths as users type them, on disk or in GDAL's virtual file systems. The caller frees
 * what is returned with CPLFree(). Thread-safe.
 */
#ifndef GIQ_PATH_H
#define GIQ_PATH_H

#include <stdbool.h>

/* A copy of the path, joined to the working folder if GDAL considers it relative. */
char *giq_path_absolute(const char *typed);

/* A copy of the path without the parts of a URL that may be secret: user, password,
 * query and fragment. */
char *giq_path_printable(const char *typed);

/* Whether a file of this path is or would be below `folder`, once links are resolved; of
 * a name of a virtual file system, whether a path in it is. False if the folder does not
 * exist. */
bool giq_path_is_below(const char *path, const char *folder);

/* Whether both paths are of one file that exists, once links are resolved. */
bool giq_path_is_same(const char *a, const char *b);

#endif
