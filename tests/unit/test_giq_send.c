/* Run requests of several opens without locks: the ticket decides who sends. */
#include "job/giq_send.h"

#include "unit.h"

#include <unistd.h>

#include "base/giq_os.h"
#include "job/giq_limits.h"
#include "job/giq_step.h"
#include "job_kit.h"
#include "store/giq_record_read.h"
#include "store/giq_spent.h"

#define TICKET(members) "{\"format\":1" members "}"
#define IS_SENT         TICKET("")
#define HAS_J1          TICKET(",\"outcome\":\"job\",\"job_id\":\"j1\"")
#define HAS_J2          TICKET(",\"outcome\":\"job\",\"job_id\":\"j2\"")
#define IS_UNKNOWN      TICKET(",\"outcome\":\"unknown\",\"error\":\"cut\"")
#define WAS_THROTTLED   TICKET(",\"outcome\":\"nothing\",\"retry_after_ms\":5000")
#define FAILED                                                                           \
    "{\"format\":2,\"state\":\"failed\",\"job_id\":\"j0\",\"model_id\":\"m\","           \
    "\"error\":\"why\"}"

/* ---- what another process does meanwhile ---- */

struct event {
    const char *name; /* of a file that it writes, or NULL */
    const char *text;
    int64_t pause_ms;     /* how long this process is stopped */
    int64_t suspended_ms; /* how long the system is suspended */
};

static struct job_kit kit;
static struct event before_take, after_take, after_decision, before_end;
static int touches;

static void happen(struct event *event)
{
    const struct event now = *event;
    *event = (struct event){0};
    env_kit_advance(&kit.service.clock, now.pause_ms);
    kit.service.clock.suspended_ms += now.suspended_ms;
    if (now.name != NULL) {
        env_kit_write(kit.job->folder, now.name, now.text);
    }
}

UNIT_WRAPS(giq_ticket_take);

bool __wrap_giq_ticket_take(const char *folder, unsigned access,
                            struct giq_ticket *ticket, bool *out_taken,
                            struct giq_error *err)
{
    happen(&before_take);
    return __real_giq_ticket_take(folder, access, ticket, out_taken, err);
}

/* The first thing after the ticket was taken. */
UNIT_WRAPS(giq_step_read_below);

bool __wrap_giq_step_read_below(struct giq_job *job, int below, struct giq_record *out,
                                struct giq_error *err)
{
    if (below > 0) {
        happen(&after_take);
    }
    return __real_giq_step_read_below(job, below, out, err);
}

UNIT_WRAPS(giq_limits_take_slot);

bool __wrap_giq_limits_take_slot(struct giq_job *job, struct giq_error *err)
{
    happen(&after_decision);
    return __real_giq_limits_take_slot(job, err);
}

UNIT_WRAPS(giq_ticket_end);

bool __wrap_giq_ticket_end(const char *folder, unsigned access,
                           const struct giq_ticket *ticket, struct giq_error *err)
{
    happen(&before_end);
    return __real_giq_ticket_end(folder, access, ticket, err);
}

UNIT_WRAPS(giq_ticket_touch);

void __wrap_giq_ticket_touch(const char *folder, int n)
{
    touches++;
    __real_giq_ticket_touch(folder, n);
}

/* cmocka 1 and 2 have no assertion of a range under the same name. */
static void assert_between(int64_t value, int64_t least, int64_t most)
{
    assert_true(value >= least);
    assert_true(value <= most);
}

/* ---- what is synced ---- */

static char synced[1024]; /* names of files and folders, in order */

static const char *last_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

static void note(const char *name, size_t len)
{
    size_t end = strlen(synced);
    (void)snprintf(synced + end, sizeof synced - end, " %.*s", (int)len, name);
}

/* Temporary files are noted without their token. */
static void note_synced(const char *path)
{
    const char *name = last_name(path);
    size_t token_len = 0;
    if (strstr(name, ".tmp") != NULL) {
        token_len = strlen(".tmp") + GIQ_OS_TOKEN_SIZE;
    } else if (strcmp(name, last_name(kit.folder)) == 0) {
        name = "store";
    } else if (strcmp(name, last_name(kit.job->folder)) == 0) {
        name = "key";
    } else if (strcmp(name, "v1") != 0) {
        name = "parent";
    }
    note(name, strlen(name) - token_len);
}

