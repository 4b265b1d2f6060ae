#include "giq_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "giq_member.h"
#include "giq_os.h"
#include "giq_text.h"

enum { BLOCK_SIZE = 65536 };

/* An archive being unpacked. */
struct unpack {
    struct archive *in;
    struct giq_members *members;
    const char *folder;
    unsigned access;
    int64_t bytes; /* written */
    int64_t bytes_max;
    int seen; /* members, also those passed over */
    int taken;
    char block[BLOCK_SIZE];
};

static bool fail(struct giq_error *err, const char *what)
{
    return giq_fail(err, GIQ_E_RESULT, "the result is an archive that %s", what);
}

/* What libarchive says is wrong. */
static bool fail_archive(struct archive *in, const char *what, struct giq_error *err)
{
    if (archive_errno(in) == ENOMEM) {
        return giq_fail_memory(err);
    }
    struct giq_shown shown;
    const char *why = archive_error_string(in);
    return giq_fail(err, GIQ_E_RESULT, "the result is an archive that %s: %s", what,
                    giq_text_show(why == NULL ? "no reason given" : why, &shown));
}

/* ---- one member ---- */

static bool check_encryption(struct archive_entry *entry, struct giq_error *err)
{
    return archive_entry_is_encrypted(entry) == 0 || fail(err, "is encrypted");
}

static bool copy_data(struct unpack *unpack, struct archive_entry *entry,
                      struct giq_os_file *file, struct giq_error *err)
{
    int64_t size = 0;
    for (;;) {
        la_ssize_t n = archive_read_data(unpack->in, unpack->block, BLOCK_SIZE);
        if (n < ARCHIVE_OK) {
            return fail_archive(unpack->in, "is damaged", err);
        }
        if (n == 0) {
            break;
        }
        size += n;
        unpack->bytes += n;
        if (unpack->bytes > unpack->bytes_max) {
            return fail(err, "unpacks to too many bytes");
        }
        if (!giq_os_write(file, unpack->block, (size_t)n, err)) {
            return false;
        }
    }
    bool is_whole =
        !archive_entry_size_is_set(entry) || archive_entry_size(entry) == size;
    return is_whole || fail(err, "is damaged: a member has not the size it declares");
}

static bool write_member(struct unpack *unpack, struct archive_entry *entry,
                         const char *path, size_t folder_len, struct giq_error *err)
{
    bool ok = false;
    struct giq_os_file *file = NULL;
    char *full = giq_os_join(unpack->folder, path);
    char *folder =
        full == NULL ? NULL : strndup(full, strlen(full) - strlen(path) + folder_len);
    if (folder == NULL) {
        (void)giq_fail_memory(err);
        goto done;
    }
    ok = (folder_len == 0 || giq_os_make_folders(folder, unpack->access, err)) &&
         giq_os_create(full, unpack->access, &file, err) &&
         copy_data(unpack, entry, file, err);
done:
    giq_os_close(file);
    free(folder);
    free(full);
    return ok;
}

/* `status` is what reading the header gave. */
static bool take_member(struct unpack *unpack, struct archive_entry *entry, int status,
                        struct giq_error *err)
{
    if (archive_entry_filetype(entry) != AE_IFREG ||
        archive_entry_hardlink(entry) != NULL) {
        return true;
    }
    const char *raw = archive_entry_pathname(entry);
    if (raw != NULL && giq_member_is_passed_over(raw)) {
        return true;
    }
    if (raw == NULL || status != ARCHIVE_OK) {
        return fail_archive(unpack->in, "is damaged", err);
    }
    char *path = NULL;
    size_t folder_len = 0;
    if (!check_encryption(entry, err) ||
        !giq_members_place(unpack->members, raw, &path, &folder_len, err)) {
        return false;
    }
    bool ok = write_member(unpack, entry, path, folder_len, err);
    unpack->taken += ok;
    free(path);
    return ok;
}

/* ---- the archive ---- */

