/*
 * The secrets of one open, and the headers that carry them. giq_cred_mask() (giq/giq.h)
 * masks them in texts before these are printed.
 */
#ifndef GIQ_CRED_H
#define GIQ_CRED_H

#include "base/giq_error.h"

/* Whether there is anything to authenticate with. NULL is allowed. */
bool giq_cred_any(const struct giq_cred *cred);

/* Header line `i` (from 0) to send to the service's own origin, for example
 * "X-API-KEY: ...", owned by `cred`; NULL after the last one. The service wants
 * X-API-KEY in every example and a bearer token in one table: both are sent where
 * both are set. */
const char *giq_cred_header(const struct giq_cred *cred, size_t i);

#endif
