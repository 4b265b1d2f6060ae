/* Runs the steps of a job and the pauses between them. */
#include "giq_await.h"

#include <cpl_string.h>
#include <string.h>

#include "giq_negative_cache.h"
#include "options/giq_gdal_cleanup.h"

/* A failure that took longer is cached. */
enum { SLOW_MS = 2000 };

static int64_t now_ms(void)
{
    return giq_env_system.now_ms(giq_env_system.ctx);
}

/* ---- keys of the negative cache ---- */

/* Opens share an entry if they have the same request, store and result drivers. */
static char **key_of_request(struct giq_job *job, const struct giq_config *config)
{
    struct giq_job_view view;
    giq_job_get_view(job, &view);
    char **key = CSLAddString(CSLDuplicate(config->result_drivers), view.key);
    return CSLAddString(key, config->store_dir);
}

/* A refused result is cached for one job: RETRY may start another job of the request,
 * whose result must be tried. */
static char **key_of_result(struct giq_job *job, const struct giq_config *config)
{
    struct giq_job_view view;
    giq_job_get_view(job, &view);
    char **key = key_of_request(job, config);
    if (view.job_id != NULL) {
        key = CSLAddString(key, view.job_id);
    }
    return key;
}

/* The key of the one entry that all opens of the process share: one of them timed out. */
static char **key_of_timeout(void)
{
    return CSLAddString(NULL, "timeout");
}

/* ---- refused results ---- */

bool giq_await_is_refusal_cached(struct giq_job *job, const struct giq_config *config,
                                 struct giq_error *err)
{
    struct giq_job_view view;
    giq_job_get_view(job, &view);
    if (view.state != GIQ_JOB_SUCCEEDED) {
        return false;
    }
    GIQ_AUTO_CSL char **key = key_of_result(job, config);
    return giq_negative_cache_find(key, err);
}

void giq_await_cache_refusal(struct giq_job *job, const struct giq_config *config,
                             const struct giq_error *err)
{
    GIQ_AUTO_CSL char **key = key_of_result(job, config);
    giq_negative_cache_add(key, err);
}

/* ---- cancelling ---- */

static const char command_hint[] =
    "Ctrl-C ends the program but not a started job; the same command, or gdal driver giq "
    "fetch <job>, resumes";

void giq_await_begin(struct giq_report *report, const char *hint)
{
    bool ends = giq_interrupt_begin(&report->interrupt);
    report->progress.hint = !ends                           ? NULL
                            : report->host.function == NULL ? hint
                                                            : command_hint;
}

/* The error of a wait that `who` cancelled; `view` has the id of the job. */
static bool fail_wait_cancelled(const char *who, const struct giq_job_view *view,
                                struct giq_error *err)
{
    if (view->is_external) {
        return giq_fail(err, GIQ_E_CANCELLED,
                        "%s ended the open before the job %s was found and recorded; "
                        "open again to check it",
                        who, view->job_id);
    }
    if (strcmp(view->state_name, "gone") == 0) {
        return giq_fail(err, GIQ_E_CANCELLED,
                        "%s ended the open while the job %s, which is recorded as "
                        "gone, was checked again; no new job was started",
                        who, view->job_id);
    }
    if (view->state == GIQ_JOB_FAILED) {
        return giq_fail(err, GIQ_E_CANCELLED,
                        "%s ended the open before a new job was started in place of "
                        "the job %s, which failed",
                        who, view->job_id);
    }
    return giq_fail(err, GIQ_E_CANCELLED,
                    view->state == GIQ_JOB_SUBMITTED
                        ? "%s ended the wait for the job %s; the job continues; open "
                          "again to resume"
                        : "%s ended the download of the result of the job %s; open "
                          "again to repeat it",
                    who, view->job_id);
}

static bool fail_cancelled(const char *who, struct giq_job *job, struct giq_error *err)
{
    struct giq_job_view view;
    giq_job_refresh(job);
    giq_job_get_view(job, &view);
    if (view.state == GIQ_JOB_SENDING || view.state == GIQ_JOB_UNKNOWN) {
        return giq_fail(err, GIQ_E_CANCELLED,
                        "%s ended the open; a run request was sent before, so a job "
                        "may have been started; open again without RETRY to see its "
                        "state",
                        who);
    }
    if (view.job_id == NULL) {
        return giq_fail(err, GIQ_E_CANCELLED,
                        "%s ended the open before a job was started", who);
    }
    return fail_wait_cancelled(who, &view, err);
}

bool giq_await_may_be_cancelled(const struct giq_error *err)
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

/* ---- steps ---- */

