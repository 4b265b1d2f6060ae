/* The record of a job within one step, under the record lock. */
#include "job/giq_step.h"

#include <assert.h>
#include <stdio.h>

#include "base/giq_cleanup.h"
#include "base/giq_error.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "job/giq_retry.h"
#include "service/giq_call.h"
#include "store/giq_advice.h"
#include "store/giq_record_read.h"

enum {
    LOCK_PAUSE_MS = 50,    /* between two attempts to acquire a lock */
    SENDER_PAUSE_MS = 250, /* between two reads of a record while another open sends */
};

/* ---- the record ---- */

/* Note how often run requests of the key were throttled. */
static void note_throttled(struct giq_job *job, const struct giq_record *record)
{
    if (job->throttled < record->throttled) {
        job->throttled = record->throttled;
    }
    if (job->throttled_before < 0) {
        job->throttled_before = record->throttled;
    }
}

/* Whether the open neither sends nor waits, so that nothing depends on its check of the
 * sender. */
static bool only_reports(const struct giq_job *job)
{
    bool waits = (job->flags & GIQ_JOB_NO_WAIT) == 0;
    return giq_job_is_dry_run(job) || (waits && (job->flags & GIQ_JOB_NO_FETCH) != 0);
}

bool giq_step_read_below(struct giq_job *job, int below, struct giq_record *out,
                         struct giq_error *err)
{
    const struct giq_record_tickets tickets = {
        .known = job->known_ticket,
        .below = below,
        .watch = only_reports(job) ? NULL : &job->watch,
    };
    job->watch.now_ms = giq_job_now_ms(job);
    const char *label = job->request.retry;
    job->is_damaged = false;
    bool is_read = giq_record_read_with(job->folder, job->canonical, &tickets, out,
                                        &job->is_damaged, err);
    note_throttled(job, out);
    if (is_read) {
        return true;
    }
    bool may_retry = label != NULL && !(job->flags & GIQ_JOB_NO_SUBMIT) &&
                     !(job->is_damaged && giq_record_has_label(out, label));
    bool may_replace =
        job->request.model != NULL && (job->request.job != NULL || may_retry);
    if (!job->is_damaged || !may_replace) {
        return false;
    }
    *err = (struct giq_error){0};
    return true;
}

bool giq_step_read(struct giq_job *job, struct giq_record *out, struct giq_error *err)
{
    return giq_step_read_below(job, 0, out, err);
}

void giq_step_use_abandoned(struct giq_job *job)
{
    struct giq_record *record = &job->record;
    if (record->state == GIQ_JOB_SENDING && record->sender == GIQ_SENDER_NONE) {
        record->state = GIQ_JOB_UNKNOWN;
        (void)giq_text_set(&record->error, GIQ_RECORD_NO_OUTCOME);
    }
}

bool giq_step_may_adopt(const struct giq_job *job, const struct giq_record *record,
                        struct giq_error *err)
{
    bool has_usable_job = record->state == GIQ_JOB_SUBMITTED ||
                          record->state == GIQ_JOB_SUCCEEDED ||
                          record->state == GIQ_JOB_PUBLISHED;
    struct giq_printable id;
    if (job->request.rerun != NULL && record->state == GIQ_JOB_NONE && !job->is_damaged) {
        return giq_fail(err, GIQ_E_USAGE,
                        "\"rerun\" of a request that was never sent stands for a new job "
                        "and cannot be combined with \"job\", which names an existing "
                        "one; remove \"rerun\" for the existing job");
    }
    if (job->is_damaged || !has_usable_job || record->gone) {
        return true;
    }
    return giq_fail(err, GIQ_E_USAGE,
                    "the request already has the job %s, which is %s; open the same "
                    "dataset without \"job\"",
                    giq_call_printable(job->service, record->job_id, &id),
                    giq_record_state_name(record->state));
}

