/* Submitting: what the responses to a run mean for the record, and for money. */
#include "job/giq_job_internal.h"

#include "unit.h"

#include <unistd.h>

#include "job_kit.h"

#define AGAIN "GET /inference/models" /* and the run, in the same step */
#define ASKS  "GET /inference/status"

/* The second response is the run's; the rest makes every job a success. */
struct outcome {
    struct http_kit_response response;
    enum giq_code code;
    const char *state;  /* afterwards */
    const char *reopen; /* what the next open begins with; NULL: no traffic */
};

static void check_outcome(const struct outcome *outcome)
{
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, outcome->response, JOB_KIT_MODELS, JOB_KIT_RUN,
                  JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    assert_int_equal(job_kit_run_to(&kit, 2), outcome->code);
    assert_string_equal(job_kit_state(&kit), outcome->state);
    job_kit_open(&kit, &job_kit_request, 0);
    enum giq_code code = job_kit_run_to(&kit, 3);
    if (outcome->reopen == NULL) {
        assert_int_equal(code, outcome->code);
        assert_int_equal(http_kit_count(kit.service.http), 2);
    } else {
        const char *third = http_kit_request(kit.service.http, 2);
        assert_memory_equal(third, outcome->reopen, strlen(outcome->reopen));
    }
    bool is_again = outcome->reopen != NULL && strcmp(outcome->reopen, AGAIN) == 0;
    assert_int_equal(job_kit_count(&kit, "POST"), is_again ? 2 : 1);
    job_kit_stop(&kit);
}

static void test_responses_with_an_id_are_a_submitted_job(void **state)
{
    (void)state;
    static const struct outcome cases[] = {
        {JOB_KIT_RUN, GIQ_E_NONE, "submitted", ASKS},
        {{.status = 201, .body = "{\"id\":\"a\"}"}, GIQ_E_NONE, "submitted", ASKS},
        {{.status = 202, .body = "{\"data\":{\"id\":12}}"},
         GIQ_E_NONE,
         "submitted",
         ASKS},
        {{.status = 200, .body = "{\"id\":9007199254740993}"},
         GIQ_E_NONE,
         "submitted",
         ASKS},
        {{.status = 200, .body = "{\"id\":\"a\",\"status\":\"FAILED\"}"},
         GIQ_E_NONE,
         "submitted",
         ASKS},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        check_outcome(&cases[i]);
    }
}

static void test_refusals_leave_no_record(void **state)
{
    (void)state;
    static const struct outcome cases[] = {
        {{.status = 400}, GIQ_E_REFUSED, "none", AGAIN},
        {{.status = 401}, GIQ_E_CREDENTIALS, "none", AGAIN},
        {{.status = 402}, GIQ_E_REFUSED, "none", AGAIN},
        {{.status = 403}, GIQ_E_CREDENTIALS, "none", AGAIN},
        {{.status = 404}, GIQ_E_REFUSED, "none", AGAIN},
        {{.status = 413}, GIQ_E_REFUSED, "none", AGAIN},
        {{.status = 422, .fill = 100000}, GIQ_E_REFUSED, "none", AGAIN},
        {{.status = 301, .headers = "Location: /x\r\n"}, GIQ_E_NETWORK, "none", AGAIN},
        {{.status = 302, .headers = "Location: /x\r\n"}, GIQ_E_NETWORK, "none", AGAIN},
        {{.status = 307, .headers = "Location: http://127.0.0.2/\r\n"},
         GIQ_E_NETWORK,
         "none",
         AGAIN},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        check_outcome(&cases[i]);
    }
}

