/* The dry run of a request, and the limit of its area. */
#include "job/giq_job_internal.h"

#include "unit.h"

#include "base/giq_os.h"
#include "job_kit.h"

/* 11226 and 113 square kilometres. */
#define LARGE   "POLYGON((54 24,54 25,55 25,55 24,54 24))"
#define SMALL   "POLYGON((54 24,54 24.1,54.1 24.1,54.1 24,54 24))"
#define INTENT  "{\"format\":1,\"state\":\"intent\",\"geometry_crs\":\"AS_IS\"}"
#define SENDING "{\"format\":1,\"state\":\"sending\",\"model_id\":\"m\"}"
#define FAILED                                                                           \
    "{\"format\":1,\"state\":\"failed\",\"job_id\":\"j0\",\"model_id\":\"m\","           \
    "\"error\":\"no water\"}"

enum { DRY = GIQ_JOB_NO_SUBMIT | GIQ_JOB_NO_WAIT };

/* An open of `request` by its flags, where nothing answers. */
static void start(struct job_kit *kit, const struct giq_request *request, unsigned flags,
                  double max_area_km2)
{
    job_kit_start(kit, NULL, 0);
    kit->limits.max_area_km2 = max_area_km2;
    job_kit_open(kit, request, flags);
}

static void stop_unsent(struct job_kit *kit)
{
    assert_int_equal(http_kit_count(kit->service.http), 0);
    job_kit_stop(kit);
}

static bool has_folder(const struct job_kit *kit)
{
    struct giq_os_stat st;
    struct giq_error err = {0};
    assert_true(giq_os_stat(kit->job->folder, &st, &err));
    return st.kind != GIQ_OS_NOTHING;
}

