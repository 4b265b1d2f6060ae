#include "giq_answer.h"

#include <stdlib.h>

#include "giq_inflate.h"

void giq_answer_init(struct giq_answer *answer)
{
    *answer = (struct giq_answer){.content_length = -1, .retry_after_ms = -1};
    giq_buf_init(&answer->body, GIQ_ANSWER_MAX);
    giq_head_init(&answer->head);
}

void giq_answer_release(struct giq_answer *answer)
{
    free(answer->location);
    giq_head_release(&answer->head);
    giq_buf_release(&answer->body);
}

bool giq_answer_is_data(const struct giq_answer *answer)
{
    return answer->status == 200 || answer->status == 206;
}

enum giq_answer_keep giq_answer_keep(struct giq_answer *answer, const char *bytes,
                                     size_t len, struct giq_error *err)
{
    bool is_error = answer->status < 200 || answer->status >= 300;
    answer->body.max = is_error ? GIQ_ANSWER_ERROR_MAX : GIQ_ANSWER_MAX;
    if (giq_buf_fits(&answer->body, len)) {
        if (giq_buf_add(&answer->body, bytes, len)) {
            return GIQ_ANSWER_KEPT;
        }
        (void)giq_fail_memory(err);
        return GIQ_ANSWER_FAILED;
    }
    if (is_error) {
        return GIQ_ANSWER_ENOUGH;
    }
    (void)giq_fail(err, GIQ_E_SERVICE, "the answer is larger than %d bytes",
                   GIQ_ANSWER_MAX);
    return GIQ_ANSWER_FAILED;
}

/* A body as it is decoded. */
struct decoded {
    struct giq_answer answer; /* its status and its body */
    bool is_full;             /* of an error page the rest is of no interest */
};

static bool keep_decoded(void *ctx, const char *bytes, size_t len, struct giq_error *err)
{
    struct decoded *decoded = ctx;
    if (decoded->is_full) {
        return true;
    }
    enum giq_answer_keep kept = giq_answer_keep(&decoded->answer, bytes, len, err);
    decoded->is_full = kept == GIQ_ANSWER_ENOUGH;
    return kept != GIQ_ANSWER_FAILED;
}

bool giq_answer_decode(struct giq_answer *answer, struct giq_error *err)
{
    enum giq_head_coding coding = giq_head_coding(&answer->head);
    if (coding != GIQ_HEAD_GZIP && coding != GIQ_HEAD_DEFLATE) {
        return true;
    }
    struct decoded decoded = {.answer = {.status = answer->status}};
    struct giq_inflate *decoder = NULL;
    giq_buf_init(&decoded.answer.body, GIQ_ANSWER_MAX);
    bool ok =
        giq_inflate_new(coding == GIQ_HEAD_GZIP ? GIQ_INFLATE_GZIP : GIQ_INFLATE_DEFLATE,
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
