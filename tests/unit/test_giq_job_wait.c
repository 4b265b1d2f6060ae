/* Waiting for a job: when it is asked for, and recording its end. */
#include "job/giq_job_internal.h"

#include "unit.h"

#include "base/giq_text.h"
#include "base/giq_tree.h"
#include "job_kit.h"

static const struct http_kit_response running = JOB_KIT_STATUS("RUNNING");

static void test_first_status_call_comes_at_once(void **state)
{
    (void)state;
    struct job_kit kit;
    job_kit_start_waiting(&kit, running);
    int64_t began_ms = kit.service.clock.now_ms;
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "submitted");
    assert_true(kit.service.clock.now_ms == began_ms);
    assert_true(kit.due_ms == began_ms);
    assert_true(job_kit_pause(&kit) == 249);
    assert_int_equal(http_kit_count(kit.service.http), 3);
    job_kit_stop(&kit);
}

static void test_pauses_grow_by_half_up_to_a_twelfth_of_the_wait(void **state)
{
    (void)state;
    static const struct {
        uint32_t random;
        int64_t elapsed_ms, pause_ms; /* of the wait before this call, and what follows */
    } cases[] = {
        {512, 0, 249},     {512, 3000, 249},   {0, 0, 187},         {1024, 0, 250},
        {512, 3120, 260},  {512, 12000, 374},  {0, 12000, 281},     {1024, 12000, 468},
        {1024, 4800, 400}, {512, 600000, 374}, {512, 3600000, 374},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        job_kit_start_waiting(&kit, running);
        kit.service.service->deadline_ms += 4000000;
        assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
        kit.service.clock.random = cases[i].random;
        if (cases[i].elapsed_ms > 0) {
            int64_t first = job_kit_pause(&kit);
            env_kit_advance(&kit.service.clock, cases[i].elapsed_ms - first);
        }
        assert_true(job_kit_pause(&kit) == cases[i].pause_ms);
        job_kit_stop(&kit);
    }
}

static void test_no_pause_is_longer_than_its_limit(void **state)
{
    (void)state;
    static const struct {
        uint32_t random;
        int64_t longest_ms;
    } cases[] = {{0, 22500}, {512, 30000}, {1024, 30000}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        int64_t longest_ms = 0;
        job_kit_start_waiting(&kit, running);
        kit.service.service->deadline_ms += 3000000;
        assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
        kit.service.clock.random = cases[i].random;
        int64_t began_ms = kit.service.clock.now_ms;
        for (int calls = 0; calls < 150; calls++) {
            int64_t limit = (kit.service.clock.now_ms - began_ms) / 12;
            limit = limit < 250 ? 250 : limit;
            int64_t pause = job_kit_pause(&kit);
            assert_true(pause >= 187 && pause <= limit);
            longest_ms = pause > longest_ms ? pause : longest_ms;
        }
        assert_true(longest_ms == cases[i].longest_ms);
        job_kit_stop(&kit);
    }
}

static void test_asked_pauses_and_fixed_intervals(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        int interval_ms;
        int64_t pause_ms;
    } cases[] = {
        {NULL, 700, 700},
        {"Retry-After: 5\r\n", 0, 5000},
        {"Retry-After: 5\r\n", 700, 5000},
        {"Retry-After: 0\r\n", 0, 250},
        {"Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 700, 250},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct http_kit_response status = running;
        struct job_kit kit;
        status.headers = cases[i].headers;
        job_kit_start_waiting(&kit, status);
        kit.service.service->settings.poll_interval_ms = cases[i].interval_ms;
        assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
        for (int calls = 0; calls < 4; calls++) {
            assert_true(job_kit_pause(&kit) == cases[i].pause_ms);
        }
        job_kit_stop(&kit);
    }
}

/* ---- the end of the open's time ---- */

static void test_wait_ends_with_the_open_and_goes_on_in_the_next(void **state)
{
    (void)state;
    struct job_kit kit;
    job_kit_start_waiting(&kit, running);
    int64_t began_ms = kit.service.clock.now_ms;
    assert_int_equal(job_kit_run(&kit), GIQ_E_TIMEOUT);
    assert_true(kit.service.clock.now_ms == began_ms + 600000);
    assert_non_null(strstr(kit.service.err.text, "job j1 is still RUNNING after 600 s"));
    assert_string_equal(job_kit_state(&kit), "submitted");
    size_t before = http_kit_count(kit.service.http);
    job_kit_open(&kit, &job_kit_request, 0);
    assert_int_equal(job_kit_run_to(&kit, before + 1), GIQ_E_NONE);
    assert_int_equal(job_kit_count(&kit, "POST"), 1);
    job_kit_stop(&kit);
}

