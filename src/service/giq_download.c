#include "service/giq_download.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_text.h"
#include "net/giq_inflate.h"
#include "net/giq_url.h"
#include "service/giq_call.h"

/* A gzip-coded result may be larger than it came by this factor, or has this size. */
enum { DECODED_FACTOR_MAX = 200 };
static const int64_t decoded_bytes_least = INT64_C(1) << 30;

static const char what[] = "downloading the result";

/* A download under way, between the network and the caller's sink. */
struct download {
    struct giq_service *service;
    const struct giq_download_sink *sink;
    char *disposition;           /* of the body under way, or NULL */
    char *etag;                  /* of the body under way; NULL where it cannot go on */
    int64_t total;               /* of the body under way, -1 where it is not told */
    int64_t have;                /* bytes of it that came */
    int64_t taken;               /* bytes that the sink took of it */
    struct giq_inflate *decoder; /* of a body in the coding gzip, else NULL */
    bool has_bytes;              /* of any try so far */
    bool is_ranged;              /* this try asked for the rest only */
    int refused_elsewhere;       /* tries that another host refused */
    bool is_cross_origin;        /* the last try was refused so */
    bool sink_failed;
};

/* The next try begins with the first byte. */
static void start_over(struct download *d)
{
    giq_inflate_free(d->decoder);
    free(d->etag);
    d->decoder = NULL;
    d->etag = NULL;
    d->total = -1;
    d->have = 0;
    d->taken = 0;
}

static bool fail_changed(struct download *d, struct giq_error *err)
{
    start_over(d);
    return giq_fail(err, GIQ_E_INCOMPLETE,
                    "%s: the service did not go on with the same file", what);
}

/* ---- bodies ---- */

/* Of a coded body no part can be asked for, and its length is not that of the result. */
static bool begin_whole(struct download *d, const struct giq_response *response,
                        struct giq_error *err)
{
    bool is_coded = giq_headers_coding(&response->headers) == GIQ_HEADERS_CODING_GZIP;
    start_over(d);
    d->total = response->content_length;
    const char *etag =
        d->total < 0 || is_coded ? NULL : giq_headers_strong_etag(&response->headers);
    return ((giq_text_set(&d->etag, etag) &&
             giq_text_set(&d->disposition,
                          response->headers.value[GIQ_HEADERS_DISPOSITION])) ||
            giq_fail_memory(err)) &&
           (!is_coded || giq_inflate_new(GIQ_INFLATE_GZIP, &d->decoder, err)) &&
           d->sink->begin(d->sink->ctx, is_coded ? -1 : d->total, err);
}

/* A service may know Range and not If-Range: only the same strong ETag proves that the
 * bytes are of the same body (RFC 9110, 15.3.7, wants it in every such response). */
static bool goes_on(const struct download *d, const struct giq_response *response)
{
    struct giq_headers_range range;
    const char *etag = giq_headers_strong_etag(&response->headers);
    return d->is_ranged && giq_headers_range(&response->headers, &range) &&
           range.first == d->have && range.last == d->total - 1 &&
           range.total == d->total && etag != NULL && strcmp(etag, d->etag) == 0;
}

/* The coding could not be proved whole, or is not known. */
static bool fail_coded(const struct giq_response *response, struct giq_error *err)
{
    struct giq_printable coding;
    return giq_fail(
        err, GIQ_E_INCOMPLETE,
        "%s: it came in the content coding \"%s\", which was not asked for", what,
        giq_text_printable(response->headers.value[GIQ_HEADERS_ENCODING], &coding));
}