static bool run_steps(const struct giq_await *await, struct giq_error *err)
{
    const struct giq_env env = giq_report_env(await->report);
    for (;;) {
        enum giq_step step = GIQ_STEP_AGAIN;
        int64_t due_ms = 0;
        const char *who = NULL;
        if (!giq_job_step(await->job, &step, &due_ms, err)) {
            if (err->code == GIQ_E_RESULT) {
                giq_await_cache_refusal(await->job, await->config, err);
            }
            who = giq_report_canceller(await->report);
            if (who != NULL && giq_await_may_be_cancelled(err)) {
                return fail_cancelled(who, await->job, err);
            }
            return false;
        }
        if (step == GIQ_STEP_DONE) {
            return true;
        }
        if (await->waits_for_result &&
            giq_await_is_refusal_cached(await->job, await->config, err)) {
            return false;
        }
        /* Not before the first step: an open of a published result installs no handler.
         * Later calls do nothing. Once the wait is cancelled, the next step ends the
         * open. */
        giq_await_begin(await->report, "Ctrl-C ends the wait but not a started job");
        while (giq_report_canceller(await->report) == NULL &&
               env.now_ms(env.ctx) < due_ms) {
            env.sleep_ms(env.ctx, due_ms - env.now_ms(env.ctx));
        }
    }
}

/* ---- waiting no longer than needed ---- */

bool giq_await_is_timeout_cached(void)
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
                    "another open of this program timed out or failed slowly less than a "
                    "minute ago, so this open checked only once: %s; open again in a "
                    "minute to wait",
                    reason.text);
}

void giq_await_end_timeout(bool was_limited, int timeout_ms, struct giq_error *err)
{
    if (was_limited) {
        (void)fail_checked_once(err);
    } else if (timeout_ms > 0) {
        cache_timeout(err);
    }
}

void giq_await_cache_slow_failure(bool was_limited, char **key, int64_t began_ms,
                                  const struct giq_error *err)
{
    bool may_be_cached = err->code != GIQ_E_CANCELLED && err->code != GIQ_E_TIMEOUT;
    if (may_be_cached && now_ms() - began_ms > SLOW_MS && !was_limited) {
        giq_negative_cache_add(key, err);
    }
}

/* ---- lists of the service ---- */

/* A call of the service that lists something. */
struct listing {
    struct giq_service *service;
    struct giq_report *report;
    const char *what; /* "models": in messages, and in the negative cache */
    bool (*get)(const struct listing *listing, struct giq_error *err);
    struct giq_models *models; /* the output of get_models() */
    const struct giq_files_query *query;
    const struct giq_files_host *host;
};

static bool get_models(const struct listing *listing, struct giq_error *err)
{
    giq_activity_begin(&listing->report->activity, GIQ_ACTIVITY_MODELS);
    return giq_models_get(listing->service, listing->models, err);
}

static bool search_files(const struct listing *listing, struct giq_error *err)
{
    return giq_files_search(listing->service, listing->query, listing->host, err);
}

static bool get_list(const struct listing *listing, struct giq_error *err)
{
    struct giq_report *report = listing->report;
    giq_await_begin(report, "Ctrl-C ends it");
    bool ok = listing->get(listing, err);
    const char *who = ok ? NULL : giq_report_canceller(report);
    if (who != NULL && giq_await_may_be_cancelled(err)) {
        (void)giq_fail(err, GIQ_E_CANCELLED,
                       "%s ended the open before the list of %s was received", who,
                       listing->what);
    }
    giq_interrupt_end(&report->interrupt);
    giq_progress_clear(&report->progress);
    return ok;
}

/* Get a list; `base_url` is the URL of the service, for the negative cache. */
static bool await_list(const struct listing *listing, const char *base_url,
                       struct giq_error *err)
{
    struct giq_error ignored;
    int64_t began_ms = now_ms();
    GIQ_AUTO_CSL char **key = CSLAddString(CSLAddString(NULL, listing->what), base_url);
    if (giq_negative_cache_find(key, &ignored)) {
        giq_service_limit_to_one_try(listing->service);
    }
    if (get_list(listing, err)) {
        return true;
    }
    giq_await_cache_slow_failure(giq_service_is_limited(listing->service), key, began_ms,
                                 err);
    return false;
}

bool giq_await_models(struct giq_service *service, const char *base_url,
                      struct giq_report *report, struct giq_models *out,
                      struct giq_error *err)
{
    const struct listing listing = {.service = service,
                                    .report = report,
                                    .what = "models",
                                    .get = get_models,
                                    .models = out};
    return await_list(&listing, base_url, err);
}

bool giq_await_files(struct giq_service *service, const char *base_url,
                     struct giq_report *report, const struct giq_files_query *query,
                     const struct giq_files_host *host, struct giq_error *err)
{
    const struct listing listing = {.service = service,
                                    .report = report,
                                    .what = "files",
                                    .get = search_files,
                                    .query = query,
                                    .host = host};
    return await_list(&listing, base_url, err);
}

/* ---- the job ---- */

/* The first open waits for up to its TIMEOUT. If that was too short, opens of the next
 * minute poll once, because a GIS that opens ten times would wait ten times as long. A
 * request that failed slowly within the last minute is first tried without retries; if
 * that works, the open waits normally. */
bool giq_await_job(const struct giq_await *await, struct giq_error *err)
{
    struct giq_error ignored;
    int64_t began_ms = now_ms();
    GIQ_AUTO_CSL char **key = key_of_request(await->job, await->config);
    if (giq_await_is_timeout_cached()) {
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
        giq_await_cache_slow_failure(giq_service_is_limited(await->service), key,
                                     began_ms, err);
    } else {
        giq_await_end_timeout(giq_service_is_limited(await->service),
                              await->config->settings.timeout_ms, err);
    }
    return false;
}
