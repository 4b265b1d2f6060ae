#include "net/giq_headers.h"

#include "unit.h"

static void feed(struct giq_headers *headers, const char *line)
{
    assert_true(giq_headers_line(headers, line, strlen(line)));
}

static void check(const char *actual, const char *expected)
{
    assert_string_equal(actual == NULL ? "(null)" : actual,
                        expected == NULL ? "(null)" : expected);
}

static void test_lines_that_are_kept(void **state)
{
    (void)state;
    static const struct {
        const char *line, *disposition, *encoding, *retry_after;
        bool chunked;
    } cases[] = {
        {"Content-Disposition: attachment; filename=a\r\n", "attachment; filename=a",
         NULL, NULL, false},
        {"content-disposition:inline", "inline", NULL, NULL, false},
        {"CONTENT-ENCODING:  gzip \r\n", NULL, "gzip", NULL, false},
        {"Retry-After: 5\n", NULL, NULL, "5", false},
        {"Retry-After:\r\n", NULL, NULL, "", false},
        {"Transfer-Encoding: chunked\r\n", NULL, NULL, NULL, true},
        {"Transfer-Encoding: gzip, Chunked\r\n", NULL, NULL, NULL, true},
        {"Transfer-Encoding: gzip\r\n", NULL, NULL, NULL, false},
        {"X-Retry-After: 5\r\n", NULL, NULL, NULL, false},
        {"Retry-After 5\r\n", NULL, NULL, NULL, false},
        {": 5\r\n", NULL, NULL, NULL, false},
        {"\r\n", NULL, NULL, NULL, false},
        {"", NULL, NULL, NULL, false},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_headers headers;
        giq_headers_init(&headers);
        feed(&headers, "HTTP/1.1 200 OK\r\n");
        feed(&headers, cases[i].line);
        check(headers.disposition, cases[i].disposition);
        check(headers.encoding, cases[i].encoding);
        check(headers.retry_after, cases[i].retry_after);
        assert_int_equal(headers.chunked, cases[i].chunked);
        giq_headers_release(&headers);
    }
}

static void test_codings_are_told_from_other_words(void **state)
{
    (void)state;
    static const struct {
        const char *lines[2];
        enum giq_headers_coding coding;
    } cases[] = {
        {{NULL}, GIQ_HEADERS_IDENTITY},
        {{""}, GIQ_HEADERS_IDENTITY},
        {{"identity"}, GIQ_HEADERS_IDENTITY},
        {{"utf-8"}, GIQ_HEADERS_IDENTITY},
        {{"none"}, GIQ_HEADERS_IDENTITY},
        {{"binary"}, GIQ_HEADERS_IDENTITY},
        {{"aws-chunked"}, GIQ_HEADERS_IDENTITY},
        {{"gzip"}, GIQ_HEADERS_GZIP},
        {{"X-GZIP"}, GIQ_HEADERS_GZIP},
        {{"aws-chunked,gzip"}, GIQ_HEADERS_GZIP},
        {{"identity", "gzip"}, GIQ_HEADERS_GZIP},
        {{" gzip , "}, GIQ_HEADERS_GZIP},
        {{"deflate"}, GIQ_HEADERS_DEFLATE},
        {{"br"}, GIQ_HEADERS_UNSUPPORTED},
        {{"zstd"}, GIQ_HEADERS_UNSUPPORTED},
        {{"gzip, gzip"}, GIQ_HEADERS_UNSUPPORTED},
        {{"gzip", "br"}, GIQ_HEADERS_UNSUPPORTED},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_headers headers;
        giq_headers_init(&headers);
        for (size_t k = 0; k < 2 && cases[i].lines[k] != NULL; k++) {
            char line[64];
            (void)snprintf(line, sizeof line, "Content-Encoding: %s\r\n",
                           cases[i].lines[k]);
            feed(&headers, line);
        }
        assert_int_equal(giq_headers_coding(&headers), cases[i].coding);
        giq_headers_release(&headers);
    }
}

static void test_proofs_that_contradict_each_other_prove_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *lines[3];
        bool proves;
    } cases[] = {
        {{"ETag: \"a\"", "Content-Range: bytes 3-5/6"}, true},
        {{"ETag: \"a\"", "ETag: \"a\"", "Content-Range: bytes 3-5/6"}, true},
        {{"ETag: \"b\"", "ETag: \"a\"", "Content-Range: bytes 3-5/6"}, false},
        {{"ETag: \"a\"", "Content-Range: bytes 3-5/6", "Content-Range: bytes 0-2/6"},
         false},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_headers headers;
        struct giq_headers_range range;
        giq_headers_init(&headers);
        for (size_t k = 0; k < 3 && cases[i].lines[k] != NULL; k++) {
            feed(&headers, cases[i].lines[k]);
        }
        assert_int_equal(giq_headers_strong_etag(&headers) != NULL &&
                             giq_headers_range(&headers, &range),
                         cases[i].proves);
        giq_headers_release(&headers);
    }
}

static void test_status_line_forgets_an_interim_response(void **state)
{
    (void)state;
    struct giq_headers headers;
    giq_headers_init(&headers);
    feed(&headers, "HTTP/1.1 103 Early\r\n");
    feed(&headers, "Retry-After: 5\r\n");
    feed(&headers, "Transfer-Encoding: chunked\r\n");
    size_t before = headers.bytes;
    feed(&headers, "HTTP/1.1 200 OK\r\n");
    assert_null(headers.retry_after);
    assert_false(headers.chunked);
    assert_int_equal(headers.bytes, before + 17);
    giq_headers_release(&headers);
}

