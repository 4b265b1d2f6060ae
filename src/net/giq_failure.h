/*
 * Why a transfer of libcurl failed, in words for a person. Beside giq_http the only
 * place that reads libcurl's error codes.
 */
#ifndef GIQ_FAILURE_H
#define GIQ_FAILURE_H

#include "base/giq_error.h"

struct giq_failure {
    void *curl;        /* the easy handle, a CURL * */
    int rc;            /* libcurl's error code, not CURLE_OK */
    const char *words; /* libcurl's own on it, or empty */
    const char *url;   /* of the request; the host alone is shown */
    bool was_sent;     /* the request was about to go out */
    bool has_head;     /* a header line of the response came */
};

/* With TLS 1.3 a server refuses the client's certificate, or that there is none, when the
 * request is on its way already; it does not read it. */
bool giq_failure_is_tls_alert(const struct giq_failure *failure);

/* Whether HTTP/2 itself failed: a stream that was reset, an error of the protocol. */
bool giq_failure_is_http2(const struct giq_failure *failure);

/*
 * Set `err`: GIQ_E_NETWORK where a proxy refused the way, else `code`. Permanent is what
 * trying again cannot mend. Returns false. The text holds neither a path, which may be
 * what a presigned address keeps secret, nor a password of a proxy.
 */
bool giq_failure_set(const struct giq_failure *failure, enum giq_code code,
                     struct giq_error *err);

#endif
