/*
 * Publishing without locks: of several opens that fetch at once, or are killed at any
 * point, one result is published, and the next open finds it.
 */
#include "job/giq_publish.h"

#include "unit.h"

#include <limits.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/giq_os.h"
#include "base/giq_tree.h"
#include "job/giq_fetch.h"
#include "job_kit.h"
#include "store/giq_claim.h"
#include "store/giq_record_read.h"

#define SUCCEEDED "{\"format\":1,\"state\":\"succeeded\",\"job_id\":\"j1\"}"
#define OTHER     "result.0000000000000000000000000000000f"

/* ---- points at which an open is killed, or another one runs ---- */

enum point {
    NOWHERE,
    DOWNLOAD, /* before the first byte */
    ACCEPT,   /* downloaded */
    STAGED,   /* accepted */
    RENAMED,
    CLAIM,
    CLAIMED,
    WRITE,
    WRITTEN,
    POINTS,
};

static enum point kill_at; /* this process exits there */
static enum point act_at;  /* `act` is called there, once */
static void (*act)(struct job_kit *kit);
static struct job_kit *acting;
static bool fails_to_write; /* job.json as published */

static void pass(enum point point)
{
    if (point == kill_at) {
        _exit(0);
    }
    if (point == act_at) {
        act_at = NOWHERE;
        act(acting);
    }
}

UNIT_WRAPS(giq_fetch);

bool __wrap_giq_fetch(struct giq_service *service, const struct giq_store *store,
                      const char *folder, const char *job_id,
                      const struct giq_job_host *host, struct giq_claim *out,
                      struct giq_error *err)
{
    pass(DOWNLOAD);
    return __real_giq_fetch(service, store, folder, job_id, host, out, err);
}

UNIT_WRAPS(giq_store_publish);

bool __wrap_giq_store_publish(const char *folder, const char *token, char **out,
                              struct giq_error *err)
{
    pass(STAGED);
    bool ok = __real_giq_store_publish(folder, token, out, err);
    pass(RENAMED);
    return ok;
}

UNIT_WRAPS(giq_claim_make);

bool __wrap_giq_claim_make(const char *folder, unsigned access,
                           const struct giq_claim *claim, bool *out_made,
                           struct giq_claim *out_other, struct giq_error *err)
{
    pass(CLAIM);
    bool ok = __real_giq_claim_make(folder, access, claim, out_made, out_other, err);
    pass(CLAIMED);
    return ok;
}

UNIT_WRAPS(giq_record_write);

bool __wrap_giq_record_write(const char *folder, unsigned access,
                             const struct giq_record *record, struct giq_error *err)
{
    if (record->state != GIQ_JOB_PUBLISHED) {
        return __real_giq_record_write(folder, access, record, err);
    }
    if (fails_to_write) {
        return giq_fail(err, GIQ_E_STORE, "the disk is full");
    }
    pass(WRITE);
    bool ok = __real_giq_record_write(folder, access, record, err);
    pass(WRITTEN);
    return ok;
}

/* ---- opens ---- */

static bool accept_result(void *ctx, const char *path, struct giq_error *err)
{
    (void)ctx;
    (void)path;
    (void)err;
    pass(ACCEPT);
    return true;
}

/* A whole open of the request that runs beside that of the kit; its error's code. The
 * path of its result is written to `path` unless that is NULL. */
static enum giq_code open_beside(struct job_kit *kit, char path[PATH_MAX])
{
    const struct giq_job_host host = {.accept = accept_result};
    struct giq_job *job = NULL;
    struct giq_job_view view;
    enum giq_step step = GIQ_STEP_AGAIN;
    int64_t due = 0;
    struct giq_error err = {0};
    assert_true(giq_job_new(kit->service.service, kit->store, &job_kit_request, 0, &host,
                            &job, &err));
    for (int steps = 0; step != GIQ_STEP_DONE && steps < 20; steps++) {
        if (!giq_job_step(job, &step, &due, &err)) {
            break;
        }
    }
    giq_job_get_view(job, &view);
    if (path != NULL && view.result_path != NULL) {
        (void)snprintf(path, PATH_MAX, "%s", view.result_path);
    }
    giq_job_free(job);
    return err.code;
}

