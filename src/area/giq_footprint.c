/*
 * Footprints of files: read with tolerance, and compared with an area. The interface is
 * in giq/geom.h.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "giq/geom.h"

#include "area/giq_geos.h"
#include "area/giq_rings.h"
#include "area/giq_wkt.h"
#include "base/giq_cleanup.h"
#include "base/giq_error.h"

/* The maximum number of points of a footprint: the time to validate it may grow with the
 * square of the number. A footprint with more points is replaced by its box. */
enum { FOOTPRINT_POINTS_MAX = 5000 };

/* The least extent of a box: one unit of a rounded coordinate. */
static const double extent_min = 1.0 / GIQ_RINGS_UNITS_PER_DEGREE;

struct giq_geom_filter {
    struct giq_geos *geos;
    struct giq_geos_prepared *area;       /* NULL: there is none */
    double boxes[GIQ_FILES_BOXES_MAX][4]; /* each: minx, miny, maxx, maxy */
    size_t box_count;
};

/* ---- the boxes of an area ---- */

static void extend(double box[4], const double other[4])
{
    box[0] = fmin(box[0], other[0]);
    box[1] = fmin(box[1], other[1]);
    box[2] = fmax(box[2], other[2]);
    box[3] = fmax(box[3], other[3]);
}

static void extent_of_polygon(const struct giq_rings *rings, size_t polygon,
                              double out[4])
{
    size_t count = 0;
    const double *xy =
        giq_rings_points(rings, giq_rings_first_ring(rings, polygon), &count);
    giq_rings_extent(xy, count, out);
}

static int compare_west_edges(const void *a, const void *b)
{
    const double *box = a;
    const double *other = b;
    return (box[0] > other[0]) - (box[0] < other[0]);
}

/* The number of the first box east of the widest gap between boxes that are sorted by
 * their west edges; 0 if there is no gap. */
static size_t find_widest_gap(double (*boxes)[4], size_t count)
{
    double east = boxes[0][2];
    double widest = 0;
    size_t found = 0;
    for (size_t i = 1; i < count; i++) {
        if (boxes[i][0] - east > widest) {
            widest = boxes[i][0] - east;
            found = i;
        }
        east = fmax(east, boxes[i][2]);
    }
    return found;
}

/* An area that reaches both sides of the antimeridian gets a box on each side: one box
 * would span the whole world. False when out of memory. */
static bool set_boxes(struct giq_geom_filter *filter, const struct giq_rings *rings)
{
    size_t count = rings->polygons;
    GIQ_AUTO_FREE double(*boxes)[4] = calloc(count, sizeof *boxes);
    if (boxes == NULL) {
        return false;
    }
    double all[4]; /* minx, miny, maxx, maxy */
    giq_rings_extent(rings->xy, rings->points, all);
    for (size_t i = 0; i < count; i++) {
        extent_of_polygon(rings, i, boxes[i]);
    }
    qsort(boxes, count, sizeof *boxes, compare_west_edges);
    bool crosses = all[0] <= -GIQ_RINGS_HALF_TURN && all[2] >= GIQ_RINGS_HALF_TURN;
    size_t gap = crosses ? find_widest_gap(boxes, count) : 0;
    /* The part west of the antimeridian comes first. */
    for (size_t i = 0; i < count; i++) {
        size_t side = gap > 0 && i < gap ? 1 : 0;
        if (i == 0 || i == gap) {
            (void)memcpy(filter->boxes[side], boxes[i], sizeof boxes[i]);
        }
        extend(filter->boxes[side], boxes[i]);
    }
    filter->box_count = gap > 0 ? 2 : 1;
    return true;
}

static bool set_area(struct giq_geom_filter *filter, const char *area,
                     struct giq_error *err)
{
    GIQ_AUTO_RINGS struct giq_rings rings = {0};
    if (!giq_wkt_read(area, &rings, err)) {
        return false;
    }
    if (rings.polygons == 0) {
        return giq_fail(err, GIQ_E_AREA, "the area is empty");
    }
    if (!set_boxes(filter, &rings)) {
        return giq_fail_memory(err);
    }
    return giq_geos_prepare(filter->geos, &rings, &filter->area, err);
}

bool giq_geom_filter_new(const char *area, struct giq_geom_filter **out,
                         struct giq_error *err)
{
    struct giq_geom_filter *filter = calloc(1, sizeof *filter);
    if (filter == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_geos_new(&filter->geos, err) ||
        (area != NULL && !set_area(filter, area, err))) {
        giq_geom_filter_free(filter);
        return false;
    }
    *out = filter;
    return true;
}

void giq_geom_filter_free(struct giq_geom_filter *filter)
{
    if (filter != NULL) {
        giq_geos_prepared_free(filter->area);
        giq_geos_free(filter->geos);
        free(filter);
    }
}

size_t giq_geom_filter_boxes(const struct giq_geom_filter *filter,
                             struct giq_geom_box out[GIQ_FILES_BOXES_MAX])
{
    for (size_t i = 0; i < filter->box_count; i++) {
        (void)giq_wkt_print_box(filter->boxes[i], &out[i]);
    }
    return filter->box_count;
}

/* ---- reading a footprint ---- */

/* Whether a failure only means that the footprint is not a valid area. */
static bool is_invalid(const struct giq_error *err)
{
    return err->code == GIQ_E_AREA;
}

static bool normalise_polygons(struct giq_geom *geom, const char *wkt, char **out,
                               struct giq_error *err)
{
    const struct giq_projection degrees = {.half_turn = GIQ_RINGS_HALF_TURN};
    return giq_geom_add_wkt(geom, wkt, err) && giq_geom_project(geom, &degrees, err) &&
           giq_geom_write(geom, out, err);
}

