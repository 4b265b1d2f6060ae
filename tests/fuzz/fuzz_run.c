/* The outcomes of a run request and of a status call. */
#include "script.h"

#include "service/giq_api.h"

static bool note_sending(void *ctx, struct giq_error *err)
{
    (void)err;
    ++*(int *)ctx;
    return true;
}

static void check_job(const struct giq_api_job *job)
{
    const char *const texts[] = {job->status, job->type, job->message};
    for (size_t i = 0; i < GIQ_COUNT(texts); i++) {
        MUST(texts[i] == NULL || (texts[i][0] != '\0' && fuzz_is_utf8(texts[i]) &&
                                  !fuzz_has_secret(texts[i])));
    }
    for (const char *c = job->id; c != NULL && *c != '\0'; c++) {
        MUST((unsigned char)*c >= 0x20 && *c != 0x7F);
    }
    bool is_known = false;
    enum giq_api_state phase = giq_api_state_of(job->status, &is_known);
    MUST(is_known || phase == GIQ_API_RUNNING);
}

/* The outcome of the last request, by its response alone. No job was started only if the
 * response states it. */
static enum giq_api_run_outcome fate(const struct script *script)
{
    int status = script->status;
    if (!script->was_sent) {
        return GIQ_API_RUN_NO_JOB;
    }
    if (script->was_cut) {
        return GIQ_API_RUN_UNKNOWN;
    }
    if (status >= 200 && status < 300) {
        return GIQ_API_RUN_SUBMITTED;
    }
    if (status == 429) {
        return GIQ_API_RUN_THROTTLED;
    }
    bool leads_elsewhere = script->has_location && (status == 307 || status == 308);
    bool is_refused = status >= 400 && status < 500 && status != 408 && status != 409;
    return is_refused || leads_elsewhere || status == 301 || status == 302
               ? GIQ_API_RUN_NO_JOB
               : GIQ_API_RUN_UNKNOWN;
}

static void check_run(const uint8_t *data, size_t size)
{
    static const struct giq_request request = {
        .model = "m", .file = "f", .area = "POLYGON((0 0,0 1,1 1,0 0))"};
    struct script script;
    struct giq_api_job job = {.started_ms = GIQ_TIME_NONE};
    struct giq_error err = {0};
    int noted = 0;
    int64_t later_ms = -1;
    const struct giq_api_run_hooks hooks = {.before_send = note_sending, .ctx = &noted};
    script_start(&script, data, size);
    enum giq_api_run_outcome outcome =
        giq_api_run(script.service, &request, &hooks, &job, &later_ms, &err);
    MUST(noted == script.sent && script.posts == script.sent && script.sent <= 6);
    enum giq_api_run_outcome expected = fate(&script);
    /* The id may be invalid, or may have arrived before the cut. */
    bool is_whole = script.was_cut && script.status / 100 == 2;
    MUST(outcome == expected || (is_whole && outcome == GIQ_API_RUN_SUBMITTED) ||
         (expected == GIQ_API_RUN_SUBMITTED && outcome == GIQ_API_RUN_UNKNOWN));
    if (outcome == GIQ_API_RUN_SUBMITTED) {
        MUST(job.id != NULL && job.id[0] != '\0');
    } else {
        MUST(job.id == NULL && job.status == NULL);
        fuzz_check_error(&err, err.code);
        MUST(err.code != GIQ_E_NONE);
    }
    MUST(later_ms == -1 || outcome == GIQ_API_RUN_THROTTLED);
    check_job(&job);
    giq_api_job_release(&job);
    script_stop(&script);
}

static void check_status(const uint8_t *data, size_t size)
{
    struct script script;
    struct giq_api_job job;
    struct giq_error err = {0};
    int64_t later_ms = -1;
    script_start(&script, data, size);
    enum giq_api_status_outcome outcome =
        giq_api_status(script.service, "j1", &job, &later_ms, &err);
    MUST(script.posts == 0 && script.tries <= 6);
    bool is_gone = script.status == 404 || script.status == 410;
    MUST(outcome != GIQ_API_STATUS_OK || (script.status == 200 && !script.was_cut));
    MUST(outcome != GIQ_API_STATUS_NOT_FOUND || is_gone);
    if (outcome == GIQ_API_STATUS_OK) {
        MUST(job.id == NULL || strcmp(job.id, "j1") == 0);
        MUST(job.id != NULL || job.status != NULL);
        check_job(&job);
    } else {
        fuzz_check_error(&err, err.code);
        MUST(err.code != GIQ_E_NONE && job.id == NULL && job.status == NULL);
    }
    giq_api_job_release(&job);
    script_stop(&script);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_run(data, size);
    check_status(data, size);
    return 0;
}
