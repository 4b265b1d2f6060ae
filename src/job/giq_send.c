/* Sending one run request with a ticket, and recording its outcome. */
#include "job/giq_send.h"

#include <assert.h>

#include "base/giq_cleanup.h"
#include "base/giq_error.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "job/giq_limits.h"
#include "job/giq_retry.h"
#include "job/giq_step.h"
#include "service/giq_api.h"
#include "service/giq_call.h"
#include "store/giq_record_read.h"

enum {
    CAUSE_MAX = 120, /* bytes of an error that is quoted in another one */
    /* A process that was stopped, or whose system was suspended, for longer checks again
     * that its ticket is the newest: others may have given the ticket up
     * (GIQ_TICKET_ABANDONED_MS). */
    STOPPED_MS = 20 * 1000,
};

const char *giq_send_model(const struct giq_job *job)
{
    return job->model_id == NULL ? job->request.model : job->model_id;
}

static bool is_further_job(const struct giq_job *job)
{
    return job->is_damaged || job->record.state > GIQ_JOB_INTENT;
}

/* ---- before it is sent ---- */

/* Record the state `intent`, unless there is a record. A further job leaves the record
 * alone until it has a ticket; it runs the recorded model. */
static bool record_intent(struct giq_job *job, struct giq_error *err)
{
    if (is_further_job(job)) {
        bool needs_model = !job->is_damaged && job->model_id == NULL;
        return !needs_model || giq_text_set(&job->model_id, job->record.model_id) ||
               giq_fail_memory(err);
    }
    if (!giq_text_set(&job->record.geometry_crs, job->request.geometry_crs)) {
        return giq_fail_memory(err);
    }
    if (job->token[0] == '\0') {
        giq_os_token(job->token);
    }
    return giq_step_create(job, err);
}

/* Nothing is sent: another open sends the run request, or has changed the record. */
static bool fail_overtaken(struct giq_job *job, struct giq_error *err)
{
    job->is_overtaken = true;
    return giq_fail(err, GIQ_E_TIMEOUT,
                    "another open sends the run request of the same request");
}

static bool fill_ticket(const struct giq_job *job, struct giq_ticket *ticket,
                        struct giq_error *err)
{
    const struct giq_env *env = job->service->env;
    const struct giq_upload *upload = job->request.upload;
    const struct giq_record *record = &job->record;
    const char *replaced = is_further_job(job) ? record->job_id : NULL;
    int newest = record->newest > job->known_ticket ? record->newest : job->known_ticket;
    ticket->n = newest + 1;
    ticket->time_ms = env->wall_ms(env->ctx);
    if (!giq_text_set(&ticket->label, job->request.retry) ||
        !giq_text_set(&ticket->model_id, giq_send_model(job)) ||
        !giq_text_set(&ticket->file_id, job->file_id) ||
        !giq_text_set(&ticket->upload, upload == NULL ? NULL : upload->source->path) ||
        !giq_text_set(&ticket->geometry_crs, job->request.geometry_crs) ||
        !giq_text_set(&ticket->replaces, replaced)) {
        return giq_fail_memory(err);
    }
    return true;
}

static bool take_ticket(struct giq_job *job, struct giq_error *err)
{
    bool is_taken = false;
    GIQ_AUTO(giq_ticket_release) struct giq_ticket ticket;
    giq_ticket_init(&ticket);
    if (!fill_ticket(job, &ticket, err)) {
        return false;
    }
    /* The file of the ticket is written before it gets its name, so this is how old its
     * time may be. */
    int64_t began_ms = giq_env_boot_ms(job->service->env);
    if (!giq_ticket_take(job->folder, giq_store_access(job->store), &ticket, &is_taken,
                         err)) {
        return giq_store_explain_full(err);
    }
    if (!is_taken) {
        job->known_ticket = ticket.n;
        return fail_overtaken(job, err);
    }
    job->ticket = ticket; /* transferred */
    giq_ticket_init(&ticket);
    job->touched_ms = began_ms;
    return true;
}

