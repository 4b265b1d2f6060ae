/* Submitting a request: models, upload, then one run request. */
#include "job/giq_submit.h"

#include <stdio.h>

#include "base/giq_cleanup.h"
#include "base/giq_error.h"
#include "base/giq_text.h"
#include "job/giq_limits.h"
#include "job/giq_retry.h"
#include "job/giq_step.h"
#include "service/giq_api.h"
#include "service/giq_call.h"
#include "service/giq_models.h"
#include "service/giq_upload.h"

enum { CAUSE_MAX = 120 }; /* bytes of an error that is quoted in another one */

/* ---- the run request ---- */

static const char *model_of(const struct giq_job *job)
{
    return job->model_id == NULL ? job->request.model : job->model_id;
}

/* Record the state `intent`. An earlier record is kept until the job is submitted. */
static bool record_intent(struct giq_job *job, struct giq_error *err)
{
    if (job->is_damaged) {
        if (!giq_record_quarantine(job->folder, giq_store_access(job->store),
                                   &job->record, err)) {
            return false;
        }
    } else if (job->record.state > GIQ_JOB_INTENT) {
        /* A further job runs the recorded model. */
        if (job->model_id == NULL &&
            !giq_text_set(&job->model_id, job->record.model_id)) {
            return giq_fail_memory(err);
        }
        if (!giq_record_restart(&job->record, err)) {
            return false;
        }
    }
    if (!giq_text_set(&job->record.geometry_crs, job->request.geometry_crs)) {
        return giq_fail_memory(err);
    }
    return giq_step_write(job, GIQ_JOB_INTENT, err);
}

/* The connection is up and the request is about to be sent. From now on the label is
 * used, since a job may be started under it. Called again if a redirect is followed. */
static bool record_sending(void *ctx, struct giq_error *err)
{
    struct giq_job *job = ctx;
    const struct giq_env *env = job->service->env;
    if (!giq_limits_take_slot(job, err)) {
        return false;
    }
    job->record.submitted_ms = env->wall_ms(env->ctx);
    if (!giq_text_set(&job->record.model_id, model_of(job)) ||
        !giq_text_set(&job->record.file_id, job->file_id)) {
        return giq_fail_memory(err);
    }
    if (job->request.retry != NULL &&
        !giq_record_use_label(&job->record, job->request.retry, err)) {
        return false;
    }
    return giq_step_write(job, GIQ_JOB_SENDING, err);
}

static bool write_submitted(struct giq_job *job, const struct giq_api_job *started,
                            struct giq_error *err)
{
    struct giq_record *record = &job->record;
    if (!giq_text_set(&record->job_id, started->id) ||
        !giq_text_set(&record->status, started->status) ||
        !giq_text_set(&record->type, started->type)) {
        return giq_fail_memory(err);
    }
    record->started_ms = started->started_ms;
    return giq_step_write(job, GIQ_JOB_SUBMITTED, err);
}

static bool record_submitted(struct giq_job *job, const struct giq_api_job *started,
                             struct giq_error *err)
{
    if (!write_submitted(job, started, err)) {
        /* The id is not shortened, and is printed only once, so that every id fits. */
        return giq_error_context(
            err,
            "the job was started but could not be recorded; open the same dataset with "
            "job=%s",
            started->id);
    }
    job->id_received_ms = giq_job_now_ms(job);
    job->learning = (struct giq_learning){0};
    giq_service_restart_check(job->service);
    job->phase = GIQ_PHASE_WAIT;
    return true;
}

static bool write_unknown(struct giq_job *job, const char *reason, struct giq_error *err)
{
    if (!giq_text_set(&job->record.error, reason)) {
        return giq_fail_memory(err);
    }
    return giq_step_write(job, GIQ_JOB_UNKNOWN, err);
}

