/* Reading records, merged with the tickets and claims of their folder. */
#include "store/giq_record_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_text.h"

/* The most tickets that are read though they are not listed: a listing of the folder may
 * be some seconds old. */
enum { UNLISTED_MAX = 100 };

static const struct giq_record_tickets all_tickets = {.known = 0};

/* ---- the tickets ---- */

/* Leave out the tickets from `below` on. */
static void leave_out(struct giq_tickets *tickets, int below)
{
    while (below > 0 && tickets->len > 0 && tickets->items[tickets->len - 1].n >= below) {
        giq_ticket_release(&tickets->items[--tickets->len]);
    }
}

static bool has_number(const struct giq_tickets *tickets, size_t count, int n)
{
    for (size_t i = 0; i < count; i++) {
        if (tickets->items[i].n == n) {
            return true;
        }
    }
    return false;
}

/* Add the tickets up to `last` that were not listed. They exist if `last` does, since
 * numbers are consecutive. One that is not visible yet counts as without outcome. */
static bool add_unlisted(const char *folder, int last, struct giq_tickets *tickets,
                         struct giq_error *err)
{
    size_t listed = tickets->len;
    int first = last > UNLISTED_MAX ? last - UNLISTED_MAX + 1 : 1;
    if (last == 0 || (listed == (size_t)last && tickets->items[listed - 1].n == last)) {
        return true;
    }
    for (int n = first; n <= last; n++) {
        bool found = false;
        if (has_number(tickets, listed, n)) {
            continue;
        }
        if (!giq_tickets_add(tickets, n, err) ||
            !giq_ticket_read(folder, n, &tickets->items[tickets->len - 1], &found, err)) {
            return false;
        }
    }
    giq_tickets_sort(tickets);
    return true;
}

/* List the tickets that `which` allows, up to at least the one that the record is about.
 */
static bool list(const char *folder, const struct giq_record_tickets *which, int attempt,
                 struct giq_tickets *out, struct giq_error *err)
{
    int last = which->known > attempt ? which->known : attempt;
    if (!giq_ticket_list(folder, out, err)) {
        return false;
    }
    leave_out(out, which->below);
    if (which->below > 0 && last >= which->below) {
        last = which->below - 1;
    }
    return add_unlisted(folder, last, out, err);
}

/* The index of the ticket that decides, the newest that did not end with "nothing"; -1
 * if there is none. */
static long find_deciding(const struct giq_tickets *tickets)
{
    long i = (long)tickets->len - 1;
    while (i >= 0 && tickets->items[i].outcome == GIQ_TICKET_NOTHING) {
        i--;
    }
    return i;
}

/* ---- the record ---- */

/* Set what the tickets state without regard to job.json. */
static void set_numbers(const struct giq_tickets *tickets, struct giq_record *record)
{
    record->newest = 0;
    record->throttled = 0;
    record->is_paused = false;
    for (size_t i = 0; i < tickets->len; i++) {
        const struct giq_ticket *ticket = &tickets->items[i];
        bool is_throttled =
            ticket->outcome == GIQ_TICKET_NOTHING && ticket->retry_after_ms > 0;
        record->newest = ticket->n;
        record->throttled += is_throttled ? 1 : 0;
        record->is_paused = is_throttled;
    }
}

static bool add_labels(const struct giq_tickets *tickets, struct giq_record *record,
                       struct giq_error *err)
{
    for (size_t i = 0; i < tickets->len; i++) {
        const struct giq_ticket *ticket = &tickets->items[i];
        if (ticket->outcome != GIQ_TICKET_NOTHING && ticket->label != NULL &&
            !giq_record_use_label(record, ticket->label, err)) {
            return false;
        }
    }
    return true;
}

static bool has_job(const struct giq_record *record)
{
    return record->job_id != NULL && record->state >= GIQ_JOB_SUBMITTED;
}