/* With the ticket taken no other open sends. One may have recorded a job since this open
 * decided, or the response to a run request that was given up may have arrived. */
static bool check_decision(struct giq_job *job, struct giq_error *err)
{
    GIQ_AUTO(giq_record_release) struct giq_record record;
    giq_record_init(&record);
    if (!giq_step_read_below(job, job->ticket.n, &record, err)) {
        return false;
    }
    const char *was = job->record.job_id;
    const char *is = record.job_id;
    bool is_same_job = (was == NULL && is == NULL) ||
                       (was != NULL && is != NULL && giq_text_is_same_id(was, is));
    giq_record_release(&job->record);
    job->record = record; /* transferred */
    giq_record_init(&record);
    giq_step_use_abandoned(job);
    bool may_send = !is_further_job(job) || giq_retry_allows_job(job);
    return (is_same_job && may_send) || fail_overtaken(job, err);
}

/* From now on the label is used, since a job may be started under it. The earlier record
 * of a further job is kept until the job is submitted. */
static bool record_sending(struct giq_job *job, struct giq_error *err)
{
    struct giq_record *record = &job->record;
    if (job->is_damaged) {
        if (!giq_record_quarantine(job->folder, giq_store_access(job->store),
                                   job->canonical, record, err)) {
            return false;
        }
    } else if (record->state > GIQ_JOB_INTENT && !giq_record_restart(record, err)) {
        return false;
    }
    record->attempt = job->ticket.n;
    record->newest = job->ticket.n;
    record->submitted_ms = job->ticket.time_ms;
    if (!giq_text_set(&record->geometry_crs, job->request.geometry_crs) ||
        !giq_text_set(&record->model_id, giq_send_model(job)) ||
        !giq_text_set(&record->file_id, job->file_id)) {
        return giq_fail_memory(err);
    }
    if (job->request.retry != NULL &&
        !giq_record_use_label(record, job->request.retry, err)) {
        return false;
    }
    return giq_step_write(job, GIQ_JOB_SENDING, err);
}

/* Whether the record on disk is still about the ticket of this open, and states no more
 * than that ticket. Returns `if_unreadable` if it cannot be read. */
static bool is_record_own(const struct giq_job *job, bool if_unreadable)
{
    struct giq_error ignored = {0};
    GIQ_AUTO(giq_record_release) struct giq_record record;
    giq_record_init(&record);
    if (!giq_record_read(job->folder, job->canonical, &record, NULL, &ignored)) {
        return if_unreadable;
    }
    const char *own_id = job->ticket.job_id;
    bool has_own_job = record.job_id != NULL && own_id != NULL &&
                       giq_text_is_same_id(record.job_id, own_id);
    return record.newest == job->ticket.n && record.attempt == job->ticket.n &&
           (record.state == GIQ_JOB_SENDING || record.state == GIQ_JOB_UNKNOWN ||
            (record.state == GIQ_JOB_SUBMITTED && has_own_job));
}

/* Whether the ticket was not touched for so long that it may have been given up. */
static bool was_stopped(const struct giq_job *job)
{
    return giq_env_boot_ms(job->service->env) - job->touched_ms > STOPPED_MS;
}

/* After this process was stopped, check that no other one has taken the next ticket. */
static bool check_newest(struct giq_job *job, struct giq_error *err)
{
    GIQ_AUTO(giq_tickets_release) struct giq_tickets tickets = {0};
    giq_ticket_touch(job->folder, job->ticket.n);
    job->touched_ms = giq_env_boot_ms(job->service->env);
    if (!giq_ticket_list(job->folder, &tickets, err)) {
        return false;
    }
    bool is_newest = tickets.len > 0 && tickets.items[tickets.len - 1].n == job->ticket.n;
    return is_newest || fail_overtaken(job, err);
}

/* Called before `sending` is recorded, which would replace what another open has recorded
 * while this process was stopped. */
static bool check_before_record(struct giq_job *job, struct giq_error *err)
{
    return !was_stopped(job) || (check_newest(job, err) && check_decision(job, err));
}

