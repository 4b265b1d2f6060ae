/*
 * Batch: many requests, each of which is submitted, awaited and fetched exactly as if it
 * were opened alone, several at a time.
 *
 * Calling sequence of a host:
 *   giq_batch_new()            read the record of every request; sends nothing
 *   giq_batch_get_counts()     how many jobs a run would start, and how many are invalid
 *   giq_batch_check_limits()   whether so many may be started today
 *   giq_batch_choose_models()  find the models of these jobs, with one call
 *   giq_batch_run()            submit, wait and fetch; ends when all threads have ended
 *   giq_batch_get_row(), giq_batch_view()   the outcome of each row
 *   giq_batch_free()
 *
 * Rows with equal requests are one job: the first of them is worked on, and all report
 * its outcome. RETRY starts no job for a request whose outcome is unknown.
 *
 * Threads: giq_batch_run() works in threads of its own, which have ended when it returns.
 * All functions of this header must be called in the thread that made the batch. Signals
 * are blocked in the threads of a run.
 */
#ifndef GIQ_BATCH_API_H
#define GIQ_BATCH_API_H

#include "giq/giq.h"

#ifdef __cplusplus
extern "C" {
#endif

struct giq_batch;

enum {
    GIQ_BATCH_CONCURRENCY_MAX = 256,
    /* Consecutive bad endings (refused, failed, unknown) after which a run starts no
     * further row. */
    GIQ_BATCH_BAD_ENDINGS_MAX = 10,
};

/* How far a request is. */
enum giq_batch_state {
    GIQ_BATCH_PENDING,   /* not begun: there was no run yet, or it stopped first */
    GIQ_BATCH_RUNNING,   /* only while giq_batch_run() calls `progress` */
    GIQ_BATCH_PUBLISHED, /* its result is in the store */
    GIQ_BATCH_CHECKED,   /* GIQ_JOB_NO_WAIT: submitted now, or its state was checked */
    GIQ_BATCH_FAILED,    /* it has an error, as recorded before or from this run */
};

/* Numbers of requests; rows with equal requests count once. */
struct giq_batch_counts {
    size_t requests; /* all of them: the sum of the next five */
    size_t pending;
    size_t running;
    size_t published;
    size_t checked;
    size_t failed;
    /* How many jobs the run would start at most, by the records that giq_batch_new()
     * read: one for each request without a job, and one for each that RETRY may start. */
    size_t new_jobs;
    size_t failed_by_code[GIQ_CODE_COUNT]; /* indexed by enum giq_code */
};

/* A row. Texts are borrowed until the next giq_batch_run() or giq_batch_free(). Must not
 * be requested during a run. */
struct giq_batch_row {
    enum giq_batch_state state;
    enum giq_job_state recorded; /* the state of its record, as last read or written */
    const char *key;             /* of the request: the name of its folder in the store */
    const char *job_id;          /* NULL if there is no job */
    const char *result_path; /* as in struct giq_job_view, of GIQ_BATCH_PUBLISHED; NULL
                                also when out of memory */
    size_t first;            /* the first row with the same request; may be itself */
    bool needs_job;          /* giq_batch_new(): it counts in `new_jobs` */
    enum giq_code code;      /* GIQ_BATCH_FAILED: the error; else GIQ_E_NONE */
    const char *error;       /* its text; NULL without an error */
};

/* Functions of the host. Those that are called in the threads of a run may be called by
 * several of them at a time. All may be NULL, but `accept` only with GIQ_JOB_NO_WAIT. */
struct giq_batch_host {
    /* Called in each thread before and after its work; `thread_end` only if
     * `thread_begin` succeeded. A failure has the same effect as a request that fails
     * with this error. */
    bool (*thread_begin)(void *ctx, struct giq_error *err);
    void (*thread_end)(void *ctx);
    /* In a thread: as `accept` of struct giq_job_host. `row` is the first row with this
     * request; `job` may be used for giq_job_get_view(). */
    bool (*accept)(void *ctx, size_t row, struct giq_job *job, const char *path,
                   struct giq_error *err);
    /* In a thread: as `may_start` of struct giq_job_host. */
    bool (*may_start)(void *ctx, struct giq_error *err);
    /* In a thread: whether the result of `job`, which has succeeded, may be downloaded. A
     * failure ends the request with this error. */
    bool (*may_fetch)(void *ctx, struct giq_job *job, struct giq_error *err);
    /* In the caller's thread, after counts have changed. */
    void (*progress)(void *ctx, const struct giq_batch_counts *counts);
    void *ctx; /* passed to each of them */
};

/* All that is pointed to is borrowed for the life of the batch. */
struct giq_batch_args {
    const struct giq_settings *settings;
    const struct giq_cred *cred; /* as for giq_service_new() */
    /* now_ms(), wall_ms(), random() and cancelled() are called in all threads, the others
     * only in the caller's thread. Warnings of the threads reach warn() there; equal ones
     * once. */
    const struct giq_env *env;
    struct giq_store *store;
    /* One for each row; `job` must be NULL. The source of an upload must not be shared by
     * rows with different requests. */
    const struct giq_request *requests;
    size_t count;
    unsigned flags; /* enum giq_job_flags, for all rows */
    struct giq_limits limits;
    int concurrency; /* requests at a time, from 1 to GIQ_BATCH_CONCURRENCY_MAX */
    /* Make only one status call for each job: giq_service_limit_to_one_poll(). */
    bool polls_once;
    /* Try each call for a job only once until the state of the job is known, and the list
     * of models: giq_service_limit_to_one_try(). */
    bool tries_once;
    struct giq_batch_host host;
};

/*
 * Make the keys of all rows and read their records; takes no lock, writes and sends
 * nothing. `args` is copied. A record that states an error, or is damaged, makes the row
 * GIQ_BATCH_FAILED, not the call fail. A row that needs a job and whose area is beyond
 * the limits becomes GIQ_BATCH_FAILED with GIQ_E_USAGE, a code that no record has. The
 * host must then not run the batch, so that nothing is sent for an invalid one. The
 * caller passes `*out` to giq_batch_free().
 * Errors: GIQ_E_USAGE (the label of RETRY), GIQ_E_CANCELLED, GIQ_E_MEMORY.
 */
bool giq_batch_new(const struct giq_batch_args *args, struct giq_batch **out,
                   struct giq_error *err);
void giq_batch_free(struct giq_batch *batch);

/* Fill `*out` with what is known now. */
void giq_batch_get_counts(const struct giq_batch *batch, struct giq_batch_counts *out);

/* Fill `*out` with what is known of the row at `index`. */
void giq_batch_get_row(const struct giq_batch *batch, size_t index,
                       struct giq_batch_row *out);

/*
 * Read the record of a row again, and fill `*out` with it; for a request without a record
 * with the request itself, and the state GIQ_JOB_NONE. `status` of a job that runs is
 * what the service reported last; `error` is that of the row if the record has none.
 * Texts are borrowed until the next view, run or giq_batch_free(). Takes no lock. Errors:
 * GIQ_E_STORE, GIQ_E_MEMORY.
 */
bool giq_batch_view(struct giq_batch *batch, size_t index, struct giq_job_view *out,
                    struct giq_error *err);

/* Check that GIQ_MAX_JOBS allows `new_jobs` more jobs today. A job counts when it is
 * started, so other opens may reach the limit before the run does. Writes and sends
 * nothing. Errors: GIQ_E_USAGE, which has the numbers; GIQ_E_STORE, GIQ_E_MEMORY.
 */
bool giq_batch_check_limits(const struct giq_batch *batch, struct giq_error *err);

/*
 * Find the models of the jobs that the run would start, with one list of models; sends
 * nothing if there are none, or with GIQ_JOB_NO_SUBMIT. As for a single request, a list
 * that is unavailable or incomplete rejects no model, and models are sent as typed. A row
 * whose model does not exist becomes GIQ_BATCH_FAILED with GIQ_E_USAGE; the host must
 * then not run the batch. `*out_invalid` is the number of such requests. Errors:
 * GIQ_E_CREDENTIALS, _STORE (a job could not be recorded), _NETWORK, _CANCELLED, _MEMORY.
 */
bool giq_batch_choose_models(struct giq_batch *batch, size_t *out_invalid,
                             struct giq_error *err);

/*
 * Work on all pending requests, in the order of their rows, and return when every one has
 * ended or the run has stopped. To be called once. An error of one request ends only
 * that: see giq_batch_get_row(). The time limit of the settings counts from the last
 * change of the state of any record; jobs that are unfinished then have GIQ_E_TIMEOUT,
 * and requests that were not begun stay pending.
 *
 * Errors: GIQ_E_CANCELLED (jobs that were started continue), GIQ_E_MEMORY (no thread
 * could be started). Otherwise true, even if every request failed.
 */
bool giq_batch_run(struct giq_batch *batch, struct giq_error *err);

/* Why a run stopped beginning requests, or NULL if it did not: an error that concerns
 * all requests (credentials, store, memory, a permanent failure of the network), the last
 * of GIQ_BATCH_BAD_ENDINGS_MAX bad endings, or GIQ_E_TIMEOUT. Borrowed. */
const struct giq_error *giq_batch_get_stop(const struct giq_batch *batch);

#ifdef __cplusplus
}
#endif

#endif
