#include "unit.h"

#include "base/giq_buf.h"
#include "giq/geom.h"

/* The text of an area, or NULL with `err` set. */
static char *area_of(const char *wkt, unsigned flags, struct giq_error *err)
{
    char *text = NULL;
    *err = (struct giq_error){0};
    bool ok = giq_geom_area_from_wkt(wkt, flags, &text, err);
    assert_true(ok == (text != NULL));
    assert_true(ok == (err->code == GIQ_E_NONE));
    return text;
}

static void test_one_area_has_one_text(void **state)
{
    (void)state;
    static const char *const square[] = {
        "POLYGON((10 10,10 20,20 20,20 10,10 10))",
        "polygon ((20 10, 10 10, 10 20, 20 20, 20 10))",
        "POLYGON((10 10,20 10,20 20,10 20,10 10))",
        "POLYGON((10 10,10 10,10 20,20 20,20 20,20 10,10 10))",
        "POLYGON((10.00000001 10,10 20,20 20,20 10,10.00000001 10))",
        "MULTIPOLYGON(((10 10,10 20,20 20,20 10,10 10)))",
        "MULTIPOLYGON(EMPTY,((10 10,10 20,20 20,20 10,10 10)))",
        "MULTIPOLYGON(((10 10,10 20,20 20,20 10,10 10)),(EMPTY))",
        "POLYGON Z((10 10 5,10 20 5,20 20 6,20 10 5,10 10 5))",
        "POLYGON((10 10 5,10 20 5,20 20 6,20 10 5,10 10 5))",
        " POLYGON((+10 1e1,10 20,20 20,20 10,10 10))\n",
    };
    for (size_t i = 0; i < GIQ_COUNT(square); i++) {
        struct giq_error err;
        char *text = area_of(square[i], 0, &err);
        assert_string_equal(err.text, "");
        assert_string_equal(text, "POLYGON((10 10,10 20,20 20,20 10,10 10))");
        free(text);
    }
}

static void test_parts_and_holes_are_sorted(void **state)
{
    (void)state;
    struct giq_error err;
    char *a = area_of("MULTIPOLYGON(((0 0,0 9,9 9,9 0,0 0),(1 1,2 1,2 2,1 1),"
                      "(4 4,5 4,5 5,4 4)),((20 20,21 20,21 21,20 20)))",
                      0, &err);
    char *b = area_of("MULTIPOLYGON(((21 20,21 21,20 20,21 20)),((9 9,9 0,0 0,0 9,9 9),"
                      "(5 5,4 4,5 4,5 5),(2 1,1 1,2 2,2 1)))",
                      0, &err);
    assert_non_null(a);
    assert_non_null(b);
    assert_string_equal(a, b);
    free(a);
    free(b);
}

static void test_collinear_points_make_another_area(void **state)
{
    (void)state;
    struct giq_error err;
    char *text = area_of("POLYGON((0 0,0 5,0 10,10 10,0 0))", 0, &err);
    assert_string_equal(text, "POLYGON((0 0,0 5,0 10,10 10,0 0))");
    free(text);
}

static void test_numbers_have_seven_decimals_and_no_minus_zero(void **state)
{
    (void)state;
    struct giq_error err;
    char *text = area_of("POLYGON((-0.00000001 -1.5,0 -0.123456789,-34.87654321 0.1,"
                         "-0.00000001 -1.5))",
                         0, &err);
    assert_string_equal(text,
                        "POLYGON((-34.8765432 0.1,0 -0.1234568,0 -1.5,-34.8765432 0.1))");
    free(text);
}

