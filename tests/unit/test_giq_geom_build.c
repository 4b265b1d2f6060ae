/* Areas that are made step by step: united, projected, cut at the antimeridian. */
#include <math.h>

#include "unit.h"

#include "giq/geom.h"

/* A ring as a list of numbers, ended by NAN. */
enum { NUMBERS_MAX = 32, RINGS_MAX = 6 };
struct ring {
    double xy[NUMBERS_MAX];
    bool is_hole;
};

#define BOX(minx, miny, maxx, maxy)                                                      \
    {                                                                                    \
        minx, miny, minx, maxy, maxx, maxy, maxx, miny, minx, miny, NAN                  \
    }

static size_t count_points(const struct ring *ring)
{
    size_t numbers = 0;
    while (!isnan(ring->xy[numbers])) {
        numbers++;
    }
    return numbers / 2;
}

static bool add_rings(struct giq_geom *geom, const struct ring *rings, size_t count,
                      struct giq_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        ok = giq_geom_add_ring(geom, rings[i].xy, count_points(&rings[i]), err);
        if (ok && (i + 1 == count || !rings[i + 1].is_hole)) {
            ok = giq_geom_end_polygon(geom, "feature 7", err);
        }
    }
    return ok;
}

/* The text of what is made of the rings, or NULL with `err` set. */
static char *build(unsigned flags, const struct ring *rings, size_t count,
                   const struct giq_projection *projection, struct giq_error *err)
{
    struct giq_geom *geom = NULL;
    char *text = NULL;
    *err = (struct giq_error){0};
    assert_true(giq_geom_new(flags, &geom, err));
    bool ok = add_rings(geom, rings, count, err) && giq_geom_unite(geom, err) &&
              (projection == NULL || giq_geom_project(geom, projection, err)) &&
              giq_geom_write(geom, &text, err);
    assert_int_equal(ok, err->code == GIQ_E_NONE);
    giq_geom_free(geom);
    return text;
}

struct build_case {
    struct ring rings[RINGS_MAX];
    size_t count;
    const char *text; /* of the area, or in the error */
};

static void check_cases(const struct build_case *cases, size_t count,
                        const struct giq_projection *projection)
{
    for (size_t i = 0; i < count; i++) {
        struct giq_error err;
        char *text = build(0, cases[i].rings, cases[i].count, projection, &err);
        if (text != NULL) {
            assert_string_equal(text, cases[i].text);
        } else if (strstr(err.text, cases[i].text) == NULL) {
            fail_msg("case %zu: %s", i, err.text);
        }
        free(text);
    }
}

