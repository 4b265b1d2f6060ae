/* The files of states_kit, and what they mean. */
#include "states_kit.h"

#include "unit.h"

#include "base/giq_os.h"
#include "base/giq_tree.h"
#include "env_kit.h"
#include "store/giq_record_read.h"

char *states_kit_folder;
char *states_kit_request;
const char states_kit_result[] = "result.00000000000000000000000000000001";

/* ---- names ---- */

const char *states_kit_name(const char *path)
{
    size_t len = states_kit_folder == NULL ? 0 : strlen(states_kit_folder);
    if (len == 0 || strncmp(path, states_kit_folder, len) != 0 || path[len] != '/') {
        return NULL;
    }
    const char *name = path + len + 1;
    bool counts = strchr(name, '/') == NULL && strcmp(name, "lock") != 0 &&
                  strstr(name, ".tmp") == NULL && name[0] != '.';
    return counts ? name : NULL;
}

/* ---- states ---- */

void states_kit_release(struct states_kit_state *state)
{
    for (size_t i = 0; i < state->count; i++) {
        free(state->file[i].text);
    }
    *state = (struct states_kit_state){.count = 0};
}

struct states_kit_state states_kit_copy(const struct states_kit_state *state)
{
    struct states_kit_state copy = *state;
    for (size_t i = 0; i < copy.count; i++) {
        copy.file[i].text = strdup(state->file[i].text);
    }
    return copy;
}

const char *states_kit_text(const struct states_kit_state *state, const char *name)
{
    for (size_t i = 0; i < state->count; i++) {
        if (strcmp(state->file[i].name, name) == 0) {
            return state->file[i].text;
        }
    }
    return NULL;
}

void states_kit_set(struct states_kit_state *state, const char *name, const char *text)
{
    size_t i = 0;
    while (i < state->count && strcmp(state->file[i].name, name) != 0) {
        i++;
    }
    if (i < state->count) {
        free(state->file[i].text);
        state->file[i] = state->file[--state->count];
    }
    if (text != NULL) {
        assert_true(state->count < STATES_KIT_FILES_MAX);
        struct states_kit_file *file = &state->file[state->count++];
        (void)snprintf(file->name, sizeof file->name, "%s", name);
        file->text = strdup(text);
    }
}

static bool take_file(void *ctx, const char *name, struct giq_error *err)
{
    struct states_kit_state *state = ctx;
    (void)err;
    char *path = giq_os_join(states_kit_folder, name);
    bool counts = states_kit_name(path) != NULL;
    free(path);
    if (counts) {
        char *text = env_kit_read(states_kit_folder, name);
        states_kit_set(state, name, text);
        free(text);
    }
    return true;
}

struct states_kit_state states_kit_read_back(void)
{
    struct states_kit_state state = {.count = 0};
    struct giq_error err = {0};
    assert_true(giq_os_list(states_kit_folder, take_file, &state, &err));
    return state;
}

static bool remove_file(void *ctx, const char *name, struct giq_error *err)
{
    (void)ctx;
    char *path = giq_os_join(states_kit_folder, name);
    bool ok = giq_os_remove(path, err);
    free(path);
    return ok;
}

static bool is_pending(const struct states_kit_file *file)
{
    return strncmp(file->name, "sent.", 5) == 0 &&
           strstr(file->text, "\"outcome\"") == NULL;
}

static void age(const char *name)
{
    env_kit_set_age(states_kit_folder, name, 61000);
}

/* Hosts are "n1" and "n2", or here "n9". */
static void write_pending(const struct states_kit_file *file,
                          enum states_kit_owners owners)
{
    static const char host[] = "\"host\":\"n";
    char *text = strdup(file->text);
    char *at = strstr(text, host);
    if (at != NULL && owners != STATES_KIT_OWNERS_REAL) {
        at[strlen(host)] = '9';
    }
    env_kit_write(states_kit_folder, file->name, text);
    free(text);
    if (owners == STATES_KIT_OWNERS_OLD) {
        age(file->name);
    }
}

