#include "base/giq_text.h"

#include "unit.h"

static void test_printable_text_has_no_control_characters(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {NULL, ""},
        {"plain", "plain"},
        {"a\x1b[31mb", "a [31mb"},
        {"a\r\n\tb", "a b"},
        {"a \n b", "a b"},
        {"/data/a  b.tif", "/data/a  b.tif"},
        {"a\xc2\x9b"
         "31mb",
         "a 31mb"},
        {"\xff\xfe", "??"},
        {"\xc0\xaf", "??"},
        {"\xed\xa0\x80", "???"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"x\xe2\x80\xa8y", "x y"},
        {"\xf4\x90\x80\x80", "????"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_printable shown;
        assert_string_equal(giq_text_printable(cases[i].in, &shown), cases[i].out);
        char in_place[sizeof shown] = "";
        (void)snprintf(in_place, sizeof in_place, "%s",
                       cases[i].in == NULL ? "" : cases[i].in);
        giq_text_make_printable(in_place);
        assert_string_equal(in_place, cases[i].out);
    }
}

static void test_printable_text_is_cut_between_characters(void **state)
{
    (void)state;
    char text[300];
    memset(text, 'a', sizeof text);
    memcpy(text + GIQ_TEXT_PRINTABLE_MAX - 1, "\xc3\xa9", 2);
    text[sizeof text - 1] = '\0';

    struct giq_printable shown;
    assert_int_equal(strlen(giq_text_printable(text, &shown)),
                     GIQ_TEXT_PRINTABLE_MAX - 1);
    giq_text_make_printable(text);
    assert_int_equal(strlen(text), sizeof text - 1);
}

static void test_cut_lengths_end_between_characters(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int max, len;
    } cases[] = {
        {NULL, 9, 0},
        {"", 9, 0},
        {"abc", 0, 0},
        {"abc", 2, 2},
        {"abc", 3, 3},
        {"abc", 4, 3},
        {"a\xc3\xa9z", 2, 1},
        {"a\xc3\xa9z", 3, 3},
        {"\xe2\x82\xac", 1, 0},
        {"\xe2\x82\xac", 2, 0},
        {"\xe2\x82\xac", 3, 3},
        {"\xf0\x9f\x98\x80", 3, 0},
        {"\x80\x80\x80\x80\x80", 4, 4},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_int_equal(giq_text_cut_len(cases[i].text, cases[i].max), cases[i].len);
    }
}

#define SIGNED "https://b.s3.example/x.tif?X-Amz-Credential=AKIA&X-Amz-Signature=dead"
#define MASKED "https://b.s3.example/x.tif?***"

static const struct {
    const char *in, *out;
} addresses[] = {
    {"", ""},
    {" \n ", " \n "},
    {"FAILED", "FAILED"},
    {"Is it a file? Yes?no", "Is it a file? Yes?no"},
    {"see https://giq.example/help#top.", "see https://giq.example/help#top."},
    {"cannot read " SIGNED, "cannot read " MASKED},
    {"cannot read " SIGNED " now", "cannot read " MASKED " now"},
    {SIGNED "\n" SIGNED "\tend", MASKED "\n" MASKED "\tend"},
    {"(" SIGNED "), \"" SIGNED "\"; '" SIGNED "'",
     "(" MASKED "), \"" MASKED "\"; '" MASKED "'"},
    {"<a>" SIGNED "</a>", "<a>" MASKED "</a>"},
    {"open('" SIGNED "') failed", "open('" MASKED "') failed"},
    {"https://h/x?name='a(1)'&sig=dead rest", "https://h/x?*** rest"},
    {"https://h/x?a\x01&sig=dead", "https://h/x?***"},
    {"https://h/x?a?sig=dead", "https://h/x?***"},
    {"https://h/x? y", "https://h/x? y"},
    {"https://h/x?1 y", "https://h/x?* y"},
    {"/vsis3/b/x.tif?sig=dead: no", "/vsis3/b/x.tif?*** no"},
    {"GET /b/x?sig=dead 403", "GET /b/x?*** 403"},
    {"https:\\/\\/h\\/x?sig=dead", "https:\\/\\/h\\/x?***"},
    {"https://me:pw@h/x and ftp://me@h", "https://***@h/x and ftp://**@h"},
    {"https://me:p@/w@h/x", "https://***@h/x"},
    {"https://me:pw@h/x?sig=dead", "https://***@h/x?***"},
    {"https://me:p?w@h/x end", "https://*** end"},
    {"https://me:p?w)@h/x end", "https://*** end"},
    {"https://h/x?to=a@b&sig=dead", "https://***"},
    {"https://h/x,https://me:pw@h?sig=dead", "https://***@h?***"},
    {"write to me@h", "write to me@h"},
    {"https://@h/x", "https://@h/x"},
    {"://?", "://?"},
    {"://?@h", "://***"},
    {"a?b?c://h/x?y", "a?b?c://h/x?*"},
    {"a?b=c://me:pw@h/x?y", "a?***"},
    {"?a=1)?b=2)?c", "?***)?***)?c"},
};

