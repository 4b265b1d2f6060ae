#include "area/giq_antimeridian.h"

#include <math.h>

#include "area/giq_geos_unite.h"

enum { HALF_TURN = 180, TURN = 360, LATITUDE_MAX = 90 };

/* An area that is being cut. */
struct cut {
    struct giq_geos *geos;
    const struct giq_rings *from;
    bool repairs;
    struct giq_error *err;
};

struct extent {
    double min;
    double max;
};

static struct extent find_extent(const double *xy, size_t count)
{
    struct extent x = {xy[0], xy[0]};
    for (size_t i = 1; i < count; i++) {
        x.min = fmin(x.min, xy[2 * i]);
        x.max = fmax(x.max, xy[2 * i]);
    }
    return x;
}

bool giq_antimeridian_is_crossed(const struct giq_rings *rings)
{
    struct extent x = find_extent(rings->xy, rings->points);
    return x.min < -HALF_TURN || x.max > HALF_TURN;
}

/* Add what of `whole` lies in a turn of the world (turn 0 is from -180 to 180), moved
 * to turn 0. */
static bool cut_turn(const struct cut *c, const struct giq_rings *whole, int turn,
                     struct giq_rings *out)
{
    double middle = (double)turn * TURN;
    struct giq_rings piece = {0};
    struct giq_rings world = {0};
    bool ok = (giq_rings_add_all(&piece, whole, 0) &&
               giq_rings_add_box(&world, middle - HALF_TURN, -LATITUDE_MAX,
                                 middle + HALF_TURN, LATITUDE_MAX)) ||
              giq_fail_memory(c->err);
    ok = ok && giq_geos_intersect(c->geos, &piece, &world, c->err) &&
         (giq_rings_add_all(out, &piece, -middle) || giq_fail_memory(c->err));
    giq_rings_release(&piece);
    giq_rings_release(&world);
    return ok;
}

static bool cut_turns(const struct cut *c, struct giq_rings *whole, int first, int last,
                      struct giq_rings *out)
{
    bool ignored = false;
    bool ok = giq_geos_check(c->geos, whole, 0,
                             "the area is not valid once rounded to 7 decimals",
                             c->repairs, &ignored, c->err);
    for (int turn = first; ok && turn <= last; turn++) {
        ok = cut_turn(c, whole, turn, out);
    }
    return ok;
}

/* Add what a ring encloses. */
static bool cut_ring(const struct cut *c, size_t ring, struct giq_rings *out)
{
    size_t count = 0;
    const double *xy = giq_rings_at(c->from, ring, &count);
    struct extent x = find_extent(xy, count);
    int first = (int)floor((x.min + HALF_TURN) / TURN);
    int last = (int)ceil((x.max - HALF_TURN) / TURN);
    struct giq_rings whole = {0};
    bool ok = (giq_rings_add_ring(&whole, xy, count) && giq_rings_end_polygon(&whole)) ||
              giq_fail_memory(c->err);
    if (first == last) {
        ok = ok && (giq_rings_add_all(out, &whole, -(double)first * TURN) ||
                    giq_fail_memory(c->err));
    } else {
        ok = ok && cut_turns(c, &whole, first, last, out);
    }
    giq_rings_release(&whole);
    return ok;
}

static bool cut_polygon(const struct cut *c, size_t polygon, struct giq_rings *out)
{
    size_t first = giq_rings_first(c->from, polygon);
    struct giq_rings shells = {0};
    struct giq_rings holes = {0};
    bool ok = cut_ring(c, first, &shells);
    for (size_t ring = first + 1; ok && ring < c->from->polygon_end[polygon]; ring++) {
        ok = cut_ring(c, ring, &holes);
    }
    ok = ok && giq_geos_unite(c->geos, &shells, c->err) &&
         giq_geos_unite(c->geos, &holes, c->err) &&
         (holes.polygons == 0 || giq_geos_subtract(c->geos, &shells, &holes, c->err)) &&
         (giq_rings_add_all(out, &shells, 0) || giq_fail_memory(c->err));
    giq_rings_release(&shells);
    giq_rings_release(&holes);
    return ok;
}

bool giq_antimeridian_cut(struct giq_geos *geos, struct giq_rings *rings, bool repairs,
                          struct giq_error *err)
{
    const struct cut c = {geos, rings, repairs, err};
    struct giq_rings made = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < rings->polygons; i++) {
        ok = cut_polygon(&c, i, &made);
    }
    ok = ok && giq_geos_unite(geos, &made, err);
    giq_rings_release(ok ? rings : &made);
    if (ok) {
        *rings = made;
    }
    return ok;
}
