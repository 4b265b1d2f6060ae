/* The spending limits of new jobs. */
#include "job/giq_limits.h"

#include <stdlib.h>

#include "base/giq_cleanup.h"
#include "store/giq_spent.h"

static int64_t wall_ms(const struct giq_job *job)
{
    const struct giq_env *env = job->service->env;
    return env->wall_ms(env->ctx);
}

/* Whether another open may be submitting, or has just submitted, the job of this request.
 * It holds the record lock from before it takes a slot until the record has changed. */
static bool may_share_job(const struct giq_job *job)
{
    struct giq_error ignored = {0};
    GIQ_AUTO(giq_record_release) struct giq_record record;
    giq_record_init(&record);
    if (giq_lock_is_held(job->folder)) {
        return true;
    }
    return giq_record_read(job->folder, NULL, &record, NULL, &ignored) &&
           record.state != job->record.state;
}

bool giq_limits_check(const struct giq_job *job, struct giq_error *err)
{
    const struct giq_limits *limits = &job->host.limits;
    if (!limits->has_max_jobs ||
        giq_spent_check(job->store, wall_ms(job), limits->max_jobs, err)) {
        return true;
    }
    if (err->code != GIQ_E_USAGE || !may_share_job(job)) {
        return false;
    }
    *err = (struct giq_error){0};
    return true;
}

bool giq_limits_take_slot(struct giq_job *job, struct giq_error *err)
{
    const struct giq_limits *limits = &job->host.limits;
    if (!limits->has_max_jobs || job->slot != NULL) {
        return true;
    }
    return giq_spent_take(job->store, wall_ms(job), limits->max_jobs, giq_job_key(job),
                          &job->slot, err);
}

void giq_limits_return_slot(struct giq_job *job)
{
    if (job->slot != NULL) {
        giq_spent_return(job->slot);
        free(giq_take(&job->slot));
    }
}

void giq_limits_spend_slot(struct giq_job *job)
{
    if (job->slot != NULL) {
        giq_spent_tidy(job->store, wall_ms(job));
        free(giq_take(&job->slot));
    }
}
