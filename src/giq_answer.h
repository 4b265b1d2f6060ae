/*
 * What came of one HTTP exchange, and how much of its body is kept: an answer is
 * filled while its bytes arrive.
 */
#ifndef GIQ_ANSWER_H
#define GIQ_ANSWER_H

#include "giq_buf.h"
#include "giq_error.h"
#include "giq_head.h"

enum {
    GIQ_ANSWER_MAX = 16 * 1024 * 1024, /* a small answer */
    GIQ_ANSWER_ERROR_MAX = 64 * 1024,  /* the body of an error status */
};

struct giq_answer {
    bool sent;              /* the request was about to go out, so may have arrived */
    int status;             /* 0: no answer came */
    int64_t content_length; /* -1 where not told */
    int64_t retry_after_ms; /* -1 where not told or told wrongly; a day at most */
    int64_t received;       /* bytes of the body so far */
    bool proven;            /* the body's end was told: length, chunks or HTTP/2 */
    bool is_elsewhere;      /* the service redirected the request to another host */
    char *location;         /* absolute target of a redirect, or NULL */
    struct giq_head head;
    struct giq_buf body;
};

void giq_answer_init(struct giq_answer *answer);
void giq_answer_release(struct giq_answer *answer);

/* Whether the body is the data that was asked for: status 200 or 206. */
bool giq_answer_is_data(const struct giq_answer *answer);

enum giq_answer_keep {
    GIQ_ANSWER_KEPT,
    GIQ_ANSWER_ENOUGH, /* the rest of an error page is of no interest, its status is */
    GIQ_ANSWER_FAILED, /* `err` is set: too large for a small answer, or no memory */
};

/* Keep a piece of the body in memory, within the limits above. */
enum giq_answer_keep giq_answer_keep(struct giq_answer *answer, const char *bytes,
                                     size_t len, struct giq_error *err);

/* Undo the content coding of the whole body. What is in a coding that is not known, or
 * damaged, stays as it is; of an error page as much is kept as there is room for.
 * Errors: GIQ_E_SERVICE (too large for a small answer then), GIQ_E_MEMORY. */
bool giq_answer_decode(struct giq_answer *answer, struct giq_error *err);

#endif
