/*
 * Areas of interest: what plugin/ and other hosts may use of the core beside giq.h.
 */
#ifndef GIQ_GEOM_API_H
#define GIQ_GEOM_API_H

#include "giq/giq.h"

#ifdef __cplusplus
extern "C" {
#endif

enum giq_geom_flags {
    GIQ_GEOM_MAKE_VALID = 1, /* repair an invalid area instead of refusing it */
    GIQ_GEOM_AS_IS = 2,      /* coordinates of any system; of no range */
};

/*
 * Read `wkt` (WKT, longitude and latitude in degrees, POLYGON or MULTIPOLYGON),
 * check it, round it to 1e-7 degrees, check it again and normalise it, so that
 * one area has one text however it was written. Collinear points count.
 *
 * On success `*out_wkt` is a text with at most 7 decimals, to be freed with
 * free(). Errors: GIQ_E_AREA with reason and place; GIQ_E_MEMORY.
 * Thread-safe.
 */
bool giq_geom_area(const char *wkt, unsigned flags, char **out_wkt,
                   struct giq_error *err);

/* The same for a box, "minx,miny,maxx,maxy" in degrees. Where minx > maxx it crosses
 * the antimeridian and is cut there. */
bool giq_geom_box(const char *text, unsigned flags, char **out_wkt,
                  struct giq_error *err);

/*
 * An area in the making, for what comes from elsewhere or in another coordinate
 * system: giq_geom_new(), then all of its polygons (giq_geom_add_wkt() once, or
 * giq_geom_add_ring() and giq_geom_end_polygon() again and again, then
 * giq_geom_unite()), giq_geom_project() unless the coordinates are sent as they are,
 * giq_geom_write(), giq_geom_free(). After a failure only the last is allowed.
 * Errors: GIQ_E_AREA, GIQ_E_MEMORY.
 */
struct giq_geom;

bool giq_geom_new(unsigned flags, struct giq_geom **out, struct giq_error *err);
void giq_geom_free(struct giq_geom *geom);

/* Read and check the polygons of a text. */
bool giq_geom_add_wkt(struct giq_geom *geom, const char *wkt, struct giq_error *err);

/* Add a closed ring of `count` points x, y, x, y, ...: the shell of a polygon, then
 * its holes. */
bool giq_geom_add_ring(struct giq_geom *geom, const double *xy, size_t count,
                       struct giq_error *err);

/* End the polygon and check it. `what` names it in messages ("feature 7"). */
bool giq_geom_end_polygon(struct giq_geom *geom, const char *what, struct giq_error *err);

/* Make one area of polygons that may overlap. */
bool giq_geom_unite(struct giq_geom *geom, struct giq_error *err);

/* How coordinates become longitude and latitude in degrees. */
struct giq_projection {
    /* Half a turn of the world in units of x, where x is a longitude; else 0. */
    double half_turn;
    /* Bring a closed ring to longitude and latitude. Longitudes go on beyond 180
     * where it crosses the antimeridian; a ring around a pole is closed over it. On
     * success `*out_xy` is freed with free(). NULL: the coordinates are in degrees
     * already. */
    bool (*ring)(void *ctx, const double *xy, size_t count, double **out_xy,
                 size_t *out_count, struct giq_error *err);
    /* Bring `count` points x, y, x, y, ... to longitude and latitude in place, or to
     * NAN where that is not possible. Needed where there is `ring`. */
    void (*points)(void *ctx, double *xy, size_t count);
    void *ctx;
};

/* Bring the area to longitude and latitude. What is beyond 180 degrees is brought to
 * the other end of the world by giq_geom_write(), which also checks that what came out
 * is the area that was given. */
bool giq_geom_project(struct giq_geom *geom, const struct giq_projection *projection,
                      struct giq_error *err);

/* The area on a globe of radius 1 of a triangle of points in degrees that are near each
 * other; positive where it runs counter-clockwise. They may be at a pole. */
double giq_sphere_triangle(const double xy[6]);

/* Round, check, normalise and write the area, as giq_geom_area() does. */
bool giq_geom_write(struct giq_geom *geom, char **out_wkt, struct giq_error *err);

#ifdef __cplusplus
}
#endif

#endif
