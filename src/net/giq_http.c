#include "net/giq_http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "base/giq_cred.h"
#include "base/giq_env.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "net/giq_address.h"
#include "net/giq_failure.h"
#include "net/giq_net.h"
#include "net/giq_trace.h"

enum {
    RECEIVE_BUFFER = 512 * 1024, /* 16 KiB, the default, costs a tenth of the time */
    STALL_MS = 1000,             /* past the deadline a transfer goes on while it moves */
    TOO_LARGE = 100,             /* CURLE_TOO_LARGE, which not every version has */
};

struct giq_http {
    CURL *curl; /* NULL before the first exchange, and after one that failed */
    const struct giq_settings *settings;
    const struct giq_env *env;
    bool avoids_http2; /* it failed in this session */
};

/* One running exchange, as the callbacks see it. */
struct exchange {
    struct giq_http *http;
    const struct giq_http_request *request;
    struct giq_response *response;
    struct giq_error *err; /* set by a callback that ended the exchange */
    bool failed;           /* `err` is set */
    int64_t moved_ms;      /* when bytes came last */
    curl_off_t moved_bytes;
    char words[CURL_ERROR_SIZE];     /* the library's on how it ended, or empty */
    struct giq_multipart *multipart; /* that goes out, or NULL */
};

#define SET(option, value)      (curl_easy_setopt(curl, option, value) == CURLE_OK)
#define SET_LONG(option, value) SET(option, (long)(value))

/* ---- settings ---- */

/* What makes an exchange faster only: libraries that refuse it work without it. */
static void apply_speed(CURL *curl)
{
    (void)SET_LONG(CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
}

static bool fail_setting(struct giq_error *err)
{
    (void)giq_fail(err, GIQ_E_NETWORK,
                   "the network library is too old, or memory ran out: it refuses a "
                   "setting of the driver's own");
    err->permanent = true;
    return false;
}

static bool apply_settings(const struct giq_http *http,
                           const struct giq_http_request *request, struct giq_error *err)
{
    CURL *curl = http->curl;
    unsigned flags = (request->cred != NULL ? GIQ_NET_SAME_ORIGIN : 0U) |
                     (giq_text_begins(request->url, "https:") ? GIQ_NET_IS_HTTPS : 0U);
    return giq_net_apply(curl, http->settings->net, flags, err) &&
           (((!http->avoids_http2 ||
              SET_LONG(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)) &&
             SET_LONG(CURLOPT_NOSIGNAL, 1) && SET_LONG(CURLOPT_FOLLOWLOCATION, 0) &&
             SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
             /* What a proxy says to CONNECT is no response of the service. */
             SET_LONG(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)) ||
            fail_setting(err));
}

/* ---- callbacks ---- */

static curl_socket_t on_socket(void *ctx, curlsocktype purpose,
                               struct curl_sockaddr *address)
{
    (void)ctx;
    (void)purpose;
    return giq_os_socket(address->family, address->socktype, address->protocol);
}

/* A request that its caller notes before it goes out is not given up once it did: its
 * response is not to be had again. */
static bool end_if_cancelled(struct exchange *x)
{
    bool is_noted = x->request->before_send != NULL && x->response->sent;
    if (x->failed || is_noted || !giq_env_cancelled(x->http->env)) {
        return false;
    }
    x->failed = true;
    (void)giq_fail(x->err, GIQ_E_CANCELLED, "the host ended the wait for the service");
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
    if (end_if_cancelled(x) ||
        (request->before_send != NULL && !request->before_send(request->ctx, x->err))) {
        x->failed = true;
        return CURL_PREREQFUNC_ABORT;
    }
    x->response->sent = true;
    return CURL_PREREQFUNC_OK;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct exchange *x = ctx;
    size_t len = size * count;
    if (!giq_headers_line(&x->response->headers, bytes, len)) {
        x->failed = true;
        (void)giq_fail(x->err, GIQ_E_NETWORK,
                       "the response has more than %d bytes of headers",
                       GIQ_HEADERS_BYTES_MAX);
        return 0;
    }
    return len;
}

static void note_status(struct exchange *x)
{
    long status = 0;
    (void)curl_easy_getinfo(x->http->curl, CURLINFO_RESPONSE_CODE, &status);
    x->response->status = (int)status;
    curl_off_t length = -1;
    (void)curl_easy_getinfo(x->http->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    x->response->content_length = length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct exchange *x = ctx;
    struct giq_response *response = x->response;
    size_t len = size * count;
    if (response->received == 0) {
        note_status(x);
    }
    response->received += (int64_t)len;
    if (giq_response_has_data(response) && x->request->sink != NULL) {
        x->failed = !x->request->sink(x->request->ctx, response, bytes, len, x->err);
        return x->failed ? 0 : len;
    }
    enum giq_response_keep kept = giq_response_keep(response, bytes, len, x->err);
    x->failed = kept == GIQ_RESPONSE_FAILED;
    return kept == GIQ_RESPONSE_KEPT ? len : 0;
}

/* Ends a transfer that stalls past the open's time, or that the host no longer wants. */
static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down_now,
                       curl_off_t up_total, curl_off_t up_now)
{
    (void)down_total;
    struct exchange *x = ctx;
    const struct giq_env *env = x->http->env;
    const struct giq_settings *settings = x->http->settings;
    int64_t stall_ms = x->request->stall_ms > 0 ? x->request->stall_ms : STALL_MS;
    int64_t now = env->now_ms(env->ctx);
    if (down_now + up_now != x->moved_bytes) {
        x->moved_bytes = down_now + up_now;
        x->moved_ms = now;
    }
    bool over = x->request->deadline_ms != 0 && now > x->request->deadline_ms &&
                now - x->moved_ms > stall_ms;
    if (giq_multipart_is_too_slow(x->multipart, settings->low_speed_time_s,
                                  settings->low_speed_limit, now, up_now, up_total)) {
        x->failed = true;
        (void)giq_fail(x->err, GIQ_E_NETWORK,
                       "less than %d bytes a second of the file went out for %d seconds",
                       settings->low_speed_limit, settings->low_speed_time_s);
    }
    return over || x->failed || end_if_cancelled(x) ? 1 : 0;
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

static bool append(struct curl_slist **list, const char *line)
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
    char accept[128];
    (void)snprintf(accept, sizeof accept, "Accept: %s", request->accept);
    bool ok = append(list, accept) && append(list, "Accept-Encoding: identity") &&
              (request->asks || append(list, "Expect:"));
    const char *line = NULL;
    for (size_t i = 0; ok && (line = giq_cred_header(request->cred, i)) != NULL; i++) {
        ok = append(list, line);
    }
    for (size_t i = 0; ok && i < request->header_count; i++) {
        ok = append(list, request->headers[i]);
    }
    return ok;
}

static bool set_headers(CURL *curl, const struct giq_http_request *request,
                        struct curl_slist **list, struct giq_error *err)
{
    return (build_headers(request, list) &&
            curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *list) == CURLE_OK) ||
           giq_fail_memory(err);
}