static bool record_unknown(struct giq_job *job, struct giq_error *err)
{
    const struct giq_error reason = *err;
    if (!write_unknown(job, reason.text, err)) {
        const struct giq_error cause = *err;
        return giq_fail(err, GIQ_E_UNKNOWN,
                        "a job may have been started and paid for; look for it on the "
                        "service's web page and adopt it with job=<id>. The outcome of "
                        "the run request is not known (%.*s), and this could not be "
                        "recorded (%.*s)",
                        giq_text_cut_len(reason.text, CAUSE_MAX), reason.text,
                        giq_text_cut_len(cause.text, CAUSE_MAX), cause.text);
    }
    return giq_step_fail_recorded(job, err);
}

/* The service throttled the run request: send it again later, unless MAX_RETRY or TIMEOUT
 * is reached. */
static bool retry_run_later(struct giq_job *job, int64_t retry_after_ms, int64_t *due_ms,
                            struct giq_error *err)
{
    int64_t pause_ms =
        giq_call_delay_ms(job->service, job->throttled_count + 1, retry_after_ms);
    job->throttled_count++;
    if (job->throttled_count > job->service->settings.max_retry ||
        pause_ms >= giq_job_left_ms(job)) {
        giq_step_remove(job);
        return false;
    }
    job->record.submitted_ms = GIQ_TIME_NONE;
    *due_ms = giq_job_now_ms(job) + pause_ms;
    if (!giq_step_write(job, GIQ_JOB_INTENT, err)) {
        giq_step_remove(job);
        return false;
    }
    *err = (struct giq_error){0}; /* it was that of the throttled request */
    return true;
}

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

static bool is_upload_missing(const struct giq_job *job)
{
    return job->request.upload != NULL && job->file_id == NULL;
}

bool giq_submit_needs_models(const struct giq_job *job)
{
    if (job->has_checked_models) {
        return false;
    }
    return job->record.state <= GIQ_JOB_INTENT ||
           (giq_retry_allows_job(job) && job->record.model_id == NULL);
}

/* Check that the request can start a job. An open that names only a job cannot; it gets
 * here if another process removed the job's record after it was found. */
static bool check_request(const struct giq_job *job, struct giq_error *err)
{
    bool has_file = job->request.file != NULL || job->request.upload != NULL;
    if (job->request.model == NULL || !has_file) {
        return giq_step_fail_removed(job, job->request.job, err);
    }
    return true;
}

static bool record_outcome(struct giq_job *job, enum giq_api_run_outcome outcome,
                           const struct giq_api_job *started, int64_t retry_after_ms,
                           int64_t *due_ms, struct giq_error *err)
{
    switch (outcome) {
    case GIQ_API_RUN_SUBMITTED:
        return record_submitted(job, started, err);
    case GIQ_API_RUN_NO_JOB:
        giq_step_remove(job);
        return drop_stale_file(job, err);
    case GIQ_API_RUN_THROTTLED:
        return retry_run_later(job, retry_after_ms, due_ms, err);
    case GIQ_API_RUN_UNKNOWN:
        break;
    }
    return record_unknown(job, err);
}

static bool send_run(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    GIQ_AUTO(giq_api_job_release)
    struct giq_api_job started = {.started_ms = GIQ_TIME_NONE};
    struct giq_request request = job->request;
    int64_t retry_after_ms = -1;
    request.model = model_of(job);
    request.file = job->file_id == NULL ? job->request.file : job->file_id;
    giq_env_begin(job->service->env, GIQ_ACTIVITY_SUBMIT);
    enum giq_api_run_outcome outcome = giq_api_run(job->service, &request, record_sending,
                                                   job, &started, &retry_after_ms, err);
    bool ok = record_outcome(job, outcome, &started, retry_after_ms, due_ms, err);
    if (outcome == GIQ_API_RUN_NO_JOB || outcome == GIQ_API_RUN_THROTTLED) {
        giq_limits_return_slot(job);
    } else {
        giq_limits_spend_slot(job);
    }
    return ok;
}

/* The record was read again under the lock. If it now needs a file, a model or a check
 * that was not prepared, return, and the next step prepares it. */
