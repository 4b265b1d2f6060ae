/*
 * Reads, checks and normalises areas. An area goes through these steps: its polygons are
 * collected and checked for validity, united where they may overlap, projected to
 * longitude and latitude, rounded, cut at the antimeridian, rounded and checked again,
 * normalised and written.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "giq/geom.h"

#include "area/giq_antimeridian.h"
#include "area/giq_ellipsoid.h"
#include "area/giq_geos.h"
#include "area/giq_geos_unite.h"
#include "area/giq_rings.h"
#include "area/giq_witness.h"
#include "area/giq_wkt.h"
#include "base/giq_error.h"
#include "base/giq_text.h"

enum {
    /* The driver's own limits, for its memory; the service states none. */
    VERTICES_MAX = 1000000, /* points of an area that is sent */
    READ_MAX = 20000000,    /* points to read, before polygons are united */
    /* Repairing what rounding broke adds points, which are rounded in turn. */
    ROUNDING_ATTEMPTS_MAX = 3,
    /* A projected ring around a pole may begin at any longitude and spans two turns, see
     * giq_sphere_is_drawn_twice(). */
    POLE_LONGITUDE_MAX = GIQ_RINGS_HALF_TURN + 2 * GIQ_RINGS_TURN,
    SQUARE_METRES_PER_KM2 = 1000000,
};

struct giq_geom {
    struct giq_geos *geos;
    unsigned flags;
    int longitude_max;      /* in degrees, before the area is cut */
    struct giq_rings rings; /* the area so far */
    bool is_united;         /* the area is the union of several polygons */
    bool is_projected;
    struct giq_witness *witness; /* NULL if the area is neither projected nor cut */
};

bool giq_geom_new(unsigned flags, struct giq_geom **out, struct giq_error *err)
{
    struct giq_geom *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_geos_new(&g->geos, err)) {
        free(g);
        return false;
    }
    g->flags = flags;
    g->longitude_max = GIQ_RINGS_HALF_TURN;
    *out = g;
    return true;
}

void giq_geom_free(struct giq_geom *g)
{
    if (g != NULL) {
        giq_rings_release(&g->rings);
        giq_witness_free(g->witness);
        giq_geos_free(g->geos);
        free(g);
    }
}

void giq_geom_set_env(struct giq_geom *g, const struct giq_env *env)
{
    giq_geos_set_env(g->geos, env);
}

/* Whether coordinates of any system are sent as they are. */
static bool keeps_coordinates(const struct giq_geom *g)
{
    return (g->flags & GIQ_GEOM_AS_IS) != 0;
}

static bool makes_valid(const struct giq_geom *g)
{
    return (g->flags & GIQ_GEOM_MAKE_VALID) != 0;
}

/* ---- checks ---- */

static bool fail_many_points(size_t count, int most, struct giq_error *err)
{
    return giq_fail(
        err, GIQ_E_AREA,
        "the area has %zu points, more than %d: simplify it, for example with "
        "ogr2ogr -simplify <tolerance> simple.gpkg <dataset>, and use the result as AOI",
        count, most);
}

static bool fail_empty(struct giq_error *err)
{
    return giq_fail(err, GIQ_E_AREA,
                    "the area is empty: it contains no polygon that encloses an area");
}

/* Fail if polygons were dropped because they enclose nothing, unless MAKE_VALID allows
 * it. Resets their number. */
static bool check_collapsed(struct giq_geom *g, const char *what, const char *when,
                            struct giq_error *err)
{
    size_t collapsed = g->rings.collapsed;
    g->rings.collapsed = 0;
    if (collapsed == 0 || makes_valid(g)) {
        return true;
    }
    return giq_fail(err, GIQ_E_AREA, "%s encloses no area%s; MAKE_VALID=YES drops it",
                    what, when);
}

static bool fail_large_coordinate(double x, double y, struct giq_error *err)
{
    struct giq_location location;
    return giq_fail(err, GIQ_E_AREA,
                    "the area has the point %s; coordinates must be between -%d and %d, "
                    "so that they keep 7 decimals",
                    giq_wkt_print_location(x, y, &location), GIQ_RINGS_COORDINATE_MAX,
                    GIQ_RINGS_COORDINATE_MAX);
}

