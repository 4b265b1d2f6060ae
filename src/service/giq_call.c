/*
 * Calls of the service: time limits, redirects, retries, and errors from statuses.
 */
#include "service/giq_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_env.h"
#include "base/giq_json.h"
#include "base/giq_text.h"
#include "net/giq_url.h"

enum {
    DELAY_MAX_MS = 30 * 1000,
    TICK_MS = 60 * 1000,  /* between two calls of `tick` in a pause */
    TIMEOUT_MIN_MS = 250, /* of a call just before the deadline */
    PROXY_DENIED = 407,   /* never sent by the service itself */
};

bool giq_call_is_transient_status(int status)
{
    static const int transient[] = {408, 429, 500, 502, 503, 504};
    for (size_t i = 0; i < GIQ_COUNT(transient); i++) {
        if (status == transient[i]) {
            return true;
        }
    }
    return false;
}

int64_t giq_call_timeout_ms(const struct giq_service *service)
{
    int64_t max = service->settings.http_timeout_ms;
    int64_t left = giq_env_left_ms(service->env, giq_service_call_deadline_ms(service));
    left = left < TIMEOUT_MIN_MS ? TIMEOUT_MIN_MS : left;
    return left < max ? left : max;
}

int64_t giq_call_delay_ms(const struct giq_service *service, int attempt,
                          int64_t retry_after_ms)
{
    if (retry_after_ms >= 0) {
        return retry_after_ms;
    }
    int64_t delay = service->settings.retry_delay_ms;
    for (int i = 1; i < attempt && delay < DELAY_MAX_MS; i++) {
        delay *= 2;
    }
    delay = giq_env_jitter(service->env, delay);
    return delay < DELAY_MAX_MS ? delay : DELAY_MAX_MS;
}

static void mask(const struct giq_service *service, char *text)
{
    giq_cred_mask(service->cred, text);
    giq_text_mask_addresses(text);
}

const char *giq_call_printable(const struct giq_service *service, const char *text,
                               struct giq_printable *out)
{
    char *copy = text == NULL ? NULL : strdup(text);
    if (copy != NULL) {
        mask(service, copy);
    }
    (void)giq_text_printable(copy, out);
    free(copy);
    return out->text;
}

/* ---- error statuses ---- */

/* Whether the body is neither a web page nor a JSON object or list. */
static bool is_plain_message(const char *body)
{
    return body[0] != '<' && body[0] != '{' && body[0] != '[';
}

/* A member `name` with a text that is not empty: at the top, or within `data` or `error`,
 * up to `depth` levels deep. */