static const struct build_case unions[] = {
    {{{BOX(0, 0, 2, 2), false}, {BOX(1, 1, 3, 3), false}},
     2,
     "POLYGON((0 0,0 2,1 2,1 3,3 3,3 1,2 1,2 0,0 0))"},
    /* A hole is kept, and filled by what lies in it. */
    {{{BOX(0, 0, 9, 9), false},
      {BOX(1, 1, 2, 2), true},
      {BOX(4, 4, 5, 5), true},
      {BOX(3, 3, 6, 6), false}},
     4,
     "POLYGON((0 0,0 9,9 9,9 0,0 0),(1 1,2 1,2 2,1 2,1 1))"},
    /* Neighbours have no border. */
    {{{BOX(0, 0, 1, 1), false}, {BOX(1, 0, 2, 1), false}},
     2,
     "POLYGON((0 0,0 1,1 1,2 1,2 0,1 0,0 0))"},
    /* Nor have those which are neighbours but for the last digits. */
    {{{BOX(0, 0, 1, 1), false}, {BOX(1.00000000001, 0, 2, 1), false}},
     2,
     "POLYGON((0 0,0 1,1 1,2 1,2 0,1 0,0 0))"},
    {{{BOX(0, 0, 1.00000000001, 1), false}, {BOX(1, 0, 2, 1), false}},
     2,
     "POLYGON((0 0,0 1,1 1,2 1,2 0,1 0,0 0))"},
    /* What touches in a point is one area already. */
    {{{BOX(0, 0, 1, 1), false}, {BOX(1, 1, 2, 2), false}},
     2,
     "MULTIPOLYGON(((1 1,1 2,2 2,2 1,1 1)),((0 0,0 1,1 1,1 0,0 0)))"},
    {{{BOX(0, 0, 1, 1), false}, {BOX(0, 0, 1, 1), false}},
     2,
     "POLYGON((0 0,0 1,1 1,1 0,0 0))"},
    {{{BOX(0, 0, 1, 1), false}, {BOX(5, 5, 6, 6), false}},
     2,
     "MULTIPOLYGON(((5 5,5 6,6 6,6 5,5 5)),((0 0,0 1,1 1,1 0,0 0)))"},
    /* A sliver that vanishes when it is rounded is part of what it touches. */
    {{{BOX(0, 0, 1, 1), false}, {BOX(0.5, 0.2, 0.50000001, 0.8), false}},
     2,
     "POLYGON((0 0,0 1,1 1,1 0,0 0))"},
    {{{BOX(0.5, 0.2, 0.50000001, 0.8), false}, {BOX(0, 0, 1, 1), false}},
     2,
     "POLYGON((0 0,0 1,1 1,1 0,0 0))"},
    {{{BOX(0, 0, 1, 1), false}, {BOX(5, 5, 5.00000001, 6), false}},
     2,
     "encloses no area at 7 decimals"},
    {{{{0, 0}, false}}, 0, "the area is empty"},
    {{{BOX(0, 0, 1, 1), false}, {{0, 0, 2, 2, 0, 2, 2, 0, 0, 0, NAN}, false}},
     2,
     "feature 7 is not valid: Self-intersection at 1 1; MAKE_VALID"},
    {{{{0, 0, 2, 2, 0, 0, 0, 0, NAN}, false}}, 1, "feature 7 encloses no area; MAKE"},
    {{{{0, 0, 0, INFINITY, 1, 1, 0, 0, NAN}, false}}, 1, "that is not a finite number"},
    {{{{0, 0, 0, 1e10, 1, 1, 0, 0, NAN}, false}},
     1,
     "point 0 10000000000; coordinates must be between"},
};

static void test_polygons_are_united(void **state)
{
    (void)state;
    check_cases(unions, GIQ_COUNT(unions), NULL);
}

static void test_make_valid_repairs_each_polygon(void **state)
{
    (void)state;
    static const struct ring rings[] = {
        {{0, 0, 2, 2, 0, 2, 2, 0, 0, 0, NAN}, false},
        {{5, 5, 6, 6, 5, 5, 5, 5, NAN}, false},
    };
    struct giq_error err;
    char *text = build(GIQ_GEOM_MAKE_VALID, rings, 2, NULL, &err);
    assert_string_equal(err.text, "");
    assert_string_equal(text, "MULTIPOLYGON(((0 2,2 2,1 1,0 2)),((0 0,1 1,2 0,0 0)))");
    free(text);
}

