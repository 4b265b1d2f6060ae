/* Unpacking of archives and gzip files, within limits. */
#include "result/giq_archive.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "result/giq_gzip.h"
#include "result/giq_libarchive.h"
#include "result/giq_member.h"

enum {
    BLOCK_SIZE = 65536,
    PATH_PRINTED_MAX = 300, /* bytes of a path in a message, so that the rest fits */
};

/* The gzip around a tar. giq_gzip decodes it, because libarchive does not verify its
 * checksum and length. */
struct gunzip {
    struct giq_gzip *in;
    int64_t bytes;
    struct giq_error err; /* why reading failed */
    char block[BLOCK_SIZE];
};

/* An archive being unpacked. */
struct unpack {
    struct giq_libarchive la;
    struct archive *in;
    struct gunzip gunzip;
    struct giq_members *members;
    const char *folder;
    unsigned access;           /* enum giq_os_access, for new files and folders */
    const struct giq_env *env; /* NULL: it cannot be cancelled */
    int64_t bytes;             /* written so far */
    int64_t bytes_max;
    bool is_too_large;
    int members_read;
    int members_written;
    char block[BLOCK_SIZE];
};

static bool fail(struct giq_error *err, const char *what)
{
    return giq_fail(err, GIQ_E_RESULT, "the result is an archive that %s", what);
}

static bool fail_too_large(int64_t bytes_max, struct giq_error *err)
{
    return giq_fail(err, GIQ_E_RESULT,
                    "the result unpacks to more than %" PRId64
                    " bytes, the limit for a download of its size",
                    bytes_max);
}

static bool check_cancelled(const struct giq_env *env, struct giq_error *err)
{
    return giq_env_check_cancelled(env, " while the result was unpacked", err);
}

/* The error of a call of libarchive that failed. */
static bool fail_archive(const struct unpack *unpack, struct giq_error *err)
{
    struct archive *in = unpack->in;
    if (unpack->is_too_large) {
        return fail_too_large(unpack->bytes_max, err);
    }
    if (unpack->gunzip.err.code != GIQ_E_NONE) {
        *err = unpack->gunzip.err;
        return false;
    }
    if (unpack->la.archive_errno(in) == ENOMEM) {
        return giq_fail_memory(err);
    }
    /* Errors of reading the download. libarchive's own codes differ from these. */
    static const int system_errors[] = {EIO,    EACCES, EPERM, ENOENT,
                                        EMFILE, ENFILE, ESTALE};
    for (size_t i = 0; i < GIQ_COUNT(system_errors); i++) {
        if (unpack->la.archive_errno(in) == system_errors[i]) {
            return giq_fail_sys(err, GIQ_E_STORE, system_errors[i],
                                "cannot read the downloaded archive");
        }
    }
    struct giq_printable printable;
    const char *why = unpack->la.archive_error_string(in);
    return giq_fail(
        err, GIQ_E_RESULT, "the result is an archive that is damaged: %s",
        giq_text_printable(why == NULL ? "libarchive gave no reason" : why, &printable));
}

/* ---- gzip ---- */

/* The reader that libarchive calls for the tar in the gzip. */
static la_ssize_t read_gunzip(struct archive *out, void *ctx, const void **bytes)
{
    struct unpack *unpack = ctx;
    struct gunzip *gunzip = &unpack->gunzip;
    size_t len = 0;
    if (!giq_gzip_read(gunzip->in, gunzip->block, BLOCK_SIZE, &len, &gunzip->err)) {
        unpack->la.archive_set_error(out, EIO, "%s", gunzip->err.text);
        return ARCHIVE_FATAL;
    }
    gunzip->bytes += (int64_t)len;
    if (gunzip->bytes > unpack->bytes_max) {
        unpack->is_too_large = true;
        unpack->la.archive_set_error(out, EFBIG, "too large");
        return ARCHIVE_FATAL;
    }
    *bytes = gunzip->block;
    return (la_ssize_t)len;
}

/* Read the rest of the gzip: its checksum and length are at its end. */
static bool end_gunzip(struct unpack *unpack, struct giq_error *err)
{
    const void *bytes = NULL;
    la_ssize_t n = 0;
    do {
        n = read_gunzip(unpack->in, unpack, &bytes);
    } while (n > 0);
    return n == 0 || fail_archive(unpack, err);
}

