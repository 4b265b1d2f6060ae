/*
 * Submitting once. The record says `intent` before anything is sent and `sending`
 * when the request is about to go out; what came of it is written before the
 * flight is left.
 */
#include <string.h>

#include "base/giq_env.h"
#include "base/giq_text.h"
#include "job/giq_job.h"
#include "service/giq_call.h"
#include "service/giq_models.h"
#include "service/giq_upload.h"

/* Reading the list spares the user a job that cannot run, and gives the id of a model
 * that is named. An error status or an odd list decides nothing. Where the way to the
 * service failed nothing is sent: the paid request might arrive and its response be
 * lost. */
static bool look_at_models(struct giq_job *job, struct giq_error *err)
{
    struct giq_models models = {0};
    struct giq_error reason = {0};
    job->has_checked_models = true;
    if (!giq_models_get(job->service, &models, &reason)) {
        if (reason.code == GIQ_E_CREDENTIALS || reason.code == GIQ_E_NETWORK ||
            giq_env_cancelled(job->service->env)) {
            *err = reason;
            return reason.code == GIQ_E_NETWORK
                       ? giq_error_context(err, "no job was started, because the list of "
                                                "models could not be had")
                       : false;
        }
        giq_env_debug(job->service->env, "the models are not known: %s", reason.text);
        return true;
    }
    bool ok =
        giq_models_choose(job->service, &models, job->request.model, &job->model_id, err);
    giq_models_release(&models);
    return ok;
}

static const char *model_of(const struct giq_job *job)
{
    return job->model_id == NULL ? job->request.model : job->model_id;
}

/* The connection stands and the request is about to go out. From now on a label
 * is used, since a job may be made under it. */
static bool note_sending(void *ctx, struct giq_error *err)
{
    struct giq_job *job = ctx;
    const struct giq_env *env = job->service->env;
    job->record.submitted_ms = env->wall_ms(env->ctx);
    return ((giq_text_set(&job->record.model_id, model_of(job)) &&
             giq_text_set(&job->record.file_id, job->file_id)) ||
            giq_fail_memory(err)) &&
           (job->request.retry == NULL ||
            giq_record_use_label(&job->record, job->request.retry, err)) &&
           giq_step_write(job, GIQ_JOB_SENDING, err);
}

static bool note_submitted(struct giq_job *job, struct giq_api_job *told,
                           struct giq_error *err)
{
    struct giq_record *record = &job->record;
    bool ok = (giq_text_set(&record->job_id, told->id) &&
               giq_text_set(&record->status, told->status) &&
               giq_text_set(&record->type, told->type)) ||
              giq_fail_memory(err);
    record->started_ms = told->started_ms;
    ok = ok && giq_step_write(job, GIQ_JOB_SUBMITTED, err);
    if (!ok) {
        struct giq_printable id;
        (void)giq_error_context(err,
                                "the job %s was started but could not be recorded; open "
                                "the same dataset with job=%s",
                                giq_call_printable(job->service, told->id, &id), id.text);
        return false;
    }
    job->id_received_ms = giq_step_now_ms(job);
    giq_service_restart_check(job->service);
    job->phase = GIQ_PHASE_WAIT;
    return true;
}

/* Nothing happened. Where even that cannot be written the record stays, and says
 * less than is known, never more. */
static void withdraw(struct giq_job *job)
{
    struct giq_error ignored = {0};
    (void)giq_record_remove(job->folder, giq_store_access(job->store), &job->record,
                            &ignored);
    giq_record_release(&job->record);
}

static bool note_unknown(struct giq_job *job, struct giq_error *err)
{
    struct giq_error reason = *err;
    if ((!giq_text_set(&job->record.error, reason.text) && !giq_fail_memory(err)) ||
        !giq_step_write(job, GIQ_JOB_UNKNOWN, err)) {
        struct giq_error obstacle = *err;
        return giq_fail(err, GIQ_E_UNKNOWN,
                        "a job may have been made and paid for; look for it on the "
                        "service's web page and adopt it with job=<id>. What came of the "
                        "run request is not known (%.120s), which could not be recorded "
                        "(%.120s)",
                        reason.text, obstacle.text);
    }
    return giq_step_fail_recorded(job, err);
}

