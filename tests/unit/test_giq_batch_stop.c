/* When a run of a batch ends early: the time limit, bad endings, and cancelling. */
#include "giq/batch.h"

#include "unit.h"

#include "batch_kit.h"

static struct batch_kit kit;

/* ---- the time limit ---- */

static void test_the_timeout_counts_from_the_last_change(void **state)
{
    (void)state;
    kit.settings.timeout_ms = 100 * 1000;
    kit.job_ms = 60 * SECOND_MS;
    kit.concurrency = 2;
    batch_kit_add(&kit, "hang", 0);
    batch_kit_add(&kit, "ok", 5);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(batch_kit_count(&kit, GIQ_BATCH_PUBLISHED), 5);
    const struct giq_batch_row row = batch_kit_row(&kit, 0);
    assert_int_equal(row.code, GIQ_E_TIMEOUT);
    assert_int_equal(row.recorded, GIQ_JOB_SUBMITTED);
    assert_non_null(strstr(row.error, "is still RUNNING"));
    /* 5 times 60 s, then 100 s. */
    assert_true(kit.now_ms >= 1000000 + 400 * SECOND_MS);
    assert_null(giq_batch_get_stop(kit.batch));
}

static void test_after_the_timeout_no_row_is_begun(void **state)
{
    (void)state;
    kit.concurrency = 2;
    batch_kit_add(&kit, "hang", 5);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.runs, 2);
    assert_int_equal(batch_kit_counts(&kit).failed_by_code[GIQ_E_TIMEOUT], 2);
    assert_int_equal(batch_kit_counts(&kit).pending, 3);
    assert_int_equal(giq_batch_get_stop(kit.batch)->code, GIQ_E_TIMEOUT);
    assert_non_null(strstr(giq_batch_get_stop(kit.batch)->text, "for 600 s"));
}

static void test_opening_again_resumes(void **state)
{
    (void)state;
    kit.job_ms = 700 * SECOND_MS;
    batch_kit_add(&kit, "ok", 4);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(batch_kit_counts(&kit).failed_by_code[GIQ_E_TIMEOUT], 4);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(batch_kit_counts(&kit).published, 4);
    assert_int_equal(kit.runs, 4);
}

static void test_a_timeout_of_0_checks_each_row_once(void **state)
{
    (void)state;
    kit.settings.timeout_ms = 0;
    kit.concurrency = 1;
    kit.status_takes_ms = 1000;
    batch_kit_add(&kit, "ok", 12);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.runs, 12);
    assert_int_equal(kit.statuses, 12);
    assert_int_equal(batch_kit_counts(&kit).failed_by_code[GIQ_E_TIMEOUT], 12);
    kit.now_ms += kit.job_ms;
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.statuses, 24);
    assert_int_equal(batch_kit_counts(&kit).published, 12);
    assert_int_equal(kit.least_run_ms, 2000);
    assert_int_equal(kit.least_status_ms, 2000);
}

static void test_an_open_that_polls_once_checks_each_row_once(void **state)
{
    (void)state;
    kit.polls_once = true;
    kit.concurrency = 2;
    kit.job_ms = 0;
    for (size_t i = 0; i < 4; i++) {
        batch_kit_add(&kit, "hang", 1);
        batch_kit_add(&kit, "ok", 1);
    }
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.runs, 8);
    assert_int_equal(kit.statuses, 8);
    /* Only the status calls are limited. */
    assert_true(kit.least_run_ms > 500 * SECOND_MS);
    assert_int_equal(kit.least_status_ms, 2000);
    assert_int_equal(batch_kit_counts(&kit).published, 4);
    assert_int_equal(batch_kit_counts(&kit).failed_by_code[GIQ_E_TIMEOUT], 4);
    assert_null(giq_batch_get_stop(kit.batch));
}

/* The turn of a status call may come late. */
static void test_a_timeout_of_0_does_not_count_the_wait_for_a_turn(void **state)
{
    (void)state;
    kit.settings.timeout_ms = 0;
    kit.concurrency = 16;
    for (size_t i = 0; i < 16; i++) {
        batch_kit_add_running(&kit);
    }
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.statuses, 16);
    assert_true(kit.status_ms[15] >= kit.status_ms[0] + 1500);
    assert_int_equal(kit.least_status_ms, 2000);
}

/* ---- stopping ---- */

