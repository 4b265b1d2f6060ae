/*
 * Runs the steps of a job, or gets a list of the service, with the pauses in between.
 * Ctrl-C or the cancel file ends the wait, and the negative cache shortens it. For the
 * thread of the session.
 */
#ifndef GIQ_AWAIT_H
#define GIQ_AWAIT_H

#include "giq_report.h"
#include "options/giq_config.h"

/* The arguments of giq_await_job(); all borrowed. */
struct giq_await {
    struct giq_service *service;
    struct giq_job *job;
    const struct giq_config *config;
    struct giq_report *report; /* the service's giq_env was made from it */
    /* False if the job was made with GIQ_JOB_NO_WAIT: refused results are not looked up
     * in the negative cache. */
    bool waits_for_result;
};

/* Run the steps of the job until it is done. Errors: those of giq_job_step(),
 * GIQ_E_CANCELLED. */
bool giq_await_job(const struct giq_await *await, struct giq_error *err);

/* Get the list of models as giq_models_get() does; the caller passes `*out` to
 * giq_models_release(). `base_url` is the URL of `service`, for the negative cache; the
 * giq_env of `service` was made from `report`. Errors: those of giq_models_get(),
 * GIQ_E_CANCELLED. */
bool giq_await_models(struct giq_service *service, const char *base_url,
                      struct giq_report *report, struct giq_models *out,
                      struct giq_error *err);

/* Search for files as giq_files_search() does; otherwise as giq_await_models(). Errors:
 * those of giq_files_search(), GIQ_E_CANCELLED. */
bool giq_await_files(struct giq_service *service, const char *base_url,
                     struct giq_report *report, const struct giq_files_query *query,
                     const struct giq_files_host *host, struct giq_error *err);

/* ---- what a batch shares with a job alone ---- */

/* Let Ctrl-C end the wait, until giq_interrupt_end(); the status line then shows `hint`,
 * which is borrowed. */
void giq_await_begin(struct giq_report *report, const char *hint);

/* Whether the error can be a consequence of cancelling, which cuts short a call or its
 * retries. */
bool giq_await_may_be_cancelled(const struct giq_error *err);

/* Whether the result of the job, which has succeeded, was refused within the last minute:
 * it is then refused again without a download, with the same error in `*err`. This
 * function and the next one may be called in any thread. */
bool giq_await_is_refusal_cached(struct giq_job *job, const struct giq_config *config,
                                 struct giq_error *err);

/* Add the error of a result that was refused to the negative cache. */
void giq_await_cache_refusal(struct giq_job *job, const struct giq_config *config,
                             const struct giq_error *err);

/* Add a failure to the negative cache under `key`, a GDAL string list, if it came more
 * than two seconds after `began_ms` on the monotonic clock. Does nothing if the open was
 * cancelled, timed out, or was limited to one try or one poll. */
void giq_await_cache_slow_failure(bool was_limited, char **key, int64_t began_ms,
                                  const struct giq_error *err);

/* Whether some open has timed out within the last minute: others then check once. */
bool giq_await_is_timeout_cached(void);

/* Handle GIQ_E_TIMEOUT at the end of an open: add it to the negative cache, or, if the
 * open checked only once because of that cache, state this in `err`. `timeout_ms` is the
 * limit of the settings. */
void giq_await_end_timeout(bool was_limited, int timeout_ms, struct giq_error *err);

#endif