void states_kit_age_tickets(void)
{
    struct states_kit_state state = states_kit_read_back();
    for (size_t i = 0; i < state.count; i++) {
        if (is_pending(&state.file[i])) {
            age(state.file[i].name);
        }
    }
    states_kit_release(&state);
}

void states_kit_remove(const char *name)
{
    struct giq_error err = {0};
    char *path =
        name == NULL ? strdup(states_kit_folder) : giq_os_join(states_kit_folder, name);
    assert_true(giq_tree_remove(path, &err));
    free(path);
}

void states_kit_lay_out(const struct states_kit_state *state,
                        enum states_kit_owners owners)
{
    struct giq_error err = {0};
    assert_true(giq_os_make_folders(states_kit_folder, GIQ_OS_PRIVATE, &err));
    assert_true(giq_os_list(states_kit_folder, remove_file, NULL, &err));
    for (size_t i = 0; i < state->count; i++) {
        if (is_pending(&state->file[i])) {
            write_pending(&state->file[i], owners);
        } else {
            env_kit_write(states_kit_folder, state->file[i].name, state->file[i].text);
        }
    }
}

/* ---- what they mean ---- */

struct ticket {
    int n;
    char outcome; /* j, n, u, or '-' without one */
    char job_id[16];
    char replaces[16];
    char label; /* '-': none */
};

static const char *text_or_dash(const struct giq_json *json, const char *name)
{
    const char *text = giq_json_text(giq_json_get(json, name));
    return text == NULL ? "-" : text;
}

static void copy_text(const struct giq_json *json, const char *name, char out[16])
{
    const char *text = giq_json_text(giq_json_get(json, name));
    (void)snprintf(out, 16, "%s", text == NULL ? "-" : text);
}

static int read_tickets(const struct states_kit_state *state,
                        struct ticket out[STATES_KIT_TICKETS_MAX])
{
    int count = 0;
    for (int n = 1; n <= STATES_KIT_TICKETS_MAX; n++) {
        char name[24];
        (void)snprintf(name, sizeof name, "sent.%d", n);
        const char *text = states_kit_text(state, name);
        if (text == NULL) {
            continue;
        }
        GIQ_AUTO_JSON struct giq_json *json = giq_json_parse(text, strlen(text));
        const char *outcome = text_or_dash(json, "outcome");
        const char *label = text_or_dash(json, "label");
        struct ticket *ticket = &out[count++];
        *ticket = (struct ticket){.n = n, .outcome = outcome[0], .label = label[0]};
        copy_text(json, "job_id", ticket->job_id);
        copy_text(json, "replaces", ticket->replaces);
    }
    return count;
}

/* Tickets that ended with nothing leave no trace but their numbers, which are only
 * compared. So the others are counted from 1 on. */
static int rank(const struct ticket *tickets, int count, int n)
{
    int at = 0;
    for (int i = 0; i < count; i++) {
        at += tickets[i].outcome != 'n' && tickets[i].n <= n;
    }
    return at;
}

bool states_kit_has_pending(const struct states_kit_state *state)
{
    for (size_t i = 0; i < state->count; i++) {
        if (is_pending(&state->file[i])) {
            return true;
        }
    }
    return false;
}

static bool is_word(const char *word, const char *expected)
{
    return word != NULL && strcmp(word, expected) == 0;
}

static bool has_job(const struct giq_json *record)
{
    const char *word = giq_json_text(giq_json_get(record, "state"));
    return giq_json_text(giq_json_get(record, "job_id")) != NULL &&
           (is_word(word, "submitted") || is_word(word, "succeeded") ||
            is_word(word, "published") || is_word(word, "failed"));
}

