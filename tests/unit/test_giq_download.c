#include "service/giq_download.h"

#include "unit.h"

#include <zlib.h>

#include "service_kit.h"

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
    giq_buf_release(&sink->body);
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

/* What gzip makes of "result". */
#define GZIP                                                                             \
    "\x1F\x8B\x08\x00\x00\x00\x00\x00\x02\x03"                                           \
    "\x2B\x4A\x2D\x2E\xCD\x29\x01\x00\x13\xC1\x6A\x13\x06\x00\x00\x00"
#define CODED(coding, bytes, size)                                                       \
    {                                                                                    \
        .status = 200, .headers = "Content-Encoding: " coding "\r\n", .body = (bytes),   \
        .body_len = (size)                                                               \
    }
#define RAW(text)                                                                        \
    {                                                                                    \
        .raw = (text), .body_len = sizeof(text) - 1, .then = HTTP_KIT_CLOSE              \
    }
#define NOT_BEGUN RAW("HTTP/1.1 200 Said\r\nContent-Length: 6\r\n\r\n")
#define GZIP_HEAD "HTTP/1.1 200 Said\r\nContent-Encoding: gzip\r\nETag: \"v1\"\r\n"
enum { GZIP_LEN = sizeof GZIP - 1 };

/* Download from a service; the code of the error. The sink's body is to be released. */
static enum giq_code download_from(struct service_kit *kit, struct sink *sink)
{
    const struct giq_download_sink taken = {.begin = begin, .write = take, .ctx = sink};
    char *disposition = NULL;
    giq_buf_init(&sink->body, 1 << 20);
    bool ok = giq_download(kit->service, "j", &taken, &disposition, &kit->err);
    free(disposition);
    return ok ? GIQ_E_NONE : kit->err.code;
}

/* Download with these responses; the code of the error, the sink as it was left. */
static enum giq_code download(const struct http_kit_response *responses, size_t count,
                              struct sink *sink, size_t *requests, bool allow)
{
    struct service_kit kit;
    service_kit_start(&kit, responses, count);
    kit.service->settings.allow_unverified_length = allow;
    enum giq_code code = download_from(&kit, sink);
    *requests = http_kit_count(kit.http);
    service_kit_stop(&kit);
    return code;
}

static const struct {
    struct http_kit_response responses[4];
    size_t requests;
    bool allow;
} wholes[] = {
    {{WHOLE}, 1, false},
    {{CHUNKED("0\r\n\r\n")}, 1, false},
    {{UNTOLD}, 1, true},
    {{CUT, WHOLE}, 2, false},
    {{CHUNKED(""), WHOLE}, 2, false},
    {{UNTOLD, WHOLE}, 2, false},
    {{{.status = 503},
      RAW("HTTP/1.1 200 Said\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      WHOLE},
     3,
     false},
    {{{.status = 206, .body = "res"}, WHOLE}, 2, false},
    {{CODED("identity", "result", 0)}, 1, false},
    {{CODED("utf-8", "result", 0)}, 1, false},
    {{CODED("none", "result", 0)}, 1, false},
    {{CODED("binary", "result", 0)}, 1, false},
    {{CODED("aws-chunked", "result", 0)}, 1, false},
    {{CODED("", "result", 0)}, 1, false},
    {{CODED("gzip", "result", 0)}, 1, false},
    {{CODED("gzip", GZIP, GZIP_LEN)}, 1, false},
    {{CODED("x-gzip", GZIP, GZIP_LEN)}, 1, false},
    {{CODED("aws-chunked,gzip", GZIP, GZIP_LEN)}, 1, false},
    {{RAW(GZIP_HEAD "\r\n" GZIP)}, 1, false},
    {{CODED("gzip", GZIP, GZIP_LEN - 1), WHOLE}, 2, false},
    {{CODED("gzip", GZIP "x", GZIP_LEN + 1), WHOLE}, 2, false},
    {{CODED("br", "result", 0), WHOLE}, 2, false},
};

static void test_download_is_whole_or_begins_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(wholes); i++) {
        struct sink sink = {.length = -1};
        size_t requests = 0;
        assert_int_equal(
            download(wholes[i].responses, 4, &sink, &requests, wholes[i].allow),
            GIQ_E_NONE);
        assert_int_equal(requests, wholes[i].requests);
        assert_string_equal(giq_buf_text(&sink.body), "result");
        giq_buf_release(&sink.body);
    }
}

