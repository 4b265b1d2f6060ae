#include "net/giq_headers.h"

#include "unit.h"

static void add(struct giq_headers *headers, enum giq_headers_field name,
                const char *value)
{
    assert_true(giq_headers_add(headers, name, value));
}

static void check(const char *actual, const char *expected)
{
    assert_string_equal(actual == NULL ? "(null)" : actual,
                        expected == NULL ? "(null)" : expected);
}

static void test_several_fields_of_one_name(void **state)
{
    (void)state;
    static const struct {
        enum giq_headers_field name;
        const char *values[3];
        const char *kept;
    } cases[] = {
        {GIQ_HEADERS_CONTENT_DISPOSITION, {"inline", "attachment"}, "attachment"},
        {GIQ_HEADERS_RETRY_AFTER, {"5", "6"}, "6"},
        {GIQ_HEADERS_RETRY_AFTER, {"5", ""}, ""},
        {GIQ_HEADERS_TRANSFER_ENCODING, {"chunked", "gzip"}, "gzip"},
        {GIQ_HEADERS_CONTENT_ENCODING, {"gzip"}, "gzip"},
        {GIQ_HEADERS_CONTENT_ENCODING, {"gzip", "", "br"}, "gzip,,br"},
        {GIQ_HEADERS_ETAG, {"\"a\"", "\"a\""}, "\"a\""},
        {GIQ_HEADERS_ETAG, {"\"b\"", "\"a\""}, ""},
        {GIQ_HEADERS_ETAG, {"\"b\"", "\"a\"", "\"a\""}, ""},
        {GIQ_HEADERS_CONTENT_RANGE, {"bytes 3-5/6", "bytes 0-2/6"}, ""},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_headers headers;
        giq_headers_init(&headers);
        for (size_t k = 0; k < 3 && cases[i].values[k] != NULL; k++) {
            add(&headers, cases[i].name, cases[i].values[k]);
        }
        for (int k = 0; k < GIQ_HEADERS_COUNT; k++) {
            check(headers.value[k], k == (int)cases[i].name ? cases[i].kept : NULL);
        }
        giq_headers_release(&headers);
    }
}

static void test_chunked_is_the_last_transfer_coding(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool is_chunked;
    } cases[] = {{"chunked", true}, {"gzip, Chunked", true}, {"gzip", false},
                 {"", false},       {"hunked", false},       {"chunked, gzip", false}};
    struct giq_headers headers;
    giq_headers_init(&headers);
    assert_false(giq_headers_is_chunked(&headers));
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        add(&headers, GIQ_HEADERS_TRANSFER_ENCODING, cases[i].value);
        assert_int_equal(giq_headers_is_chunked(&headers), cases[i].is_chunked);
    }
    giq_headers_release(&headers);
}

static void test_codings_are_distinguished_from_other_values(void **state)
{
    (void)state;
    static const struct {
        const char *values[2];
        enum giq_headers_coding coding;
    } cases[] = {
        {{NULL}, GIQ_HEADERS_CODING_IDENTITY},
        {{""}, GIQ_HEADERS_CODING_IDENTITY},
        {{"identity"}, GIQ_HEADERS_CODING_IDENTITY},
        {{"utf-8"}, GIQ_HEADERS_CODING_IDENTITY},
        {{"none"}, GIQ_HEADERS_CODING_IDENTITY},
        {{"binary"}, GIQ_HEADERS_CODING_IDENTITY},
        {{"aws-chunked"}, GIQ_HEADERS_CODING_IDENTITY},
        {{"gzip"}, GIQ_HEADERS_CODING_GZIP},
        {{"X-GZIP"}, GIQ_HEADERS_CODING_GZIP},
        {{"aws-chunked,gzip"}, GIQ_HEADERS_CODING_GZIP},
        {{"identity", "gzip"}, GIQ_HEADERS_CODING_GZIP},
        {{" gzip , "}, GIQ_HEADERS_CODING_GZIP},
        {{"deflate"}, GIQ_HEADERS_CODING_DEFLATE},
        {{"br"}, GIQ_HEADERS_CODING_UNSUPPORTED},
        {{"zstd"}, GIQ_HEADERS_CODING_UNSUPPORTED},
        {{"gzip, gzip"}, GIQ_HEADERS_CODING_UNSUPPORTED},
        {{"gzip", "br"}, GIQ_HEADERS_CODING_UNSUPPORTED},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_headers headers;
        giq_headers_init(&headers);
        for (size_t k = 0; k < 2 && cases[i].values[k] != NULL; k++) {
            add(&headers, GIQ_HEADERS_CONTENT_ENCODING, cases[i].values[k]);
        }
        assert_int_equal(giq_headers_get_coding(&headers), cases[i].coding);
        giq_headers_release(&headers);
    }
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
        if (cases[i].value != NULL) {
            add(&headers, GIQ_HEADERS_RETRY_AFTER, cases[i].value);
        }
        assert_true(giq_headers_retry_after_ms(&headers, INT64_C(1714521600000)) ==
                    cases[i].ms);
        giq_headers_release(&headers);
    }
}

static void test_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool ok;
        int64_t first, last, total;
    } cases[] = {
        {"bytes 3-5/6", true, 3, 5, 6},
        {"BYTES 0-0/1", true, 0, 0, 1},
        {"bytes 5-999999999999/1000000000000", true, 5, INT64_C(999999999999),
         INT64_C(1000000000000)},
        {"bytes 3-5/*", false, 0, 0, 0},
        {"bytes */6", false, 0, 0, 0},
        {"bytes 5-3/6", false, 0, 0, 0},
        {"bytes 3-6/6", false, 0, 0, 0},
        {"bytes -3-5/6", false, 0, 0, 0},
        {"bytes 3-5/6x", false, 0, 0, 0},
        {"bytes 3-5/9999999999999999999", false, 0, 0, 0},
        {"items 3-5/6", false, 0, 0, 0},
        {"bytes", false, 0, 0, 0},
        {"", false, 0, 0, 0},
        {NULL, false, 0, 0, 0},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_headers headers;
        struct giq_headers_range range = {0, 0, 0};
        giq_headers_init(&headers);
        if (cases[i].value != NULL) {
            add(&headers, GIQ_HEADERS_CONTENT_RANGE, cases[i].value);
        }
        assert_int_equal(giq_headers_get_range(&headers, &range), cases[i].ok);
        assert_true(range.first == cases[i].first && range.last == cases[i].last &&
                    range.total == cases[i].total);
        giq_headers_release(&headers);
    }
}

static void test_strong_etags(void **state)
{
    (void)state;
    static const struct {
        const char *value, *etag;
    } cases[] = {
        {"\"v1\"", "\"v1\""}, {"\"a b\"", "\"a b\""}, {"W/\"v1\"", NULL},  {"v1", NULL},
        {"\"\"", NULL},       {"\"", NULL},           {"\"a\"b\"", NULL},  {"", NULL},
        {NULL, NULL},         {"\"a\rX: y\"", NULL},  {"\"a\x7F\"", NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_headers headers;
        giq_headers_init(&headers);
        if (cases[i].value != NULL) {
            add(&headers, GIQ_HEADERS_ETAG, cases[i].value);
        }
        check(giq_headers_strong_etag(&headers), cases[i].etag);
        giq_headers_release(&headers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_several_fields_of_one_name),
        cmocka_unit_test(test_chunked_is_the_last_transfer_coding),
        cmocka_unit_test(test_codings_are_distinguished_from_other_values),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_strong_etags),
        cmocka_unit_test(test_retry_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