static void test_degrees_are_cut_at_the_antimeridian(void **state)
{
    (void)state;
    static const struct giq_projection degrees = {.half_turn = 180};
    static const char both[] = "MULTIPOLYGON(((170 0,170 9,180 9,180 0,170 0)),"
                               "((-180 0,-180 9,-170 9,-170 0,-180 0)))";
    static const struct build_case cases[] = {
        {{{BOX(170, 0, 190, 9), false}}, 1, both},
        {{{BOX(-190, 0, -170, 9), false}}, 1, both},
        {{{BOX(170, 0, 180, 9), false}, {BOX(-180, 0, -170, 9), false}}, 2, both},
        {{{BOX(170, 0, 180, 9), false},
          {BOX(-175, 0, -170, 9), false},
          {BOX(180, 0, 185, 9), false}},
         3,
         "MULTIPOLYGON(((-180 0,-180 9,-175 9,-170 9,-170 0,-175 0,-180 0)),"
         "((170 0,170 9,180 9,180 0,170 0)))"},
        {{{BOX(270, 0, 280, 9), false}}, 1, "POLYGON((-90 0,-90 9,-80 9,-80 0,-90 0))"},
        {{{BOX(170, 0, 190, 9), false}, {BOX(179, 1, 181, 2), true}},
         2,
         "MULTIPOLYGON(((170 0,170 9,180 9,180 2,179 2,179 1,180 1,180 0,170 0)),"
         "((-180 0,-180 1,-179 1,-179 2,-180 2,-180 9,-170 9,-170 0,-180 0)))"},
        {{{BOX(-180, -90, 180, 90), false}},
         1,
         "POLYGON((-180 -90,-180 90,180 90,180 -90,-180 -90))"},
        {{{BOX(0, -90, 360, 90), false}},
         1,
         "POLYGON((-180 -90,-180 90,0 90,180 90,180 -90,0 -90,-180 -90))"},
        /* What is thinner than the last digit vanishes there. */
        {{{BOX(170, 0, 180.00000001, 9), false}},
         1,
         "POLYGON((170 0,170 9,180 9,180 0,170 0))"},
        {{{BOX(-360.00000000000006, 1, -359, 2), false}},
         1,
         "POLYGON((0 1,0 2,1 2,1 1,0 1))"},
        {{{BOX(0, 0, 361, 1), false}}, 1, "361 1, which is out of range"},
        {{{BOX(170, 0, 190, 91), false}},
         1,
         "170 91, which is out of range: x is the longitude (-360 to 360)"},
        {{{BOX(-179, 0, 179, 1), false}}, 1, "edge from -179 1 to 179 1, which spans"},
    };
    check_cases(cases, GIQ_COUNT(cases), &degrees);
}

static void test_area_that_overlaps_itself_on_the_globe_is_sent_once(void **state)
{
    (void)state;
    static const struct giq_projection degrees = {.half_turn = 180};
    static const struct build_case same = {
        {{BOX(-175, 0, -170, 9), false}, {BOX(185, 0, 190, 9), false}},
        2,
        "POLYGON((-175 0,-175 9,-170 9,-170 0,-175 0))"};
    check_cases(&same, 1, &degrees);
}

/* Metres on a globe of 1 km in a degree, whose longitudes are a turn off for holes; it
 * adds a point to each edge. */
static bool project_ring(void *ctx, const double *xy, size_t count, double **out_xy,
                         size_t *out_count, struct giq_error *err)
{
    double *made = malloc(4 * sizeof *made * count);
    int *calls = ctx;
    double turn = (*calls)++ == 1 ? 360 : 0;
    (void)err;
    assert_non_null(made);
    for (size_t i = 0; i + 1 < count; i++) {
        made[4 * i] = xy[2 * i] / 1000 - turn;
        made[4 * i + 1] = xy[2 * i + 1] / 1000;
        made[4 * i + 2] = (xy[2 * i] + xy[2 * i + 2]) / 2000 - turn;
        made[4 * i + 3] = (xy[2 * i + 1] + xy[2 * i + 3]) / 2000;
    }
    made[4 * count - 4] = made[0];
    made[4 * count - 3] = made[1];
    *out_xy = made;
    *out_count = 2 * count - 1;
    return true;
}

static void project_points(void *ctx, double *xy, size_t count)
{
    (void)ctx;
    for (size_t i = 0; i < 2 * count; i++) {
        xy[i] /= 1000;
    }
}

static void test_rings_are_projected_each_for_itself(void **state)
{
    (void)state;
    int calls = 0;
    const struct giq_projection metres = {
        .ring = project_ring, .points = project_points, .ctx = &calls};
    static const struct build_case cases[] = {
        {{{BOX(170000, 0, 190000, 2000), false}, {BOX(182000, 500, 184000, 1500), true}},
         2,
         "MULTIPOLYGON(((170 0,170 1,170 2,180 2,180 0,170 0)),"
         "((-180 0,-180 2,-170 2,-170 1,-170 0,-180 0),"
         "(-178 0.5,-177 0.5,-176 0.5,-176 1,-176 1.5,-177 1.5,-178 1.5,-178 1,-178 "
         "0.5)))"},
    };
    check_cases(cases, GIQ_COUNT(cases), &metres);
    assert_int_equal(calls, 2);
}