static void test_errors_that_concern_all_rows_stop_the_run(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        enum giq_code code;
        bool stops;
    } cases[] = {
        {"credentials", GIQ_E_CREDENTIALS, true}, {"store", GIQ_E_STORE, true},
        {"memory", GIQ_E_MEMORY, true},           {"unreachable", GIQ_E_NETWORK, true},
        {"network", GIQ_E_NETWORK, false},        {"refused", GIQ_E_REFUSED, false},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        batch_kit_stop(&kit);
        batch_kit_start(&kit);
        kit.concurrency = 1;
        batch_kit_add(&kit, "ok", 1);
        batch_kit_add(&kit, cases[i].what, 1);
        batch_kit_add(&kit, "ok", 3);
        assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
        assert_int_equal(batch_kit_row(&kit, 1).code, cases[i].code);
        assert_int_equal(kit.runs, cases[i].stops ? 2 : 5);
        assert_int_equal(batch_kit_counts(&kit).pending, cases[i].stops ? 3 : 0);
        const struct giq_error *reason = giq_batch_get_stop(kit.batch);
        assert_int_equal(reason != NULL, cases[i].stops);
        if (reason != NULL) {
            assert_int_equal(reason->code, cases[i].code);
        }
    }
}

static void test_a_row_that_fails_stops_no_other(void **state)
{
    (void)state;
    static const char *const script[] = {"ok", "failed",  "rejected", "unknown",
                                         "ok", "refused", "network",  "ok"};
    static const enum giq_code codes[] = {GIQ_E_NONE,    GIQ_E_FAILED, GIQ_E_RESULT,
                                          GIQ_E_UNKNOWN, GIQ_E_NONE,   GIQ_E_REFUSED,
                                          GIQ_E_NETWORK, GIQ_E_NONE};
    for (size_t i = 0; i < GIQ_COUNT(script); i++) {
        batch_kit_add(&kit, script[i], 1);
    }
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.runs, 8);
    for (size_t i = 0; i < GIQ_COUNT(script); i++) {
        assert_int_equal(batch_kit_row(&kit, i).code, codes[i]);
    }
    assert_int_equal(kit.counts.published, 3);
    assert_int_equal(kit.counts.failed, 5);
    assert_string_equal(batch_kit_recorded(&kit, 2), "succeeded");
}

static void test_ten_bad_endings_in_a_row_stop_the_run(void **state)
{
    (void)state;
    kit.concurrency = 1;
    batch_kit_add(&kit, "refused", 4);
    batch_kit_add(&kit, "failed", 3);
    batch_kit_add(&kit, "unknown", 2);
    batch_kit_add(&kit, "ok", 1);
    batch_kit_add(&kit, "failed", 9);
    batch_kit_add(&kit, "network", 1);
    batch_kit_add(&kit, "unknown", 3);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.runs, 21);
    assert_int_equal(batch_kit_counts(&kit).pending, 2);
    assert_int_equal(batch_kit_counts(&kit).published, 1);
    const struct giq_error *reason = giq_batch_get_stop(kit.batch);
    assert_int_equal(reason->code, GIQ_E_UNKNOWN);
    assert_non_null(strstr(reason->text, "10 requests in a row"));
}

static void test_rows_in_flight_go_on_after_a_stop(void **state)
{
    (void)state;
    kit.concurrency = 2;
    batch_kit_add_running(&kit);
    batch_kit_add(&kit, "credentials", 1);
    batch_kit_add(&kit, "ok", 4);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(batch_kit_row(&kit, 0).state, GIQ_BATCH_PUBLISHED);
    assert_int_equal(batch_kit_counts(&kit).failed_by_code[GIQ_E_CREDENTIALS], 1);
    assert_int_equal(batch_kit_counts(&kit).pending, 4);
    assert_int_equal(kit.runs, 1);
    assert_int_equal(giq_batch_get_stop(kit.batch)->code, GIQ_E_CREDENTIALS);
}

static void test_rows_that_wait_to_submit_are_withdrawn_at_a_stop(void **state)
{
    (void)state;
    kit.throttle_ms = 60 * SECOND_MS;
    kit.job_ms = 20 * SECOND_MS;
    kit.concurrency = 2;
    kit.accept_fails_with = GIQ_E_STORE;
    batch_kit_add(&kit, "throttled", 1);
    batch_kit_add_running(&kit);
    batch_kit_add(&kit, "ok", 2);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.runs, 1);
    assert_int_equal(batch_kit_row(&kit, 1).code, GIQ_E_STORE);
    assert_int_equal(batch_kit_counts(&kit).pending, 3);
    assert_string_equal(batch_kit_recorded(&kit, 0), "none");
    assert_true(kit.now_ms < 1000000 + kit.throttle_ms);
}

