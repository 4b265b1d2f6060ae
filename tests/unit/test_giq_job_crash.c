/* Jobs that end in the middle, and jobs that meet: one request, one paid job. */
#include "job/giq_job_internal.h"

#include "unit.h"

#include <unistd.h>

#include "base/giq_os.h"
#include "base/giq_tree.h"
#include "job_kit.h"

#define RECORD(state, more)                                                              \
    "{\"format\":1,\"state\":\"" state "\",\"model_id\":\"m\"" more "}\n"

/* ---- ends between steps ---- */

/* The life of a job, broken off after `steps` steps. Whether that was all of it. */
static bool break_off(struct job_kit *kit, int steps)
{
    enum giq_step step = GIQ_STEP_AGAIN;
    for (int i = 0; i < steps && step == GIQ_STEP_AGAIN; i++) {
        assert_true(job_kit_step(kit, &step));
    }
    return step == GIQ_STEP_DONE;
}

static void test_crash_between_any_two_steps_pays_once(void **state)
{
    (void)state;
    static const struct http_kit_response responses[] = {
        JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"), JOB_KIT_STATUS("DONE"),
        JOB_KIT_RESULT};
    static const struct http_kit_response shorter[] = {
        JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT};
    bool whole = false;
    int steps = 0;
    for (; !whole; steps++) {
        struct job_kit kit;
        /* The state is asked for twice where it was reported but not recorded. */
        bool asks_twice = steps == 3;
        job_kit_start(&kit, asks_twice ? responses : shorter,
                      asks_twice ? GIQ_COUNT(responses) : GIQ_COUNT(shorter));
        whole = break_off(&kit, steps);
        job_kit_open(&kit, &job_kit_request, 0);
        assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
        assert_string_equal(job_kit_state(&kit), "published");
        assert_int_equal(job_kit_count(&kit, "POST"), 1);
        assert_int_equal(job_kit_count(&kit, "GET /inference/download"), 1);
        job_kit_stop(&kit);
    }
    assert_int_equal(steps - 1, 6);
}

/* ---- what a crash within a step leaves ---- */

static void test_abandoned_intent_submits_again(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                  JOB_KIT_RESULT);
    job_kit_plant(&kit, RECORD("intent", ""));
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "published");
    assert_int_equal(job_kit_count(&kit, "POST"), 1);
    job_kit_stop(&kit);
}

static void test_abandoned_sending_is_unknown_and_never_sent_again(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_MODELS);
    job_kit_plant(&kit,
                  RECORD("sending", ",\"submitted_at\":\"2024-04-30T10:00:00.000Z\""));
    for (int opens = 0; opens < 2; opens++) {
        job_kit_open(&kit, &job_kit_request, 0);
        kit.service.service->cred = NULL;
        assert_int_equal(job_kit_run(&kit), GIQ_E_UNKNOWN);
        assert_int_equal(http_kit_count(kit.service.http), 0);
        assert_non_null(strstr(kit.service.err.text, "2024-04-30 10:00:00 UTC"));
        assert_non_null(strstr(kit.service.err.text, "(its outcome was not recorded)"));
        assert_string_equal(job_kit_state(&kit), "sending"); /* nothing is written */
        assert_int_equal(job_kit_count(&kit, "POST"), 0);
    }
    job_kit_stop(&kit);
}

static void test_result_that_version_0_1_left_as_old_is_restored(void **state)
{
    (void)state;
    struct job_kit kit;
    struct giq_error err = {0};
    job_kit_start(&kit, NULL, 0);
    job_kit_plant(&kit, RECORD("published", ",\"job_id\":\"j1\",\"result\":{\"size\":4,"
                                            "\"name\":\"a.geojson\"}"));
    char *old = giq_os_join(kit.job->folder, "result.old");
    assert_true(giq_os_make_folders(old, GIQ_OS_PRIVATE, &err));
    env_kit_write(old, "a.geojson", "data");
    free(old);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "published");
    assert_int_equal(http_kit_count(kit.service.http), 0);
    env_kit_expect(kit.job->folder, "result/a.geojson", "data");
    assert_int_equal(job_kit_entries(&kit, "result"), 1);
    job_kit_stop(&kit);
}

