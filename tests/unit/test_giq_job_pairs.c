/*
 * Two opens of one request at a time, with locks that lock nothing: the first one goes on
 * to any point between two changes of the folder, then the second one to any of its
 * points, then the first to its end, then the second. On one host or two, which may see
 * names late, or believe the other dead: one run request, unless a label asks for more.
 */
#include "states_kit.h"

#include "unit.h"

#include <errno.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TO_THE_END = 1000, WAIT_S = 120 };

/* What the second one does that is no open. */
enum removal { REMOVES_NOTHING, REMOVES_RECORD, REMOVES_FOLDER };

struct pair {
    struct states_kit_kind kind[2];
    enum removal removal;
};

static const struct pair pairs[] = {
    {{{.name = "plain"}, {.name = "plain"}}, REMOVES_NOTHING},
    {{{.name = "plain"}, {.name = "RETRY=a", .retry = "a"}}, REMOVES_NOTHING},
    {{{.name = "RETRY=a", .retry = "a"}, {.name = "plain"}}, REMOVES_NOTHING},
    {{{.name = "RETRY=a", .retry = "a"}, {.name = "RETRY=a", .retry = "a"}},
     REMOVES_NOTHING},
    {{{.name = "RETRY=a", .retry = "a"}, {.name = "RETRY=b", .retry = "b"}},
     REMOVES_NOTHING},
    {{{.name = "plain"}, {.name = "job=j7", .job = "j7"}}, REMOVES_NOTHING},
    {{{.name = "job=j7", .job = "j7"}, {.name = "RETRY=a", .retry = "a"}},
     REMOVES_NOTHING},
    {{{.name = "plain"}, {.name = "rm job.json"}}, REMOVES_RECORD},
    {{{.name = "RETRY=a", .retry = "a"}, {.name = "rm job.json"}}, REMOVES_RECORD},
    {{{.name = "plain"}, {.name = "rm -r"}}, REMOVES_FOLDER},
};

/* How the two hosts see each other. */
static const struct view {
    const char *name;
    bool is_remote, is_stale, ages;
} views[] = {
    {"on one host", false, false, false},
    {"on two hosts that see names late", true, true, false},
    {"on two hosts, the first stopped", true, false, true},
    {"on two hosts that see names late, the first stopped", true, true, true},
};

/* What comes of the run requests of both. */
static const enum states_kit_run runs[][2] = {
    {STATES_KIT_RUN_SUBMITTED, STATES_KIT_RUN_SUBMITTED},
    {STATES_KIT_RUN_SUBMITTED, STATES_KIT_RUN_UNKNOWN},
    {STATES_KIT_RUN_UNKNOWN, STATES_KIT_RUN_SUBMITTED},
    {STATES_KIT_RUN_REFUSED, STATES_KIT_RUN_SUBMITTED},
    {STATES_KIT_RUN_THROTTLED, STATES_KIT_RUN_SUBMITTED},
};

/* One run, and what was seen of it. */
struct race {
    const struct states_kit_state *first; /* the files before it */
    struct states_kit_meaning was;
    const struct pair *pair;
    const struct view *view;
    /* What an open found that had no ticket when the other one ended; "" else. */
    struct states_kit_meaning found[2];
    char text[200];
};

static size_t races;

/* ---- running two opens ---- */

static void wait_for_one(const struct race *race)
{
    struct timespec end;
    int rc = -1;
    (void)clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += WAIT_S;
    do {
        rc = sem_timedwait(&states_kit_play->done, &end);
    } while (rc != 0 && errno == EINTR);
    if (rc != 0) {
        fail_msg("%s: an open does not end", race->text);
    }
}

static pid_t start(const struct race *race, int who)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        states_kit_open(&race->pair->kind[who], who);
        (void)sem_post(&states_kit_play->done);
        _exit(0);
    }
    wait_for_one(race);
    return child;
}

/* Let an open that stopped go on to its end. */
static void finish(const struct race *race, int who)
{
    if (states_kit_play->is_stopped[who]) {
        (void)sem_post(&states_kit_play->go[who]);
        wait_for_one(race);
    }
}

static void end(pid_t child, const struct race *race)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fail_msg("%s: an open ends with %x", race->text, status);
    }
}

/* What the open `who` finds that has stopped without a ticket, now that the other one
 * has ended. */
static void note_found(struct race *race, int who)
{
    if (states_kit_play->is_stopped[who] && !states_kit_play->has_ticket[who]) {
        struct states_kit_state now = states_kit_read_back();
        race->found[who] = states_kit_mean(&now, false);
        states_kit_release(&now);
    }
}

static void run_second(struct race *race, pid_t *child)
{
    *child = 0;
    if (race->view->ages && states_kit_play->is_stopped[0]) {
        states_kit_age_tickets();
    }
    switch (race->pair->removal) {
    case REMOVES_NOTHING:
        *child = start(race, 1);
        break;
    case REMOVES_RECORD:
        states_kit_remove("job.json");
        break;
    case REMOVES_FOLDER:
        states_kit_remove(NULL);
        break;
    }
    if (!states_kit_play->is_stopped[1]) {
        note_found(race, 0);
    }
}

