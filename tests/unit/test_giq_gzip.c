#include "result/giq_gzip.h"

#include <errno.h>
#include <zlib.h>

#include "base/giq_buf.h"
#include "base/giq_os.h"
#include "env_kit.h"
#include "gzip_kit.h"

enum { ROOM = 1 << 22, BIG = 300000 };

#define TRUNCATED "the result is a gzip file that is truncated"

/* gzread() knows a gzip file by its first two bytes, since zlib 1.3.2 by its first four.
 * One byte alone after a member is ignored, but since 1.3.2 it is a truncated member. */
#if ZLIB_VERNUM >= 0x1320
enum { MAGIC_LEN = 4, IS_LAST_BYTE_IGNORED = false };
#define WRONG_METHOD "the result is not a gzip file"
#else
enum { MAGIC_LEN = 2, IS_LAST_BYTE_IGNORED = true };
#define WRONG_METHOD "unknown compression method"
#endif

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

static void write_gzip(const char *folder, const struct giq_buf *gzip)
{
    struct giq_error err = {0};
    assert_true(
        giq_os_replace_file(folder, "x.gz", GIQ_OS_PRIVATE, gzip->data, gzip->len, &err));
}

/* Read the file to its end or its first error into `out`; false where that fails. */
static bool read_file(const char *folder, size_t piece, struct giq_buf *out,
                      struct giq_error *err)
{
    char block[4096];
    char *path = giq_os_join(folder, "x.gz");
    struct giq_gzip *file = NULL;
    size_t len = 1;
    bool ok = giq_gzip_open(path, &file, err);
    while (ok && len > 0) {
        ok = giq_gzip_read(file, block, piece, &len, err);
        assert_true(!ok || giq_buf_add(out, block, len));
    }
    giq_gzip_close(file);
    free(path);
    return ok;
}

static void test_members_are_one_stream(void **state)
{
    static const size_t pieces[] = {7, 777, 4096};
    struct giq_buf noise;
    struct giq_buf gzip;
    make_gzip(&noise, &gzip);
    write_gzip(*state, &gzip);
    for (size_t i = 0; i < GIQ_COUNT(pieces); i++) {
        struct giq_error err = {0};
        GIQ_AUTO_BUF struct giq_buf out;
        giq_buf_init(&out, ROOM);
        assert_true(read_file(*state, pieces[i], &out, &err));
        assert_int_equal(out.len, BIG);
        assert_memory_equal(out.data, noise.data, BIG);
    }
    giq_buf_release(&noise);
    giq_buf_release(&gzip);
}

/* A wrong checksum or length in any member, and a file that is not gzip. */
static void test_damage_is_an_error(void **state)
{
    struct giq_buf gzip;
    giq_buf_init(&gzip, ROOM);
    add_gzip(&gzip, "abcdefgh", 8);
    const size_t one = gzip.len;
    add_gzip(&gzip, "ijklmnop", 8);
    const struct {
        size_t at;
        const char *says;
    } cases[] = {
        {0, "the result is not a gzip file"},
        {2, WRONG_METHOD},
        {one - 8, "damaged: incorrect data check"},
        {one - 4, "damaged: incorrect length check"},
        {2 * one - 5, "damaged: incorrect data check"},
        {2 * one - 1, "damaged: incorrect length check"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        GIQ_AUTO_BUF struct giq_buf out;
        giq_buf_init(&out, ROOM);
        gzip.data[cases[i].at] ^= 1;
        write_gzip(*state, &gzip);
        gzip.data[cases[i].at] ^= 1;
        assert_false(read_file(*state, 4096, &out, &err));
        assert_int_equal(err.code, GIQ_E_RESULT);
        assert_non_null(strstr(err.text, cases[i].says));
        assert_null(strstr(err.text, "x.gz"));
    }
    giq_buf_release(&gzip);
}

/* A file cut within a member, at every byte after the mark of the first one. */
static void test_truncated_file_is_an_error(void **state)
{
    struct giq_buf gzip;
    giq_buf_init(&gzip, ROOM);
    add_gzip(&gzip, "abcdefgh", 8);
    size_t one = gzip.len;
    add_gzip(&gzip, "ijklmnop", 8);
    size_t len = gzip.len;
    for (gzip.len = MAGIC_LEN; gzip.len <= len; gzip.len++) {
        struct giq_error err = {0};
        GIQ_AUTO_BUF struct giq_buf out;
        giq_buf_init(&out, ROOM);
        write_gzip(*state, &gzip);
        bool is_whole = gzip.len == one || gzip.len == len ||
                        (gzip.len == one + 1 && IS_LAST_BYTE_IGNORED);
        assert_int_equal(read_file(*state, 4096, &out, &err), is_whole);
        assert_string_equal(err.text, is_whole ? "" : TRUNCATED);
    }
    gzip.len = len;
    giq_buf_release(&gzip);
}

static void test_data_after_the_end_is_ignored(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"", 0},  {"\0\0", 2},       {"\r\n \t\v\f\0", 7},
        {"x", 1}, {"\n\x1f\x8b", 3}, {"\x1f", 1},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        struct giq_buf gzip;
        GIQ_AUTO_BUF struct giq_buf out;
        giq_buf_init(&gzip, ROOM);
        giq_buf_init(&out, ROOM);
        add_gzip(&gzip, "abc", 3);
        assert_true(giq_buf_add(&gzip, cases[i].bytes, cases[i].len));
        write_gzip(*state, &gzip);
        bool is_ignored = cases[i].len != 1 || IS_LAST_BYTE_IGNORED;
        assert_int_equal(read_file(*state, 4096, &out, &err), is_ignored);
        assert_string_equal(is_ignored ? giq_buf_text(&out) : err.text,
                            is_ignored ? "abc" : TRUNCATED);
        giq_buf_release(&gzip);
    }
}

static void test_first_bytes_are_read(void **state)
{
    struct giq_error err = {0};
    struct giq_buf noise;
    struct giq_buf gzip;
    char head[100];
    size_t len = 0;
    char *path = giq_os_join(*state, "x.gz");
    make_gzip(&noise, &gzip);
    write_gzip(*state, &gzip);
    assert_true(giq_gzip_read_head(path, head, sizeof head, &len, &err));
    assert_int_equal(len, sizeof head);
    assert_memory_equal(head, noise.data, sizeof head);
    gzip.len = 0;
    add_gzip(&gzip, "abc", 3);
    write_gzip(*state, &gzip);
    assert_true(giq_gzip_read_head(path, head, sizeof head, &len, &err));
    assert_int_equal(len, 3);
    giq_buf_release(&noise);
    giq_buf_release(&gzip);
    free(path);
}

static void test_file_that_cannot_be_read_is_an_error_of_the_store(void **state)
{
    struct giq_error err = {0};
    struct giq_gzip *file = NULL;
    char byte = 0;
    size_t len = 0;
    assert_false(giq_gzip_open("/nowhere/x.gz", &file, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_true(giq_gzip_open(*state, &file, &err)); /* a folder */
    assert_false(giq_gzip_read(file, &byte, 1, &len, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    assert_int_equal(err.sys_errno, EISDIR);
    giq_gzip_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENV_KIT_TEST(test_members_are_one_stream),
        ENV_KIT_TEST(test_damage_is_an_error),
        ENV_KIT_TEST(test_truncated_file_is_an_error),
        ENV_KIT_TEST(test_data_after_the_end_is_ignored),
        ENV_KIT_TEST(test_first_bytes_are_read),
        ENV_KIT_TEST(test_file_that_cannot_be_read_is_an_error_of_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
