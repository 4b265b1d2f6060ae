/* Batches: what is started, how fast, and what becomes of each row. */
#include "giq/batch.h"

#include "unit.h"

#include <dirent.h>

#include "batch_kit.h"
#include "env_kit.h"

static struct batch_kit kit;

/* ---- rows and requests ---- */

static void test_equal_requests_are_one_job(void **state)
{
    (void)state;
    static const char *const files[] = {"ok-b", "ok-a", "ok-b", "ok-c", "ok-a", "ok-b"};
    static const size_t first[] = {0, 1, 0, 3, 1, 0};
    for (size_t i = 0; i < GIQ_COUNT(files); i++) {
        batch_kit_add(&kit, files[i], 0);
    }
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.runs, 3);
    assert_int_equal(kit.fetches, 3);
    assert_int_equal(batch_kit_counts(&kit).requests, 3);
    assert_int_equal(batch_kit_counts(&kit).published, 3);
    assert_int_equal(batch_kit_count(&kit, GIQ_BATCH_PUBLISHED), 6);
    for (size_t i = 0; i < GIQ_COUNT(files); i++) {
        const struct giq_batch_row row = batch_kit_row(&kit, i);
        assert_int_equal(row.first, first[i]);
        assert_string_equal(row.key, batch_kit_row(&kit, first[i]).key);
        assert_string_equal(row.job_id, batch_kit_row(&kit, first[i]).job_id);
        assert_int_equal(row.recorded, GIQ_JOB_PUBLISHED);
        assert_null(row.error);
    }
}

static void test_a_batch_without_rows_is_empty(void **state)
{
    (void)state;
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(batch_kit_counts(&kit).requests, 0);
    assert_int_equal(kit.thread_ends, 0);
}

static void test_published_rows_need_no_thread_and_no_call(void **state)
{
    (void)state;
    batch_kit_add(&kit, "ok", 5);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    size_t statuses = kit.statuses;
    kit.thread_ends = 0;
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(batch_kit_counts(&kit).new_jobs, 0);
    assert_int_equal(batch_kit_count(&kit, GIQ_BATCH_PUBLISHED), 5);
    assert_int_equal(kit.runs, 5);
    assert_int_equal(kit.statuses, statuses);
    assert_int_equal(kit.fetches, 5);
    assert_int_equal(kit.thread_ends, 0);
}

static void test_the_plan_counts_new_jobs_and_reports_records(void **state)
{
    (void)state;
    batch_kit_add(&kit, "ok", 6);
    batch_kit_plant(&kit, 0, BATCH_KIT_RECORD("failed"));
    batch_kit_plant(&kit, 1, BATCH_KIT_RECORD("unknown"));
    batch_kit_plant(&kit, 2, BATCH_KIT_RECORD("submitted"));
    batch_kit_plant(&kit, 3, "nonsense");
    batch_kit_plant(&kit, 4, BATCH_KIT_RECORD("intent"));
    batch_kit_open(&kit);
    static const struct {
        enum giq_batch_state state;
        enum giq_job_state recorded;
        enum giq_code code;
        bool needs_job;
    } rows[] = {
        {GIQ_BATCH_FAILED, GIQ_JOB_FAILED, GIQ_E_FAILED, false},
        {GIQ_BATCH_FAILED, GIQ_JOB_UNKNOWN, GIQ_E_UNKNOWN, false},
        {GIQ_BATCH_PENDING, GIQ_JOB_SUBMITTED, GIQ_E_NONE, false},
        {GIQ_BATCH_FAILED, GIQ_JOB_NONE, GIQ_E_STORE, false},
        {GIQ_BATCH_PENDING, GIQ_JOB_INTENT, GIQ_E_NONE, true},
        {GIQ_BATCH_PENDING, GIQ_JOB_NONE, GIQ_E_NONE, true},
    };
    for (size_t i = 0; i < GIQ_COUNT(rows); i++) {
        const struct giq_batch_row row = batch_kit_row(&kit, i);
        assert_int_equal(row.state, rows[i].state);
        assert_int_equal(row.recorded, rows[i].recorded);
        assert_int_equal(row.code, rows[i].code);
        assert_int_equal(row.needs_job, rows[i].needs_job);
        assert_int_equal(row.error != NULL, rows[i].code != GIQ_E_NONE);
    }
    assert_int_equal(batch_kit_counts(&kit).new_jobs, 2);
    assert_int_equal(batch_kit_counts(&kit).failed, 3);
    assert_int_equal(batch_kit_counts(&kit).failed_by_code[GIQ_E_UNKNOWN], 1);
    assert_int_equal(kit.runs + kit.statuses + kit.lists, 0);
}

