/*
 * The poles of the world in a coordinate system where each of them is one point, as in
 * a polar grid. Such a point has no longitude, so that rings which touch it need care.
 */
#ifndef GIQ_POLE_H
#define GIQ_POLE_H

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
    double reach; /* what is nearer to a pole than this is at the pole */
};

/*
 * Find the poles of a system. `to_degrees` brings its points to longitude and latitude;
 * `metre` is a metre in its units. A pole that is a line there, or that cannot be
 * reached, is none.
 */
void giq_poles_find(OGRCoordinateTransformationH to_degrees, double metre,
                    struct giq_poles *out);

/* The latitude of the pole that is exactly this point, else 0. */
double giq_poles_at(const struct giq_poles *poles, double x, double y);

/*
 * Bring a closed ring that touches a pole to a form in which each pole that it touches
 * is a vertex, exactly, and the first vertex is one of them. On success `*out_xy` is
 * freed with free(); it is NULL where the ring touches no pole. Errors: GIQ_E_MEMORY.
 */
bool giq_poles_split(const struct giq_poles *poles, const double *xy, size_t count,
                     double **out_xy, size_t *out_count, struct giq_error *err);

/*
 * Whether a system is a mirror image of the globe seen from above (northing before
 * easting): -1, or 1 where it is none, or 0 where steps of the length `step` from the
 * points of a ring all leave what can be brought to degrees.
 */
int giq_poles_hand(const struct giq_poles *poles, OGRCoordinateTransformationH to_degrees,
                   const double *xy, size_t count, double step);

#endif
