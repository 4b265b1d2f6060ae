/* The union of polygons, by an index, disjoint sets and GEOS. */
#include "area/giq_geos_unite.h"

#include <stdlib.h>

#include "area/giq_disjoint.h"
#include "area/giq_geos_parts.h"
#include "base/giq_env.h"

enum {
    NODE_CAPACITY = 10, /* of an index; the default of GEOS */
    /* Points that are compared between two checks of cancelled(): they take some
     * hundredths of a second. */
    POINTS_PER_CHECK = 10000,
};

#define UNIT (1.0 / GIQ_RINGS_UNITS_PER_DEGREE) /* as a coordinate */

/* Polygons that are not within this distance do not touch once they are rounded: each of
 * two points moves by less than a unit. */
#define NEAR_DISTANCE (2 * UNIT)

/* A union in progress. GEOS's cascaded union merges all polygons in a tree, even those
 * that touch no other: it is faster to unite each set of touching polygons on its own. */
struct union_in_progress {
    struct giq_geos *geos;
    const struct giq_rings *rings;
    GEOSGeometry **polygons;
    struct giq_disjoint sets;             /* of polygons that touch */
    GEOSSTRtree *tree;                    /* its items point into `polygons` */
    size_t current;                       /* the polygon whose neighbours are searched */
    const GEOSPreparedGeometry *prepared; /* `current`, or NULL until it is needed */
    size_t unchecked_points;              /* see POINTS_PER_CHECK */
    bool failed;
    bool is_cancelled; /* the failure; it is in `err` */
    struct giq_error *err;
};

static size_t count_points(const struct union_in_progress *u, size_t polygon)
{
    size_t count = 0;
    (void)giq_rings_points(u->rings, giq_rings_first_ring(u->rings, polygon), &count);
    return count;
}

/* Check from time to time, before a polygon is compared or united, that the open is not
 * cancelled. */
static bool check_cancelled(struct union_in_progress *u, size_t polygon)
{
    u->unchecked_points += count_points(u, polygon);
    if (u->unchecked_points < POINTS_PER_CHECK) {
        return true;
    }
    u->unchecked_points = 0;
    u->is_cancelled = !giq_env_check_cancelled(
        u->geos->env, " while its area was united; nothing was sent", u->err);
    return !u->is_cancelled;
}

/* Whether the current polygon and `other` are compared when `other` is the current
 * polygon, and not now. The polygon with more points is prepared, so that the cost of a
 * comparison depends on the polygon with fewer points. */
static bool is_compared_by_other(const struct union_in_progress *u, size_t other)
{
    size_t points = count_points(u, u->current);
    size_t other_points = count_points(u, other);
    return other_points > points || (other_points == points && other < u->current);
}

/* Whether the current polygon is within NEAR_DISTANCE of another. False if GEOS failed.
 *
 * GEOSPreparedDistanceWithin_r() has an index in GEOS 3.13 and none in GEOS 3.11, where
 * polygons that are close and do not touch take the product of their numbers of points.
 * GEOSPreparedDistance_r() has one in both, but computes more. */
static bool find_is_near(const struct union_in_progress *u, const GEOSGeometry *other,
                         bool *out)
{
#if GEOS_VERSION_MAJOR > 3 || GEOS_VERSION_MINOR >= 13
    int rc =
        GEOSPreparedDistanceWithin_r(u->geos->handle, u->prepared, other, NEAR_DISTANCE);
    *out = rc == 1;
    return rc == 0 || rc == 1;
#else
    double distance = 0;
    int rc = GEOSPreparedDistance_r(u->geos->handle, u->prepared, other, &distance);
    *out = rc == 1 && distance <= NEAR_DISTANCE;
    return rc == 1;
#endif
}

/* Join the sets of two polygons that touch, or will once they are rounded. */
static void join_if_near(void *item, void *ctx)
{
    struct union_in_progress *u = ctx;
    size_t other = (size_t)((GEOSGeometry **)item - u->polygons);
    if (u->failed || is_compared_by_other(u, other) ||
        giq_disjoint_are_joined(&u->sets, u->current, other)) {
        return;
    }
    if (u->prepared == NULL) {
        u->prepared = GEOSPrepare_r(u->geos->handle, u->polygons[u->current]);
    }
    bool is_near = false;
    u->failed = !check_cancelled(u, other) || u->prepared == NULL ||
                !find_is_near(u, u->polygons[other], &is_near);
    if (is_near) {
        giq_disjoint_join(&u->sets, u->current, other);
    }
}

