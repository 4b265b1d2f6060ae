/*
 * A thread of a run: takes one request after the other, and steps its job until it ends.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/giq_cleanup.h"
#include "base/giq_error.h"
#include "base/giq_text.h"
#include "job/giq_batch_internal.h"
#include "job/giq_submit.h"

/* ---- waiting ---- */

static const struct giq_env *host_env(const struct giq_batch_run *run)
{
    return run->batch->args.env;
}

static int64_t now_ms_of(const struct giq_batch_run *run)
{
    const struct giq_env *env = host_env(run);
    return env->now_ms(env->ctx);
}

/* Must be called with the lock held. */
static void wake(struct giq_batch_worker *worker)
{
    worker->wait = GIQ_BATCH_NO_WAIT;
    worker->run->waiting--;
    giq_thread_wake(&worker->wake);
}

void giq_batch_worker_wake(struct giq_batch_run *run, int64_t until_ms)
{
    for (int i = 0; i < run->worker_count; i++) {
        struct giq_batch_worker *worker = &run->workers[i];
        if (worker->wait != GIQ_BATCH_NO_WAIT && worker->due_ms <= until_ms) {
            wake(worker);
        }
    }
}

/* Wake the threads that wait for `wait`. Must be called with the lock held. */
static void wake_all(struct giq_batch_run *run, enum giq_batch_wait wait)
{
    for (int i = 0; i < run->worker_count; i++) {
        struct giq_batch_worker *worker = &run->workers[i];
        if (worker->wait == wait) {
            wake(worker);
        }
    }
}

/* Wait until `due_ms`, until it is woken, or until the run is cancelled. The caller's
 * thread keeps the time, so that the host's clock decides. Must be called with the lock
 * held. */
static void wait_until(struct giq_batch_worker *worker, enum giq_batch_wait wait,
                       int64_t due_ms)
{
    struct giq_batch_run *run = worker->run;
    if (atomic_load(&run->is_cancelled) || due_ms <= now_ms_of(run)) {
        return;
    }
    worker->due_ms = due_ms;
    worker->wait = wait;
    run->waiting++;
    giq_thread_wake(&run->changed);
    while (worker->wait != GIQ_BATCH_NO_WAIT) {
        giq_thread_wait(&worker->wake, &run->lock);
    }
}

/* Must be called with the lock held. */
static void share_throttling(struct giq_batch_worker *worker)
{
    giq_rate_throttle(&worker->run->rate, worker->service->throttled_until_ms);
}

/* ---- the environment of a job ---- */

/* Jobs read the clock before they compute how much time is left, so this is where their
 * service gets the time limit that all threads share. */
static int64_t now_ms(void *ctx)
{
    const struct giq_batch_worker *worker = ctx;
    struct giq_service *service = worker->service;
    if (service != NULL && !service->checks_once) {
        service->deadline_ms = atomic_load(&worker->run->deadline_ms);
    }
    return now_ms_of(worker->run);
}

static int64_t boot_ms(void *ctx)
{
    const struct giq_batch_worker *worker = ctx;
    return giq_env_boot_ms(host_env(worker->run));
}

static int64_t wall_ms(void *ctx)
{
    const struct giq_batch_worker *worker = ctx;
    const struct giq_env *env = host_env(worker->run);
    return env->wall_ms(env->ctx);
}

static void sleep_ms(void *ctx, int64_t ms)
{
    struct giq_batch_worker *worker = ctx;
    struct giq_batch_run *run = worker->run;
    giq_thread_lock(&run->lock);
    share_throttling(worker);
    wait_until(worker, GIQ_BATCH_WAIT_TIME, now_ms_of(run) + ms);
    giq_thread_unlock(&run->lock);
}

static bool cancelled(void *ctx)
{
    const struct giq_batch_worker *worker = ctx;
    const struct giq_env *env = host_env(worker->run);
    return atomic_load(&worker->run->is_cancelled) || env->cancelled(env->ctx);
}

static uint32_t draw(void *ctx)
{
    const struct giq_batch_worker *worker = ctx;
    const struct giq_env *env = host_env(worker->run);
    return env->random(env->ctx);
}

