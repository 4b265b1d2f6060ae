/*
 * One exchange through libcurl: its options, callbacks and outcome. The multi interface
 * is used for one handle at a time, because only there the longest pause between two
 * calls of on_progress() can be chosen.
 */
#include "net/giq_http.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "base/giq_cred.h"
#include "base/giq_env.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "net/giq_failure.h"
#include "net/giq_http_options.h"
#include "net/giq_trace.h"
#include "net/giq_url.h"

enum {
    RECEIVE_BUFFER = 512 * 1024,  /* with libcurl's 16 KiB transfers take 10 % longer */
    STALL_MS = 1000,              /* default of `stall_ms` in a request */
    HEADER_BYTES_MAX = 64 * 1024, /* interim responses and trailers included */
    TOO_LARGE = 100,              /* CURLE_TOO_LARGE, which not every version has */
    POLL_MS = 100, /* the longest pause between two calls of on_progress() */
};

struct giq_http {
    CURL *curl;   /* NULL before the first exchange, and after one that failed */
    CURLM *multi; /* keeps the connections of `curl`; NULL as above */
    const struct giq_settings *settings;
    const struct giq_env *env;
    bool avoids_http2; /* HTTP/2 failed in this session */
};

/* The state that the callbacks of a running exchange share. */
struct exchange {
    struct giq_http *http;
    const struct giq_http_request *request;
    struct giq_response *response;
    struct giq_error *err;
    bool has_failed; /* a callback ended the exchange and set `err` */
    int64_t last_progress_ms;
    curl_off_t bytes_moved;
    size_t header_bytes;
    bool has_all_headers;            /* the empty line after the headers was received */
    bool is_interim;                 /* these headers are those of a 1xx */
    char message[CURL_ERROR_SIZE];   /* libcurl's error message, or empty */
    struct giq_multipart *multipart; /* NULL without a form */
};

#define SET(option, value)      (curl_easy_setopt(curl, option, value) == CURLE_OK)
#define SET_LONG(option, value) SET(option, (long)(value))

/* ---- options: the functions return false if libcurl rejects one ---- */

