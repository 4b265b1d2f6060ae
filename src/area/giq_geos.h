/*
 * Polygons in the plane: validity, repair, union and what else needs more than one
 * ring at a time. Its files are the only users of GEOS.
 *
 * A context is used by one thread at a time. Functions that change polygons leave
 * them in an undefined but releasable state when they fail. Errors: GIQ_E_AREA with
 * the words of GEOS, GIQ_E_MEMORY.
 */
#ifndef GIQ_GEOS_H
#define GIQ_GEOS_H

#include "area/giq_rings.h"
#include "base/giq_error.h"

struct giq_geos;

bool giq_geos_new(struct giq_geos **out, struct giq_error *err);
void giq_geos_free(struct giq_geos *geos);

/*
 * Whether the polygons from number `first` on are a valid MULTIPOLYGON. Where they are
 * not it is an error that begins with `what` and has the reason and the place, or with
 * `repairs` each of them is repaired and all are united; what becomes lines or points is
 * dropped then.
 */
bool giq_geos_check(struct giq_geos *geos, struct giq_rings *rings, size_t first,
                    const char *what, bool repairs, bool *out_valid,
                    struct giq_error *err);

/* Whether the polygons are a valid MULTIPOLYGON once they are rounded. */
bool giq_geos_is_valid(struct giq_geos *geos, const struct giq_rings *rings,
                       bool *out_valid, struct giq_error *err);

/*
 * Make of valid polygons that may overlap an area that is valid once it is rounded to
 * units. What is one already keeps its points.
 */
bool giq_geos_unite(struct giq_geos *geos, struct giq_rings *rings,
                    struct giq_error *err);

/* Keep of a valid area what lies in another, or what does not. */
bool giq_geos_intersect(struct giq_geos *geos, struct giq_rings *rings,
                        const struct giq_rings *other, struct giq_error *err);
bool giq_geos_subtract(struct giq_geos *geos, struct giq_rings *rings,
                       const struct giq_rings *other, struct giq_error *err);

/* Find a point within a valid polygon, where it is not narrow. */
bool giq_geos_inner_point(struct giq_geos *geos, const struct giq_rings *rings,
                          size_t polygon, double out_xy[2], struct giq_error *err);

/* Find the first of `count` points (x, y, x, y, ...) that lies outside of an area;
 * `*out` is its number, or `count` where there is none. */
bool giq_geos_find_exterior(struct giq_geos *geos, const struct giq_rings *rings,
                            const double *xy, size_t count, size_t *out,
                            struct giq_error *err);

/* Bring rings and polygons to one order, start and direction. */
bool giq_geos_normalise(struct giq_geos *geos, struct giq_rings *rings,
                        struct giq_error *err);

#endif