UNIT_WRAPS(fsync);

int __wrap_fsync(int fd)
{
    char link[32];
    char path[4096] = {0};
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    assert_true(readlink(link, path, sizeof path - 1) > 0);
    if (strstr(synced, "run") == NULL && job_kit_count(&kit, "POST /inference/run") > 0) {
        note("run", strlen("run"));
    }
    note_synced(path);
    return __real_fsync(fd);
}

/* ---- helpers ---- */

static void start(const struct http_kit_response *responses, size_t count)
{
    before_take = after_take = after_decision = before_end = (struct event){0};
    touches = 0;
    job_kit_start(&kit, responses, count);
}

static char *ticket_text(int n)
{
    char name[32];
    (void)snprintf(name, sizeof name, "sent.%d", n);
    return env_kit_read(kit.job->folder, name);
}

static void check_outcome(int n, const char *outcome)
{
    char member[64];
    char *text = ticket_text(n);
    (void)snprintf(member, sizeof member, "\"outcome\":\"%s\"", outcome);
    assert_non_null(text);
    assert_non_null(strstr(text, member));
    free(text);
}

#define START(...)                                                                       \
    static const struct http_kit_response responses[] = {__VA_ARGS__};                   \
    start(responses, GIQ_COUNT(responses))

/* ---- one run request ---- */

static void test_ticket_is_taken_and_ended(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS, JOB_KIT_RUN);
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    check_outcome(1, "job");
    assert_true(env_kit_has(kit.job->folder, "job.json", "\"format\":2"));
    assert_true(env_kit_has(kit.job->folder, "job.json", "\"attempt\":1"));
    assert_false(env_kit_has(kit.job->folder, "job.json", "token"));
    job_kit_stop(&kit);
}

/* The ticket and the record are on the disk before the run request is sent, and its
 * outcome before anything else is done: job.json may then be lost, since the ticket
 * states it. */
static void test_what_is_recorded_is_synced_before_it_happens(void **state)
{
    static const char expected[] =
        " store parent v1 parent store"
        " request.json key new new key job.json key run sent.1 key job.json";
    (void)state;
    START(JOB_KIT_MODELS, JOB_KIT_RUN);
    synced[0] = '\0';
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    assert_string_equal(synced, expected);
    job_kit_stop(&kit);
}

static void test_lost_ticket_sends_nothing_and_uses_the_other_job(void **state)
{
    (void)state;
    int spent = -1;
    START(JOB_KIT_MODELS, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    kit.limits = (struct giq_limits){.has_max_jobs = true, .max_jobs = 1};
    job_kit_open(&kit, &job_kit_request, 0);
    before_take = (struct event){.name = "sent.1", .text = HAS_J1};
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "published");
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    assert_true(
        giq_spent_count(kit.store, kit.service.clock.wall_ms, &spent, &kit.service.err));
    assert_int_equal(spent, 0);
    job_kit_stop(&kit);
}

static void test_owner_that_is_at_work_is_waited_for(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS);
    before_take = (struct event){.name = "sent.1", .text = IS_SENT};
    kit.service.service->deadline_ms = kit.service.clock.now_ms + 1000;
    assert_int_equal(job_kit_run(&kit), GIQ_E_TIMEOUT);
    assert_non_null(strstr(kit.service.err.text, "awaits its response"));
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    /* A dry run shows it at once. */
    struct giq_job_view view;
    job_kit_open(&kit, &job_kit_request, GIQ_JOB_NO_SUBMIT | GIQ_JOB_NO_WAIT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    giq_job_get_view(kit.job, &view);
    assert_string_equal(view.state_name, "sending");
    job_kit_stop(&kit);
}

