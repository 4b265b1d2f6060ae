/*
 * The rows of a batch: the features of a vector layer, each of which is a request, the
 * same as if it were given alone.
 *
 * Usage: giq_rows_read() reads and checks all rows; giq_rows_free() on every path. Rows
 * with equal requests are kept: giq_batch_new() finds them by their keys.
 *
 * An object is for one thread at a time; its requests may be used by others.
 */
#ifndef GIQ_ROWS_H
#define GIQ_ROWS_H

#include "giq_session.h"

struct giq_rows;

/*
 * Read the rows of `conn`, which has the kind GIQ_CONN_BATCH, and check them all; open
 * the store of the session if a row uploads a file. Sends nothing, unless the rows are
 * those of GIQ:files. `session` is borrowed for the life of `*out`, `conn` for the call;
 * from here on Ctrl-C is noted: it ends the call, or the wait that follows. On success,
 * also without any row, the caller passes `*out` to giq_rows_free().
 *
 * Errors: GIQ_E_BATCH, which counts the rows that are not valid and shows the first ones,
 * also for too many rows; GIQ_E_USAGE for the dataset and for options that contradict;
 * GIQ_E_AREA for the layer's coordinate system; GIQ_E_CANCELLED, GIQ_E_STORE,
 * GIQ_E_MEMORY; those of giq_files_table_open(). Raises no errors of GDAL.
 */
bool giq_rows_read(struct giq_session *session, const struct giq_conn *conn,
                   struct giq_rows **out, struct giq_error *err);
void giq_rows_free(struct giq_rows *rows); /* NULL is allowed */

size_t giq_rows_count(const struct giq_rows *rows);

/* The requests, giq_rows_count() of them in the order of the layer; borrowed, and NULL if
 * there are none. */
const struct giq_request *giq_rows_requests(const struct giq_rows *rows);

/* The name of a row: its field `id`, else the id of its feature; borrowed. No two rows
 * have the same. */
const char *giq_rows_id(const struct giq_rows *rows, size_t row);

/*
 * The connection string of one row alone, with `member` of the batch, the absolute path
 * of a file to upload, and the area as text. Where no string can express the request,
 * because the path has a secret, or the area has edges that span more than half the
 * world, it is that of the job `job_id`. The caller frees `*out_text`; it is NULL if no
 * string can express the job either, or `job_id` is NULL. Errors: GIQ_E_MEMORY.
 */
bool giq_rows_location(const struct giq_rows *rows, size_t row, const char *job_id,
                       char **out_text, struct giq_error *err);

#endif
