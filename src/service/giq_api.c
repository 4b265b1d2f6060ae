/*
 * The run request, which is paid for and sent once, and the status call.
 */
#include "service/giq_api.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_env.h"
#include "base/giq_json.h"
#include "base/giq_text.h"
#include "net/giq_url.h"
#include "service/giq_call.h"

enum {
    RUN_TIMEOUT_MIN_MS = 300 * 1000, /* the response can be received only once */
};

/* ---- a job as the service describes it ---- */

enum giq_api_state giq_api_state_of(const char *status, bool *out_known)
{
    static const struct {
        enum giq_api_state state;
        const char *word;
    } words[] = {
        {GIQ_API_SUCCEEDED, "DONE"},       {GIQ_API_SUCCEEDED, "COMPLETED"},
        {GIQ_API_SUCCEEDED, "COMPLETE"},   {GIQ_API_SUCCEEDED, "SUCCEEDED"},
        {GIQ_API_SUCCEEDED, "SUCCESSFUL"}, {GIQ_API_SUCCEEDED, "SUCCESS"},
        {GIQ_API_SUCCEEDED, "FINISHED"},   {GIQ_API_FAILED, "FAILED"},
        {GIQ_API_FAILED, "FAILURE"},       {GIQ_API_FAILED, "ERROR"},
        {GIQ_API_FAILED, "CANCELLED"},     {GIQ_API_FAILED, "CANCELED"},
        {GIQ_API_FAILED, "ABORTED"},       {GIQ_API_FAILED, "REJECTED"},
        {GIQ_API_FAILED, "EXPIRED"},       {GIQ_API_FAILED, "TIMED_OUT"},
        {GIQ_API_FAILED, "KILLED"},        {GIQ_API_FAILED, "DENIED"},
        {GIQ_API_RUNNING, "SUBMITTED"},    {GIQ_API_RUNNING, "PENDING"},
        {GIQ_API_RUNNING, "QUEUED"},       {GIQ_API_RUNNING, "RUNNING"},
        {GIQ_API_RUNNING, "STARTED"},      {GIQ_API_RUNNING, "PROCESSING"},
        {GIQ_API_RUNNING, "IN_PROGRESS"},  {GIQ_API_RUNNING, "REQUESTED"},
        {GIQ_API_RUNNING, "APPROVED"},     {GIQ_API_RUNNING, "SCHEDULED"},
        {GIQ_API_RUNNING, "INGESTING"},
    };
    for (size_t i = 0; status != NULL && i < GIQ_COUNT(words); i++) {
        if (giq_text_equal_nocase(status, words[i].word)) {
            *out_known = true;
            return words[i].state;
        }
    }
    *out_known = false;
    return GIQ_API_RUNNING;
}

bool giq_api_awaits_approval(const char *status)
{
    return status != NULL && giq_text_equal_nocase(status, "REQUESTED");
}

void giq_api_job_release(struct giq_api_job *job)
{
    free(job->id);
    free(job->status);
    free(job->type);
    free(job->message);
    *job = (struct giq_api_job){.started_ms = GIQ_TIME_NONE};
}

/* False if the response is not a JSON object, or when out of memory. Any member may be
 * missing, also because memory ran out. */
static bool parse_job(const struct giq_service *service,
                      const struct giq_response *response, struct giq_api_job *out)
{
    GIQ_AUTO_JSON struct giq_json *json =
        giq_json_parse(response->body.data, response->body.len);
    const struct giq_json *object = giq_call_unwrap(json);
    if (!giq_json_is_object(object)) {
        return false;
    }
    *out = (struct giq_api_job){
        .id = giq_json_id(giq_json_get(object, "id")),
        .status = giq_call_masked_text(service, giq_json_get(object, "status")),
        .type = giq_call_masked_text(service, giq_json_get(object, "type")),
        .message = giq_call_masked_text(service, giq_call_message(object)),
        .started_ms = giq_json_time(giq_json_get(object, "startedAt")),
    };
    return true;
}

/* ---- run ---- */

/* Fill `*job` from a 2xx whose body is complete JSON with an id: a job was started, even
 * if the transfer ended badly. Otherwise false, and `*job` is unchanged. */
static bool parse_started_job(const struct giq_service *service,
                              const struct giq_response *response,
                              struct giq_api_job *job)
{
    struct giq_api_job parsed = {.started_ms = GIQ_TIME_NONE};
    if (response->status < 200 || response->status >= 300 ||
        !parse_job(service, response, &parsed)) {
        return false;
    }
    if (parsed.id == NULL) {
        giq_api_job_release(&parsed);
        return false;
    }
    *job = parsed;
    return true;
}

