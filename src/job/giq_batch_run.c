/*
 * A run of a batch: starts the threads, and serves them until they have ended. It keeps
 * the time for those that wait, checks whether the host has cancelled, and passes
 * warnings, log and progress to the host.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/giq_error.h"
#include "job/giq_batch_internal.h"

enum { TICK_MS = 50 }; /* how often the host is asked whether it has cancelled */

static const struct giq_env *env_of(const struct giq_batch_run *run)
{
    return run->batch->args.env;
}

static int64_t now_ms(const struct giq_batch_run *run)
{
    const struct giq_env *env = env_of(run);
    return env->now_ms(env->ctx);
}

/* ---- serving the threads ---- */

static void report_progress(struct giq_batch_run *run)
{
    const struct giq_batch_host *host = &run->batch->args.host;
    struct giq_batch_counts counts;
    giq_thread_lock(&run->lock);
    bool has_progress = run->has_progress;
    run->has_progress = false;
    counts = run->batch->counts;
    giq_thread_unlock(&run->lock);
    if (has_progress && host->progress != NULL) {
        host->progress(host->ctx, &counts);
    }
}

static void check_cancelled(struct giq_batch_run *run)
{
    if (!atomic_load(&run->is_cancelled) && giq_env_cancelled(env_of(run))) {
        giq_thread_lock(&run->lock);
        atomic_store(&run->is_cancelled, true);
        giq_batch_worker_wake(run, INT64_MAX);
        giq_thread_unlock(&run->lock);
    }
}

/* When the first of the threads that wait is due; GIQ_RATE_BLOCKED if none is. Must be
 * called with the lock held. */
static int64_t first_due_ms(const struct giq_batch_run *run)
{
    int64_t first_ms = GIQ_RATE_BLOCKED;
    for (int i = 0; i < run->worker_count; i++) {
        const struct giq_batch_worker *worker = &run->workers[i];
        if (worker->wait != GIQ_BATCH_NO_WAIT && worker->due_ms < first_ms) {
            first_ms = worker->due_ms;
        }
    }
    return first_ms;
}

/* Pass time until a thread is due, or one needs the caller's thread. If all threads wait,
 * nothing can happen meanwhile, and the host sleeps; its clock may be a fake one. Must be
 * called with the lock held. */
static void pass_time(struct giq_batch_run *run)
{
    const struct giq_env *env = env_of(run);
    int64_t now = now_ms(run);
    giq_batch_worker_wake(run, now);
    int64_t due_ms = first_due_ms(run);
    int64_t pause_ms = due_ms < now + TICK_MS ? due_ms - now : TICK_MS;
    if (run->live == 0 || run->has_progress) {
        return;
    }
    if (run->waiting < run->live) {
        giq_thread_wait_ms(&run->changed, &run->lock, pause_ms);
        return;
    }
    giq_thread_unlock(&run->lock);
    env->sleep_ms(env->ctx, pause_ms);
    giq_thread_lock(&run->lock);
}

static void serve(struct giq_batch_run *run)
{
    giq_thread_lock(&run->lock);
    while (run->live > 0) {
        giq_thread_unlock(&run->lock);
        check_cancelled(run);
        giq_notes_deliver(&run->notes, env_of(run));
        report_progress(run);
        giq_thread_lock(&run->lock);
        pass_time(run);
    }
    giq_thread_unlock(&run->lock);
}

/* ---- the threads ---- */

/* Make the events of `count` threads; false when out of memory. */
static bool make_workers(struct giq_batch_run *run, size_t count)
{
    run->workers = calloc(count, sizeof *run->workers);
    if (run->workers == NULL) {
        return false;
    }
    while ((size_t)run->worker_count < count) {
        struct giq_batch_worker *worker = &run->workers[run->worker_count];
        worker->run = run;
        if (!giq_thread_event_init(&worker->wake)) {
            return false;
        }
        run->worker_count++;
    }
    return true;
}

/* Start the threads, and return how many could be started. */
static int start_workers(struct giq_batch_run *run)
{
    int started = 0;
    while (started < run->worker_count) {
        struct giq_batch_worker *worker = &run->workers[started];
        giq_thread_lock(&run->lock);
        run->live++;
        giq_thread_unlock(&run->lock);
        if (!giq_thread_start(&worker->thread, giq_batch_worker_main, worker)) {
            giq_thread_lock(&run->lock);
            run->live--;
            giq_thread_unlock(&run->lock);
            break;
        }
        started++;
    }
    return started;
}

static bool run_workers(struct giq_batch_run *run, struct giq_error *err)
{
    const struct giq_batch *batch = run->batch;
    size_t count = (size_t)batch->args.concurrency;
    if (!make_workers(run,
                      batch->counts.pending < count ? batch->counts.pending : count)) {
        return giq_fail_memory(err);
    }
    int started = start_workers(run);
    if (started == 0) {
        return giq_fail(err, GIQ_E_MEMORY,
                        "no thread could be started; nothing was sent");
    }
    serve(run);
    for (int i = 0; i < started; i++) {
        giq_thread_join(&run->workers[i].thread);
    }
    giq_notes_end(&run->notes, env_of(run));
    report_progress(run);
    return true;
}

static void release_workers(struct giq_batch_run *run)
{
    for (int i = 0; i < run->worker_count; i++) {
        giq_thread_event_release(&run->workers[i].wake);
    }
    free(run->workers);
}

/* ---- the run ---- */

static bool init(struct giq_batch_run *run, struct giq_batch *batch)
{
    *run = (struct giq_batch_run){.batch = batch};
    giq_rate_init(&run->rate, batch->args.concurrency);
    atomic_init(&run->is_cancelled, giq_env_cancelled(env_of(run)));
    atomic_init(&run->deadline_ms, now_ms(run) + batch->args.settings->timeout_ms);
    if (!giq_thread_lock_init(&run->lock)) {
        return false;
    }
    if (!giq_thread_event_init(&run->changed)) {
        giq_thread_lock_release(&run->lock);
        return false;
    }
    if (!giq_notes_init(&run->notes)) {
        giq_thread_event_release(&run->changed);
        giq_thread_lock_release(&run->lock);
        return false;
    }
    return true;
}

static void release(struct giq_batch_run *run)
{
    release_workers(run);
    giq_notes_release(&run->notes);
    giq_thread_event_release(&run->changed);
    giq_thread_lock_release(&run->lock);
}

bool giq_batch_run(struct giq_batch *batch, struct giq_error *err)
{
    bool needs_accept = (batch->args.flags & GIQ_JOB_NO_WAIT) == 0;
    assert(!needs_accept || batch->args.host.accept != NULL);
    (void)needs_accept;
    if (batch->counts.pending == 0) {
        return true;
    }
    struct giq_batch_run run;
    if (!init(&run, batch)) {
        return giq_fail_memory(err);
    }
    bool ok = run_workers(&run, err);
    bool is_cut_short =
        run.is_cut_short || (atomic_load(&run.is_cancelled) && batch->counts.pending > 0);
    release(&run);
    if (ok && is_cut_short) {
        return giq_fail(err, GIQ_E_CANCELLED,
                        "the open was cancelled; jobs that were started continue, and "
                        "opening the same dataset again continues the wait");
    }
    return ok;
}
