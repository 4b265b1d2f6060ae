/* Records that are read with tickets: which of both counts. */
#include "store/giq_record_read.h"

#include "unit.h"

#include "env_kit.h"
#include "store/giq_advice.h"

#define REQUEST "{\"format\":1,\"base_url\":\"https://x\",\"model\":\"m\"}"

enum { TICKETS = 4 };

/* Tickets. One without owner counts as another host's: the time of its file decides. */
#define SENT    "{\"model_id\":\"m\",\"label\":\"s\",\"time\":\"2024-05-01T00:00:00Z\"}"
#define JOB(id) "{\"model_id\":\"m\",\"outcome\":\"job\",\"job_id\":\"" id "\"}"
#define NOTHING "{\"label\":\"n\",\"outcome\":\"nothing\"}"
#define PAUSE   "{\"outcome\":\"nothing\",\"retry_after_ms\":5000}"
#define UNKNOWN "{\"label\":\"u\",\"outcome\":\"unknown\",\"error\":\"cut\"}"
#define REPLACES(was, is)                                                                \
    "{\"label\":\"r\",\"outcome\":\"job\",\"job_id\":\"" is "\",\"replaces\":\"" was "\"}"

/* Records. */
#define RECORD(state, attempt, more)                                                     \
    "{\"format\":2,\"state\":\"" state "\",\"attempt\":" #attempt more "}"
#define WITH(id)     ",\"job_id\":\"" id "\""
#define BEFORE(text) ",\"before\":" text
#define OLD_FAILED   "{\"format\":1,\"state\":\"failed\",\"job_id\":\"j0\"}"
#define OLD_SENDING  "{\"format\":1,\"state\":\"sending\"}"

