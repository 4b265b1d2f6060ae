/* Cancelling an open: nothing is lost, nothing is paid twice, and the response to a run
 * request that was sent is awaited and recorded. */
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
    const struct job_kit *kit = ctx;
    char *text = env_kit_read(kit->job->folder, "job.json");
    bool is_out = text != NULL && (strstr(text, "\"state\":\"sending\"") != NULL ||
                                   strstr(text, "\"state\":\"submitted\"") != NULL);
    free(text);
    return is_out;
}

/* The ticket is taken, and the record does not state it yet. */
static bool cancels_with_the_ticket(void *ctx)
{
    return is_state(ctx, "sending");
}

static void test_pause_between_tries_ends(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, {.status = 503}, JOB_KIT_MODELS, JOB_KIT_RUN);
    kit.service.clock.cancels_ms = kit.service.clock.now_ms + 1;
    (void)job_kit_run(&kit);
    assert_int_equal(http_kit_count(kit.service.http), 1);
    assert_string_equal(job_kit_state(&kit), "none");
    job_kit_stop(&kit);
}

static void test_call_under_way_ends(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN,
                  {.raw = "HTTP/1.1 2", .then = HTTP_KIT_SILENT});
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    kit.service.clock.step_ms = 1;
    kit.service.clock.cancels_ms = kit.service.clock.now_ms + 10;
    assert_int_equal(job_kit_run(&kit), GIQ_E_CANCELLED);
    assert_string_equal(job_kit_state(&kit), "submitted");
    assert_int_equal(job_kit_count(&kit, "POST"), 1);
    job_kit_stop(&kit);
}

static void test_cancel_before_sending_leaves_no_record(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN);
    kit.service.clock.env.cancelled = cancels_before_the_run;
    assert_int_equal(job_kit_run(&kit), GIQ_E_CANCELLED);
    assert_string_equal(job_kit_state(&kit), "none");
    assert_null(env_kit_read(kit.job->folder, "request.json"));
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

static void cancel_now(struct job_kit *kit)
{
    kit->service.clock.cancels_ms = kit->service.clock.now_ms;
}

static void check_cancelled(struct job_kit *kit, const char *state)
{
    enum giq_step step = GIQ_STEP_AGAIN;
    assert_false(job_kit_step(kit, &step));
    assert_int_equal(kit->service.err.code, GIQ_E_CANCELLED);
    assert_string_equal(job_kit_state(kit), state);
}

static void test_cancel_of_a_throttled_run_leaves_no_record(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, {.status = 429});
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "intent");
    cancel_now(&kit);
    check_cancelled(&kit, "none");
    assert_null(env_kit_read(kit.job->folder, "job.json"));
    assert_int_equal(job_kit_count(&kit, "POST"), 1);
    job_kit_stop(&kit);
}

static void test_cancel_of_a_throttled_retry_keeps_the_record(void **state)
{
    (void)state;
    struct giq_request request = job_kit_request;
    struct job_kit kit;
    JOB_KIT_START(&kit, {.status = 429});
    job_kit_plant(&kit, "{\"format\":1,\"state\":\"failed\",\"job_id\":\"j0\","
                        "\"model_id\":\"m\",\"error\":\"no memory\"}");
    request.retry = "a";
    job_kit_open(&kit, &request, 0);
    assert_int_equal(job_kit_run_to(&kit, 1), GIQ_E_NONE);
    cancel_now(&kit);
    check_cancelled(&kit, "failed");
    kit.service.clock.cancels_ms = 0;
    job_kit_open(&kit, &job_kit_request, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_FAILED);
    assert_non_null(strstr(kit.service.err.text, "the job j0 failed"));
    assert_int_equal(job_kit_count(&kit, "POST"), 1);
    job_kit_stop(&kit);
}

static void test_cancel_ends_the_wait_for_the_lock(void **state)
{
    (void)state;
    struct giq_lock *lock = NULL;
    enum giq_step step = GIQ_STEP_AGAIN;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN);
    struct giq_error *err = &kit.service.err;
    assert_true(giq_store_make(kit.store, kit.job->folder, err));
    assert_true(giq_lock_acquire(kit.job->folder, GIQ_STORE_PRIVATE, &lock, err));
    assert_true(job_kit_step(&kit, &step));
    assert_true(job_kit_step(&kit, &step));
    assert_int_equal(http_kit_count(kit.service.http), 1);
    cancel_now(&kit);
    check_cancelled(&kit, "none");
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    giq_lock_release(lock);
    job_kit_stop(&kit);
}

static void test_cancel_ends_the_wait_to_record_the_final_state(void **state)
{
    (void)state;
    struct giq_lock *lock = NULL;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"));
    assert_int_equal(job_kit_run_to(&kit, 3), GIQ_E_NONE);
    assert_true(
        giq_lock_acquire(kit.job->folder, GIQ_STORE_PRIVATE, &lock, &kit.service.err));
    cancel_now(&kit);
    check_cancelled(&kit, "submitted");
    giq_lock_release(lock);
    job_kit_stop(&kit);
}

static void test_response_to_a_run_that_is_out_is_recorded(void **state)
{
    (void)state;
    struct job_kit kit;
    enum giq_step step = GIQ_STEP_AGAIN;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("RUNNING"));
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

static void test_cancel_with_the_ticket_sends_nothing(void **state)
{
    (void)state;
    struct job_kit kit;
    enum giq_step step = GIQ_STEP_AGAIN;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN);
    kit.service.clock.env.cancelled = cancels_with_the_ticket;
    assert_true(job_kit_step(&kit, &step));
    assert_false(job_kit_step(&kit, &step));
    assert_int_equal(kit.service.err.code, GIQ_E_CANCELLED);
    assert_string_equal(job_kit_state(&kit), "none");
    assert_null(env_kit_read(kit.job->folder, "job.json"));
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pause_between_tries_ends),
        cmocka_unit_test(test_call_under_way_ends),
        cmocka_unit_test(test_cancel_before_sending_leaves_no_record),
        cmocka_unit_test(test_cancel_of_a_throttled_run_leaves_no_record),
        cmocka_unit_test(test_cancel_of_a_throttled_retry_keeps_the_record),
        cmocka_unit_test(test_cancel_ends_the_wait_for_the_lock),
        cmocka_unit_test(test_cancel_ends_the_wait_to_record_the_final_state),
        cmocka_unit_test(test_response_to_a_run_that_is_out_is_recorded),
        cmocka_unit_test(test_cancel_with_the_ticket_sends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