static bool set_job(struct giq_record *record, const struct giq_ticket *ticket)
{
    record->state = GIQ_JOB_SUBMITTED;
    record->started_ms = ticket->started_ms;
    return giq_text_set(&record->job_id, ticket->job_id) &&
           giq_text_set(&record->status, ticket->status) &&
           giq_text_set(&record->type, ticket->type) &&
           giq_text_set(&record->error, NULL);
}

static bool set_unknown(struct giq_record *record, const char *reason)
{
    record->state = GIQ_JOB_UNKNOWN;
    return giq_text_set(&record->error, reason);
}

/* The ticket has no outcome. Its owner may have recorded one in job.json alone. */
static bool set_pending(const struct giq_ticket_check *check, struct giq_record *record,
                        const struct giq_ticket *ticket, struct giq_error *err)
{
    bool is_alive = false;
    if (record->state > GIQ_JOB_SENDING) {
        return true;
    }
    if (!giq_ticket_is_alive(check, ticket, &is_alive, err)) {
        return false;
    }
    record->state = GIQ_JOB_SENDING;
    record->sender = is_alive ? GIQ_SENDER_ALIVE : GIQ_SENDER_DEAD;
    if (!is_alive && !set_unknown(record, GIQ_RECORD_NO_OUTCOME)) {
        return giq_fail_memory(err);
    }
    return true;
}

static bool set_outcome(const struct giq_ticket_check *check, struct giq_record *record,
                        const struct giq_ticket *ticket, struct giq_error *err)
{
    bool ok = true;
    if (ticket->outcome == GIQ_TICKET_NONE) {
        return set_pending(check, record, ticket, err);
    }
    if (ticket->outcome == GIQ_TICKET_JOB) {
        ok = set_job(record, ticket);
    } else {
        ok = set_unknown(record, ticket->error);
    }
    return ok || giq_fail_memory(err);
}

static bool copy_members(struct giq_record *record, const struct giq_ticket *ticket,
                         struct giq_error *err)
{
    record->submitted_ms = ticket->time_ms;
    if (!giq_text_set(&record->model_id, ticket->model_id) ||
        !giq_text_set(&record->file_id, ticket->file_id) ||
        !giq_text_set(&record->upload, ticket->upload) ||
        !giq_text_set(&record->geometry_crs, ticket->geometry_crs)) {
        return giq_fail_memory(err);
    }
    return ticket->replaces == NULL ||
           giq_record_add_earlier(record, ticket->replaces, err);
}

/* Replace a record that is older than the ticket, or is missing, by what the ticket
 * states. */
static bool rebuild(struct giq_record *record, const struct giq_ticket *ticket,
                    struct giq_error *err)
{
    if (record->state > GIQ_JOB_INTENT) {
        if (!giq_record_restart(record, err)) {
            return false;
        }
    } else {
        giq_record_release(record);
    }
    record->attempt = ticket->n;
    return copy_members(record, ticket, err);
}

/* ---- several jobs ---- */

/* Whether a ticket after the one at `i` replaces the job of that one. */
static bool is_replaced(const struct giq_tickets *tickets, size_t i)
{
    const char *id = tickets->items[i].job_id;
    for (size_t k = i + 1; k < tickets->len; k++) {
        const struct giq_ticket *later = &tickets->items[k];
        if (later->outcome != GIQ_TICKET_NOTHING && later->replaces != NULL &&
            giq_text_is_same_id(later->replaces, id)) {
            return true;
        }
    }
    return false;
}

/* Whether the ticket at `i` has a job that no further job was meant to replace. */
static bool has_own_job(const struct giq_tickets *tickets, size_t i,
                        const struct giq_record *record)
{
    const struct giq_ticket *ticket = &tickets->items[i];
    return ticket->outcome == GIQ_TICKET_JOB && !is_replaced(tickets, i) &&
           !giq_record_is_earlier(record, ticket->job_id);
}

/* The deciding ticket has no known job. If the response to an older run request, which
 * was given up, has arrived since, its job is that of the request. */