/* The last check before the request is sent. */
static bool check_before_sending(struct giq_job *job, struct giq_error *err)
{
    if (!was_stopped(job)) {
        return true;
    }
    return check_newest(job, err) &&
           (is_record_own(job, false) || fail_overtaken(job, err));
}

/* The connection is up and the request is about to be sent. Called again if a redirect is
 * followed. */
static bool before_send(void *ctx, struct giq_error *err)
{
    struct giq_job *job = ctx;
    if (job->ticket.n != 0) {
        return check_before_sending(job, err);
    }
    return take_ticket(job, err) && check_decision(job, err) &&
           giq_limits_take_slot(job, err) && giq_step_check_cancelled(job, err) &&
           check_before_record(job, err) && record_sending(job, err) &&
           check_before_sending(job, err);
}

/* Called while the response is awaited. */
static void touch_ticket(void *ctx)
{
    struct giq_job *job = ctx;
    int64_t now_ms = giq_env_boot_ms(job->service->env);
    if (job->ticket.n != 0 && now_ms - job->touched_ms >= GIQ_TICKET_TOUCH_MS) {
        giq_ticket_touch(job->folder, job->ticket.n);
        job->touched_ms = now_ms;
    }
}

/* ---- its outcome ---- */

static bool end_ticket(struct giq_job *job, enum giq_ticket_outcome outcome,
                       struct giq_error *err)
{
    job->ticket.outcome = outcome;
    return giq_ticket_end(job->folder, giq_store_access(job->store), &job->ticket, err);
}

static bool copy_job(struct giq_job *job, const struct giq_api_job *started)
{
    struct giq_ticket *ticket = &job->ticket;
    struct giq_record *record = &job->record;
    ticket->started_ms = started->started_ms;
    record->started_ms = started->started_ms;
    return giq_text_set(&ticket->job_id, started->id) &&
           giq_text_set(&ticket->status, started->status) &&
           giq_text_set(&ticket->type, started->type) &&
           giq_text_set(&record->job_id, started->id) &&
           giq_text_set(&record->status, started->status) &&
           giq_text_set(&record->type, started->type);
}

/* Record the outcome in the ticket, then in the record unless another open has changed
 * it. A record that cannot be read is written only if the ticket could not be. One of the
 * two is enough. `*out_own` is whether the record is still that of this open. */
static bool record_in_both(struct giq_job *job, enum giq_ticket_outcome outcome,
                           enum giq_job_state state, bool *out_own, struct giq_error *err)
{
    bool in_ticket = end_ticket(job, outcome, err);
    *out_own = is_record_own(job, !in_ticket);
    bool in_record = *out_own && giq_step_write_outcome(job, state, in_ticket, err);
    if (!in_ticket && !in_record) {
        return false;
    }
    job->record.state = state;
    return true;
}

static bool record_submitted(struct giq_job *job, const struct giq_api_job *started,
                             struct giq_error *err)
{
    bool is_own = false;
    bool is_copied = copy_job(job, started) || giq_fail_memory(err);
    if (!is_copied ||
        !record_in_both(job, GIQ_TICKET_JOB, GIQ_JOB_SUBMITTED, &is_own, err)) {
        /* The id is not shortened, and is printed only once, so that every id fits. */
        return giq_error_context(
            err,
            "the job was started but could not be recorded; open the same dataset with "
            "job=%s",
            started->id);
    }
    *err = (struct giq_error){0};
    if (!is_own) {
        job->phase = GIQ_PHASE_READ_RECORD;
        return true;
    }
    job->id_received_ms = giq_job_now_ms(job);
    job->learning = (struct giq_learning){0};
    giq_service_restart_check(job->service);
    job->phase = GIQ_PHASE_WAIT;
    return true;
}

