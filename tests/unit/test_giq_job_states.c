/*
 * Every state of a record against every event, explored to the end: no sequence of
 * opens, responses and crashes pays for a second job unless a label asks for it.
 *
 * The calls of the service are replaced by the linker (--wrap): whenever one is made,
 * the exploration chooses what comes of it, and comes back later for every other
 * choice. Each open runs in a process of its own, so that a crash is a crash. What
 * may happen next depends on nothing but the files in the key's folder: so it is
 * enough that every single open, from every state that can be reached, keeps the rule.
 */
#include "job/giq_job_internal.h"

#include "unit.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "env_kit.h"
#include "wrap_kit.h"

enum { STATES_MAX = 2000, CHOICES_MAX = 12, SIGNATURE_SIZE = 128, CRASHED = 77 };

/* ---- states: the files of the key's folder ---- */

static const char *const file_names[] = {"job.json",
                                         "job.json.damaged",
                                         "request.json",
                                         "request.json.damaged",
                                         "result.00000000000000000000000000000001",
                                         "sent.1",
                                         "sent.2",
                                         "sent.3",
                                         "sent.4",
                                         "sent.5",
                                         "sent.6",
                                         "sent.7",
                                         "sent.8"};
enum {
    FILES = GIQ_COUNT(file_names),
    JOB = 0,
    REQUEST = 2,
    RESULT = 4,
    SENT = 5, /* the first ticket */
    TICKETS = FILES - SENT,
};

/* ---- what an open may meet ---- */

enum run_choice {
    RUN_SUBMITTED,
    RUN_NOT_SENT,
    RUN_REFUSED,
    RUN_LATER,
    RUN_UNKNOWN,
    RUN_CRASH_BEFORE,   /* before the request went out */
    RUN_CRASH_SENT,     /* the request went out */
    RUN_CRASH_ANSWERED, /* the response came and was not written down */
    RUN_CHOICES,
};
enum status_choice {
    STATUS_DONE,
    STATUS_RUNNING,
    STATUS_FAILED,
    STATUS_NO_JOB,
    STATUS_CRASH,
    STATUS_CHOICES,
};
enum fetch_choice {
    FETCH_DONE,
    FETCH_GONE,
    FETCH_CUT,
    FETCH_CRASH_BEFORE,
    FETCH_CRASH_AFTER,
    FETCH_CHOICES,
};

/* Shared with the process that runs the open. */
static struct {
    int choice[CHOICES_MAX];
    int choices[CHOICES_MAX]; /* how many there were */
    int made;
    int paid;          /* run requests that may have made a job */
    int misses;        /* status calls in a row that did not know the job */
    bool is_gone;      /* as the service said last */
    bool is_paid_gone; /* ... when the run request was sent */
} * play;

static struct env_kit clock_kit;

static int choose(int choices)
{
    assert_true(play->made < CHOICES_MAX);
    play->choices[play->made] = choices;
    return play->choice[play->made++];
}

/* ---- the calls, replaced ---- */

enum giq_api_run_outcome __wrap_giq_api_run(struct giq_service *service,
                                            const struct giq_request *request,
                                            const struct giq_api_run_hooks *hooks,
                                            struct giq_api_job *job, int64_t *later_ms,
                                            struct giq_error *err)
{
    (void)service;
    (void)request;
    int choice = choose(RUN_CHOICES);
    *later_ms = -1;
    if (choice == RUN_CRASH_BEFORE) {
        _exit(CRASHED);
    }
    (void)giq_fail(err, GIQ_E_REFUSED, "no");
    if (choice == RUN_NOT_SENT || !hooks->before_send(hooks->ctx, err)) {
        return GIQ_API_RUN_NO_JOB;
    }
    if (choice == RUN_REFUSED || choice == RUN_LATER) {
        return choice == RUN_LATER ? GIQ_API_RUN_THROTTLED : GIQ_API_RUN_NO_JOB;
    }
    play->paid++;
    play->is_paid_gone = play->is_gone;
    if (choice == RUN_CRASH_SENT || choice == RUN_CRASH_ANSWERED) {
        _exit(CRASHED);
    }
    if (choice == RUN_UNKNOWN) {
        return GIQ_API_RUN_UNKNOWN;
    }
    *job = (struct giq_api_job){.id = strdup("j1"), .started_ms = GIQ_TIME_NONE};
    return GIQ_API_RUN_SUBMITTED;
}