static void test_what_cannot_be_known_is_never_sent_again(void **state)
{
    (void)state;
    static const struct http_kit_response cases[] = {
        {.status = 200},
        {.status = 200, .body = "{}"},
        {.status = 200, .body = "<html>"},
        {.status = 200, .body = "{\"id\":\"\"}"},
        {.status = 200, .body = "{\"id\":9.1e15}"},
        {.status = 204},
        {.status = 300},
        {.status = 303, .headers = "Location: /x\r\n"},
        {.status = 304},
        {.status = 408},
        {.status = 409},
        {.status = 500},
        {.status = 502},
        {.status = 503},
        {.status = 503, .headers = "Retry-After: 1\r\n", .body = "<html>"},
        {.status = 503, .headers = "Retry-After: 1\r\n", .body = "{\"message\":\"?\"}"},
        {.status = 504},
        {.status = 520},
        {.raw = "", .then = HTTP_KIT_CLOSE},
        {.raw = "HTTP/1.1 200 Said\r\nContent-Length: 99\r\n\r\n{\"id\":",
         .then = HTTP_KIT_CLOSE},
        {.raw = "nonsense\r\n\r\n", .then = HTTP_KIT_CLOSE},
        {.status = 200, .fill = GIQ_RESPONSE_BYTES_MAX + 1},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        check_outcome(&(struct outcome){cases[i], GIQ_E_UNKNOWN, "unknown", NULL});
    }
}

static void test_no_connection_leaves_no_record(void **state)
{
    (void)state;
    struct job_kit kit;
    job_kit_start(&kit, NULL, 0);
    job_kit_disconnect(&kit);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NETWORK);
    assert_string_equal(job_kit_state(&kit), "none");
    assert_null(env_kit_read(kit.job->folder, "request.json"));
    job_kit_stop(&kit);
}

static void test_run_follows_a_redirect_within_the_origin(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS,
                  {.status = 307, .headers = "Location: /v2/run\r\n"}, JOB_KIT_RUN,
                  JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(job_kit_count(&kit, "POST /v2/run"), 1);
    assert_true(service_kit_sent(&kit.service, 2, "\"fileId\"\r\n\r\nf\r\n"));
    job_kit_stop(&kit);
}

static void test_every_run_has_a_connection_of_its_own(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                  JOB_KIT_RESULT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    struct http_kit *http = kit.service.http;
    int of_models = http_kit_connection(http, 0);
    assert_int_not_equal(http_kit_connection(http, 1), of_models);
    assert_int_equal(http_kit_connection(http, 2), of_models);
    assert_int_equal(http_kit_connection(http, 3), of_models);
    job_kit_stop(&kit);
}

/* ---- the service wants the run later ---- */

static void test_throttled_run_is_sent_again_later(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_response response;
        int64_t pause_ms[3];
    } cases[] = {
        {{.status = 429}, {1000, 2000, 4000}},
        {{.status = 429, .headers = "Retry-After: 9\r\n"}, {9000, 9000, 9000}},
        {{.status = 429, .headers = "Retry-After: 0\r\n"}, {0, 0, 0}},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_MODELS, cases[i].response, cases[i].response,
                      cases[i].response, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                      JOB_KIT_RESULT);
        for (size_t k = 0; k < 3; k++) {
            int64_t before = kit.service.clock.now_ms;
            assert_int_equal(job_kit_run_to(&kit, k + 2), GIQ_E_NONE);
            assert_true(kit.service.clock.now_ms - before == cases[i].pause_ms[k]);
            assert_string_equal(job_kit_state(&kit), "intent");
            assert_int_equal(kit.service.err.code, GIQ_E_NONE);
        }
        assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
        assert_string_equal(job_kit_state(&kit), "published");
        job_kit_stop(&kit);
    }
}

static void test_run_that_is_throttled_too_often_or_too_long_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        size_t runs;
    } cases[] = {{NULL, 4}, {"Retry-After: 600\r\n", 1}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct http_kit_response busy = {.status = 429,
                                               .headers = cases[i].headers};
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_MODELS, busy, busy, busy, busy, JOB_KIT_RUN);
        assert_int_equal(job_kit_run(&kit), GIQ_E_REFUSED);
        assert_int_equal(kit.service.err.http_status, 429);
        assert_int_equal(job_kit_count(&kit, "POST"), cases[i].runs);
        assert_string_equal(job_kit_state(&kit), "none");
        job_kit_stop(&kit);
    }
}

/* ---- the list of models ---- */

UNIT_WRAPS(giq_json_read);

/* Memory runs out for a document with this text. */
#define UNREADABLE "too much for the memory"

bool __wrap_giq_json_read(const char *bytes, size_t len, struct giq_json **out,
                          struct giq_error *err)
{
    if (bytes != NULL && memmem(bytes, len, UNREADABLE, strlen(UNREADABLE)) != NULL) {
        *out = NULL;
        return giq_fail_memory(err);
    }
    return __real_giq_json_read(bytes, len, out, err);
}

