/*
 * Logging the exchange between libcurl and the service: no query, no secret, and the
 * values of harmless headers only. Thread-safe for different `env`.
 */
#ifndef GIQ_TRACE_H
#define GIQ_TRACE_H

#include "giq/giq.h"

enum giq_trace_kind {
    GIQ_TRACE_TEXT,       /* messages of libcurl: resolving, connecting, TLS */
    GIQ_TRACE_HEADER_OUT, /* header lines of a request */
    GIQ_TRACE_HEADER_IN,  /* header lines of a response */
};

/* Write `len` bytes, one or more lines, to the log of `env`. `cred` is NULL if
 * the request is cross-origin: its whole URL may be a secret. */
void giq_trace(const struct giq_env *env, const struct giq_cred *cred,
               enum giq_trace_kind kind, const char *bytes, size_t len);

#endif
