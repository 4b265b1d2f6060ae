/* One session of giq_http with a scripted web server, for tests of its exchanges. */
#ifndef GIQ_TESTS_SESSION_KIT_H
#define GIQ_TESTS_SESSION_KIT_H

#include "net/giq_http.h"

#include "service_kit.h"

/* One session and the response of its last exchange. */
struct session {
    struct service_kit kit;
    struct giq_http *http;
    struct giq_response response;
    struct giq_buf sunk;
    bool refuses; /* the callbacks fail */
    size_t asked; /* calls of before_send */
};

void session_begin(struct session *s, const struct http_kit_response *responses,
                   size_t count);
void session_use_settings(struct session *s, const struct giq_settings *settings);
void session_end(struct session *s);
bool session_before_send(void *ctx, struct giq_error *err);
bool session_sink(void *ctx, const struct giq_response *response, const char *bytes,
                  size_t len, struct giq_error *err);
bool session_exchange(struct session *s, struct giq_http_request request);

#endif