/* The part of job.json that counts: not that of a further job that was not started. */
static const struct giq_json *counted_part(const struct giq_json *json, int newest)
{
    while (json != NULL) {
        const char *word = giq_json_text(giq_json_get(json, "state"));
        const struct giq_json *before = giq_json_get(json, "before");
        int attempt = (int)giq_json_integer(giq_json_get(json, "attempt"), 0);
        bool is_intent = is_word(word, "intent") && before != NULL;
        bool is_ahead = attempt > newest && !has_job(json);
        if (!is_intent && !is_ahead) {
            break;
        }
        json = before;
    }
    return json;
}

static bool is_earlier(const struct giq_json *record, const char *id)
{
    const struct giq_json *item = giq_json_first(giq_json_get(record, "earlier"));
    while (item != NULL && !is_word(giq_json_text(item), id)) {
        item = giq_json_next(item);
    }
    return item != NULL;
}

/* An older ticket has a job that no later one replaces. */
static bool has_late_job(const struct ticket *tickets, int count,
                         const struct giq_json *record)
{
    for (int i = 0; i < count - 1; i++) {
        bool is_replaced = is_earlier(record, tickets[i].job_id);
        for (int k = i + 1; k < count; k++) {
            is_replaced =
                is_replaced || (tickets[k].outcome != 'n' &&
                                strcmp(tickets[k].replaces, tickets[i].job_id) == 0);
        }
        if (tickets[i].outcome == 'j' && !is_replaced) {
            return true;
        }
    }
    return false;
}

static const char *word_of_ticket(const struct ticket *tickets, int count,
                                  const struct giq_json *record, bool owners_live)
{
    const struct ticket *newest = &tickets[count - 1];
    if (newest->outcome == 'j') {
        return "submitted";
    }
    if (newest->outcome == '-' && owners_live) {
        return "alive";
    }
    if (has_late_job(tickets, count, record)) {
        return "submitted";
    }
    return newest->outcome == '-' ? "dead" : "unknown";
}

/* Whether the files of a record, with or without job.json, are no record of the request.
 */
static bool is_damaged(const struct states_kit_state *state, const struct giq_json *json,
                       const struct giq_json *part)
{
    const char *request = states_kit_text(state, "request.json");
    bool has_word =
        states_kit_text(state, "job.json") == NULL ||
        (giq_json_text(giq_json_get(json, "state")) != NULL &&
         (part == NULL || giq_json_text(giq_json_get(part, "state")) != NULL));
    return !has_word || request == NULL || strstr(request, "127.0.0.1") == NULL;
}

static void mean_labels(const struct giq_json *part, const struct ticket *tickets,
                        int count, struct states_kit_meaning *out)
{
    const struct giq_json *label = giq_json_first(giq_json_get(part, "labels"));
    for (; label != NULL; label = giq_json_next(label)) {
        out->has_label[giq_json_text(label)[0] - 'a'] = true;
    }
    for (int i = 0; i < count; i++) {
        if (tickets[i].label != '-' && tickets[i].outcome != 'n') {
            out->has_label[tickets[i].label - 'a'] = true;
        }
    }
}

/* What a part of job.json, or none, states where no ticket is newer. */
static const char *word_of_part(const struct states_kit_state *state,
                                const struct giq_json *part)
{
    const char *word = giq_json_text(giq_json_get(part, "state"));
    bool has_result =
        is_word(word, "published") && states_kit_text(state, states_kit_result) != NULL;
    bool is_gone = giq_json_is_true(giq_json_get(part, "gone")) && !has_result;
    return part == NULL ? "none" : is_gone ? "gone" : word;
}

