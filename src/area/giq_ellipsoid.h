/*
 * Areas on the WGS 84 ellipsoid, of polygons in degrees whose edges are straight in
 * longitude and latitude. Pure. giq_ellipsoid_ring_area() is declared in giq/geom.h.
 */
#ifndef GIQ_ELLIPSOID_H
#define GIQ_ELLIPSOID_H

#include "area/giq_rings.h"

/* The area of all polygons, less that of their holes, in square metres, with a relative
 * error below 1e-9. Neither polygons nor holes may overlap. */
double giq_ellipsoid_area(const struct giq_rings *rings);

#endif
