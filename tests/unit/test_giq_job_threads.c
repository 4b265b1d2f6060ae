/*
 * Many threads on one request, with the calls of the service replaced by the linker:
 * one job, one download, the same end for all. The kind of build that watches for races
 * (cmake/tsan.cmake) is what this is for.
 */
#include "job/giq_job_internal.h"

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/giq_os.h"
#include "env_kit.h"
#include "fetch_kit.h"
#include "wrap_kit.h"

enum { THREADS = 16 };

static atomic_int runs;
static atomic_int fetches;
static const char *store_path;

enum giq_api_run_outcome __wrap_giq_api_run(struct giq_service *service,
                                            const struct giq_request *request,
                                            const struct giq_api_run_hooks *hooks,
                                            struct giq_api_job *job, int64_t *later_ms,
                                            struct giq_error *err)
{
    (void)service;
    (void)request;
    *later_ms = -1;
    if (!hooks->before_send(hooks->ctx, err)) {
        return GIQ_API_RUN_NO_JOB;
    }
    runs++;
    *job = (struct giq_api_job){.id = strdup("j1"), .started_ms = GIQ_TIME_NONE};
    return GIQ_API_RUN_SUBMITTED;
}

enum giq_api_status_outcome
__wrap_giq_api_status(struct giq_service *service, const char *job_id,
                      struct giq_api_job *job, int64_t *later_ms, struct giq_error *err)
{
    (void)service;
    (void)err;
    assert_string_equal(job_id, "j1");
    *later_ms = -1;
    *job = (struct giq_api_job){.status = strdup("DONE"), .started_ms = GIQ_TIME_NONE};
    return GIQ_API_STATUS_OK;
}

bool __wrap_giq_fetch(struct giq_service *service, const struct giq_store *store,
                      const char *folder, const char *job_id,
                      const struct giq_job_host *host, struct giq_claim *out,
                      struct giq_error *err)
{
    (void)service;
    (void)store;
    (void)host;
    (void)err;
    fetches++;
    fetch_kit_result(folder, job_id, out);
    return true;
}

static bool accept_all(void *ctx, const char *path, struct giq_error *err)
{
    (void)ctx;
    (void)path;
    (void)err;
    return true;
}

static bool run_to_end(struct giq_job *job, struct giq_error *err)
{
    enum giq_step step = GIQ_STEP_AGAIN;
    while (step != GIQ_STEP_DONE) {
        int64_t due = 0;
        if (!giq_job_step(job, &step, &due, err)) {
            return false;
        }
        int64_t now = giq_os_now_ms();
        giq_os_sleep_ms(due > now ? due - now : 0);
    }
    return true;
}

/* One open, with objects of its own. Returns a text of the error, or NULL. */
static void *open_once(void *unused)
{
    struct giq_error err = {0};
    struct giq_cred *cred = NULL;
    struct giq_service *service = NULL;
    struct giq_store *store = NULL;
    struct giq_job *job = NULL;
    const struct giq_settings settings = {
        .base_url = "http://127.0.0.1:1", .timeout_ms = 60000, .max_retry = 1};
    const struct giq_request request = {.model = "m", .file = "f"};
    const struct giq_job_host host = {.accept = accept_all};
    (void)unused;
    bool ok = giq_cred_new("key", NULL, &cred, &err) &&
              giq_service_new(&settings, cred, &giq_env_system, &service, &err) &&
              giq_store_open(store_path, GIQ_STORE_PRIVATE, &store, &err) &&
              giq_job_new(service, store, &request, 0, &host, &job, &err) &&
              run_to_end(job, &err);
    giq_job_free(job);
    giq_store_close(store);
    giq_service_free(service);
    giq_cred_free(cred);
    return ok ? NULL : strdup(err.text);
}

static void test_threads_share_one_job(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    char *folder = env_kit_folder();
    store_path = folder;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, open_once, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *fault = NULL;
        assert_int_equal(pthread_join(threads[i], &fault), 0);
        assert_null(fault);
    }
    assert_int_equal(runs, 1);
    assert_int_equal(fetches, 1);
    env_kit_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_share_one_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
