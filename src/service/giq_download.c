/*
 * Downloads: attempts, resumption, and the proof that a body is complete.
 */
#include "service/giq_download.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_text.h"
#include "net/giq_inflate.h"
#include "net/giq_url.h"
#include "result/giq_archive.h"
#include "service/giq_call.h"

static const char context[] = "downloading the result";

/* A running download, between libcurl and the caller's sink. */
struct download {
    struct giq_service *service;
    const struct giq_download_sink *sink;
    /* Of the current body: */
    char *disposition; /* or NULL */
    char *etag;        /* NULL if it cannot be resumed */
    int64_t total;     /* its length, -1 if that is not known */
    int64_t received;
    int64_t written;             /* bytes passed to the sink, decoded */
    struct giq_inflate *decoder; /* NULL if the coding is not gzip */
    /* Of the attempts: */
    bool has_bytes;                /* an attempt received bytes */
    bool is_ranged;                /* this attempt requests only the rest */
    bool was_refused_cross_origin; /* this attempt: see is_refused_cross_origin() */
    int cross_origin_refusals;     /* attempts for which that was true */
    bool sink_failed;              /* or memory ran out: a retry cannot help */
};

/* Discard the current body, so that the next attempt begins with the first byte. */
static void start_over(struct download *d)
{
    giq_inflate_free(d->decoder);
    free(d->etag);
    d->decoder = NULL;
    d->etag = NULL;
    d->total = -1;
    d->received = 0;
    d->written = 0;
}

static void release(struct download *d)
{
    start_over(d);
    free(d->disposition);
}

/* The functions below fail because of the body, and discard it. */

static bool fail_too_long(struct download *d, struct giq_error *err)
{
    long long total = (long long)d->total;
    start_over(d);
    return giq_fail(
        err, GIQ_E_INCOMPLETE,
        "%s: the response has more than the %lld bytes of its Content-Length or "
        "Content-Range",
        context, total);
}

static bool fail_too_short(struct download *d, struct giq_error *err)
{
    long long received = (long long)d->received;
    long long total = (long long)d->total;
    start_over(d);
    return giq_fail(err, GIQ_E_INCOMPLETE,
                    "%s: the response ended after %lld of %lld bytes", context, received,
                    total);
}

static bool fail_other_body(struct download *d, struct giq_error *err)
{
    start_over(d);
    return giq_fail(err, GIQ_E_INCOMPLETE, "%s: the service did not resume the same file",
                    context);
}

/* ---- bodies ---- */

/* A coded body cannot be resumed, and its length is not that of the result. */
static bool begin_whole(struct download *d, const struct giq_response *response,
                        struct giq_error *err)
{
    bool is_coded = giq_headers_get_coding(&response->headers) == GIQ_HEADERS_CODING_GZIP;
    start_over(d);
    d->total = response->content_length;
    const char *etag =
        d->total < 0 || is_coded ? NULL : giq_headers_strong_etag(&response->headers);
    if (!giq_text_set(&d->etag, etag) ||
        !giq_text_set(&d->disposition,
                      response->headers.value[GIQ_HEADERS_CONTENT_DISPOSITION])) {
        return giq_fail_memory(err);
    }
    if (is_coded && !giq_inflate_new(GIQ_INFLATE_GZIP, &d->decoder, err)) {
        return false;
    }
    return d->sink->begin(d->sink->ctx, is_coded ? -1 : d->total, err);
}

/* Some services support Range and not If-Range: only the same strong ETag proves that the
 * bytes are of the same body (RFC 9110, 15.3.7, requires it in every such response). */
static bool is_resumed(const struct download *d, const struct giq_response *response)
{
    struct giq_headers_range range;
    const char *etag = giq_headers_strong_etag(&response->headers);
    return d->is_ranged && giq_headers_get_range(&response->headers, &range) &&
           range.first == d->received && range.last == d->total - 1 &&
           range.total == d->total && etag != NULL && strcmp(etag, d->etag) == 0;
}

/* A coding that is not supported, or cannot prove that the body is complete. */
static bool fail_coded(const struct giq_response *response, struct giq_error *err)
{
    struct giq_printable coding;
    return giq_fail(
        err, GIQ_E_INCOMPLETE,
        "%s: the response has the content coding \"%s\", which was not requested",
        context,
        giq_text_printable(response->headers.value[GIQ_HEADERS_CONTENT_ENCODING],
                           &coding));
}