static void warn(void *ctx, const char *text)
{
    const struct giq_batch_worker *worker = ctx;
    giq_notes_warn(&worker->run->notes, text);
}

static void debug(void *ctx, const char *text)
{
    const struct giq_batch_worker *worker = ctx;
    giq_notes_debug(&worker->run->notes, text);
}

static bool make_service(struct giq_batch_worker *worker, struct giq_error *err)
{
    const struct giq_batch_args *args = &worker->run->batch->args;
    worker->env = (struct giq_env){
        .now_ms = now_ms,
        .boot_ms = boot_ms,
        .wall_ms = wall_ms,
        .sleep_ms = sleep_ms,
        .cancelled = cancelled,
        .random = draw,
        .warn = warn,
        .debug = debug,
        .ctx = worker,
    };
    if (!giq_service_new(args->settings, args->cred, &worker->env, &worker->service,
                         err)) {
        return false;
    }
    if (args->polls_once) {
        giq_service_limit_to_one_poll(worker->service);
    }
    return true;
}

/* ---- stopping ---- */

/* Begin no further request. Must be called with the lock held. */
static void stop(struct giq_batch_run *run, const struct giq_error *reason)
{
    if (run->batch->stop.code == GIQ_E_NONE) {
        run->batch->stop = *reason;
        wake_all(run, GIQ_BATCH_WAIT_SUBMIT);
        wake_all(run, GIQ_BATCH_WAIT_RETRY);
    }
}

static bool has_stopped(const struct giq_batch_run *run)
{
    return run->batch->stop.code != GIQ_E_NONE;
}

/* Whether the error of one request concerns all of them. */
static bool concerns_all(const struct giq_error *failure)
{
    return failure->code == GIQ_E_CREDENTIALS || failure->code == GIQ_E_STORE ||
           failure->code == GIQ_E_MEMORY ||
           (failure->code == GIQ_E_NETWORK && failure->permanent);
}

/* Whether the error counts against the service. An unknown outcome does not if an earlier
 * open sent the request. */
static bool is_bad_ending(const struct giq_batch_item *item,
                          const struct giq_error *failure)
{
    return failure->code == GIQ_E_REFUSED || failure->code == GIQ_E_FAILED ||
           (failure->code == GIQ_E_UNKNOWN && !item->was_sending);
}

/* Must be called with the lock held. */
static void stop_after(struct giq_batch_run *run, const struct giq_batch_item *item,
                       const struct giq_error *failure)
{
    if (concerns_all(failure)) {
        stop(run, failure);
    }
    if (!is_bad_ending(item, failure)) {
        return;
    }
    run->bad_endings++;
    if (run->bad_endings >= GIQ_BATCH_BAD_ENDINGS_MAX) {
        struct giq_error reason = *failure;
        (void)giq_error_context(&reason,
                                "%d requests in a row were refused, failed, or have an "
                                "unknown outcome; the last",
                                GIQ_BATCH_BAD_ENDINGS_MAX);
        stop(run, &reason);
    }
}

/* Whether TIMEOUT has passed since the last change of a record. With a timeout of 0 every
 * request is checked once. Must be called with the lock held. */
static bool has_timed_out(const struct giq_batch_run *run)
{
    return run->batch->args.settings->timeout_ms > 0 &&
           now_ms_of(run) >= atomic_load(&run->deadline_ms);
}

/* ---- requests ---- */

/* Take the next request to work on; NULL if there is none, or the run has stopped. */
static struct giq_batch_item *take_item(struct giq_batch_run *run)
{
    struct giq_batch *batch = run->batch;
    while (run->next < batch->item_count &&
           batch->items[run->next].state != GIQ_BATCH_PENDING) {
        run->next++;
    }
    if (run->next == batch->item_count || has_stopped(run) ||
        atomic_load(&run->is_cancelled)) {
        return NULL;
    }
    if (has_timed_out(run)) {
        struct giq_error reason;
        (void)giq_fail(&reason, GIQ_E_TIMEOUT,
                       "no job has changed its state for %d s; jobs that were started "
                       "continue, and opening the same dataset again continues the "
                       "wait. Set TIMEOUT to wait longer",
                       batch->args.settings->timeout_ms / 1000);
        stop(run, &reason);
        return NULL;
    }
    struct giq_batch_item *item = &batch->items[run->next++];
    item->was_sending = item->recorded == GIQ_JOB_SENDING;
    giq_batch_set_state(batch, item, GIQ_BATCH_RUNNING);
    run->has_progress = true;
    return item;
}

