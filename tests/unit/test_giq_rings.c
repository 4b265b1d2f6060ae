#include "area/giq_rings.h"

#include "unit.h"

static void add_box(struct giq_rings *rings, double min, double max)
{
    const double xy[] = {min, min, min, max, max, max, max, min, min, min};
    assert_true(giq_rings_add_ring(rings, xy, 5));
}

static void test_rings_and_polygons_are_found_again(void **state)
{
    (void)state;
    enum { POLYGONS = 300 };
    struct giq_rings rings = {0};
    for (int i = 0; i < POLYGONS; i++) {
        add_box(&rings, 10 * i, 10 * i + 9);
        for (int hole = 0; hole < i % 3; hole++) {
            add_box(&rings, 10 * i + 2 * hole + 1, 10 * i + 2 * hole + 2);
        }
        assert_true(giq_rings_end_polygon(&rings));
    }
    assert_int_equal(rings.polygons, POLYGONS);
    for (size_t i = 0; i < POLYGONS; i++) {
        size_t count = 0;
        size_t first = giq_rings_first_ring(&rings, i);
        assert_int_equal(rings.polygon_end[i] - first, 1 + i % 3);
        const double *xy = giq_rings_points(&rings, first, &count);
        assert_int_equal(count, 5);
        assert_true(xy[0] == (double)(10 * i) && xy[8] == xy[0]);
    }
    assert_int_equal(giq_rings_vertex_count(&rings), 4 * rings.rings);
    giq_rings_truncate(&rings, 2);
    assert_int_equal(rings.polygons, 2);
    assert_int_equal(rings.points, 15);
    giq_rings_release(&rings);
}

static void test_moving_replaces_and_empties(void **state)
{
    (void)state;
    struct giq_rings rings = {0};
    struct giq_rings other = {0};
    assert_true(giq_rings_add_box(&rings, 0, 0, 1, 1));
    assert_true(giq_rings_add_box(&other, 2, 3, 4, 5));
    giq_rings_move(&rings, &other);
    assert_int_equal(rings.polygons, 1);
    assert_true(rings.xy[0] == 2 && rings.xy[1] == 3);
    assert_int_equal(other.polygons, 0);
    assert_null(other.xy);
    giq_rings_release(&rings);
}

static void test_extent(void **state)
{
    (void)state;
    const double xy[] = {1, 20, -3, 40, 2, -50, 0, 0};
    double box[4];
    giq_rings_extent(xy, 4, box);
    assert_true(box[0] == -3 && box[1] == -50 && box[2] == 2 && box[3] == 40);
    giq_rings_extent(xy, 1, box);
    assert_true(box[0] == 1 && box[1] == 20 && box[2] == 1 && box[3] == 20);
}

static void test_rings_that_enclose_nothing_are_dropped(void **state)
{
    (void)state;
    struct giq_rings rings = {0};
    const double flat[] = {0, 0, 0, 0, 1, 1, 1, 1, 0, 0};
    add_box(&rings, 0, 9);
    assert_true(giq_rings_add_ring(&rings, flat, 5));
    assert_true(giq_rings_end_polygon(&rings));
    assert_int_equal(rings.rings, 1);
    /* With its shell a polygon loses its holes. */
    assert_true(giq_rings_add_ring(&rings, flat, 5));
    add_box(&rings, 1, 2);
    assert_true(giq_rings_end_polygon(&rings));
    assert_true(giq_rings_end_polygon(&rings));
    assert_int_equal(rings.polygons, 1);
    assert_int_equal(rings.collapsed, 1);
    add_box(&rings, 20, 21);
    assert_true(giq_rings_end_polygon(&rings));
    assert_int_equal(rings.polygons, 2);
    giq_rings_release(&rings);
}

static void test_rounding_drops_rings_without_area(void **state)
{
    (void)state;
    static const struct {
        double xy[12];
        bool is_kept;
    } cases[] = {
        {{0, 0, 0, 2e-7, 2e-7, 2e-7, 2e-7, 0, 2e-7, 0, 0, 0}, true},
        {{0, 0, 1e-8, 2e-8, 2e-8, 0, 1e-8, 0, 1e-8, 0, 0, 0}, false},
        {{0, 0, 5, 1e-8, 9, 0, 5, -1e-8, 2, 1e-8, 0, 0}, false},
        {{0, 0, 90, 0, 90, 45, 90.00000001, 0, 45, 0, 0, 0}, false},
        {{-180, -90, 180, 90, 180, 89.9999999, 0, 0, 0, 0, -180, -90}, true},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_rings rings = {.rounds = true};
        assert_true(giq_rings_add_ring(&rings, cases[i].xy, 6));
        assert_int_equal(rings.rings, cases[i].is_kept);
        giq_rings_release(&rings);
    }
}

static void test_polygons_are_copied_and_moved(void **state)
{
    (void)state;
    struct giq_rings from = {0};
    struct giq_rings to = {.rounds = true};
    size_t count = 0;
    assert_true(giq_rings_add_box(&from, 0.00000004, 0, 1, 1));
    assert_true(giq_rings_add_box(&from, 5, 5, 6, 6));
    assert_true(giq_rings_add_all(&to, &from, -360));
    assert_true(giq_rings_add_polygon(&to, &from, 0));
    assert_int_equal(to.polygons, 3);
    assert_true(giq_rings_points(&to, 0, &count)[0] == -360);
    assert_true(giq_rings_points(&to, 1, &count)[0] == -355);
    assert_true(giq_rings_points(&to, 2, &count)[0] == 0);
    giq_rings_release(&from);
    giq_rings_release(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rings_and_polygons_are_found_again),
        cmocka_unit_test(test_moving_replaces_and_empties),
        cmocka_unit_test(test_extent),
        cmocka_unit_test(test_rings_that_enclose_nothing_are_dropped),
        cmocka_unit_test(test_rounding_drops_rings_without_area),
        cmocka_unit_test(test_polygons_are_copied_and_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
