/* The step that fetches and publishes a result, and claims of results. */
#include "job/giq_publish.h"

#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_env.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "job/giq_fetch.h"
#include "job/giq_retry.h"
#include "job/giq_step.h"
#include "service/giq_call.h"
#include "store/giq_claim.h"
#include "store/giq_leftovers.h"
#include "store/giq_record_read.h"

enum {
    CLAIMS_TRIED = 100,   /* generations that one fetch tries to claim */
    CLAIM_PAUSE_MS = 50,  /* between two reads of a claim that has no content yet */
    CLAIM_WAIT_MS = 1000, /* for the content of all such claims */
};

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

/* Whether the result at `path` is unchanged, as far as that is cheap to check: a file,
 * which has a `name`, must have the recorded size. A folder, which was an archive, must
 * not be empty; its size is not recorded. */
static bool is_as_published(const char *name, int64_t size, const char *path,
                            const struct giq_os_stat *st)
{
    if (name != NULL) {
        return st->kind == GIQ_OS_FILE && (size < 0 || st->size == size);
    }
    return st->kind == GIQ_OS_FOLDER && !is_empty_folder(path, st);
}

/* The path of the result in the record, which the caller frees; NULL when out of memory.
 */
static char *recorded_path(const struct giq_job *job)
{
    return giq_store_result(job->folder, job->record.result_folder,
                            job->record.result_name);
}

/* Whether the result in the record exists unchanged. Sets the fields of `job` that
 * describe a changed result. */
static bool has_result(struct giq_job *job, bool *out, struct giq_error *err)
{
    struct giq_os_stat st;
    const struct giq_record *record = &job->record;
    GIQ_AUTO_FREE char *path = recorded_path(job);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_os_stat(path, &st, err)) {
        return false;
    }
    *out = is_as_published(record->result_name, record->result_size, path, &st);
    job->is_result_changed = !*out && st.kind != GIQ_OS_NOTHING;
    job->keeps_changed_result = job->is_result_changed && !is_empty_folder(path, &st);
    job->changed_result_size = st.kind == GIQ_OS_FILE ? st.size : -1;
    return true;
}

/* Whether the result that a claim names exists unchanged. */
static bool has_claimed_result(const struct giq_job *job, const struct giq_claim *claim,
                               bool *out, struct giq_error *err)
{
    struct giq_os_stat st;
    GIQ_AUTO_FREE char *path = giq_store_result(job->folder, claim->folder, claim->name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_os_stat(path, &st, err)) {
        return false;
    }
    *out = is_as_published(claim->name, claim->size, path, &st);
    return true;
}

bool giq_publish_find(struct giq_job *job, bool *out, struct giq_error *err)
{
    bool exists = false;
    GIQ_AUTO(giq_claim_release) struct giq_claim newest = {0};
    if (!has_result(job, out, err)) {
        return false;
    }
    if (*out) {
        return true;
    }
    /* An open that fetched it again may have been killed before it wrote job.json. */
    if (!giq_claim_read_newest(job->folder, &newest, err)) {
        return false;
    }
    if (!giq_record_is_older(&job->record, &newest)) {
        return true;
    }
    if (!has_claimed_result(job, &newest, &exists, err)) {
        return false;
    }
    if (!exists) {
        return true;
    }
    return giq_record_use_claim(&job->record, &newest, err) && has_result(job, out, err);
}

static void warn_changed_result(const struct giq_job *job)
{
    struct giq_printable id;
    GIQ_AUTO_FREE char *path = recorded_path(job);
    if (job->is_result_changed && path != NULL) {
        giq_env_warn(
            job->service->env,
            "the result of the job %s was changed after it was published, and is "
            "downloaded again: %s",
            giq_call_printable(job->service, job->record.job_id, &id), path);
    }
}

/* ---- recording it ---- */

/* Read the record again before it is written: the lock may lock nothing.
 * `*out_is_current` is false if it is about another job by now, or has a result newer
 * than `generation`. Returns false if there is no record, or it cannot be read;
 * job->record is then used as it is. */
static bool reread(const struct giq_job *job, int generation, struct giq_record *out,
                   bool *out_is_current)
{
    struct giq_error ignored = {0};
    if (!giq_record_read(job->folder, job->canonical, out, NULL, &ignored) ||
        out->state == GIQ_JOB_NONE) {
        return false;
    }
    *out_is_current =
        out->job_id != NULL && giq_text_is_same_id(out->job_id, job->record.job_id) &&
        (out->state != GIQ_JOB_PUBLISHED || out->result_generation <= generation);
    return true;
}

/* Check that the claimed result still exists: the open that claimed it may have been
 * suspended before, and the result removed as a leftover. The next open skips such a
 * claim. */
static bool check_claimed(const struct giq_job *job, const struct giq_claim *claim,
                          struct giq_error *err)
{
    bool exists = false;
    if (!has_claimed_result(job, claim, &exists, err)) {
        return false;
    }
    return exists || giq_fail(err, GIQ_E_STORE,
                              "%s/%s was removed while it was published; open again to "
                              "repeat the download",
                              job->folder, claim->folder);
}

