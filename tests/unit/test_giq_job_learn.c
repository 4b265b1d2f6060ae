/* Learned waiting of a job: what it leaves for later ones, and how they use it. */
#include "job/giq_job_internal.h"

#include "unit.h"

#include "base/giq_os.h"
#include "base/giq_text.h"
#include "job_kit.h"
#include "store/giq_history.h"

static const struct http_kit_response running = JOB_KIT_STATUS("RUNNING");
static const struct http_kit_response requested = JOB_KIT_STATUS("REQUESTED");

/* The scripted service has this address. */
static const char *base_url_of(const struct job_kit *kit)
{
    return kit->service.service->settings.base_url;
}

/* Give the model "m" this many earlier jobs of `duration_ms` each. */
static void plant_history(struct job_kit *kit, int count, int64_t duration_ms)
{
    for (int i = 0; i < count; i++) {
        const struct giq_record record = {.state = GIQ_JOB_SUCCEEDED,
                                          .model_id = (char[]){"m"},
                                          .base_url = (char *)base_url_of(kit),
                                          .finished_ms = i,
                                          .duration_ms = duration_ms};
        giq_history_add(kit->store, &record);
    }
}

static struct giq_history history_of(const struct job_kit *kit)
{
    struct giq_history history;
    giq_history_read(kit->store, base_url_of(kit), "m", &history);
    return history;
}

static bool has_file(const struct job_kit *kit, const char *name)
{
    struct giq_os_stat st;
    struct giq_error err = {0};
    char *path = giq_os_join(kit->folder, name);
    assert_true(giq_os_stat(path, &st, &err));
    free(path);
    return st.kind != GIQ_OS_NOTHING;
}

/* ---- what is learned ---- */

/* The next step, this long after `since_ms`. */
static void step_at(struct job_kit *kit, int64_t since_ms, int64_t after_ms)
{
    enum giq_step step = GIQ_STEP_DONE;
    env_kit_advance(&kit->service.clock, since_ms + after_ms - kit->service.clock.now_ms);
    assert_true(job_kit_step(kit, &step));
}

/* Run a job: status calls at these times after its submission, the last of which reports
 * `end`. */
static void run_job(struct job_kit *kit, const int64_t *call_ms, size_t calls,
                    const char *status, const char *end)
{
    static char bodies[2][100];
    (void)snprintf(bodies[0], sizeof bodies[0], "{\"id\":\"j1\",\"status\":\"%s\"}",
                   status);
    (void)snprintf(bodies[1], sizeof bodies[1], "{\"id\":\"j1\",\"status\":\"%s\"}", end);
    job_kit_start_waiting(kit,
                          (struct http_kit_response){.status = 200, .body = bodies[0]});
    kit->script[1 + calls].body = bodies[1];
    kit->script[2 + calls] = (struct http_kit_response)JOB_KIT_RESULT;
    kit->service.service->deadline_ms += INT64_C(1) << 40;
    assert_int_equal(job_kit_run_to(kit, 2), GIQ_E_NONE);
    int64_t submitted_ms = kit->service.clock.now_ms;
    for (size_t i = 0; i < calls; i++) {
        step_at(kit, submitted_ms, call_ms[i]);
    }
    (void)job_kit_run(kit);
}

static void test_duration_is_learned_if_it_is_known_well(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t call_ms[3];
        size_t calls;
        const char *end;
        int64_t duration_ms; /* 0: not learned */
    } cases[] = {
        {"it ended between two calls", {0, 9000, 10000}, 3, "DONE", 9500},
        {"the gap is just below 15 %", {0, 8501, 10000}, 3, "DONE", 9251},
        {"the gap is 15 %", {0, 8500, 10000}, 3, "DONE", 0},
        {"it was not seen running", {10000}, 1, "DONE", 0},
        {"it failed", {0, 9900, 10000}, 3, "FAILED", 0},
        {"it was denied", {0, 9900, 10000}, 3, "DENIED", 0},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        print_message("%s\n", cases[i].name);
        run_job(&kit, cases[i].call_ms, cases[i].calls, "RUNNING", cases[i].end);
        const struct giq_history history = history_of(&kit);
        assert_int_equal(history.count, cases[i].duration_ms != 0);
        assert_int_equal(kit.job->record.duration_ms, cases[i].duration_ms);
        if (cases[i].duration_ms != 0) {
            assert_int_equal(history.job[0].duration_ms, cases[i].duration_ms);
            assert_int_equal(history.job[0].finished_ms, kit.job->record.finished_ms);
            assert_string_equal(kit.job->record.base_url, base_url_of(&kit));
        }
        job_kit_stop(&kit);
    }
}

static void test_record_holds_what_a_summary_is_rebuilt_from(void **state)
{
    (void)state;
    static const int64_t call_ms[] = {0, 9000, 10000};
    struct job_kit kit;
    run_job(&kit, call_ms, 3, "RUNNING", "DONE");
    assert_true(env_kit_has(kit.job->folder, "job.json", "\"state\":\"published\""));
    assert_true(env_kit_has(kit.job->folder, "job.json",
                            "\"waiting\":{\"duration_ms\":9500,\"base_url\":\"http"));
    job_kit_stop(&kit);
}

