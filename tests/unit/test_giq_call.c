#include "service/giq_call.h"

#include "unit.h"

#include "service_kit.h"

#define KEY_LINE "X-API-KEY: " SERVICE_KIT_KEY "\r\n"

static const struct giq_multipart_field form[] = {{.name = "modelId", .value = "m"},
                                                  {.name = "fileId", .value = "f"}};

typedef bool call_function(struct giq_service *service,
                           const struct giq_http_request *request,
                           struct giq_response *response, struct giq_error *err);

/* Call the service's address; the response's status, or 0 with the kit's error. */
static int call(struct service_kit *kit, call_function *function,
                struct giq_http_request request)
{
    struct giq_response response;
    request.url = kit->service->settings.base_url;
    request.accept = "application/json";
    request.timeout_ms = 20000;
    kit->err = (struct giq_error){0};
    bool ok = function(kit->service, &request, &response, &kit->err);
    int status = ok ? response.status : 0;
    giq_response_release(&response);
    return status;
}

/* Without retries. */
static int call_plain(struct service_kit *kit, const struct giq_multipart_field *fields)
{
    return call(kit, giq_call_once,
                (struct giq_http_request){
                    .fields = fields,
                    .field_count = fields == NULL ? 0 : GIQ_COUNT(form),
                    .fresh_connection = fields != NULL,
                });
}

static int call_get(struct service_kit *kit)
{
    return call(kit, giq_call_with_retries, (struct giq_http_request){0});
}

static int call_search(struct service_kit *kit)
{
    return call(kit, giq_call_with_retries,
                (struct giq_http_request){.json = "{\"limit\":1}"});
}

/* ---- redirects ---- */

static void test_redirect_to_same_origin_keeps_key(void **state)
{
    (void)state;
    static const int statuses[] = {301, 302, 303, 307, 308};
    for (size_t i = 0; i < GIQ_COUNT(statuses); i++) {
        struct service_kit kit;
        char line[SERVICE_KIT_LINE_SIZE];
        service_kit_start(&kit, HTTP_KIT_SCRIPT({.status = statuses[i],
                                                 .headers = "Location: /there?a=b\r\n"},
                                                {.status = 200}));
        assert_int_equal(call_plain(&kit, NULL), 200);
        assert_int_equal(http_kit_count(kit.http), 2);
        assert_string_equal(service_kit_line(&kit, 1, line), "GET /there?a=b HTTP/1.1");
        assert_true(service_kit_sent(&kit, 0, KEY_LINE));
        assert_true(service_kit_sent(&kit, 1, KEY_LINE));
        service_kit_stop(&kit);
    }
}

/* Another host, and the header that redirects to it. */
static struct http_kit *start_other(const struct http_kit_response *responses,
                                    size_t count, char header[128])
{
    struct http_kit *other = http_kit_start(responses, count);
    (void)snprintf(header, 128, "Location: %s/x\r\n", http_kit_url(other));
    return other;
}

static void test_redirect_to_other_host_drops_key(void **state)
{
    (void)state;
    char header[128];
    struct http_kit *other =
        start_other(HTTP_KIT_SCRIPT({.status = 200, .body = "{}"}), header);
    struct service_kit kit;
    service_kit_start(&kit, HTTP_KIT_SCRIPT({.status = 302, .headers = header}));
    assert_int_equal(call_plain(&kit, NULL), 200);
    assert_true(service_kit_sent(&kit, 0, KEY_LINE));
    assert_int_equal(http_kit_count(other), 1);
    assert_null(strstr(http_kit_request(other, 0), "X-API-KEY"));
    assert_null(strstr(http_kit_request(other, 0), SERVICE_KIT_KEY));
    service_kit_stop(&kit);
    http_kit_stop(other);
}

