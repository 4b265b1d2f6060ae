#include "store/giq_record.h"
#include "store/giq_record_read.h"

#include "unit.h"

#include <unistd.h>

#include "base/giq_cleanup.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "env_kit.h"

#define REQUEST "{\"format\":1,\"base_url\":\"https://x\",\"model\":\"m\"}"

static bool read_record(const char *folder, const char *request,
                        struct giq_record *record, struct giq_error *err)
{
    *err = (struct giq_error){0};
    giq_record_init(record);
    return giq_record_read(folder, request, record, NULL, err);
}

/* Record that a run request is going to be sent. */
static void write_sending(const char *folder, int attempt, struct giq_record *record)
{
    struct giq_error err = {0};
    record->state = GIQ_JOB_SENDING;
    record->attempt = attempt;
    assert_true(giq_record_write(folder, GIQ_OS_PRIVATE, record, &err));
}

static void test_names_of_states(void **state)
{
    (void)state;
    static const struct {
        enum giq_job_state state;
        const char *name;
    } cases[] = {{GIQ_JOB_NONE, "none"},           {GIQ_JOB_INTENT, "intent"},
                 {GIQ_JOB_SENDING, "sending"},     {GIQ_JOB_SUBMITTED, "submitted"},
                 {GIQ_JOB_SUCCEEDED, "succeeded"}, {GIQ_JOB_PUBLISHED, "published"},
                 {GIQ_JOB_FAILED, "failed"},       {GIQ_JOB_UNKNOWN, "unknown"}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_string_equal(giq_record_state_name(cases[i].state), cases[i].name);
    }
}

static void test_nothing_recorded(void **state)
{
    const char *folder = *state;
    GIQ_AUTO(giq_record_release) struct giq_record record;
    struct giq_error err;
    assert_true(read_record(folder, REQUEST, &record, &err));
    assert_int_equal(record.state, GIQ_JOB_NONE);
    assert_null(record.job_id);
    assert_true(record.result_size == -1);
    assert_true(record.started_ms == GIQ_TIME_NONE);
}

static void fill(struct giq_record *record)
{
    giq_record_init(record);
    record->state = GIQ_JOB_PUBLISHED;
    assert_true(giq_text_set(&record->job_id, "j\"1"));
    assert_true(giq_text_set(&record->model_id, "m"));
    assert_true(giq_text_set(&record->type, "T"));
    assert_true(giq_text_set(&record->status, "DONE"));
    assert_true(giq_text_set(&record->error, "caf\xc3\xa9"));
    assert_true(giq_text_set(&record->result_name, "a.tif"));
    record->gone = true;
    record->started_ms = INT64_C(1714521600001);
    record->submitted_ms = INT64_C(1714521600002);
    record->finished_ms = INT64_C(1714521600003);
    record->result_size = INT64_C(5000000000);
}

static void test_record_comes_back_as_written(void **state)
{
    const char *folder = *state;
    GIQ_AUTO(giq_record_release) struct giq_record written;
    GIQ_AUTO(giq_record_release) struct giq_record record;
    struct giq_error err = {0};
    fill(&written);
    assert_true(giq_record_write_request(folder, GIQ_OS_PRIVATE, REQUEST, &err));
    assert_true(giq_record_write(folder, GIQ_OS_PRIVATE, &written, &err));
    assert_true(read_record(folder, REQUEST, &record, &err));
    assert_int_equal(record.state, GIQ_JOB_PUBLISHED);
    assert_string_equal(record.job_id, "j\"1");
    assert_string_equal(record.model_id, "m");
    assert_string_equal(record.type, "T");
    assert_string_equal(record.status, "DONE");
    assert_string_equal(record.error, "caf\xc3\xa9");
    assert_string_equal(record.result_name, "a.tif");
    assert_true(record.gone);
    assert_true(record.started_ms == written.started_ms);
    assert_true(record.submitted_ms == written.submitted_ms);
    assert_true(record.finished_ms == written.finished_ms);
    assert_true(record.result_size == INT64_C(5000000000));
}

