/*
 * What an area was before it was brought to longitude and latitude, or cut at the
 * antimeridian: a point within each of its polygons, and how large they are. Whatever
 * went wrong on the way, an area that is something else is not sent and paid for.
 *
 * Usage: giq_witness_new(), giq_witness_add() for each polygon, giq_witness_check() with
 * what is to be sent. Errors: GIQ_E_AREA, GIQ_E_MEMORY.
 */
#ifndef GIQ_WITNESS_H
#define GIQ_WITNESS_H

#include "giq/geom.h"

#include "area/giq_geos.h"

struct giq_witness;

bool giq_witness_new(struct giq_witness **out, struct giq_error *err);
void giq_witness_free(struct giq_witness *witness);

/*
 * Add a valid polygon of `given`, which became the polygon `made_polygon` of `made` by
 * `projection` (NULL where it was in degrees already). It is an error where one is more
 * than twice as large as the other. Longitudes of `made` may go on beyond 180.
 */
bool giq_witness_add(struct giq_witness *witness, struct giq_geos *geos,
                     const struct giq_rings *given, size_t polygon,
                     const struct giq_rings *made, size_t made_polygon,
                     const struct giq_projection *projection, struct giq_error *err);

/* Check that the area `sent` holds the points of the witness, and is as large. */
bool giq_witness_check(const struct giq_witness *witness, struct giq_geos *geos,
                       const struct giq_rings *sent, struct giq_error *err);

#endif