static void set_up(struct race *race, const enum states_kit_run run[2],
                   const int stop_at[2])
{
    struct states_kit_play *play = states_kit_play;
    (void)memset(play, 0, sizeof *play);
    play->is_pair = true;
    play->ages = race->view->ages;
    play->newest = race->was.newest;
    for (int who = 0; who < 2; who++) {
        play->run[who] = run[who];
        play->stop_at[who] = stop_at[who];
        play->is_stale[who] = race->view->is_stale;
        assert_int_equal(sem_init(&play->go[who], 1, 0), 0);
        race->found[who] = (struct states_kit_meaning){.word = ""};
    }
    play->is_remote[1] = race->view->is_remote;
    assert_int_equal(sem_init(&play->done, 1, 0), 0);
    (void)snprintf(race->text, sizeof race->text,
                   "from %s: %s (%d, %d), then %s (%d, %d), %s", race->was.word,
                   race->pair->kind[0].name, run[0], stop_at[0], race->pair->kind[1].name,
                   run[1], stop_at[1], race->view->name);
}

/* ---- the rules ---- */

static bool is_label_used_before(const struct race *race,
                                 const struct states_kit_payment *payment)
{
    const char *label = race->pair->kind[payment->who].retry;
    const char *other = race->pair->kind[1 - payment->who].retry;
    return race->was.has_label[label[0] - 'a'] ||
           (other != NULL && strcmp(label, other) == 0);
}

static void check_payment(const struct race *race,
                          const struct states_kit_payment *payment)
{
    const struct states_kit_kind *kind = &race->pair->kind[payment->who];
    const struct states_kit_meaning *found = &race->found[payment->who];
    bool is_right = payment->follows ? kind->retry != NULL && payment->may_follow &&
                                           !is_label_used_before(race, payment)
                                     : states_kit_may_pay(&race->was, kind);
    if (!is_right) {
        fail_msg("%s: %s must not pay", race->text, kind->name);
    }
    bool sees_all = !race->view->is_stale && race->pair->removal == REMOVES_NOTHING;
    if (sees_all && found->word[0] != '\0' && !states_kit_may_pay(found, kind)) {
        fail_msg("%s: %s pays although it finds %s", race->text, kind->name, found->word);
    }
}

static const struct states_kit_payment *last_payment(bool has_id)
{
    const struct states_kit_play *play = states_kit_play;
    const struct states_kit_payment *last = NULL;
    for (int i = 0; i < play->paid; i++) {
        const struct states_kit_payment *payment = &play->payment[i];
        if ((!has_id || payment->has_id) && (last == NULL || payment->n > last->n)) {
            last = payment;
        }
    }
    return last;
}

/* Every job is in its ticket, and the last one is that of the request. While one open
 * puts a damaged record back that another replaces, it may stay damaged. */
static void check_jobs(const struct race *race, const struct states_kit_state *after)
{
    const struct states_kit_play *play = states_kit_play;
    const struct states_kit_payment *last = last_payment(true);
    struct states_kit_meaning read;
    char expected[48];
    for (int i = 0; i < play->paid; i++) {
        const struct states_kit_payment *payment = &play->payment[i];
        (void)snprintf(expected, sizeof expected, "sent.%d", payment->n);
        const char *text = states_kit_text(after, expected);
        (void)snprintf(expected, sizeof expected, "\"outcome\":\"%s\"",
                       payment->has_id ? "job" : "unknown");
        if (text == NULL || strstr(text, expected) == NULL) {
            fail_msg("%s: no %s in the ticket %d", race->text, expected, payment->n);
        }
    }
    states_kit_check_reading(after, false, race->text, &read);
    (void)snprintf(expected, sizeof expected, "j%d", last == NULL ? 0 : last->n);
    bool is_adopted = race->pair->kind[0].job != NULL || race->pair->kind[1].job != NULL;
    bool may_be_damaged =
        strcmp(race->was.word, "damaged") == 0 && strcmp(read.word, "damaged") == 0;
    if (last != NULL && !is_adopted && !may_be_damaged &&
        strcmp(read.job_id, expected) != 0) {
        fail_msg("%s: the job is %s, not %s", race->text, read.job_id, expected);
    }
}

static void check(const struct race *race)
{
    const struct states_kit_play *play = states_kit_play;
    int paid[2] = {0, 0};
    struct states_kit_state after = states_kit_read_back();
    const struct states_kit_meaning is = states_kit_mean(&after, false);
    for (int i = 0; i < play->paid; i++) {
        paid[play->payment[i].who]++;
        check_payment(race, &play->payment[i]);
    }
    if (paid[0] > 1 || paid[1] > 1) {
        fail_msg("%s: one open pays twice", race->text);
    }
    if (race->pair->removal != REMOVES_FOLDER) {
        check_jobs(race, &after);
        for (int who = 0; who < 2; who++) {
            if (play->paid > 0 &&
                (states_kit_may_pay(&is, &pairs[0].kind[0]) ||
                 (paid[who] > 0 && states_kit_may_pay(&is, &race->pair->kind[who])))) {
                fail_msg("%s: may pay again from %s", race->text, is.word);
            }
        }
    }
    states_kit_release(&after);
}

