/*
 * The response of one HTTP exchange, filled while its bytes arrive, and the limits on
 * what is kept of its body. A response serves one thread at a time.
 */
#ifndef GIQ_RESPONSE_H
#define GIQ_RESPONSE_H

#include "base/giq_buf.h"
#include "base/giq_error.h"
#include "net/giq_headers.h"

enum {
    /* Maximum sizes of a body that is kept in memory: of a 2xx, and of other statuses. */
    GIQ_RESPONSE_BYTES_MAX = 16 * 1024 * 1024,
    GIQ_RESPONSE_ERROR_BYTES_MAX = 64 * 1024,
};

struct giq_response {
    bool sent;              /* the request may have reached the service */
    int status;             /* 0: no response was received */
    int64_t content_length; /* bytes; -1 if it is not known */
    int64_t retry_after_ms; /* -1 if absent or invalid; a day at most */
    int64_t received;       /* bytes of the body so far */
    bool has_proven_end;    /* a length, chunks or HTTP/2 show where the body ends */
    bool is_cross_origin;   /* from another origin, after a redirect */
    char *location;         /* absolute target of a redirect, or NULL */
    struct giq_headers headers;
    struct giq_buf body;
};

/* The caller must release a response that was initialised, and may then initialise it
 * again. */
void giq_response_init(struct giq_response *response);
void giq_response_release(struct giq_response *response);

/* Whether the body is the requested data: status 200 or 206. */
bool giq_response_has_data(const struct giq_response *response);

enum giq_response_appended {
    GIQ_RESPONSE_KEPT,
    GIQ_RESPONSE_TRUNCATED, /* an error page would exceed its limit: the bytes are
                               dropped, and so is the rest of the page */
    GIQ_RESPONSE_FAILED,    /* `err` is set: GIQ_E_SERVICE (too large), GIQ_E_MEMORY */
};

/* Append bytes to the body of a response with this status, within the limits above. */
enum giq_response_appended giq_response_append(struct giq_buf *body, int status,
                                               const char *bytes, size_t len,
                                               struct giq_error *err);

/*
 * Decode the content coding of the complete body. A body that is damaged, or in an
 * unsupported coding, is not changed. The body of a status that is not 2xx is truncated
 * at its limit, and its coding may end early. Errors: GIQ_E_NETWORK (the coding ends
 * early; the body is what could be decoded), GIQ_E_SERVICE (too large when decoded),
 * GIQ_E_MEMORY.
 */
bool giq_response_decode(struct giq_response *response, struct giq_error *err);

#endif
