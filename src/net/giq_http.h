/*
 * One HTTP exchange: one request, one response, capped in size and bounded in
 * time. Redirects, retries and what a response means are decided above. The only
 * user of libcurl, but for its options (giq_net), forms (giq_multipart), addresses
 * (giq_address) and errors (giq_failure).
 *
 * A session keeps connections open between its exchanges; it serves one thread
 * at a time.
 */
#ifndef GIQ_HTTP_H
#define GIQ_HTTP_H

#include "net/giq_multipart.h"
#include "net/giq_response.h"

struct giq_http;

/* `settings` and `env` are borrowed for the session's life. Sends nothing. */
bool giq_http_new(const struct giq_settings *settings, const struct giq_env *env,
                  struct giq_http **out, struct giq_error *err);
void giq_http_free(struct giq_http *http);

struct giq_http_request {
    const char *url;
    const char *accept;
    const struct giq_cred *cred;              /* NULL: no credentials go along */
    const struct giq_multipart_field *fields; /* a POST with this form; NULL: a GET */
    size_t field_count;
    const char *const *headers; /* more header lines */
    size_t header_count;
    int64_t timeout_ms;  /* for the whole exchange; 0: only the limits of stalling */
    int64_t deadline_ms; /* on the monotonic clock: ends a transfer that stalls */
    int64_t stall_ms;    /* how long it may do so past the deadline; 0: a second */
    bool fresh;          /* a new connection: libcurl repeats a request, a POST too, on an
                            old one that died */
    bool asks; /* whether a large form is wanted before it goes out (RFC 9110, 10.1.1):
                  a service that has no response to that costs a second */
    /* Called when the connection stands and the request is about to go out; false
     * ends the exchange with nothing sent. May be NULL. */
    bool (*before_send)(void *ctx, struct giq_error *err);
    /* Takes the body of a 200 or 206 in pieces; false ends the exchange. NULL: the
     * body goes to the response, as that of every other status does. */
    bool (*sink)(void *ctx, const struct giq_response *response, const char *bytes,
                 size_t len, struct giq_error *err);
    void *ctx;
};

/*
 * Make the exchange. A GET that HTTP/2 breaks, before the sink got bytes, is made once
 * more over HTTP/1.1, which the session then keeps to. A file of a form must go out at
 * the pace that the settings ask of a transfer; nobody is hurried to respond to a form.
 * `response` is always filled (pass it to giq_response_release()), also on failure, as
 * far as it went.
 *
 * False when no whole response came: GIQ_E_NETWORK (no connection, cut, too slow),
 * GIQ_E_SERVICE (too large), GIQ_E_INCOMPLETE (cut after bytes for the sink),
 * GIQ_E_MEMORY, or the error of a callback. Any status counts as a response. Texts hold
 * neither the query nor a header's value.
 */
bool giq_http_exchange(struct giq_http *http, const struct giq_http_request *request,
                       struct giq_response *response, struct giq_error *err);

#endif
