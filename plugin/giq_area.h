/*
 * The area of interest as the user gives it, brought to the core.
 */
#ifndef GIQ_AREA_H
#define GIQ_AREA_H

#include "giq/giq.h"

/*
 * `text` is WKT, or `@` and the path of a regular file of at most
 * GIQ_AREA_FILE_MAX bytes that holds it; `flags` as for giq_geom_area(). On
 * success `*out` is the area as it is sent, to be freed with free().
 * Errors: GIQ_E_AREA, GIQ_E_MEMORY. Thread-safe.
 */
enum { GIQ_AREA_FILE_MAX = 64 * 1024 * 1024 };
bool giq_area_read(const char *text, unsigned flags, char **out, struct giq_error *err);

#endif
