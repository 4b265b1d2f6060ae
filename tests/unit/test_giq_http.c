#include "session_kit.h"

#include <curl/curl.h>

#include "unit.h"

/* ---- requests ---- */

static void test_get_has_these_lines(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "\r\nAccept: text/x\r\n",
        "\r\nAccept-Encoding: identity\r\n",
        "\r\nUser-Agent: giq-unit\r\n",
        "\r\nX-API-KEY: " SERVICE_KIT_KEY "\r\n",
    };
    struct session s;
    char line[SERVICE_KIT_LINE_SIZE];
    session_begin(&s, HTTP_KIT_SCRIPT({.status = 200}));
    assert_true(
        session_exchange(&s, (struct giq_http_request){.fresh_connection = false}));
    assert_string_equal(service_kit_line(&s.kit, 0, line), "GET /p/a?q=1 HTTP/1.1");
    for (size_t i = 0; i < GIQ_COUNT(lines); i++) {
        assert_true(service_kit_sent(&s.kit, 0, lines[i]));
    }
    assert_false(service_kit_sent(&s.kit, 0, "Authorization"));
    session_end(&s);
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
        struct session s;
        session_begin(&s, HTTP_KIT_SCRIPT({.status = 200}));
        struct giq_settings settings = s.kit.service->settings;
        settings.net[cases[i].option] = cases[i].value;
        session_use_settings(&s, &settings);
        assert_true(
            session_exchange(&s, (struct giq_http_request){.fresh_connection = false}));
        assert_true(service_kit_sent(&s.kit, 0, cases[i].sent));
        session_end(&s);
    }
}

static void test_proxy_gets_the_request_and_its_own_credentials(void **state)
{
    (void)state;
    struct session s;
    session_begin(&s, HTTP_KIT_SCRIPT({.status = 200}));
    struct giq_settings settings = s.kit.service->settings;
    settings.net[GIQ_NET_PROXY] = http_kit_url(s.kit.http);
    settings.net[GIQ_NET_PROXY_USERPWD] = "user:pass";
    settings.net[GIQ_NET_PROXY_AUTH] = "basic";
    session_use_settings(&s, &settings);
    const struct giq_http_request request = {
        .url = "http://giq.invalid/x", .accept = "a/b", .timeout_ms = 20000};
    assert_true(giq_http_exchange(s.http, &request, &s.response, &s.kit.err));
    char line[SERVICE_KIT_LINE_SIZE];
    assert_string_equal(service_kit_line(&s.kit, 0, line),
                        "GET http://giq.invalid/x HTTP/1.1");
    assert_true(
        service_kit_sent(&s.kit, 0, "\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n"));
    assert_false(service_kit_sent(&s.kit, 0, "X-API-KEY"));
    session_end(&s);
}

/* The proxy's word on the way to an https service; the service is not asked. */
static void test_refusing_proxy_is_not_the_service(void **state)
{
    (void)state;
    static const struct {
        int status;
        bool is_barred;
        const char *text;
    } cases[] = {
        {407, true,
         "the proxy refused to connect to giq.invalid: HTTP 407; check "
         "GDAL_HTTP_PROXYUSERPWD"},
        {403, true, "the proxy refused to connect to giq.invalid: HTTP 403"},
        {503, false, "the proxy refused to connect to giq.invalid: HTTP 503"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct http_kit_response response = {
            .status = cases[i].status,
            .headers = "Retry-After: 7\r\nETag: \"x\"\r\n",
            .then = HTTP_KIT_CLOSE};
        struct session s;
        session_begin(&s, &response, 1);
        struct giq_settings settings = s.kit.service->settings;
        settings.net[GIQ_NET_HTTPS_PROXY] = http_kit_url(s.kit.http);
        session_use_settings(&s, &settings);
        const struct giq_http_request request = {.url = "https://giq.invalid/x",
                                                 .accept = "a/b",
                                                 .cred = s.kit.cred,
                                                 .timeout_ms = 20000};
        assert_false(giq_http_exchange(s.http, &request, &s.response, &s.kit.err));
        assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
        assert_int_equal(s.kit.err.permanent, cases[i].is_barred);
        assert_string_equal(s.kit.err.text, cases[i].text);
        assert_false(s.response.sent);
        assert_int_equal(s.response.status, 0);
        assert_int_equal(s.response.retry_after_ms, -1);
        assert_null(s.response.headers.value[GIQ_HEADERS_ETAG]);
        assert_false(service_kit_sent(&s.kit, 0, SERVICE_KIT_KEY));
        session_end(&s);
    }
}

static void test_post_is_a_multipart_form(void **state)
{
    (void)state;
    static const struct giq_multipart_field fields[] = {
        {.name = "a", .value = "1"}, {.name = "b", .value = "x\r\n\"y\""}};
    struct session s;
    session_begin(&s, HTTP_KIT_SCRIPT({.status = 200}));
    assert_true(session_exchange(
        &s, (struct giq_http_request){.fields = fields, .field_count = 2}));
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
    session_end(&s);
}

static void test_connections_are_reused_but_not_by_fresh_requests(void **state)
{
    (void)state;
    static const struct {
        bool fresh;
        int connection;
    } cases[] = {{false, 0}, {false, 0}, {true, 1}, {false, 0}, {true, 2}, {false, 0}};
    static const struct giq_multipart_field fields[] = {{.name = "a", .value = "1"}};
    struct http_kit_response responses[GIQ_COUNT(cases)];
    struct session s;
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        responses[i] = (struct http_kit_response){.status = 200, .body = "{}"};
    }
    session_begin(&s, responses, GIQ_COUNT(cases));
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct giq_http_request request = {
            .fields = cases[i].fresh ? fields : NULL,
            .field_count = cases[i].fresh,
            .fresh_connection = cases[i].fresh,
        };
        assert_true(session_exchange(&s, request));
        assert_int_equal(http_kit_connection(s.kit.http, i), cases[i].connection);
    }
    session_end(&s);
}

