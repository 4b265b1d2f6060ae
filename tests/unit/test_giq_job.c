/* The life of a job: its states, its requests, its end. */
#include "job/giq_job_internal.h"

#include "unit.h"

#include <unistd.h>

#include "job_kit.h"

/* ---- states ---- */

static struct job_kit *traced;
static char trace[512];

/* The time of day is read just before `sending` is written, and after each response. */
static int64_t wall_and_trace(void *ctx)
{
    const struct env_kit *clock = ctx;
    const char *state = job_kit_state(traced);
    size_t len = strlen(trace);
    size_t state_len = strlen(state);
    bool is_new = len < state_len || strcmp(trace + len - state_len, state) != 0;
    if (is_new && len + state_len + 2 < sizeof trace) {
        (void)snprintf(trace + len, sizeof trace - len, " %s", state);
    }
    return clock->wall_ms;
}

static void test_states_are_written_before_what_they_announce(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("RUNNING"),
                  JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    traced = &kit;
    trace[0] = '\0';
    kit.service.clock.env.wall_ms = wall_and_trace;
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(trace, " none intent sending submitted succeeded");
    assert_string_equal(job_kit_state(&kit), "published");
    assert_int_equal(kit.accepted, 1);
    assert_int_equal(http_kit_count(kit.service.http), 5);
    job_kit_stop(&kit);
}

static void test_view_of_a_published_job(void **state)
{
    (void)state;
    struct job_kit kit;
    struct giq_job_view view;
    JOB_KIT_START(&kit, JOB_KIT_MODELS,
                  {.status = 200,
                   .body = "{\"id\":7,\"status\":\"PENDING\",\"type\":\"SEGMENTATION\","
                           "\"startedAt\":\"2024-05-01T00:00:01Z\"}"},
                  {.status = 200, .body = "{\"id\":\"7\",\"status\":\"DONE\"}"},
                  JOB_KIT_RESULT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    giq_job_get_view(kit.job, &view);
    assert_int_equal(view.state, GIQ_JOB_PUBLISHED);
    assert_string_equal(view.job_id, "7");
    assert_string_equal(view.model_id, "m");
    assert_string_equal(view.file_id, "f");
    assert_string_equal(view.status, "published");
    assert_string_equal(view.type, "SEGMENTATION");
    assert_int_equal(strlen(view.key), 64);
    assert_true(view.result_size == (int64_t)strlen(JOB_KIT_BODY));
    assert_true(view.started_ms == INT64_C(1714521601000));
    assert_true(view.submitted_ms == INT64_C(1714521600000));
    assert_true(view.finished_ms == INT64_C(1714521600000));
    assert_string_equal(view.result_path + strlen(view.result_path) - 9, "a.geojson");
    job_kit_expect_result(&kit, "a.geojson");
    job_kit_stop(&kit);
}

static void test_requests_are_those_of_the_interface(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "GET /inference/models HTTP/1.1",
        "POST /inference/run HTTP/1.1",
        "GET /inference/status?inferenceId=j1 HTTP/1.1",
        "GET /inference/download?inferenceJobId=j1 HTTP/1.1",
    };
    const struct giq_request request = {
        .model = "m", .file = "f&1", .area = "POLYGON ((0 0,1 0,1 1,0 0))"};
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                  JOB_KIT_RESULT);
    job_kit_open(&kit, &request, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    for (size_t i = 0; i < GIQ_COUNT(lines); i++) {
        char line[SERVICE_KIT_LINE_SIZE];
        assert_string_equal(service_kit_line(&kit.service, i, line), lines[i]);
        assert_true(
            service_kit_sent(&kit.service, i, "X-API-KEY: " SERVICE_KIT_KEY "\r\n"));
    }
    assert_true(service_kit_sent(&kit.service, 1, "\"modelId\"\r\n\r\nm\r\n"));
    assert_true(service_kit_sent(&kit.service, 1, "\"fileId\"\r\n\r\nf&1\r\n"));
    assert_true(service_kit_sent(&kit.service, 1,
                                 "\"geometry\"\r\n\r\nPOLYGON ((0 0,1 0,1 1,0 0))\r\n"));
    job_kit_stop(&kit);
}

