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

enum giq_response_appended giq_response_append(struct giq_response *response,
                                               const char *bytes, size_t len,
                                               struct giq_error *err)
{
    bool is_error = response->status < 200 || response->status >= 300;
    response->body.max = is_error ? GIQ_RESPONSE_ERROR_BYTES_MAX : GIQ_RESPONSE_BYTES_MAX;
    if (giq_buf_fits(&response->body, len)) {
        if (giq_buf_add(&response->body, bytes, len)) {
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
    struct giq_response response; /* only its status and body are used */
    bool is_full;                 /* an error page is truncated */
};

static bool keep_decoded(void *ctx, const char *bytes, size_t len, struct giq_error *err)
{
    struct decoded *decoded = ctx;
    if (decoded->is_full) {
        return true;
    }
    enum giq_response_appended kept =
        giq_response_append(&decoded->response, bytes, len, err);
    decoded->is_full = kept == GIQ_RESPONSE_TRUNCATED;
    return kept != GIQ_RESPONSE_FAILED;
}

bool giq_response_decode(struct giq_response *response, struct giq_error *err)
{
    enum giq_headers_coding coding = giq_headers_get_coding(&response->headers);
    if (coding != GIQ_HEADERS_CODING_GZIP && coding != GIQ_HEADERS_CODING_DEFLATE) {
        return true;
    }
    struct decoded decoded = {.response = {.status = response->status}};
    struct giq_inflate *decoder = NULL;
    giq_buf_init(&decoded.response.body, GIQ_RESPONSE_BYTES_MAX);
    bool ok = giq_inflate_new(coding == GIQ_HEADERS_CODING_GZIP ? GIQ_INFLATE_GZIP
                                                                : GIQ_INFLATE_DEFLATE,
                              &decoder, err) &&
              giq_inflate_add(decoder, response->body.data, response->body.len,
                              keep_decoded, &decoded, err);
    giq_inflate_free(decoder);
    if (ok) {
        giq_buf_release(&response->body);
        response->body = decoded.response.body;
        return true;
    }
    giq_buf_release(&decoded.response.body);
    if (err->code == GIQ_E_INCOMPLETE) {
        *err = (struct giq_error){0};
        return true;
    }
    return false;
}
