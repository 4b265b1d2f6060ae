/*
 * What the modules that use GEOS share: the context, its error messages, and the
 * conversion between rings and geometries of GEOS.
 *
 * Geometries are owned by the caller, who destroys them with GEOSGeom_destroy_r(), which
 * accepts NULL.
 */
#ifndef GIQ_GEOS_PARTS_H
#define GIQ_GEOS_PARTS_H

#include <geos_c.h>

#include "area/giq_rings.h"
#include "base/giq_error.h"

struct giq_geos {
    GEOSContextHandle_t handle;
    const struct giq_env *env; /* NULL if nobody cancels */
    char message[128]; /* the last error message of GEOS, cut; "" after it was reported */
};

/* Make a POLYGON of polygon number `polygon`; NULL when out of memory. */
GEOSGeometry *giq_geos_parts_polygon(struct giq_geos *geos, const struct giq_rings *rings,
                                     size_t polygon);

/* Make a MULTIPOLYGON of the polygons from `first` on. On failure NULL, with `err` set to
 * GIQ_E_MEMORY. */
GEOSGeometry *giq_geos_parts_multipolygon(struct giq_geos *geos,
                                          const struct giq_rings *rings, size_t first,
                                          struct giq_error *err);

/* Makes one geometry of the ring or polygon with number `item`; NULL when out of memory.
 */
typedef GEOSGeometry *giq_geos_parts_maker(struct giq_geos *geos,
                                           const struct giq_rings *rings, size_t item);

/* Call `make` for `count` items from number `first` on. The caller frees the list and
 * destroys its geometries. NULL when out of memory. */
GEOSGeometry **giq_geos_parts_list(struct giq_geos *geos, const struct giq_rings *rings,
                                   size_t first, size_t count,
                                   giq_geos_parts_maker *make);

/* Fail with GIQ_E_AREA: "the area cannot be <action>: <message of GEOS>". `action` is a
 * participle such as "united". Returns false. */
bool giq_geos_parts_fail(struct giq_geos *geos, const char *action,
                         struct giq_error *err);

/* Replace the polygons from `first` on by those of `geometry`, which is destroyed. Lines
 * and points in it are dropped. If `geometry` is NULL, GEOS failed: the call then fails
 * as giq_geos_parts_fail() does. GIQ_E_MEMORY when out of memory; the polygons from
 * `first` on are then incomplete. */
bool giq_geos_parts_take(struct giq_geos *geos, GEOSGeometry *geometry,
                         const char *action, struct giq_rings *rings, size_t first,
                         struct giq_error *err);

#endif
