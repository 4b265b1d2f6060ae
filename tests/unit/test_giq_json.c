#include "base/giq_json.h"

#include "unit.h"

#include <cJSON.h>
#include <malloc.h>

static struct giq_json *parse(const char *text)
{
    return giq_json_parse(text, strlen(text));
}

static void test_exactly_one_value_is_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *printed; /* NULL: no JSON */
    } cases[] = {
        {"{}", "{}"},       {" [1, 2] \n", "[1,2]"}, {"\"a\"", "\"a\""}, {"null", "null"},
        {"1.5", "1.5"},     {"true", "true"},        {"", NULL},         {" ", NULL},
        {"{} {}", NULL},    {"{} x", NULL},          {"{\"a\":}", NULL}, {"<html>", NULL},
        {"{\"a\":1", NULL}, {"nul", NULL},           {"[1,]", NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_json *json = parse(cases[i].text);
        char *printed = json == NULL ? NULL : giq_json_print(json);
        if (cases[i].printed == NULL) {
            assert_null(json);
        } else {
            assert_string_equal(printed, cases[i].printed);
        }
        free(printed);
        giq_json_free(json);
    }
    assert_null(giq_json_parse(NULL, 0));
    assert_null(giq_json_parse("1\0", 2));
    struct giq_json *part = giq_json_parse("12345", 2);
    assert_true(giq_json_integer(part, 0) == 12);
    giq_json_free(part);
}

static void test_deep_nesting_is_refused(void **state)
{
    (void)state;
    enum { DEPTH = 100000 };
    char *text = calloc(DEPTH + 1, 1);
    assert_non_null(text);
    memset(text, '[', DEPTH);
    assert_null(parse(text));
    free(text);
}

/* A list of so many ones; commas in a string before it are no values. */
static struct giq_json *parse_ones(size_t count)
{
    static const char head[] = "[\"\\\",,,,\"";
    char *text = calloc(2 * count + sizeof head + 1, 1);
    assert_non_null(text);
    char *end = stpcpy(text, head);
    for (size_t i = 0; i < count; i++) {
        end = stpcpy(end, ",1");
    }
    *end = ']';
    struct giq_json *json = parse(text);
    free(text);
    return json;
}

static void test_values_without_end_are_refused(void **state)
{
    (void)state;
    assert_null(parse_ones(GIQ_JSON_VALUES_MAX));
    struct giq_json *json = parse_ones(GIQ_JSON_VALUES_MAX - 2);
    assert_non_null(json);
    giq_json_free(json);
}

static int fails_at;

static void *allocate(size_t size)
{
    return --fails_at == 0 ? NULL : malloc(size);
}

static void test_an_allocation_that_fails_once_does_not_matter(void **state)
{
    (void)state;
    cJSON_Hooks hooks = {allocate, free};
    cJSON_InitHooks(&hooks);
    for (int at = 1; fails_at <= 0; at++) {
        fails_at = at;
        struct giq_json *json = parse("{\"a\":[1,\"x\"]}");
        assert_int_equal(giq_json_count(giq_json_get(json, "a")), 2);
        giq_json_free(json);
    }
    cJSON_InitHooks(NULL);
}

static void test_getters_accept_absent_values(void **state)
{
    (void)state;
    struct giq_json *json = parse("{\"a\":[1,\"x\"],\"t\":true,\"f\":false,\"A\":2}");
    const struct giq_json *list = giq_json_get(json, "a");
    assert_true(giq_json_is_object(json));
    assert_false(giq_json_is_object(list));
    assert_false(giq_json_is_object(NULL));
    assert_true(giq_json_is_list(list));
    assert_false(giq_json_is_list(NULL));
    assert_true(giq_json_is_true(giq_json_get(json, "t")));
    assert_false(giq_json_is_true(giq_json_get(json, "f")));
    assert_false(giq_json_is_true(NULL));
    assert_null(giq_json_get(json, "b"));
    assert_null(giq_json_get(list, "a"));
    assert_null(giq_json_get(NULL, "a"));
    assert_true(giq_json_integer(giq_json_get(json, "A"), 0) == 2);
    assert_null(giq_json_first(json));
    assert_null(giq_json_first(NULL));
    const struct giq_json *item = giq_json_first(list);
    assert_null(giq_json_text(item));
    item = giq_json_next(item);
    assert_string_equal(giq_json_text(item), "x");
    assert_null(giq_json_next(item));
    assert_null(giq_json_text(NULL));
    assert_null(giq_json_scalar_text(NULL));
    assert_null(giq_json_id(NULL));
    assert_true(giq_json_time(NULL) == GIQ_TIME_NONE);
    giq_json_free(json);
    giq_json_free(NULL);
}