static void test_key_stays_dropped_on_the_way_back(void **state)
{
    (void)state;
    char out[128] = "";
    char back[128] = "";
    struct http_kit *other =
        http_kit_start(HTTP_KIT_SCRIPT({.status = 302, .headers = back}));
    struct service_kit kit;
    service_kit_start(&kit,
                      HTTP_KIT_SCRIPT({.status = 302, .headers = out}, {.status = 200}));
    (void)snprintf(out, sizeof out, "Location: %s/\r\n", http_kit_url(other));
    (void)snprintf(back, sizeof back, "Location: %s/\r\n", http_kit_url(kit.http));
    assert_int_equal(call_plain(&kit, NULL), 200);
    assert_int_equal(http_kit_count(kit.http), 2);
    assert_false(service_kit_sent(&kit, 1, "X-API-KEY"));
    service_kit_stop(&kit);
    http_kit_stop(other);
}

static void test_five_redirects_are_followed_and_no_more(void **state)
{
    (void)state;
    struct http_kit_response responses[7];
    for (size_t i = 0; i < GIQ_COUNT(responses); i++) {
        responses[i] =
            (struct http_kit_response){.status = 307, .headers = "Location: /n\r\n"};
    }
    struct service_kit kit;
    service_kit_start(&kit, responses, GIQ_COUNT(responses));
    assert_int_equal(call_plain(&kit, NULL), 0);
    assert_int_equal(kit.err.code, GIQ_E_NETWORK);
    assert_string_equal(kit.err.text, "more than 5 redirects in a row");
    assert_int_equal(http_kit_count(kit.http), 6);
    service_kit_stop(&kit);

    responses[5] = (struct http_kit_response){.status = 200};
    service_kit_start(&kit, responses, GIQ_COUNT(responses));
    assert_int_equal(call_plain(&kit, NULL), 200);
    service_kit_stop(&kit);
}

static void test_post_is_sent_again_only_for_307_and_308(void **state)
{
    (void)state;
    static const struct {
        int status, final_status;
        size_t requests;
    } cases[] = {
        {301, 301, 1}, {302, 302, 1}, {303, 303, 1}, {307, 200, 2}, {308, 200, 2}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct service_kit kit;
        service_kit_start(&kit, HTTP_KIT_SCRIPT({.status = cases[i].status,
                                                 .headers = "Location: /run2\r\n"},
                                                {.status = 200}));
        assert_int_equal(call_plain(&kit, form), cases[i].final_status);
        assert_int_equal(http_kit_count(kit.http), cases[i].requests);
        if (cases[i].requests == 2) {
            char line[SERVICE_KIT_LINE_SIZE];
            assert_string_equal(service_kit_line(&kit, 1, line), "POST /run2 HTTP/1.1");
            assert_true(service_kit_sent(&kit, 1, "name=\"modelId\"\r\n\r\nm\r\n"));
        }
        service_kit_stop(&kit);
    }
}

static void test_post_is_not_redirected_to_other_host(void **state)
{
    (void)state;
    char header[128];
    struct http_kit *other = start_other(NULL, 0, header);
    struct service_kit kit;
    service_kit_start(&kit, HTTP_KIT_SCRIPT({.status = 307, .headers = header}));
    assert_int_equal(call_plain(&kit, form), 0);
    assert_int_equal(kit.err.code, GIQ_E_NETWORK);
    assert_non_null(strstr(kit.err.text, "another origin (http://127.0.0.1:"));
    assert_int_equal(http_kit_count(other), 0);
    service_kit_stop(&kit);
    http_kit_stop(other);
}

static void test_search_is_a_post_that_is_repeated_like_a_get(void **state)
{
    (void)state;
    struct service_kit kit;
    char line[SERVICE_KIT_LINE_SIZE];
    service_kit_start(
        &kit, HTTP_KIT_SCRIPT({.status = 503}, {.raw = "", .then = HTTP_KIT_CLOSE},
                              {.status = 308, .headers = "Location: /there\r\n"},
                              {.status = 200, .body = "{}"}));
    assert_int_equal(call_search(&kit), 200);
    /* libcurl repeats the request itself on a new connection. */
    assert_int_equal(http_kit_count(kit.http), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(service_kit_sent(&kit, i, KEY_LINE));
        assert_true(service_kit_sent(&kit, i, "\r\nContent-Type: application/json\r\n"));
        assert_true(service_kit_sent(&kit, i, "\r\n\r\n{\"limit\":1}"));
    }
    assert_string_equal(service_kit_line(&kit, 0, line), "POST / HTTP/1.1");
    assert_string_equal(service_kit_line(&kit, 3, line), "POST /there HTTP/1.1");
    service_kit_stop(&kit);
}

