/*
 * An area goes through these steps: its text is checked (GEOS reads more than
 * WKT), read by GEOS, checked for validity, rounded to whole units of 1e-7
 * degree, checked again, normalised by GEOS and written from those units.
 */
#include <ctype.h>
#include <geos_c.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "giq_buf.h"
#include "giq_error.h"
#include "giq_text.h"

enum {
    VERTICES_MAX = 1000000,
    WKT_MAX = 64 * 1024 * 1024,
    DEPTH_MAX = 4,       /* parentheses: MULTIPOLYGON(((… */
    ROUNDS_MAX = 3,      /* of repairing what rounding broke */
    REASON_SIZE = 128,   /* words of GEOS */
    UNITS = 10000000,    /* of a degree; one is 11 mm at the equator */
    SHOWN_MAX = 1000000, /* beyond it a coordinate is shown by its size */
};

struct geom {
    GEOSContextHandle_t geos;
    char message[REASON_SIZE]; /* the last of GEOS's */
    unsigned flags;
    struct giq_error *err;
};

static bool fail(struct geom *g, const char *what)
{
    struct giq_shown reason;
    return giq_fail(g->err, GIQ_E_AREA, "%s%s%s", what, g->message[0] == '\0' ? "" : ": ",
                    giq_text_show(g->message, &reason));
}

static void keep_message(const char *message, void *ctx)
{
    struct geom *g = ctx;
    (void)snprintf(g->message, sizeof g->message, "%s", message);
}

/* ---- text ---- */

/* GEOS's reader takes text after the geometry, and recurses for each '('. */
static bool check_text(struct geom *g, const char *wkt)
{
    size_t len = strnlen(wkt, (size_t)WKT_MAX + 1);
    int depth = 0;
    bool closed = false;
    if (len > WKT_MAX) {
        return giq_fail(g->err, GIQ_E_AREA, "the area is longer than %d bytes", WKT_MAX);
    }
    if (giq_text_begins(wkt, "SRID=")) {
        return giq_fail(g->err, GIQ_E_AREA,
                        "an area with SRID= is not in this version; give longitude and "
                        "latitude in degrees without it");
    }
    for (const char *at = wkt; *at != '\0'; at++) {
        if (closed && !isspace((unsigned char)*at)) {
            struct giq_shown shown;
            return giq_fail(g->err, GIQ_E_AREA, "text after the end of the area: \"%s\"",
                            giq_text_show(at, &shown));
        }
        depth += (*at == '(') - (*at == ')');
        closed = closed || (*at == ')' && depth == 0);
        if (depth > DEPTH_MAX || depth < 0) {
            return giq_fail(g->err, GIQ_E_AREA,
                            "the parentheses of the area are not those of a POLYGON or "
                            "MULTIPOLYGON");
        }
    }
    return true;
}

/* GEOS 3.11 reads numbers as the host's locale writes them. */
static GEOSGeometry *read_text(struct geom *g, const char *wkt)
{
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0) {
        (void)giq_fail_memory(g->err);
        return NULL;
    }
    locale_t before = uselocale(plain);
    GEOSWKTReader *reader = GEOSWKTReader_create_r(g->geos);
    GEOSGeometry *geometry =
        reader == NULL ? NULL : GEOSWKTReader_read_r(g->geos, reader, wkt);
    if (reader != NULL) {
        GEOSWKTReader_destroy_r(g->geos, reader);
    }
    (void)uselocale(before);
    freelocale(plain);
    if (geometry == NULL) {
        (void)fail(g, "the area cannot be read as WKT");
    }
    return geometry;
}

/* ---- numbers, with a point in every locale ---- */

struct number {
    char text[32];
};

struct place {
    char text[2 * sizeof(struct number)];
};

static const char *show_units(int64_t units, struct number *out)
{
    const char *sign = units < 0 ? "-" : "";
    int64_t size = units < 0 ? -units : units;
    int len = snprintf(out->text, sizeof out->text, "%s%" PRId64 ".%07" PRId64, sign,
                       size / UNITS, size % UNITS);
    while (out->text[len - 1] == '0') {
        out->text[--len] = '\0';
    }
    if (out->text[len - 1] == '.') {
        out->text[--len] = '\0';
    }
    return out->text;
}

static const char *show_place(double x, double y, struct place *out)
{
    const double shown[2] = {x, y};
    struct number number[2];
    for (int i = 0; i < 2; i++) {
        if (fabs(shown[i]) < SHOWN_MAX) {
            (void)show_units(llround(shown[i] * UNITS), &number[i]);
        } else {
            (void)snprintf(number[i].text, sizeof number[i].text, "%.0e", shown[i]);
        }
    }
    (void)snprintf(out->text, sizeof out->text, "%s %s", number[0].text, number[1].text);
    return out->text;
}

