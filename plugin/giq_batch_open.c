/* Opens a batch: rows, limits, the run, and the dataset or the table of jobs. */
#include "giq_batch_open.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <math.h>
#include <stdlib.h>

#include "giq/batch.h"
#include "giq/geom.h"
#include "giq_await.h"
#include "giq_batch_failures.h"
#include "giq_batch_vrt.h"
#include "giq_given.h"
#include "giq_negative_cache.h"
#include "giq_rows.h"
#include "giq_tables.h"
#include "options/giq_gdal_cleanup.h"
#include "options/giq_thread_options.h"
#include "result/giq_result_check.h"

enum { LINE_SIZE = 1000 };

struct opening {
    struct giq_session *session;
    const struct giq_job_request_args *args;
    bool waits;           /* until all results are published */
    bool polls_once;      /* an open has timed out within the last minute */
    bool tries_once;      /* this batch failed slowly within the last minute */
    char **local_options; /* of the caller's thread */
    struct giq_rows *rows;
    size_t count; /* of rows */
    struct giq_batch *batch;
    struct giq_batch_failures failures;
};

/* ---- functions of the host ---- */

/* What an inner driver reads from the configuration must be the same in all threads, and
 * only the caller's thread may raise errors of GDAL. */
static bool thread_begin(void *ctx, struct giq_error *err)
{
    const struct opening *opening = ctx;
    (void)err;
    CPLSetThreadLocalConfigOptions((const char *const *)opening->local_options);
    CPLPushErrorHandler(CPLQuietErrorHandler);
    return true;
}

static void thread_end(void *ctx)
{
    (void)ctx;
    CPLPopErrorHandler();
    CPLSetThreadLocalConfigOptions(NULL);
}

static bool accept_result(void *ctx, size_t row, struct giq_job *job, const char *path,
                          struct giq_error *err)
{
    const struct opening *opening = ctx;
    const struct giq_result result =
        giq_job_request_result(&opening->session->config, opening->args, job, path);
    (void)row;
    if (giq_result_accept(&result, job, err)) {
        return true;
    }
    if (err->code == GIQ_E_RESULT) {
        giq_await_cache_refusal(job, &opening->session->config, err);
    }
    return false;
}

static bool may_fetch(void *ctx, struct giq_job *job, struct giq_error *err)
{
    const struct opening *opening = ctx;
    return !giq_await_is_refusal_cached(job, &opening->session->config, err);
}

static bool may_start(void *ctx, struct giq_error *err)
{
    const struct opening *opening = ctx;
    return giq_thread_options_check(opening->session->config.unset_options, err);
}

static void report_progress(void *ctx, const struct giq_batch_counts *counts)
{
    struct opening *opening = ctx;
    char text[LINE_SIZE];
    size_t done = opening->waits ? counts->published : counts->checked;
    (void)snprintf(text, sizeof text, "%zu of %zu %s, %zu running, %zu failed", done,
                   counts->requests, opening->waits ? "published" : "checked",
                   counts->running, counts->failed);
    giq_progress_set(&opening->session->report.progress, text, "");
    giq_activity_begin(&opening->session->report.activity, GIQ_ACTIVITY_WAIT);
    giq_activity_set_batch(&opening->session->report.activity, text,
                           (double)done / (double)counts->requests);
}

/* ---- before the run ---- */

static bool make_batch(struct opening *opening, struct giq_error *err)
{
    struct giq_session *session = opening->session;
    const struct giq_config *config = &session->config;
    const struct giq_batch_args args = {
        .settings = &config->settings,
        .cred = config->cred,
        .env = &session->env,
        .store = session->store,
        .requests = giq_rows_requests(opening->rows),
        .count = opening->count,
        .flags = (config->may_submit ? 0u : GIQ_JOB_NO_SUBMIT) |
                 (opening->waits ? 0u : GIQ_JOB_NO_WAIT),
        .limits = config->limits,
        .concurrency = config->concurrency,
        .polls_once = opening->polls_once,
        .tries_once = opening->tries_once,
        .host = {.thread_begin = thread_begin,
                 .thread_end = thread_end,
                 .accept = accept_result,
                 .may_start = may_start,
                 .may_fetch = may_fetch,
                 .progress = report_progress,
                 .ctx = opening},
    };
    return giq_batch_new(&args, &opening->batch, err);
}

