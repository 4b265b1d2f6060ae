/*
 * A check that projecting an area and cutting it at the antimeridian did not change it: a
 * wrong area would be sent and paid for. The witness records, before the change, a point
 * inside each polygon and the size of the polygons.
 *
 * Usage: giq_witness_new(), giq_witness_add() for each polygon, giq_witness_check() with
 * the area to send, giq_witness_free(). A witness may be used by one thread at a time.
 * Errors: GIQ_E_AREA, GIQ_E_MEMORY.
 */
#ifndef GIQ_WITNESS_H
#define GIQ_WITNESS_H

#include "giq/geom.h"

#include "area/giq_geos.h"

struct giq_witness;

/* The caller passes `*out` to giq_witness_free(). */
bool giq_witness_new(struct giq_witness **out, struct giq_error *err);
/* NULL is allowed. */
void giq_witness_free(struct giq_witness *witness);

/*
 * Add the valid polygon number `polygon` of `given`, which `projection` turned into
 * polygon number `made_polygon` of `made` (NULL: `given` is in degrees already, and is
 * `made`). Fails if projecting the polygon changed its area on the sphere by more than a
 * factor of two, or if the point inside it cannot be projected. Longitudes of `made` may
 * be beyond 180.
 */
bool giq_witness_add(struct giq_witness *witness, struct giq_geos *geos,
                     const struct giq_rings *given, size_t polygon,
                     const struct giq_rings *made, size_t made_polygon,
                     const struct giq_projection *projection, struct giq_error *err);

/* Check that the area `sent` contains the points of the witness, and is at least half and
 * at most twice as large as the polygons that were added. It may be smaller if they span
 * several turns of the world, because parts of them may then overlap. */
bool giq_witness_check(const struct giq_witness *witness, struct giq_geos *geos,
                       const struct giq_rings *sent, struct giq_error *err);

#endif
