/*
 * Every state of a key's folder against every open, explored to the end: no sequence of
 * opens, responses, crashes, removed records and owners that seem to be alive or dead
 * pays for a second job unless a label asks for it.
 */
#include "states_kit.h"

#include "unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/giq_os.h"

/* Each state is read. One of each class (states_kit_classify()) is opened, unless it has
 * more run requests than this that may have started a job. */
enum { STATES_MAX = 4000, SENT_OPENED_MAX = 1 };

static struct states_kit_state states[STATES_MAX];
static char signatures[STATES_MAX][STATES_KIT_SIGNATURE_SIZE];
static size_t state_count;
static char classes[STATES_MAX][STATES_KIT_SIGNATURE_SIZE]; /* that were opened */
static size_t class_count;
static size_t read_count;

static const struct states_kit_kind kinds[] = {
    {"plain", NULL, NULL, 0},  {"SUBMIT=NO RETRY=a", "a", NULL, GIQ_JOB_NO_SUBMIT},
    {"RETRY=a", "a", NULL, 0}, {"RETRY=b", "b", NULL, 0},
    {"job=j7", NULL, "j7", 0},
};

/* ---- the rules ---- */

static void check(const struct states_kit_state *before,
                  const struct states_kit_meaning *was,
                  const struct states_kit_kind *kind,
                  const struct states_kit_state *after)
{
    const struct states_kit_play *play = states_kit_play;
    const struct states_kit_meaning is = states_kit_mean(after, false);
    const char *job_before = states_kit_text(before, "job.json");
    const char *job_after = states_kit_text(after, "job.json");
    char from[STATES_KIT_SIGNATURE_SIZE];
    char to[STATES_KIT_SIGNATURE_SIZE];
    states_kit_sign(before, from);
    states_kit_sign(after, to);
    if (play->paid > 1 || (play->paid == 1 && !states_kit_may_pay(was, kind))) {
        fail_msg("%s pays %d times from \"%s\" (%s)", kind->name, play->paid, from,
                 was->word);
    }
    if (play->paid == 1 && strcmp(was->word, "gone") == 0 && !play->is_paid_gone) {
        fail_msg("%s pays for what was not found gone again", kind->name);
    }
    /* Whatever was paid for is on record, and the same open never pays again. */
    if (play->paid == 1 &&
        (states_kit_may_pay(&is, kind) || states_kit_may_pay(&is, &kinds[0]))) {
        fail_msg("%s paid from \"%s\" and may pay again from \"%s\"", kind->name, from,
                 to);
    }
    if (strcmp(was->word, "newer") == 0 &&
        (job_after == NULL || strcmp(job_before, job_after) != 0)) {
        fail_msg("%s changes the record of a newer version", kind->name);
    }
}

/* ---- exploring ---- */

/* Takes `state`. */
static void reach(struct states_kit_state state)
{
    char signature[STATES_KIT_SIGNATURE_SIZE];
    states_kit_sign(&state, signature);
    for (size_t i = 0; i < state_count; i++) {
        if (strcmp(signatures[i], signature) == 0) {
            states_kit_release(&state);
            return;
        }
    }
    assert_true(state_count < STATES_MAX);
    memcpy(signatures[state_count], signature, sizeof signature);
    states[state_count++] = state;
}

/* The record of a state that has tickets is removed. */
static void reach_without_record(const struct states_kit_state *state)
{
    if (states_kit_text(state, "job.json") != NULL &&
        states_kit_text(state, "sent.1") != NULL) {
        struct states_kit_state without = states_kit_copy(state);
        states_kit_set(&without, "job.json", NULL);
        reach(without);
    }
}

static void run_child(const struct states_kit_kind *kind)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        states_kit_open(kind, 0);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == STATES_KIT_CRASHED);
}

/* Only its owner, which is dead, replaces a ticket. That its owner seemed to be elsewhere
 * was only for this open. */
static void restore_tickets(const struct states_kit_state *before,
                            struct states_kit_state *after)
{
    for (size_t i = 0; i < before->count; i++) {
        const struct states_kit_file *file = &before->file[i];
        if (strncmp(file->name, "sent.", 5) == 0) {
            const char *text = states_kit_text(after, file->name);
            assert_non_null(text);
            assert_int_equal(strlen(text), strlen(file->text));
            assert_string_equal(strstr(text, "\"boot\""), strstr(file->text, "\"boot\""));
            states_kit_set(after, file->name, file->text);
        }
    }
}

