/*
 * Areas on the WGS 84 ellipsoid, of polygons in degrees whose edges are straight in
 * longitude and latitude. Pure.
 */
#ifndef GIQ_ELLIPSOID_H
#define GIQ_ELLIPSOID_H

#include "area/giq_rings.h"

/* The area of all polygons without their holes, in square metres, to 1e-9 of it. Neither
 * polygons nor holes may overlap. */
double giq_ellipsoid_area(const struct giq_rings *rings);

#endif