static bool fail_ring(void *ctx, const double *xy, size_t count, double **out_xy,
                      size_t *out_count, struct giq_error *err)
{
    (void)ctx;
    (void)xy;
    (void)count;
    (void)out_xy;
    (void)out_count;
    return giq_fail(err, GIQ_E_AREA, "beyond the world");
}

static void test_point_that_cannot_be_projected_is_an_error(void **state)
{
    (void)state;
    static const struct giq_projection none = {.ring = fail_ring};
    static const struct ring box = {BOX(0, 0, 1, 1), false};
    struct giq_error err;
    assert_null(build(0, &box, 1, &none, &err));
    assert_string_equal(err.text, "beyond the world");
}

/* A projection that goes wrong: each ring becomes the ring `ctx`. */
static bool replace_ring(void *ctx, const double *xy, size_t count, double **out_xy,
                         size_t *out_count, struct giq_error *err)
{
    const struct ring *ring = ctx;
    (void)xy;
    (void)count;
    (void)err;
    *out_count = count_points(ring);
    *out_xy = malloc(2 * sizeof **out_xy * *out_count);
    assert_non_null(*out_xy);
    memcpy(*out_xy, ring->xy, 2 * sizeof **out_xy * *out_count);
    return true;
}

static void keep_points(void *ctx, double *xy, size_t count)
{
    (void)ctx;
    (void)xy;
    (void)count;
}

static void lose_points(void *ctx, double *xy, size_t count)
{
    (void)ctx;
    for (size_t i = 0; i < 2 * count; i++) {
        xy[i] = NAN;
    }
}

static void test_area_that_became_another_one_is_refused(void **state)
{
    (void)state;
    static const char size[] = "its size would change by more than a factor of two. "
                               "Nothing was sent";
    static const struct {
        struct ring made;
        void (*points)(void *, double *, size_t);
        const char *text; /* of the area, or in the error */
    } cases[] = {
        {{BOX(1, 1, 2, 2), false}, keep_points, "POLYGON((1 1,1 2,2 2,2 1,1 1))"},
        {{BOX(1, 1, 2, 1.6), false}, keep_points, "POLYGON((1 1,1 1.6,2 1.6,2 1,1 1))"},
        {{BOX(-180, -90, 180, 90), false}, keep_points, size},
        {{BOX(1, 1, 2, 3.1), false}, keep_points, size},
        {{BOX(1, 1, 2, 1.4), false}, keep_points, size},
        {{BOX(2, 1, 3, 2), false},
         keep_points,
         "its inner point 1.5 1.5 would lie outside it. Nothing was sent"},
        {{BOX(1, 1, 2, 2), false}, lose_points, "a point inside it cannot be projected"},
    };
    static const struct ring given = {BOX(1, 1, 2, 2), false};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err;
        struct ring made = cases[i].made;
        const struct giq_projection wrong = {
            .ring = replace_ring, .points = cases[i].points, .ctx = &made};
        char *text = build(0, &given, 1, &wrong, &err);
        assert_int_equal(text == NULL, cases[i].text[0] != 'P');
        if (strstr(text == NULL ? err.text : text, cases[i].text) == NULL) {
            fail_msg("case %zu: %s%s", i, err.text, text == NULL ? "" : text);
        }
        free(text);
    }
}

/* A comb of `teeth` teeth has four vertices for each. */
static char *comb(size_t teeth, struct giq_error *err)
{
    struct giq_geom *geom = NULL;
    char *text = NULL;
    size_t count = 4 * teeth + 1;
    double *xy = malloc(2 * sizeof *xy * count);
    assert_non_null(xy);
    for (size_t i = 0; i < 2 * teeth; i++) {
        double x = (double)i * 5e-5;
        bool is_up = i % 2 == 1;
        double ys[] = {is_up ? 2 : 1, is_up ? 1 : 2};
        memcpy(xy + 4 * i, (double[]){x, ys[0], x, ys[1]}, 4 * sizeof *xy);
    }
    /* The first and last point are below. */
    xy[1] = 0;
    xy[8 * teeth - 1] = 0;
    xy[8 * teeth] = xy[0];
    xy[8 * teeth + 1] = xy[1];
    *err = (struct giq_error){0};
    assert_true(giq_geom_new(0, &geom, err));
    bool ok = giq_geom_add_ring(geom, xy, count, err) &&
              giq_geom_end_polygon(geom, "the comb", err) && giq_geom_unite(geom, err) &&
              giq_geom_write(geom, &text, err);
    assert_int_equal(ok, err->code == GIQ_E_NONE);
    giq_geom_free(geom);
    free(xy);
    return text;
}

