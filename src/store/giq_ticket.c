/* The JSON of tickets; taking, listing and ending them; whether an owner is alive. */
#include "store/giq_ticket.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_json.h"
#include "base/giq_text.h"
#include "store/giq_document.h"
#include "store/giq_exclusive.h"

enum {
    TICKET_FORMAT = 1,
    NAME_SIZE = sizeof "sent." + 11, /* the digits of an int */
    /* Spaces after a ticket without outcome, so that its outcome can be written over it
     * if the disk is full. */
    RESERVED_BYTES = 512,
    OVERWRITTEN_MAX = 64 * 1024, /* bytes of the largest ticket that is overwritten */
};
#define NS_PER_MS INT64_C(1000000)

static const char name_prefix[] = "sent.";
/* Never printed: a damaged ticket is no error, but has no outcome. */
static const char no_advice[] = "";

static const char *const outcome_names[] = {
    [GIQ_TICKET_NONE] = NULL,
    [GIQ_TICKET_JOB] = "job",
    [GIQ_TICKET_NOTHING] = "nothing",
    [GIQ_TICKET_UNKNOWN] = "unknown",
};

static const char *name_of(int n, char out[NAME_SIZE])
{
    (void)snprintf(out, NAME_SIZE, "%s%d", name_prefix, n);
    return out;
}

static char *path_of(const char *folder, int n)
{
    char name[NAME_SIZE];
    return giq_os_join(folder, name_of(n, name));
}

void giq_ticket_init(struct giq_ticket *ticket)
{
    *ticket = (struct giq_ticket){
        .time_ms = GIQ_TIME_NONE,
        .started_ms = GIQ_TIME_NONE,
    };
}

void giq_ticket_release(struct giq_ticket *ticket)
{
    free(ticket->label);
    free(ticket->model_id);
    free(ticket->file_id);
    free(ticket->upload);
    free(ticket->geometry_crs);
    free(ticket->replaces);
    free(ticket->job_id);
    free(ticket->status);
    free(ticket->type);
    free(ticket->error);
    giq_ticket_init(ticket);
}

void giq_tickets_release(struct giq_tickets *tickets)
{
    for (size_t i = 0; i < tickets->len; i++) {
        giq_ticket_release(&tickets->items[i]);
    }
    free(tickets->items);
    *tickets = (struct giq_tickets){0};
}

/* ---- JSON ---- */

/* A member that is a text, and where it is in a struct giq_ticket. */
static const struct {
    const char *name;
    size_t offset;
} text_members[] = {
    {"label", offsetof(struct giq_ticket, label)},
    {"model_id", offsetof(struct giq_ticket, model_id)},
    {"file_id", offsetof(struct giq_ticket, file_id)},
    {"upload", offsetof(struct giq_ticket, upload)},
    {"geometry_crs", offsetof(struct giq_ticket, geometry_crs)},
    {"replaces", offsetof(struct giq_ticket, replaces)},
    {"job_id", offsetof(struct giq_ticket, job_id)},
    {"status", offsetof(struct giq_ticket, status)},
    {"type", offsetof(struct giq_ticket, type)},
    {"error", offsetof(struct giq_ticket, error)},
};

static char **text_at(struct giq_ticket *ticket, size_t i)
{
    return (char **)(void *)((char *)ticket + text_members[i].offset);
}

static bool set_owner(struct giq_json *json, const struct giq_ticket *ticket)
{
    const struct giq_os_identity *owner = &ticket->owner;
    return giq_json_set_text(json, "host", owner->host) &&
           giq_json_set_text(json, "boot", owner->boot) &&
           giq_json_set_integer(json, "pidns", owner->pidns) &&
           giq_json_set_integer(json, "pid", owner->pid) &&
           giq_json_set_integer(json, "start", owner->start) &&
           giq_json_set_text(json, "token", ticket->token);
}

