/*
 * Areas on a sphere of radius 1, of polygons in degrees whose edges are straight in
 * longitude and latitude. Pure. giq_sphere_triangle_area() is declared in giq/geom.h.
 */
#ifndef GIQ_SPHERE_H
#define GIQ_SPHERE_H

#include "area/giq_rings.h"

/* The area that a closed ring of `count` points x, y, x, y, ... encloses, in steradians;
 * positive if the ring runs counter-clockwise. */
double giq_sphere_ring_area(const double *xy, size_t count);

/* Whether a ring around a pole is drawn twice: plugin/area/giq_project.c lets such a ring
 * run over two turns, so that it covers all longitudes wherever it begins, and closes it
 * along the pole. */
bool giq_sphere_is_drawn_twice(const double *xy, size_t count);

/* The area of a polygon, less that of its holes, in steradians. The area of a ring that
 * is drawn twice is counted once. */
double giq_sphere_polygon_area(const struct giq_rings *rings, size_t polygon);

/* The approximate length of all edges of a polygon, in radians. */
double giq_sphere_edges_length(const struct giq_rings *rings, size_t polygon);

#endif