static void test_a_view_shows_the_record_or_the_request(void **state)
{
    (void)state;
    struct giq_job_view view;
    batch_kit_add(&kit, "hang", 0);
    batch_kit_add(&kit, "refused", 0);
    batch_kit_add(&kit, "ok", 0);
    batch_kit_plant(&kit, 2, "nonsense");
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_true(giq_batch_view(kit.batch, 0, &view, &kit.err));
    assert_int_equal(view.state, GIQ_JOB_SUBMITTED);
    assert_string_equal(view.status, "RUNNING");
    assert_string_equal(view.job_id, "j0");
    assert_true(giq_batch_view(kit.batch, 1, &view, &kit.err));
    assert_int_equal(view.state, GIQ_JOB_NONE);
    assert_string_equal(view.state_name, "not submitted");
    assert_string_equal(view.file_id, "refused");
    assert_string_equal(view.error, "the run ends as refused");
    assert_true(giq_batch_view(kit.batch, 2, &view, &kit.err));
    assert_string_equal(view.state_name, "damaged");
    assert_null(view.status);
    assert_non_null(strstr(view.error, "job.json"));
}

/* ---- at once ---- */

static void test_no_more_requests_at_once_than_allowed(void **state)
{
    (void)state;
    batch_kit_add(&kit, "ok", 14);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.runs, 14);
    assert_int_equal(kit.most_running, 4);
    assert_int_equal(batch_kit_count(&kit, GIQ_BATCH_PUBLISHED), 14);
    assert_int_equal(kit.counts.published, 14);
    assert_int_equal(kit.thread_ends, 4);
}

static void test_status_calls_keep_to_the_rate(void **state)
{
    (void)state;
    kit.concurrency = 16;
    batch_kit_add(&kit, "ok", 20);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_true(kit.statuses > 40);
    for (size_t i = 1; i < kit.statuses; i++) {
        assert_true(kit.status_ms[i] - kit.status_ms[i - 1] >= 100);
    }
}

static void test_a_job_that_was_just_started_is_not_checked_at_once(void **state)
{
    (void)state;
    batch_kit_add(&kit, "ok", 1);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.status_ms[0] - kit.run_ms[0], 250);
}

static void test_a_job_of_an_earlier_run_is_checked_at_once(void **state)
{
    (void)state;
    int64_t began_ms = kit.now_ms;
    batch_kit_add_running(&kit);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.status_ms[0], began_ms);
}

static bool accept_any(void *ctx, size_t row, struct giq_job *job, const char *path,
                       struct giq_error *err)
{
    (void)ctx;
    (void)row;
    (void)job;
    (void)path;
    (void)err;
    return true;
}

/* A batch of the kit's rows on the system's clock: `*out` is how many requests it has
 * published. */
static void *run_on_system_clock(void *out)
{
    const struct giq_batch_args args = {
        .settings = &kit.settings,
        .cred = kit.cred,
        .env = &giq_env_system,
        .store = kit.store,
        .requests = kit.requests,
        .count = kit.row_count,
        .concurrency = 3,
        .host = {.accept = accept_any},
    };
    struct giq_batch *batch = NULL;
    struct giq_batch_counts done = {0};
    struct giq_error err = {0};
    if (giq_batch_new(&args, &batch, &err) && giq_batch_run(batch, &err)) {
        giq_batch_get_counts(batch, &done);
    }
    giq_batch_free(batch);
    *(size_t *)out = done.published;
    return NULL;
}

/* The kit's clock would pass TIMEOUT in no time while the other batch holds a lock. */
static void test_batches_at_once_share_their_jobs(void **state)
{
    (void)state;
    pthread_t thread;
    size_t published[2] = {0};
    kit.job_ms = 0;
    batch_kit_add(&kit, "ok", 12);
    assert_int_equal(pthread_create(&thread, NULL, run_on_system_clock, &published[0]),
                     0);
    (void)run_on_system_clock(&published[1]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(published[0], 12);
    assert_int_equal(published[1], 12);
    assert_int_equal(kit.runs, 12);
    assert_int_equal(kit.fetches, 12);
}

/* ---- throttling ---- */

static void test_one_throttled_request_delays_those_of_all(void **state)
{
    (void)state;
    kit.throttle_ms = 60 * SECOND_MS;
    batch_kit_add(&kit, "throttled", 0);
    batch_kit_add(&kit, "ok", 11);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.throttled, 1);
    assert_int_equal(kit.runs, 13);
    assert_int_equal(batch_kit_count(&kit, GIQ_BATCH_PUBLISHED), 12);
    size_t later = 0;
    for (size_t i = 0; i < kit.runs; i++) {
        int64_t after_ms = kit.run_ms[i] - kit.run_ms[0];
        assert_true(after_ms == 0 || after_ms >= kit.throttle_ms);
        later += after_ms > 0 ? 1 : 0;
    }
    /* At most those that were out at once were sent before. */
    assert_true(later >= 9);
}