static void test_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"0", 0},      {"-5", -5},
        {"1e3", 1000}, {"9007199254740991", INT64_C(9007199254740991)},
        {"2.0", 2},    {"-9007199254740991", -INT64_C(9007199254740991)},
        {"1.5", -7},   {"9007199254740992", -7},
        {"\"1\"", -7}, {"1e300", -7},
        {"[1]", -7},   {"null", -7},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_json *json = parse(cases[i].text);
        assert_non_null(json);
        assert_true(giq_json_integer(json, -7) == cases[i].value);
        giq_json_free(json);
    }
}

static const struct {
    const char *text, *label, *id;
} labels[] = {
    {"\"a b\"", "a b", "a b"},
    {"\"\"", NULL, NULL},
    {"5", "5", "5"},
    {"-0.5", "-0.5", NULL},
    {"5.0", "5.0", "5"},
    {"1e3", "1e3", "1000"},
    {"1.10", "1.10", NULL},
    {"0.30000000000000004", "0.30000000000000004", NULL},
    {"9007199254740991", "9007199254740991", "9007199254740991"},
    {"9007199254740993", "9007199254740993", "9007199254740993"},
    {"-7267318936847360001", "-7267318936847360001", "-7267318936847360001"},
    {"72673189368473600010", "72673189368473600010", "72673189368473600010"},
    {"9007199254740993.0", "9007199254740993.0", NULL},
    {"1e30", "1e30", NULL},
    {"-0", "-0", "0"},
    {"true", NULL, NULL},
    {"\"a\\nb\"", "a\nb", NULL},
    {"\"a\\u007fb\"",
     "a\x7f"
     "b",
     NULL},
    {"\"a\\u0000b\"",
     "a\xEF\xBF\xBD"
     "b",
     NULL},
    {"\"a\\\\u0000b\"", "a\\u0000b", "a\\u0000b"},
    {"\"caf\\u00e9\"", "caf\xc3\xa9", "caf\xc3\xa9"},
};

static void test_labels_and_ids(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(labels); i++) {
        struct giq_json *json = parse(labels[i].text);
        char *label = giq_json_scalar_text(json);
        char *id = giq_json_id(json);
        assert_non_null(json);
        assert_string_equal(label == NULL ? "(null)" : label,
                            labels[i].label == NULL ? "(null)" : labels[i].label);
        assert_string_equal(id == NULL ? "(null)" : id,
                            labels[i].id == NULL ? "(null)" : labels[i].id);
        free(label);
        free(id);
        giq_json_free(json);
    }
}

static void test_bytes_that_are_not_utf8_are_replaced_and_not_an_id(void **state)
{
    (void)state;
    struct giq_json *json = parse("\"a\xE9\xC3\"");
    assert_non_null(json);
    assert_string_equal(giq_json_text(json), "a\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_null(giq_json_id(json));
    giq_json_free(json);
}

static void test_long_texts_are_no_id(void **state)
{
    (void)state;
    for (size_t len = GIQ_JSON_ID_MAX; len <= GIQ_JSON_ID_MAX + 1; len++) {
        char text[GIQ_JSON_ID_MAX + 8] = "\"";
        memset(text + 1, 'a', len);
        text[len + 1] = '"';
        struct giq_json *json = parse(text);
        char *id = giq_json_id(json);
        assert_int_equal(id != NULL, len == GIQ_JSON_ID_MAX);
        free(id);
        giq_json_free(json);
    }
}

static void test_numbers_keep_their_digits(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"a\":9007199254740993,\"b\":[0.12345678901234567,1.10,-0,1e3,1E+400]}",
        "{\"1\":\"2\",\"\\\"3\":[4,{\"\\\\\":5.50}],\"\":6}",
        "{\"a\":1,\"a\":2.0,\"b\":[[],{},3.00]}",
        "1714558830123456789",
    };
    for (size_t i = 0; i < GIQ_COUNT(texts); i++) {
        struct giq_json *json = parse(texts[i]);
        struct giq_json *copy = giq_json_copy(json);
        char *printed = giq_json_print(json);
        char *copied = giq_json_print(copy);
        assert_string_equal(printed, texts[i]);
        assert_string_equal(copied, texts[i]);
        free(copied);
        free(printed);
        giq_json_free(copy);
        giq_json_free(json);
    }
    struct giq_json *json = giq_json_new_object();
    assert_true(giq_json_set_integer(json, "a", INT64_C(-9223372036854775807)));
    assert_true(giq_json_set_integer(json, "b", INT64_C(9007199254740991)));
    assert_true(giq_json_integer(giq_json_get(json, "b"), 0) ==
                INT64_C(9007199254740991));
    char *printed = giq_json_print(json);
    assert_string_equal(printed, "{\"a\":-9223372036854775807,\"b\":9007199254740991}");
    free(printed);
    giq_json_free(json);
}

