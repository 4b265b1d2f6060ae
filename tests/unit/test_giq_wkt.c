#include "area/giq_wkt.h"

#include "unit.h"

/* The polygons of a text, written again; NULL with `err` set. */
static char *read(const char *text, struct giq_error *err)
{
    struct giq_rings rings = {0};
    *err = (struct giq_error){0};
    bool ok = giq_wkt_read(text, &rings, err);
    assert_int_equal(ok, err->code == GIQ_E_NONE);
    char *written = ok ? giq_wkt_write(&rings) : NULL;
    giq_rings_release(&rings);
    return written;
}

static void test_ways_to_write_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *written;
    } cases[] = {
        {"POLYGON((0 0,0 1,1 1,0 0))", "POLYGON((0 0,0 1,1 1,0 0))"},
        {"polygon((0 0,0 1,1 1,0 0))", "POLYGON((0 0,0 1,1 1,0 0))"},
        {" POLYGON\t( ( 0 0 , 0 1 ,\n1 1,0 0 ) ) \r\n", "POLYGON((0 0,0 1,1 1,0 0))"},
        {"POLYGON Z((0 0 5,0 1 5,1 1 6,0 0 5))", "POLYGON((0 0,0 1,1 1,0 0))"},
        {"POLYGONZ((0 0 5,0 1 5,1 1 6,0 0 5))", "POLYGON((0 0,0 1,1 1,0 0))"},
        {"POLYGON ZM ((0 0 5 7,0 1 5 7,1 1 6 7,0 0 5 7))", "POLYGON((0 0,0 1,1 1,0 0))"},
        {"POLYGON((0 0 5,0 1 5,1 1 6,0 0 5))", "POLYGON((0 0,0 1,1 1,0 0))"},
        {"MULTIPOLYGON M(((0 0 1,0 1 1,1 1 1,0 0 1)))", "POLYGON((0 0,0 1,1 1,0 0))"},
        {"POLYGON((-.5 +1e1,0 1E-1,1. 1,-0.5 10))",
         "POLYGON((-0.5 10,0 0.1,1 1,-0.5 10))"},
        {"MULTIPOLYGON(EMPTY,((0 0,0 1,1 1,0 0)),EMPTY)", "POLYGON((0 0,0 1,1 1,0 0))"},
        {"POLYGON((0 0,0 9,9 9,0 0),EMPTY,(1 2,1 3,2 3,1 2))",
         "POLYGON((0 0,0 9,9 9,0 0),(1 2,1 3,2 3,1 2))"},
        {"MULTIPOLYGON(((0 0,0 1,1 1,0 0)),((5 5,5 6,6 6,5 5)))",
         "MULTIPOLYGON(((0 0,0 1,1 1,0 0)),((5 5,5 6,6 6,5 5)))"},
        {"POLYGON EMPTY", "MULTIPOLYGON()"},
        {"POLYGON(EMPTY)", "MULTIPOLYGON()"},
        {"MULTIPOLYGON Z EMPTY", "MULTIPOLYGON()"},
        {"POLYGONZ EMPTY", "MULTIPOLYGON()"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err;
        char *written = read(cases[i].text, &err);
        assert_string_equal(err.text, "");
        assert_string_equal(written, cases[i].written);
        free(written);
    }
}

static const struct {
    const char *text, *words;
} faults[] = {
    {"", "must be WKT of a POLYGON or MULTIPOLYGON; got \"\""},
    {"no area", "must be WKT of a POLYGON or MULTIPOLYGON; got \"no area\""},
    {"https://u:p@h/a.gpkg", "got \"https://***@h/a.gpkg\""},
    {"points.gpkg", "must be WKT of a POLYGON or MULTIPOLYGON; got \"points.gpkg\""},
    {"area.wkt", "Use @file for a file that holds WKT, and AOI for a dataset"},
    {"POLYGONS((0 0,0 1,1 1,0 0))", "got \"POLYGONS((0 0,0 1,1 1,0 \""},
    {"POINT(1 2)", "is a POINT; it must be a POLYGON or MULTIPOLYGON"},
    {"LineString Z(1 2 3,3 4 5)", "is a LINESTRING; it must"},
    {"GEOMETRYCOLLECTION(POLYGON((0 0,0 1,1 1,0 0)))", "is a GEOMETRYCOLLECTION"},
    {"CURVEPOLYGON((0 0,0 1,1 1,0 0))", "is a CURVEPOLYGON"},
    {"POLYGON", "expected '(' at byte 8, but it ends there"},
    {"POLYGON((0 0,1 1", "expected ')' at byte 17, but it ends there"},
    {"POLYGON(0 0,1 1,1 0,0 0)", "expected '(' at byte 9, got \"0"},
    {"POLYGON((0 0;1 1))", "expected ')' at byte 13"},
    {"POLYGON((0,0 1,1 1,0 0))", "expected a number at byte 11"},
    {"POLYGON((0 0,1--1 1,0 0))", "expected a number at byte 14"},
    {"POLYGON((0 0 1 2 3,0 1,1 1,0 0))", "expected ')' at byte 18"},
    {"POLYGON((0 0,0 1,1 1,0 0)", "expected ')' at byte 26"},
    {"POLYGON((0 0,0 1,1 1))", "its first point is 0 0, its last point is 1 1; repeat"},
    {"POLYGON((0 0,0 nan,1 1,0 0))",
     "at byte 16 of the area is not a finite number; got"},
    {"POLYGON((0 0,0 inf,1 1,0 0))",
     "at byte 16 of the area is not a finite number; got"},
    {"POLYGON((0 0,0 0x10,1 1,0 0))", "expected a number at byte 16"},
    {"POLYGON((0 0,0 1e999,1 1,0 0))",
     "at byte 16 of the area is not a finite number; got"},
    {"POLYGON((0 0,0 1,1 1,0 0)) and more",
     "is followed by unexpected text; remove it: \"and m"},
    {"POLYGON((0 0,0 1,1 1,0 0)))", "is followed by unexpected text"},
    {"POLYGON((((((((((", "expected a number at byte 10"},
    {"POLYGON((\u0646\u0642\u0637\u0629\u0646\u0642\u0637\u0629\u0646\u0642\u0637"
     "\u0629\u0646",
     "got \"\u0646\u0642\u0637\u0629\u0646\u0642\u0637\u0629\u0646\u0642\u0637\u0629"
     "\""},
    {")POLYGON(", "must be WKT of a POLYGON or MULTIPOLYGON; got \")POLYGON(\""},
};

