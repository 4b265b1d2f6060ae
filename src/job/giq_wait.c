/*
 * Waiting for a job: when to ask, what the answers mean, and recording its end.
 */
#include <stdio.h>
#include <string.h>

#include "base/giq_env.h"
#include "base/giq_text.h"
#include "job/giq_job.h"
#include "service/giq_call.h"

enum {
    FIRST_PAUSE_MS = 250,
    LONGEST_PAUSE_MS = 30 * 1000,
    PART_OF_WAIT = 12,      /* a job's end is noticed within this part of its time */
    NEW_JOB_MS = 60 * 1000, /* so long a service may not know a job that it made */
    ODD_MS = 5 * 60 * 1000, /* so long odd responses are waited out */
    MISSES_MAX = 2,         /* refusals in a row to know a job, after which it is gone */
};

/* When to ask next: growing by half, never longer than a twelfth of the wait. A service
 * that says "at once", or whose clock is behind, is not asked in a loop. */
static int64_t next_pause_ms(struct giq_job *job, int64_t asked_ms)
{
    int64_t fixed = job->service->settings.poll_interval_ms;
    if (asked_ms >= 0) {
        return asked_ms < FIRST_PAUSE_MS ? FIRST_PAUSE_MS : asked_ms;
    }
    if (fixed > 0) {
        return fixed;
    }
    int64_t longest = (giq_step_now_ms(job) - job->wait_began_ms) / PART_OF_WAIT;
    longest = longest < FIRST_PAUSE_MS ? FIRST_PAUSE_MS : longest;
    longest = longest > LONGEST_PAUSE_MS ? LONGEST_PAUSE_MS : longest;
    int64_t pause = job->pause_ms == 0 ? FIRST_PAUSE_MS : job->pause_ms * 3 / 2;
    job->pause_ms = pause < longest ? pause : longest;
    pause = giq_env_jitter(job->service->env, job->pause_ms);
    return pause < longest ? pause : longest;
}

/* `asked_ms`: how long the service wants not to be asked, or less than 0. */
static bool fail_timeout(const struct giq_job *job, int64_t asked_ms,
                         const struct giq_error *outage, struct giq_error *err)
{
    struct giq_printable id;
    struct giq_printable status;
    char later[64] = "";
    int seconds = (int)((giq_step_now_ms(job) - job->wait_began_ms + 500) / 1000);
    (void)giq_call_printable(job->service, job->record.job_id, &id);
    (void)giq_text_printable(job->record.status, &status);
    if (job->record.gone) {
        return giq_fail(err, GIQ_E_TIMEOUT,
                        "the job %s is recorded as gone and could not be checked again "
                        "within %d s (%.160s), and no new job was started",
                        id.text, seconds, outage->text);
    }
    if (outage->code != GIQ_E_NONE) {
        return giq_fail(err, GIQ_E_TIMEOUT,
                        "the job %s has no result after %d s (%.160s); it goes on, and "
                        "opening the same dataset again goes on waiting",
                        id.text, seconds, outage->text);
    }
    if (asked_ms > giq_step_left_ms(job)) {
        (void)snprintf(later, sizeof later,
                       ", and the service tells to ask again in %d s",
                       (int)((asked_ms + 999) / 1000));
    }
    return giq_fail(err, GIQ_E_TIMEOUT,
                    "the job %s is still %s after %d s%s; it goes on, and opening the "
                    "same dataset again goes on waiting (TIMEOUT says how long)",
                    id.text, status.text[0] == '\0' ? "running" : status.text, seconds,
                    later);
}

/* The next call is due after a pause, at the latest when the time is over; then
 * the wait ends. `outage` says why nothing was learned, or is empty. */
static bool come_again(struct giq_job *job, int64_t asked_ms,
                       const struct giq_error *outage, int64_t *due_ms,
                       struct giq_error *err)
{
    int64_t left_ms = giq_step_left_ms(job);
    int64_t pause_ms = next_pause_ms(job, asked_ms);
    if (left_ms == 0 || (asked_ms >= 0 && asked_ms > left_ms)) {
        return fail_timeout(job, asked_ms, outage, err);
    }
    *due_ms = giq_step_now_ms(job) + (pause_ms < left_ms ? pause_ms : left_ms);
    return true;
}

/* Whether the service may not know our job yet. A record has the time at which the run
 * request was sent, to which the response may have come minutes later. One from the
 * future, which a clock that was wrong leaves, has the age of this wait. */
