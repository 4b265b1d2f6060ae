/*
 * What the files that use GEOS share.
 */
#ifndef GIQ_GEOS_PARTS_H
#define GIQ_GEOS_PARTS_H

#include <geos_c.h>

#include "area/giq_geos.h"

struct giq_geos {
    GEOSContextHandle_t handle;
    char message[128]; /* the last of GEOS's */
};

/* A polygon; NULL when out of memory. */
GEOSGeometry *giq_geos_polygon(struct giq_geos *geos, const struct giq_rings *rings,
                               size_t polygon);

/* A MULTIPOLYGON of the polygons from `first` on; NULL with an error. */
GEOSGeometry *giq_geos_area(struct giq_geos *geos, const struct giq_rings *rings,
                            size_t first, struct giq_error *err);

/* Geometries that are made of `count` items, one by one; NULL when out of memory. */
typedef GEOSGeometry *giq_geos_make(struct giq_geos *, const struct giq_rings *, size_t);
GEOSGeometry **giq_geos_list(struct giq_geos *geos, const struct giq_rings *rings,
                             size_t first, size_t count, giq_geos_make *make);

/* Fail with the words of GEOS, which could not do `what`. */
bool giq_geos_fail(struct giq_geos *geos, const char *what, struct giq_error *err);

/* Replace the polygons from `first` on by those of `geometry`, and destroy it. Where it
 * is NULL GEOS failed at `what`. */
bool giq_geos_take(struct giq_geos *geos, GEOSGeometry *geometry, const char *what,
                   struct giq_rings *rings, size_t first, struct giq_error *err);

/* Whether the polygons are a valid MULTIPOLYGON as they are. */
bool giq_geos_is_one(struct giq_geos *geos, const struct giq_rings *rings,
                     bool *out_valid, struct giq_error *err);

#endif
