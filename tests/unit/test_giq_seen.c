#include "service/giq_seen.h"

#include "unit.h"

static void test_each_text_is_new_once(void **state)
{
    (void)state;
    enum { COUNT = 3000 }; /* the table grows several times */
    struct giq_seen seen = {0};
    struct giq_error err = {0};
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < COUNT; i++) {
            char text[32];
            bool is_new = round == 1;
            (void)snprintf(text, sizeof text, "item %d", i);
            assert_true(giq_seen_add(&seen, text, &is_new, &err));
            assert_int_equal(is_new, round == 0);
        }
    }
    assert_int_equal(seen.count, COUNT);
    giq_seen_release(&seen);
    assert_int_equal(seen.count, 0);
    bool is_new = false;
    assert_true(giq_seen_add(&seen, "", &is_new, &err));
    assert_true(is_new);
    giq_seen_release(&seen);
    giq_seen_release(&seen);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_text_is_new_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
