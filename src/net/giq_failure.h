/*
 * Why a transfer failed: from libcurl's error code to an error of the driver.
 */
#ifndef GIQ_FAILURE_H
#define GIQ_FAILURE_H

#include "base/giq_error.h"

/* A failed transfer. All pointers are borrowed. */
struct giq_failure {
    void *curl;              /* the easy handle, a CURL * */
    int rc;                  /* libcurl's error code, not CURLE_OK */
    const char *message;     /* libcurl's message, or empty */
    const char *url;         /* of the request; only its host is printed */
    bool may_have_been_sent; /* the request was sent, or about to be */
    bool has_headers;        /* a header line of the response was received */
};

/* Whether a TLS alert of the server refused the client's certificate, or required one.
 * With TLS 1.3 the alert arrives after the request was sent; the server has not read the
 * request. */
bool giq_failure_is_tls_alert(const struct giq_failure *failure);

/* Whether HTTP/2 itself failed: a stream was reset, or the protocol was violated. */
bool giq_failure_is_http2(const struct giq_failure *failure);

/*
 * Set `err`: GIQ_E_NETWORK if a proxy refused to connect, else `code`; permanent if a
 * retry cannot help. Returns false. The text contains no path, which may be the secret of
 * a presigned address, and no password of a proxy.
 */
bool giq_failure_set(const struct giq_failure *failure, enum giq_code code,
                     struct giq_error *err);

#endif