static bool use_late_job(const struct giq_tickets *tickets, size_t deciding,
                         struct giq_record *record, struct giq_error *err)
{
    for (size_t i = deciding; i-- > 0;) {
        if (has_own_job(tickets, i, record)) {
            record->sender = GIQ_SENDER_NONE;
            return set_job(record, &tickets->items[i]) || giq_fail_memory(err);
        }
    }
    return true;
}

static bool note_other_jobs(const struct giq_tickets *tickets, struct giq_record *record,
                            struct giq_error *err)
{
    for (size_t i = 0; i < tickets->len; i++) {
        const char *id = tickets->items[i].job_id;
        char *longer = NULL;
        if (!has_own_job(tickets, i, record) ||
            (record->job_id != NULL && giq_text_is_same_id(record->job_id, id))) {
            continue;
        }
        if (asprintf(&longer, "%s%s%s",
                     record->other_jobs == NULL ? "" : record->other_jobs,
                     record->other_jobs == NULL ? "" : ", ", id) < 0) {
            return giq_fail_memory(err);
        }
        free(record->other_jobs);
        record->other_jobs = longer;
    }
    return true;
}

/* ---- merging ---- */

/* Let the ticket decide, unless the record has a job and is about this ticket or a later
 * one: then the record was written after the ticket. */
static bool apply(const struct giq_ticket_check *check, const struct giq_tickets *tickets,
                  size_t deciding, struct giq_record *record, struct giq_error *err)
{
    const struct giq_ticket *ticket = &tickets->items[deciding];
    if (record->attempt >= ticket->n && has_job(record)) {
        return true;
    }
    if (record->attempt < ticket->n && !rebuild(record, ticket, err)) {
        return false;
    }
    if (!set_outcome(check, record, ticket, err)) {
        return false;
    }
    return record->state != GIQ_JOB_UNKNOWN ||
           use_late_job(tickets, deciding, record, err);
}

/* While a record is damaged, only a run request that is being sent is certain to be newer
 * than the damage. */
static bool apply_to_damaged(const struct giq_ticket_check *check,
                             const struct giq_tickets *tickets, long deciding,
                             struct giq_record *record, bool *damaged,
                             struct giq_error *err)
{
    const struct giq_ticket *ticket = deciding < 0 ? NULL : &tickets->items[deciding];
    struct giq_error failure = {0};
    bool is_alive = false;
    if (ticket == NULL || ticket->outcome != GIQ_TICKET_NONE) {
        return false;
    }
    if (!giq_ticket_is_alive(check, ticket, &is_alive, &failure)) {
        *err = failure;
        *damaged = false;
        return false;
    }
    if (!is_alive) {
        return false;
    }
    *damaged = false;
    return rebuild(record, ticket, err) && set_outcome(check, record, ticket, err);
}

/* As merge_tickets(), but without the numbers and labels of the tickets, which do not
 * depend on the record. */
static bool merge(const char *folder, const struct giq_tickets *tickets,
                  struct giq_ticket_watch *watch, struct giq_record *record,
                  bool *damaged, struct giq_error *err)
{
    long deciding = find_deciding(tickets);
    int n = deciding < 0 ? 0 : tickets->items[deciding].n;
    const struct giq_ticket_check check = {
        .folder = folder,
        .access = GIQ_OS_PRIVATE,
        .later_name = record->attempt >= n ? giq_record_name : NULL,
        .watch = watch,
    };
    /* The record is about a later ticket than the deciding one: its run request started
     * no job. */
    while (!*damaged && record->attempt > n && !has_job(record)) {
        if (!giq_record_use_earlier(record, folder, err)) {
            *damaged = err->code == GIQ_E_STORE;
            if (!*damaged) {
                return false;
            }
        }
    }
    if (*damaged) {
        giq_record_release(record);
        return apply_to_damaged(&check, tickets, deciding, record, damaged, err);
    }
    return (deciding < 0 || apply(&check, tickets, (size_t)deciding, record, err)) &&
           note_other_jobs(tickets, record, err);
}