/* ---- one member ---- */

static bool write_block(struct unpack *unpack, struct giq_os_file *file, size_t len,
                        struct giq_error *err)
{
    unpack->bytes += (int64_t)len;
    if (unpack->bytes > unpack->bytes_max) {
        unpack->is_too_large = true;
        return fail_archive(unpack, err);
    }
    return check_cancelled(unpack->env, err) &&
           giq_os_write(file, unpack->block, len, err);
}

/* `path` is the safe path of the member, in which secrets are masked. */
static bool fail_member(const char *path, const char *what, struct giq_error *err)
{
    return giq_fail(err, GIQ_E_RESULT,
                    "the result is an archive whose member \"%.*s\" %s",
                    giq_text_cut_len(path, PATH_PRINTED_MAX), path, what);
}

/* Write the zeros of a hole at the end of a sparse file: libarchive does not return them.
 */
static bool write_hole(struct unpack *unpack, struct giq_os_file *file, int64_t size,
                       struct giq_error *err)
{
    memset(unpack->block, 0, BLOCK_SIZE);
    while (size > 0) {
        size_t len = size < BLOCK_SIZE ? (size_t)size : BLOCK_SIZE;
        if (!write_block(unpack, file, len, err)) {
            return false;
        }
        size -= (int64_t)len;
    }
    return true;
}

static bool copy_data(struct unpack *unpack, struct archive_entry *entry,
                      const char *path, struct giq_os_file *file, struct giq_error *err)
{
    int64_t size = 0;
    for (;;) {
        la_ssize_t n =
            unpack->la.archive_read_data(unpack->in, unpack->block, BLOCK_SIZE);
        if (n < ARCHIVE_OK) {
            return fail_archive(unpack, err);
        }
        if (n == 0) {
            break;
        }
        if (!write_block(unpack, file, (size_t)n, err)) {
            return false;
        }
        size += n;
    }
    int64_t missing = unpack->la.archive_entry_size_is_set(entry)
                          ? unpack->la.archive_entry_size(entry) - size
                          : 0;
    if (missing > 0 && unpack->la.archive_entry_sparse_count(entry) > 0) {
        return write_hole(unpack, file, missing, err);
    }
    if (missing != 0) {
        char what[96];
        (void)snprintf(what, sizeof what,
                       "has %" PRId64 " bytes, but declares a size of %" PRId64, size,
                       size + missing);
        return fail_member(path, what, err);
    }
    return true;
}

/* Write the bytes of the member `path`, which was written before. */
static bool copy_member(struct unpack *unpack, const char *path, struct giq_os_file *file,
                        struct giq_error *err)
{
    GIQ_AUTO_FREE char *full = giq_os_join(unpack->folder, path);
    if (full == NULL) {
        return giq_fail_memory(err);
    }
    GIQ_AUTO_FILE struct giq_os_file *in = NULL;
    if (!giq_os_open(full, &in, err)) {
        return false;
    }
    for (;;) {
        size_t len = 0;
        if (!giq_os_read(in, unpack->block, BLOCK_SIZE, &len, err)) {
            return false;
        }
        if (len == 0) {
            return true;
        }
        if (!write_block(unpack, file, len, err)) {
            return false;
        }
    }
}

/* Write a member at `path`; `source` is the path of the member that it is a link to, or
 * NULL. */
static bool write_member(struct unpack *unpack, struct archive_entry *entry,
                         const char *source, const char *path, size_t folder_len,
                         struct giq_error *err)
{
    GIQ_AUTO_FREE char *full = giq_os_join(unpack->folder, path);
    if (full == NULL) {
        return giq_fail_memory(err);
    }
    /* `full` ends in `path`, whose first folder_len bytes are the folder. */
    GIQ_AUTO_FREE char *folder = strndup(full, strlen(full) - strlen(path) + folder_len);
    if (folder == NULL) {
        return giq_fail_memory(err);
    }
    if (folder_len > 0 && !giq_os_make_folders(folder, unpack->access, err)) {
        return false;
    }
    struct giq_os_file *file = NULL;
    if (!giq_os_create(full, unpack->access, &file, err)) {
        return false;
    }
    bool ok = source == NULL ? copy_data(unpack, entry, path, file, err)
                             : copy_member(unpack, source, file, err);
    giq_os_close(file);
    return ok;
}