/* cJSON takes them; what is printed must be JSON. */
static void test_numbers_that_are_none_in_json_are_printed_as_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *printed;
    } cases[] = {{"[01,2]", "[1,2]"}, {"[1.,2.50]", "[1,2.50]"}, {"[-.5]", "[-0.5]"}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_json *json = parse(cases[i].text);
        char *printed = giq_json_print(json);
        assert_string_equal(printed, cases[i].printed);
        free(printed);
        giq_json_free(json);
    }
}

static void test_times_of_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"\"2024-05-01T00:00:00.500Z\"", INT64_C(1714521600500)},
        {"1714521600500", INT64_C(1714521600500)},
        {"1714521600", INT64_C(1714521600000)},
        {"1714521600.5", INT64_C(1714521600500)},
        {"1714521600500.75", INT64_C(1714521600500)},
        {"99999999999", INT64_C(99999999999000)},
        {"100000000000", INT64_C(100000000000)},
        {"0", 0},
        {"[2024,5,1,0,0]", INT64_C(1714521600000)},
        {"[2024,5,1,0,0,7]", INT64_C(1714521607000)},
        {"[2024,5,1,0,0,7,500000000]", INT64_C(1714521607500)},
        {"253402300799999", INT64_C(253402300799999)},
        {"253402300800000", GIQ_TIME_NONE},
        {"-1", GIQ_TIME_NONE},
        {"[9999,12,31,23,59,59,999999999]", INT64_C(253402300799999)},
        {"[9999,12,31,23,59,60]", GIQ_TIME_NONE},
        {"[2024,5,1,0]", GIQ_TIME_NONE},
        {"[2024,13,1,0,0]", GIQ_TIME_NONE},
        {"[2024,5,1,0,0,7,5,1]", GIQ_TIME_NONE},
        {"[2024,5,1,0,\"0\"]", GIQ_TIME_NONE},
        {"\"yesterday\"", GIQ_TIME_NONE},
        {"null", GIQ_TIME_NONE},
        {"{}", GIQ_TIME_NONE},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_json *json = parse(cases[i].text);
        assert_non_null(json);
        assert_true(giq_json_time(json) == cases[i].ms);
        giq_json_free(json);
    }
}

