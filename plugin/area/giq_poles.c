/* Finds poles that are points, and makes them vertices of the rings that touch them. */
#include "area/giq_poles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "giq/geom.h"

/* In metres: half of the 1e-7 degrees to which coordinates are rounded. */
#define TOLERANCE_M 0.0055
/* The projected positions of a pole at different longitudes count as one point if they
 * are this close; some projections are not more accurate. */
#define SPREAD_MAX_M 1000.0
/* Degrees by which a projected pole, transformed back, may differ in latitude. */
#define LATITUDE_ERROR 1e-6

enum { LONGITUDES = 3, RING_POINTS_MIN = 4 };

/* ---- finding ---- */

static bool transform_one(OGRCoordinateTransformationH transform, double *x, double *y)
{
    int done = 0;
    (void)OCTTransformEx(transform, 1, x, y, NULL, &done);
    return done && isfinite(*x) && isfinite(*y);
}

/* Whether the pole at latitude `lat` is one point at all longitudes. */
static bool find_pole(OGRCoordinateTransformationH to_degrees,
                      OGRCoordinateTransformationH from_degrees, double lat, double metre,
                      struct giq_pole *out)
{
    static const double longitudes[LONGITUDES] = {0, 120, -120};
    double x[LONGITUDES];
    double y[LONGITUDES];
    for (int i = 0; i < LONGITUDES; i++) {
        x[i] = longitudes[i];
        y[i] = lat;
        if (!transform_one(from_degrees, &x[i], &y[i]) ||
            hypot(x[i] - x[0], y[i] - y[0]) > SPREAD_MAX_M * metre) {
            return false;
        }
    }
    *out = (struct giq_pole){.x = x[0], .y = y[0], .lat = lat};
    return transform_one(to_degrees, &x[0], &y[0]) && fabs(y[0] - lat) <= LATITUDE_ERROR;
}

void giq_poles_find(OGRCoordinateTransformationH to_degrees, double metre,
                    struct giq_poles *out)
{
    *out = (struct giq_poles){.tolerance = TOLERANCE_M * metre};
    OGRCoordinateTransformationH from_degrees = OCTGetInverse(to_degrees);
    if (from_degrees == NULL) {
        return;
    }
    for (int lat = 90; lat >= -90; lat -= 180) {
        if (find_pole(to_degrees, from_degrees, lat, metre, &out->pole[out->count])) {
            out->count++;
        }
    }
    OCTDestroyCoordinateTransformation(from_degrees);
}

double giq_poles_latitude_at(const struct giq_poles *poles, double x, double y)
{
    for (size_t i = 0; i < poles->count; i++) {
        if (poles->pole[i].x == x && poles->pole[i].y == y) {
            return poles->pole[i].lat;
        }
    }
    return 0;
}

/* ---- inserting ---- */

/* The rewritten ring so far. */
struct ring {
    const struct giq_poles *poles;
    double *xy;
    size_t count;
    size_t first_pole; /* its index in the ring; SIZE_MAX: none yet */
};

static bool is_last_point(const struct ring *ring, const double at[2])
{
    if (ring->count == 0) {
        return false;
    }
    const double *last = ring->xy + 2 * ring->count - 2;
    return last[0] == at[0] && last[1] == at[1];
}

/* Add a point, unless it repeats the last one. */
static void add_point(struct ring *ring, const double at[2])
{
    if (is_last_point(ring, at)) {
        return;
    }
    if (ring->first_pole == SIZE_MAX &&
        giq_poles_latitude_at(ring->poles, at[0], at[1]) != 0) {
        ring->first_pole = ring->count;
    }
    (void)memcpy(ring->xy + 2 * ring->count++, at, 2 * sizeof *at);
}

/* Add a vertex, or the pole if it is at one. */
static void add_vertex(struct ring *ring, const double at[2])
{
    const struct giq_poles *poles = ring->poles;
    for (size_t i = 0; i < poles->count; i++) {
        const double pole[2] = {poles->pole[i].x, poles->pole[i].y};
        if (hypot(at[0] - pole[0], at[1] - pole[1]) <= poles->tolerance) {
            add_point(ring, pole);
            return;
        }
    }
    add_point(ring, at);
}

