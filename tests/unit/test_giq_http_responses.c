#include "session_kit.h"

#include "unit.h"

#include <zlib.h>

/* ---- responses ---- */

static void test_what_a_response_holds(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {
        {.status = 503,
         .body = "busy",
         .headers = "Retry-After: 4\r\nLocation: ../x\r\nContent-Disposition: d\r\n"},
        {.status = 302, .headers = "Location: ../x?y=z\r\n"},
        {.status = 200, .body = "{}"},
    };
    struct session s;
    char location[256];
    session_begin(&s, responses, GIQ_COUNT(responses));
    assert_true(
        session_exchange(&s, (struct giq_http_request){.fresh_connection = false}));
    assert_int_equal(s.response.status, 503);
    assert_true(s.response.retry_after_ms == 4000);
    assert_string_equal(giq_buf_text(&s.response.body), "busy");
    assert_string_equal(s.response.headers.value[GIQ_HEADERS_CONTENT_DISPOSITION], "d");
    assert_true(s.response.content_length == 4);
    assert_true(s.response.received == 4);
    assert_true(
        session_exchange(&s, (struct giq_http_request){.fresh_connection = false}));
    (void)snprintf(location, sizeof location, "%s/x?y=z", http_kit_url(s.kit.http));
    assert_string_equal(s.response.location, location);
    assert_true(
        session_exchange(&s, (struct giq_http_request){.fresh_connection = false}));
    assert_null(s.response.location);
    assert_true(s.response.retry_after_ms == -1);
    assert_true(s.response.has_proven_end);
    session_end(&s);
}

#define OK_LINE "HTTP/1.1 200 Said\r\n"
#define CHUNKS  OK_LINE "Transfer-Encoding: chunked\r\n\r\n"

/* A name is in any case, the value without outer white space, and a line may go on in the
 * next one. Interim responses and trailers do not count. */
static void test_headers_are_those_of_the_final_response(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {
        {.raw = "HTTP/1.1 103 Early\r\nRetry-After: 5\r\nETag: \"e\"\r\n\r\n" OK_LINE
                "Transfer-Encoding: chunked\r\n"
                "content-disposition:inline\r\n"
                "CONTENT-ENCODING:  x-a \r\nContent-Encoding: x-b\r\n"
                "Content-Range: bytes\r\n 3-5/6\r\n"
                "X-Retry-After: 6\r\n\r\n"
                "3\r\nabc\r\n0\r\nETag: \"t\"\r\n\r\n"},
        {.raw = "", .then = HTTP_KIT_CLOSE},
    };
    static const char *const expected[GIQ_HEADERS_COUNT] = {
        [GIQ_HEADERS_CONTENT_DISPOSITION] = "inline",
        [GIQ_HEADERS_CONTENT_ENCODING] = "x-a,x-b",
        [GIQ_HEADERS_CONTENT_RANGE] = "bytes 3-5/6",
        [GIQ_HEADERS_TRANSFER_ENCODING] = "chunked",
    };
    struct session s;
    session_begin(&s, responses, GIQ_COUNT(responses));
    for (int n = 0; n < 2; n++) {
        assert_int_equal(
            session_exchange(&s, (struct giq_http_request){.fresh_connection = true,
                                                           .sink = session_sink}),
            n == 0);
        for (int i = 0; i < GIQ_HEADERS_COUNT; i++) {
            const char *value = s.response.headers.value[i];
            assert_string_equal(value == NULL ? "(null)" : value,
                                n == 0 && expected[i] != NULL ? expected[i] : "(null)");
        }
        assert_int_equal(s.response.status, n == 0 ? 200 : 0);
        assert_int_equal(s.response.retry_after_ms, -1);
    }
    assert_string_equal(giq_buf_text(&s.sunk), "abc");
    session_end(&s);
}

static void test_whole_bodies_are_distinguished_from_cut_ones(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        bool ok, has_proven_end;
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
        const struct http_kit_response response = {.raw = cases[i / 2].raw,
                                                   .then = HTTP_KIT_CLOSE};
        struct session s;
        session_begin(&s, &response, 1);
        bool ok = session_exchange(
            &s, (struct giq_http_request){.sink = sinks ? session_sink : NULL});
        assert_int_equal(ok, cases[i / 2].ok);
        assert_int_equal(s.kit.err.code,
                         sinks ? cases[i / 2].with_sink : cases[i / 2].without);
        assert_int_equal(s.response.has_proven_end, cases[i / 2].has_proven_end);
        assert_true(s.response.content_length == cases[i / 2].length);
        assert_string_equal(giq_buf_text(ok && sinks ? &s.sunk : &s.response.body),
                            ok || (!sinks && s.response.received > 0) ? "abc" : "");
        session_end(&s);
    }
}

