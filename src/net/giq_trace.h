/*
 * Debug output of libcurl as lines for the log: no query, no secret, and only those
 * values of headers that help.
 */
#ifndef GIQ_TRACE_H
#define GIQ_TRACE_H

#include "giq/giq.h"

enum giq_trace_kind {
    GIQ_TRACE_TEXT,       /* messages of libcurl: resolving, connecting, TLS */
    GIQ_TRACE_HEADER_OUT, /* header lines of a request */
    GIQ_TRACE_HEADER_IN,  /* header lines of a response */
};

/* Write `len` bytes, one or more lines, to the log of `env`. `cred` is NULL where
 * the request goes to another host: its whole URL may be a secret. */
void giq_trace(const struct giq_env *env, const struct giq_cred *cred,
               enum giq_trace_kind kind, const char *bytes, size_t len);

#endif
