#include "giq_http.h"

#include "unit.h"

#include "service_kit.h"

/* One session and the answer of its last exchange. */
struct session {
    struct service_kit kit;
    struct giq_http *http;
    struct giq_answer answer;
    struct giq_buf sunk;
    bool refuses; /* the callbacks fail */
    size_t asked; /* calls of before_send */
};

static void begin(struct session *s, const struct http_kit_answer *answers, size_t count)
{
    *s = (struct session){.refuses = false};
    service_kit_start(&s->kit, answers, count);
    giq_buf_init(&s->sunk, 1 << 20);
    assert_true(giq_http_new(&s->kit.service->settings, &s->kit.clock.env, &s->http,
                             &s->kit.err));
}

/* A new session, with `settings`. */
static void use_settings(struct session *s, const struct giq_settings *settings)
{
    giq_http_free(s->http);
    assert_true(giq_http_new(settings, &s->kit.clock.env, &s->http, &s->kit.err));
}

static void end(struct session *s)
{
    giq_answer_release(&s->answer);
    giq_buf_release(&s->sunk);
    giq_http_free(s->http);
    service_kit_stop(&s->kit);
}

static bool before_send(void *ctx, struct giq_error *err)
{
    struct session *s = ctx;
    s->asked++;
    return !s->refuses || giq_fail(err, GIQ_E_STORE, "not now");
}

static bool sink(void *ctx, const struct giq_answer *answer, const char *bytes,
                 size_t len, struct giq_error *err)
{
    struct session *s = ctx;
    assert_int_equal(answer->status, 200);
    return s->refuses ? giq_fail(err, GIQ_E_STORE, "full")
                      : giq_buf_add(&s->sunk, bytes, len) || giq_fail_memory(err);
}

static bool exchange(struct session *s, struct giq_http_request request)
{
    char url[256];
    (void)snprintf(url, sizeof url, "%s/p/a?q=1", http_kit_url(s->kit.http));
    request.url = url;
    request.accept = "text/x";
    request.cred = s->kit.cred;
    request.timeout_ms = request.timeout_ms == 0 ? 20000 : request.timeout_ms;
    request.ctx = s;
    s->kit.err = (struct giq_error){0};
    giq_answer_release(&s->answer);
    return giq_http_exchange(s->http, &request, &s->answer, &s->kit.err);
}

/* ---- requests ---- */

static void test_get_has_these_lines(void **state)
{
    (void)state;
    static const struct http_kit_answer answers[] = {{.status = 200}};
    static const char *const lines[] = {
        "\r\nAccept: text/x\r\n",
        "\r\nAccept-Encoding: identity\r\n",
        "\r\nUser-Agent: giq-unit\r\n",
        "\r\nX-API-KEY: " SERVICE_KIT_KEY "\r\n",
    };
    struct session s;
    char line[SERVICE_KIT_LINE_SIZE];
    begin(&s, answers, 1);
    assert_true(exchange(&s, (struct giq_http_request){.fresh = false}));
    assert_string_equal(service_kit_line(&s.kit, 0, line), "GET /p/a?q=1 HTTP/1.1");
    for (size_t i = 0; i < GIQ_COUNT(lines); i++) {
        assert_true(service_kit_sent(&s.kit, 0, lines[i]));
    }
    assert_false(service_kit_sent(&s.kit, 0, "Authorization"));
    end(&s);
}