/* The service takes no job now: come again, unless that is too often or too late. */
static bool postpone(struct giq_job *job, int64_t asked_ms, int64_t *due_ms,
                     struct giq_error *err)
{
    const struct giq_settings *settings = &job->service->settings;
    int64_t pause_ms =
        giq_call_delay_ms(job->service, job->throttled_count + 1, asked_ms);
    job->throttled_count++;
    if (job->throttled_count > settings->max_retry || pause_ms >= giq_step_left_ms(job)) {
        withdraw(job);
        return false;
    }
    job->record.submitted_ms = GIQ_TIME_NONE;
    *due_ms = giq_step_now_ms(job) + pause_ms;
    if (!giq_step_write(job, GIQ_JOB_INTENT, err)) {
        withdraw(job);
        return false;
    }
    return true;
}

/* What the request had before stays recorded until the new job is submitted. */
static bool note_intent(struct giq_job *job, struct giq_error *err)
{
    bool ok = true;
    if (job->is_damaged) {
        ok = giq_record_quarantine(job->folder, giq_store_access(job->store),
                                   &job->record, err);
    } else if (job->record.state > GIQ_JOB_INTENT) {
        ok = (job->model_id != NULL ||
              giq_text_set(&job->model_id, job->record.model_id) ||
              giq_fail_memory(err)) &&
             giq_record_restart(&job->record, err);
    }
    ok = ok && (giq_text_set(&job->record.geometry_crs, job->request.geometry_crs) ||
                giq_fail_memory(err));
    return ok && giq_step_write(job, GIQ_JOB_INTENT, err);
}

/* A service that has forgotten an uploaded file gets it once more, and all is looked at
 * anew. Not twice: then it is something else that is not found. */
static bool forget_file(struct giq_job *job, struct giq_error *err)
{
    if (err->http_status != 404 || job->file_id == NULL || job->stale_file_id != NULL) {
        return false;
    }
    giq_env_debug(job->service->env,
                  "the service does not know the uploaded file, or the model");
    job->stale_file_id = job->file_id;
    job->file_id = NULL;
    job->phase = GIQ_PHASE_READ_RECORD;
    *err = (struct giq_error){0};
    return true;
}

static bool lacks_file(const struct giq_job *job)
{
    return job->request.upload != NULL && job->file_id == NULL;
}

/* Whether only the list tells which model is meant; a further job asks for the one
 * that the record tells. */
static bool needs_models(const struct giq_job *job)
{
    bool is_first = job->record.state <= GIQ_JOB_INTENT;
    return !job->has_checked_models &&
           (is_first || (giq_step_may_retry(job) && job->record.model_id == NULL));
}

/* Where what others recorded has come to ask for what was not prepared, the next step
 * does that. */
static bool submit(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    if (lacks_file(job) || needs_models(job)) {
        return true;
    }
    if (!giq_step_may_begin(job, err) || !note_intent(job, err)) {
        return false;
    }
    struct giq_api_job told = {.started_ms = GIQ_TIME_NONE};
    struct giq_request request = job->request;
    int64_t later_ms = -1;
    bool ok = false;
    request.model = model_of(job);
    request.file = job->file_id == NULL ? job->request.file : job->file_id;
    switch (
        giq_api_run(job->service, &request, note_sending, job, &told, &later_ms, err)) {
    case GIQ_API_RUN_SUBMITTED:
        ok = note_submitted(job, &told, err);
        break;
    case GIQ_API_RUN_NO_JOB:
        withdraw(job);
        ok = forget_file(job, err);
        break;
    case GIQ_API_RUN_THROTTLED:
        ok = postpone(job, later_ms, due_ms, err);
        break;
    case GIQ_API_RUN_UNKNOWN:
        ok = note_unknown(job, err);
        break;
    }
    giq_api_job_release(&told);
    return ok;
}

