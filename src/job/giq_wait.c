/* Waiting for a job: status calls, their pauses, and recording what they report. */
#include "job/giq_wait.h"

#include <stdio.h>

#include "base/giq_cleanup.h"
#include "base/giq_error.h"
#include "base/giq_text.h"
#include "job/giq_learn.h"
#include "job/giq_retry.h"
#include "job/giq_step.h"
#include "net/giq_url.h"
#include "service/giq_api.h"
#include "service/giq_call.h"

enum {
    NEW_JOB_MS = 60 * 1000,        /* how long a new job may be reported as not found */
    UNEXPECTED_MS = 5 * 60 * 1000, /* how long unexpected responses count as an outage */
    NOT_FOUND_MAX = 2, /* consecutive "not found" responses after which a job is gone */
    DETAIL_SIZE = 64 + GIQ_TEXT_PRINTABLE_MAX, /* room for what is added to a status */
};

/* The pause before the next status call: Retry-After if the response had it, else the
 * fixed interval of the settings, else an adaptive pause, which advances
 * `job->pause_ms`. Retry-After is raised to GIQ_PACE_SHORTEST_MS, so that 0 or a time in
 * the past does not cause a busy loop. */
static int64_t advance_pause_ms(struct giq_job *job, int64_t retry_after_ms)
{
    int64_t fixed = job->service->settings.poll_interval_ms;
    if (retry_after_ms >= 0) {
        return retry_after_ms < GIQ_PACE_SHORTEST_MS ? GIQ_PACE_SHORTEST_MS
                                                     : retry_after_ms;
    }
    return fixed > 0 ? fixed : giq_learn_pause_ms(job);
}

/* Describe the approval that the job is waiting for and the page where it is given; ""
 * if it is waiting for none. */
static const char *describe_approval(const struct giq_job *job, char out[DETAIL_SIZE])
{
    struct giq_printable page;
    out[0] = '\0';
    if (!giq_api_awaits_approval(job->record.status)) {
        return out;
    }
    GIQ_AUTO_FREE char *url = giq_url_join(job->service->settings.base_url, "/");
    (void)snprintf(out, DETAIL_SIZE, "it is waiting for approval on the service%s%s",
                   url == NULL ? "" : ", see ", giq_text_printable(url, &page));
    return out;
}

enum { CAUSE_MAX = 160 }; /* bytes of an error that is quoted in another one */

/* An open that was limited to one poll or one try gives no advice: the next one may be
 * limited too, whatever its TIMEOUT is. */
static bool fail_timeout(const struct giq_job *job, int64_t retry_after_ms,
                         const struct giq_error *outage, struct giq_error *err)
{
    static const char again[] = ", and opening the same dataset again continues the wait";
    bool can_wait = !giq_service_is_limited(job->service);
    struct giq_printable id;
    struct giq_printable status;
    char retry_after[64] = "";
    char approval[DETAIL_SIZE];
    int seconds = (int)((giq_job_now_ms(job) - job->wait_began_ms + 500) / 1000);
    (void)giq_call_printable(job->service, job->record.job_id, &id);
    (void)giq_text_printable(job->record.status, &status);
    if (job->record.gone) {
        return giq_fail(err, GIQ_E_TIMEOUT,
                        "the job %s is recorded as gone and could not be checked again "
                        "within %d s (%.*s); no new job was started",
                        id.text, seconds, giq_text_cut_len(outage->text, CAUSE_MAX),
                        outage->text);
    }
    if (outage->code != GIQ_E_NONE) {
        return giq_fail(err, GIQ_E_TIMEOUT,
                        "the job %s has no result after %d s (%.*s); it continues%s",
                        id.text, seconds, giq_text_cut_len(outage->text, CAUSE_MAX),
                        outage->text, can_wait ? again : "");
    }
    if (retry_after_ms > giq_job_left_ms(job)) {
        (void)snprintf(retry_after, sizeof retry_after, "; Retry-After: %d s",
                       (int)((retry_after_ms + 999) / 1000));
    }
    (void)describe_approval(job, approval);
    return giq_fail(
        err, GIQ_E_TIMEOUT, "the job %s is still %s after %d s%s%s%s; it continues%s%s",
        id.text, status.text[0] == '\0' ? "running" : status.text, seconds, retry_after,
        approval[0] == '\0' ? "" : "; ", approval, can_wait ? again : "",
        can_wait ? ". Set TIMEOUT to wait longer" : "");
}