static void test_settings_reach_the_request(void **state)
{
    (void)state;
    static const struct {
        enum giq_net_option option;
        const char *value, *sent;
    } cases[] = {
        {GIQ_NET_HTTP_VERSION, "1.0", " HTTP/1.0\r\n"},
        {GIQ_NET_HTTP_VERSION, "1.1", " HTTP/1.1\r\n"},
        {GIQ_NET_HTTP_VERSION, "nine", " HTTP/1.1\r\n"},
        {GIQ_NET_USERAGENT, "other/1", "\r\nUser-Agent: other/1\r\n"},
        {GIQ_NET_UNSAFE_SSL, "YES", " HTTP/1.1\r\n"},
        {GIQ_NET_HTTPS_PROXY, "http://127.0.0.1:1", "GET /p/a?q=1 HTTP/1.1\r\n"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        static const struct http_kit_answer answers[] = {{.status = 200}};
        struct session s;
        begin(&s, answers, 1);
        struct giq_settings settings = s.kit.service->settings;
        settings.net[cases[i].option] = cases[i].value;
        use_settings(&s, &settings);
        assert_true(exchange(&s, (struct giq_http_request){.fresh = false}));
        assert_true(service_kit_sent(&s.kit, 0, cases[i].sent));
        end(&s);
    }
}

static void test_proxy_gets_the_request_and_its_own_credentials(void **state)
{
    (void)state;
    static const struct http_kit_answer answers[] = {{.status = 200}};
    struct session s;
    begin(&s, answers, 1);
    struct giq_settings settings = s.kit.service->settings;
    settings.net[GIQ_NET_PROXY] = http_kit_url(s.kit.http);
    settings.net[GIQ_NET_PROXY_USERPWD] = "user:pass";
    settings.net[GIQ_NET_PROXY_AUTH] = "basic";
    use_settings(&s, &settings);
    const struct giq_http_request request = {
        .url = "http://giq.invalid/x", .accept = "a/b", .timeout_ms = 20000};
    assert_true(giq_http_exchange(s.http, &request, &s.answer, &s.kit.err));
    char line[SERVICE_KIT_LINE_SIZE];
    assert_string_equal(service_kit_line(&s.kit, 0, line),
                        "GET http://giq.invalid/x HTTP/1.1");
    assert_true(
        service_kit_sent(&s.kit, 0, "\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n"));
    assert_false(service_kit_sent(&s.kit, 0, "X-API-KEY"));
    end(&s);
}

/* The proxy's word on the way to an https service; the service is not asked. */
static void test_refusing_proxy_is_told_from_the_service(void **state)
{
    (void)state;
    static const struct {
        int status;
        bool is_barred;
        const char *text;
    } cases[] = {
        {407, true,
         "giq.invalid: the proxy refused to connect to it: HTTP 407; check "
         "GDAL_HTTP_PROXYUSERPWD"},
        {403, true, "giq.invalid: the proxy refused to connect to it: HTTP 403"},
        {503, false, "giq.invalid: the proxy refused to connect to it: HTTP 503"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct http_kit_answer answer = {.status = cases[i].status,
                                               .headers =
                                                   "Retry-After: 7\r\nETag: \"x\"\r\n",
                                               .then = HTTP_KIT_CLOSE};
        struct session s;
        begin(&s, &answer, 1);
        struct giq_settings settings = s.kit.service->settings;
        settings.net[GIQ_NET_HTTPS_PROXY] = http_kit_url(s.kit.http);
        use_settings(&s, &settings);
        const struct giq_http_request request = {.url = "https://giq.invalid/x",
                                                 .accept = "a/b",
                                                 .cred = s.kit.cred,
                                                 .timeout_ms = 20000};
        assert_false(giq_http_exchange(s.http, &request, &s.answer, &s.kit.err));
        assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
        assert_int_equal(s.kit.err.barred, cases[i].is_barred);
        assert_string_equal(s.kit.err.text, cases[i].text);
        assert_false(s.answer.sent);
        assert_int_equal(s.answer.status, 0);
        assert_int_equal(s.answer.retry_after_ms, -1);
        assert_null(s.answer.head.etag);
        assert_false(service_kit_sent(&s.kit, 0, SERVICE_KIT_KEY));
        end(&s);
    }
}

static void test_post_is_a_multipart_form(void **state)
{
    (void)state;
    static const struct http_kit_answer answers[] = {{.status = 200}};
    static const struct giq_http_field fields[] = {{"a", "1"}, {"b", "x\r\n\"y\""}};
    struct session s;
    begin(&s, answers, 1);
    assert_true(
        exchange(&s, (struct giq_http_request){.fields = fields, .field_count = 2}));
    const char *request = http_kit_request(s.kit.http, 0);
    const char *boundary = strstr(request, "boundary=");
    assert_non_null(strstr(request, "\r\nContent-Type: multipart/form-data; boundary="));
    assert_null(strstr(request, "Expect"));
    assert_non_null(boundary);
    boundary += strlen("boundary=");
    int len = (int)strcspn(boundary, "\r");
    char body[1024];
    (void)snprintf(body, sizeof body,
                   "\r\n\r\n--%.*s\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1"
                   "\r\n--%.*s\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n"
                   "x\r\n\"y\"\r\n--%.*s--\r\n",
                   len, boundary, len, boundary, len, boundary);
    assert_string_equal(strstr(request, "\r\n\r\n"), body);
    end(&s);
}

static void test_connections_are_reused_but_not_by_fresh_requests(void **state)
{
    (void)state;
    static const struct {
        bool fresh;
        int connection;
    } cases[] = {{false, 0}, {false, 0}, {true, 1}, {false, 0}, {true, 2}, {false, 0}};
    static const struct giq_http_field fields[] = {{"a", "1"}};
    struct http_kit_answer answers[GIQ_COUNT(cases)];
    struct session s;
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        answers[i] = (struct http_kit_answer){.status = 200, .body = "{}"};
    }
    begin(&s, answers, GIQ_COUNT(cases));
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct giq_http_request request = {
            .fields = cases[i].fresh ? fields : NULL,
            .field_count = cases[i].fresh,
            .fresh = cases[i].fresh,
        };
        assert_true(exchange(&s, request));
        assert_int_equal(http_kit_connection(s.kit.http, i), cases[i].connection);
    }
    end(&s);
}

