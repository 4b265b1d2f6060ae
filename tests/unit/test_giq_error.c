#include "base/giq_error.h"

#include "unit.h"

#include <errno.h>

static void test_tags_are_stable(void **state)
{
    (void)state;
    static const struct {
        enum giq_code code;
        const char *tag;
    } cases[] = {
        {GIQ_E_NONE, "none"},       {GIQ_E_USAGE, "usage"},
        {GIQ_E_AREA, "area"},       {GIQ_E_CREDENTIALS, "credentials"},
        {GIQ_E_NETWORK, "network"}, {GIQ_E_SERVICE, "service"},
        {GIQ_E_REFUSED, "refused"}, {GIQ_E_FAILED, "failed"},
        {GIQ_E_UNKNOWN, "unknown"}, {GIQ_E_TIMEOUT, "timeout"},
        {GIQ_E_GONE, "gone"},       {GIQ_E_INCOMPLETE, "incomplete"},
        {GIQ_E_RESULT, "result"},   {GIQ_E_STORE, "store"},
        {GIQ_E_BATCH, "batch"},     {GIQ_E_READONLY, "readonly"},
        {GIQ_E_MEMORY, "memory"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_string_equal(giq_code_tag(cases[i].code), cases[i].tag);
    }
}

static void test_failing_sets_the_whole_error(void **state)
{
    (void)state;
    struct giq_error err = {GIQ_E_AREA, 404, ENOENT, true, "old"};
    assert_false(giq_fail(&err, GIQ_E_USAGE, "%s %d", "new", 1));
    assert_int_equal(err.code, GIQ_E_USAGE);
    assert_int_equal(err.http_status, 0);
    assert_int_equal(err.sys_errno, 0);
    assert_false(err.permanent);
    assert_string_equal(err.text, "new 1");
    assert_false(giq_fail_memory(&err));
    assert_int_equal(err.code, GIQ_E_MEMORY);
    assert_string_equal(err.text, "out of memory");
}

static void test_system_errors_add_the_message_of_the_system(void **state)
{
    (void)state;
    struct giq_error err = {0};
    assert_false(giq_fail_sys(&err, GIQ_E_STORE, ENOENT, "cannot open %s", "x"));
    assert_int_equal(err.code, GIQ_E_STORE);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_string_equal(err.text, "cannot open x: No such file or directory");
}

static void test_context_goes_before_and_keeps_the_rest(void **state)
{
    (void)state;
    struct giq_error err = {GIQ_E_NETWORK, 503, EIO, true, "cut"};
    assert_false(giq_error_context(&err, "job %s", "j"));
    assert_string_equal(err.text, "job j: cut");
    assert_int_equal(err.code, GIQ_E_NETWORK);
    assert_int_equal(err.http_status, 503);
    assert_int_equal(err.sys_errno, EIO);
    assert_true(err.permanent);
}

static void test_replacing_keeps_the_cause(void **state)
{
    (void)state;
    struct giq_error err = {GIQ_E_NETWORK, 503, EIO, true, "cut"};
    assert_false(giq_error_replace(&err, GIQ_E_UNKNOWN, "job %s", "j"));
    assert_string_equal(err.text, "job j");
    assert_int_equal(err.code, GIQ_E_UNKNOWN);
    assert_int_equal(err.http_status, 503);
    assert_int_equal(err.sys_errno, EIO);
    assert_true(err.permanent);
}

static void test_long_texts_are_cut_at_the_end(void **state)
{
    (void)state;
    char text[GIQ_ERROR_TEXT_SIZE + 200];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    struct giq_error err = {0};
    size_t most = sizeof err.text - 1;
    assert_false(giq_fail(&err, GIQ_E_USAGE, "%s", text));
    assert_int_equal(strlen(err.text), most);
    assert_false(giq_error_context(&err, "before"));
    assert_int_equal(strlen(err.text), most);
    assert_memory_equal(err.text, "before: xxx", 11);
    assert_false(giq_error_context(&err, "%s", text));
    assert_int_equal(strlen(err.text), most);
    assert_false(giq_fail_sys(&err, GIQ_E_STORE, ENOENT, "%s", text));
    assert_int_equal(strlen(err.text), most);
}

/* Paths and words of libraries may hold anything. */
static void test_texts_are_printable(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *text;
    } cases[] = {
        {"a\nb\x1b[2Jc\x7f", "a b [2Jc "},
        {"a\xC2\x9B"
         "b\xE2\x80\xA8"
         "c",
         "a b c"},
        {"a\xFF"
         "b\xC3(",
         "a?b?("},
        {"caf\xC3\xA9", "caf\xC3\xA9"},
        {"caf\xC3", "caf"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        assert_false(giq_fail(&err, GIQ_E_USAGE, "%s", cases[i].raw));
        assert_string_equal(err.text, cases[i].text);
    }
    struct giq_error err = {0};
    assert_false(giq_fail_sys(&err, GIQ_E_STORE, ENOENT, "%s", "a\nb"));
    assert_string_equal(err.text, "a b: No such file or directory");
    assert_false(giq_error_context(&err, "%s", "\xC3(\x1b"));
    assert_string_equal(err.text, "?( : a b: No such file or directory");
}

static void test_long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    char text[GIQ_ERROR_TEXT_SIZE + 200];
    for (size_t i = 0; i + 1 < sizeof text; i += 3) {
        memcpy(text + i, "\xE2\x82\xAC", 3);
    }
    text[sizeof text - 3] = '\0';
    static const char *const before[] = {"", "x", "xx"};
    for (size_t i = 0; i < GIQ_COUNT(before); i++) {
        struct giq_error err = {0};
        size_t most =
            strlen(before[i]) + (sizeof err.text - 1 - strlen(before[i])) / 3 * 3;
        assert_false(giq_fail(&err, GIQ_E_USAGE, "%s%s", before[i], text));
        assert_int_equal(strlen(err.text), most);
        assert_false(giq_error_context(&err, "%s", before[i]));
        assert_true(strlen(err.text) >= sizeof err.text - 3);
        assert_memory_equal(err.text + strlen(err.text) - 3, "\xE2\x82\xAC", 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tags_are_stable),
        cmocka_unit_test(test_failing_sets_the_whole_error),
        cmocka_unit_test(test_system_errors_add_the_message_of_the_system),
        cmocka_unit_test(test_context_goes_before_and_keeps_the_rest),
        cmocka_unit_test(test_replacing_keeps_the_cause),
        cmocka_unit_test(test_long_texts_are_cut_at_the_end),
        cmocka_unit_test(test_texts_are_printable),
        cmocka_unit_test(test_long_texts_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