/* ---- all of them ---- */

/* Returns whether the open `who` stopped at its point, by `stopped`. */
static void run_race(struct race *race, const enum states_kit_run run[2],
                     const int stop_at[2], bool stopped[2])
{
    pid_t child[2];
    states_kit_lay_out(race->first, STATES_KIT_OWNERS_REAL);
    set_up(race, run, stop_at);
    child[0] = start(race, 0);
    stopped[0] = states_kit_play->is_stopped[0];
    run_second(race, &child[1]);
    stopped[1] = states_kit_play->is_stopped[1];
    finish(race, 0);
    note_found(race, 1);
    finish(race, 1);
    end(child[0], race);
    if (child[1] != 0) {
        end(child[1], race);
    }
    check(race);
    races++;
}

static void run_schedules(struct race *race, const enum states_kit_run run[2])
{
    bool stopped[2] = {true, true};
    for (int i = 1; stopped[0]; i++) {
        stopped[1] = true;
        for (int j = 1; stopped[1]; j++) {
            run_race(race, run, (const int[2]){i, j}, stopped);
            if (!stopped[0]) {
                break; /* one after the other */
            }
        }
    }
}

static void run_pair(struct race *race)
{
    bool second_sends =
        race->pair->removal == REMOVES_NOTHING && race->pair->kind[1].job == NULL;
    for (size_t i = 0; i < GIQ_COUNT(runs); i++) {
        /* A throttled request goes on for long, so it has many points. */
        bool is_one_too_many = runs[i][0] == STATES_KIT_RUN_THROTTLED &&
                               (race->view->ages || !race->view->is_stale);
        if (!is_one_too_many &&
            (second_sends || runs[i][1] == STATES_KIT_RUN_SUBMITTED)) {
            run_schedules(race, runs[i]);
        }
    }
}

static bool is_worth_it(const struct race *race)
{
    return states_kit_may_pay(&race->was, &race->pair->kind[0]) ||
           states_kit_may_pay(&race->was, &race->pair->kind[1]);
}

/* `has_view` is which views count. */
static void run_state(const struct states_kit_state *state,
                      const bool has_view[GIQ_COUNT(views)])
{
    struct race race = {.first = state, .was = states_kit_mean(state, false)};
    for (size_t p = 0; p < GIQ_COUNT(pairs); p++) {
        for (size_t v = 0; v < GIQ_COUNT(views); v++) {
            race.pair = &pairs[p];
            race.view = &views[v];
            if (has_view[v] && is_worth_it(&race)) {
                run_pair(&race);
            }
        }
    }
}

#define RECORD(state, more)                                                              \
    "{\"format\":2,\"state\":\"" state "\",\"model_id\":\"m\",\"gone\":false" more "}\n"
#define TICKET(more) "{\"format\":1,\"n\":1,\"host\":\"n1\",\"pid\":999999999" more "}\n"

/* With which files the two begin. */
static const struct {
    const char *word;    /* that they mean */
    const char *request; /* "" for the right one */
    const char *job, *ticket;
    bool has_view[GIQ_COUNT(views)]; /* the others add nothing to those of "none" */
} beginnings[] = {
    {"none", NULL, NULL, NULL, {true, true, true, true}},
    {"intent", "", RECORD("intent", ""), NULL, {false, true, false, false}},
    {"none", "", NULL, TICKET(",\"outcome\":\"nothing\""), {false, true, false, true}},
    {"failed",
     "",
     RECORD("failed", ",\"job_id\":\"j0\",\"error\":\"no\""),
     NULL,
     {true, true, true, true}},
    {"unknown",
     "",
     RECORD("sending", ",\"attempt\":1"),
     TICKET(",\"outcome\":\"unknown\",\"error\":\"no\""),
     {true, true, true, true}},
    {"damaged",
     "{",
     RECORD("published", ",\"job_id\":\"j0\",\"result\":{\"size\":4}"),
     NULL,
     {true, true, true, true}},
};

static void test_two_at_once_send_one_run_request(void **unused)
{
    (void)unused;
    states_kit_start();
    struct states_kit_state first = states_kit_read_back();
    for (size_t i = 0; i < GIQ_COUNT(beginnings); i++) {
        struct states_kit_state state = {.count = 0};
        const char *request = beginnings[i].request;
        states_kit_set(&state, "request.json",
                       request == NULL || request[0] != '\0'
                           ? request
                           : states_kit_text(&first, "request.json"));
        states_kit_set(&state, "job.json", beginnings[i].job);
        states_kit_set(&state, "sent.1", beginnings[i].ticket);
        const struct states_kit_meaning meaning = states_kit_mean(&state, false);
        assert_string_equal(meaning.word, beginnings[i].word);
        size_t before = races;
        run_state(&state, beginnings[i].has_view);
        print_message("%s: %zu races\n", beginnings[i].word, races - before);
        assert_true(races > before);
        states_kit_release(&state);
    }
    states_kit_release(&first);
    states_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_at_once_send_one_run_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
