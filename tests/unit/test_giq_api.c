#include "service/giq_api.h"

#include "unit.h"

#include "service_kit.h"

static void test_phases_of_states(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        enum giq_api_state phase;
        bool known;
    } cases[] = {
        {"DONE", GIQ_API_SUCCEEDED, true},      {"done", GIQ_API_SUCCEEDED, true},
        {"Completed", GIQ_API_SUCCEEDED, true}, {"SUCCESSFUL", GIQ_API_SUCCEEDED, true},
        {"FAILED", GIQ_API_FAILED, true},       {"canceled", GIQ_API_FAILED, true},
        {"TIMED_OUT", GIQ_API_FAILED, true},    {"EXPIRED", GIQ_API_FAILED, true},
        {"RUNNING", GIQ_API_RUNNING, true},     {"queued", GIQ_API_RUNNING, true},
        {"IN_PROGRESS", GIQ_API_RUNNING, true}, {"BAKING", GIQ_API_RUNNING, false},
        {"REQUESTED", GIQ_API_RUNNING, true},   {"approved", GIQ_API_RUNNING, true},
        {"Scheduled", GIQ_API_RUNNING, true},   {"INGESTING", GIQ_API_RUNNING, true},
        {"REJECTED", GIQ_API_FAILED, true},     {"DENIED", GIQ_API_FAILED, true},
        {"DONE ", GIQ_API_RUNNING, false},      {"", GIQ_API_RUNNING, false},
        {NULL, GIQ_API_RUNNING, false},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        bool known = !cases[i].known;
        assert_int_equal(giq_api_state_of(cases[i].word, &known), cases[i].phase);
        assert_int_equal(known, cases[i].known);
    }
}

/* ---- runs ---- */

static size_t sends;

static bool count_send(void *ctx, struct giq_error *err)
{
    const bool *refuses = ctx;
    sends++;
    return !*refuses || giq_fail(err, GIQ_E_STORE, "cannot note it");
}

/* The caller passes `job` to giq_api_job_release(). */
static enum giq_api_run_outcome run_for(struct service_kit *kit, bool refuses,
                                        struct giq_api_job *job, int64_t *later_ms)
{
    static const struct giq_request request = {.model = "m", .file = "f"};
    const struct giq_api_run_hooks hooks = {.before_send = count_send, .ctx = &refuses};
    *job = (struct giq_api_job){.started_ms = GIQ_TIME_NONE};
    sends = 0;
    return giq_api_run(kit->service, &request, &hooks, job, later_ms, &kit->err);
}

static enum giq_api_run_outcome run(struct service_kit *kit, bool refuses,
                                    int64_t *later_ms)
{
    struct giq_api_job job;
    enum giq_api_run_outcome outcome = run_for(kit, refuses, &job, later_ms);
    giq_api_job_release(&job);
    return outcome;
}

static void test_run_that_cannot_be_noted_is_not_sent(void **state)
{
    (void)state;
    struct service_kit kit;
    int64_t later_ms = -1;
    service_kit_start(&kit, NULL, 0);
    assert_int_equal(run(&kit, true, &later_ms), GIQ_API_RUN_NO_JOB);
    assert_int_equal(kit.err.code, GIQ_E_STORE);
    assert_int_equal(sends, 1);
    assert_int_equal(http_kit_count(kit.http), 0);
    service_kit_stop(&kit);
}

static void test_run_that_finds_no_connection_is_nothing(void **state)
{
    (void)state;
    static const char *const proxies[] = {
        "http://127.0.0.1:1",
        /* A label of a host has 63 bytes at most. */
        "http://"
        "nowhere-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789",
    };
    for (size_t i = 0; i < GIQ_COUNT(proxies); i++) {
        struct service_kit kit;
        int64_t later_ms = -1;
        service_kit_start(&kit, NULL, 0);
        const char *direct = kit.service->settings.net[GIQ_NET_PROXY];
        kit.service->settings.net[GIQ_NET_PROXY] = proxies[i];
        for (int tries = 0; tries < 2; tries++) {
            assert_int_equal(run(&kit, false, &later_ms), GIQ_API_RUN_NO_JOB);
            assert_int_equal(kit.err.code, GIQ_E_NETWORK);
            assert_false(kit.err.permanent);
            assert_int_equal(sends, 0);
            kit.err = (struct giq_error){0};
        }
        assert_int_equal(http_kit_count(kit.http), 0);
        kit.service->settings.net[GIQ_NET_PROXY] = direct;
        service_kit_stop(&kit);
    }
}

