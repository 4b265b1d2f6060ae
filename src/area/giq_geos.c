/* Validity, points and overlay of polygons, by GEOS. */
#include "area/giq_geos.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "area/giq_geos_parts.h"
#include "area/giq_geos_unite.h"
#include "area/giq_wkt.h"
#include "base/giq_text.h"

static void keep_message(const char *message, void *ctx)
{
    struct giq_geos *g = ctx;
    (void)snprintf(g->message, sizeof g->message, "%s", message);
}

bool giq_geos_new(struct giq_geos **out, struct giq_error *err)
{
    struct giq_geos *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return giq_fail_memory(err);
    }
    g->handle = GEOS_init_r();
    if (g->handle == NULL) {
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

void giq_geos_set_env(struct giq_geos *g, const struct giq_env *env)
{
    g->env = env;
}

/* ---- validity ---- */

static bool fail_invalid(struct giq_geos *g, const char *what, const char *reason,
                         const GEOSGeometry *at, struct giq_error *err)
{
    double x = NAN;
    double y = NAN;
    struct giq_location location;
    struct giq_printable printable;
    bool is_located = at != NULL && GEOSGeomGetX_r(g->handle, at, &x) == 1 &&
                      GEOSGeomGetY_r(g->handle, at, &y) == 1;
    return giq_fail(err, GIQ_E_AREA, "%s: %s%s%s; MAKE_VALID=YES repairs it", what,
                    giq_text_printable(reason == NULL ? "invalid" : reason, &printable),
                    is_located ? " at " : "",
                    is_located ? giq_wkt_print_location(x, y, &location) : "");
}

/* Store in `*out_valid` whether `area` is valid. An invalid area is an error unless
 * `repairs` is set: the caller then repairs it. */
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
        (void)giq_geos_parts_fail(g, "checked", err);
    }
    GEOSFree_r(g->handle, reason);
    GEOSGeom_destroy_r(g->handle, at);
    *out_valid = rc == 1;
    return ok;
}

static bool repair_polygon(struct giq_geos *g, struct giq_rings *rings, size_t first,
                           struct giq_error *err)
{
    GEOSGeometry *area = giq_geos_parts_multipolygon(g, rings, first, err);
    if (area == NULL) {
        return false;
    }
    GEOSGeometry *repaired = GEOSMakeValid_r(g->handle, area);
    GEOSGeom_destroy_r(g->handle, area);
    return giq_geos_parts_take(g, repaired, "repaired", rings, first, err);
}

/* Repair each polygon on its own, then unite them: GEOS would remove the parts that two
 * polygons share if it repaired them together. */
static bool repair(struct giq_geos *g, struct giq_rings *rings, size_t first,
                   struct giq_error *err)
{
    GIQ_AUTO_RINGS struct giq_rings repaired = {0};
    for (size_t i = first; i < rings->polygons; i++) {
        size_t first_added = repaired.polygons;
        if (!giq_rings_add_polygon(&repaired, rings, i)) {
            return giq_fail_memory(err);
        }
        if (!giq_geos_check_or_repair(g, &repaired, first_added, "", true, NULL, err)) {
            return false;
        }
    }
    if (!giq_geos_unite(g, &repaired, err)) {
        return false;
    }
    giq_rings_truncate(rings, first);
    return giq_rings_add_all(rings, &repaired, 0) || giq_fail_memory(err);
}

bool giq_geos_check_or_repair(struct giq_geos *g, struct giq_rings *rings, size_t first,
                              const char *what, bool repairs, bool *out_valid,
                              struct giq_error *err)
{
    GEOSGeometry *area = giq_geos_parts_multipolygon(g, rings, first, err);
    if (area == NULL) {
        return false;
    }
    bool is_valid = false;
    bool ok = check(g, area, what, repairs, &is_valid, err);
    GEOSGeom_destroy_r(g->handle, area);
    if (!ok) {
        return false;
    }
    if (out_valid != NULL) {
        *out_valid = is_valid;
    }
    if (is_valid) {
        return true;
    }
    if (rings->polygons - first > 1) {
        return repair(g, rings, first, err);
    }
    return repair_polygon(g, rings, first, err);
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
    GEOSGeometry *area = giq_geos_parts_polygon(g, rings, polygon);
    if (area == NULL) {
        return giq_fail_memory(err);
    }
    GEOSGeometry *point = GEOSPointOnSurface_r(g->handle, area);
    GEOSGeom_destroy_r(g->handle, area);
    bool ok = point != NULL && GEOSGeomGetX_r(g->handle, point, &out_xy[0]) == 1 &&
              GEOSGeomGetY_r(g->handle, point, &out_xy[1]) == 1;
    GEOSGeom_destroy_r(g->handle, point);
    return ok || giq_geos_parts_fail(g, "checked", err);
}

