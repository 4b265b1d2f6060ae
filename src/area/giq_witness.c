/* Checks that an area that was projected and cut is the one that was read. */
#include "area/giq_witness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "area/giq_sphere.h"
#include "area/giq_wkt.h"

#define UNIT_RADIANS (M_PI / 180 / GIQ_RINGS_UNITS_PER_DEGREE)

enum {
    FACTOR_MAX = 2, /* the greatest ratio of two areas that count as the same */
    /* Points nearer to an edge are not checked, since rounding moves edges. */
    CLEARANCE_MIN_UNITS = 8,
    /* Rounding moves an edge by at most this many units. */
    SLACK_UNITS = 2,
    /* The scale varies within a polygon larger than WIDE_DEGREES: it is also measured at
     * SCALE_SAMPLES points of its shell. */
    SCALE_SAMPLES = 16,
    WIDE_DEGREES = 1,
    FIRST_CAPACITY = 16,
};

/* The steps over which scale_at() measures, as fractions of the longer side of the
 * polygon. They must be small compared to the polygon, and large compared to the rounding
 * errors of the projection. */
static const double step_max = 1e-2;      /* at the inner point */
static const double step_min = 1e-4;      /* the same */
static const double step_on_shell = 1e-5; /* at points of the shell */

/* The rounding error of a longitude, in turns. */
static const double turn_tolerance = 1e-9;

struct giq_witness {
    double *xy; /* points in degrees */
    size_t count;
    size_t capacity;
    double area;       /* of all polygons, in steradians */
    double slack;      /* how much rounding may change `area` */
    double west, east; /* the extent of the longitudes of all polygons */
};

/* A polygon that is being added. */
struct added {
    const struct giq_rings *rings;
    size_t polygon;
    double size;      /* the longer side of its extent */
    double inner[2];  /* a point inside */
    double clearance; /* distance from `inner` to the nearest edge, in units of `rings` */
    double clearance_rad; /* the same on the globe, in radians */
};

struct range {
    double least, most;
};

bool giq_witness_new(struct giq_witness **out, struct giq_error *err)
{
    struct giq_witness *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return giq_fail_memory(err);
    }
    w->west = INFINITY;
    w->east = -INFINITY;
    *out = w;
    return true;
}

void giq_witness_free(struct giq_witness *w)
{
    if (w != NULL) {
        free(w->xy);
        free(w);
    }
}

/* ---- in the plane ---- */

static double longer_side(const struct giq_rings *rings, size_t polygon)
{
    size_t count = 0;
    const double *xy =
        giq_rings_points(rings, giq_rings_first_ring(rings, polygon), &count);
    double box[4]; /* minx, miny, maxx, maxy */
    giq_rings_extent(xy, count, box);
    return fmax(box[2] - box[0], box[3] - box[1]);
}

/* The area of a ring by the shoelace formula. */
static double plane_ring_area(const double *xy, size_t count)
{
    double area = 0;
    for (size_t i = 1; i < count; i++) {
        area += (xy[2 * i - 2] - xy[0]) * (xy[2 * i + 1] - xy[1]) -
                (xy[2 * i] - xy[0]) * (xy[2 * i - 1] - xy[1]);
    }
    return fabs(area) / 2;
}

static double plane_polygon_area(const struct giq_rings *rings, size_t polygon)
{
    double area = 0;
    size_t first = giq_rings_first_ring(rings, polygon);
    for (size_t ring = first; ring < rings->polygon_end[polygon]; ring++) {
        size_t count = 0;
        const double *xy = giq_rings_points(rings, ring, &count);
        double part = plane_ring_area(xy, count);
        area += ring == first ? part : -part;
    }
    return area;
}

static double distance_to_edge(const double at[2], const double *from, const double *to)
{
    double dx = to[0] - from[0];
    double dy = to[1] - from[1];
    double ax = at[0] - from[0];
    double ay = at[1] - from[1];
    double size = dx * dx + dy * dy;
    double part = size > 0 ? fmax(0, fmin(1, (ax * dx + ay * dy) / size)) : 0;
    return hypot(ax - part * dx, ay - part * dy);
}

