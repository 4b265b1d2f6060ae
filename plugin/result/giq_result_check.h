/*
 * Checks a downloaded result before it is published: it has no external references
 * (giq_references.h), and a driver is known for it. In one thread.
 */
#ifndef GIQ_RESULT_CHECK_H
#define GIQ_RESULT_CHECK_H

#include "giq/giq.h"
#include "result/giq_result.h"

/*
 * Whether the result at `path` may be published. No allowed driver needs to open it now:
 * the result was paid for, and with another list of drivers, other options or another
 * GDAL it may be opened later, so a known driver is enough. Removes sidecars that may not
 * stay (giq_sidecar.h), with one warning that lists them. Errors: GIQ_E_RESULT,
 * GIQ_E_STORE, GIQ_E_MEMORY.
 */
bool giq_result_check(const struct giq_result *result, struct giq_error *err);

#endif
