/*
 * A ring is taken edge by edge. The transformed middle of an edge tells whether it is
 * still straight; where it is not, or where the edge is long, three samples do, and
 * the edge is halved until they do not depart from it. Longitudes are followed from
 * sample to sample the short way round, so that they go on beyond 180.
 *
 * A pole that is a point has no longitude. A ring that touches one begins there; each
 * time it comes to a pole it arrives on one longitude, leaves on another, and goes from
 * the first to the second along the pole, on the side where the ring's inside is.
 */
#include "area/giq_project.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <math.h>
#include <stdlib.h>

#include "area/giq_pole.h"

/* Rounding to 7 decimals adds up to 7.1e-8. */
#define TOLERANCE 2.5e-8
/* Degrees up to which the middle of an edge tells of all of it. */
#define SHORT 0.1
#define TURN  360.0
/* A ring that touches a pole has a sample beyond this latitude. */
#define NEAR_POLE 89.0
/* The part of an edge at whose end the longitude of its pole is found. */
#define POLE_PART (1.0 / 4096)
/* Parts of a turn by which longitudes may differ that are meant to be one. */
#define SAME_MERIDIAN 1e-9
/* A step of the smallest part of an edge that is longer than this, in radians, and by
 * this factor longer than the others, is a jump. */
#define JUMP       1e-7
#define JUMP_RATIO 100.0

enum { DEPTH_MAX = 12, CHUNK = 256, POINTS_MAX = 2 * CHUNK + 1, NAME_SIZE = 80 };

struct giq_project {
    OGRCoordinateTransformationH transform; /* NULL: degrees already */
    double half_turn;
    double metre; /* in units of the system; 0 where it has longitudes */
    bool has_poles;
    struct giq_poles poles; /* where `has_poles` */
    int hand;               /* 1, or -1 where the system is a mirror image; 0: unknown */
    char name[NAME_SIZE];   /* of the system, for messages */
};

/* A point in both systems. */
struct point {
    double x, y;
    double lon, lat;
    bool is_pole;
};

