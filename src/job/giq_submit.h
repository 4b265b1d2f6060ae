/*
 * Submitting a request once.
 *
 * The record is `intent` before the run request, and `sending` when its connection is up
 * and it is about to be sent; its outcome is recorded before the record lock is released.
 */
#ifndef GIQ_SUBMIT_H
#define GIQ_SUBMIT_H

#include "job/giq_job_internal.h"

/*
 * One step of GIQ_PHASE_SUBMIT: check the store, choose the model, upload the file, then
 * send the run request, unless another open has already sent it. On success
 * `*due_ms` is when the next step is due. Errors: those of giq_job_step().
 */
bool giq_submit_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err);

/* The host cancelled the open before it sent a throttled run request again: remove the
 * intent that it left. Does nothing if no request was throttled, or another open holds
 * the lock. */
void giq_submit_cancel(struct giq_job *job);

#endif