static void test_open_without_time_asks_once(void **state)
{
    (void)state;
    struct job_kit kit;
    job_kit_start_waiting(&kit, running);
    kit.service.service->settings.timeout_ms = 0;
    kit.service.service->deadline_ms = kit.service.clock.now_ms;
    assert_int_equal(job_kit_run(&kit), GIQ_E_TIMEOUT);
    assert_int_equal(http_kit_count(kit.service.http), 3);
    assert_string_equal(job_kit_state(&kit), "submitted");
    job_kit_stop(&kit);
}

static void test_retry_after_beyond_the_open_ends_it(void **state)
{
    (void)state;
    struct http_kit_response status = running;
    struct job_kit kit;
    status.headers = "Retry-After: 601\r\n";
    job_kit_start_waiting(&kit, status);
    assert_int_equal(job_kit_run(&kit), GIQ_E_TIMEOUT);
    assert_int_equal(http_kit_count(kit.service.http), 3);
    assert_non_null(strstr(kit.service.err.text,
                           "still RUNNING after 0 s; Retry-After: 601 s; it "
                           "continues"));
    job_kit_stop(&kit);
}

/* ---- recording the end ---- */

static void test_end_of_a_job_is_not_recorded_as_that_of_another(void **state)
{
    (void)state;
    /* Between the last status call and its recording: a new job by RETRY, its request
     * under way, and a record that was removed. */
    static const struct {
        const char *job_json, *state_after;
        enum giq_code code;
    } cases[] = {
        {"{\"format\":2,\"state\":\"submitted\",\"job_id\":\"j2\",\"attempt\":2}",
         "submitted", GIQ_E_NONE},
        {"{\"format\":2,\"state\":\"sending\",\"model_id\":\"m\",\"attempt\":2}",
         "sending", GIQ_E_NONE},
        {NULL, "none", GIQ_E_STORE},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct job_kit kit;
        enum giq_step step = GIQ_STEP_AGAIN;
        job_kit_start_waiting(&kit, running);
        kit.script[3] = (struct http_kit_response)JOB_KIT_STATUS("FAILED");
        assert_int_equal(job_kit_run_to(&kit, 4), GIQ_E_NONE);
        if (cases[i].job_json == NULL) {
            assert_true(giq_tree_remove(kit.job->folder, &kit.service.err));
        } else {
            job_kit_plant(&kit, cases[i].job_json);
        }
        bool ok = job_kit_step(&kit, &step);
        assert_int_equal(ok ? GIQ_E_NONE : kit.service.err.code, cases[i].code);
        assert_string_equal(job_kit_state(&kit), cases[i].state_after);
        assert_int_equal(job_kit_count(&kit, "POST"), 1);
        job_kit_stop(&kit);
    }
}

static void test_result_of_another_job_is_not_fetched_before_its_end(void **state)
{
    (void)state;
    struct job_kit kit;
    enum giq_step step = GIQ_STEP_AGAIN;
    job_kit_start_waiting(&kit, running);
    kit.script[2] = (struct http_kit_response)JOB_KIT_STATUS("DONE");
    while (strcmp(job_kit_state(&kit), "succeeded") != 0) {
        assert_true(job_kit_step(&kit, &step));
    }
    assert_true(job_kit_step(&kit, &step)); /* looks, and means to fetch */
    job_kit_plant(&kit, "{\"format\":2,\"state\":\"submitted\",\"job_id\":\"j2\","
                        "\"attempt\":2}");
    assert_true(job_kit_step(&kit, &step));
    assert_int_equal(job_kit_count(&kit, "GET /inference/download"), 0);
    assert_string_equal(job_kit_state(&kit), "submitted");
    job_kit_stop(&kit);
}

/* As `forget` of another program does, between two steps of an open that waits. */
static void test_record_that_was_removed_leads_to_no_other_job(void **state)
{
    (void)state;
    for (int steps = 0; steps < 2; steps++) {
        struct job_kit kit;
        enum giq_step step = GIQ_STEP_AGAIN;
        job_kit_start_waiting(&kit, running);
        kit.script[2] = (struct http_kit_response)JOB_KIT_STATUS("DONE");
        while (strcmp(job_kit_state(&kit), "succeeded") != 0) {
            assert_true(job_kit_step(&kit, &step));
        }
        for (int i = 0; i < steps; i++) {
            assert_true(job_kit_step(&kit, &step));
        }
        assert_true(giq_tree_remove(kit.job->folder, &kit.service.err));
        assert_int_equal(job_kit_run(&kit), GIQ_E_STORE);
        assert_non_null(strstr(kit.service.err.text, "the record of the job j1 was"));
        assert_int_equal(job_kit_count(&kit, "POST"), 1);
        job_kit_stop(&kit);
    }
}

