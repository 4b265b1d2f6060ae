#include "giq_geos.h"

#include <geos_c.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "giq_clusters.h"
#include "giq_text.h"
#include "giq_wkt.h"

#define UNIT (1.0 / GIQ_RINGS_UNITS)

struct giq_geos {
    GEOSContextHandle_t handle;
    char message[128]; /* the last of GEOS's */
};

static void keep_message(const char *message, void *ctx)
{
    struct giq_geos *g = ctx;
    (void)snprintf(g->message, sizeof g->message, "%s", message);
}

bool giq_geos_new(struct giq_geos **out, struct giq_error *err)
{
    struct giq_geos *g = calloc(1, sizeof *g);
    if (g == NULL || (g->handle = GEOS_init_r()) == NULL) {
        free(g);
        return giq_fail_memory(err);
    }
    (void)GEOSContext_setErrorMessageHandler_r(g->handle, keep_message, g);
    *out = g;
    return true;
}

void giq_geos_free(struct giq_geos *g)
{
    if (g != NULL) {
        GEOS_finish_r(g->handle);
        free(g);
    }
}

/* ---- to GEOS ---- */

static GEOSGeometry *to_ring(struct giq_geos *g, const struct giq_rings *rings,
                             size_t ring)
{
    size_t count = 0;
    const double *xy = giq_rings_at(rings, ring, &count);
    GEOSCoordSequence *points =
        GEOSCoordSeq_copyFromBuffer_r(g->handle, xy, (unsigned)count, 0, 0);
    return points == NULL ? NULL : GEOSGeom_createLinearRing_r(g->handle, points);
}

typedef GEOSGeometry *make_one(struct giq_geos *, const struct giq_rings *, size_t);

/* Geometries that are made of `count` items, one by one; NULL when out of memory. */
static GEOSGeometry **make_list(struct giq_geos *g, const struct giq_rings *rings,
                                size_t first, size_t count, make_one *make)
{
    GEOSGeometry **list = calloc(count + 1, sizeof(GEOSGeometry *));
    for (size_t i = 0; list != NULL && i < count; i++) {
        list[i] = make(g, rings, first + i);
        if (list[i] == NULL) {
            while (i > 0) {
                GEOSGeom_destroy_r(g->handle, list[--i]);
            }
            free(list);
            return NULL;
        }
    }
    return list;
}

static GEOSGeometry *to_polygon(struct giq_geos *g, const struct giq_rings *rings,
                                size_t polygon)
{
    size_t first = giq_rings_first(rings, polygon);
    size_t holes = rings->polygon_end[polygon] - first - 1;
    GEOSGeometry *shell = to_ring(g, rings, first);
    if (shell == NULL) {
        return NULL;
    }
    GEOSGeometry **list = make_list(g, rings, first + 1, holes, to_ring);
    if (list == NULL) {
        GEOSGeom_destroy_r(g->handle, shell);
        return NULL;
    }
    GEOSGeometry *made =
        GEOSGeom_createPolygon_r(g->handle, shell, list, (unsigned)holes);
    free(list);
    return made;
}

/* A MULTIPOLYGON of the polygons from `first` on; NULL with an error. */
static GEOSGeometry *to_area(struct giq_geos *g, const struct giq_rings *rings,
                             size_t first, struct giq_error *err)
{
    size_t count = rings->polygons - first;
    GEOSGeometry **list = make_list(g, rings, first, count, to_polygon);
    GEOSGeometry *made = list == NULL
                             ? NULL
                             : GEOSGeom_createCollection_r(g->handle, GEOS_MULTIPOLYGON,
                                                           list, (unsigned)count);
    free(list);
    if (made == NULL) {
        (void)giq_fail_memory(err);
    }
    return made;
}

/* ---- and back ---- */

static bool add_ring(struct giq_geos *g, const GEOSGeometry *ring, struct giq_rings *out)
{
    const GEOSCoordSequence *points =
        ring == NULL ? NULL : GEOSGeom_getCoordSeq_r(g->handle, ring);
    unsigned count = 0;
    bool ok = points != NULL && GEOSCoordSeq_getSize_r(g->handle, points, &count) != 0;
    for (unsigned i = 0; ok && i < count; i++) {
        double x = NAN;
        double y = NAN;
        ok = GEOSCoordSeq_getXY_r(g->handle, points, i, &x, &y) != 0 &&
             giq_rings_add_point(out, x, y);
    }
    return ok && giq_rings_end_ring(out);
}