static void test_run_is_sent_once_whatever_comes(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_response response;
        enum giq_api_run_outcome outcome;
        int64_t later_ms;
    } cases[] = {
        {{.status = 200, .body = "{\"id\":1}"}, GIQ_API_RUN_SUBMITTED, -1},
        {{.status = 400}, GIQ_API_RUN_NO_JOB, -1},
        {{.status = 429}, GIQ_API_RUN_THROTTLED, -1},
        {{.status = 429, .headers = "Retry-After: 3\r\n"}, GIQ_API_RUN_THROTTLED, 3000},
        {{.status = 503, .headers = "Retry-After: 0\r\n"}, GIQ_API_RUN_UNKNOWN, -1},
        {{.status = 503}, GIQ_API_RUN_UNKNOWN, -1},
        {{.status = 500}, GIQ_API_RUN_UNKNOWN, -1},
        {{.raw = "", .then = HTTP_KIT_CLOSE}, GIQ_API_RUN_UNKNOWN, -1},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct service_kit kit;
        int64_t later_ms = -1;
        service_kit_start(&kit, &cases[i].response, 1);
        assert_int_equal(run(&kit, false, &later_ms), cases[i].outcome);
        assert_true(later_ms == cases[i].later_ms);
        assert_int_equal(sends, 1);
        assert_int_equal(http_kit_count(kit.http), 1);
        assert_int_equal(kit.clock.sleeps, 0);
        service_kit_stop(&kit);
    }
}

/* A response that is cut: the job is known if its id has come. */
static void check_cut(const struct http_kit_response *response,
                      enum giq_api_run_outcome outcome)
{
    bool is_submitted = outcome == GIQ_API_RUN_SUBMITTED;
    struct service_kit kit;
    struct giq_api_job job;
    int64_t later_ms = -1;
    service_kit_start(&kit, response, 1);
    assert_int_equal(run_for(&kit, false, &job, &later_ms), outcome);
    assert_int_equal(kit.err.code, is_submitted ? GIQ_E_NONE : GIQ_E_NETWORK);
    if (is_submitted) {
        assert_string_equal(job.id, "j1");
    }
    assert_int_equal(http_kit_count(kit.http), 1);
    giq_api_job_release(&job);
    service_kit_stop(&kit);
}

static void test_run_response_cut_after_id_is_submitted(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        enum giq_api_run_outcome outcome;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"id\":\"j1\"}",
         GIQ_API_RUN_SUBMITTED},
        {"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{\"id\":\"j1\"}",
         GIQ_API_RUN_SUBMITTED},
        {"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"id\":\"j1\"",
         GIQ_API_RUN_UNKNOWN},
        {"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"id\":\"j1",
         GIQ_API_RUN_UNKNOWN},
        {"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"no\":\"j1\"}",
         GIQ_API_RUN_UNKNOWN},
        {"HTTP/1.1 500 Error\r\nContent-Length: 15\r\n\r\n{\"id\":\"j1\"}",
         GIQ_API_RUN_UNKNOWN},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct http_kit_response response = {.raw = cases[i].raw,
                                                   .then = HTTP_KIT_CLOSE};
        check_cut(&response, cases[i].outcome);
    }
}

/* {"id":"j1"} coded by gzip. */
#define GZIP_ID                                                                          \
    "\x1F\x8B\x08\0\0\0\0\0\x02\x03\xAB\x56\xCA\x4C\x51\xB2\x52\xCA\x32\x54\xAA\x05\0"   \
    "\x73\x8D\xBB\xE7\x0B\0\0\0"