static void test_unknown_job_can_be_opened_by_its_id(void **state)
{
    (void)state;
    const struct giq_request by_id = {.job = "j1"};
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    job_kit_plant(&kit, RECORD("unknown", ""));
    job_kit_open(&kit, &by_id, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

static void test_damaged_record_is_an_error_and_sends_nothing(void **state)
{
    (void)state;
    static const char *const records[] = {
        "",
        "{",
        "[]",
        "{\"format\":1}",
        "{\"format\":1,\"state\":\"dancing\"}",
        "{\"state\":\"intent\"}",
        "{\"format\":3,\"state\":\"intent\"}",
        RECORD("submitted", ""),
        RECORD("succeeded", ",\"job_id\":\"\""),
        RECORD("published",
               ",\"job_id\":\"j\",\"result\":{\"size\":1,\"name\":\"../x\"}"),
        RECORD("published", ",\"job_id\":\"j\",\"result\":{\"size\":1,\"name\":\"..\"}"),
    };
    for (size_t i = 0; i < GIQ_COUNT(records); i++) {
        struct job_kit kit;
        job_kit_start(&kit, NULL, 0);
        job_kit_plant(&kit, records[i]);
        assert_int_equal(job_kit_run(&kit), GIQ_E_STORE);
        assert_int_equal(http_kit_count(kit.service.http), 0);
        job_kit_stop(&kit);
    }
}

/* ---- records that cannot be written ---- */

static struct job_kit *spoiled;
static bool spoils_ticket;
static int looks_left;

/* A file becomes a folder, which no file replaces. */
static void spoil(const char *name)
{
    struct giq_error err = {0};
    char *path = giq_os_join(spoiled->job->folder, name);
    assert_true(giq_os_remove(path, &err));
    assert_true(giq_os_make_folders(path, GIQ_OS_PRIVATE, &err));
    env_kit_write(path, "in the way", "");
    free(path);
}

/* The time of day is read after the models, before the run goes out, and after its
 * response. */
static int64_t wall_and_spoil(void *ctx)
{
    const struct env_kit *clock = ctx;
    if (--looks_left == 0) {
        spoil("job.json");
        if (spoils_ticket) {
            spoil("sent.1");
        }
    }
    return clock->wall_ms;
}

#define ID_64      "http-secret-0123456789-0123456789-0123456789-0123456789-01234567"
#define LONGEST_ID ID_64 ID_64 ID_64 ID_64 ID_64 ID_64 ID_64 ID_64

static void test_run_that_cannot_be_recorded_is_not_sent_or_names_its_job(void **state)
{
    (void)state;
    static const struct {
        int looks;
        struct http_kit_response response;
        unsigned runs;
        enum giq_code code;
        const char *part;
    } cases[] = {
        {2, JOB_KIT_RUN, 0, GIQ_E_STORE, "not a regular file"},
        {3, JOB_KIT_RUN, 1, GIQ_E_STORE,
         "the job was started but could not be recorded; open the same dataset with "
         "job=j1: cannot rename to"},
        {3,
         {.status = 200, .body = "{\"id\":\"" LONGEST_ID "\"}"},
         1,
         GIQ_E_STORE,
         "open the same dataset with job=" LONGEST_ID ": cannot rename to"},
        {3,
         {.status = 500},
         1,
         GIQ_E_UNKNOWN,
         "a job may have been started and paid for"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_MODELS, cases[i].response);
        spoiled = &kit;
        spoils_ticket = cases[i].runs == 1;
        looks_left = cases[i].looks;
        kit.service.clock.env.wall_ms = wall_and_spoil;
        assert_int_equal(job_kit_run(&kit), cases[i].code);
        assert_non_null(strstr(kit.service.err.text, cases[i].part));
        assert_int_equal(job_kit_count(&kit, "POST"), cases[i].runs);
        if (cases[i].runs == 1) {
            job_kit_open(&kit, &job_kit_request, 0);
            assert_int_equal(job_kit_run(&kit), GIQ_E_STORE);
            assert_int_equal(job_kit_count(&kit, "POST"), 1);
        }
        job_kit_stop(&kit);
    }
}

/* The job or the unknown outcome stands in the ticket alone. */
static void test_outcome_in_the_ticket_is_enough(void **state)
{
    (void)state;
    static const struct {
        struct http_kit_response response;
        enum giq_code code;
        const char *state;
    } cases[] = {{JOB_KIT_RUN, GIQ_E_NONE, "submitted"},
                 {{.status = 500}, GIQ_E_UNKNOWN, "unknown"}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_MODELS, cases[i].response);
        spoiled = &kit;
        spoils_ticket = false;
        looks_left = 3;
        kit.service.clock.env.wall_ms = wall_and_spoil;
        assert_int_equal(job_kit_run_to(&kit, 2), cases[i].code);
        char *path = giq_os_join(kit.job->folder, "job.json");
        assert_true(giq_tree_remove(path, &err));
        free(path);
        assert_string_equal(job_kit_state(&kit), cases[i].state);
        job_kit_stop(&kit);
    }
}

/* ---- two at a time ---- */

static struct giq_lock *hold(struct job_kit *kit)
{
    struct giq_lock *held = NULL;
    assert_true(giq_store_make(kit->store, kit->job->folder, &kit->service.err));
    assert_true(
        giq_lock_acquire(kit->job->folder, GIQ_OS_PRIVATE, &held, &kit->service.err));
    return held;
}

static void test_submitting_waits_for_another_and_takes_over_its_job(void **state)
{
    (void)state;
    struct job_kit kit;
    enum giq_step step = GIQ_STEP_DONE;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    struct giq_lock *held = hold(&kit);
    assert_true(job_kit_step(&kit, &step));
    for (int tries = 0; tries < 3; tries++) {
        int64_t before = kit.service.clock.now_ms;
        assert_true(job_kit_step(&kit, &step));
        assert_int_equal(step, GIQ_STEP_AGAIN);
        assert_true(kit.service.clock.now_ms - before == 50);
    }
    assert_int_equal(http_kit_count(kit.service.http), 1);
    job_kit_plant(&kit, RECORD("submitted", ",\"job_id\":\"j1\""));
    giq_lock_release(held);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "published");
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

static void test_intent_that_another_leaves_is_prepared_for(void **state)
{
    (void)state;
    const struct giq_request request = {.model = "deep water", .file = "f"};
    struct job_kit kit;
    enum giq_step step = GIQ_STEP_DONE;
    JOB_KIT_START(&kit,
                  {.status = 200, .body = "[{\"id\":\"m-17\",\"name\":\"Deep water\"}]"},
                  JOB_KIT_RUN);
    job_kit_open(&kit, &request, 0);
    job_kit_plant(&kit, RECORD("sending", ""));
    struct giq_lock *held = hold(&kit);
    for (int tries = 0; tries < 3; tries++) {
        assert_true(job_kit_step(&kit, &step));
    }
    assert_int_equal(http_kit_count(kit.service.http), 0);
    job_kit_plant(&kit, RECORD("intent", ""));
    giq_lock_release(held);
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    assert_non_null(strstr(http_kit_request(kit.service.http, 1), "\r\n\r\nm-17\r\n"));
    job_kit_stop(&kit);
}

static void test_waiting_for_another_ends_with_the_open(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS);
    kit.service.service->deadline_ms = kit.service.clock.now_ms + 1000;
    int64_t began_ms = kit.service.clock.now_ms;
    struct giq_lock *held = hold(&kit);
    assert_int_equal(job_kit_run(&kit), GIQ_E_TIMEOUT);
    assert_non_null(
        strstr(kit.service.err.text, "another thread of this program holds the lock"));
    assert_true(kit.service.clock.now_ms - began_ms == 1000);
    giq_lock_release(held);
    job_kit_stop(&kit);
}