static void test_download_that_stays_bad_fails(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_response response;
        enum giq_code code;
        size_t requests;
    } cases[] = {
        {CUT, GIQ_E_INCOMPLETE, 4},
        {CHUNKED(""), GIQ_E_INCOMPLETE, 4},
        {{.status = 200}, GIQ_E_RESULT, 1},
        {RAW("HTTP/1.1 200 Said\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
         GIQ_E_INCOMPLETE, 4},
        {CODED("br", "x", 0), GIQ_E_INCOMPLETE, 4},
        {CODED("deflate", "x", 0), GIQ_E_INCOMPLETE, 4},
        {CODED("zstd", "x", 0), GIQ_E_INCOMPLETE, 4},
        {CODED("gzip, gzip", GZIP, GZIP_LEN), GIQ_E_INCOMPLETE, 4},
        {CODED("gzip", GZIP, GZIP_LEN - 1), GIQ_E_INCOMPLETE, 4},
        {{.status = 500}, GIQ_E_SERVICE, 4},
        {{.status = 400}, GIQ_E_SERVICE, 1},
        {{.status = 404}, GIQ_E_GONE, 1},
        {{.status = 410}, GIQ_E_GONE, 1},
        {{.status = 401}, GIQ_E_CREDENTIALS, 1},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct http_kit_response responses[] = {
            cases[i].response, cases[i].response, cases[i].response, cases[i].response,
            WHOLE};
        struct sink sink = {.length = -1};
        size_t requests = 0;
        assert_int_equal(download(responses, 5, &sink, &requests, false), cases[i].code);
        assert_int_equal(requests, cases[i].requests);
        giq_buf_release(&sink.body);
    }
}

static void test_only_a_download_without_a_byte_is_a_failure_of_the_network(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_response responses[4];
        enum giq_code code;
    } cases[] = {
        {{CUT, RAW(""), RAW(""), RAW("")}, GIQ_E_INCOMPLETE},
        {{RAW(""), CUT, RAW(""), RAW("")}, GIQ_E_INCOMPLETE},
        {{CHUNKED(""), RAW(""), RAW(""), RAW("")}, GIQ_E_INCOMPLETE},
        {{RAW(""), RAW(""), RAW(""), CUT}, GIQ_E_INCOMPLETE},
        {{RAW(""), RAW(""), RAW(""), RAW("")}, GIQ_E_NETWORK},
        {{NOT_BEGUN, NOT_BEGUN, NOT_BEGUN, NOT_BEGUN}, GIQ_E_NETWORK},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct sink sink = {.length = -1};
        size_t requests = 0;
        assert_int_equal(download(cases[i].responses, 4, &sink, &requests, false),
                         cases[i].code);
        assert_int_equal(requests, 4);
        giq_buf_release(&sink.body);
    }
}

static void test_sink_is_told_the_length_and_may_refuse(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {WHOLE, WHOLE};
    struct sink sink = {.length = -1};
    size_t requests = 0;
    assert_int_equal(download(responses, 2, &sink, &requests, false), GIQ_E_NONE);
    assert_true(sink.length == 6);
    assert_int_equal(sink.begun, 1);
    giq_buf_release(&sink.body);
    sink.refuses = true;
    assert_int_equal(download(responses, 2, &sink, &requests, false), GIQ_E_STORE);
    assert_int_equal(requests, 1);
    giq_buf_release(&sink.body);
}

/* A sink that forgets. */
static bool forget(void *ctx, const char *bytes, size_t len, struct giq_error *err)
{
    (void)ctx;
    (void)bytes;
    (void)len;
    (void)err;
    return true;
}

/* More than a gigabyte of zeros in a megabyte, `*out_len` bytes to be freed: behind a
 * full flush the same zeros are the same bytes again. */
static char *code_zeros(size_t *out_len)
{
    enum { PIECE = 1 << 20, PIECES = 1025, CODED_MAX = 8192 };
    unsigned char *zeros = calloc(PIECE, 1);
    unsigned char coded[CODED_MAX];
    z_stream stream = {.next_out = coded, .avail_out = CODED_MAX};
    size_t ends[2] = {0, 0};
    assert_non_null(zeros);
    assert_int_equal(
        deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
        Z_OK);
    for (size_t i = 0; i < 2; i++) {
        stream.next_in = zeros;
        stream.avail_in = PIECE;
        assert_int_equal(deflate(&stream, Z_FULL_FLUSH), Z_OK);
        ends[i] = stream.total_out;
    }
    assert_int_equal(deflateEnd(&stream), Z_DATA_ERROR); /* it was not ended */
    size_t len = ends[1] - ends[0];
    char *whole = malloc(ends[0] + len * PIECES);
    assert_non_null(whole);
    memcpy(whole, coded, ends[0]);
    for (size_t i = 0; i < PIECES; i++) {
        memcpy(whole + ends[0] + i * len, coded + ends[0], len);
    }
    *out_len = ends[0] + len * PIECES;
    free(zeros);
    return whole;
}