/* The flight is ours, so whoever sent is gone. */
static bool note_orphan(struct giq_job *job, struct giq_error *err)
{
    job->phase = GIQ_PHASE_READ_RECORD;
    return (giq_text_set(&job->record.error,
                         "the program ended before the answer came") ||
            giq_fail_memory(err)) &&
           giq_step_write(job, GIQ_JOB_UNKNOWN, err);
}

static bool fail_no_submit(struct giq_error *err)
{
    return giq_fail(err, GIQ_E_USAGE,
                    "no job is recorded for this request, and SUBMIT=NO starts none");
}

/* Within the flight. */
static bool decide(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    if (giq_step_may_retry(job)) {
        return submit(job, due_ms, err);
    }
    if (job->record.state == GIQ_JOB_SENDING) {
        return note_orphan(job, err);
    }
    if (job->record.state > GIQ_JOB_SENDING) {
        job->phase = GIQ_PHASE_READ_RECORD;
        return true;
    }
    return job->flags & GIQ_JOB_NO_SUBMIT ? fail_no_submit(err)
                                          : submit(job, due_ms, err);
}

static bool needs_file(const struct giq_job *job)
{
    return lacks_file(job) &&
           (job->record.state <= GIQ_JOB_INTENT || giq_step_may_retry(job));
}

static void tell_upload(const struct giq_job *job)
{
    struct giq_printable path;
    char line[sizeof "uploading " + GIQ_TEXT_PRINTABLE_MAX];
    if (job->host.progress != NULL) {
        (void)stpcpy(stpcpy(line, "uploading "),
                     giq_text_printable(job->request.upload->source->path, &path));
        job->host.progress(job->host.ctx, line);
    }
}

/* Outside the flight of the request. While another uploads the content, `*due_ms` says
 * when to come again, and there is no id yet. */
static bool get_file(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    const struct giq_upload *upload = job->request.upload;
    if (!giq_upload_find(job->service, job->store, upload, job->stale_file_id,
                         &job->file_id, err)) {
        return false;
    }
    if (job->file_id != NULL) {
        return true;
    }
    tell_upload(job);
    return giq_upload_send(job->service, job->store, upload, job->stale_file_id,
                           &job->file_id, err) ||
           giq_step_retry_later(job, due_ms, err);
}

/* Once, before the first request. */
static bool check_store(struct giq_job *job, struct giq_error *err)
{
    if (!job->has_checked_store && (needs_models(job) || needs_file(job))) {
        job->has_checked_store =
            giq_store_check(job->store, job->folder, needs_file(job), err);
        return job->has_checked_store;
    }
    return true;
}

/* What is needed before a job may be submitted. */
static bool prepare(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    bool is_new = job->record.state <= GIQ_JOB_INTENT || giq_step_may_retry(job);
    return (!is_new || giq_step_may_begin(job, err)) &&
           giq_service_check_credentials(job->service, err) && check_store(job, err) &&
           (!needs_models(job) || look_at_models(job, err)) &&
           (!needs_file(job) || get_file(job, due_ms, err));
}

bool giq_submit_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    bool may_send = !(job->flags & GIQ_JOB_NO_SUBMIT);
    /* Before anything is written: the store may be read only. */
    if (!may_send && job->record.state <= GIQ_JOB_INTENT) {
        return fail_no_submit(err);
    }
    if (may_send && !prepare(job, due_ms, err)) {
        return false;
    }
    if (may_send && needs_file(job)) {
        return true;
    }
    bool held = false;
    if (!giq_step_acquire_lock(job, &held, due_ms, err)) {
        return false;
    }
    if (!held) {
        return true;
    }
    bool ok = decide(job, due_ms, err);
    giq_step_release_lock(job);
    return ok;
}