/* It had no job: the tickets that the open knew of are gone with it. */
static void test_record_that_was_removed_while_throttled_is_begun_anew(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, {.status = 429}, JOB_KIT_RUN,
                  JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "intent");
    assert_true(giq_tree_remove(kit.job->folder, &kit.service.err));
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "published");
    assert_int_equal(job_kit_count(&kit, "POST"), 2);
    job_kit_stop(&kit);
}

static void test_what_is_told_with_the_end_is_recorded(void **state)
{
    (void)state;
    struct job_kit kit;
    struct giq_job_view view;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN,
                  {.status = 200,
                   .body = "{\"id\":\"j1\",\"status\":\"DONE\",\"type\":\"T\","
                           "\"startedAt\":1714521600000}"},
                  JOB_KIT_RESULT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    job_kit_open(&kit, &job_kit_request, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    giq_job_get_view(kit.job, &view);
    assert_int_equal(view.state, GIQ_JOB_PUBLISHED);
    assert_true(view.started_ms == INT64_C(1714521600000));
    assert_true(env_kit_has(kit.job->folder, "job.json", "\"type\":\"T\""));
    job_kit_stop(&kit);
}

static void test_unknown_state_is_warned_of_once(void **state)
{
    (void)state;
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("MARINATING"),
                  JOB_KIT_STATUS("BAKING"), JOB_KIT_STATUS("done"), JOB_KIT_RESULT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(kit.service.clock.warnings, 1);
    assert_string_equal(kit.service.clock.warned,
                        "the job j1 has the status \"MARINATING\", which this version of "
                        "the driver does not know; it is treated as running");
    assert_int_equal(kit.progress, 3);
    assert_string_equal(kit.last_line, "job j1 done");
    job_kit_stop(&kit);
}

/* ---- what the service says at length ---- */

static void test_longest_id_and_state_fit_into_the_progress_line(void **state)
{
    (void)state;
    char body[1200];
    char done[1200];
    char id[GIQ_JSON_ID_MAX + 1];
    char word[401];
    memset(id, 'i', sizeof id);
    memset(word, 'w', sizeof word);
    id[sizeof id - 1] = '\0';
    word[sizeof word - 1] = '\0';
    (void)snprintf(body, sizeof body, "{\"id\":\"%s\",\"status\":\"%s\"}", id, word);
    (void)snprintf(done, sizeof done, "{\"id\":\"%s\",\"status\":\"DONE\"}", id);
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_MODELS, {.status = 200, .body = body},
                  {.status = 200, .body = body}, {.status = 200, .body = done},
                  JOB_KIT_RESULT);
    assert_int_equal(job_kit_run_to(&kit, 3), GIQ_E_NONE);
    assert_int_equal(strlen(kit.last_line),
                     strlen("job  ") + 2 * (size_t)GIQ_TEXT_PRINTABLE_MAX);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    job_kit_stop(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_status_call_comes_at_once),
        cmocka_unit_test(test_pauses_grow_by_half_up_to_a_twelfth_of_the_wait),
        cmocka_unit_test(test_no_pause_is_longer_than_its_limit),
        cmocka_unit_test(test_asked_pauses_and_fixed_intervals),
        cmocka_unit_test(test_wait_ends_with_the_open_and_goes_on_in_the_next),
        cmocka_unit_test(test_open_without_time_asks_once),
        cmocka_unit_test(test_retry_after_beyond_the_open_ends_it),
        cmocka_unit_test(test_end_of_a_job_is_not_recorded_as_that_of_another),
        cmocka_unit_test(test_result_of_another_job_is_not_fetched_before_its_end),
        cmocka_unit_test(test_record_that_was_removed_leads_to_no_other_job),
        cmocka_unit_test(test_record_that_was_removed_while_throttled_is_begun_anew),
        cmocka_unit_test(test_what_is_told_with_the_end_is_recorded),
        cmocka_unit_test(test_unknown_state_is_warned_of_once),
        cmocka_unit_test(test_longest_id_and_state_fit_into_the_progress_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
