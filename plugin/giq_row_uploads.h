/*
 * The files to upload of a batch: each path is checked and its content identified once,
 * and each row that uses it gets a reader of its own, because rows run in several
 * threads. An object is for one thread at a time; what it hands out may be used by
 * others.
 */
#ifndef GIQ_ROW_UPLOADS_H
#define GIQ_ROW_UPLOADS_H

#include "giq_session.h"

struct giq_row_uploads;

/* The store of `session`, which is borrowed, must be open. The caller passes the object
 * to giq_row_uploads_free(). */
struct giq_row_uploads *giq_row_uploads_new(struct giq_session *session);
void giq_row_uploads_free(struct giq_row_uploads *uploads); /* NULL is allowed */

/* Get the upload of one row. `*out` is owned by `uploads`. Errors: those of
 * giq_upload_file_new() and giq_upload_identify(); a file that cannot be used has the
 * same error for each row. */
bool giq_row_uploads_add(struct giq_row_uploads *uploads, const char *path,
                         const struct giq_upload **out, struct giq_error *err);

#endif
