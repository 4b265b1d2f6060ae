/*
 * Paths as users type them, on disk or in GDAL's virtual file systems. The caller frees
 * what is returned with CPLFree(). Thread-safe.
 */
#ifndef GIQ_PATH_H
#define GIQ_PATH_H

/* A copy of the path, joined to the working folder if GDAL considers it relative. */
char *giq_path_absolute(const char *typed);

/* A copy of the path without the parts of a URL that may be secret: user, password,
 * query and fragment. */
char *giq_path_printable(const char *typed);

#endif