enum giq_api_status_outcome
__wrap_giq_api_status(struct giq_service *service, const char *job_id,
                      struct giq_api_job *job, int64_t *later_ms, struct giq_error *err)
{
    static const char *const words[] = {"DONE", "RUNNING", "FAILED"};
    (void)service;
    (void)job_id;
    int choice = choose(STATUS_CHOICES);
    *job = (struct giq_api_job){.started_ms = GIQ_TIME_NONE};
    *later_ms = -1;
    if (choice == STATUS_CRASH) {
        _exit(CRASHED);
    }
    /* One look more would only be the same again. */
    env_kit_advance(&clock_kit, INT64_C(24) * 3600 * 1000);
    play->misses = choice == STATUS_NO_JOB ? play->misses + 1 : 0;
    play->is_gone = play->misses >= 2;
    if (choice == STATUS_NO_JOB) {
        (void)giq_fail(err, GIQ_E_GONE, "not known");
        return GIQ_API_STATUS_NOT_FOUND;
    }
    job->status = strdup(words[choice]);
    return GIQ_API_STATUS_OK;
}

bool __wrap_giq_fetch(struct giq_service *service, const struct giq_store *store,
                      const char *folder, const char *job_id,
                      const struct giq_job_host *host, struct giq_claim *out,
                      struct giq_error *err)
{
    (void)service;
    (void)store;
    (void)host;
    int choice = choose(FETCH_CHOICES);
    if (choice == FETCH_CRASH_BEFORE) {
        _exit(CRASHED);
    }
    play->is_gone = choice == FETCH_GONE;
    if (choice == FETCH_GONE || choice == FETCH_CUT) {
        return giq_fail(err, choice == FETCH_GONE ? GIQ_E_GONE : GIQ_E_INCOMPLETE, "no");
    }
    env_kit_write(folder, file_names[RESULT], "data");
    if (choice == FETCH_CRASH_AFTER) {
        _exit(CRASHED);
    }
    *out = (struct giq_claim){
        .job_id = strdup(job_id), .folder = strdup(file_names[RESULT]), .size = 4};
    return true;
}

/* Claims are left out: each one more would be another state. */
bool __wrap_giq_claim_make(const char *folder, unsigned access,
                           const struct giq_claim *claim, bool *out_made,
                           struct giq_claim *out_other, struct giq_error *err);

bool __wrap_giq_claim_make(const char *folder, unsigned access,
                           const struct giq_claim *claim, bool *out_made,
                           struct giq_claim *out_other, struct giq_error *err)
{
    (void)folder;
    (void)access;
    (void)claim;
    (void)out_other;
    (void)err;
    *out_made = true;
    return true;
}

struct state {
    char *file[FILES]; /* NULL where there is none */
};

/* What the files say, read without the code under test's rules. */
struct meaning {
    char word[32]; /* of the state; "damaged", "newer" or "none" */
    bool has_label[2];
};

static void add_label(struct meaning *meaning, const char *label)
{
    if (label != NULL) {
        meaning->has_label[label[0] - 'a'] = true;
    }
}

/* The word of the newest ticket, whose owner has ended; NULL without tickets. */
static const char *word_of_tickets(const struct state *state, struct meaning *meaning,
                                   int *out_count)
{
    const char *word = NULL;
    for (*out_count = 0; *out_count < TICKETS; (*out_count)++) {
        const char *text = state->file[SENT + *out_count];
        if (text == NULL) {
            break;
        }
        struct giq_json *json = giq_json_parse(text, strlen(text));
        const char *outcome = giq_json_text(giq_json_get(json, "outcome"));
        add_label(meaning, giq_json_text(giq_json_get(json, "label")));
        word = outcome != NULL && strcmp(outcome, "job") == 0 ? "submitted" : "unknown";
        giq_json_free(json);
    }
    return word;
}

/* The word of a record that is not damaged. */
static const char *word_of_record(const struct state *state, const struct giq_json *json,
                                  struct meaning *meaning)
{
    const struct giq_json *told = json;
    const struct giq_json *before = giq_json_get(json, "before");
    const char *word = giq_json_text(giq_json_get(json, "state"));
    if (strcmp(word, "intent") == 0 && before != NULL) {
        told = before;
        word = giq_json_text(giq_json_get(told, "state"));
    }
    bool has_result = strcmp(word, "published") == 0 && state->file[RESULT] != NULL;
    bool is_gone = giq_json_is_true(giq_json_get(told, "gone")) && !has_result;
    for (const struct giq_json *label = giq_json_first(giq_json_get(told, "labels"));
         label != NULL; label = giq_json_next(label)) {
        add_label(meaning, giq_json_text(label));
    }
    return is_gone ? "gone" : word;
}

