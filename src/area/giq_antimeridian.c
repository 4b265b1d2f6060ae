/* Cuts areas at the antimeridian: a ring that lies in several turns of the world is
 * intersected with each of them. */
#include "area/giq_antimeridian.h"

#include <math.h>

#include "area/giq_geos_unite.h"

/* An area that is being cut. */
struct cut {
    struct giq_geos *geos;
    const struct giq_rings *from;
    bool repairs;
    struct giq_error *err;
};

bool giq_antimeridian_is_crossed(const struct giq_rings *rings)
{
    double box[4]; /* minx, miny, maxx, maxy */
    if (rings->points == 0) {
        return false;
    }
    giq_rings_extent(rings->xy, rings->points, box);
    return box[0] < -GIQ_RINGS_HALF_TURN || box[2] > GIQ_RINGS_HALF_TURN;
}

/* Add the part of `whole` that lies in a turn of the world (turn 0 is from -180 to 180),
 * moved to turn 0. */
static bool cut_turn(const struct cut *c, const struct giq_rings *whole, int turn,
                     struct giq_rings *out)
{
    double middle = (double)turn * GIQ_RINGS_TURN;
    GIQ_AUTO_RINGS struct giq_rings piece = {0};
    GIQ_AUTO_RINGS struct giq_rings world = {0};
    if (!giq_rings_add_all(&piece, whole, 0) ||
        !giq_rings_add_box(&world, middle - GIQ_RINGS_HALF_TURN, -GIQ_RINGS_LATITUDE_MAX,
                           middle + GIQ_RINGS_HALF_TURN, GIQ_RINGS_LATITUDE_MAX)) {
        return giq_fail_memory(c->err);
    }
    if (!giq_geos_intersect(c->geos, &piece, &world, c->err)) {
        return false;
    }
    return giq_rings_add_all(out, &piece, -middle) || giq_fail_memory(c->err);
}

static bool cut_turns(const struct cut *c, struct giq_rings *whole, int first, int last,
                      struct giq_rings *out)
{
    if (!giq_geos_check_or_repair(c->geos, whole, 0,
                                  "the area is not valid once rounded to 7 decimals",
                                  c->repairs, NULL, c->err)) {
        return false;
    }
    for (int turn = first; turn <= last; turn++) {
        if (!cut_turn(c, whole, turn, out)) {
            return false;
        }
    }
    return true;
}

/* Add the area that a ring encloses, between -180 and 180 degrees. */
static bool cut_ring(const struct cut *c, size_t ring, struct giq_rings *out)
{
    size_t count = 0;
    const double *xy = giq_rings_points(c->from, ring, &count);
    double box[4]; /* minx, miny, maxx, maxy */
    giq_rings_extent(xy, count, box);
    /* The first and last turn that the ring lies in. A ring that only touches their
     * border does not lie in the next one. */
    int first = (int)floor((box[0] + GIQ_RINGS_HALF_TURN) / GIQ_RINGS_TURN);
    int last = (int)ceil((box[2] - GIQ_RINGS_HALF_TURN) / GIQ_RINGS_TURN);
    GIQ_AUTO_RINGS struct giq_rings whole = {0};
    if (!giq_rings_add_ring(&whole, xy, count) || !giq_rings_end_polygon(&whole)) {
        return giq_fail_memory(c->err);
    }
    if (first == last) {
        return giq_rings_add_all(out, &whole, -(double)first * GIQ_RINGS_TURN) ||
               giq_fail_memory(c->err);
    }
    return cut_turns(c, &whole, first, last, out);
}

static bool cut_polygon(const struct cut *c, size_t polygon, struct giq_rings *out)
{
    size_t first = giq_rings_first_ring(c->from, polygon);
    GIQ_AUTO_RINGS struct giq_rings shells = {0};
    GIQ_AUTO_RINGS struct giq_rings holes = {0};
    if (!cut_ring(c, first, &shells)) {
        return false;
    }
    for (size_t ring = first + 1; ring < c->from->polygon_end[polygon]; ring++) {
        if (!cut_ring(c, ring, &holes)) {
            return false;
        }
    }
    if (!giq_geos_unite(c->geos, &shells, c->err) ||
        !giq_geos_unite(c->geos, &holes, c->err)) {
        return false;
    }
    if (holes.polygons > 0 && !giq_geos_subtract(c->geos, &shells, &holes, c->err)) {
        return false;
    }
    return giq_rings_add_all(out, &shells, 0) || giq_fail_memory(c->err);
}

bool giq_antimeridian_cut(struct giq_geos *geos, struct giq_rings *rings, bool repairs,
                          struct giq_error *err)
{
    const struct cut c = {geos, rings, repairs, err};
    GIQ_AUTO_RINGS struct giq_rings parts = {0};
    for (size_t i = 0; i < rings->polygons; i++) {
        if (!cut_polygon(&c, i, &parts)) {
            return false;
        }
    }
    if (!giq_geos_unite(geos, &parts, err)) {
        return false;
    }
    giq_rings_move(rings, &parts);
    return true;
}