static void test_throttled_for_longer_than_the_timeout_is_refused(void **state)
{
    (void)state;
    kit.throttle_ms = 3600 * SECOND_MS;
    kit.concurrency = 1;
    batch_kit_add(&kit, "throttled", 0);
    batch_kit_add(&kit, "ok", 2);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.runs, 1);
    assert_int_equal(batch_kit_counts(&kit).failed_by_code[GIQ_E_REFUSED], 3);
    assert_non_null(strstr(batch_kit_row(&kit, 1).error, "another 3600 s"));
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(batch_kit_recorded(&kit, i), "none");
    }
}

static void test_a_throttled_request_that_is_refused_later_leaves_no_record(void **state)
{
    (void)state;
    kit.throttle_ms = 60 * SECOND_MS;
    kit.concurrency = 2;
    batch_kit_add(&kit, "throttled", 1);
    batch_kit_add_running(&kit);
    (void)snprintf(kit.jobs[9].file, sizeof kit.jobs[9].file, "busy");
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.runs, 1);
    assert_int_equal(batch_kit_row(&kit, 0).code, GIQ_E_REFUSED);
    assert_string_equal(batch_kit_recorded(&kit, 0), "none");
    assert_int_equal(batch_kit_row(&kit, 1).code, GIQ_E_TIMEOUT);
}

/* ---- RETRY, wait=no, SUBMIT=NO ---- */

static void test_retry_leaves_unknown_rows_alone(void **state)
{
    (void)state;
    kit.retry = "again";
    batch_kit_add(&kit, "ok", 4);
    batch_kit_plant(&kit, 0, BATCH_KIT_RECORD("unknown"));
    batch_kit_plant(&kit, 1, BATCH_KIT_RECORD("failed"));
    batch_kit_plant(&kit, 2, BATCH_KIT_RECORD("sending"));
    batch_kit_plant(&kit, 3, "nonsense");
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(batch_kit_counts(&kit).new_jobs, 2);
    assert_int_equal(kit.runs, 2);
    assert_int_equal(batch_kit_row(&kit, 0).code, GIQ_E_UNKNOWN);
    assert_int_equal(batch_kit_row(&kit, 1).state, GIQ_BATCH_PUBLISHED);
    assert_int_equal(batch_kit_row(&kit, 2).code, GIQ_E_UNKNOWN);
    assert_int_equal(batch_kit_row(&kit, 3).state, GIQ_BATCH_PUBLISHED);
    assert_string_equal(batch_kit_recorded(&kit, 2), "sending"); /* nothing is written */
    /* A label is used once. */
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.runs, 2);
}

static void test_a_refused_retry_leaves_the_record(void **state)
{
    (void)state;
    kit.retry = "again";
    batch_kit_add(&kit, "refused", 1);
    batch_kit_plant(&kit, 0, BATCH_KIT_RECORD("failed"));
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(batch_kit_row(&kit, 0).code, GIQ_E_REFUSED);
    assert_int_equal(batch_kit_row(&kit, 0).recorded, GIQ_JOB_FAILED);
    assert_string_equal(batch_kit_recorded(&kit, 0), "failed");
}

static void test_no_wait_is_one_pass(void **state)
{
    (void)state;
    kit.flags = GIQ_JOB_NO_WAIT;
    batch_kit_add(&kit, "ok", 20);
    batch_kit_add(&kit, "refused", 1);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.runs, 21);
    assert_int_equal(kit.statuses, 0);
    assert_int_equal(kit.fetches, 0);
    assert_int_equal(batch_kit_counts(&kit).checked, 20);
    assert_int_equal(batch_kit_counts(&kit).failed, 1);
    assert_non_null(batch_kit_row(&kit, 7).job_id);
    /* The next pass checks each job once. */
    kit.now_ms += kit.job_ms;
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.runs, 22);
    assert_int_equal(kit.statuses, 20);
    assert_int_equal(batch_kit_counts(&kit).checked, 20);
    assert_string_equal(batch_kit_recorded(&kit, 0), "succeeded");
}

