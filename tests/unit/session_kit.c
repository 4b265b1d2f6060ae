#include "session_kit.h"

#include "unit.h"

void session_begin(struct session *s, const struct http_kit_response *responses,
                   size_t count)
{
    *s = (struct session){.refuses = false};
    service_kit_start(&s->kit, responses, count);
    giq_buf_init(&s->sunk, 1 << 20);
    assert_true(giq_http_new(&s->kit.service->settings, &s->kit.clock.env, &s->http,
                             &s->kit.err));
}

/* A new session, with `settings`. */
void session_use_settings(struct session *s, const struct giq_settings *settings)
{
    giq_http_free(s->http);
    assert_true(giq_http_new(settings, &s->kit.clock.env, &s->http, &s->kit.err));
}

void session_end(struct session *s)
{
    giq_response_release(&s->response);
    giq_buf_release(&s->sunk);
    giq_http_free(s->http);
    service_kit_stop(&s->kit);
}

bool session_before_send(void *ctx, struct giq_error *err)
{
    struct session *s = ctx;
    s->asked++;
    return !s->refuses || giq_fail(err, GIQ_E_STORE, "not now");
}

bool session_sink(void *ctx, const struct giq_response *response, const char *bytes,
                  size_t len, struct giq_error *err)
{
    struct session *s = ctx;
    assert_int_equal(response->status, 200);
    return s->refuses ? giq_fail(err, GIQ_E_STORE, "full")
                      : giq_buf_add(&s->sunk, bytes, len) || giq_fail_memory(err);
}

bool session_exchange(struct session *s, struct giq_http_request request)
{
    char url[256];
    (void)snprintf(url, sizeof url, "%s/p/a?q=1", http_kit_url(s->kit.http));
    request.url = url;
    request.accept = "text/x";
    request.cred = s->kit.cred;
    request.timeout_ms = request.timeout_ms == 0 ? 20000 : request.timeout_ms;
    request.ctx = s;
    s->kit.err = (struct giq_error){0};
    giq_response_release(&s->response);
    return giq_http_exchange(s->http, &request, &s->response, &s->kit.err);
}
