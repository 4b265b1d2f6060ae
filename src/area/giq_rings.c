/* Polygons as growing arrays of points, rings and polygons. */
#include "area/giq_rings.h"

#include <math.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 64, RING_POINTS_MIN = 4 };

void giq_rings_release(struct giq_rings *rings)
{
    free(rings->xy);
    free(rings->ring_end);
    free(rings->polygon_end);
    *rings = (struct giq_rings){.rounds = rings->rounds};
}

void giq_rings_move(struct giq_rings *rings, struct giq_rings *from)
{
    giq_rings_release(rings);
    *rings = *from;
    *from = (struct giq_rings){0};
}

/* ---- reading ---- */

static size_t points_before(const struct giq_rings *rings, size_t ring)
{
    return ring == 0 ? 0 : rings->ring_end[ring - 1];
}

size_t giq_rings_first_ring(const struct giq_rings *rings, size_t polygon)
{
    return polygon == 0 ? 0 : rings->polygon_end[polygon - 1];
}

const double *giq_rings_points(const struct giq_rings *rings, size_t ring,
                               size_t *out_count)
{
    size_t first = points_before(rings, ring);
    *out_count = rings->ring_end[ring] - first;
    return rings->xy + 2 * first;
}

size_t giq_rings_vertex_count(const struct giq_rings *rings)
{
    return rings->points - rings->rings;
}

void giq_rings_extent(const double *xy, size_t count, double out[4])
{
    out[0] = out[2] = xy[0];
    out[1] = out[3] = xy[1];
    for (size_t i = 1; i < count; i++) {
        out[0] = fmin(out[0], xy[2 * i]);
        out[1] = fmin(out[1], xy[2 * i + 1]);
        out[2] = fmax(out[2], xy[2 * i]);
        out[3] = fmax(out[3], xy[2 * i + 1]);
    }
}

int64_t giq_rings_to_units(double coordinate)
{
    return llround(coordinate * GIQ_RINGS_UNITS_PER_DEGREE);
}

/* ---- filling ---- */

/* Make room for one more item. Returns the list, which may have moved; NULL when out of
 * memory, the old list is then still valid. */
static void *grow(void *list, size_t *capacity, size_t count, size_t item_size)
{
    if (count < *capacity) {
        return list;
    }
    size_t wanted = *capacity == 0 ? FIRST_CAPACITY : 2 * *capacity;
    void *larger =
        wanted <= SIZE_MAX / item_size ? realloc(list, wanted * item_size) : NULL;
    if (larger != NULL) {
        *capacity = wanted;
    }
    return larger;
}

bool giq_rings_add_point(struct giq_rings *rings, double x, double y)
{
    size_t at = rings->points;
    if (rings->rounds) {
        x = (double)giq_rings_to_units(x) / GIQ_RINGS_UNITS_PER_DEGREE;
        y = (double)giq_rings_to_units(y) / GIQ_RINGS_UNITS_PER_DEGREE;
    }
    if (at > points_before(rings, rings->rings) && rings->xy[2 * at - 2] == x &&
        rings->xy[2 * at - 1] == y) {
        return true;
    }
    double *xy = grow(rings->xy, &rings->point_capacity, at, 2 * sizeof *xy);
    if (xy == NULL) {
        return false;
    }
    xy[2 * at] = x;
    xy[2 * at + 1] = y;
    rings->xy = xy;
    rings->points++;
    return true;
}

/* Whether the area of a rounded ring is 0. Twice the signed area is summed, in units
 * relative to the first point, in 128 bits: a product of two differences does not fit 64.
 */
static bool is_flat(const double *xy, size_t count)
{
    __int128 area = 0;
    int64_t x0 = giq_rings_to_units(xy[0]);
    int64_t y0 = giq_rings_to_units(xy[1]);
    int64_t ax = 0;
    int64_t ay = 0;
    for (size_t i = 1; i < count; i++) {
        int64_t bx = giq_rings_to_units(xy[2 * i]) - x0;
        int64_t by = giq_rings_to_units(xy[2 * i + 1]) - y0;
        area += (__int128)ax * by - (__int128)bx * ay;
        ax = bx;
        ay = by;
    }
    return area == 0;
}

bool giq_rings_end_ring(struct giq_rings *rings)
{
    size_t first = points_before(rings, rings->rings);
    size_t count = rings->points - first;
    bool is_shell = rings->rings == giq_rings_first_ring(rings, rings->polygons);
    if (rings->shell_is_dropped || count < RING_POINTS_MIN ||
        (rings->rounds && is_flat(rings->xy + 2 * first, count))) {
        rings->points = first;
        rings->shell_is_dropped = rings->shell_is_dropped || is_shell;
        return true;
    }
    size_t *ends =
        grow(rings->ring_end, &rings->ring_capacity, rings->rings, sizeof *ends);
    if (ends == NULL) {
        return false;
    }
    ends[rings->rings++] = rings->points;
    rings->ring_end = ends;
    return true;
}

bool giq_rings_end_polygon(struct giq_rings *rings)
{
    if (rings->shell_is_dropped) {
        rings->collapsed++;
        rings->shell_is_dropped = false;
    }
    if (rings->rings == giq_rings_first_ring(rings, rings->polygons)) {
        return true;
    }
    size_t *ends =
        grow(rings->polygon_end, &rings->polygon_capacity, rings->polygons, sizeof *ends);
    if (ends == NULL) {
        return false;
    }
    ends[rings->polygons++] = rings->rings;
    rings->polygon_end = ends;
    return true;
}

void giq_rings_truncate(struct giq_rings *rings, size_t first)
{
    rings->polygons = first;
    rings->rings = giq_rings_first_ring(rings, first);
    rings->points = points_before(rings, rings->rings);
    rings->shell_is_dropped = false;
}

static bool add_moved(struct giq_rings *rings, const double *xy, size_t count, double dx)
{
    for (size_t i = 0; i < count; i++) {
        if (!giq_rings_add_point(rings, xy[2 * i] + dx, xy[2 * i + 1])) {
            return false;
        }
    }
    return giq_rings_end_ring(rings);
}

bool giq_rings_add_ring(struct giq_rings *rings, const double *xy, size_t count)
{
    return add_moved(rings, xy, count, 0);
}

bool giq_rings_add_box(struct giq_rings *rings, double minx, double miny, double maxx,
                       double maxy)
{
    const double xy[] = {minx, miny, minx, maxy, maxx, maxy, maxx, miny, minx, miny};
    return giq_rings_add_ring(rings, xy, 5) && giq_rings_end_polygon(rings);
}

static bool add_polygon(struct giq_rings *rings, const struct giq_rings *from,
                        size_t polygon, double dx)
{
    size_t ring = giq_rings_first_ring(from, polygon);
    for (; ring < from->polygon_end[polygon]; ring++) {
        size_t count = 0;
        const double *xy = giq_rings_points(from, ring, &count);
        if (!add_moved(rings, xy, count, dx)) {
            return false;
        }
    }
    return giq_rings_end_polygon(rings);
}

bool giq_rings_add_polygon(struct giq_rings *rings, const struct giq_rings *from,
                           size_t polygon)
{
    return add_polygon(rings, from, polygon, 0);
}

bool giq_rings_add_all(struct giq_rings *rings, const struct giq_rings *from, double dx)
{
    for (size_t polygon = 0; polygon < from->polygons; polygon++) {
        if (!add_polygon(rings, from, polygon, dx)) {
            return false;
        }
    }
    return true;
}
