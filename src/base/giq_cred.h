/*
 * The secrets of one open, and the headers that carry them. giq_cred_mask() (giq/giq.h)
 * masks them in text that is printed. Once it is set up it may be read by several
 * threads.
 */
#ifndef GIQ_CRED_H
#define GIQ_CRED_H

#include "base/giq_error.h"

/* Whether there is anything to authenticate with. NULL is allowed. */
bool giq_cred_any(const struct giq_cred *cred);

/* Header line `i` (from 0) to send to the service's own origin, for example
 * "X-API-KEY: ...", owned by `cred`; NULL after the last one. The
 * service's documentation uses X-API-KEY in its examples and a bearer token in one table:
 * both are sent if both are set. */
const char *giq_cred_header(const struct giq_cred *cred, size_t i);

#endif