/* Collect the rows that have failed, or only those of them with GIQ_E_USAGE. */
static void find_failures(struct opening *opening, bool usage_only)
{
    struct giq_batch_row row;
    opening->failures = (struct giq_batch_failures){0};
    for (size_t i = 0; i < opening->count; i++) {
        giq_batch_get_row(opening->batch, i, &row);
        if (row.state == GIQ_BATCH_FAILED && (!usage_only || row.code == GIQ_E_USAGE)) {
            giq_batch_failures_add(&opening->failures, giq_rows_id(opening->rows, i),
                                   row.code, row.error);
        }
    }
}

/* Fail if rows are not valid, which is known before the run: no record has
 * GIQ_E_USAGE. */
static bool check_valid(struct opening *opening, struct giq_error *err)
{
    find_failures(opening, true);
    return opening->failures.count == 0 ||
           giq_batch_failures_invalid(&opening->failures, opening->count, err);
}

static bool check_new_jobs(const struct opening *opening, size_t new_jobs,
                           struct giq_error *err)
{
    int limit = opening->session->config.max_new_jobs;
    return new_jobs <= (size_t)limit ||
           giq_fail(err, GIQ_E_USAGE,
                    "the batch would start %zu jobs, and MAX_NEW_JOBS allows %d; take a "
                    "part of the rows (part=<k>/<n>), or raise MAX_NEW_JOBS (where "
                    "GIQ_MAX_NEW_JOBS is set, it is the upper limit)",
                    new_jobs, limit);
}

static bool check_limits(const struct opening *opening, size_t new_jobs,
                         struct giq_error *err)
{
    return check_new_jobs(opening, new_jobs, err) &&
           giq_batch_check_limits(opening->batch, err);
}

/* ---- the dry run ---- */

/* What a run would be charged for. */
struct bill {
    size_t jobs;
    size_t refused;     /* of other jobs, by GIQ_MAX_AREA */
    size_t without_km2; /* jobs whose area is not known */
    double km2;         /* of the others */
};

static void add_to_bill(const struct opening *opening, size_t index, struct bill *bill)
{
    struct giq_batch_row row;
    const struct giq_request *request = &giq_rows_requests(opening->rows)[index];
    struct giq_error ignored = {0};
    double km2 = 0;
    giq_batch_get_row(opening->batch, index, &row);
    if (!row.needs_job || row.first != index) {
        return;
    }
    if (row.state == GIQ_BATCH_FAILED && row.code == GIQ_E_USAGE) {
        bill->refused++;
        return;
    }
    bill->jobs++;
    if (request->area != NULL && request->geometry_crs == NULL &&
        giq_geom_area_km2(request->area, &km2, &ignored)) {
        bill->km2 += km2;
    } else {
        bill->without_km2++;
    }
}

/* Sum up on stderr what a run would pay for, and a limit that forbids it. */
static void print_bill(struct opening *opening)
{
    struct bill bill = {0};
    struct giq_batch_counts counts;
    struct giq_error limit = {0};
    char line[LINE_SIZE + GIQ_ERROR_TEXT_SIZE];
    char without[100] = "";
    char refused[100] = "";
    giq_batch_get_counts(opening->batch, &counts);
    for (size_t i = 0; i < opening->count; i++) {
        add_to_bill(opening, i, &bill);
    }
    bool is_allowed = check_limits(opening, counts.new_jobs, &limit);
    if (bill.without_km2 > 0) {
        (void)snprintf(without, sizeof without, " (without %zu of unknown area)",
                       bill.without_km2);
    }
    if (bill.refused > 0) {
        (void)snprintf(refused, sizeof refused, ", %zu refused by GIQ_MAX_AREA",
                       bill.refused);
    }
    (void)CPLsnprintf(
        line, sizeof line, "dry run: %zu jobs to be paid, %.3f km2%s; %zu exist%s%s%s",
        bill.jobs, bill.km2, without, counts.requests - counts.new_jobs, refused,
        is_allowed ? "" : "; a limit forbids this: ", is_allowed ? "" : limit.text);
    giq_progress_print_line(&opening->session->report.progress, line);
}

