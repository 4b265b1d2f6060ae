/* Archives that must not be taken. */
#include "result/giq_archive.h"

#include <archive_entry.h>

#include "archive_kit.h"
#include "base/giq_os.h"

static void test_an_archive_without_files_is_refused(void **state)
{
    (void)state;
    static const struct member members[] = {
        {"d/", NULL, NULL, NULL},
        {"._a", "x", NULL, NULL},
        {NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(all_kinds); i++) {
        make_archive(all_kinds[i], NULL, members);
        check_refused(all_kinds[i], "holds no file");
        make_archive(all_kinds[i], NULL, members + 2);
        check_refused(all_kinds[i], "");
    }
}

static void test_encrypted_archives_are_refused(void **state)
{
    (void)state;
    static const struct member members[] = {
        {"a.tif", "secret", NULL, NULL},
        {NULL, NULL, NULL, NULL},
    };
    static const char *const options[] = {"zip:encryption=traditional",
                                          "zip:encryption=aes256"};
    for (size_t i = 0; i < GIQ_COUNT(options); i++) {
        make_archive(GIQ_ARCHIVE_ZIP, options[i], members);
        check_refused(GIQ_ARCHIVE_ZIP,
                      "the result is an archive whose member \"a.tif\" is encrypted");
        assert_int_equal(count_files(), 0);
    }
}

/* Every truncation must be seen, wherever it is. */
static void test_truncated_archives_are_refused(void **state)
{
    (void)state;
    static const size_t padding[] = {
        [GIQ_ARCHIVE_ZIP] = 0,
        [GIQ_ARCHIVE_TAR] = 10240, /* zeros behind the end */
        [GIQ_ARCHIVE_TAR_GZ] = 0,
    };
    for (size_t i = 0; i < GIQ_COUNT(all_kinds); i++) {
        make_archive(all_kinds[i], NULL, two_members);
        struct giq_buf bytes;
        read_archive(&bytes);
        size_t len = bytes.len;
        while (padding[all_kinds[i]] > 0 && len > 0 && bytes.data[len - 1] == '\0') {
            len--;
        }
        len = padding[all_kinds[i]] > 0 ? (len + 511) / 512 * 512 : len - 1;
        for (size_t cut = 0; cut <= len; cut += 1 + len / 199) {
            write_archive(bytes.data, cut);
            check_refused(all_kinds[i], "");
        }
        write_archive(bytes.data, len);
        check_refused(all_kinds[i], "");
        giq_buf_release(&bytes);
    }
}

/* The offset of `text` in an archive, counted from `from`. */
static size_t offset_of(const struct giq_buf *bytes, size_t from, const char *text,
                        size_t len)
{
    const char *at = memmem(bytes->data + from, bytes->len - from, text, len);
    assert_non_null(at);
    return (size_t)(at - bytes->data);
}

static void test_damaged_zips_are_refused(void **state)
{
    (void)state;
    enum { CRC_AT = 16, SIZE_AT = 24 };
    for (int damage = 0; damage < 4; damage++) {
        const char *options = damage == 1 ? NULL : "zip:compression=store";
        make_archive(GIQ_ARCHIVE_ZIP, options, two_members);
        struct giq_buf bytes;
        read_archive(&bytes);
        size_t central = offset_of(&bytes, 0, "PK\1\2", 4);
        size_t data = damage == 1 ? 0 : offset_of(&bytes, 0, "1 long", 6);
        const size_t at[] = {data, central + CRC_AT, central + SIZE_AT, central + CRC_AT};
        bytes.data[at[damage]] = (char)(bytes.data[at[damage]] ^ 1);
        write_archive(bytes.data, bytes.len);
        check_refused(GIQ_ARCHIVE_ZIP, "is damaged");
        giq_buf_release(&bytes);
        empty_folder();
    }
}

static void test_a_damaged_tar_header_is_refused(void **state)
{
    (void)state;
    make_archive(GIQ_ARCHIVE_TAR, NULL, two_members);
    struct giq_buf bytes;
    read_archive(&bytes);
    bytes.data[offset_of(&bytes, 0, "b.tif", 5)] = 'c';
    write_archive(bytes.data, bytes.len);
    check_refused(GIQ_ARCHIVE_TAR, "is damaged");
    giq_buf_release(&bytes);
}

static void test_damaged_gzips_are_refused(void **state)
{
    (void)state;
    static const size_t from_end[] = {8, 5, 4, 1}; /* checksum and length */
    for (size_t i = 0; i < GIQ_COUNT(from_end); i++) {
        make_archive(GIQ_ARCHIVE_TAR_GZ, NULL, two_members);
        struct giq_buf bytes;
        read_archive(&bytes);
        size_t at = bytes.len - from_end[i];
        bytes.data[at] = (char)(bytes.data[at] ^ 1);
        write_archive(bytes.data, bytes.len);
        check_refused(GIQ_ARCHIVE_TAR_GZ, "is damaged");
        giq_buf_release(&bytes);
        empty_folder();
    }
}

static void test_other_kinds_are_refused(void **state)
{
    (void)state;
    make_archive(GIQ_ARCHIVE_ZIP, NULL, two_members);
    check_refused(GIQ_ARCHIVE_TAR, "");
    check_refused(GIQ_ARCHIVE_TAR_GZ, "");
    make_archive(GIQ_ARCHIVE_TAR_GZ, NULL, two_members);
    check_refused(GIQ_ARCHIVE_TAR, "");
    check_refused(GIQ_ARCHIVE_ZIP, "");
    assert_int_equal(count_files(), 0);
}

static void test_members_are_counted(void **state)
{
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        struct archive *out = begin_archive(GIQ_ARCHIVE_ZIP, "zip:compression=store");
        add_member(out, &(struct member){"a.tif", "1", NULL, NULL});
        for (int i = 1; i < GIQ_ARCHIVE_MEMBERS_MAX + extra; i++) {
            char path[32];
            (void)snprintf(path, sizeof path, "._%d", i);
            add_member(out, &(struct member){path, "x", NULL, NULL});
        }
        end_archive(out);
        if (extra == 0) {
            check_unpacks(GIQ_ARCHIVE_ZIP);
            assert_int_equal(count_files(), 1);
        } else {
            check_refused(GIQ_ARCHIVE_ZIP, "more than 10000 members");
        }
        empty_folder();
    }
}