static void test_search_is_redirected_like_a_post(void **state)
{
    (void)state;
    char header[128];
    struct http_kit *other = start_other(NULL, 0, header);
    static const int statuses[] = {301, 302, 303, 307, 308};
    for (size_t i = 0; i < GIQ_COUNT(statuses); i++) {
        struct service_kit kit;
        service_kit_start(&kit,
                          HTTP_KIT_SCRIPT({.status = statuses[i], .headers = header}));
        assert_int_equal(call_search(&kit), statuses[i] < 307 ? statuses[i] : 0);
        assert_int_equal(kit.err.code, statuses[i] < 307 ? GIQ_E_NONE : GIQ_E_NETWORK);
        assert_int_equal(http_kit_count(kit.http), 1);
        service_kit_stop(&kit);
    }
    assert_int_equal(http_kit_count(other), 0);
    http_kit_stop(other);
}

static void test_redirects_to_forbidden_addresses_are_refused(void **state)
{
    (void)state;
    static const char *const targets[] = {
        "Location: ftp://127.0.0.1/x\r\n",
        "Location: file:///x\r\n",
        "Location: http://user@127.0.0.1/x\r\n",
        "Location: http://user:secret@127.0.0.1/x\r\n",
    };
    for (size_t i = 0; i < GIQ_COUNT(targets); i++) {
        struct service_kit kit;
        service_kit_start(&kit, HTTP_KIT_SCRIPT({.status = 302, .headers = targets[i]}));
        assert_int_equal(call_get(&kit), 0);
        assert_int_equal(kit.err.code, GIQ_E_NETWORK);
        assert_non_null(strstr(kit.err.text, "a URL that the driver does not follow"));
        assert_null(strstr(kit.err.text, "secret"));
        assert_int_equal(http_kit_count(kit.http), 1);
        assert_int_equal(kit.clock.sleeps, 0);
        service_kit_stop(&kit);
    }
}

/* ---- retries ---- */

static void test_get_is_repeated_after_what_passes(void **state)
{
    (void)state;
    static const struct {
        int status;
        size_t requests;
    } cases[] = {{408, 4}, {429, 4}, {500, 4}, {502, 4}, {503, 4}, {504, 4},
                 {200, 1}, {400, 1}, {401, 1}, {404, 1}, {409, 1}, {501, 1}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct http_kit_response responses[5];
        for (size_t k = 0; k < GIQ_COUNT(responses); k++) {
            responses[k] = (struct http_kit_response){.status = cases[i].status};
        }
        struct service_kit kit;
        service_kit_start(&kit, responses, GIQ_COUNT(responses));
        assert_int_equal(call_get(&kit), cases[i].status);
        assert_int_equal(http_kit_count(kit.http), cases[i].requests);
        assert_int_equal(kit.clock.sleeps, cases[i].requests - 1);
        for (size_t k = 0; k + 1 < cases[i].requests; k++) {
            assert_true(kit.clock.slept_ms[k] == INT64_C(1000) << k);
        }
        service_kit_stop(&kit);
    }
}

static void test_get_is_repeated_after_a_cut_connection(void **state)
{
    (void)state;
    struct service_kit kit;
    service_kit_start(
        &kit,
        HTTP_KIT_SCRIPT({.raw = "", .then = HTTP_KIT_CLOSE},
                        {.raw = "HTTP/1.1 200 Said\r\nContent-Length: 9\r\n\r\nhalf",
                         .then = HTTP_KIT_CLOSE},
                        {.status = 200}));
    assert_int_equal(call_get(&kit), 200);
    assert_int_equal(http_kit_count(kit.http), 3);
    assert_int_equal(kit.clock.sleeps, 2);
    /* A success leaves no error of an earlier attempt. */
    assert_int_equal(kit.err.code, GIQ_E_NONE);
    assert_string_equal(kit.err.text, "");
    service_kit_stop(&kit);
}

