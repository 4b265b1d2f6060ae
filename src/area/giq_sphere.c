/* Areas and lengths on a sphere. */
#include "area/giq_sphere.h"

#include <math.h>

#include "giq/geom.h"

#define RADIANS (M_PI / 180)

/* The mean of sin(latitude) along an edge. */
static double mean_sine(double from, double to)
{
    double half = (to - from) / 2 * RADIANS;
    return sin((from + to) / 2 * RADIANS) * (half == 0 ? 1 : sin(half) / half);
}

double giq_sphere_ring_area(const double *xy, size_t count)
{
    double area = 0;
    for (size_t i = 1; i < count; i++) {
        area -= (xy[2 * i] - xy[2 * i - 2]) * RADIANS *
                mean_sine(xy[2 * i - 1], xy[2 * i + 1]);
    }
    return area;
}

/* A ring that is drawn twice has an edge of two turns along the pole; one that is drawn
 * once has an edge of one turn there. */
bool giq_sphere_is_drawn_twice(const double *xy, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (fabs(xy[2 * i - 1]) == GIQ_RINGS_LATITUDE_MAX &&
            xy[2 * i + 1] == xy[2 * i - 1] &&
            fabs(xy[2 * i] - xy[2 * i - 2]) > 1.5 * GIQ_RINGS_TURN) {
            return true;
        }
    }
    return false;
}

double giq_sphere_polygon_area(const struct giq_rings *rings, size_t polygon)
{
    double area = 0;
    size_t first = giq_rings_first_ring(rings, polygon);
    for (size_t ring = first; ring < rings->polygon_end[polygon]; ring++) {
        size_t count = 0;
        const double *xy = giq_rings_points(rings, ring, &count);
        double part = fabs(giq_sphere_ring_area(xy, count)) /
                      (giq_sphere_is_drawn_twice(xy, count) ? 2 : 1);
        area += ring == first ? part : -part;
    }
    return area;
}

double giq_sphere_edges_length(const struct giq_rings *rings, size_t polygon)
{
    double length = 0;
    size_t first = giq_rings_first_ring(rings, polygon);
    for (size_t ring = first; ring < rings->polygon_end[polygon]; ring++) {
        size_t count = 0;
        const double *xy = giq_rings_points(rings, ring, &count);
        for (size_t i = 1; i < count; i++) {
            double dx = xy[2 * i] - xy[2 * i - 2];
            double dy = xy[2 * i + 1] - xy[2 * i - 1];
            double middle = (xy[2 * i + 1] + xy[2 * i - 1]) / 2;
            length += hypot(dx * cos(middle * RADIANS), dy) * RADIANS;
        }
    }
    return length;
}

static void to_globe(const double xy[2], double out[3])
{
    double lon = xy[0] * RADIANS;
    double lat = xy[1] * RADIANS;
    out[0] = cos(lat) * cos(lon);
    out[1] = cos(lat) * sin(lon);
    out[2] = sin(lat);
}

/* Half of the triple product of the first corner and the two edges from it; for a small
 * triangle close to its area on the sphere. */
double giq_sphere_triangle_area(const double xy[6])
{
    double at[3][3];
    for (size_t i = 0; i < 3; i++) {
        to_globe(xy + 2 * i, at[i]);
    }
    double area = 0;
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3;
        int k = (i + 2) % 3;
        area += at[0][i] * ((at[1][j] - at[0][j]) * (at[2][k] - at[0][k]) -
                            (at[1][k] - at[0][k]) * (at[2][j] - at[0][j]));
    }
    return area / 2;
}