static void test_failing_sink_ends_the_exchange_with_its_error(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {{.status = 200, .body = "abc"}};
    struct session s;
    session_begin(&s, responses, 1);
    s.refuses = true;
    assert_false(session_exchange(&s, (struct giq_http_request){.sink = session_sink}));
    assert_int_equal(s.kit.err.code, GIQ_E_STORE);
    assert_string_equal(s.kit.err.text, "full");
    session_end(&s);
}

static void test_sizes_are_capped(void **state)
{
    (void)state;
    static const struct {
        int status;
        bool ok;
        size_t size;
        size_t most; /* of the body */
    } cases[] = {
        {200, true, GIQ_RESPONSE_BYTES_MAX, GIQ_RESPONSE_BYTES_MAX},
        {200, false, GIQ_RESPONSE_BYTES_MAX + 1, GIQ_RESPONSE_BYTES_MAX},
        {500, true, GIQ_RESPONSE_ERROR_BYTES_MAX, GIQ_RESPONSE_ERROR_BYTES_MAX},
        {500, true, GIQ_RESPONSE_ERROR_BYTES_MAX + 1, GIQ_RESPONSE_ERROR_BYTES_MAX},
        {404, true, (size_t)4 * GIQ_RESPONSE_ERROR_BYTES_MAX,
         GIQ_RESPONSE_ERROR_BYTES_MAX},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct http_kit_response response = {.status = cases[i].status,
                                                   .fill = cases[i].size};
        struct session s;
        session_begin(&s, &response, 1);
        assert_int_equal(
            session_exchange(&s, (struct giq_http_request){.fresh_connection = true}),
            cases[i].ok);
        assert_int_equal(s.kit.err.code, cases[i].ok ? GIQ_E_NONE : GIQ_E_SERVICE);
        assert_int_equal(s.response.status, cases[i].status);
        assert_true(s.response.body.len <= cases[i].most);
        session_end(&s);
    }
}

/* What gzip makes of "{}". */
#define GZIP_HEAD "\x1F\x8B\x08\0\0\0\0\0\x02\x03"
#define GZIP_BODY GZIP_HEAD "\xAB\xAE\x05\0\x43\xBF\xA6\xA3\x02\0\0\0"

struct coded {
    int status;
    const char *coding, *bytes;
    size_t len;
    const char *body; /* NULL: what came */
};

/* Begin a session in which this response comes. */
static bool exchange_coded(struct session *s, const struct coded *coded)
{
    static char headers[64];
    static struct http_kit_response response;
    (void)snprintf(headers, sizeof headers, "Content-Encoding: %s\r\n", coded->coding);
    response = (struct http_kit_response){.status = coded->status,
                                          .headers = headers,
                                          .body = coded->bytes,
                                          .body_len = coded->len};
    session_begin(s, &response, 1);
    return session_exchange(s, (struct giq_http_request){.fresh_connection = false});
}

