/*
 * A ring is taken edge by edge. The transformed middle of an edge tells whether it is
 * still straight; where it is not, or where the edge is long, three samples do, and
 * the edge is halved until they do not depart from it. Longitudes are followed from
 * sample to sample the short way round, so that they go on beyond 180.
 */
#include "giq_project.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <math.h>
#include <stdlib.h>

/* Rounding to 7 decimals adds up to 7.1e-8. */
#define TOLERANCE 2.5e-8
/* Degrees up to which the middle of an edge tells of all of it. */
#define SHORT 0.1
#define TURN  360.0

enum { DEPTH_MAX = 12, CHUNK = 256, POINTS_MAX = 2 * CHUNK + 1, NAME_SIZE = 80 };

struct giq_project {
    OGRCoordinateTransformationH transform; /* NULL: degrees already */
    double half_turn;
    char name[NAME_SIZE]; /* of the system, for messages */
};

/* A point in both systems. */
struct point {
    double x, y;
    double lon, lat;
};

/* What becomes of a ring. */
struct line {
    const struct giq_project *project;
    struct point *points;
    size_t count;
    size_t room;
    struct giq_error *err;
};

/* ---- points ---- */

static bool fail_point(const struct giq_project *p, const struct point *at,
                       struct giq_error *err)
{
    return giq_fail(err, GIQ_E_AREA,
                    "the point %s of the area lies where %s cannot be brought to "
                    "longitude and latitude; is that the right coordinate system?",
                    CPLSPrintf("%.15g %.15g", at->x, at->y), p->name);
}

/* Bring at most POINTS_MAX points to longitude and latitude. */
static bool transform(const struct giq_project *p, struct point *points, size_t count,
                      struct giq_error *err)
{
    double x[POINTS_MAX];
    double y[POINTS_MAX];
    int done[POINTS_MAX];
    for (size_t i = 0; i < count; i++) {
        x[i] = points[i].x;
        y[i] = points[i].y;
    }
    (void)OCTTransformEx(p->transform, (int)count, x, y, NULL, done);
    for (size_t i = 0; i < count; i++) {
        if (!done[i] || !isfinite(x[i]) || !isfinite(y[i])) {
            return fail_point(p, &points[i], err);
        }
        points[i].lon = x[i];
        points[i].lat = y[i];
    }
    return true;
}

static struct point part_of(const struct point *from, const struct point *to, double part)
{
    return (struct point){.x = from->x + part * (to->x - from->x),
                          .y = from->y + part * (to->y - from->y)};
}

/* Count turns so that `at` is within half a turn of `from`. */
static void follow(const struct point *from, struct point *at)
{
    at->lon += TURN * round((from->lon - at->lon) / TURN);
}

/* Whether `at` departs from the straight line between two points. */
static bool departs(const struct point *at, const struct point *from,
                    const struct point *to)
{
    double dx = to->lon - from->lon;
    double dy = to->lat - from->lat;
    double ax = at->lon - from->lon;
    double ay = at->lat - from->lat;
    double size = dx * dx + dy * dy;
    double along = size > 0 ? fmax(0, fmin(1, (ax * dx + ay * dy) / size)) : 0;
    return hypot(ax - along * dx, ay - along * dy) > TOLERANCE;
}

/* ---- edges ---- */

static bool add_point(struct line *line, const struct point *point)
{
    if (line->count == line->room) {
        size_t room = line->room == 0 ? CHUNK : 2 * line->room;
        struct point *grown = realloc(line->points, room * sizeof *grown);
        if (grown == NULL) {
            return giq_fail(line->err, GIQ_E_MEMORY, "out of memory");
        }
        line->points = grown;
        line->room = room;
    }
    line->points[line->count++] = *point;
    return true;
}

