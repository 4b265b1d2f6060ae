#include "batch_kit.h"

#include "unit.h"

#include <signal.h>

#include "base/giq_os.h"
#include "env_kit.h"
#include "fetch_kit.h"
#include "job/giq_batch_internal.h"
#include "wrap_kit.h"

/* The service is replaced by functions without a context, so there is one kit. */
static struct batch_kit *kit;

/* ---- the environment of the host ---- */

static void assert_caller(const struct batch_kit *k)
{
    assert_true(pthread_equal(k->caller, pthread_self()));
}

static int64_t now_ms(void *ctx)
{
    struct batch_kit *k = ctx;
    return atomic_load(&k->now_ms);
}

static int64_t wall_ms(void *ctx)
{
    return INT64_C(1714521600000) + now_ms(ctx);
}

static void sleep_ms(void *ctx, int64_t ms)
{
    struct batch_kit *k = ctx;
    assert_caller(k);
    assert_true(ms > 0);
    k->sleeps++;
    atomic_fetch_add(&k->now_ms, ms);
}

static bool cancelled(void *ctx)
{
    struct batch_kit *k = ctx;
    if (k->cancels_ms != 0 && now_ms(k) >= k->cancels_ms) {
        atomic_store(&k->is_cancelled, true);
    }
    return atomic_load(&k->is_cancelled);
}

static uint32_t draw(void *ctx)
{
    (void)ctx;
    return ENV_KIT_NO_JITTER;
}

static void warn(void *ctx, const char *text)
{
    struct batch_kit *k = ctx;
    assert_caller(k);
    k->warnings++;
    (void)snprintf(k->warned, sizeof k->warned, "%s", text);
}

static void debug(void *ctx, const char *text)
{
    struct batch_kit *k = ctx;
    (void)text;
    assert_caller(k);
    k->debugs++;
}

/* ---- the service ---- */

/* Note how much time the service has for a call, with the lock held. */
static void note_time_left(const struct giq_service *service, int64_t *least_ms)
{
    int64_t left_ms = giq_service_call_deadline_ms(service) - now_ms(kit);
    *least_ms = left_ms < *least_ms ? left_ms : *least_ms;
}

static bool is_script(const char *file, const char *what)
{
    size_t len = strlen(what);
    return strncmp(file, what, len) == 0 && (file[len] == '\0' || file[len] == '-');
}

bool __wrap_giq_models_get(struct giq_service *service, struct giq_models *out,
                           struct giq_error *err)
{
    (void)service;
    (void)pthread_mutex_lock(&kit->lock);
    kit->lists++;
    (void)pthread_mutex_unlock(&kit->lock);
    if (kit->models == NULL) {
        return giq_fail(err, GIQ_E_SERVICE, "no list");
    }
    *out = (struct giq_models){.item = calloc(8, sizeof *out->item)};
    assert_non_null(out->item);
    for (const char *at = kit->models; *at != '\0'; at += strcspn(at, ";") + 1) {
        char *id = strndup(at, strcspn(at, ";"));
        out->item[out->count++] = (struct giq_model){.id = id, .name = strdup(id)};
    }
    return true;
}

/* Add a job for the file, with the lock held; its number is its id. */
static char *start_job(const char *file)
{
    char id[32];
    struct batch_kit_job *job = &kit->jobs[kit->job_count];
    (void)snprintf(job->file, sizeof job->file, "%s", file);
    job->began_ms = now_ms(kit);
    (void)snprintf(id, sizeof id, "j%zu", kit->job_count++);
    kit->running++;
    kit->most_running =
        kit->running > kit->most_running ? kit->running : kit->most_running;
    return strdup(id);
}

static enum giq_api_run_outcome fail_run(const char *file, struct giq_error *err)
{
    static const struct {
        const char *what;
        enum giq_code code;
        bool is_permanent;
        enum giq_api_run_outcome outcome;
    } failures[] = {
        {"refused", GIQ_E_REFUSED, false, GIQ_API_RUN_NO_JOB},
        {"unknown", GIQ_E_UNKNOWN, false, GIQ_API_RUN_UNKNOWN},
        {"credentials", GIQ_E_CREDENTIALS, false, GIQ_API_RUN_NO_JOB},
        {"store", GIQ_E_STORE, false, GIQ_API_RUN_NO_JOB},
        {"memory", GIQ_E_MEMORY, false, GIQ_API_RUN_NO_JOB},
        {"network", GIQ_E_NETWORK, false, GIQ_API_RUN_NO_JOB},
        {"unreachable", GIQ_E_NETWORK, true, GIQ_API_RUN_NO_JOB},
    };
    for (size_t i = 0; i < GIQ_COUNT(failures); i++) {
        if (is_script(file, failures[i].what)) {
            (void)giq_fail(err, failures[i].code, "the run ends as %s", file);
            err->permanent = failures[i].is_permanent;
            return failures[i].outcome;
        }
    }
    return GIQ_API_RUN_SUBMITTED;
}