static bool is_new(const struct giq_job *job)
{
    const struct giq_env *env = job->service->env;
    int64_t now_ms = giq_step_now_ms(job);
    if (job->id_received_ms != 0) {
        return now_ms - job->id_received_ms < NEW_JOB_MS;
    }
    if (job->record.submitted_ms == GIQ_TIME_NONE) {
        return false;
    }
    int64_t age_ms = env->wall_ms(env->ctx) - job->record.submitted_ms;
    return (age_ms < 0 ? now_ms - job->wait_began_ms : age_ms) < NEW_JOB_MS;
}

/* Whether the service no longer knows a job that it made. */
static bool is_forgotten(const struct giq_job *job)
{
    return job->not_found_count >= MISSES_MAX;
}

static void warn_of_state(struct giq_job *job)
{
    struct giq_printable status;
    if (!job->has_warned) {
        job->has_warned = true;
        giq_env_warn(job->service->env,
                     "the job has the state \"%s\", which this version does not know; "
                     "it is waited on",
                     giq_text_printable(job->record.status, &status));
    }
}

static void tell_progress(const struct giq_job *job)
{
    struct giq_printable text;
    char line[sizeof "job  " + 2 * (size_t)GIQ_TEXT_PRINTABLE_MAX];
    if (job->host.progress == NULL) {
        return;
    }
    (void)stpcpy(stpcpy(line, "job "),
                 giq_call_printable(job->service, job->record.job_id, &text));
    (void)stpcpy(stpcpy(line + strlen(line), " "),
                 giq_text_printable(job->record.status, &text));
    job->host.progress(job->host.ctx, line);
}

/* Take over what the service told, and see what it means. */
static bool take_answer(struct giq_job *job, const struct giq_api_job *told,
                        struct giq_error *err)
{
    struct giq_record *record = &job->record;
    bool known = false;
    enum giq_api_phase phase = giq_api_phase(told->status, &known);
    if (!giq_text_set(&record->status, told->status) ||
        (told->type != NULL && !giq_text_set(&record->type, told->type)) ||
        !giq_text_set(&job->reason, told->message)) {
        return giq_fail_memory(err);
    }
    if (told->started_ms != GIQ_TIME_NONE) {
        record->started_ms = told->started_ms;
    }
    if (!known) {
        warn_of_state(job);
    }
    tell_progress(job);
    job->final_state = phase == GIQ_API_SUCCEEDED ? GIQ_JOB_SUCCEEDED
                       : phase == GIQ_API_FAILED  ? GIQ_JOB_FAILED
                                                  : GIQ_JOB_NONE;
    /* A job that was found, not submitted, gets its record now, and one that was gone is
     * no longer. */
    if (job->final_state != GIQ_JOB_NONE || job->is_external || record->gone) {
        job->phase = GIQ_PHASE_RECORD_FINAL;
    }
    return true;
}

/* The error ends the open, not the job. Whether a job without a record exists is not
 * known. */
static bool fail_wait(const struct giq_job *job, struct giq_error *err)
{
    struct giq_printable id;
    (void)giq_call_printable(job->service, job->record.job_id, &id);
    if (job->record.gone) {
        return giq_error_context(err,
                                 "the job %s is recorded as gone and could not be "
                                 "checked again, and no new job was started",
                                 id.text);
    }
    return job->is_external
               ? giq_error_context(err,
                                   "the job %s could not be checked, and nothing was "
                                   "recorded",
                                   id.text)
               : giq_error_context(err,
                                   "the job %s goes on, and opening the same dataset "
                                   "again goes on waiting",
                                   id.text);
}

/* ---- what a status call may bring ---- */

static bool take_told(struct giq_job *job, const struct giq_api_job *told,
                      int64_t later_ms, int64_t *due_ms, struct giq_error *err)
{
    job->has_status = true;
    job->not_found_count = 0;
    job->unexpected_since_ms = 0;
    if (!take_answer(job, told, err)) {
        return false;
    }
    giq_service_end_poll(job->service, job->final_state != GIQ_JOB_NONE);
    if (job->phase == GIQ_PHASE_WAIT && (job->flags & GIQ_JOB_POLL_ONCE)) {
        job->phase = GIQ_PHASE_DONE;
    }
    return job->phase != GIQ_PHASE_WAIT ||
           come_again(job, later_ms, &(struct giq_error){0}, due_ms, err);
}