static void test_without_submitting_a_missing_job_is_an_error(void **state)
{
    (void)state;
    kit.flags = GIQ_JOB_NO_SUBMIT;
    batch_kit_add(&kit, "ok", 3);
    batch_kit_open(&kit);
    assert_int_equal(batch_kit_counts(&kit).new_jobs, 3);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(batch_kit_counts(&kit).failed_by_code[GIQ_E_USAGE], 3);
    assert_int_equal(kit.runs, 0);
}

/* ---- limits ---- */

static void test_more_new_jobs_than_today_allows_are_refused(void **state)
{
    (void)state;
    kit.limits = (struct giq_limits){.has_max_jobs = true, .max_jobs = 5};
    batch_kit_add(&kit, "ok", 3);
    batch_kit_open(&kit);
    assert_true(giq_batch_check_limits(kit.batch, &kit.err));
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(batch_kit_counts(&kit).published, 3);
    batch_kit_add(&kit, "ok", 3);
    batch_kit_open(&kit);
    assert_false(giq_batch_check_limits(kit.batch, &kit.err));
    assert_int_equal(kit.err.code, GIQ_E_USAGE);
    assert_non_null(strstr(kit.err.text, "would start 3 jobs"));
    assert_non_null(strstr(kit.err.text, "allows 5 on one day (UTC), of which 2 are"));
    assert_non_null(strstr(kit.err.text, "2024-05-02 00:00"));
    /* Each job takes its own slot, so a run that the host allows stops at the limit. */
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.runs, 5);
    assert_int_equal(batch_kit_counts(&kit).failed_by_code[GIQ_E_USAGE], 1);
}

static void test_rows_whose_area_is_too_large_are_invalid(void **state)
{
    (void)state;
    kit.limits.max_area_km2 = 100;
    batch_kit_add(&kit, "ok", 3);
    kit.requests[0].area = "POLYGON((1 0,1.01 0,1.01 0.01,1 0.01,1 0))";
    kit.requests[1].area = "POLYGON((1 0,2 0,2 1,1 1,1 0))";
    batch_kit_plant(&kit, 2, BATCH_KIT_RECORD("submitted"));
    batch_kit_open(&kit);
    assert_int_equal(batch_kit_row(&kit, 0).state, GIQ_BATCH_PENDING);
    assert_int_equal(batch_kit_row(&kit, 1).code, GIQ_E_USAGE);
    assert_non_null(strstr(batch_kit_row(&kit, 1).error, "GIQ_MAX_AREA"));
    assert_int_equal(batch_kit_row(&kit, 2).state, GIQ_BATCH_PENDING);
}

/* ---- models ---- */

static size_t choose_models(enum giq_code code)
{
    size_t invalid = SIZE_MAX;
    batch_kit_open(&kit);
    bool ok = giq_batch_choose_models(kit.batch, &invalid, &kit.err);
    assert_int_equal(kit.err.code, code);
    assert_int_equal(ok, code == GIQ_E_NONE);
    return invalid;
}

static void test_one_list_of_models_serves_all_rows(void **state)
{
    (void)state;
    kit.models = "m;water;";
    batch_kit_add(&kit, "ok", 8);
    kit.requests[5].model = "WATER";
    assert_int_equal(choose_models(GIQ_E_NONE), 0);
    assert_int_equal(kit.lists, 1);
    assert_int_equal(kit.runs, 0);
    assert_true(giq_batch_run(kit.batch, &kit.err));
    assert_int_equal(kit.lists, 1);
    assert_int_equal(batch_kit_counts(&kit).published, 8);
    struct giq_job_view view;
    assert_true(giq_batch_view(kit.batch, 5, &view, &kit.err));
    assert_string_equal(view.model_id, "water");
    assert_int_equal(choose_models(GIQ_E_NONE), 0);
    assert_int_equal(kit.lists, 1);
}

static void test_rows_of_unknown_models_are_invalid(void **state)
{
    (void)state;
    kit.models = "m;";
    batch_kit_add(&kit, "ok", 5);
    kit.requests[1].model = "n";
    kit.requests[4].model = "o";
    assert_int_equal(choose_models(GIQ_E_NONE), 2);
    assert_int_equal(batch_kit_row(&kit, 1).code, GIQ_E_USAGE);
    assert_non_null(strstr(batch_kit_row(&kit, 4).error, "\"o\""));
    assert_int_equal(batch_kit_counts(&kit).pending, 3);
}