/* Copy what is known of the job. When out of memory, what was known before stays. */
static void copy_texts(struct giq_batch_worker *worker)
{
    const struct giq_record *record = &worker->job->record;
    if (record->job_id != NULL) {
        (void)giq_text_set(&worker->item->job_id, record->job_id);
    }
    if (record->status != NULL) {
        (void)giq_text_set(&worker->item->status, record->status);
    }
    giq_batch_copy_result_path(worker->item, worker->job);
}

/* An intent is no change: it is removed if no job is started, and an earlier record is
 * then restored. Must be called with the lock held. */
static void note_change(struct giq_batch_worker *worker)
{
    struct giq_batch_run *run = worker->run;
    enum giq_job_state state = worker->job->record.state;
    if (state <= GIQ_JOB_INTENT || state == worker->item->recorded) {
        return;
    }
    worker->item->recorded = state;
    atomic_store(&run->deadline_ms,
                 now_ms_of(run) + run->batch->args.settings->timeout_ms);
}

/* Whether a request that has no error has a job that did not fail. */
static bool is_good(const struct giq_batch_item *item)
{
    return item->recorded != GIQ_JOB_FAILED && item->recorded != GIQ_JOB_UNKNOWN;
}

static void end_item(struct giq_batch_worker *worker, const struct giq_error *failure)
{
    struct giq_batch_run *run = worker->run;
    bool is_no_wait = (run->batch->args.flags & GIQ_JOB_NO_WAIT) != 0;
    giq_thread_lock(&run->lock);
    if (failure == NULL) {
        if (is_good(worker->item)) {
            run->bad_endings = 0;
        }
        giq_batch_set_state(run->batch, worker->item,
                            is_no_wait ? GIQ_BATCH_CHECKED : GIQ_BATCH_PUBLISHED);
    } else {
        giq_batch_set_failed(run->batch, worker->item, failure);
        run->is_cut_short |= atomic_load(&run->is_cancelled);
        stop_after(run, worker->item, failure);
    }
    run->has_progress = true;
    giq_thread_wake(&run->changed);
    giq_thread_unlock(&run->lock);
}

/* Make a request pending again that was not sent before the run stopped. */
static void put_back_item(struct giq_batch_worker *worker)
{
    struct giq_batch_run *run = worker->run;
    giq_submit_cancel(worker->job);
    giq_thread_lock(&run->lock);
    giq_batch_set_state(run->batch, worker->item, GIQ_BATCH_PENDING);
    run->has_progress = true;
    giq_thread_unlock(&run->lock);
}

/* ---- when a job may call the service ---- */

enum admission {
    ADMITTED,
    STOPPED, /* the run begins no further request */
    REFUSED, /* with an error */
};

/* Whether the service throttles for longer than the open may wait. */
static bool is_throttled_too_long(const struct giq_batch_run *run, int64_t due_ms,
                                  struct giq_error *err)
{
    enum { MS_PER_S = 1000 };
    if (due_ms == GIQ_RATE_BLOCKED || due_ms < atomic_load(&run->deadline_ms)) {
        return false;
    }
    int64_t pause_ms = due_ms - now_ms_of(run);
    (void)giq_fail(err, GIQ_E_REFUSED,
                   "no job was started: the service accepts no jobs for another %lld s, "
                   "which is longer than TIMEOUT allows; set TIMEOUT to wait longer, or "
                   "open again then",
                   (long long)(pause_ms + MS_PER_S - 1) / MS_PER_S);
    return true;
}

/* Wait until a run request may be sent. If the run is cancelled the job is admitted, and
 * its next step fails with GIQ_E_CANCELLED. Must be called with the lock held. */