/* Where the edge from `a` (0) to `b` (1) passes a pole; -1 if it does not pass it. */
static double find_pole_on_edge(const struct giq_poles *poles, size_t pole,
                                const double *a, const double *b)
{
    double dx = b[0] - a[0];
    double dy = b[1] - a[1];
    double px = poles->pole[pole].x - a[0];
    double py = poles->pole[pole].y - a[1];
    /* NAN, so not on the edge, if `a` and `b` are equal. */
    double at = (px * dx + py * dy) / (dx * dx + dy * dy);
    bool passes =
        at > 0 && at < 1 && hypot(px - at * dx, py - at * dy) <= poles->tolerance;
    return passes ? at : -1;
}

/* Add the poles on the edge from `a` to `b`, in the order in which it passes them. */
static void add_poles_on_edge(struct ring *ring, const double *a, const double *b)
{
    const struct giq_poles *poles = ring->poles;
    double at[2] = {-1, -1};
    for (size_t i = 0; i < poles->count; i++) {
        at[i] = find_pole_on_edge(poles, i, a, b);
    }
    const size_t orders[2][2] = {{0, 1}, {1, 0}};
    const size_t *order = orders[at[0] <= at[1] ? 0 : 1];
    for (size_t i = 0; i < 2; i++) {
        const struct giq_pole *pole = &poles->pole[order[i]];
        if (at[order[i]] >= 0) {
            add_point(ring, (double[]){pole->x, pole->y});
        }
    }
}

/* Make the point `first` the first and last of a closed ring. */
static bool rotate(struct ring *ring, size_t first)
{
    size_t open = ring->count - 1;
    double *xy = malloc(2 * sizeof *xy * ring->count);
    if (xy == NULL) {
        return false;
    }
    for (size_t i = 0; i < ring->count; i++) {
        (void)memcpy(xy + 2 * i, ring->xy + 2 * ((first + i) % open), 2 * sizeof *xy);
    }
    free(ring->xy);
    ring->xy = xy;
    return true;
}

bool giq_poles_insert(const struct giq_poles *poles, const double *xy, size_t count,
                      double **out_xy, size_t *out_count, struct giq_error *err)
{
    /* Each edge adds its end and at most two poles. */
    struct ring ring = {
        .poles = poles, .xy = malloc(2 * sizeof *xy * 3 * count), .first_pole = SIZE_MAX};
    if (ring.xy == NULL) {
        return giq_fail_memory(err);
    }
    add_vertex(&ring, xy);
    for (size_t i = 1; i < count; i++) {
        add_poles_on_edge(&ring, xy + 2 * i - 2, xy + 2 * i);
        add_vertex(&ring, xy + 2 * i);
    }
    if (ring.first_pole == SIZE_MAX || ring.count < RING_POINTS_MIN) {
        free(ring.xy);
        ring.xy = NULL;
    } else if (ring.first_pole != 0 && !rotate(&ring, ring.first_pole)) {
        free(ring.xy);
        return giq_fail_memory(err);
    }
    *out_xy = ring.xy;
    *out_count = ring.count;
    return true;
}

/* ---- orientation ---- */

/* The orientation at one point, by a step along each axis, forward or backward, whichever
 * can be transformed to a triangle; 0 if none can. */
static int orientation_at(OGRCoordinateTransformationH to_degrees, const double at[2],
                          double step)
{
    for (int i = 0; i < 4; i++) {
        double dx = i % 2 == 0 ? step : -step;
        double dy = i / 2 == 0 ? step : -step;
        double xy[] = {at[0], at[1], at[0] + dx, at[1], at[0], at[1] + dy};
        bool ok = true;
        for (size_t j = 0; j < 3 && ok; j++) {
            ok = transform_one(to_degrees, &xy[2 * j], &xy[2 * j + 1]);
        }
        /* The sign of `dx * dy` corrects for one of the steps being backward. */
        double turn = ok ? giq_sphere_triangle_area(xy) * dx * dy : 0;
        if (turn != 0) {
            return turn > 0 ? 1 : -1;
        }
    }
    return 0;
}

int giq_poles_orientation(const struct giq_poles *poles,
                          OGRCoordinateTransformationH to_degrees, const double *xy,
                          size_t count, double step)
{
    int orientation = 0;
    for (size_t i = 0; i < count && orientation == 0; i++) {
        if (giq_poles_latitude_at(poles, xy[2 * i], xy[2 * i + 1]) == 0) {
            orientation = orientation_at(to_degrees, xy + 2 * i, step);
        }
    }
    return orientation;
}