static enum giq_api_run_outcome throttle(struct giq_service *service,
                                         int64_t *retry_after_ms, struct giq_error *err)
{
    kit->throttled++;
    *retry_after_ms = kit->throttle_ms;
    service->throttled_until_ms = now_ms(kit) + kit->throttle_ms;
    (void)giq_fail(err, GIQ_E_REFUSED, "throttled");
    return GIQ_API_RUN_THROTTLED;
}

/* With the lock held. */
static enum giq_api_run_outcome run(struct giq_service *service, const char *file,
                                    struct giq_api_job *job, int64_t *retry_after_ms,
                                    struct giq_error *err)
{
    assert_true(kit->runs < BATCH_KIT_CALLS);
    kit->run_ms[kit->runs++] = now_ms(kit);
    note_time_left(service, &kit->least_run_ms);
    if (is_script(file, "throttled") && kit->throttled == 0) {
        return throttle(service, retry_after_ms, err);
    }
    enum giq_api_run_outcome outcome = fail_run(file, err);
    if (outcome == GIQ_API_RUN_SUBMITTED) {
        *job = (struct giq_api_job){.id = start_job(file),
                                    .status = strdup("SUBMITTED"),
                                    .started_ms = GIQ_TIME_NONE};
    }
    if (is_script(file, "cancel")) {
        atomic_store(&kit->is_cancelled, true);
    }
    return outcome;
}

enum giq_api_run_outcome __wrap_giq_api_run(struct giq_service *service,
                                            const struct giq_request *request,
                                            const struct giq_api_run_hooks *hooks,
                                            struct giq_api_job *job, int64_t *later_ms,
                                            struct giq_error *err)
{
    *later_ms = -1;
    bool was_cancelled = service->env->cancelled(service->env->ctx);
    if (!hooks->before_send(hooks->ctx, err)) {
        return GIQ_API_RUN_NO_JOB;
    }
    (void)pthread_mutex_lock(&kit->lock);
    kit->runs_after_cancel += was_cancelled ? 1 : 0;
    (void)snprintf(kit->last_model, sizeof kit->last_model, "%s", request->model);
    enum giq_api_run_outcome outcome = run(service, request->file, job, later_ms, err);
    (void)pthread_mutex_unlock(&kit->lock);
    return outcome;
}

static struct batch_kit_job *job_of(const char *job_id)
{
    size_t number = strtoul(job_id + 1, NULL, 10);
    assert_true(number < kit->job_count);
    return &kit->jobs[number];
}

/* With the lock held. */
static const char *status_of(const char *job_id)
{
    struct batch_kit_job *job = job_of(job_id);
    bool never_ends = is_script(job->file, "hang") || is_script(job->file, "busy");
    bool has_ended = !never_ends && now_ms(kit) - job->began_ms >= kit->job_ms;
    kit->running -= has_ended && !job->has_ended ? 1 : 0;
    job->has_ended = has_ended;
    if (!has_ended) {
        return "RUNNING";
    }
    return is_script(job->file, "failed") ? "FAILED" : "DONE";
}

static void warn_in_status(const struct giq_service *service)
{
    const struct giq_env *env = service->env;
    char text[64];
    if (kit->has_own_warnings) {
        (void)snprintf(text, sizeof text, "warning %zu", kit->statuses);
        env->warn(env->ctx, text);
    } else if (kit->warning != NULL) {
        env->warn(env->ctx, kit->warning);
        env->debug(env->ctx, kit->warning);
    }
}

enum giq_api_status_outcome
__wrap_giq_api_status(struct giq_service *service, const char *job_id,
                      struct giq_api_job *job, int64_t *later_ms, struct giq_error *err)
{
    (void)err;
    *later_ms = -1;
    (void)pthread_mutex_lock(&kit->lock);
    assert_true(kit->statuses < BATCH_KIT_CALLS);
    kit->status_ms[kit->statuses++] = now_ms(kit);
    note_time_left(service, &kit->least_status_ms);
    atomic_fetch_add(&kit->now_ms, kit->status_takes_ms);
    if (is_script(job_of(job_id)->file, "busy") && kit->throttled > 0) {
        enum { AN_HOUR_MS = 3600 * 1000 };
        service->throttled_until_ms = now_ms(kit) + AN_HOUR_MS;
    }
    warn_in_status(service);
    *job = (struct giq_api_job){.id = strdup(job_id),
                                .status = strdup(status_of(job_id)),
                                .started_ms = GIQ_TIME_NONE};
    (void)pthread_mutex_unlock(&kit->lock);
    return GIQ_API_STATUS_OK;
}

