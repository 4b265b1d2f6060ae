/*
 * Unpacks a zip, tar or tar.gz from the service into a folder, by libarchive.
 *
 * Plain files are unpacked under the names that giq_member gives them, and hard links to
 * members before them as copies. Other links, devices and the metadata of macOS
 * (giq_member_is_ignored()) are skipped. Nothing is written outside the folder. Sizes and
 * checksums that the archive declares must be true. Sidecars are unpacked like any file;
 * the host removes unsafe ones.
 */
#ifndef GIQ_ARCHIVE_H
#define GIQ_ARCHIVE_H

#include "base/giq_env.h"
#include "base/giq_error.h"

/* Limits against archive bombs: the number of members, including those that are skipped,
 * and the unpacked size as a multiple of the archive's size.
 * GIQ_ARCHIVE_UNPACKED_ALLOWANCE bytes are always allowed. */
enum { GIQ_ARCHIVE_MEMBERS_MAX = 10000, GIQ_ARCHIVE_RATIO_MAX = 200 };
#define GIQ_ARCHIVE_UNPACKED_ALLOWANCE (INT64_C(1) << 30)

/* The maximum unpacked size of `size` bytes, by these limits. Pure. */
int64_t giq_archive_unpacked_bytes_max(int64_t size);

enum giq_archive_kind { GIQ_ARCHIVE_ZIP, GIQ_ARCHIVE_TAR, GIQ_ARCHIVE_TAR_GZ };

/*
 * Unpack the archive file `path` into the existing, empty `folder`. `access` is bits of
 * enum giq_os_access for the new files; `cred`, which may be NULL, has the secrets to
 * mask in names. `env`, which may be NULL, may cancel it; only its `cancelled` is called,
 * for each block of bytes. Does not sync; giq_tree_sync() does.
 *
 * Errors: GIQ_E_RESULT (damaged, truncated or encrypted; too many members or bytes; a
 * path that is too deep, too long or that of another member; an archive without files;
 * libarchive missing or too old), GIQ_E_STORE (the disk, too many open files),
 * GIQ_E_CANCELLED, GIQ_E_MEMORY. After an error the caller removes what was unpacked.
 * Thread-safe: the locale is set for the calling thread only, and restored.
 */
bool giq_archive_unpack(const char *path, enum giq_archive_kind kind, const char *folder,
                        unsigned access, const struct giq_cred *cred,
                        const struct giq_env *env, struct giq_error *err);

/*
 * Decode the gzip file `path` into the new file `to`, which may be as large as an
 * unpacked archive. Data after the gzip that is not gzip is ignored. `env` as above. Does
 * not sync. Errors: GIQ_E_RESULT (damaged, truncated, too many bytes), GIQ_E_STORE,
 * GIQ_E_CANCELLED, GIQ_E_MEMORY.
 * After an error the caller removes `to`. Thread-safe.
 */
bool giq_archive_gunzip(const char *path, const char *to, unsigned access,
                        const struct giq_env *env, struct giq_error *err);

#endif
