/* Errors from recorded states. */
#include "store/giq_advice.h"

#include <assert.h>

#include "base/giq_text.h"

bool giq_advice_applies(const struct giq_record *record)
{
    return record->gone || record->state == GIQ_JOB_FAILED ||
           record->state == GIQ_JOB_UNKNOWN;
}

static bool fail_unknown(const struct giq_record *record, const char *reason,
                         struct giq_error *err)
{
    char when[GIQ_TEXT_TIME_SIZE] = "an unknown time";
    if (record->submitted_ms != GIQ_TIME_NONE) {
        giq_text_printable_time(record->submitted_ms, when);
    }
    return giq_error_replace(
        err, GIQ_E_UNKNOWN,
        "the run request was sent at %s and its outcome is not known (%s): a job may "
        "have been started and paid for. Look for it on the service's web page and "
        "adopt it with job=<id> in the same request, or start a new one, which is paid "
        "for, with "
        "RETRY=<label> or rerun=<label>",
        when, reason);
}

bool giq_advice_fail(const struct giq_record *record, const char *job_id,
                     struct giq_error *err)
{
    struct giq_printable reason;
    assert(giq_advice_applies(record));
    (void)giq_text_printable(record->error, &reason);
    if (record->state == GIQ_JOB_UNKNOWN) {
        return fail_unknown(record, reason.text, err);
    }
    if (record->state == GIQ_JOB_FAILED) {
        return giq_error_replace(
            err, GIQ_E_FAILED,
            "the job %s failed on the service (%s); it stays recorded as "
            "failed, and RETRY=<label> or rerun=<label> starts a new job, "
            "which is paid for",
            job_id, reason.text);
    }
    bool has_succeeded = record->state == GIQ_JOB_SUCCEEDED;
    return giq_error_replace(
        err, GIQ_E_GONE,
        "the service no longer %s the job %s%s%s%s; use job=<id> to check it "
        "again, or RETRY=<label> or rerun=<label> to start a new job, which is "
        "paid for",
        has_succeeded ? "has the result of" : "knows", job_id,
        reason.text[0] == '\0' ? "" : " (", reason.text,
        reason.text[0] == '\0' ? "" : ")");
}

bool giq_advice_describe(const struct giq_record *record, const char *job_id,
                         struct giq_error *out)
{
    struct giq_printable others;
    bool applies = giq_advice_applies(record);
    if (!applies && record->other_jobs == NULL) {
        return false;
    }
    *out = (struct giq_error){0};
    if (applies) {
        (void)giq_advice_fail(record, job_id, out);
    }
    if (record->other_jobs != NULL) {
        const struct giq_error cause = *out;
        (void)giq_error_replace(out, cause.code,
                                "%s%san earlier run request also started the job %s, "
                                "which is paid for; open it with job=<id>",
                                cause.text, applies ? "; " : "",
                                giq_text_printable(record->other_jobs, &others));
    }
    return true;
}
