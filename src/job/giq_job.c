/*
 * The life of one request: giq_job_step() runs the step of the current phase. The step
 * that reads the record is here, the others are in modules of their own.
 * The interface is in giq/giq.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_error.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "job/giq_job_internal.h"
#include "job/giq_publish.h"
#include "job/giq_retry.h"
#include "job/giq_step.h"
#include "job/giq_submit.h"
#include "job/giq_wait.h"
#include "service/giq_call.h"
#include "store/giq_advice.h"
#include "store/giq_record_read.h"
#include "store/giq_summary.h"

/* ---- creating a job ---- */

/* Copy a text that may be NULL; `*out` must be NULL before. */
static bool copy_text(const char *text, const char **out)
{
    if (text == NULL) {
        return true;
    }
    *out = strdup(text);
    return *out != NULL;
}

static bool copy_request(const struct giq_request *request, struct giq_request *out)
{
    out->upload = request->upload;
    return copy_text(request->model, &out->model) &&
           copy_text(request->file, &out->file) && copy_text(request->area, &out->area) &&
           copy_text(request->rerun, &out->rerun) && copy_text(request->job, &out->job) &&
           copy_text(request->retry, &out->retry) &&
           copy_text(request->geometry_crs, &out->geometry_crs);
}

static void release_request(struct giq_request *request)
{
    free((char *)request->model);
    free((char *)request->file);
    free((char *)request->area);
    free((char *)request->rerun);
    free((char *)request->job);
    free((char *)request->retry);
    free((char *)request->geometry_crs);
}

static bool init(struct giq_job *job, const struct giq_request *request,
                 struct giq_error *err)
{
    struct giq_key key;
    if (request->retry != NULL && !giq_retry_check_label(request->retry, err)) {
        return false;
    }
    if (!copy_request(request, &job->request)) {
        return giq_fail_memory(err);
    }
    if (!giq_key_make(job->service->settings.base_url, &job->request, &job->canonical,
                      &key, err)) {
        return false;
    }
    job->folder = giq_store_folder(job->store, key.hex);
    job->request_json = giq_json_parse(job->canonical, strlen(job->canonical));
    if (job->folder == NULL || job->request_json == NULL) {
        return giq_fail_memory(err);
    }
    return true;
}

bool giq_job_new(struct giq_service *service, struct giq_store *store,
                 const struct giq_request *request, unsigned flags,
                 const struct giq_job_host *host, struct giq_job **out,
                 struct giq_error *err)
{
    struct giq_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        return giq_fail_memory(err);
    }
    *job = (struct giq_job){
        .service = service,
        .store = store,
        .host = *host,
        .flags = flags,
        .area_km2 = -1,
        .throttled_before = -1,
    };
    giq_record_init(&job->record);
    giq_ticket_init(&job->ticket);
    if (!init(job, request, err)) {
        giq_job_free(job);
        return false;
    }
    *out = job;
    return true;
}

void giq_job_free(struct giq_job *job)
{
    if (job == NULL) {
        return;
    }
    giq_step_release_lock(job);
    giq_record_release(&job->record);
    release_request(&job->request);
    free(job->model_id);
    free(job->file_id);
    free(job->seen_job);
    free(job->stale_file_id);
    free(job->slot);
    giq_ticket_release(&job->ticket);
    free(job->canonical);
    giq_json_free(job->request_json);
    giq_json_free(job->summary);
    free(job->folder);
    free(job->result_path);
    free(job->reason);
    free(job->rechecked_id);
    free(job);
}

/* ---- reading the record ---- */

/* Begin with an external job: only its id is known, from the user. It is recorded once
 * the service has reported the job. */
static bool begin_external(struct giq_job *job, struct giq_error *err)
{
    if (!giq_step_may_start(job, err) ||
        !giq_service_check_credentials(job->service, err) ||
        !giq_store_check_writable(job->store, job->folder, false, err)) {
        return false;
    }
    giq_record_release(&job->record);
    job->is_external = true;
    job->record.state = GIQ_JOB_SUBMITTED;
    if (!giq_text_set(&job->record.job_id, job->request.job) ||
        !giq_text_set(&job->record.geometry_crs, job->request.geometry_crs)) {
        return giq_fail_memory(err);
    }
    return true;
}

/* Use the record of the request that has this job. If there is none the job is an
 * external one and gets a record of its own. */
static bool use_record_of_job(struct giq_job *job, struct giq_error *err)
{
    GIQ_AUTO_FREE char *folder = NULL;
    GIQ_AUTO_JSON struct giq_json *request_json = NULL;
    GIQ_AUTO(giq_record_release) struct giq_record record;
    giq_record_init(&record);
    if (!giq_store_find_job(job->store, job->service->settings.base_url, job->request.job,
                            &folder, err)) {
        return false;
    }
    if (folder != NULL) {
        if (!giq_record_read(folder, NULL, &record, NULL, err) ||
            !giq_record_read_request(folder, &request_json, err)) {
            return false;
        }
    }
    /* Another process may have removed the record, or replaced its job, since it was
     * found. */
    if (record.job_id == NULL || !giq_text_is_same_id(record.job_id, job->request.job)) {
        return begin_external(job, err);
    }
    free(job->folder);
    job->folder = giq_take(&folder);
    job->has_folder = false;
    free(job->canonical);
    job->canonical = NULL;
    giq_json_free(job->request_json);
    job->request_json = giq_take(&request_json);
    giq_record_release(&job->record);
    job->record = record;
    giq_record_init(&record);
    return true;
}

