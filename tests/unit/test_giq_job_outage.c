/* Waiting for a job while the service is in trouble, or does not know the job. */
#include "job/giq_job_internal.h"

#include "unit.h"

#include "job_kit.h"

static const struct http_kit_response running = JOB_KIT_STATUS("RUNNING");

/* ---- outages ---- */

#define GOES_ON                                                                          \
    "the state of the job j1 could not be read; the job continues, and opening the "     \
    "same "                                                                              \
    "dataset again checks it again: "

static void test_what_the_first_status_call_may_end_with(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_response response;
        enum giq_code code; /* GIQ_E_NONE: it is waited on */
    } cases[] = {
        {{.status = 429}, GIQ_E_NONE},
        {{.status = 503}, GIQ_E_NONE},
        {{.raw = "", .then = HTTP_KIT_CLOSE}, GIQ_E_NONE},
        {JOB_KIT_STATUS("MARINATING"), GIQ_E_NONE},
        {{.status = 200, .body = "{}"}, GIQ_E_NONE},
        {{.status = 200, .body = "{\"status\":\"error\"}"}, GIQ_E_NONE},
        {{.status = 200, .body = "{\"id\":\"j2\",\"status\":\"FAILED\"}"}, GIQ_E_NONE},
        {{.status = 200, .body = "<html>"}, GIQ_E_SERVICE},
        {{.status = 202}, GIQ_E_SERVICE},
        {{.status = 520}, GIQ_E_SERVICE},
        {{.status = 400}, GIQ_E_SERVICE},
        {{.status = 401}, GIQ_E_CREDENTIALS},
        {{.status = 403}, GIQ_E_CREDENTIALS},
        {{.status = 302, .headers = "Location: ftp://x/\r\n"}, GIQ_E_NETWORK},
        {JOB_KIT_STATUS("CANCELLED"), GIQ_E_FAILED},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, cases[i].response,
                      JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
        assert_int_equal(job_kit_run(&kit), cases[i].code);
        assert_int_equal(job_kit_count(&kit, "POST"), 1);
        assert_true(cases[i].code == GIQ_E_NONE || cases[i].code == GIQ_E_FAILED ||
                    strstr(kit.service.err.text, GOES_ON) == kit.service.err.text);
        assert_string_equal(job_kit_state(&kit), cases[i].code == GIQ_E_NONE ? "published"
                                                 : cases[i].code == GIQ_E_FAILED
                                                     ? "failed"
                                                     : "submitted");
        job_kit_stop(&kit);
    }
}

/* Twice, as the library itself repeats a GET on a connection that was kept. */
#define CUT                                                                              \
    {                                                                                    \
        .raw = "", .then = HTTP_KIT_CLOSE                                                \
    }

static void test_cut_status_calls_are_waited_out_but_end_a_look(void **state)
{
    (void)state;
    static const struct {
        unsigned flags;
        enum giq_code code;
        const char *state;
    } cases[] = {{0, GIQ_E_NONE, "published"},
                 {GIQ_JOB_NO_WAIT, GIQ_E_NETWORK, "submitted"}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, CUT, CUT, CUT,
                      JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
        job_kit_open(&kit, &job_kit_request, cases[i].flags);
        assert_int_equal(job_kit_run(&kit), cases[i].code);
        assert_string_equal(job_kit_state(&kit), cases[i].state);
        job_kit_stop(&kit);
    }
}

static void test_timeout_names_the_outage(void **state)
{
    (void)state;
    struct job_kit kit;
    job_kit_start_waiting(&kit, (struct http_kit_response){.status = 502});
    assert_int_equal(job_kit_run(&kit), GIQ_E_TIMEOUT);
    assert_non_null(strstr(kit.service.err.text, "has no result after 600 s (getting "
                                                 "the status of the job: HTTP 502)"));
    assert_string_equal(job_kit_state(&kit), "submitted");
    job_kit_stop(&kit);
}

#define ODD_RESPONSES                                                                    \
    {.status = 200, .body = "<html>"}, {.status = 200}, {.status = 202},                 \
        {.status = 204}, {.status = 400}, {.status = 401}, {.status = 403},              \
        {.status = 520}, {.status = 522}, {.status = 404},                               \
        {.status = 302, .headers = "Location: ftp://x/\r\n"},                            \
    {                                                                                    \
        .status = 200, .body = "{\"id\":\"j2\",\"status\":\"DONE\"}"                     \
    }