/* An open in a process of its own that is killed at this point. */
static void open_and_kill(struct job_kit *kit, enum point point)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        kill_at = point;
        (void)open_beside(kit, NULL);
        _exit(1); /* it did not get there */
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static const struct http_kit_response results[] = {
    JOB_KIT_RESULT, JOB_KIT_RESULT, JOB_KIT_RESULT, JOB_KIT_RESULT, JOB_KIT_RESULT};

static void start_with(struct job_kit *kit, const struct http_kit_response *responses,
                       size_t count)
{
    kill_at = NOWHERE;
    act_at = NOWHERE;
    fails_to_write = false;
    acting = kit;
    job_kit_start(kit, responses, count);
    job_kit_plant(kit, SUCCEEDED);
}

static void start(struct job_kit *kit)
{
    start_with(kit, results, GIQ_COUNT(results));
}

static void act_in(enum point point, void (*function)(struct job_kit *kit))
{
    act_at = point;
    act = function;
}

/* Whether job.json itself names the published result. */
static bool is_recorded(const struct job_kit *kit)
{
    return env_kit_has(kit->job->folder, "job.json", "\"state\":\"published\"");
}

/* job.json names a result that is whole, and there are as many claims as `generation`
 * says. */
static void check_result(struct job_kit *kit, int generation)
{
    struct giq_record record;
    assert_true(is_recorded(kit));
    job_kit_read(kit, &record);
    assert_int_equal(record.result_generation, generation);
    giq_record_release(&record);
    assert_int_equal(job_kit_entries(kit, "published."), (size_t)generation);
    job_kit_expect_result(kit, "a.geojson");
}

/* It is the only one. */
static void check_one_result(struct job_kit *kit, int generation)
{
    check_result(kit, generation);
    assert_int_equal(job_kit_entries(kit, "result"), 1);
}

static void check_downloads(struct job_kit *kit, size_t count)
{
    assert_int_equal(http_kit_count(kit->service.http), count);
    assert_int_equal(job_kit_count(kit, "GET /inference/download"), count);
}

/* ---- races ---- */

static char beside_path[PATH_MAX];

static void run_beside(struct job_kit *kit)
{
    assert_int_equal(open_beside(kit, beside_path), GIQ_E_NONE);
}

/* An open during which, at this point, `other` runs: both have the same one result. */
static void check_race(struct job_kit *kit, enum point point,
                       void (*other)(struct job_kit *kit), size_t downloads,
                       int generation)
{
    char path[PATH_MAX] = "";
    act_in(point, other);
    assert_int_equal(open_beside(kit, path), GIQ_E_NONE);
    assert_int_equal(act_at, NOWHERE);
    assert_string_equal(path, beside_path);
    check_downloads(kit, downloads);
    check_one_result(kit, generation);
    job_kit_stop(kit);
}

static void test_of_two_that_fetch_at_once_one_publishes(void **state)
{
    (void)state;
    for (enum point point = DOWNLOAD; point <= CLAIM; point++) {
        struct job_kit kit;
        start(&kit);
        check_race(&kit, point, run_beside, 2, 1);
    }
}

static void test_one_that_comes_after_the_claim_uses_it(void **state)
{
    (void)state;
    for (enum point point = CLAIMED; point <= WRITTEN; point++) {
        struct job_kit kit;
        start(&kit);
        check_race(&kit, point, run_beside, 1, 1);
    }
}

static void kill_after_claim(struct job_kit *kit)
{
    open_and_kill(kit, CLAIMED);
}

static void test_loser_records_the_result_of_a_winner_that_was_killed(void **state)
{
    (void)state;
    struct job_kit kit;
    start(&kit);
    act_in(ACCEPT, kill_after_claim);
    assert_int_equal(open_beside(&kit, NULL), GIQ_E_NONE);
    check_downloads(&kit, 2);
    check_one_result(&kit, 1);
    job_kit_stop(&kit);
}

static void remove_results(struct job_kit *kit)
{
    struct giq_error err = {0};
    struct giq_record record;
    job_kit_read(kit, &record);
    char *path = giq_store_result(kit->job->folder, record.result_folder, NULL);
    assert_true(giq_tree_remove(path, &err));
    free(path);
    giq_record_release(&record);
}

static void publish_twice(struct job_kit *kit)
{
    run_beside(kit);
    remove_results(kit);
    run_beside(kit);
}