static void test_retry_after_sets_the_pause(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int64_t slept_ms;
    } cases[] = {
        {"Retry-After: 7\r\n", 7000},
        {"Retry-After: Wed, 01 May 2024 00:01:30 GMT\r\n", 90000},
        {"Retry-After: soon\r\n", 1000},
        {"Retry-After: -4\r\n", 1000},
        {NULL, 1000},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct service_kit kit;
        service_kit_start(&kit,
                          HTTP_KIT_SCRIPT({.status = 503, .headers = cases[i].header},
                                          {.status = 200}));
        assert_int_equal(call_get(&kit), 200);
        assert_int_equal(kit.clock.sleeps, 1);
        assert_true(kit.clock.slept_ms[0] == cases[i].slept_ms);
        service_kit_stop(&kit);
    }
}

static void test_service_keeps_until_when_it_is_throttled(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_response response;
        int64_t after_ms; /* 0: not throttled */
    } cases[] = {
        {{.status = 429, .headers = "Retry-After: 7\r\n"}, 7000}, {{.status = 429}, 1000},
        {{.status = 503, .headers = "Retry-After: 9\r\n"}, 9000}, {{.status = 503}, 0},
        {{.status = 200, .headers = "Retry-After: 9\r\n"}, 0},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct service_kit kit;
        service_kit_start(&kit, HTTP_KIT_SCRIPT(cases[i].response, {.status = 200}));
        int64_t until_ms =
            cases[i].after_ms == 0 ? 0 : kit.clock.now_ms + cases[i].after_ms;
        assert_int_equal(call_plain(&kit, NULL), cases[i].response.status);
        assert_true(kit.service->throttled_until_ms == until_ms);
        assert_int_equal(call_plain(&kit, NULL), 200);
        assert_true(kit.service->throttled_until_ms == until_ms);
        service_kit_stop(&kit);
    }
}

static void test_no_pause_beyond_the_time_of_the_open(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t requests;
    } cases[] = {{"Retry-After: 600\r\n", 1}, {"Retry-After: 599\r\n", 2}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct service_kit kit;
        service_kit_start(&kit,
                          HTTP_KIT_SCRIPT({.status = 503, .headers = cases[i].header},
                                          {.status = 503, .headers = cases[i].header}));
        assert_int_equal(call_get(&kit), 503);
        assert_int_equal(http_kit_count(kit.http), cases[i].requests);
        service_kit_stop(&kit);
    }
}

static void test_delays_double_up_to_half_a_minute(void **state)
{
    (void)state;
    static const struct {
        int attempt;
        uint32_t random;
        int64_t asked_ms;
        int64_t delay_ms;
    } cases[] = {
        {1, 512, -1, 1000},      {2, 512, -1, 2000}, {5, 512, -1, 16000},
        {6, 512, -1, 30000},     {6, 0, -1, 24000},  {1, 1024, -1, 1250},
        {1000, 1024, -1, 30000}, {1, 1024, 0, 0},    {3, 0, 45000, 45000},
    };
    struct service_kit kit;
    service_kit_start(&kit, NULL, 0);
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        kit.clock.random = cases[i].random;
        assert_true(giq_call_delay_ms(kit.service, cases[i].attempt, cases[i].asked_ms) ==
                    cases[i].delay_ms);
    }
    service_kit_stop(&kit);
}

static void test_small_calls_end_with_the_open(void **state)
{
    (void)state;
    static const struct {
        int timeout_ms;
        int64_t elapsed_ms, call_ms;
    } cases[] = {
        {600000, 0, 20000},    {600000, 580000, 20000}, {600000, 590000, 10000},
        {600000, 599900, 250}, {600000, 700000, 250},   {0, 0, 2000},
        {0, 100, 1900},        {0, 2000, 250},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct service_kit kit;
        service_kit_start(&kit, NULL, 0);
        kit.service->settings.timeout_ms = cases[i].timeout_ms;
        env_kit_advance(&kit.clock, cases[i].elapsed_ms);
        assert_true(giq_call_timeout_ms(kit.service) == cases[i].call_ms);
        service_kit_stop(&kit);
    }
}

