/*
 * Negative cache: errors of the last minute that took a long wait or a download to find.
 * A GIS opens a dataset up to ten times; only the first open should wait or download.
 *
 * One cache for the process, of 64 entries; a new one replaces the oldest. Thread-safe.
 */
#ifndef GIQ_NEGATIVE_CACHE_H
#define GIQ_NEGATIVE_CACHE_H

#include "giq/giq.h"

/* Find the error that was added under `key`, a GDAL string list, within the last minute,
 * and copy it to `*out`. Returns false if there is none; `*out` is then unchanged. */
bool giq_negative_cache_find(char **key, struct giq_error *out);

/* Add an error, or replace the one under the same key. `key` and `err` are copied. */
void giq_negative_cache_add(char **key, const struct giq_error *err);

#endif