static void test_newer_result_of_another_is_not_replaced(void **state)
{
    (void)state;
    static const struct {
        enum point point;
        size_t downloads;
    } cases[] = {{ACCEPT, 3}, {CLAIMED, 2}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        start(&kit);
        check_race(&kit, cases[i].point, publish_twice, cases[i].downloads, 2);
    }
}

static void test_result_that_another_published_is_not_recorded_as_gone(void **state)
{
    (void)state;
    struct job_kit kit;
    start_with(&kit, HTTP_KIT_SCRIPT(JOB_KIT_RESULT, {.status = 404}));
    check_race(&kit, DOWNLOAD, run_beside, 2, 1);
}

static void record_other_job(struct job_kit *kit)
{
    job_kit_plant(kit, "{\"format\":1,\"state\":\"failed\",\"job_id\":\"j2\"}");
}

static void test_record_of_another_job_is_not_replaced(void **state)
{
    (void)state;
    struct job_kit kit;
    start(&kit);
    act_in(ACCEPT, record_other_job);
    assert_int_equal(open_beside(&kit, NULL), GIQ_E_FAILED);
    assert_string_equal(job_kit_state(&kit), "failed");
    check_downloads(&kit, 1);
    job_kit_stop(&kit);
}

static void remove_record(struct job_kit *kit)
{
    struct giq_error err = {0};
    char *path = giq_os_join(kit->job->folder, "job.json");
    assert_true(giq_os_remove(path, &err));
    free(path);
}

static void test_record_that_was_removed_meanwhile_starts_no_job(void **state)
{
    (void)state;
    struct job_kit kit;
    start(&kit);
    act_in(ACCEPT, remove_record);
    assert_int_equal(open_beside(&kit, NULL), GIQ_E_NONE);
    check_downloads(&kit, 1);
    check_one_result(&kit, 1);
    job_kit_stop(&kit);
}

/* ---- kills ---- */

static void test_next_open_publishes_after_a_kill_at_any_point(void **state)
{
    (void)state;
    for (enum point point = DOWNLOAD; point < POINTS; point++) {
        struct job_kit kit;
        start(&kit);
        open_and_kill(&kit, point);
        size_t downloaded = point == DOWNLOAD ? 0 : 1;
        bool is_claimed = point >= CLAIMED;
        check_downloads(&kit, downloaded);
        assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
        check_downloads(&kit, downloaded + (is_claimed ? 0 : 1));
        check_result(&kit, 1);
        job_kit_stop(&kit);
    }
}

static bool set_old(void *ctx, const char *name, struct giq_error *err)
{
    char *path = giq_os_join(ctx, name);
    if (giq_os_is_folder(path)) {
        assert_true(giq_os_list(path, set_old, path, err));
    }
    free(path);
    env_kit_set_age(ctx, name, 601000);
    return true;
}

static void test_what_killed_opens_left_is_removed_once_it_is_old(void **state)
{
    (void)state;
    struct job_kit kit;
    struct giq_error err = {0};
    start(&kit);
    for (enum point point = ACCEPT; point <= CLAIM; point++) {
        open_and_kill(&kit, point);
    }
    assert_int_equal(job_kit_entries(&kit, "result.new."), 2);
    assert_int_equal(job_kit_entries(&kit, "result."), 4);
    assert_int_equal(open_beside(&kit, NULL), GIQ_E_NONE);
    assert_int_equal(job_kit_entries(&kit, "result."), 5);
    assert_true(giq_os_list(kit.job->folder, set_old, kit.job->folder, &err));
    remove_results(&kit);
    http_kit_stop(kit.service.http);
    kit.service.http = NULL;
    assert_int_equal(open_beside(&kit, NULL), GIQ_E_NETWORK);
    assert_int_equal(job_kit_entries(&kit, "result"), 0);
    job_kit_stop(&kit);
}

/* ---- claims that are of no use ---- */

static const char *late_claim;

static void make_claim(struct job_kit *kit)
{
    env_kit_write(kit->job->folder, "published.1", late_claim);
}

static void test_claim_without_a_usable_result_is_passed_over(void **state)
{
    (void)state;
    static const struct {
        const char *claim;
        size_t sleeps;
    } cases[] = {
        {"", 20}, /* its maker was killed before it wrote it */
        {"{\"format\":1,\"job_id\":\"j1\",\"folder\":\"" OTHER "\",\"size\":7}", 0},
        {"{\"format\":1,\"job_id\":\"j2\",\"folder\":\"" OTHER "\",\"size\":7}", 0},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        start(&kit);
        late_claim = cases[i].claim;
        act_in(ACCEPT, make_claim);
        assert_int_equal(open_beside(&kit, NULL), GIQ_E_NONE);
        assert_int_equal(kit.service.clock.sleeps, cases[i].sleeps);
        check_downloads(&kit, 1);
        check_one_result(&kit, 2);
        job_kit_stop(&kit);
    }
}

