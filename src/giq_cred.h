/*
 * The secrets of one open, and how they become headers. Nothing here prints
 * them; giq_cred_mask() (giq/giq.h) takes them out of texts that are shown.
 */
#ifndef GIQ_CRED_H
#define GIQ_CRED_H

#include "giq_error.h"

/* Whether there is anything to send. NULL is allowed. */
bool giq_cred_any(const struct giq_cred *cred);

/*
 * The header lines to send, for example "X-API-KEY: ...": at most `max`, each
 * owned by `cred`. Returns their number (the service wants X-API-KEY in every
 * example and a bearer token in one table: both are sent where both are set).
 */
enum { GIQ_CRED_HEADERS_MAX = 2 };
size_t giq_cred_headers(const struct giq_cred *cred,
                        const char *out[GIQ_CRED_HEADERS_MAX]);

#endif
