/* GIQ_MAX_JOBS: when a run request takes a slot, keeps it and gives it back. */
#include "job/giq_job_internal.h"

#include "unit.h"

#include <unistd.h>

#include "job_kit.h"
#include "store/giq_spent.h"

/* With a limit of 1, on the day of env_kit_init(). */
static const char full[] =
    "no job was started: GIQ_MAX_JOBS limits the jobs that may be started from this "
    "store in a day (UTC) to 1; started today: 1; the next day begins at 2024-05-02 "
    "00:00:00 UTC; open again then, or raise GIQ_MAX_JOBS";

static bool sees_free; /* the check before the request is passed: the link decides */

UNIT_WRAPS(giq_spent_check);

bool __wrap_giq_spent_check(const struct giq_store *store, int64_t now_ms, int max_jobs,
                            struct giq_error *err)
{
    return sees_free || __real_giq_spent_check(store, now_ms, max_jobs, err);
}

/* Open again with this limit. */
static void limit_to(struct job_kit *kit, int max_jobs)
{
    sees_free = false;
    kit->limits = (struct giq_limits){.has_max_jobs = true, .max_jobs = max_jobs};
    job_kit_open(kit, &job_kit_request, 0);
}

static int taken(struct job_kit *kit)
{
    int count = -1;
    struct giq_error err = {0};
    assert_true(giq_spent_count(kit->store, kit->service.clock.wall_ms, &count, &err));
    return count;
}

/* Another program takes a slot. */
static void take(struct job_kit *kit)
{
    struct giq_error err = {0};
    GIQ_AUTO_FREE char *slot = NULL;
    assert_true(giq_spent_take(kit->store, kit->service.clock.wall_ms, GIQ_JOBS_A_DAY_MAX,
                               "ff", &slot, &err));
}

static void test_outcome_decides_what_becomes_of_the_slot(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_response response;
        enum giq_code code;
        int taken;
    } cases[] = {
        {JOB_KIT_RUN, GIQ_E_NONE, 1},
        {{.status = 400}, GIQ_E_REFUSED, 0},
        {{.status = 401}, GIQ_E_CREDENTIALS, 0},
        {{.status = 404}, GIQ_E_REFUSED, 0},
        {{.status = 302, .headers = "Location: /x\r\n"}, GIQ_E_NETWORK, 0},
        {{.status = 307, .headers = "Location: http://127.0.0.2/\r\n"}, GIQ_E_NETWORK, 0},
        {{.status = 429, .headers = "Retry-After: 6000\r\n"}, GIQ_E_REFUSED, 0},
        {{.status = 200, .body = "{}"}, GIQ_E_UNKNOWN, 1},
        {{.status = 409}, GIQ_E_UNKNOWN, 1},
        {{.status = 503, .headers = "Retry-After: 1\r\n"}, GIQ_E_UNKNOWN, 1},
        {{.raw = "", .then = HTTP_KIT_CLOSE}, GIQ_E_UNKNOWN, 1},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_MODELS, cases[i].response);
        limit_to(&kit, 1);
        assert_int_equal(job_kit_run_to(&kit, 2), cases[i].code);
        assert_int_equal(job_kit_count(&kit, "POST"), 1);
        assert_int_equal(taken(&kit), cases[i].taken);
        job_kit_stop(&kit);
    }
}

static void test_no_connection_leaves_no_slot(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS);
    limit_to(&kit, 1);
    job_kit_disconnect(&kit);
    kit.job->has_checked_models = true;
    assert_int_equal(job_kit_run(&kit), GIQ_E_NETWORK);
    assert_string_equal(job_kit_state(&kit), "none");
    assert_int_equal(taken(&kit), 0);
    job_kit_stop(&kit);
}

static void test_followed_redirect_takes_one_slot(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS,
                  {.status = 307, .headers = "Location: /v2/run\r\n"}, JOB_KIT_RUN,
                  JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    limit_to(&kit, 1);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(job_kit_count(&kit, "POST"), 2);
    assert_int_equal(taken(&kit), 1);
    job_kit_stop(&kit);
}