/* Only for speed, so a failure is ignored. */
static void set_buffer_size(CURL *curl)
{
    (void)SET_LONG(CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
}

/* A failed transfer does not wait for the thread that resolves a host name: the thread
 * ends later. A libcurl that rejects this option waits for the thread. */
static void leave_resolver(CURL *curl)
{
    (void)SET_LONG(CURLOPT_QUICK_EXIT, 1);
}

static bool set_fixed_options(CURL *curl, const struct giq_http *http)
{
    if (http->avoids_http2 && !SET_LONG(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)) {
        return false;
    }
    leave_resolver(curl);
    return SET_LONG(CURLOPT_NOSIGNAL, 1) && SET_LONG(CURLOPT_FOLLOWLOCATION, 0) &&
           SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
           /* The response of a proxy to CONNECT is not the service's. */
           SET_LONG(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
}

static bool set_limits(CURL *curl, const struct giq_settings *settings,
                       const struct giq_http_request *request)
{
    /* Not for a form: no data moves while the service works on it. The speed of an upload
     * is checked in on_progress(). */
    bool limits_speed = request->fields == NULL;
    if (request->fresh_connection &&
        (!SET_LONG(CURLOPT_FRESH_CONNECT, 1) || !SET_LONG(CURLOPT_FORBID_REUSE, 1))) {
        return false;
    }
    return SET_LONG(CURLOPT_CONNECTTIMEOUT_MS, settings->connect_timeout_ms) &&
           SET_LONG(CURLOPT_TIMEOUT_MS, request->timeout_ms) &&
           SET_LONG(CURLOPT_LOW_SPEED_TIME,
                    limits_speed ? settings->low_speed_time_s : 0) &&
           SET_LONG(CURLOPT_LOW_SPEED_LIMIT,
                    limits_speed ? settings->low_speed_limit : 0);
}

static bool fail_rejected_option(struct giq_error *err)
{
    (void)giq_fail(
        err, GIQ_E_NETWORK,
        "libcurl rejected an option that the driver needs: libcurl 7.85 or later "
        "is needed, or memory ran out");
    err->permanent = true;
    return false;
}

/* ---- callbacks ---- */

static curl_socket_t on_socket(void *ctx, curlsocktype purpose,
                               struct curl_sockaddr *address)
{
    (void)ctx;
    (void)purpose;
    return giq_os_socket(address->family, address->socktype, address->protocol);
}

/* A request with `before_send` is recorded before it is sent. From then on its response
 * is always awaited, since it cannot be requested a second time. Returns true if the
 * exchange must end. */
static bool fail_if_cancelled(struct exchange *x)
{
    bool is_recorded = x->request->before_send != NULL && x->response->sent;
    if (is_recorded || !giq_env_cancelled(x->http->env)) {
        return false;
    }
    x->has_failed = true;
    (void)giq_fail(x->err, GIQ_E_CANCELLED, "the application cancelled the request");
    return true;
}

/*
 * libcurl itself may send a request several times in one exchange: after a 407, with
 * credentials for the proxy, which is fine, since nothing reached the service; and after
 * a connection died without a response, which must not happen to a request that is
 * recorded before it goes out. CURLOPT_FRESH_CONNECT does not prevent that after a 407.
 * Returns true if the exchange must end.
 */
static bool fail_if_sent_again(struct exchange *x)
{
    bool has_response = x->has_all_headers && !x->is_interim;
    if (x->request->before_send == NULL || !x->response->sent || has_response) {
        return false;
    }
    (void)giq_fail(x->err, GIQ_E_NETWORK,
                   "no response arrived, and the request is not sent again");
    x->has_failed = true;
    return true;
}

static int on_before_send(void *ctx, char *remote_ip, char *local_ip, int remote_port,
                          int local_port)
{
    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    struct exchange *x = ctx;
    const struct giq_http_request *request = x->request;
    if (fail_if_sent_again(x) || fail_if_cancelled(x)) {
        return CURL_PREREQFUNC_ABORT;
    }
    if (request->before_send != NULL && !request->before_send(request->ctx, x->err)) {
        x->has_failed = true;
        return CURL_PREREQFUNC_ABORT;
    }
    x->response->sent = true;
    x->header_bytes = 0;
    x->has_all_headers = false;
    return CURL_PREREQFUNC_OK;
}

/* Limits the size of the headers, which libcurl keeps in memory, and detects their end,
 * because libcurl reports a response that ends within its headers as a success. */
static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct exchange *x = ctx;
    size_t len = size * count;
    if (len > HEADER_BYTES_MAX - x->header_bytes) {
        x->has_failed = true;
        (void)giq_fail(x->err, GIQ_E_NETWORK,
                       "the response has more than %d bytes of headers",
                       HEADER_BYTES_MAX);
        x->err->permanent = true;
        return 0;
    }
    x->header_bytes += len;
    if (len > 5 && memcmp(bytes, "HTTP/", 5) == 0) {
        const char *code = memchr(bytes, ' ', len);
        x->has_all_headers = false; /* a status line begins the next response */
        x->is_interim = code != NULL && code + 1 < bytes + len && code[1] == '1';
    } else if ((len == 1 && bytes[0] == '\n') ||
               (len == 2 && memcmp(bytes, "\r\n", 2) == 0)) {
        x->has_all_headers = true;
    }
    return len;
}

/* Copy the headers that the driver reads. CURLH_HEADER excludes those of interim
 * responses, of a proxy's response to CONNECT, and trailers. */
static bool copy_headers(struct exchange *x)
{
    struct giq_headers *headers = &x->response->headers;
    giq_headers_release(headers);
    for (int i = 0; i < GIQ_HEADERS_COUNT; i++) {
        enum giq_headers_field field = (enum giq_headers_field)i;
        const char *name = giq_headers_field_name(field);
        struct curl_header *header = NULL;
        for (size_t k = 0; curl_easy_header(x->http->curl, name, k, CURLH_HEADER, -1,
                                            &header) == CURLHE_OK;
             k++) {
            if (!giq_headers_add(headers, field, header->value)) {
                return giq_fail_memory(x->err);
            }
        }
    }
    return true;
}

/* Called before the first byte of the body, or at the end if there is no body. */
static bool begin_response(struct exchange *x)
{
    long status = 0;
    (void)curl_easy_getinfo(x->http->curl, CURLINFO_RESPONSE_CODE, &status);
    x->response->status = (int)status;
    curl_off_t length = -1;
    (void)curl_easy_getinfo(x->http->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    x->response->content_length = length;
    return copy_headers(x);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct exchange *x = ctx;
    struct giq_response *response = x->response;
    size_t len = size * count;
    if (response->received == 0 && !begin_response(x)) {
        x->has_failed = true;
        return 0;
    }
    response->received += (int64_t)len;
    if (giq_response_has_data(response) && x->request->sink != NULL) {
        x->has_failed = !x->request->sink(x->request->ctx, response, bytes, len, x->err);
        return x->has_failed ? 0 : len;
    }
    enum giq_response_appended appended =
        giq_response_append(&response->body, response->status, bytes, len, x->err);
    x->has_failed = appended == GIQ_RESPONSE_FAILED;
    return appended == GIQ_RESPONSE_KEPT ? len : 0;
}

/* Ends a transfer that stalls after the deadline, sends its file too slowly, or was
 * cancelled. libcurl calls this at least every POLL_MS. */
static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down_now,
                       curl_off_t up_total, curl_off_t up_now)
{
    (void)down_total;
    struct exchange *x = ctx;
    const struct giq_env *env = x->http->env;
    const struct giq_settings *settings = x->http->settings;
    int64_t stall_ms = x->request->stall_ms > 0 ? x->request->stall_ms : STALL_MS;
    int64_t now = env->now_ms(env->ctx);
    if (down_now + up_now != x->bytes_moved) {
        x->bytes_moved = down_now + up_now;
        x->last_progress_ms = now;
    }
    if (x->request->tick != NULL) {
        x->request->tick(x->request->ctx);
    }
    bool is_upload = x->request->fields != NULL;
    giq_env_transferred(env, is_upload ? up_now : -1,
                        is_upload && up_total > 0 ? up_total : -1);
    bool has_stalled = x->request->deadline_ms != 0 && now > x->request->deadline_ms &&
                       now - x->last_progress_ms > stall_ms;
    if (giq_multipart_is_too_slow(x->multipart, settings->low_speed_time_s,
                                  settings->low_speed_limit, now, up_now, up_total)) {
        x->has_failed = true;
        (void)giq_fail(x->err, GIQ_E_NETWORK,
                       "the file was sent at less than %d bytes a second for %d seconds",
                       settings->low_speed_limit, settings->low_speed_time_s);
    }
    if (has_stalled || x->has_failed) {
        return 1;
    }
    return fail_if_cancelled(x) ? 1 : 0;
}

static int on_trace(CURL *curl, curl_infotype type, char *bytes, size_t len, void *ctx)
{
    static const struct {
        curl_infotype type;
        enum giq_trace_kind kind;
    } kinds[] = {{CURLINFO_TEXT, GIQ_TRACE_TEXT},
                 {CURLINFO_HEADER_OUT, GIQ_TRACE_HEADER_OUT},
                 {CURLINFO_HEADER_IN, GIQ_TRACE_HEADER_IN}};
    (void)curl;
    struct exchange *x = ctx;
    for (size_t i = 0; i < GIQ_COUNT(kinds); i++) {
        if (kinds[i].type == type) {
            giq_trace(x->http->env, x->request->cred, kinds[i].kind, bytes, len);
        }
    }
    return 0;
}

/* ---- one exchange ---- */

static bool append_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL) {
        return false;
    }
    *list = longer;
    return true;
}