static bool begin_body(struct download *d, const struct giq_response *response,
                       struct giq_error *err)
{
    enum giq_headers_coding coding = giq_headers_coding(&response->headers);
    if (coding == GIQ_HEADERS_CODING_UNSUPPORTED ||
        coding == GIQ_HEADERS_CODING_DEFLATE) {
        return fail_coded(response, err);
    }
    if (response->status == 206 && !d->is_ranged) {
        return giq_fail(err, GIQ_E_INCOMPLETE,
                        "%s: it came as HTTP 206, which was not asked for", what);
    }
    if (response->status == 200) {
        bool ok = begin_whole(d, response, err);
        d->sink_failed = !ok;
        return ok;
    }
    return (coding == GIQ_HEADERS_CODING_IDENTITY && goes_on(d, response)) ||
           fail_changed(d, err);
}

static bool take_bytes(void *ctx, const char *bytes, size_t len, struct giq_error *err)
{
    struct download *d = ctx;
    d->taken += (int64_t)len;
    d->sink_failed = !d->sink->write(d->sink->ctx, bytes, len, err);
    return !d->sink_failed;
}

/* A few bytes may stand for more than any disk holds. */
static bool take_decoded(void *ctx, const char *bytes, size_t len, struct giq_error *err)
{
    struct download *d = ctx;
    int64_t most = d->have > decoded_bytes_least / DECODED_FACTOR_MAX
                       ? d->have * DECODED_FACTOR_MAX
                       : decoded_bytes_least;
    if (giq_inflate_is_coded(d->decoder) && (int64_t)len > most - d->taken) {
        struct giq_error ignored = {0};
        (void)d->sink->begin(d->sink->ctx, -1, &ignored); /* the room is needed again */
        return giq_fail(err, GIQ_E_RESULT,
                        "%s: its gzip content coding unpacks to more than 1 GiB, and to "
                        "more than %d times what came",
                        what, DECODED_FACTOR_MAX);
    }
    return take_bytes(d, bytes, len, err);
}

static bool take_body(void *ctx, const struct giq_response *response, const char *bytes,
                      size_t len, struct giq_error *err)
{
    struct download *d = ctx;
    bool is_first = response->received == (int64_t)len;
    if (is_first && !begin_body(d, response, err)) {
        return false;
    }
    if (d->total >= 0 && (int64_t)len > d->total - d->have) {
        return fail_changed(d, err);
    }
    d->have += (int64_t)len;
    d->has_bytes = true;
    if (d->decoder == NULL) {
        return take_bytes(d, bytes, len, err);
    }
    return giq_inflate_add(d->decoder, bytes, len, take_decoded, d, err) ||
           (err->code == GIQ_E_INCOMPLETE && giq_error_context(err, "%s", what));
}

/* ---- responses ---- */

/* An address that the service made may be too old, or its host behind: the service makes
 * another, and only what is said of two is believed. */
static bool is_refused_elsewhere(const struct giq_response *response)
{
    int status = response->status;
    return response->is_cross_origin &&
           (status == 401 || status == 403 || status == 404 || status == 410);
}

/* A response without a body that says so is whole, and another try brings nothing. */
static bool fail_empty(struct download *d, const struct giq_response *response,
                       struct giq_error *err)
{
    bool is_whole = response->status == 200 && response->content_length == 0;
    start_over(d);
    return giq_fail(err, is_whole ? GIQ_E_RESULT : GIQ_E_INCOMPLETE, "%s: it is empty%s",
                    what, is_whole ? ", and its Content-Length says so" : "");
}