static void test_odd_response_is_waited_out_after_a_good_one(void **state)
{
    (void)state;
    static const struct http_kit_response odd[] = {ODD_RESPONSES};
    for (size_t i = 0; i < GIQ_COUNT(odd); i++) {
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("RUNNING"),
                      odd[i], JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
        assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
        assert_string_equal(job_kit_state(&kit), "published");
        assert_int_equal(job_kit_count(&kit, "POST"), 1);
        job_kit_stop(&kit);
    }
}

/* The job is reported as running once, and then as `odd`; calls come every 10 s. */
static void start_odd(struct job_kit *kit, struct http_kit_response odd)
{
    job_kit_start_waiting(kit, odd);
    kit->script[2] = running;
    kit->service.service->settings.poll_interval_ms = 10000;
}

static void test_odd_responses_end_the_wait_after_five_minutes(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_response odd;
        enum giq_code code;
    } cases[] = {{{.status = 200, .body = "<html>"}, GIQ_E_SERVICE},
                 {{.status = 401}, GIQ_E_CREDENTIALS},
                 {{.status = 403}, GIQ_E_CREDENTIALS},
                 {{.status = 522}, GIQ_E_SERVICE}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        start_odd(&kit, cases[i].odd);
        int64_t began_ms = kit.service.clock.now_ms;
        assert_int_equal(job_kit_run(&kit), cases[i].code);
        assert_true(kit.service.clock.now_ms - began_ms == 310000);
        assert_ptr_equal(strstr(kit.service.err.text, GOES_ON), kit.service.err.text);
        assert_string_equal(job_kit_state(&kit), "submitted");
        assert_int_equal(job_kit_count(&kit, "POST"), 1);
        job_kit_stop(&kit);
    }
}

static const struct http_kit_response of_other = {
    .status = 200, .body = "{\"id\":\"j2\",\"status\":\"FAILED\"}"};

static void test_responses_about_another_job_end_the_wait_after_five_minutes(void **state)
{
    (void)state;
    struct job_kit kit;
    start_odd(&kit, of_other);
    int64_t began_ms = kit.service.clock.now_ms;
    assert_int_equal(job_kit_run(&kit), GIQ_E_SERVICE);
    assert_true(kit.service.clock.now_ms - began_ms == 310000);
    assert_string_equal(kit.service.err.text, GOES_ON
                        "getting the status of the job: the response is about the job "
                        "j2");
    assert_string_equal(job_kit_state(&kit), "submitted");
    job_kit_stop(&kit);
}

static void test_responses_about_another_job_alone_are_tried_max_retry_times(void **state)
{
    (void)state;
    static const struct http_kit_response others[] = {
        {.status = 200, .body = "{\"id\":\"j2\",\"status\":\"FAILED\"}"},
        {.status = 200, .body = "{\"id\":\"j2\",\"status\":\"DONE\"}"},
        {.status = 200, .body = "{\"status\":\"error\"}"},
        {.status = 200, .body = "{}"},
    };
    for (size_t i = 0; i < GIQ_COUNT(others); i++) {
        struct job_kit kit;
        job_kit_start_waiting(&kit, others[i]);
        assert_int_equal(job_kit_run(&kit), GIQ_E_SERVICE);
        assert_ptr_equal(strstr(kit.service.err.text, GOES_ON), kit.service.err.text);
        assert_int_equal(job_kit_count(&kit, "GET /inference/status"), 1 + 3);
        assert_int_equal(job_kit_count(&kit, "POST"), 1);
        assert_string_equal(job_kit_state(&kit), "submitted");
        /* Opening again goes on with the job. */
        job_kit_open(&kit, &job_kit_request, 0);
        assert_int_equal(job_kit_run(&kit), GIQ_E_SERVICE);
        assert_int_equal(job_kit_count(&kit, "GET /inference/status"), 2 * (1 + 3));
        assert_int_equal(job_kit_count(&kit, "POST"), 1);
        job_kit_stop(&kit);
    }
}

