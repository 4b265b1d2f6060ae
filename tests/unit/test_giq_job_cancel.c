/* What a host that wants waits to end does to a job: nothing is lost, nothing is paid
 * twice, and a run request that is out is heard to its end. */
#include "job/giq_job_internal.h"

#include "unit.h"

#include "job_kit.h"

/* The kit begins with its service, that with the clock. */
static bool is_state(void *ctx, const char *state)
{
    return strcmp(job_kit_state((struct job_kit *)ctx), state) == 0;
}

static bool cancels_before_the_run(void *ctx)
{
    return is_state(ctx, "intent");
}

static bool cancels_once_the_run_is_out(void *ctx)
{
    return is_state(ctx, "sending") || is_state(ctx, "submitted");
}

static void test_pause_between_tries_ends(void **state)
{
    (void)state;
    const struct http_kit_response responses[] = {
        {.status = 503}, JOB_KIT_MODELS, JOB_KIT_RUN};
    struct job_kit kit;
    job_kit_start(&kit, responses, GIQ_COUNT(responses));
    kit.service.clock.cancels_ms = kit.service.clock.now_ms + 1;
    (void)job_kit_run(&kit);
    assert_int_equal(http_kit_count(kit.service.http), 1);
    assert_string_equal(job_kit_state(&kit), "none");
    job_kit_stop(&kit);
}

static void test_call_under_way_ends(void **state)
{
    (void)state;
    const struct http_kit_response responses[] = {
        JOB_KIT_MODELS, JOB_KIT_RUN, {.raw = "HTTP/1.1 2", .then = HTTP_KIT_SILENT}};
    struct job_kit kit;
    job_kit_start(&kit, responses, GIQ_COUNT(responses));
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    kit.service.clock.step_ms = 1;
    kit.service.clock.cancels_ms = kit.service.clock.now_ms + 10;
    assert_int_equal(job_kit_run(&kit), GIQ_E_CANCELLED);
    assert_string_equal(job_kit_state(&kit), "submitted");
    assert_int_equal(job_kit_count(&kit, "POST"), 1);
    job_kit_stop(&kit);
}

static void test_run_is_not_sent_once_the_host_ended_it(void **state)
{
    (void)state;
    const struct http_kit_response responses[] = {JOB_KIT_MODELS, JOB_KIT_RUN};
    struct job_kit kit;
    job_kit_start(&kit, responses, GIQ_COUNT(responses));
    kit.service.clock.env.cancelled = cancels_before_the_run;
    assert_int_equal(job_kit_run(&kit), GIQ_E_CANCELLED);
    assert_string_equal(job_kit_state(&kit), "none");
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

static void test_response_to_a_run_that_is_out_is_recorded(void **state)
{
    (void)state;
    const struct http_kit_response responses[] = {JOB_KIT_MODELS, JOB_KIT_RUN,
                                                  JOB_KIT_STATUS("RUNNING")};
    struct job_kit kit;
    enum giq_step step = GIQ_STEP_AGAIN;
    job_kit_start(&kit, responses, GIQ_COUNT(responses));
    kit.service.clock.env.cancelled = cancels_once_the_run_is_out;
    assert_true(job_kit_step(&kit, &step));
    assert_true(job_kit_step(&kit, &step));
    assert_string_equal(job_kit_state(&kit), "submitted");
    assert_false(job_kit_step(&kit, &step));
    assert_int_equal(kit.service.err.code, GIQ_E_CANCELLED);
    assert_string_equal(job_kit_state(&kit), "submitted");
    assert_int_equal(http_kit_count(kit.service.http), 2);
    job_kit_stop(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pause_between_tries_ends),
        cmocka_unit_test(test_call_under_way_ends),
        cmocka_unit_test(test_run_is_not_sent_once_the_host_ended_it),
        cmocka_unit_test(test_response_to_a_run_that_is_out_is_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