/* ---- coordinates ---- */

static double round_unit(double degrees)
{
    return (double)llround(degrees * UNITS) / UNITS;
}

static bool check_point(struct geom *g, double x, double y)
{
    if (!isfinite(x) || !isfinite(y)) {
        return giq_fail(g->err, GIQ_E_AREA,
                        "the area has a coordinate that is no number");
    }
    if (fabs(x) > 180 || fabs(y) > 90) {
        struct place place;
        return giq_fail(g->err, GIQ_E_AREA,
                        "the area has the point %s, which is out of range: x is the "
                        "longitude (-180 to 180), y the latitude (-90 to 90) in degrees",
                        show_place(x, y, &place));
    }
    return true;
}

/* Copy a ring in two dimensions, without repeated points. NULL and no error where
 * fewer than four points are left. */
static GEOSGeometry *copy_ring(struct geom *g, const GEOSGeometry *ring, bool round,
                               bool *ok)
{
    const GEOSCoordSequence *from = GEOSGeom_getCoordSeq_r(g->geos, ring);
    unsigned count = 0;
    *ok = from != NULL && GEOSCoordSeq_getSize_r(g->geos, from, &count) != 0;
    double *xy = *ok ? malloc(2 * sizeof *xy * (count + 1)) : NULL;
    if (xy == NULL) {
        *ok = giq_fail_memory(g->err);
        return NULL;
    }
    unsigned kept = 0;
    for (unsigned i = 0; *ok && i < count; i++) {
        double x = NAN;
        double y = NAN;
        (void)GEOSCoordSeq_getXY_r(g->geos, from, i, &x, &y);
        *ok = check_point(g, x, y);
        x = round ? round_unit(x) : x;
        y = round ? round_unit(y) : y;
        if (kept == 0 || xy[2 * kept - 2] != x || xy[2 * kept - 1] != y) {
            xy[2 * kept] = x;
            xy[2 * kept + 1] = y;
            kept++;
        }
    }
    GEOSCoordSequence *made =
        *ok && kept >= 4 ? GEOSCoordSeq_copyFromBuffer_r(g->geos, xy, kept, 0, 0) : NULL;
    free(xy);
    return made == NULL ? NULL : GEOSGeom_createLinearRing_r(g->geos, made);
}

static void destroy_all(struct geom *g, GEOSGeometry **list, int count)
{
    for (int i = 0; i < count; i++) {
        GEOSGeom_destroy_r(g->geos, list[i]);
    }
    free(list);
}

/* The holes of `polygon` that are still there when copied. */
static GEOSGeometry **copy_holes(struct geom *g, const GEOSGeometry *polygon, bool round,
                                 int *out_count, bool *ok)
{
    int count = GEOSGetNumInteriorRings_r(g->geos, polygon);
    GEOSGeometry **holes = calloc((size_t)(count < 0 ? 0 : count) + 1, sizeof *holes);
    int kept = 0;
    if (holes == NULL) {
        *ok = giq_fail_memory(g->err);
        return NULL;
    }
    for (int i = 0; *ok && i < count; i++) {
        const GEOSGeometry *ring = GEOSGetInteriorRingN_r(g->geos, polygon, i);
        holes[kept] = copy_ring(g, ring, round, ok);
        kept += holes[kept] != NULL;
    }
    *out_count = kept;
    return holes;
}

/* NULL without an error where the polygon is empty, or vanished in rounding and
 * may. */
static GEOSGeometry *copy_polygon(struct geom *g, const GEOSGeometry *polygon, bool round,
                                  bool *ok)
{
    *ok = true;
    if (GEOSisEmpty_r(g->geos, polygon) == 1) {
        return NULL;
    }
    GEOSGeometry *shell =
        copy_ring(g, GEOSGetExteriorRing_r(g->geos, polygon), round, ok);
    if (shell == NULL) {
        if (*ok && !(g->flags & GIQ_GEOM_MAKE_VALID)) {
            *ok = giq_fail(g->err, GIQ_E_AREA,
                           "a polygon of the area has fewer than three different points "
                           "at 7 decimals; MAKE_VALID=YES drops it");
        }
        return NULL;
    }
    int count = 0;
    GEOSGeometry **holes = copy_holes(g, polygon, round, &count, ok);
    if (!*ok) {
        GEOSGeom_destroy_r(g->geos, shell);
        destroy_all(g, holes, holes == NULL ? 0 : count);
        return NULL;
    }
    GEOSGeometry *made = GEOSGeom_createPolygon_r(g->geos, shell, holes, (unsigned)count);
    free(holes);
    *ok = made != NULL || giq_fail_memory(g->err);
    return made;
}

