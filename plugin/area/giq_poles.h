/*
 * The poles of the Earth in a coordinate system where each of them is one point, such as
 * a polar stereographic one. Such a point has no longitude, so rings that touch it need
 * care. Thread-safe, with a transformation for each thread.
 */
#ifndef GIQ_POLES_H
#define GIQ_POLES_H

#include <ogr_srs_api.h>
#include <stdbool.h>
#include <stddef.h>

#include "giq/giq.h"

struct giq_pole {
    double x, y;
    double lat; /* 90 or -90 */
};

struct giq_poles {
    struct giq_pole pole[2];
    size_t count;
    double tolerance; /* in units of the system: a point within it is at the pole */
};

/*
 * Find the poles of a coordinate system. `to_degrees` transforms its points to longitude
 * and latitude; `metre` is the length of a metre in its units. A pole that is a line
 * there, or that cannot be transformed, is left out.
 */
void giq_poles_find(OGRCoordinateTransformationH to_degrees, double metre,
                    struct giq_poles *out);

/* The latitude of the pole that is exactly at this point, else 0. */
double giq_poles_latitude_at(const struct giq_poles *poles, double x, double y);

/*
 * Rewrite a closed ring so that each pole that it touches is a vertex, exactly, and the
 * first vertex is a pole. `count` is the number of points in `xy`. On success the caller
 * frees `*out_xy` with free(); it is NULL if the ring touches no pole, or if fewer than
 * four points remain because several of them are at a pole. Errors: GIQ_E_MEMORY.
 */
bool giq_poles_insert(const struct giq_poles *poles, const double *xy, size_t count,
                      double **out_xy, size_t *out_count, struct giq_error *err);

/*
 * The orientation of a coordinate system: 1 if it shows the globe as seen from outside,
 * -1 if it shows the mirror image (northing before easting), 0 if no step of the length
 * `step`, in the unit of the system, from a point of the ring that is not at a pole can
 * be transformed to degrees.
 */
int giq_poles_orientation(const struct giq_poles *poles,
                          OGRCoordinateTransformationH to_degrees, const double *xy,
                          size_t count, double step);

#endif
