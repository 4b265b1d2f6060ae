/*
 * The fields of struct giq_job, which only the modules of this folder use. The functions
 * of a job are in giq/giq.h.
 */
#ifndef GIQ_JOB_INTERNAL_H
#define GIQ_JOB_INTERNAL_H

#include <string.h>

#include "base/giq_env.h"
#include "job/giq_pace.h"
#include "service/giq_service.h"
#include "store/giq_lock.h"
#include "store/giq_record.h"
#include "store/giq_store.h"
#include "store/giq_ticket.h"

/*
 * What the next step does:
 *
 *   READ_RECORD ── nothing, intent, sending ──> SUBMIT ──> WAIT ──> RECORD_STATUS
 *     ^  │  │  │                                             ^         │
 *     └──│──│──│─────────────────────────────────────────────│─────────┘
 *        │  │  └── submitted ────────────────────────────────┘
 *        │  └── succeeded, published without its result ──> FETCH ──> DONE
 *        └── published ───────────────────────────────────────────────> DONE
 *
 * SUBMIT and FETCH lead back to READ_RECORD if another open has changed the record;
 * SUBMIT also while another open sends the run request, or if a file must be uploaded
 * again that the service no longer has.
 *
 * Failed, unknown and gone end the open with the recorded error. If RETRY has an unused
 * label, SUBMIT starts a new job instead; one that is recorded as gone is first checked
 * again in WAIT or FETCH.
 *
 * With GIQ_JOB_NO_WAIT the result is not fetched: WAIT, RECORD_STATUS, SUBMIT in a dry
 * run, and READ_RECORD of a final state lead to DONE.
 */
enum giq_job_phase {
    GIQ_PHASE_READ_RECORD,
    GIQ_PHASE_SUBMIT,
    GIQ_PHASE_WAIT,
    GIQ_PHASE_RECORD_STATUS,
    GIQ_PHASE_FETCH,
    GIQ_PHASE_DONE,
};

/* What giq_learn knows of the current job. Times are on the monotonic clock. */
struct giq_learning {
    bool has_begun; /* a status call reported the job in this open */
    bool awaits_approval;
    bool has_predicted;     /* the history was read into `pace` */
    int64_t began_ms;       /* when the job began */
    int64_t began_error_ms; /* it may have begun earlier by this; INT64_MAX: unknown */
    int64_t running_ms;     /* when it was last seen to run; 0: not in this open */
    int64_t duration_ms;    /* to be recorded; 0: not learned */
    int64_t area_m2;        /* of the request; GIQ_HISTORY_AREA_UNKNOWN: not known */
    struct giq_pace pace;
};

/* Times are on the monotonic clock. */
struct giq_job {
    struct giq_service *service;
    struct giq_store *store;
    struct giq_job_host host;
    struct giq_request request; /* its texts are owned, the upload is not */
    unsigned flags;             /* enum giq_job_flags */
    enum giq_job_phase phase;

    /* The record, as this open last read or wrote it. */
    char *folder;    /* of the request's key */
    char *canonical; /* text of the request; NULL if the record is of another request */
    struct giq_json *request_json; /* the request that the record belongs to */
    struct giq_record record;
    struct giq_lock *lock;     /* held only within a step */
    struct giq_json *summary;  /* of the result that the host is accepting, or NULL */
    char *result_path;         /* of the last view */
    char *seen_job;            /* id of the last recorded job that this open knew */
    struct giq_error advice;   /* whose text the last view has as its error */
    bool has_folder;           /* this open has made the folder, whose name is durable */
    bool is_damaged;           /* the record cannot be read, and may be replaced */
    bool is_external;          /* the job has no record in the store yet */
    bool is_adopting;          /* job=<id> beside a model: the request gets that job */
    bool is_result_changed;    /* the published result differs from its record */
    bool keeps_changed_result; /* it has content, so it must not be lost */
    int64_t changed_result_size; /* of that file; -1 if it is not a file */

    /* Submitting. */
    char *model_id;         /* of the chosen model; NULL: as in the request */
    char *file_id;          /* of the uploaded file; NULL: not uploaded yet */
    char *stale_file_id;    /* of an uploaded file that the service no longer has */
    bool has_checked_store; /* the store was checked: a job can be recorded */
    bool has_checked_models;
    bool has_checked_limits;
    double area_km2;        /* of the request, by giq_limits_check(); -1: not known */
    struct giq_error limit; /* why a dry run found that no job may be started, or {0} */
    char token[GIQ_OS_TOKEN_SIZE]; /* of the intent of this open; "" before it has one */
    struct giq_ticket ticket; /* of the run request that is being sent; n is 0: none */
    int64_t touched_ms; /* when that ticket was taken or touched, by giq_env_boot_ms() */
    struct giq_ticket_watch watch; /* of the newest ticket, while it is another's */
    int known_ticket; /* highest number that this open took, or found taken; 0: none */
    /* Run requests of the key that the service throttled, whoever sent them. */
    int throttled;        /* so far */
    int throttled_before; /* when this open began; -1: it has not read the record */
    int paused_ticket;    /* the ticket whose pause ends at paused_until_ms; 0: none */
    bool has_throttled;   /* the service throttled one that this open sent */
    bool is_overtaken;    /* nothing was sent, since another open sends or has a job */
    int64_t paused_until_ms;
    char *slot; /* the slot of GIQ_MAX_JOBS that this open holds; NULL: none */
    int64_t id_received_ms; /* when this open received the job's id; 0: it did not */

    /* Waiting. */
    bool has_status;     /* the service reported the state of the job in this open */
    bool has_warned;     /* the warning about an unknown status was given */
    int not_found_count; /* consecutive responses that the job does not exist */
    int failed_polls;    /* status calls that retry_poll() counted against MAX_RETRY */
    enum giq_job_state final_state; /* as reported; GIQ_JOB_NONE: it is not final */
    int64_t unexpected_since_ms;    /* when unexpected responses began; 0: none */
    int64_t wait_began_ms;          /* 0: not yet */
    int64_t pause_ms;               /* adaptive pause, before jitter; 0: none so far */
    struct giq_learning learning;
    char *reason; /* of a failure, as the service last reported it */

    /* Checking a job again that is recorded as gone. */
    char *rechecked_id; /* of the job that is or was checked again; NULL: none */
    bool is_gone_again; /* the service reported that job as gone again */
};

/* The key of the request: the name of its folder. */
static inline const char *giq_job_key(const struct giq_job *job)
{
    const char *slash = strrchr(job->folder, '/');
    return slash == NULL ? job->folder : slash + 1;
}

/* Now on the monotonic clock. */
static inline int64_t giq_job_now_ms(const struct giq_job *job)
{
    const struct giq_env *env = job->service->env;
    return env->now_ms(env->ctx);
}

/* Whether the open shows what it would do, and sends and writes nothing. */
static inline bool giq_job_is_dry_run(const struct giq_job *job)
{
    enum { DRY_RUN = GIQ_JOB_NO_SUBMIT | GIQ_JOB_NO_WAIT };
    return (job->flags & DRY_RUN) == DRY_RUN;
}

/* How long the open may still take; 0 once TIMEOUT has passed. */
static inline int64_t giq_job_left_ms(const struct giq_job *job)
{
    return giq_env_left_ms(job->service->env, job->service->deadline_ms);
}

#endif