static void test_what_is_taken_away_is_gone_from_the_file(void **state)
{
    const char *folder = *state;
    GIQ_AUTO(giq_record_release) struct giq_record record;
    struct giq_error err = {0};
    env_kit_write(
        folder, "job.json",
        "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"j\",\"error\":\"e\","
        "\"submitted_at\":\"2024-05-01T00:00:00Z\",\"future\":[1,{\"a\":2}],"
        "\"result\":{\"size\":1}}");
    assert_true(read_record(folder, NULL, &record, &err));
    assert_true(giq_text_set(&record.error, NULL));
    record.submitted_ms = GIQ_TIME_NONE;
    record.result_size = -1;
    record.state = GIQ_JOB_INTENT;
    assert_true(giq_record_write(folder, GIQ_OS_PRIVATE, &record, &err));
    env_kit_expect(folder, "job.json",
                   "{\"format\":2,\"state\":\"intent\",\"job_id\":\"j\","
                   "\"future\":[1,{\"a\":2}],\"gone\":false}\n");
}

static void test_unknown_members_of_the_result_survive(void **state)
{
    const char *folder = *state;
    GIQ_AUTO(giq_record_release) struct giq_record record;
    struct giq_error err = {0};
    env_kit_write(folder, "job.json",
                  "{\"format\":1,\"state\":\"published\",\"job_id\":\"j\","
                  "\"result\":{\"name\":\"a\",\"future\":[9007199254740993,1.10],"
                  "\"size\":1}}");
    assert_true(read_record(folder, NULL, &record, &err));
    assert_true(giq_text_set(&record.result_name, "b"));
    assert_true(giq_record_write(folder, GIQ_OS_PRIVATE, &record, &err));
    assert_true(env_kit_has(folder, "job.json",
                            "\"result\":{\"name\":\"b\","
                            "\"future\":[9007199254740993,1.10],\"size\":1}"));
}

static void test_damaged_and_newer_records_are_errors(void **state)
{
    const char *folder = *state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", "is damaged"},
        {"{\"format\":1,\"state\":\"intent\"", "is damaged"},
        {"{\"format\":1,\"state\":\"intent\"} x", "is damaged"},
        {"[]", "is damaged"},
        {"{\"format\":1}", "is damaged"},
        {"{\"format\":1,\"state\":\"none\"}", "is damaged"},
        {"{\"format\":1,\"state\":\"Intent\"}", "is damaged"},
        {"{\"format\":1,\"state\":\"submitted\"}", "is damaged"},
        {"{\"format\":1,\"state\":\"succeeded\",\"job_id\":\"\"}", "is damaged"},
        {"{\"format\":1,\"state\":\"intent\",\"result\":{\"name\":\"a/b\"}}",
         "is damaged"},
        {"{\"format\":1,\"state\":\"intent\",\"result\":{\"name\":\"..\"}}",
         "is damaged"},
        {"{\"format\":1,\"state\":\"intent\",\"result\":{\"name\":\"\"}}", "is damaged"},
        {"{\"state\":\"intent\"}", "has no valid format number"},
        {"{\"format\":0,\"state\":\"intent\"}", "has no valid format number"},
        {"{\"format\":\"1\",\"state\":\"intent\"}", "has no valid format number"},
        {"{\"format\":3,\"state\":\"intent\"}", "was written by a newer version"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_record record;
        struct giq_error err;
        env_kit_write(folder, "job.json", cases[i].text);
        assert_false(read_record(folder, NULL, &record, &err));
        assert_int_equal(err.code, GIQ_E_STORE);
        assert_non_null(strstr(err.text, "job.json"));
        assert_non_null(strstr(err.text, cases[i].part));
        assert_int_equal(record.state, GIQ_JOB_NONE);
    }
}