static bool begin_body(struct download *d, const struct giq_response *response,
                       struct giq_error *err)
{
    enum giq_headers_coding coding = giq_headers_get_coding(&response->headers);
    if (coding == GIQ_HEADERS_CODING_UNSUPPORTED ||
        coding == GIQ_HEADERS_CODING_DEFLATE) {
        return fail_coded(response, err);
    }
    if (response->status == 206 && !d->is_ranged) {
        return giq_fail(err, GIQ_E_INCOMPLETE,
                        "%s: the response is a part (HTTP 206), which was not requested",
                        context);
    }
    if (response->status == 200) {
        bool ok = begin_whole(d, response, err);
        d->sink_failed = !ok;
        return ok;
    }
    if (coding != GIQ_HEADERS_CODING_IDENTITY || !is_resumed(d, response)) {
        return fail_other_body(d, err);
    }
    return true;
}

static bool write_bytes(void *ctx, const char *bytes, size_t len, struct giq_error *err)
{
    struct download *d = ctx;
    d->written += (int64_t)len;
    d->sink_failed = !d->sink->write(d->sink->ctx, bytes, len, err);
    return !d->sink_failed;
}

/* Limits the decoded size as that of an archive: a few coded bytes may decode to more
 * than the disk holds. */
static bool write_decoded(void *ctx, const char *bytes, size_t len, struct giq_error *err)
{
    struct download *d = ctx;
    int64_t max = giq_archive_unpacked_bytes_max(d->received);
    if (giq_inflate_is_coded(d->decoder) && (int64_t)len > max - d->written) {
        struct giq_error ignored = {0};
        (void)d->sink->begin(d->sink->ctx, -1, &ignored); /* frees the disk space */
        return giq_fail(
            err, GIQ_E_RESULT,
            "%s: the gzip coding decodes to more than 1 GiB, and to more than "
            "%d times the bytes received",
            context, (int)GIQ_ARCHIVE_RATIO_MAX);
    }
    return write_bytes(d, bytes, len, err);
}

static bool write_body(void *ctx, const struct giq_response *response, const char *bytes,
                       size_t len, struct giq_error *err)
{
    struct download *d = ctx;
    bool is_first = response->received == (int64_t)len;
    if (is_first && !begin_body(d, response, err)) {
        return false;
    }
    if (d->total >= 0 && (int64_t)len > d->total - d->received) {
        return fail_too_long(d, err);
    }
    d->received += (int64_t)len;
    d->has_bytes = true;
    if (d->decoder == NULL) {
        return write_bytes(d, bytes, len, err);
    }
    bool ok = giq_inflate_add(d->decoder, bytes, len, write_decoded, d, err);
    if (!ok && err->code == GIQ_E_INCOMPLETE) {
        (void)giq_error_context(err, "%s", context);
    }
    return ok;
}

/* ---- responses ---- */

/* A presigned URL may have expired, or its host may not have the file yet. The next
 * attempt is redirected to a new URL, so the download is retried; a 404 or 410 means that
 * the result is gone only from the second refusal on. */
static bool is_refused_cross_origin(const struct giq_response *response)
{
    int status = response->status;
    return response->is_cross_origin &&
           (status == 401 || status == 403 || status == 404 || status == 410);
}

/* An empty body with Content-Length: 0 is complete, so a retry is useless. Discards the
 * body. */
static bool fail_empty(struct download *d, const struct giq_response *response,
                       struct giq_error *err)
{
    bool is_complete = response->status == 200 && response->content_length == 0;
    start_over(d);
    return giq_fail(err, is_complete ? GIQ_E_RESULT : GIQ_E_INCOMPLETE,
                    is_complete ? "%s: the result is empty (Content-Length: 0)"
                                : "%s: the response is empty",
                    context);
}

