/*
 * A check that projecting an area and cutting it at the antimeridian did not change it: a
 * wrong area would be sent and paid for. The witness records, before the change, a point
 * inside each polygon and the size of the polygons.
 *
 * Usage: giq_witness_new(), giq_witness_add() for each polygon, giq_witness_check() with
 * the area to send. Errors: GIQ_E_AREA, GIQ_E_MEMORY.
 */
#ifndef GIQ_WITNESS_H
#define GIQ_WITNESS_H

#include "giq/geom.h"

#include "area/giq_geos.h"

struct giq_witness;

bool giq_witness_new(struct giq_witness **out, struct giq_error *err);
/* NULL is allowed. */
void giq_witness_free(struct giq_witness *witness);

/*
 * Add a valid polygon of `given`, which became the polygon `made_polygon` of `made` by
 * `projection` (NULL if it was in degrees already). Fails if their
 * areas on the sphere differ by more than a factor of two. Longitudes of `made` may be
 * beyond 180.
 */
bool giq_witness_add(struct giq_witness *witness, struct giq_geos *geos,
                     const struct giq_rings *given, size_t polygon,
                     const struct giq_rings *made, size_t made_polygon,
                     const struct giq_projection *projection, struct giq_error *err);

/* Check that the area `sent` contains the points of the witness, and is at least half and
 * at most twice as large as its polygons. */
bool giq_witness_check(const struct giq_witness *witness, struct giq_geos *geos,
                       const struct giq_rings *sent, struct giq_error *err);

#endif
