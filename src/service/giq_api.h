/*
 * The calls that start a job and read its status: what is sent, and what the responses
 * mean. Every wait ends within the time limit of the open, except that the response to a
 * run request is awaited for 5 minutes at least. Secrets in texts of the service are
 * masked. A service serves one thread at a time.
 */
#ifndef GIQ_API_H
#define GIQ_API_H

#include "base/giq_error.h"

/* ---- a job as the service describes it ---- */

struct giq_api_job {
    char *id;           /* or NULL */
    char *status;       /* as the service wrote it, or NULL */
    char *type;         /* or NULL */
    char *message;      /* of the service, such as why the job failed; or NULL */
    int64_t started_ms; /* or GIQ_TIME_NONE */
};

void giq_api_job_release(struct giq_api_job *job);

enum giq_api_state { GIQ_API_RUNNING, GIQ_API_SUCCEEDED, GIQ_API_FAILED };

/* What a status means, ignoring case. `*out_known` is false for a word that is not on the
 * list, and for NULL; both count as running. */
enum giq_api_state giq_api_state_of(const char *status, bool *out_known);

/* Whether a job with this status waits until a person approves it on the service. */
bool giq_api_awaits_approval(const char *status);

/* ---- run ---- */

enum giq_api_run_outcome {
    GIQ_API_RUN_SUBMITTED, /* a job was started, and `*job` has its id */
    GIQ_API_RUN_NO_JOB,    /* no job was started; `err` has the reason */
    GIQ_API_RUN_THROTTLED, /* no job was started; the service wants a retry later; `err`
                              is set */
    GIQ_API_RUN_UNKNOWN,   /* a job may have been started; `err` has the reason */
};

/* What the caller does while a run request is sent. */
struct giq_api_run_hooks {
    bool (*before_send)(void *ctx, struct giq_error *err);
    void (*tick)(void *ctx); /* at least once a second during the exchange */
    void *ctx;               /* of both */
};

/*
 * Send the run request, once. `before_send` is called before every request that is sent
 * (following a redirect within the origin sends one more) and must record it; if it fails
 * nothing is sent. On GIQ_API_RUN_SUBMITTED `*job` is filled, and the caller must release
 * it, otherwise `err` is set; `*retry_after_ms` is the Retry-After of
 * GIQ_API_RUN_THROTTLED, or -1. From `before_send` on the call is not cancelled.
 */
enum giq_api_run_outcome giq_api_run(struct giq_service *service,
                                     const struct giq_request *request,
                                     const struct giq_api_run_hooks *hooks,
                                     struct giq_api_job *job, int64_t *retry_after_ms,
                                     struct giq_error *err);

/* ---- status ---- */

enum giq_api_status_outcome {
    GIQ_API_STATUS_OK,         /* `*job` is filled */
    GIQ_API_STATUS_OUTAGE,     /* a retry may help */
    GIQ_API_STATUS_NOT_FOUND,  /* 404, 410 */
    GIQ_API_STATUS_MISMATCH,   /* the response is about another job or about none, or
                                  states a failure without the job's id */
    GIQ_API_STATUS_UNEXPECTED, /* not the response of a working service: a web page, 202,
                                  401, 520, a refused redirect or certificate */
    GIQ_API_STATUS_ERROR,      /* `err` ends the open: no key is set, cancelled, or out of
                                  memory */
};

/* Request the status once. On GIQ_API_STATUS_OK `*job` is filled, and the caller must
 * release it, otherwise `err` is set. An id in `*job` equals `job_id`, ignoring ASCII
 * case. `*retry_after_ms` is the Retry-After, or -1. */
enum giq_api_status_outcome giq_api_status(struct giq_service *service,
                                           const char *job_id, struct giq_api_job *job,
                                           int64_t *retry_after_ms,
                                           struct giq_error *err);

#endif