/* One line, which the caller frees; NULL when out of memory. */
static char *print(const struct giq_ticket *ticket)
{
    GIQ_AUTO_JSON struct giq_json *json = giq_json_new_object();
    struct giq_ticket borrowed = *ticket;
    if (json == NULL || !giq_json_set_integer(json, "format", TICKET_FORMAT) ||
        !giq_json_set_integer(json, "n", ticket->n) || !set_owner(json, ticket) ||
        !giq_json_set_time(json, "time", ticket->time_ms) ||
        !giq_json_set_text(json, "outcome", outcome_names[ticket->outcome]) ||
        !giq_json_set_time(json, "started_at", ticket->started_ms)) {
        return NULL;
    }
    for (size_t i = 0; i < GIQ_COUNT(text_members); i++) {
        if (!giq_json_set_text(json, text_members[i].name, *text_at(&borrowed, i))) {
            return NULL;
        }
    }
    if (ticket->retry_after_ms > 0 &&
        !giq_json_set_integer(json, "retry_after_ms", ticket->retry_after_ms)) {
        return NULL;
    }
    return giq_json_print(json);
}

/* The text with spaces up to `len` bytes, and a line feed; the caller frees it. NULL when
 * out of memory. */
static char *pad(const char *text, size_t len)
{
    char *line = NULL;
    return asprintf(&line, "%-*s\n", (int)len, text) < 0 ? NULL : line;
}

static void parse_owner(const struct giq_json *json, struct giq_ticket *out)
{
    int64_t pid = giq_json_integer(giq_json_get(json, "pid"), 0);
    giq_json_copy_short(giq_json_get(json, "token"), out->token, sizeof out->token);
    if (pid <= 0 || pid > INT32_MAX) {
        return;
    }
    out->owner.pid = (long)pid;
    out->owner.pidns = giq_json_integer(giq_json_get(json, "pidns"), 0);
    out->owner.start = giq_json_integer(giq_json_get(json, "start"), 0);
    giq_json_copy_short(giq_json_get(json, "host"), out->owner.host,
                        sizeof out->owner.host);
    giq_json_copy_short(giq_json_get(json, "boot"), out->owner.boot,
                        sizeof out->owner.boot);
}

static enum giq_ticket_outcome parse_outcome(const struct giq_json *json)
{
    const char *name = giq_json_text(giq_json_get(json, "outcome"));
    for (size_t i = 0; i < GIQ_COUNT(outcome_names); i++) {
        if (name != NULL && outcome_names[i] != NULL &&
            strcmp(name, outcome_names[i]) == 0) {
            return (enum giq_ticket_outcome)i;
        }
    }
    return GIQ_TICKET_NONE;
}

/* Fill an initialised ticket. The outcome `job` without an id counts as no outcome. */
static bool parse(const struct giq_json *json, struct giq_ticket *out,
                  struct giq_error *err)
{
    int64_t retry_after_ms = giq_json_integer(giq_json_get(json, "retry_after_ms"), 0);
    for (size_t i = 0; i < GIQ_COUNT(text_members); i++) {
        const struct giq_json *member = giq_json_get(json, text_members[i].name);
        if (!giq_text_set(text_at(out, i), giq_json_text(member))) {
            return giq_fail_memory(err);
        }
    }
    parse_owner(json, out);
    out->time_ms = giq_json_time(giq_json_get(json, "time"));
    out->started_ms = giq_json_time(giq_json_get(json, "started_at"));
    out->outcome = parse_outcome(json);
    out->retry_after_ms = retry_after_ms > 0 ? retry_after_ms : 0;
    if (out->outcome == GIQ_TICKET_JOB &&
        (out->job_id == NULL || out->job_id[0] == '\0')) {
        out->outcome = GIQ_TICKET_NONE;
    }
    return true;
}

