#include "service/giq_period.h"

#include "unit.h"

static void test_periods_as_the_service_takes_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"2024-05-01T10:20:30Z", "2024-05-01T10:20:30Z/2024-05-01T10:20:30Z"},
        {"2024-05-01T10:20:30", "2024-05-01T10:20:30Z/2024-05-01T10:20:30Z"},
        {"2024-05-01T10:20:30.25+04:00",
         "2024-05-01T06:20:30.250Z/2024-05-01T06:20:30.250Z"},
        {"2024-05-01", "2024-05-01T00:00:00Z/2024-05-01T23:59:59.999Z"},
        {"2024-05-01/2024-05-31", "2024-05-01T00:00:00Z/2024-05-31T23:59:59.999Z"},
        {"2024-05-01/2024-05-01", "2024-05-01T00:00:00Z/2024-05-01T23:59:59.999Z"},
        {"2024-05-01/2024-05-01T00:00:00Z", "2024-05-01T00:00:00Z/2024-05-01T00:00:00Z"},
        {"2024-05-01T12:00:00Z/2024-05-01",
         "2024-05-01T12:00:00Z/2024-05-01T23:59:59.999Z"},
        {"2024-05-01/..", "2024-05-01T00:00:00Z/.."},
        {"../2024-05-01", "../2024-05-01T23:59:59.999Z"},
        {"../2024-05-01T00:00:00Z", "../2024-05-01T00:00:00Z"},
        {"../..", NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_period period;
        struct giq_period_text text;
        struct giq_error err = {0};
        assert_true(giq_period_parse(cases[i].text, &period, &err));
        const char *printed = giq_period_print(&period, &text);
        if (cases[i].expected == NULL) {
            assert_null(printed);
        } else {
            assert_string_equal(printed, cases[i].expected);
        }
    }
}

#define FORM                                                                             \
    "\"datetime\" must be an instant (2024-05-01T10:20:30Z), a day (2024-05-01), or "    \
    "two of them as <from>/<to>, with \"..\" for an open end"

static void test_anything_else_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", FORM "; got \"\""},
        {"..", FORM "; got \"..\""},
        {"2024-05", FORM "; got \"2024-05\""},
        {"2024-02-30", FORM "; got \"2024-02-30\""},
        {"yesterday", FORM},
        {"/2024-05-01", FORM "; got \"/2024-05-01\""},
        {"2024-05-01/", FORM "; got \"2024-05-01/\""},
        {"2024-05-01/2024-05-02/2024-05-03",
         FORM "; got \"2024-05-01/2024-05-02/2024-05-03\""},
        {"2024-05-01T10:20:30.0000000000000000000000000000000000000000000000000000Z", FORM
         "; got "
         "\"2024-05-01T10:20:30.0000000000000000000000000000000000000000000000000000Z\""},
        {"2024-05-02/2024-05-01", "\"datetime\" ends before it starts: got "
                                  "\"2024-05-02/2024-05-01\"; the order is <from>/<to>"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_period period;
        struct giq_error err = {0};
        assert_false(giq_period_parse(cases[i].text, &period, &err));
        assert_int_equal(err.code, GIQ_E_USAGE);
        assert_string_equal(err.text, cases[i].expected);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_periods_as_the_service_takes_them),
        cmocka_unit_test(test_anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
