/*
 * The layout of the store, and publishing results in it:
 *
 *   <store>/v1/<key>/request.json, job.json   the record (giq_record)
 *                    lock                     the record lock (giq_lock)
 *                    result.part.<token>      a download
 *                    result.short             digest of a truncated download
 *                    result.new.<token>/      a result while it is checked
 *                    result.<token>/          a published result, named in job.json
 *                    published.<g>            claims of results (giq_claim)
 *                    <name>.<token>.tmp       a file before it gets its name
 *                    *.damaged                copies of a damaged record
 *   <store>/v1/spent/<date>/                  run requests of one day (giq_spent)
 *   <store>/uploads/v1/                       the cache of uploads (giq_content)
 *   <store>/waiting/v1/                       how long jobs took (giq_history)
 *   <store>/batches/v1/<digest>/rows.vrt      derived files (giq_batch_file)
 *
 * Version 0.1 published in result/, by way of result.part, result.new/, result.old/ and
 * result.discarded/.
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

/*
 * A result is published in three steps: downloaded into giq_store_part(), written under
 * its own name into the folder of giq_store_stage(), which giq_store_publish() renames.
 * `token` is new for each fetch (giq_os_token()), so that each has paths of its own.
 */

/* The path of the part. */
char *giq_store_part(const char *folder, const char *token);

/* Create the folder where the result is checked. The caller frees its path `*out`. */
bool giq_store_stage(const struct giq_store *store, const char *folder, const char *token,
                     char **out, struct giq_error *err);

/* Give that folder its published name, durably. No open uses it until a claim names
 * it. The caller frees `*out`, that name. */
bool giq_store_publish(const char *folder, const char *token, char **out,
                       struct giq_error *err);

/* Remove the part and the folder where the result is checked; failures are ignored. */
void giq_store_unstage(const char *folder, const char *token);

/* Remove a published result, `name` as in giq_store_result(); failures are ignored. */
void giq_store_unpublish(const char *folder, const char *name);

/* Rename result.old/ back to result/ if a crash of version 0.1 left only result.old/;
 * remove it if there are both. Must be called with the record lock held. */
bool giq_store_restore(const char *folder, struct giq_error *err);

/* The path of a published result: the file `file` in the folder `name`, or that folder
 * itself if `file` is NULL. `name` NULL is result/, where version 0.1 published. */
char *giq_store_result(const char *folder, const char *name, const char *file);

#endif
