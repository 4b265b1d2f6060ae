/*
 * The record of a job within one step: reading it, changing it under the record lock,
 * and the errors that follow from its state.
 *
 * Usage: giq_step_acquire_lock(), which reads the record again; decide by the record;
 * giq_step_write() before the action that the new state announces;
 * giq_step_release_lock() on every path. The lock is never held between two steps.
 *
 * Errors: GIQ_E_STORE and GIQ_E_MEMORY unless stated otherwise.
 */
#ifndef GIQ_STEP_H
#define GIQ_STEP_H

#include "job/giq_job_internal.h"

/* Read the record into `*out`, an initialised record. A damaged one that may be replaced
 * is not an error; job->is_damaged is then set. */
bool giq_step_read(struct giq_job *job, struct giq_record *out, struct giq_error *err);

/* The same, without the ticket `below` and later ones. */
bool giq_step_read_below(struct giq_job *job, int below, struct giq_record *out,
                         struct giq_error *err);

/* If version 0.1 sent a run request and its record, which was read with the record lock
 * held, still states `sending`, nobody awaits the response any more: the outcome is
 * unknown. It is not recorded. When out of memory the reason is missing. */
void giq_step_use_abandoned(struct giq_job *job);

/* The job failed, is gone or unknown: end the open with what is recorded, which is an
 * error unless the open does not wait. */
bool giq_step_report_end(struct giq_job *job, struct giq_error *err);

/*
 * Try once to acquire the record lock, and read the record again. Creates the key's
 * folder. If there is another holder, or a job is to be adopted while a run request is
 * being sent, `*out_held` is false and `*due_ms` is when to try again. Where locks lock
 * nothing there may be several holders. Errors also: GIQ_E_TIMEOUT if TIMEOUT passed,
 * GIQ_E_CANCELLED, and those of giq_step_may_adopt().
 */
bool giq_step_acquire_lock(struct giq_job *job, bool *out_held, int64_t *due_ms,
                           struct giq_error *err);

/* Another open sends the run request: `*due_ms` is when to read the record again. Errors:
 * GIQ_E_TIMEOUT if TIMEOUT passed, GIQ_E_CANCELLED. */
bool giq_step_wait_for_sender(const struct giq_job *job, int64_t *due_ms,
                              struct giq_error *err);

/* Release the record lock; does nothing if it is not held. */
void giq_step_release_lock(struct giq_job *job);

/* If `err` is GIQ_E_TIMEOUT, because a lock has another holder, clear it, set `*due_ms`
 * to the time of the next attempt and return true. Return false with `err` for other
 * errors, or if TIMEOUT passed or the open was cancelled. */
bool giq_step_retry_later(const struct giq_job *job, int64_t *due_ms,
                          struct giq_error *err);

/* Write the record with a new state; durable when the call returns. Must be called with
 * the record lock held. */
bool giq_step_write(struct giq_job *job, enum giq_job_state state, struct giq_error *err);

/* The same for the outcome of a run request. If it is in its ticket, which is durable,
 * the folder need not be synced: a record that a crash loses is rebuilt from the ticket.
 */
bool giq_step_write_outcome(struct giq_job *job, enum giq_job_state state,
                            bool is_in_ticket, struct giq_error *err);

/* Record the state `intent` with job->token, unless the request has a record on disk,
 * which then stays. Must be called with the record lock held. */
bool giq_step_create(struct giq_job *job, struct giq_error *err);

/* Whether the request of `record` may get the job that the open names. Errors:
 * GIQ_E_USAGE if it has another job that is submitted or succeeded, and not gone, or has
 * the label of a `rerun` and was never sent. */
bool giq_step_may_adopt(const struct giq_job *job, const struct giq_record *record,
                        struct giq_error *err);

/* Whether the host allows an upload, a new job, or recording an external job. Errors:
 * those of the host. */
bool giq_step_may_start(const struct giq_job *job, struct giq_error *err);

/* Fail with GIQ_E_CANCELLED if the host has cancelled the open. */
bool giq_step_check_cancelled(const struct giq_job *job, struct giq_error *err);

/* Add the id of the job to an error; returns false. */
bool giq_step_add_job_context(const struct giq_job *job, struct giq_error *err);

/* Fail with what is recorded: GIQ_E_FAILED, GIQ_E_UNKNOWN or GIQ_E_GONE. */
bool giq_step_fail_recorded(const struct giq_job *job, struct giq_error *err);

/* Fail with GIQ_E_STORE: the record of the job `id`, which was paid for, was removed
 * while this open waited. */
bool giq_step_fail_removed(const struct giq_job *job, const char *id,
                           struct giq_error *err);

#endif