static int part_count(struct geom *g, const GEOSGeometry *area)
{
    int count = GEOSGetNumGeometries_r(g->geos, area);
    return count < 0 ? 0 : count;
}

/* A MULTIPOLYGON of the polygons of `area`, copied; other parts (lines that a
 * repair left) are passed over. */
static GEOSGeometry *copy_area(struct geom *g, const GEOSGeometry *area, bool round)
{
    int count = part_count(g, area);
    GEOSGeometry **parts = calloc((size_t)count + 1, sizeof(GEOSGeometry *));
    bool ok = parts != NULL || giq_fail_memory(g->err);
    int kept = 0;
    for (int i = 0; ok && i < count; i++) {
        const GEOSGeometry *part = GEOSGetGeometryN_r(g->geos, area, i);
        if (GEOSGeomTypeId_r(g->geos, part) == GEOS_POLYGON) {
            parts[kept] = copy_polygon(g, part, round, &ok);
            kept += parts[kept] != NULL;
        }
    }
    if (ok && kept == 0) {
        ok = giq_fail(g->err, GIQ_E_AREA, "the area is empty");
    }
    if (!ok) {
        destroy_all(g, parts, kept);
        return NULL;
    }
    GEOSGeometry *made =
        GEOSGeom_createCollection_r(g->geos, GEOS_MULTIPOLYGON, parts, (unsigned)kept);
    free(parts);
    if (made == NULL) {
        (void)giq_fail_memory(g->err);
    }
    return made;
}

/* ---- validity ---- */

static bool fail_invalid(struct geom *g, const char *reason, const GEOSGeometry *at,
                         bool rounded)
{
    double x = NAN;
    double y = NAN;
    struct place place;
    struct giq_shown shown;
    bool placed = at != NULL && GEOSGeomGetX_r(g->geos, at, &x) == 1 &&
                  GEOSGeomGetY_r(g->geos, at, &y) == 1;
    return giq_fail(
        g->err, GIQ_E_AREA, "the area is not valid%s: %s%s%s; MAKE_VALID=YES repairs it",
        rounded ? " once rounded to 7 decimals" : "", giq_text_show(reason, &shown),
        placed ? " at " : "", placed ? show_place(x, y, &place) : "");
}

/* Whether `area` is valid. An area that is not is an error, unless repairs are
 * wanted. */
static bool check_valid(struct geom *g, const GEOSGeometry *area, bool rounded,
                        bool *out_valid)
{
    char *reason = NULL;
    GEOSGeometry *at = NULL;
    char rc = GEOSisValidDetail_r(g->geos, area, 0, &reason, &at);
    bool ok = rc == 1 || (rc == 0 && (g->flags & GIQ_GEOM_MAKE_VALID));
    if (rc == 0 && !ok) {
        (void)fail_invalid(g, reason == NULL ? "invalid" : reason, at, rounded);
    } else if (!ok) {
        (void)fail(g, "the validity of the area cannot be told");
    }
    GEOSFree_r(g->geos, reason);
    if (at != NULL) {
        GEOSGeom_destroy_r(g->geos, at);
    }
    *out_valid = rc == 1;
    return ok;
}

/* Replace `*area` by its repaired form. */
static bool repair(struct geom *g, GEOSGeometry **area)
{
    GEOSGeometry *valid = GEOSMakeValid_r(g->geos, *area);
    if (valid == NULL) {
        return fail(g, "the area cannot be repaired");
    }
    GEOSGeom_destroy_r(g->geos, *area);
    *area = valid;
    return true;
}

/* Replace `*area` by its copy. */
static bool renew(struct geom *g, GEOSGeometry **area, bool round)
{
    GEOSGeometry *made = copy_area(g, *area, round);
    if (made == NULL) {
        return false;
    }
    GEOSGeom_destroy_r(g->geos, *area);
    *area = made;
    return true;
}

/* Rounding may make an area invalid, and repairing it leaves new points to round. */
static bool round_area(struct geom *g, GEOSGeometry **area)
{
    for (int i = 0; i < ROUNDS_MAX; i++) {
        bool valid = false;
        if (!renew(g, area, true) || !check_valid(g, *area, true, &valid)) {
            return false;
        }
        if (valid) {
            return true;
        }
        if (!repair(g, area)) {
            return false;
        }
    }
    return giq_fail(g->err, GIQ_E_AREA,
                    "the area cannot be made valid at 7 decimals; simplify it");
}