/* What becomes of a ring. */
struct line {
    struct giq_project *project;
    struct point *points;
    size_t count;
    size_t room;
    bool is_near_pole; /* some sample is */
    bool splits;       /* the ring was split at the poles */
    bool is_ccw;       /* it runs counter-clockwise on the globe, where that was needed */
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

/* Bring at most POINTS_MAX points to longitude and latitude; their number, or the place
 * of the first for which that is not possible. */
static size_t try_transform(struct line *line, struct point *points, size_t count)
{
    double x[POINTS_MAX];
    double y[POINTS_MAX];
    int done[POINTS_MAX];
    for (size_t i = 0; i < count; i++) {
        x[i] = points[i].x;
        y[i] = points[i].y;
    }
    (void)OCTTransformEx(line->project->transform, (int)count, x, y, NULL, done);
    for (size_t i = 0; i < count; i++) {
        if (!done[i] || !isfinite(x[i]) || !isfinite(y[i])) {
            return i;
        }
        points[i].lon = x[i];
        points[i].lat = y[i];
        line->is_near_pole = line->is_near_pole || fabs(y[i]) > NEAR_POLE;
    }
    return count;
}

static bool transform(struct line *line, struct point *points, size_t count)
{
    size_t done = try_transform(line, points, count);
    return done == count || fail_point(line->project, &points[done], line->err);
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

/* The way between two points on a globe of radius 1. */
static double distance(const struct point *a, const struct point *b)
{
    double dlon = (b->lon - a->lon) * M_PI / 180;
    double from = a->lat * M_PI / 180;
    double to = b->lat * M_PI / 180;
    return hypot(2 * sin((to - from) / 2),
                 2 * sin(dlon / 2) * sqrt(fmax(0, cos(from) * cos(to))));
}

/* Whether the smallest part of an edge jumps: the system's map of the world is torn
 * there, and what lies on both sides is far apart. */
static bool is_torn(const struct point *from, const struct point sample[3],
                    const struct point *to)
{
    double step[] = {distance(from, &sample[0]), distance(&sample[0], &sample[1]),
                     distance(&sample[1], &sample[2]), distance(&sample[2], to)};
    double most = 0;
    double next = 0;
    for (size_t i = 0; i < 4; i++) {
        next = fmax(next, fmin(most, step[i]));
        most = fmax(most, step[i]);
    }
    return most > JUMP && most > JUMP_RATIO * next;
}

static bool fail_torn(const struct line *line, const struct point *from,
                      const struct point *to)
{
    return giq_fail(
        line->err, GIQ_E_AREA,
        "the area has an edge near %s that crosses the end of the map of %s: "
        "what lies on its other side is far away. Give the area in another "
        "coordinate system, or in parts that end there",
        CPLSPrintf("%.15g %.15g", (from->x + to->x) / 2, (from->y + to->y) / 2),
        line->project->name);
}

/* Add the edge from the last point to `to`, in as many parts as it needs. */
static bool add_bent(struct line *line, struct point to, int depth)
{
    const struct point from = line->points[line->count - 1];
    struct point sample[] = {part_of(&from, &to, 0.25), part_of(&from, &to, 0.5),
                             part_of(&from, &to, 0.75)};
    if (!transform(line, sample, 3)) {
        return false;
    }
    follow(&from, &sample[0]);
    follow(&sample[0], &sample[1]);
    follow(&sample[1], &sample[2]);
    follow(&sample[2], &to);
    bool is_bent = departs(&sample[0], &from, &to) || departs(&sample[1], &from, &to) ||
                   departs(&sample[2], &from, &to);
    if (is_bent && depth == DEPTH_MAX && is_torn(&from, sample, &to)) {
        return fail_torn(line, &from, &to);
    }
    if (!is_bent || depth == DEPTH_MAX) {
        return add_point(line, &to);
    }
    return add_bent(line, sample[1], depth + 1) && add_bent(line, to, depth + 1);
}

/* ---- poles ---- */

/* The longitude on which the edge from a pole to `to` leaves it. */
static bool find_longitude(struct line *line, const struct point *pole,
                           const struct point *to, double *out)
{
    struct point probe = part_of(pole, to, POLE_PART);
    bool ok = transform(line, &probe, 1);
    *out = probe.lon;
    return ok;
}

/* Go along the pole that is the last point, to the longitude on which the ring leaves
 * it. Seen from above, inside is on the left of a ring that runs counter-clockwise. */
static bool leave_pole(struct line *line, double lon)
{
    struct point point = line->points[line->count - 1];
    double turn = fmod(lon - point.lon, TURN);
    bool is_westward = line->is_ccw == (point.lat > 0);
    if (is_westward && turn > 0) {
        turn -= TURN;
    } else if (!is_westward && turn < 0) {
        turn += TURN;
    }
    point.lon += turn;
    return add_point(line, &point);
}

/* Add the edge from the last point to `to`, one of which is a pole. */
static bool add_polar_edge(struct line *line, struct point to)
{
    const struct point from = line->points[line->count - 1];
    double lon = 0;
    if (from.is_pole) {
        if (!find_longitude(line, &from, &to, &lon)) {
            return false;
        }
        /* The first point was reached from nowhere. */
        if (line->count == 1) {
            line->points[0].lon = lon;
        } else if (!leave_pole(line, lon)) {
            return false;
        }
    }
    return (!to.is_pole || find_longitude(line, &to, &from, &to.lon)) &&
           add_bent(line, to, 0);
}

static bool add_edge(struct line *line, struct point middle, struct point to)
{
    const struct point from = line->points[line->count - 1];
    if (from.is_pole || to.is_pole) {
        return add_polar_edge(line, to);
    }
    follow(&from, &middle);
    struct point end = to;
    follow(&middle, &end);
    bool is_short = fabs(end.lon - from.lon) < SHORT && fabs(end.lat - from.lat) < SHORT;
    return is_short && !departs(&middle, &from, &end) ? add_point(line, &end)
                                                      : add_bent(line, to, 0);
}

static void mark_pole(const struct line *line, struct point *point)
{
    double lat =
        line->splits ? giq_poles_at(&line->project->poles, point->x, point->y) : 0;
    if (lat != 0) {
        point->lat = lat;
        point->is_pole = true;
    }
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
    if (!transform(line, points, 2 * edges + 1)) {
        return false;
    }
    for (size_t i = 0; i <= edges; i++) {
        mark_pole(line, &points[2 * i]);
    }
    if (first == 0 && !add_point(line, &points[0])) {
        return false;
    }
    for (size_t i = 0; i < edges; i++) {
        if (!add_edge(line, points[2 * i + 1], points[2 * i + 2])) {
            return false;
        }
    }
    return true;
}

/* ---- directions ---- */

/* Find whether a ring runs counter-clockwise on the globe, seen from above. */
static bool find_direction(struct line *line, const double *xy, size_t count)
{
    struct giq_project *p = line->project;
    double area = 0;
    double size = 0;
    for (size_t i = 1; i < count; i++) {
        double bx = xy[2 * i] - xy[0];
        double by = xy[2 * i + 1] - xy[1];
        area += (xy[2 * i - 2] - xy[0]) * by - bx * (xy[2 * i - 1] - xy[1]);
        size = fmax(size, fmax(fabs(bx), fabs(by)));
    }
    if (p->hand == 0) {
        p->hand = giq_poles_hand(&p->poles, p->transform, xy, count, size * 1e-6);
    }
    line->is_ccw = (area > 0) == (p->hand > 0);
    return p->hand != 0 ||
           giq_fail(line->err, GIQ_E_AREA,
                    "%s has no directions where the area is; is that the right "
                    "coordinate system?",
                    p->name);
}

/* Whether the meridian from the first point to the pole meets the traced ring again. */
static bool is_covered(const struct line *line, double sign)
{
    const struct point *first = &line->points[0];
    for (size_t i = 1; i < line->count; i++) {
        const struct point *a = &line->points[i - 1];
        const struct point *b = &line->points[i];
        double from = (a->lon - first->lon) / TURN;
        double to = (b->lon - first->lon) / TURN;
        double crossed = floor(fmax(from, to));
        double lat = first->lat;
        if (fabs(to - round(to)) < SAME_MERIDIAN) {
            lat = b->lat;
        } else if (crossed > fmin(from, to)) {
            lat = a->lat + (b->lat - a->lat) * (crossed - from) / (to - from);
        }
        if (sign * lat > sign * first->lat) {
            return true;
        }
    }
    return false;
}

/* Let a traced ring that goes round the world begin at the point next to the pole, where
 * its own first point does not see the pole. */
static bool begin_at_pole(struct line *line, double pole, double turn)
{
    double sign = pole > 0 ? 1 : -1;
    if (!is_covered(line, sign)) {
        return true;
    }
    size_t open = line->count - 1;
    size_t first = 0;
    for (size_t i = 1; i < open; i++) {
        first = sign * line->points[i].lat > sign * line->points[first].lat ? i : first;
    }
    struct point *points = malloc(line->count * sizeof *points);
    if (points == NULL) {
        return giq_fail(line->err, GIQ_E_MEMORY, "out of memory");
    }
    for (size_t i = 0; i <= open; i++) {
        points[i] = line->points[(first + i) % open];
        points[i].lon += first + i >= open ? turn : 0;
    }
    free(line->points);
    line->points = points;
    line->room = line->count;
    return true;
}

/* Close a ring that goes once round the world over the pole that it encloses. It is
 * drawn twice, so that it covers every turn of longitudes from -180 to 180. */
static bool close_over_pole(struct line *line, double turn)
{
    double pole = line->is_ccw == (turn > 0) ? 90 : -90;
    if (!begin_at_pole(line, pole, turn)) {
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
    return !line->splits || leave_pole(line, line->points[0].lon);
}

/* Close a traced ring where it goes round the world. */
static bool close_ring(struct line *line, const double *xy, size_t count)
{
    double turns = (line->points[line->count - 1].lon - line->points[0].lon) / TURN;
    if (fabs(turns) < 0.5) {
        return true;
    }
    if (fabs(turns) > 1.5) {
        return giq_fail(line->err, GIQ_E_AREA,
                        "the area has a ring that goes more than once round the world");
    }
    return find_direction(line, xy, count) &&
           close_over_pole(line, turns > 0 ? TURN : -TURN);
}

/* Trace a ring again, where it touches a pole. */
static bool trace_poles(struct line *line, const double *xy, size_t count)
{
    struct giq_project *p = line->project;
    double *split = NULL;
    if (!p->has_poles) {
        giq_poles_find(p->transform, p->metre, &p->poles);
        p->has_poles = true;
    }
    if (!giq_poles_split(&p->poles, xy, count, &split, &count, line->err)) {
        return false;
    }
    line->splits = split != NULL;
    line->count = line->splits ? 0 : line->count;
    bool ok = !line->splits ||
              (find_direction(line, split, count) && trace(line, split, count));
    free(split);
    return ok;
}

static bool project_ring(void *ctx, const double *xy, size_t count, double **out_xy,
                         size_t *out_count, struct giq_error *err)
{
    struct line line = {.project = ctx, .err = err};
    double *made = NULL;
    bool ok = trace(&line, xy, count) &&
              (line.project->metre == 0 || !line.is_near_pole ||
               trace_poles(&line, xy, count)) &&
              close_ring(&line, xy, count);
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

static void project_points(void *ctx, double *xy, size_t count)
{
    struct giq_project *p = ctx;
    for (size_t i = 0; i < count; i++) {
        int done = 0;
        (void)OCTTransformEx(p->transform, 1, &xy[2 * i], &xy[2 * i + 1], NULL, &done);
        if (!done) {
            xy[2 * i] = NAN;
        }
    }
}

/* ---- the whole ---- */

bool giq_project_check(struct giq_error *err)
{
    CPLErrorReset();
    OGRSpatialReferenceH world = OSRNewSpatialReference(NULL);
    bool ok = OSRImportFromEPSG(world, 4326) == OGRERR_NONE ||
              giq_fail(err, GIQ_E_AREA,
                       "coordinate systems cannot be used: %.250s. PROJ_DATA (PROJ_LIB) "
                       "names the folder of its database; is it that of another "
                       "installation?",
                       CPLGetLastErrorMsg());
    OSRRelease(world);
    return ok;
}

bool giq_project_is_none(OGRSpatialReferenceH srs)
{
    OGRSpatialReferenceH plane = OSRClone(srs);
    (void)OSRStripVertical(plane);
    const char *name = OSRGetName(plane);
    bool is_undefined =
        name != NULL && STARTS_WITH_CI(name, "Undefined ") && !OSRIsProjected(plane);
    bool is_none = is_undefined || OSRIsLocal(plane) || OSRIsVertical(plane);
    OSRDestroySpatialReference(plane);
    return is_none;
}

bool giq_project_new(OGRSpatialReferenceH srs, struct giq_project **out,
                     struct giq_error *err)
{
    static const char *const how[] = {"CRITERION=EQUIVALENT", NULL};
    struct giq_project *p = calloc(1, sizeof *p);
    OGRSpatialReferenceH world = OSRNewSpatialReference(NULL);
    if (p == NULL || OSRImportFromEPSG(world, 4326) != OGRERR_NONE) {
        free(p);
        OSRRelease(world);
        return giq_fail(err, GIQ_E_MEMORY, "out of memory");
    }
    OSRSetAxisMappingStrategy(world, OAMS_TRADITIONAL_GIS_ORDER);
    const char *name = OSRGetName(srs);
    (void)CPLStrlcpy(p->name, name == NULL ? "its coordinate system" : name, NAME_SIZE);
    bool is_geographic = OSRIsGeographic(srs) != 0;
    p->half_turn = is_geographic ? M_PI / OSRGetAngularUnits(srs, NULL) : 0;
    p->metre = is_geographic ? 0 : 1 / OSRGetLinearUnits(srs, NULL);
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
                                   .points = project_points,
                                   .ctx = p};
}
