/*
 * The files of a result that was an archive. Thread-safe.
 */
#ifndef GIQ_RESULT_FILES_H
#define GIQ_RESULT_FILES_H

#include <stdbool.h>

bool giq_result_is_folder(const char *path);

/* The plain files below a folder that are no parts of others and no sidecars: a GDAL
 * string list of paths relative to it. */
char **giq_result_files(const char *folder);

#endif