static void test_unreadable_texts_are_errors_with_a_location(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(faults); i++) {
        struct giq_error err;
        assert_null(read(faults[i].text, &err));
        assert_int_equal(err.code, GIQ_E_AREA);
        if (strstr(err.text, faults[i].words) == NULL) {
            fail_msg("%s: \"%s\" is not in \"%s\"", faults[i].text, faults[i].words,
                     err.text);
        }
    }
}

static void test_a_second_dimension_word_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"POLYGONZ ZM((0 0 1,0 1 1,1 1 1,0 0 1))", "expected '(' at byte 10, got \"ZM(("},
        {"POLYGONZ M((0 0,0 1,1 1,0 0))", "expected '(' at byte 10, got \"M(("},
        {"MULTIPOLYGONM Z EMPTY", "expected '(' at byte 15, got \"Z EMPTY\""},
        {"POLYGON Z M((0 0,0 1,1 1,0 0))", "expected '(' at byte 11, got \"M(("},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err;
        assert_null(read(cases[i].text, &err));
        assert_int_equal(err.code, GIQ_E_AREA);
        assert_non_null(strstr(err.text, cases[i].words));
    }
}

static void
test_message_about_a_ring_that_is_almost_closed_shows_the_difference(void **state)
{
    (void)state;
    struct giq_error err;
    assert_null(read("POLYGON((0 0,1 0,1 1,1e-9 0))", &err));
    assert_non_null(strstr(err.text, "its first point is 0 0, its last point is "
                                     "1.0000000000000001e-09 0; repeat"));
    assert_null(read("POLYGON((0.25 7,1 0,1 1,0.25 7.00000000000001))", &err));
    assert_non_null(strstr(err.text, "its first point is 0.25 7, its last point is "
                                     "0.25 7.0000000000000098; repeat"));
}

static void test_text_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    size_t len = (size_t)GIQ_WKT_BYTES_MAX + 1;
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, ' ', len);
    text[len] = '\0';
    struct giq_error err;
    assert_null(read(text, &err));
    assert_non_null(strstr(err.text, "longer than 67108864 bytes"));
    free(text);
}

static void test_locations_have_the_digits_that_they_need(void **state)
{
    (void)state;
    static const struct {
        double x, y;
        const char *text;
    } cases[] = {
        {0, -0.0, "0 0"},
        {-0.00000001, 1.5, "0 1.5"},
        {-34.87654321, 180, "-34.8765432 180"},
        {235000, 3e6, "235000 3000000"},
        {-2583427.25, 9123456.1234567, "-2583427.25 9123456.1234567"},
        {899999999.75, 1e12, "899999999.75 1000000000000"},
        {1e300, -1e7, "1e+300 -10000000"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_location location;
        assert_string_equal(giq_wkt_print_location(cases[i].x, cases[i].y, &location),
                            cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways_to_write_are_read),
        cmocka_unit_test(test_unreadable_texts_are_errors_with_a_location),
        cmocka_unit_test(test_a_second_dimension_word_is_refused),
        cmocka_unit_test(
            test_message_about_a_ring_that_is_almost_closed_shows_the_difference),
        cmocka_unit_test(test_text_beyond_the_limit_is_refused),
        cmocka_unit_test(test_locations_have_the_digits_that_they_need),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
