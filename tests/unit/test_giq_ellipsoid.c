/* Areas on the ellipsoid. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

#include "giq/geom.h"

/* The surface of the ellipsoid of WGS 84 in square kilometres. */
#define EARTH 510065621.7240885

static double size_of(const char *wkt)
{
    struct giq_error err = {0};
    double km2 = -1;
    if (!giq_geom_area_km2(wkt, &km2, &err)) {
        fail_msg("%s: %s", wkt, err.text);
    }
    return km2;
}

static void check_size(const char *wkt, double expected, double relative)
{
    double km2 = size_of(wkt);
    if (!(fabs(km2 - expected) <= relative * expected)) {
        fail_msg("%s: %.17g is not %.17g", wkt, km2, expected);
    }
}

/* The numbers are those of PROJ (pyproj 3.4.1, Geod(ellps="WGS84").
 * polygon_area_perimeter) for rings with n and 2n points along each edge, where n is
 * 20000 or more, extrapolated by Richardson's rule. */
static void test_sizes_are_those_of_proj(void **state)
{
    (void)state;
    static const struct {
        const char *wkt;
        double km2;
        double relative;
    } cases[] = {
        {"POLYGON((0 0,1 0,1 1,0 1,0 0))", 12308.463893975351, 1e-11},
        {"POLYGON((54 24,55 24,55 25,54 25,54 24))", 11226.471672512318, 1e-11},
        {"POLYGON((10 60,11 60,11 61,10 61,10 60))", 6123.140878745724, 1e-11},
        {"POLYGON((10 -90,11 -90,11 -89,10 -89,10 -90))", 108.86668163627967, 1e-10},
        {"POLYGON((0 40,5 42,10 40,12 47,5 50,-1 46,0 40))", 768359.6229160823, 1e-10},
        {"POLYGON((-70 -50,60 10,-10 70,-70 -50))", 66459722.99251948, 1e-9},
        {"POLYGON((-170 -80,170 80,170 -60,-170 -80))", 225067302.6073695, 1e-9},
        {"POLYGON((-100 -30,70 -30,70 55,-100 55,-100 -30))", 158520493.01465687, 1e-9},
        /* All that is north of 60 degrees. */
        {"POLYGON((-180 60,180 60,180 90,-180 90,-180 60))", 34415850.51490509, 1e-9},
        /* 1.12 square metres and 0.0112; these edges are too short to be divided. */
        {"POLYGON((54.3773 24.4539,54.37731 24.4539,54.37731 24.45391,54.3773 "
         "24.45391,54.3773 24.4539))",
         1.1230634059757e-6, 1e-7},
        {"POLYGON((54.3773 24.4539,54.377301 24.4539,54.377301 24.453901,54.3773 "
         "24.453901,54.3773 24.4539))",
         1.1230634467e-8, 1e-6},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        check_size(cases[i].wkt, cases[i].km2, cases[i].relative);
    }
}

static void test_world_has_its_surface(void **state)
{
    (void)state;
    check_size("POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))", EARTH, 1e-12);
    check_size("POLYGON((-180 -90,-180 90,180 90,180 -90,-180 -90))", EARTH, 1e-12);
    check_size("POLYGON((0 0,180 0,180 90,0 90,0 0))", EARTH / 4, 1e-12);
    /* The diagonal from pole to pole halves the world. */
    check_size("POLYGON((-180 -90,180 -90,180 90,-180 -90))", EARTH / 2, 1e-11);
    check_size("POLYGON((-180 -90,180 90,-180 90,-180 -90))", EARTH / 2, 1e-11);
}

/* Within metres of a pole the ellipsoid is a plane: a circle of radius r has the area pi
 * r^2, where r is the arc of 0.00001 degrees at the polar radius of curvature. */
static void test_small_area_around_a_pole_keeps_its_digits(void **state)
{
    (void)state;
    const double radius = 6399593.625758493 * 0.00001 * M_PI / 180;
    const double expected = M_PI * radius * radius / 1e6;
    check_size("POLYGON((-180 89.99999,180 89.99999,180 90,-180 90,-180 89.99999))",
               expected, 1e-8);
    check_size("POLYGON((-180 -90,180 -90,180 -89.99999,-180 -89.99999,-180 -90))",
               expected, 1e-8);
}

static void test_holes_are_subtracted_and_parts_are_added(void **state)
{
    (void)state;
    const double cell = size_of("POLYGON((54 24,55 24,55 25,54 25,54 24))");
    const double box = size_of("POLYGON((50 20,60 20,60 30,50 30,50 20))");
    check_size("POLYGON((50 20,60 20,60 30,50 30,50 20),(54 24,55 24,55 25,54 25,54 24))",
               box - cell, 1e-12);
    check_size("POLYGON((50 20,60 20,60 30,50 30,50 20),(54 24,54 25,55 25,55 24,54 24),"
               "(56 24,57 24,57 25,56 25,56 24))",
               box - 2 * cell, 1e-12);
    check_size("MULTIPOLYGON(((50 20,60 20,60 30,50 30,50 20)),"
               "((154 24,155 24,155 25,154 25,154 24)))",
               box + cell, 1e-12);
}

static void test_cut_at_the_antimeridian_keeps_the_size(void **state)
{
    (void)state;
    const double cell = size_of("POLYGON((54 24,55 24,55 25,54 25,54 24))");
    check_size("MULTIPOLYGON(((179.5 24,180 24,180 25,179.5 25,179.5 24)),"
               "((-180 24,-179.5 24,-179.5 25,-180 25,-180 24)))",
               cell, 1e-12);
}

/* An edge has the same size in one piece and in many: each height has nodes enough. */
static void test_pieces_of_an_edge_add_up(void **state)
{
    (void)state;
    enum { PIECES = 1000, TEXT_MAX = 64 * PIECES };
    static const double heights[] = {0.0001, 0.0099, 0.0101, 1, 30, 180};
    for (size_t i = 0; i < GIQ_COUNT(heights); i++) {
        double top = heights[i] - 90;
        char *pieces = malloc(TEXT_MAX);
        assert_non_null(pieces);
        int len = sprintf(pieces, "POLYGON((180 -90,180 %.17g", top);
        for (int at = 1; at <= PIECES; at++) {
            double part = (double)at / PIECES;
            len += sprintf(pieces + len, ",%.17g %.17g", 180 - 360 * part,
                           top - heights[i] * part);
        }
        (void)sprintf(pieces + len, ",180 -90))");
        char whole[200];
        (void)snprintf(whole, sizeof whole,
                       "POLYGON((180 -90,180 %.17g,-180 -90,180 -90))", top);
        check_size(whole, size_of(pieces), 2e-10);
        free(pieces);
    }
}

static void test_text_that_is_no_area_is_an_error(void **state)
{
    (void)state;
    struct giq_error err = {0};
    double km2 = -1;
    assert_false(giq_geom_area_km2("POINT(1 2)", &km2, &err));
    assert_int_equal(err.code, GIQ_E_AREA);
    assert_true(km2 == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_are_those_of_proj),
        cmocka_unit_test(test_world_has_its_surface),
        cmocka_unit_test(test_small_area_around_a_pole_keeps_its_digits),
        cmocka_unit_test(test_holes_are_subtracted_and_parts_are_added),
        cmocka_unit_test(test_cut_at_the_antimeridian_keeps_the_size),
        cmocka_unit_test(test_pieces_of_an_edge_add_up),
        cmocka_unit_test(test_text_that_is_no_area_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
