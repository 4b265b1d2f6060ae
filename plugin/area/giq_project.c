/*
 * Projects a ring edge by edge. A short edge whose transformed middle lies on the
 * straight line stays as it is; any other edge is halved until three samples of each part
 * lie on the straight line. Longitudes are unwrapped from sample to sample by the shorter
 * direction, so they continue beyond 180.
 *
 * A pole that is a point has no longitude. A ring that touches one is made to begin
 * there. Each time it reaches a pole, it arrives at one longitude and leaves at another;
 * between these it runs along the pole, on the side of the ring's interior.
 */
#include "area/giq_project.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <math.h>
#include <stdlib.h>

#include "area/giq_poles.h"

/* Degrees. Rounding both coordinates to 7 decimals adds up to 7.1e-8, so the result
 * deviates by less than 1e-7. */
#define TOLERANCE 2.5e-8
/* An edge shorter than this, in degrees, is checked only at its middle. */
#define SHORT_EDGE 0.1
#define TURN       360.0
/* A ring that touches a pole has a sample beyond this latitude. */
#define NEAR_POLE 89.0
/* The longitude at which an edge leaves a pole is taken after this part of the edge: the
 * smallest part into which edges are divided. */
#define POLE_PART (1.0 / 4096)
/* Longitudes are equal if they differ by less than this part of a turn: rounding errors
 * of a double are smaller. */
#define SAME_MERIDIAN 1e-9
/* A step within the smallest part of an edge is a jump if it is longer than this, in
 * radians, and longer than the other steps by this factor. */
#define JUMP       1e-7
#define JUMP_RATIO 100.0

enum {
    DEPTH_MAX = 12,             /* times that an edge is halved: into 4096 parts */
    CHUNK = 256,                /* edges that are transformed in one call */
    POINTS_MAX = 2 * CHUNK + 1, /* their ends and middles */
    NAME_SIZE = 80,
};

struct giq_project {
    const struct giq_env *env;              /* borrowed */
    OGRCoordinateTransformationH transform; /* NULL: degrees already */
    double half_turn;    /* 180 degrees in units of the system; 0 if it is projected */
    double metre;        /* a metre in units of the system; 0 if it is geographic */
    bool is_poles_known; /* `poles` is set */
    struct giq_poles poles;
    int orientation;      /* of giq_poles_orientation(); 0: not known yet */
    char name[NAME_SIZE]; /* of the system, for messages */
};

/* A point in both coordinate systems. */
struct point {
    double x, y;
    double lon, lat;
    bool is_pole;
};

/* The projected ring so far. */
struct line {
    struct giq_project *project;
    struct point *points;
    size_t count;
    size_t room;
    bool is_near_pole; /* some sample is beyond NEAR_POLE */
    bool touches_pole; /* some vertices are poles */
    bool is_ccw;       /* counter-clockwise on the globe; set by find_direction() */
    struct giq_error *err;
};

/* ---- points ---- */

static bool fail_point(const struct giq_project *p, const struct point *at,
                       struct giq_error *err)
{
    return giq_fail(err, GIQ_E_AREA,
                    "the point %s of the area cannot be transformed from %s to longitude "
                    "and latitude; check the coordinate system of the area",
                    CPLSPrintf("%.15g %.15g", at->x, at->y), p->name);
}

/* Transform at most POINTS_MAX points. Returns `count`, or the index of the first point
 * that cannot be transformed. */
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
    if (done < count) {
        return fail_point(line->project, &points[done], line->err);
    }
    return true;
}

static struct point interpolate(const struct point *from, const struct point *to,
                                double part)
{
    return (struct point){.x = from->x + part * (to->x - from->x),
                          .y = from->y + part * (to->y - from->y)};
}

/* Add turns to the longitude of `at` until it is within half a turn of `from`. */
static void unwrap(const struct point *from, struct point *at)
{
    at->lon += TURN * round((from->lon - at->lon) / TURN);
}

/* Whether `at` lies off the straight line between two points. */
static bool deviates(const struct point *at, const struct point *from,
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
            return giq_fail_memory(line->err);
        }
        line->points = grown;
        line->room = room;
    }
    line->points[line->count++] = *point;
    return true;
}

