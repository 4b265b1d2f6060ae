/*
 * Areas on a sphere of radius 1, of polygons in degrees whose edges are straight in
 * longitude and latitude. Pure.
 */
#ifndef GIQ_SPHERE_H
#define GIQ_SPHERE_H

#include "area/giq_rings.h"

/* The area that a ring encloses, in steradians; positive if it runs counter-clockwise. */
double giq_sphere_ring_area(const double *xy, size_t count);

/* Whether a ring around a pole was drawn twice, so that it closes over the pole. */
bool giq_sphere_is_drawn_twice(const double *xy, size_t count);

/* The area of a polygon without its holes. A ring that was drawn twice counts once. */
double giq_sphere_polygon_area(const struct giq_rings *rings, size_t polygon);

/* The length of all edges of a polygon, in radians. */
double giq_sphere_edges_length(const struct giq_rings *rings, size_t polygon);

#endif
