/* RETRY over a job that is recorded as gone: the service is asked once more before a new
 * job is paid for. */
#include "job/giq_job_internal.h"

#include "unit.h"

#include "job_kit.h"
#include "store/giq_record_read.h"

#define RECORD(state)                                                                    \
    "{\"format\":1,\"state\":\"" state "\",\"job_id\":\"j1\",\"model_id\":\"m\","        \
    "\"submitted_at\":\"2020-01-01T00:00:00.000Z\",\"gone\":true}"
#define SUBMITTED RECORD("submitted")
#define SUCCEEDED RECORD("succeeded")
#define NO_JOB                                                                           \
    {                                                                                    \
        .status = 404, .body = "not found"                                               \
    }
#define NEW_RUN                                                                          \
    {                                                                                    \
        .status = 200, .body = "{\"id\":\"j2\",\"status\":\"SUBMITTED\"}"                \
    }
#define NEW_STATUS(word)                                                                 \
    {                                                                                    \
        .status = 200, .body = "{\"id\":\"j2\",\"status\":\"" word "\"}"                 \
    }

enum { RESPONSES_MAX = 9 };

struct recheck {
    const char *record;
    struct http_kit_response responses[RESPONSES_MAX];
    size_t response_count; /* all of which are used */
    enum giq_code code;
    unsigned runs;
    const char *state, *job_id; /* as recorded in the end */
    bool is_gone;
};

static void check_record(const struct job_kit *kit, const struct recheck *expected)
{
    struct giq_record record;
    job_kit_read(kit, &record);
    assert_string_equal(giq_record_state_name(record.state), expected->state);
    assert_string_equal(record.job_id, expected->job_id);
    assert_int_equal(record.gone, expected->is_gone);
    assert_int_equal(giq_record_has_label(&record, "a"), record.job_id[1] == '2');
    giq_record_release(&record);
}

static void check(const struct recheck *expected, unsigned flags)
{
    const struct giq_request request = {.model = "m", .file = "f", .retry = "a"};
    struct job_kit kit;
    job_kit_start(&kit, expected->responses, expected->response_count);
    job_kit_plant(&kit, expected->record);
    job_kit_open(&kit, &request, flags);
    assert_int_equal(job_kit_run(&kit), expected->code);
    assert_int_equal(job_kit_count(&kit, "POST"), expected->runs);
    assert_int_equal(http_kit_count(kit.service.http), expected->response_count);
    check_record(&kit, expected);
    job_kit_stop(&kit);
}

static const struct recheck known[] = {
    {SUBMITTED,
     {JOB_KIT_STATUS("RUNNING"), JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT},
     3,
     GIQ_E_NONE,
     0,
     "published",
     "j1",
     false},
    {SUBMITTED,
     {NO_JOB, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT},
     3,
     GIQ_E_NONE,
     0,
     "published",
     "j1",
     false},
    {SUBMITTED, {JOB_KIT_STATUS("FAILED")}, 1, GIQ_E_FAILED, 0, "failed", "j1", false},
    /* Known and then gone: that is reported, and a later open checks it. */
    {SUBMITTED,
     {JOB_KIT_STATUS("RUNNING"), NO_JOB, NO_JOB},
     3,
     GIQ_E_GONE,
     0,
     "submitted",
     "j1",
     true},
    {SUBMITTED,
     {JOB_KIT_STATUS("DONE"), NO_JOB},
     2,
     GIQ_E_GONE,
     0,
     "succeeded",
     "j1",
     true},
    {SUCCEEDED, {JOB_KIT_RESULT}, 1, GIQ_E_NONE, 0, "published", "j1", false},
};

static void test_job_that_the_service_knows_is_gone_on_with(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(known); i++) {
        check(&known[i], 0);
    }
}

static const struct recheck gone_again[] = {
    {SUBMITTED,
     {NO_JOB, NO_JOB, NEW_RUN, NEW_STATUS("DONE"), JOB_KIT_RESULT},
     5,
     GIQ_E_NONE,
     1,
     "published",
     "j2",
     false},
    {SUCCEEDED,
     {NO_JOB, NEW_RUN, NEW_STATUS("DONE"), JOB_KIT_RESULT},
     4,
     GIQ_E_NONE,
     1,
     "published",
     "j2",
     false},
    {SUBMITTED,
     {NO_JOB, NO_JOB, NEW_RUN, NEW_STATUS("FAILED")},
     4,
     GIQ_E_FAILED,
     1,
     "failed",
     "j2",
     false},
    {SUCCEEDED,
     {NO_JOB, NEW_RUN, NEW_STATUS("DONE"), NO_JOB},
     4,
     GIQ_E_GONE,
     1,
     "succeeded",
     "j2",
     true},
    {SUBMITTED,
     {NO_JOB, NO_JOB, {.status = 422}},
     3,
     GIQ_E_REFUSED,
     1,
     "submitted",
     "j1",
     true},
};

