/*
 * What a short while ago ended an open in a way that costs time or traffic to learn
 * again, in this process: its wait ran into TIMEOUT, its result was refused, or it failed
 * slowly. A GIS opens a source up to ten times; only the first of them is to wait or to
 * download.
 * Thread-safe.
 */
#ifndef GIQ_RECENT_H
#define GIQ_RECENT_H

#include "giq/giq.h"

/* Whether within the last minute an error ended the open that is told from others by
 * `what`, a GDAL string list; which goes to `*out`. */
bool giq_recent_find(char **what, struct giq_error *out);

/* Note that `err` ended it now. */
void giq_recent_note(char **what, const struct giq_error *err);

#endif