static bool fail_point(const struct giq_geom *g, double x, double y,
                       struct giq_error *err)
{
    if (keeps_coordinates(g)) {
        return fail_large_coordinate(x, y, err);
    }
    struct giq_location location;
    (void)giq_wkt_print_location(x, y, &location);
    if (fabs(x) <= GIQ_RINGS_TURN && fabs(y) <= GIQ_RINGS_LATITUDE_MAX) {
        return giq_fail(err, GIQ_E_AREA,
                        "the area has the point %s, which is beyond the antimeridian: "
                        "begin the area with \"SRID=4326;\" to have it cut there, or use "
                        "a BBOX with minx > maxx",
                        location.text);
    }
    return giq_fail(
        err, GIQ_E_AREA,
        "the area has the point %s, which is out of range: x is the longitude "
        "(-%d to %d), y the latitude (-90 to 90) in degrees. Coordinates "
        "in another system need \"SRID=<code>;\" before them, or "
        "GEOMETRY_CRS=AS_IS",
        location.text, g->longitude_max, g->longitude_max);
}

/* Whether the absolute value of a coordinate exceeds `most` once it is rounded. A
 * coordinate far beyond the limit is not rounded: its number of units might not fit an
 * integer. */
static bool is_beyond(double coordinate, int most)
{
    double size = fabs(coordinate);
    return size > most &&
           (size > most + 1 ||
            giq_rings_to_units(size) > (int64_t)most * GIQ_RINGS_UNITS_PER_DEGREE);
}

static bool check_range(const struct giq_geom *g, struct giq_error *err)
{
    int x_max = keeps_coordinates(g) ? GIQ_RINGS_COORDINATE_MAX : g->longitude_max;
    int y_max = keeps_coordinates(g) ? GIQ_RINGS_COORDINATE_MAX : GIQ_RINGS_LATITUDE_MAX;
    for (size_t i = 0; i < g->rings.points; i++) {
        const double *xy = g->rings.xy + 2 * i;
        if (is_beyond(xy[0], x_max) || is_beyond(xy[1], y_max)) {
            return fail_point(g, xy[0], xy[1], err);
        }
    }
    return true;
}

/* Refuse edges that span more than half the world: they were most likely meant to cross
 * the antimeridian, and a job for the wrong area would be paid for. An edge of a whole
 * turn or more is allowed: it belongs to an area that has all longitudes. `half_turn` is
 * 180 degrees in the unit of x. */
static bool check_edges(const struct giq_geom *g, double half_turn, struct giq_error *err)
{
    for (size_t ring = 0; ring < g->rings.rings; ring++) {
        size_t count = 0;
        const double *xy = giq_rings_points(&g->rings, ring, &count);
        for (size_t i = 1; i < count; i++) {
            double half_turns = fabs(xy[2 * i] - xy[2 * i - 2]) / half_turn;
            double units =
                round(half_turns * GIQ_RINGS_HALF_TURN * GIQ_RINGS_UNITS_PER_DEGREE);
            if (units > (double)GIQ_RINGS_HALF_TURN * GIQ_RINGS_UNITS_PER_DEGREE &&
                units < (double)GIQ_RINGS_TURN * GIQ_RINGS_UNITS_PER_DEGREE) {
                struct giq_location from;
                struct giq_location to;
                return giq_fail(
                    err, GIQ_E_AREA,
                    "the area has an edge from %s to %s, which spans more than half the "
                    "world. To cross the antimeridian use longitudes beyond 180 "
                    "(SRID=4326;POLYGON((179 0,181 0,...))) or a BBOX with minx > maxx; "
                    "if the long way is meant, add a point in between",
                    giq_wkt_print_location(xy[2 * i - 2], xy[2 * i - 1], &from),
                    giq_wkt_print_location(xy[2 * i], xy[2 * i + 1], &to));
            }
        }
    }
    return true;
}

/* ---- reading ---- */

bool giq_geom_add_wkt(struct giq_geom *g, const char *wkt, struct giq_error *err)
{
    if (!giq_wkt_read(wkt, &g->rings, err) ||
        !check_collapsed(g, "a polygon of the area", "", err)) {
        return false;
    }
    if (g->rings.polygons == 0) {
        return fail_empty(err);
    }
    if (giq_rings_vertex_count(&g->rings) > VERTICES_MAX) {
        return fail_many_points(giq_rings_vertex_count(&g->rings), VERTICES_MAX, err);
    }
    return giq_geos_check_or_repair(g->geos, &g->rings, 0, "the area is not valid",
                                    makes_valid(g), NULL, err);
}