static void test_models_that_do_not_offer_it_spare_a_run(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_response response;
        enum giq_code code;
        size_t runs;
    } cases[] = {
        {{.status = 200, .body = "[{\"id\":\"n\"}]"}, GIQ_E_USAGE, 0},
        {{.status = 401}, GIQ_E_CREDENTIALS, 0},
        {{.status = 200, .body = "[\"" UNREADABLE "\"]"}, GIQ_E_MEMORY, 0},
        {{.status = 404}, GIQ_E_NONE, 1},
        {{.status = 200, .body = "[]"}, GIQ_E_NONE, 1},
        {{.status = 200, .body = "\"?\""}, GIQ_E_NONE, 1},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        JOB_KIT_START(&kit, cases[i].response, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                      JOB_KIT_RESULT);
        assert_int_equal(job_kit_run(&kit), cases[i].code);
        assert_int_equal(job_kit_count(&kit, "POST"), cases[i].runs);
        assert_string_equal(job_kit_state(&kit),
                            cases[i].runs == 0 ? "none" : "published");
        job_kit_stop(&kit);
    }
}

/* One for each try of a GET. */
#define FOUR_TIMES(...)                                                                  \
    {__VA_ARGS__}, {__VA_ARGS__}, {__VA_ARGS__},                                         \
    {                                                                                    \
        __VA_ARGS__                                                                      \
    }

static void test_run_is_not_sent_over_a_path_that_just_failed(void **state)
{
    (void)state;
    static const struct http_kit_response cut[] = {
        FOUR_TIMES(.raw = "", .then = HTTP_KIT_CLOSE), JOB_KIT_RUN};
    static const struct http_kit_response cut_within_the_list[] = {
        FOUR_TIMES(.raw = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[{",
                   .then = HTTP_KIT_CLOSE),
        JOB_KIT_RUN};
    static const struct http_kit_response redirected[] = {
        {.status = 302, .headers = "Location: ftp://x/\r\n"}, JOB_KIT_RUN};
    static const struct {
        const struct http_kit_response *responses;
        size_t count;
    } cases[] = {{cut, GIQ_COUNT(cut)},
                 {cut_within_the_list, GIQ_COUNT(cut_within_the_list)},
                 {redirected, GIQ_COUNT(redirected)}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        job_kit_start(&kit, cases[i].responses, cases[i].count);
        assert_int_equal(job_kit_run(&kit), GIQ_E_NETWORK);
        assert_non_null(strstr(kit.service.err.text, "no job was started"));
        assert_int_equal(job_kit_count(&kit, "GET /inference/models"),
                         cases[i].count - 1);
        assert_int_equal(job_kit_count(&kit, "POST"), 0);
        assert_int_equal(access(kit.job->folder, F_OK), -1);
        job_kit_stop(&kit);
    }
}

static void test_without_credentials_nothing_is_sent_or_recorded(void **state)
{
    (void)state;
    struct job_kit kit;
    job_kit_start(&kit, NULL, 0);
    kit.service.service->cred = NULL;
    assert_int_equal(job_kit_run(&kit), GIQ_E_CREDENTIALS);
    assert_int_equal(http_kit_count(kit.service.http), 0);
    assert_string_equal(job_kit_state(&kit), "none");
    job_kit_stop(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_responses_with_an_id_are_a_submitted_job),
        cmocka_unit_test(test_refusals_leave_no_record),
        cmocka_unit_test(test_what_cannot_be_known_is_never_sent_again),
        cmocka_unit_test(test_no_connection_leaves_no_record),
        cmocka_unit_test(test_run_follows_a_redirect_within_the_origin),
        cmocka_unit_test(test_every_run_has_a_connection_of_its_own),
        cmocka_unit_test(test_throttled_run_is_sent_again_later),
        cmocka_unit_test(test_run_that_is_throttled_too_often_or_too_long_is_refused),
        cmocka_unit_test(test_models_that_do_not_offer_it_spare_a_run),
        cmocka_unit_test(test_run_is_not_sent_over_a_path_that_just_failed),
        cmocka_unit_test(test_without_credentials_nothing_is_sent_or_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