static void test_throttled_request_holds_no_slot_while_it_waits(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, {.status = 429}, {.status = 429}, JOB_KIT_RUN,
                  JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    limit_to(&kit, 1);
    for (size_t i = 2; i < 4; i++) {
        assert_int_equal(job_kit_run_to(&kit, i), GIQ_E_NONE);
        assert_string_equal(job_kit_state(&kit), "intent");
        assert_int_equal(taken(&kit), 0);
    }
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(taken(&kit), 1);
    job_kit_stop(&kit);
}

static void test_slot_that_is_lost_in_a_pause_ends_the_open(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, {.status = 429});
    limit_to(&kit, 1);
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    take(&kit);
    assert_int_equal(job_kit_run(&kit), GIQ_E_USAGE);
    assert_non_null(strstr(kit.service.err.text, "the next day begins at 2024-05-02"));
    assert_string_equal(job_kit_state(&kit), "none");
    assert_int_equal(job_kit_count(&kit, "POST"), 1);
    job_kit_stop(&kit);
}

static void test_pause_over_midnight_takes_a_slot_of_the_new_day(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS,
                  {.status = 429, .headers = "Retry-After: 300\r\n"}, JOB_KIT_RUN);
    limit_to(&kit, 1);
    kit.service.clock.wall_ms += 86400000 - 1000;
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    assert_int_equal(job_kit_run_to(&kit, 3), GIQ_E_NONE);
    assert_int_equal(taken(&kit), 1);
    assert_true(env_kit_has(kit.folder, "v1/spent/2024-05-02/1", giq_job_key(kit.job)));
    job_kit_stop(&kit);
}

static void test_no_free_slot_ends_the_open_before_any_call(void **state)
{
    (void)state;
    struct job_kit kit;
    job_kit_start(&kit, NULL, 0);
    limit_to(&kit, 1);
    take(&kit);
    assert_int_equal(job_kit_run(&kit), GIQ_E_USAGE);
    assert_string_equal(kit.service.err.text, full);
    assert_int_equal(http_kit_count(kit.service.http), 0);
    assert_int_equal(access(kit.job->folder, F_OK), -1);
    job_kit_stop(&kit);
}

static void test_last_slot_that_another_open_takes_first_ends_the_open(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS);
    limit_to(&kit, 1);
    take(&kit);
    sees_free = true;
    assert_int_equal(job_kit_run(&kit), GIQ_E_USAGE);
    assert_non_null(
        strstr(kit.service.err.text, "started today: 1; the next day begins"));
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    assert_string_equal(job_kit_state(&kit), "none");
    assert_int_equal(taken(&kit), 1);
    job_kit_stop(&kit);
}

/* RETRY at the limit leaves the record and the label as they were. */
static void test_retry_takes_a_slot_too(void **state)
{
    (void)state;
    static const struct giq_request retry = {.model = "m", .file = "f", .retry = "a"};
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("FAILED"),
                  JOB_KIT_RUN, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    limit_to(&kit, 1);
    assert_int_equal(job_kit_run(&kit), GIQ_E_FAILED);
    char *before = env_kit_read(kit.job->folder, "job.json");
    for (int i = 0; i < 2; i++) {
        sees_free = i == 1;
        job_kit_open(&kit, &retry, 0);
        assert_int_equal(job_kit_run(&kit), GIQ_E_USAGE);
        env_kit_expect(kit.job->folder, "job.json", before);
    }
    assert_int_equal(http_kit_count(kit.service.http), 3);
    kit.limits.max_jobs = 2;
    job_kit_open(&kit, &retry, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(taken(&kit), 2);
    free(before);
    job_kit_stop(&kit);
}

static void test_what_starts_no_job_takes_no_slot(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(job_kit_by_id); i++) {
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
        limit_to(&kit, 0);
        job_kit_open(&kit, &job_kit_by_id[i], 0);
        assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
        /* Published: it opens without a call. */
        job_kit_open(&kit, &job_kit_by_id[i], 0);
        assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
        assert_int_equal(http_kit_count(kit.service.http), 2);
        GIQ_AUTO_FREE char *spent = giq_store_folder(kit.store, "spent");
        assert_int_equal(access(spent, F_OK), -1);
        job_kit_stop(&kit);
    }
}