bool giq_ticket_read(const char *folder, int n, struct giq_ticket *out, bool *out_found,
                     struct giq_error *err)
{
    char name[NAME_SIZE];
    bool is_damaged = false;
    struct giq_error failure = {0};
    GIQ_AUTO_JSON struct giq_json *json = NULL;
    GIQ_AUTO(giq_ticket_release) struct giq_ticket ticket;
    giq_ticket_init(&ticket);
    ticket.n = n;
    if (!giq_document_read(folder, name_of(n, name), TICKET_FORMAT, no_advice, &json,
                           &is_damaged, &failure) &&
        !is_damaged) {
        *err = failure;
        return false;
    }
    if (json != NULL && !parse(json, &ticket, err)) {
        return false;
    }
    *out_found = json != NULL || is_damaged;
    if (*out_found) {
        *out = ticket;
        giq_ticket_init(&ticket);
    }
    return true;
}

/* ---- listing ---- */

bool giq_tickets_add(struct giq_tickets *tickets, int n, struct giq_error *err)
{
    struct giq_ticket *items =
        reallocarray(tickets->items, tickets->len + 1, sizeof *items);
    if (items == NULL) {
        return giq_fail_memory(err);
    }
    tickets->items = items;
    giq_ticket_init(&items[tickets->len]);
    items[tickets->len++].n = n;
    return true;
}

static bool add_number(void *ctx, const char *name, struct giq_error *err)
{
    int n = giq_exclusive_number(name, name_prefix);
    return n == 0 || giq_tickets_add(ctx, n, err);
}

static int compare_numbers(const void *a, const void *b)
{
    const struct giq_ticket *first = a;
    const struct giq_ticket *second = b;
    return (first->n > second->n) - (first->n < second->n);
}

void giq_tickets_sort(struct giq_tickets *tickets)
{
    if (tickets->len > 1) {
        qsort(tickets->items, tickets->len, sizeof *tickets->items, compare_numbers);
    }
}

bool giq_ticket_list(const char *folder, struct giq_tickets *out, struct giq_error *err)
{
    GIQ_AUTO(giq_tickets_release) struct giq_tickets tickets = {0};
    bool found = false;
    if (!giq_os_list(folder, add_number, &tickets, err)) {
        return false;
    }
    giq_tickets_sort(&tickets);
    for (size_t i = 0; i < tickets.len; i++) {
        /* A ticket that is listed and not visible yet stays, without its outcome. */
        int n = tickets.items[i].n;
        if (!giq_ticket_read(folder, n, &tickets.items[i], &found, err)) {
            return false;
        }
    }
    *out = tickets;
    tickets = (struct giq_tickets){0};
    return true;
}

/* ---- the owner's calls ---- */

bool giq_ticket_take(const char *folder, unsigned access, struct giq_ticket *ticket,
                     bool *out_taken, struct giq_error *err)
{
    char name[NAME_SIZE];
    bool is_taken = false;
    if (ticket->n < 1 || ticket->n > GIQ_TICKET_MAX) {
        return giq_fail(err, GIQ_E_STORE,
                        "no job was started: the run requests in %s have reached the "
                        "highest number, %d; rerun=<label> starts a new job, which is "
                        "paid for",
                        folder, GIQ_TICKET_MAX);
    }
    giq_os_identity(&ticket->owner);
    giq_os_token(ticket->token);
    if (ticket->time_ms == GIQ_TIME_NONE) {
        ticket->time_ms = giq_os_wall_ms();
    }
    GIQ_AUTO_FREE char *text = print(ticket);
    GIQ_AUTO_FREE char *line =
        text == NULL ? NULL : pad(text, strlen(text) + RESERVED_BYTES);
    if (line == NULL) {
        return giq_fail_memory(err);
    }
    GIQ_AUTO(giq_exclusive_release)
    struct giq_exclusive file = {
        .folder = folder, .access = access, .bytes = line, .len = strlen(line)};
    if (!giq_exclusive_create(&file, name_of(ticket->n, name), &is_taken, err)) {
        return false;
    }
    if (is_taken && !giq_os_sync_path(folder, err)) {
        struct giq_error ignored = {0};
        ticket->outcome = GIQ_TICKET_NOTHING;
        (void)giq_ticket_end(folder, access, ticket, &ignored);
        return false;
    }
    *out_taken = is_taken;
    return true;
}