static bool submit(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    if (!job->has_checked_limits || is_upload_missing(job) ||
        giq_submit_needs_models(job)) {
        return true;
    }
    if (!check_request(job, err)) {
        return false;
    }
    return giq_step_check_cancelled(job, err) && giq_step_may_start(job, err) &&
           record_intent(job, err) && send_run(job, due_ms, err);
}

/* The record is `sending`, but no other open holds the lock: the one that sent the
 * request has ended, or could not record the outcome. */
static bool record_abandoned(struct giq_job *job, struct giq_error *err)
{
    job->phase = GIQ_PHASE_READ_RECORD;
    return write_unknown(job, "its outcome was not recorded", err);
}

static bool fail_no_submit(struct giq_error *err)
{
    return giq_fail(
        err, GIQ_E_USAGE,
        "no job is recorded for this request, and SUBMIT=NO does not start one; omit "
        "SUBMIT=NO to start one, which is paid for");
}

/*
 * SUBMIT=NO, and nothing was sent for the request. With GIQ_JOB_NO_WAIT that is a dry
 * run: the view then shows what would be sent, or the limit that forbids it. Sends and
 * writes nothing.
 */
static bool end_without_job(struct giq_job *job, struct giq_error *err)
{
    if (!(job->flags & GIQ_JOB_NO_WAIT)) {
        return fail_no_submit(err);
    }
    if (!check_request(job, err)) {
        return false;
    }
    if (!giq_limits_check(job, &job->limit) && job->limit.code == GIQ_E_MEMORY) {
        *err = job->limit;
        return false;
    }
    job->phase = GIQ_PHASE_DONE;
    if (!is_upload_missing(job)) {
        return true;
    }
    return giq_upload_find(job->service, job->store, job->request.upload, NULL,
                           &job->file_id, err);
}

/* The lock of a request that was being sent cannot be acquired, as in a read-only store:
 * a dry run then shows the state that is recorded. Any other open fails. */
static bool show_without_lock(struct giq_job *job, struct giq_error *err)
{
    enum { DRY_RUN = GIQ_JOB_NO_SUBMIT | GIQ_JOB_NO_WAIT };
    if ((job->flags & DRY_RUN) != DRY_RUN || err->code != GIQ_E_STORE ||
        job->record.state != GIQ_JOB_SENDING) {
        return false;
    }
    *err = (struct giq_error){0};
    job->phase = GIQ_PHASE_DONE;
    return true;
}

/* Must be called with the record lock held. */
static bool decide_by_record(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    if (giq_retry_allows_job(job)) {
        return submit(job, due_ms, err);
    }
    if (job->record.state == GIQ_JOB_SENDING) {
        return record_abandoned(job, err);
    }
    if (job->record.state > GIQ_JOB_SENDING) {
        job->phase = GIQ_PHASE_READ_RECORD;
        return true;
    }
    if (job->flags & GIQ_JOB_NO_SUBMIT) {
        return end_without_job(job, err);
    }
    return submit(job, due_ms, err);
}

/* ---- preparing: models, upload, store ---- */

static bool needs_upload(const struct giq_job *job)
{
    return is_upload_missing(job) &&
           (job->record.state <= GIQ_JOB_INTENT || giq_retry_allows_job(job));
}

bool giq_submit_list_models(struct giq_service *service, struct giq_models *out,
                            bool *out_listed, struct giq_error *err)
{
    struct giq_error reason = {0};
    giq_env_begin(service->env, GIQ_ACTIVITY_MODELS);
    *out_listed = giq_models_get(service, out, &reason);
    if (*out_listed) {
        return true;
    }
    if (reason.code == GIQ_E_NETWORK) {
        *err = reason;
        return giq_error_context(err, "no job was started, because the list of models "
                                      "could not be read");
    }
    if (reason.code == GIQ_E_CREDENTIALS || reason.code == GIQ_E_MEMORY ||
        giq_env_cancelled(service->env)) {
        *err = reason;
        return false;
    }
    giq_env_debug(service->env, "the list of models could not be read: %s", reason.text);
    return true;
}

