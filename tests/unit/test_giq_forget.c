/* Forgetting: what is removed, what is kept, and which names and ages are refused. */
#include "giq/forget.h"

#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/giq_os.h"
#include "base/giq_tree.h"
#include "env_kit.h"
#include "store/giq_leftovers.h"
#include "store/giq_lock.h"
#include "store/giq_record_read.h"
#include "store/giq_store.h"
#include "store/giq_ticket.h"

#define TOKEN   "00000000000000000000000000000001"
#define KEY(x)  x x x x x x x x x x x x x x x x
#define KEY_A   KEY("aaaa")
#define KEY_B   KEY("bbbb")
#define KEY_C   KEY("cccc")
#define REQUEST "{\"format\":1,\"base_url\":\"https://x\",\"model\":\"m\"}"

/* Records; that of version 0.1 has no ticket, and its result is in result/. */
#define RECORD(state, id)                                                                \
    "{\"format\":2,\"state\":\"" state "\",\"attempt\":1,\"job_id\":\"" id "\","         \
    "\"finished_at\":\"2024-05-01T00:00:00Z\",\"result\":{\"folder\":\"result." TOKEN    \
    "\",\"name\":\"f\",\"size\":5}}"
#define OLD_RECORD(state, id)                                                            \
    "{\"format\":1,\"state\":\"" state "\",\"job_id\":\"" id "\","                       \
    "\"finished_at\":\"2024-05-01T00:00:00Z\"}"
#define JOB(id)                                                                          \
    "{\"format\":1,\"model_id\":\"m\",\"outcome\":\"job\",\"job_id\":\"" id "\"}"

enum { OUTCOMES_MAX = 8, BEFORE_FIRST_END = 0 };

/* A store in a folder of its own, and what a call has reported. */
struct kit {
    char *folder;
    struct giq_store *store;
    struct giq_error err;
    struct giq_forgotten reported[OUTCOMES_MAX]; /* numbers alone */
    char states[OUTCOMES_MAX][20];
    size_t count;
};

static int set_up(void **state)
{
    struct kit *kit = calloc(1, sizeof *kit);
    kit->folder = env_kit_folder();
    assert_true(giq_store_open(kit->folder, GIQ_STORE_PRIVATE, &kit->store, &kit->err));
    *state = kit;
    return 0;
}

static int tear_down(void **state)
{
    struct kit *kit = *state;
    giq_store_close(kit->store);
    env_kit_remove(kit->folder);
    free(kit);
    return 0;
}

/* A record with this job.json; `ticket` and `result`, a folder, may be NULL. */
static void make(struct kit *kit, const char *key, const char *job, const char *ticket,
                 const char *result)
{
    char *folder = giq_store_folder(kit->store, key);
    assert_true(giq_store_make(kit->store, folder, &kit->err));
    env_kit_write(folder, "request.json", REQUEST);
    env_kit_write(folder, "job.json", job);
    if (ticket != NULL) {
        env_kit_write(folder, "sent.1", ticket);
    }
    if (result != NULL) {
        char *path = giq_os_join(folder, result);
        assert_true(giq_os_make_folders(path, GIQ_OS_PRIVATE, &kit->err));
        env_kit_write(path, "f", "12345");
        free(path);
    }
    free(folder);
}

/* Whether the folder of a key, or `name` in it, exists. */
static bool exists(const struct kit *kit, const char *key, const char *name)
{
    char *folder = giq_store_folder(kit->store, key);
    char *path = name == NULL ? strdup(folder) : giq_os_join(folder, name);
    bool found = access(path, F_OK) == 0;
    free(path);
    free(folder);
    return found;
}

/* The entries of <store>/v1. */
static size_t count_entries(struct kit *kit)
{
    return env_kit_count(giq_store_keys_folder(kit->store), "");
}

static bool note(void *ctx, const struct giq_forgotten *forgotten, struct giq_error *err)
{
    struct kit *kit = ctx;
    (void)err;
    assert_true(kit->count < OUTCOMES_MAX);
    assert_int_equal(forgotten->reason != NULL, forgotten->outcome == GIQ_FORGET_KEPT);
    kit->reported[kit->count].outcome = forgotten->outcome;
    kit->reported[kit->count].bytes = forgotten->bytes;
    (void)snprintf(kit->states[kit->count], sizeof kit->states[0], "%s",
                   forgotten->state_name);
    kit->count++;
    return true;
}