bool __wrap_giq_fetch(struct giq_service *service, const struct giq_store *store,
                      const char *folder, const char *job_id,
                      const struct giq_job_host *host, struct giq_claim *out,
                      struct giq_error *err)
{
    (void)store;
    (void)pthread_mutex_lock(&kit->lock);
    kit->fetches++;
    (void)pthread_mutex_unlock(&kit->lock);
    if (kit->cancels_in_fetch) {
        atomic_store(&kit->is_cancelled, true);
        while (!service->env->cancelled(service->env->ctx)) {
            giq_os_sleep_ms(1);
        }
        return giq_fail(err, GIQ_E_CANCELLED, "the download was cancelled");
    }
    if (!host->accept(host->ctx, folder, err)) {
        return false;
    }
    fetch_kit_result(folder, job_id, out);
    return true;
}

/* ---- the host ---- */

static bool thread_begin(void *ctx, struct giq_error *err)
{
    struct batch_kit *k = ctx;
    sigset_t blocked;
    assert_false(pthread_equal(k->caller, pthread_self()));
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
    (void)pthread_mutex_lock(&k->lock);
    k->thread_begins++;
    k->signals_open +=
        sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGTERM) ? 0 : 1;
    (void)pthread_mutex_unlock(&k->lock);
    return !k->refuses_threads || giq_fail(err, GIQ_E_MEMORY, "no thread");
}

static void thread_end(void *ctx)
{
    struct batch_kit *k = ctx;
    (void)pthread_mutex_lock(&k->lock);
    k->thread_ends++;
    (void)pthread_mutex_unlock(&k->lock);
}

/* The job is that of the row. */
static bool accept_result(void *ctx, size_t row, struct giq_job *job, const char *path,
                          struct giq_error *err)
{
    struct batch_kit *k = ctx;
    struct giq_job_view view;
    giq_job_get_view(job, &view);
    assert_non_null(strstr(path, view.key));
    (void)pthread_mutex_lock(&k->lock);
    assert_string_equal(job_of(view.job_id)->file, k->files[row]);
    (void)pthread_mutex_unlock(&k->lock);
    if (k->accept_fails_with != GIQ_E_NONE) {
        return giq_fail(err, k->accept_fails_with, "the host accepts none");
    }
    return !is_script(k->files[row], "rejected") ||
           giq_fail(err, GIQ_E_RESULT, "the host rejects it");
}

static size_t sum(const struct giq_batch_counts *counts)
{
    return counts->pending + counts->running + counts->published + counts->checked +
           counts->failed;
}

static void progress(void *ctx, const struct giq_batch_counts *counts)
{
    struct batch_kit *k = ctx;
    assert_caller(k);
    assert_int_equal(sum(counts), counts->requests);
    assert_true(counts->running <= (size_t)k->concurrency);
    k->progress++;
    k->counts = *counts;
}

/* ---- the batch ---- */

void batch_kit_start(struct batch_kit *k)
{
    memset(k, 0, sizeof *k);
    kit = k;
    k->env = (struct giq_env){.now_ms = now_ms,
                              .wall_ms = wall_ms,
                              .sleep_ms = sleep_ms,
                              .cancelled = cancelled,
                              .random = draw,
                              .warn = warn,
                              .debug = debug,
                              .ctx = k};
    k->caller = pthread_self();
    atomic_store(&k->now_ms, 1000000);
    assert_int_equal(pthread_mutex_init(&k->lock, NULL), 0);
    k->folder = env_kit_folder();
    assert_true(giq_store_open(k->folder, GIQ_STORE_PRIVATE, &k->store, &k->err));
    assert_true(giq_cred_new("sesame-open-42", NULL, &k->cred, &k->err));
    k->settings = (struct giq_settings){.base_url = "http://127.0.0.1:1",
                                        .timeout_ms = 600 * 1000,
                                        .max_retry = 3,
                                        .retry_delay_ms = 1000,
                                        .http_timeout_ms = 20 * 1000};
    k->concurrency = 4;
    k->job_ms = 10 * SECOND_MS;
    k->least_run_ms = INT64_MAX;
    k->least_status_ms = INT64_MAX;
}

void batch_kit_stop(struct batch_kit *k)
{
    giq_batch_free(k->batch);
    giq_store_close(k->store);
    giq_cred_free(k->cred);
    env_kit_remove(k->folder);
    (void)pthread_mutex_destroy(&k->lock);
    kit = NULL;
}