bool giq_submit_set_model(struct giq_job *job, const char *model_id,
                          struct giq_error *err)
{
    job->has_checked_models = true;
    return giq_text_set(&job->model_id, model_id) || giq_fail_memory(err);
}

/* Check in the list of models, before a job is paid for, that the model exists, and find
 * the id of a model that is given by name. */
static bool check_models(struct giq_job *job, struct giq_error *err)
{
    bool is_listed = false;
    GIQ_AUTO(giq_models_release) struct giq_models models = {0};
    job->has_checked_models = true;
    if (!giq_submit_list_models(job->service, &models, &is_listed, err)) {
        return false;
    }
    return !is_listed || giq_models_choose(job->service, &models, job->request.model,
                                           &job->model_id, err);
}

static void report_upload(const struct giq_job *job)
{
    struct giq_printable path;
    char line[sizeof "uploading " + GIQ_TEXT_PRINTABLE_MAX];
    if (job->host.progress != NULL) {
        (void)snprintf(line, sizeof line, "uploading %s",
                       giq_text_printable(job->request.upload->source->path, &path));
        job->host.progress(job->host.ctx, line, "");
    }
}

/* Must be called without the record lock. If another open is uploading the content,
 * returns true without an id, and `*due_ms` is when to try again. */
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
    report_upload(job);
    giq_env_begin(job->service->env, GIQ_ACTIVITY_UPLOAD);
    if (giq_upload_find_or_send(job->service, job->store, upload, job->stale_file_id,
                                &job->file_id, err)) {
        return true;
    }
    return giq_step_retry_later(job, due_ms, err);
}

/* Check the store once, before the first request of this open. */
static bool check_store(struct giq_job *job, struct giq_error *err)
{
    if (job->has_checked_store) {
        return true;
    }
    job->has_checked_store =
        giq_store_check_writable(job->store, job->folder, needs_upload(job), err);
    return job->has_checked_store;
}

static bool prepare(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    bool is_new = job->record.state <= GIQ_JOB_INTENT || giq_retry_allows_job(job);
    /* What is recorded is reported without credentials and without a request. */
    if (!is_new) {
        return true;
    }
    if (!check_request(job, err) || !giq_step_may_start(job, err)) {
        return false;
    }
    /* A throttled request has left a record, which a refusal here would not remove. Its
     * limits are checked when it is sent again: a refusal then removes the record. */
    if (job->throttled_count == 0 && !giq_limits_check(job, err)) {
        return false;
    }
    job->has_checked_limits = true;
    if (!giq_service_check_credentials(job->service, err) || !check_store(job, err)) {
        return false;
    }
    if (giq_submit_needs_models(job) && !check_models(job, err)) {
        return false;
    }
    if (needs_upload(job)) {
        return get_file(job, due_ms, err);
    }
    return true;
}

bool giq_submit_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    bool held = false;
    if (job->flags & GIQ_JOB_NO_SUBMIT) {
        /* Fail before anything is written: the store may be read-only. */
        if (job->record.state <= GIQ_JOB_INTENT) {
            return end_without_job(job, err);
        }
    } else {
        if (!prepare(job, due_ms, err)) {
            return false;
        }
        if (needs_upload(job)) {
            return true; /* another open is uploading the file; `*due_ms` is set */
        }
    }
    if (!giq_step_acquire_lock(job, &held, due_ms, err)) {
        return show_without_lock(job, err);
    }
    if (!held) {
        return true;
    }
    bool ok = decide_by_record(job, due_ms, err);
    giq_step_release_lock(job);
    return ok;
}

void giq_submit_cancel(struct giq_job *job)
{
    struct giq_error ignored = {0};
    int64_t due_ms = 0;
    bool held = false;
    if (job->throttled_count == 0 || job->record.state != GIQ_JOB_INTENT) {
        return;
    }
    if (giq_step_acquire_lock(job, &held, &due_ms, &ignored) && held) {
        /* If it is the intent of a further job, the earlier record was read instead. */
        if (job->record.state == GIQ_JOB_INTENT) {
            giq_step_remove(job);
        }
        giq_step_release_lock(job);
    }
}