static bool forget(struct kit *kit, const char *name, int64_t before_ms, unsigned flags)
{
    const struct giq_forget_args args = {.names = &name,
                                         .count = name == NULL ? 0 : 1,
                                         .before_ms = before_ms,
                                         .flags = flags,
                                         .each = note,
                                         .ctx = kit};
    kit->count = 0;
    kit->err = (struct giq_error){0};
    return giq_forget(kit->store, &args, &kit->err);
}

static void assert_fails(struct kit *kit, const char *name, unsigned flags,
                         enum giq_code code, const char *words)
{
    assert_false(forget(kit, name, GIQ_TIME_NONE, flags));
    assert_int_equal(kit->err.code, code);
    assert_non_null(strstr(kit->err.text, words));
    assert_int_equal(kit->count, 0);
}

/* ---- what is removed ---- */

static void test_record_goes_with_its_result_and_nothing_is_left(void **state)
{
    struct kit *kit = *state;
    make(kit, KEY_A, RECORD("published", "j1"), JOB("j1"), "result." TOKEN);
    make(kit, KEY_B, RECORD("published", "j2"), JOB("j2"), "result." TOKEN);
    assert_true(forget(kit, "J1", GIQ_TIME_NONE, 0));
    assert_int_equal(kit->count, 1);
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_RECORD);
    assert_true(kit->reported[0].bytes > 5);
    assert_string_equal(kit->states[0], "published");
    assert_false(exists(kit, KEY_A, NULL));
    assert_true(exists(kit, KEY_B, "result." TOKEN "/f"));
    assert_int_equal(count_entries(kit), 1);
}

static void test_key_names_a_record_too(void **state)
{
    struct kit *kit = *state;
    make(kit, KEY_A, RECORD("failed", "j1"), JOB("j1"), NULL);
    assert_true(forget(kit, KEY_A, GIQ_TIME_NONE, 0));
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_RECORD);
    assert_false(exists(kit, KEY_A, NULL));
}

static void test_results_alone_leave_record_and_tickets(void **state)
{
    struct kit *kit = *state;
    make(kit, KEY_A, RECORD("published", "j1"), JOB("j1"), "result." TOKEN);
    assert_true(forget(kit, "j1", GIQ_TIME_NONE, GIQ_FORGET_RESULTS_ONLY));
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_RESULT);
    assert_int_equal(kit->reported[0].bytes, 5);
    assert_false(exists(kit, KEY_A, "result." TOKEN));
    assert_true(exists(kit, KEY_A, "job.json"));
    assert_true(exists(kit, KEY_A, "sent.1"));
    assert_false(exists(kit, KEY_A, "sent.2"));
    assert_true(forget(kit, "j1", GIQ_TIME_NONE, GIQ_FORGET_RESULTS_ONLY));
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_NOTHING);
}

static void test_result_that_a_killed_process_was_removing_is_counted(void **state)
{
    static const char left[] = "discarded." TOKEN ".tmp";
    struct kit *kit = *state;
    make(kit, KEY_A, RECORD("published", "j1"), JOB("j1"), left);
    assert_true(forget(kit, NULL, INT64_MAX, GIQ_FORGET_DRY_RUN));
    assert_int_equal(kit->count, 1);
    assert_int_equal(kit->reported[0].bytes, 5);
    assert_true(exists(kit, KEY_A, left));
    assert_true(forget(kit, NULL, INT64_MAX, 0));
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_RESULT);
    assert_int_equal(kit->reported[0].bytes, 5);
    assert_false(exists(kit, KEY_A, left));
    assert_true(exists(kit, KEY_A, "job.json"));
}

static void test_record_of_version_0_1(void **state)
{
    struct kit *kit = *state;
    make(kit, KEY_A, OLD_RECORD("published", "j1"), NULL, "result");
    assert_true(forget(kit, "j1", GIQ_TIME_NONE, GIQ_FORGET_RESULTS_ONLY));
    assert_int_equal(kit->reported[0].bytes, 5);
    assert_false(exists(kit, KEY_A, "result"));
    assert_true(exists(kit, KEY_A, "job.json"));
    assert_true(forget(kit, "j1", GIQ_TIME_NONE, 0));
    assert_false(exists(kit, KEY_A, NULL));
}