static bool add_polygon(struct giq_geos *g, const GEOSGeometry *polygon,
                        struct giq_rings *out)
{
    if (GEOSisEmpty_r(g->handle, polygon) == 1) {
        return true;
    }
    int holes = GEOSGetNumInteriorRings_r(g->handle, polygon);
    bool ok = add_ring(g, GEOSGetExteriorRing_r(g->handle, polygon), out);
    for (int i = 0; ok && i < holes; i++) {
        ok = add_ring(g, GEOSGetInteriorRingN_r(g->handle, polygon, i), out);
    }
    return ok && giq_rings_end_polygon(out);
}

/* The polygons of `geometry`; other parts (lines that a repair left) are passed over. */
static bool add_polygons(struct giq_geos *g, const GEOSGeometry *geometry,
                         struct giq_rings *out)
{
    int type = GEOSGeomTypeId_r(g->handle, geometry);
    if (type == GEOS_POLYGON) {
        return add_polygon(g, geometry, out);
    }
    bool ok = true;
    bool has_parts = type == GEOS_MULTIPOLYGON || type == GEOS_GEOMETRYCOLLECTION;
    int count = has_parts ? GEOSGetNumGeometries_r(g->handle, geometry) : 0;
    for (int i = 0; ok && i < count; i++) {
        ok = add_polygons(g, GEOSGetGeometryN_r(g->handle, geometry, i), out);
    }
    return ok;
}

static bool fail(struct giq_geos *g, const char *what, struct giq_error *err)
{
    struct giq_shown reason;
    return giq_fail(err, GIQ_E_AREA, "the area cannot be %s: %s", what,
                    giq_text_show(g->message, &reason));
}

/* Put the polygons of `geometry` in the place of those from `first` on, and destroy
 * it. Where it is NULL GEOS failed at `what`. */
static bool take_result(struct giq_geos *g, GEOSGeometry *geometry, const char *what,
                        struct giq_rings *rings, size_t first, struct giq_error *err)
{
    if (geometry == NULL) {
        return fail(g, what, err);
    }
    giq_rings_cut(rings, first);
    bool ok = add_polygons(g, geometry, rings) || giq_fail_memory(err);
    GEOSGeom_destroy_r(g->handle, geometry);
    return ok;
}

/* ---- what is asked ---- */

static bool fail_invalid(struct giq_geos *g, const char *what, const char *reason,
                         const GEOSGeometry *at, struct giq_error *err)
{
    double x = NAN;
    double y = NAN;
    struct giq_place place;
    struct giq_shown shown;
    bool placed = at != NULL && GEOSGeomGetX_r(g->handle, at, &x) == 1 &&
                  GEOSGeomGetY_r(g->handle, at, &y) == 1;
    return giq_fail(err, GIQ_E_AREA, "%s: %s%s%s; MAKE_VALID=YES repairs it", what,
                    giq_text_show(reason == NULL ? "invalid" : reason, &shown),
                    placed ? " at " : "", placed ? giq_wkt_show(x, y, &place) : "");
}

/* Whether `area` is valid; only where `repairs` may it be not. */
static bool check(struct giq_geos *g, const GEOSGeometry *area, const char *what,
                  bool repairs, bool *out_valid, struct giq_error *err)
{
    char *reason = NULL;
    GEOSGeometry *at = NULL;
    char rc = GEOSisValidDetail_r(g->handle, area, 0, &reason, &at);
    bool ok = rc == 1 || (rc == 0 && repairs);
    if (rc == 0 && !ok) {
        (void)fail_invalid(g, what, reason, at, err);
    } else if (!ok) {
        (void)fail(g, "checked", err);
    }
    GEOSFree_r(g->handle, reason);
    if (at != NULL) {
        GEOSGeom_destroy_r(g->handle, at);
    }
    *out_valid = rc == 1;
    return ok;
}

static bool is_valid(struct giq_geos *g, const struct giq_rings *rings, bool *out_valid,
                     struct giq_error *err)
{
    GEOSGeometry *area = to_area(g, rings, 0, err);
    if (area == NULL) {
        return false;
    }
    char rc = GEOSisValid_r(g->handle, area);
    GEOSGeom_destroy_r(g->handle, area);
    *out_valid = rc == 1;
    return rc == 0 || rc == 1 || fail(g, "checked", err);
}

