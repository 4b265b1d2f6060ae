/*
 * Where records and results lie on disk:
 *
 *   <store>/v1/<key>/request.json, job.json   the record (giq_record)
 *                    lock                     the flight (giq_lock)
 *                    result.part              a download
 *                    result.short             digest of one that was cut (giq_fetch)
 *                    result.new/              while it is checked
 *                    result/                  published
 *                    result.old/              while it is replaced
 *   <store>/uploads/v1/                       what is known of uploads (giq_content)
 *
 * Paths returned are owned by the caller. giq_store_open() and
 * giq_store_close() are in giq/giq.h. A store may be used by any thread.
 */
#ifndef GIQ_STORE_H
#define GIQ_STORE_H

#include "base/giq_error.h"
#include "store/giq_key.h"

/* enum giq_os_access for everything in the store. */
unsigned giq_store_access(const struct giq_store *store);

/* The folder of a key (its hexadecimal digits), which may not be there. NULL when out
 * of memory. */
char *giq_store_folder(const struct giq_store *store, const char *key);

/* The folder in which the folders of keys lie, and that of uploads; borrowed. */
const char *giq_store_keys(const struct giq_store *store);
const char *giq_store_uploads(const struct giq_store *store);

/* Make a folder in the store and those above, durably. Errors: GIQ_E_STORE. */
bool giq_store_make(const struct giq_store *store, const char *folder,
                    struct giq_error *err);

/*
 * Whether a job can be recorded in a key's `folder`, which need not exist, and with
 * `uploads` an upload too. To be called where that must be done, before anything is sent:
 * a store that cannot be written serves what it has. Errors: GIQ_E_STORE, GIQ_E_MEMORY.
 */
bool giq_store_check(const struct giq_store *store, const char *folder, bool uploads,
                     struct giq_error *err);

/*
 * Find the record that holds the job `job_id` of the service at `base_url`. On
 * success `*out` is its key's folder, or NULL where there is none. Damaged
 * records are passed over. Reads every record.
 */
bool giq_store_find_job(const struct giq_store *store, const char *base_url,
                        const char *job_id, char **out, struct giq_error *err);

/* Whether there is room for `bytes` more, with some to spare: GIQ_E_STORE where
 * there is not. A file system that does not report its room has it. */
bool giq_store_check_space(const char *folder, int64_t bytes, struct giq_error *err);

/* Whether `err` is that the disk or a quota is full. */
bool giq_store_is_full(const struct giq_error *err);

/* Where `err` is that the disk or a quota is full, add how to get the result without
 * paying again. Returns false. */
bool giq_store_explain_full(struct giq_error *err);

/* Empty `folder`/result.new and make it anew; its path into `*out`. */
bool giq_store_stage(const struct giq_store *store, const char *folder, char **out,
                     struct giq_error *err);

/* Put result.new in the place of result/, durably. An earlier result/ stays where that
 * fails. */
bool giq_store_publish(const char *folder, struct giq_error *err);

/* Take result.new/ or result/ away, as far as that can be done. */
void giq_store_unstage(const char *folder);
void giq_store_unpublish(const char *folder);

/* The path of a published result: `name` in result/, or result/ itself. NULL
 * when out of memory. */
char *giq_store_result(const char *folder, const char *name);

#endif
