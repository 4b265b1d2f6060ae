/*
 * Areas of interest: reading, checking, projecting and normalising them. Part of the
 * core's interface for hosts, as is giq.h.
 */
#ifndef GIQ_GEOM_API_H
#define GIQ_GEOM_API_H

#include "giq/giq.h"

#ifdef __cplusplus
extern "C" {
#endif

enum giq_geom_flags {
    GIQ_GEOM_MAKE_VALID = 1, /* repair an invalid area instead of refusing it */
    /* Coordinates of any system: they are not taken for degrees, only rounded to 7
     * decimals. Each must be between -9e8 and 9e8, so that a double holds 7 decimals. */
    GIQ_GEOM_AS_IS = 2,
};

/*
 * Read `wkt` (WKT, longitude and latitude in degrees, POLYGON or MULTIPOLYGON),
 * check it, round it to 1e-7 degrees, check it again and normalise it, so that
 * one area has one text however it was written. Collinear points are kept. `flags` is a
 * combination of enum giq_geom_flags.
 *
 * Longitudes beyond 180 and edges that span more than half the world are refused, unless
 * GIQ_GEOM_AS_IS is set. An area may have at most 1000000 points.
 *
 * On success `*out_wkt` is a text with at most 7 decimals, which the caller frees with
 * free(). Errors: GIQ_E_AREA with the reason, and the location if the reason has one;
 * GIQ_E_MEMORY. Thread-safe.
 */
bool giq_geom_area_from_wkt(const char *wkt, unsigned flags, char **out_wkt,
                            struct giq_error *err);

/* The same for a box, "minx,miny,maxx,maxy" in degrees. A box with minx > maxx crosses
 * the antimeridian and is cut there; with GIQ_GEOM_AS_IS such a box is an error. Its
 * edges may have any length. */
bool giq_geom_area_from_box(const char *text, unsigned flags, char **out_wkt,
                            struct giq_error *err);

/*
 * An area that is built step by step, from the polygons of a dataset or in another
 * coordinate system.
 *
 * Usage: giq_geom_new(); either giq_geom_add_wkt() once, or giq_geom_add_ring() for each
 * ring, giq_geom_end_polygon() for each polygon and giq_geom_unite() once; then
 * giq_geom_project() unless the coordinates are sent as they are; giq_geom_write();
 * giq_geom_free(). After a failure only giq_geom_free() may be called. Errors:
 * GIQ_E_AREA, GIQ_E_CANCELLED (giq_geom_set_env()), GIQ_E_MEMORY. An object may be used
 * by one thread at a time.
 */
struct giq_geom;

/* `flags` as for giq_geom_area_from_wkt(). The caller passes `*out` to giq_geom_free().
 */
bool giq_geom_new(unsigned flags, struct giq_geom **out, struct giq_error *err);
/* NULL is allowed. */
void giq_geom_free(struct giq_geom *geom);

/* Call `env->cancelled` while polygons are united, by giq_geom_unite() or
 * giq_geom_write(), which then fail with GIQ_E_CANCELLED once it returns true. `env` is
 * borrowed for the life of `geom`. */
void giq_geom_set_env(struct giq_geom *geom, const struct giq_env *env);

/* Parse WKT and check its polygons, or repair them (GIQ_GEOM_MAKE_VALID). */
bool giq_geom_add_wkt(struct giq_geom *geom, const char *wkt, struct giq_error *err);

/* Add a closed ring of `count` points x, y, x, y, ...: the shell of a polygon, then
 * its holes. The points are copied. All rings together may have at most 20000000 points,
 * and coordinates must be between -9e8 and 9e8. */
bool giq_geom_add_ring(struct giq_geom *geom, const double *xy, size_t count,
                       struct giq_error *err);

/* End the polygon and check that it is valid, or repair it (GIQ_GEOM_MAKE_VALID). `what`
 * names it in messages ("feature 7"). */
bool giq_geom_end_polygon(struct giq_geom *geom, const char *what, struct giq_error *err);

/* Unite the polygons, which may overlap, into one area. */
bool giq_geom_unite(struct giq_geom *geom, struct giq_error *err);

/* How coordinates become longitude and latitude in degrees. */
struct giq_projection {
    /* 180 degrees in the unit of x if x is a longitude, else 0. */
    double half_turn;
    /* Project a closed ring to longitude and latitude. Longitudes continue beyond 180
     * where the ring crosses the antimeridian; a ring around a pole is closed over the
     * pole. On success the caller (the core) frees `*out_xy` with free(). NULL if the
     * coordinates are in degrees already. */
    bool (*ring)(void *ctx, const double *xy, size_t count, double **out_xy,
                 size_t *out_count, struct giq_error *err);
    /* Project `count` points x, y, x, y, ... to longitude and latitude in place, or to
     * NAN where that is not possible. Required with `ring`. */
    void (*points)(void *ctx, double *xy, size_t count);
    void *ctx;
};

/* Project the area to longitude and latitude. Fails if that changes the size of a polygon
 * on the globe by more than a factor of two. giq_geom_write() then cuts the area at the
 * antimeridian and checks the size of the whole in the same way. `projection` is borrowed
 * for the call. */
bool giq_geom_project(struct giq_geom *geom, const struct giq_projection *projection,
                      struct giq_error *err);

/* Round, check, normalise and write the area, as giq_geom_area_from_wkt() does. */
bool giq_geom_write(struct giq_geom *geom, char **out_wkt, struct giq_error *err);

/*
 * The size of an area in degrees, as WKT (POLYGON or MULTIPOLYGON) that
 * giq_geom_area_from_wkt(), giq_geom_area_from_box() or giq_geom_write() wrote without
 * GIQ_GEOM_AS_IS: in square kilometres on the WGS 84 ellipsoid, with edges that are
 * straight in longitude and latitude, and with a relative error below 1e-9. Errors:
 * GIQ_E_AREA for a text that cannot be parsed; GIQ_E_MEMORY. Thread-safe.
 */
bool giq_geom_area_km2(const char *wkt, double *out_km2, struct giq_error *err);

/* ---- footprints ---- */

/*
 * Selects, among many footprints, those that touch an area.
 *
 * Usage: giq_geom_filter_new(), giq_geom_filter_check() for each footprint,
 * giq_geom_filter_free(). A filter may be used by one thread at a time.
 */
struct giq_geom_filter;

/* `area` is from the functions above, in degrees, and is copied; NULL: every footprint is
 * selected. The caller passes `*out` to giq_geom_filter_free(). Errors: GIQ_E_AREA,
 * GIQ_E_MEMORY. */
bool giq_geom_filter_new(const char *area, struct giq_geom_filter **out,
                         struct giq_error *err);
void giq_geom_filter_free(struct giq_geom_filter *filter); /* NULL is allowed */

/* The box around the area; two boxes, one on each side, if the area crosses the
 * antimeridian. Returns how many there are: 0 without an area. */
size_t giq_geom_filter_boxes(const struct giq_geom_filter *filter,
                             struct giq_geom_box out[GIQ_FILES_BOXES_MAX]);

/*
 * Read a footprint: `wkt`, which is WKT of a POLYGON or MULTIPOLYGON in degrees, or if
 * that is NULL, not a valid area or has more than 5000 points, the box `box`,
 * "minx,miny,maxx,maxy", which may be NULL too. A box with minx > maxx crosses the
 * antimeridian; a box without an extent is widened to 1e-7 degrees. A footprint with
 * longitudes beyond 180 degrees is cut there.
 *
 * `*out_wkt` is the footprint, which the caller frees with free(), or NULL if there is no
 * valid one. `*out_selected` is whether it touches the area; without a footprint it is
 * false, without an area true. Errors: GIQ_E_AREA (GEOS failed), GIQ_E_MEMORY.
 */
bool giq_geom_filter_check(struct giq_geom_filter *filter, const char *wkt,
                           const char *box, char **out_wkt, bool *out_selected,
                           struct giq_error *err);

/* The area that a closed ring of `count` points x, y, x, y, ... in degrees encloses, in
 * square metres; otherwise as giq_geom_area_km2(). Pure. */
double giq_ellipsoid_ring_area(const double *xy, size_t count);

/* The signed area, in steradians, of a small triangle whose corners x, y, x, y, x, y are
 * in degrees; positive if it runs counter-clockwise. A corner may be a pole. Pure. */
double giq_sphere_triangle_area(const double xy[6]);

#ifdef __cplusplus
}
#endif

#endif