static bool begin_reading(struct archive *in, enum giq_archive_kind kind)
{
    if (kind == GIQ_ARCHIVE_ZIP) {
        /* The streaming reader would take a truncated zip for a whole one. */
        return archive_read_support_format_zip_seekable(in) == ARCHIVE_OK;
    }
    if (kind == GIQ_ARCHIVE_TAR_GZ &&
        archive_read_support_filter_gzip(in) != ARCHIVE_OK) {
        return false;
    }
    return archive_read_support_format_tar(in) == ARCHIVE_OK;
}

/* libarchive ends a tar in peace where it just stops: there the last header that
 * it looked for is the end of the bytes. */
static bool check_end(struct unpack *unpack, enum giq_archive_kind kind,
                      struct giq_error *err)
{
    bool is_whole =
        kind == GIQ_ARCHIVE_ZIP ||
        archive_filter_bytes(unpack->in, 0) > archive_read_header_position(unpack->in);
    return is_whole || fail(err, "is truncated");
}

static bool read_members(struct unpack *unpack, struct giq_error *err)
{
    for (;;) {
        struct archive_entry *entry = NULL;
        int status = archive_read_next_header(unpack->in, &entry);
        if (status == ARCHIVE_EOF) {
            return true;
        }
        if (status < ARCHIVE_WARN) {
            return fail_archive(unpack->in, "is damaged", err);
        }
        if (++unpack->seen > GIQ_ARCHIVE_MEMBERS_MAX) {
            return fail(err, "has too many members");
        }
        if (!take_member(unpack, entry, status, err)) {
            return false;
        }
    }
}

static bool unpack_all(struct unpack *unpack, const char *path,
                       enum giq_archive_kind kind, struct giq_error *err)
{
    if (!begin_reading(unpack->in, kind)) {
        return fail_archive(unpack->in, "cannot be read here", err);
    }
    if (archive_read_open_filename(unpack->in, path, BLOCK_SIZE) != ARCHIVE_OK) {
        return fail_archive(unpack->in, "cannot be opened", err);
    }
    if (!read_members(unpack, err) || !check_end(unpack, kind, err)) {
        return false;
    }
    return unpack->taken > 0 || giq_fail(err, GIQ_E_RESULT, "the archive holds no file");
}

/* How many bytes an archive of `size` bytes may unpack to. */
static int64_t bytes_max(int64_t size)
{
    int64_t most = size > INT64_MAX / GIQ_ARCHIVE_RATIO_MAX
                       ? INT64_MAX
                       : size * GIQ_ARCHIVE_RATIO_MAX;
    return most > GIQ_ARCHIVE_BYTES_MIN ? most : GIQ_ARCHIVE_BYTES_MIN;
}

static bool unpack_in_locale(const char *path, enum giq_archive_kind kind,
                             const char *folder, unsigned access, struct giq_error *err)
{
    struct giq_os_stat st;
    if (!giq_os_stat(path, &st, err)) {
        return false;
    }
    struct unpack *unpack = calloc(1, sizeof *unpack);
    if (unpack == NULL) {
        return giq_fail_memory(err);
    }
    unpack->folder = folder;
    unpack->access = access;
    unpack->bytes_max = bytes_max(st.size);
    unpack->in = archive_read_new();
    bool ok = unpack->in != NULL || giq_fail_memory(err);
    ok = ok && giq_members_new(&unpack->members, err) &&
         unpack_all(unpack, path, kind, err);
    giq_members_free(unpack->members);
    (void)archive_read_free(unpack->in);
    free(unpack);
    return ok;
}

bool giq_archive_unpack(const char *path, enum giq_archive_kind kind, const char *folder,
                        unsigned access, struct giq_error *err)
{
    /* libarchive turns names that are UTF-8 into the locale's characters, and
     * fails where it has none for them. The locale is this thread's only. */
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 == (locale_t)0 ? (locale_t)0 : uselocale(utf8);
    bool ok = unpack_in_locale(path, kind, folder, access, err);
    if (utf8 != (locale_t)0) {
        (void)uselocale(before);
        freelocale(utf8);
    }
    return ok;
}
