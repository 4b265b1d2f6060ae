#include "job/giq_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/giq_env.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "job/giq_fetch.h"
#include "service/giq_call.h"

/* ---- making ---- */

static char *copy(const char *text, bool *ok)
{
    char *made = NULL;
    *ok = *ok && giq_text_set(&made, text);
    return made;
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
    bool ok = true;
    *job = (struct giq_job){
        .service = service,
        .store = store,
        .host = *host,
        .flags = flags,
        .request = {.model = copy(request->model, &ok),
                    .file = copy(request->file, &ok),
                    .upload = request->upload,
                    .area = copy(request->area, &ok),
                    .rerun = copy(request->rerun, &ok),
                    .job = copy(request->job, &ok),
                    .retry = copy(request->retry, &ok),
                    .geometry_crs = copy(request->geometry_crs, &ok)},
    };
    giq_record_init(&job->record);
    struct giq_key key;
    ok = (ok || giq_fail_memory(err)) &&
         giq_key_make(service->settings.base_url, &job->request, &job->canonical, &key,
                      err) &&
         (((job->folder = giq_store_folder(store, key.hex)) != NULL &&
           (job->request_json = giq_json_parse(job->canonical, strlen(job->canonical))) !=
               NULL) ||
          giq_fail_memory(err));
    if (!ok) {
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
    free((char *)job->request.model);
    free((char *)job->request.file);
    free((char *)job->request.area);
    free((char *)job->request.rerun);
    free((char *)job->request.job);
    free((char *)job->request.retry);
    free(job->model_id);
    free(job->file_id);
    free(job->stale_file_id);
    free((char *)job->request.geometry_crs);
    free(job->canonical);
    giq_json_free(job->request_json);
    free(job->folder);
    free(job->result_path);
    free(job->reason);
    free(job->gone_id);
    free(job);
}

/* ---- looking ---- */

static bool note_entry(void *ctx, const char *name, struct giq_error *err)
{
    (void)name;
    (void)err;
    *(bool *)ctx = true;
    return true;
}

/* A folder that cannot be listed counts as one that is not empty. */
static bool is_empty_folder(const char *path, const struct giq_os_stat *st)
{
    struct giq_error ignored = {0};
    bool holds = false;
    return st->kind == GIQ_OS_FOLDER && giq_os_list(path, note_entry, &holds, &ignored) &&
           !holds;
}

/* A file is as long as it was when it was published. Of a folder, which was an archive,
 * no size is recorded: it holds something. */
static bool is_as_published(const struct giq_job *job, const char *path,
                            const struct giq_os_stat *st)
{
    const struct giq_record *record = &job->record;
    if (record->result_name != NULL) {
        return st->kind == GIQ_OS_FILE &&
               (record->result_size < 0 || st->size == record->result_size);
    }
    return st->kind == GIQ_OS_FOLDER && !is_empty_folder(path, st);
}

/* Whether the published result exists, as it was published. */
static bool has_result(struct giq_job *job, bool *out, struct giq_error *err)
{
    char *path = giq_store_result(job->folder, job->record.result_name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    struct giq_os_stat st;
    bool ok = giq_os_stat(path, &st, err);
    if (ok) {
        *out = is_as_published(job, path, &st);
        job->is_result_changed = !*out && st.kind != GIQ_OS_NOTHING;
        job->keeps_changed_result = job->is_result_changed && !is_empty_folder(path, &st);
        job->changed_result_size = st.kind == GIQ_OS_FILE ? st.size : -1;
    }
    free(path);
    return ok;
}

static void warn_spoiled(const struct giq_job *job)
{
    struct giq_printable id;
    char *path = giq_store_result(job->folder, job->record.result_name);
    if (job->is_result_changed && path != NULL) {
        giq_env_warn(job->service->env,
                     "the result of the job %s is not as it was published, and is "
                     "downloaded again: %s",
                     giq_call_printable(job->service, job->record.job_id, &id), path);
    }
    free(path);
}

/* What is known of the job is what the user says. It is to be recorded. */
static bool assume_named(struct giq_job *job, struct giq_error *err)
{
    if (!giq_step_may_begin(job, err) ||
        !giq_service_check_credentials(job->service, err) ||
        !giq_store_check(job->store, job->folder, false, err)) {
        return false;
    }
    giq_record_release(&job->record);
    job->is_external = true;
    job->record.state = GIQ_JOB_SUBMITTED;
    return (giq_text_set(&job->record.job_id, job->request.job) &&
            giq_text_set(&job->record.geometry_crs, job->request.geometry_crs)) ||
           giq_fail_memory(err);
}

/* The record of a request that has this job serves it. Where there is none it
 * is asked for, and gets a record of its own. */
static bool find_job(struct giq_job *job, struct giq_error *err)
{
    char *folder = NULL;
    if (!giq_store_find_job(job->store, job->service->settings.base_url, job->request.job,
                            &folder, err)) {
        return false;
    }
    if (folder != NULL) {
        free(job->folder);
        free(job->canonical);
        job->folder = folder;
        job->canonical = NULL;
        giq_json_free(job->request_json);
        job->request_json = NULL;
        return giq_record_read(job->folder, NULL, &job->record, NULL, err) &&
               giq_record_read_request(job->folder, &job->request_json, err);
    }
    return assume_named(job, err);
}

static bool look_at_result(struct giq_job *job, struct giq_error *err)
{
    bool there = false;
    if (job->record.state == GIQ_JOB_PUBLISHED && !has_result(job, &there, err)) {
        return false;
    }
    bool is_look = (job->flags & GIQ_JOB_POLL_ONCE) != 0;
    if (!there && giq_step_must_recheck(job)) {
        job->phase = GIQ_PHASE_FETCH;
        return giq_step_begin_recheck(job, err);
    }
    if (!there && giq_step_may_retry(job)) {
        job->phase = GIQ_PHASE_SUBMIT;
        return true;
    }
    if (!there && !is_look && giq_step_is_gone(job)) {
        return giq_step_fail_recorded(job, err);
    }
    job->phase = there || is_look ? GIQ_PHASE_DONE : GIQ_PHASE_FETCH;
    return true;
}

/* Find out whose record it is. A job that is named is looked for, or adopted. */
static bool find_record(struct giq_job *job, struct giq_error *err)
{
    if (!giq_step_read(job, &job->record, err)) {
        return false;
    }
    const char *named = job->request.job;
    const char *recorded = job->record.job_id;
    if (named == NULL || (recorded != NULL && strcmp(recorded, named) == 0)) {
        return true;
    }
    if (job->request.model == NULL && recorded != NULL) {
        struct giq_printable one;
        struct giq_printable other;
        return giq_fail(
            err, GIQ_E_USAGE,
            "the request of the job %s got another job meanwhile, %s; open that "
            "one",
            giq_call_printable(job->service, named, &one),
            giq_call_printable(job->service, recorded, &other));
    }
    if (job->request.model == NULL) {
        return job->record.state != GIQ_JOB_NONE || find_job(job, err);
    }
    job->is_adopting = true;
    return giq_step_may_adopt(job, &job->record, err) && assume_named(job, err);
}

static bool look_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    (void)due_ms;
    if (!find_record(job, err)) {
        return false;
    }
    switch (job->record.state) {
    case GIQ_JOB_NONE:
    case GIQ_JOB_INTENT:
    case GIQ_JOB_SENDING:
        job->phase = GIQ_PHASE_SUBMIT;
        return true;
    case GIQ_JOB_SUBMITTED:
        if (giq_step_must_recheck(job)) {
            job->phase = GIQ_PHASE_WAIT;
            return giq_step_begin_recheck(job, err);
        }
        if (giq_step_is_gone(job)) {
            break;
        }
        job->phase = GIQ_PHASE_WAIT;
        return true;
    case GIQ_JOB_SUCCEEDED:
    case GIQ_JOB_PUBLISHED:
        return look_at_result(job, err);
    case GIQ_JOB_FAILED:
    case GIQ_JOB_UNKNOWN:
        break;
    }
    if (giq_step_may_retry(job)) {
        job->phase = GIQ_PHASE_SUBMIT;
        return true;
    }
    job->phase = GIQ_PHASE_DONE;
    return (job->flags & GIQ_JOB_POLL_ONCE) || giq_step_fail_recorded(job, err);
}

/* ---- fetching ---- */

/* While there is something of a published result, the record stays as it is: RETRY would
 * pay for a new job, whose result would replace it. */
static bool note_gone(struct giq_job *job, struct giq_error *err)
{
    if (job->keeps_changed_result) {
        return giq_step_name_job(job, err);
    }
    struct giq_error ignored = {0};
    bool is_rechecking = giq_step_is_rechecking(job);
    job->record.gone = true;
    if (giq_step_write(job, GIQ_JOB_SUCCEEDED, &ignored) && is_rechecking) {
        *err = (struct giq_error){0};
        giq_step_end_recheck(job);
        return true;
    }
    return giq_step_fail_recorded(job, err);
}

static bool fetch(struct giq_job *job, struct giq_error *err)
{
    struct giq_fetched fetched = {NULL, -1};
    if (!giq_fetch(job->service, job->store, job->folder, job->record.job_id, &job->host,
                   &fetched, err)) {
        return err->code == GIQ_E_GONE ? note_gone(job, err)
                                       : giq_step_name_job(job, err);
    }
    free(job->record.result_name);
    job->record.result_name = fetched.name;
    job->record.result_size = fetched.size;
    job->record.gone = false;
    if (!giq_step_write(job, GIQ_JOB_PUBLISHED, err)) {
        /* The room that the result takes may be what its first record lacks. Otherwise it
         * stays, until it is downloaded again. */
        if (job->record.state != GIQ_JOB_PUBLISHED && giq_store_is_full(err)) {
            giq_store_unpublish(job->folder);
        }
        return giq_step_name_job(job, err);
    }
    return true;
}

/* Within the flight, after reading again: somebody may have published meanwhile, noted
 * that the result is gone, or asked for a new job. */
static bool fetch_recorded(struct giq_job *job, const char *id, struct giq_error *err)
{
    const struct giq_record *record = &job->record;
    if (record->state == GIQ_JOB_NONE) {
        return giq_step_fail_removed(job, id, err);
    }
    bool is_published = record->state == GIQ_JOB_PUBLISHED;
    bool is_over = giq_step_is_gone(job) && !giq_step_must_recheck(job);
    if (!is_published && (record->state != GIQ_JOB_SUCCEEDED || is_over)) {
        job->phase = GIQ_PHASE_READ_RECORD;
        return true;
    }
    bool there = false;
    if (is_published && !has_result(job, &there, err)) {
        return false;
    }
    job->phase = GIQ_PHASE_DONE;
    if (there) {
        return true;
    }
    warn_spoiled(job);
    return fetch(job, err);
}

/* A new job would replace the file, so the advice never begins with one. */
static bool fail_kept(const struct giq_job *job, struct giq_error *err)
{
    const char *way_on = err->code == GIQ_E_GONE
                             ? "put the recorded one back, or, if it is of no use, move "
                               "it away and open again"
                             : "put the recorded one back, or open again to download it";
    char *path = giq_store_result(job->folder, job->record.result_name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    if (job->changed_result_size < 0 || job->record.result_name == NULL) {
        (void)giq_error_context(err,
                                "the published result at %s is not as it was recorded, "
                                "and is kept there; %s",
                                path, way_on);
    } else {
        (void)giq_error_context(
            err,
            "the published file at %s has another size than recorded (%lld bytes, "
            "recorded %lld) and is kept there; open it by its path, %s",
            path, (long long)job->changed_result_size, (long long)job->record.result_size,
            way_on);
    }
    free(path);
    return false;
}

/* What exists now counts: the download may have replaced it, or somebody removed it. */
static bool fail_spoiled(struct giq_job *job, struct giq_error *err)
{
    struct giq_error ignored = {0};
    bool there = false;
    if (job->record.state != GIQ_JOB_PUBLISHED || !has_result(job, &there, &ignored) ||
        !job->is_result_changed) {
        return false;
    }
    return job->keeps_changed_result
               ? fail_kept(job, err)
               : giq_error_context(err, "the result on disk is not as it was published, "
                                        "and must be downloaded again");
}

static bool fetch_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    if (!giq_service_check_credentials(job->service, err)) {
        return fail_spoiled(job, err);
    }
    char *id = NULL;
    bool held = false;
    bool ok = giq_text_set(&id, job->record.job_id) || giq_fail_memory(err);
    ok = ok && giq_step_acquire_lock(job, &held, due_ms, err);
    if (ok && held) {
        ok = fetch_recorded(job, id, err);
        giq_step_release_lock(job);
    }
    free(id);
    return ok || fail_spoiled(job, err);
}

/* ---- stepping ---- */

static bool done_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    (void)job;
    (void)due_ms;
    (void)err;
    return true;
}

