/*
 * Forgetting records and results. The interface is in giq/forget.h.
 *
 * The record lock excludes opens that submit or fetch, where locks work. Where they do
 * not, a ticket does: the next run request of the key must have the number of the ticket
 * that forgetting takes, so nobody sends one while the folder is renamed. Its outcome is
 * `nothing`, with a pause: a process that is killed here leaves a record that is still
 * true.
 */
#include "giq/forget.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_buf.h"
#include "base/giq_cleanup.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "base/giq_tree.h"
#include "store/giq_claim.h"
#include "store/giq_digest.h"
#include "store/giq_leftovers.h"
#include "store/giq_lock.h"
#include "store/giq_record.h"
#include "store/giq_record_read.h"
#include "store/giq_store.h"
#include "store/giq_ticket.h"

enum {
    /* In which nobody sends a run request for the key: from its ticket until its folder
     * is renamed. rename_folder() checks that it sufficed. */
    PAUSE_MS = 30000,
    AGE_MAX_H = 24 * 36525, /* 100 years */
    AGE_DIGITS_MAX = 6,     /* of AGE_MAX_H */
    NAMES_MAX = 1000,       /* bytes of the names in an error */
    RESULTS_MAX = 1000,     /* folders of results; another call removes the rest */
    HOUR_MS = 60 * 60 * 1000,
};

/* The names of the folder of a key and of a result while it is removed; a token follows.
 */
static const char forgotten_name[] = "forgotten";
static const char discarded_name[] = "discarded";

/* ---- selecting ---- */

struct target {
    char *key;
    char *job_id;           /* or NULL */
    const char *state_name; /* static */
    bool is_young;          /* ended at `before_ms` or later, or at an unknown time */
    bool is_forgotten;      /* its record was removed */
};

struct selection {
    const struct giq_forget_args *args;
    struct target *items;
    size_t len;
    size_t capacity;
    size_t *matches; /* records that each name of `args` has */
};

static void selection_release(struct selection *selection)
{
    for (size_t i = 0; i < selection->len; i++) {
        free(selection->items[i].key);
        free(selection->items[i].job_id);
    }
    free(selection->items);
    free(selection->matches);
}

