/* Reads and checks one request, runs its job, and opens the result. */
#include "giq_job_request.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <stdlib.h>
#include <string.h>

#include "giq/geom.h"
#include "giq/summary.h"
#include "giq_await.h"
#include "giq_given.h"
#include "giq_tables.h"
#include "giq_upload_file.h"
#include "options/giq_thread_options.h"
#include "result/giq_result_check.h"
#include "result/giq_result_open.h"

struct giq_job_request {
    struct giq_session *session;
    struct giq_job_request_args args;
    bool waits;                   /* until the result is published */
    char *area;                   /* normalised, or NULL */
    struct giq_upload_file *file; /* to upload, or NULL */
    struct giq_upload upload;     /* what `file` holds */
    struct giq_job *job;
};

static const char *conn_value(const struct giq_job_request *request,
                              enum giq_conn_key key)
{
    return request->args.conn->value[key];
}

/* ---- reading the request ---- */

static bool read_area(struct giq_job_request *request, struct giq_error *err)
{
    struct giq_session *session = request->session;
    struct giq_given_area area;
    if (!giq_given_find_area(request->args.conn, &session->config, &area, err)) {
        return false;
    }
    if (area.text == NULL) {
        return true;
    }
    if (request->args.conn->kind == GIQ_CONN_JOB) {
        return giq_fail(err, GIQ_E_USAGE,
                        "\"job\" names an existing job and cannot be combined with an "
                        "area; omit the area");
    }
    return giq_given_read_area(session, &area, session->config.geom_flags, &request->area,
                               err);
}

static bool read_upload(struct giq_job_request *request, struct giq_error *err)
{
    const char *typed = conn_value(request, GIQ_CONN_KEY_UPLOAD);
    if (typed == NULL) {
        return true;
    }
    /* As in giq_given_read_area(): a Ctrl-C while the file is read must prevent the run
     * request. */
    (void)giq_interrupt_begin(&request->session->report.interrupt);
    return giq_upload_file_new(typed, &request->file, err);
}

static bool identify_upload(struct giq_job_request *request, struct giq_error *err)
{
    const struct giq_session *session = request->session;
    if (request->file == NULL) {
        return true;
    }
    return giq_upload_identify(session->store, giq_upload_file_source(request->file),
                               session->config.source_type, &session->env,
                               &request->upload, err);
}

/* ---- the job ---- */

struct giq_result giq_job_request_result(const struct giq_config *config,
                                         const struct giq_job_request_args *args,
                                         struct giq_job *job, const char *new_path)
{
    struct giq_job_view view;
    giq_job_get_view(job, &view);
    return (struct giq_result){
        .path = new_path == NULL ? view.result_path : new_path,
        .job_id = view.job_id == NULL ? "?" : view.job_id,
        .is_new = new_path != NULL,
        .proof = new_path != NULL ? NULL : giq_job_get_proof(job),
        .member = args->conn->value[GIQ_CONN_KEY_MEMBER],
        .shared_name = args->name,
        .drivers = config->result_drivers,
        .options = config->result_options,
        .flags = args->flags,
    };
}

static struct giq_result result_of(const struct giq_job_request *request,
                                   const char *new_path)
{
    return giq_job_request_result(&request->session->config, &request->args, request->job,
                                  new_path);
}

static bool accept_result(void *ctx, const char *path, struct giq_error *err)
{
    struct giq_job_request *request = ctx;
    const struct giq_result result = result_of(request, path);
    return giq_result_accept(&result, request->job, err);
}

static void report_progress(void *ctx, const char *text, const char *detail)
{
    struct giq_job_request *request = ctx;
    struct giq_job_view view;
    giq_progress_set(&request->session->report.progress, text, detail);
    giq_job_get_view(request->job, &view);
    giq_activity_set_job(&request->session->report.activity, &view);
}

static bool may_start(void *ctx, struct giq_error *err)
{
    const struct giq_job_request *request = ctx;
    return giq_thread_options_check(request->session->config.unset_options, err);
}

static bool make_job(struct giq_job_request *request, struct giq_error *err)
{
    const struct giq_session *session = request->session;
    const struct giq_config *config = &session->config;
    const char *job_id = conn_value(request, GIQ_CONN_KEY_JOB);
    bool is_as_is = (config->geom_flags & GIQ_GEOM_AS_IS) != 0;
    const struct giq_request job_request = {
        .model = conn_value(request, GIQ_CONN_KEY_MODEL),
        .file = conn_value(request, GIQ_CONN_KEY_FILE),
        .upload = request->file == NULL ? NULL : &request->upload,
        .area = request->area,
        .rerun = conn_value(request, GIQ_CONN_KEY_RERUN),
        .job = job_id,
        /* A request that names a job must not start another one. */
        .retry = job_id == NULL ? config->retry : NULL,
        .geometry_crs = request->area != NULL && is_as_is ? "AS_IS" : NULL,
    };
    const struct giq_job_host host = {
        .accept = accept_result,
        .progress = report_progress,
        .may_start = may_start,
        .ctx = request,
        .limits = config->limits,
    };
    unsigned flags = (config->may_submit ? 0u : GIQ_JOB_NO_SUBMIT) |
                     (request->waits ? 0u : GIQ_JOB_NO_WAIT) |
                     (config->may_fetch ? 0u : GIQ_JOB_NO_FETCH);
    return giq_job_new(session->service, session->store, &job_request, flags, &host,
                       &request->job, err);
}

/* ---- the request ---- */

bool giq_job_request_new(struct giq_session *session,
                         const struct giq_job_request_args *args,
                         struct giq_job_request **out, struct giq_error *err)
{
    struct giq_job_request *request = CPLCalloc(1, sizeof *request);
    request->session = session;
    request->args = *args;
    if (!giq_given_read_wait(args->conn, &session->config, args->flags, &request->waits,
                             err) ||
        !read_area(request, err) || !read_upload(request, err) ||
        !giq_session_open_store(session, err) || !identify_upload(request, err) ||
        !make_job(request, err)) {
        giq_job_request_free(request);
        return false;
    }
    *out = request;
    return true;
}

void giq_job_request_free(struct giq_job_request *request)
{
    if (request != NULL) {
        giq_job_free(request->job);
        giq_upload_file_free(request->file);
        free(request->area);
        CPLFree(request);
    }
}

bool giq_job_request_run(struct giq_job_request *request, struct giq_error *err)
{
    struct giq_session *session = request->session;
    const struct giq_await await = {
        .service = session->service,
        .job = request->job,
        .config = &session->config,
        .report = &session->report,
        .waits_for_result = request->waits,
    };
    bool ok = giq_await_job(&await, err);
    giq_progress_clear(&session->report.progress);
    return ok;
}

bool giq_job_request_open(struct giq_job_request *request, GDALDatasetH *out,
                          struct giq_error *err)
{
    if (!request->waits) {
        struct giq_job_view view;
        giq_job_get_view(request->job, &view);
        return giq_tables_job(&view, out, err);
    }
    const struct giq_result result = result_of(request, NULL);
    /* A published result has a path, unless memory ran out. */
    if (result.path == NULL) {
        return giq_fail_memory(err);
    }
    return giq_result_open(&result, out, err);
}