static void test_coded_result_has_a_ceiling(void **state)
{
    (void)state;
    size_t len = 0;
    char *coded = code_zeros(&len);
    const struct http_kit_response response = CODED("gzip", coded, len);
    struct sink sink = {.length = -1};
    const struct giq_download_sink taken = {
        .begin = begin, .write = forget, .ctx = &sink};
    struct service_kit kit;
    char *disposition = NULL;
    giq_buf_init(&sink.body, 1);
    service_kit_start(&kit, &response, 1);
    assert_false(giq_download(kit.service, "j", &taken, &disposition, &kit.err));
    assert_int_equal(kit.err.code, GIQ_E_RESULT);
    assert_int_equal(http_kit_count(kit.http), 1);
    assert_int_equal(sink.begun, 2); /* the second empties it */
    service_kit_stop(&kit);
    free(coded);
}

/* ---- going on where a body broke off ---- */

#define HALF(etag)                                                                       \
    {                                                                                    \
        .raw = "HTTP/1.1 200 Said\r\nETag: " etag "\r\nContent-Length: 6\r\n\r\nres",    \
        .then = HTTP_KIT_CLOSE                                                           \
    }
#define PART(headers, sent)                                                              \
    {                                                                                    \
        .raw = "HTTP/1.1 206 Said\r\n" headers "\r\n" sent, .then = HTTP_KIT_CLOSE       \
    }
#define V1 "ETag: \"v1\"\r\n"
#define REST(range)                                                                      \
    PART(V1 "Content-Range: bytes " range "\r\nContent-Length: 3\r\n", "ult")

struct resumed {
    struct http_kit_response responses[5];
    const char *ranges[5]; /* of each request that must come, "" for none */
    int begun;             /* bodies from the first byte */
};

static void check_range(struct service_kit *kit, size_t i, const char *range)
{
    char line[64];
    (void)snprintf(line, sizeof line, "\r\nRange: bytes=%s\r\n", range);
    assert_int_equal(service_kit_sent(kit, i, range[0] == '\0' ? "Range: " : line),
                     range[0] != '\0');
    assert_int_equal(service_kit_sent(kit, i, "\r\nIf-Range: \"v1\"\r\n"),
                     range[0] != '\0');
}

static void check_resumed(const struct resumed *c)
{
    struct sink sink = {.length = -1};
    struct service_kit kit;
    size_t count = 0;
    service_kit_start(&kit, c->responses, 5);
    assert_int_equal(download_from(&kit, &sink), GIQ_E_NONE);
    assert_string_equal(giq_buf_text(&sink.body), "result");
    assert_int_equal(sink.begun, c->begun);
    for (; count < 5 && c->ranges[count] != NULL; count++) {
        check_range(&kit, count, c->ranges[count]);
    }
    assert_int_equal(http_kit_count(kit.http), count);
    giq_buf_release(&sink.body);
    service_kit_stop(&kit);
}

static void test_body_goes_on_where_the_same_is_proved(void **state)
{
    (void)state;
    static const struct resumed cases[] = {
        {{HALF("\"v1\""), REST("3-5/6")}, {"", "3-"}, 1},
        {{HALF("\"v1\""),
          PART(V1 "Content-Range: bytes 3-5/6\r\nContent-Length: 3\r\n", "u"),
          PART(V1 "Content-Range: bytes 4-5/6\r\nContent-Length: 2\r\n", "lt")},
         {"", "3-", "4-"},
         1},
        {{HALF("\"v1\""), {.status = 503}, REST("3-5/6")}, {"", "3-", "3-"}, 1},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        check_resumed(&cases[i]);
    }
}

