/* The words of a batch whose rows failed: counts, the first rows, the ways on. */
#include "unit.h"

#include "giq_batch_failures.h"

enum { TAG_SIZE = 17 }; /* "GIQ[credentials] " */

static struct giq_batch_failures of_each_code(const char *id, const char *reason)
{
    struct giq_batch_failures failures = {0};
    for (enum giq_code code = GIQ_E_USAGE; code < (enum giq_code)GIQ_CODE_COUNT; code++) {
        if (code != GIQ_E_TIMEOUT && code != GIQ_E_CREDENTIALS) {
            giq_batch_failures_add(&failures, id, code, reason);
        }
    }
    return failures;
}

static void test_longest_message_keeps_the_ways_on(void **state)
{
    (void)state;
    char id[500];
    char reason[GIQ_ERROR_TEXT_SIZE];
    memset(id, 'i', sizeof id);
    memset(reason, 'r', sizeof reason);
    id[sizeof id - 1] = '\0';
    reason[sizeof reason - 1] = '\0';
    struct giq_batch_failures failures = of_each_code(id, reason);
    for (size_t i = 0; i < GIQ_COUNT(failures.by_code); i++) {
        failures.by_code[i] = failures.by_code[i] > 0 ? 100000 : 0;
    }
    struct giq_error stop = {.code = GIQ_E_NETWORK};
    memcpy(stop.text, reason, sizeof stop.text);
    const struct giq_batch_end end = {
        .rows = 100000, .pending = 99999, .stop = &stop, .may_skip = true};
    struct giq_error err = {0};
    assert_false(giq_batch_failures_fail(&failures, &end, &err));
    assert_int_equal(err.code, GIQ_E_BATCH);
    assert_true(strlen(err.text) + TAG_SIZE <= 2000);
    assert_non_null(strstr(err.text, "; row iiii"));
    assert_non_null(strstr(err.text, "rrr...; row "));
    assert_non_null(strstr(err.text, "RETRY=<label> starts one new job"));
    assert_non_null(strstr(err.text, "ON_FAILED=SKIP reads the other"));
    const char *last = "; GIQ:jobs lists all jobs";
    assert_string_equal(err.text + strlen(err.text) - strlen(last), last);
}

static void test_five_rows_are_shown_with_their_tags(void **state)
{
    (void)state;
    struct giq_batch_failures failures = {0};
    const char *ids[] = {"a", "b", "c", "d", "e", "f", "g"};
    for (size_t i = 0; i < GIQ_COUNT(ids); i++) {
        giq_batch_failures_add(&failures, ids[i],
                               i == 1 ? GIQ_E_UNKNOWN : GIQ_E_INCOMPLETE, "reason");
    }
    const struct giq_batch_end end = {.rows = 9, .may_skip = true};
    struct giq_error err = {0};
    assert_false(giq_batch_failures_fail(&failures, &end, &err));
    assert_string_equal(
        err.text,
        "7 of 9 rows of the batch failed (1 unknown, 6 incomplete); row a: [incomplete] "
        "reason; row b: [unknown] reason; row c: [incomplete] reason; row d: "
        "[incomplete] reason; row e: [incomplete] reason; and 2 more; RETRY leaves rows "
        "alone that are unknown: look for the job of each on the service and adopt it, "
        "by "
        ";job=<id> after the \"location\" of the row in the table of wait=no with "
        "SUBMIT=NO; opening the batch again goes on with the other rows, and pays for "
        "none twice; "
        "ON_FAILED=SKIP reads the other 2; GIQ:jobs lists all jobs");
}

static void test_timeout_and_credentials_keep_their_tags(void **state)
{
    (void)state;
    const struct giq_batch_end end = {.rows = 3};
    struct giq_batch_failures failures = {0};
    struct giq_error err = {0};
    giq_batch_failures_add(&failures, "a", GIQ_E_FAILED, "bad");
    giq_batch_failures_add(&failures, "b", GIQ_E_TIMEOUT, "slow");
    assert_false(giq_batch_failures_fail(&failures, &end, &err));
    assert_int_equal(err.code, GIQ_E_TIMEOUT);
    assert_string_equal(
        err.text, "1 of 3 rows are not finished and 1 have failed (1 failed); 0 "
                  "were not begun; the jobs that were started continue, and opening "
                  "the batch again resumes the wait; row a: [failed] bad; row b: "
                  "[timeout] slow");
    giq_batch_failures_add(&failures, "c", GIQ_E_CREDENTIALS, "refused");
    assert_false(giq_batch_failures_fail(&failures, &end, &err));
    assert_int_equal(err.code, GIQ_E_CREDENTIALS);
}

static void test_rows_that_were_not_begun_are_an_error_without_failures(void **state)
{
    (void)state;
    const struct giq_batch_failures failures = {0};
    const struct giq_error stop = {.code = GIQ_E_MEMORY, .text = "out of memory"};
    const struct giq_batch_end end = {.rows = 3, .pending = 2, .stop = &stop};
    struct giq_error err = {0};
    assert_false(giq_batch_failures_fail(&failures, &end, &err));
    assert_string_equal(err.text,
                        "0 of 3 rows of the batch failed; 2 further rows were not begun, "
                        "because of [memory] out of memory; opening the batch again goes "
                        "on with the other rows, and pays for none twice; GIQ:jobs lists "
                        "all jobs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longest_message_keeps_the_ways_on),
        cmocka_unit_test(test_five_rows_are_shown_with_their_tags),
        cmocka_unit_test(test_timeout_and_credentials_keep_their_tags),
        cmocka_unit_test(test_rows_that_were_not_begun_are_an_error_without_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
