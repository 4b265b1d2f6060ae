/*
 * Polygons as plain numbers. Points follow each other within rings, rings within
 * polygons; the first ring of a polygon is its shell, the others are its holes. A
 * ring is closed: its last point is its first.
 *
 * Usage: giq_rings_add_point() for each point of a ring, giq_rings_end_ring(), and after
 * the last ring giq_rings_end_polygon(), which drop rings and polygons that enclose
 * nothing by the rules below. Functions that return bool return false when out of memory.
 * A struct may be used by one thread at a time.
 */
#ifndef GIQ_RINGS_H
#define GIQ_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/giq_cleanup.h"

enum {
    /* Angles in degrees: around the Earth, half of that, and from the equator to a pole.
     */
    GIQ_RINGS_TURN = 360,
    GIQ_RINGS_HALF_TURN = 180,
    GIQ_RINGS_LATITUDE_MAX = 90,
    /* Units of a rounded coordinate; one is 11 mm at the equator. Coordinates that are
     * not degrees are rounded to as many decimals. */
    GIQ_RINGS_UNITS_PER_DEGREE = 10000000,
    /* Up to this coordinate a double holds 7 decimals. */
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

/* Free the lists. `rings` may be filled again, and keeps `rounds`. It may be `{0}`, as a
 * struct giq_rings is before the first point. */
void giq_rings_release(struct giq_rings *rings);
/* For a local that is released at the end of its block. */
#define GIQ_AUTO_RINGS GIQ_AUTO(giq_rings_release)

/* Replace `rings` by `from`, with its `collapsed` and `rounds`. `from` is `{0}`
 * afterwards. */
void giq_rings_move(struct giq_rings *rings, struct giq_rings *from);

/* Add a point, unless it repeats the point before it in the ring. */
bool giq_rings_add_point(struct giq_rings *rings, double x, double y);

/* End a ring, whose last point must equal its first. A ring with fewer than four points,
 * not counting points that repeat the point before, is dropped; with `rounds` also a ring
 * whose area is 0. If the shell of a polygon is dropped, its holes are dropped too. */
bool giq_rings_end_ring(struct giq_rings *rings);

/* End the polygon. A polygon without rings is dropped; it is counted in `collapsed` if
 * its shell was dropped. */
bool giq_rings_end_polygon(struct giq_rings *rings);

/* Remove all polygons from number `first` on, and a ring that was not ended. */
void giq_rings_truncate(struct giq_rings *rings, size_t first);

/* Add and end a ring of `count` points (x, y, x, y, ...). */
bool giq_rings_add_ring(struct giq_rings *rings, const double *xy, size_t count);

/* Add a polygon that is a box. */
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

/* The number of the first ring of a polygon, its shell. The number of its last ring is
 * polygon_end[polygon] - 1. */
size_t giq_rings_first_ring(const struct giq_rings *rings, size_t polygon);

/* The number of points, without the last point of each ring, which repeats the first. */
size_t giq_rings_vertex_count(const struct giq_rings *rings);

/* The extent of `count` points (x, y, x, y, ...), at least one: minx, miny, maxx, maxy.
 */
void giq_rings_extent(const double *xy, size_t count, double out[4]);

/* Round a coordinate to whole units. Its absolute value must be at most 9.2e11, so that
 * the units fit 64 bits. */
int64_t giq_rings_to_units(double coordinate);

#endif
