/* Submitting a request: the decision, the model and the upload, then one run request. */
#include "job/giq_submit.h"

#include <stdio.h>

#include "base/giq_cleanup.h"
#include "base/giq_error.h"
#include "base/giq_text.h"
#include "job/giq_limits.h"
#include "job/giq_retry.h"
#include "job/giq_send.h"
#include "job/giq_step.h"
#include "service/giq_models.h"
#include "service/giq_upload.h"
#include "store/giq_leftovers.h"

/* ---- deciding ---- */

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
    bool is_paused = false;
    if (!giq_send_is_paused(job, &is_paused, due_ms, err)) {
        return false;
    }
    return is_paused || (giq_step_check_cancelled(job, err) &&
                         giq_step_may_start(job, err) && giq_send_run(job, due_ms, err));
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
static bool end_no_submit(struct giq_job *job, struct giq_error *err)
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

/* A dry run shows that the request is being sent; other opens wait for the outcome. */
static bool wait_for_sender(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    job->phase = giq_job_is_dry_run(job) ? GIQ_PHASE_DONE : GIQ_PHASE_READ_RECORD;
    return giq_job_is_dry_run(job) || giq_step_wait_for_sender(job, due_ms, err);
}

/* The lock of a request that is being sent, or was sent by version 0.1, cannot be
 * acquired, as in a read-only store. Without a ticket only a dry run can go on. */
static bool go_on_without_lock(struct giq_job *job, int64_t *due_ms,
                               struct giq_error *err)
{
    bool is_possible = job->record.sender == GIQ_SENDER_ALIVE || giq_job_is_dry_run(job);
    if (job->record.state != GIQ_JOB_SENDING || err->code != GIQ_E_STORE ||
        !is_possible) {
        return false;
    }
    *err = (struct giq_error){0};
    return wait_for_sender(job, due_ms, err);
}

/* Must be called with the record lock held. */
static bool decide_by_record(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    bool was_sending = job->record.state == GIQ_JOB_SENDING;
    giq_step_use_abandoned(job);
    if (giq_retry_allows_job(job)) {
        return submit(job, due_ms, err);
    }
    if (job->record.state == GIQ_JOB_SENDING) {
        return wait_for_sender(job, due_ms, err);
    }
    if (job->record.state > GIQ_JOB_SENDING) {
        job->phase = GIQ_PHASE_READ_RECORD;
        return !was_sending || giq_step_report_end(job, err);
    }
    if (job->flags & GIQ_JOB_NO_SUBMIT) {
        return end_no_submit(job, err);
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

/* Check the store once, before the first request of this open, and tidy it. */
static bool check_store(struct giq_job *job, struct giq_error *err)
{
    if (job->has_checked_store) {
        return true;
    }
    job->has_checked_store =
        giq_store_check_writable(job->store, job->folder, needs_upload(job), err);
    /* A damaged record may name a result. */
    if (job->has_checked_store && !job->is_damaged) {
        giq_leftovers_remove(job->folder, giq_store_access(job->store),
                             job->record.result_folder);
    }
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
    /* A run request of this open that was throttled has left an intent, which a refusal
     * here would not remove. Its limits are checked when it is sent again, and a refusal
     * then removes the intent. */
    if (!job->has_throttled && !giq_limits_check(job, err)) {
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
    if (giq_job_is_dry_run(job) && job->record.sender == GIQ_SENDER_ALIVE) {
        return wait_for_sender(job, due_ms, err);
    }
    if (job->flags & GIQ_JOB_NO_SUBMIT) {
        /* Fail before anything is written: the store may be read-only. */
        if (job->record.state <= GIQ_JOB_INTENT) {
            return end_no_submit(job, err);
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
        return go_on_without_lock(job, due_ms, err);
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
    if (!job->has_throttled || job->record.state != GIQ_JOB_INTENT) {
        return;
    }
    if (giq_step_acquire_lock(job, &held, &due_ms, &ignored) && held) {
        (void)giq_record_undo(job->folder, giq_store_access(job->store), 0, job->token,
                              false, &ignored);
        giq_record_release(&job->record);
        giq_step_release_lock(job);
    }
}