static const struct giq_json *find_text(const struct giq_json *json, const char *name,
                                        int depth)
{
    static const char *const wrappings[] = {"data", "error"};
    const struct giq_json *found = giq_json_get(json, name);
    const char *text = giq_json_text(found);
    if (text != NULL && text[0] != '\0') {
        return found;
    }
    if (depth == 0) {
        return NULL;
    }
    for (size_t i = 0; i < GIQ_COUNT(wrappings); i++) {
        found = find_text(giq_json_get(json, wrappings[i]), name, depth - 1);
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

const struct giq_json *giq_call_message(const struct giq_json *json)
{
    enum { DEPTH = 2 };
    const struct giq_json *found = find_text(json, "message", DEPTH);
    return found == NULL ? find_text(json, "error", DEPTH) : found;
}

/* The message of an error response, borrowed; "" if there is none. `json` is the parsed
 * `body`, or NULL. If it is an object, the message is a member of it; if it is a string,
 * that string; a body that is plain text is the message itself. */
static const char *message_of(const struct giq_json *json, const struct giq_buf *body)
{
    const char *text = giq_json_text(giq_call_message(json));
    if (text == NULL && json != NULL) {
        text = giq_json_text(json);
    }
    if (text == NULL && is_plain_message(giq_buf_text(body))) {
        text = giq_buf_text(body);
    }
    return text == NULL ? "" : text;
}

/* Which credentials the user should check. Over http a proxy can respond in place of the
 * service. */
static const char *credentials_hint(const struct giq_service *service)
{
    bool may_be_proxy = service->settings.net[GIQ_NET_PROXY_USERPWD] != NULL &&
                        giq_text_begins_nocase(service->settings.base_url, "http:");
    return may_be_proxy ? "; check GIQ_API_KEY or GIQ_BEARER_TOKEN, and for the proxy "
                          "GDAL_HTTP_PROXYUSERPWD"
                        : "; check GIQ_API_KEY or GIQ_BEARER_TOKEN";
}

bool giq_call_fail_status(const struct giq_service *service,
                          const struct giq_response *response, enum giq_code code,
                          const char *context, struct giq_error *err)
{
    GIQ_AUTO_JSON struct giq_json *json =
        giq_json_parse(response->body.data, response->body.len);
    struct giq_printable message;
    (void)giq_call_printable(service, message_of(json, &response->body), &message);

    int status = response->status;
    const char *hint = "";
    if (status == PROXY_DENIED) {
        code = GIQ_E_NETWORK;
        hint = " (from a proxy); check GDAL_HTTP_PROXYUSERPWD";
    } else if (response->is_cross_origin) {
        hint = " (from the host that the service redirected to)";
    } else if (status == 401 || status == 403) {
        code = GIQ_E_CREDENTIALS;
        hint = credentials_hint(service);
    }
    (void)giq_fail(err, code, "%s: HTTP %d%s%s%s", context, status,
                   message.text[0] == '\0' ? "" : " ", message.text, hint);
    err->http_status = status;
    err->permanent = status == PROXY_DENIED;
    return false;
}

/* ---- redirects ---- */

static bool is_post(const struct giq_http_request *request)
{
    return request->fields != NULL || request->json != NULL;
}

/* Whether the response is a redirect that may be followed: with `must_keep_method`,
 * as for a POST, only one that keeps the method. */
static bool is_redirect(const struct giq_response *response, bool must_keep_method)
{
    int status = response->status;
    bool keeps_method = status == 307 || status == 308;
    bool is_any = keeps_method || (status >= 301 && status <= 303);
    return response->location != NULL && (must_keep_method ? keeps_method : is_any);
}

static bool ensure_http(struct giq_service *service, struct giq_error *err)
{
    return service->http != NULL ||
           giq_http_new(&service->settings, service->env, &service->http, err);
}

static bool fail_post_redirected(const struct giq_service *service,
                                 const struct giq_response *response,
                                 struct giq_error *err)
{
    GIQ_AUTO(giq_url_release) struct giq_url target = {0};
    struct giq_printable host;
    if (!giq_url_split(response->location, &target)) {
        return giq_fail_memory(err); /* the URL is valid: allow_redirect() checked it */
    }
    return giq_fail(err, GIQ_E_NETWORK,
                    "HTTP %d: the service redirects the POST to another origin "
                    "(%s://%s:%s), which the driver does not follow; check GIQ_BASE_URL",
                    response->status, target.scheme,
                    giq_call_printable(service, target.host, &host),
                    target.effective_port);
}

/* Whether the redirect in `response` may be followed. A request that leaves the origin of
 * the service loses its credentials, also for further redirects. */
static bool allow_redirect(const struct giq_service *service,
                           const struct giq_response *response,
                           struct giq_http_request *next, struct giq_error *err)
{
    switch (giq_url_classify_redirect(next->url, response->location)) {
    case GIQ_URL_SAME_ORIGIN:
        return true;
    case GIQ_URL_CROSS_ORIGIN:
        if (is_post(next)) {
            return fail_post_redirected(service, response, err);
        }
        next->cred = NULL;
        return true;
    case GIQ_URL_FORBIDDEN:
        break;
    }
    return giq_fail(
        err, GIQ_E_NETWORK,
        "HTTP %d: the service redirects to a URL that the driver does not "
        "follow (not http or https, from https to http, with a user name, or invalid)",
        response->status);
}

/* Make `next` the request for the target of the redirect in `response`, which is
 * released. `*location` owns the URL of `next`. */
static bool follow_redirect(const struct giq_service *service,
                            struct giq_response *response, struct giq_http_request *next,
                            char **location, struct giq_error *err)
{
    if (!allow_redirect(service, response, next, err)) {
        err->http_status = response->status;
        return false;
    }
    free(*location);
    *location = response->location;
    response->location = NULL;
    giq_response_release(response);
    next->url = *location;
    return true;
}

/* Note that the service throttles: it sent 429, or another error status with Retry-After.
 * With other statuses Retry-After is only a hint for the next poll of this job. */
static void note_throttling(struct giq_service *service,
                            const struct giq_response *response)
{
    const struct giq_env *env = service->env;
    bool has_delay = response->status >= 400 && response->retry_after_ms >= 0;
    if (response->is_cross_origin || (response->status != 429 && !has_delay)) {
        return;
    }
    int64_t delay_ms = giq_call_delay_ms(service, 1, response->retry_after_ms);
    int64_t until_ms = env->now_ms(env->ctx) + delay_ms;
    if (until_ms > service->throttled_until_ms) {
        service->throttled_until_ms = until_ms;
    }
}

bool giq_call_once(struct giq_service *service, const struct giq_http_request *request,
                   struct giq_response *response, struct giq_error *err)
{
    giq_response_init(response);
    *err = (struct giq_error){0};
    if (!giq_service_check_credentials(service, err) || !ensure_http(service, err)) {
        return false;
    }
    bool has_form = request->fields != NULL;
    struct giq_http_request next = *request;
    GIQ_AUTO_FREE char *location = NULL;
    next.cred = service->cred;
    for (int redirects = 0;; redirects++) {
        /* After a redirect less time is left. */
        if (!has_form && request->timeout_ms > 0) {
            next.timeout_ms = giq_call_timeout_ms(service);
        }
        bool ok = giq_http_exchange(service->http, &next, response, err);
        response->is_cross_origin = next.cred == NULL;
        if (ok) {
            note_throttling(service, response);
        }
        if (!ok || !is_redirect(response, is_post(request))) {
            return ok;
        }
        if (redirects == GIQ_CALL_REDIRECTS_MAX) {
            (void)giq_fail(err, GIQ_E_NETWORK, "more than %d redirects in a row",
                           GIQ_CALL_REDIRECTS_MAX);
            err->http_status = response->status;
            return false;
        }
        if (!follow_redirect(service, response, &next, &location, err)) {
            return false;
        }
    }
}

/* ---- retries ---- */

static void sleep_until(const struct giq_env *env, int64_t due_ms,
                        void (*tick)(void *ctx), void *ctx)
{
    while (tick != NULL && giq_env_left_ms(env, due_ms) > TICK_MS &&
           !giq_env_cancelled(env)) {
        giq_env_sleep_until(env, env->now_ms(env->ctx) + TICK_MS);
        tick(ctx);
    }
    giq_env_sleep_until(env, due_ms);
}

bool giq_call_pause(const struct giq_service *service, int attempt,
                    int64_t retry_after_ms, void (*tick)(void *ctx), void *ctx)
{
    const struct giq_env *env = service->env;
    int64_t delay = giq_call_delay_ms(service, attempt, retry_after_ms);
    if (attempt > service->settings.max_retry ||
        delay >= giq_env_left_ms(env, service->deadline_ms)) {
        return false;
    }
    giq_env_debug(env, "attempt %d failed; the next is in %lld ms", attempt,
                  (long long)delay);
    sleep_until(env, env->now_ms(env->ctx) + delay, tick, ctx);
    return !giq_env_cancelled(env);
}

bool giq_call_is_transient_error(const struct giq_error *err)
{
    return (err->code == GIQ_E_NETWORK || err->code == GIQ_E_INCOMPLETE) &&
           err->http_status == 0 && !err->permanent;
}

bool giq_call_with_retries(struct giq_service *service,
                           const struct giq_http_request *request,
                           struct giq_response *response, struct giq_error *err)
{
    for (int attempt = 1;; attempt++) {
        bool ok = giq_call_once(service, request, response, err);
        bool is_transient = ok ? giq_call_is_transient_status(response->status)
                               : giq_call_is_transient_error(err);
        if (!is_transient ||
            !giq_call_pause(service, attempt, response->retry_after_ms, NULL, NULL)) {
            return ok;
        }
        giq_response_release(response);
    }
}

/* Find the list: it is the document itself, or a member of it. */
static const struct giq_json *find_list(const struct giq_json *json, const char *name)
{
    const char *const names[] = {name, "content", "data", "items", "results"};
    if (giq_json_is_list(json)) {
        return json;
    }
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        const struct giq_json *inner = giq_json_get(json, names[i]);
        if (giq_json_is_list(inner)) {
            return inner;
        }
    }
    return NULL;
}

static bool read_list(const struct giq_response *response, const char *what,
                      const char *name, struct giq_json **out,
                      const struct giq_json **out_list, struct giq_error *err)
{
    GIQ_AUTO_JSON struct giq_json *json = NULL;
    if (!giq_json_read(response->body.data, response->body.len, &json, err)) {
        return false;
    }
    if (json == NULL) {
        return giq_fail(err, GIQ_E_SERVICE,
                        "%s cannot be read: the response is not JSON, or has more than "
                        "%d values or too many levels",
                        what, GIQ_JSON_VALUES_MAX);
    }
    const struct giq_json *list = find_list(giq_call_unwrap(json), name);
    if (list == NULL) {
        return giq_fail(err, GIQ_E_SERVICE,
                        "%s cannot be read: the response is not a list", what);
    }
    *out = giq_take(&json);
    *out_list = list;
    return true;
}

bool giq_call_for_list(struct giq_service *service,
                       const struct giq_http_request *request, const char *what,
                       const char *name, struct giq_json **out,
                       const struct giq_json **out_list, struct giq_error *err)
{
    char context[64];
    struct giq_response response;
    (void)snprintf(context, sizeof context, "getting %s", what);
    bool ok = giq_call_with_retries(service, request, &response, err);
    if (!ok) {
        (void)giq_error_context(err, "%s", context);
    } else if (response.status != 200) {
        ok = giq_call_fail_status(service, &response, GIQ_E_SERVICE, context, err);
    } else {
        ok = read_list(&response, what, name, out, out_list, err);
    }
    giq_response_release(&response);
    return ok;
}

bool giq_call_copy_masked(const struct giq_service *service, const struct giq_json *json,
                          char **out)
{
    if (!giq_json_copy_scalar(json, out)) {
        return false;
    }
    if (*out != NULL) {
        mask(service, *out);
    }
    return true;
}

char *giq_call_masked_text(const struct giq_service *service, const struct giq_json *json)
{
    char *text = NULL;
    (void)giq_call_copy_masked(service, json, &text);
    return text;
}

static bool has_id(const struct giq_json *json)
{
    return giq_json_get(json, "id") != NULL || giq_json_get(json, "fileId") != NULL;
}

const struct giq_json *giq_call_unwrap(const struct giq_json *json)
{
    const struct giq_json *data = giq_json_get(json, "data");
    bool is_wrapped = giq_json_is_object(data) && (has_id(data) || !has_id(json));
    return is_wrapped ? data : json;
}