static void test_restarted_check_keeps_a_time_limit_below_two_seconds(void **state)
{
    (void)state;
    static const struct {
        int timeout_ms;
        int64_t limit_ms;
    } cases[] = {{500, 500}, {600000, 2000}, {0, 2000}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct service_kit kit;
        service_kit_start(&kit, NULL, 0);
        kit.service->settings.timeout_ms = cases[i].timeout_ms;
        giq_service_limit_to_one_try(kit.service);
        env_kit_advance(&kit.clock, 300);
        giq_service_restart_check(kit.service);
        assert_true(giq_service_call_deadline_ms(kit.service) - kit.clock.now_ms ==
                    cases[i].limit_ms);
        service_kit_stop(&kit);
    }
}

static void test_without_credentials_nothing_is_sent(void **state)
{
    (void)state;
    struct service_kit kit;
    service_kit_start(&kit, NULL, 0);
    kit.service->cred = NULL;
    assert_int_equal(call_plain(&kit, form), 0);
    assert_int_equal(kit.err.code, GIQ_E_CREDENTIALS);
    assert_int_equal(call_get(&kit), 0);
    assert_int_equal(kit.err.code, GIQ_E_CREDENTIALS);
    assert_int_equal(http_kit_count(kit.http), 0);
    service_kit_stop(&kit);
}

static void test_response_of_a_call_that_was_not_made_tells_nothing(void **state)
{
    (void)state;
    struct service_kit kit;
    service_kit_start(&kit, NULL, 0);
    kit.service->cred = NULL;
    const struct giq_http_request request = {.url = kit.service->settings.base_url};
    struct giq_response response;
    assert_false(giq_call_once(kit.service, &request, &response, &kit.err));
    assert_true(response.retry_after_ms == -1);
    assert_true(response.content_length == -1);
    assert_int_equal(response.status, 0);
    giq_response_release(&response);
    service_kit_stop(&kit);
}

/* ---- what error statuses say ---- */

static const struct {
    int status;
    enum giq_code code;
    const char *body;
    const char *text;
} messages[] = {
    {500, GIQ_E_SERVICE, "{\"message\":\"out of order\"}",
     "asking: HTTP 500 out of order"},
    {400, GIQ_E_SERVICE, "{\"data\":{\"message\":\"no such model\"}}",
     "asking: HTTP 400 no such model"},
    {400, GIQ_E_SERVICE, "{\"error\":{\"message\":\"no such model\"}}",
     "asking: HTTP 400 no such model"},
    {400, GIQ_E_SERVICE, "{\"error\":\"Bad Request\",\"data\":{\"message\":\"no area\"}}",
     "asking: HTTP 400 no area"},
    {400, GIQ_E_SERVICE, "{\"data\":{\"error\":{\"message\":\"no area\"}}}",
     "asking: HTTP 400 no area"},
    {400, GIQ_E_SERVICE, "{\"data\":{\"data\":{\"data\":{\"message\":\"deep\"}}}}",
     "asking: HTTP 400"},
    {400, GIQ_E_SERVICE, "{\"data\":[{\"message\":\"in a list\"}]}", "asking: HTTP 400"},
    {404, GIQ_E_SERVICE, "{\"message\":\"\",\"error\":\"Not Found\"}",
     "asking: HTTP 404 Not Found"},
    {400, GIQ_E_SERVICE, "\"quoted\"", "asking: HTTP 400 quoted"},
    {400, GIQ_E_SERVICE, "plain\nwords", "asking: HTTP 400 plain words"},
    {502, GIQ_E_SERVICE, "<html>page</html>", "asking: HTTP 502"},
    {400, GIQ_E_SERVICE, "{\"other\":1}", "asking: HTTP 400"},
    {400, GIQ_E_SERVICE, "", "asking: HTTP 400"},
    {400, GIQ_E_SERVICE, "{\"message\":\"key " SERVICE_KIT_KEY " is bad\"}",
     "asking: HTTP 400 key ************** is bad"},
    {400, GIQ_E_SERVICE, "{\"message\":\"no https://h/x?Signature=dead, retry\"}",
     "asking: HTTP 400 no https://h/x?*** retry"},
    {400, GIQ_E_SERVICE, "no https://me:pw@h/x?Signature=dead",
     "asking: HTTP 400 no https://***@h/x?***"},
    {401, GIQ_E_CREDENTIALS, "",
     "asking: HTTP 401; check GIQ_API_KEY or GIQ_BEARER_TOKEN"},
    {403, GIQ_E_CREDENTIALS, "no",
     "asking: HTTP 403 no; check GIQ_API_KEY or GIQ_BEARER_TOKEN"},
    {407, GIQ_E_NETWORK, "no",
     "asking: HTTP 407 no (from a proxy); check GDAL_HTTP_PROXYUSERPWD"},
};

