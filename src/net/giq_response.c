/*
 * Keeping and decoding the bodies of responses.
 */
#include "net/giq_response.h"

#include <stdlib.h>

#include "net/giq_inflate.h"

void giq_response_init(struct giq_response *response)
{
    *response = (struct giq_response){.content_length = -1, .retry_after_ms = -1};
    giq_buf_init(&response->body, GIQ_RESPONSE_BYTES_MAX);
    giq_headers_init(&response->headers);
}

void giq_response_release(struct giq_response *response)
{
    free(response->location);
    giq_headers_release(&response->headers);
    giq_buf_release(&response->body);
}

bool giq_response_has_data(const struct giq_response *response)
{
    return response->status == 200 || response->status == 206;
}

/* ---- the body ---- */

/* Whether the status is not 2xx: its body is a message at most. */
static bool is_error_status(int status)
{
    return status < 200 || status >= 300;
}

enum giq_response_appended giq_response_append(struct giq_buf *body, int status,
                                               const char *bytes, size_t len,
                                               struct giq_error *err)
{
    bool is_error = is_error_status(status);
    body->max = is_error ? GIQ_RESPONSE_ERROR_BYTES_MAX : GIQ_RESPONSE_BYTES_MAX;
    if (giq_buf_fits(body, len)) {
        if (giq_buf_add(body, bytes, len)) {
            return GIQ_RESPONSE_KEPT;
        }
        (void)giq_fail_memory(err);
        return GIQ_RESPONSE_FAILED;
    }
    if (is_error) {
        return GIQ_RESPONSE_TRUNCATED;
    }
    (void)giq_fail(err, GIQ_E_SERVICE, "the response is larger than %d bytes",
                   GIQ_RESPONSE_BYTES_MAX);
    return GIQ_RESPONSE_FAILED;
}

/* The decoded form of a body. */
struct decoded {
    struct giq_buf body;
    int status;
    bool is_truncated; /* an error page reached its limit */
};

static bool append_decoded(void *ctx, const char *bytes, size_t len,
                           struct giq_error *err)
{
    struct decoded *decoded = ctx;
    if (decoded->is_truncated) {
        return true;
    }
    enum giq_response_appended appended =
        giq_response_append(&decoded->body, decoded->status, bytes, len, err);
    decoded->is_truncated = appended == GIQ_RESPONSE_TRUNCATED;
    return appended != GIQ_RESPONSE_FAILED;
}

bool giq_response_decode(struct giq_response *response, struct giq_error *err)
{
    enum giq_headers_coding coding = giq_headers_get_coding(&response->headers);
    if (coding != GIQ_HEADERS_CODING_GZIP && coding != GIQ_HEADERS_CODING_DEFLATE) {
        return true;
    }
    struct giq_inflate *decoder = NULL;
    if (!giq_inflate_new(coding == GIQ_HEADERS_CODING_GZIP ? GIQ_INFLATE_GZIP
                                                           : GIQ_INFLATE_DEFLATE,
                         &decoder, err)) {
        return false;
    }
    struct decoded decoded = {.status = response->status};
    giq_buf_init(&decoded.body, GIQ_RESPONSE_BYTES_MAX);
    bool ok = giq_inflate_add(decoder, response->body.data, response->body.len,
                              append_decoded, &decoded, err);
    bool is_cut =
        ok && giq_inflate_is_coded(decoder) && !giq_inflate_is_complete(decoder);
    giq_inflate_free(decoder);
    if (!ok) {
        giq_buf_release(&decoded.body);
        if (err->code != GIQ_E_INCOMPLETE) {
            return false;
        }
        *err = (struct giq_error){0}; /* damaged: the body is not changed */
        return true;
    }
    giq_buf_release(&response->body);
    response->body = decoded.body;
    if (is_cut && !is_error_status(response->status)) {
        return giq_fail(err, GIQ_E_NETWORK,
                        "the gzip or deflate coding of the response ends early");
    }
    return true;
}