/* A server that closes an old connection makes libcurl repeat the request. */
static void test_fresh_post_is_never_repeated_by_the_library(void **state)
{
    (void)state;
    static const struct giq_multipart_field fields[] = {{.name = "a", .value = "1"}};
    struct session s;
    session_begin(&s,
                  HTTP_KIT_SCRIPT({.status = 200}, {.raw = "", .then = HTTP_KIT_CLOSE},
                                  {.status = 200}));
    assert_true(
        session_exchange(&s, (struct giq_http_request){.fresh_connection = false}));
    const struct giq_http_request post = {.fields = fields,
                                          .field_count = 1,
                                          .fresh_connection = true,
                                          .before_send = session_before_send};
    assert_false(session_exchange(&s, post));
    assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
    assert_true(s.response.sent);
    assert_int_equal(s.response.status, 0);
    assert_int_equal(s.asked, 1);
    assert_int_equal(http_kit_count(s.kit.http), 2);
    session_end(&s);
}

static void test_refusing_before_send_sends_nothing(void **state)
{
    (void)state;
    struct session s;
    session_begin(&s, NULL, 0);
    s.refuses = true;
    assert_false(session_exchange(
        &s, (struct giq_http_request){.before_send = session_before_send}));
    assert_int_equal(s.kit.err.code, GIQ_E_STORE);
    assert_string_equal(s.kit.err.text, "not now");
    assert_false(s.response.sent);
    assert_int_equal(http_kit_count(s.kit.http), 0);
    session_end(&s);
}

/* A label of a host has 63 bytes at most, so no name server is asked. */
#define NO_HOST                                                                          \
    "nowhere-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789.invalid"

/* libcurl 7.88 takes no setting on a handle whose transfer failed before it connected. */
static void test_session_goes_on_after_a_connection_that_failed(void **state)
{
    (void)state;
    char no_proxy[100];
    (void)snprintf(no_proxy, sizeof no_proxy, "127.0.0.1: %s",
                   curl_easy_strerror(CURLE_COULDNT_RESOLVE_PROXY));
    const struct {
        const char *url, *proxy, *text;
    } cases[] = {
        {"http://" NO_HOST "/x", "", NO_HOST ": Could not resolve host: " NO_HOST},
        {"http://127.0.0.1/x", "http://" NO_HOST ":8080",
         "127.0.0.1: Could not resolve proxy: " NO_HOST},
        {"http://127.0.0.1/x", "http://u:p@ss@127.0.0.1:9", no_proxy},
        {"http://127.0.0.1:1/x", "", "127.0.0.1: Failed to connect to 127.0.0.1"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct session s;
        session_begin(&s, HTTP_KIT_SCRIPT({.status = 200}));
        struct giq_settings settings = s.kit.service->settings;
        session_use_settings(&s, &settings);
        const struct giq_http_request request = {
            .url = cases[i].url, .accept = "a/b", .timeout_ms = 20000};
        settings.net[GIQ_NET_PROXY] = cases[i].proxy;
        for (int tries = 0; tries < 2; tries++) {
            assert_false(giq_http_exchange(s.http, &request, &s.response, &s.kit.err));
            assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
            assert_false(s.kit.err.permanent);
            assert_false(s.response.sent);
            assert_memory_equal(s.kit.err.text, cases[i].text, strlen(cases[i].text));
            giq_response_release(&s.response);
        }
        settings.net[GIQ_NET_PROXY] = "";
        assert_true(
            session_exchange(&s, (struct giq_http_request){.fresh_connection = false}));
        assert_int_equal(s.response.status, 200);
        session_end(&s);
    }
}

static void test_setting_that_the_library_refuses_is_named(void **state)
{
    (void)state;
    struct session s;
    session_begin(&s, NULL, 0);
    struct giq_settings settings = s.kit.service->settings;
    enum { SIZE = 9000000 };
    char *long_text = calloc(SIZE, 1);
    assert_non_null(long_text);
    memset(long_text, 'x', SIZE - 1);
    settings.net[GIQ_NET_USERAGENT] = long_text; /* beyond the library's limit */
    session_use_settings(&s, &settings);
    assert_false(
        session_exchange(&s, (struct giq_http_request){.fresh_connection = false}));
    assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
    assert_true(s.kit.err.permanent);
    assert_string_equal(s.kit.err.text,
                        "libcurl rejected the value of GDAL_HTTP_USERAGENT: "
                        "A libcurl function was given a bad argument");
    assert_int_equal(http_kit_count(s.kit.http), 0);
    free(long_text);
    session_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get_has_these_lines),
        cmocka_unit_test(test_settings_reach_the_request),
        cmocka_unit_test(test_proxy_gets_the_request_and_its_own_credentials),
        cmocka_unit_test(test_refusing_proxy_is_not_the_service),
        cmocka_unit_test(test_post_is_a_multipart_form),
        cmocka_unit_test(test_connections_are_reused_but_not_by_fresh_requests),
        cmocka_unit_test(test_fresh_post_is_never_repeated_by_the_library),
        cmocka_unit_test(test_refusing_before_send_sends_nothing),
        cmocka_unit_test(test_session_goes_on_after_a_connection_that_failed),
        cmocka_unit_test(test_setting_that_the_library_refuses_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