static double find_clearance(const struct added *a)
{
    double clearance = INFINITY;
    size_t ring = giq_rings_first_ring(a->rings, a->polygon);
    for (; ring < a->rings->polygon_end[a->polygon]; ring++) {
        size_t count = 0;
        const double *xy = giq_rings_points(a->rings, ring, &count);
        for (size_t i = 1; i < count; i++) {
            clearance =
                fmin(clearance, distance_to_edge(a->inner, xy + 2 * i - 2, xy + 2 * i));
        }
    }
    return clearance;
}

/* ---- scales ---- */

/* The factor from areas in the plane to areas on the globe, near a point; NAN if it
 * cannot be computed. A step that leaves the range of the projection is tried in the
 * other directions. */
static double scale_at(const struct giq_projection *projection, const double at[2],
                       double step)
{
    double scale = NAN;
    for (int i = 0; i < 4 && !isfinite(scale); i++) {
        double dx = i % 2 == 0 ? step : -step;
        double dy = i / 2 == 0 ? step : -step;
        double xy[] = {at[0], at[1], at[0] + dx, at[1], at[0], at[1] + dy};
        projection->points(projection->ctx, xy, 3);
        scale = fabs(giq_sphere_triangle_area(xy)) / (step * step / 2);
    }
    return scale;
}

static void widen(struct range *range, double value)
{
    if (isfinite(value)) {
        range->least = fmin(range->least, value);
        range->most = fmax(range->most, value);
    }
}

/* Widen `scale` by the scales along the shell of a polygon. */
static void sample_shell(const struct added *a, const struct giq_projection *projection,
                         struct range *scale)
{
    size_t count = 0;
    const double *xy =
        giq_rings_points(a->rings, giq_rings_first_ring(a->rings, a->polygon), &count);
    for (size_t i = 0; i < SCALE_SAMPLES; i++) {
        double along = (double)i / SCALE_SAMPLES * (double)(count - 1);
        size_t edge = (size_t)along;
        double part = along - (double)edge;
        const double *from = xy + 2 * edge;
        const double at[] = {from[0] + part * (from[2] - from[0]),
                             from[1] + part * (from[3] - from[1])};
        widen(scale, scale_at(projection, at, a->size * step_on_shell));
    }
}

/* ---- adding ---- */

static bool fail_different(const char *why, struct giq_error *err)
{
    return giq_fail(
        err, GIQ_E_AREA,
        "the area cannot be projected to longitude and latitude and cut at the "
        "antimeridian: %s. Nothing was sent. Use another coordinate system, or "
        "smaller parts",
        why);
}

static bool fail_size(struct giq_error *err)
{
    return fail_different("its size would change by more than a factor of two", err);
}

/* Record an inner point, unless it is too near to an edge to be checked. */
static bool keep_point(struct giq_witness *w, const double xy[2], double clearance_rad,
                       struct giq_error *err)
{
    if (!(clearance_rad > CLEARANCE_MIN_UNITS * UNIT_RADIANS)) {
        return true; /* also if it is NAN */
    }
    if (w->count == w->capacity) {
        size_t capacity = w->capacity == 0 ? FIRST_CAPACITY : 2 * w->capacity;
        double *grown = realloc(w->xy, 2 * sizeof *grown * capacity);
        if (grown == NULL) {
            return giq_fail_memory(err);
        }
        w->xy = grown;
        w->capacity = capacity;
    }
    w->xy[2 * w->count] = xy[0] - GIQ_RINGS_TURN * round(xy[0] / GIQ_RINGS_TURN);
    w->xy[2 * w->count + 1] = xy[1];
    w->count++;
    return true;
}

/* How much rounding may change the area of a polygon, in steradians. */
static double slack_of(const struct giq_rings *made, size_t polygon)
{
    return giq_sphere_edges_length(made, polygon) * SLACK_UNITS * UNIT_RADIANS;
}