/* Schedule the next status call, at the latest when TIMEOUT passes; fail if it has passed
 * or Retry-After is later. `outage` is why the state was not reported, or is empty. */
static bool poll_again(struct giq_job *job, int64_t retry_after_ms,
                       const struct giq_error *outage, int64_t *due_ms,
                       struct giq_error *err)
{
    int64_t left_ms = giq_job_left_ms(job);
    int64_t pause_ms = advance_pause_ms(job, retry_after_ms);
    if (left_ms == 0 || retry_after_ms > left_ms) {
        return fail_timeout(job, retry_after_ms, outage, err);
    }
    *due_ms = giq_job_now_ms(job) + (pause_ms < left_ms ? pause_ms : left_ms);
    return true;
}

/* Whether the job is so new that the service may not report it yet. The record has the
 * time at which the run request was sent; its response may have arrived minutes later. A
 * time in the future, from a clock that was wrong, counts as the beginning of this wait.
 */
static bool is_new(const struct giq_job *job)
{
    const struct giq_env *env = job->service->env;
    int64_t now_ms = giq_job_now_ms(job);
    if (job->id_received_ms != 0) {
        return now_ms - job->id_received_ms < NEW_JOB_MS;
    }
    if (job->record.submitted_ms == GIQ_TIME_NONE) {
        return false;
    }
    int64_t age_ms = env->wall_ms(env->ctx) - job->record.submitted_ms;
    return (age_ms < 0 ? now_ms - job->wait_began_ms : age_ms) < NEW_JOB_MS;
}

/* Whether enough consecutive responses reported that the job does not exist. */
static bool is_gone(const struct giq_job *job)
{
    return job->not_found_count >= NOT_FOUND_MAX;
}

static void warn_unknown_status(struct giq_job *job)
{
    struct giq_printable id;
    struct giq_printable status;
    if (!job->has_warned) {
        job->has_warned = true;
        giq_env_warn(job->service->env,
                     "the job %s has the status \"%s\", which this version of the driver "
                     "does not know; it is treated as running",
                     giq_call_printable(job->service, job->record.job_id, &id),
                     giq_text_printable(job->record.status, &status));
    }
}

static void report_progress(const struct giq_job *job)
{
    struct giq_printable id;
    struct giq_printable status;
    char detail[DETAIL_SIZE];
    char line[sizeof "job  " + 2 * (size_t)GIQ_TEXT_PRINTABLE_MAX];
    giq_env_begin(job->service->env, GIQ_ACTIVITY_WAIT);
    if (job->host.progress == NULL) {
        return;
    }
    (void)snprintf(line, sizeof line, "job %s %s",
                   giq_call_printable(job->service, job->record.job_id, &id),
                   giq_text_printable(job->record.status, &status));
    if (describe_approval(job, detail)[0] == '\0') {
        (void)giq_learn_describe(job, detail);
    }
    job->host.progress(job->host.ctx, line, detail);
}

/* GIQ_JOB_NONE if the state is not final. */
static enum giq_job_state final_state_of(enum giq_api_state state)
{
    switch (state) {
    case GIQ_API_SUCCEEDED:
        return GIQ_JOB_SUCCEEDED;
    case GIQ_API_FAILED:
        return GIQ_JOB_FAILED;
    case GIQ_API_RUNNING:
        break;
    }
    return GIQ_JOB_NONE;
}

/* Learn from a status while the record still has the earlier one. */
static void learn(struct giq_job *job, const char *status)
{
    if (job->final_state == GIQ_JOB_NONE) {
        giq_learn_running(job, status);
    } else if (job->final_state == GIQ_JOB_SUCCEEDED) {
        giq_learn_succeeded(job);
    }
}

/* Copy what the service reported into the record, and choose the next phase: record it
 * now or continue the wait. */
