/* The spending limits of new jobs. */
#include "job/giq_limits.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/giq_cleanup.h"
#include "base/giq_error.h"
#include "giq/geom.h"
#include "store/giq_record_read.h"
#include "store/giq_spent.h"

enum {
    M2_PER_KM2 = 1000000,
    NUMBER_SIZE = 48, /* room for a number of square kilometres */
};

/* ---- the area ---- */

/* Print whole square metres as square kilometres, with a point in any locale. */
static const char *print_km2(int64_t m2, char out[NUMBER_SIZE])
{
    int len = snprintf(out, NUMBER_SIZE, "%" PRId64 ".%06" PRId64, m2 / M2_PER_KM2,
                       m2 % M2_PER_KM2);
    while (out[len - 1] == '0') {
        out[--len] = '\0';
    }
    if (out[len - 1] == '.') {
        out[--len] = '\0';
    }
    return out;
}

static const char *print_limit(const struct giq_job *job, char out[NUMBER_SIZE])
{
    return print_km2(llround(job->host.limits.max_area_km2 * M2_PER_KM2), out);
}

static bool fail_unknown_size(const struct giq_job *job, struct giq_error *err)
{
    char limit[NUMBER_SIZE];
    (void)print_limit(job, limit);
    if (job->request.area == NULL) {
        return giq_fail(err, GIQ_E_USAGE,
                        "the request has no area, so the model would run on the whole "
                        "file, whose size is not known, and GIQ_MAX_AREA allows a new "
                        "job of at most %s km2; give an area, or unset GIQ_MAX_AREA",
                        limit);
    }
    return giq_fail(err, GIQ_E_USAGE,
                    "with GEOMETRY_CRS=%s the size of the area is not known, and "
                    "GIQ_MAX_AREA allows a new job of at most %s km2; give the area in "
                    "longitude and latitude, or unset GIQ_MAX_AREA",
                    job->request.geometry_crs, limit);
}

static bool fail_too_large(const struct giq_job *job, struct giq_error *err)
{
    char size[NUMBER_SIZE];
    char limit[NUMBER_SIZE];
    /* Rounded up, so that the size is printed as the larger number. */
    int64_t size_m2 = (int64_t)ceil(job->area_km2 * M2_PER_KM2);
    return giq_fail(err, GIQ_E_USAGE,
                    "the area has %s km2, and GIQ_MAX_AREA allows a new job of at most "
                    "%s km2; give a smaller area, or raise GIQ_MAX_AREA",
                    print_km2(size_m2, size), print_limit(job, limit));
}

bool giq_limits_check_area(struct giq_job *job, struct giq_error *err)
{
    double limit = job->host.limits.max_area_km2;
    if (limit == 0) {
        return true;
    }
    if (job->request.area == NULL || job->request.geometry_crs != NULL) {
        return fail_unknown_size(job, err);
    }
    if (job->area_km2 < 0 && !giq_geom_area_km2(job->request.area, &job->area_km2, err)) {
        return false;
    }
    return job->area_km2 <= limit || fail_too_large(job, err);
}

/* ---- the number of jobs ---- */

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

static bool check_jobs(const struct giq_job *job, struct giq_error *err)
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

bool giq_limits_check(struct giq_job *job, struct giq_error *err)
{
    return giq_limits_check_area(job, err) && check_jobs(job, err);
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
