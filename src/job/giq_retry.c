/* Whether RETRY may start a new job, and checking a job again that is gone. */
#include "job/giq_retry.h"

#include "base/giq_error.h"
#include "base/giq_text.h"

bool giq_retry_check_label(const char *label, struct giq_error *err)
{
    if (!giq_text_is_utf8(label)) {
        return giq_fail(err, GIQ_E_USAGE,
                        "the label of RETRY is not UTF-8; encode it as UTF-8");
    }
    return true;
}

bool giq_retry_counts_as_gone(const struct giq_job *job)
{
    return job->record.gone && job->request.job == NULL;
}

/* Whether the open has a label that this record has not used. */
static bool has_new_label(const struct giq_job *job)
{
    const char *label = job->request.retry;
    return label != NULL && job->request.model != NULL &&
           !(job->flags & GIQ_JOB_NO_SUBMIT) &&
           !giq_record_has_label(&job->record, label);
}

static bool has_failed(const struct giq_job *job)
{
    bool keeps_unknown = (job->flags & GIQ_JOB_KEEP_UNKNOWN) != 0;
    return job->record.state == GIQ_JOB_FAILED ||
           (job->record.state == GIQ_JOB_UNKNOWN && !keeps_unknown);
}

/* Whether the record still has the job that is or was checked again. */
static bool has_rechecked_id(const struct giq_job *job)
{
    const char *id = job->record.job_id;
    return job->rechecked_id != NULL && id != NULL &&
           giq_text_is_same_id(job->rechecked_id, id);
}

bool giq_retry_allows_job(const struct giq_job *job)
{
    if (!has_new_label(job)) {
        return false;
    }
    /* If this open has waited for the job, its failure is reported first. */
    if (job->wait_began_ms != 0) {
        return false;
    }
    return job->is_damaged || has_failed(job) ||
           (giq_retry_counts_as_gone(job) && job->is_gone_again && has_rechecked_id(job));
}

bool giq_retry_is_rechecking(const struct giq_job *job)
{
    return has_rechecked_id(job) && !job->is_gone_again && !job->has_status;
}

bool giq_retry_must_recheck(const struct giq_job *job)
{
    if (!has_new_label(job) || job->is_damaged || has_failed(job)) {
        return false;
    }
    if (!giq_retry_counts_as_gone(job) || job->record.job_id == NULL) {
        return false;
    }
    bool is_first = job->wait_began_ms == 0 && !has_rechecked_id(job);
    return is_first || giq_retry_is_rechecking(job);
}

bool giq_retry_begin_recheck(struct giq_job *job, struct giq_error *err)
{
    job->is_gone_again = false;
    if (!giq_text_set(&job->rechecked_id, job->record.job_id)) {
        return giq_fail_memory(err);
    }
    return true;
}

void giq_retry_end_recheck(struct giq_job *job)
{
    job->is_gone_again = true;
    job->not_found_count = 0;
    job->pause_ms = 0;
    job->wait_began_ms = 0;
    job->phase = GIQ_PHASE_READ_RECORD;
}