static bool check_point(double x, double y, struct giq_error *err)
{
    if (!isfinite(x) || !isfinite(y)) {
        return giq_fail(err, GIQ_E_AREA,
                        "the area has a coordinate that is not a finite number");
    }
    return fmax(fabs(x), fabs(y)) <= GIQ_RINGS_COORDINATE_MAX ||
           fail_large_coordinate(x, y, err);
}

bool giq_geom_add_ring(struct giq_geom *g, const double *xy, size_t count,
                       struct giq_error *err)
{
    if (g->rings.points + count > READ_MAX) {
        return fail_many_points(g->rings.points + count, READ_MAX, err);
    }
    for (size_t i = 0; i < count; i++) {
        if (!check_point(xy[2 * i], xy[2 * i + 1], err)) {
            return false;
        }
    }
    return giq_rings_add_ring(&g->rings, xy, count) || giq_fail_memory(err);
}

bool giq_geom_end_polygon(struct giq_geom *g, const char *what, struct giq_error *err)
{
    size_t first = g->rings.polygons;
    char text[GIQ_TEXT_PRINTABLE_MAX + sizeof " is not valid"];
    struct giq_printable name;
    (void)snprintf(text, sizeof text, "%s is not valid", giq_text_printable(what, &name));
    if (!giq_rings_end_polygon(&g->rings)) {
        return giq_fail_memory(err);
    }
    if (!check_collapsed(g, name.text, "", err)) {
        return false;
    }
    return g->rings.polygons == first ||
           giq_geos_check_or_repair(g->geos, &g->rings, first, text, makes_valid(g), NULL,
                                    err);
}

bool giq_geom_unite(struct giq_geom *g, struct giq_error *err)
{
    g->is_united = g->rings.polygons > 1;
    if (g->rings.polygons == 0) {
        return fail_empty(err);
    }
    return giq_geos_unite(g->geos, &g->rings, err);
}

/* ---- projecting ---- */

static bool project_ring(const struct giq_projection *projection, const double *xy,
                         size_t count, struct giq_rings *out, struct giq_error *err)
{
    GIQ_AUTO_FREE double *projected = NULL;
    size_t projected_count = 0;
    if (!projection->ring(projection->ctx, xy, count, &projected, &projected_count,
                          err)) {
        return false;
    }
    return giq_rings_add_ring(out, projected, projected_count) || giq_fail_memory(err);
}

static bool project_polygon(const struct giq_rings *rings, size_t polygon,
                            const struct giq_projection *projection,
                            struct giq_rings *out, struct giq_error *err)
{
    size_t ring = giq_rings_first_ring(rings, polygon);
    for (; ring < rings->polygon_end[polygon]; ring++) {
        size_t count = 0;
        const double *xy = giq_rings_points(rings, ring, &count);
        if (!project_ring(projection, xy, count, out, err)) {
            return false;
        }
    }
    return giq_rings_end_polygon(out) || giq_fail_memory(err);
}

static bool project_all(struct giq_geom *g, const struct giq_projection *projection,
                        struct giq_rings *out, struct giq_error *err)
{
    if (!giq_witness_new(&g->witness, err)) {
        return false;
    }
    for (size_t i = 0; i < g->rings.polygons; i++) {
        size_t before = out->polygons;
        if (!project_polygon(&g->rings, i, projection, out, err)) {
            return false;
        }
        if (out->polygons > before && !giq_witness_add(g->witness, g->geos, &g->rings, i,
                                                       out, before, projection, err)) {
            return false;
        }
    }
    return true;
}

/* Make a witness for an area in degrees if it will be cut. */
static bool make_witness_if_cut(struct giq_geom *g, struct giq_error *err)
{
    if (!giq_antimeridian_is_crossed(&g->rings)) {
        return true;
    }
    if (!giq_witness_new(&g->witness, err)) {
        return false;
    }
    for (size_t i = 0; i < g->rings.polygons; i++) {
        if (!giq_witness_add(g->witness, g->geos, &g->rings, i, &g->rings, i, NULL,
                             err)) {
            return false;
        }
    }
    return true;
}

bool giq_geom_project(struct giq_geom *g, const struct giq_projection *projection,
                      struct giq_error *err)
{
    bool is_in_degrees = projection->ring == NULL;
    g->longitude_max = is_in_degrees ? GIQ_RINGS_TURN : POLE_LONGITUDE_MAX;
    if (projection->half_turn > 0 && !check_edges(g, projection->half_turn, err)) {
        return false;
    }
    if (is_in_degrees) {
        return make_witness_if_cut(g, err);
    }
    GIQ_AUTO_RINGS struct giq_rings projected = {0};
    g->is_projected = true;
    if (!project_all(g, projection, &projected, err)) {
        return false;
    }
    giq_rings_move(&g->rings, &projected);
    return true;
}