/* ---- the run ---- */

/* Refuse everything that can be refused before the first run request, choose the models,
 * and print how many jobs will start. */
static bool prepare_new_jobs(struct opening *opening, struct giq_error *err)
{
    struct giq_batch_counts counts;
    size_t invalid = 0;
    giq_batch_get_counts(opening->batch, &counts);
    if (!check_valid(opening, err) || !check_limits(opening, counts.new_jobs, err) ||
        !giq_batch_choose_models(opening->batch, &invalid, err) ||
        !check_valid(opening, err)) {
        return false;
    }
    if (counts.new_jobs > 0) {
        char line[LINE_SIZE];
        (void)snprintf(line, sizeof line, "starting %zu jobs, %zu exist", counts.new_jobs,
                       counts.requests - counts.new_jobs);
        giq_progress_print_line(&opening->session->report.progress, line);
    }
    return true;
}

/* FETCH=NO: nothing is sent unless all that can be read is published already. */
static bool check_may_fetch(const struct opening *opening, struct giq_error *err)
{
    struct giq_batch_counts counts;
    giq_batch_get_counts(opening->batch, &counts);
    if (!opening->waits || opening->session->config.may_fetch || counts.pending == 0) {
        return true;
    }
    return giq_fail(err, GIQ_E_USAGE,
                    "%zu of %zu jobs of the batch are not in the store, and GIQ_FETCH=NO "
                    "neither waits nor downloads; open it without GIQ_FETCH=NO, which "
                    "starts %zu new jobs that are paid for, or with wait=no and "
                    "SUBMIT=NO for the state of its jobs",
                    counts.pending, counts.requests, counts.new_jobs);
}

static bool run(struct opening *opening, struct giq_error *err)
{
    const struct giq_config *config = &opening->session->config;
    bool is_dry = !config->may_submit && !opening->waits;
    if (!check_may_fetch(opening, err)) {
        return false;
    }
    if (is_dry) {
        print_bill(opening);
    }
    if (config->may_submit && !prepare_new_jobs(opening, err)) {
        return false;
    }
    return giq_batch_run(opening->batch, err);
}

/* Run the batch; Ctrl-C or the cancel file ends it. */
static bool run_until_cancelled(struct opening *opening, struct giq_error *err)
{
    struct giq_report *report = &opening->session->report;
    giq_await_begin(report, "Ctrl-C ends the wait, started jobs continue");
    bool ok = make_batch(opening, err) && run(opening, err);
    const char *who = ok ? NULL : giq_report_canceller(report);
    if (who != NULL && giq_await_may_be_cancelled(err)) {
        (void)giq_fail(err, GIQ_E_CANCELLED,
                       "%s ended the open of the batch; jobs that were started continue, "
                       "and opening it again resumes the wait",
                       who);
    }
    giq_interrupt_end(&report->interrupt);
    giq_progress_clear(&report->progress);
    return ok;
}

/* ---- how it ended ---- */

static struct giq_batch_end find_end(const struct opening *opening)
{
    struct giq_batch_end end = {.rows = opening->count,
                                .stop = giq_batch_get_stop(opening->batch)};
    struct giq_batch_row row;
    for (size_t i = 0; i < opening->count; i++) {
        giq_batch_get_row(opening->batch, i, &row);
        end.pending += row.state == GIQ_BATCH_PENDING ? 1 : 0;
    }
    end.may_skip = opening->waits && end.pending == 0;
    return end;
}

static void warn(const struct opening *opening, const struct giq_batch_end *end)
{
    char text[GIQ_BATCH_WARNING_SIZE];
    const struct giq_env *env = &opening->session->env;
    giq_batch_failures_warning(&opening->failures, end, !opening->waits, text);
    env->warn(env->ctx, text);
}

/* The error of rows that are not read. */
static bool fail(const struct opening *opening, const struct giq_batch_end *end,
                 struct giq_error *err)
{
    (void)giq_batch_failures_fail(&opening->failures, end, err);
    if (err->code == GIQ_E_TIMEOUT) {
        giq_await_end_timeout(opening->polls_once || opening->tries_once,
                              opening->session->config.settings.timeout_ms, err);
    }
    return false;
}

