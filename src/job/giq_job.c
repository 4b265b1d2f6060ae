/*
 * The life of one request: giq_job_step() runs the step of the current phase. The steps
 * that read the record and fetch the result are here, the others in modules of their own.
 * The interface is in giq/giq.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_error.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "job/giq_fetch.h"
#include "job/giq_job_internal.h"
#include "job/giq_retry.h"
#include "job/giq_step.h"
#include "job/giq_submit.h"
#include "job/giq_wait.h"
#include "service/giq_call.h"
#include "store/giq_advice.h"
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
    };
    giq_record_init(&job->record);
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
    free(job->stale_file_id);
    free(job->slot);
    free(job->canonical);
    giq_json_free(job->request_json);
    giq_json_free(job->summary);
    free(job->folder);
    free(job->result_path);
    free(job->reason);
    free(job->rechecked_id);
    free(job);
}

/* ---- the published result ---- */

static bool note_entry(void *ctx, const char *name, struct giq_error *err)
{
    (void)name;
    (void)err;
    *(bool *)ctx = true;
    return true;
}

/* Whether `path` is an empty folder. One that cannot be listed counts as not empty. */
static bool is_empty_folder(const char *path, const struct giq_os_stat *st)
{
    struct giq_error ignored = {0};
    bool has_entry = false;
    return st->kind == GIQ_OS_FOLDER &&
           giq_os_list(path, note_entry, &has_entry, &ignored) && !has_entry;
}

/* Whether the result at `path` is unchanged, as far as that is cheap to check: a file
 * must have the recorded size. A folder, which was an archive, must not be empty; its
 * size is not recorded. */
static bool is_as_published(const struct giq_record *record, const char *path,
                            const struct giq_os_stat *st)
{
    if (record->result_name != NULL) {
        return st->kind == GIQ_OS_FILE &&
               (record->result_size < 0 || st->size == record->result_size);
    }
    return st->kind == GIQ_OS_FOLDER && !is_empty_folder(path, st);
}

/* Whether the published result exists unchanged. Sets the fields of `job` that describe a
 * changed result. */
static bool has_result(struct giq_job *job, bool *out, struct giq_error *err)
{
    struct giq_os_stat st;
    GIQ_AUTO_FREE char *path = giq_store_result(job->folder, job->record.result_name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_os_stat(path, &st, err)) {
        return false;
    }
    *out = is_as_published(&job->record, path, &st);
    job->is_result_changed = !*out && st.kind != GIQ_OS_NOTHING;
    job->keeps_changed_result = job->is_result_changed && !is_empty_folder(path, &st);
    job->changed_result_size = st.kind == GIQ_OS_FILE ? st.size : -1;
    return true;
}

static void warn_changed_result(const struct giq_job *job)
{
    struct giq_printable id;
    GIQ_AUTO_FREE char *path = giq_store_result(job->folder, job->record.result_name);
    if (job->is_result_changed && path != NULL) {
        giq_env_warn(
            job->service->env,
            "the result of the job %s was changed after it was published, and is "
            "downloaded again: %s",
            giq_call_printable(job->service, job->record.job_id, &id), path);
    }
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
    free(job->canonical);
    job->canonical = NULL;
    giq_json_free(job->request_json);
    job->request_json = giq_take(&request_json);
    giq_record_release(&job->record);
    job->record = record;
    giq_record_init(&record);
    return true;
}