/* An archive of `size` zeros in one member. */
static void make_bomb(enum giq_archive_kind kind, const char *path, int64_t size)
{
    static const char zeros[1 << 20];
    struct archive *out = begin_archive(kind, "compression-level=1");
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, path);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, size);
    assert_int_equal(archive_write_header(out, entry), ARCHIVE_OK);
    for (int64_t done = 0; done < size; done += (int64_t)sizeof zeros) {
        assert_int_equal(archive_write_data(out, zeros, sizeof zeros), (int)sizeof zeros);
    }
    archive_entry_free(entry);
    end_archive(out);
}

static void test_a_bomb_is_refused_while_it_is_written(void **state)
{
    (void)state;
    make_bomb(GIQ_ARCHIVE_ZIP, "a.tif", GIQ_ARCHIVE_UNPACKED_ALLOWANCE + (1 << 20));
    check_refused(GIQ_ARCHIVE_ZIP, "unpacks to more than");
    struct giq_error err = {0};
    struct giq_os_stat st;
    char *path = giq_os_join(folder, "a.tif");
    assert_true(giq_os_stat(path, &st, &err));
    assert_true(st.size <= GIQ_ARCHIVE_UNPACKED_ALLOWANCE);
    free(path);
}

static void test_a_bomb_that_is_passed_over_is_refused(void **state)
{
    (void)state;
    make_bomb(GIQ_ARCHIVE_TAR_GZ, "._a", GIQ_ARCHIVE_UNPACKED_ALLOWANCE + (1 << 20));
    check_refused(GIQ_ARCHIVE_TAR_GZ, "unpacks to more than");
    assert_int_equal(count_files(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_archive_without_files_is_refused),
        TEST(test_encrypted_archives_are_refused),
        TEST(test_truncated_archives_are_refused),
        TEST(test_damaged_zips_are_refused),
        TEST(test_a_damaged_tar_header_is_refused),
        TEST(test_damaged_gzips_are_refused),
        TEST(test_other_kinds_are_refused),
        TEST(test_members_are_counted),
        TEST(test_a_bomb_is_refused_while_it_is_written),
        TEST(test_a_bomb_that_is_passed_over_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