/* Make a line whose envelope is that of a polygon, enlarged by NEAR_DISTANCE on each
 * side. It is enough for a query of the index, which compares only envelopes. */
static GEOSGeometry *make_diagonal(struct union_in_progress *u, size_t polygon)
{
    size_t count = 0;
    const double *xy =
        giq_rings_points(u->rings, giq_rings_first_ring(u->rings, polygon), &count);
    double ends[4];
    giq_rings_extent(xy, count, ends);
    for (int i = 0; i < 4; i++) {
        ends[i] += i < 2 ? -NEAR_DISTANCE : NEAR_DISTANCE;
    }
    GEOSCoordSequence *points =
        GEOSCoordSeq_copyFromBuffer_r(u->geos->handle, ends, 2, 0, 0);
    return points == NULL ? NULL : GEOSGeom_createLineString_r(u->geos->handle, points);
}

static bool find_sets(struct union_in_progress *u)
{
    GEOSContextHandle_t handle = u->geos->handle;
    size_t count = u->rings->polygons;
    u->tree = GEOSSTRtree_create_r(handle, NODE_CAPACITY);
    u->failed = u->tree == NULL;
    for (size_t i = 0; !u->failed && i < count; i++) {
        GEOSSTRtree_insert_r(handle, u->tree, u->polygons[i], &u->polygons[i]);
    }
    for (u->current = 0; !u->failed && u->current < count; u->current++) {
        GEOSGeometry *around = make_diagonal(u, u->current);
        u->failed = around == NULL || !check_cancelled(u, u->current);
        if (!u->failed) {
            GEOSSTRtree_query_r(handle, u->tree, around, join_if_near, u);
        }
        GEOSGeom_destroy_r(handle, around);
        GEOSPreparedGeom_destroy_r(handle, u->prepared);
        u->prepared = NULL;
    }
    giq_disjoint_link(&u->sets);
    return !u->failed;
}

static bool add_members(const struct union_in_progress *u, size_t first,
                        struct giq_rings *out)
{
    size_t i = first;
    do {
        if (!giq_rings_add_polygon(out, u->rings, i)) {
            return false;
        }
        i = giq_disjoint_next(&u->sets, i);
    } while (i != 0);
    return true;
}

/* Add the polygons of a set that do not vanish when they are rounded. */
static bool add_lasting_members(const struct union_in_progress *u, size_t first,
                                struct giq_rings *out)
{
    size_t i = first;
    do {
        GIQ_AUTO_RINGS struct giq_rings rounded = {.rounds = true};
        if (!giq_rings_add_polygon(&rounded, u->rings, i)) {
            return false;
        }
        if (rounded.polygons > 0 && !giq_rings_add_polygon(out, u->rings, i)) {
            return false;
        }
        i = giq_disjoint_next(&u->sets, i);
    } while (i != 0);
    return true;
}

/* Unite polygons on the grid of units. This takes longer, but the union stays valid when
 * it is rounded, even if gaps between the polygons are thinner than a unit. */
static GEOSGeometry *unite_on_grid(GEOSContextHandle_t handle, const GEOSGeometry *area)
{
    return GEOSUnaryUnionPrec_r(handle, area, UNIT);
}

/* Store in `*out_valid` whether the polygons are a valid MULTIPOLYGON. */
static bool check_valid(struct giq_geos *g, const struct giq_rings *rings,
                        bool *out_valid, struct giq_error *err)
{
    GEOSGeometry *area = giq_geos_parts_multipolygon(g, rings, 0, err);
    if (area == NULL) {
        return false;
    }
    char rc = GEOSisValid_r(g->handle, area);
    GEOSGeom_destroy_r(g->handle, area);
    *out_valid = rc == 1;
    return rc == 0 || rc == 1 || giq_geos_parts_fail(g, "checked", err);
}

/* Store in `*out_valid` whether the polygons are a valid MULTIPOLYGON once rounded. */
static bool check_valid_rounded(struct giq_geos *g, const struct giq_rings *rings,
                                bool *out_valid, struct giq_error *err)
{
    GIQ_AUTO_RINGS struct giq_rings rounded = {.rounds = true};
    if (!giq_rings_add_all(&rounded, rings, 0)) {
        return giq_fail_memory(err);
    }
    return check_valid(g, &rounded, out_valid, err);
}

