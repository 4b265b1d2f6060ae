/*
 * Checks a downloaded result before it is published: it has no external references
 * (giq_references.h), and a driver is known for it. Thread-safe.
 */
#ifndef GIQ_RESULT_CHECK_H
#define GIQ_RESULT_CHECK_H

#include "giq/giq.h"
#include "result/giq_result.h"

/*
 * Fails if the result at result->path must not be published: it has external references,
 * or no driver is known for its format. The result was paid for and may be opened later,
 * with other drivers, options or another GDAL, so the check succeeds even if no allowed
 * driver opens it now. Removes unsafe sidecars (giq_sidecar.h), with one warning that
 * lists them. Errors: GIQ_E_RESULT, GIQ_E_STORE, GIQ_E_MEMORY.
 */
bool giq_result_check(const struct giq_result *result, struct giq_error *err);

#endif