/* Write the outcome over the ticket, which has room for it: the disk may be full. */
static bool overwrite(const char *folder, int n, const char *text, struct giq_error *err)
{
    struct giq_os_stat st;
    GIQ_AUTO_FREE char *path = path_of(folder, n);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_os_stat(path, &st, err)) {
        return false;
    }
    if (st.size <= (int64_t)strlen(text) || st.size > OVERWRITTEN_MAX) {
        return giq_fail(err, GIQ_E_STORE, "%s has no room for an outcome", path);
    }
    GIQ_AUTO_FREE char *line = pad(text, (size_t)st.size - 1);
    if (line == NULL) {
        return giq_fail_memory(err);
    }
    return giq_os_overwrite(path, line, strlen(line), err);
}

bool giq_ticket_end(const char *folder, unsigned access, const struct giq_ticket *ticket,
                    struct giq_error *err)
{
    char name[NAME_SIZE];
    struct giq_error ignored = {0};
    assert(ticket->outcome != GIQ_TICKET_NONE);
    GIQ_AUTO_FREE char *text = print(ticket);
    GIQ_AUTO_FREE char *line = text == NULL ? NULL : pad(text, strlen(text));
    if (line == NULL) {
        return giq_fail_memory(err);
    }
    if (giq_os_replace_file(folder, name_of(ticket->n, name), access, line, strlen(line),
                            err)) {
        return true;
    }
    if (!overwrite(folder, ticket->n, text, &ignored)) {
        return false;
    }
    *err = (struct giq_error){0};
    return true;
}

void giq_ticket_touch(const char *folder, int n)
{
    struct giq_error ignored = {0};
    GIQ_AUTO_FREE char *path = path_of(folder, n);
    if (path != NULL) {
        (void)giq_os_touch(path, &ignored);
    }
}

/* ---- whether the owner is alive ---- */

/* When a ticket was written or touched, by the clock of its file server. */
struct age {
    int64_t modified_ns; /* 0: it is not visible */
    int64_t ms;          /* since then; 0: not known */
    bool is_known;       /* it is visible, and not from the future */
};