/* Unpack the current member. `status` is what archive_read_next_header() returned for it.
 * ARCHIVE_WARN means that its name or metadata could not be converted: an error here. */
static bool unpack_member(struct unpack *unpack, struct archive_entry *entry, int status,
                          struct giq_error *err)
{
    /* A hard link has no type. Other links and devices hold nothing of the result. */
    const char *link = unpack->la.archive_entry_hardlink(entry);
    if (link == NULL && unpack->la.archive_entry_filetype(entry) != AE_IFREG) {
        return true;
    }
    const char *source = NULL;
    if (link != NULL) {
        if (!giq_members_find(unpack->members, link, &source, err)) {
            return false;
        }
        if (source == NULL) {
            return true;
        }
    }
    const char *raw = unpack->la.archive_entry_pathname(entry);
    if (raw != NULL && giq_member_is_ignored(raw)) {
        return true;
    }
    if (raw == NULL || status != ARCHIVE_OK) {
        return fail_archive(unpack, err);
    }
    GIQ_AUTO_FREE char *path = NULL;
    size_t folder_len = 0;
    if (!giq_members_add(unpack->members, raw, &path, &folder_len, err)) {
        return false;
    }
    if (unpack->la.archive_entry_is_encrypted(entry) != 0) {
        return fail_member(path, "is encrypted", err);
    }
    if (!write_member(unpack, entry, source, path, folder_len, err)) {
        return false;
    }
    unpack->members_written++;
    return true;
}

/* ---- the archive ---- */

/* Returns ARCHIVE_OK, or the reason is in `unpack->in`. */
static int open_archive(struct unpack *unpack, const char *path,
                        enum giq_archive_kind kind)
{
    /* The streaming reader would accept a truncated zip. */
    int status = kind == GIQ_ARCHIVE_ZIP
                     ? unpack->la.archive_read_support_format_zip_seekable(unpack->in)
                     : unpack->la.archive_read_support_format_tar(unpack->in);
    if (status != ARCHIVE_OK) {
        return status;
    }
    return kind == GIQ_ARCHIVE_TAR_GZ
               ? unpack->la.archive_read_open(unpack->in, unpack, NULL, read_gunzip, NULL)
               : unpack->la.archive_read_open_filename(unpack->in, path, BLOCK_SIZE);
}

/* libarchive accepts a tar without the blocks of zeros that should end it. It has then
 * read no byte beyond the position at which the next header would be. */
static bool check_end(struct unpack *unpack, enum giq_archive_kind kind,
                      struct giq_error *err)
{
    if (kind != GIQ_ARCHIVE_ZIP &&
        unpack->la.archive_filter_bytes(unpack->in, 0) <=
            unpack->la.archive_read_header_position(unpack->in)) {
        return fail(err, "is truncated");
    }
    return true;
}

static bool read_members(struct unpack *unpack, struct giq_error *err)
{
    for (;;) {
        struct archive_entry *entry = NULL;
        /* If libarchive cannot convert a name and errno is still ENOMEM from an earlier
         * call, it takes that for its own failure and ends the process. */
        errno = 0;
        int status = unpack->la.archive_read_next_header(unpack->in, &entry);
        if (status == ARCHIVE_EOF) {
            return true;
        }
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
            return fail_archive(unpack, err);
        }
        if (++unpack->members_read > GIQ_ARCHIVE_MEMBERS_MAX) {
            return giq_fail(err, GIQ_E_RESULT,
                            "the result is an archive that has more than %d members",
                            (int)GIQ_ARCHIVE_MEMBERS_MAX);
        }
        if (!unpack_member(unpack, entry, status, err)) {
            return false;
        }
    }
}

static bool unpack_archive(struct unpack *unpack, const char *path,
                           enum giq_archive_kind kind, struct giq_error *err)
{
    bool is_gzip = kind == GIQ_ARCHIVE_TAR_GZ;
    if (is_gzip && !giq_gzip_open(path, &unpack->gunzip.in, err)) {
        return false;
    }
    if (open_archive(unpack, path, kind) != ARCHIVE_OK) {
        return fail_archive(unpack, err);
    }
    if (!read_members(unpack, err) || !check_end(unpack, kind, err)) {
        return false;
    }
    if (is_gzip && !end_gunzip(unpack, err)) {
        return false;
    }
    if (unpack->members_written == 0) {
        return fail(err, "holds no file");
    }
    return true;
}