/* Whether a run request after that of the ticket `attempt` was sent, and may have started
 * a job. */
static bool has_later_run(const char *folder, int attempt)
{
    struct giq_error ignored = {0};
    GIQ_AUTO(giq_tickets_release) struct giq_tickets tickets = {0};
    if (!giq_ticket_list(folder, &tickets, &ignored)) {
        return false;
    }
    for (size_t i = 0; i < tickets.len; i++) {
        const struct giq_ticket *ticket = &tickets.items[i];
        if (ticket->n > attempt &&
            (ticket->outcome == GIQ_TICKET_JOB || ticket->outcome == GIQ_TICKET_NONE)) {
            return true;
        }
    }
    return false;
}

/* Let job.json name the result of `claim`, and remove the result that it named before.
 * The claim suffices for others to find it, so a failure to write is ignored. */
static bool record_published(struct giq_job *job, const struct giq_claim *claim,
                             struct giq_error *err)
{
    struct giq_error ignored = {0};
    bool is_current = false;
    GIQ_AUTO(giq_record_release) struct giq_record record;
    giq_record_init(&record);
    bool is_read = reread(job, claim->generation, &record, &is_current);
    if (is_read && !is_current) {
        job->phase = GIQ_PHASE_READ_RECORD;
        return true;
    }
    if (!check_claimed(job, claim, err)) {
        return false;
    }
    GIQ_AUTO_FREE char *replaced = giq_take(&job->record.result_folder);
    if (is_read) {
        giq_record_release(&job->record);
        job->record = record; /* transferred */
        giq_record_init(&record);
    }
    job->phase = GIQ_PHASE_DONE;
    if (!giq_record_use_claim(&job->record, claim, err)) {
        return false;
    }
    if (!giq_step_write(job, GIQ_JOB_PUBLISHED, &ignored)) {
        return true;
    }
    job->record.is_claimed = false;
    if (has_later_run(job->folder, job->record.attempt)) {
        /* A `published` record of the first ticket is read without the later tickets, so
         * the state must not stay `published`. */
        (void)giq_step_write(job, GIQ_JOB_SUCCEEDED, &ignored);
        job->phase = GIQ_PHASE_READ_RECORD;
        return true;
    }
    if (replaced == NULL || strcmp(replaced, claim->folder) != 0) {
        giq_store_unpublish(job->folder, replaced);
    }
    return true;
}

/* As giq_publish_record_claim(), with the record lock held. */
static void record_claim_locked(const struct giq_job *job)
{
    struct giq_error ignored = {0};
    unsigned access = giq_store_access(job->store);
    GIQ_AUTO(giq_record_release) struct giq_record record;
    GIQ_AUTO(giq_claim_release) struct giq_claim newest = {0};
    giq_record_init(&record);
    if (!giq_record_read(job->folder, job->canonical, &record, NULL, &ignored) ||
        !giq_claim_read_newest(job->folder, &newest, &ignored)) {
        return;
    }
    if (record.state == GIQ_JOB_PUBLISHED && giq_record_is_older(&record, &newest) &&
        !giq_record_use_claim(&record, &newest, &ignored)) {
        return;
    }
    if (record.is_claimed && record.result_generation == job->record.result_generation) {
        if (giq_record_write(job->folder, access, &record, &ignored) &&
            has_later_run(job->folder, record.attempt)) {
            record.state = GIQ_JOB_SUCCEEDED; /* as in record_published() */
            (void)giq_record_write(job->folder, access, &record, &ignored);
            return;
        }
        giq_leftovers_remove(job->folder, access, record.result_folder);
    }
}

void giq_publish_record_claim(struct giq_job *job)
{
    struct giq_error ignored = {0};
    struct giq_lock *lock = NULL;
    if (!job->record.is_claimed || (job->flags & GIQ_JOB_NO_WAIT)) {
        return;
    }
    /* If another open holds the lock, it is about to record the claim too. */
    if (giq_lock_acquire(job->folder, giq_store_access(job->store), &lock, &ignored)) {
        record_claim_locked(job);
        giq_lock_release(lock);
    }
}

/* ---- claims ---- */

/* On a file system without links a claim may be read while it is written, so one without
 * content is read again until `until_ms`. */
static bool await_content(const struct giq_job *job, struct giq_claim *claim,
                          int64_t until_ms, struct giq_error *err)
{
    int generation = claim->generation;
    while (claim->folder == NULL && giq_job_now_ms(job) < until_ms) {
        giq_env_sleep_until(job->service->env, giq_job_now_ms(job) + CLAIM_PAUSE_MS);
        giq_claim_release(claim);
        if (!giq_step_check_cancelled(job, err) ||
            !giq_claim_read(job->folder, generation, claim, err)) {
            return false;
        }
    }
    return true;
}

