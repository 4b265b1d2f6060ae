/*
 * The calls of the service (Inference API): what each sends, which may be
 * repeated and when, what its responses mean.
 *
 * Every wait ends within the open's time limit; a transfer that goes on moving
 * is not a wait. Texts of the service come out with secrets masked.
 */
#ifndef GIQ_API_H
#define GIQ_API_H

#include "base/giq_error.h"

/* ---- what the service says of a job ---- */

struct giq_api_job {
    char *id;
    char *status;       /* the service's word, or NULL */
    char *type;         /* or NULL */
    char *message;      /* why it failed, or NULL */
    int64_t started_ms; /* or GIQ_TIME_NONE */
};

void giq_api_job_release(struct giq_api_job *job);

enum giq_api_phase { GIQ_API_RUNNING, GIQ_API_SUCCEEDED, GIQ_API_FAILED };

/* What a state means (in any case). `*out_known` is false for a word that no list
 * has; it counts as running. NULL is such a word. */
enum giq_api_phase giq_api_phase(const char *status, bool *out_known);

/* ---- run ---- */

enum giq_api_run {
    GIQ_API_RUN_SUBMITTED,
    GIQ_API_RUN_NO_JOB,    /* no job was made: `err` says why */
    GIQ_API_RUN_THROTTLED, /* no job was made: the service wants the call later */
    GIQ_API_RUN_UNKNOWN,   /* a job may have been made: `err` says what happened */
};

/*
 * Submit once. `before_send` is called before every request that goes out (a
 * redirect within the origin is one more) and must note that it does; when it
 * fails nothing is sent. Fills `*job` with GIQ_API_RUN_SUBMITTED, `err`
 * otherwise; `*later_ms` is the service's delay with GIQ_API_RUN_THROTTLED, or -1.
 */
enum giq_api_run giq_api_run(struct giq_service *service,
                             const struct giq_request *request,
                             bool (*before_send)(void *ctx, struct giq_error *err),
                             void *ctx, struct giq_api_job *job, int64_t *later_ms,
                             struct giq_error *err);

/* ---- status ---- */

enum giq_api_status {
    GIQ_API_STATUS_OK,
    GIQ_API_STATUS_RETRY,     /* an outage: ask again; `err` says which */
    GIQ_API_STATUS_NOT_FOUND, /* 404, 410 */
    GIQ_API_STATUS_MISMATCH,  /* a response about another job, or about none, as a failure
                              without the job's id */
    GIQ_API_STATUS_UNEXPECTED, /* no response of a working service: a web page, 202, 401,
                           520, a redirect or a certificate that is refused */
    GIQ_API_STATUS_ERROR,      /* `err` ends the open: no key is set, no memory */
};

/* Ask once. Fills `*job` with GIQ_API_STATUS_OK, `err` otherwise; an id in `*job` is
 * `job_id`, but for the case of ASCII letters. `*later_ms` is what Retry-After asks for,
 * or -1. */
enum giq_api_status giq_api_status(struct giq_service *service, const char *job_id,
                                   struct giq_api_job *job, int64_t *later_ms,
                                   struct giq_error *err);

#endif
