/*
 * Slots of GIQ_MAX_JOBS: how many run requests were sent from a store on one day (UTC).
 *
 *   <store>/v1/spent/<date>/<1...n>       a slot that is taken: one line of JSON with
 *                                         the request's key, time, process and host
 *                           *.tmp         left by a process that was killed; harmless
 *
 * Usage: giq_spent_check() before work that only a new job needs; giq_spent_take() just
 * before a run request is sent; giq_spent_return() if it is certain that it started no
 * job.
 *
 * Exclusive creation (giq_exclusive) decides who gets a slot, among threads, processes
 * and machines; no lock is needed. A slot is durable before the request is sent and is
 * returned only after its outcome is known, so a crash may leave a slot taken for
 * nothing, but never a request without its slot.
 *
 * `now_ms` is the time of day since 1970-01-01 UTC, `max_jobs` the value of the option, 0
 * to GIQ_JOBS_A_DAY_MAX. Thread-safe. Errors are GIQ_E_STORE and GIQ_E_MEMORY unless
 * stated otherwise.
 */
#ifndef GIQ_SPENT_H
#define GIQ_SPENT_H

#include "base/giq_error.h"

/* When the next day (UTC) begins, as `now_ms`. */
int64_t giq_spent_next_day_ms(int64_t now_ms);

/* Count the slots that are taken on the day of `now_ms`. Reads the whole folder. */
bool giq_spent_count(const struct giq_store *store, int64_t now_ms, int *out,
                     struct giq_error *err);

/* Check that a slot is free. Another open may take it at once: only giq_spent_take()
 * decides. Writes nothing, and is cheap unless all are taken. Errors also: GIQ_E_USAGE,
 * which states the limit, how many are taken and when the next day begins. */
bool giq_spent_check(const struct giq_store *store, int64_t now_ms, int max_jobs,
                     struct giq_error *err);

/*
 * Take a slot for the request `key`, durably. `*out` is its path, which the caller frees.
 * Errors also: GIQ_E_USAGE, as for giq_spent_check().
 */
bool giq_spent_take(const struct giq_store *store, int64_t now_ms, int max_jobs,
                    const char *key, char **out, struct giq_error *err);

/* Give a slot back. If that fails it stays taken. */
void giq_spent_return(const char *slot);

/* Remove the folders of past days, except those of the last week and the newest eight:
 * a clock that was wrong for a while must not make today's slots look old. Failures are
 * ignored. */
void giq_spent_tidy(const struct giq_store *store, int64_t now_ms);

#endif