static void test_job_that_is_gone_again_gets_one_new_job(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(gone_again); i++) {
        check(&gone_again[i], 0);
    }
}

static void test_trouble_of_the_check_starts_no_job(void **state)
{
    (void)state;
    static const struct recheck cases[] = {
        {SUBMITTED, {{.status = 401}}, 1, GIQ_E_CREDENTIALS, 0, "submitted", "j1", true},
        {SUBMITTED,
         {NO_JOB, {.status = 200, .body = "<html>"}},
         2,
         GIQ_E_SERVICE,
         0,
         "submitted",
         "j1",
         true},
        {SUBMITTED,
         {NO_JOB, {.status = 503, .headers = "Retry-After: 3600\r\n"}},
         2,
         GIQ_E_TIMEOUT,
         0,
         "submitted",
         "j1",
         true},
        {SUCCEEDED, {{.status = 401}}, 1, GIQ_E_CREDENTIALS, 0, "succeeded", "j1", true},
        {SUCCEEDED,
         {{.status = 500}, {.status = 500}, {.status = 500}, {.status = 500}},
         4,
         GIQ_E_SERVICE,
         0,
         "succeeded",
         "j1",
         true},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        check(&cases[i], 0);
    }
}

static void test_without_waiting_a_gone_job_is_checked_all_the_same(void **state)
{
    (void)state;
    static const struct recheck cases[] = {
        {SUBMITTED,
         {JOB_KIT_STATUS("RUNNING")},
         1,
         GIQ_E_NONE,
         0,
         "submitted",
         "j1",
         false},
        {SUBMITTED,
         {NO_JOB, NO_JOB, NEW_RUN, NEW_STATUS("RUNNING")},
         4,
         GIQ_E_NONE,
         1,
         "submitted",
         "j2",
         false},
        {SUCCEEDED, {JOB_KIT_RESULT}, 1, GIQ_E_NONE, 0, "published", "j1", false},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        check(&cases[i], GIQ_JOB_NO_WAIT);
    }
}

static void
test_gone_is_reported_without_a_request_where_nothing_may_be_paid(void **state)
{
    (void)state;
    static const char *const records[] = {SUBMITTED, SUCCEEDED};
    static const struct {
        const char *retry;
        unsigned flags;
    } opens[] = {{NULL, 0}, {"a", GIQ_JOB_NO_SUBMIT}};
    for (size_t i = 0; i < GIQ_COUNT(records) * GIQ_COUNT(opens); i++) {
        const struct giq_request request = {
            .model = "m", .file = "f", .retry = opens[i / 2].retry};
        struct job_kit kit;
        job_kit_start(&kit, NULL, 0);
        job_kit_plant(&kit, records[i % 2]);
        job_kit_open(&kit, &request, opens[i / 2].flags);
        assert_int_equal(job_kit_run(&kit), GIQ_E_GONE);
        assert_int_equal(http_kit_count(kit.service.http), 0);
        job_kit_stop(&kit);
    }
}

static void test_gone_job_that_is_named_is_asked_for_and_never_paid_again(void **state)
{
    (void)state;
    static const struct recheck cases[] = {
        {SUBMITTED, {NO_JOB, NO_JOB}, 2, GIQ_E_GONE, 0, "submitted", "j1", true},
        {SUCCEEDED, {NO_JOB}, 1, GIQ_E_GONE, 0, "succeeded", "j1", true},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct giq_request request = {
            .model = "m", .file = "f", .job = "j1", .retry = "a"};
        struct job_kit kit;
        job_kit_start(&kit, cases[i].responses, cases[i].response_count);
        job_kit_plant(&kit, cases[i].record);
        job_kit_open(&kit, &request, 0);
        assert_int_equal(job_kit_run(&kit), cases[i].code);
        assert_int_equal(job_kit_count(&kit, "POST"), 0);
        check_record(&kit, &cases[i]);
        job_kit_stop(&kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job_that_the_service_knows_is_gone_on_with),
        cmocka_unit_test(test_job_that_is_gone_again_gets_one_new_job),
        cmocka_unit_test(test_trouble_of_the_check_starts_no_job),
        cmocka_unit_test(test_without_waiting_a_gone_job_is_checked_all_the_same),
        cmocka_unit_test(
            test_gone_is_reported_without_a_request_where_nothing_may_be_paid),
        cmocka_unit_test(test_gone_job_that_is_named_is_asked_for_and_never_paid_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
