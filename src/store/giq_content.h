/*
 * What is known of contents that were uploaded, or are to be:
 *
 *   <store>/uploads/v1/<digest>.json     of one content: the ids that services gave it,
 *                                        by service and kind, and the local files that
 *                                        hold it
 *                      <digest>.lock     held while it is uploaded or written
 *                      paths/<digest>    which content the file of a path had: a hint,
 *                                        which counts when the content's record knows
 *                                        the file
 *
 * A local file is known by its path, size, times and inode, so that it need not be read
 * again. Reading needs no flight, writing a record does.
 */
#ifndef GIQ_CONTENT_H
#define GIQ_CONTENT_H

#include "base/giq_error.h"
#include "base/giq_json.h"
#include "store/giq_digest.h"
#include "store/giq_lock.h"
#include "store/giq_store.h"

enum { GIQ_CONTENT_FORMAT = 1, GIQ_CONTENT_PATHS_MAX = 64 };

struct giq_content {
    const struct giq_store *store; /* borrowed */
    char digest[GIQ_DIGEST_HEX_SIZE];
    struct giq_json *json; /* never NULL once read */
};

/* Read the record of a content; where there is none it is empty. The caller passes
 * `*out` to giq_content_release(). Errors: GIQ_E_STORE, which names a damaged or newer
 * file; GIQ_E_MEMORY. */
bool giq_content_read(const struct giq_store *store, const char *digest,
                      struct giq_content *out, struct giq_error *err);
void giq_content_release(struct giq_content *content);

/* Try once to enter the content's flight, as giq_lock_acquire() does; makes the
 * folders that are missing. */
bool giq_content_acquire_lock(const struct giq_store *store, const char *digest,
                              struct giq_lock **out, struct giq_error *err);

/* Write the record; durable when the call returns. Within the flight only. */
bool giq_content_write(const struct giq_content *content, struct giq_error *err);

/* The id of the file that holds the content on a service; `*out` is borrowed, NULL where
 * there is none. Errors: GIQ_E_STORE where the record is damaged. */
bool giq_content_file_id(const struct giq_content *content, const char *base_url,
                         const char *type, const char **out, struct giq_error *err);

/* Note it, in memory. Errors: GIQ_E_MEMORY. */
bool giq_content_set_file_id(struct giq_content *content, const char *base_url,
                             const char *type, const char *file_id, int64_t uploaded_ms,
                             struct giq_error *err);

/* Whether the file at `absolute_path` is known to hold the content, as it is now. */
bool giq_content_has_file(const struct giq_content *content, const char *absolute_path,
                          const struct giq_source_stat *stat);

/* Note that it does, in memory; with NULL, that nothing is known of it. Errors:
 * GIQ_E_MEMORY. */
bool giq_content_set_file(struct giq_content *content, const char *absolute_path,
                          const struct giq_source_stat *stat, struct giq_error *err);

/* Which content the file at `absolute_path` has, by the hint and its record. `out` is
 * empty where that is not known. Errors: as giq_content_read(). */
bool giq_content_find(const struct giq_store *store, const char *absolute_path,
                      const struct giq_source_stat *stat, char out[GIQ_DIGEST_HEX_SIZE],
                      struct giq_error *err);

/* Leave the hint. Errors: GIQ_E_STORE, GIQ_E_MEMORY. */
bool giq_content_write_hint(const struct giq_content *content, const char *absolute_path,
                            struct giq_error *err);

#endif
