/*
 * Polygons in the plane, by GEOS: validity and repair, points inside and outside,
 * intersection and difference, normal form, comparing many polygons with one area.
 *
 * A context may be used by one thread at a time. After a failure, `rings` that the
 * function changes are undefined and can only be released. Errors: GIQ_E_AREA with the
 * message of GEOS, GIQ_E_MEMORY.
 */
#ifndef GIQ_GEOS_H
#define GIQ_GEOS_H

#include "area/giq_rings.h"
#include "base/giq_error.h"

struct giq_env;
struct giq_geos;

/* The caller passes `*out` to giq_geos_free(). */
bool giq_geos_new(struct giq_geos **out, struct giq_error *err);
/* NULL is allowed. */
void giq_geos_free(struct giq_geos *geos);

/* As giq_geom_set_env() in giq/geom.h. */
void giq_geos_set_env(struct giq_geos *geos, const struct giq_env *env);

/*
 * Check that the polygons from number `first` on are a valid MULTIPOLYGON.
 *
 * If they are not, fail with an error that begins with `what` and states the reason and
 * the location; with `repairs` instead repair each polygon, then unite all of them. Parts
 * that become lines or points are dropped. `*out_valid` (NULL if not needed) is whether
 * the polygons were valid before a repair.
 */
bool giq_geos_check_or_repair(struct giq_geos *geos, struct giq_rings *rings,
                              size_t first, const char *what, bool repairs,
                              bool *out_valid, struct giq_error *err);

/* Keep the part of a valid area that lies in `other`, which is valid too, or the part
 * that does not. */
bool giq_geos_intersect(struct giq_geos *geos, struct giq_rings *rings,
                        const struct giq_rings *other, struct giq_error *err);
bool giq_geos_subtract(struct giq_geos *geos, struct giq_rings *rings,
                       const struct giq_rings *other, struct giq_error *err);

/* Find a point inside polygon number `polygon`, which must be valid. */
bool giq_geos_inner_point(struct giq_geos *geos, const struct giq_rings *rings,
                          size_t polygon, double out_xy[2], struct giq_error *err);

/* Find the first of `count` points (x, y, x, y, ...) that lies outside a valid area and
 * not on its edge. `*out` is its number, or `count` if there is no such point. */
bool giq_geos_find_exterior(struct giq_geos *geos, const struct giq_rings *rings,
                            const double *xy, size_t count, size_t *out,
                            struct giq_error *err);

/* A valid area with an index, to compare it with many others. */
struct giq_geos_prepared;

/* `rings` is copied, and `geos` is borrowed for the life of `*out`, which the caller
 * passes to giq_geos_prepared_free(). */
bool giq_geos_prepare(struct giq_geos *geos, const struct giq_rings *rings,
                      struct giq_geos_prepared **out, struct giq_error *err);
/* NULL is allowed. */
void giq_geos_prepared_free(struct giq_geos_prepared *prepared);

/* Whether the area and `rings`, which are valid too, have a point in common. */
bool giq_geos_prepared_intersects(const struct giq_geos_prepared *prepared,
                                  const struct giq_rings *rings, bool *out,
                                  struct giq_error *err);

/* Sort the polygons, and the rings and points of each, into GEOS's normal form. */
bool giq_geos_normalise(struct giq_geos *geos, struct giq_rings *rings,
                        struct giq_error *err);

#endif
