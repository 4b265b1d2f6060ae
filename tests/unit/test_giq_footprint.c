#include "unit.h"

#include "giq/geom.h"

static struct giq_geom_filter *filter_of(const char *area)
{
    struct giq_geom_filter *filter = NULL;
    struct giq_error err = {0};
    assert_true(giq_geom_filter_new(area, &filter, &err));
    return filter;
}

/* The footprint that is read of these, without an area; NULL where there is none. */
static char *footprint_of(const char *wkt, const char *box)
{
    struct giq_geom_filter *filter = filter_of(NULL);
    struct giq_error err = {0};
    char *out = NULL;
    bool is_selected = false;
    assert_true(giq_geom_filter_check(filter, wkt, box, &out, &is_selected, &err));
    assert_true(is_selected);
    assert_int_equal(err.code, GIQ_E_NONE);
    giq_geom_filter_free(filter);
    return out;
}

#define SQUARE "POLYGON((1 1,1 2,2 2,2 1,1 1))"
#define BOX    "3,3,4,4"
#define IS_BOX "POLYGON((3 3,3 4,4 4,4 3,3 3))"

static void test_footprint_is_the_geometry_else_the_box(void **state)
{
    (void)state;
    static const struct {
        const char *wkt, *box, *expected;
    } cases[] = {
        {SQUARE, BOX, SQUARE},
        {SQUARE, NULL, SQUARE},
        {NULL, BOX, IS_BOX},
        {NULL, NULL, NULL},
        {"POLYGON((0 0,1 1,1 0,0 1,0 0))", BOX, IS_BOX}, /* it crosses itself */
        {"POLYGON((0 0,1 1,1 0,0 1,0 0))", NULL, NULL},
        {"POLYGON((0 0,1 1))", BOX, IS_BOX},
        {"POLYGON((1 1,1 99,2 99,2 1,1 1))", BOX, IS_BOX}, /* no latitude */
        {"POLYGON((1 1,1 1e99,2 2,2 1,1 1))", BOX, IS_BOX},
        {"POINT(1 1)", BOX, IS_BOX},
        {"MULTIPOLYGON EMPTY", BOX, IS_BOX},
        {"nonsense", "nonsense", NULL},
        /* It would span the world the long way: the box has the way that is meant. */
        {"POLYGON((179 0,-179 0,-179 1,179 1,179 0))", "179,0,-179,1",
         "MULTIPOLYGON(((179 0,179 1,180 1,180 0,179 0)),"
         "((-180 0,-180 1,-179 1,-179 0,-180 0)))"},
        {"POLYGON((179 0,181 0,181 1,179 1,179 0))", NULL,
         "MULTIPOLYGON(((179 0,179 1,180 1,180 0,179 0)),"
         "((-180 0,-180 1,-179 1,-179 0,-180 0)))"},
        {"POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))", NULL,
         "POLYGON((-180 -90,-180 90,180 90,180 -90,-180 -90))"},
        {"POLYGON((1 1,1 2,2 2,2 1,1 1),(1.2 1.2,1.4 1.2,1.4 1.4,1.2 1.2))", NULL,
         "POLYGON((1 1,1 2,2 2,2 1,1 1),(1.2 1.2,1.4 1.2,1.4 1.4,1.2 1.2))"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char *text = footprint_of(cases[i].wkt, cases[i].box);
        if (cases[i].expected == NULL) {
            assert_null(text);
        } else {
            assert_string_equal(text, cases[i].expected);
        }
        free(text);
    }
}

/* A polygon of `count` points, the first of which is also the last. */
static char *comb(size_t count)
{
    enum { POINT_MAX = 32 };
    char *text = malloc(sizeof "POLYGON((0 0,1 0))" + count * POINT_MAX);
    assert_non_null(text);
    char *end = stpcpy(text, "POLYGON((0 0");
    for (size_t i = 1; i + 2 < count; i++) {
        end += sprintf(end, ",%.4f %.1f", 0.001 * (double)i, i % 2 == 0 ? 1.0 : 1.5);
    }
    (void)stpcpy(end, ",20 0,0 0))");
    return text;
}

static void test_footprint_of_too_many_points_is_the_box(void **state)
{
    (void)state;
    char *fits = comb(5000);
    char *too_many = comb(5001);
    char *polygon = footprint_of(fits, BOX);
    char *box = footprint_of(too_many, BOX);
    assert_non_null(polygon);
    assert_string_not_equal(polygon, IS_BOX);
    assert_string_equal(box, IS_BOX);
    free(fits);
    free(too_many);
    free(polygon);
    free(box);
}

static void test_boxes(void **state)
{
    (void)state;
    static const struct {
        const char *box, *expected;
    } cases[] = {
        {"170,-1,-170,1", "MULTIPOLYGON(((170 -1,170 1,180 1,180 -1,170 -1)),"
                          "((-180 -1,-180 1,-170 1,-170 -1,-180 -1)))"},
        {"170,-1,190,1", "MULTIPOLYGON(((170 -1,170 1,180 1,180 -1,170 -1)),"
                         "((-180 -1,-180 1,-170 1,-170 -1,-180 -1)))"},
        {"-190,-1,-170,1", "MULTIPOLYGON(((170 -1,170 1,180 1,180 -1,170 -1)),"
                           "((-180 -1,-180 1,-170 1,-170 -1,-180 -1)))"},
        {"190,-1,200,1", "POLYGON((-170 -1,-170 1,-160 1,-160 -1,-170 -1))"},
        {"-200,-1,-190,1", "POLYGON((160 -1,160 1,170 1,170 -1,160 -1))"},
        {"180,-1,-170,1", "POLYGON((-180 -1,-180 1,-170 1,-170 -1,-180 -1))"},
        {"170,-1,-180,1", "POLYGON((170 -1,170 1,180 1,180 -1,170 -1))"},
        {"0,-90,360,90", "POLYGON((-180 -90,-180 90,180 90,180 -90,-180 -90))"},
        {"-180,-90,180,90", "POLYGON((-180 -90,-180 90,180 90,180 -90,-180 -90))"},
        {"7,8,7,8", "POLYGON((7 8,7 8.0000001,7.0000001 8.0000001,7.0000001 8,7 8))"},
        {"180,90,180,90", "POLYGON((179.9999999 89.9999999,179.9999999 90,180 90,"
                          "180 89.9999999,179.9999999 89.9999999))"},
        {"1,2,3,1", NULL},
        {"1,2,3,91", NULL},
        {"1,2,361,3", NULL},
        {"190,-1,-170,1", NULL},
        {"1,2,3", NULL},
        {"1,2,nan,3", NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char *text = footprint_of(NULL, cases[i].box);
        if (cases[i].expected == NULL) {
            assert_null(text);
        } else {
            assert_string_equal(text, cases[i].expected);
        }
        free(text);
    }
}

static void test_exact_shape_selects(void **state)
{
    (void)state;
    /* An L: the box around it holds what the area does not. */
    static const char area[] = "POLYGON((0 0,0 10,1 10,1 1,10 1,10 0,0 0))";
    static const struct {
        const char *wkt, *box;
        bool is_selected;
    } cases[] = {
        {"POLYGON((5 5,5 6,6 6,6 5,5 5))", NULL, false},
        {"POLYGON((0.5 5,0.5 6,6 6,6 5,0.5 5))", NULL, true},
        {"POLYGON((1 5,1 6,6 6,6 5,1 5))", NULL, true},            /* it touches */
        {"POLYGON((-9 -9,-9 99,99 99,99 -9,-9 -9))", NULL, false}, /* not valid */
        {"POLYGON((-9 -9,-9 89,99 89,99 -9,-9 -9))", NULL, true},
        {NULL, "5,5,6,6", false},
        {NULL, "0,5,6,6", true},
        {NULL, "0.5,0.5,0.5,0.5", true},
        {NULL, NULL, false},
    };
    struct giq_geom_filter *filter = filter_of(area);
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        char *out = NULL;
        bool is_selected = !cases[i].is_selected;
        assert_true(giq_geom_filter_check(filter, cases[i].wkt, cases[i].box, &out,
                                          &is_selected, &err));
        assert_int_equal(is_selected, cases[i].is_selected);
        free(out);
    }
    giq_geom_filter_free(filter);
}

static void test_an_area_has_one_box_or_one_on_each_side(void **state)
{
    (void)state;
    static const struct {
        const char *area;
        size_t count;
        const char *first, *second;
    } cases[] = {
        {NULL, 0, NULL, NULL},
        {"POLYGON((-34.89 -8.03,-34.84 -8.03,-34.84 -7.99,-34.89 -8.03))", 1,
         "-34.89,-8.03,-34.84,-7.99", NULL},
        {"MULTIPOLYGON(((170 -1,170 1,180 1,180 -1,170 -1)),"
         "((-180 0,-180 3,-170 3,-170 0,-180 0)))",
         2, "170,-1,180,1", "-180,0,-170,3"},
        /* A third part belongs to the nearer side. */
        {"MULTIPOLYGON(((170 -1,170 1,180 1,180 -1,170 -1)),((150 5,150 6,151 6,150 5)),"
         "((-180 0,-180 3,-170 3,-170 0,-180 0)))",
         2, "150,-1,180,6", "-180,0,-170,3"},
        /* Far from the antimeridian two parts have one box. */
        {"MULTIPOLYGON(((100 0,100 1,101 1,100 0)),((-100 0,-100 1,-99 1,-100 0)))", 1,
         "-100,0,101,1", NULL},
        {"POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))", 1, "-180,-90,180,90",
         NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_geom_filter *filter = filter_of(cases[i].area);
        struct giq_geom_box boxes[GIQ_FILES_BOXES_MAX];
        assert_int_equal(giq_geom_filter_boxes(filter, boxes), cases[i].count);
        if (cases[i].count > 0) {
            assert_string_equal(boxes[0].text, cases[i].first);
        }
        if (cases[i].count > 1) {
            assert_string_equal(boxes[1].text, cases[i].second);
        }
        giq_geom_filter_free(filter);
    }
}

static void test_filter_needs_an_area(void **state)
{
    (void)state;
    struct giq_geom_filter *filter = NULL;
    struct giq_error err = {0};
    assert_false(giq_geom_filter_new("MULTIPOLYGON EMPTY", &filter, &err));
    assert_int_equal(err.code, GIQ_E_AREA);
    assert_string_equal(err.text, "the area is empty");
    assert_null(filter);
    giq_geom_filter_free(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_footprint_is_the_geometry_else_the_box),
        cmocka_unit_test(test_footprint_of_too_many_points_is_the_box),
        cmocka_unit_test(test_boxes),
        cmocka_unit_test(test_exact_shape_selects),
        cmocka_unit_test(test_an_area_has_one_box_or_one_on_each_side),
        cmocka_unit_test(test_filter_needs_an_area),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