static void test_model_that_is_named_runs_by_its_id(void **state)
{
    (void)state;
    static const struct http_kit_response models = {
        .status = 200,
        .body = "[{\"id\":\"m-7\",\"name\":\"Deep Water\"},{\"id\":\"x\"}]"};
    struct giq_request request = {.model = "deep water", .file = "f"};
    struct job_kit kit;
    struct giq_job_view view;
    JOB_KIT_START(&kit, models, JOB_KIT_RUN, JOB_KIT_STATUS("FAILED"), JOB_KIT_RUN,
                  JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    job_kit_open(&kit, &request, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_FAILED);
    /* The record tells a further job which model is meant. */
    request.retry = "a";
    job_kit_open(&kit, &request, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    for (size_t i = 1; i < 5; i += 2) {
        assert_true(service_kit_sent(&kit.service, i, "\"modelId\"\r\n\r\nm-7\r\n"));
    }
    giq_job_get_view(kit.job, &view);
    assert_string_equal(view.model_id, "m-7");
    assert_true(env_kit_has(kit.job->folder, "request.json", "\"model\":\"deep water\""));
    job_kit_stop(&kit);
}

/* ---- ends ---- */

static void test_published_result_opens_without_traffic(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                  JOB_KIT_RESULT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    job_kit_open(&kit, &job_kit_request, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(http_kit_count(kit.service.http), 4);
    assert_int_equal(kit.accepted, 1);
    job_kit_stop(&kit);
}

static void test_lost_result_is_fetched_again_without_a_new_job(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                  JOB_KIT_RESULT, JOB_KIT_RESULT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    env_kit_remove(
        giq_store_result(kit.job->folder, kit.job->record.result_folder, NULL));
    job_kit_open(&kit, &job_kit_request, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(http_kit_count(kit.service.http), 5);
    assert_int_equal(job_kit_count(&kit, "POST"), 1);
    assert_string_equal(job_kit_state(&kit), "published");
    job_kit_stop(&kit);
}

static void test_failed_job_is_remembered(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(
        &kit, JOB_KIT_MODELS, JOB_KIT_RUN,
        {.status = 200,
         .body = "{\"id\":\"j1\",\"status\":\"failed\",\"message\":\"no scene\"}"},
        JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    for (int opens = 0; opens < 2; opens++) {
        job_kit_open(&kit, &job_kit_request, 0);
        assert_int_equal(job_kit_run(&kit), GIQ_E_FAILED);
        assert_non_null(strstr(kit.service.err.text,
                               "the job j1 failed on the service (failed: no "
                               "scene)"));
        assert_string_equal(job_kit_state(&kit), "failed");
        assert_int_equal(http_kit_count(kit.service.http), 3);
    }
    const struct giq_request again = {.model = "m", .file = "f", .rerun = "2"};
    job_kit_open(&kit, &again, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(job_kit_count(&kit, "POST"), 2);
    job_kit_stop(&kit);
}

static void test_refused_result_is_not_published(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                  JOB_KIT_RESULT, JOB_KIT_RESULT);
    kit.refuses = true;
    assert_int_equal(job_kit_run(&kit), GIQ_E_RESULT);
    assert_string_equal(kit.service.err.text, "job j1: the host refuses it");
    assert_string_equal(job_kit_state(&kit), "succeeded");
    assert_int_equal(job_kit_entries(&kit, "result"), 0);
    assert_int_equal(job_kit_entries(&kit, "published"), 0);
    kit.refuses = false;
    job_kit_open(&kit, &job_kit_request, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(job_kit_count(&kit, "POST"), 1);
    job_kit_stop(&kit);
}

static void test_results_get_the_name_that_their_bytes_ask_for(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_response response;
        enum giq_code code;
        const char *file; /* NULL: nothing is published */
    } cases[] = {
        {JOB_KIT_RESULT, GIQ_E_NONE, "a.geojson"},
        {{.status = 200, .body = JOB_KIT_BODY}, GIQ_E_NONE, "result.geojson"},
        {{.status = 200,
          .body = JOB_KIT_BODY,
          .headers = "Content-Disposition: attachment; filename=\"../../x.tif\"\r\n"},
         GIQ_E_NONE,
         "x.geojson"},
        {{.status = 200, .body = "<!DOCTYPE html><html></html>"}, GIQ_E_RESULT, NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                      cases[i].response);
        assert_int_equal(job_kit_run(&kit), cases[i].code);
        assert_string_equal(job_kit_state(&kit),
                            cases[i].file == NULL ? "succeeded" : "published");
        if (cases[i].file != NULL) {
            job_kit_expect_result(&kit, cases[i].file);
        }
        job_kit_stop(&kit);
    }
}

static void test_id_that_holds_a_secret_is_shown_without_it(void **state)
{
    (void)state;
    static const char *const ends[] = {"FAILED", "DONE"};
    for (size_t i = 0; i < GIQ_COUNT(ends); i++) {
        char body[128];
        (void)snprintf(body, sizeof body, "{\"id\":\"%s\",\"status\":\"%s\"}",
                       SERVICE_KIT_KEY, ends[i]);
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_MODELS, {.status = 200, .body = body},
                      {.status = 200, .body = body}, {.status = 404});
        assert_int_not_equal(job_kit_run(&kit), GIQ_E_NONE);
        assert_non_null(strstr(kit.service.err.text, "job **************"));
        assert_null(strstr(kit.service.err.text, SERVICE_KIT_KEY));
        assert_null(strstr(kit.last_line, SERVICE_KIT_KEY));
        job_kit_stop(&kit);
    }
}

static void test_result_that_is_gone_is_remembered(void **state)
{
    (void)state;
    static const int statuses[] = {404, 410};
    for (size_t i = 0; i < GIQ_COUNT(statuses); i++) {
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                      {.status = statuses[i]});
        assert_int_equal(job_kit_run(&kit), GIQ_E_GONE);
        assert_int_equal(kit.service.err.http_status, statuses[i]);
        job_kit_open(&kit, &job_kit_request, 0);
        assert_int_equal(job_kit_run(&kit), GIQ_E_GONE);
        assert_int_equal(http_kit_count(kit.service.http), 4);
        assert_string_equal(job_kit_state(&kit), "succeeded");
        job_kit_stop(&kit);
    }
}

static void test_result_that_is_gone_is_asked_for_again_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(job_kit_by_id); i++) {
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                      {.status = 404}, {.status = 404}, JOB_KIT_RESULT);
        assert_int_equal(job_kit_run(&kit), GIQ_E_GONE);
        assert_non_null(strstr(kit.service.err.text, "use job=<id> to check it again"));
        job_kit_open(&kit, &job_kit_by_id[i], 0);
        assert_int_equal(job_kit_run(&kit), GIQ_E_GONE);
        job_kit_open(&kit, &job_kit_by_id[i], 0);
        assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
        job_kit_open(&kit, &job_kit_request, 0);
        assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
        assert_string_equal(job_kit_state(&kit), "published");
        assert_int_equal(http_kit_count(kit.service.http), 6);
        assert_int_equal(job_kit_count(&kit, "POST"), 1);
        job_kit_stop(&kit);
    }
}

