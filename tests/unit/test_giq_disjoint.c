#include "area/giq_disjoint.h"

#include "unit.h"

static void test_pairs_make_sets(void **state)
{
    (void)state;
    static const size_t pairs[][2] = {{5, 3}, {8, 9}, {3, 0}, {9, 8}, {7, 5}, {6, 8}};
    static const struct {
        size_t first;
        const char *members;
    } sets[] = {{0, "0 3 5 7"}, {1, "1"}, {2, "2"}, {4, "4"}, {6, "6 8 9"}};
    struct giq_disjoint c;
    size_t found = 0;
    assert_true(giq_disjoint_init(&c, 10));
    for (size_t i = 0; i < GIQ_COUNT(pairs); i++) {
        giq_disjoint_join(&c, pairs[i][0], pairs[i][1]);
    }
    assert_true(giq_disjoint_are_joined(&c, 7, 0));
    assert_false(giq_disjoint_are_joined(&c, 7, 6));
    giq_disjoint_link(&c);
    for (size_t i = 0; i < 10; i++) {
        if (!giq_disjoint_is_first(&c, i)) {
            continue;
        }
        char members[64] = "";
        size_t at = i;
        do {
            size_t len = strlen(members);
            (void)snprintf(members + len, sizeof members - len, "%s%zu",
                           len == 0 ? "" : " ", at);
            at = giq_disjoint_next(&c, at);
        } while (at != 0);
        assert_int_equal(i, sets[found].first);
        assert_string_equal(members, sets[found].members);
        found++;
    }
    assert_int_equal(found, GIQ_COUNT(sets));
    giq_disjoint_release(&c);
}

static void test_nothing_and_a_long_chain(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    struct giq_disjoint c;
    assert_true(giq_disjoint_init(&c, 0));
    giq_disjoint_link(&c);
    giq_disjoint_release(&c);
    assert_true(giq_disjoint_init(&c, MANY));
    for (size_t i = MANY - 1; i > 0; i--) {
        giq_disjoint_join(&c, i, i - 1);
    }
    giq_disjoint_link(&c);
    size_t count = 1;
    for (size_t at = 0; (at = giq_disjoint_next(&c, at)) != 0;) {
        count++;
    }
    assert_int_equal(count, MANY);
    giq_disjoint_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs_make_sets),
        cmocka_unit_test(test_nothing_and_a_long_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
