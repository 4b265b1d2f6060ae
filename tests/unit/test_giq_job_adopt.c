/* Adopting a job that exists, and opening one by its id. */
#include "job/giq_job_internal.h"

#include "unit.h"

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
    assert_non_null(
        strstr(kit.service.err.text,
               "the job j1 could not be checked, and nothing was recorded: "));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_naming_a_job_is_tried_max_retry_times_more),
        cmocka_unit_test(test_adopted_job_outlives_trouble_that_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