static bool use_report(struct giq_job *job, const struct giq_api_job *report,
                       struct giq_error *err)
{
    struct giq_record *record = &job->record;
    bool is_known = false;
    enum giq_api_state state = giq_api_state_of(report->status, &is_known);
    job->final_state = final_state_of(state);
    learn(job, report->status);
    if (!giq_text_set(&record->status, report->status) ||
        (report->type != NULL && !giq_text_set(&record->type, report->type)) ||
        !giq_text_set(&job->reason, report->message)) {
        return giq_fail_memory(err);
    }
    if (report->started_ms != GIQ_TIME_NONE) {
        record->started_ms = report->started_ms;
    }
    if (!is_known) {
        warn_unknown_status(job);
    }
    report_progress(job);
    /* An external job gets its record now, and a record that the job is gone is
     * corrected. */
    if (job->final_state != GIQ_JOB_NONE || job->is_external || record->gone) {
        job->phase = GIQ_PHASE_RECORD_STATUS;
    }
    return true;
}

/* The error ends the open, not the job. For an external job the message does not state
 * that it continues: it may not exist. */
static bool fail_wait(const struct giq_job *job, struct giq_error *err)
{
    struct giq_printable id;
    (void)giq_call_printable(job->service, job->record.job_id, &id);
    if (job->record.gone) {
        return giq_error_context(err,
                                 "the job %s is recorded as gone and could not be "
                                 "checked again; no new job was started",
                                 id.text);
    }
    if (job->is_external) {
        return giq_error_context(
            err, "the job %s could not be checked, and nothing was recorded", id.text);
    }
    return giq_error_context(
        err,
        "the state of the job %s could not be read; the job continues, and opening the "
        "same dataset again checks it again",
        id.text);
}

/* The service does not have the job that was named: most likely its id is wrong. */
static bool fail_not_found(const struct giq_job *job, struct giq_error *err)
{
    struct giq_printable id;
    return giq_error_context(
        err, "the service does not have the job %s; check the id (nothing was recorded)",
        giq_call_printable(job->service, job->record.job_id, &id));
}

/* ---- the outcomes of a status call ---- */

static bool handle_state(struct giq_job *job, const struct giq_api_job *report,
                         int64_t retry_after_ms, int64_t *due_ms, struct giq_error *err)
{
    const struct giq_error no_outage = {0};
    job->has_status = true;
    job->not_found_count = 0;
    job->unexpected_since_ms = 0;
    if (!use_report(job, report, err)) {
        return false;
    }
    giq_service_end_poll(job->service, job->final_state != GIQ_JOB_NONE);
    if (job->phase != GIQ_PHASE_WAIT) {
        return true;
    }
    if (job->flags & GIQ_JOB_NO_WAIT) {
        job->phase = GIQ_PHASE_DONE;
        return true;
    }
    return poll_again(job, retry_after_ms, &no_outage, due_ms, err);
}

/* The service does not know the job. A gateway may report that by mistake, so a job with
 * a record is gone only when two consecutive responses report it. */
static bool handle_not_found(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    if (job->is_external) {
        return fail_not_found(job, err);
    }
    job->not_found_count++;
    if (is_gone(job)) {
        job->phase = GIQ_PHASE_RECORD_STATUS;
        if (!giq_text_set(&job->reason, err->text)) {
            return giq_fail_memory(err);
        }
    } else {
        /* The second call is made even if TIMEOUT passes before, but never at once. */
        int64_t left_ms = giq_job_left_ms(job);
        int64_t pause_ms = advance_pause_ms(job, -1);
        pause_ms = pause_ms < left_ms ? pause_ms : left_ms;
        *due_ms = giq_job_now_ms(job) +
                  (pause_ms < GIQ_PACE_SHORTEST_MS ? GIQ_PACE_SHORTEST_MS : pause_ms);
    }
    *err = (struct giq_error){0};
    return true;
}

/* A status call for an external job, or one that reports another job before any state was
 * reported, is retried MAX_RETRY times, like other calls. An unexpected response ends the
 * wait at once. */
static bool retry_poll(struct giq_job *job, enum giq_api_status_outcome outcome,
                       int64_t retry_after_ms, int64_t *due_ms, struct giq_error *err)
{
    int64_t pause_ms =
        giq_call_delay_ms(job->service, job->failed_polls + 1, retry_after_ms);
    job->failed_polls++;
    if (outcome == GIQ_API_STATUS_UNEXPECTED ||
        job->failed_polls > job->service->settings.max_retry ||
        pause_ms >= giq_job_left_ms(job)) {
        return fail_wait(job, err);
    }
    *err = (struct giq_error){0};
    *due_ms = giq_job_now_ms(job) + pause_ms;
    return true;
}