static void test_abandoned_ticket_is_unknown_and_nothing_is_written(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS);
    before_take = (struct event){.name = "sent.1", .text = IS_SENT};
    kit.service.service->deadline_ms = kit.service.clock.now_ms + 1000;
    assert_int_equal(job_kit_run(&kit), GIQ_E_TIMEOUT);
    char *before = env_kit_read(kit.job->folder, "job.json");
    env_kit_set_age(kit.job->folder, "sent.1", 61000);
    for (int opens = 0; opens < 2; opens++) {
        job_kit_open(&kit, &job_kit_request, 0);
        assert_int_equal(job_kit_run(&kit), GIQ_E_UNKNOWN);
        assert_non_null(strstr(kit.service.err.text, "(its outcome was not recorded)"));
    }
    char *after = env_kit_read(kit.job->folder, "job.json");
    char *ticket = ticket_text(1);
    assert_string_equal(after, before);
    assert_string_equal(ticket, IS_SENT);
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    free(before);
    free(after);
    free(ticket);
    job_kit_stop(&kit);
}

static const struct giq_request retry = {.model = "m", .file = "f", .retry = "a"};

/* Its machine was suspended, or the clock of the file server was put forward. */
static void test_owner_that_touches_its_ticket_after_a_check_is_alive(void **state)
{
    (void)state;
    enum giq_step step = GIQ_STEP_AGAIN;
    START(JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    job_kit_plant(&kit, "{\"format\":2,\"state\":\"sending\",\"attempt\":1}");
    env_kit_write(kit.job->folder, "sent.1", IS_SENT);
    job_kit_open(&kit, &retry, 0);
    for (int64_t age_ms = 3600000; age_ms > 0; age_ms -= 300000) {
        env_kit_set_age(kit.job->folder, "sent.1", age_ms);
        for (int steps = 0; steps < 50; steps++) {
            assert_true(job_kit_step(&kit, &step));
        }
    }
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    env_kit_write(kit.job->folder, "sent.1", HAS_J1);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "published");
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

static void test_one_check_does_not_prove_that_an_owner_is_dead(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS);
    job_kit_plant(&kit, "{\"format\":2,\"state\":\"sending\",\"attempt\":1}");
    env_kit_write(kit.job->folder, "sent.1", IS_SENT);
    env_kit_set_age(kit.job->folder, "sent.1", 61000);
    static const struct giq_request *const requests[] = {&job_kit_request, &retry};
    for (size_t i = 0; i < GIQ_COUNT(requests); i++) {
        job_kit_open(&kit, requests[i], 0);
        kit.service.service->deadline_ms = kit.service.clock.now_ms;
        assert_int_equal(job_kit_run(&kit), GIQ_E_TIMEOUT);
        assert_non_null(strstr(kit.service.err.text, "TIMEOUT of more than 10 seconds"));
    }
    /* What only reports checks once. */
    struct giq_job_view view;
    job_kit_open(&kit, &job_kit_request, GIQ_JOB_NO_SUBMIT | GIQ_JOB_NO_WAIT);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    giq_job_get_view(kit.job, &view);
    assert_string_equal(view.state_name, "unknown");
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

/* The clock of the file server was put back, or a ticket that job.json names is lost:
 * what the clocks state does not prove that the owner is alive. */
static void test_ticket_that_stays_as_it_is_for_a_minute_is_abandoned(void **state)
{
    (void)state;
    static const struct {
        const char *ticket; /* NULL: it is missing */
        const char *dated;  /* the file whose time is */
        int64_t age_ms;     /* so long ago */
        int64_t after_ms;
    } cases[] = {
        {IS_SENT, "sent.1", -3600000, 60000}, {"", "sent.1", -3600000, 60000},
        {NULL, "job.json", 0, 60000},         {NULL, "job.json", -3600000, 60000},
        {NULL, "job.json", 3600000, 10000},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        START(JOB_KIT_MODELS);
        job_kit_plant(&kit, "{\"format\":2,\"state\":\"sending\",\"attempt\":1}");
        if (cases[i].ticket != NULL) {
            env_kit_write(kit.job->folder, "sent.1", cases[i].ticket);
        }
        env_kit_set_age(kit.job->folder, cases[i].dated, cases[i].age_ms);
        job_kit_open(&kit, &job_kit_request, 0);
        kit.service.service->deadline_ms = kit.service.clock.now_ms + 9000;
        assert_int_equal(job_kit_run(&kit), GIQ_E_TIMEOUT);
        job_kit_open(&kit, &job_kit_request, 0);
        int64_t began_ms = kit.service.clock.now_ms;
        assert_int_equal(job_kit_run(&kit), GIQ_E_UNKNOWN);
        int64_t waited_ms = kit.service.clock.now_ms - began_ms;
        assert_between(waited_ms, cases[i].after_ms, cases[i].after_ms + 1000);
        assert_int_equal(job_kit_count(&kit, "POST"), 0);
        job_kit_stop(&kit);
    }
}

/* The ticket was found taken, is not visible, and nothing else is known of it. */
static void test_ticket_that_never_appears_is_abandoned(void **state)
{
    (void)state;
    enum giq_step step = GIQ_STEP_AGAIN;
    START(JOB_KIT_MODELS);
    before_take = (struct event){.name = "sent.1", .text = IS_SENT};
    while (kit.job->known_ticket == 0) {
        assert_true(job_kit_step(&kit, &step));
    }
    char *path = giq_os_join(kit.job->folder, "sent.1");
    assert_true(giq_os_remove(path, &kit.service.err));
    free(path);
    int64_t began_ms = kit.service.clock.now_ms;
    assert_int_equal(job_kit_run(&kit), GIQ_E_UNKNOWN);
    assert_between(kit.service.clock.now_ms - began_ms, 60000, 61000);
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

static void test_job_that_was_adopted_meanwhile_is_used(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    after_take = (struct event){
        .name = "job.json",
        .text = "{\"format\":2,\"state\":\"submitted\",\"job_id\":\"j1\"}"};
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "published");
    check_outcome(1, "nothing");
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

/* ---- stopped processes ---- */

static void test_owner_that_was_stopped_sends_only_with_the_newest_ticket(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    after_take =
        (struct event){.name = "sent.2", .text = HAS_J1, .pause_ms = 21 * INT64_C(1000)};
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "published");
    check_outcome(1, "nothing");
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

static void test_owner_whose_system_was_suspended_checks_its_ticket(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    after_take = (struct event){.name = "sent.2", .text = HAS_J1, .suspended_ms = 21000};
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "published");
    check_outcome(1, "nothing");
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

static void test_owner_that_was_stopped_while_it_took_its_ticket_checks_it(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    before_take = (struct event){.pause_ms = 61 * INT64_C(1000)};
    after_take = (struct event){.name = "sent.2", .text = HAS_J1};
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "published");
    check_outcome(1, "nothing");
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

static void test_job_that_was_adopted_while_the_owner_was_stopped_is_used(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    after_decision = (struct event){
        .name = "job.json",
        .text = "{\"format\":2,\"state\":\"submitted\",\"job_id\":\"j1\",\"attempt\":1}",
        .pause_ms = 61 * INT64_C(1000)};
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_string_equal(job_kit_state(&kit), "published");
    check_outcome(1, "nothing");
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

static void test_owner_that_was_stopped_alone_touches_and_sends(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS, JOB_KIT_RUN);
    after_take = (struct event){.pause_ms = 21 * INT64_C(1000)};
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    assert_int_equal(touches, 1);
    assert_int_equal(job_kit_count(&kit, "POST"), 1);
    job_kit_stop(&kit);
}

static void test_late_job_stays_in_its_ticket(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS, JOB_KIT_RUN,
          {.status = 200, .body = "{\"id\":\"j2\",\"status\":\"DONE\"}"}, JOB_KIT_RESULT);
    before_end = (struct event){.name = "sent.2", .text = HAS_J2};
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    check_outcome(1, "job");
    GIQ_AUTO(giq_record_release) struct giq_record record;
    job_kit_read(&kit, &record);
    assert_string_equal(record.job_id, "j2");
    assert_string_equal(record.other_jobs, "j1");
    assert_int_equal(record.state, GIQ_JOB_PUBLISHED);
    job_kit_stop(&kit);
}

static void test_adoption_during_the_run_stays(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS, JOB_KIT_RUN,
          {.status = 200, .body = "{\"id\":\"j7\",\"status\":\"DONE\"}"}, JOB_KIT_RESULT);
    before_end = (struct event){
        .name = "job.json",
        .text = "{\"format\":2,\"state\":\"submitted\",\"job_id\":\"j7\",\"attempt\":1}"};
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    check_outcome(1, "job");
    GIQ_AUTO(giq_record_release) struct giq_record record;
    job_kit_read(&kit, &record);
    assert_string_equal(record.job_id, "j7");
    job_kit_stop(&kit);
}