/* Whether the rows that have not failed may be read: rows that are not finished, or were
 * not begun, are not left out. */
static bool check_end(const struct opening *opening, const struct giq_batch_end *end,
                      struct giq_error *err)
{
    const struct giq_batch_failures *failures = &opening->failures;
    bool skips = opening->session->config.on_failed == GIQ_ON_FAILED_SKIP;
    bool is_whole = end->pending == 0 && failures->by_code[GIQ_E_TIMEOUT] == 0 &&
                    failures->by_code[GIQ_E_CREDENTIALS] == 0;
    if (is_whole && (failures->count == 0 || (skips && failures->count < end->rows))) {
        return true;
    }
    return fail(opening, end, err);
}

/* ---- the table of jobs ---- */

static bool add_table_row(struct opening *opening, OGRLayerH layer, size_t row,
                          struct giq_error *err)
{
    struct giq_job_view view;
    char *location = NULL;
    if (!giq_batch_view(opening->batch, row, &view, err) ||
        !giq_rows_location(opening->rows, row, view.job_id, &location, err)) {
        return false;
    }
    bool ok = giq_tables_add_to_batch(layer, giq_rows_id(opening->rows, row), location,
                                      &view, err);
    free(location);
    return ok;
}

/* Refused credentials are an error of the open; other errors stand in the rows of the
 * table. */
static bool check_table_end(struct opening *opening, struct giq_error *err)
{
    find_failures(opening, false);
    const struct giq_batch_end end = find_end(opening);
    bool is_refused = opening->failures.by_code[GIQ_E_CREDENTIALS] > 0 ||
                      (end.stop != NULL && end.stop->code == GIQ_E_CREDENTIALS);
    if (is_refused) {
        return fail(opening, &end, err);
    }
    if (opening->session->config.may_submit && opening->failures.count > 0) {
        warn(opening, &end);
    }
    return true;
}

static bool open_table(struct opening *opening, GDALDatasetH *out, struct giq_error *err)
{
    OGRLayerH layer = NULL;
    if (opening->batch != NULL && !check_table_end(opening, err)) {
        return false;
    }
    GIQ_AUTO_DATASET GDALDatasetH dataset = giq_tables_batch(&layer, err);
    if (dataset == NULL) {
        return false;
    }
    for (size_t i = 0; i < opening->count; i++) {
        if (!add_table_row(opening, layer, i, err)) {
            return false;
        }
    }
    *out = dataset;
    dataset = NULL;
    return true;
}

/* ---- the results ---- */

/* Free the strings of the rows. Must be called after giq_batch_vrt_free(), since the
 * giq_batch_vrt borrows them. */
static void free_locations(char **locations, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(locations[i]);
    }
    CPLFree(locations);
}

/* Add the result of a published row; one that cannot be part of the dataset counts as
 * failed. Errors: those that end the open. */
static bool add_result(struct opening *opening, struct giq_batch_vrt *vrt, size_t index,
                       const struct giq_batch_row *published, char **location,
                       struct giq_error *err)
{
    struct giq_error failure = {0};
    const char *id = giq_rows_id(opening->rows, index);
    if (!giq_rows_location(opening->rows, index, published->job_id, location, err)) {
        return false;
    }
    /* A published result has a path, unless memory ran out. */
    if (published->result_path == NULL) {
        return giq_fail_memory(err);
    }
    if (*location == NULL) {
        giq_batch_failures_add(&opening->failures, id, GIQ_E_USAGE,
                               "no dataset name can express its request or its job");
        return true;
    }
    const struct giq_batch_vrt_row row = {.id = id,
                                          .name = *location,
                                          .key = published->key,
                                          .job_id = published->job_id,
                                          .result_path = published->result_path};
    if (giq_batch_vrt_add(vrt, &row, &failure)) {
        return true;
    }
    if (failure.code == GIQ_E_MEMORY) {
        *err = failure;
        return false;
    }
    giq_batch_failures_add(&opening->failures, id, failure.code, failure.text);
    return true;
}