static void test_dry_run_writes_nothing(void **state)
{
    struct kit *kit = *state;
    make(kit, KEY_A, RECORD("published", "j1"), JOB("j1"), "result." TOKEN);
    assert_true(forget(kit, "j1", GIQ_TIME_NONE, GIQ_FORGET_DRY_RUN));
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_RECORD);
    assert_true(kit->reported[0].bytes > 5);
    assert_true(
        forget(kit, "j1", GIQ_TIME_NONE, GIQ_FORGET_DRY_RUN | GIQ_FORGET_RESULTS_ONLY));
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_RESULT);
    assert_int_equal(kit->reported[0].bytes, 5);
    assert_true(exists(kit, KEY_A, "result." TOKEN "/f"));
    assert_false(exists(kit, KEY_A, "lock"));
    assert_false(exists(kit, KEY_A, "sent.2"));
}

/* A process that was stopped may still give a folder its name back: its age decides. */
static void test_what_a_killed_process_left_goes_after_ten_minutes(void **state)
{
    struct kit *kit = *state;
    const char *keys = giq_store_keys_folder(kit->store);
    const char *name = "forgotten." TOKEN ".tmp";
    make(kit, KEY_A, RECORD("failed", "j1"), JOB("j1"), NULL);
    make(kit, KEY_B, RECORD("failed", "j2"), JOB("j2"), NULL);
    char *left = giq_os_join(keys, name);
    assert_true(giq_os_make_folders(left, GIQ_OS_PRIVATE, &kit->err));
    env_kit_write(left, "job.json", "{}");
    env_kit_set_age(keys, name, GIQ_LEFTOVERS_AGE_MS + 1000);
    assert_true(forget(kit, "j1", GIQ_TIME_NONE, 0));
    assert_true(env_kit_count(left, "job.json") == 1);
    env_kit_set_age(left, "job.json", GIQ_LEFTOVERS_AGE_MS + 1000);
    env_kit_set_age(keys, name, GIQ_LEFTOVERS_AGE_MS + 1000);
    assert_true(forget(kit, "j2", GIQ_TIME_NONE, 0));
    assert_int_equal(count_entries(kit), 0);
    free(left);
}

/* ---- what is kept ---- */

UNIT_WRAPS(giq_ticket_take);
UNIT_WRAPS(giq_tree_size);

/* Where locks lock nothing, another process takes this ticket first, or records this job,
 * or takes a ticket while this process is stopped before the folder gets another name. */
static const char *intruding_ticket;
static const char *intruding_job;
static const char *late_ticket;

bool __wrap_giq_ticket_take(const char *folder, unsigned access,
                            struct giq_ticket *ticket, bool *out_taken,
                            struct giq_error *err)
{
    if (intruding_ticket != NULL) {
        env_kit_write(folder, intruding_ticket, "");
    }
    if (intruding_job != NULL) {
        env_kit_write(folder, "job.json", intruding_job);
    }
    return __real_giq_ticket_take(folder, access, ticket, out_taken, err);
}

bool __wrap_giq_tree_size(const char *path, int64_t *out_bytes, struct giq_error *err)
{
    if (late_ticket != NULL && strcmp(strrchr(path, '/') + 1, KEY_A) == 0) {
        env_kit_write(path, late_ticket, "");
    }
    return __real_giq_tree_size(path, out_bytes, err);
}

UNIT_WRAPS(giq_tree_remove);

/* What has this in its path cannot be removed. */
static const char *stubborn;

bool __wrap_giq_tree_remove(const char *path, struct giq_error *err)
{
    if (stubborn != NULL && strstr(path, stubborn) != NULL) {
        return giq_fail(err, GIQ_E_STORE, "cannot remove %s", path);
    }
    return __real_giq_tree_remove(path, err);
}

static void test_run_request_that_begins_meanwhile_wins(void **state)
{
    struct kit *kit = *state;
    make(kit, KEY_A, RECORD("failed", "j1"), JOB("j1"), NULL);
    intruding_ticket = "sent.2";
    bool ok = forget(kit, "j1", GIQ_TIME_NONE, GIQ_FORGET_FORCE);
    intruding_ticket = NULL;
    assert_false(ok);
    assert_int_equal(kit->err.code, GIQ_E_STORE);
    assert_non_null(strstr(kit->err.text, "another process is sending a run request"));
    assert_true(exists(kit, KEY_A, "job.json"));
    assert_true(exists(kit, KEY_A, "sent.2"));
}

