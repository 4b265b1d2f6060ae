/* Learns how long a job takes, and paces its status calls by what was learned before. */
#include "job/giq_learn.h"

#include <math.h>

#include "base/giq_error.h"
#include "base/giq_text.h"
#include "giq/geom.h"
#include "service/giq_api.h"

/* A duration is recorded only if it is known this well, in percent of the longest that it
 * may have been. */
enum { UNCERTAINTY_PERCENT = 15 };

static const int64_t unknown_ms = INT64_MAX;

/* ---- the beginning of the job ---- */

/* Find when the job was submitted. The record has the time of day, which may have been
 * changed since; a time in the future counts as unknown. An unknown beginning counts as
 * the start of this wait: the job then ends earlier than is predicted. */
static void find_begin(struct giq_job *job)
{
    const struct giq_env *env = job->service->env;
    struct giq_learning *learning = &job->learning;
    int64_t age_ms = -1;
    if (job->record.submitted_ms != GIQ_TIME_NONE) {
        age_ms = env->wall_ms(env->ctx) - job->record.submitted_ms;
    }
    bool is_known = age_ms >= 0 && age_ms <= GIQ_HISTORY_DURATION_MAX_MS;
    learning->began_ms = is_known ? giq_job_now_ms(job) - age_ms : job->wait_began_ms;
    learning->began_error_ms = is_known ? 0 : unknown_ms;
    learning->awaits_approval = giq_api_awaits_approval(job->record.status);
}

/* The job begins when its approval is seen to have been given. */
static void follow_approval(struct giq_learning *learning, bool awaits_approval,
                            int64_t now_ms)
{
    if (awaits_approval) {
        learning->began_ms = now_ms;
        learning->began_error_ms = 0;
    } else if (learning->awaits_approval) {
        if (learning->began_error_ms != unknown_ms) {
            learning->began_error_ms = now_ms - learning->began_ms;
        }
        learning->began_ms = now_ms;
    }
    learning->awaits_approval = awaits_approval;
}

/* ---- what earlier jobs predict ---- */

/* The size of the job's area. */
static int64_t area_m2_of(const struct giq_job *job)
{
    struct giq_error ignored = {0};
    struct giq_job_view view;
    double km2 = 0;
    giq_record_view(&job->record, job->request_json, &view);
    if (view.area == NULL || !giq_geom_area_km2(view.area, &km2, &ignored)) {
        return GIQ_HISTORY_AREA_UNKNOWN;
    }
    return llround(km2 * 1e6);
}

static void predict(struct giq_job *job)
{
    struct giq_history history;
    job->learning.area_m2 = area_m2_of(job);
    giq_history_read(job->store, job->service->settings.base_url, job->record.model_id,
                     &history);
    giq_pace_predict(&history, job->learning.area_m2, &job->learning.pace);
}

void giq_learn_running(struct giq_job *job, const char *status)
{
    struct giq_learning *learning = &job->learning;
    bool awaits_approval = giq_api_awaits_approval(status);
    if (!learning->has_begun) {
        learning->has_begun = true;
        find_begin(job);
    }
    follow_approval(learning, awaits_approval, giq_job_now_ms(job));
    if (awaits_approval) {
        return;
    }
    learning->running_ms = giq_job_now_ms(job);
    if (!learning->has_predicted && !(job->flags & GIQ_JOB_NO_WAIT)) {
        learning->has_predicted = true;
        predict(job);
    }
}

/* Whether earlier jobs predict the end of this one: not before it was seen to run, nor
 * while it waits for an approval. */
static bool can_predict(const struct giq_learning *learning)
{
    return learning->has_predicted && !learning->awaits_approval;
}

static int64_t age_ms_of(const struct giq_job *job)
{
    return giq_job_now_ms(job) - job->learning.began_ms;
}

int64_t giq_learn_pause_ms(struct giq_job *job)
{
    static const struct giq_pace nothing = {0};
    const struct giq_pace *pace =
        can_predict(&job->learning) ? &job->learning.pace : &nothing;
    int64_t waited_ms = giq_job_now_ms(job) - job->wait_began_ms;
    return giq_pace_next_ms(pace, age_ms_of(job), waited_ms, job->service->env,
                            &job->pause_ms);
}

const char *giq_learn_describe(const struct giq_job *job, char out[GIQ_PACE_TEXT_SIZE])
{
    out[0] = '\0';
    if (!can_predict(&job->learning)) {
        return out;
    }
    return giq_pace_describe(&job->learning.pace, age_ms_of(job), out);
}

/* ---- what later jobs learn from this one ---- */

void giq_learn_succeeded(struct giq_job *job)
{
    struct giq_learning *learning = &job->learning;
    int64_t now_ms = giq_job_now_ms(job);
    learning->duration_ms = 0;
    if (learning->running_ms == 0 || learning->began_error_ms == unknown_ms) {
        return;
    }
    /* It began at began_ms, or earlier by at most the error, and ended after it was last
     * seen to run. */
    int64_t longest_ms = now_ms - learning->began_ms + learning->began_error_ms;
    int64_t uncertainty_ms = learning->began_error_ms + now_ms - learning->running_ms;
    if (uncertainty_ms * 100 < longest_ms * UNCERTAINTY_PERCENT) {
        /* The mean of the longest and the shortest possible duration. */
        learning->duration_ms = longest_ms - uncertainty_ms / 2;
    }
}

bool giq_learn_record(struct giq_job *job, struct giq_error *err)
{
    struct giq_record *record = &job->record;
    if (job->learning.duration_ms == 0) {
        return true;
    }
    record->duration_ms = job->learning.duration_ms;
    record->area_m2 = job->learning.area_m2;
    if (!giq_text_set(&record->base_url, job->service->settings.base_url)) {
        return giq_fail_memory(err);
    }
    return true;
}
