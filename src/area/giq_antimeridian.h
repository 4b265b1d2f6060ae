/*
 * The antimeridian: areas with longitudes beyond 180 degrees are cut there, and the
 * parts beyond are moved by whole turns to between -180 and 180 degrees.
 */
#ifndef GIQ_ANTIMERIDIAN_H
#define GIQ_ANTIMERIDIAN_H

#include "area/giq_geos.h"

/* Whether any longitude is below -180 or above 180 degrees. */
bool giq_antimeridian_is_crossed(const struct giq_rings *rings);

/*
 * Cut a rounded area. The rings of a polygon may be whole turns apart, since each was
 * projected on its own. A ring that must be cut and is invalid is an error; with
 * `repairs` it is repaired. Other rings are not checked. On failure the area is
 * unchanged. Errors: GIQ_E_AREA, GIQ_E_MEMORY.
 */
bool giq_antimeridian_cut(struct giq_geos *geos, struct giq_rings *rings, bool repairs,
                          struct giq_error *err);

#endif