/* Let the job that the open names replace the one of the earlier record `before`. */
static bool adopt(struct giq_job *job, struct giq_record *before, struct giq_error *err)
{
    if (!giq_step_may_adopt(job, before, err)) {
        return false;
    }
    job->record.attempt = before->newest;
    if (job->is_damaged) {
        if (!giq_record_quarantine(job->folder, giq_store_access(job->store),
                                   job->canonical, before, err)) {
            return false;
        }
    } else if (before->document != NULL && !giq_record_restart(before, err)) {
        return false;
    }
    /* The new record keeps the earlier one and the members that belong to the request. */
    giq_json_free(job->record.document);
    job->record.document = giq_take(&before->document);
    return true;
}

/* Replace the record in memory by the one on disk, unless the job is an external one that
 * has no record yet. `*out_busy` is whether it must not be adopted now. */
static bool read_again(struct giq_job *job, bool *out_busy, struct giq_error *err)
{
    GIQ_AUTO(giq_record_release) struct giq_record record;
    giq_record_init(&record);
    if (!giq_step_read(job, &record, err)) {
        return false;
    }
    bool is_adopted = record.job_id != NULL && job->request.job != NULL &&
                      giq_text_is_same_id(record.job_id, job->request.job);
    *out_busy = false;
    if (job->is_adopting && job->is_external && !is_adopted) {
        *out_busy = record.sender == GIQ_SENDER_ALIVE;
        return *out_busy || adopt(job, &record, err);
    }
    if (record.state == GIQ_JOB_NONE && job->is_external) {
        return true;
    }
    giq_record_release(&job->record);
    job->record = record; /* transferred */
    giq_record_init(&record);
    job->is_external = false;
    return true;
}

/* Record the path of the uploaded file. Files at several paths may have the same content;
 * the record keeps the first path. */
static bool set_upload(struct giq_job *job, struct giq_error *err)
{
    const struct giq_upload *upload = job->request.upload;
    if (upload == NULL || job->record.upload != NULL) {
        return true;
    }
    if (!giq_text_set(&job->record.upload, upload->source->path)) {
        return giq_fail_memory(err);
    }
    return true;
}

static bool write_files(const struct giq_job *job, bool is_in_ticket,
                        struct giq_error *err)
{
    unsigned access = giq_store_access(job->store);
    if (job->canonical != NULL &&
        !giq_record_write_request(job->folder, access, job->canonical, err)) {
        return false;
    }
    return is_in_ticket ? giq_record_put(job->folder, access, &job->record, err)
                        : giq_record_write(job->folder, access, &job->record, err);
}

bool giq_step_write_outcome(struct giq_job *job, enum giq_job_state state,
                            bool is_in_ticket, struct giq_error *err)
{
    enum giq_job_state before = job->record.state;
    assert(job->lock != NULL);
    if (!set_upload(job, err)) {
        return false;
    }
    job->record.state = state;
    if (!write_files(job, is_in_ticket, err)) {
        job->record.state = before;
        return giq_store_explain_full(err);
    }
    job->is_external = false;
    return true;
}

bool giq_step_write(struct giq_job *job, enum giq_job_state state, struct giq_error *err)
{
    return giq_step_write_outcome(job, state, false, err);
}

bool giq_step_create(struct giq_job *job, struct giq_error *err)
{
    struct giq_record *record = &job->record;
    unsigned access = giq_store_access(job->store);
    assert(job->lock != NULL);
    if (!set_upload(job, err)) {
        return false;
    }
    record->state = GIQ_JOB_INTENT;
    record->attempt = 0;
    (void)snprintf(record->token, sizeof record->token, "%s", job->token);
    if ((job->canonical != NULL &&
         !giq_record_write_request(job->folder, access, job->canonical, err)) ||
        !giq_record_create(job->folder, access, record, err)) {
        return giq_store_explain_full(err);
    }
    return true;
}

/* ---- the record lock ---- */

bool giq_step_check_cancelled(const struct giq_job *job, struct giq_error *err)
{
    return giq_env_check_cancelled(job->service->env, "", err);
}

bool giq_step_retry_later(const struct giq_job *job, int64_t *due_ms,
                          struct giq_error *err)
{
    if (err->code != GIQ_E_TIMEOUT || giq_job_left_ms(job) == 0 ||
        !giq_step_check_cancelled(job, err)) {
        return false;
    }
    *err = (struct giq_error){0};
    *due_ms = giq_job_now_ms(job) + LOCK_PAUSE_MS;
    return true;
}