/* Note when the current unexpected responses, or those for another job, began. */
static void note_unexpected(struct giq_job *job, enum giq_api_status_outcome outcome)
{
    if (outcome == GIQ_API_STATUS_OUTAGE || outcome == GIQ_API_STATUS_NOT_FOUND) {
        job->unexpected_since_ms = 0;
    } else if (job->unexpected_since_ms == 0) {
        job->unexpected_since_ms = giq_job_now_ms(job);
    }
}

/* Whether unexpected responses, or those for another job, must end the wait. Until the
 * service has reported the state, an unexpected response ends the wait at once: the
 * request itself may be wrong. After that, it ends once nothing else has been received
 * for UNEXPECTED_MS. */
static bool must_stop_waiting(const struct giq_job *job,
                              enum giq_api_status_outcome outcome)
{
    if (outcome == GIQ_API_STATUS_UNEXPECTED && !job->has_status) {
        return true;
    }
    return job->unexpected_since_ms != 0 &&
           giq_job_now_ms(job) - job->unexpected_since_ms >= UNEXPECTED_MS;
}

/* The state was not reported: retry, continue the wait, or end it with an error. */
static bool handle_no_status(struct giq_job *job, enum giq_api_status_outcome outcome,
                             int64_t retry_after_ms, int64_t *due_ms,
                             struct giq_error *err)
{
    const struct giq_error outage = *err;
    bool is_no_wait = (job->flags & GIQ_JOB_NO_WAIT) != 0;
    bool is_mismatch_before_status =
        outcome == GIQ_API_STATUS_MISMATCH && !job->has_status && !is_no_wait;
    job->not_found_count = 0;
    if (job->is_external || is_mismatch_before_status) {
        return retry_poll(job, outcome, retry_after_ms, due_ms, err);
    }
    note_unexpected(job, outcome);
    if (must_stop_waiting(job, outcome)) {
        return fail_wait(job, err);
    }
    if (is_no_wait) {
        if (outcome != GIQ_API_STATUS_NOT_FOUND) {
            return fail_wait(job, err);
        }
        /* A new job that the service does not know yet counts as running. */
        *err = (struct giq_error){0};
        job->phase = GIQ_PHASE_DONE;
        return true;
    }
    *err = (struct giq_error){0};
    return poll_again(job, retry_after_ms, &outage, due_ms, err);
}

static bool handle_outcome(struct giq_job *job, enum giq_api_status_outcome outcome,
                           const struct giq_api_job *report, int64_t retry_after_ms,
                           int64_t *due_ms, struct giq_error *err)
{
    switch (outcome) {
    case GIQ_API_STATUS_OK:
        return handle_state(job, report, retry_after_ms, due_ms, err);
    case GIQ_API_STATUS_NOT_FOUND:
        return is_new(job) ? handle_no_status(job, outcome, retry_after_ms, due_ms, err)
                           : handle_not_found(job, due_ms, err);
    case GIQ_API_STATUS_OUTAGE:
    case GIQ_API_STATUS_MISMATCH:
    case GIQ_API_STATUS_UNEXPECTED:
        return handle_no_status(job, outcome, retry_after_ms, due_ms, err);
    case GIQ_API_STATUS_ERROR:
        break;
    }
    return fail_wait(job, err);
}

bool giq_wait_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    GIQ_AUTO(giq_api_job_release)
    struct giq_api_job report = {.started_ms = GIQ_TIME_NONE};
    int64_t retry_after_ms = -1;
    if (job->wait_began_ms == 0) {
        job->wait_began_ms = giq_job_now_ms(job);
    }
    giq_service_begin_poll(job->service);
    enum giq_api_status_outcome outcome =
        giq_api_status(job->service, job->record.job_id, &report, &retry_after_ms, err);
    return handle_outcome(job, outcome, &report, retry_after_ms, due_ms, err);
}

/* ---- recording what was reported ---- */

