#include "giq_follow.h"

#include <cpl_string.h>

#include "giq_negative_cache.h"

/* Opens are the same where the request, the store and who may read the result are, and
 * once there is one, the job. */
static char **what_is_opened(const struct giq_follow *follow, bool has_job)
{
    struct giq_job_view view;
    giq_job_get_view(follow->job, &view);
    char **what = CSLAddString(CSLDuplicate(follow->config->result_drivers), view.key);
    what = CSLAddString(what, follow->config->store_dir);
    return has_job && view.job_id != NULL ? CSLAddString(what, view.job_id) : what;
}

/* A result that was refused a moment ago is refused again, not fetched. */
static bool is_refused_again(const struct giq_follow *follow, struct giq_error *err)
{
    struct giq_job_view view;
    giq_job_get_view(follow->job, &view);
    if (!follow->waits || view.state != GIQ_JOB_SUCCEEDED) {
        return false;
    }
    char **what = what_is_opened(follow, true);
    bool is_again = giq_negative_cache_find(what, err);
    CSLDestroy(what);
    return is_again;
}

static void note_refusal(const struct giq_follow *follow, const struct giq_error *err)
{
    char **what = what_is_opened(follow, true);
    giq_negative_cache_note(what, err);
    CSLDestroy(what);
}

/* ---- Ctrl-C ---- */

static void begin_wait(struct giq_report *report)
{
    bool ends = giq_interrupt_begin(&report->interrupt);
    report->progress.hint = ends ? "Ctrl-C ends the wait, the job goes on" : NULL;
}

static bool fail_cancelled(struct giq_job *job, struct giq_error *err)
{
    struct giq_job_view view;
    giq_job_refresh(job);
    giq_job_get_view(job, &view);
    if (view.state == GIQ_JOB_SENDING || view.state == GIQ_JOB_UNKNOWN) {
        return giq_fail(err, GIQ_E_CANCELLED,
                        "Ctrl-C ended the open; a run request went out before, so a job "
                        "may have been started; opening again without RETRY reports it");
    }
    if (view.job_id == NULL) {
        return giq_fail(err, GIQ_E_CANCELLED,
                        "Ctrl-C ended the open before a job was started");
    }
    return giq_fail(err, GIQ_E_CANCELLED,
                    view.state == GIQ_JOB_SUBMITTED
                        ? "Ctrl-C ended the wait for the job %s; the job goes on; open "
                          "again to resume"
                        : "Ctrl-C ended the download of the result of the job %s; open "
                          "again to resume",
                    view.job_id);
}

/* Whether an error may be there only because the call or its retries ended early. */
static bool may_be_early(const struct giq_error *err)
{
    switch (err->code) {
    case GIQ_E_CANCELLED:
    case GIQ_E_NETWORK:
    case GIQ_E_SERVICE:
    case GIQ_E_INCOMPLETE:
    case GIQ_E_TIMEOUT:
        return true;
    default:
        return false;
    }
}

static bool get_models(struct giq_service *service, struct giq_report *report,
                       struct giq_models *out, struct giq_error *err)
{
    begin_wait(report);
    bool ok = giq_models_get(service, out, err);
    if (!ok && giq_interrupt_received(&report->interrupt) && may_be_early(err)) {
        (void)giq_fail(err, GIQ_E_CANCELLED,
                       "Ctrl-C ended the open before the list of models came");
    }
    giq_interrupt_end(&report->interrupt);
    return ok;
}

/* ---- steps ---- */