/* ---- rounding ---- */

/* Replace the area by its rounded copy. With `may_collapse`, polygons that enclose
 * nothing once rounded are dropped without an error: they are parts of a cut area, not
 * polygons of the user. */
static bool round_once(struct giq_geom *g, bool may_collapse, struct giq_error *err)
{
    struct giq_rings rounded = {.rounds = true};
    bool ok = giq_rings_add_all(&rounded, &g->rings, 0);
    giq_rings_release(&g->rings);
    g->rings = rounded;
    g->rings.rounds = false;
    if (!ok) {
        return giq_fail_memory(err);
    }
    if (may_collapse) {
        g->rings.collapsed = 0;
    }
    if (!check_collapsed(g, "a polygon of the area", " at 7 decimals", err)) {
        return false;
    }
    if (g->rings.polygons == 0) {
        return fail_empty(err);
    }
    size_t count = giq_rings_vertex_count(&g->rings);
    return count <= VERTICES_MAX || fail_many_points(count, VERTICES_MAX, err);
}

/* Round the area until it is valid: rounding may make it invalid, and repairing it adds
 * points that are not rounded. */
static bool round_area(struct giq_geom *g, bool may_collapse, struct giq_error *err)
{
    for (int i = 0; i < ROUNDING_ATTEMPTS_MAX; i++) {
        bool valid = false;
        if (!round_once(g, may_collapse, err) ||
            !giq_geos_check_or_repair(g->geos, &g->rings, 0,
                                      "the area is not valid once rounded to 7 decimals",
                                      makes_valid(g), &valid, err)) {
            return false;
        }
        if (valid) {
            return true;
        }
    }
    return giq_fail(err, GIQ_E_AREA,
                    "the area cannot be made valid at 7 decimals; simplify it");
}

/* Whether a hole reaches a pole after projection. In longitude and latitude a pole is an
 * edge, which hole and shell then share, and that is not valid: cutting the area
 * subtracts the hole again. */