static void test_run_request_that_begins_after_the_pause_wins(void **state)
{
    struct kit *kit = *state;
    make(kit, KEY_A, RECORD("failed", "j1"), JOB("j1"), "result." TOKEN);
    late_ticket = "sent.3";
    bool ok = forget(kit, "j1", GIQ_TIME_NONE, GIQ_FORGET_FORCE);
    late_ticket = NULL;
    assert_false(ok);
    assert_int_equal(kit->err.code, GIQ_E_STORE);
    assert_non_null(strstr(kit->err.text, "another process is sending a run request"));
    assert_non_null(strstr(kit->err.text, "its result was removed"));
    assert_true(exists(kit, KEY_A, "job.json"));
    assert_true(exists(kit, KEY_A, "sent.3"));
    assert_int_equal(count_entries(kit), 1);
}

static void test_job_that_was_not_named_is_kept(void **state)
{
    struct kit *kit = *state;
    make(kit, KEY_A, RECORD("failed", "j1"), JOB("j1"), NULL);
    intruding_job = RECORD("published", "j2");
    bool ok = forget(kit, KEY_A, GIQ_TIME_NONE, GIQ_FORGET_FORCE);
    intruding_job = NULL;
    assert_false(ok);
    assert_int_equal(kit->err.code, GIQ_E_STORE);
    assert_non_null(strstr(kit->err.text, "its job has changed"));
    assert_true(exists(kit, KEY_A, "job.json"));
}

static void test_result_that_was_not_downloaded_is_kept_unless_forced(void **state)
{
    struct kit *kit = *state;
    make(kit, KEY_A,
         "{\"format\":2,\"state\":\"succeeded\",\"attempt\":1,\"job_id\":\"j1\"}",
         JOB("j1"), NULL);
    assert_fails(kit, "j1", 0, GIQ_E_STORE, "its result was not downloaded");
    assert_fails(kit, "j1", GIQ_FORGET_DRY_RUN, GIQ_E_STORE,
                 "its result was not downloaded");
    assert_true(forget(kit, "j1", GIQ_TIME_NONE, GIQ_FORGET_RESULTS_ONLY));
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_NOTHING);
    assert_true(forget(kit, "j1", GIQ_TIME_NONE, GIQ_FORGET_FORCE));
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_RECORD);
    assert_false(exists(kit, KEY_A, NULL));
}

static void test_further_jobs_are_kept_unless_forced(void **state)
{
    struct kit *kit = *state;
    char *folder = giq_store_folder(kit->store, KEY_A);
    make(kit, KEY_A,
         "{\"format\":2,\"state\":\"published\",\"attempt\":2,\"job_id\":\"j2\","
         "\"result\":{\"folder\":\"result." TOKEN "\",\"name\":\"f\",\"size\":5}}",
         JOB("j1"), "result." TOKEN);
    env_kit_write(folder, "sent.2", JOB("j2"));
    assert_fails(kit, "j2", 0, GIQ_E_STORE, "further jobs that were paid for: j1;");
    assert_fails(kit, "j2", GIQ_FORGET_DRY_RUN, GIQ_E_STORE, "with --force");
    assert_true(exists(kit, KEY_A, "result." TOKEN "/f"));
    assert_true(forget(kit, "j2", GIQ_TIME_NONE, GIQ_FORGET_RESULTS_ONLY));
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_RESULT);
    assert_true(forget(kit, "j2", GIQ_TIME_NONE, GIQ_FORGET_FORCE));
    assert_false(exists(kit, KEY_A, NULL));
    free(folder);
}

static void test_jobs_that_nothing_else_names_are_kept_unless_forced(void **state)
{
    static const struct {
        const char *job;
        const char *ticket;
        const char *state;
    } cases[] = {
        {RECORD("submitted", "j1"), JOB("j1"), "submitted"},
        {RECORD("unknown", "j1"),
         "{\"format\":1,\"outcome\":\"unknown\",\"error\":\"cut\"}", "unknown"},
        {OLD_RECORD("sending", "j1"), NULL, "sending"},
        {"no JSON", JOB("j1"), "damaged"},
    };
    struct kit *kit = *state;
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char words[40];
        (void)snprintf(words, sizeof words, "is \"%s\"", cases[i].state);
        make(kit, KEY_A, cases[i].job, cases[i].ticket, "result." TOKEN);
        assert_fails(kit, KEY_A, 0, GIQ_E_USAGE, words);
        assert_fails(kit, KEY_A, GIQ_FORGET_RESULTS_ONLY, GIQ_E_USAGE, "--force");
        assert_true(exists(kit, KEY_A, "result." TOKEN "/f"));
        assert_true(forget(kit, KEY_A, GIQ_TIME_NONE, GIQ_FORGET_FORCE));
        assert_string_equal(kit->states[0], cases[i].state);
        assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_RECORD);
        assert_false(exists(kit, KEY_A, NULL));
    }
}