static void test_five_minutes_begin_anew_with_another_response(void **state)
{
    (void)state;
    static const struct http_kit_response others[] = {JOB_KIT_STATUS("RUNNING"),
                                                      {.status = 502}};
    for (size_t i = 0; i < GIQ_COUNT(others); i++) {
        struct job_kit kit;
        start_odd(&kit, (struct http_kit_response){.status = 401});
        kit.script[32] = others[i]; /* after 290 s of odd ones */
        int64_t began_ms = kit.service.clock.now_ms;
        assert_int_equal(job_kit_run(&kit), GIQ_E_TIMEOUT);
        assert_true(kit.service.clock.now_ms - began_ms == 600000);
        job_kit_stop(&kit);
    }
}

/* ---- jobs that the service does not know ---- */

#define NO_JOB                                                                           \
    {                                                                                    \
        .status = 404, .body = "not found"                                               \
    }

static void test_new_job_may_be_unknown_for_a_minute(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum giq_code code;
        int64_t age_ms;
    } cases[] = {{404, GIQ_E_NONE, 0},
                 {404, GIQ_E_NONE, 59000},
                 {404, GIQ_E_GONE, 60000},
                 {410, GIQ_E_NONE, 0},
                 {410, GIQ_E_GONE, 60000}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, {.status = cases[i].status},
                      {.status = cases[i].status}, JOB_KIT_STATUS("DONE"),
                      JOB_KIT_RESULT);
        assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
        env_kit_advance(&kit.service.clock, cases[i].age_ms);
        assert_int_equal(job_kit_run(&kit), cases[i].code);
        assert_string_equal(job_kit_state(&kit),
                            cases[i].code == GIQ_E_NONE ? "published" : "submitted");
        job_kit_stop(&kit);
    }
}

static int looks_left;

/* The time of day is read after the list of models, when the run request goes out and
 * after its response, which so comes 90 s later. */
static int64_t wall_and_pass(void *ctx)
{
    struct env_kit *clock = ctx;
    if (--looks_left == 0) {
        env_kit_advance(clock, 90000);
    }
    return clock->wall_ms;
}

static void test_job_is_new_when_the_response_came_late(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, NO_JOB, NO_JOB,
                  JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    looks_left = 3;
    kit.service.clock.env.wall_ms = wall_and_pass;
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_true(looks_left < 0);
    assert_int_equal(job_kit_count(&kit, "POST"), 1);
    job_kit_stop(&kit);
}

static void test_record_from_the_future_is_new_for_a_minute_of_the_wait(void **state)
{
    (void)state;
    static const int64_t ahead_ms[] = {INT64_C(3600) * 1000,
                                       INT64_C(10) * 365 * 86400 * 1000};
    for (size_t i = 0; i < GIQ_COUNT(ahead_ms); i++) {
        struct job_kit kit;
        job_kit_start_waiting(&kit, (struct http_kit_response)NO_JOB);
        kit.service.service->settings.poll_interval_ms = 10000;
        assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
        kit.service.clock.wall_ms -= ahead_ms[i];
        job_kit_open(&kit, &job_kit_request, 0);
        kit.service.service->settings.poll_interval_ms = 10000;
        int64_t began_ms = kit.service.clock.now_ms;
        assert_int_equal(job_kit_run(&kit), GIQ_E_GONE);
        assert_true(kit.service.clock.now_ms - began_ms == 70000);
        assert_int_equal(job_kit_count(&kit, "POST"), 1);
        job_kit_stop(&kit);
    }
}

static void check_gone(struct job_kit *kit)
{
    struct giq_job_view view;
    giq_job_get_view(kit->job, &view);
    assert_int_equal(view.state, GIQ_JOB_SUBMITTED);
    assert_string_equal(view.status, "gone");
    assert_non_null(strstr(view.error, "HTTP 404 not found"));
}

static void test_job_that_the_service_no_longer_knows_is_recorded_as_gone(void **state)
{
    (void)state;
    struct giq_request request = job_kit_request;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("RUNNING"), NO_JOB,
                  NO_JOB, NO_JOB, NO_JOB, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                  JOB_KIT_RESULT);
    assert_int_equal(job_kit_run_to(&kit, 3), GIQ_E_NONE);
    env_kit_advance(&kit.service.clock, 60000);
    /* What is told while it is waited for, and what the record tells. */
    for (int opens = 0; opens < 2; opens++) {
        assert_int_equal(job_kit_run(&kit), GIQ_E_GONE);
        assert_non_null(
            strstr(kit.service.err.text,
                   "the service no longer knows the job j1 (getting the "
                   "status of the job: HTTP 404 not found); use job=<id> to check "
                   "it again, or RETRY=<label> or rerun=<label> to start a "
                   "new job, which is paid for"));
        check_gone(&kit);
        assert_int_equal(http_kit_count(kit.service.http), 5);
        job_kit_open(&kit, &job_kit_request, 0);
    }
    job_kit_open(&kit, &job_kit_request, GIQ_JOB_NO_WAIT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    check_gone(&kit);
    request.retry = "a";
    for (int opens = 0; opens < 2; opens++) {
        job_kit_open(&kit, &request, 0);
        assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    }
    assert_string_equal(job_kit_state(&kit), "published");
    assert_int_equal(job_kit_count(&kit, "POST"), 2);
    job_kit_stop(&kit);
}

