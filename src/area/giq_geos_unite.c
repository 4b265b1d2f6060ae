/* The union of polygons. */
#include <math.h>
#include <stdlib.h>

#include "area/giq_disjoint.h"
#include "area/giq_geos_parts.h"

#define UNIT (1.0 / GIQ_RINGS_UNITS)

/*
 * Polygons that are to be united. Those that meet, or will once they are rounded, are
 * found first, with an index and prepared geometries, and each cluster of them is
 * united by itself: GEOS's union takes all polygons along from level to level, also
 * those that meet no other.
 */
struct uniting {
    struct giq_geos *geos;
    const struct giq_rings *rings;
    GEOSGeometry **polygon;
    struct giq_disjoint clusters;
    GEOSSTRtree *tree; /* of places in `polygon` */
    size_t at;         /* whose neighbours are looked for */
    const GEOSPreparedGeometry *prepared;
    bool failed;
};

static size_t count_points(const struct uniting *u, size_t polygon)
{
    size_t count = 0;
    (void)giq_rings_at(u->rings, giq_rings_first(u->rings, polygon), &count);
    return count;
}

/* Join the clusters of two polygons that meet. Of a pair the larger one is prepared,
 * so that the cost is that of the smaller one. */
static void meet(void *item, void *ctx)
{
    struct uniting *u = ctx;
    size_t other = (size_t)((GEOSGeometry **)item - u->polygon);
    size_t points = count_points(u, u->at);
    size_t other_points = count_points(u, other);
    if (u->failed || other_points > points || (other_points == points && other < u->at) ||
        giq_disjoint_are_joined(&u->clusters, u->at, other)) {
        return;
    }
    if (u->prepared == NULL) {
        u->prepared = GEOSPrepare_r(u->geos->handle, u->polygon[u->at]);
    }
    int rc = u->prepared == NULL
                 ? 2
                 : GEOSPreparedDistanceWithin_r(u->geos->handle, u->prepared,
                                                u->polygon[other], 2 * UNIT);
    u->failed = rc != 0 && rc != 1;
    if (rc == 1) {
        giq_disjoint_join(&u->clusters, u->at, other);
    }
}

/* A line whose extent is that of a polygon and what is next to it. */
static GEOSGeometry *make_diagonal(struct uniting *u, size_t polygon)
{
    size_t count = 0;
    const double *xy = giq_rings_at(u->rings, giq_rings_first(u->rings, polygon), &count);
    double ends[] = {xy[0], xy[1], xy[0], xy[1]};
    for (size_t i = 1; i < count; i++) {
        ends[0] = fmin(ends[0], xy[2 * i]);
        ends[1] = fmin(ends[1], xy[2 * i + 1]);
        ends[2] = fmax(ends[2], xy[2 * i]);
        ends[3] = fmax(ends[3], xy[2 * i + 1]);
    }
    for (int i = 0; i < 4; i++) {
        ends[i] += (i < 2 ? -2 : 2) * UNIT;
    }
    GEOSCoordSequence *points =
        GEOSCoordSeq_copyFromBuffer_r(u->geos->handle, ends, 2, 0, 0);
    return points == NULL ? NULL : GEOSGeom_createLineString_r(u->geos->handle, points);
}

static bool make_clusters(struct uniting *u)
{
    GEOSContextHandle_t handle = u->geos->handle;
    size_t count = u->rings->polygons;
    u->tree = GEOSSTRtree_create_r(handle, 10);
    u->failed = u->tree == NULL;
    for (size_t i = 0; !u->failed && i < count; i++) {
        GEOSSTRtree_insert_r(handle, u->tree, u->polygon[i], &u->polygon[i]);
    }
    for (u->at = 0; !u->failed && u->at < count; u->at++) {
        GEOSGeometry *around = make_diagonal(u, u->at);
        u->failed = around == NULL;
        if (around != NULL) {
            GEOSSTRtree_query_r(handle, u->tree, around, meet, u);
            GEOSGeom_destroy_r(handle, around);
        }
        GEOSPreparedGeom_destroy_r(handle, u->prepared);
        u->prepared = NULL;
    }
    giq_disjoint_close(&u->clusters);
    return !u->failed;
}