static bool judge(struct download *d, const struct giq_response *response,
                  struct giq_error *err)
{
    const struct giq_service *service = d->service;
    d->is_cross_origin = is_refused_elsewhere(response);
    d->refused_elsewhere += d->is_cross_origin;
    if (response->status == 404 || response->status == 410) {
        bool is_gone = !d->is_cross_origin || d->refused_elsewhere > 1;
        return giq_call_fail_status(service, response,
                                    is_gone ? GIQ_E_GONE : GIQ_E_SERVICE, what, err);
    }
    if (d->is_ranged && (response->status == 412 || response->status == 416)) {
        return fail_changed(d, err);
    }
    if (!giq_response_has_data(response)) {
        return giq_call_fail_status(service, response, GIQ_E_SERVICE, what, err);
    }
    if (response->received == 0 || d->taken == 0) {
        return fail_empty(d, response, err);
    }
    if (d->total >= 0 && d->have != d->total) {
        return fail_changed(d, err);
    }
    bool is_coded = d->decoder != NULL && giq_inflate_is_coded(d->decoder);
    if (is_coded && !giq_inflate_is_whole(d->decoder)) {
        start_over(d);
        return giq_fail(err, GIQ_E_INCOMPLETE,
                        "%s: it ends within its gzip content coding", what);
    }
    if (!is_coded && !response->has_proven_end &&
        !service->settings.allow_unverified_length) {
        return giq_fail(err, GIQ_E_INCOMPLETE,
                        "%s: the service told neither its length nor its end, so it may "
                        "be cut; GIQ_ALLOW_UNVERIFIED_LENGTH=YES takes it all the same",
                        what);
    }
    return true;
}

static bool exchange(struct download *d, const char *url, const char *const *headers,
                     size_t header_count, int64_t *later_ms, struct giq_error *err)
{
    struct giq_service *service = d->service;
    const struct giq_http_request get = {
        .url = url,
        .accept = "application/octet-stream",
        .headers = headers,
        .header_count = header_count,
        .deadline_ms = giq_service_deadline_ms(service),
        .sink = take_body,
        .ctx = d,
    };
    struct giq_response response;
    d->is_ranged = header_count > 0;
    d->is_cross_origin = false;
    bool ok = giq_call_once(service, &get, &response, err) && judge(d, &response, err);
    *later_ms = response.retry_after_ms;
    giq_response_release(&response);
    return ok;
}

/* One try: the rest, where the part before it is known, else all of it. */
static bool try_once(struct download *d, const char *url, int64_t *later_ms,
                     struct giq_error *err)
{
    if (d->etag == NULL || d->have == 0 || d->have >= d->total) {
        return exchange(d, url, NULL, 0, later_ms, err);
    }
    char range[64];
    char *if_range = NULL;
    (void)snprintf(range, sizeof range, "Range: bytes=%" PRId64 "-", d->have);
    if (asprintf(&if_range, "If-Range: %s", d->etag) < 0) {
        return giq_fail_memory(err);
    }
    const char *const headers[] = {range, if_range};
    bool ok = exchange(d, url, headers, 2, later_ms, err);
    free(if_range);
    return ok;
}

static bool may_try_again(const struct download *d, const struct giq_error *err)
{
    if (d->sink_failed) {
        return false;
    }
    return d->is_cross_origin || giq_call_is_transient_error(err) ||
           (err->code == GIQ_E_SERVICE && giq_call_is_transient_status(err->http_status));
}

bool giq_download(struct giq_service *service, const char *job_id,
                  const struct giq_download_sink *sink, char **out_disposition,
                  struct giq_error *err)
{
    char *url = giq_url_make(service->settings.base_url, "inference/download",
                             "inferenceJobId", job_id);
    if (url == NULL) {
        return giq_fail_memory(err);
    }
    struct download d = {.service = service, .sink = sink, .total = -1};
    bool ok = false;
    for (int attempt = 1;; attempt++) {
        int64_t later_ms = -1;
        ok = try_once(&d, url, &later_ms, err);
        if (ok || !may_try_again(&d, err) ||
            !giq_call_pause(service, attempt, later_ms)) {
            break;
        }
    }
    if (ok) {
        *out_disposition = d.disposition;
        d.disposition = NULL;
    } else if (err->code == GIQ_E_NETWORK && err->http_status == 0 && d.has_bytes) {
        err->code = GIQ_E_INCOMPLETE; /* cut by an earlier try, or by this one */
    }
    start_over(&d);
    free(d.disposition);
    free(url);
    return ok;
}