/* Whether the record may have a job that nothing else names. */
static bool is_protected(const char *state_name)
{
    static const char *const states[] = {"sending", "submitted", "unknown", "damaged"};
    for (size_t i = 0; i < GIQ_COUNT(states); i++) {
        if (strcmp(state_name, states[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_young(const struct giq_forget_args *args, const struct giq_job_view *job)
{
    if (args->before_ms == GIQ_TIME_NONE) {
        return false;
    }
    int64_t time_ms = job->finished_ms;
    time_ms = time_ms == GIQ_TIME_NONE ? job->submitted_ms : time_ms;
    time_ms = time_ms == GIQ_TIME_NONE ? job->started_ms : time_ms;
    return time_ms == GIQ_TIME_NONE || time_ms >= args->before_ms;
}

/* Count the record for each name that it has. Without names all records match. */
static bool match_names(struct selection *selection, const struct giq_job_view *job)
{
    const struct giq_forget_args *args = selection->args;
    bool found = args->count == 0;
    for (size_t i = 0; i < args->count; i++) {
        const char *name = args->names[i];
        if (strcmp(name, job->key) == 0 ||
            (job->job_id != NULL && giq_text_is_same_id(name, job->job_id))) {
            selection->matches[i]++;
            found = true;
        }
    }
    return found;
}

static bool grow(struct selection *selection, struct giq_error *err)
{
    if (selection->len < selection->capacity) {
        return true;
    }
    size_t capacity = selection->capacity == 0 ? 16 : 2 * selection->capacity;
    struct target *items = realloc(selection->items, capacity * sizeof *items);
    if (items == NULL) {
        return giq_fail_memory(err);
    }
    selection->items = items;
    selection->capacity = capacity;
    return true;
}

static bool select_record(void *ctx, const struct giq_job_view *job,
                          struct giq_error *err)
{
    struct selection *selection = ctx;
    bool is_bulk = selection->args->count == 0;
    if (!match_names(selection, job)) {
        return true;
    }
    struct target target = {.state_name = job->state_name,
                            .is_young = is_young(selection->args, job)};
    if (is_bulk && (target.is_young || is_protected(target.state_name))) {
        return true;
    }
    if (!grow(selection, err)) {
        return false;
    }
    if (!giq_text_set(&target.key, job->key) ||
        (job->job_id != NULL && !giq_text_set(&target.job_id, job->job_id))) {
        free(target.key);
        return giq_fail_memory(err);
    }
    selection->items[selection->len++] = target;
    return true;
}

static const char *name_of(const struct target *target, struct giq_printable *out)
{
    return giq_text_printable(target->job_id != NULL ? target->job_id : target->key, out);
}

static bool fail_protected(const struct target *target, struct giq_error *err)
{
    struct giq_printable name;
    return giq_fail(err, GIQ_E_USAGE,
                    "the record of %s is \"%s\", so it may have a job that was paid for "
                    "and that nothing else names; nothing was forgotten; wait for the "
                    "job, or forget it with --force",
                    name_of(target, &name), target->state_name);
}

/* Check that each name has one record, and that all of them may be forgotten. */
static bool check_selection(const struct selection *selection, struct giq_error *err)
{
    const struct giq_forget_args *args = selection->args;
    struct giq_printable name;
    for (size_t i = 0; i < args->count; i++) {
        (void)giq_text_printable(args->names[i], &name);
        if (selection->matches[i] == 0) {
            return giq_fail(err, GIQ_E_USAGE,
                            "no record in the store has the key or the job \"%s\"; "
                            "nothing was forgotten; GIQ:jobs lists the records",
                            name.text);
        }
        if (selection->matches[i] > 1) {
            return giq_fail(
                err, GIQ_E_USAGE,
                "%zu records in the store have the job \"%s\"; nothing was "
                "forgotten; name the key of one of them, which GIQ:jobs lists",
                selection->matches[i], name.text);
        }
    }
    for (size_t i = 0; i < selection->len; i++) {
        const struct target *target = &selection->items[i];
        if (!(args->flags & GIQ_FORGET_FORCE) && !target->is_young &&
            is_protected(target->state_name)) {
            return fail_protected(target, err);
        }
    }
    return true;
}

/* ---- one record ---- */

/* Forgetting one record. */
struct forgetting {
    const struct giq_store *store;
    const struct target *target;
    unsigned flags;
    char *folder;
    struct giq_lock *lock; /* NULL while it is not held */
    int ticket;            /* that it takes; 0: not yet chosen */
    enum giq_forget_outcome outcome;
    int64_t bytes;
    struct giq_error reason; /* why it was kept */
};

/* Keep the record; `reason` of the forgetting is set. The call still succeeds. */
static bool keep(struct forgetting *forgetting)
{
    forgetting->outcome = GIQ_FORGET_KEPT;
    return true;
}

/* Whether the record has another job than when it was selected. */
static bool has_other_job(const struct target *target, const struct giq_record *record)
{
    if (target->job_id == NULL || record->job_id == NULL) {
        return target->job_id != record->job_id;
    }
    return !giq_text_is_same_id(target->job_id, record->job_id);
}

/* Whether the record, which was read again, must be kept; the reason is then set. */
static bool must_keep(struct forgetting *forgetting, const struct giq_record *record,
                      const char *state_name)
{
    struct giq_error *reason = &forgetting->reason;
    bool forces = (forgetting->flags & GIQ_FORGET_FORCE) != 0;
    bool keeps_record = (forgetting->flags & GIQ_FORGET_RESULTS_ONLY) != 0;
    struct giq_printable ids;
    if (record->sender == GIQ_SENDER_ALIVE) {
        return !giq_fail(reason, GIQ_E_STORE,
                         "an open is working on the record, whose state is \"%s\"; "
                         "forget it when that has finished",
                         state_name);
    }
    if (has_other_job(forgetting->target, record)) {
        return !giq_fail(reason, GIQ_E_STORE,
                         "its job has changed since the records were listed; GIQ:jobs "
                         "lists the new one");
    }
    if (!forces && is_protected(state_name)) {
        return !giq_fail(reason, GIQ_E_STORE,
                         "its state has changed to \"%s\"; wait for the job, or forget "
                         "it with --force",
                         state_name);
    }
    if (!forces && !keeps_record && strcmp(state_name, "succeeded") == 0) {
        return !giq_fail(reason, GIQ_E_STORE,
                         "its job has succeeded and was paid for, and its result was not "
                         "downloaded; open it, which downloads that, or forget it with "
                         "--force");
    }
    if (!forces && !keeps_record && record->other_jobs != NULL) {
        return !giq_fail(reason, GIQ_E_STORE,
                         "only this record names further jobs that were paid for: %s; "
                         "fetch them with GIQ:job=<id>, or forget it with --force",
                         giq_text_printable(record->other_jobs, &ids));
    }
    return false;
}

/* Read the record again. `*out_kept` is whether it has changed so that it must be kept;
 * the reason is then set. */
static bool check_again(struct forgetting *forgetting, bool *out_kept,
                        struct giq_error *err)
{
    bool damaged = false;
    struct giq_job_view view;
    GIQ_AUTO(giq_record_release) struct giq_record record;
    giq_record_init(&record);
    if (!giq_record_read(forgetting->folder, NULL, &record, &damaged, err)) {
        if (!damaged) {
            return false;
        }
        *err = (struct giq_error){0};
    }
    giq_record_view(&record, NULL, &view);
    *out_kept = must_keep(forgetting, &record, damaged ? "damaged" : view.state_name);
    return true;
}

/* ---- the result ---- */

/* The folders of results in the folder of a key, whoever published them, and those that
 * a killed process did not remove completely. Downloads and results that are still being
 * checked are not among them. */
struct results {
    char *names[RESULTS_MAX];
    size_t len;
};

static void results_release(struct results *results)
{
    for (size_t i = 0; i < results->len; i++) {
        free(results->names[i]);
    }
}

static bool add_result(void *ctx, const char *name, struct giq_error *err)
{
    struct results *results = ctx;
    /* Names that version 0.1 gave. */
    bool is_old = strcmp(name, "result") == 0 || strcmp(name, "result.old") == 0 ||
                  strcmp(name, "result.discarded") == 0;
    bool is_discarded = strncmp(name, discarded_name, strlen(discarded_name)) == 0 &&
                        name[strlen(discarded_name)] == '.';
    bool is_result = is_old || is_discarded || giq_claim_is_folder(name);
    if (results->len == RESULTS_MAX || !is_result) {
        return true;
    }
    char *copy = strdup(name);
    if (copy == NULL) {
        return giq_fail_memory(err);
    }
    results->names[results->len++] = copy;
    return true;
}

/* The result gets another name first: an open that uses it must not find a tree that is
 * half removed. */
static bool remove_result(struct forgetting *forgetting, const char *name,
                          struct giq_error *err)
{
    int64_t bytes = 0;
    GIQ_AUTO_FREE char *path = giq_os_join(forgetting->folder, name);
    GIQ_AUTO_FREE char *discarded = giq_os_temporary(forgetting->folder, discarded_name);
    if (path == NULL || discarded == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_tree_size(path, &bytes, err)) {
        return false;
    }
    bool is_dry_run = (forgetting->flags & GIQ_FORGET_DRY_RUN) != 0;
    if (!is_dry_run &&
        (!giq_os_rename(path, discarded, err) || !giq_tree_remove(discarded, err))) {
        return false;
    }
    forgetting->bytes += bytes;
    return true;
}

static bool remove_results(struct forgetting *forgetting, struct giq_error *err)
{
    GIQ_AUTO(results_release) struct results results = {.len = 0};
    if (!giq_os_list(forgetting->folder, add_result, &results, err)) {
        return false;
    }
    for (size_t i = 0; i < results.len; i++) {
        if (!remove_result(forgetting, results.names[i], err)) {
            return false;
        }
    }
    forgetting->outcome = results.len > 0 ? GIQ_FORGET_RESULT : GIQ_FORGET_NOTHING;
    return true;
}

/* ---- the record ---- */

/* Keep the record because another open sends a run request for it. */
static bool keep_sending(struct forgetting *forgetting)
{
    (void)giq_fail(
        &forgetting->reason, GIQ_E_STORE,
        "another process is sending a run request for it; forget it when that has "
        "finished");
    return keep(forgetting);
}

/* Take the ticket that the next run request would need. `*out_taken` is false if another
 * process has taken it, to send one. */
static bool take_ticket(struct forgetting *forgetting, bool *out_taken,
                        struct giq_error *err)
{
    GIQ_AUTO(giq_tickets_release) struct giq_tickets tickets = {0};
    GIQ_AUTO(giq_ticket_release) struct giq_ticket ticket;
    giq_ticket_init(&ticket);
    if (!giq_ticket_list(forgetting->folder, &tickets, err)) {
        return false;
    }
    ticket.n = tickets.len == 0 ? 1 : tickets.items[tickets.len - 1].n + 1;
    ticket.outcome = GIQ_TICKET_NOTHING;
    ticket.retry_after_ms = PAUSE_MS;
    forgetting->ticket = ticket.n;
    return giq_ticket_take(forgetting->folder, giq_store_access(forgetting->store),
                           &ticket, out_taken, err);
}

static void release_lock(struct forgetting *forgetting)
{
    giq_lock_release(forgetting->lock);
    forgetting->lock = NULL;
}

/* Rename the folder. If another process has taken a later ticket, because this one was
 * stopped for longer than the pause, or the tickets cannot be listed, give the folder its
 * name back. */
static bool rename_folder(const struct forgetting *forgetting, const char *forgotten,
                          bool *out_renamed, struct giq_error *err)
{
    struct giq_error ignored = {0};
    GIQ_AUTO(giq_tickets_release) struct giq_tickets tickets = {0};
    if (!giq_os_rename(forgetting->folder, forgotten, err)) {
        return false;
    }
    bool ok = giq_ticket_list(forgotten, &tickets, err);
    *out_renamed =
        ok && tickets.len > 0 && tickets.items[tickets.len - 1].n == forgetting->ticket;
    return *out_renamed ||
           (giq_os_rename(forgotten, forgetting->folder, ok ? err : &ignored) && ok);
}

/* The folder gets another name first: an open must not find a record that is half
 * removed. It is then forgotten. What cannot be removed now, such as a file that another
 * process has open on NFS, is removed by a later call. */
static bool remove_folder(struct forgetting *forgetting, struct giq_error *err)
{
    const char *keys = giq_store_keys_folder(forgetting->store);
    int64_t bytes = 0;
    bool is_renamed = false;
    GIQ_AUTO_FREE char *forgotten = giq_os_temporary(keys, forgotten_name);
    if (forgotten == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_tree_size(forgetting->folder, &bytes, err) ||
        !rename_folder(forgetting, forgotten, &is_renamed, err)) {
        return false;
    }
    if (!is_renamed) {
        return keep_sending(forgetting);
    }
    struct giq_error ignored = {0};
    forgetting->outcome = GIQ_FORGET_RECORD;
    release_lock(forgetting); /* which is a file in the folder */
    (void)giq_os_sync_path(keys, &ignored);
    if (giq_tree_remove(forgotten, &ignored)) {
        forgetting->bytes += bytes;
    }
    return true;
}

/* Must be called with the record lock held. The result goes first, so that there is room
 * for a ticket on a disk that was full. */
static bool remove_record(struct forgetting *forgetting, struct giq_error *err)
{
    bool is_taken = false;
    bool is_kept = false;
    if (!remove_results(forgetting, err) || !take_ticket(forgetting, &is_taken, err)) {
        return false;
    }
    if (!is_taken) {
        return keep_sending(forgetting);
    }
    if (!check_again(forgetting, &is_kept, err)) {
        return false;
    }
    return is_kept ? keep(forgetting) : remove_folder(forgetting, err);
}

static bool measure(struct forgetting *forgetting, struct giq_error *err)
{
    if (forgetting->flags & GIQ_FORGET_RESULTS_ONLY) {
        return remove_results(forgetting, err);
    }
    forgetting->outcome = GIQ_FORGET_RECORD;
    return giq_tree_size(forgetting->folder, &forgetting->bytes, err);
}

/* Must be called with the record lock held, except with GIQ_FORGET_DRY_RUN. */
static bool check_and_forget(struct forgetting *forgetting, struct giq_error *err)
{
    bool is_kept = false;
    if (!check_again(forgetting, &is_kept, err)) {
        return false;
    }
    if (is_kept) {
        return keep(forgetting);
    }
    if (forgetting->flags & GIQ_FORGET_DRY_RUN) {
        return measure(forgetting, err);
    }
    return forgetting->flags & GIQ_FORGET_RESULTS_ONLY ? remove_results(forgetting, err)
                                                       : remove_record(forgetting, err);
}

static bool forget_one(struct forgetting *forgetting, struct giq_error *err)
{
    forgetting->folder = giq_store_folder(forgetting->store, forgetting->target->key);
    if (forgetting->folder == NULL) {
        return giq_fail_memory(err);
    }
    if (forgetting->flags & GIQ_FORGET_DRY_RUN) {
        return check_and_forget(forgetting, err);
    }
    struct giq_error failure = {0};
    if (!giq_lock_acquire(forgetting->folder, giq_store_access(forgetting->store),
                          &forgetting->lock, &failure)) {
        if (failure.code == GIQ_E_TIMEOUT) {
            (void)giq_fail(&forgetting->reason, GIQ_E_STORE,
                           "another open or process works on it; forget it when that has "
                           "finished");
            return keep(forgetting);
        }
        *err = failure;
        return false;
    }
    bool ok = check_and_forget(forgetting, err);
    release_lock(forgetting);
    return ok;
}

/* ---- all of them ---- */

static bool report(const struct giq_forget_args *args, const struct target *target,
                   const struct forgetting *forgetting, struct giq_error *err)
{
    bool is_kept = forgetting->outcome == GIQ_FORGET_KEPT;
    const struct giq_forgotten forgotten = {
        .key = target->key,
        .job_id = target->job_id,
        .state_name = target->state_name,
        .outcome = forgetting->outcome,
        .bytes = forgetting->bytes,
        .reason = is_kept ? forgetting->reason.text : NULL,
    };
    if (args->count == 0 && forgotten.outcome == GIQ_FORGET_NOTHING) {
        return true;
    }
    return args->each(args->ctx, &forgotten, err);
}

/* Add to `*err`, the reason why a record was not forgotten, what was removed before. */
static void add_removed(const struct forgetting *forgetting, struct giq_error *err)
{
    const struct giq_error cause = *err;
    if (forgetting->bytes > 0) {
        (void)giq_error_replace(err, cause.code,
                                "%s; its result was removed, and is downloaded again by "
                                "the next open",
                                cause.text);
    }
}

/* If the record was named and is old enough, it is an error that it cannot be forgotten.
 * Without names it is kept and reported, so that the results of others are still removed.
 */
static bool forget_target(const struct giq_store *store,
                          const struct giq_forget_args *args, struct target *target,
                          struct giq_error *err)
{
    struct giq_printable name;
    struct forgetting forgetting = {
        .store = store, .target = target, .flags = args->flags};
    if (args->count == 0) {
        forgetting.flags |= GIQ_FORGET_RESULTS_ONLY;
    }
    if (target->is_young) {
        (void)giq_fail(&forgetting.reason, GIQ_E_USAGE, "it is not old enough");
        (void)keep(&forgetting);
        return report(args, target, &forgetting, err);
    }
    struct giq_error failure = {0};
    bool ok = forget_one(&forgetting, &failure);
    free(forgetting.folder);
    target->is_forgotten = ok && forgetting.outcome == GIQ_FORGET_RECORD &&
                           (args->flags & GIQ_FORGET_DRY_RUN) == 0;
    if (!ok) {
        add_removed(&forgetting, &failure);
    }
    if (!ok && (args->count > 0 || failure.code != GIQ_E_STORE)) {
        *err = failure;
        return false;
    }
    if (!ok) {
        forgetting.reason = failure;
        (void)keep(&forgetting);
    }
    if (forgetting.outcome == GIQ_FORGET_KEPT && args->count > 0) {
        (void)giq_fail(err, GIQ_E_STORE, "%s was not forgotten: %s",
                       name_of(target, &name), forgetting.reason.text);
        add_removed(&forgetting, err);
        return false;
    }
    return report(args, target, &forgetting, err);
}

/* Add to an error the records that were forgotten before it: the host may drop what was
 * reported to it. */
static void add_forgotten(const struct selection *selection, struct giq_error *err)
{
    const struct giq_error cause = *err;
    struct giq_printable name;
    GIQ_AUTO_BUF struct giq_buf names;
    char more[40] = ""; /* " and 99995 more" */
    size_t unnamed = 0;
    giq_buf_init(&names, NAMES_MAX);
    for (size_t i = 0; i < selection->len; i++) {
        const struct target *target = &selection->items[i];
        if (target->is_forgotten &&
            !giq_buf_addf(&names, "%s%s", names.len == 0 ? "" : ", ",
                          name_of(target, &name))) {
            unnamed++;
        }
    }
    if (unnamed > 0) {
        (void)snprintf(more, sizeof more, " and %zu more", unnamed);
    }
    if (names.len > 0) {
        (void)giq_error_replace(err, cause.code,
                                "%s; forgotten before it, so that a later open of the "
                                "same request is paid for: %s%s",
                                cause.text, giq_buf_text(&names), more);
    }
}

struct leftovers {
    const char *keys;
    int64_t before_ns; /* no process works on what was not modified since */
};

/* Remove a folder that a killed process has left. One that was modified lately stays: a
 * process that is alive may still give it its name back. */
static bool remove_leftover(void *ctx, const char *name, struct giq_error *err)
{
    const struct leftovers *leftovers = ctx;
    struct giq_error ignored = {0};
    int64_t modified_ns = 0;
    size_t prefix_len = sizeof forgotten_name - 1;
    (void)err;
    if (strncmp(name, forgotten_name, prefix_len) == 0 && name[prefix_len] == '.') {
        GIQ_AUTO_FREE char *path = giq_os_join(leftovers->keys, name);
        (void)(path != NULL && giq_tree_newest(path, &modified_ns, &ignored) &&
               modified_ns < leftovers->before_ns && giq_tree_remove(path, &ignored));
    }
    return true;
}

static void remove_leftovers(const struct giq_store *store)
{
    const int64_t ns_per_ms = 1000000;
    struct giq_error ignored = {0};
    int64_t now_ns = 0;
    struct leftovers leftovers = {.keys = giq_store_keys_folder(store)};
    if (giq_os_server_time(leftovers.keys, giq_store_access(store), &now_ns, &ignored)) {
        leftovers.before_ns = now_ns - GIQ_LEFTOVERS_AGE_MS * ns_per_ms;
        (void)giq_os_list(leftovers.keys, remove_leftover, &leftovers, &ignored);
    }
}

bool giq_forget(const struct giq_store *store, const struct giq_forget_args *args,
                struct giq_error *err)
{
    GIQ_AUTO(selection_release) struct selection selection = {.args = args};
    if (args->count == 0 && args->before_ms == GIQ_TIME_NONE) {
        return giq_fail(err, GIQ_E_USAGE,
                        "name the key or the job of each record to forget, or state "
                        "with --older-than which results to remove");
    }
    selection.matches = calloc(args->count + 1, sizeof *selection.matches);
    if (selection.matches == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_jobs_each(store, select_record, &selection, err) ||
        !check_selection(&selection, err)) {
        return false;
    }
    if (!(args->flags & GIQ_FORGET_DRY_RUN)) {
        remove_leftovers(store);
    }
    for (size_t i = 0; i < selection.len; i++) {
        if (!forget_target(store, args, &selection.items[i], err)) {
            add_forgotten(&selection, err);
            return false;
        }
    }
    return true;
}

bool giq_forget_parse_age(const char *text, int64_t *out_ms, struct giq_error *err)
{
    static const struct {
        char unit;
        int64_t hours;
    } units[] = {{'h', 1}, {'d', 24}, {'w', 168}};
    size_t digits = strspn(text, "0123456789");
    struct giq_printable printable;
    for (size_t i = 0; i < GIQ_COUNT(units) && digits > 0 && digits <= AGE_DIGITS_MAX;
         i++) {
        int64_t hours = strtoll(text, NULL, 10) * units[i].hours;
        if (text[digits] == units[i].unit && text[digits + 1] == '\0' &&
            hours <= AGE_MAX_H) {
            *out_ms = hours * HOUR_MS;
            return true;
        }
    }
    return giq_fail(err, GIQ_E_USAGE,
                    "an age must be a number with h (hours), d (days) or w (weeks), such "
                    "as 30d, of at most 100 years; got \"%s\"",
                    giq_text_printable(text, &printable));
}