static struct meaning mean(const struct state *state)
{
    struct meaning meaning = {"none", {false, false}};
    int tickets = 0;
    const char *sent = word_of_tickets(state, &meaning, &tickets);
    const char *text = state->file[JOB] == NULL ? "" : state->file[JOB];
    struct giq_json *json = giq_json_parse(text, strlen(text));
    bool has_words = giq_json_text(giq_json_get(json, "state")) != NULL;
    const char *word = sent == NULL ? "none" : sent;
    bool is_damaged =
        state->file[REQUEST] == NULL || strstr(state->file[REQUEST], "127.0.0.1") == NULL;
    if (giq_json_integer(giq_json_get(json, "format"), 0) > 2) {
        word = "newer";
    } else if ((state->file[JOB] != NULL && (!has_words || is_damaged)) ||
               (sent != NULL && is_damaged)) {
        word = "damaged";
    } else if (has_words) {
        bool is_newest = giq_json_integer(giq_json_get(json, "attempt"), 0) >= tickets;
        const char *told = word_of_record(state, json, &meaning);
        bool has_id = giq_json_get(json, "job_id") != NULL;
        word = sent == NULL || (is_newest && has_id) ? told : sent;
    }
    (void)snprintf(meaning.word, sizeof meaning.word, "%s", word);
    giq_json_free(json);
    return meaning;
}

/* ---- what is the same state ---- */

static void set_attempt(struct giq_json *json, const int kept[TICKETS + 1])
{
    int64_t attempt = giq_json_integer(giq_json_get(json, "attempt"), 0);
    assert_in_range(attempt, 0, TICKETS);
    if (attempt > 0) {
        assert_true(giq_json_set_integer(json, "attempt", kept[attempt]));
    }
}

/* A ticket that started nothing changes nothing but the numbers of later ones: leave it
 * out, or each refusal would be another state. */
static void leave_out_nothing(struct state *state)
{
    int kept[TICKETS + 1] = {0}; /* how many of the tickets up to this one */
    for (int i = 0; i < TICKETS; i++) {
        char *text = state->file[SENT + i];
        state->file[SENT + i] = NULL;
        kept[i + 1] = kept[i];
        if (text != NULL && strstr(text, "\"outcome\":\"nothing\"") != NULL) {
            free(text);
        } else if (text != NULL) {
            state->file[SENT + kept[i + 1]++] = text;
        }
    }
    const char *text = state->file[JOB] == NULL ? "" : state->file[JOB];
    struct giq_json *json = giq_json_parse(text, strlen(text));
    if (giq_json_is_object(json)) {
        const struct giq_json *before = giq_json_get(json, "before");
        struct giq_json *copy = before == NULL ? NULL : giq_json_copy(before);
        set_attempt(json, kept);
        if (copy != NULL) {
            set_attempt(copy, kept);
            assert_true(giq_json_set_copy(json, "before", copy));
        }
        free(state->file[JOB]);
        state->file[JOB] = giq_json_print(json);
        giq_json_free(copy);
    }
    giq_json_free(json);
}

static struct state states[STATES_MAX];
static char signatures[STATES_MAX][SIGNATURE_SIZE];
static size_t state_count;

/* All that rules look at: what is the same in it is the same state, whatever the
 * order of labels or the words of an error. */
static void sign(const struct state *state, char out[SIGNATURE_SIZE])
{
    const char *text = state->file[JOB] == NULL ? "" : state->file[JOB];
    struct giq_json *json = giq_json_parse(text, strlen(text));
    const struct meaning meaning = mean(state);
    const char *word = giq_json_text(giq_json_get(json, "state"));
    const char *id = giq_json_text(giq_json_get(json, "job_id"));
    int len =
        snprintf(out, SIGNATURE_SIZE, "%s %s %s %d%d%d%d ", meaning.word,
                 word == NULL ? "-" : word, id == NULL ? "-" : id, meaning.has_label[0],
                 meaning.has_label[1], giq_json_is_true(giq_json_get(json, "gone")),
                 giq_json_get(json, "submitted_at") != NULL);
    for (int f = 0; f < FILES; f++) {
        const char *file = state->file[f];
        const char *outcome = file == NULL ? NULL : strstr(file, "\"outcome\":\"");
        bool is_ticket = f >= SENT && outcome != NULL;
        out[len++] = (char)(file == NULL ? '-' : is_ticket ? outcome[11] : '+');
    }
    (void)snprintf(out + len, SIGNATURE_SIZE - (size_t)len, " %d",
                   (int)giq_json_integer(giq_json_get(json, "attempt"), 0));
    giq_json_free(json);
}