/* The body is not quoted: it may be of a login page, with a secret, and the error is
 * recorded. */
static enum giq_api_run_outcome fail_without_id(const struct giq_response *response,
                                                struct giq_error *err)
{
    (void)giq_fail(err, GIQ_E_UNKNOWN, "HTTP %d without a valid job id",
                   response->status);
    return GIQ_API_RUN_UNKNOWN;
}

static enum giq_api_run_outcome
evaluate_run(struct giq_service *service, const struct giq_response *response,
             struct giq_api_job *job, int64_t *retry_after_ms, struct giq_error *err)
{
    int status = response->status;
    if (parse_started_job(service, response, job)) {
        return GIQ_API_RUN_SUBMITTED;
    }
    if (status >= 200 && status < 300) {
        return fail_without_id(response, err);
    }
    /* Not 503 with Retry-After: caches and gateways send it after the service has
     * accepted the request. */
    if (status == 429) {
        (void)giq_call_fail_status(
            service, response, GIQ_E_REFUSED,
            "no job was started: the service does not accept jobs now", err);
        *retry_after_ms = response->retry_after_ms;
        return GIQ_API_RUN_THROTTLED;
    }
    /* Not 408 and 409: they may be sent after the service has accepted the request. */
    bool is_refused = status >= 400 && status < 500 && status != 408 && status != 409;
    /* Not 303: it may be sent after the service has accepted the request. */
    bool is_redirected = status == 301 || status == 302;
    if (is_redirected) {
        (void)giq_call_fail_status(
            service, response, GIQ_E_NETWORK,
            "no job was started: the service redirects the request in a way that the "
            "driver does not follow",
            err);
        return GIQ_API_RUN_NO_JOB;
    }
    if (is_refused) {
        (void)giq_call_fail_status(
            service, response, GIQ_E_REFUSED,
            status == 407 ? "no job was started: the request did not reach the service"
                          : "no job was started: the service refused the request",
            err);
        return GIQ_API_RUN_NO_JOB;
    }
    (void)giq_call_fail_status(service, response, GIQ_E_UNKNOWN,
                               "the service did not confirm the job", err);
    return GIQ_API_RUN_UNKNOWN;
}

/* A redirect that was not followed: no job was started. */
static bool is_refused_redirect(const struct giq_response *response)
{
    int status = response->status;
    return response->location != NULL &&
           (status == 301 || status == 302 || status == 307 || status == 308);
}

enum giq_api_run_outcome giq_api_run(struct giq_service *service,
                                     const struct giq_request *request,
                                     const struct giq_api_run_hooks *hooks,
                                     struct giq_api_job *job, int64_t *retry_after_ms,
                                     struct giq_error *err)
{
    *retry_after_ms = -1;
    assert(request->model != NULL && request->file != NULL);
    /* Checked in a release too: a run request is paid for. */
    if (request->model == NULL || request->file == NULL) {
        (void)giq_fail(err, GIQ_E_USAGE, "a run request needs a model and a file");
        return GIQ_API_RUN_NO_JOB;
    }
    GIQ_AUTO_FREE char *url =
        giq_url_make(service->settings.base_url, "inference/run", NULL, NULL);
    if (url == NULL) {
        (void)giq_fail_memory(err);
        return GIQ_API_RUN_NO_JOB;
    }
    const struct giq_multipart_field fields[] = {
        {.name = "modelId", .value = request->model},
        {.name = "fileId", .value = request->file},
        {.name = "geometry", .value = request->area},
    };
    /* Without an area the last field is not sent. */
    size_t field_count =
        request->area == NULL ? GIQ_COUNT(fields) - 1 : GIQ_COUNT(fields);
    int64_t left_ms = giq_env_left_ms(service->env, service->deadline_ms);
    left_ms = left_ms < RUN_TIMEOUT_MIN_MS ? RUN_TIMEOUT_MIN_MS : left_ms;
    const struct giq_http_request post = {
        .url = url,
        .accept = "application/json",
        .fields = fields,
        .field_count = field_count,
        .timeout_ms = service->settings.connect_timeout_ms + left_ms,
        .fresh_connection = true,
        .before_send = hooks->before_send,
        .tick = hooks->tick,
        .ctx = hooks->ctx,
    };
    struct giq_response response;
    enum giq_api_run_outcome outcome = GIQ_API_RUN_NO_JOB;
    if (giq_call_once(service, &post, &response, err)) {
        outcome = evaluate_run(service, &response, job, retry_after_ms, err);
    } else if (parse_started_job(service, &response, job)) {
        *err = (struct giq_error){0};
        outcome = GIQ_API_RUN_SUBMITTED;
    } else if (response.sent && !is_refused_redirect(&response)) {
        outcome = GIQ_API_RUN_UNKNOWN;
    }
    giq_response_release(&response);
    return outcome;
}