static const struct resumed unproved[] = {
    {{HALF("\"v1\""), WHOLE}, {"", "3-"}, 2},
    {{HALF("W/\"v1\""), WHOLE}, {"", ""}, 2},
    {{HALF("v1"), WHOLE}, {"", ""}, 2},
    {{HALF("\"v1\""), {.status = 416}, WHOLE}, {"", "3-", ""}, 2},
    {{HALF("\"v1\""), {.status = 412}, WHOLE}, {"", "3-", ""}, 2},
    {{HALF("\"v1\""), PART("Content-Range: bytes 3-5/6\r\nContent-Length: 3\r\n", "ULT"),
      WHOLE},
     {"", "3-", ""},
     2},
    {{HALF("\"v1\""),
      PART("Content-Range: bytes 3-5/6\r\nETag: W/\"v1\"\r\nContent-Length: 3\r\n",
           "ULT"),
      WHOLE},
     {"", "3-", ""},
     2},
    {{HALF("\"v1\""), REST("2-4/6"), WHOLE}, {"", "3-", ""}, 2},
    {{HALF("\"v1\""), REST("3-5/7"), WHOLE}, {"", "3-", ""}, 2},
    {{HALF("\"v1\""), REST("3-4/6"), WHOLE}, {"", "3-", ""}, 2},
    {{HALF("\"v1\""), REST("3-5/*"), WHOLE}, {"", "3-", ""}, 2},
    {{HALF("\"v1\""), PART(V1 "Content-Length: 3\r\n", "ult"), WHOLE}, {"", "3-", ""}, 2},
    {{HALF("\"v1\""),
      PART("Content-Range: bytes 3-5/6\r\nETag: \"v2\"\r\nContent-Length: 3\r\n", "ult"),
      WHOLE},
     {"", "3-", ""},
     2},
    {{HALF("\"v1\""),
      PART(V1 "Content-Range: bytes 3-5/6\r\nContent-Length: 2\r\n", "ul"), WHOLE},
     {"", "3-", ""},
     2},
    {{HALF("\"v1\""),
      PART(V1 "Content-Range: bytes 3-5/6\r\nContent-Length: 4\r\n", "ultX"), WHOLE},
     {"", "3-", ""},
     2},
    {{HALF("\"v1\""),
      PART(V1 "Content-Range: bytes 3-5/6\r\nContent-Encoding: gzip\r\n"
              "Content-Length: 3\r\n",
           "ult"),
      WHOLE},
     {"", "3-", ""},
     2},
    {{HALF("\"v1\""), PART(V1 "Content-Range: bytes 3-5/6\r\nContent-Length: 0\r\n", ""),
      WHOLE},
     {"", "3-", ""},
     2},
    {{RAW(GZIP_HEAD "Content-Length: 30\r\n\r\n" GZIP), WHOLE}, {"", ""}, 2},
};

static void test_body_that_is_not_proved_the_same_starts_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(unproved); i++) {
        check_resumed(&unproved[i]);
    }
}

static void test_bytes_do_not_start_the_count_of_tries_anew(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {
        HALF("\"v1\""),
        PART(V1 "Content-Range: bytes 3-5/6\r\nContent-Length: 3\r\n", "u"),
        PART(V1 "Content-Range: bytes 4-5/6\r\nContent-Length: 2\r\n", "l"),
        PART(V1 "Content-Range: bytes 5-5/6\r\nContent-Length: 1\r\n", ""),
        PART(V1 "Content-Range: bytes 5-5/6\r\nContent-Length: 1\r\n", "t"),
    };
    struct sink sink = {.length = -1};
    size_t requests = 0;
    assert_int_equal(download(responses, 5, &sink, &requests, false), GIQ_E_INCOMPLETE);
    assert_int_equal(requests, 4);
    giq_buf_release(&sink.body);
}

static struct sink *cancelling;

static bool cancels_after_a_byte(void *ctx)
{
    (void)ctx;
    return cancelling->body.len > 0;
}

static void test_cancelled_transfer_ends(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {
        {.raw = "HTTP/1.1 200 Said\r\nContent-Length: 6\r\n\r\nres",
         .then = HTTP_KIT_SILENT},
        WHOLE};
    struct sink sink = {.length = -1};
    struct service_kit kit;
    service_kit_start(&kit, responses, GIQ_COUNT(responses));
    cancelling = &sink;
    kit.clock.env.cancelled = cancels_after_a_byte;
    assert_int_equal(download_from(&kit, &sink), GIQ_E_CANCELLED);
    assert_int_equal(http_kit_count(kit.http), 1);
    assert_int_equal(kit.clock.sleeps, 0);
    service_kit_stop(&kit);
    giq_buf_release(&sink.body);
}

static void test_cancelled_pause_is_the_last(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {{.status = 503}, WHOLE};
    struct sink sink = {.length = -1};
    struct service_kit kit;
    service_kit_start(&kit, responses, GIQ_COUNT(responses));
    kit.clock.cancels_ms = kit.clock.now_ms + 1; /* the pause takes longer */
    assert_int_equal(download_from(&kit, &sink), GIQ_E_SERVICE);
    assert_int_equal(http_kit_count(kit.http), 1);
    assert_int_equal(kit.clock.sleeps, 1);
    service_kit_stop(&kit);
    giq_buf_release(&sink.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_download_is_whole_or_begins_again),
        cmocka_unit_test(test_download_that_stays_bad_fails),
        cmocka_unit_test(test_only_a_download_without_a_byte_is_a_failure_of_the_network),
        cmocka_unit_test(test_sink_is_told_the_length_and_may_refuse),
        cmocka_unit_test(test_coded_result_has_a_ceiling),
        cmocka_unit_test(test_body_goes_on_where_the_same_is_proved),
        cmocka_unit_test(test_body_that_is_not_proved_the_same_starts_over),
        cmocka_unit_test(test_bytes_do_not_start_the_count_of_tries_anew),
        cmocka_unit_test(test_cancelled_transfer_ends),
        cmocka_unit_test(test_cancelled_pause_is_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
