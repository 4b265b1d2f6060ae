/*
 * What the steps of a job share: the flight, the record, and its errors.
 */
#include <string.h>

#include "giq_env.h"
#include "giq_job.h"
#include "giq_text.h"

enum { FLIGHT_PAUSE_MS = 50 };

int64_t giq_step_now_ms(const struct giq_job *job)
{
    const struct giq_env *env = giq_api_env(job->service);
    return env->now_ms(env->ctx);
}

int64_t giq_step_left_ms(const struct giq_job *job)
{
    return giq_env_left_ms(giq_api_env(job->service), giq_api_deadline_ms(job->service));
}

bool giq_step_enter(struct giq_job *job, bool *out_held, int64_t *due_ms,
                    struct giq_error *err)
{
    if (!giq_store_make(job->store, job->folder, err)) {
        return false;
    }
    if (!giq_flight_enter(giq_api_env(job->service), job->folder,
                          giq_store_access(job->store), 0, &job->flight, err)) {
        if (err->code != GIQ_E_TIMEOUT || giq_step_left_ms(job) == 0) {
            return false;
        }
        *out_held = false;
        *due_ms = giq_step_now_ms(job) + FLIGHT_PAUSE_MS;
        return true;
    }
    struct giq_record record;
    giq_record_init(&record);
    if (!giq_record_read(job->folder, job->canonical, &record, err)) {
        giq_step_leave(job);
        return false;
    }
    if (record.state != GIQ_JOB_NONE) {
        giq_record_release(&job->record);
        job->record = record;
        job->is_unrecorded = false;
    } else if (!job->is_unrecorded) {
        giq_record_release(&job->record);
    }
    *out_held = true;
    return true;
}

void giq_step_leave(struct giq_job *job)
{
    giq_flight_leave(job->flight);
    job->flight = NULL;
}

bool giq_step_write(struct giq_job *job, enum giq_job_state state, struct giq_error *err)
{
    unsigned access = giq_store_access(job->store);
    enum giq_job_state before = job->record.state;
    job->record.state = state;
    bool ok = (job->canonical == NULL ||
               giq_record_write_request(job->folder, access, job->canonical, err)) &&
              giq_record_write(job->folder, access, &job->record, err);
    if (!ok) {
        job->record.state = before;
        return false;
    }
    job->is_unrecorded = false;
    return true;
}

static const char *id_of(const struct giq_record *record, struct giq_shown *shown)
{
    return giq_text_show(record->job_id == NULL ? "?" : record->job_id, shown);
}

bool giq_step_fail_recorded(const struct giq_job *job, struct giq_error *err)
{
    const struct giq_record *record = &job->record;
    struct giq_shown id;
    struct giq_shown reason;
    (void)giq_text_show(record->error, &reason);
    if (record->state == GIQ_JOB_FAILED) {
        return giq_fail(err, GIQ_E_FAILED,
                        "the job %s failed on the service (%s); this is remembered, and "
                        "rerun=<label> asks for a new job",
                        id_of(record, &id), reason.text);
    }
    if (record->state == GIQ_JOB_UNKNOWN) {
        char when[GIQ_TEXT_TIME_SIZE] = "an unknown time";
        if (record->submitted_ms != GIQ_TIME_NONE) {
            giq_text_from_time(record->submitted_ms, when);
        }
        return giq_fail(err, GIQ_E_UNKNOWN,
                        "the run request went out at %s and what came of it is not known "
                        "(%s): a job may have been made and paid for. Look for it on the "
                        "service's web page and open it with job=<id>, or ask for a new "
                        "one with rerun=<label>",
                        when, reason.text);
    }
    return giq_fail(err, GIQ_E_GONE,
                    "the service no longer has the result of the job %s; rerun=<label> "
                    "asks for a new job",
                    id_of(record, &id));
}