/* Keep of a damaged record only what the tickets state, and its labels. */
static void keep_tickets_only(struct giq_record *record)
{
    struct giq_record reduced;
    giq_record_init(&reduced);
    reduced.newest = record->newest;
    reduced.throttled = record->throttled;
    reduced.is_paused = record->is_paused;
    reduced.other_jobs = giq_take(&record->other_jobs);
    reduced.document = giq_take(&record->document);
    giq_record_release(record);
    *record = reduced;
}

/*
 * Merge the record, which was read from job.json, with the tickets. The caller sets
 * `*damaged` to whether job.json is damaged. On failure `*damaged` is whether the content
 * is damaged, and the record has what the tickets state; `err` stays empty if the
 * damage was known before the call.
 */
static bool merge_tickets(const char *folder, const struct giq_record_tickets *tickets,
                          struct giq_record *record, bool *damaged, struct giq_error *err)
{
    GIQ_AUTO(giq_tickets_release) struct giq_tickets found = {0};
    struct giq_error failure = {0};
    if (!list(folder, tickets, record->attempt, &found, err)) {
        *damaged = false;
        return false;
    }
    bool ok = merge(folder, &found, tickets->watch, record, damaged, err);
    if (!ok && !*damaged) {
        return false;
    }
    if (!ok) {
        keep_tickets_only(record);
    }
    set_numbers(&found, record);
    if ((!ok && !note_other_jobs(&found, record, &failure)) ||
        !add_labels(&found, record, &failure)) {
        *err = failure;
        *damaged = false;
        return false;
    }
    return ok;
}

/* Add to the error of a damaged record the jobs that it or its tickets still name: one of
 * them can be adopted, and need not be looked for. */
static void name_job(const struct giq_record *record, struct giq_error *err)
{
    const struct giq_error reason = *err;
    struct giq_printable id;
    const char *known = record->job_id == NULL ? record->other_jobs : record->job_id;
    if (known != NULL) {
        (void)giq_error_replace(err, reason.code, "%s; the job of the request is %s",
                                reason.text, giq_text_printable(known, &id));
    }
}

/* ---- claims ---- */

/* The open that publishes makes the claim first, and may be killed before it writes
 * job.json; another one that was stopped may put an older record over it. */
static bool use_newest_claim(struct giq_record *record, const char *folder,
                             struct giq_error *err)
{
    GIQ_AUTO(giq_claim_release) struct giq_claim newest = {0};
    if (!giq_claim_read_newest(folder, &newest, err)) {
        return false;
    }
    return !giq_record_is_older(record, &newest) ||
           giq_record_use_claim(record, &newest, err);
}

/* ---- reading ---- */

/* Whether no ticket can change what the record states. Version 0.1 wrote format 1. A
 * record of a newer format that names no ticket may have been written by an open that had
 * not seen one. */
static bool needs_no_tickets(const struct giq_record *record)
{
    int64_t format = giq_json_integer(giq_json_get(record->document, "format"), 0);
    return record->state == GIQ_JOB_PUBLISHED && !record->gone &&
           (record->attempt == 1 || (record->attempt == 0 && format == 1));
}

/* If memory ran out or a system call failed, the record may be intact. */
static bool is_content_error(const struct giq_error *err)
{
    return err->code == GIQ_E_STORE && err->sys_errno == 0;
}

/* Read job.json alone. `*out_is_final` is whether no ticket can change it; its request is
 * then checked too. `*damaged` is as `*out_damaged` of giq_record_read(). */
static bool read_job_file(const char *folder, const char *request, bool is_brief,
                          struct giq_record *record, bool *out_is_final, bool *damaged,
                          struct giq_error *err)
{
    *damaged = false;
    bool ok = giq_record_load(folder, is_brief, record, damaged, err);
    *out_is_final = ok && needs_no_tickets(record);
    if (*out_is_final && request != NULL) {
        ok = giq_record_check_request(folder, request, err);
        *damaged = !ok;
    }
    *damaged = *damaged && is_content_error(err);
    return ok;
}