static bool apply_limits(CURL *curl, const struct giq_settings *settings,
                         const struct giq_http_request *request)
{
    /* While the service thinks about a POST nothing moves, rightly. */
    bool stall_counts = request->fields == NULL;
    return SET_LONG(CURLOPT_CONNECTTIMEOUT_MS, settings->connect_timeout_ms) &&
           SET_LONG(CURLOPT_TIMEOUT_MS, request->timeout_ms) &&
           SET_LONG(CURLOPT_LOW_SPEED_TIME,
                    stall_counts ? settings->low_speed_time_s : 0) &&
           SET_LONG(CURLOPT_LOW_SPEED_LIMIT,
                    stall_counts ? settings->low_speed_limit : 0) &&
           (!request->fresh ||
            (SET_LONG(CURLOPT_FRESH_CONNECT, 1) && SET_LONG(CURLOPT_FORBID_REUSE, 1)));
}

static bool apply_callbacks(CURL *curl, struct exchange *x)
{
    return SET(CURLOPT_URL, x->request->url) &&
           SET(CURLOPT_OPENSOCKETFUNCTION, on_socket) &&
           SET(CURLOPT_PREREQFUNCTION, on_before_send) && SET(CURLOPT_PREREQDATA, x) &&
           SET(CURLOPT_HEADERFUNCTION, on_header) && SET(CURLOPT_HEADERDATA, x) &&
           SET(CURLOPT_WRITEFUNCTION, on_body) && SET(CURLOPT_WRITEDATA, x) &&
           SET(CURLOPT_XFERINFOFUNCTION, on_progress) && SET(CURLOPT_XFERINFODATA, x) &&
           SET(CURLOPT_DEBUGFUNCTION, on_trace) && SET(CURLOPT_DEBUGDATA, x) &&
           SET(CURLOPT_ERRORBUFFER, x->words) &&
           SET_LONG(CURLOPT_VERBOSE, x->http->settings->traces) &&
           SET_LONG(CURLOPT_NOPROGRESS, 0);
}

/* ---- how an exchange ended ---- */

static bool fail_transfer(struct exchange *x, enum giq_code code, CURLcode rc)
{
    const struct giq_failure failure = {
        .curl = x->http->curl,
        .rc = (int)rc,
        .words = x->words,
        .url = x->request->url,
        .was_sent = x->response->sent,
        .has_head = x->response->headers.bytes > 0,
    };
    (void)giq_failure_set(&failure, code, x->err);
    x->response->sent = x->response->sent && !giq_failure_is_tls_alert(&failure);
    x->http->avoids_http2 =
        x->http->avoids_http2 ||
        (giq_failure_is_http2(&failure) && !giq_net_knows_http2(x->http->settings->net));
    return false;
}