/* The job succeeded: choose whether its result is opened or fetched or, if it is recorded
 * as gone, checked again or replaced by that of a new job. */
static bool choose_result_phase(struct giq_job *job, struct giq_error *err)
{
    bool exists = false;
    bool is_no_wait = (job->flags & GIQ_JOB_NO_WAIT) != 0;
    if (job->record.state == GIQ_JOB_PUBLISHED && !giq_publish_find(job, &exists, err)) {
        return false;
    }
    if (exists) {
        giq_publish_record_claim(job);
        job->phase = GIQ_PHASE_DONE;
        return true;
    }
    if (giq_retry_must_recheck(job)) {
        job->phase = GIQ_PHASE_FETCH;
        return giq_retry_begin_recheck(job, err);
    }
    if (giq_retry_allows_job(job)) {
        job->phase = GIQ_PHASE_SUBMIT;
        return true;
    }
    if (is_no_wait) {
        job->phase = GIQ_PHASE_DONE;
        return true;
    }
    if (giq_retry_counts_as_gone(job)) {
        return giq_step_fail_recorded(job, err);
    }
    job->phase = GIQ_PHASE_FETCH;
    return true;
}

/* Read the record of the request. If the open names a job that it does not have, search
 * the store for the record of that job, or adopt the job. */
static bool find_record(struct giq_job *job, struct giq_error *err)
{
    if (!giq_step_read(job, &job->record, err)) {
        return false;
    }
    const char *named = job->request.job;
    const char *recorded = job->record.job_id;
    if (named == NULL || (recorded != NULL && giq_text_is_same_id(recorded, named))) {
        return true;
    }
    if (job->request.model == NULL && recorded != NULL) {
        struct giq_printable one;
        struct giq_printable other;
        return giq_fail(
            err, GIQ_E_USAGE,
            "the job %s was replaced by the job %s for the same request; open that job "
            "instead",
            giq_call_printable(job->service, named, &one),
            giq_call_printable(job->service, recorded, &other));
    }
    if (job->request.model == NULL) {
        return job->record.state != GIQ_JOB_NONE || use_record_of_job(job, err);
    }
    job->is_adopting = true;
    return giq_step_may_adopt(job, &job->record, err) && begin_external(job, err);
}

/* The job failed, is gone or unknown: RETRY starts a new one, or the open ends. */
static bool retry_or_fail(struct giq_job *job, struct giq_error *err)
{
    if (giq_retry_allows_job(job)) {
        job->phase = GIQ_PHASE_SUBMIT;
        return true;
    }
    return giq_step_report_end(job, err);
}

/* GIQ_JOB_NO_FETCH: fail if the open would wait, download or start a job. */
static bool check_may_fetch(const struct giq_job *job, struct giq_error *err)
{
    enum { NO_FETCH = GIQ_JOB_NO_FETCH, NO_SUBMIT = GIQ_JOB_NO_SUBMIT };
    struct giq_printable id;
    bool waits = (job->flags & GIQ_JOB_NO_WAIT) == 0;
    if (!(job->flags & NO_FETCH) || !waits || job->phase == GIQ_PHASE_DONE) {
        return true;
    }
    if (job->phase == GIQ_PHASE_SUBMIT && (job->flags & NO_SUBMIT)) {
        return true; /* nothing is sent, and its error states what is recorded */
    }
    if (job->record.job_id == NULL) {
        return giq_fail(
            err, GIQ_E_USAGE,
            "no result of this request is in the store, and GIQ_FETCH=NO "
            "neither waits nor downloads; open it without GIQ_FETCH=NO, which "
            "starts a job that is paid for, or with wait=no and SUBMIT=NO for "
            "its state");
    }
    return giq_fail(err, GIQ_E_USAGE,
                    "the result of the job %s is not in the store, and GIQ_FETCH=NO "
                    "neither waits nor downloads; open it without GIQ_FETCH=NO (an "
                    "existing job is not paid for again), or with wait=no for its state",
                    giq_call_printable(job->service, job->record.job_id, &id));
}

/* Choose the phase by what is recorded. */
static bool choose_phase(struct giq_job *job, struct giq_error *err)
{
    switch (job->record.state) {
    case GIQ_JOB_NONE:
    case GIQ_JOB_INTENT:
    case GIQ_JOB_SENDING:
        job->phase = GIQ_PHASE_SUBMIT;
        return true;
    case GIQ_JOB_SUBMITTED:
        if (giq_retry_must_recheck(job)) {
            job->phase = GIQ_PHASE_WAIT;
            return giq_retry_begin_recheck(job, err);
        }
        if (giq_retry_counts_as_gone(job)) {
            break;
        }
        job->phase = GIQ_PHASE_WAIT;
        return true;
    case GIQ_JOB_SUCCEEDED:
    case GIQ_JOB_PUBLISHED:
        return choose_result_phase(job, err);
    case GIQ_JOB_FAILED:
    case GIQ_JOB_UNKNOWN:
        break;
    }
    return retry_or_fail(job, err);
}