int batch_kit_setup(void **state)
{
    batch_kit_start(*state);
    return 0;
}

int batch_kit_teardown(void **state)
{
    batch_kit_stop(*state);
    return 0;
}

static void add_row(struct batch_kit *k, const char *file)
{
    assert_true(k->row_count < BATCH_KIT_ROWS);
    char *text = k->files[k->row_count];
    (void)snprintf(text, BATCH_KIT_FILE_SIZE, "%s", file);
    k->requests[k->row_count++] = (struct giq_request){.model = "m", .file = text};
}

void batch_kit_add(struct batch_kit *k, const char *what, size_t count)
{
    char file[BATCH_KIT_FILE_SIZE];
    if (count == 0) {
        add_row(k, what);
    }
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(file, sizeof file, "%s-%zu", what, k->row_count);
        add_row(k, file);
    }
}

enum giq_code batch_kit_try_open(struct batch_kit *k)
{
    giq_batch_free(k->batch);
    k->batch = NULL;
    k->err = (struct giq_error){0};
    for (size_t i = 0; i < k->row_count; i++) {
        /* Another thread may read the requests; they are not written without need. */
        if (k->requests[i].retry != k->retry) {
            k->requests[i].retry = k->retry;
        }
    }
    const struct giq_batch_args args = {
        .settings = &k->settings,
        .cred = k->cred,
        .env = &k->env,
        .store = k->store,
        .requests = k->requests,
        .count = k->row_count,
        .flags = k->flags,
        .limits = k->limits,
        .concurrency = k->concurrency,
        .polls_once = k->polls_once,
        .host = {.thread_begin = thread_begin,
                 .thread_end = thread_end,
                 .accept = accept_result,
                 .progress = progress,
                 .ctx = k},
    };
    bool ok = giq_batch_new(&args, &k->batch, &k->err);
    assert_int_equal(ok, k->err.code == GIQ_E_NONE);
    return k->err.code;
}

void batch_kit_open(struct batch_kit *k)
{
    if (batch_kit_try_open(k) != GIQ_E_NONE) {
        fail_msg("%s", k->err.text);
    }
}

enum giq_code batch_kit_run(struct batch_kit *k)
{
    batch_kit_open(k);
    bool ok = giq_batch_run(k->batch, &k->err);
    assert_int_equal(ok, k->err.code == GIQ_E_NONE);
    assert_int_equal(k->runs_after_cancel, 0);
    assert_int_equal(k->signals_open, 0);
    assert_true(k->thread_begins <= (size_t)k->concurrency);
    k->thread_begins = 0;
    return k->err.code;
}

struct giq_batch_row batch_kit_row(const struct batch_kit *k, size_t row)
{
    struct giq_batch_row out;
    giq_batch_get_row(k->batch, row, &out);
    return out;
}

struct giq_batch_counts batch_kit_counts(const struct batch_kit *k)
{
    struct giq_batch_counts out;
    giq_batch_get_counts(k->batch, &out);
    return out;
}

size_t batch_kit_count(const struct batch_kit *k, enum giq_batch_state state)
{
    size_t found = 0;
    for (size_t i = 0; i < k->row_count; i++) {
        found += batch_kit_row(k, i).state == state ? 1 : 0;
    }
    return found;
}

const char *batch_kit_recorded(struct batch_kit *k, size_t row)
{
    struct giq_job_view view;
    assert_true(giq_batch_view(k->batch, row, &view, &k->err));
    return view.state == GIQ_JOB_NONE ? "none" : giq_record_state_name(view.state);
}

void batch_kit_plant(struct batch_kit *k, size_t row, const char *job_json)
{
    struct giq_error err = {0};
    struct giq_key key;
    char *text = NULL;
    assert_true(giq_key_make(k->settings.base_url, &k->requests[row], &text, &key, &err));
    char *folder = giq_store_folder(k->store, key.hex);
    assert_true(giq_store_make(k->store, folder, &err));
    assert_true(giq_record_write_request(folder, GIQ_STORE_PRIVATE, text, &err));
    env_kit_write(folder, "job.json", job_json);
    free(folder);
    free(text);
}

void batch_kit_add_running(struct batch_kit *k)
{
    enum { NUMBER = 9 };
    struct batch_kit_job *job = &k->jobs[NUMBER];
    size_t row = k->row_count;
    batch_kit_add(k, "ok", 1);
    batch_kit_plant(k, row, BATCH_KIT_RECORD("submitted"));
    (void)snprintf(job->file, sizeof job->file, "%s", k->files[row]);
    job->began_ms = atomic_load(&k->now_ms);
    k->job_count = NUMBER + 1;
    k->running = 1;
}