static void test_queries_and_users_of_addresses_are_masked(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(addresses); i++) {
        char text[300];
        (void)stpcpy(text, addresses[i].in);
        giq_text_mask_addresses(text);
        assert_string_equal(text, addresses[i].out);
    }
    giq_text_mask_addresses(NULL);
}

/* Texts of the service may have 16 MiB, so that the time must grow with their length. */
static void test_long_texts_are_masked_in_one_pass(void **state)
{
    (void)state;
    static const char *const parts[] = {"?", "?a=bcde)", "://me:pw@h?a ", "?://", "&?@"};
    const size_t size = (size_t)4 << 20;
    char *text = malloc(size + 1);
    assert_non_null(text);
    for (size_t i = 0; i < GIQ_COUNT(parts); i++) {
        for (size_t k = 0; k < size; k++) {
            text[k] = parts[i][k % strlen(parts[i])];
        }
        text[size] = '\0';
        giq_text_mask_addresses(text);
        assert_true(strlen(text) <= size);
        assert_null(strstr(text, "pw"));
    }
    free(text);
}

static void test_run_ends_where_utf8_does(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t run;
    } cases[] = {
        {"", 0},
        {"plain", 5},
        {"\xC3\xA9t\xC3\xA9", 5},
        {"ab\xFFzz", 2},
        {"\xF0\x9F\x8C\x8D", 4},
        {"a\xF0\x9F\x8C", 1},
        {"\xC3\xA9\xC3", 2},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        size_t len = strlen(cases[i].text);
        assert_int_equal(giq_text_utf8_prefix_len(cases[i].text, len), cases[i].run);
        assert_int_equal(giq_text_is_utf8(cases[i].text), cases[i].run == len);
    }
}

struct moment {
    const char *text;
    bool ok;
    int64_t ms;
};

static void check_moments(bool (*read)(const char *text, int64_t *out),
                          const struct moment *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t ms = 0;
        assert_int_equal(read(cases[i].text, &ms), cases[i].ok);
        assert_true(ms == cases[i].ms);
    }
}

static void test_times(void **state)
{
    (void)state;
    static const struct moment cases[] = {
        {"1970-01-01T00:00:00Z", true, 0},
        {"1970-01-01T00:00:00", true, 0},
        {"2024-02-29T12:34:56.789Z", true, INT64_C(1709210096789)},
        {"2024-02-29T12:34:56.789123456+04:00", true, INT64_C(1709195696789)},
        {"2024-02-29 12:34", true, INT64_C(1709210040000)},
        {"2024-02-29T12:34:56+0400", true, INT64_C(1709195696000)},
        {"1969-12-31T23:59:59.500Z", true, -500},
        {"0001-01-01T00:00:00Z", true, INT64_C(-62135596800000)},
        {"9999-12-31T23:59:59.999Z", true, INT64_C(253402300799999)},
        {"0001-01-01T00:00:00+00:01", false, 0},
        {"9999-12-31T23:59:59-00:01", false, 0},
        {"9999-12-31T23:59:60Z", false, 0},
        {"2016-12-31T23:59:60Z", true, INT64_C(1483228800000)},
        {"2023-02-29T00:00:00Z", false, 0},
        {"2024-02-31T00:00:00Z", false, 0},
        {"2024-04-31T00:00:00Z", false, 0},
        {"2024-05-01T10:20Z", true, INT64_C(1714558800000)},
        {"2024-05-01T10:20.5Z", false, 0},
        {"2024-05-01T10:20:00+04:", false, 0},
        {"2024-13-01T00:00:00Z", false, 0},
        {"2024-02-29", false, 0},
        {"2024-02-29T12:34:56Zx", false, 0},
        {"2024-02-29T12:34:56.", false, 0},
        {"yesterday", false, 0},
        {"", false, 0},
    };
    check_moments(giq_text_to_time, cases, GIQ_COUNT(cases));
}