static bool record_unknown(struct giq_job *job, struct giq_error *err)
{
    bool is_own = false;
    const struct giq_error reason = *err;
    bool is_copied = (giq_text_set(&job->record.error, reason.text) &&
                      giq_text_set(&job->ticket.error, reason.text)) ||
                     giq_fail_memory(err);
    if (!is_copied ||
        !record_in_both(job, GIQ_TICKET_UNKNOWN, GIQ_JOB_UNKNOWN, &is_own, err)) {
        const struct giq_error cause = *err;
        return giq_fail(err, GIQ_E_UNKNOWN,
                        "a job may have been started and paid for; look for it on the "
                        "service's web page and adopt it with job=<id>. The outcome of "
                        "the run request is not known (%.*s), and this could not be "
                        "recorded (%.*s)",
                        giq_text_cut_len(reason.text, CAUSE_MAX), reason.text,
                        giq_text_cut_len(cause.text, CAUSE_MAX), cause.text);
    }
    *err = reason;
    return giq_step_fail_recorded(job, err);
}

/* No job was started. If the ticket cannot be ended, the record stays too: a later open
 * reports an unknown outcome. */
static bool record_nothing(struct giq_job *job, bool keeps_intent, struct giq_error *err)
{
    bool has_ticket = job->ticket.n != 0;
    bool is_overtaken = job->is_overtaken && !has_ticket;
    bool ok =
        (!has_ticket || end_ticket(job, GIQ_TICKET_NOTHING, err)) &&
        (is_overtaken || giq_record_undo(job->folder, giq_store_access(job->store),
                                         job->ticket.n, job->token, keeps_intent, err));
    if (has_ticket) {
        job->known_ticket = job->ticket.n;
    }
    giq_record_release(&job->record);
    return ok;
}

/* ---- throttling ---- */

/* How often the service has throttled the run request since this open began, whoever sent
 * it. */
static int throttled_count(const struct giq_job *job)
{
    return job->throttled - job->throttled_before;
}

static bool may_retry(const struct giq_job *job, int64_t pause_ms)
{
    return throttled_count(job) <= job->service->settings.max_retry &&
           pause_ms < giq_job_left_ms(job);
}

static bool fail_throttled(const struct giq_job *job, struct giq_error *err)
{
    return giq_fail(err, GIQ_E_REFUSED,
                    "no job was started: the service does not accept jobs now; other "
                    "opens of the same request were throttled (HTTP 429) %d times while "
                    "this one waited; open again later",
                    throttled_count(job));
}

bool giq_send_is_paused(struct giq_job *job, bool *out, int64_t *due_ms,
                        struct giq_error *err)
{
    bool found = false;
    int64_t left_ms = 0;
    GIQ_AUTO(giq_ticket_release) struct giq_ticket newest;
    giq_ticket_init(&newest);
    *out = false;
    if (!job->record.is_paused) {
        return true;
    }
    if (job->paused_ticket != job->record.newest) {
        if (!giq_ticket_read(job->folder, job->record.newest, &newest, &found, err) ||
            !giq_ticket_pause_left(job->folder, giq_store_access(job->store), &newest,
                                   &left_ms, err)) {
            return false;
        }
        job->paused_ticket = job->record.newest;
        job->paused_until_ms = giq_job_now_ms(job) + left_ms;
    }
    left_ms = job->paused_until_ms - giq_job_now_ms(job);
    bool is_over = left_ms <= 0;
    /* With -1 a pause that is over is allowed even when no time is left. */
    if (!may_retry(job, is_over ? -1 : left_ms)) {
        return fail_throttled(job, err);
    }
    if (!is_over) {
        *out = true;
        *due_ms = job->paused_until_ms;
    }
    return true;
}

/* The service throttled the run request: send it again later, unless MAX_RETRY or TIMEOUT
 * is reached. Whoever sends it, the pause is the same. */
