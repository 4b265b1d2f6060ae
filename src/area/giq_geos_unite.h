/*
 * The union of polygons. It stays valid when it is rounded to units (giq_rings.h).
 *
 * Polygons are grouped into sets: those that touch, or will touch once they are rounded,
 * are in the same set. Each set is united on its own. A set whose polygons are a valid
 * MULTIPOLYGON once rounded keeps its points. A polygon that vanishes when it is rounded
 * is dropped if another one of its set remains. On failure the rings are unchanged.
 * Errors: GIQ_E_AREA, GIQ_E_CANCELLED (giq_geos_set_env()), GIQ_E_MEMORY.
 */
#ifndef GIQ_GEOS_UNITE_H
#define GIQ_GEOS_UNITE_H

#include "area/giq_rings.h"
#include "base/giq_error.h"

struct giq_geos;

/* Unite valid polygons that may overlap. */
bool giq_geos_unite(struct giq_geos *geos, struct giq_rings *rings,
                    struct giq_error *err);

/* Unite the polygons, unless they are a valid MULTIPOLYGON once rounded. This call does
 * not round polygons that it does not unite. */
bool giq_geos_unite_if_invalid(struct giq_geos *geos, struct giq_rings *rings,
                               struct giq_error *err);

#endif
