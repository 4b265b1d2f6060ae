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
#include "store/giq_lock.h"
#include "wrap_kit.h"

enum { THREADS = 16, ROUNDS = 10 };

static bool has_locks;
static bool jobs_fail;
static const char *labels[2]; /* of RETRY, for every other open; NULL: none */
static atomic_int opens;
static atomic_int runs;
static atomic_int fetches;
static const char *store_path;

/* A lock that locks nothing, as on some file servers. */
UNIT_WRAPS(giq_lock_acquire);
bool __wrap_giq_lock_acquire(const char *folder, unsigned access, struct giq_lock **out,
                             struct giq_error *err)
{
    static int nothing;
    if (has_locks) {
        return __real_giq_lock_acquire(folder, access, out, err);
    }
    *out = (struct giq_lock *)(void *)&nothing;
    return true;
}

UNIT_WRAPS(giq_lock_release);
void __wrap_giq_lock_release(struct giq_lock *lock)
{
    if (has_locks) {
        __real_giq_lock_release(lock);
    }
}

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
    char id[16];
    (void)snprintf(id, sizeof id, "j%d", ++runs);
    *job = (struct giq_api_job){.id = strdup(id), .started_ms = GIQ_TIME_NONE};
    return GIQ_API_RUN_SUBMITTED;
}

enum giq_api_status_outcome
__wrap_giq_api_status(struct giq_service *service, const char *job_id,
                      struct giq_api_job *job, int64_t *later_ms, struct giq_error *err)
{
    (void)service;
    (void)err;
    assert_int_equal(job_id[0], 'j');
    *later_ms = -1;
    *job = (struct giq_api_job){.status = strdup(jobs_fail ? "FAILED" : "DONE"),
                                .started_ms = GIQ_TIME_NONE};
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
    const struct giq_request request = {
        .model = "m", .file = "f", .retry = labels[opens++ % 2]};
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

/* All threads at once; how many of them failed. */
static int open_in_threads(void)
{
    pthread_t threads[THREADS];
    int failures = 0;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, open_once, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *fault = NULL;
        assert_int_equal(pthread_join(threads[i], &fault), 0);
        if (fault != NULL) {
            print_message("%s\n", (char *)fault);
            failures++;
        }
        free(fault);
    }
    return failures;
}

static void start(char *folder)
{
    store_path = folder;
    runs = 0;
    fetches = 0;
    jobs_fail = false;
    labels[0] = labels[1] = NULL;
}

static void test_threads_share_one_job(void **state)
{
    (void)state;
    char *folder = env_kit_folder();
    has_locks = true;
    start(folder);
    assert_int_equal(open_in_threads(), 0);
    assert_int_equal(runs, 1);
    assert_int_equal(fetches, 1);
    env_kit_remove(folder);
}

static void test_threads_without_locks_share_one_job(void **state)
{
    (void)state;
    has_locks = false;
    for (int round = 0; round < ROUNDS; round++) {
        char *folder = env_kit_folder();
        start(folder);
        assert_int_equal(open_in_threads(), 0);
        assert_int_equal(runs, 1);
        env_kit_remove(folder);
    }
}

/* With one label, and with two at once: the job of the first ends well. */
static void test_labels_without_locks_start_one_job(void **state)
{
    (void)state;
    static const char *const both[][2] = {{"a", "a"}, {"a", "b"}};
    has_locks = false;
    for (int round = 0; round < ROUNDS; round++) {
        char *folder = env_kit_folder();
        start(folder);
        jobs_fail = true;
        void *fault = open_once(NULL);
        assert_non_null(fault);
        free(fault);
        jobs_fail = false;
        labels[0] = both[round % 2][0];
        labels[1] = both[round % 2][1];
        assert_int_equal(open_in_threads(), 0);
        assert_int_equal(runs, 2);
        env_kit_remove(folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_share_one_job),
        cmocka_unit_test(test_threads_without_locks_share_one_job),
        cmocka_unit_test(test_labels_without_locks_start_one_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