static bool run_job(const struct giq_follow *follow, struct giq_error *err)
{
    const struct giq_env env = giq_report_env(follow->report);
    const struct giq_interrupt *interrupt = &follow->report->interrupt;
    for (;;) {
        enum giq_step step = GIQ_STEP_AGAIN;
        int64_t due_ms = 0;
        if (!giq_job_step(follow->job, &step, &due_ms, err)) {
            if (err->code == GIQ_E_RESULT) {
                note_refusal(follow, err);
            }
            return giq_interrupt_received(interrupt) && may_be_early(err)
                       ? fail_cancelled(follow->job, err)
                       : false;
        }
        if (step == GIQ_STEP_DONE) {
            return true;
        }
        if (is_refused_again(follow, err)) {
            return false;
        }
        begin_wait(follow->report);
        while (!giq_interrupt_received(interrupt) && env.now_ms(env.ctx) < due_ms) {
            env.sleep_ms(env.ctx, due_ms - env.now_ms(env.ctx));
        }
        if (giq_interrupt_received(interrupt)) {
            return fail_cancelled(follow->job, err);
        }
    }
}

/* ---- what an open learned a moment ago ---- */

enum { SLOW_MS = 2000 };

/* One entry for all opens of the process. */
static const char ran_out[] = "an open ran out its TIMEOUT";

static bool is_slow(int64_t began_ms)
{
    return giq_env_system.now_ms(giq_env_system.ctx) - began_ms > SLOW_MS;
}

static bool has_run_out(void)
{
    struct giq_error ignored;
    char **what = CSLAddString(NULL, ran_out);
    bool has = giq_negative_cache_find(what, &ignored);
    CSLDestroy(what);
    return has;
}

static void note_run_out(const struct giq_error *err)
{
    char **what = CSLAddString(NULL, ran_out);
    giq_negative_cache_note(what, err);
    CSLDestroy(what);
}

static bool fail_after_a_check(struct giq_error *err)
{
    const struct giq_error reason = *err;
    return giq_fail(err, GIQ_E_TIMEOUT,
                    "an open of the last minute waited, so this one only checked: %s",
                    reason.text);
}

/* A failure that took its time is remembered where it was learned the whole way. */
static void note_slow_failure(const struct giq_service *service, char **what,
                              int64_t began_ms, const struct giq_error *err)
{
    bool is_outcome = err->code != GIQ_E_CANCELLED && err->code != GIQ_E_TIMEOUT;
    if (is_outcome && is_slow(began_ms) && !giq_service_checks_once(service)) {
        giq_negative_cache_note(what, err);
    }
}

bool giq_follow_models(struct giq_service *service, const char *base_url,
                       struct giq_report *report, struct giq_models *out,
                       struct giq_error *err)
{
    struct giq_error before;
    int64_t began_ms = giq_env_system.now_ms(giq_env_system.ctx);
    char **what = CSLAddString(CSLAddString(NULL, "models"), base_url);
    if (giq_negative_cache_find(what, &before)) {
        giq_service_check_once(service);
    }
    bool ok = get_models(service, report, out, err);
    if (!ok) {
        note_slow_failure(service, what, began_ms, err);
    }
    CSLDestroy(what);
    return ok;
}

/* The first open waits as long as the user said; when that was too short, those of the
 * next minute poll once, or a GIS that opens ten times would stand ten times as long.
 * What failed slowly is tried once; where that goes well the open waits after all. */
bool giq_follow_job(const struct giq_follow *follow, struct giq_error *err)
{
    struct giq_error before;
    int64_t began_ms = giq_env_system.now_ms(giq_env_system.ctx);
    char **what = what_is_opened(follow, false);
    if (has_run_out()) {
        giq_service_poll_once(follow->service);
    }
    if (giq_negative_cache_find(what, &before)) {
        giq_service_check_once(follow->service);
    }
    bool ok = run_job(follow, err);
    giq_interrupt_end(&follow->report->interrupt);
    bool is_timeout = !ok && err->code == GIQ_E_TIMEOUT;
    if (is_timeout && giq_service_checks_once(follow->service)) {
        (void)fail_after_a_check(err);
    } else if (is_timeout && follow->config->settings.timeout_ms > 0) {
        note_run_out(err);
    } else if (!ok) {
        note_slow_failure(follow->service, what, began_ms, err);
    }
    CSLDestroy(what);
    return ok;
}