/* stat() a file of the folder, as its server has it now. */
static bool stat_file(const char *folder, const char *name, struct giq_os_stat *out,
                      struct giq_error *err)
{
    GIQ_AUTO_FREE char *path = giq_os_join(folder, name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    return giq_os_stat_now(path, out, err);
}

/* Read the age of the ticket `n`; `later_name` as in struct giq_ticket_check. */
static bool read_age(const char *folder, unsigned access, int n, const char *later_name,
                     struct age *out, struct giq_error *err)
{
    char name[NAME_SIZE];
    struct giq_os_stat st;
    struct giq_error failure = {0};
    int64_t now_ns = 0;
    if (!stat_file(folder, name_of(n, name), &st, err) ||
        (st.kind == GIQ_OS_NOTHING && later_name != NULL &&
         !stat_file(folder, later_name, &st, err))) {
        return false;
    }
    if (!giq_os_server_time(folder, access, &now_ns, &failure)) {
        if (failure.code == GIQ_E_MEMORY) {
            *err = failure;
            return false;
        }
        /* The local clock may differ by minutes, so it counts only in a store that cannot
         * be written. After another failure the age is 0. */
        bool is_read_only = failure.sys_errno == EROFS || failure.sys_errno == EACCES ||
                            failure.sys_errno == EPERM;
        now_ns = is_read_only ? giq_os_wall_ms() * NS_PER_MS : st.modified_ns;
    }
    *out = (struct age){.modified_ns = st.modified_ns};
    int64_t ms = now_ns / NS_PER_MS - st.modified_ns / NS_PER_MS;
    out->is_known = st.kind != GIQ_OS_NOTHING && ms > -GIQ_TICKET_TOUCH_MS;
    out->ms = out->is_known && ms > 0 ? ms : 0;
    return true;
}

/* Whether the owner's pid is one of this host, boot and pid namespace. */
static bool is_local(const struct giq_os_identity *owner)
{
    struct giq_os_identity self;
    giq_os_identity(&self);
    return owner->pid > 0 && owner->host[0] != '\0' && owner->boot[0] != '\0' &&
           owner->pidns != 0 && strcmp(owner->host, self.host) == 0 &&
           strcmp(owner->boot, self.boot) == 0 && owner->pidns == self.pidns;
}

/* Note for how long the ticket `n` has been unchanged. */
static void note_check(struct giq_ticket_watch *watch, int n, const struct age *age)
{
    int64_t passed_ms = watch->now_ms - watch->checked_ms;
    if (watch->n != n || watch->modified_ns != age->modified_ns) {
        watch->n = n;
        watch->modified_ns = age->modified_ns;
        watch->unchanged_ms = 0;
        passed_ms = 0;
    }
    watch->checked_ms = watch->now_ms;
    watch->unchanged_ms +=
        passed_ms < GIQ_TICKET_TOUCH_MS ? passed_ms : GIQ_TICKET_TOUCH_MS;
}

static bool is_alive_by_age(struct giq_ticket_watch *watch, int n, const struct age *age)
{
    bool is_old = age->ms >= GIQ_TICKET_ABANDONED_MS;
    if (watch == NULL) {
        return !is_old;
    }
    note_check(watch, n, age);
    int64_t needed_ms = is_old ? GIQ_TICKET_CONFIRM_MS : GIQ_TICKET_ABANDONED_MS;
    bool is_alive = watch->unchanged_ms < needed_ms;
    bool is_suspect = is_alive && (is_old || !age->is_known);
    watch->suspect_ms = is_suspect ? needed_ms - watch->unchanged_ms : 0;
    return is_alive;
}

/* Whether the owner seems to be alive. */
static bool check_owner(const struct giq_ticket_check *check,
                        const struct giq_ticket *ticket, bool *out, struct giq_error *err)
{
    struct age age = {.ms = 0};
    if (is_local(&ticket->owner)) {
        enum giq_os_process state =
            giq_os_process_state(ticket->owner.pid, ticket->owner.start);
        if (state != GIQ_OS_PROCESS_ALIVE) {
            /* Count anew: a stopped process that continues needs a moment to touch its
             * ticket. */
            if (check->watch != NULL) {
                *check->watch = (struct giq_ticket_watch){.n = 0};
            }
            *out = state == GIQ_OS_PROCESS_STOPPED;
            return true;
        }
    }
    if (!read_age(check->folder, check->access, ticket->n, check->later_name, &age,
                  err)) {
        return false;
    }
    *out = is_alive_by_age(check->watch, ticket->n, &age);
    return true;
}

bool giq_ticket_is_alive(const struct giq_ticket_check *check,
                         const struct giq_ticket *ticket, bool *out,
                         struct giq_error *err)
{
    bool found = false;
    bool is_alive = false;
    GIQ_AUTO(giq_ticket_release) struct giq_ticket now;
    giq_ticket_init(&now);
    if (!check_owner(check, ticket, &is_alive, err)) {
        return false;
    }
    /* The owner may have ended the ticket after it was read and before it died. */
    if (!is_alive && !giq_ticket_read(check->folder, ticket->n, &now, &found, err)) {
        return false;
    }
    *out = is_alive || now.outcome != GIQ_TICKET_NONE;
    return true;
}

bool giq_ticket_pause_left(const char *folder, unsigned access,
                           const struct giq_ticket *ticket, int64_t *out_ms,
                           struct giq_error *err)
{
    struct age age = {.ms = 0};
    if (ticket->retry_after_ms > 0 &&
        !read_age(folder, access, ticket->n, NULL, &age, err)) {
        return false;
    }
    *out_ms = ticket->retry_after_ms > age.ms ? ticket->retry_after_ms - age.ms : 0;
    return true;
}