static void test_damaged_record_comes_back_whatever_it_was(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"format\":1,\"state\":\"sub",
        "{\"format\":1,\"state\":\"x\",\"before\":{\"damaged\":true}}"};
    static const char *const requests[] = {REQUEST, "{", ""};
    for (size_t n = 0; n < GIQ_COUNT(texts) * GIQ_COUNT(requests); n++) {
        size_t i = n / GIQ_COUNT(requests);
        size_t k = n % GIQ_COUNT(requests);
        char *folder = env_kit_folder();
        struct giq_record record;
        struct giq_error err = {0};
        giq_record_init(&record);
        env_kit_write(folder, "job.json", texts[i]);
        env_kit_write(folder, "request.json", requests[k]);
        assert_true(
            giq_record_quarantine(folder, GIQ_OS_PRIVATE, REQUEST, &record, &err));
        char *written = env_kit_read(folder, "request.json");
        assert_int_equal(strncmp(written, REQUEST, strlen(REQUEST)), 0);
        free(written);
        write_sending(folder, 1, &record);
        assert_true(giq_record_undo(folder, GIQ_OS_PRIVATE, 1, "", false, &err));
        giq_record_release(&record);
        env_kit_expect(folder, "job.json", texts[i]);
        env_kit_expect(folder, "request.json", requests[k]);
        env_kit_remove(folder);
    }
}

static void test_record_of_another_request_is_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *there; /* request.json, or NULL */
        bool ok;
    } cases[] = {{REQUEST, true},           {REQUEST "\n", true}, {REQUEST " ", false},
                 {"{\"format\":1}", false}, {"", false},          {NULL, false}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char *folder = env_kit_folder();
        struct giq_record record;
        struct giq_error err;
        if (cases[i].there != NULL) {
            env_kit_write(folder, "request.json", cases[i].there);
        }
        env_kit_write(folder, "job.json", "{\"format\":1,\"state\":\"intent\"}");
        assert_int_equal(read_record(folder, REQUEST, &record, &err), cases[i].ok);
        giq_record_release(&record);
        assert_true(read_record(folder, NULL, &record, &err));
        giq_record_release(&record);
        env_kit_remove(folder);
    }
}