static void make_empty_claims(struct job_kit *kit)
{
    static const char *const names[] = {"published.1", "published.2", "published.3"};
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        env_kit_write(kit->job->folder, names[i], "");
    }
}

static void test_claims_without_content_are_awaited_together(void **state)
{
    (void)state;
    static const struct {
        int64_t timeout_ms;
        int64_t cancelled_ms; /* 0: never */
        size_t sleeps;
        enum giq_code code;
    } cases[] = {
        {60000, 0, 20, GIQ_E_NONE},
        {200, 0, 4, GIQ_E_NONE},
        {0, 0, 0, GIQ_E_NONE},
        {60000, 100, 2, GIQ_E_CANCELLED},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        start(&kit);
        struct env_kit *clock = &kit.service.clock;
        int64_t now_ms = clock->now_ms;
        kit.service.service->deadline_ms = now_ms + cases[i].timeout_ms;
        if (cases[i].cancelled_ms > 0) {
            clock->cancels_ms = now_ms + cases[i].cancelled_ms;
        }
        act_in(ACCEPT, make_empty_claims);
        assert_int_equal(open_beside(&kit, NULL), cases[i].code);
        assert_int_equal(clock->sleeps, cases[i].sleeps);
        if (cases[i].code == GIQ_E_NONE) {
            check_one_result(&kit, 4);
        } else {
            assert_int_equal(job_kit_entries(&kit, "result"), 0);
            assert_int_equal(job_kit_entries(&kit, "published."), 3);
        }
        check_downloads(&kit, 1);
        job_kit_stop(&kit);
    }
}

/* Its owner was suspended before it claimed the result, which looked like a leftover. */
static void test_result_that_is_gone_when_it_was_claimed_is_an_error(void **state)
{
    (void)state;
    struct job_kit kit;
    start(&kit);
    act_in(CLAIMED, remove_results);
    assert_int_equal(open_beside(&kit, NULL), GIQ_E_STORE);
    assert_false(is_recorded(&kit));
    assert_int_equal(open_beside(&kit, NULL), GIQ_E_NONE);
    check_downloads(&kit, 2);
    check_one_result(&kit, 2);
    job_kit_stop(&kit);
}

/* ---- the record ---- */

static void
test_published_result_opens_although_its_record_cannot_be_written(void **state)
{
    (void)state;
    struct job_kit kit;
    char path[PATH_MAX] = "";
    start(&kit);
    fails_to_write = true;
    for (int opens = 0; opens < 2; opens++) {
        assert_int_equal(open_beside(&kit, path), GIQ_E_NONE);
        assert_false(is_recorded(&kit));
        assert_string_equal(job_kit_state(&kit), "published");
    }
    fails_to_write = false;
    assert_int_equal(open_beside(&kit, beside_path), GIQ_E_NONE);
    assert_string_equal(path, beside_path);
    check_downloads(&kit, 1);
    check_one_result(&kit, 1);
    job_kit_stop(&kit);
}

static const char *later_ticket;

static void take_later_ticket(struct job_kit *kit)
{
    env_kit_write(kit->job->folder, "sent.2", later_ticket);
    env_kit_write(
        kit->job->folder, "job.json",
        "{\"format\":2,\"state\":\"submitted\",\"job_id\":\"j2\",\"attempt\":2}");
}

/* The owner of the first ticket was stopped after it read the record again, and writes
 * over that of a further job. */
