/*
 * One HTTP exchange through libcurl: one request and its response, limited in size and
 * time. Redirects, retries and the meaning of responses belong to giq_call.
 *
 * Usage: giq_http_new(), giq_http_exchange() for each request, giq_http_free(). A session
 * keeps connections open between its exchanges; it serves one thread at a time.
 */
#ifndef GIQ_HTTP_H
#define GIQ_HTTP_H

#include "net/giq_multipart.h"
#include "net/giq_response.h"

struct giq_http;

/* `settings` and `env` are borrowed for the life of the session. Sends nothing. The
 * caller frees `*out` with giq_http_free(). Errors: GIQ_E_MEMORY. */
bool giq_http_new(const struct giq_settings *settings, const struct giq_env *env,
                  struct giq_http **out, struct giq_error *err);
void giq_http_free(struct giq_http *http); /* NULL is allowed */

/* One request. All pointers are borrowed for the exchange. */
struct giq_http_request {
    const char *url;
    const char *accept;                       /* value of the header Accept */
    const struct giq_cred *cred;              /* NULL: no credentials are sent */
    const struct giq_multipart_field *fields; /* the form of a POST, or NULL */
    size_t field_count;
    /* The body of a POST that is safe to repeat, as JSON, or NULL. Not with `fields`;
     * with neither the request is a GET. */
    const char *json;
    const char *const *headers; /* additional lines, "Name: value" */
    size_t header_count;
    int64_t timeout_ms; /* for each attempt of the exchange; 0: none */
    /* On the monotonic clock; 0: none. After it the exchange goes on while bytes move: it
     * ends once none has moved for `stall_ms` (0: one second). */
    int64_t deadline_ms;
    int64_t stall_ms;
    /* Use a new connection, apart from those of the session, because libcurl resends a
     * request, even a POST, if the connection that it reused is dead. */
    bool fresh_connection;
    /* Send "Expect: 100-continue" before a large form (RFC 9110, 10.1.1). libcurl waits
     * one second for a service that does not support it. */
    bool expects_continue;
    /* Called when the connection is established, before the request is sent, and again
     * before libcurl repeats it after a 407; false ends the exchange with nothing more
     * sent. After it has returned true the exchange can no longer be cancelled, and the
     * request is repeated only after all headers of a final response. May be NULL. */
    bool (*before_send)(void *ctx, struct giq_error *err);
    /* Takes the body of a 200 or 206 in pieces; false ends the exchange. Status, headers
     * and `received`, which includes the piece, are set in `response`. NULL: the body is
     * kept in the response, as it is with every other status. */
    bool (*sink)(void *ctx, const struct giq_response *response, const char *bytes,
                 size_t len, struct giq_error *err);
    /* Called at least once a second during the exchange. May be NULL. */
    void (*tick)(void *ctx);
    void *ctx; /* of the callbacks */
};

/*
 * Make the exchange. After an HTTP/2 error, except with prior knowledge, the session uses
 * HTTP/1.1 only, and a request without a form is repeated once if it has a sink and no
 * byte of a body was received, or has none. The speed limit of the settings applies to a
 * request without a form and to sending the file of a form; while the response to a form
 * is awaited only the timeout and the deadline apply.
 *
 * `response` need not be initialised. It is always filled, on failure as far as the
 * exchange went; the caller must release it. Any final status is a success. Fails without
 * a complete response: GIQ_E_NETWORK (no connection, cut, too slow, headers too large, or
 * an option that libcurl rejects), GIQ_E_SERVICE (body too large), GIQ_E_INCOMPLETE (cut
 * after bytes for the sink), GIQ_E_CANCELLED, GIQ_E_MEMORY, or the error of a callback.
 * Error texts contain neither the query of the URL nor values of headers.
 */
bool giq_http_exchange(struct giq_http *http, const struct giq_http_request *request,
                       struct giq_response *response, struct giq_error *err);

#endif
