#include "giq_api.h"

#include "unit.h"

#include "service_kit.h"

static void test_phases_of_states(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        enum giq_api_phase phase;
        bool known;
    } cases[] = {
        {"DONE", GIQ_API_SUCCEEDED, true},      {"done", GIQ_API_SUCCEEDED, true},
        {"Completed", GIQ_API_SUCCEEDED, true}, {"SUCCESSFUL", GIQ_API_SUCCEEDED, true},
        {"FAILED", GIQ_API_FAILED, true},       {"canceled", GIQ_API_FAILED, true},
        {"TIMED_OUT", GIQ_API_FAILED, true},    {"EXPIRED", GIQ_API_FAILED, true},
        {"RUNNING", GIQ_API_RUNNING, true},     {"queued", GIQ_API_RUNNING, true},
        {"IN_PROGRESS", GIQ_API_RUNNING, true}, {"BAKING", GIQ_API_RUNNING, false},
        {"DONE ", GIQ_API_RUNNING, false},      {"", GIQ_API_RUNNING, false},
        {NULL, GIQ_API_RUNNING, false},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        bool known = !cases[i].known;
        assert_int_equal(giq_api_phase(cases[i].word, &known), cases[i].phase);
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

static enum giq_api_run run(struct service_kit *kit, bool refuses, int64_t *later_ms)
{
    static const struct giq_request request = {.model = "m", .file = "f"};
    struct giq_api_job job = {.started_ms = GIQ_TIME_NONE};
    sends = 0;
    enum giq_api_run outcome = giq_api_run(kit->service, &request, count_send, &refuses,
                                           &job, later_ms, &kit->err);
    giq_api_job_release(&job);
    return outcome;
}

static void test_run_that_cannot_be_noted_is_not_sent(void **state)
{
    (void)state;
    struct service_kit kit;
    int64_t later_ms = -1;
    service_kit_start(&kit, NULL, 0);
    assert_int_equal(run(&kit, true, &later_ms), GIQ_API_RUN_NOTHING);
    assert_int_equal(kit.err.code, GIQ_E_STORE);
    assert_int_equal(sends, 1);
    assert_int_equal(http_kit_count(kit.http), 0);
    service_kit_stop(&kit);
}

static void test_run_is_sent_once_whatever_comes(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_answer answer;
        enum giq_api_run outcome;
        int64_t later_ms;
    } cases[] = {
        {{.status = 200, .body = "{\"id\":1}"}, GIQ_API_RUN_SUBMITTED, -1},
        {{.status = 400}, GIQ_API_RUN_NOTHING, -1},
        {{.status = 429}, GIQ_API_RUN_LATER, -1},
        {{.status = 429, .headers = "Retry-After: 3\r\n"}, GIQ_API_RUN_LATER, 3000},
        {{.status = 503, .headers = "Retry-After: 0\r\n"}, GIQ_API_RUN_LATER, 0},
        {{.status = 503}, GIQ_API_RUN_UNKNOWN, -1},
        {{.status = 500}, GIQ_API_RUN_UNKNOWN, -1},
        {{.raw = "", .then = HTTP_KIT_CLOSE}, GIQ_API_RUN_UNKNOWN, -1},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct service_kit kit;
        int64_t later_ms = -1;
        service_kit_start(&kit, &cases[i].answer, 1);
        assert_int_equal(run(&kit, false, &later_ms), cases[i].outcome);
        assert_true(later_ms == cases[i].later_ms);
        assert_int_equal(sends, 1);
        assert_int_equal(http_kit_count(kit.http), 1);
        assert_int_equal(kit.clock.sleeps, 0);
        service_kit_stop(&kit);
    }
}

/* ---- status ---- */

static void test_status_tells_the_job(void **state)
{
    (void)state;
    static const struct http_kit_answer answers[] = {
        {.status = 200,
         .headers = "Retry-After: 2\r\n",
         .body =
             "{\"data\":{\"id\":\"j\",\"status\":\"FAILED\",\"type\":\"T\","
             "\"message\":\"bad " SERVICE_KIT_KEY "\",\"startedAt\":1714521600000}}"}};
    struct service_kit kit;
    struct giq_api_job job;
    int64_t later_ms = -1;
    char line[SERVICE_KIT_LINE_SIZE];
    service_kit_start(&kit, answers, 1);
    assert_int_equal(giq_api_status(kit.service, "a/b&c", &job, &later_ms, &kit.err),
                     GIQ_API_STATUS_TOLD);
    assert_string_equal(service_kit_line(&kit, 0, line),
                        "GET /inference/status?inferenceId=a%2Fb%26c HTTP/1.1");
    assert_string_equal(job.id, "j");
    assert_string_equal(job.status, "FAILED");
    assert_string_equal(job.type, "T");
    assert_string_equal(job.message, "bad **************");
    assert_true(job.started_ms == INT64_C(1714521600000));
    assert_true(later_ms == 2000);
    giq_api_job_release(&job);
    service_kit_stop(&kit);
}

/* ---- downloads ---- */

struct sink {
    size_t begun;
    int64_t length;
    struct giq_buf body;
    bool refuses;
};

static bool begin(void *ctx, int64_t length, struct giq_error *err)
{
    struct sink *sink = ctx;
    sink->begun++;
    sink->length = length;
    giq_buf_clear(&sink->body);
    return !sink->refuses || giq_fail(err, GIQ_E_STORE, "full");
}