static bool is_damaged(const char *folder)
{
    struct giq_record record;
    struct giq_error err = {0};
    bool damaged = false;
    giq_record_init(&record);
    assert_false(giq_record_read(folder, REQUEST, &record, &damaged, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    giq_record_release(&record);
    return damaged;
}

static void test_only_damage_lets_a_further_job_replace_a_record(void **state)
{
    const char *folder = *state;
    char path[4096];
    env_kit_write(folder, "job.json", "{\"format\":1,\"state\":\"published\"}");
    assert_true(is_damaged(folder));
    env_kit_write(folder, "job.json", "{\"format\":1,\"state\":\"unknown\"}");
    assert_true(is_damaged(folder)); /* without a request */
    env_kit_write(folder, "request.json", "{}");
    assert_true(is_damaged(folder));
    (void)snprintf(path, sizeof path, "%s/request.json", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("request.json", path), 0); /* it cannot be opened */
    assert_false(is_damaged(folder));
    assert_int_equal(unlink(path), 0);
    env_kit_write(folder, "job.json", "{\"format\":3,\"state\":\"unknown\"}");
    assert_false(is_damaged(folder));
}

static void test_ids_of_earlier_jobs_are_kept(void **state)
{
    const char *folder = *state;
    struct giq_error err = {0};
    GIQ_AUTO(giq_record_release) struct giq_record record;
    giq_record_init(&record);
    env_kit_write(folder, "job.json",
                  "{\"format\":1,\"state\":\"failed\",\"job_id\":\"j1\"}");
    for (int i = 2; i <= 3; i++) {
        char id[] = {'j', (char)('0' + i), '\0'};
        assert_true(giq_record_read(folder, NULL, &record, NULL, &err));
        assert_true(giq_record_restart(&record, &err));
        record.state = GIQ_JOB_SUBMITTED;
        record.job_id = strdup(id);
        assert_true(giq_record_write(folder, GIQ_STORE_PRIVATE, &record, &err));
    }
    assert_true(env_kit_has(folder, "job.json", "\"earlier\":[\"j1\",\"j2\"]"));
    assert_true(env_kit_has(folder, "job.json", "\"job_id\":\"j3\""));
    assert_false(env_kit_has(folder, "job.json", "before"));

    /* A new job that was not started leaves the record as it was. */
    assert_true(giq_record_read(folder, NULL, &record, NULL, &err));
    assert_true(giq_record_restart(&record, &err));
    write_sending(folder, 3, &record);
    assert_true(giq_record_undo(folder, GIQ_STORE_PRIVATE, 3, "", false, &err));
    assert_true(env_kit_has(folder, "job.json", "\"earlier\":[\"j1\",\"j2\"]"));
}

static void test_request_is_written_once(void **state)
{
    const char *folder = *state;
    struct giq_error err = {0};
    struct giq_json *json = NULL;
    assert_true(giq_record_read_request(folder, &json, &err));
    assert_null(json);
    assert_true(giq_record_write_request(folder, 0, REQUEST, &err));
    assert_true(giq_record_write_request(folder, 0, REQUEST, &err));
    assert_false(giq_record_write_request(folder, 0, "{\"format\":1}", &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    env_kit_expect(folder, "request.json", REQUEST "\n");
    assert_true(giq_record_read_request(folder, &json, &err));
    assert_string_equal(giq_json_text(giq_json_get(json, "model")), "m");
    giq_json_free(json);
}

static void test_withdrawn_record_leaves_nothing(void **state)
{
    const char *folder = *state;
    struct giq_error err = {0};
    env_kit_write(folder, "request.json", REQUEST);
    env_kit_write(folder, "job.json",
                  "{\"format\":2,\"state\":\"intent\",\"token\":\"t\"}");
    env_kit_write(folder, "lock", "");
    assert_true(giq_record_undo(folder, GIQ_OS_PRIVATE, 0, "t", false, &err));
    assert_true(giq_record_undo(folder, GIQ_OS_PRIVATE, 0, "t", false, &err));
    assert_null(env_kit_read(folder, "request.json"));
    assert_null(env_kit_read(folder, "job.json"));
    env_kit_expect(folder, "lock", "");
}

static void test_used_label_is_found(void **state)
{
    (void)state;
    struct giq_error err = {0};
    struct giq_record record;
    giq_record_init(&record);
    assert_true(giq_record_use_label(&record, "f\xc3\xbcr", &err));
    assert_true(giq_record_has_label(&record, "f\xc3\xbcr"));
    giq_record_release(&record);
}

/* ---- a record that changes while it is read ---- */

UNIT_WRAPS(giq_os_read_file);

/* What another process does before a file of the record is read. */
enum change { END, NOTHING, RECORDS, REMOVES, REMOVES_JOB };

static const char *changed_folder;
static const enum change no_changes[] = {END};
static const enum change *changes = no_changes;

static void make_change(enum change change)
{
    struct giq_error err = {0};
    struct giq_record record;
    giq_record_init(&record);
    record.state = GIQ_JOB_INTENT;
    (void)strcpy(record.token, "t");
    if (change == RECORDS) {
        assert_true(
            giq_record_write_request(changed_folder, GIQ_OS_PRIVATE, REQUEST, &err));
        assert_true(giq_record_write(changed_folder, GIQ_OS_PRIVATE, &record, &err));
    } else if (change == REMOVES) {
        assert_true(giq_record_undo(changed_folder, GIQ_OS_PRIVATE, 0, "t", false, &err));
    } else if (change == REMOVES_JOB) {
        char *path = giq_os_join(changed_folder, "job.json");
        assert_true(giq_os_remove(path, &err));
        free(path);
    }
    giq_record_release(&record);
}

bool __wrap_giq_os_read_file(const char *path, size_t max, struct giq_buf *out,
                             bool *out_found, struct giq_error *err)
{
    const enum change *left = changes;
    if (*left != END) {
        changes = no_changes; /* for what the change itself reads */
        make_change(*left);
        changes = left + 1;
    }
    return __real_giq_os_read_file(path, max, out, out_found, err);
}

static void test_request_that_is_removed_while_it_is_read_is_none(void **state)
{
    (void)state;
    static const struct {
        enum change changes[5]; /* one for each read of job.json or request.json */
        enum giq_job_state state;
    } cases[] = {
        {{NOTHING, END}, GIQ_JOB_NONE},
        {{RECORDS, NOTHING, END}, GIQ_JOB_INTENT},
        {{RECORDS, REMOVES_JOB, END}, GIQ_JOB_INTENT},
        {{RECORDS, REMOVES, NOTHING, END}, GIQ_JOB_NONE},
        {{RECORDS, REMOVES, RECORDS, NOTHING, END}, GIQ_JOB_INTENT},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_record record;
        struct giq_error err;
        char *folder = env_kit_folder();
        changed_folder = folder;
        changes = cases[i].changes;
        assert_true(read_record(folder, REQUEST, &record, &err));
        assert_int_equal(record.state, cases[i].state);
        assert_int_equal(*changes, END);
        giq_record_release(&record);
        env_kit_remove(folder);
    }
}

/* ---- further jobs ---- */

static const char *further_folder; /* where another open begins one; NULL: nowhere */

static void begin_further(const char *folder)
{
    struct giq_error err = {0};
    struct giq_record record;
    giq_record_init(&record);
    env_kit_write(folder, "sent.2", "{\"format\":1,\"model_id\":\"m\"}");
    assert_true(giq_record_quarantine(folder, GIQ_OS_PRIVATE, REQUEST, &record, &err));
    write_sending(folder, 2, &record);
    giq_record_release(&record);
}

UNIT_WRAPS(giq_os_rename);
bool __wrap_giq_os_rename(const char *from, const char *to, struct giq_error *err)
{
    const char *folder = further_folder;
    further_folder = NULL;
    if (folder != NULL) {
        begin_further(folder);
    }
    return __real_giq_os_rename(from, to, err);
}

static void test_refused_retry_does_not_damage_the_record_of_another(void **state)
{
    (void)state;
    static const char nothing[] = "{\"format\":1,\"outcome\":\"nothing\"}";
    static const struct {
        const char *ticket; /* how the other one ends */
        enum giq_job_state state;
    } cases[] = {
        {"{\"format\":1,\"outcome\":\"job\",\"job_id\":\"j2\"}", GIQ_JOB_SUBMITTED},
        {nothing, GIQ_JOB_NONE},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char *folder = env_kit_folder();
        struct giq_record record;
        struct giq_error err = {0};
        bool damaged = false;
        giq_record_init(&record);
        env_kit_write(folder, "job.json", "{");
        env_kit_write(folder, "request.json", "{");
        env_kit_write(folder, "sent.1", nothing);
        assert_true(
            giq_record_quarantine(folder, GIQ_OS_PRIVATE, REQUEST, &record, &err));
        write_sending(folder, 1, &record);
        further_folder = folder;
        assert_true(giq_record_undo(folder, GIQ_OS_PRIVATE, 1, "", false, &err));
        assert_null(further_folder);
        env_kit_write(folder, "sent.2", cases[i].ticket);
        bool ok = giq_record_read(folder, REQUEST, &record, &damaged, &err);
        assert_int_equal(ok, cases[i].state == GIQ_JOB_SUBMITTED);
        assert_int_equal(damaged, cases[i].state == GIQ_JOB_NONE);
        assert_int_equal(record.state, cases[i].state);
        giq_record_release(&record);
        env_kit_remove(folder);
    }
}

static void write_ticket(const char *folder, int n, const char *text)
{
    char name[32];
    (void)snprintf(name, sizeof name, "sent.%d", n);
    env_kit_write(folder, name, text);
    env_kit_set_age(folder, name, 61000);
}

static size_t count_text(const char *text, const char *part)
{
    size_t count = 0;
    while ((text = strstr(text, part)) != NULL) {
        count++;
        text++;
    }
    return count;
}

/* Begin the further job `n`; its owner crashes before or after it writes job.json. */
static void crash_further(const char *folder, int n, bool is_written)
{
    struct giq_error err = {0};
    struct giq_record record;
    giq_record_init(&record);
    assert_true(giq_record_read(folder, NULL, &record, NULL, &err));
    assert_int_equal(record.state, n == 2 ? GIQ_JOB_FAILED : GIQ_JOB_UNKNOWN);
    write_ticket(folder, n, "{\"format\":1,\"model_id\":\"m\"}");
    if (is_written) {
        assert_true(giq_record_restart(&record, &err));
        write_sending(folder, n, &record);
    }
    giq_record_release(&record);
}

static void test_record_does_not_grow_with_further_jobs_that_crash(void **state)
{
    (void)state;
    enum { LAST = 40 };
    for (int skipped = 0; skipped <= 2; skipped++) {
        char *folder = env_kit_folder();
        struct giq_error err = {0};
        struct giq_record record;
        giq_record_init(&record);
        env_kit_write(folder, "job.json",
                      "{\"format\":2,\"state\":\"failed\",\"job_id\":\"j1\","
                      "\"attempt\":1}");
        write_ticket(folder, 1, "{\"format\":1,\"outcome\":\"job\",\"job_id\":\"j1\"}");
        for (int n = 2; n <= LAST; n++) {
            crash_further(folder, n, n % (skipped + 1) == 0);
        }
        char *text = env_kit_read(folder, "job.json");
        assert_int_equal(count_text(text, "\"before\""), 1);
        assert_int_equal(count_text(text, "\"j1\""), 2); /* and in "earlier" */
        free(text);
        for (int n = LAST; n >= 2; n--) {
            assert_true(giq_record_read(folder, NULL, &record, NULL, &err));
            assert_int_equal(record.state, GIQ_JOB_UNKNOWN);
            assert_int_equal(record.attempt, n);
            write_ticket(folder, n, "{\"format\":1,\"outcome\":\"nothing\"}");
        }
        assert_true(giq_record_read(folder, NULL, &record, NULL, &err));
        assert_int_equal(record.state, GIQ_JOB_FAILED);
        assert_string_equal(record.job_id, "j1");
        giq_record_release(&record);
        env_kit_remove(folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_states),
        ENV_KIT_TEST(test_nothing_recorded),
        ENV_KIT_TEST(test_record_comes_back_as_written),
        ENV_KIT_TEST(test_what_is_taken_away_is_gone_from_the_file),
        ENV_KIT_TEST(test_unknown_members_of_the_result_survive),
        ENV_KIT_TEST(test_damaged_and_newer_records_are_errors),
        cmocka_unit_test(test_damaged_record_comes_back_whatever_it_was),
        cmocka_unit_test(test_record_of_another_request_is_an_error),
        ENV_KIT_TEST(test_only_damage_lets_a_further_job_replace_a_record),
        ENV_KIT_TEST(test_ids_of_earlier_jobs_are_kept),
        ENV_KIT_TEST(test_request_is_written_once),
        ENV_KIT_TEST(test_withdrawn_record_leaves_nothing),
        cmocka_unit_test(test_used_label_is_found),
        cmocka_unit_test(test_request_that_is_removed_while_it_is_read_is_none),
        cmocka_unit_test(test_refused_retry_does_not_damage_the_record_of_another),
        cmocka_unit_test(test_record_does_not_grow_with_further_jobs_that_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