static void test_small_responses_are_decoded(void **state)
{
    (void)state;
    static const struct coded cases[] = {
        {200, "gzip", GZIP_BODY, sizeof GZIP_BODY - 1, "{}"},
        {200, "x-gzip", GZIP_BODY, sizeof GZIP_BODY - 1, "{}"},
        {400, "gzip", GZIP_BODY, sizeof GZIP_BODY - 1, "{}"},
        {200, "deflate", "\x78\x9C\xAB\xAE\x05\0\x01\x75\0\xF9", 10, "{}"},
        {200, "deflate", "\xAB\xAE\x05\0", 4, "{}"},
        {200, "utf-8", "{}", 2, NULL},
        {200, "gzip", "{}", 2, NULL},
        {200, "br", "{}", 2, NULL},
        {200, "gzip", GZIP_HEAD "\xFF\xFF", sizeof GZIP_HEAD + 1, NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct session s;
        assert_true(exchange_coded(&s, &cases[i]));
        const char *body = cases[i].body == NULL ? cases[i].bytes : cases[i].body;
        size_t len = cases[i].body == NULL ? cases[i].len : strlen(body);
        assert_int_equal(s.response.body.len, len);
        assert_memory_equal(s.response.body.data, body, len);
        session_end(&s);
    }
}

/* The decoded part stays in the response: a run request may find its job's id there. */
static void test_cut_content_coding_is_a_cut_response(void **state)
{
    (void)state;
    static const struct coded cases[] = {
        {200, "gzip", GZIP_BODY, sizeof GZIP_BODY - 1 - 8, "{}"},
        {200, "gzip", GZIP_BODY, sizeof GZIP_BODY - 1 - 1, "{}"},
        {201, "gzip", GZIP_BODY, sizeof GZIP_BODY - 1 - 1, "{}"},
        {200, "deflate", "\x78\x9C\xAB\xAE\x05\0\x01\x75\0\xF9", 9, "{}"},
        {400, "gzip", GZIP_BODY, sizeof GZIP_BODY - 1 - 8, "{}"},
        {502, "gzip", GZIP_BODY, sizeof GZIP_BODY - 1 - 1, "{}"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        bool is_error_page = cases[i].status >= 400;
        struct session s;
        assert_int_equal(exchange_coded(&s, &cases[i]), is_error_page);
        assert_int_equal(s.kit.err.code, is_error_page ? GIQ_E_NONE : GIQ_E_NETWORK);
        assert_string_equal(giq_buf_text(&s.response.body), cases[i].body);
        session_end(&s);
    }
}

static void test_sizes_are_capped_after_decoding(void **state)
{
    (void)state;
    enum { SIZE = GIQ_RESPONSE_BYTES_MAX + 1, CODED = 64 * 1024 };
    Bytef *coded = calloc(CODED, 1);
    char *zeros = calloc(SIZE, 1);
    uLongf coded_len = CODED;
    assert_non_null(coded);
    assert_non_null(zeros);
    assert_int_equal(compress(coded, &coded_len, (const Bytef *)zeros, SIZE), Z_OK);
    for (int status = 200; status <= 500; status += 300) {
        const struct http_kit_response response = {.status = status,
                                                   .headers =
                                                       "Content-Encoding: deflate\r\n",
                                                   .body = (const char *)coded,
                                                   .body_len = coded_len};
        struct session s;
        session_begin(&s, &response, 1);
        assert_int_equal(
            session_exchange(&s, (struct giq_http_request){.fresh_connection = false}),
            status == 500);
        assert_int_equal(s.kit.err.code, status == 500 ? GIQ_E_NONE : GIQ_E_SERVICE);
        assert_int_equal(s.response.body.len,
                         status == 500 ? GIQ_RESPONSE_ERROR_BYTES_MAX : coded_len);
        session_end(&s);
    }
    free(zeros);
    free(coded);
}

static void test_headers_are_capped(void **state)
{
    (void)state;
    enum { LINES = 20, LINE = 4000 };
    struct giq_buf raw;
    giq_buf_init(&raw, LINES * (LINE + 8) + 64);
    assert_true(giq_buf_add_text(&raw, OK_LINE));
    for (int i = 0; i < LINES; i++) {
        assert_true(giq_buf_addf(&raw, "X: %0*d\r\n", LINE, i));
    }
    assert_true(giq_buf_add_text(&raw, "Content-Length: 0\r\n\r\n"));
    const struct http_kit_response response = {.raw = giq_buf_text(&raw)};
    struct session s;
    session_begin(&s, &response, 1);
    assert_false(
        session_exchange(&s, (struct giq_http_request){.fresh_connection = false}));
    assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
    assert_true(s.kit.err.permanent);
    assert_string_equal(s.kit.err.text,
                        "the response has more than 65536 bytes of headers");
    session_end(&s);
    giq_buf_release(&raw);
}

static void test_response_that_ends_within_its_headers_is_none(void **state)
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
        const struct http_kit_response response = {.raw = raws[i],
                                                   .then = HTTP_KIT_CLOSE};
        struct session s;
        session_begin(&s, &response, 1);
        assert_false(
            session_exchange(&s, (struct giq_http_request){.fresh_connection = false}));
        assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
        assert_true(s.response.sent);
        assert_null(s.response.location);
        session_end(&s);
    }
}

static void test_header_line_without_end_is_capped(void **state)
{
    (void)state;
    enum { LINE = 200 * 1000 };
    char *raw = calloc(LINE + 64, 1);
    assert_non_null(raw);
    (void)sprintf(raw, OK_LINE "X: %0*d", LINE, 0);
    const struct http_kit_response response = {.raw = raw, .then = HTTP_KIT_SILENT};
    struct session s;
    session_begin(&s, &response, 1);
    assert_false(
        session_exchange(&s, (struct giq_http_request){.fresh_connection = false}));
    assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
    assert_true(s.kit.err.permanent);
    session_end(&s);
    free(raw);
}