static size_t explore(const struct states_kit_state *state,
                      const struct states_kit_kind *kind, enum states_kit_owners owners)
{
    size_t opens = 0;
    const struct states_kit_meaning was =
        states_kit_mean(state, owners == STATES_KIT_OWNERS_REMOTE);
    (void)memset(states_kit_play, 0, sizeof *states_kit_play);
    do {
        states_kit_play->made = 0;
        states_kit_play->paid = 0;
        states_kit_play->misses = 0;
        states_kit_play->is_gone = false;
        states_kit_lay_out(state, owners);
        run_child(kind);
        struct states_kit_state after = states_kit_read_back();
        restore_tickets(state, &after);
        check(state, &was, kind, &after);
        reach(after);
        opens++;
    } while (states_kit_next_choices());
    return opens;
}

static bool is_new_class(const struct states_kit_state *state)
{
    char class[STATES_KIT_SIGNATURE_SIZE];
    states_kit_classify(state, class);
    for (size_t i = 0; i < class_count; i++) {
        if (strcmp(classes[i], class) == 0) {
            return false;
        }
    }
    memcpy(classes[class_count++], class, sizeof class);
    return true;
}

/* The two labels are alike, so the second one is tried where the first one is used. */
static bool adds_something(const struct states_kit_kind *kind,
                           const struct states_kit_meaning *meaning)
{
    return kind->retry == NULL || kind->retry[0] == 'a' || meaning->has_label[0];
}

static size_t open_state(const struct states_kit_state *state,
                         enum states_kit_owners owners)
{
    size_t opens = 0;
    const struct states_kit_meaning meaning = states_kit_mean(state, false);
    for (size_t k = 0; k < GIQ_COUNT(kinds); k++) {
        if (adds_something(&kinds[k], &meaning)) {
            opens += explore(state, &kinds[k], owners);
        }
    }
    return opens;
}

static size_t explore_state(size_t i)
{
    size_t opens = 0;
    const struct states_kit_state state = states_kit_copy(&states[i]);
    int last =
        states_kit_has_pending(&state) ? STATES_KIT_OWNERS_OLD : STATES_KIT_OWNERS_REAL;
    bool is_opened =
        states_kit_mean(&state, false).sent <= SENT_OPENED_MAX && is_new_class(&state);
    for (int at = STATES_KIT_OWNERS_REAL; at <= last; at++) {
        enum states_kit_owners owners = (enum states_kit_owners)at;
        struct states_kit_meaning ignored;
        states_kit_lay_out(&state, owners);
        states_kit_check_reading(&state, owners == STATES_KIT_OWNERS_REMOTE, "",
                                 &ignored);
        read_count++;
        /* Those that were not heard of for long are read as dead, as real ones are. */
        if (is_opened && owners != STATES_KIT_OWNERS_OLD) {
            opens += open_state(&state, owners);
        }
    }
    reach_without_record(&state);
    return opens;
}

static void add(const char *request, const char *job, const char *result)
{
    struct states_kit_state state = {.count = 0};
    states_kit_set(&state, "request.json", request);
    states_kit_set(&state, "job.json", job);
    states_kit_set(&state, states_kit_result, result);
    reach(state);
}

/* What earlier and later versions, users and damage leave. */
static void add_first_states(void)
{
#define RECORD(format, state)                                                            \
    "{\"format\":" format ",\"state\":\"" state "\",\"model_id\":\"m\",\"gone\":false"
#define RESULT                                                                           \
    ",\"result\":{\"size\":4,\"folder\":\"result.00000000000000000000000000000001\"}}\n"
    static const char published[] = RECORD("1", "published") ",\"job_id\":\"j0\"" RESULT;
    struct states_kit_state first = states_kit_read_back();
    const char *request = states_kit_text(&first, "request.json");
    add(NULL, NULL, NULL);
    add(request, "{", NULL);
    add(request, "{\"format\":99,\"state\":\"better\"}", NULL);
    add("{", published, "data");
    add(request, published, "data");
    add(request, published, NULL);
    add(request, RECORD("1", "sending") "}\n", NULL);
    add(request, RECORD("1", "intent") "}\n", NULL);
    add(request, RECORD("1", "failed") ",\"job_id\":\"j0\",\"error\":\"no\"}\n", NULL);
    states_kit_release(&first);
}

static void test_no_sequence_pays_twice_without_a_label(void **unused)
{
    (void)unused;
    states_kit_start();
    add_first_states();
    size_t opens = 0;
    for (size_t i = 0; i < state_count; i++) {
        opens += explore_state(i);
    }
    print_message("%zu states, read %zu times; %zu classes, %zu opens\n", state_count,
                  read_count, class_count, opens);
    assert_true(state_count > 100);
    for (size_t i = 0; i < state_count; i++) {
        states_kit_release(&states[i]);
    }
    states_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_sequence_pays_twice_without_a_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