/* A server that closes an old connection makes libcurl repeat the request. */
static void test_fresh_post_is_never_repeated_by_the_library(void **state)
{
    (void)state;
    static const struct http_kit_answer answers[] = {
        {.status = 200}, {.raw = "", .then = HTTP_KIT_CLOSE}, {.status = 200}};
    static const struct giq_http_field fields[] = {{"a", "1"}};
    struct session s;
    begin(&s, answers, GIQ_COUNT(answers));
    assert_true(exchange(&s, (struct giq_http_request){.fresh = false}));
    const struct giq_http_request post = {
        .fields = fields, .field_count = 1, .fresh = true, .before_send = before_send};
    assert_false(exchange(&s, post));
    assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
    assert_true(s.answer.sent);
    assert_int_equal(s.answer.status, 0);
    assert_int_equal(s.asked, 1);
    assert_int_equal(http_kit_count(s.kit.http), 2);
    end(&s);
}

static void test_refusing_before_send_sends_nothing(void **state)
{
    (void)state;
    struct session s;
    begin(&s, NULL, 0);
    s.refuses = true;
    assert_false(exchange(&s, (struct giq_http_request){.before_send = before_send}));
    assert_int_equal(s.kit.err.code, GIQ_E_STORE);
    assert_string_equal(s.kit.err.text, "not now");
    assert_false(s.answer.sent);
    assert_int_equal(http_kit_count(s.kit.http), 0);
    end(&s);
}

/* ---- answers ---- */

static void test_what_an_answer_tells(void **state)
{
    (void)state;
    static const struct http_kit_answer answers[] = {
        {.status = 503,
         .body = "busy",
         .headers = "Retry-After: 4\r\nLocation: ../x\r\nContent-Disposition: d\r\n"},
        {.status = 302, .headers = "Location: ../x?y=z\r\n"},
        {.status = 200, .body = "{}"},
    };
    struct session s;
    char location[256];
    begin(&s, answers, GIQ_COUNT(answers));
    assert_true(exchange(&s, (struct giq_http_request){.fresh = false}));
    assert_int_equal(s.answer.status, 503);
    assert_true(s.answer.retry_after_ms == 4000);
    assert_string_equal(giq_buf_text(&s.answer.body), "busy");
    assert_string_equal(s.answer.head.disposition, "d");
    assert_true(s.answer.content_length == 4);
    assert_true(s.answer.received == 4);
    assert_true(exchange(&s, (struct giq_http_request){.fresh = false}));
    (void)snprintf(location, sizeof location, "%s/x?y=z", http_kit_url(s.kit.http));
    assert_string_equal(s.answer.location, location);
    assert_true(exchange(&s, (struct giq_http_request){.fresh = false}));
    assert_null(s.answer.location);
    assert_true(s.answer.retry_after_ms == -1);
    assert_true(s.answer.proven);
    end(&s);
}

#define OK_LINE "HTTP/1.1 200 Said\r\n"
#define CHUNKS  OK_LINE "Transfer-Encoding: chunked\r\n\r\n"

