#include "base/giq_buf.h"

#include "unit.h"

static void test_empty_buffer_is_an_empty_text(void **state)
{
    (void)state;
    struct giq_buf buf;
    giq_buf_init(&buf, 10);
    assert_string_equal(giq_buf_text(&buf), "");
    assert_null(buf.data);
    assert_null(giq_buf_take(&buf));
    giq_buf_release(&buf);
    assert_int_equal(buf.max, 10);
}

static void test_bytes_are_added_in_order(void **state)
{
    (void)state;
    struct giq_buf buf;
    giq_buf_init(&buf, 100);
    assert_true(giq_buf_add(&buf, "a\0b", 3));
    assert_true(giq_buf_add_text(&buf, "cd"));
    assert_true(giq_buf_addf(&buf, "%03d%s", 7, "!"));
    assert_true(giq_buf_add(&buf, NULL, 0));
    assert_int_equal(buf.len, 9);
    assert_memory_equal(buf.data, "a\0bcd007!", 10);
    giq_buf_release(&buf);
    assert_int_equal(buf.len, 0);
    assert_string_equal(giq_buf_text(&buf), "");
    assert_null(buf.data);
}

static void test_ceiling_is_kept_to_the_byte(void **state)
{
    (void)state;
    static const struct {
        size_t max, first, second;
        bool ok;
    } cases[] = {
        {10, 5, 5, true},       {10, 5, 6, false},       {10, 10, 0, true},
        {10, 10, 1, false},     {0, 0, 0, true},         {0, 0, 1, false},
        {1000, 256, 744, true}, {1000, 256, 745, false}, {10, 5, SIZE_MAX, false},
    };
    char bytes[1000];
    memset(bytes, 'x', sizeof bytes);
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_buf buf;
        giq_buf_init(&buf, cases[i].max);
        assert_true(giq_buf_add(&buf, bytes, cases[i].first));
        assert_int_equal(giq_buf_fits(&buf, cases[i].second), cases[i].ok);
        assert_int_equal(giq_buf_add(&buf, bytes, cases[i].second), cases[i].ok);
        size_t len = cases[i].first + (cases[i].ok ? cases[i].second : 0);
        assert_int_equal(buf.len, len);
        assert_int_equal(strlen(giq_buf_text(&buf)), len);
        giq_buf_release(&buf);
    }
}

static void test_formatted_text_beyond_the_ceiling_changes_nothing(void **state)
{
    (void)state;
    struct giq_buf buf;
    giq_buf_init(&buf, 5);
    assert_true(giq_buf_addf(&buf, "%s", "abc"));
    assert_false(giq_buf_addf(&buf, "%s", "def"));
    assert_string_equal(giq_buf_text(&buf), "abc");
    assert_true(giq_buf_addf(&buf, "%s", "de"));
    assert_string_equal(giq_buf_text(&buf), "abcde");
    giq_buf_release(&buf);
}

static void test_taking_empties_the_buffer(void **state)
{
    (void)state;
    struct giq_buf buf;
    giq_buf_init(&buf, 5);
    assert_true(giq_buf_add_text(&buf, "abc"));
    char *taken = giq_buf_take(&buf);
    assert_string_equal(taken, "abc");
    free(taken);
    assert_int_equal(buf.len, 0);
    assert_true(giq_buf_add_text(&buf, "defgh"));
    assert_string_equal(giq_buf_text(&buf), "defgh");
    giq_buf_release(&buf);
}

static void test_truncated_buffer_keeps_its_first_bytes(void **state)
{
    struct giq_buf buf;
    (void)state;
    giq_buf_init(&buf, 10);
    giq_buf_truncate(&buf, 0);
    assert_string_equal(giq_buf_text(&buf), "");
    assert_true(giq_buf_add_text(&buf, "abcdef"));
    giq_buf_truncate(&buf, 2);
    assert_string_equal(giq_buf_text(&buf), "ab");
    assert_true(giq_buf_add_text(&buf, "12345678"));
    assert_string_equal(giq_buf_text(&buf), "ab12345678");
    giq_buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_buffer_is_an_empty_text),
        cmocka_unit_test(test_bytes_are_added_in_order),
        cmocka_unit_test(test_ceiling_is_kept_to_the_byte),
        cmocka_unit_test(test_formatted_text_beyond_the_ceiling_changes_nothing),
        cmocka_unit_test(test_taking_empties_the_buffer),
        cmocka_unit_test(test_truncated_buffer_keeps_its_first_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
