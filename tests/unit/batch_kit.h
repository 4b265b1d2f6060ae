/*
 * Batches on a service that the test scripts, a clock that only the batch's own waiting
 * moves, and a store of the test's own. The calls of the service are replaced by the
 * linker (--wrap).
 *
 * The file of a request is its script, "<what>" or "<what>-<number>":
 *   ok          the job succeeds after `job_ms`
 *   hang        the job runs for ever
 *   failed      the job fails after `job_ms`
 *   refused, unknown, credentials, store, memory, network, unreachable
 *               the run request ends so; unreachable is a failure that is permanent
 *   throttled   the first run request of the test for such a file is throttled for
 *               `throttle_ms`, then as ok
 *   busy        as hang, and once a run request was throttled, each status call is
 *               throttled for an hour
 *   cancel      the host cancels while the run request is out
 *   rejected    the host does not accept the result
 */
#ifndef GIQ_TESTS_BATCH_KIT_H
#define GIQ_TESTS_BATCH_KIT_H

#include <pthread.h>
#include <stdatomic.h>

#include "giq/batch.h"
#include "giq/giq.h"

#define SECOND_MS INT64_C(1000)

enum { BATCH_KIT_ROWS = 2000, BATCH_KIT_CALLS = 20000, BATCH_KIT_FILE_SIZE = 40 };

struct batch_kit_job {
    char file[BATCH_KIT_FILE_SIZE];
    int64_t began_ms;
    bool has_ended;
};

struct batch_kit {
    struct giq_env env;
    pthread_t caller;
    atomic_int_fast64_t now_ms;
    atomic_bool is_cancelled;
    int64_t cancels_ms; /* when the host cancels; 0: never */
    size_t sleeps;

    char *folder;
    struct giq_store *store;
    struct giq_cred *cred;
    struct giq_settings settings;
    unsigned flags;
    struct giq_limits limits;
    int concurrency;
    bool polls_once;
    const char *retry;
    char files[BATCH_KIT_ROWS][BATCH_KIT_FILE_SIZE];
    struct giq_request requests[BATCH_KIT_ROWS];
    size_t row_count;
    struct giq_batch *batch;
    struct giq_error err;

    /* The script of the service. */
    int64_t job_ms;
    int64_t throttle_ms;
    int64_t status_takes_ms; /* how long a status call takes */
    const char
        *models; /* as a list of the ids, each followed by ';'; NULL: unavailable */
    const char *warning;   /* of each status call; NULL: none */
    bool has_own_warnings; /* a different one each time */
    bool refuses_threads;  /* thread_begin fails */
    bool cancels_in_fetch;
    enum giq_code accept_fails_with; /* the host accepts no result; GIQ_E_NONE: it does */

    /* What reached the service, and the host. */
    pthread_mutex_t lock;
    struct batch_kit_job jobs[BATCH_KIT_ROWS];
    size_t job_count;
    int64_t run_ms[BATCH_KIT_CALLS]; /* when each run request came */
    size_t runs;
    int64_t status_ms[BATCH_KIT_CALLS];
    size_t statuses;
    /* What calls had time for, at least. */
    int64_t least_run_ms;
    int64_t least_status_ms;
    size_t lists; /* calls of the list of models */
    size_t fetches;
    size_t throttled;
    size_t running; /* jobs that have not ended */
    size_t most_running;
    char last_model[BATCH_KIT_FILE_SIZE]; /* of the last run request */
    size_t runs_after_cancel;
    size_t warnings;
    char warned[200]; /* the last one */
    size_t debugs;
    size_t progress;
    struct giq_batch_counts counts; /* that were reported last */
    size_t thread_begins;
    size_t thread_ends;
    size_t signals_open; /* threads in which a signal was not blocked */
};

/* A timeout of 600 s, jobs of 10 s, 4 at a time, the list of models unavailable. */
void batch_kit_start(struct batch_kit *kit);
void batch_kit_stop(struct batch_kit *kit);

/* A test before which `kit` is started, and after which it is stopped. */
int batch_kit_setup(void **state);
int batch_kit_teardown(void **state);
#define BATCH_KIT_TEST(test, kit)                                                        \
    cmocka_unit_test_prestate_setup_teardown(test, batch_kit_setup, batch_kit_teardown,  \
                                             kit)

/* Add `count` rows of the model "m" whose file is "<what>-<number>"; with a `count` of 0
 * one row, whose file is `what` itself. */
void batch_kit_add(struct batch_kit *kit, const char *what, size_t count);

/* Add a row whose job was submitted by an earlier run and began now. */
void batch_kit_add_running(struct batch_kit *kit);

/* Make the batch; the one before is freed. Returns the code of the error. */
enum giq_code batch_kit_try_open(struct batch_kit *kit);
/* The same; a failure ends the test. */
void batch_kit_open(struct batch_kit *kit);

/* Make and run the batch. Returns the code of the error. */
enum giq_code batch_kit_run(struct batch_kit *kit);

struct giq_batch_counts batch_kit_counts(const struct batch_kit *kit);

/* How many rows are in the state. */
size_t batch_kit_count(const struct batch_kit *kit, enum giq_batch_state state);

struct giq_batch_row batch_kit_row(const struct batch_kit *kit, size_t row);

/* The name of the state that is recorded for a row. */
const char *batch_kit_recorded(struct batch_kit *kit, size_t row);

/* A job.json of a job in this state. */
#define BATCH_KIT_RECORD(state)                                                          \
    "{\"format\":1,\"state\":\"" state "\",\"job_id\":\"j9\",\"model_id\":\"m\"}"

/* Plant a record with this job.json for a row. */
void batch_kit_plant(struct batch_kit *kit, size_t row, const char *job_json);

#endif
