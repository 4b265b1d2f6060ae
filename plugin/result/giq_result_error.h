/*
 * Errors of results that no driver opened: which file, why, and what would open it.
 * Thread-safe.
 */
#ifndef GIQ_RESULT_ERROR_H
#define GIQ_RESULT_ERROR_H

#include "giq/giq.h"
#include "result/giq_result.h"

/* Why giq_inner_open() just failed for the file `path`, into `out`: GDAL's text without
 * the folder's name; "" if no driver recognised the file. */
enum { GIQ_RESULT_REASON_SIZE = 512 };
void giq_result_error_reason(const char *path, char out[GIQ_RESULT_REASON_SIZE]);

/* Set the error of the file `path` of the result, which no allowed driver opened for this
 * reason. GIQ_E_RESULT; returns false. */
bool giq_result_error_file(const struct giq_result *result, const char *path,
                           const char *reason, struct giq_error *err);

/* Set the error of an unpacked archive none of whose files can be opened. GIQ_E_RESULT;
 * returns false. */
bool giq_result_error_archive(const struct giq_result *result, struct giq_error *err);

#endif