/* The service does not know the job. A gateway on the way may say so once: what is
 * recorded is recorded as gone when it is said twice in a row. */
static bool take_miss(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    if (job->is_external) {
        return fail_wait(job, err);
    }
    job->not_found_count++;
    if (is_forgotten(job)) {
        job->phase = GIQ_PHASE_RECORD_FINAL;
        if (!giq_text_set(&job->reason, err->text)) {
            return giq_fail_memory(err);
        }
    } else {
        int64_t left_ms = giq_step_left_ms(job);
        int64_t pause_ms = next_pause_ms(job, -1);
        pause_ms = pause_ms < left_ms ? pause_ms : left_ms;
        *due_ms = giq_step_now_ms(job) +
                  (pause_ms < FIRST_PAUSE_MS ? FIRST_PAUSE_MS : pause_ms);
    }
    *err = (struct giq_error){0};
    return true;
}

/* Asking for a job that may not exist, or of which another job is reported, is a call
 * like others: it is tried MAX_RETRY times more. */
static bool check_again(struct giq_job *job, enum giq_api_status outcome,
                        int64_t later_ms, int64_t *due_ms, struct giq_error *err)
{
    int64_t pause_ms = giq_call_delay_ms(job->service, job->checks + 1, later_ms);
    job->checks++;
    if (outcome == GIQ_API_STATUS_UNEXPECTED ||
        job->checks > job->service->settings.max_retry ||
        pause_ms >= giq_step_left_ms(job)) {
        return fail_wait(job, err);
    }
    *err = (struct giq_error){0};
    *due_ms = giq_step_now_ms(job) + pause_ms;
    return true;
}

/* Whether odd responses end the wait: the first of an open does, as the request may be
 * wrong; later ones when nothing else came for so long. */
static bool is_odd_for_long(struct giq_job *job, enum giq_api_status outcome)
{
    int64_t now_ms = giq_step_now_ms(job);
    if (outcome == GIQ_API_STATUS_RETRY || outcome == GIQ_API_STATUS_NOT_FOUND) {
        job->unexpected_since_ms = 0;
        return false;
    }
    if (outcome == GIQ_API_STATUS_UNEXPECTED && !job->has_status) {
        return true;
    }
    if (job->unexpected_since_ms == 0) {
        job->unexpected_since_ms = now_ms;
    }
    return now_ms - job->unexpected_since_ms >= ODD_MS;
}

/* Nothing was learned of the job, which goes on: so does the wait, within its limits. */
static bool wait_out(struct giq_job *job, enum giq_api_status outcome, int64_t later_ms,
                     int64_t *due_ms, struct giq_error *err)
{
    const struct giq_error outage = *err;
    job->not_found_count = 0;
    bool is_look = (job->flags & GIQ_JOB_POLL_ONCE) != 0;
    bool is_never_told =
        outcome == GIQ_API_STATUS_MISMATCH && !job->has_status && !is_look;
    if (job->is_external || is_never_told) {
        return check_again(job, outcome, later_ms, due_ms, err);
    }
    if (is_odd_for_long(job, outcome)) {
        return fail_wait(job, err);
    }
    if (!is_look) {
        *err = (struct giq_error){0};
        return come_again(job, later_ms, &outage, due_ms, err);
    }
    if (outcome != GIQ_API_STATUS_NOT_FOUND) {
        return fail_wait(job, err);
    }
    *err = (struct giq_error){0};
    job->phase = GIQ_PHASE_DONE;
    return true;
}

static bool judge(struct giq_job *job, enum giq_api_status outcome,
                  const struct giq_api_job *told, int64_t later_ms, int64_t *due_ms,
                  struct giq_error *err)
{
    switch (outcome) {
    case GIQ_API_STATUS_OK:
        return take_told(job, told, later_ms, due_ms, err);
    case GIQ_API_STATUS_NOT_FOUND:
        return is_new(job) ? wait_out(job, outcome, later_ms, due_ms, err)
                           : take_miss(job, due_ms, err);
    case GIQ_API_STATUS_RETRY:
    case GIQ_API_STATUS_MISMATCH:
    case GIQ_API_STATUS_UNEXPECTED:
        return wait_out(job, outcome, later_ms, due_ms, err);
    case GIQ_API_STATUS_ERROR:
        break;
    }
    return fail_wait(job, err);
}

