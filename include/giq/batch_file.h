/*
 * Files that are derived from the published results of a batch, and kept in the store:
 * <store>/batches/v1/<digest>/rows.vrt. The digest is that of all that the file depends
 * on, so its content is always the same; it may be deleted. GDAL writes what a program
 * sets on a raster (statistics, nodata) into the file: compare it before it is opened.
 *
 * Usage: giq_batch_file_new(), giq_batch_file_add() for each text that the content
 * depends on, giq_batch_file_path(); unless giq_batch_file_equals()
 * giq_batch_file_write(); giq_batch_file_free(). Thread-safe, but a struct giq_batch_file
 * may be used by one thread at a time.
 */
#ifndef GIQ_BATCH_FILE_API_H
#define GIQ_BATCH_FILE_API_H

#include "giq/giq.h"

#ifdef __cplusplus
extern "C" {
#endif

struct giq_batch_file;

/* The caller passes `*out` to giq_batch_file_free(). Errors: GIQ_E_MEMORY. */
bool giq_batch_file_new(struct giq_batch_file **out, struct giq_error *err);
void giq_batch_file_free(struct giq_batch_file *file); /* NULL is allowed */

/* Add a text, or NULL, which differs from "". Errors: GIQ_E_MEMORY. */
bool giq_batch_file_add(struct giq_batch_file *file, const char *text,
                        struct giq_error *err);

/* No text may be added after this. `*out_path`, which the caller frees, is where the file
 * is or would be. Errors: GIQ_E_MEMORY. */
bool giq_batch_file_path(struct giq_batch_file *file, const struct giq_store *store,
                         char **out_path, struct giq_error *err);

/* Whether the file at `path` can be read and has this content. */
bool giq_batch_file_equals(const char *path, const char *bytes, size_t len);

/* Write the file at `path`, as giq_batch_file_path() returned it: other processes see all
 * of it or nothing. Errors: GIQ_E_STORE, also for a read-only store; GIQ_E_MEMORY. */
bool giq_batch_file_write(const struct giq_store *store, const char *path,
                          const char *bytes, size_t len, struct giq_error *err);

#ifdef __cplusplus
}
#endif

#endif