static void test_dates(void **state)
{
    (void)state;
    static const struct moment cases[] = {
        {"1970-01-01", true, 0},
        {"2024-02-29", true, INT64_C(1709164800000)},
        {"2023-02-29", false, 0},
        {"2024-2-29", false, 0},
        {"2024-02", false, 0},
        {"20240229", false, 0},
        {"2024-02-29Z", false, 0},
        {"2024-02-29T00:00:00Z", false, 0},
        {"", false, 0},
    };
    check_moments(giq_text_to_date, cases, GIQ_COUNT(cases));
}

static void test_addresses_lose_what_may_be_secret(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"scene 1 (north)", "scene 1 (north)"},
        {"https://h/a.tif", "https://h/a.tif"},
        {"https://h/a.tif?X-Amz-Signature=s&b", "https://h/a.tif"},
        {"https://h/a.tif#sig", "https://h/a.tif"},
        {"https://h/a b.tif?sig=a b c", "https://h/a b.tif"},
        {"https://user:pw@h:8/a@b?s", "https://h:8/a@b"},
        {"https://user@h", "https://h"},
        {"s3://bucket/key", "s3://bucket/key"},
        {"see https://h/a?s and https://u:p@i/b#t .",
         "see https://h/a and https://i/b ."},
        {"https://h/a,https://u:p@i/b?s", "https://h/a,https://i/b"},
        {"/vsicurl/https://u:p@h/a.tif?s", "/vsicurl/https://h/a.tif"},
        {"../a.tif?sig", "../a.tif"},
        {"//h/a.tif?sig=1", "//h/a.tif"},
        {"a.tif?sig=1", "a.tif"},
        {"a.tif#sig=1", "a.tif"},
        {"a.tif%3Fsig%3d1", "a.tif"},
        {"https%3A%2F%2Fh%2Fa.tif%3Fs", "https%3A%2F%2Fh%2Fa.tif"},
        {"https://h/https%253A%252F%252Fi%252Fa%253Fs",
         "https://h/https%253A%252F%252Fi%252Fa"},
        {"see https://h/a?b=c d&sig=s .", "see https://h/a d ."},
        {"a&sig=1 b%26sig%3D1 R&D", "a b R&D"},
        {"//u:p@h/a.tif", "//h/a.tif"},
        {"see \"//u@h/a@b\"", "see \"//h/a@b\""},
        {"https%3A%2F%2Fu%3Ap%40h%2Fa%40b", "https%3A%2F%2Fh%2Fa%40b"},
        {"50% of %3x %", "50% of %3x %"},
        {"what? F#/C# and a?b", "what? F#/C# and a?b"},
        {"://", "://"},
        {"://@", "://"},
        {"a://b@", "a://"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "%s", cases[i].text);
        giq_text_strip_addresses(text);
        assert_string_equal(text, cases[i].expected);
    }
}

static void test_file_names_are_no_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_address;
    } cases[] = {
        {"", false},
        {"a.zip", false},
        {"a.zip?v=2", false},
        {"what?", false},
        {"dir/a.zip", false},
        {"dir/a.zip?v", true},
        {"//h/a.zip", true},
        {"https://h/a.zip", true},
        {"HTTPS%3A%2F%2Fh%2Fa.zip", true},
        {"a.zip?X-Amz-Signature=s", true},
        {"a.zip?x-goog-date=s", true},
        {"a.zip%3FSIG%3Ds", true},
        {"x-amz-manual.zip", false},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_int_equal(giq_text_is_address(cases[i].text), cases[i].is_address);
    }
}

