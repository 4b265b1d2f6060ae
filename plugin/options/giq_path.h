/*
 * Paths as users type them: of this machine, or of GDAL's virtual file systems.
 * What is returned is freed with CPLFree().
 */
#ifndef GIQ_PATH_H
#define GIQ_PATH_H

/* The same path from wherever it is opened. */
char *giq_path_absolute(const char *typed);

/* The path without what may be secret in an address: user, password and query. */
char *giq_path_printable(const char *typed);

#endif
