#include "job_kit.h"

#include "unit.h"

#include "base/giq_os.h"
#include "store/giq_record_read.h"

const struct giq_request job_kit_request = {.model = "m", .file = "f"};

const struct giq_request job_kit_by_id[2] = {{.job = "j1"},
                                             {.model = "m", .file = "f", .job = "j1"}};

static bool accept_result(void *ctx, const char *path, struct giq_error *err)
{
    struct job_kit *kit = ctx;
    (void)path;
    kit->accepted++;
    return !kit->refuses || giq_fail(err, GIQ_E_RESULT, "the host refuses it");
}

static void take_progress(void *ctx, const char *text, const char *detail)
{
    struct job_kit *kit = ctx;
    kit->progress++;
    (void)snprintf(kit->last_line, sizeof kit->last_line, "%s", text);
    (void)snprintf(kit->last_detail, sizeof kit->last_detail, "%s", detail);
}

void job_kit_open(struct job_kit *kit, const struct giq_request *request, unsigned flags)
{
    const struct giq_job_host host = {
        .accept = accept_result,
        .progress = take_progress,
        .ctx = kit,
        .limits = kit->limits,
    };
    giq_job_free(kit->job);
    kit->job = NULL;
    service_kit_reopen(&kit->service);
    assert_true(giq_job_new(kit->service.service, kit->store, request, flags, &host,
                            &kit->job, &kit->service.err));
}

static void start(struct job_kit *kit, const struct http_kit_response *responses,
                  size_t count)
{
    service_kit_start(&kit->service, responses, count);
    kit->folder = env_kit_folder();
    assert_true(
        giq_store_open(kit->folder, GIQ_STORE_PRIVATE, &kit->store, &kit->service.err));
    job_kit_open(kit, &job_kit_request, 0);
}

void job_kit_start(struct job_kit *kit, const struct http_kit_response *responses,
                   size_t count)
{
    *kit = (struct job_kit){0};
    start(kit, responses, count);
}

void job_kit_start_waiting(struct job_kit *kit, struct http_kit_response status)
{
    *kit = (struct job_kit){.script = {JOB_KIT_MODELS, JOB_KIT_RUN}};
    for (size_t i = 2; i < JOB_KIT_RESPONSES; i++) {
        kit->script[i] = status;
    }
    start(kit, kit->script, JOB_KIT_RESPONSES);
}

void job_kit_disconnect(struct job_kit *kit)
{
    struct http_kit *stopped = http_kit_start(NULL, 0);
    const char **base_url = &kit->service.service->settings.base_url;
    free((char *)*base_url);
    *base_url = strdup(http_kit_url(stopped));
    http_kit_stop(stopped);
}

void job_kit_stop(struct job_kit *kit)
{
    giq_job_free(kit->job);
    giq_store_close(kit->store);
    service_kit_stop(&kit->service);
    env_kit_remove(kit->folder);
}

bool job_kit_step(struct job_kit *kit, enum giq_step *out)
{
    struct env_kit *clock = &kit->service.clock;
    kit->due_ms = clock->now_ms;
    if (!giq_job_step(kit->job, out, &kit->due_ms, &kit->service.err)) {
        assert_int_not_equal(kit->service.err.code, GIQ_E_NONE);
        return false;
    }
    assert_int_equal(kit->service.err.code, GIQ_E_NONE);
    if (kit->due_ms > clock->now_ms) {
        env_kit_advance(clock, kit->due_ms - clock->now_ms);
    }
    return true;
}

int64_t job_kit_pause(struct job_kit *kit)
{
    int64_t before = kit->service.clock.now_ms;
    enum giq_step step = GIQ_STEP_DONE;
    assert_true(job_kit_step(kit, &step));
    assert_int_equal(step, GIQ_STEP_AGAIN);
    return kit->service.clock.now_ms - before;
}

enum giq_code job_kit_run_to(struct job_kit *kit, size_t count)
{
    enum giq_step step = GIQ_STEP_AGAIN;
    for (int steps = 0; steps < 1000; steps++) {
        if (http_kit_count(kit->service.http) >= count) {
            return GIQ_E_NONE;
        }
        if (!job_kit_step(kit, &step)) {
            return kit->service.err.code;
        }
        if (step == GIQ_STEP_DONE) {
            return GIQ_E_NONE;
        }
    }
    fail_msg("the job does not end");
    return GIQ_E_NONE;
}

enum giq_code job_kit_run(struct job_kit *kit)
{
    return job_kit_run_to(kit, SIZE_MAX);
}

void job_kit_read(const struct job_kit *kit, struct giq_record *out)
{
    struct giq_error err = {0};
    giq_record_init(out);
    if (!giq_record_read(kit->job->folder, NULL, out, NULL, &err)) {
        fail_msg("%s", err.text);
    }
}

const char *job_kit_state(const struct job_kit *kit)
{
    struct giq_record record;
    job_kit_read(kit, &record);
    const char *name = giq_record_state_name(record.state);
    giq_record_release(&record);
    return name;
}

void job_kit_expect_result(const struct job_kit *kit, const char *name)
{
    struct giq_record record;
    job_kit_read(kit, &record);
    assert_true(record.result_size >= 0);
    assert_string_equal(record.result_name, name);
    char *folder = giq_store_result(kit->job->folder, record.result_folder, NULL);
    env_kit_expect(folder, name, JOB_KIT_BODY);
    free(folder);
    giq_record_release(&record);
}

size_t job_kit_entries(const struct job_kit *kit, const char *start)
{
    return env_kit_count(kit->job->folder, start);
}

void job_kit_plant(struct job_kit *kit, const char *job_json)
{
    struct giq_error *err = &kit->service.err;
    assert_true(giq_store_make(kit->store, kit->job->folder, err));
    assert_true(giq_record_write_request(kit->job->folder, GIQ_STORE_PRIVATE,
                                         kit->job->canonical, err));
    env_kit_write(kit->job->folder, "job.json", job_json);
}

size_t job_kit_count(struct job_kit *kit, const char *start)
{
    size_t found = 0;
    for (size_t i = 0; i < http_kit_count(kit->service.http); i++) {
        found +=
            strncmp(http_kit_request(kit->service.http, i), start, strlen(start)) == 0;
    }
    return found;
}
