#include "result/giq_member.h"

#include "unit.h"

/* Add every path of a list that ends in NULL, and compare. */
static void check_masked_places(const struct giq_cred *cred,
                                const char *const (*pairs)[2])
{
    struct giq_error err = {0};
    struct giq_members *members = NULL;
    assert_true(giq_members_new(cred, &members, &err));
    for (; (*pairs)[0] != NULL; pairs++) {
        char *path = NULL;
        size_t folder_len = 99;
        assert_true(giq_members_add(members, (*pairs)[0], &path, &folder_len, &err));
        assert_string_equal(path, (*pairs)[1]);
        const char *slash = strrchr(path, '/');
        assert_int_equal(folder_len, slash == NULL ? 0 : slash - path);
        free(path);
    }
    giq_members_free(members);
}

static void check_places(const char *const (*pairs)[2])
{
    check_masked_places(NULL, pairs);
}

static void test_paths_stay_below_the_folder(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"map.tif", "map.tif"},
        {"../../etc/passwd", "etc/passwd"},
        {"/abs/x.tif", "abs/x.tif"},
        {"C:\\y\\z.tif", "C_/y/z.tif"},
        {"./a//./b.tif", "a/b.tif"},
        {".../c.tif", "result/c.tif"},
        {"a/CON/aux.tif", "a/CON/aux.tif"},
        {".hidden/.d.tif", "hidden/d.tif"},
        {NULL, NULL},
    };
    check_places(pairs);
}

/* The second byte of a character may be that of a backslash. */
static void test_characters_of_two_bytes_are_not_taken_apart(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"\x95\\.tif", "__.tif"},
        {"\x83\\.tfw", "__.tfw"},
        {"\x95\\/\x83\\.tif", "__/__.tif"},
        {"\xb1\x95\\\x83\\.tif", "_____.tif"},
        {"d\\\xb1\xbd\\x.tif", "d/__/x.tif"},
        {"d\\\xb1\xbd\\..\\..\\y.tif", "d/__/y.tif"},
        {"\xc3\xa9\\z.tif", "\xc3\xa9/z.tif"},
        {NULL, NULL},
    };
    check_places(pairs);
}

static void test_paths_that_differ_are_kept_apart(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"d/x:y.shp", "d/x_y.shp"},
        {"d/x:y.dbf", "d/x_y.dbf"},
        {"e/x?y.shp", "e/x_y.shp"},
        {"readme", "readme"},
        {"README", "README"},
        {"a/x.tif", "a/x.tif"},
        {"./a//y.tif", "a/y.tif"},
        {"A/x.tif", "A/x.tif"},
        {"a\\z.tif", "a/z.tif"},
        {"x.tif", "x.tif"},
        {NULL, NULL},
    };
    check_places(pairs);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second, *says;
    } cases[] = {
        {"a/b.tif", "a/b.tif", "has the member \"a/b.tif\" twice"},
        {"a/b.tif", "./a//b.tif", "has the member \"a/b.tif\" twice"},
        {"a:.tif", "a?.tif", "members \"a:.tif\" and \"a?.tif\" get the same file name"},
        {"d/.a", "d/a", "members \"d/.a\" and \"d/a\" get the same file name"},
        {"b", "b/z.tif", "members \"b\" and \"b/\" get the same file name"},
        {"b/z.tif", "b", "members \"b/\" and \"b\" get the same file name"},
        {"a:/x.tif", "a?/y.tif", "members \"a:/\" and \"a?/\" get the same file name"},
        {"x", "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/x",
         "nested more than 15 deep: \"1/2/3/"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        struct giq_members *members = NULL;
        char *path = NULL;
        size_t folder_len = 0;
        assert_true(giq_members_new(NULL, &members, &err));
        assert_true(giq_members_add(members, cases[i].first, &path, &folder_len, &err));
        free(path);
        path = NULL;
        assert_false(giq_members_add(members, cases[i].second, &path, &folder_len, &err));
        assert_null(path);
        assert_int_equal(err.code, GIQ_E_RESULT);
        assert_non_null(strstr(err.text, cases[i].says));
        giq_members_free(members);
    }
}

static void test_secrets_are_in_no_path(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"the-key/a.shp", "_______/a.shp"},
        {"the-key/a.dbf", "_______/a.dbf"},
        {"d/of the-key.tif", "d/of _______.tif"},
        {"the-\x01key.tif", "_______.tif"},
        {"e/a/b/c=.tif", "e/______.tif"},
        {"e/a", "e/a"},
        {NULL, NULL},
    };
    struct giq_cred *cred = NULL;
    struct giq_error err = {0};
    assert_true(giq_cred_new("the-key", "a/b/c=", &cred, &err));
    check_masked_places(cred, pairs);
    giq_cred_free(cred);
}

static void test_a_secret_is_not_shown_of_a_member_that_is_there_twice(void **state)
{
    (void)state;
    char raw[300];
    struct giq_cred *cred = NULL;
    struct giq_members *members = NULL;
    struct giq_error err = {0};
    char *path = NULL;
    size_t folder_len = 0;
    assert_true(giq_cred_new("the-key", NULL, &cred, &err));
    assert_true(giq_members_new(cred, &members, &err));
    /* What is shown of a text is cut in the middle of the secret. */
    (void)snprintf(raw, sizeof raw, "%0197d%s", 0, "the-key.tif");
    assert_true(giq_members_add(members, raw, &path, &folder_len, &err));
    assert_false(giq_members_add(members, raw, &path, &folder_len, &err));
    assert_non_null(strstr(err.text, "00***\" twice"));
    free(path);
    giq_members_free(members);
    giq_cred_free(cred);
}

static void test_a_path_may_be_as_deep_as_the_limit(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/x",
         "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/x"},
        {NULL, NULL},
    };
    check_places(pairs);
}

static void test_what_is_ignored(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        bool is;
    } cases[] = {{"a.tif", false},
                 {"._a.tif", true},
                 {"d/._a.tif", true},
                 {"__MACOSX/a.tif", true},
                 {"d/__macosx/a.tif", true},
                 {"__MACOSX.tif", false},
                 {"a.tif.ovr", false},
                 {"a.tif.aux.xml", false},
                 {"__MACOSX /a.tif", true},
                 {"d\\._a", true},
                 {"..", true},
                 {"", true},
                 {"/", true},
                 {"ovr", false},
                 {"._d/a.tif", false}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_int_equal(giq_member_is_ignored(cases[i].raw), cases[i].is);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_stay_below_the_folder),
        cmocka_unit_test(test_characters_of_two_bytes_are_not_taken_apart),
        cmocka_unit_test(test_paths_that_differ_are_kept_apart),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_secrets_are_in_no_path),
        cmocka_unit_test(test_a_secret_is_not_shown_of_a_member_that_is_there_twice),
        cmocka_unit_test(test_a_path_may_be_as_deep_as_the_limit),
        cmocka_unit_test(test_what_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