static void test_fetching_waits_for_another_and_uses_its_result(void **state)
{
    (void)state;
    struct job_kit kit;
    enum giq_step step = GIQ_STEP_DONE;
    char record[512];
    job_kit_start(&kit, NULL, 0);
    job_kit_plant(&kit, RECORD("succeeded", ",\"job_id\":\"j1\""));
    struct giq_lock *held = hold(&kit);
    assert_true(job_kit_step(&kit, &step));
    for (int tries = 0; tries < 3; tries++) {
        assert_true(job_kit_step(&kit, &step));
        assert_int_equal(step, GIQ_STEP_AGAIN);
    }
    char *result = giq_store_result(kit.job->folder, NULL, NULL);
    assert_true(giq_os_make_folders(result, GIQ_OS_PRIVATE, &kit.service.err));
    env_kit_write(result, "a.geojson", JOB_KIT_BODY);
    free(result);
    (void)snprintf(record, sizeof record,
                   RECORD("published", ",\"job_id\":\"j1\",\"result\":{\"size\":%zu,"
                                       "\"name\":\"a.geojson\"}"),
                   strlen(JOB_KIT_BODY));
    job_kit_plant(&kit, record);
    giq_lock_release(held);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(http_kit_count(kit.service.http), 0);
    job_kit_stop(&kit);
}

static void test_end_is_recorded_once_another_is_done(void **state)
{
    (void)state;
    struct job_kit kit;
    enum giq_step step = GIQ_STEP_DONE;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                  JOB_KIT_RESULT);
    assert_int_equal(job_kit_run_to(&kit, 3), GIQ_E_NONE);
    struct giq_lock *held = hold(&kit);
    assert_true(job_kit_step(&kit, &step));
    assert_int_equal(step, GIQ_STEP_AGAIN);
    assert_string_equal(job_kit_state(&kit), "submitted");
    giq_lock_release(held);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "published");
    job_kit_stop(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crash_between_any_two_steps_pays_once),
        cmocka_unit_test(test_abandoned_intent_submits_again),
        cmocka_unit_test(test_abandoned_sending_is_unknown_and_never_sent_again),
        cmocka_unit_test(test_result_that_version_0_1_left_as_old_is_restored),
        cmocka_unit_test(test_unknown_job_can_be_opened_by_its_id),
        cmocka_unit_test(test_damaged_record_is_an_error_and_sends_nothing),
        cmocka_unit_test(test_run_that_cannot_be_recorded_is_not_sent_or_names_its_job),
        cmocka_unit_test(test_outcome_in_the_ticket_is_enough),
        cmocka_unit_test(test_submitting_waits_for_another_and_takes_over_its_job),
        cmocka_unit_test(test_intent_that_another_leaves_is_prepared_for),
        cmocka_unit_test(test_waiting_for_another_ends_with_the_open),
        cmocka_unit_test(test_fetching_waits_for_another_and_uses_its_result),
        cmocka_unit_test(test_end_is_recorded_once_another_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