static void test_whole_bodies_are_told_from_cut_ones(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        bool ok, proven;
        int64_t length;
        enum giq_code with_sink, without;
    } cases[] = {
        {OK_LINE "Content-Length: 3\r\n\r\nabc", true, true, 3, 0, 0},
        {CHUNKS "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", true, true, -1, 0, 0},
        {OK_LINE "\r\nabc", true, false, -1, 0, 0},
        {OK_LINE "Connection: close\r\n\r\nabc", true, false, -1, 0, 0},
        {OK_LINE "Content-Length: 4\r\n\r\nabc", false, true, 4, GIQ_E_INCOMPLETE,
         GIQ_E_NETWORK},
        {CHUNKS "3\r\nabc\r\n", false, true, -1, GIQ_E_INCOMPLETE, GIQ_E_NETWORK},
        {CHUNKS "9\r\nabc", false, true, -1, GIQ_E_INCOMPLETE, GIQ_E_NETWORK},
        {OK_LINE "Content-Length: 4\r\n\r\n", false, true, 4, GIQ_E_NETWORK,
         GIQ_E_NETWORK},
    };
    for (size_t i = 0; i < 2 * GIQ_COUNT(cases); i++) {
        bool sinks = i % 2 == 1;
        const struct http_kit_answer answer = {.raw = cases[i / 2].raw,
                                               .then = HTTP_KIT_CLOSE};
        struct session s;
        begin(&s, &answer, 1);
        bool ok = exchange(&s, (struct giq_http_request){.sink = sinks ? sink : NULL});
        assert_int_equal(ok, cases[i / 2].ok);
        assert_int_equal(s.kit.err.code,
                         sinks ? cases[i / 2].with_sink : cases[i / 2].without);
        assert_int_equal(s.answer.proven, cases[i / 2].proven);
        assert_true(s.answer.content_length == cases[i / 2].length);
        assert_string_equal(giq_buf_text(ok && sinks ? &s.sunk : &s.answer.body),
                            ok || (!sinks && s.answer.received > 0) ? "abc" : "");
        end(&s);
    }
}

static void test_failing_sink_ends_the_exchange_with_its_error(void **state)
{
    (void)state;
    static const struct http_kit_answer answers[] = {{.status = 200, .body = "abc"}};
    struct session s;
    begin(&s, answers, 1);
    s.refuses = true;
    assert_false(exchange(&s, (struct giq_http_request){.sink = sink}));
    assert_int_equal(s.kit.err.code, GIQ_E_STORE);
    assert_string_equal(s.kit.err.text, "full");
    end(&s);
}

static void test_sizes_are_capped(void **state)
{
    (void)state;
    static const struct {
        int status;
        size_t size;
        bool ok;
        size_t most; /* of the body */
    } cases[] = {
        {200, GIQ_ANSWER_MAX, true, GIQ_ANSWER_MAX},
        {200, GIQ_ANSWER_MAX + 1, false, GIQ_ANSWER_MAX},
        {500, GIQ_ANSWER_ERROR_MAX, true, GIQ_ANSWER_ERROR_MAX},
        {500, GIQ_ANSWER_ERROR_MAX + 1, true, GIQ_ANSWER_ERROR_MAX},
        {404, 4 * GIQ_ANSWER_ERROR_MAX, true, GIQ_ANSWER_ERROR_MAX},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct http_kit_answer answer = {.status = cases[i].status,
                                               .fill = cases[i].size};
        struct session s;
        begin(&s, &answer, 1);
        assert_int_equal(exchange(&s, (struct giq_http_request){.fresh = true}),
                         cases[i].ok);
        assert_int_equal(s.kit.err.code, cases[i].ok ? GIQ_E_NONE : GIQ_E_SERVICE);
        assert_int_equal(s.answer.status, cases[i].status);
        assert_true(s.answer.body.len <= cases[i].most);
        end(&s);
    }
}

static void test_headers_are_capped(void **state)
{
    (void)state;
    enum { LINES = 20, LINE = 4000 };
    char *raw = calloc(LINES * (LINE + 8) + 64, 1);
    assert_non_null(raw);
    size_t len = (size_t)sprintf(raw, OK_LINE);
    for (int i = 0; i < LINES; i++) {
        len += (size_t)sprintf(raw + len, "X: %0*d\r\n", LINE, i);
    }
    (void)strcpy(raw + len, "Content-Length: 0\r\n\r\n");
    const struct http_kit_answer answer = {.raw = raw};
    struct session s;
    begin(&s, &answer, 1);
    assert_false(exchange(&s, (struct giq_http_request){.fresh = false}));
    assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
    assert_string_equal(s.kit.err.text,
                        "the answer has more than 65536 bytes of headers");
    end(&s);
    free(raw);
}

