/*
 * The area of interest as the user gives it, brought to the core.
 */
#ifndef GIQ_AREA_H
#define GIQ_AREA_H

#include "giq/geom.h"

enum { GIQ_AREA_FILE_MAX = 64 * 1024 * 1024 };

/* The ways to give an area; at most one of them counts. */
enum giq_area_kind {
    GIQ_AREA_GEOMETRY, /* WKT or EWKT, or `@` and the path of a regular file of at
                          most GIQ_AREA_FILE_MAX bytes that holds it */
    GIQ_AREA_AOI,      /* a vector dataset, as giq_aoi_read() takes it */
    GIQ_AREA_BBOX,     /* "minx,miny,maxx,maxy" */
    GIQ_AREA_KINDS,
};

/*
 * Read the area; `flags` as for giq_geom_area(). On success `*out` is the area as it
 * is sent, to be freed with free(). Errors: GIQ_E_AREA, GIQ_E_MEMORY; none of GDAL's
 * is raised. Thread-safe.
 */
bool giq_area_read(enum giq_area_kind kind, const char *text, unsigned flags, char **out,
                   struct giq_error *err);

#endif
