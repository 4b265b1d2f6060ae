/*
 * GIQ:files, the table of the files of the service.
 */
#ifndef GIQ_FILES_TABLE_H
#define GIQ_FILES_TABLE_H

#include <gdal.h>

#include "giq_session.h"

/* Search for files, and make a dataset with the layer `files`, which the caller owns.
 * `conn` is of kind GIQ_CONN_FILES; `open_options` is a GDAL string list or NULL. Opens
 * no store. Errors: GIQ_E_USAGE (an option that is not for a search), those of
 * giq_given_find_area(), giq_given_read_area() and giq_await_files(). For the thread of
 * the session. */
bool giq_files_table_open(struct giq_session *session, const struct giq_conn *conn,
                          char **open_options, GDALDatasetH *out, struct giq_error *err);

#endif
