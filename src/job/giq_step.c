/*
 * What the steps of a job share: the flight, the record, and its errors.
 */
#include <string.h>

#include "base/giq_env.h"
#include "base/giq_text.h"
#include "job/giq_job.h"
#include "service/giq_call.h"

enum { LOCK_PAUSE_MS = 50 };

int64_t giq_step_now_ms(const struct giq_job *job)
{
    const struct giq_env *env = job->service->env;
    return env->now_ms(env->ctx);
}

int64_t giq_step_left_ms(const struct giq_job *job)
{
    return giq_env_left_ms(job->service->env, job->service->deadline_ms);
}

bool giq_step_read(struct giq_job *job, struct giq_record *out, struct giq_error *err)
{
    bool may_replace = job->is_adopting || job->request.job != NULL ||
                       (job->request.retry != NULL && !(job->flags & GIQ_JOB_NO_SUBMIT));
    job->is_damaged = false;
    if (giq_record_read(job->folder, job->canonical, out, &job->is_damaged, err)) {
        return true;
    }
    if (!job->is_damaged || !may_replace || job->request.model == NULL) {
        return false;
    }
    *err = (struct giq_error){0};
    giq_record_release(out);
    return true;
}

/* The job that is named takes the place of what the request had. */
static bool adopt(struct giq_job *job, struct giq_record *before, struct giq_error *err)
{
    bool ok = giq_step_may_adopt(job, before, err);
    if (ok && job->is_damaged) {
        ok =
            giq_record_quarantine(job->folder, giq_store_access(job->store), before, err);
    } else if (ok && before->read != NULL) {
        ok = giq_record_restart(before, err);
    }
    if (ok) {
        giq_json_free(job->record.read);
        job->record.read = before->read;
        before->read = NULL;
    }
    giq_record_release(before);
    return ok;
}

/* What others recorded counts, but for a job that they know nothing of. */
static bool read_again(struct giq_job *job, struct giq_error *err)
{
    struct giq_record record;
    giq_record_init(&record);
    if (!giq_step_read(job, &record, err)) {
        return false;
    }
    bool is_adopted = record.job_id != NULL && job->request.job != NULL &&
                      strcmp(record.job_id, job->request.job) == 0;
    if (job->is_adopting && job->is_external && !is_adopted) {
        return adopt(job, &record, err);
    }
    if (record.state != GIQ_JOB_NONE) {
        giq_record_release(&job->record);
        job->record = record;
        job->is_external = false;
    } else if (!job->is_external) {
        giq_record_release(&job->record);
    }
    return true;
}

bool giq_step_is_gone(const struct giq_job *job)
{
    return job->record.gone && job->request.job == NULL;
}

/* Whether the open has a label that this record has not used. */
static bool has_new_label(const struct giq_job *job)
{
    const char *label = job->request.retry;
    return label != NULL && job->request.model != NULL &&
           !(job->flags & GIQ_JOB_NO_SUBMIT) &&
           (job->is_damaged || !giq_record_has_label(&job->record, label));
}

static bool has_failed(const struct giq_job *job)
{
    return job->record.state == GIQ_JOB_FAILED || job->record.state == GIQ_JOB_UNKNOWN;
}

/* Whether the record still has the job that was checked once more. */
static bool has_gone_id(const struct giq_job *job)
{
    const char *id = job->record.job_id;
    return job->gone_id != NULL && id != NULL && strcmp(job->gone_id, id) == 0;
}

bool giq_step_may_retry(const struct giq_job *job)
{
    /* What ends badly while it is waited for is told first. */
    if (!has_new_label(job) || job->wait_began_ms != 0) {
        return false;
    }
    return job->is_damaged || has_failed(job) ||
           (giq_step_is_gone(job) && job->is_gone_again && has_gone_id(job));
}

bool giq_step_is_rechecking(const struct giq_job *job)
{
    return has_gone_id(job) && !job->is_gone_again && !job->has_status;
}

bool giq_step_must_recheck(const struct giq_job *job)
{
    if (!has_new_label(job) || job->is_damaged || has_failed(job) ||
        !giq_step_is_gone(job) || job->record.job_id == NULL) {
        return false;
    }
    bool is_first = job->wait_began_ms == 0 && !has_gone_id(job);
    return is_first || giq_step_is_rechecking(job);
}

bool giq_step_begin_recheck(struct giq_job *job, struct giq_error *err)
{
    job->is_gone_again = false;
    return giq_text_set(&job->gone_id, job->record.job_id) || giq_fail_memory(err);
}

void giq_step_end_recheck(struct giq_job *job)
{
    job->is_gone_again = true;
    job->not_found_count = 0;
    job->pause_ms = 0;
    job->wait_began_ms = 0;
    job->phase = GIQ_PHASE_READ_RECORD;
}

bool giq_step_may_adopt(const struct giq_job *job, const struct giq_record *record,
                        struct giq_error *err)
{
    bool is_alive = record->state == GIQ_JOB_SUBMITTED ||
                    record->state == GIQ_JOB_SUCCEEDED ||
                    record->state == GIQ_JOB_PUBLISHED;
    struct giq_printable id;
    if (job->is_damaged || !is_alive || record->gone) {
        return true;
    }
    return giq_fail(err, GIQ_E_USAGE,
                    "the request has the job %s already, which is %s: open it without "
                    "\"job\"",
                    giq_call_printable(job->service, record->job_id, &id),
                    giq_record_state_name(record->state));
}

