/*
 * Polygons as plain numbers. Points follow each other within rings, rings within
 * polygons; the first ring of a polygon is its shell, the others are its holes. A
 * ring is closed: its last point is its first.
 *
 * Usage: giq_rings_add_point() for each point of a ring, giq_rings_end_ring(), and after
 * the last ring giq_rings_end_polygon(). Rings that enclose nothing are dropped. Pure;
 * functions that return bool return false when out of memory.
 */
#ifndef GIQ_RINGS_H
#define GIQ_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/giq_cleanup.h"

enum {
    /* Units of a rounded coordinate; one is 11 mm at the equator. Coordinates that are
     * not degrees are rounded to as many decimals. */
    GIQ_RINGS_UNITS_PER_DEGREE = 10000000,
    /* A double beyond it does not hold 7 decimals. */
    GIQ_RINGS_COORDINATE_MAX = 900000000,
};

struct giq_rings {
    double *xy;          /* x and y of each point */
    size_t *ring_end;    /* for each ring, the number of points up to its end */
    size_t *polygon_end; /* for each polygon, the number of rings up to its end */
    size_t points;       /* how many points, rings and polygons there are */
    size_t rings;
    size_t polygons;
    size_t point_capacity; /* capacity of the three lists */
    size_t ring_capacity;
    size_t polygon_capacity;
    size_t collapsed;      /* how many polygons were dropped because their shell encloses
                              nothing */
    bool shell_is_dropped; /* private: the current polygon lost its shell, and its holes
                              are dropped too */
    bool rounds; /* round points to whole units as they are added; set it before the
                    first point. Coordinates may then be at most GIQ_RINGS_COORDINATE_MAX
                    */
};

/* Free the lists. `rings`, which starts as `{0}`, may be filled again; `rounds` stays. */
void giq_rings_release(struct giq_rings *rings);
/* For a local that is released at the end of its block. */
#define GIQ_AUTO_RINGS GIQ_AUTO(giq_rings_release)

/* Replace the polygons of `rings` by those of `from`, which is empty afterwards. */
void giq_rings_move(struct giq_rings *rings, struct giq_rings *from);

/* Add a point, unless it repeats the one before. */
bool giq_rings_add_point(struct giq_rings *rings, double x, double y);

/* End a ring, whose last point must equal its first. A ring with fewer than four points,
 * not counting repeated ones, is dropped; with `rounds` also a ring whose area is 0. */
bool giq_rings_end_ring(struct giq_rings *rings);

/* End the polygon. A polygon without rings is dropped. */
bool giq_rings_end_polygon(struct giq_rings *rings);

/* Remove all polygons from number `first` on, and a ring that was not ended. */
void giq_rings_truncate(struct giq_rings *rings, size_t first);

/* Add and end a ring of `count` points (x, y, x, y, ...). */
bool giq_rings_add_ring(struct giq_rings *rings, const double *xy, size_t count);

/* Add a polygon of four corners. */
bool giq_rings_add_box(struct giq_rings *rings, double minx, double miny, double maxx,
                       double maxy);

/* Add polygon number `polygon` of `from`. */
bool giq_rings_add_polygon(struct giq_rings *rings, const struct giq_rings *from,
                           size_t polygon);

/* Add all polygons of `from`, with `dx` added to each x. */
bool giq_rings_add_all(struct giq_rings *rings, const struct giq_rings *from, double dx);

/* The points of a ring, borrowed. */
const double *giq_rings_points(const struct giq_rings *rings, size_t ring,
                               size_t *out_count);

/* The number of the first ring of a polygon, its shell; the last is the one before
 * polygon_end. */
size_t giq_rings_first_ring(const struct giq_rings *rings, size_t polygon);

/* The number of points, without the last point of each ring, which repeats the first. */
size_t giq_rings_vertex_count(const struct giq_rings *rings);

/* The extent of `count` points (x, y, x, y, ...), at least one: minx, miny, maxx, maxy.
 */
void giq_rings_extent(const double *xy, size_t count, double out[4]);

/* Round a coordinate, at most GIQ_RINGS_COORDINATE_MAX, to whole units. */
int64_t giq_rings_to_units(double coordinate);

#endif