static bool build_headers(const struct giq_http_request *request,
                          struct curl_slist **list)
{
    char accept[128]; /* the driver's own values are much shorter */
    (void)snprintf(accept, sizeof accept, "Accept: %s", request->accept);
    if (!append_header(list, accept) ||
        !append_header(list, "Accept-Encoding: identity") ||
        (!request->expects_continue && !append_header(list, "Expect:")) ||
        (request->json != NULL &&
         !append_header(list, "Content-Type: application/json"))) {
        return false;
    }
    const char *line = NULL;
    for (size_t i = 0; (line = giq_cred_header(request->cred, i)) != NULL; i++) {
        if (!append_header(list, line)) {
            return false;
        }
    }
    for (size_t i = 0; i < request->header_count; i++) {
        if (!append_header(list, request->headers[i])) {
            return false;
        }
    }
    return true;
}

static bool set_callbacks(CURL *curl, struct exchange *x)
{
    return SET(CURLOPT_URL, x->request->url) &&
           SET(CURLOPT_OPENSOCKETFUNCTION, on_socket) &&
           SET(CURLOPT_PREREQFUNCTION, on_before_send) && SET(CURLOPT_PREREQDATA, x) &&
           SET(CURLOPT_HEADERFUNCTION, on_header) && SET(CURLOPT_HEADERDATA, x) &&
           SET(CURLOPT_WRITEFUNCTION, on_body) && SET(CURLOPT_WRITEDATA, x) &&
           SET(CURLOPT_XFERINFOFUNCTION, on_progress) && SET(CURLOPT_XFERINFODATA, x) &&
           SET(CURLOPT_DEBUGFUNCTION, on_trace) && SET(CURLOPT_DEBUGDATA, x) &&
           SET(CURLOPT_ERRORBUFFER, x->message) &&
           SET_LONG(CURLOPT_VERBOSE, x->http->settings->log_transfers) &&
           SET_LONG(CURLOPT_NOPROGRESS, 0);
}

