#include "base/giq_number.h"

#include "unit.h"

static void test_length_of_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        {"0", 1},    {"-0", 2},   {"12,", 2},   {"9007199254740993}", 16},
        {"1.10", 4}, {"1e3 ", 3}, {"1E+30", 5}, {"-0.5e-7]", 7},
        {"01", 1},   {"1.", 1},   {"1.e3", 1},  {"1e", 1},
        {"1e+", 1},  {"1-2", 1},  {"-", 0},     {"-.5", 0},
        {".5", 0},   {"+1", 0},   {"x", 0},     {"", 0},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_int_equal(giq_number_length(cases[i].text), cases[i].len);
    }
}

static void test_numbers_are_found_outside_strings(void **state)
{
    (void)state;
    static const struct {
        const char *json, *number;
    } cases[] = {
        {"1", "1"},
        {" [ -2]", "-2]"},
        {"{\"a1\": 3}", "3}"},
        {"[\"\\\"4\", \"\\\\\", 5]", "5]"},
        {", true, null, 6]", "6]"},
        {"", ""},
        {"\"1\\", ""},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_string_equal(giq_number_find(cases[i].json), cases[i].number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_length_of_numbers),
        cmocka_unit_test(test_numbers_are_found_outside_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
