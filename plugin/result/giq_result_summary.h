/*
 * Summaries of results (giq/summary.h): describes open datasets, and chooses the files of
 * a summary that an open of the result would read. Thread-safe.
 */
#ifndef GIQ_RESULT_SUMMARY_H
#define GIQ_RESULT_SUMMARY_H

#include "giq/summary.h"
#include "result/giq_result.h"

/*
 * Files whose layers must be read to be counted are read up to this size; the number of
 * features of larger ones is not known.
 */
enum { GIQ_RESULT_SUMMARY_READ_MAX = 64 * 1024 * 1024 };

/*
 * Add what `dataset`, opened from the file at `path`, has to `file`, which may have what
 * another driver found in the same file. `kinds` are GDAL_OF_... of that open. May read
 * the features. Errors: GIQ_E_MEMORY.
 */
bool giq_result_summary_describe(struct giq_summary_file *file, GDALDatasetH dataset,
                                 unsigned kinds, const char *path, struct giq_error *err);

/* The driver of a file of the summary that is not in `drivers`, a GDAL string list, or
 * that this GDAL does not have; NULL if there is none. Such a summary must not be used:
 * the result may not open. */
const char *giq_result_summary_refused_driver(const struct giq_summary *summary,
                                              char **drivers);

/*
 * Choose the files that giq_result_open() would read for result->member and the kinds of
 * result->flags: set chosen[i] for the i-th file. One file, or several Shapefiles of one
 * folder, which are one dataset. Errors as those of giq_result_open(): GIQ_E_USAGE (no
 * such member, or several), GIQ_E_RESULT (no file of these kinds).
 */
bool giq_result_summary_choose(const struct giq_summary *summary,
                               const struct giq_result *result, bool *chosen,
                               struct giq_error *err);

#endif