static const struct {
    const char *wkt;
    const char *told;
} faults[] = {
    {"POLYGON EMPTY", "empty"},
    {"MULTIPOLYGON EMPTY", "empty"},
    {"MULTIPOLYGON(EMPTY,EMPTY)", "empty"},
    {"POLYGON((0 0,0 90.1,1 1,0 0))",
     "0 90.1, which is out of range: x is the longitude (-180 to 180)"},
    {"POLYGON((0 0,0 1,1e300 1,0 0))", "1e+300 1, which is out of range"},
    {"POLYGON((0 0,0 1,361 1,0 0))", "361 1, which is out of range"},
    {"POLYGON((0 0,0 1,180.0000001 1,0 0))", "180.0000001 1, which is beyond the anti"},
    {"POLYGON((179 0,-179 0,-179 1,179 0))", "edge from -179 1 to 179 0, which spans"},
    {"POLYGON((0 0,10 10,0 10,10 0,0 0))", "not valid: Self-intersection at 5 5"},
    {"POLYGON((234000 2999000,236000 3001000,234000 3001000,236000 2999000,"
     "234000 2999000))",
     "Self-intersection at 235000 3000000;"},
    {"POLYGON((-1e15 0.5,0 1,1 1,1e9 2))",
     "point is -1000000000000000 0.5, its last point is 1000000000 2; repeat"},
    {"POLYGON((1234567.12345678 0,0 1,1 1,1 0))",
     "first point is 1234567.1234568 0, its"},
    {"POLYGON((0 0,0 9,9 9,9 0,0 0),(20 20,21 20,21 21,20 20))", "Hole lies outside"},
    {"MULTIPOLYGON(((0 0,0 2,2 2,0 0)),((1 0,1 2,2 2,1 0)))", "Self-intersection"},
    {"POLYGON((0 0,0 1,0 0,0 0))", "a polygon of the area encloses no area; MAKE"},
    {"POLYGON((0 0,1 0,2 0.00000001,0 0))", "encloses no area at 7 decimals; MAKE"},
    {"POLYGON((0 0,0 0.00000001,0.00000001 0,0 0))", "at 7 decimals; MAKE"},
    {"POLYGON(EMPTY)", "the area is empty: it contains no polygon"},
    {"POLYGON(EMPTY,(1 1,2 1,2 2,1 1))", "encloses no area; MAKE"},
    {"POLYGON((0 0,5 0.00000001,9 0,0 0))", "at 7 decimals; MAKE"},
    {"POLYGON((0 0,2 0,2 2,1.00000001 0.00000004,0 2,0 0))",
     "once rounded to 7 decimals"},
};

static void test_faults_have_reason_and_location(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(faults); i++) {
        struct giq_error err;
        assert_null(area_of(faults[i].wkt, 0, &err));
        assert_int_equal(err.code, GIQ_E_AREA);
        if (strstr(err.text, faults[i].told) == NULL) {
            fail_msg("%s: \"%s\" is not in \"%s\"", faults[i].wkt, faults[i].told,
                     err.text);
        }
    }
}

