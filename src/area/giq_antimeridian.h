/*
 * The antimeridian: areas that go on beyond 180 degrees of longitude are cut there,
 * and what lies beyond is brought to the other end of the world.
 */
#ifndef GIQ_ANTIMERIDIAN_H
#define GIQ_ANTIMERIDIAN_H

#include "area/giq_geos.h"

/* Whether a longitude is beyond 180 degrees. */
bool giq_antimeridian_is_crossed(const struct giq_rings *rings);

/*
 * Cut a rounded area. A ring may be drawn a whole turn away from others of its
 * polygon. One that is not valid is an error, or with `repairs` is repaired. On
 * failure the area is as it was. Errors: GIQ_E_AREA, GIQ_E_MEMORY.
 */
bool giq_antimeridian_cut(struct giq_geos *geos, struct giq_rings *rings, bool repairs,
                          struct giq_error *err);

#endif