static void test_sender_that_is_alive_is_not_forced(void **state)
{
    struct kit *kit = *state;
    struct giq_ticket ticket;
    bool is_taken = false;
    char *folder = giq_store_folder(kit->store, KEY_A);
    make(kit, KEY_A, "{\"format\":2,\"state\":\"sending\",\"attempt\":1}", NULL, NULL);
    giq_ticket_init(&ticket);
    ticket.n = 1;
    assert_true(giq_ticket_take(folder, GIQ_OS_PRIVATE, &ticket, &is_taken, &kit->err));
    assert_true(is_taken);
    assert_fails(kit, KEY_A, 0, GIQ_E_USAGE, "is \"sending\"");
    assert_fails(kit, KEY_A, GIQ_FORGET_FORCE, GIQ_E_STORE, "an open is working on");
    assert_true(exists(kit, KEY_A, "job.json"));
    assert_false(exists(kit, KEY_A, "sent.2"));
    giq_ticket_release(&ticket);
    free(folder);
}

static void test_record_whose_lock_is_held_is_kept(void **state)
{
    struct kit *kit = *state;
    struct giq_lock *lock = NULL;
    char *folder = giq_store_folder(kit->store, KEY_A);
    make(kit, KEY_A, RECORD("published", "j1"), JOB("j1"), "result." TOKEN);
    assert_true(giq_lock_acquire(folder, GIQ_OS_PRIVATE, &lock, &kit->err));
    assert_fails(kit, "j1", GIQ_FORGET_FORCE, GIQ_E_STORE, "j1 was not forgotten");
    assert_true(forget(kit, NULL, INT64_MAX, 0));
    assert_int_equal(kit->count, 1);
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_KEPT);
    assert_true(exists(kit, KEY_A, "result." TOKEN "/f"));
    giq_lock_release(lock);
    free(folder);
}

static void test_results_that_cannot_be_removed_leave_the_others(void **state)
{
    struct kit *kit = *state;
    char *folder = giq_store_folder(kit->store, KEY_A);
    char *lock = giq_os_join(folder, "lock");
    make(kit, KEY_A, RECORD("published", "j1"), JOB("j1"), "result." TOKEN);
    make(kit, KEY_B, RECORD("published", "j2"), JOB("j2"), "result." TOKEN);
    make(kit, KEY_C, RECORD("published", "j3"), JOB("j3"), "result." TOKEN);
    assert_true(giq_os_make_folders(lock, GIQ_OS_PRIVATE, &kit->err));
    assert_true(forget(kit, NULL, INT64_MAX, 0));
    assert_int_equal(kit->count, 3);
    assert_true(exists(kit, KEY_A, "result." TOKEN "/f"));
    assert_false(exists(kit, KEY_B, "result." TOKEN));
    assert_false(exists(kit, KEY_C, "result." TOKEN));
    assert_fails(kit, "j1", 0, GIQ_E_STORE, "open the lock");
    free(lock);
    free(folder);
}

static bool let_the_next_be_sent(void *ctx, const struct giq_forgotten *forgotten,
                                 struct giq_error *err)
{
    intruding_ticket = "sent.2";
    return note(ctx, forgotten, err);
}

static int left_before_ticket;

static bool count_down(void *ctx, const struct giq_forgotten *forgotten,
                       struct giq_error *err)
{
    (void)ctx;
    (void)err;
    assert_int_equal(forgotten->outcome, GIQ_FORGET_RECORD);
    if (--left_before_ticket == 0) {
        intruding_ticket = "sent.1";
    }
    return true;
}