static void test_owner_touches_its_ticket_while_it_waits(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS, JOB_KIT_RUN);
    enum giq_step step = GIQ_STEP_AGAIN;
    assert_true(job_kit_step(&kit, &step));
    kit.service.clock.step_ms = 3000; /* each time the clock is read */
    assert_true(job_kit_step(&kit, &step));
    assert_true(touches > 0);
    assert_int_equal(job_kit_count(&kit, "POST"), 1);
    job_kit_stop(&kit);
}

/* ---- RETRY ---- */

static void test_label_that_another_uses_is_used(void **state)
{
    (void)state;
    START(JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    job_kit_plant(&kit, FAILED);
    job_kit_open(&kit, &retry, 0);
    before_take = (struct event){
        .name = "sent.1",
        .text = TICKET(",\"outcome\":\"job\",\"job_id\":\"j1\",\"label\":\"a\","
                       "\"replaces\":\"j0\"")};
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

static void test_second_label_sends_only_if_the_first_ended_badly(void **state)
{
    (void)state;
    static const struct {
        const char *first;
        size_t runs;
    } cases[] = {
        {TICKET(",\"outcome\":\"job\",\"job_id\":\"j1\",\"label\":\"b\","
                "\"replaces\":\"j0\""),
         0},
        {TICKET(",\"outcome\":\"unknown\",\"error\":\"cut\",\"label\":\"b\","
                "\"model_id\":\"m\""),
         1},
        {TICKET(",\"outcome\":\"nothing\",\"label\":\"b\""), 1},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct http_kit_response sends[] = {JOB_KIT_RUN, JOB_KIT_STATUS("DONE"),
                                                  JOB_KIT_RESULT};
        size_t skipped = 1 - cases[i].runs;
        start(sends + skipped, GIQ_COUNT(sends) - skipped);
        job_kit_plant(&kit, FAILED);
        job_kit_open(&kit, &retry, 0);
        before_take = (struct event){.name = "sent.1", .text = cases[i].first};
        assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
        assert_int_equal(job_kit_count(&kit, "POST"), cases[i].runs);
        assert_string_equal(job_kit_state(&kit), "published");
        job_kit_stop(&kit);
    }
}

static void test_late_response_makes_a_retry_needless(void **state)
{
    (void)state;
    START(JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    job_kit_plant(&kit, "{\"format\":2,\"state\":\"unknown\",\"model_id\":\"m\","
                        "\"attempt\":1}");
    env_kit_write(kit.job->folder, "sent.1", IS_UNKNOWN);
    job_kit_open(&kit, &retry, 0);
    after_take = (struct event){.name = "sent.1", .text = HAS_J1};
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    check_outcome(2, "nothing");
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

static void test_refused_retry_restores_the_record(void **state)
{
    (void)state;
    START({.status = 422});
    job_kit_plant(&kit, FAILED);
    job_kit_open(&kit, &retry, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_REFUSED);
    check_outcome(1, "nothing");
    env_kit_expect(kit.job->folder, "job.json", FAILED "\n");
    job_kit_stop(&kit);
}

/* Its owner died before job.json was written. */
static void test_refused_retry_restores_a_record_that_only_a_ticket_has(void **state)
{
    (void)state;
    START({.status = 422});
    job_kit_plant(&kit, FAILED);
    env_kit_write(kit.job->folder, "sent.1",
                  TICKET(",\"label\":\"b\",\"model_id\":\"m\""));
    env_kit_set_age(kit.job->folder, "sent.1", 61000);
    char *path = giq_os_join(kit.job->folder, "job.json");
    assert_true(giq_os_remove(path, &kit.service.err));
    free(path);
    job_kit_open(&kit, &retry, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_REFUSED);
    check_outcome(2, "nothing");
    GIQ_AUTO(giq_record_release) struct giq_record record;
    giq_record_init(&record);
    assert_true(giq_record_read(kit.job->folder, kit.job->canonical, &record, NULL,
                                &kit.service.err));
    assert_int_equal(record.state, GIQ_JOB_UNKNOWN);
    assert_true(giq_record_has_label(&record, "b"));
    assert_false(giq_record_has_label(&record, "a"));
    job_kit_stop(&kit);
}

static void test_retry_replaces_a_damaged_record(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS, JOB_KIT_RUN, JOB_KIT_STATUS("DONE"), JOB_KIT_RESULT);
    job_kit_plant(&kit, "{");
    env_kit_write(kit.job->folder, "sent.1", HAS_J2);
    job_kit_open(&kit, &retry, 0);
    assert_int_equal(job_kit_run(&kit), GIQ_E_NONE);
    check_outcome(2, "job");
    env_kit_expect(kit.job->folder, "job.json.damaged", "{");
    job_kit_stop(&kit);
}

/* ---- throttling ---- */

static void test_pause_of_another_is_kept(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS, JOB_KIT_RUN);
    int64_t began_ms = kit.service.clock.now_ms;
    before_take = (struct event){.name = "sent.1", .text = WAS_THROTTLED};
    assert_int_equal(job_kit_run_to(&kit, 2), GIQ_E_NONE);
    int64_t waited_ms = kit.service.clock.now_ms - began_ms;
    assert_between(waited_ms, 4000, 5000);
    check_outcome(2, "job");
    assert_int_equal(job_kit_count(&kit, "POST"), 1);
    job_kit_stop(&kit);
}

static void test_others_throttling_counts_against_max_retry(void **state)
{
    (void)state;
    START(JOB_KIT_MODELS);
    enum giq_step step = GIQ_STEP_AGAIN;
    char name[32];
    assert_true(job_kit_step(&kit, &step));
    assert_true(giq_store_make(kit.store, kit.job->folder, &kit.service.err));
    for (int n = 1; n <= kit.service.service->settings.max_retry + 1; n++) {
        (void)snprintf(name, sizeof name, "sent.%d", n);
        env_kit_write(kit.job->folder, name, WAS_THROTTLED);
    }
    assert_int_equal(job_kit_run(&kit), GIQ_E_REFUSED);
    assert_non_null(strstr(kit.service.err.text, "other opens of the same request were "
                                                 "throttled (HTTP 429)"));
    assert_int_equal(job_kit_count(&kit, "POST"), 0);
    job_kit_stop(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticket_is_taken_and_ended),
        cmocka_unit_test(test_what_is_recorded_is_synced_before_it_happens),
        cmocka_unit_test(test_lost_ticket_sends_nothing_and_uses_the_other_job),
        cmocka_unit_test(test_owner_that_is_at_work_is_waited_for),
        cmocka_unit_test(test_abandoned_ticket_is_unknown_and_nothing_is_written),
        cmocka_unit_test(test_owner_that_touches_its_ticket_after_a_check_is_alive),
        cmocka_unit_test(test_one_check_does_not_prove_that_an_owner_is_dead),
        cmocka_unit_test(test_ticket_that_stays_as_it_is_for_a_minute_is_abandoned),
        cmocka_unit_test(test_ticket_that_never_appears_is_abandoned),
        cmocka_unit_test(test_job_that_was_adopted_meanwhile_is_used),
        cmocka_unit_test(test_owner_that_was_stopped_sends_only_with_the_newest_ticket),
        cmocka_unit_test(test_owner_whose_system_was_suspended_checks_its_ticket),
        cmocka_unit_test(test_owner_that_was_stopped_while_it_took_its_ticket_checks_it),
        cmocka_unit_test(test_job_that_was_adopted_while_the_owner_was_stopped_is_used),
        cmocka_unit_test(test_owner_that_was_stopped_alone_touches_and_sends),
        cmocka_unit_test(test_late_job_stays_in_its_ticket),
        cmocka_unit_test(test_adoption_during_the_run_stays),
        cmocka_unit_test(test_owner_touches_its_ticket_while_it_waits),
        cmocka_unit_test(test_label_that_another_uses_is_used),
        cmocka_unit_test(test_second_label_sends_only_if_the_first_ended_badly),
        cmocka_unit_test(test_late_response_makes_a_retry_needless),
        cmocka_unit_test(test_refused_retry_restores_the_record),
        cmocka_unit_test(test_refused_retry_restores_a_record_that_only_a_ticket_has),
        cmocka_unit_test(test_retry_replaces_a_damaged_record),
        cmocka_unit_test(test_pause_of_another_is_kept),
        cmocka_unit_test(test_others_throttling_counts_against_max_retry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