/* Add the edge from the last point to `to`, in as many parts as it needs. */
static bool add_bent(struct line *line, struct point to, int depth)
{
    const struct point from = line->points[line->count - 1];
    struct point sample[] = {part_of(&from, &to, 0.25), part_of(&from, &to, 0.5),
                             part_of(&from, &to, 0.75)};
    if (!transform(line->project, sample, 3, line->err)) {
        return false;
    }
    follow(&from, &sample[0]);
    follow(&sample[0], &sample[1]);
    follow(&sample[1], &sample[2]);
    follow(&sample[2], &to);
    bool is_bent = departs(&sample[0], &from, &to) || departs(&sample[1], &from, &to) ||
                   departs(&sample[2], &from, &to);
    if (!is_bent || depth == DEPTH_MAX) {
        return add_point(line, &to);
    }
    return add_bent(line, sample[1], depth + 1) && add_bent(line, to, depth + 1);
}

static bool add_edge(struct line *line, struct point middle, struct point to)
{
    const struct point from = line->points[line->count - 1];
    follow(&from, &middle);
    struct point end = to;
    follow(&middle, &end);
    bool is_short = fabs(end.lon - from.lon) < SHORT && fabs(end.lat - from.lat) < SHORT;
    return is_short && !departs(&middle, &from, &end) ? add_point(line, &end)
                                                      : add_bent(line, to, 0);
}

/* Add the edges of a ring from point `first` on, some at once. */
static bool add_edges(struct line *line, const double *xy, size_t first, size_t edges)
{
    struct point points[POINTS_MAX];
    for (size_t i = 0; i <= edges; i++) {
        const double *at = xy + 2 * (first + i);
        points[2 * i] = (struct point){.x = at[0], .y = at[1]};
        if (i > 0) {
            points[2 * i - 1] = part_of(&points[2 * i - 2], &points[2 * i], 0.5);
        }
    }
    if (!transform(line->project, points, 2 * edges + 1, line->err) ||
        (first == 0 && !add_point(line, &points[0]))) {
        return false;
    }
    for (size_t i = 0; i < edges; i++) {
        if (!add_edge(line, points[2 * i + 1], points[2 * i + 2])) {
            return false;
        }
    }
    return true;
}

/* ---- poles ---- */

/* Whether a ring runs counter-clockwise on the globe, seen from above. */
static bool is_ccw(struct line *line, const double *xy, size_t count, bool *out)
{
    double area = 0;
    double size = 0;
    for (size_t i = 1; i < count; i++) {
        double bx = xy[2 * i] - xy[0];
        double by = xy[2 * i + 1] - xy[1];
        area += (xy[2 * i - 2] - xy[0]) * by - bx * (xy[2 * i - 1] - xy[1]);
        size = fmax(size, fmax(fabs(bx), fabs(by)));
    }
    /* The system itself may be a mirror image: northing before easting. */
    double step = size * 1e-6;
    struct point probe[] = {{.x = xy[0], .y = xy[1]},
                            {.x = xy[0] + step, .y = xy[1]},
                            {.x = xy[0], .y = xy[1] + step}};
    if (!transform(line->project, probe, 3, line->err)) {
        return false;
    }
    follow(&probe[0], &probe[1]);
    follow(&probe[0], &probe[2]);
    double turn = (probe[1].lon - probe[0].lon) * (probe[2].lat - probe[0].lat) -
                  (probe[2].lon - probe[0].lon) * (probe[1].lat - probe[0].lat);
    *out = (area > 0) == (turn > 0);
    return true;
}

/* Close a ring that goes once round the world over the pole that it encloses. It is
 * drawn twice, so that it covers every turn of longitudes from -180 to 180. */