/* Set the record's error to the status, and the service's message if it gave one. */
static bool set_error(struct giq_job *job, const char *status)
{
    struct giq_printable printable;
    struct giq_printable message;
    char text[sizeof ": " + 2 * (size_t)GIQ_TEXT_PRINTABLE_MAX];
    (void)snprintf(text, sizeof text, "%s%s%s", giq_text_printable(status, &printable),
                   job->reason == NULL ? "" : ": ",
                   giq_text_printable(job->reason, &message));
    return giq_text_set(&job->record.error, text);
}

/* Copy what the service reports of a job into another record of the same job. */
static bool copy_report(struct giq_record *record, const struct giq_record *reported)
{
    if (reported->started_ms != GIQ_TIME_NONE) {
        record->started_ms = reported->started_ms;
    }
    return giq_text_set(&record->status, reported->status) &&
           (reported->type == NULL || giq_text_set(&record->type, reported->type));
}

static bool write_state(struct giq_job *job, enum giq_job_state state,
                        struct giq_error *err)
{
    if (!giq_step_write(job, state, err)) {
        return giq_step_add_job_context(job, err);
    }
    return true;
}

/* The state stays `submitted`, so that job=<id> can check the job again. */
static bool record_job_gone(struct giq_job *job, struct giq_error *err)
{
    if (!giq_text_set(&job->record.error, job->reason)) {
        return giq_fail_memory(err);
    }
    job->record.gone = true;
    return write_state(job, GIQ_JOB_SUBMITTED, err);
}

/* Must be called with the record lock held. If another open has recorded another job or
 * another state in the meantime, its record stays. */
static bool record_reported(struct giq_job *job, const struct giq_record *reported,
                            struct giq_error *err)
{
    const struct giq_env *env = job->service->env;
    struct giq_record *record = &job->record;
    if (record->state == GIQ_JOB_NONE) {
        return giq_step_fail_removed(job, reported->job_id, err);
    }
    if (record->state != GIQ_JOB_SUBMITTED || record->job_id == NULL ||
        !giq_text_is_same_id(record->job_id, reported->job_id)) {
        job->not_found_count = 0;
        return true;
    }
    if (is_gone(job)) {
        return record_job_gone(job, err);
    }
    record->gone = false;
    if (!copy_report(record, reported) || !giq_text_set(&record->error, NULL)) {
        return giq_fail_memory(err);
    }
    if (job->final_state == GIQ_JOB_NONE) {
        return write_state(job, GIQ_JOB_SUBMITTED, err);
    }
    record->finished_ms = env->wall_ms(env->ctx);
    if (job->final_state == GIQ_JOB_FAILED && !set_error(job, reported->status)) {
        return giq_fail_memory(err);
    }
    if (job->final_state == GIQ_JOB_SUCCEEDED && !giq_learn_record(job, err)) {
        return false;
    }
    return write_state(job, job->final_state, err);
}

static bool choose_next_phase(struct giq_job *job, struct giq_error *err)
{
    if (is_gone(job) && giq_retry_is_rechecking(job)) {
        giq_retry_end_recheck(job);
        return true;
    }
    if (job->flags & GIQ_JOB_NO_WAIT) {
        job->phase = GIQ_PHASE_DONE;
        return true;
    }
    if (is_gone(job)) {
        return giq_step_fail_recorded(job, err);
    }
    job->phase = GIQ_PHASE_READ_RECORD;
    return true;
}

bool giq_wait_record_status(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    GIQ_AUTO(giq_record_release) struct giq_record reported;
    bool held = false;
    giq_record_init(&reported);
    /* Acquiring the lock reads the record again, which overwrites what was reported. */
    if (!copy_report(&reported, &job->record) ||
        !giq_text_set(&reported.job_id, job->record.job_id)) {
        return giq_fail_memory(err);
    }
    if (!giq_step_acquire_lock(job, &held, due_ms, err)) {
        return giq_step_add_job_context(job, err);
    }
    if (!held) {
        return true;
    }
    bool ok = record_reported(job, &reported, err);
    giq_step_release_lock(job);
    /* Without the record lock. A job that another open has already added is not added
     * twice. */
    if (ok && job->final_state == GIQ_JOB_SUCCEEDED) {
        giq_history_add(job->store, &job->record);
    }
    return ok && choose_next_phase(job, err);
}