/* Takes the texts of `state`. */
static void reach(struct state state)
{
    char signature[SIGNATURE_SIZE];
    sign(&state, signature);
    for (size_t i = 0; i < state_count; i++) {
        if (strcmp(signatures[i], signature) == 0) {
            for (int f = 0; f < FILES; f++) {
                free(state.file[f]);
            }
            return;
        }
    }
    assert_true(state_count < STATES_MAX);
    memcpy(signatures[state_count], signature, sizeof signature);
    states[state_count++] = state;
}

/* ---- opens ---- */

struct kind {
    const char *name;
    const char *retry;
    const char *job;
    unsigned flags;
};

static const struct kind kinds[] = {
    {"plain", NULL, NULL, 0},
    {"wait=no", NULL, NULL, GIQ_JOB_NO_WAIT},
    {"SUBMIT=NO", NULL, NULL, GIQ_JOB_NO_SUBMIT},
    {"SUBMIT=NO RETRY=a", "a", NULL, GIQ_JOB_NO_SUBMIT},
    {"RETRY=a", "a", NULL, 0},
    {"RETRY=b", "b", NULL, 0},
    {"wait=no RETRY=a", "a", NULL, GIQ_JOB_NO_WAIT},
    {"job=j7", NULL, "j7", 0},
};

static char *store_path;
static char *folder_path;

static bool accept_all(void *ctx, const char *path, struct giq_error *err)
{
    (void)ctx;
    (void)path;
    (void)err;
    return true;
}

/* In a process of its own. The job's folder is told to the first caller. */
static void run_open(const struct kind *kind, bool only_name_folder)
{
    struct giq_error err = {0};
    struct giq_cred *cred = NULL;
    struct giq_service *service = NULL;
    struct giq_store *store = NULL;
    struct giq_job *job = NULL;
    const struct giq_settings settings = {
        .base_url = "http://127.0.0.1:1", .timeout_ms = 60000, .max_retry = 1};
    const struct giq_request request = {
        .model = "m", .file = "f", .job = kind->job, .retry = kind->retry};
    const struct giq_job_host host = {.accept = accept_all};
    env_kit_init(&clock_kit);
    assert_true(giq_cred_new("key", NULL, &cred, &err));
    assert_true(giq_service_new(&settings, cred, &clock_kit.env, &service, &err));
    assert_true(giq_store_open(store_path, 0, &store, &err));
    assert_true(giq_job_new(service, store, &request, kind->flags, &host, &job, &err));
    if (only_name_folder) {
        assert_true(giq_store_make(store, job->folder, &err));
        assert_true(giq_record_write_request(job->folder, 0, job->canonical, &err));
        folder_path = strdup(job->folder);
    }
    enum giq_step step = only_name_folder ? GIQ_STEP_DONE : GIQ_STEP_AGAIN;
    for (int64_t due = 0; step != GIQ_STEP_DONE;) {
        if (!giq_job_step(job, &step, &due, &err)) {
            break;
        }
        if (due > clock_kit.now_ms) {
            env_kit_advance(&clock_kit, due - clock_kit.now_ms);
        }
    }
    giq_job_free(job);
    giq_store_close(store);
    giq_service_free(service);
    giq_cred_free(cred);
}

static void lay_out(const struct state *state)
{
    for (int f = 0; f < FILES; f++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", folder_path, file_names[f]);
        (void)unlink(path);
        if (state->file[f] != NULL) {
            env_kit_write(folder_path, file_names[f], state->file[f]);
        }
    }
}

static struct state read_back(void)
{
    struct state state = {0};
    for (int f = 0; f < FILES; f++) {
        state.file[f] = env_kit_read(folder_path, file_names[f]);
    }
    leave_out_nothing(&state);
    return state;
}

/* ---- the rule ---- */

