#include "job/giq_rate.h"

#include "unit.h"

enum { NOW = 1000000 };

static void test_status_calls_are_spread_evenly(void **state)
{
    (void)state;
    static const struct {
        int threads;
        int calls_a_second;
    } cases[] = {{1, 10}, {16, 10}, {17, 34}, {64, 128}, {256, 512}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_rate rate;
        giq_rate_init(&rate, cases[i].threads);
        int calls = 0;
        while (giq_rate_take_status(&rate, NOW) < NOW + 10 * 1000) {
            calls++;
        }
        /* The interval is rounded to microseconds. */
        assert_true(calls >= 10 * cases[i].calls_a_second &&
                    calls <= 10 * cases[i].calls_a_second + 2);
    }
}

static void test_unused_turns_are_not_saved_up(void **state)
{
    (void)state;
    struct giq_rate rate;
    giq_rate_init(&rate, 1);
    assert_int_equal(giq_rate_take_status(&rate, NOW), NOW);
    assert_int_equal(giq_rate_take_status(&rate, NOW + 5000), NOW + 5000);
    assert_int_equal(giq_rate_take_status(&rate, NOW + 5000), NOW + 5100);
    assert_int_equal(giq_rate_take_status(&rate, NOW + 5150), NOW + 5200);
}

static void test_after_throttling_requests_go_out_one_at_a_time(void **state)
{
    (void)state;
    struct giq_rate rate;
    giq_rate_init(&rate, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(giq_rate_submit_due_ms(&rate, NOW), NOW);
        giq_rate_begin_submit(&rate);
    }
    giq_rate_throttle(&rate, NOW + 500);
    giq_rate_throttle(&rate, NOW + 400);
    for (int i = 0; i < 3; i++) {
        giq_rate_end_submit(&rate, false);
    }
    assert_int_equal(giq_rate_submit_due_ms(&rate, NOW), NOW + 500);
    assert_int_equal(giq_rate_submit_due_ms(&rate, NOW + 500), NOW + 500);
    giq_rate_begin_submit(&rate);
    assert_int_equal(giq_rate_submit_due_ms(&rate, NOW + 500), GIQ_RATE_BLOCKED);
    /* A request that is accepted allows one more at a time. */
    giq_rate_end_submit(&rate, true);
    giq_rate_begin_submit(&rate);
    assert_int_equal(giq_rate_submit_due_ms(&rate, NOW + 500), NOW + 500);
    giq_rate_begin_submit(&rate);
    assert_int_equal(giq_rate_submit_due_ms(&rate, NOW + 500), GIQ_RATE_BLOCKED);
}

static void test_a_time_that_was_reported_before_throttles_only_once(void **state)
{
    (void)state;
    struct giq_rate rate;
    giq_rate_init(&rate, 2);
    giq_rate_throttle(&rate, 0);
    assert_int_equal(rate.submit_limit, 2);
    giq_rate_throttle(&rate, NOW);
    giq_rate_begin_submit(&rate);
    giq_rate_end_submit(&rate, true);
    giq_rate_throttle(&rate, NOW);
    assert_int_equal(rate.submit_limit, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_calls_are_spread_evenly),
        cmocka_unit_test(test_unused_turns_are_not_saved_up),
        cmocka_unit_test(test_after_throttling_requests_go_out_one_at_a_time),
        cmocka_unit_test(test_a_time_that_was_reported_before_throttles_only_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