static void test_answer_that_ends_within_its_headers_is_none(void **state)
{
    (void)state;
    static const char *const raws[] = {
        OK_LINE "Content-Le",
        OK_LINE "Content-Length: 0\r\n",
        "HTTP/1.1 307 On\r\nLocation: /elsewhere\r\n",
        "HTTP/1.1 103 Early\r\n\r\n",
        "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\n",
    };
    for (size_t i = 0; i < GIQ_COUNT(raws); i++) {
        const struct http_kit_answer answer = {.raw = raws[i], .then = HTTP_KIT_CLOSE};
        struct session s;
        begin(&s, &answer, 1);
        assert_false(exchange(&s, (struct giq_http_request){.fresh = false}));
        assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
        assert_true(s.answer.sent);
        assert_null(s.answer.location);
        end(&s);
    }
}

static void test_header_line_without_end_is_capped(void **state)
{
    (void)state;
    enum { LINE = 200 * 1000 };
    char *raw = calloc(LINE + 64, 1);
    assert_non_null(raw);
    (void)sprintf(raw, OK_LINE "X: %0*d", LINE, 0);
    const struct http_kit_answer answer = {.raw = raw, .then = HTTP_KIT_SILENT};
    struct session s;
    begin(&s, &answer, 1);
    assert_false(exchange(&s, (struct giq_http_request){.fresh = false}));
    assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
    end(&s);
    free(raw);
}

/* ---- time ---- */

static void test_exchange_ends_after_its_time(void **state)
{
    (void)state;
    static const char *const answers[] = {"", OK_LINE "Content-Length: 9\r\n\r\nabc"};
    for (size_t i = 0; i < GIQ_COUNT(answers); i++) {
        const struct http_kit_answer answer = {.raw = answers[i],
                                               .then = HTTP_KIT_SILENT};
        struct session s;
        begin(&s, &answer, 1);
        assert_false(exchange(&s, (struct giq_http_request){.timeout_ms = 60}));
        assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
        assert_string_equal(s.kit.err.text, "127.0.0.1: Timeout was reached");
        assert_true(s.answer.sent);
        end(&s);
    }
}

/* Every look at the clock is 600 ms later, so that the second finds a stall. */
static void test_stalled_transfer_ends_with_the_open(void **state)
{
    (void)state;
    static const struct http_kit_answer answer = {
        .raw = OK_LINE "Content-Length: 9\r\n\r\nabc", .then = HTTP_KIT_SILENT};
    struct session s;
    begin(&s, &answer, 1);
    s.kit.clock.step_ms = 600;
    assert_false(exchange(
        &s, (struct giq_http_request){.sink = sink, .deadline_ms = s.kit.clock.now_ms}));
    assert_string_equal(s.kit.err.text,
                        "127.0.0.1: nothing came until the time was over");
    end(&s);
}

static void test_errors_name_the_host_alone(void **state)
{
    (void)state;
    static const struct http_kit_answer answer = {.raw = "", .then = HTTP_KIT_CLOSE};
    struct session s;
    begin(&s, &answer, 1);
    assert_false(exchange(&s, (struct giq_http_request){.fresh = false}));
    assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
    assert_memory_equal(s.kit.err.text, "127.0.0.1: ", 11);
    assert_null(strstr(s.kit.err.text, "q=1"));
    assert_null(strstr(s.kit.err.text, "/p/a"));
    assert_null(strstr(s.kit.err.text, SERVICE_KIT_KEY));
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get_has_these_lines),
        cmocka_unit_test(test_settings_reach_the_request),
        cmocka_unit_test(test_proxy_gets_the_request_and_its_own_credentials),
        cmocka_unit_test(test_refusing_proxy_is_told_from_the_service),
        cmocka_unit_test(test_post_is_a_multipart_form),
        cmocka_unit_test(test_connections_are_reused_but_not_by_fresh_requests),
        cmocka_unit_test(test_fresh_post_is_never_repeated_by_the_library),
        cmocka_unit_test(test_refusing_before_send_sends_nothing),
        cmocka_unit_test(test_what_an_answer_tells),
        cmocka_unit_test(test_whole_bodies_are_told_from_cut_ones),
        cmocka_unit_test(test_failing_sink_ends_the_exchange_with_its_error),
        cmocka_unit_test(test_sizes_are_capped),
        cmocka_unit_test(test_headers_are_capped),
        cmocka_unit_test(test_answer_that_ends_within_its_headers_is_none),
        cmocka_unit_test(test_header_line_without_end_is_capped),
        cmocka_unit_test(test_exchange_ends_after_its_time),
        cmocka_unit_test(test_stalled_transfer_ends_with_the_open),
        cmocka_unit_test(test_errors_name_the_host_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