/* Add all rows in order, those that failed to `failures`. */
static bool add_results(struct opening *opening, struct giq_batch_vrt *vrt,
                        char **locations, struct giq_error *err)
{
    struct giq_batch_row row;
    opening->failures = (struct giq_batch_failures){0};
    for (size_t i = 0; i < opening->count; i++) {
        giq_batch_get_row(opening->batch, i, &row);
        if (row.state == GIQ_BATCH_FAILED) {
            giq_batch_failures_add(&opening->failures, giq_rows_id(opening->rows, i),
                                   row.code, row.error);
        } else if (row.state == GIQ_BATCH_PUBLISHED &&
                   !add_result(opening, vrt, i, &row, &locations[i], err)) {
            return false;
        }
    }
    return true;
}

static bool open_added(struct opening *opening, struct giq_batch_vrt *vrt,
                       char **locations, GDALDatasetH *out, struct giq_error *err)
{
    if (!add_results(opening, vrt, locations, err)) {
        return false;
    }
    const struct giq_batch_end end = find_end(opening);
    if (!check_end(opening, &end, err) || !giq_batch_vrt_open(vrt, out, err)) {
        return false;
    }
    if (opening->failures.count > 0) {
        warn(opening, &end);
    }
    return true;
}

static bool open_results(struct opening *opening, GDALDatasetH *out,
                         struct giq_error *err)
{
    struct giq_session *session = opening->session;
    const struct giq_batch_vrt_args args = {
        .config = &session->config,
        .store = session->store,
        .member = opening->args->conn->value[GIQ_CONN_KEY_MEMBER],
        .name = opening->args->name,
        .flags = opening->args->flags,
    };
    struct giq_batch_vrt *vrt = NULL;
    if (!giq_batch_vrt_new(&args, &vrt, err)) {
        return false;
    }
    char **locations = CPLCalloc(opening->count, sizeof *locations);
    bool ok = open_added(opening, vrt, locations, out, err);
    giq_batch_vrt_free(vrt);
    free_locations(locations, opening->count);
    return ok;
}

/* ---- the open ---- */

static bool open_rows(struct opening *opening, GDALDatasetH *out, struct giq_error *err)
{
    opening->count = giq_rows_count(opening->rows);
    if (opening->count == 0 && opening->waits) {
        return giq_fail(err, GIQ_E_BATCH,
                        "the batch has no rows, so nothing can be read; check the layer "
                        "and \"part\"");
    }
    if (opening->count > 0 && !run_until_cancelled(opening, err)) {
        return false;
    }
    return opening->waits ? open_results(opening, out, err)
                          : open_table(opening, out, err);
}

/* Opens of the next minute after a slow failure try each call only once. */
static bool open_or_cache_failure(struct opening *opening, GDALDatasetH *out,
                                  struct giq_error *err)
{
    const struct giq_session *session = opening->session;
    const struct giq_env *env = &session->env;
    int64_t began_ms = env->now_ms(env->ctx);
    struct giq_error ignored;
    GIQ_AUTO_CSL char **key =
        CSLAddString(CSLDuplicate(session->config.result_drivers), opening->args->name);
    key = CSLAddString(key, session->config.store_dir);
    opening->polls_once = giq_await_is_timeout_cached();
    opening->tries_once = giq_negative_cache_find(key, &ignored);
    if (open_rows(opening, out, err)) {
        return true;
    }
    giq_await_cache_slow_failure(opening->polls_once || opening->tries_once, key,
                                 began_ms, err);
    return false;
}

bool giq_batch_open(struct giq_session *session, const struct giq_job_request_args *args,
                    GDALDatasetH *out, struct giq_error *err)
{
    struct opening opening = {.session = session, .args = args};
    if (!giq_given_read_wait(args->conn, &session->config, args->flags, &opening.waits,
                             err) ||
        !giq_session_open_store(session, err) ||
        !giq_rows_read(session, args->conn, &opening.rows, err)) {
        return false;
    }
    opening.local_options = CPLGetThreadLocalConfigOptions();
    bool ok = open_or_cache_failure(&opening, out, err);
    CSLDestroy(opening.local_options);
    giq_batch_free(opening.batch);
    giq_rows_free(opening.rows);
    return ok;
}
