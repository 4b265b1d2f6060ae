#include "giq_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

#include "giq_buf.h"
#include "giq_os.h"
#include "unit.h"

enum { FILE_MAX = 1 << 22 };

static char base[64];
static char archive_path[96];
static char folder[96];

static int set_up(void **state)
{
    (void)state;
    struct giq_error err = {0};
    (void)strcpy(base, "/tmp/giq-archive-XXXXXX");
    assert_non_null(mkdtemp(base));
    (void)snprintf(archive_path, sizeof archive_path, "%s/archive", base);
    (void)snprintf(folder, sizeof folder, "%s/out", base);
    assert_true(giq_os_make_folders(folder, GIQ_OS_PRIVATE, &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct giq_error err = {0};
    assert_true(giq_os_remove(base, &err));
    return 0;
}

/* ---- making archives ---- */

struct member {
    const char *path;
    const char *bytes; /* NULL for a folder */
    const char *link;  /* a symbolic link to this, where not NULL */
    const char *hard;  /* a hard link to this, where not NULL */
};

static struct archive *begin_archive(enum giq_archive_kind kind, const char *options)
{
    struct archive *out = archive_write_new();
    assert_non_null(out);
    if (kind == GIQ_ARCHIVE_ZIP) {
        assert_int_equal(archive_write_set_format_zip(out), ARCHIVE_OK);
    } else {
        assert_int_equal(archive_write_set_format_pax_restricted(out), ARCHIVE_OK);
    }
    if (kind == GIQ_ARCHIVE_TAR_GZ) {
        assert_int_equal(archive_write_add_filter_gzip(out), ARCHIVE_OK);
    }
    if (options != NULL) {
        assert_int_equal(archive_write_set_options(out, options), ARCHIVE_OK);
    }
    if (options != NULL && strstr(options, "encryption") != NULL) {
        assert_int_equal(archive_write_set_passphrase(out, "secret"), ARCHIVE_OK);
    }
    assert_int_equal(archive_write_open_filename(out, archive_path), ARCHIVE_OK);
    return out;
}

static void end_archive(struct archive *out)
{
    assert_int_equal(archive_write_close(out), ARCHIVE_OK);
    assert_int_equal(archive_write_free(out), ARCHIVE_OK);
}

static void add_member(struct archive *out, const struct member *member)
{
    struct archive_entry *entry = archive_entry_new();
    size_t len = member->bytes == NULL ? 0 : strlen(member->bytes);
    archive_entry_set_pathname(entry, member->path);
    archive_entry_set_perm(entry, 0777);
    archive_entry_set_size(entry, (la_int64_t)len);
    archive_entry_set_filetype(entry, member->link != NULL    ? AE_IFLNK
                                      : member->bytes == NULL ? AE_IFDIR
                                                              : AE_IFREG);
    if (member->link != NULL) {
        archive_entry_set_symlink(entry, member->link);
    }
    if (member->hard != NULL) {
        archive_entry_set_hardlink(entry, member->hard);
    }
    assert_int_equal(archive_write_header(out, entry), ARCHIVE_OK);
    if (len > 0) {
        assert_int_equal(archive_write_data(out, member->bytes, len), (int)len);
    }
    archive_entry_free(entry);
}

/* The members end with one without a path. Their names are UTF-8, which the
 * writer must know; the reader must not depend on the locale. */
static void make_archive(enum giq_archive_kind kind, const char *options,
                         const struct member *members)
{
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = uselocale(utf8);
    struct archive *out = begin_archive(kind, options);
    for (; members->path != NULL; members++) {
        add_member(out, members);
    }
    end_archive(out);
    (void)uselocale(before);
    freelocale(utf8);
}

static void read_archive(struct giq_buf *bytes)
{
    struct giq_error err = {0};
    bool found = false;
    giq_buf_init(bytes, FILE_MAX);
    assert_true(giq_os_read_file(archive_path, FILE_MAX, bytes, &found, &err));
    assert_true(found);
}

static void write_archive(const char *bytes, size_t len)
{
    struct giq_error err = {0};
    assert_true(giq_os_replace_file(base, "archive", GIQ_OS_PRIVATE, bytes, len, &err));
}

/* ---- looking at what came out ---- */

static void check_file(const char *path, const char *bytes)
{
    struct giq_error err = {0};
    struct giq_buf found;
    bool is_there = false;
    char *full = giq_os_join(folder, path);
    giq_buf_init(&found, FILE_MAX);
    assert_true(giq_os_read_file(full, FILE_MAX, &found, &is_there, &err));
    if (!is_there) {
        fail_msg("%s is missing", path);
    }
    assert_string_equal(giq_buf_text(&found), bytes);
    giq_buf_release(&found);
    free(full);
}

struct count {
    const char *at;
    int files;
};

static bool count_entry(void *ctx, const char *name, struct giq_error *err)
{
    struct count *count = ctx;
    struct giq_os_stat st;
    char *path = giq_os_join(count->at, name);
    assert_true(giq_os_stat(path, &st, err));
    if (st.kind == GIQ_OS_FOLDER) {
        struct count inner = {path, 0};
        assert_true(giq_os_list(path, count_entry, &inner, err));
        count->files += inner.files;
    } else {
        count->files++;
    }
    free(path);
    return true;
}

static int count_files(void)
{
    struct giq_error err = {0};
    struct count count = {folder, 0};
    assert_true(giq_os_list(folder, count_entry, &count, &err));
    return count.files;
}

static void check_unpacks(enum giq_archive_kind kind)
{
    struct giq_error err = {0};
    if (!giq_archive_unpack(archive_path, kind, folder, GIQ_OS_PRIVATE, &err)) {
        fail_msg("%s", err.text);
    }
}

static void check_refused(enum giq_archive_kind kind, const char *says)
{
    struct giq_error err = {0};
    assert_false(giq_archive_unpack(archive_path, kind, folder, GIQ_OS_PRIVATE, &err));
    if (err.code != GIQ_E_RESULT || strstr(err.text, says) == NULL) {
        fail_msg("not \"%s\": %s", says, err.text);
    }
}

static void empty_folder(void)
{
    struct giq_error err = {0};
    assert_true(giq_os_remove(folder, &err));
    assert_true(giq_os_make_folders(folder, GIQ_OS_PRIVATE, &err));
}

static const enum giq_archive_kind all_kinds[] = {GIQ_ARCHIVE_ZIP, GIQ_ARCHIVE_TAR,
                                                  GIQ_ARCHIVE_TAR_GZ};

/* ---- tests ---- */

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
        {"a.tif.ovr", "x", NULL, NULL},
        {"a.tif.aux.xml", "x", NULL, NULL},
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

static void test_hard_links_are_passed_over(void **state)
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

static void test_names_that_fall_together(void **state)
{
    (void)state;
    static const struct member members[] = {
        {"x:y.shp", "1", NULL, NULL}, {"x?y.shp", "2", NULL, NULL},
        {"x?y.dbf", "3", NULL, NULL}, {"x:y.dbf", "4", NULL, NULL},
        {"map", "5", NULL, NULL},     {"MAP/a.tif", "6", NULL, NULL},
        {NULL, NULL, NULL, NULL},
    };
    make_archive(GIQ_ARCHIVE_ZIP, NULL, members);
    check_unpacks(GIQ_ARCHIVE_ZIP);
    check_file("x_y.shp", "1");
    check_file("x_y-2.shp", "2");
    check_file("x_y-2.dbf", "3");
    check_file("x_y.dbf", "4");
    check_file("map", "5");
    check_file("MAP-2/a.tif", "6");
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
        check_refused(all_kinds[i], "a.tif twice");
        check_file("a.tif", "1");
        empty_folder();
    }
}

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
        check_refused(GIQ_ARCHIVE_ZIP, "encrypted");
        assert_int_equal(count_files(), 0);
    }
}