static void test_last_line_of_a_name_counts(void **state)
{
    (void)state;
    struct giq_headers headers;
    giq_headers_init(&headers);
    feed(&headers, "Retry-After: 5\r\n");
    feed(&headers, "retry-after: 6\r\n");
    assert_string_equal(headers.retry_after, "6");
    giq_headers_release(&headers);
}

static void test_bytes_of_all_lines_are_limited(void **state)
{
    (void)state;
    char line[1024];
    struct giq_headers headers;
    giq_headers_init(&headers);
    memset(line, 'a', sizeof line);
    for (int i = 0; i < 64; i++) {
        assert_true(giq_headers_line(&headers, line, sizeof line));
    }
    assert_false(giq_headers_line(&headers, line, 1));
    assert_false(giq_headers_line(&headers, "HTTP/1.1 200 OK", 15));
    giq_headers_release(&headers);
}

static void test_retry_after(void **state)
{
    (void)state;
    enum { DAY_MS = 24 * 3600 * 1000 };
    static const struct {
        const char *value;
        int64_t ms;
    } cases[] = {
        {NULL, -1},
        {"", -1},
        {"0", 0},
        {"120", 120000},
        {"86400", DAY_MS},
        {"86401", DAY_MS},
        {"99999999999999999999", DAY_MS},
        {"-1", -1},
        {"1.5", -1},
        {"5 s", -1},
        {"Wed, 01 May 2024 00:00:10 GMT", 10000},
        {"Wed, 01 May 2024 00:00:00 GMT", 0},
        {"Tue, 30 Apr 2024 23:59:59 GMT", 0},
        {"Thu, 01 May 2025 00:00:00 GMT", DAY_MS},
        {"Wed, 01 Xyz 2024 00:00:10 GMT", -1},
        {"Wed, 01 anF 2024 00:00:10 GMT", -1},
        {"Wed, 01 May 2024 00:00:10", -1},
        {"Wed, 01 May 2024 00:00:10 GMT+4", -1},
        {"Wed, 41 May 2024 00:00:10 GMT", -1},
        {"soon", -1},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_headers headers;
        giq_headers_init(&headers);
        headers.retry_after = cases[i].value == NULL ? NULL : strdup(cases[i].value);
        assert_true(giq_headers_retry_after_ms(&headers, INT64_C(1714521600000)) ==
                    cases[i].ms);
        giq_headers_release(&headers);
    }
}

static void test_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool ok;
        int64_t first, last, total;
    } cases[] = {
        {"Content-Range: bytes 3-5/6", true, 3, 5, 6},
        {"content-range:BYTES 0-0/1", true, 0, 0, 1},
        {"Content-Range: bytes 5-999999999999/1000000000000", true, 5,
         INT64_C(999999999999), INT64_C(1000000000000)},
        {"Content-Range: bytes 3-5/*", false, 0, 0, 0},
        {"Content-Range: bytes */6", false, 0, 0, 0},
        {"Content-Range: bytes 5-3/6", false, 0, 0, 0},
        {"Content-Range: bytes 3-6/6", false, 0, 0, 0},
        {"Content-Range: bytes -3-5/6", false, 0, 0, 0},
        {"Content-Range: bytes 3-5/6 ", true, 3, 5, 6},
        {"Content-Range: bytes 3-5/6x", false, 0, 0, 0},
        {"Content-Range: bytes 3-5/9999999999999999999", false, 0, 0, 0},
        {"Content-Range: items 3-5/6", false, 0, 0, 0},
        {"Content-Range: bytes", false, 0, 0, 0},
        {"X: y", false, 0, 0, 0},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_headers headers;
        struct giq_headers_range range = {0, 0, 0};
        giq_headers_init(&headers);
        feed(&headers, cases[i].line);
        assert_int_equal(giq_headers_range(&headers, &range), cases[i].ok);
        assert_true(range.first == cases[i].first && range.last == cases[i].last &&
                    range.total == cases[i].total);
        giq_headers_release(&headers);
    }
}

static void test_strong_etags(void **state)
{
    (void)state;
    static const struct {
        const char *line, *etag;
    } cases[] = {
        {"ETag: \"v1\"", "\"v1\""}, {"etag:\"a b\"", "\"a b\""},
        {"ETag: W/\"v1\"", NULL},   {"ETag: v1", NULL},
        {"ETag: \"\"", NULL},       {"ETag: \"", NULL},
        {"ETag: \"a\"b\"", NULL},   {"ETag:", NULL},
        {"X: \"v1\"", NULL},        {"ETag: \"a\rX: y\"", NULL},
        {"ETag: \"a\x7F\"", NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_headers headers;
        giq_headers_init(&headers);
        feed(&headers, cases[i].line);
        check(giq_headers_strong_etag(&headers), cases[i].etag);
        giq_headers_release(&headers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_that_are_kept),
        cmocka_unit_test(test_codings_are_told_from_other_words),
        cmocka_unit_test(test_proofs_that_contradict_each_other_prove_nothing),
        cmocka_unit_test(test_status_line_forgets_an_interim_response),
        cmocka_unit_test(test_last_line_of_a_name_counts),
        cmocka_unit_test(test_bytes_of_all_lines_are_limited),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_strong_etags),
        cmocka_unit_test(test_retry_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
