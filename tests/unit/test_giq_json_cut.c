/* Cutting a member out of a text: only where the rest means the same. */
#include "base/giq_json_cut.h"

#include "unit.h"

static void test_value_of_the_member_is_cut(void **state)
{
    static const struct {
        const char *text;
        const char *cut;
    } cases[] = {
        {"{\"s\":{\"a\":[1,2]}}", "{\"s\":null}"},
        {"{\"a\":1,\"s\":\"long enough\",\"b\":2}", "{\"a\":1,\"s\":null,\"b\":2}"},
        {" { \"a\" : [ ] ,\n\"s\" : [ -1.5e+3 , true ] } ",
         " { \"a\" : [ ] ,\n\"s\" : null } "},
        {"{\"s\":null}", "{\"s\":null}"},
        {"{\"s\":12345,\"s\":67890}", "{\"s\":null,\"s\":67890}"},
        {"{\"a\":{\"s\":12345},\"s\":12345}", "{\"a\":{\"s\":12345},\"s\":null}"},
        {"{\"a\":\"\\\"s\\\":\",\"s\":[{},[],\"\",\"\\\\\"]}",
         "{\"a\":\"\\\"s\\\":\",\"s\":null}"},
        /* What follows is not read: the text is as damaged as before. */
        {"{\"s\":false,\"a\":", "{\"s\":null,\"a\":"},
        {"{\"s\":12345", "{\"s\":null"},
        {"{\"s\":nulls}", "{\"s\":nulls}"},
    };
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char text[100];
        (void)snprintf(text, sizeof text, "%s", cases[i].text);
        assert_true(giq_json_cut(text, "s"));
        assert_string_equal(text, cases[i].cut);
    }
}

static void test_other_texts_stay(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "{}",
        "[\"s\",12345]",
        "{\"t\":12345}",
        "{\"st\":12345}",
        "{\"S\":12345}",
        "{\"a\":{\"s\":12345}}",
        "{\"a\":1 \"s\":12345}",
        "{\"a\",\"s\":12345}",
        "{\"a\":,\"s\":12345}",
        "{\"a\":1,,\"s\":12345}",
        "{\"a\":01,\"s\":12345}",
        "{\"a\":\"\n,\"s\":12345}",
        "{\"s\":1}", /* shorter than null */
        "{\"s\" 12345}",
        "{\"s\":1234.}",
        "{\"s\":12-45}",
        "{\"s\":trie}",
        "{\"s\":[1,2}",
        "{\"s\":[1,2,]}",
        "{\"s\":[1 2]}",
        "{\"s\":{\"a\"}}",
        "{\"s\":{\"a\":}}",
        "{\"s\":{\"a\":1,}}",
        "{\"s\":{12345}}",
        "{\"s\":\"abcdef}",
        "{\"s\":\"abcdef\\",
        "{\"s\":\"ab\\u00e4\"}",
        "{\"s\":\"ab\\x\"}",
        "\xEF\xBB\xBF{\"s\":12345}",
        "{\"s\":1000000000000000000000000000000000000000000000000000000000000}",
    };
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(texts); i++) {
        char text[100];
        (void)snprintf(text, sizeof text, "%s", texts[i]);
        assert_false(giq_json_cut(text, "s"));
        assert_string_equal(text, texts[i]);
    }
}

static void test_deeply_nested_value_stays(void **state)
{
    enum { DEPTH_MAX = 32 };
    (void)state;
    for (int depth = DEPTH_MAX; depth <= DEPTH_MAX + 1; depth++) {
        char text[200];
        char open[DEPTH_MAX + 2] = {0};
        char close[DEPTH_MAX + 2] = {0};
        memset(open, '[', (size_t)depth);
        memset(close, ']', (size_t)depth);
        (void)snprintf(text, sizeof text, "{\"s\":%s%s}", open, close);
        assert_int_equal(giq_json_cut(text, "s"), depth == DEPTH_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value_of_the_member_is_cut),
        cmocka_unit_test(test_other_texts_stay),
        cmocka_unit_test(test_deeply_nested_value_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