/* ---- approval ---- */

static void test_wait_for_approval_is_not_part_of_the_duration(void **state)
{
    (void)state;
    static const int64_t call_ms[] = {0, 500000, 510000, 590000, 600000};
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS,
                  {.status = 200, .body = "{\"id\":\"j1\",\"status\":\"REQUESTED\"}"},
                  JOB_KIT_STATUS("requested"), JOB_KIT_STATUS("REQUESTED"),
                  JOB_KIT_STATUS("RUNNING"), JOB_KIT_STATUS("RUNNING"),
                  JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    kit.service.service->deadline_ms += 1000000;
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    plant_history(&kit, 5, 60000);
    int64_t submitted_ms = kit.service.clock.now_ms;
    for (size_t i = 0; i < GIQ_COUNT(call_ms); i++) {
        char expected[100];
        step_at(&kit, submitted_ms, call_ms[i]);
        (void)snprintf(expected, sizeof expected,
                       "it is waiting for approval on the service, see http://127.0.0.1");
        if (i < 2) {
            assert_string_equal(kit.last_line,
                                i == 0 ? "job j1 requested" : "job j1 REQUESTED");
            assert_int_equal(strncmp(kit.last_detail, expected, strlen(expected)), 0);
        } else if (i == 2) {
            assert_string_equal(kit.last_detail,
                                "about 60 s left (5 jobs of this model took 60 s)");
        }
    }
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    /* Between 80 s and 100 s: approved from 500 s to 510 s, finished from 590 s to 600 s;
     * too vague to be learned. */
    assert_int_equal(kit.job->record.duration_ms, 0);
    job_kit_stop(&kit);
}

static void test_duration_counts_from_the_approval(void **state)
{
    (void)state;
    static const int64_t call_ms[] = {400000, 402000, 490000, 500000};
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("REQUESTED"),
                  JOB_KIT_STATUS("APPROVED"), JOB_KIT_STATUS("RUNNING"),
                  JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    kit.service.service->deadline_ms += 1000000;
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    int64_t submitted_ms = kit.service.clock.now_ms;
    for (size_t i = 0; i < GIQ_COUNT(call_ms); i++) {
        step_at(&kit, submitted_ms, call_ms[i]);
    }
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    /* From 400 to 402 s, until 490 to 500 s. */
    assert_int_equal(kit.job->record.duration_ms, 94000);
    job_kit_stop(&kit);
}

static void test_timeout_names_the_page_of_the_approval(void **state)
{
    (void)state;
    struct job_kit kit;
    char expected[200];
    job_kit_start_waiting(&kit, requested);
    assert_int_equal(job_kit_run(&kit), GIQ_E_TIMEOUT);
    (void)snprintf(
        expected, sizeof expected,
        "the job j1 is still REQUESTED after 600 s; it is waiting for approval "
        "on the service, see %s/; it continues, and",
        base_url_of(&kit));
    assert_int_equal(strncmp(kit.service.err.text, expected, strlen(expected)), 0);
    job_kit_stop(&kit);
}

/* Approvals are given by people: earlier jobs do not predict them. */
static void test_pauses_of_an_approval_are_those_without_history(void **state)
{
    (void)state;
    struct job_kit kit;
    job_kit_start_waiting(&kit, requested);
    plant_history(&kit, 5, 600000);
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    assert_int_equal(job_kit_pause(&kit), 249);
    env_kit_advance(&kit.service.clock, 120000 - 249);
    assert_int_equal(job_kit_pause(&kit), 374);
    job_kit_stop(&kit);
}

/* ---- what is predicted ---- */

static void test_calls_follow_earlier_jobs(void **state)
{
    (void)state;
    struct job_kit kit;
    struct giq_job_view view;
    job_kit_start_waiting(&kit, running);
    kit.service.service->deadline_ms += 1000000;
    plant_history(&kit, 5, 600000);
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    int64_t began_ms = kit.service.clock.now_ms;
    assert_int_equal(job_kit_pause(&kit), 249);
    giq_job_get_view(kit.job, &view);
    assert_int_equal(view.expected_ms, 600000);
    assert_string_equal(kit.last_line, "job j1 RUNNING");
    assert_string_equal(kit.last_detail,
                        "about 10 min left (5 jobs of this model took 10 min)");
    static const struct {
        int64_t age_ms, pause_ms;
    } cases[] = {
        {60000, 10000}, {570000, 6000}, {576000, 12000}, {624000, 12000}, {624001, 18000},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        env_kit_advance(&kit.service.clock,
                        began_ms + cases[i].age_ms - kit.service.clock.now_ms);
        assert_int_equal(job_kit_pause(&kit), cases[i].pause_ms);
    }
    assert_string_equal(kit.last_detail,
                        "longer than the 5 earlier jobs of this model, which took 10 "
                        "min");
    job_kit_stop(&kit);
}

