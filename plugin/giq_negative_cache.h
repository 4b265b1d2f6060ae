/*
 * What a short while ago ended an open in a way that costs time or traffic to learn
 * again, in this process: its wait ran into TIMEOUT, its result was refused, or it failed
 * slowly. A GIS opens a source up to ten times; only the first of them is to wait or to
 * download.
 * Thread-safe.
 */
#ifndef GIQ_NEGATIVE_CACHE_H
#define GIQ_NEGATIVE_CACHE_H

#include "giq/giq.h"

/* Whether within the last minute an error ended the open that is told from others by
 * `what`, a GDAL string list; which goes to `*out`. */
bool giq_negative_cache_find(char **what, struct giq_error *out);

/* Note that `err` ended it now. */
void giq_negative_cache_note(char **what, const struct giq_error *err);

#endif