static void test_coded_run_response_cut_after_id_is_submitted(void **state)
{
    (void)state;
    static const struct {
        size_t sent, announced; /* bytes of the coded body */
        enum giq_api_run_outcome outcome;
    } cases[] = {
        {31, 31, GIQ_API_RUN_SUBMITTED}, {31, 36, GIQ_API_RUN_SUBMITTED},
        {23, 23, GIQ_API_RUN_SUBMITTED}, {23, 31, GIQ_API_RUN_SUBMITTED},
        {16, 16, GIQ_API_RUN_UNKNOWN},   {16, 31, GIQ_API_RUN_UNKNOWN},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char raw[256];
        int len = snprintf(raw, sizeof raw,
                           "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                           "Content-Length: %zu\r\n\r\n",
                           cases[i].announced);
        (void)memcpy(raw + len, GZIP_ID, cases[i].sent);
        const struct http_kit_response response = {
            .raw = raw, .body_len = (size_t)len + cases[i].sent, .then = HTTP_KIT_CLOSE};
        check_cut(&response, cases[i].outcome);
    }
}

static void test_run_response_without_an_id_is_not_quoted(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_response response;
        const char *text;
    } cases[] = {
        {{.status = 200, .body = "{\"job\":\"j7\"}"}, "HTTP 200 without a valid job id"},
        {{.status = 202}, "HTTP 202 without a valid job id"},
        {{.status = 200, .body = "key " SERVICE_KIT_KEY},
         "HTTP 200 without a valid job id"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct service_kit kit;
        int64_t retry_after_ms = 7;
        service_kit_start(&kit, &cases[i].response, 1);
        assert_int_equal(run(&kit, false, &retry_after_ms), GIQ_API_RUN_UNKNOWN);
        assert_string_equal(kit.err.text, cases[i].text);
        assert_int_equal(retry_after_ms, -1);
        service_kit_stop(&kit);
    }
}

/* What every status means, whatever else the response holds. */
static enum giq_api_run_outcome meaning_of(int status)
{
    bool is_refusal = status >= 400 && status < 500 && status != 408 && status != 409;
    if (status == 429) {
        return GIQ_API_RUN_THROTTLED;
    }
    if (status < 300 && status != 204) { /* which has no body */
        return GIQ_API_RUN_SUBMITTED;
    }
    return status == 301 || status == 302 || is_refusal ? GIQ_API_RUN_NO_JOB
                                                        : GIQ_API_RUN_UNKNOWN;
}

static void test_each_status_of_a_run_means_the_same_with_any_headers(void **state)
{
    (void)state;
    static const char *const headers[] = {
        NULL, "Retry-After: 1\r\n", "Retry-After: 1\r\nContent-Type: text/html\r\n"};
    for (size_t i = 0; i < GIQ_COUNT(headers); i++) {
        for (int status = 200; status < 600; status++) {
            const struct http_kit_response response = {
                .status = status, .headers = headers[i], .body = "{\"id\":\"j\"}"};
            struct service_kit kit;
            int64_t later_ms = -1;
            service_kit_start(&kit, &response, 1);
            assert_int_equal(run(&kit, false, &later_ms), meaning_of(status));
            assert_int_equal(sends, 1);
            assert_int_equal(http_kit_count(kit.http), 1);
            service_kit_stop(&kit);
        }
    }
}

/* ---- status ---- */

static void test_status_tells_the_job(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {
        {.status = 200,
         .headers = "Retry-After: 2\r\n",
         .body =
             "{\"data\":{\"id\":\"a/b&c\",\"status\":\"FAILED\",\"type\":\"T\","
             "\"message\":\"bad " SERVICE_KIT_KEY "\",\"startedAt\":1714521600000}}"}};
    struct service_kit kit;
    struct giq_api_job job;
    int64_t later_ms = -1;
    char line[SERVICE_KIT_LINE_SIZE];
    service_kit_start(&kit, responses, 1);
    assert_int_equal(giq_api_status(kit.service, "a/b&c", &job, &later_ms, &kit.err),
                     GIQ_API_STATUS_OK);
    assert_string_equal(service_kit_line(&kit, 0, line),
                        "GET /inference/status?inferenceId=a%2Fb%26c HTTP/1.1");
    assert_string_equal(job.id, "a/b&c");
    assert_string_equal(job.status, "FAILED");
    assert_string_equal(job.type, "T");
    assert_string_equal(job.message, "bad **************");
    assert_true(job.started_ms == INT64_C(1714521600000));
    assert_true(later_ms == 2000);
    giq_api_job_release(&job);
    service_kit_stop(&kit);
}