static enum admission admit_submit(struct giq_batch_worker *worker, struct giq_error *err)
{
    struct giq_batch_run *run = worker->run;
    while (!atomic_load(&run->is_cancelled)) {
        int64_t now = now_ms_of(run);
        int64_t due_ms = giq_rate_submit_due_ms(&run->rate, now);
        if (has_stopped(run)) {
            return STOPPED;
        }
        if (due_ms <= now) {
            break;
        }
        if (is_throttled_too_long(run, due_ms, err)) {
            return REFUSED;
        }
        wait_until(worker, GIQ_BATCH_WAIT_SUBMIT, due_ms);
    }
    return ADMITTED;
}

/* Wait for the turn of a status call. The state of a job that was just started is known
 * from the response, so other jobs get a turn before it. The time limit of an open that
 * checks once begins after this wait. Must be called with the lock held. */
static void admit_status(struct giq_batch_worker *worker)
{
    struct giq_batch_run *run = worker->run;
    bool is_first = worker->job->wait_began_ms == 0;
    if (is_first && worker->job->id_received_ms != 0) {
        wait_until(worker, GIQ_BATCH_WAIT_TIME, now_ms_of(run) + GIQ_PACE_SHORTEST_MS);
    }
    wait_until(worker, GIQ_BATCH_WAIT_TIME,
               giq_rate_take_status(&run->rate, now_ms_of(run)));
    if (is_first) {
        giq_service_restart_check(worker->service);
    }
}

static enum admission admit(struct giq_batch_worker *worker, struct giq_error *err)
{
    struct giq_batch_run *run = worker->run;
    enum admission admission = ADMITTED;
    giq_thread_lock(&run->lock);
    if (worker->job->phase == GIQ_PHASE_WAIT) {
        admit_status(worker);
    } else if (worker->job->phase == GIQ_PHASE_SUBMIT) {
        admission = admit_submit(worker, err);
        if (admission == ADMITTED) {
            giq_rate_begin_submit(&run->rate);
        }
    }
    giq_thread_unlock(&run->lock);
    return admission;
}

/* ---- the steps of a job ---- */

/* Must be called with the lock held. */
static void end_submit(struct giq_batch_worker *worker)
{
    struct giq_batch_run *run = worker->run;
    giq_rate_end_submit(&run->rate, worker->job->id_received_ms != 0);
    wake_all(run, GIQ_BATCH_WAIT_SUBMIT);
}

static bool step(struct giq_batch_worker *worker, enum giq_step *out, int64_t *due_ms,
                 struct giq_error *err)
{
    struct giq_batch_run *run = worker->run;
    struct giq_job *job = worker->job;
    bool is_submit = job->phase == GIQ_PHASE_SUBMIT;
    bool is_no_wait = (run->batch->args.flags & GIQ_JOB_NO_WAIT) != 0;
    bool ok = giq_job_step(job, out, due_ms, err);
    giq_thread_lock(&run->lock);
    share_throttling(worker);
    if (is_submit) {
        end_submit(worker);
    }
    note_change(worker);
    giq_thread_unlock(&run->lock);
    /* A job that was just started need not be checked. */
    if (ok && is_no_wait && job->id_received_ms != 0) {
        *out = GIQ_STEP_DONE;
    }
    return ok;
}

/* Wait until the next step is due. */
static void pause_until(struct giq_batch_worker *worker, int64_t due_ms)
{
    bool is_submit = worker->job->phase == GIQ_PHASE_SUBMIT;
    giq_thread_lock(&worker->run->lock);
    if (!is_submit) {
        wait_until(worker, GIQ_BATCH_WAIT_TIME, due_ms);
    } else if (!has_stopped(worker->run)) {
        wait_until(worker, GIQ_BATCH_WAIT_RETRY, due_ms);
    }
    giq_thread_unlock(&worker->run->lock);
}

/* Whether the host allows what the next step does. */
static bool may_continue(const struct giq_batch_worker *worker, struct giq_error *err)
{
    const struct giq_batch_host *host = &worker->run->batch->args.host;
    return host->may_fetch == NULL || worker->job->record.state != GIQ_JOB_SUCCEEDED ||
           host->may_fetch(host->ctx, worker->job, err);
}