/* The return values of GEOSPreparedIntersects_r(). */
enum { POINT_OUTSIDE = 0, POINT_INSIDE = 1, POINT_FAILED = 2 };

/* Whether a point lies in the area or on its edge. */
static char locate(struct giq_geos *g, const GEOSPreparedGeometry *area,
                   const double xy[2])
{
    GEOSGeometry *point = make_point(g, xy);
    if (point == NULL) {
        return POINT_FAILED;
    }
    char rc = GEOSPreparedIntersects_r(g->handle, area, point);
    GEOSGeom_destroy_r(g->handle, point);
    return rc;
}

bool giq_geos_find_exterior(struct giq_geos *g, const struct giq_rings *rings,
                            const double *xy, size_t count, size_t *out,
                            struct giq_error *err)
{
    GEOSGeometry *area = giq_geos_parts_multipolygon(g, rings, 0, err);
    if (area == NULL) {
        return false;
    }
    /* Even for one point the index of a prepared area costs less than GEOSIntersects_r().
     */
    const GEOSPreparedGeometry *prepared = GEOSPrepare_r(g->handle, area);
    char rc = prepared == NULL ? POINT_FAILED : POINT_INSIDE;
    size_t i = 0;
    while (rc == POINT_INSIDE && i < count) {
        rc = locate(g, prepared, xy + 2 * i);
        if (rc == POINT_INSIDE) {
            i++;
        }
    }
    GEOSPreparedGeom_destroy_r(g->handle, prepared);
    GEOSGeom_destroy_r(g->handle, area);
    *out = i;
    return rc == POINT_INSIDE || rc == POINT_OUTSIDE ||
           giq_geos_parts_fail(g, "checked", err);
}

/* ---- prepared areas ---- */

struct giq_geos_prepared {
    struct giq_geos *geos;
    GEOSGeometry *area;
    const GEOSPreparedGeometry *index; /* of `area` */
};

bool giq_geos_prepare(struct giq_geos *g, const struct giq_rings *rings,
                      struct giq_geos_prepared **out, struct giq_error *err)
{
    struct giq_geos_prepared *prepared = calloc(1, sizeof *prepared);
    if (prepared == NULL) {
        return giq_fail_memory(err);
    }
    prepared->geos = g;
    prepared->area = giq_geos_parts_multipolygon(g, rings, 0, err);
    if (prepared->area == NULL) {
        giq_geos_prepared_free(prepared);
        return false;
    }
    prepared->index = GEOSPrepare_r(g->handle, prepared->area);
    if (prepared->index == NULL) {
        giq_geos_prepared_free(prepared);
        return giq_geos_parts_fail(g, "indexed", err);
    }
    *out = prepared;
    return true;
}

void giq_geos_prepared_free(struct giq_geos_prepared *prepared)
{
    if (prepared != NULL) {
        GEOSPreparedGeom_destroy_r(prepared->geos->handle, prepared->index);
        GEOSGeom_destroy_r(prepared->geos->handle, prepared->area);
        free(prepared);
    }
}

bool giq_geos_prepared_intersects(const struct giq_geos_prepared *prepared,
                                  const struct giq_rings *rings, bool *out,
                                  struct giq_error *err)
{
    struct giq_geos *g = prepared->geos;
    GEOSGeometry *other = giq_geos_parts_multipolygon(g, rings, 0, err);
    if (other == NULL) {
        return false;
    }
    char rc = GEOSPreparedIntersects_r(g->handle, prepared->index, other);
    GEOSGeom_destroy_r(g->handle, other);
    if (rc != 0 && rc != 1) {
        return giq_geos_parts_fail(g, "compared", err);
    }
    *out = rc == 1;
    return true;
}

/* ---- overlay and normal form ---- */

typedef GEOSGeometry *overlay(GEOSContextHandle_t, const GEOSGeometry *,
                              const GEOSGeometry *);

static bool combine(struct giq_geos *g, struct giq_rings *rings,
                    const struct giq_rings *other, overlay *how, struct giq_error *err)
{
    GEOSGeometry *a = giq_geos_parts_multipolygon(g, rings, 0, err);
    if (a == NULL) {
        return false;
    }
    GEOSGeometry *b = giq_geos_parts_multipolygon(g, other, 0, err);
    GEOSGeometry *combined = b == NULL ? NULL : how(g->handle, a, b);
    bool ok = b != NULL && giq_geos_parts_take(g, combined, "cut", rings, 0, err);
    GEOSGeom_destroy_r(g->handle, b);
    GEOSGeom_destroy_r(g->handle, a);
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
    GEOSGeometry *area = giq_geos_parts_multipolygon(g, rings, 0, err);
    if (area == NULL) {
        return false;
    }
    if (GEOSNormalize_r(g->handle, area) != 0) {
        GEOSGeom_destroy_r(g->handle, area);
        area = NULL;
    }
    return giq_geos_parts_take(g, area, "normalised", rings, 0, err);
}