static void test_resumed_wait_counts_from_the_submission(void **state)
{
    (void)state;
    struct job_kit kit;
    job_kit_start_waiting(&kit, running);
    plant_history(&kit, 5, 600000);
    assert_int_equal(job_kit_run_to(&kit, 3), GIQ_E_NONE);
    env_kit_advance(&kit.service.clock, 300000 - 249);
    job_kit_open(&kit, &job_kit_request, 0);
    assert_int_equal(job_kit_run_to(&kit, 3), GIQ_E_NONE);
    enum giq_step step = GIQ_STEP_DONE;
    assert_true(job_kit_step(&kit, &step)); /* reads the record */
    assert_int_equal(job_kit_pause(&kit), 50000);
    assert_string_equal(kit.last_detail,
                        "about 5 min left (5 jobs of this model took 10 min)");
    job_kit_stop(&kit);
}

/* Earlier jobs took 1 s for each km2; this one has 12308 km2, a degree at the equator. */
static void test_durations_are_scaled_to_the_area_of_the_request(void **state)
{
    (void)state;
    static const struct giq_request request = {
        .model = "m", .file = "f", .area = "POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0))"};
    struct job_kit kit;
    struct giq_job_view view;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("RUNNING"),
                  JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    for (int i = 1; i <= 5; i++) {
        const struct giq_record record = {.state = GIQ_JOB_SUCCEEDED,
                                          .model_id = (char[]){"m"},
                                          .base_url = (char *)base_url_of(&kit),
                                          .finished_ms = i,
                                          .duration_ms = INT64_C(1000) * i,
                                          .area_m2 = INT64_C(1000000) * i};
        giq_history_add(kit.store, &record);
    }
    job_kit_open(&kit, &request, 0);
    kit.service.service->deadline_ms += INT64_C(1) << 40;
    assert_int_equal(job_kit_run_to(&kit, 3), GIQ_E_NONE);
    giq_job_get_view(kit.job, &view);
    assert_int_equal(view.expected_ms / 1000, 12308);
    env_kit_advance(&kit.service.clock, 20000);
    kit.job->learning.running_ms = kit.service.clock.now_ms - 1000;
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.job->record.area_m2 / 1000000, 12308);
    assert_int_equal(history_of(&kit).count, 6);
    job_kit_stop(&kit);
}

static void test_record_from_the_future_predicts_from_the_wait(void **state)
{
    (void)state;
    struct job_kit kit;
    job_kit_start_waiting(&kit, running);
    plant_history(&kit, 5, 600000);
    assert_int_equal(job_kit_run_to(&kit, 3), GIQ_E_NONE);
    kit.service.clock.wall_ms -= 3600000;
    job_kit_open(&kit, &job_kit_request, 0);
    enum giq_step step = GIQ_STEP_DONE;
    assert_true(job_kit_step(&kit, &step));
    assert_int_equal(job_kit_pause(&kit), 249);
    assert_string_equal(kit.last_detail,
                        "about 10 min left (5 jobs of this model took 10 min)");
    job_kit_stop(&kit);
}

static void test_fixed_interval_and_retry_after_win(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        int interval_ms;
        int64_t pause_ms;
    } cases[] = {{NULL, 700, 700},
                 {"Retry-After: 5\r\n", 0, 5000},
                 {"Retry-After: 5\r\n", 700, 5000}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct http_kit_response status = JOB_KIT_STATUS("RUNNING");
        struct job_kit kit;
        status.headers = cases[i].headers;
        job_kit_start_waiting(&kit, status);
        kit.service.service->settings.poll_interval_ms = cases[i].interval_ms;
        plant_history(&kit, 5, 600000);
        assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
        for (int calls = 0; calls < 4; calls++) {
            assert_int_equal(job_kit_pause(&kit), cases[i].pause_ms);
        }
        job_kit_stop(&kit);
    }
}

/* ---- what does not read the history ---- */

static void test_opens_that_do_not_wait_read_no_history(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("RUNNING"),
                  JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    job_kit_open(&kit, &job_kit_request, GIQ_JOB_NO_WAIT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_false(has_file(&kit, "waiting")); /* the job was seen running */
    job_kit_open(&kit, &job_kit_request, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "published");
    assert_false(has_file(&kit, "waiting")); /* it had finished */
    job_kit_open(&kit, &job_kit_request, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_false(has_file(&kit, "waiting")); /* it was published */
    job_kit_stop(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duration_is_learned_if_it_is_known_well),
        cmocka_unit_test(test_record_holds_what_a_summary_is_rebuilt_from),
        cmocka_unit_test(test_wait_for_approval_is_not_part_of_the_duration),
        cmocka_unit_test(test_duration_counts_from_the_approval),
        cmocka_unit_test(test_timeout_names_the_page_of_the_approval),
        cmocka_unit_test(test_pauses_of_an_approval_are_those_without_history),
        cmocka_unit_test(test_calls_follow_earlier_jobs),
        cmocka_unit_test(test_resumed_wait_counts_from_the_submission),
        cmocka_unit_test(test_durations_are_scaled_to_the_area_of_the_request),
        cmocka_unit_test(test_record_from_the_future_predicts_from_the_wait),
        cmocka_unit_test(test_fixed_interval_and_retry_after_win),
        cmocka_unit_test(test_opens_that_do_not_wait_read_no_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
