/*
 * The cache of uploads: one record for each distinct content of files (SHA-256) that was
 * uploaded or will be.
 *
 *   <store>/uploads/v1/<digest>.json     the record of a content: the ids that services
 *                                        gave it, by service and source type, and the
 *                                        local files that have it
 *                      <digest>.lock     held while it is uploaded or written
 *                      paths/<path>      the digest of the content that a local file
 *                                        last had; <path> is the SHA-256 of its path.
 *                                        Only a hint: the record of the content must
 *                                        list the file too
 *
 * A local file is identified by its absolute path, size, times and inode, so that it need
 * not be read again. Reading takes no lock; writing a record needs the content's lock.
 * `base_url` is from giq_base_url(), `type` from giq_upload_type(). Thread-safe, but a
 * struct giq_content may be used by one thread at a time. Errors are GIQ_E_STORE and
 * GIQ_E_MEMORY unless stated otherwise.
 */
#ifndef GIQ_CONTENT_H
#define GIQ_CONTENT_H

#include "base/giq_error.h"
#include "base/giq_json.h"
#include "store/giq_digest.h"
#include "store/giq_lock.h"
#include "store/giq_store.h"

enum {
    GIQ_CONTENT_FORMAT = 1,
    /* Local files in the record of one content; adding one more empties the list first.
     */
    GIQ_CONTENT_PATHS_MAX = 64,
};

struct giq_content {
    const struct giq_store *store; /* borrowed */
    char digest[GIQ_DIGEST_HEX_SIZE];
    struct giq_json *json; /* never NULL once read */
};

/* Read the record of a content; it is empty if there is none. The caller passes `*out` to
 * giq_content_release(). Errors: GIQ_E_STORE, which names a damaged or newer file;
 * GIQ_E_MEMORY. */
bool giq_content_read(const struct giq_store *store, const char *digest,
                      struct giq_content *out, struct giq_error *err);
void giq_content_release(struct giq_content *content);

/* Try once to acquire the content's lock, as giq_lock_acquire() does; creates missing
 * folders. Errors also: GIQ_E_TIMEOUT (another holder). */
bool giq_content_acquire_lock(const struct giq_store *store, const char *digest,
                              struct giq_lock **out, struct giq_error *err);

/* Write the record; durable when the call returns. Must be called with the content's lock
 * held. */
bool giq_content_write(const struct giq_content *content, struct giq_error *err);

/* Get the id of the file with this content on a service; `*out` is borrowed, and NULL if
 * there is none. Errors: GIQ_E_STORE (the record is damaged). */
bool giq_content_file_id(const struct giq_content *content, const char *base_url,
                         const char *type, const char **out, struct giq_error *err);

/* Set the id and the time of the upload (since 1970-01-01 UTC), in memory; write the
 * record with giq_content_write(). Errors: GIQ_E_MEMORY. */
bool giq_content_set_file_id(struct giq_content *content, const char *base_url,
                             const char *type, const char *file_id, int64_t uploaded_ms,
                             struct giq_error *err);

/* Whether the file at `absolute_path`, with this status, is recorded as having the
 * content. */
bool giq_content_has_file(const struct giq_content *content, const char *absolute_path,
                          const struct giq_source_stat *stat);

/* Record that the file has the content, in memory. If `stat` is NULL, remove the file
 * from the list. Errors: GIQ_E_MEMORY. */
bool giq_content_set_file(struct giq_content *content, const char *absolute_path,
                          const struct giq_source_stat *stat, struct giq_error *err);

/* Find the content of the file at `absolute_path`, which has the status `stat`, by its
 * hint. `out` is empty if there is no hint, or if giq_content_has_file() is false for the
 * content that the hint names. Errors: as giq_content_read(). */
bool giq_content_find(const struct giq_store *store, const char *absolute_path,
                      const struct giq_source_stat *stat, char out[GIQ_DIGEST_HEX_SIZE],
                      struct giq_error *err);

/* Write the hint that the file at `absolute_path` has this content. If a crash loses the
 * hint, the file is read again. Must be called after giq_content_write(). */
bool giq_content_write_hint(const struct giq_content *content, const char *absolute_path,
                            struct giq_error *err);

#endif
