#include "giq_answer.h"

#include <stdlib.h>

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