static void test_a_cancel_ends_the_wait_to_submit(void **state)
{
    (void)state;
    kit.throttle_ms = 60 * SECOND_MS;
    kit.job_ms = 20 * SECOND_MS;
    kit.concurrency = 2;
    batch_kit_add(&kit, "throttled", 1);
    batch_kit_add_running(&kit);
    batch_kit_add(&kit, "ok", 1);
    /* The second thread ends its row while the first is throttled, and then waits too. */
    kit.cancels_ms = kit.now_ms + 40 * SECOND_MS;
    assert_int_equal(batch_kit_run(&kit), GIQ_E_CANCELLED);
    assert_int_equal(kit.runs, 1);
    assert_int_equal(batch_kit_counts(&kit).published, 1);
    assert_int_equal(batch_kit_counts(&kit).failed_by_code[GIQ_E_CANCELLED], 2);
    assert_string_equal(batch_kit_recorded(&kit, 0), "none");
    assert_string_equal(batch_kit_recorded(&kit, 2), "none");
}

/* ---- cancelling ---- */

static void test_a_cancel_before_the_run_sends_nothing(void **state)
{
    (void)state;
    batch_kit_add(&kit, "ok", 6);
    batch_kit_open(&kit);
    kit.is_cancelled = true;
    assert_false(giq_batch_run(kit.batch, &kit.err));
    assert_int_equal(kit.err.code, GIQ_E_CANCELLED);
    assert_int_equal(kit.runs, 0);
    assert_int_equal(batch_kit_counts(&kit).pending, 6);
}

static void test_a_cancel_ends_the_reading_of_rows(void **state)
{
    (void)state;
    batch_kit_add(&kit, "ok", 6);
    kit.is_cancelled = true;
    assert_int_equal(batch_kit_try_open(&kit), GIQ_E_CANCELLED);
}

static void test_a_cancel_ends_all_waits(void **state)
{
    (void)state;
    kit.cancels_ms = kit.now_ms + 45 * SECOND_MS;
    batch_kit_add(&kit, "hang", 9);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_CANCELLED);
    assert_true(kit.now_ms < kit.cancels_ms + 200);
    assert_int_equal(kit.runs, 4);
    assert_int_equal(batch_kit_counts(&kit).failed_by_code[GIQ_E_CANCELLED], 4);
    assert_int_equal(batch_kit_counts(&kit).pending, 5);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(batch_kit_recorded(&kit, i), "submitted");
    }
}

static void test_a_run_request_that_is_out_is_recorded_after_a_cancel(void **state)
{
    (void)state;
    kit.concurrency = 1;
    batch_kit_add(&kit, "cancel", 3);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_CANCELLED);
    assert_int_equal(kit.runs, 1);
    assert_string_equal(batch_kit_recorded(&kit, 0), "submitted");
    assert_string_equal(batch_kit_recorded(&kit, 1), "none");
}

static void test_a_cancel_ends_downloads(void **state)
{
    (void)state;
    kit.cancels_in_fetch = true;
    kit.concurrency = 2;
    batch_kit_add(&kit, "ok", 2);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_CANCELLED);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(batch_kit_row(&kit, i).code, GIQ_E_CANCELLED);
        assert_true(batch_kit_row(&kit, i).recorded < GIQ_JOB_PUBLISHED);
    }
}

int main(void)
{
#define TEST(name) BATCH_KIT_TEST(name, &kit)
    const struct CMUnitTest tests[] = {
        TEST(test_the_timeout_counts_from_the_last_change),
        TEST(test_after_the_timeout_no_row_is_begun),
        TEST(test_opening_again_resumes),
        TEST(test_a_timeout_of_0_checks_each_row_once),
        TEST(test_an_open_that_polls_once_checks_each_row_once),
        TEST(test_a_timeout_of_0_does_not_count_the_wait_for_a_turn),
        TEST(test_errors_that_concern_all_rows_stop_the_run),
        TEST(test_a_row_that_fails_stops_no_other),
        TEST(test_ten_bad_endings_in_a_row_stop_the_run),
        TEST(test_rows_in_flight_go_on_after_a_stop),
        TEST(test_rows_that_wait_to_submit_are_withdrawn_at_a_stop),
        TEST(test_a_cancel_ends_the_wait_to_submit),
        TEST(test_a_cancel_before_the_run_sends_nothing),
        TEST(test_a_cancel_ends_the_reading_of_rows),
        TEST(test_a_cancel_ends_all_waits),
        TEST(test_a_run_request_that_is_out_is_recorded_after_a_cancel),
        TEST(test_a_cancel_ends_downloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
