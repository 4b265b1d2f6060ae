#include "result/giq_name.h"

#include "base/giq_text.h"
#include "unit.h"

static const struct {
    const char *value, *name;
} headers[] = {
    {NULL, NULL},
    {"", NULL},
    {"attachment", NULL},
    {"attachment; filename=water.gpkg", "water.gpkg"},
    {"attachment;filename=water.gpkg;size=3", "water.gpkg"},
    {"ATTACHMENT ; FileName = water.gpkg ", "water.gpkg"},
    {"attachment; filename=\"a \\\"quoted\\\" b.tif\"", "a \"quoted\" b.tif"},
    {"attachment; filename=\"a;b=c.tif\"; x=y", "a;b=c.tif"},
    {"attachment; x=\"filename=no.tif\"; filename=yes.tif", "yes.tif"},
    {"attachment; filename=\"50%25.tif\"", "50%25.tif"},
    {"attachment; filename*=UTF-8''%e2%82%ac%20rates.tif", "\xe2\x82\xac rates.tif"},
    {"attachment; filename=plain.tif; filename*=utf-8'en'%C3%A9.tif", "\xc3\xa9.tif"},
    {"attachment; filename*=iso-8859-1''caf%E9.tif", "caf\xc3\xa9.tif"},
    {"attachment; filename*=koi8-r''%C1.tif; filename=plain.tif", "plain.tif"},
    {"attachment; filename*=UTF-8''%C3.tif; filename=plain.tif", "plain.tif"},
    {"attachment; filename*=UTF-8''a%00.tif; filename=plain.tif", "plain.tif"},
    {"attachment; filename*=UTF-8''a%4; filename=plain.tif", "plain.tif"},
    {"attachment; filename*=UTF-8''a%; filename=plain.tif", "plain.tif"},
    {"attachment; filename*=UTF-8'; filename=plain.tif", "plain.tif"},
    {"attachment; filename*=UTF-8''", NULL},
    {"attachment; filename=", NULL},
    {"attachment; filename=\"\"", NULL},
    {"attachment; filename=\"open.tif", "open.tif"},
    {"attachment; filename=\"open\\", "open\\"},
    {"attachment; filename=\"\x95\\.tif\"", "\x95\\.tif"},
    {"attachment; filename=\"\xb1\x95\\\\\"x.tif\"", "\xb1\x95\\\"x.tif"},
    {"attachment; filename=\"\xc3\xa9\\.tif\"", "\xc3\xa9.tif"},
    {"attachment; filename", NULL},
    {"filename=bare.tif", "bare.tif"},
    {"=;=;=\"", NULL},
    {";;;;", NULL},
};

static void test_names_of_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(headers); i++) {
        char *name = giq_name_from_disposition(headers[i].value);
        if (headers[i].name == NULL) {
            assert_null(name);
        } else {
            assert_non_null(name);
            assert_string_equal(name, headers[i].name);
        }
        free(name);
    }
}

static void test_cut_headers_do_no_harm(void **state)
{
    (void)state;
    static const char whole[] =
        "attachment; filename=\"a \\\"b\\\".tif\"; filename*=UTF-8'en'%e2%82%ac.tif";
    for (size_t len = 0; len < sizeof whole; len++) {
        char *value = strndup(whole, len);
        free(giq_name_from_disposition(value));
        free(value);
    }
}

static const struct {
    const char *raw, *name;
} cleaned[] = {
    {NULL, "result"},
    {"", "result"},
    {"...", "result"},
    {"dir/", "result"},
    {" . . ", "result"},
    {"\x01\x02", "result"},
    {"water.gpkg", "water.gpkg"},
    {"../../etc/passwd", "passwd"},
    {"C:\\x\\y.tif", "y.tif"},
    {"C:y.tif", "C_y.tif"},
    {"a/b\\c.tif", "c.tif"},
    {"\x95\\.tif", "__.tif"},             /* Shift-JIS */
    {"\xb1\x95\\.tif", "___.tif"},        /* with a half-width character before it */
    {"\xa5\\a/\xa5\\.tif", "__.tif"},     /* Big5 */
    {"\xc4\xbf\xc2\xbc\\x.tif", "x.tif"}, /* GBK: the second byte is 0xBC */
    {"\xc3\xa9\\x.tif", "x.tif"},
    {"\xff..\\..\\x.tif", "x.tif"},
    {"\x95\\..\\..\\x.tif", "x.tif"},
    {"..", "result"},
    {"\x01..\x02", "result"},
    {".hidden.tif", "hidden.tif"},
    {". .hidden.tif", "hidden.tif"},
    {"map.tif. . ", "map.tif"},
    {"\xc2\xa0map.tif\xe3\x80\x80", "map.tif"},
    {"a\r\nb\x7f"
     ".t\x1bif",
     "ab.tif"},
    {"a\xc2\x9b"
     "b.tif",
     "ab.tif"},
    {"a<b>c:d\"e|f?g*.tif", "a_b_c_d_e_f_g_.tif"},
    {"a\xff\xc0\xaf.tif", "a___.tif"},
    {"caf\xc3\xa9 1.tif", "caf\xc3\xa9 1.tif"},
    {"CON.txt", "CON.txt"},
};