static const struct reading {
    const char *name;
    const char *job; /* job.json, or NULL */
    const char *tickets[TICKETS];
    const char *state;
    const char *id;
    int attempt, newest;
    enum giq_sender sender;
    bool is_old;        /* no ticket was touched for 61 s */
    const char *label;  /* that is used */
    const char *free;   /* label that is not */
    const char *others; /* other jobs */
} readings[] = {
    {.name = "nothing", .state = "none"},
    {.name = "a record of version 0.1", .job = OLD_FAILED, .state = "failed", .id = "j0"},
    {.name = "version 0.1 was sending", .job = OLD_SENDING, .state = "sending"},
    {.name = "version 0.1 submitted after a refused run",
     .job = "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"j0\"}",
     .tickets = {NOTHING},
     .state = "submitted",
     .id = "j0",
     .newest = 1,
     .free = "n"},
    {.name = "an intent, and a ticket",
     .job = "{\"format\":2,\"state\":\"intent\",\"token\":\"t\"}",
     .tickets = {SENT},
     .state = "sending",
     .attempt = 1,
     .newest = 1,
     .sender = GIQ_SENDER_ALIVE,
     .label = "s"},
    {.name = "a ticket alone, abandoned",
     .tickets = {SENT},
     .is_old = true,
     .state = "unknown",
     .attempt = 1,
     .newest = 1,
     .sender = GIQ_SENDER_DEAD,
     .label = "s"},
    {.name = "a record removed by mistake",
     .tickets = {JOB("j1")},
     .state = "submitted",
     .id = "j1",
     .attempt = 1,
     .newest = 1},
    {.name = "killed between ticket and record",
     .job = RECORD("sending", 1, ""),
     .tickets = {JOB("j1")},
     .state = "submitted",
     .id = "j1",
     .attempt = 1,
     .newest = 1},
    {.name = "an unknown outcome",
     .job = RECORD("sending", 1, ""),
     .tickets = {UNKNOWN},
     .state = "unknown",
     .attempt = 1,
     .newest = 1,
     .label = "u"},
    {.name = "the ticket could not be ended",
     .job = RECORD("unknown", 1, ""),
     .tickets = {SENT},
     .state = "unknown",
     .attempt = 1,
     .newest = 1,
     .label = "s"},
    {.name = "the record has the later word",
     .job = RECORD("failed", 1, WITH("j1")),
     .tickets = {JOB("j1")},
     .state = "failed",
     .id = "j1",
     .attempt = 1,
     .newest = 1},
    {.name = "killed after a refused run",
     .job = RECORD("sending", 1, ""),
     .tickets = {NOTHING},
     .state = "none",
     .newest = 1,
     .free = "n"},
    {.name = "killed after a refused retry",
     .job = RECORD("sending", 1, BEFORE(OLD_FAILED)),
     .tickets = {NOTHING},
     .state = "failed",
     .id = "j0",
     .newest = 1,
     .free = "n"},
    {.name = "a retry has a ticket",
     .job = RECORD("failed", 1, WITH("j1") ",\"labels\":[\"a\"]"),
     .tickets = {JOB("j1"), SENT},
     .state = "sending",
     .attempt = 2,
     .newest = 2,
     .sender = GIQ_SENDER_ALIVE,
     .label = "a"},
    {.name = "a retry has a job, and the record is older",
     .job = RECORD("failed", 1, WITH("j1")),
     .tickets = {JOB("j1"), REPLACES("j1", "j2")},
     .state = "submitted",
     .id = "j2",
     .attempt = 2,
     .newest = 2,
     .label = "r"},
    {.name = "an abandoned retry of a failed job",
     .job = RECORD("failed", 1, WITH("j1")),
     .tickets = {JOB("j1"), "{\"label\":\"s\",\"replaces\":\"j1\"}"},
     .is_old = true,
     .state = "unknown",
     .attempt = 2,
     .newest = 2,
     .sender = GIQ_SENDER_DEAD,
     .label = "s"},
    {.name = "a late response, after a retry that is unknown too",
     .job = RECORD("unknown", 2, ""),
     .tickets = {JOB("j1"), UNKNOWN},
     .state = "submitted",
     .id = "j1",
     .attempt = 2,
     .newest = 2,
     .label = "u"},
    {.name = "a late response, after a retry that has a job",
     .job = RECORD("submitted", 2, WITH("j2")),
     .tickets = {JOB("j1"), JOB("j2")},
     .state = "submitted",
     .id = "j2",
     .attempt = 2,
     .newest = 2,
     .others = "j1"},
    {.name = "an adopted job, after an unknown outcome",
     .job = RECORD("submitted", 1, WITH("j7")),
     .tickets = {UNKNOWN},
     .state = "submitted",
     .id = "j7",
     .attempt = 1,
     .newest = 1},
    {.name = "an adopted job, and a late response",
     .job = RECORD("succeeded", 1, WITH("j7")),
     .tickets = {JOB("j1")},
     .state = "succeeded",
     .id = "j7",
     .attempt = 1,
     .newest = 1,
     .others = "j1"},
    {.name = "a job whose ticket is not listed yet",
     .job = RECORD("submitted", 2, WITH("j2")),
     .tickets = {UNKNOWN},
     .state = "submitted",
     .id = "j2",
     .attempt = 2,
     .newest = 2},
    {.name = "a run request whose ticket is not listed yet",
     .job = RECORD("sending", 2, BEFORE(OLD_FAILED)),
     .tickets = {NOTHING},
     .state = "sending",
     .attempt = 2,
     .newest = 2,
     .sender = GIQ_SENDER_ALIVE},
    {.name = "a run request whose ticket is lost",
     .job = RECORD("sending", 1, ""),
     .is_old = true,
     .state = "unknown",
     .attempt = 1,
     .newest = 1,
     .sender = GIQ_SENDER_DEAD},
    {.name = "an empty ticket",
     .tickets = {""},
     .is_old = true,
     .state = "unknown",
     .attempt = 1,
     .newest = 1,
     .sender = GIQ_SENDER_DEAD},
    {.name = "published by the first ticket",
     .job = RECORD("published", 1, WITH("j1")),
     .tickets = {JOB("j1"), JOB("j2")},
     .state = "published",
     .id = "j1",
     .attempt = 1},
};

static void lay_out(const char *folder, const struct reading *reading)
{
    env_kit_write(folder, "request.json", REQUEST);
    if (reading->job != NULL) {
        env_kit_write(folder, "job.json", reading->job);
        if (reading->is_old) {
            env_kit_set_age(folder, "job.json", 61000);
        }
    }
    for (int i = 0; i < TICKETS && reading->tickets[i] != NULL; i++) {
        char name[32];
        char text[512];
        const char *members = reading->tickets[i];
        (void)snprintf(name, sizeof name, "sent.%d", i + 1);
        (void)snprintf(text, sizeof text, "%s%s",
                       members[0] == '\0' ? "" : "{\"format\":1,",
                       members[0] == '\0' ? "" : members + 1);
        env_kit_write(folder, name, text);
        if (reading->is_old) {
            env_kit_set_age(folder, name, 61000);
        }
    }
}

static void check(const struct reading *reading, const struct giq_record *record)
{
    assert_string_equal(giq_record_state_name(record->state), reading->state);
    assert_int_equal(record->job_id == NULL, reading->id == NULL);
    if (reading->id != NULL) {
        assert_string_equal(record->job_id, reading->id);
    }
    assert_int_equal(record->attempt, reading->attempt);
    assert_int_equal(record->newest, reading->newest);
    assert_int_equal(record->sender, reading->sender);
    if (reading->label != NULL) {
        assert_true(giq_record_has_label(record, reading->label));
    }
    if (reading->free != NULL) {
        assert_false(giq_record_has_label(record, reading->free));
    }
    assert_int_equal(record->other_jobs == NULL, reading->others == NULL);
    if (reading->others != NULL) {
        assert_string_equal(record->other_jobs, reading->others);
    }
}

