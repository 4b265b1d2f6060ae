#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "area/giq_geos_parts.h"
#include "area/giq_wkt.h"
#include "base/giq_text.h"

/* Beyond so many points an index finds faster where they lie. */
enum { INDEX_MIN = 8 };

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

GEOSGeometry **giq_geos_list(struct giq_geos *g, const struct giq_rings *rings,
                             size_t first, size_t count, giq_geos_make *make)
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

GEOSGeometry *giq_geos_polygon(struct giq_geos *g, const struct giq_rings *rings,
                               size_t polygon)
{
    size_t first = giq_rings_first(rings, polygon);
    size_t holes = rings->polygon_end[polygon] - first - 1;
    GEOSGeometry *shell = to_ring(g, rings, first);
    if (shell == NULL) {
        return NULL;
    }
    GEOSGeometry **list = giq_geos_list(g, rings, first + 1, holes, to_ring);
    if (list == NULL) {
        GEOSGeom_destroy_r(g->handle, shell);
        return NULL;
    }
    GEOSGeometry *made =
        GEOSGeom_createPolygon_r(g->handle, shell, list, (unsigned)holes);
    free(list);
    return made;
}

GEOSGeometry *giq_geos_area(struct giq_geos *g, const struct giq_rings *rings,
                            size_t first, struct giq_error *err)
{
    size_t count = rings->polygons - first;
    GEOSGeometry **list = giq_geos_list(g, rings, first, count, giq_geos_polygon);
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

bool giq_geos_fail(struct giq_geos *g, const char *what, struct giq_error *err)
{
    struct giq_printable reason;
    return giq_fail(err, GIQ_E_AREA, "the area cannot be %s: %s", what,
                    giq_text_printable(g->message, &reason));
}

bool giq_geos_take(struct giq_geos *g, GEOSGeometry *geometry, const char *what,
                   struct giq_rings *rings, size_t first, struct giq_error *err)
{
    if (geometry == NULL) {
        return giq_geos_fail(g, what, err);
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
    struct giq_location place;
    struct giq_printable shown;
    bool placed = at != NULL && GEOSGeomGetX_r(g->handle, at, &x) == 1 &&
                  GEOSGeomGetY_r(g->handle, at, &y) == 1;
    return giq_fail(err, GIQ_E_AREA, "%s: %s%s%s; MAKE_VALID=YES repairs it", what,
                    giq_text_printable(reason == NULL ? "invalid" : reason, &shown),
                    placed ? " at " : "", placed ? giq_wkt_printable(x, y, &place) : "");
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
        (void)giq_geos_fail(g, "checked", err);
    }
    GEOSFree_r(g->handle, reason);
    if (at != NULL) {
        GEOSGeom_destroy_r(g->handle, at);
    }
    *out_valid = rc == 1;
    return ok;
}

bool giq_geos_is_one(struct giq_geos *g, const struct giq_rings *rings, bool *out_valid,
                     struct giq_error *err)
{
    GEOSGeometry *area = giq_geos_area(g, rings, 0, err);
    if (area == NULL) {
        return false;
    }
    char rc = GEOSisValid_r(g->handle, area);
    GEOSGeom_destroy_r(g->handle, area);
    *out_valid = rc == 1;
    return rc == 0 || rc == 1 || giq_geos_fail(g, "checked", err);
}

bool giq_geos_is_valid(struct giq_geos *g, const struct giq_rings *rings, bool *out_valid,
                       struct giq_error *err)
{
    struct giq_rings rounded = {.rounds = true};
    bool ok = (giq_rings_add_all(&rounded, rings, 0) || giq_fail_memory(err)) &&
              giq_geos_is_one(g, &rounded, out_valid, err);
    giq_rings_release(&rounded);
    return ok;
}

static bool repair_polygon(struct giq_geos *g, struct giq_rings *rings, size_t first,
                           struct giq_error *err)
{
    GEOSGeometry *area = giq_geos_area(g, rings, first, err);
    if (area == NULL) {
        return false;
    }
    GEOSGeometry *made = GEOSMakeValid_r(g->handle, area);
    GEOSGeom_destroy_r(g->handle, area);
    return giq_geos_take(g, made, "repaired", rings, first, err);
}

/* Add a polygon of `from`, repaired where that is needed. */
static bool add_repaired(struct giq_geos *g, const struct giq_rings *from, size_t polygon,
                         struct giq_rings *out, struct giq_error *err)
{
    size_t first = out->polygons;
    bool is_valid = false;
    return (giq_rings_add_polygon(out, from, polygon) || giq_fail_memory(err)) &&
           giq_geos_check(g, out, first, "", true, &is_valid, err);
}

/* Repair each of several polygons by itself, and unite them: repaired together they would
 * lose what two of them share. */
static bool repair(struct giq_geos *g, struct giq_rings *rings, size_t first,
                   struct giq_error *err)
{
    struct giq_rings made = {0};
    bool ok = true;
    for (size_t i = first; ok && i < rings->polygons; i++) {
        ok = add_repaired(g, rings, i, &made, err);
    }
    ok = ok && giq_geos_unite(g, &made, err);
    if (ok) {
        giq_rings_cut(rings, first);
        ok = giq_rings_add_all(rings, &made, 0) || giq_fail_memory(err);
    }
    giq_rings_release(&made);
    return ok;
}

bool giq_geos_check(struct giq_geos *g, struct giq_rings *rings, size_t first,
                    const char *what, bool repairs, bool *out_valid,
                    struct giq_error *err)
{
    GEOSGeometry *area = giq_geos_area(g, rings, first, err);
    if (area == NULL) {
        return false;
    }
    bool ok = check(g, area, what, repairs, out_valid, err);
    GEOSGeom_destroy_r(g->handle, area);
    if (!ok || *out_valid) {
        return ok;
    }
    return rings->polygons - first > 1 ? repair(g, rings, first, err)
                                       : repair_polygon(g, rings, first, err);
}

/* ---- points ---- */

static GEOSGeometry *make_point(struct giq_geos *g, const double xy[2])
{
    GEOSCoordSequence *at = GEOSCoordSeq_copyFromBuffer_r(g->handle, xy, 1, 0, 0);
    return at == NULL ? NULL : GEOSGeom_createPoint_r(g->handle, at);
}

bool giq_geos_inner_point(struct giq_geos *g, const struct giq_rings *rings,
                          size_t polygon, double out_xy[2], struct giq_error *err)
{
    GEOSGeometry *area = giq_geos_polygon(g, rings, polygon);
    if (area == NULL) {
        return giq_fail_memory(err);
    }
    GEOSGeometry *point = GEOSPointOnSurface_r(g->handle, area);
    GEOSGeom_destroy_r(g->handle, area);
    bool ok = point != NULL && GEOSGeomGetX_r(g->handle, point, &out_xy[0]) == 1 &&
              GEOSGeomGetY_r(g->handle, point, &out_xy[1]) == 1;
    if (point != NULL) {
        GEOSGeom_destroy_r(g->handle, point);
    }
    return ok || giq_geos_fail(g, "checked", err);
}

/* Whether a point lies in the area, of which there may be an index: 0 or 1, or else
 * GEOS failed. */
static char holds(struct giq_geos *g, const GEOSGeometry *area,
                  const GEOSPreparedGeometry *prepared, const double xy[2])
{
    GEOSGeometry *point = make_point(g, xy);
    if (point == NULL) {
        return 2;
    }
    char rc = prepared == NULL ? GEOSIntersects_r(g->handle, area, point)
                               : GEOSPreparedIntersects_r(g->handle, prepared, point);
    GEOSGeom_destroy_r(g->handle, point);
    return rc;
}

bool giq_geos_find_exterior(struct giq_geos *g, const struct giq_rings *rings,
                            const double *xy, size_t count, size_t *out,
                            struct giq_error *err)
{
    GEOSGeometry *area = giq_geos_area(g, rings, 0, err);
    if (area == NULL) {
        return false;
    }
    const GEOSPreparedGeometry *prepared =
        count < INDEX_MIN ? NULL : GEOSPrepare_r(g->handle, area);
    char rc = 1;
    size_t i = 0;
    while (i < count && (rc = holds(g, area, prepared, xy + 2 * i)) == 1) {
        i++;
    }
    GEOSPreparedGeom_destroy_r(g->handle, prepared);
    GEOSGeom_destroy_r(g->handle, area);
    *out = i;
    return rc == 0 || rc == 1 || giq_geos_fail(g, "checked", err);
}

/* ---- cutting and ordering ---- */

typedef GEOSGeometry *overlay(GEOSContextHandle_t, const GEOSGeometry *,
                              const GEOSGeometry *);

static bool combine(struct giq_geos *g, struct giq_rings *rings,
                    const struct giq_rings *other, overlay *how, struct giq_error *err)
{
    GEOSGeometry *a = giq_geos_area(g, rings, 0, err);
    GEOSGeometry *b = a == NULL ? NULL : giq_geos_area(g, other, 0, err);
    GEOSGeometry *made = b == NULL ? NULL : how(g->handle, a, b);
    bool ok = b != NULL && giq_geos_take(g, made, "cut", rings, 0, err);
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
    GEOSGeometry *area = giq_geos_area(g, rings, 0, err);
    if (area == NULL) {
        return false;
    }
    if (GEOSNormalize_r(g->handle, area) != 0) {
        GEOSGeom_destroy_r(g->handle, area);
        area = NULL;
    }
    return giq_geos_take(g, area, "normalised", rings, 0, err);
}