/* ---- how an exchange ended ---- */

static bool fail_transfer(struct exchange *x, enum giq_code code, CURLcode rc)
{
    const struct giq_failure failure = {
        .curl = x->http->curl,
        .rc = (int)rc,
        .message = x->message,
        .url = x->request->url,
        .may_have_been_sent = x->response->sent,
        .has_headers = x->header_bytes > 0,
    };
    (void)giq_failure_set(&failure, code, x->err);
    x->response->sent = x->response->sent && !giq_failure_is_tls_alert(&failure);
    if (giq_failure_is_http2(&failure) &&
        !giq_http_options_has_prior_knowledge(x->http->settings->net)) {
        x->http->avoids_http2 = true;
    }
    return false;
}

/* Check that the final response has arrived with all its headers. libcurl reports a
 * header line that is too long as CURLE_OUT_OF_MEMORY; newer versions report it, and too
 * many headers, as CURLE_TOO_LARGE. */
static bool check_headers(struct exchange *x, CURLcode rc)
{
    bool is_complete = x->has_all_headers && x->response->status >= 200;
    if (rc == CURLE_OK && !is_complete) {
        return giq_fail(
            x->err, GIQ_E_NETWORK,
            "the connection was closed before the end of the response headers");
    }
    if (rc != CURLE_OUT_OF_MEMORY && (int)rc != TOO_LARGE) {
        return true;
    }
    if (x->response->sent && !is_complete) {
        (void)giq_fail(
            x->err, GIQ_E_NETWORK,
            (int)rc == TOO_LARGE
                ? "libcurl refuses the response: it has too many headers, or a "
                  "header line that is too long"
                : "a header line of the response is too long for libcurl, or "
                  "memory ran out");
        x->err->permanent = true;
        return false;
    }
    return giq_fail_memory(x->err);
}

/* Not CURLINFO_REDIRECT_URL, which drops the user in newer versions: a user is a reason
 * to refuse the redirect. */
static bool set_location(struct exchange *x)
{
    struct curl_header *header = NULL;
    (void)curl_easy_header(x->http->curl, "Location", 0, CURLH_HEADER, -1, &header);
    if (x->response->status / 100 != 3 || header == NULL || header->value[0] == '\0') {
        return true;
    }
    x->response->location = giq_url_join(x->request->url, header->value);
    return x->response->location != NULL || giq_fail_memory(x->err);
}