/* Merge the record with the tickets, check the request, and use a newer claim. If
 * `*damaged` is true, `err` has the reason, which stays unless reading the tickets fails
 * for another one. */
static bool merge_and_check(const char *folder, const char *request,
                            const struct giq_record_tickets *tickets,
                            struct giq_record *record, bool *damaged,
                            struct giq_error *err)
{
    struct giq_error reason = {0};
    if (!merge_tickets(folder, tickets, record, damaged, &reason)) {
        if (reason.code != GIQ_E_NONE) {
            *err = reason;
        }
        return false;
    }
    /* A sender that is alive may be about to replace a damaged request. */
    bool has_request =
        record->state != GIQ_JOB_NONE && record->sender != GIQ_SENDER_ALIVE;
    if (request != NULL && has_request &&
        !giq_record_check_request(folder, request, err)) {
        *damaged = is_content_error(err);
        return false;
    }
    bool may_have_claim =
        record->state == GIQ_JOB_SUBMITTED || record->state == GIQ_JOB_SUCCEEDED;
    return !may_have_claim || use_newest_claim(record, folder, err);
}

/* As giq_record_read_with(), in one attempt, into `record`, which need not be
 * initialised. If the content is damaged the record has what the tickets state; after
 * another failure it is empty. */
static bool read_once(const char *folder, const char *request,
                      const struct giq_record_tickets *tickets, bool is_brief,
                      struct giq_record *record, bool *damaged, struct giq_error *err)
{
    bool is_final = false;
    giq_record_init(record);
    bool ok = read_job_file(folder, request, is_brief, record, &is_final, damaged, err);
    if (ok && is_final) {
        return true;
    }
    /* If only the request of a final record is damaged, a ticket of a further job may
     * decide; the request is then not checked again. */
    if (ok || *damaged) {
        ok = merge_and_check(folder, is_final ? NULL : request, tickets, record, damaged,
                             err);
    }
    if (!ok && *damaged) {
        name_job(record, err);
        keep_tickets_only(record);
    } else if (!ok) {
        giq_record_release(record);
    }
    return ok;
}

/* As giq_record_read_with(); `is_brief` as in giq_record_load(). */
static bool read_retrying(const char *folder, const char *request,
                          const struct giq_record_tickets *tickets, bool is_brief,
                          struct giq_record *out, bool *out_damaged,
                          struct giq_error *err)
{
    /* Another process may write or remove the record while its files are read. */
    enum { TRIES = 3 };
    struct giq_record record;
    bool damaged = false;
    bool ok = false;
    int tries = 0;
    giq_record_init(&record);
    do {
        giq_record_release(&record);
        *err = (struct giq_error){0};
        ok = read_once(folder, request, tickets, is_brief, &record, &damaged, err);
        tries++;
    } while (!ok && damaged && tries < TRIES);
    if (!ok && out_damaged != NULL) {
        *out_damaged = damaged;
    }
    if (!ok && !damaged) {
        return false;
    }
    giq_record_release(out);
    *out = record;
    return ok;
}

bool giq_record_read_with(const char *folder, const char *request,
                          const struct giq_record_tickets *tickets,
                          struct giq_record *out, bool *out_damaged,
                          struct giq_error *err)
{
    return read_retrying(folder, request, tickets, false, out, out_damaged, err);
}

bool giq_record_read(const char *folder, const char *request, struct giq_record *out,
                     bool *out_damaged, struct giq_error *err)
{
    return read_retrying(folder, request, &all_tickets, false, out, out_damaged, err);
}

bool giq_record_read_brief(const char *folder, struct giq_record *out,
                           struct giq_error *err)
{
    return read_retrying(folder, NULL, &all_tickets, true, out, NULL, err);
}