static void test_object_is_read_without_a_member(void **state)
{
    static const struct {
        const char *text;
        const char *rest; /* NULL: it is not JSON */
    } cases[] = {
        {"{\"a\":1,\"s\":{\"b\":[\"c\",2.50]},\"d\":3.0}", "{\"a\":1,\"d\":3.0}"},
        {"{\"s\":1,\"a\":2,\"s\":[3,4]}", "{\"a\":2}"},
        {"{\"s\":\"\\u0000\"}", "{}"},
        {"{\"a\":{\"s\":12345}}", "{\"a\":{\"s\":12345}}"},
        {"[12345]", "[12345]"},
        {"{\"s\":[1,2}", NULL},
        {"{\"s\":[1,2],}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        struct giq_json *json = NULL;
        const char *text = cases[i].text;
        assert_true(giq_json_read_without(text, strlen(text), "s", &json, &err));
        char *rest = json == NULL ? NULL : giq_json_print(json);
        if (cases[i].rest == NULL) {
            assert_null(rest);
        } else {
            assert_string_equal(rest, cases[i].rest);
        }
        free(rest);
        giq_json_free(json);
    }
}

static void test_members_are_set_replaced_and_removed(void **state)
{
    (void)state;
    struct giq_json *json = giq_json_new_object();
    assert_true(giq_json_set_text(json, "a", "1"));
    assert_true(giq_json_set_integer(json, "b", INT64_C(5000000000)));
    assert_true(giq_json_set_bool(json, "c", true));
    assert_true(giq_json_set_time(json, "d", INT64_C(1714521600500)));
    struct giq_json *inner = giq_json_ensure_object(json, "e");
    assert_true(giq_json_set_text(inner, "x", "\"\n"));
    assert_true(giq_json_set_text(json, "a", "2"));
    char *text = giq_json_print(json);
    assert_string_equal(text, "{\"a\":\"2\",\"b\":5000000000,\"c\":true,"
                              "\"d\":\"2024-05-01T00:00:00.500Z\",\"e\":{\"x\":\"\\\"\\n"
                              "\"}}");
    free(text);
    assert_true(giq_json_set_text(json, "a", NULL));
    assert_true(giq_json_set_text(json, "never", NULL));
    assert_true(giq_json_set_time(json, "d", GIQ_TIME_NONE));
    giq_json_remove(json, "e");
    giq_json_remove(json, "e");
    text = giq_json_print(json);
    assert_string_equal(text, "{\"b\":5000000000,\"c\":true}");
    free(text);
    giq_json_free(json);
}

static void test_no_member_of_a_removed_name_is_left(void **state)
{
    (void)state;
    struct giq_json *json = parse("{\"a\":1,\"b\":2,\"a\":3}");
    giq_json_remove(json, "a");
    assert_null(giq_json_get(json, "a"));
    assert_int_equal(giq_json_integer(giq_json_get(json, "b"), 0), 2);
    giq_json_free(json);
}

static void test_object_that_is_there_keeps_its_members(void **state)
{
    (void)state;
    struct giq_json *json = parse("{\"a\":{\"x\":1},\"b\":5}");
    assert_true(giq_json_set_bool(giq_json_ensure_object(json, "a"), "y", true));
    assert_true(giq_json_set_bool(giq_json_ensure_object(json, "b"), "y", true));
    char *text = giq_json_print(json);
    assert_string_equal(text, "{\"a\":{\"x\":1,\"y\":true},\"b\":{\"y\":true}}");
    free(text);
    giq_json_free(json);
}

static void make_upper(void *ctx, char *text)
{
    ++*(int *)ctx;
    for (; *text != '\0'; text++) {
        *text = (char)(*text >= 'a' && *text <= 'z' ? *text - 'a' + 'A' : *text);
    }
}

static void test_every_text_of_a_document_is_visited(void **state)
{
    (void)state;
    struct giq_json *json = parse("{\"a\":[\"b\",{\"c\":\"d\"}],\"e\":true,\"f\":1}");
    int visits = 0;
    giq_json_each_text(json, make_upper, &visits);
    assert_int_equal(visits, 6);
    char *text = giq_json_print(json);
    assert_string_equal(text, "{\"A\":[\"B\",{\"C\":\"D\"}],\"E\":true,\"F\":1}");
    free(text);
    giq_json_free(json);
}

static void test_items_and_members_are_counted(void **state)
{
    (void)state;
    struct giq_json *json = parse("{\"a\":{\"x\":1},\"b\":[1,2,3]}");
    assert_int_equal(giq_json_count(json), 2);
    assert_int_equal(giq_json_count(giq_json_get(json, "b")), 3);
    assert_int_equal(giq_json_count(NULL), 0);
    giq_json_free(json);
}

static size_t bytes_left;

static void *allocate_within(size_t size)
{
    void *block = size + 32 > bytes_left ? NULL : malloc(size);
    bytes_left -= block == NULL ? 0 : malloc_usable_size(block);
    return block;
}

static void free_within(void *block)
{
    bytes_left += malloc_usable_size(block);
    free(block);
}

/* A record that cannot be parsed for lack of memory is not damaged. */
static void test_lack_of_memory_is_not_bad_json(void **state)
{
    (void)state;
    enum { ITEMS = 1000, BUDGET = 64 * 1024 };
    char text[2 * ITEMS + 1];
    for (size_t i = 0; i < ITEMS; i++) {
        text[2 * i] = ',';
        text[2 * i + 1] = '1';
    }
    text[0] = '[';
    text[sizeof text - 1] = ']';
    cJSON_Hooks hooks = {allocate_within, free_within};
    cJSON_InitHooks(&hooks);
    bytes_left = BUDGET;
    struct giq_json *json = NULL;
    struct giq_error err = {0};
    bool ok = giq_json_read(text, sizeof text, &json, &err);
    cJSON_InitHooks(NULL);
    assert_false(ok);
    assert_int_equal(err.code, GIQ_E_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exactly_one_value_is_parsed),
        cmocka_unit_test(test_deep_nesting_is_refused),
        cmocka_unit_test(test_values_without_end_are_refused),
        cmocka_unit_test(test_an_allocation_that_fails_once_does_not_matter),
        cmocka_unit_test(test_lack_of_memory_is_not_bad_json),
        cmocka_unit_test(test_getters_accept_absent_values),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_labels_and_ids),
        cmocka_unit_test(test_bytes_that_are_not_utf8_are_replaced_and_not_an_id),
        cmocka_unit_test(test_long_texts_are_no_id),
        cmocka_unit_test(test_numbers_keep_their_digits),
        cmocka_unit_test(test_numbers_that_are_none_in_json_are_printed_as_numbers),
        cmocka_unit_test(test_times_of_every_form),
        cmocka_unit_test(test_object_is_read_without_a_member),
        cmocka_unit_test(test_members_are_set_replaced_and_removed),
        cmocka_unit_test(test_no_member_of_a_removed_name_is_left),
        cmocka_unit_test(test_object_that_is_there_keeps_its_members),
        cmocka_unit_test(test_every_text_of_a_document_is_visited),
        cmocka_unit_test(test_items_and_members_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