static void test_make_valid_repairs(void **state)
{
    (void)state;
    static const struct {
        const char *wkt;
        const char *text;
    } cases[] = {
        {"POLYGON((0 0,10 10,0 10,10 0,0 0))",
         "MULTIPOLYGON(((0 10,10 10,5 5,0 10)),((0 0,5 5,10 0,0 0)))"},
        /* A spike is a line and is dropped. */
        {"POLYGON((0 0,0 10,10 10,10 0,5 0,5 -5,5 0,0 0))",
         "POLYGON((0 0,0 10,10 10,10 0,5 0,0 0))"},
        {"MULTIPOLYGON(((0 0,0 1,0 0,0 0)),((5 5,5 6,6 6,5 5)))",
         "POLYGON((5 5,5 6,6 6,5 5))"},
        /* What polygons share is kept. */
        {"MULTIPOLYGON(((0 0,0 2,2 2,2 0,0 0)),((1 1,1 3,3 3,3 1,1 1)))",
         "POLYGON((0 0,0 2,1 2,1 3,3 3,3 1,2 1,2 0,0 0))"},
        {"MULTIPOLYGON(((0 0,0 9,9 9,9 0,0 0)),((3 3,3 4,4 4,4 3,3 3)))",
         "POLYGON((0 0,0 9,9 9,9 0,0 0))"},
        {"MULTIPOLYGON(((0 0,0 1,1 1,1 0,0 0)),((0 0,0 1,1 1,1 0,0 0)))",
         "POLYGON((0 0,0 1,1 1,1 0,0 0))"},
        {"MULTIPOLYGON(((0 0,2 2,0 2,2 0,0 0)),((0 -1,0 0.5,2 0.5,2 -1,0 -1)))",
         "MULTIPOLYGON(((0 -1,0 0,0 0.5,0.5 0.5,1 1,1.5 0.5,2 0.5,2 0,2 -1,0 -1)),"
         "((0 2,2 2,1 1,0 2)))"},
        /* Two polygons and a line. */
        {"POLYGON((0 0,10 10,0 10,10 0,5 0,5 -5,5 0,0 0))",
         "MULTIPOLYGON(((0 0,5 5,10 0,5 0,0 0)),((0 10,10 10,5 5,0 10)))"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err;
        char *text = area_of(cases[i].wkt, GIQ_GEOM_MAKE_VALID, &err);
        assert_string_equal(err.text, "");
        assert_string_equal(text, cases[i].text);
        free(text);
    }
    struct giq_error err;
    assert_null(area_of("POLYGON((0 0,0 1,0 0,0 0))", GIQ_GEOM_MAKE_VALID, &err));
    assert_non_null(strstr(err.text, "empty"));
}

/* What was sent once is sent again unchanged: random star-shaped rings. */
static void test_a_text_is_its_own_text(void **state)
{
    (void)state;
    enum { POINTS = 12, RINGS = 300 };
    static const int direction[POINTS][2] = {{4, 0},   {3, 2},  {2, 3},  {0, 4},
                                             {-2, 3},  {-3, 2}, {-4, 0}, {-3, -2},
                                             {-2, -3}, {0, -4}, {2, -3}, {3, -2}};
    uint32_t seed = 20240501;
    for (int ring = 0; ring < RINGS; ring++) {
        struct giq_buf wkt;
        char first[64] = "";
        giq_buf_init(&wkt, 1024);
        assert_true(giq_buf_add_text(&wkt, "POLYGON(("));
        for (int i = 0; i < POINTS; i++) {
            seed = seed * 1103515245U + 12345U;
            double radius = 1e-6 * (1 + (seed >> 16) % 1000) + 1e-9 * (seed >> 24);
            char point[64];
            (void)snprintf(point, sizeof point, "%.12f %.12f", radius * direction[i][0],
                           radius * direction[i][1]);
            if (i == 0) {
                (void)memcpy(first, point, sizeof first);
            }
            assert_true(giq_buf_addf(&wkt, "%s,", point));
        }
        assert_true(giq_buf_addf(&wkt, "%s))", first));
        struct giq_error err;
        char *once = area_of(giq_buf_text(&wkt), GIQ_GEOM_MAKE_VALID, &err);
        assert_string_equal(err.text, "");
        char *twice = area_of(once, 0, &err);
        assert_string_equal(err.text, "");
        assert_string_equal(once, twice);
        free(once);
        free(twice);
        giq_buf_release(&wkt);
    }
}

static void test_hole_that_rounds_to_nothing_is_dropped(void **state)
{
    (void)state;
    static const char *const holes[] = {
        "(1 1,1.00000001 1,1 1.00000001,1 1)",
        "(1 1,2 1.00000001,3 1,1 1)",
        "(1 1,2 1.00000002,2.00000001 1.5,2.00000002 1,1 1)",
    };
    for (size_t i = 0; i < GIQ_COUNT(holes); i++) {
        char wkt[256];
        struct giq_error err;
        (void)snprintf(wkt, sizeof wkt, "POLYGON((0 0,0 9,9 9,9 0,0 0),%s)", holes[i]);
        char *text = area_of(wkt, 0, &err);
        assert_string_equal(err.text, "");
        assert_string_equal(text, "POLYGON((0 0,0 9,9 9,9 0,0 0))");
        free(text);
    }
}

static void test_range_counts_once_coordinates_are_rounded(void **state)
{
    (void)state;
    static const struct {
        const char *wkt;
        const char *text; /* of the area, or in the error */
    } cases[] = {
        {"POLYGON((-180.00000000000003 0,-180.00000000000003 1,-170 1,-170 0,"
         "-180.00000000000003 0))",
         "POLYGON((-180 0,-180 1,-170 1,-170 0,-180 0))"},
        {"POLYGON((0 89,0 90.00000000000001,1 90.00000004,1 89,0 89))",
         "POLYGON((0 89,0 90,1 90,1 89,0 89))"},
        {"POLYGON((0 0,0 1,180.00000004 1,180 0,0 0))",
         "POLYGON((0 0,0 1,180 1,180 0,0 0))"},
        {"POLYGON((0 0,0 1,180.00000006 1,180 0,0 0))", "beyond the antimeridian"},
        {"POLYGON((0 0,0 90.00000006,1 1,0 0))", "out of range"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err;
        char *text = area_of(cases[i].wkt, 0, &err);
        if (strstr(text == NULL ? err.text : text, cases[i].text) == NULL) {
            fail_msg("%s: %s", cases[i].wkt, text == NULL ? err.text : text);
        }
        free(text);
    }
}

static void test_as_is_has_no_range(void **state)
{
    (void)state;
    struct giq_error err;
    char *text =
        area_of("POLYGON((500000 2700000,500000 2700100,500100.123456789 2700000,"
                "500000 2700000))",
                GIQ_GEOM_AS_IS, &err);
    assert_string_equal(err.text, "");
    assert_string_equal(text, "POLYGON((500000 2700000,500000 2700100,500100.1234568 "
                              "2700000,500000 2700000))");
    free(text);
    assert_null(area_of("POLYGON((0 0,0 1,1e9 1,0 0))", GIQ_GEOM_AS_IS, &err));
    assert_non_null(strstr(
        err.text, "1000000000 1; coordinates must be between -900000000 and 900000000"));
}

static const struct {
    const char *box;
    unsigned flags;
    const char *text; /* of the area, or in the error */
} boxes[] = {
    {"0,0,1,2", 0, "POLYGON((0 0,0 2,1 2,1 0,0 0))"},
    {" 0 , -0.5 ,1e0, +2.25 ", 0, "POLYGON((0 -0.5,0 2.25,1 2.25,1 -0.5,0 -0.5))"},
    {"-180,-90,180,90", 0, "POLYGON((-180 -90,-180 90,180 90,180 -90,-180 -90))"},
    {"-170,0,170,1", 0, "POLYGON((-170 0,-170 1,170 1,170 0,-170 0))"},
    {"170,0,-170,1", 0,
     "MULTIPOLYGON(((170 0,170 1,180 1,180 0,170 0)),"
     "((-180 0,-180 1,-170 1,-170 0,-180 0)))"},
    {"180,0,-170,1", 0, "POLYGON((-180 0,-180 1,-170 1,-170 0,-180 0))"},
    {"170,0,-180,1", 0, "POLYGON((170 0,170 1,180 1,180 0,170 0))"},
    {"500,600,700,800", GIQ_GEOM_AS_IS,
     "POLYGON((500 600,500 800,700 800,700 600,500 600))"},
    {"180,0,-180,1", 0, "empty"},
    /* The last digits of a number count for nothing. */
    {"-180.00000000000003,-90.00000000000001,180.00000000000003,90.00000004", 0,
     "POLYGON((-180 -90,-180 90,180 90,180 -90,-180 -90))"},
    {"180.00000000000003,0,-170,1", 0, "POLYGON((-180 0,-180 1,-170 1,-170 0,-180 0))"},
    {"179.99999999999997,0,-170,1", 0, "POLYGON((-180 0,-180 1,-170 1,-170 0,-180 0))"},
    {"170,0,-179.99999999999997,1", 0, "POLYGON((170 0,170 1,180 1,180 0,170 0))"},
    {"10.00000000000003,0,10,1", 0, "its minx is not less than its maxx"},
    {"-180.00000006,0,1,1", 0, "out of range"},
    {"1e300,0,1,1", 0, "out of range"},
    {"2,0,1,1", GIQ_GEOM_AS_IS, "its minx is not less than its maxx"},
    {"0,2,1,2", 0, "its miny is not less than its maxy"},
    {"0,2,1,1", 0, "its miny is not less than its maxy"},
    {"1,0,1,1", 0, "its minx is not less than its maxx"},
    {"0,0,0.00000001,1", 0, "at 7 decimals"},
    {"170,0,190,1", 0, "out of range"},
    {"0,-91,1,1", 0, "out of range"},
    {"0,0,1", 0, "four numbers"},
    {"0,0,1,1,1", 0, "four numbers"},
    {"0,0,1,x", 0, "four numbers"},
    {"0,0,1,nan", 0, "four numbers"},
    {"0,0,1,1e999", 0, "four numbers"},
    {"0;0;1;1", 0, "four numbers"},
    {"", 0, "four numbers"},
};

static void test_boxes(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(boxes); i++) {
        char *text = NULL;
        struct giq_error err = {0};
        bool ok = giq_geom_area_from_box(boxes[i].box, boxes[i].flags, &text, &err);
        assert_int_equal(ok, err.code == GIQ_E_NONE);
        if (strstr(ok ? text : err.text, boxes[i].text) == NULL) {
            fail_msg("%s: %s", boxes[i].box, ok ? text : err.text);
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hole_that_rounds_to_nothing_is_dropped),
        cmocka_unit_test(test_range_counts_once_coordinates_are_rounded),
        cmocka_unit_test(test_as_is_has_no_range),
        cmocka_unit_test(test_boxes),
        cmocka_unit_test(test_one_area_has_one_text),
        cmocka_unit_test(test_parts_and_holes_are_sorted),
        cmocka_unit_test(test_collinear_points_make_another_area),
        cmocka_unit_test(test_numbers_have_seven_decimals_and_no_minus_zero),
        cmocka_unit_test(test_faults_have_reason_and_location),
        cmocka_unit_test(test_make_valid_repairs),
        cmocka_unit_test(test_a_text_is_its_own_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
