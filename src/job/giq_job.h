/*
 * The life of one request: a state machine over its record and its flight. The
 * interface is in giq/giq.h; what follows here is what its parts share.
 *
 *   LOOK ── nothing, intent, sending ──> SUBMIT ──> WAIT ──> SETTLE ──> FETCH ──> DONE
 *     │                                              ^                    ^        ^
 *     └── submitted ─────────────────────────────────┘                    │        │
 *     ├── succeeded, published without its result ────────────────────────┘        │
 *     ├── gone, with an unused RETRY label: WAIT or FETCH once more, then SUBMIT   │
 *     └── published ──────────────────────────────────────────────────────────────┘
 *
 * Failed and unknown end the open with what is recorded. A flight is held within
 * one step only; while another process holds it, a step says when to come again.
 */
#ifndef GIQ_JOB_H
#define GIQ_JOB_H

#include "service/giq_api.h"
#include "store/giq_lock.h"
#include "store/giq_record.h"
#include "store/giq_store.h"

enum giq_job_phase {
    GIQ_PHASE_READ_RECORD,
    GIQ_PHASE_SUBMIT,
    GIQ_PHASE_WAIT,
    GIQ_PHASE_RECORD_FINAL, /* the end of the job is to be recorded */
    GIQ_PHASE_FETCH,
    GIQ_PHASE_DONE,
};

struct giq_job {
    struct giq_service *service;
    struct giq_store *store;
    struct giq_job_host host;
    unsigned flags;
    struct giq_request request;    /* its texts are owned, the upload is not */
    char *model_id;                /* of the model that is meant; NULL: as typed */
    char *file_id;                 /* of the uploaded file, once it is */
    char *stale_file_id;           /* such an id that the service did not know */
    char *canonical;               /* NULL once another record serves the job */
    struct giq_json *request_json; /* the request that the record is of */
    char *folder;
    char *result_path; /* as the last view showed it */
    struct giq_record record;
    struct giq_lock *lock; /* held only within a step */
    enum giq_job_phase phase;
    bool is_external;       /* a job of the service's without a record of ours */
    bool is_adopting;       /* ... which is to become that of the request */
    bool is_damaged;        /* the record cannot be read, and is to be replaced */
    bool is_result_changed; /* the published result is not as it was published */
    bool
        keeps_changed_result; /* ... and is not an empty folder: no failure may lose it */
    int64_t changed_result_size; /* of that file; -1 where it is none */
    bool has_checked_store;      /* that a job can be recorded */
    bool has_checked_models;
    bool has_folder;        /* made, and the flight is waited for or held */
    bool has_warned;        /* of a state that no list has */
    int throttled_count;    /* times that the service wanted the run later */
    bool has_status;        /* the service told of the job in this open */
    int not_found_count;    /* status calls in a row that did not know the job */
    int checks;             /* failed status calls of a job without a record, or about
                               another job before any good response */
    int64_t id_received_ms; /* when this open was told the job's id; 0: it was not */
    int64_t unexpected_since_ms; /* since when there are odd responses only; 0: there are
                                    none */
    int64_t wait_began_ms;       /* of polling; 0 before */
    int64_t pause_ms;            /* between the last two status calls */
    enum giq_job_state final_state; /* to be recorded; GIQ_JOB_NONE: none yet */
    char *reason;                /* of a failure, as the service last told it */
    char *gone_id;      /* of the gone job that RETRY has checked once more, or NULL */
    bool is_gone_again; /* the service said of that job that it is still gone */
};

/* Submit, or find that another did: one step of GIQ_PHASE_SUBMIT. On success
 * `*due_ms` says when the next step is due. */
bool giq_submit_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err);

/* Ask for the state, or record the end: GIQ_PHASE_WAIT and GIQ_PHASE_RECORD_FINAL. */
bool giq_wait_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err);
bool giq_wait_finish(struct giq_job *job, int64_t *due_ms, struct giq_error *err);

/* ---- what the steps share (giq_step.c) ---- */

/*
 * Try to enter the flight of the job's folder and read the record again. Where
 * another holds it, `*out_held` is false and `*due_ms` says when to try again;
 * GIQ_E_TIMEOUT when the open's time is over.
 */
bool giq_step_acquire_lock(struct giq_job *job, bool *out_held, int64_t *due_ms,
                           struct giq_error *err);
void giq_step_release_lock(struct giq_job *job);

/*
 * What it means that a flight is held elsewhere: another try at `*due_ms`, and `err` is
 * cleared. False with `err` as it was where that is not what it says, or the open's time
 * is over.
 */
bool giq_step_retry_later(const struct giq_job *job, int64_t *due_ms,
                          struct giq_error *err);

/* Write the record with a new state. Within the flight only. */
bool giq_step_write(struct giq_job *job, enum giq_job_state state, struct giq_error *err);

/* Read the record into `*out`, an initialised record. One that is damaged is no
 * error where it may be replaced: then job->is_damaged is set. */
bool giq_step_read(struct giq_job *job, struct giq_record *out, struct giq_error *err);

/* Whether the record ended so that RETRY asks for a new job. One that is gone must have
 * been checked once more in this open. */
bool giq_step_may_retry(const struct giq_job *job);

/*
 * A record that is only gone may be a gateway's mistake, so the service is asked once
 * more before RETRY pays for a new job: whether that is still to be done, to begin it,
 * whether it is in progress, and that the service said gone again.
 */
bool giq_step_must_recheck(const struct giq_job *job);
bool giq_step_begin_recheck(struct giq_job *job, struct giq_error *err);
bool giq_step_is_rechecking(const struct giq_job *job);
void giq_step_end_recheck(struct giq_job *job);

/* Whether the service said that it no longer knows the job, or has its result, and who
 * opens does not name the job to have it asked once more. */
bool giq_step_is_gone(const struct giq_job *job);

/* Whether the request of `record` may get the job that is named; GIQ_E_USAGE where it
 * has another one. */
bool giq_step_may_adopt(const struct giq_job *job, const struct giq_record *record,
                        struct giq_error *err);

/* Whether the host allows an upload, a new job, or the record of an external job. */
bool giq_step_may_begin(const struct giq_job *job, struct giq_error *err);

/* Add to an error which job it is about; returns false. */
bool giq_step_name_job(const struct giq_job *job, struct giq_error *err);

/* Errors that the record tells. */
bool giq_step_fail_recorded(const struct giq_job *job, struct giq_error *err);

/* The error where somebody removed the record of the job `id`, which was paid for. */
bool giq_step_fail_removed(const struct giq_job *job, const char *id,
                           struct giq_error *err);

/* Now on the monotonic clock, and how long the open may still take. */
int64_t giq_step_now_ms(const struct giq_job *job);
int64_t giq_step_left_ms(const struct giq_job *job);

#endif
