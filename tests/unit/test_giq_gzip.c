#include "base/giq_gzip.h"

#include "base/giq_os.h"
#include "env_kit.h"
#include "gzip_kit.h"

enum { ROOM = 1 << 22, BIG = 300000 };

/* Decode a whole gzip that comes in pieces into pieces of other sizes. */
static bool gunzip(const struct giq_buf *in, size_t piece, struct giq_buf *out,
                   bool *out_complete, struct giq_error *err)
{
    struct giq_gunzip *state = NULL;
    assert_true(giq_gunzip_new(&state, err));
    bool ok = true;
    for (size_t at = 0; ok && at < in->len; at += piece) {
        const char *bytes = in->data + at;
        size_t len = in->len - at < piece ? in->len - at : piece;
        char block[1000];
        size_t n = 1;
        while (ok && (len > 0 || n > 0)) {
            ok = giq_gunzip_step(state, &bytes, &len, block, sizeof block, &n, err);
            assert_true(!ok || giq_buf_add(out, block, n));
        }
    }
    *out_complete = giq_gunzip_is_complete(state);
    giq_gunzip_free(state);
    return ok;
}

static void add_noise(struct giq_buf *out, size_t len)
{
    uint32_t x = 1;
    for (size_t i = 0; i < len; i++) {
        x = x * 1103515245 + 12345;
        char byte = (char)(x >> 24);
        assert_true(giq_buf_add(out, &byte, 1));
    }
}

/* Two members of noise and an empty one, and zeros. */
static void make_gzip(struct giq_buf *noise, struct giq_buf *gzip)
{
    giq_buf_init(noise, ROOM);
    giq_buf_init(gzip, ROOM);
    add_noise(noise, BIG);
    add_gzip(gzip, noise->data, BIG / 3);
    add_gzip(gzip, "", 0);
    add_gzip(gzip, noise->data + BIG / 3, BIG - BIG / 3);
}

static void test_members_are_one_stream_however_it_is_cut(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 7, 4096, ROOM};
    struct giq_buf noise;
    struct giq_buf gzip;
    make_gzip(&noise, &gzip);
    assert_true(giq_buf_add(&gzip, "\0\0\0\0", 4));
    for (size_t i = 0; i < GIQ_COUNT(pieces); i++) {
        struct giq_error err = {0};
        struct giq_buf out;
        bool is_complete = false;
        giq_buf_init(&out, ROOM);
        assert_true(gunzip(&gzip, pieces[i], &out, &is_complete, &err));
        assert_true(is_complete);
        assert_int_equal(out.len, BIG);
        assert_memory_equal(out.data, noise.data, BIG);
        giq_buf_release(&out);
    }
    giq_buf_release(&noise);
    giq_buf_release(&gzip);
}