/* ---- time ---- */

static void test_exchange_ends_after_its_time(void **state)
{
    (void)state;
    static const char *const responses[] = {"", OK_LINE "Content-Length: 9\r\n\r\nabc"};
    for (size_t i = 0; i < GIQ_COUNT(responses); i++) {
        const struct http_kit_response response = {.raw = responses[i],
                                                   .then = HTTP_KIT_SILENT};
        struct session s;
        session_begin(&s, &response, 1);
        assert_false(session_exchange(&s, (struct giq_http_request){.timeout_ms = 60}));
        assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
        assert_string_equal(s.kit.err.text, "127.0.0.1: Timeout was reached");
        assert_true(s.response.sent);
        session_end(&s);
    }
}

/* Every look at the clock is 600 ms later, so that the second finds a stall. */
static void test_stalled_transfer_ends_with_the_open(void **state)
{
    (void)state;
    static const struct http_kit_response response = {
        .raw = OK_LINE "Content-Length: 9\r\n\r\nabc", .then = HTTP_KIT_SILENT};
    struct session s;
    session_begin(&s, &response, 1);
    s.kit.clock.step_ms = 600;
    assert_false(session_exchange(
        &s, (struct giq_http_request){.sink = session_sink,
                                      .deadline_ms = s.kit.clock.now_ms}));
    assert_string_equal(s.kit.err.text,
                        "127.0.0.1: the transfer stalled, and the time limit "
                        "of the open has passed");
    session_end(&s);
}

/* The session begins with its kit, and that with the clock. */
static bool cancels_once_sent(void *ctx)
{
    const struct session *s = ctx;
    return s->response.sent;
}

static void test_cancelled_exchange_ends_unless_it_is_recorded(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {
        {.status = 200, .body = "abc"}, {.raw = "", .then = HTTP_KIT_SILENT}};
    struct session s;
    session_begin(&s, responses, GIQ_COUNT(responses));
    s.kit.clock.env.cancelled = cancels_once_sent;
    assert_true(session_exchange(
        &s, (struct giq_http_request){.before_send = session_before_send}));
    assert_string_equal(giq_buf_text(&s.response.body), "abc");
    assert_false(session_exchange(&s, (struct giq_http_request){.sink = session_sink}));
    assert_int_equal(s.kit.err.code, GIQ_E_CANCELLED);
    assert_true(s.response.sent);
    session_end(&s);
}

static void test_errors_name_the_host_alone(void **state)
{
    (void)state;
    static const struct http_kit_response response = {.raw = "", .then = HTTP_KIT_CLOSE};
    struct session s;
    session_begin(&s, &response, 1);
    assert_false(
        session_exchange(&s, (struct giq_http_request){.fresh_connection = false}));
    assert_int_equal(s.kit.err.code, GIQ_E_NETWORK);
    assert_memory_equal(s.kit.err.text, "127.0.0.1: ", 11);
    assert_null(strstr(s.kit.err.text, "q=1"));
    assert_null(strstr(s.kit.err.text, "/p/a"));
    assert_null(strstr(s.kit.err.text, SERVICE_KIT_KEY));
    session_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_response_holds),
        cmocka_unit_test(test_headers_are_those_of_the_final_response),
        cmocka_unit_test(test_whole_bodies_are_distinguished_from_cut_ones),
        cmocka_unit_test(test_failing_sink_ends_the_exchange_with_its_error),
        cmocka_unit_test(test_sizes_are_capped),
        cmocka_unit_test(test_small_responses_are_decoded),
        cmocka_unit_test(test_cut_content_coding_is_a_cut_response),
        cmocka_unit_test(test_sizes_are_capped_after_decoding),
        cmocka_unit_test(test_headers_are_capped),
        cmocka_unit_test(test_response_that_ends_within_its_headers_is_none),
        cmocka_unit_test(test_header_line_without_end_is_capped),
        cmocka_unit_test(test_exchange_ends_after_its_time),
        cmocka_unit_test(test_stalled_transfer_ends_with_the_open),
        cmocka_unit_test(test_cancelled_exchange_ends_unless_it_is_recorded),
        cmocka_unit_test(test_errors_name_the_host_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
