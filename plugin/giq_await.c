#include "giq_await.h"

#include <cpl_string.h>

#include "giq_negative_cache.h"
#include "options/giq_gdal_cleanup.h"

enum { SLOW_MS = 2000 };

static int64_t now_ms(void)
{
    return giq_env_system.now_ms(giq_env_system.ctx);
}

/* ---- keys of the negative cache ---- */

/* Two opens are the same if request, store and the drivers of results are; for a refused
 * result (`with_job`), the job too. */
static char **key_of_open(const struct giq_await *await, bool with_job)
{
    struct giq_job_view view;
    giq_job_get_view(await->job, &view);
    char **key = CSLAddString(CSLDuplicate(await->config->result_drivers), view.key);
    key = CSLAddString(key, await->config->store_dir);
    return with_job && view.job_id != NULL ? CSLAddString(key, view.job_id) : key;
}

/* One entry for all opens of the process: an open ran into its TIMEOUT. */
static char **key_of_timeout(void)
{
    return CSLAddString(NULL, "timeout");
}

/* ---- refused results ---- */

/* A result that was refused within the last minute is refused again without a
 * download. */
static bool was_refused(const struct giq_await *await, struct giq_error *err)
{
    struct giq_job_view view;
    giq_job_get_view(await->job, &view);
    if (!await->waits || view.state != GIQ_JOB_SUCCEEDED) {
        return false;
    }
    GIQ_AUTO_CSL char **key = key_of_open(await, true);
    return giq_negative_cache_find(key, err);
}

static void cache_refusal(const struct giq_await *await, const struct giq_error *err)
{
    GIQ_AUTO_CSL char **key = key_of_open(await, true);
    giq_negative_cache_add(key, err);
}

/* ---- Ctrl-C ---- */

static void begin_interrupt(struct giq_report *report)
{
    bool ends = giq_interrupt_begin(&report->interrupt);
    report->progress.hint = ends ? "Ctrl-C ends the wait, the job continues" : NULL;
}

static bool fail_cancelled(struct giq_job *job, struct giq_error *err)
{
    struct giq_job_view view;
    giq_job_refresh(job);
    giq_job_get_view(job, &view);
    if (view.state == GIQ_JOB_SENDING || view.state == GIQ_JOB_UNKNOWN) {
        return giq_fail(err, GIQ_E_CANCELLED,
                        "Ctrl-C ended the open; a run request was sent before, so a job "
                        "may have been started; open again without RETRY to see its "
                        "state");
    }
    if (view.job_id == NULL) {
        return giq_fail(err, GIQ_E_CANCELLED,
                        "Ctrl-C ended the open before a job was started");
    }
    return giq_fail(err, GIQ_E_CANCELLED,
                    view.state == GIQ_JOB_SUBMITTED
                        ? "Ctrl-C ended the wait for the job %s; the job continues; open "
                          "again to resume"
                        : "Ctrl-C ended the download of the result of the job %s; open "
                          "again to resume",
                    view.job_id);
}

/* Whether the error may be due only to a call or its retries that ended early. */
static bool may_be_due_to_interrupt(const struct giq_error *err)
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
    begin_interrupt(report);
    bool ok = giq_models_get(service, out, err);
    if (!ok && giq_interrupt_received(&report->interrupt) &&
        may_be_due_to_interrupt(err)) {
        (void)giq_fail(err, GIQ_E_CANCELLED,
                       "Ctrl-C ended the open before the list of models was received");
    }
    giq_interrupt_end(&report->interrupt);
    return ok;
}

/* ---- steps ---- */

static bool run_steps(const struct giq_await *await, struct giq_error *err)
{
    const struct giq_env env = giq_report_env(await->report);
    const struct giq_interrupt *interrupt = &await->report->interrupt;
    for (;;) {
        enum giq_step step = GIQ_STEP_AGAIN;
        int64_t due_ms = 0;
        if (!giq_job_step(await->job, &step, &due_ms, err)) {
            if (err->code == GIQ_E_RESULT) {
                cache_refusal(await, err);
            }
            if (giq_interrupt_received(interrupt) && may_be_due_to_interrupt(err)) {
                return fail_cancelled(await->job, err);
            }
            return false;
        }
        if (step == GIQ_STEP_DONE) {
            return true;
        }
        if (was_refused(await, err)) {
            return false;
        }
        /* Once the wait is cancelled, the next step ends the open. */
        begin_interrupt(await->report);
        while (!giq_interrupt_received(interrupt) && env.now_ms(env.ctx) < due_ms) {
            env.sleep_ms(env.ctx, due_ms - env.now_ms(env.ctx));
        }
    }
}

/* ---- waiting no longer than needed ---- */

static bool has_timed_out(void)
{
    struct giq_error ignored;
    GIQ_AUTO_CSL char **key = key_of_timeout();
    return giq_negative_cache_find(key, &ignored);
}

static void cache_timeout(const struct giq_error *err)
{
    GIQ_AUTO_CSL char **key = key_of_timeout();
    giq_negative_cache_add(key, err);
}

static bool fail_checked_once(struct giq_error *err)
{
    const struct giq_error reason = *err;
    return giq_fail(err, GIQ_E_TIMEOUT,
                    "an open within the last minute waited already, so this one only "
                    "checked once: %s",
                    reason.text);
}

/* Cache a failure that took long, unless this open learned it with a short check. */
static void cache_slow_failure(const struct giq_service *service, char **key,
                               int64_t began_ms, const struct giq_error *err)
{
    bool is_final = err->code != GIQ_E_CANCELLED && err->code != GIQ_E_TIMEOUT;
    if (is_final && now_ms() - began_ms > SLOW_MS && !giq_service_is_limited(service)) {
        giq_negative_cache_add(key, err);
    }
}

bool giq_await_models(struct giq_service *service, const char *base_url,
                      struct giq_report *report, struct giq_models *out,
                      struct giq_error *err)
{
    struct giq_error ignored;
    int64_t began_ms = now_ms();
    GIQ_AUTO_CSL char **key = CSLAddString(CSLAddString(NULL, "models"), base_url);
    if (giq_negative_cache_find(key, &ignored)) {
        giq_service_limit_to_one_try(service);
    }
    if (get_models(service, report, out, err)) {
        return true;
    }
    cache_slow_failure(service, key, began_ms, err);
    return false;
}

/* The first open waits as long as its TIMEOUT says. If that was too short, opens of the
 * next minute poll once, because a GIS that opens ten times would wait ten times as long.
 * What failed slowly is tried once; if that succeeds, the open waits after all. */
bool giq_await_job(const struct giq_await *await, struct giq_error *err)
{
    struct giq_error ignored;
    int64_t began_ms = now_ms();
    GIQ_AUTO_CSL char **key = key_of_open(await, false);
    if (has_timed_out()) {
        giq_service_limit_to_one_poll(await->service);
    }
    if (giq_negative_cache_find(key, &ignored)) {
        giq_service_limit_to_one_try(await->service);
    }
    bool ok = run_steps(await, err);
    giq_interrupt_end(&await->report->interrupt);
    if (ok) {
        return true;
    }
    if (err->code != GIQ_E_TIMEOUT) {
        cache_slow_failure(await->service, key, began_ms, err);
    } else if (giq_service_is_limited(await->service)) {
        (void)fail_checked_once(err);
    } else if (await->config->settings.timeout_ms > 0) {
        cache_timeout(err);
    }
    return false;
}