/* The distance of two points on a globe of radius 1. */
static double distance(const struct point *a, const struct point *b)
{
    double dlon = (b->lon - a->lon) * M_PI / 180;
    double from = a->lat * M_PI / 180;
    double to = b->lat * M_PI / 180;
    return hypot(2 * sin((to - from) / 2),
                 2 * sin(dlon / 2) * sqrt(fmax(0, cos(from) * cos(to))));
}

/* Whether the smallest part of an edge jumps: the coordinate system is discontinuous
 * there, and locations on both sides are far apart. */
static bool is_discontinuous(const struct point *from, const struct point sample[3],
                             const struct point *to)
{
    double step[] = {distance(from, &sample[0]), distance(&sample[0], &sample[1]),
                     distance(&sample[1], &sample[2]), distance(&sample[2], to)};
    double longest = 0;
    double second = 0;
    for (size_t i = 0; i < 4; i++) {
        second = fmax(second, fmin(longest, step[i]));
        longest = fmax(longest, step[i]);
    }
    return longest > JUMP && longest > JUMP_RATIO * second;
}

static bool fail_discontinuous(const struct line *line, const struct point *from,
                               const struct point *to)
{
    return giq_fail(
        line->err, GIQ_E_AREA,
        "the area has an edge near %s that crosses a discontinuity of %s, where "
        "neighbouring coordinates are far apart on Earth; give the area in another "
        "coordinate system, or in parts that end there",
        CPLSPrintf("%.15g %.15g", (from->x + to->x) / 2, (from->y + to->y) / 2),
        line->project->name);
}

/* Add the edge from the last point to `to`, halved until its parts are straight. */
static bool add_curved(struct line *line, struct point to, int depth)
{
    const struct point from = line->points[line->count - 1];
    struct point sample[] = {interpolate(&from, &to, 0.25), interpolate(&from, &to, 0.5),
                             interpolate(&from, &to, 0.75)};
    if (!transform(line, sample, 3)) {
        return false;
    }
    unwrap(&from, &sample[0]);
    unwrap(&sample[0], &sample[1]);
    unwrap(&sample[1], &sample[2]);
    unwrap(&sample[2], &to);
    bool is_curved = deviates(&sample[0], &from, &to) ||
                     deviates(&sample[1], &from, &to) || deviates(&sample[2], &from, &to);
    if (is_curved && depth == DEPTH_MAX && is_discontinuous(&from, sample, &to)) {
        return fail_discontinuous(line, &from, &to);
    }
    if (!is_curved || depth == DEPTH_MAX) {
        return add_point(line, &to);
    }
    return add_curved(line, sample[1], depth + 1) && add_curved(line, to, depth + 1);
}

/* ---- poles ---- */

/* The longitude at which the edge from a pole to `to` leaves it. */
static bool find_longitude(struct line *line, const struct point *pole,
                           const struct point *to, double *out)
{
    struct point probe = interpolate(pole, to, POLE_PART);
    bool ok = transform(line, &probe, 1);
    *out = probe.lon;
    return ok;
}

/* Move along the pole, which is the last point, to the longitude at which the ring leaves
 * it. Seen from above, the interior is left of a ring that runs counter-clockwise. */
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
        /* The ring starts here, so there is no longitude of arrival. */
        if (line->count == 1) {
            line->points[0].lon = lon;
        } else if (!leave_pole(line, lon)) {
            return false;
        }
    }
    if (to.is_pole && !find_longitude(line, &to, &from, &to.lon)) {
        return false;
    }
    return add_curved(line, to, 0);
}

static bool add_edge(struct line *line, struct point middle, struct point to)
{
    const struct point from = line->points[line->count - 1];
    if (from.is_pole || to.is_pole) {
        return add_polar_edge(line, to);
    }
    unwrap(&from, &middle);
    struct point end = to;
    unwrap(&middle, &end);
    bool is_short =
        fabs(end.lon - from.lon) < SHORT_EDGE && fabs(end.lat - from.lat) < SHORT_EDGE;
    if (is_short && !deviates(&middle, &from, &end)) {
        return add_point(line, &end);
    }
    return add_curved(line, to, 0);
}

static void mark_pole(const struct line *line, struct point *point)
{
    double lat = line->touches_pole
                     ? giq_poles_latitude_at(&line->project->poles, point->x, point->y)
                     : 0;
    if (lat != 0) {
        point->lat = lat;
        point->is_pole = true;
    }
}