static void test_wrapper_is_looked_through_where_it_has_no_id(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"id\":\"j\",\"status\":\"DONE\"}",
        "{\"id\":\"j\",\"status\":\"DONE\",\"data\":{}}",
        "{\"id\":\"j\",\"status\":\"DONE\",\"data\":{\"status\":\"FAILED\"}}",
        "{\"status\":\"success\",\"data\":{\"id\":\"j\",\"status\":\"DONE\"}}",
        "{\"id\":\"call-7\",\"data\":{\"id\":\"j\",\"status\":\"DONE\"}}",
    };
    for (size_t i = 0; i < GIQ_COUNT(bodies); i++) {
        const struct http_kit_response response = {.status = 200, .body = bodies[i]};
        struct service_kit kit;
        struct giq_api_job job;
        int64_t later_ms = -1;
        service_kit_start(&kit, &response, 1);
        assert_int_equal(giq_api_status(kit.service, "j", &job, &later_ms, &kit.err),
                         GIQ_API_STATUS_OK);
        assert_string_equal(job.id, "j");
        assert_string_equal(job.status, "DONE");
        giq_api_job_release(&job);
        service_kit_stop(&kit);
    }
}

static enum giq_api_status_outcome ask_for(const char *job_id,
                                           const struct http_kit_response *response)
{
    struct service_kit kit;
    struct giq_api_job job;
    int64_t later_ms = -1;
    service_kit_start(&kit, response, 1);
    enum giq_api_status_outcome outcome =
        giq_api_status(kit.service, job_id, &job, &later_ms, &kit.err);
    giq_api_job_release(&job);
    service_kit_stop(&kit);
    return outcome;
}

static enum giq_api_status_outcome ask(const struct http_kit_response *response)
{
    return ask_for("12", response);
}

static void test_status_is_of_the_job_that_was_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum giq_api_status_outcome outcome;
    } cases[] = {
        {"{\"id\":\"12\",\"status\":\"X\"}", GIQ_API_STATUS_OK},
        {"{\"id\":12,\"status\":\"X\"}", GIQ_API_STATUS_OK},
        {"{\"data\":{\"id\":12,\"status\":\"X\"}}", GIQ_API_STATUS_OK},
        {"{\"status\":\"X\"}", GIQ_API_STATUS_OK},
        {"{\"id\":12}", GIQ_API_STATUS_OK},
        {"{\"id\":1.5,\"status\":\"X\"}", GIQ_API_STATUS_OK},
        {"{\"id\":null,\"status\":\"X\"}", GIQ_API_STATUS_OK},
        {"{\"id\":\"13\",\"status\":\"X\"}", GIQ_API_STATUS_MISMATCH},
        {"{\"id\":121,\"status\":\"X\"}", GIQ_API_STATUS_MISMATCH},
        {"{\"status\":\"DONE\"}", GIQ_API_STATUS_OK},
        {"{\"status\":\"RUNNING\"}", GIQ_API_STATUS_OK},
        {"{\"id\":12,\"status\":\"error\"}", GIQ_API_STATUS_OK},
        {"{\"status\":\"error\",\"message\":\"temporarily unavailable\"}",
         GIQ_API_STATUS_MISMATCH},
        {"{\"status\":\"FAILED\"}", GIQ_API_STATUS_MISMATCH},
        {"{\"id\":null,\"status\":\"Cancelled\"}", GIQ_API_STATUS_MISMATCH},
        {"{}", GIQ_API_STATUS_MISMATCH},
        {"{\"error\":\"sign in\"}", GIQ_API_STATUS_MISMATCH},
        {"<html>", GIQ_API_STATUS_UNEXPECTED},
        {"", GIQ_API_STATUS_UNEXPECTED},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct http_kit_response response = {.status = 200, .body = cases[i].body};
        assert_int_equal(ask(&response), cases[i].outcome);
    }
}