static void test_error_names_what_was_forgotten_before_it(void **state)
{
    static const char *const names[] = {KEY_A, KEY_B};
    struct kit *kit = *state;
    const struct giq_forget_args args = {.names = names,
                                         .count = GIQ_COUNT(names),
                                         .before_ms = GIQ_TIME_NONE,
                                         .each = let_the_next_be_sent,
                                         .ctx = kit};
    make(kit, KEY_A, RECORD("failed", "j1"), JOB("j1"), NULL);
    make(kit, KEY_B, RECORD("failed", "j2"), JOB("j2"), NULL);
    bool ok = giq_forget(kit->store, &args, &kit->err);
    intruding_ticket = NULL;
    assert_false(ok);
    bool is_a_left = exists(kit, KEY_A, NULL);
    assert_int_equal(exists(kit, KEY_B, NULL), !is_a_left);
    assert_non_null(strstr(kit->err.text, is_a_left ? "j1 was not" : "j2 was not"));
    assert_non_null(strstr(kit->err.text, is_a_left ? "paid for: j2" : "paid for: j1"));
}

static void test_error_counts_what_it_cannot_name(void **state)
{
    enum { COUNT = 40 };
    static char names[COUNT][65];
    const char *pointers[COUNT];
    char job[200];
    struct kit *kit = *state;
    const struct giq_forget_args args = {.names = pointers,
                                         .count = COUNT,
                                         .before_ms = GIQ_TIME_NONE,
                                         .each = count_down,
                                         .ctx = kit};
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], sizeof names[i], "%064x", i);
        (void)snprintf(job, sizeof job,
                       "{\"format\":2,\"state\":\"failed\",\"attempt\":1,"
                       "\"job_id\":\"11111111-1111-1111-1111-%012d\"}",
                       i);
        make(kit, names[i], job, NULL, NULL);
        pointers[i] = names[i];
    }
    left_before_ticket = COUNT - 1;
    bool ok = giq_forget(kit->store, &args, &kit->err);
    intruding_ticket = NULL;
    assert_false(ok);
    size_t named = 0;
    const char *at = strstr(kit->err.text, "paid for: ");
    assert_non_null(at);
    for (; (at = strstr(at, "1111-0")) != NULL; at++) {
        named++;
    }
    char more[40];
    (void)snprintf(more, sizeof more, " and %zu more", COUNT - 1 - named);
    assert_true(named > 20 && named < COUNT - 1);
    assert_string_equal(strstr(kit->err.text, " and "), more);
    assert_int_equal(count_entries(kit), 1);
}

/* It is forgotten once its folder has another name. */
static void test_record_is_forgotten_though_its_folder_cannot_be_removed(void **state)
{
    struct kit *kit = *state;
    make(kit, KEY_A, RECORD("published", "j1"), JOB("j1"), "result." TOKEN);
    stubborn = "/forgotten.";
    bool ok = forget(kit, "j1", GIQ_TIME_NONE, 0);
    stubborn = NULL;
    assert_true(ok);
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_RECORD);
    assert_int_equal(kit->reported[0].bytes, 5);
    assert_false(exists(kit, KEY_A, NULL));
    assert_int_equal(env_kit_count(giq_store_keys_folder(kit->store), "forgotten."), 1);
}

static void test_bytes_are_those_that_were_removed(void **state)
{
    struct kit *kit = *state;
    make(kit, KEY_A, RECORD("published", "j1"), JOB("j1"), "result." TOKEN);
    stubborn = "/discarded.";
    bool ok = forget(kit, NULL, INT64_MAX, 0);
    stubborn = NULL;
    assert_true(ok);
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_KEPT);
    assert_int_equal(kit->reported[0].bytes, 0);
}

static void test_newer_format_is_not_forced(void **state)
{
    struct kit *kit = *state;
    make(kit, KEY_A, "{\"format\":3,\"state\":\"published\"}", NULL, NULL);
    assert_fails(kit, KEY_A, GIQ_FORGET_FORCE, GIQ_E_STORE, "newer");
    assert_true(exists(kit, KEY_A, "job.json"));
}

/* ---- names and ages ---- */

static void test_names_have_one_record(void **state)
{
    struct kit *kit = *state;
    make(kit, KEY_A, RECORD("failed", "j1"), JOB("j1"), NULL);
    make(kit, KEY_B, RECORD("failed", "j1"), JOB("j1"), NULL);
    assert_fails(kit, "j9", 0, GIQ_E_USAGE, "the job \"j9\"; nothing was forgotten");
    assert_fails(kit, KEY_C, 0, GIQ_E_USAGE, "nothing was forgotten");
    assert_fails(kit, "j1", 0, GIQ_E_USAGE, "2 records in the store have the job");
    assert_fails(kit, NULL, 0, GIQ_E_USAGE, "--older-than");
    assert_int_equal(count_entries(kit), 2);
}