/* ---- flags and jobs by id ---- */

static void test_no_submit_starts_nothing(void **state)
{
    (void)state;
    struct job_kit kit;
    job_kit_start(&kit, NULL, 0);
    job_kit_open(&kit, &job_kit_request, GIQ_JOB_NO_SUBMIT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_USAGE);
    assert_int_equal(http_kit_count(kit.service.http), 0);
    assert_string_equal(job_kit_state(&kit), "none");
    assert_int_equal(access(kit.job->folder, F_OK), -1);
    job_kit_stop(&kit);
}

static void test_look_asks_once_and_fetches_nothing(void **state)
{
    (void)state;
    struct job_kit kit;
    struct giq_job_view view;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("RUNNING"),
                  JOB_KIT_STATUS("DONE"));
    job_kit_open(&kit, &job_kit_request, GIQ_JOB_NO_WAIT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    giq_job_get_view(kit.job, &view);
    assert_int_equal(view.state, GIQ_JOB_SUBMITTED);
    assert_string_equal(view.status, "RUNNING");
    assert_int_equal(http_kit_count(kit.service.http), 3);
    job_kit_open(&kit, &job_kit_request, GIQ_JOB_NO_WAIT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "succeeded");
    assert_int_equal(http_kit_count(kit.service.http), 4);
    job_kit_stop(&kit);
}

