#include "net/giq_address.h"

#include "unit.h"

static void test_locations_are_made_absolute(void **state)
{
    (void)state;
    static const struct {
        const char *location, *joined;
    } cases[] = {
        {"/there?a=b", "https://h/there?a=b"},
        {"there", "https://h/a/there"},
        {"../there", "https://h/there"},
        {"?x", "https://h/a/b?x"},
        {"//g/x", "https://g/x"},
        {"http://g:8/x", "http://g:8/x"},
        {"http://g/a b", "http://g/a%20b"},
        {"http://g/a%20b", "http://g/a%20b"},
        {"ftp://g/x", "ftp://g/x"},
        {"what://g/x", "what://g/x"},
        {"http://g:99999/x", "http://g:99999/x"},
        {"http://[::1", "http://[::1"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char *joined = giq_address_join("https://h/a/b?c", cases[i].location);
        assert_string_equal(joined, cases[i].joined);
        free(joined);
    }
}

static void test_user_of_a_location_is_seen(void **state)
{
    (void)state;
    static const char *const locations[] = {"http://user@h/x", "http://user:word@h/x",
                                            "http://:word@h/x", "//user@h/x"};
    for (size_t i = 0; i < GIQ_COUNT(locations); i++) {
        struct giq_address address = {0};
        char *joined = giq_address_join("https://h/a", locations[i]);
        assert_true(giq_address_split(joined, &address));
        assert_true(address.has_user);
        giq_address_release(&address);
        free(joined);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locations_are_made_absolute),
        cmocka_unit_test(test_user_of_a_location_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