static bool finish(struct exchange *x, CURLcode rc)
{
    struct giq_response *response = x->response;
    const struct giq_env *env = x->http->env;
    if (response->received == 0 && !begin_response(x)) {
        return false;
    }
    response->retry_after_ms =
        giq_headers_retry_after_ms(&response->headers, env->wall_ms(env->ctx));
    if (x->has_failed || giq_multipart_has_failed(x->multipart) ||
        !check_headers(x, rc) || !set_location(x)) {
        return false;
    }
    long version = 0;
    (void)curl_easy_getinfo(x->http->curl, CURLINFO_HTTP_VERSION, &version);
    response->has_proven_end = response->content_length >= 0 ||
                               giq_headers_is_chunked(&response->headers) ||
                               version >= CURL_HTTP_VERSION_2_0;
    /* on_body() ended the transfer, because the error page exceeds its limit. */
    bool is_truncated_page = rc == CURLE_WRITE_ERROR && response->status >= 300;
    if (rc == CURLE_OK || is_truncated_page) {
        return giq_response_decode(response, x->err);
    }
    /* A part of the response to a run request may contain the id of the job. */
    struct giq_error ignored = {0};
    (void)giq_response_decode(response, &ignored);
    bool was_cut = giq_response_has_data(response) && response->received > 0 &&
                   x->request->sink != NULL;
    return fail_transfer(x, was_cut ? GIQ_E_INCOMPLETE : GIQ_E_NETWORK, rc);
}

/* Set the body of a request, if it has one. */
static bool set_body(CURL *curl, struct exchange *x)
{
    const struct giq_http_request *request = x->request;
    assert(request->fields == NULL || request->json == NULL);
    if (request->json != NULL) {
        return SET(CURLOPT_POSTFIELDS, request->json) || fail_rejected_option(x->err);
    }
    return request->fields == NULL ||
           giq_multipart_new(curl, request->fields, request->field_count, &x->multipart,
                             x->err);
}

static bool prepare(struct exchange *x, struct curl_slist **headers)
{
    const struct giq_http *http = x->http;
    const struct giq_http_request *request = x->request;
    CURL *curl = http->curl;
    unsigned flags =
        (request->cred != NULL ? GIQ_HTTP_OPTIONS_SAME_ORIGIN : 0U) |
        (giq_text_begins_nocase(request->url, "https:") ? GIQ_HTTP_OPTIONS_HTTPS : 0U);
    set_buffer_size(curl);
    if (!giq_http_options_apply(curl, http->settings->net, flags, x->err)) {
        return false;
    }
    if (!set_fixed_options(curl, http) || !set_limits(curl, http->settings, request) ||
        !set_callbacks(curl, x)) {
        return fail_rejected_option(x->err);
    }
    if (!build_headers(request, headers) || !SET(CURLOPT_HTTPHEADER, *headers)) {
        return giq_fail_memory(x->err);
    }
    return set_body(curl, x);
}

static void free_handle(struct giq_http *http)
{
    curl_easy_cleanup(http->curl);
    (void)curl_multi_cleanup(http->multi);
    http->curl = NULL;
    http->multi = NULL;
}

static bool make_handle(struct giq_http *http)
{
    if (http->curl != NULL) {
        return true;
    }
    http->curl = curl_easy_init();
    http->multi = curl_multi_init();
    if (http->curl == NULL || http->multi == NULL) {
        free_handle(http);
        return false;
    }
    return true;
}

/* The outcome of a transfer that is no longer running. */
static CURLcode result_of(CURLM *multi)
{
    int left = 0;
    CURLcode rc = CURLE_FAILED_INIT;
    for (CURLMsg *message = curl_multi_info_read(multi, &left); message != NULL;
         message = curl_multi_info_read(multi, &left)) {
        if (message->msg == CURLMSG_DONE) {
            rc = message->data.result;
        }
    }
    return rc;
}

/* The error of the easy interface for one of the multi interface. */
static CURLcode easy_code_of(CURLMcode code)
{
    return code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
}