/* ---- status ---- */

static const char status_call[] = "getting the status of the job";

/* Whether a response does not describe a job. A failed job is recorded as final, so a
 * failure must have the job's id: without one the status may describe the call. */
static bool describes_no_job(const struct giq_api_job *parsed)
{
    bool is_known = false;
    return parsed->id == NULL &&
           (parsed->status == NULL ||
            giq_api_state_of(parsed->status, &is_known) == GIQ_API_FAILED);
}

static enum giq_api_status_outcome fail_mismatch(struct giq_service *service,
                                                 const struct giq_api_job *parsed,
                                                 struct giq_error *err)
{
    struct giq_printable printable;
    if (parsed->id != NULL) {
        (void)giq_fail(err, GIQ_E_SERVICE, "%s: the response is about the job %s",
                       status_call, giq_call_printable(service, parsed->id, &printable));
    } else if (parsed->status != NULL) {
        (void)giq_fail(err, GIQ_E_SERVICE,
                       "%s: the response has the status %s without the id of a job",
                       status_call, giq_text_printable(parsed->status, &printable));
    } else {
        (void)giq_fail(err, GIQ_E_SERVICE, "%s: the response does not describe a job",
                       status_call);
    }
    return GIQ_API_STATUS_MISMATCH;
}

/* A cache or a login page may send a response that is not about the job. */
static enum giq_api_status_outcome
read_status(struct giq_service *service, const struct giq_response *response,
            const char *job_id, struct giq_api_job *job, struct giq_error *err)
{
    struct giq_api_job parsed = {.started_ms = GIQ_TIME_NONE};
    if (!parse_job(service, response, &parsed)) {
        (void)giq_fail(err, GIQ_E_SERVICE, "%s: the response is not a JSON object",
                       status_call);
        return GIQ_API_STATUS_UNEXPECTED;
    }
    bool is_other = parsed.id != NULL && !giq_text_is_same_id(parsed.id, job_id);
    if (is_other || describes_no_job(&parsed)) {
        enum giq_api_status_outcome outcome = fail_mismatch(service, &parsed, err);
        giq_api_job_release(&parsed);
        return outcome;
    }
    *job = parsed;
    return GIQ_API_STATUS_OK;
}

static enum giq_api_status_outcome
evaluate_status(struct giq_service *service, const struct giq_response *response,
                const char *job_id, struct giq_api_job *job, struct giq_error *err)
{
    if (response->status == 200) {
        return read_status(service, response, job_id, job, err);
    }
    bool no_job = response->status == 404 || response->status == 410;
    (void)giq_call_fail_status(service, response, no_job ? GIQ_E_GONE : GIQ_E_SERVICE,
                               status_call, err);
    if (no_job) {
        return GIQ_API_STATUS_NOT_FOUND;
    }
    return giq_call_is_transient_status(response->status) ? GIQ_API_STATUS_OUTAGE
                                                          : GIQ_API_STATUS_UNEXPECTED;
}

/* What an exchange without a complete response means. */
static enum giq_api_status_outcome evaluate_failure(const struct giq_error *err)
{
    if (giq_call_is_transient_error(err)) {
        return GIQ_API_STATUS_OUTAGE;
    }
    return err->code == GIQ_E_NETWORK || err->code == GIQ_E_SERVICE
               ? GIQ_API_STATUS_UNEXPECTED
               : GIQ_API_STATUS_ERROR;
}

enum giq_api_status_outcome giq_api_status(struct giq_service *service,
                                           const char *job_id, struct giq_api_job *job,
                                           int64_t *retry_after_ms, struct giq_error *err)
{
    *job = (struct giq_api_job){.started_ms = GIQ_TIME_NONE};
    *retry_after_ms = -1;
    GIQ_AUTO_FREE char *url = giq_url_make(service->settings.base_url, "inference/status",
                                           "inferenceId", job_id);
    if (url == NULL) {
        (void)giq_fail_memory(err);
        return GIQ_API_STATUS_ERROR;
    }
    const struct giq_http_request get = {
        .url = url,
        .accept = "application/json",
        .timeout_ms = giq_call_timeout_ms(service),
    };
    struct giq_response response;
    enum giq_api_status_outcome outcome =
        giq_call_once(service, &get, &response, err)
            ? evaluate_status(service, &response, job_id, job, err)
            : evaluate_failure(err);
    *retry_after_ms = response.retry_after_ms;
    giq_response_release(&response);
    return outcome;
}
