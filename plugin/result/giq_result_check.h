/*
 * Checks a downloaded result before it is published: it has no external references
 * (giq_references.h), and a driver is known for it. Thread-safe.
 */
#ifndef GIQ_RESULT_CHECK_H
#define GIQ_RESULT_CHECK_H

#include "giq/summary.h"
#include "result/giq_result.h"

/*
 * `accept` of struct giq_job_host. Fails if the result at result->path must not be
 * published: it has external references, or no driver is known for its format. The result
 * was paid for and may be opened later, with other drivers, options or another GDAL, so
 * the check succeeds even if no allowed driver opens it now. Removes unsafe sidecars
 * (giq_sidecar.h), with one giq_job_warn() that lists them. The summary of the files that
 * open is recorded with the result of `job`. Raises no errors of GDAL. Errors:
 * GIQ_E_RESULT, GIQ_E_STORE, GIQ_E_MEMORY.
 */
bool giq_result_accept(const struct giq_result *result, struct giq_job *job,
                       struct giq_error *err);

/* Make the summary of a published result that has none, because an older version of the
 * driver published it, or that is opened with result->options: opens its files, which are
 * checked again, and removes none. Errors as above. */
bool giq_result_summarize(const struct giq_result *result, struct giq_summary *summary,
                          struct giq_error *err);

#endif