/* As curl_easy_perform(), with shorter pauses. Every wait is bounded by on_progress() and
 * the timeouts of the handle. */
static CURLcode perform(const struct giq_http *http)
{
    int running = 1;
    CURLMcode code = curl_multi_add_handle(http->multi, http->curl);
    if (code != CURLM_OK) {
        return easy_code_of(code);
    }
    while (code == CURLM_OK && running > 0) {
        code = curl_multi_perform(http->multi, &running);
        if (code == CURLM_OK && running > 0) {
            code = curl_multi_poll(http->multi, NULL, 0, POLL_MS, NULL);
        }
    }
    CURLcode rc = code == CURLM_OK ? result_of(http->multi) : easy_code_of(code);
    (void)curl_multi_remove_handle(http->multi, http->curl);
    return rc;
}

static bool exchange_on_handle(struct giq_http *http,
                               const struct giq_http_request *request,
                               struct giq_response *response, struct giq_error *err)
{
    struct exchange x = {
        .http = http,
        .request = request,
        .response = response,
        .err = err,
        .last_progress_ms = http->env->now_ms(http->env->ctx),
    };
    struct curl_slist *headers = NULL;
    CURLcode rc = CURLE_FAILED_INIT;
    bool ok = false;
    giq_response_init(response);
    if (!make_handle(http)) {
        return giq_fail_memory(err);
    }
    if (prepare(&x, &headers)) {
        rc = perform(http);
        ok = finish(&x, rc);
    }
    curl_easy_reset(http->curl);
    giq_multipart_free(x.multipart);
    curl_slist_free_all(headers);
    if (rc != CURLE_OK) {
        /* libcurl 7.88 rejects options on a handle that failed to connect, and the handle
         * remembers names that could not be resolved. */
#if LIBCURL_VERSION_NUM >= 0x081400 /* 8.20: as leave_resolver(), for `multi` */
        (void)curl_multi_setopt(http->multi, CURLMOPT_QUICK_EXIT, 1L);
#endif
        free_handle(http);
    }
    return ok;
}

/* A request that needs a new connection gets a handle of its own: on a handle with idle
 * connections libcurl would reuse one of them after a 407. */
static bool exchange_once(struct giq_http *http, const struct giq_http_request *request,
                          struct giq_response *response, struct giq_error *err)
{
    CURL *session_handle = http->curl;
    CURLM *session_multi = http->multi;
    if (!request->fresh_connection) {
        return exchange_on_handle(http, request, response, err);
    }
    http->curl = NULL;
    http->multi = NULL;
    bool ok = exchange_on_handle(http, request, response, err);
    free_handle(http);
    http->curl = session_handle;
    http->multi = session_multi;
    return ok;
}

bool giq_http_exchange(struct giq_http *http, const struct giq_http_request *request,
                       struct giq_response *response, struct giq_error *err)
{
    bool avoided_http2 = http->avoids_http2;
    if (exchange_once(http, request, response, err)) {
        return true;
    }
    bool has_http2_failed = http->avoids_http2 && !avoided_http2;
    bool can_repeat =
        request->fields == NULL && (request->sink == NULL || response->received == 0);
    if (!has_http2_failed || !can_repeat) {
        return false;
    }
    giq_env_debug(http->env, "%s; trying again with HTTP/1.1", err->text);
    giq_response_release(response);
    *err = (struct giq_error){0};
    return exchange_once(http, request, response, err);
}

/* ---- sessions ---- */

static once_flag started = ONCE_FLAG_INIT;

static void start_library(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

bool giq_http_new(const struct giq_settings *settings, const struct giq_env *env,
                  struct giq_http **out, struct giq_error *err)
{
    call_once(&started, start_library);
    struct giq_http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        return giq_fail_memory(err);
    }
    *http = (struct giq_http){.settings = settings, .env = env};
    *out = http;
    return true;
}

void giq_http_free(struct giq_http *http)
{
    if (http != NULL) {
        free_handle(http);
        free(http);
    }
}