static bool take(void *ctx, const char *bytes, size_t len, struct giq_error *err)
{
    struct sink *sink = ctx;
    return giq_buf_add(&sink->body, bytes, len) || giq_fail_memory(err);
}

#define WHOLE                                                                            \
    {                                                                                    \
        .status = 200, .body = "result"                                                  \
    }
#define CUT                                                                              \
    {                                                                                    \
        .raw = "HTTP/1.1 200 Said\r\nContent-Length: 6\r\n\r\nres",                      \
        .then = HTTP_KIT_CLOSE                                                           \
    }
#define UNTOLD                                                                           \
    {                                                                                    \
        .raw = "HTTP/1.1 200 Said\r\n\r\nresult", .then = HTTP_KIT_CLOSE                 \
    }
#define CHUNKED(end)                                                                     \
    {                                                                                    \
        .raw = "HTTP/1.1 200 Said\r\nTransfer-Encoding: chunked\r\n\r\n"                 \
               "3\r\nres\r\n3\r\nult\r\n" end,                                           \
        .then = HTTP_KIT_CLOSE                                                           \
    }

/* Download with these answers; the code of the error, the sink as it was left. */
static enum giq_code download(const struct http_kit_answer *answers, size_t count,
                              struct sink *sink, size_t *requests, bool allow)
{
    const struct giq_api_sink taken = {begin, take, sink};
    struct service_kit kit;
    char *disposition = NULL;
    giq_buf_init(&sink->body, 1 << 20);
    service_kit_start(&kit, answers, count);
    kit.service->settings.allow_unverified_length = allow;
    bool ok = giq_api_download(kit.service, "j", &taken, &disposition, &kit.err);
    free(disposition);
    *requests = http_kit_count(kit.http);
    enum giq_code code = ok ? GIQ_E_NONE : kit.err.code;
    service_kit_stop(&kit);
    return code;
}

static void test_download_is_whole_or_begins_again(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_answer answers[4];
        size_t requests;
        bool allow;
    } cases[] = {
        {{WHOLE}, 1, false},
        {{CHUNKED("0\r\n\r\n")}, 1, false},
        {{UNTOLD}, 1, true},
        {{CUT, WHOLE}, 2, false},
        {{CHUNKED(""), WHOLE}, 2, false},
        {{UNTOLD, WHOLE}, 2, false},
        {{{.status = 503}, {.status = 200}, WHOLE}, 3, false},
        {{{.status = 206, .body = "res"}, WHOLE}, 2, false},
        {{{.status = 200, .body = "x", .headers = "Content-Encoding: gzip\r\n"}, WHOLE},
         2,
         false},
        {{{.status = 200, .body = "result", .headers = "Content-Encoding: identity\r\n"}},
         1,
         false},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct sink sink = {.length = -1};
        size_t requests = 0;
        assert_int_equal(download(cases[i].answers, 4, &sink, &requests, cases[i].allow),
                         GIQ_E_NONE);
        assert_int_equal(requests, cases[i].requests);
        assert_string_equal(giq_buf_text(&sink.body), "result");
        giq_buf_release(&sink.body);
    }
}

static void test_download_that_stays_bad_fails(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_answer answer;
        enum giq_code code;
        size_t requests;
    } cases[] = {
        {CUT, GIQ_E_INCOMPLETE, 4},
        {CHUNKED(""), GIQ_E_INCOMPLETE, 4},
        {{.status = 200}, GIQ_E_INCOMPLETE, 4},
        {{.status = 500}, GIQ_E_SERVICE, 4},
        {{.status = 400}, GIQ_E_SERVICE, 1},
        {{.status = 404}, GIQ_E_GONE, 1},
        {{.status = 410}, GIQ_E_GONE, 1},
        {{.status = 401}, GIQ_E_CREDENTIALS, 1},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct http_kit_answer answers[] = {
            cases[i].answer, cases[i].answer, cases[i].answer, cases[i].answer, WHOLE};
        struct sink sink = {.length = -1};
        size_t requests = 0;
        assert_int_equal(download(answers, 5, &sink, &requests, false), cases[i].code);
        assert_int_equal(requests, cases[i].requests);
        giq_buf_release(&sink.body);
    }
}

static void test_sink_is_told_the_length_and_may_refuse(void **state)
{
    (void)state;
    static const struct http_kit_answer answers[] = {WHOLE, WHOLE};
    struct sink sink = {.length = -1};
    size_t requests = 0;
    assert_int_equal(download(answers, 2, &sink, &requests, false), GIQ_E_NONE);
    assert_true(sink.length == 6);
    assert_int_equal(sink.begun, 1);
    giq_buf_release(&sink.body);
    sink.refuses = true;
    assert_int_equal(download(answers, 2, &sink, &requests, false), GIQ_E_STORE);
    assert_int_equal(requests, 1);
    giq_buf_release(&sink.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phases_of_states),
        cmocka_unit_test(test_run_that_cannot_be_noted_is_not_sent),
        cmocka_unit_test(test_run_is_sent_once_whatever_comes),
        cmocka_unit_test(test_status_tells_the_job),
        cmocka_unit_test(test_download_is_whole_or_begins_again),
        cmocka_unit_test(test_download_that_stays_bad_fails),
        cmocka_unit_test(test_sink_is_told_the_length_and_may_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