static bool add_members(const struct uniting *u, size_t first, struct giq_rings *out)
{
    bool ok = true;
    size_t i = first;
    do {
        ok = giq_rings_add_polygon(out, u->rings, i);
        i = giq_disjoint_next(&u->clusters, i);
    } while (ok && i != 0);
    return ok;
}

/* Slivers between polygons, thinner than a unit, would make the area invalid once it is
 * rounded: those are united on the grid of units, which takes longer. */
static GEOSGeometry *unite_on_grid(GEOSContextHandle_t handle, const GEOSGeometry *area)
{
    return GEOSUnaryUnionPrec_r(handle, area, UNIT);
}

static bool unite_cluster(struct giq_geos *g, struct giq_rings *rings,
                          struct giq_error *err)
{
    static GEOSGeometry *(*const ways[])(GEOSContextHandle_t, const GEOSGeometry *) = {
        GEOSUnaryUnion_r, unite_on_grid};
    bool is_done = false;
    for (size_t i = 0; i < 2 && !is_done; i++) {
        GEOSGeometry *area = giq_geos_area(g, rings, 0, err);
        GEOSGeometry *made = area == NULL ? NULL : ways[i](g->handle, area);
        GEOSGeom_destroy_r(g->handle, area);
        if (area == NULL || !giq_geos_take(g, made, "united", rings, 0, err) ||
            !giq_geos_is_valid(g, rings, &is_done, err)) {
            return false;
        }
    }
    return true;
}

/* Polygons that are one area already, also once they are rounded, keep their points.
 * Others are rounded first, so that those which are neighbours but for the last digits
 * have the same points. */
static bool add_cluster(const struct uniting *u, size_t first, struct giq_rings *out,
                        struct giq_error *err)
{
    struct giq_rings rounded = {.rounds = true};
    bool is_one = false;
    bool ok = (add_members(u, first, &rounded) || giq_fail_memory(err)) &&
              giq_geos_is_one(u->geos, &rounded, &is_one, err);
    if (ok && is_one) {
        ok = add_members(u, first, out) || giq_fail_memory(err);
    } else if (ok) {
        rounded.rounds = false;
        ok = unite_cluster(u->geos, &rounded, err) &&
             (giq_rings_add_all(out, &rounded, 0) || giq_fail_memory(err));
    }
    giq_rings_release(&rounded);
    return ok;
}

static void release_uniting(struct uniting *u)
{
    for (size_t i = 0; u->polygon != NULL && i < u->rings->polygons; i++) {
        GEOSGeom_destroy_r(u->geos->handle, u->polygon[i]);
    }
    if (u->tree != NULL) {
        GEOSSTRtree_destroy_r(u->geos->handle, u->tree);
    }
    free(u->polygon);
    giq_disjoint_release(&u->clusters);
}

bool giq_geos_unite(struct giq_geos *g, struct giq_rings *rings, struct giq_error *err)
{
    size_t count = rings->polygons;
    if (count < 2) {
        return true;
    }
    struct uniting u = {.geos = g,
                        .rings = rings,
                        .polygon = giq_geos_list(g, rings, 0, count, giq_geos_polygon)};
    struct giq_rings made = {0};
    bool has_room = giq_disjoint_init(&u.clusters, count) && u.polygon != NULL;
    bool ok = has_room ? make_clusters(&u) || giq_geos_fail(g, "united", err)
                       : giq_fail_memory(err);
    for (size_t i = 0; ok && i < count; i++) {
        ok = !giq_disjoint_is_first(&u.clusters, i) || add_cluster(&u, i, &made, err);
    }
    release_uniting(&u);
    giq_rings_release(ok ? rings : &made);
    if (ok) {
        *rings = made;
    }
    return ok;
}
