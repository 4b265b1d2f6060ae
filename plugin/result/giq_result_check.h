/*
 * Checks a downloaded result before it is published: it has no external references
 * (giq_references.h), and a driver is known for it. Thread-safe.
 */
#ifndef GIQ_RESULT_CHECK_H
#define GIQ_RESULT_CHECK_H

#include "giq/summary.h"
#include "result/giq_result.h"

/*
 * Fails if the result at result->path must not be published: it has external references,
 * or no driver is known for its format. The result was paid for and may be opened later,
 * with other drivers, options or another GDAL, so the check succeeds even if no allowed
 * driver opens it now. Removes unsafe sidecars (giq_sidecar.h), with one warning that
 * lists them. Adds the files that open to `summary`, which the caller releases, on
 * failure too. Errors: GIQ_E_RESULT, GIQ_E_STORE, GIQ_E_MEMORY.
 */
bool giq_result_check(const struct giq_result *result, struct giq_summary *summary,
                      struct giq_error *err);

/* giq_result_check() within `accept` of struct giq_job_host: the summary is recorded with
 * the result of `job`. */
bool giq_result_accept(const struct giq_result *result, struct giq_job *job,
                       struct giq_error *err);

/* Make up the summary of a published result, of an older version or for result->options:
 * opens its files, which are checked again, and removes none. Errors as above. */
bool giq_result_summarize(const struct giq_result *result, struct giq_summary *summary,
                          struct giq_error *err);

#endif