/* ---- writing ---- */

static bool write_ring(struct geom *g, const GEOSGeometry *ring, struct giq_buf *out)
{
    const GEOSCoordSequence *points = GEOSGeom_getCoordSeq_r(g->geos, ring);
    unsigned count = 0;
    bool ok = points != NULL && GEOSCoordSeq_getSize_r(g->geos, points, &count) != 0;
    for (unsigned i = 0; ok && i < count; i++) {
        double x = 0;
        double y = 0;
        struct number nx;
        struct number ny;
        ok = GEOSCoordSeq_getXY_r(g->geos, points, i, &x, &y) != 0 &&
             giq_buf_addf(out, "%s%s %s", i == 0 ? "(" : ",",
                          show_units(llround(x * UNITS), &nx),
                          show_units(llround(y * UNITS), &ny));
    }
    return ok && giq_buf_add_text(out, ")");
}

static bool write_polygon(struct geom *g, const GEOSGeometry *polygon,
                          struct giq_buf *out)
{
    int holes = GEOSGetNumInteriorRings_r(g->geos, polygon);
    bool ok = giq_buf_add_text(out, "(") &&
              write_ring(g, GEOSGetExteriorRing_r(g->geos, polygon), out);
    for (int i = 0; ok && i < holes; i++) {
        ok = giq_buf_add_text(out, ",") &&
             write_ring(g, GEOSGetInteriorRingN_r(g->geos, polygon, i), out);
    }
    return ok && giq_buf_add_text(out, ")");
}

static bool write_area(struct geom *g, const GEOSGeometry *area, char **out)
{
    struct giq_buf text;
    giq_buf_init(&text, WKT_MAX);
    int count = part_count(g, area);
    bool ok = giq_buf_add_text(&text, count == 1 ? "POLYGON" : "MULTIPOLYGON(");
    for (int i = 0; ok && i < count; i++) {
        ok = (i == 0 || giq_buf_add_text(&text, ",")) &&
             write_polygon(g, GEOSGetGeometryN_r(g->geos, area, i), &text);
    }
    ok = ok && (count == 1 || giq_buf_add_text(&text, ")"));
    if (!ok) {
        giq_buf_release(&text);
        return giq_fail_memory(g->err);
    }
    *out = giq_buf_take(&text);
    return true;
}

/* ---- the whole ---- */

static bool check_kind(struct geom *g, const GEOSGeometry *area)
{
    int type = GEOSGeomTypeId_r(g->geos, area);
    if (type != GEOS_POLYGON && type != GEOS_MULTIPOLYGON) {
        char *name = GEOSGeomType_r(g->geos, area);
        struct giq_shown shown;
        (void)giq_fail(g->err, GIQ_E_AREA,
                       "the area is a %s; it must be a POLYGON or MULTIPOLYGON",
                       giq_text_show(name, &shown));
        GEOSFree_r(g->geos, name);
        return false;
    }
    if (GEOSGetNumCoordinates_r(g->geos, area) > VERTICES_MAX) {
        return giq_fail(g->err, GIQ_E_AREA,
                        "the area has more than %d points; simplify it", VERTICES_MAX);
    }
    return true;
}

static bool normalise(struct geom *g, GEOSGeometry *area)
{
    return GEOSNormalize_r(g->geos, area) == 0 ||
           fail(g, "the area cannot be normalised");
}

static bool make_area(struct geom *g, const char *wkt, char **out)
{
    GEOSGeometry *area = check_text(g, wkt) ? read_text(g, wkt) : NULL;
    if (area == NULL) {
        return false;
    }
    bool valid = false;
    bool ok = check_kind(g, area) && renew(g, &area, false) &&
              check_valid(g, area, false, &valid) && (valid || repair(g, &area)) &&
              round_area(g, &area) && normalise(g, area) && write_area(g, area, out);
    GEOSGeom_destroy_r(g->geos, area);
    return ok;
}

bool giq_geom_area(const char *wkt, unsigned flags, char **out_wkt, struct giq_error *err)
{
    struct geom g = {.geos = GEOS_init_r(), .flags = flags, .err = err};
    if (g.geos == NULL) {
        return giq_fail_memory(err);
    }
    (void)GEOSContext_setErrorMessageHandler_r(g.geos, keep_message, &g);
    bool ok = make_area(&g, wkt, out_wkt);
    GEOS_finish_r(g.geos);
    return ok;
}
