/* Areas on the globe. */
#include <math.h>

#include "unit.h"

#include "area/giq_sphere.h"
#include "giq/geom.h"

enum { POINTS_MAX = 8 };

static void check_near(double value, double expected, double error)
{
    if (!(fabs(value - expected) <= error)) {
        fail_msg("%.17g is not %.17g", value, expected);
    }
}

static void test_rings_have_the_areas_of_the_globe(void **state)
{
    (void)state;
    static const struct {
        double xy[2 * POINTS_MAX];
        size_t count;
        double area; /* in steradians */
    } cases[] = {
        /* The world, a half, an eighth, counter-clockwise and clockwise. */
        {{-180, -90, 180, -90, 180, 90, -180, 90, -180, -90}, 5, 4 * M_PI},
        {{-180, 0, 180, 0, 180, 90, -180, 90, -180, 0}, 5, 2 * M_PI},
        {{0, 0, 90, 0, 90, 90, 0, 90, 0, 0}, 5, M_PI / 2},
        {{0, 0, 0, 90, 90, 90, 90, 0, 0, 0}, 5, -M_PI / 2},
        {{0, -90, 90, -90, 90, 0, 0, 0, 0, -90}, 5, M_PI / 2},
        /* A cap, whose edges lie beyond 180 degrees. */
        {{170, 30, 530, 30, 530, 90, 170, 90, 170, 30}, 5, M_PI},
        {{0, 0, 0, 0, 0, 0, 0, 0}, 4, 0},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        check_near(giq_sphere_ring_area(cases[i].xy, cases[i].count), cases[i].area,
                   1e-12);
    }
}

static void test_small_rings_keep_their_digits(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        double size = pow(10, -i - 1);
        const double xy[] = {120,       60,  120 + size, 60,  120 + size,
                             60 + size, 120, 60 + size,  120, 60};
        double side = size * M_PI / 180;
        double expected = side * 2 * sin(side / 2) * cos((60 + size / 2) * M_PI / 180);
        check_near(giq_sphere_ring_area(xy, 5), expected, 1e-6 * expected);
    }
}

static void test_polygon_is_its_shell_without_its_holes(void **state)
{
    (void)state;
    struct giq_rings rings = {0};
    /* A cap that is drawn twice, with a hole. */
    static const double shell[] = {-360, 30, 360, 30, 360, 90, -360, 90, -360, 30};
    static const double hole[] = {0, 30, 0, 90, 90, 90, 90, 30, 0, 30};
    assert_true(giq_rings_add_ring(&rings, shell, 5));
    assert_true(giq_rings_add_ring(&rings, hole, 5));
    assert_true(giq_rings_end_polygon(&rings));
    assert_true(giq_sphere_is_drawn_twice(shell, 5));
    assert_false(giq_sphere_is_drawn_twice(hole, 5));
    check_near(giq_sphere_polygon_area(&rings, 0), M_PI - M_PI / 4, 1e-12);
    giq_rings_release(&rings);
}

static void test_length_is_that_of_the_globe(void **state)
{
    (void)state;
    struct giq_rings rings = {0};
    static const double box[] = {0, 60, 0.001, 60, 0.001, 60.001, 0, 60.001, 0, 60};
    assert_true(giq_rings_add_ring(&rings, box, 5));
    assert_true(giq_rings_end_polygon(&rings));
    check_near(giq_sphere_edges_length(&rings, 0), 0.003 * M_PI / 180, 1e-8);
    giq_rings_release(&rings);
}

static void test_triangle_may_be_at_a_pole(void **state)
{
    (void)state;
    const double degree = M_PI / 180;
    const double expected = 0.001 * degree * 0.001 * degree / 2;
    static const double cases[][6] = {
        {0, 0, 0.001, 0, 0, 0.001},
        {179.9995, 0, -179.9995, 0, 179.9995, 0.001},
        {77, 90, 0, 89.999, 90, 89.999},
        {-77, -90, 90, -89.999, 0, -89.999},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const double *xy = cases[i];
        const double back[] = {xy[0], xy[1], xy[4], xy[5], xy[2], xy[3]};
        check_near(giq_sphere_triangle_area(xy), expected, 1e-6 * expected);
        check_near(giq_sphere_triangle_area(back), -expected, 1e-6 * expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rings_have_the_areas_of_the_globe),
        cmocka_unit_test(test_small_rings_keep_their_digits),
        cmocka_unit_test(test_polygon_is_its_shell_without_its_holes),
        cmocka_unit_test(test_length_is_that_of_the_globe),
        cmocka_unit_test(test_triangle_may_be_at_a_pole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