struct states_kit_meaning states_kit_mean(const struct states_kit_state *state,
                                          bool owners_live)
{
    struct ticket tickets[STATES_KIT_TICKETS_MAX];
    int count = read_tickets(state, tickets);
    struct states_kit_meaning meaning = {.newest = count > 0 ? tickets[count - 1].n : 0};
    meaning.sent = rank(tickets, count, meaning.newest);
    const char *text = states_kit_text(state, "job.json");
    GIQ_AUTO_JSON struct giq_json *json =
        text == NULL ? NULL : giq_json_parse(text, strlen(text));
    int counted = count;
    while (counted > 0 && tickets[counted - 1].outcome == 'n') {
        counted--;
    }
    int newest = counted > 0 ? tickets[counted - 1].n : 0;
    const struct giq_json *part = counted_part(json, newest);
    int attempt = (int)giq_json_integer(giq_json_get(part, "attempt"), 0);
    const char *of_part = word_of_part(state, part);
    const char *word = of_part;
    bool damaged = (text != NULL || newest > 0) && is_damaged(state, json, part);
    /* No further run request is sent for a published job; if one was about to replace a
     * damaged record, it was not sent before that record was replaced. */
    int64_t format = giq_json_integer(giq_json_get(json, "format"), 0);
    bool is_settled = !damaged && part == json && is_word(of_part, "published") &&
                      !giq_json_is_true(giq_json_get(part, "gone")) &&
                      (attempt == 1 || (attempt == 0 && format == 1));
    bool is_later = !is_settled && newest > 0 && !(attempt >= newest && has_job(part));
    bool is_recorded = attempt == newest && is_word(word, "unknown") && counted > 0 &&
                       tickets[counted - 1].outcome == '-';
    if (format > GIQ_RECORD_FORMAT) {
        word = "newer";
    } else if (damaged) {
        bool is_sending = counted > 0 && tickets[counted - 1].outcome == '-';
        word = is_sending && owners_live ? "alive" : "damaged";
    } else if (is_later && !is_recorded) {
        word = word_of_ticket(tickets, counted, part, owners_live);
    }
    (void)snprintf(meaning.word, sizeof meaning.word, "%s", word);
    /* Nothing was sent under the labels of an `intent`, unless no ticket says so. */
    bool has_no_labels = damaged || (is_later && is_word(of_part, "intent"));
    mean_labels(has_no_labels ? NULL : part, tickets, is_settled ? 0 : count, &meaning);
    return meaning;
}

/* ---- signatures ---- */

/* Jobs are named after their tickets; "j0" and "j7" are others. */
static const char *rank_of_job(const struct ticket *tickets, int count, const char *id,
                               char out[16])
{
    (void)snprintf(out, 16, "%s", id == NULL ? "-" : id);
    for (int i = 0; i < count; i++) {
        if (is_word(id, tickets[i].job_id) && id[0] == 'j') {
            (void)snprintf(out, 16, "of%d", rank(tickets, count, tickets[i].n));
        }
    }
    return out;
}

/* The two labels are alike, so the one that is used first, or alone, is called 'a'. */
static bool swaps_labels(const struct states_kit_meaning *meaning,
                         const struct ticket *tickets, int count)
{
    for (int i = 0; i < count; i++) {
        if (tickets[i].outcome != 'n' && tickets[i].label != '-') {
            return tickets[i].label == 'b';
        }
    }
    return !meaning->has_label[0] && meaning->has_label[1];
}

static char swap_label(char label, bool swaps)
{
    if (!swaps || label == '-') {
        return label;
    }
    return "ab"[label == 'a'];
}

static void sign_tickets(const struct ticket *tickets, int count, bool swaps, char *out,
                         size_t size)
{
    char id[16];
    char replaced[16];
    size_t len = 0;
    out[0] = '\0';
    for (int i = 0; i < count; i++) {
        const struct ticket *ticket = &tickets[i];
        if (ticket->outcome != 'n') {
            len +=
                (size_t)snprintf(out + len, size - len, "%c%s>%s%c ", ticket->outcome,
                                 rank_of_job(tickets, count, ticket->job_id, id),
                                 rank_of_job(tickets, count, ticket->replaces, replaced),
                                 swap_label(ticket->label, swaps));
        }
    }
    bool is_nothing = count > 0 && tickets[count - 1].outcome == 'n';
    (void)snprintf(out + len, size - len, "%s ", is_nothing ? "nothing" : "");
}