typedef GEOSGeometry *union_of(GEOSContextHandle_t, const GEOSGeometry *);

static bool replace_by_union(struct giq_geos *g, union_of *unite, struct giq_rings *rings,
                             struct giq_error *err)
{
    GEOSGeometry *area = giq_geos_parts_multipolygon(g, rings, 0, err);
    if (area == NULL) {
        return false;
    }
    GEOSGeometry *united = unite(g->handle, area);
    GEOSGeom_destroy_r(g->handle, area);
    return giq_geos_parts_take(g, united, "united", rings, 0, err);
}

static bool unite_set(struct giq_geos *g, struct giq_rings *rings, struct giq_error *err)
{
    bool is_valid_now = false;
    if (!replace_by_union(g, GEOSUnaryUnion_r, rings, err) ||
        !check_valid_rounded(g, rings, &is_valid_now, err)) {
        return false;
    }
    return is_valid_now || replace_by_union(g, unite_on_grid, rings, err);
}

/* Add the union of a set. Polygons that are a valid MULTIPOLYGON once rounded keep their
 * points. Others are rounded before they are united: neighbours whose points differ only
 * in the last digits then have the same points. */
static bool add_set(const struct union_in_progress *u, size_t first,
                    struct giq_rings *out, struct giq_error *err)
{
    GIQ_AUTO_RINGS struct giq_rings rounded = {.rounds = true};
    if (!add_members(u, first, &rounded)) {
        return giq_fail_memory(err);
    }
    bool keeps_points = false;
    if (!check_valid(u->geos, &rounded, &keeps_points, err)) {
        return false;
    }
    if (keeps_points && rounded.collapsed > 0 && rounded.polygons > 0) {
        return add_lasting_members(u, first, out) || giq_fail_memory(err);
    }
    if (keeps_points) {
        return add_members(u, first, out) || giq_fail_memory(err);
    }
    rounded.rounds = false;
    if (!unite_set(u->geos, &rounded, err)) {
        return false;
    }
    return giq_rings_add_all(out, &rounded, 0) || giq_fail_memory(err);
}

static bool unite(struct union_in_progress *u, struct giq_rings *out)
{
    size_t count = u->rings->polygons;
    u->polygons =
        giq_geos_parts_list(u->geos, u->rings, 0, count, giq_geos_parts_polygon);
    if (!giq_disjoint_init(&u->sets, count) || u->polygons == NULL) {
        return giq_fail_memory(u->err);
    }
    if (!find_sets(u)) {
        return !u->is_cancelled && giq_geos_parts_fail(u->geos, "united", u->err);
    }
    for (size_t i = 0; i < count; i++) {
        if (!check_cancelled(u, i) ||
            (giq_disjoint_is_first(&u->sets, i) && !add_set(u, i, out, u->err))) {
            return false;
        }
    }
    return true;
}

static void release_union(struct union_in_progress *u)
{
    for (size_t i = 0; u->polygons != NULL && i < u->rings->polygons; i++) {
        GEOSGeom_destroy_r(u->geos->handle, u->polygons[i]);
    }
    if (u->tree != NULL) {
        GEOSSTRtree_destroy_r(u->geos->handle, u->tree);
    }
    free(u->polygons);
    giq_disjoint_release(&u->sets);
}

bool giq_geos_unite(struct giq_geos *g, struct giq_rings *rings, struct giq_error *err)
{
    if (rings->polygons < 2) {
        return true;
    }
    struct union_in_progress u = {.geos = g, .rings = rings, .err = err};
    GIQ_AUTO_RINGS struct giq_rings united = {0};
    bool ok = unite(&u, &united);
    release_union(&u);
    if (!ok) {
        return false;
    }
    giq_rings_move(rings, &united);
    return true;
}

bool giq_geos_unite_if_invalid(struct giq_geos *g, struct giq_rings *rings,
                               struct giq_error *err)
{
    bool is_valid_already = false;
    if (!check_valid_rounded(g, rings, &is_valid_already, err)) {
        return false;
    }
    return is_valid_already || giq_geos_unite(g, rings, err);
}
