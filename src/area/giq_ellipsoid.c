/* Areas on the WGS 84 ellipsoid. */
#include "area/giq_ellipsoid.h"

#include <math.h>

#include "giq/geom.h"

#define RADIANS (M_PI / 180)

/* The semi-minor axis of WGS 84 in metres, and its first eccentricity. */
#define SEMI_MINOR_AXIS 6356752.314245179
#define ECCENTRICITY    0.081819190842621494

/* Two nodes suffice for an edge up to this height in degrees: the error is below 1e-14 of
 * the square of the axis. */
#define LOW_EDGE 0.05

enum { LOW_PAIRS = 1, HIGH_PAIRS = 4 };

/* A pair of nodes of a Gauss-Legendre rule on -1 to 1: at `at` and at -`at`. */
struct node_pair {
    double at;
    double weight; /* of each */
};

/* Two nodes. */
static const struct node_pair low_rule[LOW_PAIRS] = {{0.57735026918962576, 1}};

/* Eight nodes. For an edge from pole to pole the error is below 1e-12 of the square of
 * the axis. */
static const struct node_pair high_rule[HIGH_PAIRS] = {
    {0.18343464249564980, 0.36268378337836198},
    {0.52553240991632899, 0.31370664587788729},
    {0.79666647741362674, 0.22238103445337447},
    {0.96028985649753623, 0.10122853629037626},
};

/* The area between the latitudes `base` and `latitude`, of a strip that is one radian
 * wide; negative if `latitude` is the southern one. Written with differences, so that a
 * small strip keeps its digits. */
static double strip_area(double base, double latitude)
{
    double from = ECCENTRICITY * sin(base * RADIANS);
    double to = ECCENTRICITY * sin(latitude * RADIANS);
    double step = 2 * ECCENTRICITY * sin((latitude - base) / 2 * RADIANS) *
                  cos((latitude + base) / 2 * RADIANS);
    double product = from * to;
    double sum = step * (1 + product) / ((1 - from * from) * (1 - to * to)) +
                 atanh(step / (1 - product));
    return SEMI_MINOR_AXIS * SEMI_MINOR_AXIS / (2 * ECCENTRICITY) * sum;
}

/* The mean of strip_area() along an edge between the latitudes `from` and `to`. */
static double mean_strip_area(double base, double from, double to)
{
    double middle = (from + to) / 2;
    double half = (to - from) / 2;
    if (half == 0) {
        return strip_area(base, middle);
    }
    bool is_low = fabs(half) <= LOW_EDGE / 2;
    const struct node_pair *rule = is_low ? low_rule : high_rule;
    double sum = 0;
    for (int i = 0; i < (is_low ? LOW_PAIRS : HIGH_PAIRS); i++) {
        sum += rule[i].weight * (strip_area(base, middle + half * rule[i].at) +
                                 strip_area(base, middle - half * rule[i].at));
    }
    return sum / 2;
}

double giq_ellipsoid_ring_area(const double *xy, size_t count)
{
    double area = 0;
    for (size_t i = 1; i < count; i++) {
        double width = (xy[2 * i] - xy[2 * i - 2]) * RADIANS;
        /* An edge along a meridian encloses nothing. */
        if (width != 0) {
            /* Any base gives the same sum; a latitude of the ring keeps strips small. */
            area += width * mean_strip_area(xy[1], xy[2 * i - 1], xy[2 * i + 1]);
        }
    }
    return fabs(area);
}

double giq_ellipsoid_area(const struct giq_rings *rings)
{
    double area = 0;
    for (size_t polygon = 0; polygon < rings->polygons; polygon++) {
        size_t shell = giq_rings_first_ring(rings, polygon);
        for (size_t ring = shell; ring < rings->polygon_end[polygon]; ring++) {
            size_t count = 0;
            const double *xy = giq_rings_points(rings, ring, &count);
            double part = giq_ellipsoid_ring_area(xy, count);
            area += ring == shell ? part : -part;
        }
    }
    return area;
}