/* The job succeeded: choose whether to open the published result, or to fetch it. */
static bool choose_result_phase(struct giq_job *job, struct giq_error *err)
{
    bool exists = false;
    bool is_no_wait = (job->flags & GIQ_JOB_NO_WAIT) != 0;
    if (job->record.state == GIQ_JOB_PUBLISHED && !has_result(job, &exists, err)) {
        return false;
    }
    if (exists) {
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
    job->phase = GIQ_PHASE_DONE;
    if (job->flags & GIQ_JOB_NO_WAIT) {
        return true;
    }
    return giq_step_fail_recorded(job, err);
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
        return giq_fail(err, GIQ_E_USAGE,
                        "no result of this request is in the store, and GIQ_FETCH=NO "
                        "neither waits nor downloads; open it without GIQ_FETCH=NO, or "
                        "with wait=no for its state");
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

static bool read_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    (void)due_ms;
    return find_record(job, err) && choose_phase(job, err) && check_may_fetch(job, err);
}

/* ---- fetching ---- */

/* While a changed result exists the record stays as it is: otherwise RETRY could start a
 * paid job whose result replaces it. */
static bool record_result_gone(struct giq_job *job, struct giq_error *err)
{
    struct giq_error ignored = {0};
    if (job->keeps_changed_result) {
        return giq_step_add_job_context(job, err);
    }
    bool is_rechecking = giq_retry_is_rechecking(job);
    job->record.gone = true;
    if (giq_step_write(job, GIQ_JOB_SUCCEEDED, &ignored) && is_rechecking) {
        *err = (struct giq_error){0};
        giq_retry_end_recheck(job);
        return true;
    }
    return giq_step_fail_recorded(job, err);
}

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

static bool fetch(struct giq_job *job, struct giq_error *err)
{
    struct giq_fetched fetched = {NULL, -1};
    giq_json_free(giq_take(&job->summary));
    if (!giq_fetch(job->service, job->store, job->folder, job->record.job_id, &job->host,
                   &fetched, err)) {
        return err->code == GIQ_E_GONE ? record_result_gone(job, err)
                                       : giq_step_add_job_context(job, err);
    }
    free(job->record.result_name);
    job->record.result_name = fetched.name;
    job->record.result_size = fetched.size;
    job->record.gone = false;
    if (giq_summary_set(&job->record, job->summary, err) &&
        giq_step_write(job, GIQ_JOB_PUBLISHED, err)) {
        return true;
    }
    /* If the disk is full, remove the result, to make room for its record; the next open
     * downloads it again. Keep it if the record on disk states that it is published. */
    if (job->record.state != GIQ_JOB_PUBLISHED && giq_store_is_full(err)) {
        giq_store_unpublish(job->folder);
    }
    return giq_step_add_job_context(job, err);
}

/* Must be called with the record lock held. Another open may have published the result
 * since, recorded that it is gone, or started a new job. */
static bool fetch_recorded(struct giq_job *job, const char *id, struct giq_error *err)
{
    const struct giq_record *record = &job->record;
    if (record->state == GIQ_JOB_NONE) {
        return giq_step_fail_removed(job, id, err);
    }
    bool is_published = record->state == GIQ_JOB_PUBLISHED;
    bool is_gone_for_good = giq_retry_counts_as_gone(job) && !giq_retry_must_recheck(job);
    if (!is_published && (record->state != GIQ_JOB_SUCCEEDED || is_gone_for_good)) {
        job->phase = GIQ_PHASE_READ_RECORD;
        return true;
    }
    bool exists = false;
    if (is_published &&
        (!giq_store_restore(job->folder, err) || !has_result(job, &exists, err))) {
        return false;
    }
    job->phase = GIQ_PHASE_DONE;
    if (exists) {
        return true;
    }
    warn_changed_result(job);
    return fetch(job, err);
}

/* The advice must not lead to a new job: its result would replace the changed one. */
static bool fail_changed(const struct giq_job *job, struct giq_error *err)
{
    const char *advice =
        err->code == GIQ_E_GONE
            ? "restore the recorded one, or move the changed one away and open again"
            : "restore the recorded one, or open again to download it";
    GIQ_AUTO_FREE char *path = giq_store_result(job->folder, job->record.result_name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    if (job->changed_result_size < 0 || job->record.result_name == NULL) {
        return giq_error_context(err,
                                 "the published result at %s was changed, and is kept "
                                 "there; %s",
                                 path, advice);
    }
    return giq_error_context(
        err,
        "the published file at %s has %lld bytes, not %lld as recorded, and is kept "
        "there; open it by its path, %s",
        path, (long long)job->changed_result_size, (long long)job->record.result_size,
        advice);
}

/* If the published result was changed, add that to an error; always returns false. The
 * result is checked again: the download may have replaced it, or another process removed
 * it. */
static bool explain_changed_result(struct giq_job *job, struct giq_error *err)
{
    struct giq_error ignored = {0};
    bool exists = false;
    if (job->record.state != GIQ_JOB_PUBLISHED || !has_result(job, &exists, &ignored) ||
        !job->is_result_changed) {
        return false;
    }
    if (job->keeps_changed_result) {
        return fail_changed(job, err);
    }
    return giq_error_context(err, "the published result was changed on disk, and must "
                                  "be downloaded again");
}

static bool fetch_locked(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    bool held = false;
    GIQ_AUTO_FREE char *id = NULL;
    if (!giq_text_set(&id, job->record.job_id)) {
        return giq_fail_memory(err);
    }
    if (!giq_step_acquire_lock(job, &held, due_ms, err)) {
        return false;
    }
    if (!held) {
        return true;
    }
    bool ok = fetch_recorded(job, id, err);
    giq_step_release_lock(job);
    return ok;
}

static bool fetch_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    if (giq_service_check_credentials(job->service, err) &&
        fetch_locked(job, due_ms, err)) {
        return true;
    }
    return explain_changed_result(job, err);
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
        [GIQ_PHASE_FETCH] = fetch_step,
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

/* Show the request as it would be sent now: nothing was sent so far. */
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

void giq_job_get_view(struct giq_job *job, struct giq_job_view *out)
{
    const struct giq_record *record = &job->record;
    free(job->result_path);
    job->result_path = record->state == GIQ_JOB_PUBLISHED
                           ? giq_store_result(job->folder, record->result_name)
                           : NULL;
    giq_record_view(record, job->request_json, out);
    out->key = giq_job_key(job);
    out->result_path = job->result_path;
    out->is_external = job->is_external;
    out->expected_ms = job->learning.pace.expected_ms;
    if (giq_advice_applies(record)) {
        job->advice = (struct giq_error){0};
        (void)giq_step_fail_recorded(job, &job->advice);
        out->error = job->advice.text;
    }
    if (record->state <= GIQ_JOB_INTENT) {
        view_request(job, out);
    }
}