static void test_messages_of_error_statuses(void **state)
{
    (void)state;
    struct service_kit kit;
    service_kit_start(&kit, NULL, 0);
    for (size_t i = 0; i < GIQ_COUNT(messages); i++) {
        struct giq_response response = {.status = messages[i].status};
        giq_buf_init(&response.body, 1000);
        assert_true(giq_buf_add_text(&response.body, messages[i].body));
        assert_false(giq_call_fail_status(kit.service, &response, GIQ_E_SERVICE, "asking",
                                          &kit.err));
        assert_int_equal(kit.err.code, messages[i].code);
        assert_int_equal(kit.err.http_status, messages[i].status);
        assert_int_equal(kit.err.permanent, messages[i].status == 407);
        assert_string_equal(kit.err.text, messages[i].text);
        giq_response_release(&response);
    }
    service_kit_stop(&kit);
}

static void test_failures_that_may_pass(void **state)
{
    (void)state;
    static const struct {
        struct giq_error err;
        bool may_pass;
    } cases[] = {
        {{.code = GIQ_E_NETWORK}, true},
        {{.code = GIQ_E_INCOMPLETE}, true},
        {{.code = GIQ_E_NETWORK, .permanent = true}, false},
        {{.code = GIQ_E_NETWORK, .http_status = 302}, false},
        {{.code = GIQ_E_SERVICE}, false},
        {{.code = GIQ_E_STORE}, false},
        {{.code = GIQ_E_MEMORY}, false},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_int_equal(giq_call_is_transient_error(&cases[i].err), cases[i].may_pass);
    }
}

static void test_labels_are_masked(void **state)
{
    (void)state;
    static const char json[] = "\"a " SERVICE_KIT_KEY " https://h/x?Signature=dead\"";
    struct service_kit kit;
    service_kit_start(&kit, NULL, 0);
    struct giq_json *parsed = giq_json_parse(json, sizeof json - 1);
    char *label = giq_call_masked_text(kit.service, parsed);
    assert_string_equal(label, "a ************** https://h/x?***");
    free(label);
    giq_json_free(parsed);
    assert_null(giq_call_masked_text(kit.service, NULL));
    service_kit_stop(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redirect_to_same_origin_keeps_key),
        cmocka_unit_test(test_redirect_to_other_host_drops_key),
        cmocka_unit_test(test_key_stays_dropped_on_the_way_back),
        cmocka_unit_test(test_five_redirects_are_followed_and_no_more),
        cmocka_unit_test(test_post_is_sent_again_only_for_307_and_308),
        cmocka_unit_test(test_post_is_not_redirected_to_other_host),
        cmocka_unit_test(test_search_is_a_post_that_is_repeated_like_a_get),
        cmocka_unit_test(test_search_is_redirected_like_a_post),
        cmocka_unit_test(test_redirects_to_forbidden_addresses_are_refused),
        cmocka_unit_test(test_get_is_repeated_after_what_passes),
        cmocka_unit_test(test_get_is_repeated_after_a_cut_connection),
        cmocka_unit_test(test_retry_after_sets_the_pause),
        cmocka_unit_test(test_service_keeps_until_when_it_is_throttled),
        cmocka_unit_test(test_no_pause_beyond_the_time_of_the_open),
        cmocka_unit_test(test_delays_double_up_to_half_a_minute),
        cmocka_unit_test(test_small_calls_end_with_the_open),
        cmocka_unit_test(test_restarted_check_keeps_a_time_limit_below_two_seconds),
        cmocka_unit_test(test_without_credentials_nothing_is_sent),
        cmocka_unit_test(test_response_of_a_call_that_was_not_made_tells_nothing),
        cmocka_unit_test(test_messages_of_error_statuses),
        cmocka_unit_test(test_failures_that_may_pass),
        cmocka_unit_test(test_labels_are_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