/* A folder with a record, and what was read of it. */
struct kit {
    char *folder;
    struct giq_record record;
    struct giq_error err;
    bool damaged;
};

/* `reading` is laid out; NULL leaves the folder empty. */
static void start(struct kit *kit, const struct reading *reading)
{
    *kit = (struct kit){.folder = env_kit_folder()};
    giq_record_init(&kit->record);
    if (reading != NULL) {
        lay_out(kit->folder, reading);
    }
}

static bool read_record(struct kit *kit)
{
    return giq_record_read(kit->folder, REQUEST, &kit->record, &kit->damaged, &kit->err);
}

static void finish(struct kit *kit)
{
    giq_record_release(&kit->record);
    env_kit_remove(kit->folder);
}

static void test_newest_ticket_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(readings); i++) {
        struct kit kit;
        print_message("%s\n", readings[i].name);
        start(&kit, &readings[i]);
        assert_true(read_record(&kit));
        check(&readings[i], &kit.record);
        assert_true(giq_record_read_brief(kit.folder, &kit.record, &kit.err));
        check(&readings[i], &kit.record);
        finish(&kit);
    }
}

static void test_brief_record_has_no_summary(void **state)
{
    static const struct reading reading = {
        .job = RECORD("published", 1, WITH("j1") ",\"summary\":{\"size\":7},\"x\":8"),
        .state = "published",
        .id = "j1",
        .attempt = 1};
    struct kit kit;
    (void)state;
    start(&kit, &reading);
    assert_true(read_record(&kit));
    assert_non_null(giq_json_get(kit.record.document, "summary"));
    assert_true(giq_record_read_brief(kit.folder, &kit.record, &kit.err));
    check(&reading, &kit.record);
    assert_null(giq_json_get(kit.record.document, "summary"));
    assert_non_null(giq_json_get(kit.record.document, "x"));
    finish(&kit);
}

/* What is read and written again is read as the same. */
static void test_merged_record_that_is_written_stays_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(readings); i++) {
        struct kit kit;
        start(&kit, &readings[i]);
        assert_true(read_record(&kit));
        if (kit.record.job_id != NULL) {
            assert_true(
                giq_record_write(kit.folder, GIQ_OS_PRIVATE, &kit.record, &kit.err));
            assert_true(read_record(&kit));
            check(&readings[i], &kit.record);
        }
        finish(&kit);
    }
}

static void test_known_ticket_counts_before_it_is_listed(void **state)
{
    (void)state;
    static const struct giq_record_tickets known = {.known = 2};
    struct kit kit;
    start(&kit, NULL);
    env_kit_write(kit.folder, "sent.1", "{\"format\":1,\"outcome\":\"nothing\"}");
    assert_true(
        giq_record_read_with(kit.folder, NULL, &known, &kit.record, NULL, &kit.err));
    assert_int_equal(kit.record.state, GIQ_JOB_SENDING);
    assert_int_equal(kit.record.sender, GIQ_SENDER_ALIVE);
    assert_int_equal(kit.record.newest, 2);
    /* A record that is older than the ticket says nothing about the age of that. */
    env_kit_write(kit.folder, "job.json", OLD_FAILED);
    env_kit_set_age(kit.folder, "job.json", 61000);
    assert_true(
        giq_record_read_with(kit.folder, NULL, &known, &kit.record, NULL, &kit.err));
    assert_int_equal(kit.record.sender, GIQ_SENDER_ALIVE);
    finish(&kit);
}

static void test_tickets_can_be_left_out(void **state)
{
    (void)state;
    static const struct giq_record_tickets below = {.known = 2, .below = 2};
    struct kit kit;
    start(&kit, NULL);
    env_kit_write(kit.folder, "sent.1", "{\"format\":1,\"outcome\":\"unknown\"}");
    env_kit_write(kit.folder, "sent.2", "{\"format\":1}");
    assert_true(
        giq_record_read_with(kit.folder, NULL, &below, &kit.record, NULL, &kit.err));
    assert_int_equal(kit.record.state, GIQ_JOB_UNKNOWN);
    assert_int_equal(kit.record.newest, 1);
    finish(&kit);
}

static void test_throttled_run_requests_are_counted(void **state)
{
    (void)state;
    static const struct reading reading = {.tickets = {PAUSE, NOTHING, PAUSE}};
    struct kit kit;
    start(&kit, &reading);
    assert_true(giq_record_read(kit.folder, NULL, &kit.record, NULL, &kit.err));
    assert_int_equal(kit.record.state, GIQ_JOB_NONE);
    assert_int_equal(kit.record.throttled, 2);
    assert_true(kit.record.is_paused);
    finish(&kit);
}

