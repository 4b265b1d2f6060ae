#include "net/giq_response.h"

#include <stdlib.h>

#include "net/giq_inflate.h"

void giq_response_init(struct giq_response *answer)
{
    *answer = (struct giq_response){.content_length = -1, .retry_after_ms = -1};
    giq_buf_init(&answer->body, GIQ_RESPONSE_MAX);
    giq_headers_init(&answer->head);
}

void giq_response_release(struct giq_response *answer)
{
    free(answer->location);
    giq_headers_release(&answer->head);
    giq_buf_release(&answer->body);
}

bool giq_response_is_data(const struct giq_response *answer)
{
    return answer->status == 200 || answer->status == 206;
}

enum giq_response_keep giq_response_keep(struct giq_response *answer, const char *bytes,
                                         size_t len, struct giq_error *err)
{
    bool is_error = answer->status < 200 || answer->status >= 300;
    answer->body.max = is_error ? GIQ_RESPONSE_ERROR_MAX : GIQ_RESPONSE_MAX;
    if (giq_buf_fits(&answer->body, len)) {
        if (giq_buf_add(&answer->body, bytes, len)) {
            return GIQ_RESPONSE_KEPT;
        }
        (void)giq_fail_memory(err);
        return GIQ_RESPONSE_FAILED;
    }
    if (is_error) {
        return GIQ_RESPONSE_ENOUGH;
    }
    (void)giq_fail(err, GIQ_E_SERVICE, "the answer is larger than %d bytes",
                   GIQ_RESPONSE_MAX);
    return GIQ_RESPONSE_FAILED;
}

/* A body as it is decoded. */
struct decoded {
    struct giq_response answer; /* its status and its body */
    bool is_full;               /* of an error page the rest is of no interest */
};

static bool keep_decoded(void *ctx, const char *bytes, size_t len, struct giq_error *err)
{
    struct decoded *decoded = ctx;
    if (decoded->is_full) {
        return true;
    }
    enum giq_response_keep kept = giq_response_keep(&decoded->answer, bytes, len, err);
    decoded->is_full = kept == GIQ_RESPONSE_ENOUGH;
    return kept != GIQ_RESPONSE_FAILED;
}

bool giq_response_decode(struct giq_response *answer, struct giq_error *err)
{
    enum giq_headers_coding coding = giq_headers_coding(&answer->head);
    if (coding != GIQ_HEADERS_GZIP && coding != GIQ_HEADERS_DEFLATE) {
        return true;
    }
    struct decoded decoded = {.answer = {.status = answer->status}};
    struct giq_inflate *decoder = NULL;
    giq_buf_init(&decoded.answer.body, GIQ_RESPONSE_MAX);
    bool ok = giq_inflate_new(coding == GIQ_HEADERS_GZIP ? GIQ_INFLATE_GZIP
                                                         : GIQ_INFLATE_DEFLATE,
                              &decoder, err) &&
              giq_inflate_add(decoder, answer->body.data, answer->body.len, keep_decoded,
                              &decoded, err);
    giq_inflate_free(decoder);
    if (ok) {
        giq_buf_release(&answer->body);
        answer->body = decoded.answer.body;
        return true;
    }
    giq_buf_release(&decoded.answer.body);
    if (err->code == GIQ_E_INCOMPLETE) {
        *err = (struct giq_error){0};
        return true;
    }
    return false;
}
