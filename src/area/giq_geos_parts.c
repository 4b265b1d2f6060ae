/* Conversion between rings and geometries of GEOS, and its errors. */
#include "area/giq_geos_parts.h"

#include <math.h>
#include <stdlib.h>

#include "base/giq_text.h"

/* ---- to GEOS ---- */

static GEOSGeometry *make_ring(struct giq_geos *g, const struct giq_rings *rings,
                               size_t ring)
{
    size_t count = 0;
    const double *xy = giq_rings_points(rings, ring, &count);
    GEOSCoordSequence *points =
        GEOSCoordSeq_copyFromBuffer_r(g->handle, xy, (unsigned)count, 0, 0);
    return points == NULL ? NULL : GEOSGeom_createLinearRing_r(g->handle, points);
}

GEOSGeometry **giq_geos_parts_list(struct giq_geos *g, const struct giq_rings *rings,
                                   size_t first, size_t count, giq_geos_parts_maker *make)
{
    /* One more than needed, because calloc() may return NULL for 0. */
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

GEOSGeometry *giq_geos_parts_polygon(struct giq_geos *g, const struct giq_rings *rings,
                                     size_t polygon)
{
    size_t first = giq_rings_first_ring(rings, polygon);
    size_t holes = rings->polygon_end[polygon] - first - 1;
    GEOSGeometry *shell = make_ring(g, rings, first);
    if (shell == NULL) {
        return NULL;
    }
    GIQ_AUTO_FREE GEOSGeometry **list =
        giq_geos_parts_list(g, rings, first + 1, holes, make_ring);
    if (list == NULL) {
        GEOSGeom_destroy_r(g->handle, shell);
        return NULL;
    }
    return GEOSGeom_createPolygon_r(g->handle, shell, list, (unsigned)holes);
}

GEOSGeometry *giq_geos_parts_multipolygon(struct giq_geos *g,
                                          const struct giq_rings *rings, size_t first,
                                          struct giq_error *err)
{
    size_t count = rings->polygons - first;
    GIQ_AUTO_FREE GEOSGeometry **list =
        giq_geos_parts_list(g, rings, first, count, giq_geos_parts_polygon);
    GEOSGeometry *made = list == NULL
                             ? NULL
                             : GEOSGeom_createCollection_r(g->handle, GEOS_MULTIPOLYGON,
                                                           list, (unsigned)count);
    if (made == NULL) {
        (void)giq_fail_memory(err);
    }
    return made;
}

/* ---- from GEOS; false when out of memory ---- */

static bool add_ring(struct giq_geos *g, const GEOSGeometry *ring, struct giq_rings *out)
{
    const GEOSCoordSequence *points =
        ring == NULL ? NULL : GEOSGeom_getCoordSeq_r(g->handle, ring);
    unsigned count = 0;
    if (points == NULL || GEOSCoordSeq_getSize_r(g->handle, points, &count) == 0) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        double x = NAN;
        double y = NAN;
        if (GEOSCoordSeq_getXY_r(g->handle, points, i, &x, &y) == 0 ||
            !giq_rings_add_point(out, x, y)) {
            return false;
        }
    }
    return giq_rings_end_ring(out);
}

static bool add_polygon(struct giq_geos *g, const GEOSGeometry *polygon,
                        struct giq_rings *out)
{
    if (GEOSisEmpty_r(g->handle, polygon) == 1) {
        return true;
    }
    if (!add_ring(g, GEOSGetExteriorRing_r(g->handle, polygon), out)) {
        return false;
    }
    int holes = GEOSGetNumInteriorRings_r(g->handle, polygon);
    for (int i = 0; i < holes; i++) {
        if (!add_ring(g, GEOSGetInteriorRingN_r(g->handle, polygon, i), out)) {
            return false;
        }
    }
    return giq_rings_end_polygon(out);
}

static bool add_polygons(struct giq_geos *g, const GEOSGeometry *geometry,
                         struct giq_rings *out)
{
    int type = GEOSGeomTypeId_r(g->handle, geometry);
    if (type == GEOS_POLYGON) {
        return add_polygon(g, geometry, out);
    }
    bool has_parts = type == GEOS_MULTIPOLYGON || type == GEOS_GEOMETRYCOLLECTION;
    int count = has_parts ? GEOSGetNumGeometries_r(g->handle, geometry) : 0;
    for (int i = 0; i < count; i++) {
        if (!add_polygons(g, GEOSGetGeometryN_r(g->handle, geometry, i), out)) {
            return false;
        }
    }
    return true;
}

bool giq_geos_parts_fail(struct giq_geos *g, const char *action, struct giq_error *err)
{
    struct giq_printable reason;
    (void)giq_text_printable(g->message[0] == '\0' ? "GEOS gave no reason" : g->message,
                             &reason);
    g->message[0] = '\0';
    return giq_fail(err, GIQ_E_AREA, "the area cannot be %s: %s", action, reason.text);
}

bool giq_geos_parts_take(struct giq_geos *g, GEOSGeometry *geometry, const char *action,
                         struct giq_rings *rings, size_t first, struct giq_error *err)
{
    if (geometry == NULL) {
        return giq_geos_parts_fail(g, action, err);
    }
    giq_rings_truncate(rings, first);
    bool ok = add_polygons(g, geometry, rings);
    GEOSGeom_destroy_r(g->handle, geometry);
    return ok || giq_fail_memory(err);
}
