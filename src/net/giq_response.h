/*
 * What came of one HTTP exchange, and how much of its body is kept: a response is
 * filled while its bytes arrive.
 */
#ifndef GIQ_RESPONSE_H
#define GIQ_RESPONSE_H

#include "base/giq_buf.h"
#include "base/giq_error.h"
#include "net/giq_headers.h"

enum {
    GIQ_RESPONSE_MAX = 16 * 1024 * 1024, /* a small response */
    GIQ_RESPONSE_ERROR_MAX = 64 * 1024,  /* the body of an error status */
};

struct giq_response {
    bool sent;              /* the request was about to go out, so may have arrived */
    int status;             /* 0: no response came */
    int64_t content_length; /* -1 where not told */
    int64_t retry_after_ms; /* -1 where not told or told wrongly; a day at most */
    int64_t received;       /* bytes of the body so far */
    bool proven;            /* the body's end was told: length, chunks or HTTP/2 */
    bool is_cross_origin;   /* the service redirected the request to another host */
    char *location;         /* absolute target of a redirect, or NULL */
    struct giq_headers headers;
    struct giq_buf body;
};

void giq_response_init(struct giq_response *response);
void giq_response_release(struct giq_response *response);

/* Whether the body is the data that was asked for: status 200 or 206. */
bool giq_response_has_data(const struct giq_response *response);

enum giq_response_keep {
    GIQ_RESPONSE_KEPT,
    GIQ_RESPONSE_TRUNCATED, /* the rest of an error page is of no interest, its status is
                             */
    GIQ_RESPONSE_FAILED, /* `err` is set: too large for a small response, or no memory */
};

/* Keep a piece of the body in memory, within the limits above. */
enum giq_response_keep giq_response_keep(struct giq_response *response, const char *bytes,
                                         size_t len, struct giq_error *err);

/* Undo the content coding of the whole body. What is in a coding that is not known, or
 * damaged, stays as it is; of an error page as much is kept as there is room for.
 * Errors: GIQ_E_SERVICE (too large for a small response then), GIQ_E_MEMORY. */
bool giq_response_decode(struct giq_response *response, struct giq_error *err);

#endif