/* A wrong checksum or length in any member, and what is no gzip. */
static void test_damage_is_an_error(void **state)
{
    (void)state;
    struct giq_buf first;
    giq_buf_init(&first, ROOM);
    add_gzip(&first, "abcdefgh", 8);
    const size_t one = first.len;
    add_gzip(&first, "ijklmnop", 8);
    const struct {
        size_t at;
        const char *says;
    } cases[] = {
        {0, "incorrect header check"},         {one - 8, "incorrect data check"},
        {one - 4, "incorrect length check"},   {one, "incorrect header check"},
        {2 * one - 5, "incorrect data check"}, {2 * one - 1, "incorrect length check"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        struct giq_buf out;
        bool is_complete = false;
        giq_buf_init(&out, ROOM);
        first.data[cases[i].at] ^= 1;
        assert_false(gunzip(&first, ROOM, &out, &is_complete, &err));
        first.data[cases[i].at] ^= 1;
        assert_int_equal(err.code, GIQ_E_RESULT);
        assert_non_null(strstr(err.text, cases[i].says));
        giq_buf_release(&out);
    }
    giq_buf_release(&first);
}

static void test_what_is_cut_is_not_complete(void **state)
{
    (void)state;
    struct giq_buf gzip;
    giq_buf_init(&gzip, ROOM);
    add_gzip(&gzip, "abcdefgh", 8);
    size_t one = gzip.len;
    add_gzip(&gzip, "ijklmnop", 8);
    size_t len = gzip.len;
    for (gzip.len = 0; gzip.len <= len; gzip.len++) {
        struct giq_error err = {0};
        struct giq_buf out;
        bool is_complete = false;
        giq_buf_init(&out, ROOM);
        assert_true(gunzip(&gzip, 3, &out, &is_complete, &err));
        assert_int_equal(is_complete, gzip.len == one || gzip.len == len);
        giq_buf_release(&out);
    }
    gzip.len = len;
    giq_buf_release(&gzip);
}

/* How many bytes are read before the end or the error, which must be those of `noise`. */
static size_t read_file(const char *path, const struct giq_buf *noise, bool *out_ok,
                        struct giq_error *err)
{
    struct giq_gzip *file = NULL;
    size_t total = 0;
    size_t len = 1;
    char block[777];
    bool ok = giq_gzip_open(path, &file, err);
    while (ok && len > 0) {
        ok = giq_gzip_read(file, block, sizeof block, &len, err);
        assert_true(!ok || memcmp(block, noise->data + total, len) == 0);
        total += ok ? len : 0;
    }
    giq_gzip_close(file);
    *out_ok = ok;
    return total;
}

static void test_files_are_read_to_a_proven_end(void **state)
{
    char *folder = *state;
    char *path = giq_os_join(folder, "x.gz");
    struct giq_error err = {0};
    struct giq_buf noise;
    struct giq_buf gzip;
    make_gzip(&noise, &gzip);
    for (size_t cut = 0; cut < 2; cut++) {
        char head[100];
        size_t len = 0;
        bool ok = false;
        assert_true(giq_os_replace_file(folder, "x.gz", GIQ_OS_PRIVATE, gzip.data,
                                        gzip.len - cut, &err));
        assert_true(giq_gzip_read_head(path, head, sizeof head, &len, &err));
        assert_int_equal(len, sizeof head);
        assert_memory_equal(head, noise.data, sizeof head);
        assert_int_equal(read_file(path, &noise, &ok, &err), BIG);
        assert_int_equal(ok, cut == 0);
    }
    assert_int_equal(err.code, GIQ_E_RESULT);
    assert_non_null(strstr(err.text, "truncated"));

    assert_true(giq_buf_add_text(&gzip, "\r\n\x1f"));
    assert_true(
        giq_os_replace_file(folder, "x.gz", GIQ_OS_PRIVATE, gzip.data, gzip.len, &err));
    bool is_whole = false;
    assert_int_equal(read_file(path, &noise, &is_whole, &err), BIG);
    assert_true(is_whole);

    struct giq_gzip *none = NULL;
    err = (struct giq_error){0};
    assert_false(giq_gzip_open("/nowhere/x.gz", &none, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    giq_buf_release(&noise);
    giq_buf_release(&gzip);
    free(path);
}

static void test_data_behind_the_end_is_found(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool is_trailing;
    } cases[] = {
        {"", 0, false}, {"\0\0", 2, false},  {"\r\n \t\v\f\0", 7, false},
        {"x", 1, true}, {"\n\x1f", 2, true}, {"\0\0\x01", 3, true},
    };
    char *folder = *state;
    char *path = giq_os_join(folder, "y.gz");
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        struct giq_gzip *file = NULL;
        struct giq_buf gzip;
        char block[16];
        size_t len = 0;
        bool is_trailing = !cases[i].is_trailing;
        giq_buf_init(&gzip, ROOM);
        add_gzip(&gzip, "abc", 3);
        assert_true(giq_buf_add(&gzip, cases[i].bytes, cases[i].len));
        assert_true(giq_os_replace_file(folder, "y.gz", GIQ_OS_PRIVATE, gzip.data,
                                        gzip.len, &err));
        assert_true(giq_gzip_open(path, &file, &err));
        assert_true(giq_gzip_read(file, block, sizeof block, &len, &err));
        assert_int_equal(len, 3);
        assert_true(giq_gzip_read(file, block, sizeof block, &len, &err));
        assert_int_equal(len, 0);
        assert_true(giq_gzip_find_trailing(file, &is_trailing, &err));
        assert_int_equal(is_trailing, cases[i].is_trailing);
        giq_gzip_close(file);
        giq_buf_release(&gzip);
    }
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_are_one_stream_however_it_is_cut),
        cmocka_unit_test(test_damage_is_an_error),
        cmocka_unit_test(test_what_is_cut_is_not_complete),
        ENV_KIT_TEST(test_files_are_read_to_a_proven_end),
        ENV_KIT_TEST(test_data_behind_the_end_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