static void test_age_alone_frees_results(void **state)
{
    struct kit *kit = *state;
    const int64_t ended_ms = INT64_C(1714521600000);
    make(kit, KEY_A, RECORD("published", "j1"), JOB("j1"), "result." TOKEN);
    make(kit, KEY_B, RECORD("submitted", "j2"), JOB("j2"), "result." TOKEN);
    make(kit, KEY_C, RECORD("failed", "j3"), JOB("j3"), NULL);
    assert_true(forget(kit, NULL, ended_ms, GIQ_FORGET_FORCE));
    assert_int_equal(kit->count, 0);
    assert_true(exists(kit, KEY_A, "result." TOKEN "/f"));
    assert_true(forget(kit, NULL, ended_ms + 1, 0));
    assert_int_equal(kit->count, 1);
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_RESULT);
    assert_false(exists(kit, KEY_A, "result." TOKEN));
    assert_true(exists(kit, KEY_A, "job.json"));
    assert_true(exists(kit, KEY_B, "result." TOKEN "/f"));
    assert_true(exists(kit, KEY_C, "job.json"));
}

static void test_age_holds_for_names_too(void **state)
{
    struct kit *kit = *state;
    make(kit, KEY_A, RECORD("published", "j1"), JOB("j1"), "result." TOKEN);
    assert_true(forget(kit, "j1", BEFORE_FIRST_END, 0));
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_KEPT);
    assert_true(exists(kit, KEY_A, "result." TOKEN "/f"));
    assert_true(forget(kit, "j1", INT64_MAX, 0));
    assert_int_equal(kit->reported[0].outcome, GIQ_FORGET_RECORD);
    assert_false(exists(kit, KEY_A, NULL));
}

static void test_ages(void **state)
{
    static const struct {
        const char *text;
        int64_t hours; /* -1: refused */
    } cases[] = {
        {"1h", 1},   {"0d", 0},   {"30d", 720},   {"2w", 336},      {"36525d", 876600},
        {"", -1},    {"d", -1},   {"30", -1},     {"-1d", -1},      {"1.5d", -1},
        {"1d ", -1}, {" 1d", -1}, {"36526d", -1}, {"9999999h", -1}, {"1m", -1},
    };
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        int64_t ms = -1;
        assert_int_equal(giq_forget_parse_age(cases[i].text, &ms, &err),
                         cases[i].hours >= 0);
        assert_true(ms == (cases[i].hours < 0 ? -1 : cases[i].hours * 3600000));
        assert_int_equal(err.code, cases[i].hours < 0 ? GIQ_E_USAGE : GIQ_E_NONE);
    }
}

#define KIT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(test_record_goes_with_its_result_and_nothing_is_left),
        KIT_TEST(test_key_names_a_record_too),
        KIT_TEST(test_results_alone_leave_record_and_tickets),
        KIT_TEST(test_result_that_a_killed_process_was_removing_is_counted),
        KIT_TEST(test_record_of_version_0_1),
        KIT_TEST(test_dry_run_writes_nothing),
        KIT_TEST(test_what_a_killed_process_left_goes_after_ten_minutes),
        KIT_TEST(test_jobs_that_nothing_else_names_are_kept_unless_forced),
        KIT_TEST(test_sender_that_is_alive_is_not_forced),
        KIT_TEST(test_record_whose_lock_is_held_is_kept),
        KIT_TEST(test_run_request_that_begins_meanwhile_wins),
        KIT_TEST(test_run_request_that_begins_after_the_pause_wins),
        KIT_TEST(test_job_that_was_not_named_is_kept),
        KIT_TEST(test_result_that_was_not_downloaded_is_kept_unless_forced),
        KIT_TEST(test_further_jobs_are_kept_unless_forced),
        KIT_TEST(test_results_that_cannot_be_removed_leave_the_others),
        KIT_TEST(test_error_names_what_was_forgotten_before_it),
        KIT_TEST(test_error_counts_what_it_cannot_name),
        KIT_TEST(test_record_is_forgotten_though_its_folder_cannot_be_removed),
        KIT_TEST(test_bytes_are_those_that_were_removed),
        KIT_TEST(test_newer_format_is_not_forced),
        KIT_TEST(test_names_have_one_record),
        KIT_TEST(test_age_alone_frees_results),
        KIT_TEST(test_age_holds_for_names_too),
        cmocka_unit_test(test_ages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