/* Each further job that was not started keeps one part more. */
enum { PARTS_SIGNED = 3 };

/* A part of job.json, and the earlier ones in it. The number of a ticket says whether the
 * record is about that one, one that ended with nothing, or the first. */
static bool is_old(const struct giq_json *part)
{
    return giq_json_integer(giq_json_get(part, "format"), 0) == 1;
}

static void sign_record(const struct giq_json *json, const struct ticket *tickets,
                        int count, char *out, size_t size)
{
    char id[16];
    size_t len = 0;
    out[0] = '\0';
    const struct giq_json *part = json;
    for (int depth = 0; part != NULL && depth < PARTS_SIGNED; depth++) {
        const char *word = giq_json_text(giq_json_get(part, "state"));
        int attempt = (int)giq_json_integer(giq_json_get(part, "attempt"), 0);
        bool is_own = rank(tickets, count, attempt) > rank(tickets, count, attempt - 1);
        bool is_ahead = count > 0 && attempt > tickets[count - 1].n;
        bool is_published = is_word(word, "published");
        len += (size_t)snprintf(
            out + len, size - len, "%s %s %d%c%c%d%d ", word == NULL ? "-" : word,
            rank_of_job(tickets, count, giq_json_text(giq_json_get(part, "job_id")), id),
            rank(tickets, count, attempt),
            is_own     ? '='
            : is_ahead ? '>'
                       : '-',
            !is_published  ? '-'
            : attempt > 1  ? '+'
            : is_old(part) ? '1'
                           : '2',
            giq_json_is_true(giq_json_get(part, "gone")),
            giq_json_get(part, "submitted_at") != NULL);
        assert_true(len + 60 < size);
        part = giq_json_get(part, "before");
    }
}

void states_kit_sign(const struct states_kit_state *state,
                     char out[STATES_KIT_SIGNATURE_SIZE])
{
    static const char *const names[] = {"job.json", "job.json.damaged", "request.json",
                                        "request.json.damaged", states_kit_result};
    enum { PART_SIZE = 180 };
    struct ticket tickets[STATES_KIT_TICKETS_MAX];
    char of_record[PART_SIZE];
    char of_tickets[PART_SIZE];
    char files[GIQ_COUNT(names) + 1] = "";
    int count = read_tickets(state, tickets);
    const struct states_kit_meaning meaning = states_kit_mean(state, false);
    const char *text = states_kit_text(state, "job.json");
    GIQ_AUTO_JSON struct giq_json *json =
        text == NULL ? NULL : giq_json_parse(text, strlen(text));
    sign_record(json, tickets, count, of_record, sizeof of_record);
    bool swaps = swaps_labels(&meaning, tickets, count);
    sign_tickets(tickets, count, swaps, of_tickets, sizeof of_tickets);
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        files[i] = states_kit_text(state, names[i]) == NULL ? '-' : '+';
    }
    int len = snprintf(out, STATES_KIT_SIGNATURE_SIZE, "%s %d%d %s| %s%s", meaning.word,
                       meaning.has_label[swaps], meaning.has_label[!swaps], of_record,
                       of_tickets, files);
    assert_true(len > 0 && len < STATES_KIT_SIGNATURE_SIZE);
}