bool giq_step_may_begin(const struct giq_job *job, struct giq_error *err)
{
    const struct giq_job_host *host = &job->host;
    return host->may_begin == NULL || host->may_begin(host->ctx, err);
}

bool giq_step_retry_later(const struct giq_job *job, int64_t *due_ms,
                          struct giq_error *err)
{
    if (err->code != GIQ_E_TIMEOUT || giq_step_left_ms(job) == 0) {
        return false;
    }
    *err = (struct giq_error){0};
    *due_ms = giq_step_now_ms(job) + LOCK_PAUSE_MS;
    return true;
}

bool giq_step_acquire_lock(struct giq_job *job, bool *out_held, int64_t *due_ms,
                           struct giq_error *err)
{
    /* Once, not whenever the flight is looked at that another holds. */
    if (!job->has_folder && !giq_store_make(job->store, job->folder, err)) {
        return false;
    }
    job->has_folder = true;
    if (!giq_lock_acquire(job->folder, giq_store_access(job->store), &job->lock, err)) {
        *out_held = false;
        return giq_step_retry_later(job, due_ms, err);
    }
    if (!read_again(job, err)) {
        giq_step_release_lock(job);
        return false;
    }
    *out_held = true;
    return true;
}

void giq_step_release_lock(struct giq_job *job)
{
    giq_lock_release(job->lock);
    job->lock = NULL;
    job->has_folder = false;
}

/* A content may have several names: the first that it came by is that of the job. */
static bool note_upload(struct giq_job *job, struct giq_error *err)
{
    const struct giq_upload *upload = job->request.upload;
    return upload == NULL || job->record.upload != NULL ||
           giq_text_set(&job->record.upload, upload->source->path) ||
           giq_fail_memory(err);
}

bool giq_step_write(struct giq_job *job, enum giq_job_state state, struct giq_error *err)
{
    unsigned access = giq_store_access(job->store);
    enum giq_job_state before = job->record.state;
    if (!note_upload(job, err)) {
        return false;
    }
    job->record.state = state;
    bool ok = (job->canonical == NULL ||
               giq_record_write_request(job->folder, access, job->canonical, err)) &&
              giq_record_write(job->folder, access, &job->record, err);
    if (!ok) {
        job->record.state = before;
        return giq_store_explain_full(err);
    }
    job->is_external = false;
    return true;
}

static const char *id_of(const struct giq_job *job, struct giq_printable *shown)
{
    const char *id = job->record.job_id;
    return giq_call_printable(job->service, id == NULL ? "?" : id, shown);
}

bool giq_step_fail_recorded(const struct giq_job *job, struct giq_error *err)
{
    const struct giq_record *record = &job->record;
    struct giq_printable id;
    struct giq_printable reason;
    (void)giq_text_printable(record->error, &reason);
    if (record->state == GIQ_JOB_FAILED) {
        return giq_error_replace(
            err, GIQ_E_FAILED,
            "the job %s failed on the service (%s); this is remembered, and "
            "RETRY=<label> or rerun=<label> asks for a new job, which is "
            "paid for",
            id_of(job, &id), reason.text);
    }
    if (record->state == GIQ_JOB_UNKNOWN) {
        char when[GIQ_TEXT_TIME_SIZE] = "an unknown time";
        if (record->submitted_ms != GIQ_TIME_NONE) {
            giq_text_printable_time(record->submitted_ms, when);
        }
        return giq_error_replace(
            err, GIQ_E_UNKNOWN,
            "the run request went out at %s and what came of it is not known "
            "(%s): a job may have been made and paid for. Look for it on the "
            "service's web page and adopt it with job=<id>, or ask for a new "
            "one, which is paid for, with RETRY=<label> or rerun=<label>",
            when, reason.text);
    }
    bool is_known = record->state == GIQ_JOB_SUCCEEDED;
    return giq_error_replace(
        err, GIQ_E_GONE,
        "the service no longer %s the job %s%s%s%s; job=<id> asks it once "
        "more, RETRY=<label> or rerun=<label> asks for a new job, which is "
        "paid for",
        is_known ? "has the result of" : "knows", id_of(job, &id),
        reason.text[0] == '\0' ? "" : " (", reason.text,
        reason.text[0] == '\0' ? "" : ")");
}

bool giq_step_name_job(const struct giq_job *job, struct giq_error *err)
{
    struct giq_printable id;
    return giq_error_context(err, "job %s",
                             giq_call_printable(job->service, job->record.job_id, &id));
}

bool giq_step_fail_removed(const struct giq_job *job, const char *id,
                           struct giq_error *err)
{
    struct giq_printable shown;
    return giq_fail(
        err, GIQ_E_STORE,
        "the record of the job %s was removed meanwhile; open the same dataset with "
        "job=<id>, or it is a new job, which is paid for",
        giq_call_printable(job->service, id, &shown));
}
