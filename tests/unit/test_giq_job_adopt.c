/* Adopting a job that exists, and opening one by its id. */
#include "base/giq_os.h"
#include "base/giq_tree.h"
#include "job/giq_job_internal.h"

#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "job_kit.h"

/* ---- a service in trouble ---- */

/* The two ways to name a job of which there is no record. */
static const struct giq_request names[] = {{.job = "j1"},
                                           {.model = "m", .file = "f", .job = "j1"}};

struct trouble {
    struct http_kit_response response;
    size_t calls; /* before the open ends */
    int64_t waited_ms;
    enum giq_code code;
};

static void check_trouble(const struct trouble *trouble, const struct giq_request *name,
                          unsigned flags)
{
    struct http_kit_response responses[JOB_KIT_RESPONSES];
    struct job_kit kit;
    for (size_t i = 0; i < JOB_KIT_RESPONSES; i++) {
        responses[i] = trouble->response;
    }
    job_kit_start(&kit, responses, JOB_KIT_RESPONSES);
    job_kit_open(&kit, name, flags);
    int64_t began_ms = kit.service.clock.now_ms;
    assert_int_equal(job_kit_run(&kit), trouble->code);
    assert_int_equal(job_kit_count(&kit, "GET /inference/status"), trouble->calls);
    assert_int_equal(http_kit_count(kit.service.http), trouble->calls);
    assert_true(kit.service.clock.now_ms - began_ms == trouble->waited_ms);
    const char *text =
        trouble->code == GIQ_E_GONE
            ? "the service does not have the job j1; check the id (nothing was "
              "recorded): "
            : "the job j1 could not be checked, and nothing was recorded: ";
    assert_int_equal(strncmp(kit.service.err.text, text, strlen(text)), 0);
    assert_int_equal(access(kit.job->folder, F_OK), -1);
    job_kit_stop(&kit);
}

static void test_naming_a_job_is_tried_max_retry_times_more(void **state)
{
    (void)state;
    static const struct trouble cases[] = {
        {{.status = 503}, 4, 7000, GIQ_E_SERVICE},
        {{.status = 429, .headers = "Retry-After: 9\r\n"}, 4, 27000, GIQ_E_SERVICE},
        {{.status = 503, .headers = "Retry-After: 600\r\n"}, 1, 0, GIQ_E_SERVICE},
        {{.status = 200, .body = "{\"id\":\"j2\",\"status\":\"DONE\"}"},
         4,
         7000,
         GIQ_E_SERVICE},
        {{.status = 200, .body = "{}"}, 4, 7000, GIQ_E_SERVICE},
        {{.status = 200, .body = "<html>"}, 1, 0, GIQ_E_SERVICE},
        {{.status = 401}, 1, 0, GIQ_E_CREDENTIALS},
        {{.status = 404}, 1, 0, GIQ_E_GONE},
        {{.status = 410}, 1, 0, GIQ_E_GONE},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        for (size_t k = 0; k < GIQ_COUNT(names); k++) {
            check_trouble(&cases[i], &names[k], 0);
            check_trouble(&cases[i], &names[k], GIQ_JOB_NO_WAIT);
        }
    }
}

static void test_adopted_job_outlives_trouble_that_passes(void **state)
{
    (void)state;
    static const struct http_kit_response busy = {.status = 503};
    /* After the first response it is a job like others: it is waited for. */
    const struct http_kit_response responses[] = {
        busy, busy, busy, JOB_KIT_STATUS("RUNNING"), busy,
        busy, busy, busy, JOB_KIT_STATUS("DONE"),    JOB_KIT_RESULT};
    for (size_t k = 0; k < GIQ_COUNT(names); k++) {
        struct job_kit kit;
        job_kit_start(&kit, responses, GIQ_COUNT(responses));
        job_kit_open(&kit, &names[k], 0);
        assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
        assert_string_equal(job_kit_state(&kit), "published");
        assert_int_equal(http_kit_count(kit.service.http), GIQ_COUNT(responses));
        job_kit_stop(&kit);
    }
}

/* ---- a record that changes while the job is searched for ---- */

UNIT_WRAPS(giq_record_read_request);

/* What job.json becomes after the next request.json that is read; "" removes it, NULL
 * leaves it. */
static const char *next_job_json;