static void test_gone_job_is_checked_again_by_its_id(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(job_kit_by_id); i++) {
        struct job_kit kit;
        enum giq_step step = GIQ_STEP_AGAIN;
        JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, NO_JOB, NO_JOB, NO_JOB, NO_JOB,
                      JOB_KIT_STATUS("RUNNING"), JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
        assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
        env_kit_advance(&kit.service.clock, 60000);
        assert_int_equal(job_kit_run(&kit), GIQ_E_GONE);
        job_kit_open(&kit, &job_kit_by_id[i], 0);
        assert_int_equal(job_kit_run(&kit), GIQ_E_GONE);
        assert_int_equal(http_kit_count(kit.service.http), 6);
        job_kit_open(&kit, &job_kit_by_id[i], 0);
        assert_int_equal(job_kit_run_to(&kit, 7), GIQ_E_NONE);
        assert_true(job_kit_step(&kit, &step)); /* records that it is there */
        job_kit_open(&kit, &job_kit_request, 0);
        assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
        assert_string_equal(job_kit_state(&kit), "published");
        assert_int_equal(job_kit_count(&kit, "POST"), 1);
        job_kit_stop(&kit);
    }
}

static void test_look_at_a_job_that_is_not_known_shows_it(void **state)
{
    (void)state;
    struct job_kit kit;
    struct giq_job_view view;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, NO_JOB, NO_JOB, NO_JOB);
    job_kit_open(&kit, &job_kit_request, GIQ_JOB_NO_WAIT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    giq_job_get_view(kit.job, &view);
    assert_int_equal(view.state, GIQ_JOB_SUBMITTED);
    assert_string_equal(view.status, "SUBMITTED");
    assert_string_equal(view.job_id, "j1");
    env_kit_advance(&kit.service.clock, 60000);
    job_kit_open(&kit, &job_kit_request, GIQ_JOB_NO_WAIT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    check_gone(&kit);
    assert_int_equal(http_kit_count(kit.service.http), 5);
    job_kit_stop(&kit);
}

static void test_job_by_id_that_is_unknown_is_gone_at_once(void **state)
{
    (void)state;
    const struct giq_request request = {.job = "j9"};
    struct job_kit kit;
    JOB_KIT_START(&kit, {.status = 404});
    job_kit_open(&kit, &request, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_GONE);
    assert_int_equal(http_kit_count(kit.service.http), 1);
    assert_string_equal(job_kit_state(&kit), "none");
    job_kit_stop(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_first_status_call_may_end_with),
        cmocka_unit_test(test_cut_status_calls_are_waited_out_but_end_a_look),
        cmocka_unit_test(test_timeout_names_the_outage),
        cmocka_unit_test(test_odd_response_is_waited_out_after_a_good_one),
        cmocka_unit_test(test_odd_responses_end_the_wait_after_five_minutes),
        cmocka_unit_test(
            test_responses_about_another_job_end_the_wait_after_five_minutes),
        cmocka_unit_test(
            test_responses_about_another_job_alone_are_tried_max_retry_times),
        cmocka_unit_test(test_five_minutes_begin_anew_with_another_response),
        cmocka_unit_test(test_new_job_may_be_unknown_for_a_minute),
        cmocka_unit_test(test_job_is_new_when_the_response_came_late),
        cmocka_unit_test(test_record_from_the_future_is_new_for_a_minute_of_the_wait),
        cmocka_unit_test(test_job_that_the_service_no_longer_knows_is_recorded_as_gone),
        cmocka_unit_test(test_gone_job_is_checked_again_by_its_id),
        cmocka_unit_test(test_look_at_a_job_that_is_not_known_shows_it),
        cmocka_unit_test(test_job_by_id_that_is_unknown_is_gone_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