/* A record that had a job when this open read or wrote it, and was removed since, must
 * not lead to another job that the user has not asked for. */
static bool read_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    const struct giq_record *record = &job->record;
    (void)due_ms;
    if (record->job_id != NULL && !job->is_external &&
        !giq_text_set(&job->seen_job, record->job_id)) {
        return giq_fail_memory(err);
    }
    if (!find_record(job, err)) {
        return false;
    }
    if (record->state == GIQ_JOB_NONE && job->seen_job != NULL) {
        return giq_step_fail_removed(job, job->seen_job, err);
    }
    return choose_phase(job, err) && check_may_fetch(job, err);
}

/* ---- the summary of a result ---- */

bool giq_job_set_summary(struct giq_job *job, const struct giq_summary *summary,
                         struct giq_error *err)
{
    struct giq_json *json = NULL;
    if (!giq_summary_to_json(summary, &json, err)) {
        return false;
    }
    giq_json_free(job->summary);
    job->summary = json;
    return true;
}

const char *giq_job_get_proof(const struct giq_job *job)
{
    return giq_summary_get_proof(&job->record);
}

/* ---- stepping ---- */

static bool done_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    (void)job;
    (void)due_ms;
    (void)err;
    return true;
}

/* Before a step that may wait or send, check that the open was not cancelled. */
static bool check_cancelled(struct giq_job *job, struct giq_error *err)
{
    bool may_wait = job->phase == GIQ_PHASE_SUBMIT || job->phase == GIQ_PHASE_WAIT ||
                    job->phase == GIQ_PHASE_FETCH;
    if (!may_wait || giq_step_check_cancelled(job, err)) {
        return true;
    }
    giq_submit_cancel(job);
    return false;
}

bool giq_job_step(struct giq_job *job, enum giq_step *out, int64_t *due_ms,
                  struct giq_error *err)
{
    static bool (*const steps[])(struct giq_job *, int64_t *, struct giq_error *) = {
        [GIQ_PHASE_READ_RECORD] = read_step,
        [GIQ_PHASE_SUBMIT] = giq_submit_step,
        [GIQ_PHASE_WAIT] = giq_wait_step,
        [GIQ_PHASE_RECORD_STATUS] = giq_wait_record_status,
        [GIQ_PHASE_FETCH] = giq_publish_step,
        [GIQ_PHASE_DONE] = done_step,
    };
    int64_t due = giq_job_now_ms(job);
    *err = (struct giq_error){0};
    if (!check_cancelled(job, err) || !steps[job->phase](job, &due, err)) {
        return false;
    }
    *out = job->phase == GIQ_PHASE_DONE ? GIQ_STEP_DONE : GIQ_STEP_AGAIN;
    *due_ms = due;
    return true;
}

void giq_job_warn(const struct giq_job *job, const char *text)
{
    giq_env_warn(job->service->env, "%s", text);
}

void giq_job_refresh(struct giq_job *job)
{
    struct giq_error ignored = {0};
    if (job->record.job_id == NULL) {
        (void)giq_record_read(job->folder, job->canonical, &job->record, NULL, &ignored);
    }
}

/* Let the view state the request as it would be sent now: nothing was sent so far. */
static void view_request(const struct giq_job *job, struct giq_job_view *out)
{
    const struct giq_request *request = &job->request;
    out->area = request->geometry_crs == NULL ? request->area : NULL;
    if (request->upload != NULL) {
        out->upload = request->upload->source->path;
        out->file_id = job->file_id;
    }
    if (job->limit.code != GIQ_E_NONE) {
        out->error = job->limit.text;
    }
}

static const char *printable_id(const struct giq_job *job, struct giq_printable *out)
{
    const char *id = job->record.job_id == NULL ? "?" : job->record.job_id;
    return giq_call_printable(job->service, id, out);
}

void giq_job_get_view(struct giq_job *job, struct giq_job_view *out)
{
    const struct giq_record *record = &job->record;
    struct giq_printable id;
    free(job->result_path);
    job->result_path =
        record->state == GIQ_JOB_PUBLISHED
            ? giq_store_result(job->folder, record->result_folder, record->result_name)
            : NULL;
    giq_record_view(record, job->request_json, out);
    out->key = giq_job_key(job);
    out->result_path = job->result_path;
    out->is_external = job->is_external;
    out->expected_ms = job->learning.pace.expected_ms;
    if (giq_advice_describe(record, printable_id(job, &id), &job->advice)) {
        out->error = job->advice.text;
    }
    if (record->state <= GIQ_JOB_INTENT) {
        view_request(job, out);
    }
}