static const char long_text[] =
    "0 long enough that it is not lost among the headers of the archive 0\n"
    "1 long enough that it is not lost among the headers of the archive 1\n"
    "2 long enough that it is not lost among the headers of the archive 2\n";

static const struct member two_members[] = {
    {"a.tif", long_text, NULL, NULL},
    {"b.tif", long_text, NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

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
            check_refused(GIQ_ARCHIVE_ZIP, "too many members");
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
    make_bomb(GIQ_ARCHIVE_ZIP, "a.tif", GIQ_ARCHIVE_BYTES_MIN + (1 << 20));
    check_refused(GIQ_ARCHIVE_ZIP, "too many bytes");
    struct giq_error err = {0};
    struct giq_os_stat st;
    char *path = giq_os_join(folder, "a.tif");
    assert_true(giq_os_stat(path, &st, &err));
    assert_true(st.size <= GIQ_ARCHIVE_BYTES_MIN);
    free(path);
}

static void test_a_bomb_that_is_passed_over_is_refused(void **state)
{
    (void)state;
    make_bomb(GIQ_ARCHIVE_TAR_GZ, "._a", GIQ_ARCHIVE_BYTES_MIN + (1 << 20));
    check_refused(GIQ_ARCHIVE_TAR_GZ, "too many bytes");
    assert_int_equal(count_files(), 0);
}

static void test_failures_of_the_disk_stay_what_they_are(void **state)
{
    (void)state;
    struct giq_error err = {0};
    make_archive(GIQ_ARCHIVE_ZIP, NULL, two_members);
    assert_false(giq_archive_unpack(archive_path, GIQ_ARCHIVE_ZIP, "/dev/null",
                                    GIQ_OS_PRIVATE, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    assert_true(err.sys_errno != 0);
    err = (struct giq_error){0};
    assert_false(giq_archive_unpack("/nowhere/archive", GIQ_ARCHIVE_ZIP, folder,
                                    GIQ_OS_PRIVATE, &err));
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_kind_is_unpacked),
        TEST(test_nothing_leaves_the_folder),
        TEST(test_what_is_passed_over),
        TEST(test_hard_links_are_passed_over),
        TEST(test_names_that_fall_together),
        TEST(test_a_member_twice_is_refused),
        TEST(test_an_archive_without_files_is_refused),
        TEST(test_encrypted_archives_are_refused),
        TEST(test_truncated_archives_are_refused),
        TEST(test_damaged_zips_are_refused),
        TEST(test_a_damaged_tar_header_is_refused),
        TEST(test_damaged_gzips_are_refused),
        TEST(test_a_gzip_in_parts_is_unpacked),
        TEST(test_sparse_files_are_whole),
        TEST(test_other_kinds_are_refused),
        TEST(test_members_are_counted),
        TEST(test_a_bomb_is_refused_while_it_is_written),
        TEST(test_a_bomb_that_is_passed_over_is_refused),
        TEST(test_failures_of_the_disk_stay_what_they_are),
        TEST(test_access_of_what_is_unpacked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