/* Step the job until it ends. Returns false if it was put back. */
static bool run_job(struct giq_batch_worker *worker, bool *out_ok, struct giq_error *err)
{
    enum giq_step next = GIQ_STEP_AGAIN;
    *out_ok = true;
    while (next != GIQ_STEP_DONE) {
        int64_t due_ms = 0;
        switch (admit(worker, err)) {
        case STOPPED:
            return false;
        case REFUSED:
            giq_submit_cancel(worker->job);
            *out_ok = false;
            return true;
        case ADMITTED:
            break;
        }
        if (!step(worker, &next, &due_ms, err) ||
            (next != GIQ_STEP_DONE && !may_continue(worker, err))) {
            *out_ok = false;
            return true;
        }
        if (next != GIQ_STEP_DONE) {
            pause_until(worker, due_ms);
        }
    }
    return true;
}

static bool accept_result(void *ctx, const char *path, struct giq_error *err)
{
    struct giq_batch_worker *worker = ctx;
    const struct giq_batch_host *host = &worker->run->batch->args.host;
    return host->accept(host->ctx, worker->item->row, worker->job, path, err);
}

static bool may_start(void *ctx, struct giq_error *err)
{
    const struct giq_batch_worker *worker = ctx;
    const struct giq_batch_host *host = &worker->run->batch->args.host;
    return host->may_start == NULL || host->may_start(host->ctx, err);
}

static bool make_job(struct giq_batch_worker *worker, struct giq_error *err)
{
    const struct giq_job_host host = {
        .accept = accept_result,
        .may_start = may_start,
        .ctx = worker,
        .limits = worker->run->batch->args.limits,
    };
    const struct giq_batch_item *item = worker->item;
    if (!giq_batch_make_job(worker->run->batch, worker->service, item->row, &host,
                            &worker->job, err)) {
        return false;
    }
    return !item->has_model || giq_submit_set_model(worker->job, item->model_id, err);
}

/* The thread uses one service for all its requests; each begins as with a new one. */
static void begin_service(const struct giq_batch_worker *worker)
{
    struct giq_service *service = worker->service;
    giq_service_end_poll(service, true);
    giq_service_restart_check(service);
    if (worker->run->batch->args.tries_once) {
        giq_service_limit_to_one_try(service);
    }
}

static void work(struct giq_batch_worker *worker)
{
    struct giq_error err = {0};
    bool ok = false;
    begin_service(worker);
    if (!make_job(worker, &err)) {
        end_item(worker, &err);
    } else if (!run_job(worker, &ok, &err)) {
        put_back_item(worker);
    } else {
        copy_texts(worker);
        end_item(worker, ok ? NULL : &err);
    }
    giq_job_free(giq_take(&worker->job));
}

static void work_on_all(struct giq_batch_worker *worker)
{
    struct giq_batch_run *run = worker->run;
    for (;;) {
        giq_thread_lock(&run->lock);
        worker->item = take_item(run);
        giq_thread_unlock(&run->lock);
        if (worker->item == NULL) {
            return;
        }
        work(worker);
    }
}

static bool begin(struct giq_batch_worker *worker, struct giq_error *err)
{
    const struct giq_batch_host *host = &worker->run->batch->args.host;
    return make_service(worker, err) &&
           (host->thread_begin == NULL || host->thread_begin(host->ctx, err));
}

void *giq_batch_worker_main(void *ctx)
{
    struct giq_batch_worker *worker = ctx;
    struct giq_batch_run *run = worker->run;
    const struct giq_batch_host *host = &run->batch->args.host;
    struct giq_error err = {0};
    bool has_begun = begin(worker, &err);
    if (has_begun) {
        work_on_all(worker);
        if (host->thread_end != NULL) {
            host->thread_end(host->ctx);
        }
    }
    giq_service_free(giq_take(&worker->service));
    giq_thread_lock(&run->lock);
    if (!has_begun) {
        stop(run, &err);
    }
    run->live--;
    giq_thread_wake(&run->changed);
    giq_thread_unlock(&run->lock);
    return NULL;
}
