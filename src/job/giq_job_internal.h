/*
 * The fields of struct giq_job, which only the modules of this folder use. The functions
 * of a job are in giq/giq.h.
 */
#ifndef GIQ_JOB_INTERNAL_H
#define GIQ_JOB_INTERNAL_H

#include "base/giq_env.h"
#include "service/giq_service.h"
#include "store/giq_lock.h"
#include "store/giq_record.h"
#include "store/giq_store.h"

/*
 * What the next step does:
 *
 *   READ_RECORD ── nothing, intent, sending ──> SUBMIT ──> WAIT ──> RECORD_FINAL
 *     ^  │  │  │                                             ^         │
 *     └──│──│──│─────────────────────────────────────────────│─────────┘
 *        │  │  └── submitted ────────────────────────────────┘
 *        │  └── succeeded, published without its result ──> FETCH ──> DONE
 *        └── published ───────────────────────────────────────────────> DONE
 *
 * Failed and unknown end the open with the recorded error. A record that is gone, with
 * an unused RETRY label, goes through WAIT or FETCH once more, then to SUBMIT.
 */
enum giq_job_phase {
    GIQ_PHASE_READ_RECORD,
    GIQ_PHASE_SUBMIT,
    GIQ_PHASE_WAIT,
    GIQ_PHASE_RECORD_STATUS,
    GIQ_PHASE_FETCH,
    GIQ_PHASE_DONE,
};

struct giq_job {
    struct giq_service *service;
    struct giq_store *store;
    struct giq_job_host host;
    unsigned flags;             /* enum giq_job_flags */
    struct giq_request request; /* its texts are owned, the upload is not */
    enum giq_job_phase phase;

    /* The record, as this open last read or wrote it. */
    char *folder;                  /* of the request's key */
    char *canonical;               /* NULL once the record of another request is used */
    struct giq_json *request_json; /* the request that the record belongs to */
    struct giq_record record;
    struct giq_lock *lock; /* held only within a step */
    bool has_folder;       /* the folder was made, and the lock is awaited or held */
    bool is_damaged;       /* the record cannot be read, and is to be replaced */
    bool is_external;      /* a job of the service that has no record here */
    bool is_adopting;      /* ... and is to become that of the request */
    char *result_path;     /* of the last view */

    /* The published result, once it is not as recorded. */
    bool is_result_changed;
    bool keeps_changed_result;   /* it is no empty folder, so it must not be lost */
    int64_t changed_result_size; /* of that file; -1 if it is no file */

    /* Submitting. */
    char *model_id;         /* of the chosen model; NULL: as in the request */
    char *file_id;          /* of the uploaded file; NULL: not uploaded yet */
    char *stale_file_id;    /* such an id that the service no longer knows */
    bool has_checked_store; /* a job can be recorded */
    bool has_checked_models;
    int throttled_count;    /* run requests that the service throttled */
    int64_t id_received_ms; /* when this open received the job's id; 0: it did not */

    /* Waiting. */
    bool has_status;     /* the service reported the state of the job in this open */
    bool has_warned;     /* of a state that is on no list */
    int not_found_count; /* status calls in a row to which the job was not known */
    int failed_polls;    /* of an external job, or that reported another job before any
                            good response */
    int64_t unexpected_since_ms; /* since when all responses are unexpected; 0: none is */
    int64_t wait_began_ms;       /* 0: not yet */
    int64_t pause_ms;            /* between the last two status calls */
    enum giq_job_state final_state; /* to be recorded; GIQ_JOB_NONE: it is not final */
    char *reason;                   /* of a failure, as the service last reported it */

    /* Checking a job that is recorded as gone once more. */
    char *rechecked_id; /* of the job that is or was checked, or NULL */
    bool is_gone_again; /* the service reported that job as gone again */
};

/* Now on the monotonic clock. */
static inline int64_t giq_job_now_ms(const struct giq_job *job)
{
    const struct giq_env *env = job->service->env;
    return env->now_ms(env->ctx);
}

/* How long the open may still take. */
static inline int64_t giq_job_left_ms(const struct giq_job *job)
{
    return giq_env_left_ms(job->service->env, job->service->deadline_ms);
}

#endif
