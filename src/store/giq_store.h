/*
 * The layout of the store, and publishing results in it:
 *
 *   <store>/v1/<key>/request.json, job.json   the record (giq_record)
 *                    lock                     the record lock (giq_lock)
 *                    result.part              a download
 *                    result.short             digest of a truncated download
 *                    result.new/              a result while it is checked
 *                    result/                  the published result
 *                    result.old/              the earlier result, while it is replaced
 *                    result.discarded/        the replaced result, while it is removed
 *                    *.damaged                copies of a damaged record
 *   <store>/v1/spent/<date>/                  run requests of one day (giq_spent)
 *   <store>/uploads/v1/                       the cache of uploads (giq_content)
 *   <store>/waiting/v1/                       how long jobs took (giq_history)
 *   <store>/batches/v1/<digest>/rows.vrt      derived files (giq_batch_file)
 *
 * The caller frees returned paths; they are NULL when out of memory. giq_store_open() and
 * giq_store_close() are in giq/giq.h. Thread-safe. Errors are GIQ_E_STORE and
 * GIQ_E_MEMORY.
 */
#ifndef GIQ_STORE_H
#define GIQ_STORE_H

#include "base/giq_error.h"
#include "store/giq_key.h"

/* The bits of enum giq_os_access for all files and folders of the store. */
unsigned giq_store_access(const struct giq_store *store);

/* The folder of a key, given as hexadecimal digits. It need not exist. */
char *giq_store_folder(const struct giq_store *store, const char *key);

/* The paths of <store>/v1, which has the folders of keys, of <store>/uploads/v1,
 * <store>/waiting/v1 and <store>/batches/v1; borrowed. */
const char *giq_store_keys_folder(const struct giq_store *store);
const char *giq_store_uploads_folder(const struct giq_store *store);
const char *giq_store_waiting_folder(const struct giq_store *store);
const char *giq_store_batches_folder(const struct giq_store *store);

/* Create `folder`, a path below the store's folder, and the missing folders above it;
 * durable when the call returns. */
bool giq_store_make(const struct giq_store *store, const char *folder,
                    struct giq_error *err);

/*
 * Check that a job can be recorded in a key's `folder`, which need not exist, and if
 * `uploads` is true an upload too, and that 1 MiB is free. Creates missing folders, and
 * writes and removes a probe file. Must be called before a request whose outcome must be
 * recorded. Must not be called before reading: a read-only store can still be read.
 */
bool giq_store_check_writable(const struct giq_store *store, const char *folder,
                              bool uploads, struct giq_error *err);

/*
 * Find the record of the job `job_id` of the service at `base_url`. `*out` is the folder
 * of its key, or NULL if there is none; the caller frees it. Skips records that are
 * damaged, have a newer format or that this user may not read. If another record cannot
 * be read and the job is not found, that is an error. Reads records until it is found, so
 * it is slow in a large store.
 */
bool giq_store_find_job(const struct giq_store *store, const char *base_url,
                        const char *job_id, char **out, struct giq_error *err);

/* Check that the disk of `folder` has room for `bytes` more and 1 MiB for records. Passes
 * if the file system does not report its free space. */
bool giq_store_check_space(const char *folder, int64_t bytes, struct giq_error *err);

/* Whether the error was caused by a full disk or quota. */
bool giq_store_is_full(const struct giq_error *err);

/* If the error was caused by a full disk or quota, add what to do without paying for a
 * job again; otherwise leave `err` as it is. Always returns false. */
bool giq_store_explain_full(struct giq_error *err);

/* Create `folder`/result.new, empty; an earlier one is removed. The caller frees its path
 * `*out`. Must be called with the record lock held. */
bool giq_store_stage(const struct giq_store *store, const char *folder, char **out,
                     struct giq_error *err);

/* Replace result/ by result.new/, durably. If the replacement fails an earlier result/
 * stays; if only syncing it fails, result/ is the new one. After a crash result/ may be
 * missing, and result.old/ is then the earlier one. Must be called with the record lock
 * held. */
bool giq_store_publish(const char *folder, struct giq_error *err);

/* Rename result.old/ back to result/ if a crash during giq_store_publish() left only
 * result.old/; remove it if there are both. Must be called with the record lock held. */
bool giq_store_restore(const char *folder, struct giq_error *err);

/* Remove result.new/ or result/; failures are ignored. */
void giq_store_unstage(const char *folder);
void giq_store_unpublish(const char *folder);

/* The path of a published result: the file `name` in result/, or result/ itself if `name`
 * is NULL. */
char *giq_store_result(const char *folder, const char *name);

#endif