/* What the library takes for a response may be one that was cut within its headers, or
 * an interim one; a header line beyond its own limit is out of memory to it, or to later
 * ones too large. */
static bool check_head(struct exchange *x, CURLcode rc)
{
    const struct giq_response *response = x->response;
    bool has_answer = response->headers.is_whole && response->status >= 200;
    if (rc == CURLE_OK && !has_answer) {
        return giq_fail(x->err, GIQ_E_NETWORK, "the response was cut within its headers");
    }
    if (rc == CURLE_OUT_OF_MEMORY || (int)rc == TOO_LARGE) {
        return response->sent && !has_answer
                   ? giq_fail(x->err, GIQ_E_NETWORK,
                              "the response has headers that are too long, or memory "
                              "ran out")
                   : giq_fail_memory(x->err);
    }
    return true;
}

/* From the header itself: CURLINFO_REDIRECT_URL of later libraries leaves out a user,
 * which is a reason to refuse. */
static bool note_location(struct exchange *x)
{
    struct curl_header *header = NULL;
    (void)curl_easy_header(x->http->curl, "Location", 0, CURLH_HEADER, -1, &header);
    if (x->response->status / 100 != 3 || header == NULL || header->value[0] == '\0') {
        return true;
    }
    x->response->location = giq_address_join(x->request->url, header->value);
    return x->response->location != NULL || giq_fail_memory(x->err);
}

static bool judge(struct exchange *x, CURLcode rc)
{
    struct giq_response *response = x->response;
    const struct giq_env *env = x->http->env;
    note_status(x);
    response->retry_after_ms =
        giq_headers_retry_after_ms(&response->headers, env->wall_ms(env->ctx));
    if (x->failed || giq_multipart_has_failed(x->multipart) || !check_head(x, rc) ||
        !note_location(x)) {
        return false;
    }
    long version = 0;
    (void)curl_easy_getinfo(x->http->curl, CURLINFO_HTTP_VERSION, &version);
    response->proven = response->content_length >= 0 || response->headers.chunked ||
                       version >= CURL_HTTP_VERSION_2_0;
    bool cut_error_page = rc == CURLE_WRITE_ERROR && response->status >= 300;
    if (rc == CURLE_OK || cut_error_page) {
        return giq_response_decode(response, x->err);
    }
    bool cut = giq_response_has_data(response) && response->received > 0 &&
               x->request->sink != NULL;
    return fail_transfer(x, cut ? GIQ_E_INCOMPLETE : GIQ_E_NETWORK, rc);
}

/* After a transfer that failed before it connected libcurl 7.88 refuses settings on the
 * same handle, which also remembers what could not be resolved. */
static void release_handle(struct giq_http *http)
{
    curl_easy_cleanup(http->curl);
    http->curl = NULL;
}

/* Set everything up, and make the exchange. */
static bool perform(struct exchange *x)
{
    struct giq_http *http = x->http;
    const struct giq_http_request *request = x->request;
    struct curl_slist *headers = NULL;
    CURLcode rc = CURLE_FAILED_INIT;
    bool ok = false;
    apply_speed(http->curl);
    if (apply_settings(http, request, x->err) &&
        ((apply_limits(http->curl, http->settings, request) &&
          apply_callbacks(http->curl, x)) ||
         fail_setting(x->err)) &&
        set_headers(http->curl, request, &headers, x->err) &&
        (request->fields == NULL ||
         giq_multipart_new(http->curl, request->fields, request->field_count,
                           &x->multipart, x->err))) {
        rc = curl_easy_perform(http->curl);
        ok = judge(x, rc);
    }
    curl_easy_reset(http->curl);
    giq_multipart_free(x->multipart);
    curl_slist_free_all(headers);
    if (rc != CURLE_OK) {
        release_handle(http);
    }
    return ok;
}

static bool exchange_once(struct giq_http *http, const struct giq_http_request *request,
                          struct giq_response *response, struct giq_error *err)
{
    giq_response_init(response);

    struct exchange x = {
        .http = http,
        .request = request,
        .response = response,
        .err = err,
        .moved_ms = http->env->now_ms(http->env->ctx),
    };
    return ((http->curl != NULL || (http->curl = curl_easy_init()) != NULL) ||
            giq_fail_memory(err)) &&
           perform(&x);
}

bool giq_http_exchange(struct giq_http *http, const struct giq_http_request *request,
                       struct giq_response *response, struct giq_error *err)
{
    bool may_fall_back = !http->avoids_http2 && request->fields == NULL;
    if (exchange_once(http, request, response, err)) {
        return true;
    }
    bool is_untouched = request->sink == NULL || response->received == 0;
    if (!may_fall_back || !http->avoids_http2 || !is_untouched) {
        return false;
    }
    giq_env_debug(http->env, "%s", err->text);
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
        release_handle(http);
        free(http);
    }
}