static bool close_over_pole(struct line *line, double turn, const double *xy,
                            size_t count)
{
    bool ccw = false;
    if (!is_ccw(line, xy, count, &ccw)) {
        return false;
    }
    size_t once = line->count;
    for (size_t i = 1; i < once; i++) {
        struct point again = line->points[i];
        again.lon += turn;
        if (!add_point(line, &again)) {
            return false;
        }
    }
    for (size_t i = 0; i < line->count; i++) {
        line->points[i].lon -= turn;
    }
    double pole = ccw == (turn > 0) ? 90 : -90;
    const struct point first = line->points[0];
    const struct point last = line->points[line->count - 1];
    return add_point(line, &(struct point){.lon = last.lon, .lat = pole}) &&
           add_point(line, &(struct point){.lon = first.lon, .lat = pole}) &&
           add_point(line, &first);
}

/* ---- rings ---- */

static bool trace(struct line *line, const double *xy, size_t count)
{
    size_t first = 0;
    do {
        size_t left = count - 1 - first;
        if (!add_edges(line, xy, first, left < CHUNK ? left : CHUNK)) {
            return false;
        }
        first += CHUNK;
    } while (first + 1 < count);
    double turns = (line->points[line->count - 1].lon - line->points[0].lon) / TURN;
    if (fabs(turns) < 0.5) {
        return true;
    }
    if (fabs(turns) > 1.5) {
        return giq_fail(line->err, GIQ_E_AREA,
                        "the area has a ring that goes more than once round the world");
    }
    return close_over_pole(line, turns > 0 ? TURN : -TURN, xy, count);
}

static bool project_ring(void *ctx, const double *xy, size_t count, double **out_xy,
                         size_t *out_count, struct giq_error *err)
{
    struct line line = {.project = ctx, .err = err};
    double *made = NULL;
    bool ok = trace(&line, xy, count);
    if (ok) {
        made = malloc(2 * sizeof *made * line.count);
        ok = made != NULL || giq_fail(err, GIQ_E_MEMORY, "out of memory");
    }
    for (size_t i = 0; ok && i < line.count; i++) {
        made[2 * i] = line.points[i].lon;
        made[2 * i + 1] = line.points[i].lat;
    }
    free(line.points);
    *out_xy = made;
    *out_count = line.count;
    return ok;
}

/* ---- the whole ---- */

bool giq_project_new(OGRSpatialReferenceH srs, struct giq_project **out,
                     struct giq_error *err)
{
    static const char *const how[] = {"CRITERION=EQUIVALENT", NULL};
    struct giq_project *p = calloc(1, sizeof *p);
    OGRSpatialReferenceH world = OSRNewSpatialReference(NULL);
    if (p == NULL || OSRImportFromEPSG(world, 4326) != OGRERR_NONE) {
        free(p);
        OSRRelease(world);
        return giq_fail(err, GIQ_E_AREA, "GDAL does not know EPSG:4326: %.200s",
                        CPLGetLastErrorMsg());
    }
    OSRSetAxisMappingStrategy(world, OAMS_TRADITIONAL_GIS_ORDER);
    const char *name = OSRGetName(srs);
    (void)CPLStrlcpy(p->name, name == NULL ? "its coordinate system" : name, NAME_SIZE);
    p->half_turn = OSRIsGeographic(srs) ? M_PI / OSRGetAngularUnits(srs, NULL) : 0;
    bool is_same = OSRIsSameEx(srs, world, how) != 0;
    p->transform = is_same ? NULL : OCTNewCoordinateTransformation(srs, world);
    OSRRelease(world);
    if (!is_same && p->transform == NULL) {
        (void)giq_fail(err, GIQ_E_AREA,
                       "%s cannot be brought to longitude and latitude: %.200s", p->name,
                       CPLGetLastErrorMsg());
        giq_project_free(p);
        return false;
    }
    *out = p;
    return true;
}

void giq_project_free(struct giq_project *p)
{
    if (p != NULL && p->transform != NULL) {
        OCTDestroyCoordinateTransformation(p->transform);
    }
    free(p);
}

struct giq_projection giq_project_use(struct giq_project *p)
{
    return (struct giq_projection){.half_turn = p->half_turn,
                                   .ring = p->transform == NULL ? NULL : project_ring,
                                   .ctx = p};
}