/* Add `edges` edges of a ring from the vertex `first` on; transform them in one call. */
static bool add_edges(struct line *line, const double *xy, size_t first, size_t edges)
{
    struct point points[POINTS_MAX];
    for (size_t i = 0; i <= edges; i++) {
        const double *at = xy + 2 * (first + i);
        points[2 * i] = (struct point){.x = at[0], .y = at[1]};
        if (i > 0) {
            points[2 * i - 1] = interpolate(&points[2 * i - 2], &points[2 * i], 0.5);
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

/* Determine whether a ring runs counter-clockwise on the globe, seen from above. */
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
    if (p->orientation == 0) {
        double step = size * 1e-6; /* small against the ring, large against rounding */
        p->orientation = giq_poles_orientation(&p->poles, p->transform, xy, count, step);
    }
    if (p->orientation == 0) {
        return giq_fail(line->err, GIQ_E_AREA,
                        "the orientation of %s cannot be determined at the area; check "
                        "the coordinate system of the area",
                        p->name);
    }
    line->is_ccw = (area > 0) == (p->orientation > 0);
    return true;
}

/*
 * Whether the meridian from the first point to the pole crosses the projected ring: some
 * edge meets the longitude of the first point, or one that is whole turns from it, nearer
 * to the pole than that point. `sign` is 1 for the north pole, -1 for the south pole.
 */
static bool is_way_to_pole_crossed(const struct line *line, double sign)
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

/* Make a projected ring that encircles the Earth begin at the point nearest to the pole,
 * unless the meridian from its first point to the pole is free. */
static bool begin_nearest_to_pole(struct line *line, double pole, double turn)
{
    double sign = pole > 0 ? 1 : -1;
    if (!is_way_to_pole_crossed(line, sign)) {
        return true;
    }
    size_t open = line->count - 1;
    size_t first = 0;
    for (size_t i = 1; i < open; i++) {
        if (sign * line->points[i].lat > sign * line->points[first].lat) {
            first = i;
        }
    }
    struct point *points = malloc(line->count * sizeof *points);
    if (points == NULL) {
        return giq_fail_memory(line->err);
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

/* Close a ring that encircles the Earth once over the pole that it encloses. It is drawn
 * twice, because it may begin anywhere within a turn and must cover all longitudes from
 * -180 to 180. */
static bool close_over_pole(struct line *line, double turn)
{
    /* A ring that runs counter-clockwise and eastward has the north pole on its left. */
    double pole = line->is_ccw == (turn > 0) ? 90 : -90;
    if (!begin_nearest_to_pole(line, pole, turn)) {
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

static bool project_edges(struct line *line, const double *xy, size_t count)
{
    size_t first = 0;
    do {
        if (!giq_project_check_cancelled(line->project->env, line->err)) {
            return false;
        }
        size_t left = count - 1 - first;
        if (!add_edges(line, xy, first, left < CHUNK ? left : CHUNK)) {
            return false;
        }
        first += CHUNK;
    } while (first + 1 < count);
    /* A ring that touches a pole begins and ends there. */
    if (line->touches_pole) {
        return leave_pole(line, line->points[0].lon);
    }
    return true;
}

/* Close a projected ring over the pole if it encircles the Earth. */
static bool close_ring(struct line *line, const double *xy, size_t count)
{
    double turns = (line->points[line->count - 1].lon - line->points[0].lon) / TURN;
    if (fabs(turns) < 0.5) {
        return true;
    }
    if (fabs(turns) > 1.5) {
        return giq_fail(line->err, GIQ_E_AREA,
                        "the area has a ring through %s that encircles the Earth more "
                        "than once; give the area in another coordinate system, or in "
                        "polygons that do not",
                        CPLSPrintf("%.15g %.15g", xy[0], xy[1]));
    }
    return find_direction(line, xy, count) &&
           close_over_pole(line, turns > 0 ? TURN : -TURN);
}

/* Project a ring again with the poles that it touches as vertices; does nothing if it
 * touches none. */
static bool project_touching_poles(struct line *line, const double *xy, size_t count)
{
    struct giq_project *p = line->project;
    double *rewritten = NULL;
    if (!p->is_poles_known) {
        giq_poles_find(p->transform, p->metre, &p->poles);
        p->is_poles_known = true;
    }
    if (!giq_poles_insert(&p->poles, xy, count, &rewritten, &count, line->err)) {
        return false;
    }
    if (rewritten == NULL) {
        return true;
    }
    line->touches_pole = true;
    line->count = 0;
    bool ok =
        find_direction(line, rewritten, count) && project_edges(line, rewritten, count);
    free(rewritten);
    return ok;
}

static bool project_and_close(struct line *line, const double *xy, size_t count)
{
    if (!project_edges(line, xy, count)) {
        return false;
    }
    bool may_touch_pole = line->project->metre > 0 && line->is_near_pole;
    if (may_touch_pole && !project_touching_poles(line, xy, count)) {
        return false;
    }
    return close_ring(line, xy, count);
}

static bool project_ring(void *ctx, const double *xy, size_t count, double **out_xy,
                         size_t *out_count, struct giq_error *err)
{
    struct line line = {.project = ctx, .err = err};
    if (!project_and_close(&line, xy, count)) {
        free(line.points);
        return false;
    }
    double *made = malloc(2 * sizeof *made * line.count);
    if (made == NULL) {
        free(line.points);
        return giq_fail_memory(err);
    }
    for (size_t i = 0; i < line.count; i++) {
        made[2 * i] = line.points[i].lon;
        made[2 * i + 1] = line.points[i].lat;
    }
    free(line.points);
    *out_xy = made;
    *out_count = line.count;
    return true;
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

/* ---- coordinate systems ---- */

/* The coordinate system of longitude and latitude; NULL on an error. */
static OGRSpatialReferenceH make_world(struct giq_error *err)
{
    CPLErrorReset();
    OGRSpatialReferenceH world = OSRNewSpatialReference(NULL);
    if (OSRImportFromEPSG(world, 4326) == OGRERR_NONE) {
        return world;
    }
    (void)giq_fail(err, GIQ_E_AREA,
                   "the database of PROJ cannot be used: %.*s; check PROJ_DATA "
                   "(PROJ_LIB), which may name the folder of another installation",
                   giq_text_cut_len(CPLGetLastErrorMsg(), 250), CPLGetLastErrorMsg());
    OSRRelease(world);
    return NULL;
}

bool giq_project_check_database(struct giq_error *err)
{
    OGRSpatialReferenceH world = make_world(err);
    if (world == NULL) {
        return false;
    }
    OSRRelease(world);
    return true;
}

bool giq_project_check_cancelled(const struct giq_env *env, struct giq_error *err)
{
    if (env->cancelled(env->ctx)) {
        return giq_fail(err, GIQ_E_CANCELLED,
                        "the open was cancelled while its area was read; nothing was "
                        "sent");
    }
    return true;
}

bool giq_project_has_no_position(OGRSpatialReferenceH srs)
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

bool giq_project_new(OGRSpatialReferenceH srs, const struct giq_env *env,
                     struct giq_project **out, struct giq_error *err)
{
    static const char *const criterion[] = {"CRITERION=EQUIVALENT", NULL};
    OGRSpatialReferenceH world = make_world(err);
    if (world == NULL) {
        return false;
    }
    struct giq_project *p = calloc(1, sizeof *p);
    if (p == NULL) {
        OSRRelease(world);
        return giq_fail_memory(err);
    }
    OSRSetAxisMappingStrategy(world, OAMS_TRADITIONAL_GIS_ORDER);
    p->env = env;
    const char *name = OSRGetName(srs);
    (void)CPLStrlcpy(p->name, name == NULL ? "the coordinate system of the area" : name,
                     NAME_SIZE);
    bool is_geographic = OSRIsGeographic(srs) != 0;
    p->half_turn = is_geographic ? M_PI / OSRGetAngularUnits(srs, NULL) : 0;
    p->metre = is_geographic ? 0 : 1 / OSRGetLinearUnits(srs, NULL);
    bool is_same = OSRIsSameEx(srs, world, criterion) != 0;
    p->transform = is_same ? NULL : OCTNewCoordinateTransformation(srs, world);
    OSRRelease(world);
    if (!is_same && p->transform == NULL) {
        (void)giq_fail(
            err, GIQ_E_AREA, "%s cannot be transformed to longitude and latitude: %.*s",
            p->name, giq_text_cut_len(CPLGetLastErrorMsg(), 200), CPLGetLastErrorMsg());
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

struct giq_projection giq_project_get_projection(struct giq_project *p)
{
    bool is_degrees = p->transform == NULL;
    return (struct giq_projection){.half_turn = p->half_turn,
                                   .ring = is_degrees ? NULL : project_ring,
                                   .points = is_degrees ? NULL : project_points,
                                   .ctx = p};
}
