/*
 * One request of a session: a connection string for a request or for an existing job,
 * with its area, the file to upload, the job and its result.
 *
 * Usage: giq_job_request_new() finds every mistake that can be found without the
 * service; giq_job_request_run() submits the job or resumes it, and waits;
 * giq_job_request_open() makes the dataset; giq_job_request_free() on every path.
 */
#ifndef GIQ_JOB_REQUEST_H
#define GIQ_JOB_REQUEST_H

#include <gdal.h>

#include "giq_session.h"
#include "result/giq_result.h"

struct giq_job_request;

/* The arguments of the open; borrowed. */
struct giq_job_request_args {
    const struct giq_conn *conn; /* of a request or a job; of a batch for its results */
    const char *name;            /* the whole string */
    unsigned flags;              /* GDAL_OF_... */
};

/*
 * Read and check the request, and open the session's store. Sends nothing. `session` and
 * what `args` points to are borrowed for the life of `*out`. On success the caller passes
 * `*out` to giq_job_request_free(). Errors: GIQ_E_USAGE, those of giq_area_read(),
 * giq_session_open_store(), giq_upload_identify() and giq_job_new(). For the thread of
 * the session, as all functions below.
 */
bool giq_job_request_new(struct giq_session *session,
                         const struct giq_job_request_args *args,
                         struct giq_job_request **out, struct giq_error *err);
void giq_job_request_free(struct giq_job_request *request); /* NULL is allowed */

/* Submit or resume the job and wait until its result is published; with wait=no, submit
 * it or check it once. Errors: those of giq_await_job(). */
bool giq_job_request_run(struct giq_job_request *request, struct giq_error *err);

/* Open the result, or with wait=no make the table `job`. To be called after
 * giq_job_request_run() has succeeded. The caller owns `*out`. Errors: those of
 * giq_result_open() and giq_tables_job(). */
bool giq_job_request_open(struct giq_job_request *request, GDALDatasetH *out,
                          struct giq_error *err);

/* The downloaded result of `job` at `new_path`, or the published one if that is NULL. Its
 * texts are borrowed until the next view or step of the job. `job` is of the thread;
 * `config` and `args` may be read by several threads. */
struct giq_result giq_job_request_result(const struct giq_config *config,
                                         const struct giq_job_request_args *args,
                                         struct giq_job *job, const char *new_path);

#endif