static bool check_response(struct download *d, const struct giq_response *response,
                           struct giq_error *err)
{
    const struct giq_service *service = d->service;
    d->was_refused_cross_origin = is_refused_cross_origin(response);
    if (d->was_refused_cross_origin) {
        d->cross_origin_refusals++;
    }
    if (response->status == 404 || response->status == 410) {
        bool is_gone = !d->was_refused_cross_origin || d->cross_origin_refusals > 1;
        return giq_call_fail_status(service, response,
                                    is_gone ? GIQ_E_GONE : GIQ_E_SERVICE, context, err);
    }
    if (d->is_ranged && (response->status == 412 || response->status == 416)) {
        return fail_other_body(d, err);
    }
    if (!giq_response_has_data(response)) {
        return giq_call_fail_status(service, response, GIQ_E_SERVICE, context, err);
    }
    if (response->received == 0 || d->written == 0) {
        return fail_empty(d, response, err);
    }
    if (d->total >= 0 && d->received != d->total) {
        return fail_too_short(d, err);
    }
    bool is_coded = d->decoder != NULL && giq_inflate_is_coded(d->decoder);
    if (is_coded && !giq_inflate_is_complete(d->decoder)) {
        start_over(d);
        return giq_fail(err, GIQ_E_INCOMPLETE,
                        "%s: the gzip coding of the response ends early", context);
    }
    if (!is_coded && !response->has_proven_end &&
        !service->settings.allow_unverified_length) {
        return giq_fail(
            err, GIQ_E_INCOMPLETE,
            "%s: the response has no Content-Length and is not chunked, so it may "
            "be cut; GIQ_ALLOW_UNVERIFIED_LENGTH=YES accepts it",
            context);
    }
    return true;
}

static void tick(void *ctx)
{
    const struct download *d = ctx;
    if (d->sink->tick != NULL) {
        d->sink->tick(d->sink->ctx);
    }
}

static bool exchange(struct download *d, const char *url, const char *const *headers,
                     size_t header_count, int64_t *retry_after_ms, struct giq_error *err)
{
    struct giq_service *service = d->service;
    const struct giq_http_request get = {
        .url = url,
        .accept = "application/octet-stream",
        .headers = headers,
        .header_count = header_count,
        .deadline_ms = giq_service_call_deadline_ms(service),
        .sink = write_body,
        .tick = tick,
        .ctx = d,
    };
    struct giq_response response;
    d->is_ranged = header_count > 0;
    d->was_refused_cross_origin = false;
    bool ok =
        giq_call_once(service, &get, &response, err) && check_response(d, &response, err);
    *retry_after_ms = response.retry_after_ms;
    giq_response_release(&response);
    return ok;
}

/* One attempt: request the rest of a body that can be resumed, else the whole body. */
static bool try_once(struct download *d, const char *url, int64_t *retry_after_ms,
                     struct giq_error *err)
{
    if (d->etag == NULL || d->received == 0 || d->received >= d->total) {
        return exchange(d, url, NULL, 0, retry_after_ms, err);
    }
    char range[64];
    GIQ_AUTO_FREE char *if_range = NULL;
    (void)snprintf(range, sizeof range, "Range: bytes=%" PRId64 "-", d->received);
    if (asprintf(&if_range, "If-Range: %s", d->etag) < 0) {
        if_range = NULL; /* not set on failure */
        return giq_fail_memory(err);
    }
    const char *const headers[] = {range, if_range};
    return exchange(d, url, headers, 2, retry_after_ms, err);
}

static bool is_retryable(const struct download *d, const struct giq_error *err)
{
    if (d->sink_failed) {
        return false;
    }
    return d->was_refused_cross_origin || giq_call_is_transient_error(err) ||
           (err->code == GIQ_E_SERVICE && giq_call_is_transient_status(err->http_status));
}

bool giq_download(struct giq_service *service, const char *job_id,
                  const struct giq_download_sink *sink, char **out_disposition,
                  struct giq_error *err)
{
    GIQ_AUTO_FREE char *url = giq_url_make(
        service->settings.base_url, "inference/download", "inferenceJobId", job_id);
    if (url == NULL) {
        return giq_fail_memory(err);
    }
    struct download d = {.service = service, .sink = sink, .total = -1};
    bool ok = false;
    for (int attempt = 1;; attempt++) {
        int64_t retry_after_ms = -1;
        ok = try_once(&d, url, &retry_after_ms, err);
        if (ok || !is_retryable(&d, err) ||
            !giq_call_pause(service, attempt, retry_after_ms, tick, &d)) {
            break;
        }
    }
    if (ok) {
        *out_disposition = d.disposition;
        d.disposition = NULL;
    } else if (err->code == GIQ_E_NETWORK && err->http_status == 0 && d.has_bytes) {
        err->code = GIQ_E_INCOMPLETE; /* an attempt was cut after bytes were received */
    }
    release(&d);
    return ok;
}