/* Whether such an open may send a run request at all. */
static bool may_pay(const struct meaning *meaning, const struct kind *kind)
{
    static const char *const ended[] = {"failed", "unknown", "gone", "damaged",
                                        "sending"};
    if ((kind->flags & GIQ_JOB_NO_SUBMIT) || kind->job != NULL) {
        return false;
    }
    if (strcmp(meaning->word, "none") == 0 || strcmp(meaning->word, "intent") == 0) {
        return true;
    }
    bool has_ended = false;
    for (size_t i = 0; i < GIQ_COUNT(ended); i++) {
        has_ended = has_ended || strcmp(meaning->word, ended[i]) == 0;
    }
    return has_ended && kind->retry != NULL && !meaning->has_label[kind->retry[0] - 'a'];
}

static void check(const struct state *before, const struct kind *kind,
                  const struct state *after)
{
    const struct meaning was = mean(before);
    const struct meaning is = mean(after);
    if (play->paid > 1 || (play->paid == 1 && !may_pay(&was, kind))) {
        fail_msg("%s pays %d times from %s", kind->name, play->paid, was.word);
    }
    if (play->paid == 1 && strcmp(was.word, "gone") == 0 && !play->is_paid_gone) {
        fail_msg("%s pays for what was not found gone again", kind->name);
    }
    /* Whatever was paid for is on record, and the same open never pays again. */
    if (play->paid == 1 && (may_pay(&is, kind) || may_pay(&is, &kinds[0]))) {
        fail_msg("%s paid from %s and may pay again from %s", kind->name, was.word,
                 is.word);
    }
    if (strcmp(was.word, "newer") == 0 &&
        (after->file[JOB] == NULL || strcmp(before->file[JOB], after->file[JOB]) != 0)) {
        fail_msg("%s changes the record of a newer version", kind->name);
    }
}

/* ---- exploring ---- */

/* The next series of choices: the last one that has another is moved on. */
static bool next_choices(void)
{
    for (int i = play->made - 1; i >= 0; i--) {
        if (++play->choice[i] < play->choices[i]) {
            for (int j = i + 1; j < CHOICES_MAX; j++) {
                play->choice[j] = 0;
            }
            return true;
        }
    }
    return false;
}

static size_t explore(const struct state *state, const struct kind *kind)
{
    size_t opens = 0;
    (void)memset(play, 0, sizeof *play);
    do {
        play->made = 0;
        play->paid = 0;
        play->misses = 0;
        play->is_gone = false;
        lay_out(state);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            run_open(kind, false);
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == CRASHED);
        struct state after = read_back();
        check(state, kind, &after);
        reach(after);
        opens++;
    } while (next_choices());
    return opens;
}

static void add_first_states(void)
{
    static const char published[] =
        "{\"format\":1,\"state\":\"published\",\"job_id\":\"j0\",\"model_id\":\"m\","
        "\"gone\":false,\"result\":{\"size\":4}}\n";
    char *request = env_kit_read(folder_path, "request.json");
    reach((struct state){{NULL}});
    reach((struct state){.file = {[JOB] = strdup("{"), [REQUEST] = strdup(request)}});
    reach((struct state){.file = {[JOB] = strdup("{\"format\":99,\"state\":\"better\"}"),
                                  [REQUEST] = strdup(request)}});
    reach((struct state){.file = {[JOB] = strdup(published),
                                  [REQUEST] = strdup("{"),
                                  [RESULT] = strdup("data")}});
    reach((struct state){.file = {[JOB] = strdup(published), [REQUEST] = request}});
}

static void test_no_sequence_pays_twice_without_a_label(void **unused)
{
    (void)unused;
    play = mmap(NULL, sizeof *play, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                -1, 0);
    assert_true(play != MAP_FAILED);
    store_path = env_kit_folder();
    run_open(&kinds[0], true);
    add_first_states();
    size_t opens = 0;
    for (size_t i = 0; i < state_count; i++) {
        for (size_t k = 0; k < GIQ_COUNT(kinds); k++) {
            struct state state = states[i];
            opens += explore(&state, &kinds[k]);
        }
    }
    print_message("%zu states, %zu opens\n", state_count, opens);
    assert_true(state_count > 20);
    for (size_t i = 0; i < state_count; i++) {
        for (int f = 0; f < FILES; f++) {
            free(states[i].file[f]);
        }
    }
    free(folder_path);
    env_kit_remove(store_path);
    (void)munmap(play, sizeof *play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_sequence_pays_twice_without_a_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