static void test_names_are_cleaned(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(cleaned); i++) {
        char name[GIQ_NAME_SIZE];
        giq_name_clean(cleaned[i].raw, name);
        assert_string_equal(name, cleaned[i].name);
        char again[GIQ_NAME_SIZE];
        giq_name_clean(name, again);
        assert_string_equal(again, name);
    }
}

/* A text of `count` times `unit`, then `end`. */
static char *repeat(const char *unit, size_t count, const char *end)
{
    char *text = malloc(strlen(unit) * count + strlen(end) + 1);
    assert_non_null(text);
    char *at = text;
    for (size_t i = 0; i < count; i++) {
        at = stpcpy(at, unit);
    }
    (void)stpcpy(at, end);
    return text;
}

static void test_long_names_are_cut_between_characters(void **state)
{
    (void)state;
    static const struct {
        const char *unit;
        size_t count;
        const char *end, *kept;
        size_t len;
    } cases[] = {
        {"a", 128, "", "a", 128},
        {"a", 300, "", "a", 128},
        {"\xe2\x82\xac", 100, ".tif", ".tif", 127},
        {"\xc3\xa9", 150, ".geojson", ".geojson", 128},
        {"\xf0\x9f\x8c\x8d", 75, ".t", ".t", 126},
        {"a", 300, ".tar.gz", ".tar.gz", 128},
        {"a", 300, ".much-too-long-to-be-an-extension", "aaaa", 128},
        {"a", 127, " b c", "a", 127},
        {"\x01", 300, "map.tif", "map.tif", 7},
        {"<", 300, ".tif", "_.tif", 128},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char *raw = repeat(cases[i].unit, cases[i].count, cases[i].end);
        char name[GIQ_NAME_SIZE];
        giq_name_clean(raw, name);
        size_t len = strlen(name);
        assert_int_equal(len, cases[i].len);
        assert_string_equal(name + len - strlen(cases[i].kept), cases[i].kept);
        for (size_t at = 0; at < len; at += giq_text_utf8_char_len(name + at, len - at)) {
            assert_true(giq_text_utf8_char_len(name + at, len - at) > 0);
        }
        free(raw);
    }
}

static void test_extensions(void **state)
{
    (void)state;
    static const struct {
        const char *name, *extension;
    } cases[] = {
        {"a.tif", "tif"}, {"a.b.TIF", "TIF"}, {"a", ""},          {".a", ""},
        {"", ""},         {"a.", ""},         {"a.tar.gz", "gz"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_string_equal(giq_name_extension(cases[i].name), cases[i].extension);
    }
}

static void test_extensions_are_set(void **state)
{
    (void)state;
    static const struct {
        const char *name, *extension, *result;
    } cases[] = {
        {"result", "tif", "result.tif"},       {"result.bin", "gpkg", "result.gpkg"},
        {"map.TIF", "gpkg", "map.gpkg"},       {"map.v2", "gpkg", "map.v2.gpkg"},
        {"map.2024.tif", "nc", "map.2024.nc"}, {"map.tar.gz", "tif", "map.tif"},
        {"map.gz", "tar.gz", "map.tar.gz"},    {"map.v2", NULL, "map.v2"},
        {"archive.tar", "zip", "archive.zip"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char name[GIQ_NAME_SIZE];
        (void)snprintf(name, sizeof name, "%s", cases[i].name);
        giq_name_set_extension(name, cases[i].extension);
        assert_string_equal(name, cases[i].result);
    }
}

static void test_a_set_extension_keeps_the_limit(void **state)
{
    (void)state;
    char *raw = repeat("\xc3\xa9", 100, "");
    char name[GIQ_NAME_SIZE];
    giq_name_clean(raw, name);
    giq_name_set_extension(name, "tif");
    assert_int_equal(strlen(name), GIQ_NAME_MAX);
    assert_string_equal(giq_name_extension(name), "tif");
    assert_memory_equal(name + GIQ_NAME_MAX - 6, "\xc3\xa9", 2);
    free(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_headers),
        cmocka_unit_test(test_cut_headers_do_no_harm),
        cmocka_unit_test(test_names_are_cleaned),
        cmocka_unit_test(test_long_names_are_cut_between_characters),
        cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_extensions_are_set),
        cmocka_unit_test(test_a_set_extension_keeps_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