/* Check the size of a projected polygon, and project the point inside it. */
static bool measure(struct added *a, const struct giq_projection *projection,
                    const struct giq_rings *made, size_t made_polygon,
                    struct giq_error *err)
{
    double step = fmax(fmin(a->clearance / 2, a->size * step_max), a->size * step_min);
    struct range scale = {INFINITY, 0};
    widen(&scale, scale_at(projection, a->inner, step));
    if (longer_side(made, made_polygon) > WIDE_DEGREES) {
        sample_shell(a, projection, &scale);
    }
    projection->points(projection->ctx, a->inner, 1);
    if (!isfinite(a->inner[0]) || !isfinite(a->inner[1]) || scale.most == 0) {
        return fail_different("a point inside it cannot be projected", err);
    }
    a->clearance_rad = a->clearance * sqrt(scale.least);
    double given = plane_polygon_area(a->rings, a->polygon);
    double area = giq_sphere_polygon_area(made, made_polygon);
    double slack = slack_of(made, made_polygon);
    if (area < given * scale.least / FACTOR_MAX - slack ||
        area > given * scale.most * FACTOR_MAX + slack) {
        return fail_size(err);
    }
    return true;
}

static void add_to_totals(struct giq_witness *w, const struct giq_rings *made,
                          size_t polygon)
{
    size_t count = 0;
    const double *xy =
        giq_rings_points(made, giq_rings_first_ring(made, polygon), &count);
    double box[4]; /* minx, miny, maxx, maxy */
    giq_rings_extent(xy, count, box);
    w->west = fmin(w->west, box[0]);
    w->east = fmax(w->east,
                   box[2] - (giq_sphere_is_drawn_twice(xy, count) ? GIQ_RINGS_TURN : 0));
    w->area += giq_sphere_polygon_area(made, polygon);
    w->slack += slack_of(made, polygon);
}

bool giq_witness_add(struct giq_witness *w, struct giq_geos *geos,
                     const struct giq_rings *given, size_t polygon,
                     const struct giq_rings *made, size_t made_polygon,
                     const struct giq_projection *projection, struct giq_error *err)
{
    struct added a = {
        .rings = given, .polygon = polygon, .size = longer_side(given, polygon)};
    if (!giq_geos_inner_point(geos, given, polygon, a.inner, err)) {
        return false;
    }
    a.clearance = find_clearance(&a);
    if (projection == NULL) {
        a.clearance_rad = a.clearance * M_PI / 180;
    } else if (!measure(&a, projection, made, made_polygon, err)) {
        return false;
    }
    add_to_totals(w, made, made_polygon);
    return keep_point(w, a.inner, a.clearance_rad, err);
}

/* ---- checking ---- */

static bool check_points(const struct giq_witness *w, struct giq_geos *geos,
                         const struct giq_rings *sent, struct giq_error *err)
{
    size_t outside = 0;
    if (!giq_geos_find_exterior(geos, sent, w->xy, w->count, &outside, err)) {
        return false;
    }
    struct giq_location location;
    char why[sizeof location.text + sizeof "its inner point  would lie outside it"];
    if (outside == w->count) {
        return true;
    }
    (void)giq_wkt_print_location(w->xy[2 * outside], w->xy[2 * outside + 1], &location);
    (void)snprintf(why, sizeof why, "its inner point %s would lie outside it",
                   location.text);
    return fail_different(why, err);
}

bool giq_witness_check(const struct giq_witness *w, struct giq_geos *geos,
                       const struct giq_rings *sent, struct giq_error *err)
{
    double area = 0;
    for (size_t i = 0; i < sent->polygons; i++) {
        area += giq_sphere_polygon_area(sent, i);
    }
    /* An area that spans several turns may overlap itself, and is then smaller once the
     * turns are united. */
    double turns = fmax(1, ceil((w->east - w->west) / GIQ_RINGS_TURN - turn_tolerance));
    if (area > w->area * FACTOR_MAX + w->slack ||
        area < w->area / turns / FACTOR_MAX - w->slack) {
        return fail_size(err);
    }
    return check_points(w, geos, sent, err);
}