bool giq_job_step(struct giq_job *job, enum giq_step *out, int64_t *due_ms,
                  struct giq_error *err)
{
    static bool (*const steps[])(struct giq_job *, int64_t *, struct giq_error *) = {
        [GIQ_PHASE_READ_RECORD] = look_step, [GIQ_PHASE_SUBMIT] = giq_submit_step,
        [GIQ_PHASE_WAIT] = giq_wait_step,    [GIQ_PHASE_RECORD_FINAL] = giq_wait_finish,
        [GIQ_PHASE_FETCH] = fetch_step,      [GIQ_PHASE_DONE] = done_step,
    };
    int64_t due = giq_step_now_ms(job);
    *err = (struct giq_error){0};
    if (!steps[job->phase](job, &due, err)) {
        return false;
    }
    *out = job->phase == GIQ_PHASE_DONE ? GIQ_STEP_DONE : GIQ_STEP_AGAIN;
    *due_ms = due;
    return true;
}

void giq_job_refresh(struct giq_job *job)
{
    struct giq_error ignored = {0};
    if (job->record.job_id == NULL) {
        (void)giq_record_read(job->folder, job->canonical, &job->record, NULL, &ignored);
    }
}

static const char *folder_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

void giq_job_get_view(struct giq_job *job, struct giq_job_view *out)
{
    const struct giq_record *record = &job->record;
    free(job->result_path);
    job->result_path = record->state == GIQ_JOB_PUBLISHED
                           ? giq_store_result(job->folder, record->result_name)
                           : NULL;
    giq_record_view(record, job->request_json, out);
    out->key = folder_name(job->folder);
    out->result_path = job->result_path;
}