bool giq_geos_is_valid(struct giq_geos *g, const struct giq_rings *rings, bool *out_valid,
                       struct giq_error *err)
{
    struct giq_rings rounded = {.rounds = true};
    bool ok = (giq_rings_add_all(&rounded, rings, 0) || giq_fail_memory(err)) &&
              is_valid(g, &rounded, out_valid, err);
    giq_rings_release(&rounded);
    return ok;
}

bool giq_geos_check(struct giq_geos *g, struct giq_rings *rings, size_t first,
                    const char *what, bool repairs, bool *out_valid,
                    struct giq_error *err)
{
    GEOSGeometry *area = to_area(g, rings, first, err);
    if (area == NULL) {
        return false;
    }
    bool ok = check(g, area, what, repairs, out_valid, err);
    bool is_done = !ok || *out_valid;
    GEOSGeometry *made = is_done ? NULL : GEOSMakeValid_r(g->handle, area);
    GEOSGeom_destroy_r(g->handle, area);
    return is_done ? ok : take_result(g, made, "repaired", rings, first, err);
}

/* ---- uniting ---- */

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
    struct giq_clusters clusters;
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
        giq_clusters_are_joined(&u->clusters, u->at, other)) {
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
        giq_clusters_join(&u->clusters, u->at, other);
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
    giq_clusters_close(&u->clusters);
    return !u->failed;
}

static bool add_members(const struct uniting *u, size_t first, struct giq_rings *out)
{
    bool ok = true;
    size_t i = first;
    do {
        ok = giq_rings_add_polygon(out, u->rings, i);
        i = giq_clusters_next(&u->clusters, i);
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
        GEOSGeometry *area = to_area(g, rings, 0, err);
        GEOSGeometry *made = area == NULL ? NULL : ways[i](g->handle, area);
        GEOSGeom_destroy_r(g->handle, area);
        if (area == NULL || !take_result(g, made, "united", rings, 0, err) ||
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
              is_valid(u->geos, &rounded, &is_one, err);
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
    giq_clusters_release(&u->clusters);
}

bool giq_geos_unite(struct giq_geos *g, struct giq_rings *rings, struct giq_error *err)
{
    size_t count = rings->polygons;
    if (count < 2) {
        return true;
    }
    struct uniting u = {
        .geos = g, .rings = rings, .polygon = make_list(g, rings, 0, count, to_polygon)};
    struct giq_rings made = {0};
    bool has_room = giq_clusters_init(&u.clusters, count) && u.polygon != NULL;
    bool ok =
        has_room ? make_clusters(&u) || fail(g, "united", err) : giq_fail_memory(err);
    for (size_t i = 0; ok && i < count; i++) {
        ok = !giq_clusters_is_first(&u.clusters, i) || add_cluster(&u, i, &made, err);
    }
    release_uniting(&u);
    giq_rings_release(ok ? rings : &made);
    if (ok) {
        *rings = made;
    }
    return ok;
}

/* ---- cutting and ordering ---- */

typedef GEOSGeometry *overlay(GEOSContextHandle_t, const GEOSGeometry *,
                              const GEOSGeometry *);

static bool combine(struct giq_geos *g, struct giq_rings *rings,
                    const struct giq_rings *other, overlay *how, struct giq_error *err)
{
    GEOSGeometry *a = to_area(g, rings, 0, err);
    GEOSGeometry *b = a == NULL ? NULL : to_area(g, other, 0, err);
    GEOSGeometry *made = b == NULL ? NULL : how(g->handle, a, b);
    bool ok = b != NULL && take_result(g, made, "cut", rings, 0, err);
    if (b != NULL) {
        GEOSGeom_destroy_r(g->handle, b);
    }
    if (a != NULL) {
        GEOSGeom_destroy_r(g->handle, a);
    }
    return ok;
}

bool giq_geos_intersect(struct giq_geos *g, struct giq_rings *rings,
                        const struct giq_rings *other, struct giq_error *err)
{
    return combine(g, rings, other, GEOSIntersection_r, err);
}

bool giq_geos_subtract(struct giq_geos *g, struct giq_rings *rings,
                       const struct giq_rings *other, struct giq_error *err)
{
    return combine(g, rings, other, GEOSDifference_r, err);
}

bool giq_geos_normalise(struct giq_geos *g, struct giq_rings *rings,
                        struct giq_error *err)
{
    GEOSGeometry *area = to_area(g, rings, 0, err);
    if (area == NULL) {
        return false;
    }
    if (GEOSNormalize_r(g->handle, area) != 0) {
        GEOSGeom_destroy_r(g->handle, area);
        area = NULL;
    }
    return take_result(g, area, "normalised", rings, 0, err);
}