static void test_an_unavailable_list_of_models_decides_nothing(void **state)
{
    (void)state;
    batch_kit_add(&kit, "ok", 5);
    kit.requests[1].model = "n";
    assert_int_equal(choose_models(GIQ_E_NONE), 0);
    assert_true(giq_batch_run(kit.batch, &kit.err));
    assert_int_equal(kit.lists, 1);
    assert_int_equal(batch_kit_counts(&kit).published, 5);
}

static void test_no_models_are_needed_without_new_jobs(void **state)
{
    (void)state;
    batch_kit_add(&kit, "ok", 2);
    batch_kit_plant(&kit, 0, BATCH_KIT_RECORD("failed"));
    batch_kit_plant(&kit, 1, BATCH_KIT_RECORD("submitted"));
    assert_int_equal(choose_models(GIQ_E_NONE), 0);
    assert_int_equal(kit.lists, 0);
}

/* ---- the host ---- */

static void test_warnings_reach_the_caller_once(void **state)
{
    (void)state;
    kit.warning = "the same";
    batch_kit_add(&kit, "ok", 5);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.warnings, 1);
    assert_string_equal(kit.warned, "the same");
    assert_true(kit.debugs > 0);
}

static void test_warnings_are_limited(void **state)
{
    (void)state;
    kit.has_own_warnings = true;
    batch_kit_add(&kit, "ok", 12);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.warnings, 51);
    char expected[sizeof kit.warned];
    (void)snprintf(expected, sizeof expected,
                   "%zu more warnings of this batch are not shown", kit.statuses - 50);
    assert_string_equal(kit.warned, expected);
}

static void test_threads_that_cannot_begin_stop_the_run(void **state)
{
    (void)state;
    kit.refuses_threads = true;
    batch_kit_add(&kit, "ok", 6);
    assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(giq_batch_get_stop(kit.batch)->code, GIQ_E_MEMORY);
    assert_int_equal(batch_kit_counts(&kit).pending, 6);
    assert_int_equal(kit.thread_ends, 0);
    assert_int_equal(kit.runs, 0);
}

static size_t open_descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    assert_int_equal(closedir(folder), 0);
    return count;
}

/* Memory is the matter of the leak checker of cmake/asan.cmake. */
static void test_batches_leave_no_descriptors(void **state)
{
    (void)state;
    kit.concurrency = 20;
    kit.job_ms = 1000;
    size_t before = open_descriptors();
    for (int i = 0; i < 3; i++) {
        batch_kit_add(&kit, "ok", 30);
        assert_int_equal(batch_kit_run(&kit), GIQ_E_NONE);
        assert_int_equal(batch_kit_counts(&kit).published, kit.row_count);
        assert_int_equal(open_descriptors(), before);
    }
    assert_int_equal(kit.runs, 90);
}

int main(void)
{
#define TEST(name) BATCH_KIT_TEST(name, &kit)
    const struct CMUnitTest tests[] = {
        TEST(test_equal_requests_are_one_job),
        TEST(test_a_batch_without_rows_is_empty),
        TEST(test_published_rows_need_no_thread_and_no_call),
        TEST(test_the_plan_counts_new_jobs_and_reports_records),
        TEST(test_a_view_shows_the_record_or_the_request),
        TEST(test_no_more_requests_at_once_than_allowed),
        TEST(test_status_calls_keep_to_the_rate),
        TEST(test_a_job_that_was_just_started_is_not_checked_at_once),
        TEST(test_a_job_of_an_earlier_run_is_checked_at_once),
        TEST(test_batches_at_once_share_their_jobs),
        TEST(test_one_throttled_request_delays_those_of_all),
        TEST(test_throttled_for_longer_than_the_timeout_is_refused),
        TEST(test_a_throttled_request_that_is_refused_later_leaves_no_record),
        TEST(test_retry_leaves_unknown_rows_alone),
        TEST(test_a_refused_retry_leaves_the_record),
        TEST(test_no_wait_is_one_pass),
        TEST(test_without_submitting_a_missing_job_is_an_error),
        TEST(test_more_new_jobs_than_today_allows_are_refused),
        TEST(test_rows_whose_area_is_too_large_are_invalid),
        TEST(test_one_list_of_models_serves_all_rows),
        TEST(test_rows_of_unknown_models_are_invalid),
        TEST(test_an_unavailable_list_of_models_decides_nothing),
        TEST(test_no_models_are_needed_without_new_jobs),
        TEST(test_warnings_reach_the_caller_once),
        TEST(test_warnings_are_limited),
        TEST(test_threads_that_cannot_begin_stop_the_run),
        TEST(test_batches_leave_no_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