static void test_late_result_does_not_hide_a_further_job(void **state)
{
    (void)state;
    static const struct {
        const char *ticket;
        const char *state;
        const char *id;
    } cases[] = {
        {"{\"format\":1,\"outcome\":\"job\",\"job_id\":\"j2\",\"replaces\":\"j1\"}",
         "submitted", "j2"},
        {"{\"format\":1,\"outcome\":\"nothing\"}", "published", "j1"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        struct giq_error err = {0};
        struct giq_record record;
        giq_record_init(&record);
        start_with(&kit, results, 1);
        job_kit_plant(&kit, "{\"format\":2,\"state\":\"succeeded\",\"job_id\":\"j1\","
                            "\"attempt\":1}");
        env_kit_write(kit.job->folder, "sent.1",
                      "{\"format\":1,\"outcome\":\"job\",\"job_id\":\"j1\"}");
        later_ticket = cases[i].ticket;
        act_in(WRITE, take_later_ticket);
        /* The service knows nothing of j2. */
        assert_int_equal(open_beside(&kit, NULL), i == 0 ? GIQ_E_SERVICE : GIQ_E_NONE);
        assert_int_equal(act_at, NOWHERE);
        assert_string_equal(job_kit_state(&kit), cases[i].state);
        assert_true(giq_record_read(kit.job->folder, NULL, &record, NULL, &err));
        assert_string_equal(record.job_id, cases[i].id);
        giq_record_release(&record);
        job_kit_stop(&kit);
    }
}

static void test_result_that_the_user_deleted_gets_a_new_generation(void **state)
{
    (void)state;
    struct job_kit kit;
    char first[PATH_MAX] = "";
    char second[PATH_MAX] = "";
    start(&kit);
    assert_int_equal(open_beside(&kit, first), GIQ_E_NONE);
    remove_results(&kit);
    assert_int_equal(open_beside(&kit, second), GIQ_E_NONE);
    assert_string_not_equal(first, second);
    check_downloads(&kit, 2);
    check_one_result(&kit, 2);
    job_kit_stop(&kit);
}

static void test_new_generation_whose_owner_was_killed_is_used(void **state)
{
    (void)state;
    struct job_kit kit;
    start(&kit);
    assert_int_equal(open_beside(&kit, NULL), GIQ_E_NONE);
    remove_results(&kit);
    open_and_kill(&kit, CLAIMED);
    assert_int_equal(open_beside(&kit, NULL), GIQ_E_NONE);
    check_downloads(&kit, 2);
    check_one_result(&kit, 2);
    job_kit_stop(&kit);
}

static void test_result_of_version_0_1_stays_where_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t downloads;
    } cases[] = {{"data", 0}, {"changed", 1}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        struct giq_error err = {0};
        start(&kit);
        job_kit_plant(&kit, "{\"format\":1,\"state\":\"published\",\"job_id\":\"j1\","
                            "\"result\":{\"name\":\"a.geojson\",\"size\":4}}");
        char *path = giq_os_join(kit.job->folder, "result");
        assert_true(giq_os_make_folders(path, GIQ_OS_PRIVATE, &err));
        env_kit_write(path, "a.geojson", cases[i].text);
        free(path);
        assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
        check_downloads(&kit, cases[i].downloads);
        assert_int_equal(kit.service.clock.warnings, cases[i].downloads);
        assert_int_equal(job_kit_entries(&kit, "result"), 1);
        assert_int_equal(job_kit_entries(&kit, "result."), cases[i].downloads);
        job_kit_stop(&kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_two_that_fetch_at_once_one_publishes),
        cmocka_unit_test(test_one_that_comes_after_the_claim_uses_it),
        cmocka_unit_test(test_loser_records_the_result_of_a_winner_that_was_killed),
        cmocka_unit_test(test_newer_result_of_another_is_not_replaced),
        cmocka_unit_test(test_result_that_another_published_is_not_recorded_as_gone),
        cmocka_unit_test(test_record_of_another_job_is_not_replaced),
        cmocka_unit_test(test_record_that_was_removed_meanwhile_starts_no_job),
        cmocka_unit_test(test_next_open_publishes_after_a_kill_at_any_point),
        cmocka_unit_test(test_what_killed_opens_left_is_removed_once_it_is_old),
        cmocka_unit_test(test_claim_without_a_usable_result_is_passed_over),
        cmocka_unit_test(test_claims_without_content_are_awaited_together),
        cmocka_unit_test(test_result_that_is_gone_when_it_was_claimed_is_an_error),
        cmocka_unit_test(
            test_published_result_opens_although_its_record_cannot_be_written),
        cmocka_unit_test(test_late_result_does_not_hide_a_further_job),
        cmocka_unit_test(test_result_that_the_user_deleted_gets_a_new_generation),
        cmocka_unit_test(test_new_generation_whose_owner_was_killed_is_used),
        cmocka_unit_test(test_result_of_version_0_1_stays_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
