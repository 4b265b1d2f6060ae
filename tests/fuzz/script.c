/*
 * Replays scripted responses in place of libcurl.
 */
#include "script.h"

#include <curl/curl.h>

#include "service/giq_call.h"

#define BASE "https://giq.example/public"

static struct script *running;

bool __wrap_giq_http_exchange(struct giq_http *http,
                              const struct giq_http_request *request,
                              struct giq_response *response, struct giq_error *err);

/* ---- requests ---- */

static bool part_is(CURLU *url, CURLUPart part, const char *value)
{
    char *text = NULL;
    MUST(curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK);
    bool is_it = strcasecmp(text, value) == 0;
    curl_free(text);
    return is_it;
}

/* Check that credentials and POSTs are sent only to the service, and all over https. */
static void check_request(const struct giq_http_request *request)
{
    CURLU *url = curl_url();
    MUST(url != NULL);
    MUST(curl_url_set(url, CURLUPART_URL, request->url, 0) == CURLUE_OK);
    bool is_same_origin = part_is(url, CURLUPART_SCHEME, "https") &&
                          part_is(url, CURLUPART_HOST, "giq.example") &&
                          part_is(url, CURLUPART_PORT, "443");
    MUST(part_is(url, CURLUPART_SCHEME, "https"));
    bool is_get = request->fields == NULL && request->json == NULL;
    MUST(is_same_origin || (request->cred == NULL && is_get));
    char *user = NULL;
    (void)curl_url_get(url, CURLUPART_USER, &user, 0);
    MUST(user == NULL);
    curl_url_cleanup(url);
    for (size_t i = 0; i < request->header_count; i++) {
        MUST(strpbrk(request->headers[i], "\r\n") == NULL);
    }
}

/* ---- responses ---- */

static void take_location(struct giq_response *response, const char *line)
{
    static const char name[] = "Location:";
    if (strncasecmp(line, name, sizeof name - 1) != 0 || response->status < 300 ||
        response->status > 399) {
        return;
    }
    const char *value = line + sizeof name - 1;
    value += strspn(value, " \t");
    bool is_whole = strstr(value, "://") != NULL;
    free(response->location);
    response->location = NULL;
    MUST(asprintf(&response->location, "%s%.*s", is_whole ? "" : "https://giq.example/",
                  (int)strcspn(value, "\r"), value) >= 0);
}

/* Read the status line and the headers at `*rest`, which is advanced to the body. False
 * if it is not a response. */
static bool take_head(struct giq_response *response, char **rest)
{
    const char *line = fuzz_line(rest);
    if (line == NULL || strncmp(line, "HTTP/", 5) != 0) {
        return false;
    }
    response->status = (int)strtol(line + strcspn(line, " "), NULL, 10);
    if (response->status < 200 || response->status > 599) {
        return false;
    }
    for (; line != NULL && line[0] != '\0' && line[0] != '\r'; line = fuzz_line(rest)) {
        fuzz_add_header(&response->headers, line);
        if (strncasecmp(line, "Content-Length:", 15) == 0) {
            response->content_length = strtoll(line + 15, NULL, 10);
            response->content_length =
                response->content_length < 0 ? -1 : response->content_length;
        }
        take_location(response, line);
    }
    response->retry_after_ms = giq_headers_retry_after_ms(&response->headers, 0);
    response->has_proven_end =
        response->content_length >= 0 || giq_headers_is_chunked(&response->headers);
    return true;
}

/* Pass on the bytes of the body, at most the stated length. */
static bool take_body(const struct giq_http_request *request,
                      struct giq_response *response, const char *body,
                      struct giq_error *err)
{
    enum { PIECE = 16 };
    size_t left = strlen(body);
    if (response->content_length >= 0 && (size_t)response->content_length < left) {
        left = (size_t)response->content_length;
    }
    while (left > 0) {
        size_t len = left < PIECE ? left : PIECE;
        response->received += (int64_t)len;
        bool is_data = giq_response_has_data(response) && request->sink != NULL;
        if (is_data ? !request->sink(request->ctx, response, body, len, err)
                    : giq_response_append(&response->body, response->status, body, len,
                                          err) == GIQ_RESPONSE_FAILED) {
            return false;
        }
        body += len;
        left -= len;
    }
    return true;
}

