/*
 * What the modules of a batch share: its requests (giq_batch), a run (giq_batch_run) and
 * the threads of a run (giq_batch_worker). The functions that hosts use are in
 * giq/batch.h.
 */
#ifndef GIQ_BATCH_INTERNAL_H
#define GIQ_BATCH_INTERNAL_H

#include <stdatomic.h>

#include "base/giq_thread.h"
#include "giq/batch.h"
#include "job/giq_job_internal.h"
#include "job/giq_notes.h"
#include "job/giq_rate.h"
#include "store/giq_key.h"

/* A request, of one row or of several that are equal. Texts are owned. */
struct giq_batch_item {
    size_t row; /* the first one */
    struct giq_key key;
    enum giq_batch_state state;
    enum giq_job_state recorded;
    enum giq_code code;
    char *error; /* the text of an error; NULL also when out of memory */
    char *job_id;
    char *result_path;    /* of a published result */
    char *status;         /* as the service reported it last; NULL: it did not */
    const char *model_id; /* chosen, borrowed from the batch; NULL: as typed */
    bool needs_job;       /* by the record that giq_batch_new() read */
    bool needs_model;     /* and the list of models for it */
    bool has_model;       /* the list was read: `model_id` is set as far as it can be */
    bool was_sending;     /* by an earlier open, when the run began with it */
};

/* A model as rows name it, and its id. */
struct giq_batch_model {
    const char *typed; /* borrowed from a request */
    char *id;
};

struct giq_batch {
    struct giq_batch_args args;
    struct giq_service *service;  /* of the caller's thread */
    struct giq_batch_item *items; /* in the order of their first rows */
    size_t item_count;
    size_t *item_of_row;
    struct giq_batch_model *models;
    size_t model_count;
    struct giq_batch_counts counts;
    struct giq_error stop;       /* why the run stopped; GIQ_E_NONE: it did not */
    struct giq_job *viewed;      /* of the last giq_batch_view() */
    struct giq_error view_error; /* of reading its record */
};

/* Set the state of an item, and count it. */
void giq_batch_set_state(struct giq_batch *batch, struct giq_batch_item *item,
                         enum giq_batch_state state);

/* Copy the path of the result of a job, if it is published. */
void giq_batch_copy_result_path(struct giq_batch_item *item, struct giq_job *job);

/* Set the state GIQ_BATCH_FAILED with this error. */
void giq_batch_set_failed(struct giq_batch *batch, struct giq_batch_item *item,
                          const struct giq_error *failure);

/* Make the job of a row. Errors: those of giq_job_new(). */
bool giq_batch_make_job(const struct giq_batch *batch, struct giq_service *service,
                        size_t row, const struct giq_job_host *host, struct giq_job **out,
                        struct giq_error *err);

struct giq_batch_run;

/* What a thread waits for. Another thread ends the wait. */
enum giq_batch_wait {
    GIQ_BATCH_NO_WAIT,
    GIQ_BATCH_WAIT_TIME,   /* until `due_ms` */
    GIQ_BATCH_WAIT_SUBMIT, /* until it may submit; it then checks again */
    GIQ_BATCH_WAIT_RETRY,  /* until `due_ms`, to submit again */
};

/* A thread of a run. */
struct giq_batch_worker {
    struct giq_batch_run *run;
    struct giq_thread thread;
    struct giq_thread_event wake;
    struct giq_env env;          /* of its jobs */
    struct giq_service *service; /* NULL before the thread has made it */
    struct giq_batch_item *item; /* that it works on */
    struct giq_job *job;
    enum giq_batch_wait wait;
    int64_t due_ms; /* when the wait ends; GIQ_RATE_BLOCKED: no time ends it */
};

/* A run. What is not atomic is guarded by `lock` once threads were started. */
struct giq_batch_run {
    struct giq_batch *batch;
    struct giq_thread_lock lock;
    struct giq_thread_event changed; /* the caller's thread has something to do */
    struct giq_notes notes;
    struct giq_rate rate;
    struct giq_batch_worker *workers;
    int worker_count;
    int live;    /* threads that have not ended */
    int waiting; /* threads that wait */
    size_t next; /* no item before this one can be begun */
    int bad_endings;
    bool has_progress; /* counts have changed since they were reported */
    bool is_cut_short; /* cancelled before all requests had ended */
    atomic_bool is_cancelled;
    atomic_int_fast64_t deadline_ms; /* TIMEOUT after the last change of a record */
};

/* The body of a thread; `ctx` is its struct giq_batch_worker. */
void *giq_batch_worker_main(void *ctx);

/* Wake the threads whose wait ends at `until_ms` or earlier. Must be called with the lock
 * held. */
void giq_batch_worker_wake(struct giq_batch_run *run, int64_t until_ms);

#endif