bool giq_wait_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    if (job->wait_began_ms == 0) {
        job->wait_began_ms = giq_step_now_ms(job);
    }
    struct giq_api_job told = {.started_ms = GIQ_TIME_NONE};
    int64_t later_ms = -1;
    giq_service_begin_poll(job->service);
    enum giq_api_status outcome =
        giq_api_status(job->service, job->record.job_id, &told, &later_ms, err);
    bool ok = judge(job, outcome, &told, later_ms, due_ms, err);
    giq_api_job_release(&told);
    return ok;
}

/* The service's word for the state, and its message where it gave one. */
static bool set_reason(struct giq_job *job, const char *status)
{
    struct giq_printable word;
    struct giq_printable message;
    char reason[sizeof ": " + 2 * (size_t)GIQ_TEXT_PRINTABLE_MAX];
    char *end = stpcpy(reason, giq_text_printable(status, &word));
    if (job->reason != NULL) {
        (void)stpcpy(stpcpy(end, ": "), giq_text_printable(job->reason, &message));
    }
    return giq_text_set(&job->record.error, reason);
}

/* What the service says of a job: of the same one, in another record. */
static bool take_over(struct giq_record *record, const struct giq_record *told)
{
    if (told->started_ms != GIQ_TIME_NONE) {
        record->started_ms = told->started_ms;
    }
    return giq_text_set(&record->status, told->status) &&
           (told->type == NULL || giq_text_set(&record->type, told->type));
}

static bool write_end(struct giq_job *job, enum giq_job_state state,
                      struct giq_error *err)
{
    return giq_step_write(job, state, err) || giq_step_name_job(job, err);
}

/* The job stays what it was: nobody knows more, and who names it has it asked for. */
static bool record_gone(struct giq_job *job, struct giq_error *err)
{
    struct giq_record *record = &job->record;
    if (!giq_text_set(&record->error, job->reason)) {
        return giq_fail_memory(err);
    }
    record->gone = true;
    return write_end(job, GIQ_JOB_SUBMITTED, err);
}

/* Keep what was told about the end of a job, under what others may have recorded since:
 * another job even, where somebody asked for a new one. */
static bool record_end(struct giq_job *job, const struct giq_record *told,
                       struct giq_error *err)
{
    const struct giq_env *env = job->service->env;
    struct giq_record *record = &job->record;
    if (record->state == GIQ_JOB_NONE) {
        return giq_step_fail_removed(job, told->job_id, err);
    }
    if (record->state != GIQ_JOB_SUBMITTED || record->job_id == NULL ||
        strcmp(record->job_id, told->job_id) != 0) {
        job->not_found_count = 0;
        return true;
    }
    if (is_forgotten(job)) {
        return record_gone(job, err);
    }
    record->gone = false;
    if (!take_over(record, told) || !giq_text_set(&record->error, NULL)) {
        return giq_fail_memory(err);
    }
    if (job->final_state == GIQ_JOB_NONE) {
        return write_end(job, GIQ_JOB_SUBMITTED, err);
    }
    record->finished_ms = env->wall_ms(env->ctx);
    if (job->final_state == GIQ_JOB_FAILED && !set_reason(job, told->status)) {
        return giq_fail_memory(err);
    }
    return write_end(job, job->final_state, err);
}

/* What follows once the end is recorded. */
static bool go_on(struct giq_job *job, struct giq_error *err)
{
    if (is_forgotten(job) && giq_step_is_rechecking(job)) {
        giq_step_end_recheck(job);
        return true;
    }
    if (job->flags & GIQ_JOB_POLL_ONCE) {
        job->phase = GIQ_PHASE_DONE;
        return true;
    }
    if (is_forgotten(job)) {
        return giq_step_fail_recorded(job, err);
    }
    job->phase = GIQ_PHASE_READ_RECORD;
    return true;
}

bool giq_wait_finish(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    struct giq_record told;
    bool held = false;
    giq_record_init(&told);
    bool ok =
        take_over(&told, &job->record) && giq_text_set(&told.job_id, job->record.job_id);
    if (!ok) {
        (void)giq_fail_memory(err);
    } else if (!giq_step_acquire_lock(job, &held, due_ms, err)) {
        ok = giq_step_name_job(job, err);
    } else if (held) {
        ok = record_end(job, &told, err);
        giq_step_release_lock(job);
        ok = ok && go_on(job, err);
    }
    giq_record_release(&told);
    return ok;
}
