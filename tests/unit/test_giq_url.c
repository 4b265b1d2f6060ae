#include "net/giq_url.h"

#include "unit.h"

static void test_addresses_are_made_with_escaped_values(void **state)
{
    (void)state;
    static const struct {
        const char *base, *path, *name, *value, *url;
    } cases[] = {
        {"https://h", "a/b", NULL, NULL, "https://h/a/b"},
        {"https://h/v1", "s", "id", "j1", "https://h/v1/s?id=j1"},
        {"https://h", "s", "id", "a b&c=d/#?%",
         "https://h/s?id=a%20b%26c%3Dd%2F%23%3F%25"},
        {"https://h", "s", "id", "\xc3\xa9", "https://h/s?id=%C3%A9"},
        {"https://h", "s", "id", "", "https://h/s?id="},
        {"https://h", "s", "id", "a-b._~", "https://h/s?id=a-b._~"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char *url =
            giq_url_make(cases[i].base, cases[i].path, cases[i].name, cases[i].value);
        assert_string_equal(url, cases[i].url);
        free(url);
    }
}

static void test_redirects(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        enum giq_url_redirect hop;
    } cases[] = {
        {"https://h/a", "https://h/b?c", GIQ_URL_SAME_ORIGIN},
        {"https://h/a", "HTTPS://H:443/b", GIQ_URL_SAME_ORIGIN},
        {"http://h/a", "http://h:80/", GIQ_URL_SAME_ORIGIN},
        {"http://[::1]:8/a", "http://[::1]:8/b", GIQ_URL_SAME_ORIGIN},
        {"https://h/a", "https://h:444/b", GIQ_URL_CROSS_ORIGIN},
        {"https://h/a", "https://g/b", GIQ_URL_CROSS_ORIGIN},
        {"https://h/a", "https://h.evil/b", GIQ_URL_CROSS_ORIGIN},
        {"https://h/a", "https://sub.h/b", GIQ_URL_CROSS_ORIGIN},
        {"http://h/a", "https://h/a", GIQ_URL_CROSS_ORIGIN},
        {"http://h/a", "http://g/a", GIQ_URL_CROSS_ORIGIN},
        {"https://h/a", "http://h/a", GIQ_URL_FORBIDDEN},
        {"https://h/a", "http://h:443/a", GIQ_URL_FORBIDDEN},
        {"https://h/a", "ftp://h/a", GIQ_URL_FORBIDDEN},
        {"https://h/a", "file:///etc/passwd", GIQ_URL_FORBIDDEN},
        {"https://h/a", "https://u@h/a", GIQ_URL_FORBIDDEN},
        {"https://h/a", "https://u:p@h/a", GIQ_URL_FORBIDDEN},
        {"https://h/a", "/relative", GIQ_URL_FORBIDDEN},
        {"https://h/a", "", GIQ_URL_FORBIDDEN},
        {"https://h/a", "https://", GIQ_URL_FORBIDDEN},
        {"nonsense", "https://h/a", GIQ_URL_FORBIDDEN},
        {"https://[fe80::1%25eth0]/", "https://[fe80::1%25eth1]/", GIQ_URL_FORBIDDEN},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        if (giq_url_classify_redirect(cases[i].from, cases[i].to) != cases[i].hop) {
            fail_msg("%s -> %s", cases[i].from, cases[i].to);
        }
    }
}

static void test_base_addresses_have_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned flags;
        const char *base;
    } cases[] = {
        {"https://api.example", 0, "https://api.example"},
        {"HTTPS://API.Example/", 0, "https://api.example"},
        {"https://api.example/V1//", 0, "https://api.example/V1"},
        {"https://api.example:8443/a/b", 0, "https://api.example:8443/a/b"},
        {"http://localhost:8000", 0, "http://localhost:8000"},
        {"http://LocalHost", 0, "http://localhost"},
        {"http://127.0.0.1:1/", 0, "http://127.0.0.1:1"},
        {"http://127.9.9.9", 0, "http://127.9.9.9"},
        {"http://[::1]:8000", 0, "http://[::1]:8000"},
        {"http://api.example", GIQ_BASE_URL_ALLOW_HTTP, "http://api.example"},
        {"https://%61pi.example", 0, "https://api.example"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        char *base = NULL;
        assert_true(giq_base_url(cases[i].text, cases[i].flags, &base, &err));
        assert_string_equal(base, cases[i].base);
        free(base);
    }
}

static void test_base_addresses_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned flags;
        const char *part;
    } cases[] = {
        {"", 0, "must have the form https://host/path"},
        {"api.example", 0, "must have the form https://host/path"},
        {"https://", 0, "must have the form https://host/path"},
        {"ftp://h", 0, "must begin with https://; got \"ftp:\""},
        {"file:///x", 0, "GIQ_BASE_URL must"},
        {"http://api.example", 0, "sends the key unencrypted"},
        {"http://127.0.0.1.evil.example", 0, "sends the key unencrypted"},
        {"http://localhost.evil.example", 0, "sends the key unencrypted"},
        {"https://user@h", 0, "must not have a user"},
        {"https://u:s3cr3t@h", 0, "must not have a user"},
        {"https://h/?a=b", 0, "a query"},
        {"https://h/#f", 0, "a fragment"},
        {"http://u@h", GIQ_BASE_URL_ALLOW_HTTP, "must not have a user"},
        {"https://[fe80::1%25eth0]/", 0, "must have the form https://host/path"},
        {"https://a%2541.example/", 0, "must have the form https://host/path"},
        {"https://a%7f.example/", 0, "must have the form https://host/path"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        char *base = NULL;
        if (giq_base_url(cases[i].text, cases[i].flags, &base, &err)) {
            fail_msg("%s is taken as %s", cases[i].text, base);
        }
        assert_int_equal(err.code, GIQ_E_USAGE);
        assert_null(base);
        assert_null(strstr(err.text, "s3cr3t"));
        if (strstr(err.text, cases[i].part) == NULL) {
            fail_msg("%s: %s", cases[i].text, err.text);
        }
    }
}

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
        char *joined = giq_url_join("https://h/a/b?c", cases[i].location);
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
        struct giq_url url = {0};
        char *joined = giq_url_join("https://h/a", locations[i]);
        assert_true(giq_url_split(joined, &url));
        assert_true(url.has_user);
        giq_url_release(&url);
        free(joined);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_made_with_escaped_values),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_base_addresses_have_one_form),
        cmocka_unit_test(test_base_addresses_that_are_refused),
        cmocka_unit_test(test_locations_are_made_absolute),
        cmocka_unit_test(test_user_of_a_location_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
