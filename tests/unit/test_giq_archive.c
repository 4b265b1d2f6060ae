#include "result/giq_archive.h"

#include <archive_entry.h>
#include <sys/stat.h>

#include "archive_kit.h"
#include "base/giq_os.h"

static void test_every_kind_is_unpacked(void **state)
{
    (void)state;
    static const struct member members[] = {
        {"d/", NULL, NULL, NULL},  {"d/a.tif", "alpha", NULL, NULL},
        {"b.txt", "", NULL, NULL}, {"e/f/\xe2\x82\xac\xc3\xa9.tif", "gamma", NULL, NULL},
        {NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(all_kinds); i++) {
        make_archive(all_kinds[i], NULL, members);
        check_unpacks(all_kinds[i]);
        check_file("d/a.tif", "alpha");
        check_file("b.txt", "");
        check_file("e/f/\xe2\x82\xac\xc3\xa9.tif", "gamma");
        assert_int_equal(count_files(), 3);
        empty_folder();
    }
}

static void test_nothing_leaves_the_folder(void **state)
{
    (void)state;
    static const struct member members[] = {
        {"../up.tif", "1", NULL, NULL},
        {"/tmp/abs.tif", "2", NULL, NULL},
        {"a/../../b/../c.tif", "3", NULL, NULL},
        {"link", NULL, "/tmp", NULL},
        {"link/x.tif", "4", NULL, NULL},
        {"..\\win.tif", "5", NULL, NULL},
        {NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(all_kinds); i++) {
        make_archive(all_kinds[i], NULL, members);
        check_unpacks(all_kinds[i]);
        check_file("up.tif", "1");
        check_file("tmp/abs.tif", "2");
        check_file("a/b/c.tif", "3");
        check_file("link/x.tif", "4");
        check_file("win.tif", "5");
        assert_int_equal(count_files(), 5);
        empty_folder();
    }
}

static void test_what_is_passed_over(void **state)
{
    (void)state;
    static const struct member members[] = {
        {"a.tif", "1", NULL, NULL},
        {"._a.tif", "x", NULL, NULL},
        {"__MACOSX/a.tif", "x", NULL, NULL},
        {"link.tif", NULL, "a.tif", NULL},
        {NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(all_kinds); i++) {
        make_archive(all_kinds[i], NULL, members);
        check_unpacks(all_kinds[i]);
        assert_int_equal(count_files(), 1);
        empty_folder();
    }
}

static void test_hard_links_are_copies(void **state)
{
    (void)state;
    static const struct member members[] = {
        {"d/a:b.tif", "12", NULL, NULL},  {"c.tif", "", NULL, "./d//a:b.tif"},
        {"e/c.tif", "", NULL, "c.tif"},   {"x.tif", "", NULL, "d"},
        {"y.tif", "", NULL, "d/a_b.tif"}, {"z.tif", "", NULL, "later.tif"},
        {"later.tif", "3", NULL, NULL},   {NULL, NULL, NULL, NULL},
    };
    make_archive(GIQ_ARCHIVE_TAR, NULL, members);
    check_unpacks(GIQ_ARCHIVE_TAR);
    check_file("d/a_b.tif", "12");
    check_file("c.tif", "12");
    check_file("e/c.tif", "12");
    check_file("later.tif", "3");
    assert_int_equal(count_files(), 4);
}

static void test_hard_links_to_other_files_are_ignored(void **state)
{
    (void)state;
    static const struct member members[] = {
        {"a.tif", "1", NULL, NULL},
        {"b.tif", "", NULL, "/etc/passwd"},
        {NULL, NULL, NULL, NULL},
    };
    make_archive(GIQ_ARCHIVE_TAR, NULL, members);
    check_unpacks(GIQ_ARCHIVE_TAR);
    assert_int_equal(count_files(), 1);
}

static void test_two_members_of_one_name_are_refused(void **state)
{
    (void)state;
    static const struct member members[] = {
        {"x:y.shp", "1", NULL, NULL},
        {"x?y.shp", "2", NULL, NULL},
        {NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(all_kinds); i++) {
        make_archive(all_kinds[i], NULL, members);
        check_refused(all_kinds[i],
                      "members \"x:y.shp\" and \"x?y.shp\" get the same file name");
        check_file("x_y.shp", "1");
        empty_folder();
    }
}

static void test_a_member_twice_is_refused(void **state)
{
    (void)state;
    static const struct member members[] = {
        {"a.tif", "1", NULL, NULL},
        {"a.tif", "2", NULL, NULL},
        {NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(all_kinds); i++) {
        make_archive(all_kinds[i], NULL, members);
        check_refused(all_kinds[i], "member \"a.tif\" twice");
        check_file("a.tif", "1");
        empty_folder();
    }
}

/* Several gzips behind one another are one stream to any reader. */
static void test_a_gzip_in_parts_is_unpacked(void **state)
{
    (void)state;
    static const struct member nothing[] = {{NULL, NULL, NULL, NULL}};
    struct giq_buf bytes;
    struct giq_buf more;
    make_archive(GIQ_ARCHIVE_TAR_GZ, NULL, two_members);
    read_archive(&bytes);
    make_archive(GIQ_ARCHIVE_TAR_GZ, NULL, nothing);
    read_archive(&more);
    assert_true(giq_buf_add(&bytes, more.data, more.len));
    write_archive(bytes.data, bytes.len);
    check_unpacks(GIQ_ARCHIVE_TAR_GZ);
    assert_int_equal(count_files(), 2);
    empty_folder();

    /* The checksum of each part counts, not that of the last one only. */
    size_t first = bytes.len - more.len;
    bytes.data[first - 5] = (char)(bytes.data[first - 5] ^ 1);
    write_archive(bytes.data, bytes.len);
    check_refused(GIQ_ARCHIVE_TAR_GZ, "is damaged");
    giq_buf_release(&more);
    giq_buf_release(&bytes);
}

static void test_sparse_files_are_whole(void **state)
{
    (void)state;
    enum { SIZE = 3 << 20, DATA_AT = 1 << 20 };
    struct archive *out = begin_archive(GIQ_ARCHIVE_TAR, NULL);
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, "a.tif");
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, SIZE);
    archive_entry_sparse_add_entry(entry, DATA_AT, 4096);
    assert_int_equal(archive_write_header(out, entry), ARCHIVE_OK);
    char *bytes = calloc(1, SIZE);
    assert_non_null(bytes);
    memset(bytes + DATA_AT, 'x', 4096);
    assert_int_equal(archive_write_data(out, bytes, SIZE), SIZE);
    archive_entry_free(entry);
    end_archive(out);
    check_unpacks(GIQ_ARCHIVE_TAR);

    struct giq_error err = {0};
    struct giq_buf found;
    bool is_there = false;
    char *path = giq_os_join(folder, "a.tif");
    giq_buf_init(&found, FILE_MAX);
    assert_true(giq_os_read_file(path, FILE_MAX, &found, &is_there, &err));
    assert_int_equal(found.len, SIZE);
    assert_int_equal(memcmp(found.data, bytes, SIZE), 0);
    giq_buf_release(&found);
    free(path);
    free(bytes);
}

static void test_failures_of_the_disk_stay_what_they_are(void **state)
{
    (void)state;
    struct giq_error err = {0};
    make_archive(GIQ_ARCHIVE_ZIP, NULL, two_members);
    assert_false(giq_archive_unpack(archive_path, GIQ_ARCHIVE_ZIP, "/dev/null",
                                    GIQ_OS_PRIVATE, NULL, NULL, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    assert_true(err.sys_errno != 0);
    err = (struct giq_error){0};
    assert_false(giq_archive_unpack("/nowhere/archive", GIQ_ARCHIVE_ZIP, folder,
                                    GIQ_OS_PRIVATE, NULL, NULL, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
}

static void test_access_of_what_is_unpacked(void **state)
{
    (void)state;
    static const struct member members[] = {
        {"d/a.tif", "1", NULL, NULL},
        {NULL, NULL, NULL, NULL},
    };
    make_archive(GIQ_ARCHIVE_TAR, NULL, members);
    check_unpacks(GIQ_ARCHIVE_TAR);
    struct stat st;
    char *path = giq_os_join(folder, "d/a.tif");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_kind_is_unpacked),
        TEST(test_nothing_leaves_the_folder),
        TEST(test_what_is_passed_over),
        TEST(test_hard_links_are_copies),
        TEST(test_hard_links_to_other_files_are_ignored),
        TEST(test_two_members_of_one_name_are_refused),
        TEST(test_a_member_twice_is_refused),
        TEST(test_a_gzip_in_parts_is_unpacked),
        TEST(test_sparse_files_are_whole),
        TEST(test_failures_of_the_disk_stay_what_they_are),
        TEST(test_access_of_what_is_unpacked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