static bool has_hole_at_pole(const struct giq_geom *g)
{
    if (!g->is_projected) {
        return false;
    }
    for (size_t i = 0; i < g->rings.polygons; i++) {
        size_t ring = giq_rings_first_ring(&g->rings, i) + 1;
        for (; ring < g->rings.polygon_end[i]; ring++) {
            size_t count = 0;
            const double *xy = giq_rings_points(&g->rings, ring, &count);
            for (size_t at = 0; at < count; at++) {
                /* A projection sets the latitude of a pole to exactly this. */
                if (fabs(xy[2 * at + 1]) == GIQ_RINGS_LATITUDE_MAX) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* ---- writing ---- */

/* Check, round, cut and normalise the area. */
static bool finish(struct giq_geom *g, struct giq_error *err)
{
    bool has_polar_hole = has_hole_at_pole(g);
    if (!check_range(g, err)) {
        return false;
    }
    /* Polygons of a union may touch once they are projected and rounded. That is not an
     * error of the user. With a hole at a pole the cut unites them. */
    if (g->is_united && !has_polar_hole &&
        !giq_geos_unite_if_invalid(g->geos, &g->rings, err)) {
        return false;
    }
    if (!round_once(g, false, err)) {
        return false;
    }
    bool must_cut = !keeps_coordinates(g) &&
                    (has_polar_hole || giq_antimeridian_is_crossed(&g->rings));
    if (must_cut && !giq_antimeridian_cut(g->geos, &g->rings, makes_valid(g), err)) {
        return false;
    }
    if (!round_area(g, must_cut, err)) {
        return false;
    }
    if (g->witness != NULL && !giq_witness_check(g->witness, g->geos, &g->rings, err)) {
        return false;
    }
    return giq_geos_normalise(g->geos, &g->rings, err);
}

static bool write_text(const struct giq_geom *g, char **out_wkt, struct giq_error *err)
{
    char *text = giq_wkt_write(&g->rings);
    if (text == NULL) {
        return giq_fail_memory(err);
    }
    *out_wkt = text;
    return true;
}

bool giq_geom_write(struct giq_geom *g, char **out_wkt, struct giq_error *err)
{
    return finish(g, err) && write_text(g, out_wkt, err);
}

static bool area_from_wkt(struct giq_geom *g, const char *wkt, char **out_wkt,
                          struct giq_error *err)
{
    if (!giq_geom_add_wkt(g, wkt, err) || !finish(g, err)) {
        return false;
    }
    /* After finish(), which reports metres as out of range. */
    if (!keeps_coordinates(g) && !check_edges(g, GIQ_RINGS_HALF_TURN, err)) {
        return false;
    }
    return write_text(g, out_wkt, err);
}

bool giq_geom_area_from_wkt(const char *wkt, unsigned flags, char **out_wkt,
                            struct giq_error *err)
{
    struct giq_geom *g = NULL;
    if (!giq_geom_new(flags, &g, err)) {
        return false;
    }
    bool ok = area_from_wkt(g, wkt, out_wkt, err);
    giq_geom_free(g);
    return ok;
}

/* Whether two coordinates are equal once they are rounded. */
static bool is_same(double a, double b)
{
    return giq_rings_to_units(a) == giq_rings_to_units(b);
}

static bool check_box(const struct giq_geom *g, const double box[4], const char *text,
                      struct giq_error *err)
{
    struct giq_printable printable;
    (void)giq_text_printable(text, &printable);
    bool is_outside = false;
    for (int i = 0; i < 4; i++) {
        is_outside = is_outside || is_beyond(box[i], i % 2 == 0 ? GIQ_RINGS_HALF_TURN
                                                                : GIQ_RINGS_LATITUDE_MAX);
    }
    if (is_outside && !keeps_coordinates(g)) {
        return giq_fail(
            err, GIQ_E_AREA,
            "the BBOX is out of range: minx,miny,maxx,maxy must be degrees, longitudes "
            "from -180 to 180 and latitudes from -90 to 90; to cross the antimeridian "
            "use minx greater than maxx; got \"%s\"",
            printable.text);
    }
    /* With minx > maxx a box in degrees crosses the antimeridian. */
    bool may_cross = !keeps_coordinates(g) && !is_same(box[0], box[2]);
    bool is_x_empty = box[0] == box[2] || (box[0] > box[2] && !may_cross);
    bool is_y_empty = box[1] >= box[3];
    if (is_x_empty || is_y_empty) {
        return giq_fail(err, GIQ_E_AREA,
                        "the BBOX is empty: its %s is not less than its %s; the order is "
                        "minx,miny,maxx,maxy; got \"%s\"",
                        is_y_empty ? "miny" : "minx", is_y_empty ? "maxy" : "maxx",
                        printable.text);
    }
    return true;
}

/* Add the box; if it crosses the antimeridian, its parts on both sides. */
static bool add_boxes(struct giq_geom *g, const double box[4], struct giq_error *err)
{
    if (box[0] <= box[2]) {
        return giq_rings_add_box(&g->rings, box[0], box[1], box[2], box[3]) ||
               giq_fail_memory(err);
    }
    if (!is_same(box[0], GIQ_RINGS_HALF_TURN) &&
        !giq_rings_add_box(&g->rings, box[0], box[1], GIQ_RINGS_HALF_TURN, box[3])) {
        return giq_fail_memory(err);
    }
    if (!is_same(box[2], -GIQ_RINGS_HALF_TURN) &&
        !giq_rings_add_box(&g->rings, -GIQ_RINGS_HALF_TURN, box[1], box[2], box[3])) {
        return giq_fail_memory(err);
    }
    return true;
}

bool giq_geom_area_from_box(const char *text, unsigned flags, char **out_wkt,
                            struct giq_error *err)
{
    struct giq_geom *g = NULL;
    double box[4]; /* minx, miny, maxx, maxy */
    if (!giq_wkt_read_box(text, box, err) || !giq_geom_new(flags, &g, err)) {
        return false;
    }
    bool ok = check_box(g, box, text, err) && add_boxes(g, box, err) &&
              giq_geom_write(g, out_wkt, err);
    giq_geom_free(g);
    return ok;
}

bool giq_geom_area_km2(const char *wkt, double *out_km2, struct giq_error *err)
{
    GIQ_AUTO_RINGS struct giq_rings rings = {0};
    if (!giq_wkt_read(wkt, &rings, err)) {
        return false;
    }
    *out_km2 = giq_ellipsoid_area(&rings) / SQUARE_METRES_PER_KM2;
    return true;
}