static bool retry_later(struct giq_job *job, int64_t retry_after_ms, int64_t *due_ms,
                        struct giq_error *err)
{
    struct giq_error failure = {0};
    job->throttled++;
    int64_t pause_ms =
        giq_call_delay_ms(job->service, throttled_count(job), retry_after_ms);
    bool is_retried = may_retry(job, pause_ms);
    /* The pause may be a day. An open that gives up records 1 ms: others need not wait,
     * and 0 would mean that the request was not throttled. */
    job->ticket.retry_after_ms = is_retried && pause_ms > 0 ? pause_ms : 1;
    job->has_throttled = true;
    bool is_recorded = record_nothing(job, is_retried, &failure);
    if (!is_retried) {
        return false;
    }
    if (!is_recorded) {
        *err = failure;
        return false;
    }
    job->record.state = GIQ_JOB_INTENT;
    job->paused_ticket = job->known_ticket;
    job->paused_until_ms = giq_job_now_ms(job) + pause_ms;
    *due_ms = job->paused_until_ms;
    *err = (struct giq_error){0}; /* it was that of the throttled request */
    return true;
}

/* ---- sending ---- */

/* After a 404 for an uploaded file, upload it again, but only once: a second 404 is about
 * something else, such as the model. Returns false, with `err` as it was, if the file
 * must not be uploaded again. */
static bool drop_stale_file(struct giq_job *job, struct giq_error *err)
{
    if (err->http_status != 404 || job->file_id == NULL || job->stale_file_id != NULL) {
        return false;
    }
    giq_env_debug(
        job->service->env,
        "the service does not know the uploaded file, or the model; the file is "
        "uploaded again");
    job->stale_file_id = giq_take(&job->file_id);
    job->phase = GIQ_PHASE_READ_RECORD;
    *err = (struct giq_error){0};
    return true;
}

static bool end_without_job(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    struct giq_error ignored = {0};
    bool had_ticket = job->ticket.n != 0;
    (void)record_nothing(job, false, &ignored);
    if (job->is_overtaken) {
        job->phase = GIQ_PHASE_READ_RECORD;
        *err = (struct giq_error){0};
        /* TIMEOUT bounds how many tickets one open takes for nothing. */
        return !had_ticket || giq_step_wait_for_sender(job, due_ms, err);
    }
    return drop_stale_file(job, err);
}

static bool record_outcome(struct giq_job *job, enum giq_api_run_outcome outcome,
                           const struct giq_api_job *started, int64_t retry_after_ms,
                           int64_t *due_ms, struct giq_error *err)
{
    switch (outcome) {
    case GIQ_API_RUN_SUBMITTED:
        return record_submitted(job, started, err);
    case GIQ_API_RUN_NO_JOB:
        return end_without_job(job, due_ms, err);
    case GIQ_API_RUN_THROTTLED:
        return retry_later(job, retry_after_ms, due_ms, err);
    case GIQ_API_RUN_UNKNOWN:
        break;
    }
    return record_unknown(job, err);
}

static void spend_or_return_slot(struct giq_job *job, enum giq_api_run_outcome outcome)
{
    if (outcome == GIQ_API_RUN_NO_JOB || outcome == GIQ_API_RUN_THROTTLED) {
        giq_limits_return_slot(job);
    } else {
        giq_limits_spend_slot(job);
    }
}

bool giq_send_run(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    GIQ_AUTO(giq_api_job_release)
    struct giq_api_job started = {.started_ms = GIQ_TIME_NONE};
    const struct giq_api_run_hooks hooks = {before_send, touch_ticket, job};
    int64_t retry_after_ms = -1;
    assert(job->ticket.n == 0);
    job->is_overtaken = false;
    if (!record_intent(job, err)) {
        return false;
    }
    struct giq_request request = job->request;
    request.model = giq_send_model(job);
    request.file = job->file_id == NULL ? job->request.file : job->file_id;
    giq_env_begin(job->service->env, GIQ_ACTIVITY_SUBMIT);
    enum giq_api_run_outcome outcome =
        giq_api_run(job->service, &request, &hooks, &started, &retry_after_ms, err);
    bool ok = record_outcome(job, outcome, &started, retry_after_ms, due_ms, err);
    spend_or_return_slot(job, outcome);
    giq_ticket_release(&job->ticket);
    return ok;
}
