/*
 * The union of polygons, valid once it is rounded to units.
 *
 * Polygons that touch, or will once they are rounded, are found first, and each set of
 * them is united on its own; a polygon or set that is valid already keeps its points. A
 * polygon that vanishes when it is rounded is dropped if another one of its set remains.
 * On failure the rings are as they were. Errors: GIQ_E_AREA, GIQ_E_MEMORY.
 */
#ifndef GIQ_GEOS_UNITE_H
#define GIQ_GEOS_UNITE_H

#include "area/giq_rings.h"
#include "base/giq_error.h"

struct giq_geos;

/* Unite valid polygons that may overlap. */
bool giq_geos_unite(struct giq_geos *geos, struct giq_rings *rings,
                    struct giq_error *err);

/* Unite the polygons unless they are a valid MULTIPOLYGON once they are rounded. */
bool giq_geos_unite_if_invalid(struct giq_geos *geos, struct giq_rings *rings,
                               struct giq_error *err);

#endif
