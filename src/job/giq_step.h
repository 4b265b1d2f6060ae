/*
 * The record of a job within one step: reading it, changing it under the record lock,
 * and the errors that it leads to.
 *
 * Usage: giq_step_acquire_lock(), decide by the record, which was read again,
 * giq_step_write() before each thing that it announces, giq_step_release_lock() on every
 * path. The lock is never held between two steps.
 *
 * Errors: GIQ_E_STORE and GIQ_E_MEMORY unless stated otherwise.
 */
#ifndef GIQ_STEP_H
#define GIQ_STEP_H

#include "job/giq_job_internal.h"

/* Read the record into `*out`, an initialised record. A damaged one is no error if it may
 * be replaced: then job->is_damaged is set. */
bool giq_step_read(struct giq_job *job, struct giq_record *out, struct giq_error *err);

/*
 * Try once to acquire the record lock, and read the record again. If there is another
 * holder, `*out_held` is false and `*due_ms` is when to try again. Errors also:
 * GIQ_E_TIMEOUT if the open's time is over, GIQ_E_CANCELLED.
 */
bool giq_step_acquire_lock(struct giq_job *job, bool *out_held, int64_t *due_ms,
                           struct giq_error *err);
void giq_step_release_lock(struct giq_job *job);

/* If `err` is that a lock has another holder: clear it and set `*due_ms` to the next try.
 * Otherwise, or if the open's time is over or it was cancelled, false with `err`. */
bool giq_step_retry_later(const struct giq_job *job, int64_t *due_ms,
                          struct giq_error *err);

/* Write the record with a new state; durable when the call returns. Must be called with
 * the record lock held. */
bool giq_step_write(struct giq_job *job, enum giq_job_state state, struct giq_error *err);

/* Remove the record, or restore the one that a further job was to replace: no run request
 * was sent. If that fails the record stays as it is and claims less than is known, never
 * more. Must be called with the record lock held. */
void giq_step_remove(struct giq_job *job);

/* Whether the request of `record` may get the job that the open names; GIQ_E_USAGE if it
 * has another one. */
bool giq_step_may_adopt(const struct giq_job *job, const struct giq_record *record,
                        struct giq_error *err);

/* Whether the host allows an upload, a new job, or the record of an external job. Errors:
 * those of the host. */
bool giq_step_may_start(const struct giq_job *job, struct giq_error *err);

/* GIQ_E_CANCELLED if the host has cancelled the open. */
bool giq_step_check_cancelled(const struct giq_job *job, struct giq_error *err);

/* Add to an error which job it is about; returns false. */
bool giq_step_add_job_context(const struct giq_job *job, struct giq_error *err);

/* Fail with what is recorded: GIQ_E_FAILED, GIQ_E_UNKNOWN or GIQ_E_GONE. */
bool giq_step_fail_recorded(const struct giq_job *job, struct giq_error *err);

/* GIQ_E_STORE: somebody removed the record of the job `id`, which was paid for. */
bool giq_step_fail_removed(const struct giq_job *job, const char *id,
                           struct giq_error *err);

#endif
