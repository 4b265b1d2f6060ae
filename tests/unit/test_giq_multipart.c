#include "net/giq_multipart.h"

#include "unit.h"

#include <curl/curl.h>

static bool begin(void *ctx, struct giq_error *err)
{
    const bool *fails = ctx;
    return !*fails || giq_fail(err, GIQ_E_USAGE, "cannot begin");
}

static bool read_nothing(void *ctx, char *out, size_t max, size_t *out_len,
                         struct giq_error *err)
{
    (void)ctx;
    (void)out;
    (void)max;
    (void)err;
    *out_len = 0;
    return true;
}

static bool begin_fails;
static const struct giq_multipart_file file = {"a.tif", 100, begin, read_nothing,
                                               &begin_fails};
static const struct giq_multipart_field with_file[] = {{.name = "a", .value = "b"},
                                                       {.name = "file", .file = &file}};

static struct giq_multipart *make(CURL *curl, size_t count, struct giq_error *err)
{
    struct giq_multipart *multipart = NULL;
    (void)giq_multipart_new(curl, with_file, count, &multipart, err);
    return multipart;
}

static void test_pace_of_a_file(void **state)
{
    (void)state;
    /* At 10 bytes a second over windows of 30 seconds, of 1000 bytes. */
    static const struct {
        int64_t at_s, sent;
        bool slow;
    } looks[] = {
        {100, 0, false},    {160, 0, false},   {189, 300, false}, {190, 300, false},
        {219, 300, false},  {220, 600, false}, {249, 600, false}, {250, 899, true},
        {251, 899, false},  {279, 899, false}, {280, 899, true},  {310, 1000, false},
        {999, 1000, false},
    };
    struct giq_error err = {0};
    CURL *curl = curl_easy_init();
    struct giq_multipart *multipart = make(curl, 2, &err);
    assert_non_null(multipart);
    for (size_t i = 0; i < GIQ_COUNT(looks); i++) {
        assert_int_equal(giq_multipart_is_too_slow(multipart, 30, 10,
                                                   looks[i].at_s * 1000, looks[i].sent,
                                                   1000),
                         looks[i].slow);
    }
    giq_multipart_free(multipart);
    curl_easy_cleanup(curl);
}

static void test_form_without_a_file_is_never_too_slow(void **state)
{
    (void)state;
    struct giq_error err = {0};
    CURL *curl = curl_easy_init();
    struct giq_multipart *multipart = make(curl, 1, &err);
    assert_non_null(multipart);
    for (int64_t at = 0; at < 3; at++) {
        assert_false(giq_multipart_is_too_slow(multipart, 1, 10, at * 60000, 0, 1000));
        assert_false(giq_multipart_is_too_slow(NULL, 1, 10, at * 60000, 0, 1000));
    }
    assert_false(giq_multipart_has_failed(multipart));
    assert_false(giq_multipart_has_failed(NULL));
    giq_multipart_free(multipart);
    giq_multipart_free(NULL);
    curl_easy_cleanup(curl);
}

static void test_file_that_cannot_be_read_makes_no_form(void **state)
{
    (void)state;
    struct giq_error err = {0};
    CURL *curl = curl_easy_init();
    begin_fails = true;
    assert_null(make(curl, 2, &err));
    begin_fails = false;
    assert_int_equal(err.code, GIQ_E_USAGE);
    assert_string_equal(err.text, "cannot begin");
    curl_easy_cleanup(curl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pace_of_a_file),
        cmocka_unit_test(test_form_without_a_file_is_never_too_slow),
        cmocka_unit_test(test_file_that_cannot_be_read_makes_no_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
