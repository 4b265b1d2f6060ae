/*
 * Tickets: who may send the n-th run request of a key, and its outcome.
 *
 * The file sent.<n> in the folder of a key is made by link(2), or by exclusive creation
 * where there are no links: of several callers, on any machine, one gets the ticket. The
 * file is never unlinked. Until the owner has replaced it by one with an outcome, the run
 * request may have been sent.
 *
 * Usage: giq_ticket_list(), decide, giq_ticket_take() before the run request is sent,
 * giq_ticket_touch() while its response is awaited, giq_ticket_end() with its outcome.
 *
 * Tickets are found by listing the folder, never by trying names: on a file server's
 * client, a name that was looked up before it existed may stay missing for 30 s.
 *
 * Thread-safe. `folder` is the folder of a key, `access` bits of enum giq_os_access.
 * Errors are GIQ_E_STORE and GIQ_E_MEMORY.
 */
#ifndef GIQ_TICKET_H
#define GIQ_TICKET_H

#include "base/giq_error.h"
#include "base/giq_os.h"
#include "store/giq_exclusive.h"

enum {
    GIQ_TICKET_MAX = GIQ_EXCLUSIVE_NUMBER_MAX, /* highest number */
    GIQ_TICKET_TOUCH_MS = 5000,                /* between two touches by the owner */
    /* The owner of a ticket that was not touched for so long counts as dead. */
    GIQ_TICKET_ABANDONED_MS = 60000,
    /* A caller that checks repeatedly must see such a ticket unchanged for this time too:
     * a machine may have been suspended, or the clock of the file server put forward. */
    GIQ_TICKET_CONFIRM_MS = 10000,
};

enum giq_ticket_outcome {
    GIQ_TICKET_NONE, /* not known yet */
    GIQ_TICKET_JOB,
    GIQ_TICKET_NOTHING, /* nothing was sent, or the service refused it */
    GIQ_TICKET_UNKNOWN,
};

/* All texts are owned, and NULL if absent; times are UTC milliseconds or GIQ_TIME_NONE.
 */
struct giq_ticket {
    int n;
    enum giq_ticket_outcome outcome;
    char *label;                  /* of RETRY */
    struct giq_os_identity owner; /* pid 0: not known */
    char token[GIQ_OS_TOKEN_SIZE];
    int64_t time_ms; /* when it was taken, by the owner's clock */
    char *model_id;
    char *file_id;
    char *upload;
    char *geometry_crs;
    char *replaces; /* id of the job that this run request replaces */
    char *job_id;   /* of GIQ_TICKET_JOB, as are status, type and started_ms */
    char *status;
    char *type;
    int64_t started_ms;
    char *error;            /* of GIQ_TICKET_UNKNOWN */
    int64_t retry_after_ms; /* of GIQ_TICKET_NOTHING: a pause for all; 0: none */
};

void giq_ticket_init(struct giq_ticket *ticket);
void giq_ticket_release(struct giq_ticket *ticket);

/* The tickets of a folder in ascending order of `n`. */
struct giq_tickets {
    struct giq_ticket *items;
    size_t len;
};
void giq_tickets_release(struct giq_tickets *tickets);

/* Append a ticket with the number `n` and nothing else, and sort the tickets by their
 * numbers. */
bool giq_tickets_add(struct giq_tickets *tickets, int n, struct giq_error *err);
void giq_tickets_sort(struct giq_tickets *tickets);

/* Read the ticket `n`, which is known to exist: it was listed or recorded, or another
 * open has taken it. `*out_found` is false if it is not visible yet. A file that is empty
 * or damaged is a ticket without owner and outcome. The caller passes `*out`,
 * initialised, to giq_ticket_release(). */
bool giq_ticket_read(const char *folder, int n, struct giq_ticket *out, bool *out_found,
                     struct giq_error *err);

/* List and read all tickets of `folder`. The caller passes `*out` to
 * giq_tickets_release(). */
bool giq_ticket_list(const char *folder, struct giq_tickets *out, struct giq_error *err);

/*
 * Take the ticket `ticket->n`, durably; its owner and token are set to this process and a
 * new token. `*out_taken` is false, and the call succeeds, if it is another's.
 */
bool giq_ticket_take(const char *folder, unsigned access, struct giq_ticket *ticket,
                     bool *out_taken, struct giq_error *err);

/* Replace the ticket, which the caller has taken, by this one, which has an outcome;
 * durable when the call returns. */
bool giq_ticket_end(const char *folder, unsigned access, const struct giq_ticket *ticket,
                    struct giq_error *err);

/* Set the modification time of the ticket `n`, which shows that its owner is alive.
 * Failures are ignored. */
void giq_ticket_touch(const char *folder, int n);

/* What repeated calls of giq_ticket_is_alive() have seen of a ticket without outcome; all
 * 0 before the first one. The caller sets `now_ms`. */
struct giq_ticket_watch {
    int64_t now_ms;       /* on the monotonic clock */
    int64_t checked_ms;   /* `now_ms` of the last call */
    int n;                /* of the ticket that was checked; 0: none */
    int64_t modified_ns;  /* its modification time */
    int64_t unchanged_ms; /* for how long it has had that time */
    /* The ticket seems abandoned, and counts as abandoned if it stays unchanged for so
     * long; 0: it does not seem so. */
    int64_t suspect_ms;
};

/* How to check whether the owner of a ticket is alive. */
struct giq_ticket_check {
    const char *folder;
    unsigned access;
    /* A file of the folder that was written after the ticket, or NULL. If the ticket is
     * not visible, the time of this file counts. */
    const char *later_name;
    struct giq_ticket_watch *watch; /* NULL: one call decides */
};

/*
 * Whether the owner of a ticket without outcome may still be alive. On this host (same
 * boot and pid namespace) it is dead as soon as its process has ended, and alive while
 * the process is stopped. Otherwise it is dead if its ticket was not touched for
 * GIQ_TICKET_ABANDONED_MS by the clock of the file server. To read that clock, a probe
 * file is made in the folder and removed; in a store that cannot be written the local
 * clock is used.
 *
 * With a watch such a ticket must also stay unchanged for GIQ_TICKET_CONFIRM_MS. One that
 * stays unchanged for GIQ_TICKET_ABANDONED_MS is abandoned whatever the clocks state: it
 * may not be visible, or seem to come from the future. Of the time between two calls at
 * most GIQ_TICKET_TOUCH_MS counts: the file server may not have responded to anybody.
 *
 * If the ticket on disk has an outcome by now, the owner counts as alive: the caller
 * waits, reads the ticket again and finds the outcome.
 */
bool giq_ticket_is_alive(const struct giq_ticket_check *check,
                         const struct giq_ticket *ticket, bool *out,
                         struct giq_error *err);

/* Milliseconds until the pause of a ticket with `retry_after_ms` ends, by the clock of
 * the file server; 0 if it has ended or there is none. */
bool giq_ticket_pause_left(const char *folder, unsigned access,
                           const struct giq_ticket *ticket, int64_t *out_ms,
                           struct giq_error *err);

#endif