static bool has_too_many_points(const char *wkt)
{
    size_t count = 1;
    for (const char *comma = strchr(wkt, ','); comma != NULL;
         comma = strchr(comma + 1, ',')) {
        count++;
    }
    return count > FOOTPRINT_POINTS_MAX;
}

/* Read polygons; `*out` stays NULL if they are not a valid area, or have too many
 * points. */
static bool read_polygons(const char *wkt, char **out, struct giq_error *err)
{
    struct giq_geom *geom = NULL;
    struct giq_error reason = {0};
    if (has_too_many_points(wkt)) {
        return true;
    }
    bool ok =
        giq_geom_new(0, &geom, &reason) && normalise_polygons(geom, wkt, out, &reason);
    giq_geom_free(geom);
    if (!ok && !is_invalid(&reason)) {
        *err = reason;
        return false;
    }
    return true;
}

/* Widen an interval that is shorter than extent_min to it, between -`most` and `most`. */
static void widen(double *low, double *high, double most)
{
    if (*high - *low >= extent_min) {
        return;
    }
    *high = fmin(*low + extent_min, most);
    *low = *high - extent_min;
}

/* Whether the numbers can be a box: in range, and not upside down. If the west is greater
 * than the east, the box crosses the antimeridian, and both must be within 180 degrees.
 */
static bool is_box(const double box[4])
{
    int longitude_max = box[0] > box[2] ? GIQ_RINGS_HALF_TURN : GIQ_RINGS_TURN;
    return fabs(box[0]) <= longitude_max && fabs(box[2]) <= longitude_max &&
           -GIQ_RINGS_LATITUDE_MAX <= box[1] && box[1] <= box[3] &&
           box[3] <= GIQ_RINGS_LATITUDE_MAX;
}

/* Move the west and east edge by whole turns to between -180 and 180; west is greater
 * than east if the box crosses the antimeridian. */
static void move_edges(double *west, double *east)
{
    if (*east - *west >= GIQ_RINGS_TURN) {
        *west = -GIQ_RINGS_HALF_TURN;
        *east = GIQ_RINGS_HALF_TURN;
        return;
    }
    double turn = 0;
    if (*west >= GIQ_RINGS_HALF_TURN && *east > GIQ_RINGS_HALF_TURN) {
        turn = -GIQ_RINGS_TURN;
    } else if (*east <= -GIQ_RINGS_HALF_TURN && *west < -GIQ_RINGS_HALF_TURN) {
        turn = GIQ_RINGS_TURN;
    }
    *west += turn;
    *east += turn;
    if (*east > GIQ_RINGS_HALF_TURN) {
        *east -= GIQ_RINGS_TURN;
    } else if (*west < -GIQ_RINGS_HALF_TURN) {
        *west += GIQ_RINGS_TURN;
    }
}

/* Add the box; if it crosses the antimeridian, its parts on both sides. False when out of
 * memory. */
static bool add_box(struct giq_rings *rings, const double box[4])
{
    double west = box[0];
    double east = box[2];
    double south = box[1];
    double north = box[3];
    move_edges(&west, &east);
    widen(&south, &north, GIQ_RINGS_LATITUDE_MAX);
    if (west <= east) {
        widen(&west, &east, GIQ_RINGS_HALF_TURN);
        return giq_rings_add_box(rings, west, south, east, north);
    }
    /* A part that has no extent is dropped, since `rings` rounds. */
    return giq_rings_add_box(rings, west, south, GIQ_RINGS_HALF_TURN, north) &&
           giq_rings_add_box(rings, -GIQ_RINGS_HALF_TURN, south, east, north);
}

/* Read a box; `*out` stays NULL if it is not one. */
static bool read_box(const char *text, char **out, struct giq_error *err)
{
    double box[4]; /* minx, miny, maxx, maxy */
    struct giq_error reason = {0};
    if (!giq_wkt_read_box(text, box, &reason)) {
        if (!is_invalid(&reason)) {
            *err = reason;
            return false;
        }
        return true;
    }
    GIQ_AUTO_RINGS struct giq_rings rings = {.rounds = true};
    if (!is_box(box)) {
        return true;
    }
    if (!add_box(&rings, box)) {
        return giq_fail_memory(err);
    }
    if (rings.polygons == 0) {
        return true;
    }
    *out = giq_wkt_write(&rings);
    return *out != NULL || giq_fail_memory(err);
}

/* ---- comparing ---- */

static bool intersects(const struct giq_geom_filter *filter, const char *wkt, bool *out,
                       struct giq_error *err)
{
    GIQ_AUTO_RINGS struct giq_rings rings = {0};
    return giq_wkt_read(wkt, &rings, err) &&
           giq_geos_prepared_intersects(filter->area, &rings, out, err);
}

bool giq_geom_filter_check(struct giq_geom_filter *filter, const char *wkt,
                           const char *box, char **out_wkt, bool *out_selected,
                           struct giq_error *err)
{
    GIQ_AUTO_FREE char *found = NULL;
    bool is_selected = filter->area == NULL;
    if (wkt != NULL && !read_polygons(wkt, &found, err)) {
        return false;
    }
    if (found == NULL && box != NULL && !read_box(box, &found, err)) {
        return false;
    }
    if (found != NULL && filter->area != NULL &&
        !intersects(filter, found, &is_selected, err)) {
        return false;
    }
    *out_wkt = giq_take(&found);
    *out_selected = is_selected;
    return true;
}
