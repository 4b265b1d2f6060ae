/*
 * RESULT_OPTIONS: open options for the driver that reads a result, as one text:
 *   KEY=VALUE,KEY="VALUE, quoted",...
 * A quote (' or ") is doubled inside.
 *
 * Project and VRT files from others can contain it, so options that make a driver run
 * statements or read other files or hosts are refused by name, and so is any value that
 * could be a path with a folder or a URL. Thread-safe.
 */
#ifndef GIQ_RESULT_OPTIONS_H
#define GIQ_RESULT_OPTIONS_H

#include <gdal.h>

#include "giq/giq.h"

/* Parse and check `text`. On success `*out` is a GDAL string list for CSLDestroy().
 * Errors: GIQ_E_USAGE, which names the key. */
bool giq_result_options_parse(const char *text, char ***out, struct giq_error *err);

/* Warn, as GDAL does, of options that the driver of `dataset` does not have. */
void giq_result_options_warn(GDALDatasetH dataset, char **options);

#endif