void states_kit_classify(const struct states_kit_state *state,
                         char out[STATES_KIT_SIGNATURE_SIZE])
{
    struct ticket tickets[STATES_KIT_TICKETS_MAX];
    int count = read_tickets(state, tickets);
    const struct states_kit_meaning meaning = states_kit_mean(state, false);
    const char *text = states_kit_text(state, "job.json");
    GIQ_AUTO_JSON struct giq_json *json =
        text == NULL ? NULL : giq_json_parse(text, strlen(text));
    const char *word = giq_json_text(giq_json_get(json, "state"));
    int attempt = (int)giq_json_integer(giq_json_get(json, "attempt"), 0);
    int last = count == 0 ? 0 : tickets[count - 1].n;
    (void)snprintf(out, STATES_KIT_SIGNATURE_SIZE, "%s %d %s %d%d%d %c %d%d%d",
                   meaning.word, meaning.has_label[0] || meaning.has_label[1],
                   word == NULL ? "-" : word, giq_json_get(json, "before") != NULL,
                   has_job(json), (attempt > last) - (attempt < last),
                   count == 0 ? ' ' : tickets[count - 1].outcome,
                   states_kit_text(state, "request.json") != NULL,
                   states_kit_text(state, "request.json.damaged") != NULL,
                   states_kit_text(state, states_kit_result) != NULL);
}

/* ---- what an open may do, and what it reads ---- */

bool states_kit_may_pay(const struct states_kit_meaning *meaning,
                        const struct states_kit_kind *kind)
{
    static const char *const ended[] = {"failed",  "unknown", "gone",
                                        "damaged", "sending", "dead"};
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

/* What giq_record_read() makes of the folder. */
static struct states_kit_meaning read_record(void)
{
    struct states_kit_meaning meaning = {.word = "damaged"};
    struct giq_error err = {0};
    bool damaged = false;
    GIQ_AUTO(giq_record_release) struct giq_record record;
    giq_record_init(&record);
    bool ok =
        giq_record_read(states_kit_folder, states_kit_request, &record, &damaged, &err);
    if (!ok && !damaged) {
        (void)snprintf(meaning.word, sizeof meaning.word, "newer");
        return meaning;
    }
    if (ok) {
        bool is_alive = record.sender == GIQ_SENDER_ALIVE;
        bool is_dead = record.sender == GIQ_SENDER_DEAD;
        (void)snprintf(meaning.word, sizeof meaning.word, "%s",
                       is_alive      ? "alive"
                       : is_dead     ? "dead"
                       : record.gone ? "gone"
                                     : giq_record_state_name(record.state));
    }
    (void)snprintf(meaning.job_id, sizeof meaning.job_id, "%s",
                   record.job_id == NULL ? "" : record.job_id);
    meaning.has_label[0] = giq_record_has_label(&record, "a");
    meaning.has_label[1] = giq_record_has_label(&record, "b");
    return meaning;
}

void states_kit_check_reading(const struct states_kit_state *state, bool owners_live,
                              const char *about, struct states_kit_meaning *out)
{
    char signature[STATES_KIT_SIGNATURE_SIZE];
    const struct states_kit_meaning expected = states_kit_mean(state, owners_live);
    const struct states_kit_meaning read = read_record();
    states_kit_sign(state, signature);
    bool is_same_word =
        strcmp(read.word, expected.word) == 0 ||
        /* whether the result exists is not read */
        (is_word(read.word, "gone") && is_word(expected.word, "published"));
    /* Nothing is read of a newer record; a damaged one may have more labels. */
    bool has_same_labels = is_word(read.word, "newer");
    if (!has_same_labels) {
        bool may_have_more = is_word(read.word, "damaged");
        has_same_labels = true;
        for (size_t i = 0; i < GIQ_COUNT(read.has_label); i++) {
            bool is_same = read.has_label[i] == expected.has_label[i] ||
                           (may_have_more && read.has_label[i]);
            has_same_labels = has_same_labels && is_same;
        }
    }
    if (!is_same_word || !has_same_labels) {
        fail_msg("%s: \"%s\" is read as %s (%d%d), not %s (%d%d)", about, signature,
                 read.word, read.has_label[0], read.has_label[1], expected.word,
                 expected.has_label[0], expected.has_label[1]);
    }
    *out = read;
}