static void test_job_by_id_gets_a_record_of_its_own(void **state)
{
    (void)state;
    const struct giq_request request = {.job = "j1"};
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_STATUS("RUNNING"), JOB_KIT_STATUS("DONE"),
                  JOB_KIT_RESULT);
    job_kit_open(&kit, &request, 0);
    assert_int_equal(job_kit_run_to(&kit, 1), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "none");
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "published");
    job_kit_open(&kit, &request, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(http_kit_count(kit.service.http), 3);
    job_kit_stop(&kit);
}

static void test_job_by_id_is_served_by_the_record_of_its_request(void **state)
{
    (void)state;
    const struct giq_request request = {.job = "j1"};
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                  JOB_KIT_RESULT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    job_kit_open(&kit, &request, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(http_kit_count(kit.service.http), 4);
    job_kit_stop(&kit);
}

static void test_label_that_is_not_utf8_is_refused(void **state)
{
    (void)state;
    const struct giq_job_host host = {.ctx = NULL};
    struct giq_request request = job_kit_request;
    struct giq_job *job = NULL;
    struct job_kit kit;
    job_kit_start(&kit, HTTP_KIT_SCRIPT({.status = 200}));
    struct giq_error *err = &kit.service.err;
    request.retry = "f\xfcr";
    assert_false(
        giq_job_new(kit.service.service, kit.store, &request, 0, &host, &job, err));
    assert_int_equal(err->code, GIQ_E_USAGE);
    assert_string_equal(err->text, "the label of RETRY is not UTF-8; encode it as UTF-8");
    request.retry = "f\xc3\xbcr";
    assert_true(
        giq_job_new(kit.service.service, kit.store, &request, 0, &host, &job, err));
    giq_job_free(job);
    job_kit_stop(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states_are_written_before_what_they_announce),
        cmocka_unit_test(test_view_of_a_published_job),
        cmocka_unit_test(test_requests_are_those_of_the_interface),
        cmocka_unit_test(test_model_that_is_named_runs_by_its_id),
        cmocka_unit_test(test_published_result_opens_without_traffic),
        cmocka_unit_test(test_lost_result_is_fetched_again_without_a_new_job),
        cmocka_unit_test(test_failed_job_is_remembered),
        cmocka_unit_test(test_refused_result_is_not_published),
        cmocka_unit_test(test_results_get_the_name_that_their_bytes_ask_for),
        cmocka_unit_test(test_id_that_holds_a_secret_is_shown_without_it),
        cmocka_unit_test(test_result_that_is_gone_is_remembered),
        cmocka_unit_test(test_result_that_is_gone_is_asked_for_again_by_name),
        cmocka_unit_test(test_no_submit_starts_nothing),
        cmocka_unit_test(test_look_asks_once_and_fetches_nothing),
        cmocka_unit_test(test_job_by_id_gets_a_record_of_its_own),
        cmocka_unit_test(test_job_by_id_is_served_by_the_record_of_its_request),
        cmocka_unit_test(test_label_that_is_not_utf8_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