bool __wrap_giq_record_read_request(const char *folder, struct giq_json **out,
                                    struct giq_error *err)
{
    bool ok = __real_giq_record_read_request(folder, out, err);
    if (next_job_json != NULL && next_job_json[0] != '\0') {
        env_kit_write(folder, "job.json", next_job_json);
    } else if (next_job_json != NULL) {
        struct giq_error ignored = {0};
        char *path = giq_os_join(folder, "job.json");
        assert_true(giq_os_remove(path, &ignored));
        free(path);
    }
    next_job_json = NULL;
    return ok;
}

static void test_job_whose_record_goes_while_it_is_found_is_not_submitted(void **state)
{
    (void)state;
    static const char *const later[] = {
        "",
        ("{\"format\":1,\"state\":\"sending\",\"before\":{\"format\":1,"
         "\"state\":\"failed\",\"job_id\":\"j1\"}}"),
        "{\"format\":1,\"state\":\"intent\"}",
        "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"j2\"}",
    };
    static const struct giq_request by_id = {.job = "j1"};
    for (size_t i = 0; i < GIQ_COUNT(later); i++) {
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
        job_kit_plant(&kit, "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"j1\"}");
        job_kit_open(&kit, &by_id, 0);
        next_job_json = later[i];
        assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
        assert_null(next_job_json);
        assert_int_equal(job_kit_count(&kit, "POST"), 0);
        assert_string_equal(job_kit_state(&kit), "published");
        assert_string_equal(kit.job->record.job_id, "j1");
        job_kit_stop(&kit);
    }
}

static void test_job_is_found_whatever_the_case_of_its_id(void **state)
{
    (void)state;
    static const struct giq_request by_id = {.job = "J1"};
    struct job_kit kit;
    JOB_KIT_START(&kit, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    job_kit_plant(&kit, "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"j1\"}");
    char *folder = strdup(kit.job->folder);
    job_kit_open(&kit, &by_id, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(kit.job->folder, folder);
    free(folder);
    job_kit_stop(&kit);
}

static void test_job_whose_record_goes_before_it_is_locked_is_not_submitted(void **state)
{
    (void)state;
    static const struct giq_request by_id = {.job = "j1"};
    struct job_kit kit;
    JOB_KIT_START(&kit, {.status = 500}, {.status = 500}, JOB_KIT_RUN);
    job_kit_plant(&kit, "{\"format\":1,\"state\":\"succeeded\",\"job_id\":\"j1\"}");
    job_kit_open(&kit, &by_id, 0);
    enum giq_step step;
    assert_true(job_kit_step(&kit, &step));
    assert_int_equal(kit.job->phase, GIQ_PHASE_FETCH);
    env_kit_write(kit.job->folder, "job.json", "{\"format\":1,\"state\":\"intent\"}");
    assert_int_equal(job_kit_run(&kit), GIQ_E_STORE);
    assert_non_null(strstr(kit.service.err.text, "the record of the job j1 was removed"));
    assert_int_equal(http_kit_count(kit.service.http), 0);
    job_kit_stop(&kit);
}

/* With a label the job could not be adopted again, and without "job" it would be paid for
 * once more: the advice names the job alone. */
static void test_advice_on_a_removed_record_pays_for_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *rerun;
        const char *advice;
    } cases[] = {
        {NULL, "; open the same dataset with job=<id>, or it starts a new job"},
        {"a", "; open GIQ:job=<id>, because the same dataset starts a new job"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_request request = job_kit_request;
        request.rerun = cases[i].rerun;
        struct job_kit kit;
        JOB_KIT_START(&kit, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
        job_kit_open(&kit, &request, 0);
        job_kit_plant(&kit, "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"j1\"}");
        enum giq_step step;
        assert_true(job_kit_step(&kit, &step));
        assert_true(giq_tree_remove(kit.job->folder, &kit.service.err));
        assert_int_equal(job_kit_run(&kit), GIQ_E_STORE);
        assert_non_null(strstr(kit.service.err.text, cases[i].advice));
        job_kit_stop(&kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job_is_found_whatever_the_case_of_its_id),
        cmocka_unit_test(test_advice_on_a_removed_record_pays_for_nothing),
        cmocka_unit_test(test_naming_a_job_is_tried_max_retry_times_more),
        cmocka_unit_test(test_adopted_job_outlives_trouble_that_passes),
        cmocka_unit_test(test_job_whose_record_goes_while_it_is_found_is_not_submitted),
        cmocka_unit_test(test_job_whose_record_goes_before_it_is_locked_is_not_submitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