int64_t giq_archive_unpacked_bytes_max(int64_t size)
{
    int64_t most = size > INT64_MAX / GIQ_ARCHIVE_RATIO_MAX
                       ? INT64_MAX
                       : size * GIQ_ARCHIVE_RATIO_MAX;
    return most > GIQ_ARCHIVE_UNPACKED_ALLOWANCE ? most : GIQ_ARCHIVE_UNPACKED_ALLOWANCE;
}

static void free_unpack(struct unpack *unpack)
{
    giq_members_free(unpack->members);
    if (unpack->in != NULL) {
        (void)unpack->la.archive_read_free(unpack->in);
    }
    giq_gzip_close(unpack->gunzip.in);
    giq_libarchive_release(&unpack->la);
    free(unpack);
}
GIQ_AUTO_DEFINE(free_unpack, struct unpack)

static bool unpack_file(const char *path, enum giq_archive_kind kind, const char *folder,
                        unsigned access, const struct giq_cred *cred,
                        const struct giq_env *env, struct giq_error *err)
{
    struct giq_os_stat st;
    if (!giq_os_stat(path, &st, err)) {
        return false;
    }
    if (st.kind != GIQ_OS_FILE) {
        return giq_fail(err, GIQ_E_STORE, "cannot read %s: it is not a file", path);
    }
    GIQ_AUTO(free_unpack_auto) struct unpack *unpack = calloc(1, sizeof *unpack);
    if (unpack == NULL) {
        return giq_fail_memory(err);
    }
    unpack->folder = folder;
    unpack->access = access;
    unpack->env = env;
    unpack->bytes_max = giq_archive_unpacked_bytes_max(st.size);
    if (!giq_libarchive_load(&unpack->la, err)) {
        return false;
    }
    unpack->in = unpack->la.archive_read_new();
    if (unpack->in == NULL) {
        return giq_fail_memory(err);
    }
    return giq_members_new(cred, &unpack->members, err) &&
           unpack_archive(unpack, path, kind, err);
}

bool giq_archive_unpack(const char *path, enum giq_archive_kind kind, const char *folder,
                        unsigned access, const struct giq_cred *cred,
                        const struct giq_env *env, struct giq_error *err)
{
    /* libarchive converts names from UTF-8 to the character set of the locale, and fails
     * for characters that the locale lacks. The locale is set for this thread only. On
     * a system without C.UTF-8 it is not changed. */
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 == (locale_t)0 ? (locale_t)0 : uselocale(utf8);
    bool ok = unpack_file(path, kind, folder, access, cred, env, err);
    if (utf8 != (locale_t)0) {
        (void)uselocale(before);
        freelocale(utf8);
    }
    return ok;
}

static bool gunzip_to(struct giq_gzip *gzip, int64_t bytes_max, struct giq_os_file *file,
                      const struct giq_env *env, struct giq_error *err)
{
    enum { GUNZIP_BLOCK = 16384 }; /* on the stack */
    char block[GUNZIP_BLOCK];
    int64_t bytes = 0;
    for (;;) {
        size_t len = 0;
        if (!giq_gzip_read(gzip, block, sizeof block, &len, err)) {
            return false;
        }
        if (len == 0) {
            return true;
        }
        bytes += (int64_t)len;
        if (bytes > bytes_max) {
            return fail_too_large(bytes_max, err);
        }
        if (!check_cancelled(env, err) || !giq_os_write(file, block, len, err)) {
            return false;
        }
    }
}

bool giq_archive_gunzip(const char *path, const char *to, unsigned access,
                        const struct giq_env *env, struct giq_error *err)
{
    struct giq_os_stat st;
    GIQ_AUTO_GZIP struct giq_gzip *gzip = NULL;
    if (!giq_os_stat(path, &st, err) || !giq_gzip_open(path, &gzip, err)) {
        return false;
    }
    struct giq_os_file *file = NULL;
    if (!giq_os_create(to, access, &file, err)) {
        return false;
    }
    bool ok = gunzip_to(gzip, giq_archive_unpacked_bytes_max(st.size), file, env, err);
    giq_os_close(file);
    return ok;
}