static void test_a_million_vertices_and_no_more_are_sent(void **state)
{
    (void)state;
    struct giq_error err;
    char *text = comb(250000, &err);
    assert_string_equal(err.text, "");
    size_t points = 1;
    for (const char *at = text; *at != '\0'; at++) {
        points += *at == ',';
    }
    assert_int_equal(points, 1000001);
    free(text);
    assert_null(comb(250001, &err));
    assert_int_equal(err.code, GIQ_E_AREA);
    assert_non_null(strstr(err.text, "1000004 points, more than 1000000"));
    assert_non_null(strstr(err.text, "ogr2ogr -simplify"));
}

/* ---- cancelling ---- */

struct canceller {
    int calls;
    int cancels_at; /* the call that cancels; 0: none */
};

static bool cancel(void *ctx)
{
    struct canceller *canceller = ctx;
    return ++canceller->calls == canceller->cancels_at;
}

static bool add_circle(struct giq_geom *geom, double radius, struct giq_error *err)
{
    enum { POINTS = 200 };
    double xy[2 * (POINTS + 1)];
    for (int i = 0; i <= POINTS; i++) {
        double angle = 2 * acos(-1) * (i % POINTS) / POINTS;
        xy[2 * i] = radius * cos(angle);
        xy[2 * i + 1] = radius * sin(angle);
    }
    return giq_geom_add_ring(geom, xy, POINTS + 1, err);
}

/* Unite rings within rings, which all have to be compared and do not touch. */
static bool unite_rings(struct canceller *canceller, struct giq_error *err)
{
    const struct giq_env env = {.cancelled = cancel, .ctx = canceller};
    struct giq_geom *geom = NULL;
    *err = (struct giq_error){0};
    assert_true(giq_geom_new(0, &geom, err));
    giq_geom_set_env(geom, &env);
    for (int i = 40; i > 0; i--) {
        assert_true(add_circle(geom, i, err) && add_circle(geom, i - 0.5, err) &&
                    giq_geom_end_polygon(geom, "a ring", err));
    }
    bool ok = giq_geom_unite(geom, err);
    giq_geom_free(geom);
    return ok;
}

static void test_union_ends_soon_after_it_is_cancelled(void **state)
{
    (void)state;
    struct giq_error err;
    struct canceller never = {0};
    assert_true(unite_rings(&never, &err));
    /* 40 * 39 / 2 comparisons of 201 points each, and 40 polygons twice. */
    assert_int_equal(never.calls, 17);
    for (int at = 1; at <= never.calls; at += never.calls / 2) {
        struct canceller canceller = {.cancels_at = at};
        assert_false(unite_rings(&canceller, &err));
        assert_int_equal(err.code, GIQ_E_CANCELLED);
        assert_int_equal(canceller.calls, at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_polygons_are_united),
        cmocka_unit_test(test_make_valid_repairs_each_polygon),
        cmocka_unit_test(test_degrees_are_cut_at_the_antimeridian),
        cmocka_unit_test(test_area_that_overlaps_itself_on_the_globe_is_sent_once),
        cmocka_unit_test(test_rings_are_projected_each_for_itself),
        cmocka_unit_test(test_point_that_cannot_be_projected_is_an_error),
        cmocka_unit_test(test_area_that_became_another_one_is_refused),
        cmocka_unit_test(test_a_million_vertices_and_no_more_are_sent),
        cmocka_unit_test(test_union_ends_soon_after_it_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
