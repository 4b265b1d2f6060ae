#include "archive_kit.h"

#include <archive_entry.h>
#include <locale.h>

#include "base/giq_os.h"
#include "base/giq_tree.h"

static char base[64];
char archive_path[96];
char folder[96];

int set_up(void **state)
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

int tear_down(void **state)
{
    (void)state;
    struct giq_error err = {0};
    assert_true(giq_tree_remove(base, &err));
    return 0;
}

/* ---- making archives ---- */

struct archive *begin_archive(enum giq_archive_kind kind, const char *options)
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

void end_archive(struct archive *out)
{
    assert_int_equal(archive_write_close(out), ARCHIVE_OK);
    assert_int_equal(archive_write_free(out), ARCHIVE_OK);
}

void add_member(struct archive *out, const struct member *member)
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

/* The names are UTF-8, which the writer must know; the reader must not depend on
 * the locale. */
void make_archive(enum giq_archive_kind kind, const char *options,
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

void read_archive(struct giq_buf *bytes)
{
    struct giq_error err = {0};
    bool found = false;
    giq_buf_init(bytes, FILE_MAX);
    assert_true(giq_os_read_file(archive_path, FILE_MAX, bytes, &found, &err));
    assert_true(found);
}

void write_archive(const char *bytes, size_t len)
{
    struct giq_error err = {0};
    assert_true(giq_os_replace_file(base, "archive", GIQ_OS_PRIVATE, bytes, len, &err));
}

/* ---- what was unpacked ---- */

void check_file(const char *path, const char *bytes)
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

int count_files(void)
{
    struct giq_error err = {0};
    struct count count = {folder, 0};
    assert_true(giq_os_list(folder, count_entry, &count, &err));
    return count.files;
}

void check_unpacks(enum giq_archive_kind kind)
{
    struct giq_error err = {0};
    if (!giq_archive_unpack(archive_path, kind, folder, GIQ_OS_PRIVATE, NULL, NULL,
                            &err)) {
        fail_msg("%s", err.text);
    }
}

void check_refused(enum giq_archive_kind kind, const char *says)
{
    struct giq_error err = {0};
    assert_false(
        giq_archive_unpack(archive_path, kind, folder, GIQ_OS_PRIVATE, NULL, NULL, &err));
    if (err.code != GIQ_E_RESULT || strstr(err.text, says) == NULL) {
        fail_msg("not \"%s\": %s", says, err.text);
    }
}

void empty_folder(void)
{
    struct giq_error err = {0};
    assert_true(giq_tree_remove(folder, &err));
    assert_true(giq_os_make_folders(folder, GIQ_OS_PRIVATE, &err));
}

const enum giq_archive_kind all_kinds[ARCHIVE_KINDS] = {GIQ_ARCHIVE_ZIP, GIQ_ARCHIVE_TAR,
                                                        GIQ_ARCHIVE_TAR_GZ};

static const char long_text[] =
    "0 long enough that it is not lost among the headers of the archive 0\n"
    "1 long enough that it is not lost among the headers of the archive 1\n"
    "2 long enough that it is not lost among the headers of the archive 2\n";

const struct member two_members[3] = {
    {"a.tif", long_text, NULL, NULL},
    {"b.tif", long_text, NULL, NULL},
    {NULL, NULL, NULL, NULL},
};
