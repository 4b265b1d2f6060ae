#include "net/giq_trace.h"

#include "unit.h"

#include "base/giq_buf.h"

/* All lines of the log, each with an end. */
struct log {
    struct giq_env env;
    struct giq_buf text;
};

static void note(void *ctx, const char *text)
{
    struct log *log = ctx;
    assert_true(giq_buf_add(&log->text, text, strlen(text)));
    assert_true(giq_buf_add(&log->text, "\n", 1));
}

static void check(enum giq_trace_kind kind, bool is_home, const char *bytes,
                  const char *expected)
{
    struct giq_cred *cred = NULL;
    struct giq_error err = {0};
    bool added = false;
    struct log log = {.env = giq_env_system};
    log.env.debug = note;
    log.env.ctx = &log;
    giq_buf_init(&log.text, 1 << 16);
    assert_true(giq_cred_new("the-key", "the-token", &cred, &err));
    assert_true(giq_cred_add_header(cred, "Host: inner-name", &added, &err));
    giq_trace(&log.env, is_home ? cred : NULL, kind, bytes, strlen(bytes));
    assert_string_equal(log.text.len == 0 ? "" : giq_buf_text(&log.text), expected);
    giq_buf_release(&log.text);
    giq_cred_free(cred);
}

static void test_request_to_the_service(void **state)
{
    (void)state;
    check(GIQ_TRACE_HEADER_OUT, true,
          "GET /public/inference/status?inferenceId=the-key HTTP/1.1\r\n"
          "Host: giq.example\r\nX-API-KEY: the-key\r\nAuthorization: Bearer the-token\r\n"
          "Cookie: a=b\r\nRange: bytes=5-\r\nIf-Range: \"v1\"\r\n\r\n",
          "> GET /public/inference/status\n> Host: giq.example\n> X-API-KEY\n"
          "> Authorization\n> Cookie\n> Range: bytes=5-\n> If-Range: \"v1\"\n");
}

static void test_request_to_another_host_shows_no_address(void **state)
{
    (void)state;
    check(GIQ_TRACE_HEADER_OUT, false,
          "GET /bucket/signed-part?signature=x HTTP/1.1\r\n\r\n", "> GET\n");
}

static void test_response(void **state)
{
    (void)state;
    check(GIQ_TRACE_HEADER_IN, true, "HTTP/1.1 302 Found\r\n", "< HTTP/1.1 302 Found\n");
    check(GIQ_TRACE_HEADER_IN, true, "Location: https://x.example/a?signature=b\r\n",
          "< Location\n");
    check(GIQ_TRACE_HEADER_IN, true, "Set-Cookie: session=x\r\n", "< Set-Cookie\n");
    check(GIQ_TRACE_HEADER_IN, true, "ETag: \"the-key\"\r\n", "< ETag: \"*******\"\n");
    check(GIQ_TRACE_HEADER_IN, true, "Server: a\x1b[2Jb\r\n", "< Server: a [2Jb\n");
    check(GIQ_TRACE_HEADER_IN, false, "HTTP/1.1 403 of https://h/x?signature=b\r\n",
          "< HTTP/1.1 403 of https://h/x?***\n");
    check(GIQ_TRACE_HEADER_IN, true, "\r\n", "");
    check(GIQ_TRACE_HEADER_IN, true, "Location : https://x.example/a?signature=b\r\n",
          "");
    check(GIQ_TRACE_HEADER_IN, true, " folded signature=b\r\n", "");
}

static void test_notes_of_the_library(void **state)
{
    (void)state;
    check(GIQ_TRACE_TEXT, true, "Connected to 127.0.0.1 (127.0.0.1) port 80\n",
          "* Connected to 127.0.0.1 (127.0.0.1) port 80\n");
    check(GIQ_TRACE_TEXT, true, "h2h3 [:path: /a?signature=b]\n", "* h2h3 \n");
    check(GIQ_TRACE_TEXT, true, "Issue another request to /a?signature=b\n",
          "* Issue another request to /a\n");
    check(GIQ_TRACE_TEXT, true, "Uses proxy env variable http_proxy == 'me:pw@host:1'\n",
          "* Uses proxy env variable http_proxy == \n");
    check(GIQ_TRACE_TEXT, false, "Unsupported proxy scheme for 'x://me:pw@host'\n",
          "* Unsupported proxy scheme for \n");
    check(GIQ_TRACE_TEXT, true, "Proxy auth using Basic with user 'me'\n",
          "* Proxy auth using Basic with user 'me'\n");
    check(GIQ_TRACE_TEXT, true, "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_to_the_service),
        cmocka_unit_test(test_request_to_another_host_shows_no_address),
        cmocka_unit_test(test_response),
        cmocka_unit_test(test_notes_of_the_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