static void test_without_the_option_no_slot_is_taken(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN);
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    GIQ_AUTO_FREE char *spent = giq_store_folder(kit.store, "spent");
    assert_int_equal(access(spent, F_OK), -1);
    job_kit_stop(&kit);
}

/* Another open holds the lock of the record and takes a slot; the kit's one waits. */
static struct giq_lock *wait_for_another(struct job_kit *kit)
{
    struct giq_lock *lock = NULL;
    struct giq_error err = {0};
    enum giq_step step = GIQ_STEP_DONE;
    assert_true(giq_store_make(kit->store, kit->job->folder, &err));
    assert_true(giq_lock_acquire(kit->job->folder, 0700, &lock, &err));
    take(kit);
    for (int i = 0; i < 3; i++) {
        assert_true(job_kit_step(kit, &step));
        assert_int_equal(step, GIQ_STEP_AGAIN);
    }
    return lock;
}

/* The open that submits the same request holds the lock, and has the last slot. */
static void test_job_of_another_open_is_shared_at_the_limit(void **state)
{
    (void)state;
    struct job_kit kit;
    enum giq_step step = GIQ_STEP_DONE;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    limit_to(&kit, 1);
    assert_true(job_kit_step(&kit, &step)); /* nothing is recorded */
    struct giq_lock *lock = wait_for_another(&kit);
    job_kit_plant(&kit, "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"j1\"}");
    giq_lock_release(lock);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    assert_int_equal(taken(&kit), 1);
    job_kit_stop(&kit);
}

/* It has recorded its job and released the lock since this open read the record. */
static void test_job_that_was_just_recorded_is_shared_at_the_limit(void **state)
{
    (void)state;
    struct job_kit kit;
    enum giq_step step = GIQ_STEP_DONE;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    limit_to(&kit, 1);
    assert_true(job_kit_step(&kit, &step)); /* nothing is recorded */
    take(&kit);
    job_kit_plant(&kit, "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"j1\"}");
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

/* It ended without a job. */
static void test_lock_that_ends_without_a_job_leads_to_the_limit(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS);
    limit_to(&kit, 1);
    struct giq_lock *lock = wait_for_another(&kit);
    giq_lock_release(lock);
    assert_int_equal(job_kit_run(&kit), GIQ_E_USAGE);
    assert_string_equal(job_kit_state(&kit), "none");
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcome_decides_what_becomes_of_the_slot),
        cmocka_unit_test(test_no_connection_leaves_no_slot),
        cmocka_unit_test(test_followed_redirect_takes_one_slot),
        cmocka_unit_test(test_throttled_request_holds_no_slot_while_it_waits),
        cmocka_unit_test(test_slot_that_is_lost_in_a_pause_ends_the_open),
        cmocka_unit_test(test_pause_over_midnight_takes_a_slot_of_the_new_day),
        cmocka_unit_test(test_no_free_slot_ends_the_open_before_any_call),
        cmocka_unit_test(test_last_slot_that_another_open_takes_first_ends_the_open),
        cmocka_unit_test(test_retry_takes_a_slot_too),
        cmocka_unit_test(test_what_starts_no_job_takes_no_slot),
        cmocka_unit_test(test_without_the_option_no_slot_is_taken),
        cmocka_unit_test(test_job_of_another_open_is_shared_at_the_limit),
        cmocka_unit_test(test_job_that_was_just_recorded_is_shared_at_the_limit),
        cmocka_unit_test(test_lock_that_ends_without_a_job_leads_to_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