/* A text of a response may have 16 MiB. What takes quadratic time would take hours. */
static void test_long_texts_are_stripped_in_linear_time(void **state)
{
    (void)state;
    static const char *const units[] = {"?",   "#",  "&a", "://a@", "//a@",
                                        "%25", "a?", "/",  "a"};
    enum { LEN = 4 * 1024 * 1024 };
    for (size_t i = 0; i < GIQ_COUNT(units); i++) {
        size_t unit_len = strlen(units[i]);
        char *text = malloc(LEN + 1);
        assert_non_null(text);
        for (size_t at = 0; at < LEN; at++) {
            text[at] = units[i][at % unit_len];
        }
        text[LEN] = '\0';
        giq_text_strip_addresses(text);
        assert_true(strlen(text) <= LEN);
        (void)giq_text_is_address(text);
        free(text);
    }
}

static void test_times_survive_the_way_back(void **state)
{
    (void)state;
    static const int64_t times[] = {0, -1, INT64_C(1709210096789), INT64_C(951782400000),
                                    INT64_C(4102444800000)};
    for (size_t i = 0; i < GIQ_COUNT(times); i++) {
        char text[GIQ_TEXT_TIME_SIZE];
        giq_text_from_time(times[i], text);
        int64_t ms = 0;
        assert_true(giq_text_to_time(text, &ms));
        assert_true(ms == times[i]);
    }
}

static void test_times_in_messages_state_their_zone(void **state)
{
    (void)state;
    char text[GIQ_TEXT_TIME_SIZE];
    giq_text_printable_time(INT64_C(1709210096789), text);
    assert_string_equal(text, "2024-02-29 12:34:56 UTC");
    giq_text_printable_time(-1, text);
    assert_string_equal(text, "1969-12-31 23:59:59 UTC");
}

static void test_trim_and_compare(void **state)
{
    (void)state;
    char *text = giq_text_trim(" \t a b \n", 8);
    assert_string_equal(text, "a b");
    free(text);
    text = giq_text_trim(" a \0 b", 6);
    assert_string_equal(text, "a");
    free(text);
    assert_true(giq_text_equal_nocase("ModelId", "modelid"));
    assert_false(giq_text_equal_nocase("model", "modelid"));
    assert_false(giq_text_equal_nocase("modelid", "model"));
    assert_false(
        giq_text_equal_nocase("[", "{")); /* differ by 0x20 and are not letters */
    assert_false(giq_text_equal_nocase("@", "`"));
    assert_true(giq_text_begins_nocase("giq:x", "GIQ:"));
    assert_false(giq_text_begins_nocase("gi", "GIQ:"));
}

static void test_percent_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int byte;
    } cases[] = {{"%20", 0x20}, {"%aFx", 0xAF}, {"%00", 0},  {"%FF", 0xFF},
                 {"", -1},      {"a20", -1},    {"%", -1},   {"%2", -1},
                 {"%2g", -1},   {"%g2", -1},    {"% 2", -1}, {"%+2", -1}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_int_equal(giq_text_percent_byte(cases[i].text), cases[i].byte);
    }
}

static void test_set_replaces_and_may_take_a_part_of_itself(void **state)
{
    (void)state;
    char *text = NULL;
    assert_true(giq_text_set(&text, NULL));
    assert_null(text);
    assert_true(giq_text_set(&text, "one two"));
    assert_true(giq_text_set(&text, text + 4));
    assert_string_equal(text, "two");
    assert_true(giq_text_set(&text, NULL));
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printable_text_has_no_control_characters),
        cmocka_unit_test(test_printable_text_is_cut_between_characters),
        cmocka_unit_test(test_cut_lengths_end_between_characters),
        cmocka_unit_test(test_queries_and_users_of_addresses_are_masked),
        cmocka_unit_test(test_long_texts_are_masked_in_one_pass),
        cmocka_unit_test(test_run_ends_where_utf8_does),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_addresses_lose_what_may_be_secret),
        cmocka_unit_test(test_file_names_are_no_addresses),
        cmocka_unit_test(test_long_texts_are_stripped_in_linear_time),
        cmocka_unit_test(test_times_survive_the_way_back),
        cmocka_unit_test(test_times_in_messages_state_their_zone),
        cmocka_unit_test(test_trim_and_compare),
        cmocka_unit_test(test_percent_bytes),
        cmocka_unit_test(test_set_replaces_and_may_take_a_part_of_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
