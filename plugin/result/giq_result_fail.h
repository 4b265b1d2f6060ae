/*
 * Errors of results that were not opened: whose they are, why, and what would open them.
 * Thread-safe.
 */
#ifndef GIQ_RESULT_FAIL_H
#define GIQ_RESULT_FAIL_H

#include "result/giq_result.h"

enum { GIQ_RESULT_TITLE_SIZE = 256, GIQ_RESULT_REASON_SIZE = 512 };

/* The kinds that are asked for, of GIQ_INNER_KINDS; all where none is. */
unsigned giq_result_kinds(const struct giq_result *result);

/* What messages call the result; the core adds the job to those of a new one. */
const char *giq_result_title(const struct giq_result *result,
                             char out[GIQ_RESULT_TITLE_SIZE]);

/* Why giq_inner_open() just failed for the file `path`: GDAL's words without the folder,
 * whose name is no help; "" where it only does not know the file. */
void giq_result_reason(const char *path, char out[GIQ_RESULT_REASON_SIZE]);

/* The error of the file `path`, called `name` within the result, which no allowed driver
 * opened for that reason. Returns false. */
bool giq_result_fail_file(const struct giq_result *result, const char *path,
                          const char *name, const char *reason, struct giq_error *err);

/* The error of an archive of which no file can be opened. Returns false. */
bool giq_result_fail_archive(const struct giq_result *result, struct giq_error *err);

/* Whether a result that nothing opened now is for a driver that is known, so that it may
 * be opened later: with other drivers or options, or by another GDAL. */
bool giq_result_may_open(const struct giq_result *result);

#endif