static void test_damaged_record_keeps_the_labels_and_numbers_of_tickets(void **state)
{
    (void)state;
    static const char *const jobs[] = {"{", RECORD("failed", -1, ""),
                                       RECORD("failed", 99999999, "")};
    for (size_t i = 0; i < GIQ_COUNT(jobs); i++) {
        const struct reading reading = {.job = jobs[i], .tickets = {UNKNOWN}};
        struct kit kit;
        start(&kit, &reading);
        assert_false(read_record(&kit));
        assert_true(kit.damaged);
        assert_int_equal(kit.err.code, GIQ_E_STORE);
        assert_non_null(strstr(kit.err.text, "job.json"));
        assert_int_equal(kit.record.state, GIQ_JOB_NONE);
        assert_int_equal(kit.record.newest, 1);
        assert_true(giq_record_has_label(&kit.record, "u"));
        finish(&kit);
    }
}

static void test_error_of_a_damaged_record_names_the_job_of_its_ticket(void **state)
{
    (void)state;
    static const struct reading reading = {.job = "{", .tickets = {JOB("j1")}};
    struct kit kit;
    start(&kit, &reading);
    assert_false(read_record(&kit));
    assert_true(kit.damaged);
    assert_non_null(strstr(kit.err.text, "; the job of the request is j1"));
    finish(&kit);
}

static void test_run_request_that_replaces_a_damaged_record_is_awaited(void **state)
{
    (void)state;
    static const struct reading reading = {.job = "{", .tickets = {SENT}};
    struct kit kit;
    start(&kit, &reading);
    assert_true(read_record(&kit));
    assert_int_equal(kit.record.state, GIQ_JOB_SENDING);
    assert_int_equal(kit.record.sender, GIQ_SENDER_ALIVE);
    env_kit_set_age(kit.folder, "sent.1", 61000);
    assert_false(read_record(&kit));
    assert_true(kit.damaged);
    finish(&kit);
}

/* An open that was stopped may put an older job.json over that of a published result. */
static void test_claim_counts_although_job_json_is_older(void **state)
{
    (void)state;
    static const char *const records[] = {
        RECORD("submitted", 1, WITH("j1")),
        RECORD("submitted", 1, WITH("j1") ",\"gone\":true"),
        RECORD("succeeded", 1, WITH("j1")),
        RECORD("intent", 0, ""),
    };
    for (size_t i = 0; i < GIQ_COUNT(records); i++) {
        const struct reading reading = {
            .job = records[i], .tickets = {"{\"outcome\":\"job\",\"job_id\":\"j1\"}"}};
        struct kit kit;
        start(&kit, &reading);
        env_kit_write(kit.folder, "published.1",
                      "{\"format\":1,\"job_id\":\"j1\",\"folder\":"
                      "\"result.0000000000000000000000000000000a\",\"name\":\"a.csv\","
                      "\"size\":3}");
        assert_true(read_record(&kit));
        assert_int_equal(kit.record.state, GIQ_JOB_PUBLISHED);
        assert_false(kit.record.gone);
        assert_string_equal(kit.record.result_name, "a.csv");
        finish(&kit);
    }
}

static void test_other_jobs_are_described(void **state)
{
    (void)state;
    struct giq_record record;
    struct giq_error said = {0};
    giq_record_init(&record);
    record.state = GIQ_JOB_SUBMITTED;
    assert_false(giq_advice_describe(&record, "j2", &said));
    record.other_jobs = strdup("j1");
    assert_true(giq_advice_describe(&record, "j2", &said));
    assert_string_equal(said.text, "an earlier run request also started the job j1, "
                                   "which is paid for; open it with job=<id>");
    record.state = GIQ_JOB_FAILED;
    assert_true(giq_advice_describe(&record, "j2", &said));
    assert_non_null(strstr(said.text, "which is paid for; an earlier run request also"));
    giq_record_release(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newest_ticket_decides),
        cmocka_unit_test(test_brief_record_has_no_summary),
        cmocka_unit_test(test_merged_record_that_is_written_stays_the_same),
        cmocka_unit_test(test_known_ticket_counts_before_it_is_listed),
        cmocka_unit_test(test_tickets_can_be_left_out),
        cmocka_unit_test(test_throttled_run_requests_are_counted),
        cmocka_unit_test(test_damaged_record_keeps_the_labels_and_numbers_of_tickets),
        cmocka_unit_test(test_error_of_a_damaged_record_names_the_job_of_its_ticket),
        cmocka_unit_test(test_run_request_that_replaces_a_damaged_record_is_awaited),
        cmocka_unit_test(test_claim_counts_although_job_json_is_older),
        cmocka_unit_test(test_other_jobs_are_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
