/*
 * The secrets of one open, and the headers that carry them. giq_cred_mask() (giq/giq.h)
 * masks them in texts that are printed. After the last giq_cred_add_*() an object may be
 * used by several threads.
 */
#ifndef GIQ_CRED_H
#define GIQ_CRED_H

#include "base/giq_error.h"

/* Whether an API key or a bearer token is set; headers of the user do not count. NULL is
 * allowed. */
bool giq_cred_any(const struct giq_cred *cred);

/* Header line `i` (from 0) to send to the service's own origin, for example
 * "X-API-KEY: ...", owned by `cred`; NULL after the last one. The documentation of the
 * service uses X-API-KEY in its examples and a bearer token in one table, so both are
 * sent if both are set. */
const char *giq_cred_header(const struct giq_cred *cred, size_t i);

#endif