static void test_case_of_an_id_in_a_status_does_not_matter(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum giq_api_status_outcome outcome;
    } cases[] = {
        {"{\"id\":\"JOB-1\",\"status\":\"DONE\"}", GIQ_API_STATUS_OK},
        {"{\"id\":\"jOB-1\",\"status\":\"FAILED\"}", GIQ_API_STATUS_OK},
        {"{\"id\":\"JOB-12\",\"status\":\"DONE\"}", GIQ_API_STATUS_MISMATCH},
        {"{\"id\":\"JOB_1\",\"status\":\"DONE\"}", GIQ_API_STATUS_MISMATCH},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct http_kit_response response = {.status = 200, .body = cases[i].body};
        assert_int_equal(ask_for("job-1", &response), cases[i].outcome);
    }
}

static void test_each_status_of_a_status_call_has_one_meaning(void **state)
{
    (void)state;
    static const int may_pass[] = {408, 429, 500, 502, 503, 504};
    for (int status = 200; status < 600; status++) {
        const struct http_kit_response response = {
            .status = status, .body = "{\"id\":12,\"status\":\"X\"}"};
        enum giq_api_status_outcome expected = status == 200 ? GIQ_API_STATUS_OK
                                               : status == 404 || status == 410
                                                   ? GIQ_API_STATUS_NOT_FOUND
                                                   : GIQ_API_STATUS_UNEXPECTED;
        for (size_t i = 0; i < GIQ_COUNT(may_pass); i++) {
            expected = status == may_pass[i] ? GIQ_API_STATUS_OUTAGE : expected;
        }
        assert_int_equal(ask(&response), expected);
    }
    const struct http_kit_response cut = {.raw = "", .then = HTTP_KIT_CLOSE};
    const struct http_kit_response astray = {.status = 302,
                                             .headers = "Location: ftp://x/\r\n"};
    assert_int_equal(ask(&cut), GIQ_API_STATUS_OUTAGE);
    assert_int_equal(ask(&astray), GIQ_API_STATUS_UNEXPECTED);
}

static void test_status_call_without_a_key_sends_nothing(void **state)
{
    (void)state;
    struct service_kit kit;
    struct giq_api_job job;
    int64_t later_ms = -1;
    service_kit_start(&kit, NULL, 0);
    kit.service->cred = NULL;
    assert_int_equal(giq_api_status(kit.service, "j", &job, &later_ms, &kit.err),
                     GIQ_API_STATUS_ERROR);
    assert_int_equal(kit.err.code, GIQ_E_CREDENTIALS);
    assert_int_equal(http_kit_count(kit.http), 0);
    service_kit_stop(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phases_of_states),
        cmocka_unit_test(test_run_that_cannot_be_noted_is_not_sent),
        cmocka_unit_test(test_run_that_finds_no_connection_is_nothing),
        cmocka_unit_test(test_run_is_sent_once_whatever_comes),
        cmocka_unit_test(test_run_response_cut_after_id_is_submitted),
        cmocka_unit_test(test_coded_run_response_cut_after_id_is_submitted),
        cmocka_unit_test(test_run_response_without_an_id_is_not_quoted),
        cmocka_unit_test(test_each_status_of_a_run_means_the_same_with_any_headers),
        cmocka_unit_test(test_status_tells_the_job),
        cmocka_unit_test(test_wrapper_is_looked_through_where_it_has_no_id),
        cmocka_unit_test(test_status_is_of_the_job_that_was_asked_for),
        cmocka_unit_test(test_case_of_an_id_in_a_status_does_not_matter),
        cmocka_unit_test(test_each_status_of_a_status_call_has_one_meaning),
        cmocka_unit_test(test_status_call_without_a_key_sends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