/* TIMEOUT passed before the outcome of the run request was known. */
static bool fail_sending(const struct giq_job *job, struct giq_error *err)
{
    const struct giq_ticket_watch *watch = &job->watch;
    if (watch->suspect_ms > 0) {
        return giq_fail(err, GIQ_E_TIMEOUT,
                        "another open has sent the run request, and seems to have ended "
                        "before it recorded the response; open again with a TIMEOUT of "
                        "more than %d seconds, which it takes to be sure",
                        (int)((watch->unchanged_ms + watch->suspect_ms) / 1000));
    }
    return giq_fail(err, GIQ_E_TIMEOUT,
                    "another open has sent the run request and awaits its response; "
                    "open again when it has finished");
}

bool giq_step_wait_for_sender(const struct giq_job *job, int64_t *due_ms,
                              struct giq_error *err)
{
    if (giq_job_left_ms(job) == 0) {
        return fail_sending(job, err);
    }
    *due_ms = giq_job_now_ms(job) + SENDER_PAUSE_MS;
    return giq_step_check_cancelled(job, err);
}

/* Make the folder durably, once for each open unless it was removed since. */
static bool make_folder(struct giq_job *job, struct giq_error *err)
{
    struct giq_os_stat st = {.kind = GIQ_OS_NOTHING};
    if (job->has_folder && !giq_os_stat(job->folder, &st, err)) {
        return false;
    }
    if (st.kind == GIQ_OS_FOLDER) {
        return true;
    }
    /* The tickets went with the folder. */
    job->known_ticket = 0;
    job->has_folder = giq_store_make(job->store, job->folder, err);
    return job->has_folder;
}

bool giq_step_acquire_lock(struct giq_job *job, bool *out_held, int64_t *due_ms,
                           struct giq_error *err)
{
    if (!make_folder(job, err)) {
        return false;
    }
    if (!giq_lock_acquire(job->folder, giq_store_access(job->store), &job->lock, err)) {
        *out_held = false;
        return giq_step_retry_later(job, due_ms, err);
    }
    bool is_busy = false;
    if (!read_again(job, &is_busy, err)) {
        giq_step_release_lock(job);
        return false;
    }
    *out_held = !is_busy;
    if (!is_busy) {
        return true;
    }
    giq_step_release_lock(job);
    return giq_step_wait_for_sender(job, due_ms, err);
}

void giq_step_release_lock(struct giq_job *job)
{
    giq_lock_release(job->lock);
    job->lock = NULL;
}

bool giq_step_may_start(const struct giq_job *job, struct giq_error *err)
{
    const struct giq_job_host *host = &job->host;
    return host->may_start == NULL || host->may_start(host->ctx, err);
}

/* ---- errors ---- */

bool giq_step_fail_recorded(const struct giq_job *job, struct giq_error *err)
{
    const struct giq_record *record = &job->record;
    const char *job_id = record->job_id == NULL ? "?" : record->job_id;
    struct giq_printable id;
    return giq_advice_fail(record, giq_call_printable(job->service, job_id, &id), err);
}

bool giq_step_report_end(struct giq_job *job, struct giq_error *err)
{
    job->phase = GIQ_PHASE_DONE;
    return (job->flags & GIQ_JOB_NO_WAIT) != 0 || giq_step_fail_recorded(job, err);
}

bool giq_step_add_job_context(const struct giq_job *job, struct giq_error *err)
{
    struct giq_printable id;
    return giq_error_context(err, "job %s",
                             giq_call_printable(job->service, job->record.job_id, &id));
}

bool giq_step_fail_removed(const struct giq_job *job, const char *id,
                           struct giq_error *err)
{
    struct giq_printable printable;
    /* Without a record giq_step_may_adopt() refuses a request with a label. */
    const char *advice = job->request.rerun == NULL
                             ? "open the same dataset with job=<id>, or it starts a new "
                               "job, which is paid "
                               "for"
                             : "open GIQ:job=<id>, because the same dataset starts a new "
                               "job, which is paid "
                               "for";
    return giq_fail(err, GIQ_E_STORE,
                    "the record of the job %s was removed while this open waited; %s",
                    giq_call_printable(job->service, id, &printable), advice);
}