static void test_dry_run_is_the_request_and_leaves_no_trace(void **state)
{
    (void)state;
    const struct giq_request request = {
        .model = "m", .file = "f", .area = LARGE, .rerun = "x"};
    struct job_kit kit;
    struct giq_job_view view;
    start(&kit, &request, DRY, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    giq_job_get_view(kit.job, &view);
    assert_int_equal(view.state, GIQ_JOB_NONE);
    assert_string_equal(view.state_name, "not submitted");
    assert_string_equal(view.model_id, "m");
    assert_string_equal(view.file_id, "f");
    assert_string_equal(view.label, "x");
    assert_string_equal(view.area, LARGE);
    assert_int_equal(strlen(view.key), 64);
    assert_null(view.status);
    assert_null(view.error);
    assert_null(view.job_id);
    assert_null(view.result_path);
    assert_false(has_folder(&kit));
    stop_unsent(&kit);
}

static void test_only_both_flags_are_a_dry_run(void **state)
{
    (void)state;
    struct job_kit kit;
    start(&kit, &job_kit_request, GIQ_JOB_NO_SUBMIT, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_USAGE);
    stop_unsent(&kit);
}

/* An abandoned intent is replaced by the request as it is now. */
static void test_intent_shows_the_request_and_keeps_its_record(void **state)
{
    (void)state;
    struct giq_request request = {.model = "m", .file = "f", .area = LARGE};
    struct job_kit kit;
    struct giq_job_view view;
    start(&kit, &request, DRY, 0);
    job_kit_plant(&kit, INTENT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    giq_job_get_view(kit.job, &view);
    assert_string_equal(view.state_name, "intent");
    assert_string_equal(view.status, "intent");
    assert_string_equal(view.area, LARGE);
    request.geometry_crs = "AS_IS";
    job_kit_open(&kit, &request, DRY);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    giq_job_get_view(kit.job, &view);
    assert_string_equal(view.state_name, "intent");
    assert_null(view.area);
    env_kit_expect(kit.job->folder, "job.json", INTENT);
    stop_unsent(&kit);
}

/* A program that died while it sent the request: that may have been paid for. */
static void test_request_that_was_sent_is_no_dry_run(void **state)
{
    (void)state;
    struct job_kit kit;
    struct giq_job_view view;
    start(&kit, &job_kit_request, DRY, 0);
    job_kit_plant(&kit, SENDING);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    giq_job_get_view(kit.job, &view);
    assert_string_equal(view.state_name, "unknown");
    assert_non_null(strstr(view.error, "adopt it with job=<id>"));
    stop_unsent(&kit);
}

static void test_view_and_open_give_the_same_advice(void **state)
{
    (void)state;
    static const char advice[] =
        "the job j0 failed on the service (no water); it stays recorded as failed, and "
        "RETRY=<label> or rerun=<label> starts a new job, which is paid for";
    struct job_kit kit;
    struct giq_job_view view;
    start(&kit, &job_kit_request, GIQ_JOB_NO_WAIT, 0);
    job_kit_plant(&kit, FAILED);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    giq_job_get_view(kit.job, &view);
    assert_string_equal(view.error, advice);
    job_kit_open(&kit, &job_kit_request, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_FAILED);
    assert_string_equal(kit.service.err.text, advice);
    stop_unsent(&kit);
}

static void test_limit_of_the_area(void **state)
{
    (void)state;
    static const struct {
        const char *area;
        const char *crs;
        double limit;
        const char *words; /* NULL: allowed */
    } cases[] = {
        {LARGE, NULL, 0, NULL},
        {NULL, NULL, 0, NULL},
        {LARGE, "AS_IS", 0, NULL},
        {SMALL, NULL, 200, NULL},
        {LARGE, NULL, 11226.48, NULL},
        {LARGE, NULL, 11226.47,
         "the area has 11226.471673 km2, and GIQ_MAX_AREA allows a new job of at most "
         "11226.47 km2; "},
        {LARGE, NULL, 2.01, "allows a new job of at most 2.01 km2; "},
        {LARGE, NULL, 0.0001,
         "11226.471673 km2, and GIQ_MAX_AREA allows a new job of at "
         "most 0.0001 km2; "},
        {NULL, NULL, 1e9,
         "the request has no area, so the model would run on the whole "
         "file, whose size is not known, and GIQ_MAX_AREA allows a new "
         "job of at most 1000000000 km2; "},
        {SMALL, "AS_IS", 200.5,
         "with GEOMETRY_CRS=AS_IS the size of the area is not "
         "known, and GIQ_MAX_AREA allows a new job of at most "
         "200.5 km2; "},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const char *words = cases[i].words;
        const struct giq_request request = {.model = "m",
                                            .file = "f",
                                            .area = cases[i].area,
                                            .geometry_crs = cases[i].crs};
        struct job_kit kit;
        struct giq_job_view view;
        start(&kit, &request, DRY, cases[i].limit);
        assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
        giq_job_get_view(kit.job, &view);
        assert_string_equal(view.state_name, "not submitted");
        assert_int_equal(view.error != NULL, words != NULL);
        if (words != NULL) {
            assert_non_null(strstr(view.error, words));
            job_kit_open(&kit, &request, 0);
            assert_int_equal(job_kit_run(&kit), GIQ_E_USAGE);
            assert_non_null(strstr(kit.service.err.text, words));
            assert_false(has_folder(&kit));
        }
        stop_unsent(&kit);
    }
}

static void test_area_that_cannot_be_read_starts_no_job(void **state)
{
    (void)state;
    const struct giq_request request = {.model = "m", .file = "f", .area = "POINT(1 2)"};
    struct job_kit kit;
    start(&kit, &request, 0, 100);
    assert_int_equal(job_kit_run(&kit), GIQ_E_AREA);
    stop_unsent(&kit);
}

/* RETRY: the limit is not checked while another open sends the request, and its job fails
 * before this open holds the lock. */
static void test_limit_holds_for_a_job_that_fails_meanwhile(void **state)
{
    (void)state;
    const struct giq_request request = {
        .model = "m", .file = "f", .area = LARGE, .retry = "a"};
    struct job_kit kit;
    enum giq_step step = GIQ_STEP_DONE;
    start(&kit, &request, 0, 200);
    job_kit_plant(&kit, SENDING);
    assert_true(job_kit_step(&kit, &step));
    env_kit_write(kit.job->folder, "job.json", FAILED);
    assert_int_equal(job_kit_run(&kit), GIQ_E_USAGE);
    assert_string_equal(job_kit_state(&kit), "failed");
    stop_unsent(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dry_run_is_the_request_and_leaves_no_trace),
        cmocka_unit_test(test_only_both_flags_are_a_dry_run),
        cmocka_unit_test(test_intent_shows_the_request_and_keeps_its_record),
        cmocka_unit_test(test_request_that_was_sent_is_no_dry_run),
        cmocka_unit_test(test_view_and_open_give_the_same_advice),
        cmocka_unit_test(test_limit_of_the_area),
        cmocka_unit_test(test_area_that_cannot_be_read_starts_no_job),
        cmocka_unit_test(test_limit_holds_for_a_job_that_fails_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