/* Whether the claim of another open is of a result of this job that can be used. */
static bool is_usable(const struct giq_job *job, struct giq_claim *other,
                      int64_t until_ms, bool *out, struct giq_error *err)
{
    if (!await_content(job, other, until_ms, err)) {
        return false;
    }
    *out = false;
    if (other->folder == NULL ||
        !giq_text_is_same_id(other->job_id, job->record.job_id)) {
        return true;
    }
    return has_claimed_result(job, other, out, err);
}

/* Claim the result `own` with the first generation after own->generation that is free.
 * `*out_made` is false if another open has claimed a result of the job since; its claim
 * is then in `*other`, and its result must be used. */
static bool claim_result(const struct giq_job *job, struct giq_claim *own, bool *out_made,
                         struct giq_claim *other, struct giq_error *err)
{
    unsigned access = giq_store_access(job->store);
    bool usable = false;
    int64_t left_ms = giq_job_left_ms(job);
    int64_t until_ms =
        giq_job_now_ms(job) + (left_ms < CLAIM_WAIT_MS ? left_ms : CLAIM_WAIT_MS);
    for (int i = 0; i < CLAIMS_TRIED && own->generation < GIQ_CLAIM_MAX; i++) {
        own->generation++;
        giq_claim_release(other);
        if (!giq_claim_make(job->folder, access, own, out_made, other, err)) {
            return false;
        }
        if (*out_made) {
            return true;
        }
        if (!is_usable(job, other, until_ms, &usable, err)) {
            return false;
        }
        if (usable) {
            return true;
        }
    }
    return giq_fail(err, GIQ_E_STORE,
                    "the downloaded result could not be published in %s; open again to "
                    "repeat the download",
                    job->folder);
}

/* Whether this result has the newest claim, or may have it, because a system call failed
 * that reads the claims. */
static bool may_have_newest_claim(const struct giq_job *job,
                                  const struct giq_claim *claim)
{
    struct giq_error reason = {0};
    GIQ_AUTO(giq_claim_release) struct giq_claim newest = {0};
    if (!giq_claim_read_newest(job->folder, &newest, &reason)) {
        return reason.sys_errno != 0;
    }
    return newest.folder != NULL && strcmp(newest.folder, claim->folder) == 0;
}

/* Publish the fetched result, or use the one that another open has published first. */
static bool publish(struct giq_job *job, struct giq_claim *own, struct giq_error *err)
{
    bool made = false;
    GIQ_AUTO(giq_claim_release) struct giq_claim other = {0};
    if (!claim_result(job, own, &made, &other, err)) {
        /* The claim may have been made although the call failed. */
        if (!may_have_newest_claim(job, own)) {
            giq_store_unpublish(job->folder, own->folder);
        }
        return giq_store_explain_full(err);
    }
    if (!made) {
        giq_store_unpublish(job->folder, own->folder);
    }
    return record_published(job, made ? own : &other, err);
}

/* ---- fetching ---- */

/* Record that the service has no result, unless another open has published it. While a
 * changed result exists the record stays as it is: otherwise RETRY could start a paid job
 * whose result replaces it. */
static bool record_result_gone(struct giq_job *job, struct giq_error *err)
{
    struct giq_error ignored = {0};
    bool is_current = false;
    GIQ_AUTO(giq_record_release) struct giq_record record;
    giq_record_init(&record);
    if (reread(job, job->record.result_generation, &record, &is_current) && !is_current) {
        *err = (struct giq_error){0};
        job->phase = GIQ_PHASE_READ_RECORD;
        return true;
    }
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

static bool fetch(struct giq_job *job, struct giq_error *err)
{
    GIQ_AUTO(giq_claim_release) struct giq_claim own = {0};
    giq_json_free(giq_take(&job->summary));
    giq_leftovers_remove(job->folder, giq_store_access(job->store),
                         job->record.result_folder);
    /* Taken before the download: a claim that is made meanwhile is another open's result
     * of this job. */
    int generation = job->record.result_generation;
    if (!giq_fetch(job->service, job->store, job->folder, job->record.job_id, &job->host,
                   &own, err)) {
        return err->code == GIQ_E_GONE ? record_result_gone(job, err)
                                       : giq_step_add_job_context(job, err);
    }
    own.generation = generation;
    own.summary = giq_take(&job->summary);
    return publish(job, &own, err) || giq_step_add_job_context(job, err);
}

/* Fetch the result, unless another open has published it since, recorded that it is gone,
 * or started a new job. Must be called with the record lock held. */
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
    if (is_published && record->result_folder == NULL &&
        !giq_store_restore(job->folder, err)) {
        return false;
    }
    if (is_published && !giq_publish_find(job, &exists, err)) {
        return false;
    }
    if (exists) {
        job->phase = record->is_claimed ? GIQ_PHASE_READ_RECORD : GIQ_PHASE_DONE;
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
    GIQ_AUTO_FREE char *path = recorded_path(job);
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

bool giq_publish_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err)
{
    if (giq_service_check_credentials(job->service, err) &&
        fetch_locked(job, due_ms, err)) {
        return true;
    }
    return explain_changed_result(job, err);
}