/* giq_http_exchange() sets no location if the response was cut. */
static bool fail_cut(const struct giq_http_request *request,
                     struct giq_response *response, struct giq_error *err)
{
    running->was_cut = true;
    free(response->location);
    response->location = NULL;
    bool is_data = giq_response_has_data(response) && request->sink != NULL;
    return giq_fail(err,
                    is_data && response->received > 0 ? GIQ_E_INCOMPLETE : GIQ_E_NETWORK,
                    "giq.example: the connection was cut");
}

static bool response_from(const struct giq_http_request *request, char *part,
                          struct giq_response *response, struct giq_error *err)
{
    static const char cut[] = "cut ";
    bool is_cut = strncmp(part, cut, sizeof cut - 1) == 0;
    part += is_cut ? sizeof cut - 1 : 0;
    if (!take_head(response, &part)) {
        return fail_cut(request, response, err);
    }
    running->status = response->status;
    running->has_location = response->location != NULL;
    running->is_proven = response->has_proven_end;
    running->has_strong_etag = giq_headers_strong_etag(&response->headers) != NULL;
    if (!take_body(request, response, part, err)) {
        return false;
    }
    bool is_short =
        response->content_length >= 0 && response->received < response->content_length;
    return is_cut || is_short ? fail_cut(request, response, err) : true;
}

bool __wrap_giq_http_exchange(struct giq_http *http,
                              const struct giq_http_request *request,
                              struct giq_response *response, struct giq_error *err)
{
    (void)http;
    giq_response_init(response);
    check_request(request);
    char *part = fuzz_part(&running->rest);
    running->was_sent = running->was_cut = running->has_location = false;
    running->status = 0;
    running->tries++;
    if (part == NULL) {
        return giq_fail(err, GIQ_E_NETWORK, "giq.example: no connection");
    }
    if (request->before_send != NULL && !request->before_send(request->ctx, err)) {
        return false;
    }
    response->sent = running->was_sent = true;
    running->sent++;
    running->posts += request->fields != NULL;
    return response_from(request, part, response, err);
}

/* ---- scripts ---- */

static int64_t now_ms(void *ctx)
{
    return ((struct script *)ctx)->now_ms;
}

static void sleep_ms(void *ctx, int64_t ms)
{
    MUST(ms > 0);
    ((struct script *)ctx)->now_ms += ms;
}

static bool cancelled(void *ctx)
{
    (void)ctx;
    return false;
}

static uint32_t draw(void *ctx)
{
    (void)ctx;
    return 512;
}

static void check_line(void *ctx, const char *line)
{
    (void)ctx;
    MUST(fuzz_is_plain(line) && !fuzz_has_secret(line));
}

void script_start(struct script *script, const uint8_t *data, size_t size)
{
    static const struct giq_settings settings = {
        .base_url = BASE,
        .timeout_ms = 600000,
        .max_retry = 3,
        .retry_delay_ms = 1000,
        .http_timeout_ms = 20000,
        .connect_timeout_ms = 10000,
    };
    *script = (struct script){
        .env = {.now_ms = now_ms,
                .wall_ms = now_ms,
                .sleep_ms = sleep_ms,
                .cancelled = cancelled,
                .random = draw,
                .warn = check_line,
                .debug = check_line,
                .ctx = script},
        .text = fuzz_text(data, size),
    };
    script->rest = script->text;
    struct giq_error err = {0};
    MUST(giq_service_new(&settings, fuzz_cred(), &script->env, &script->service, &err));
    running = script;
}

void script_stop(struct script *script)
{
    running = NULL;
    giq_service_free(script->service);
    free(script->text);
}
