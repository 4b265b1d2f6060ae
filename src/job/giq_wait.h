/*
 * Waiting for a job: one status call in each step, and recording its final state.
 */
#ifndef GIQ_WAIT_H
#define GIQ_WAIT_H

#include "job/giq_job_internal.h"

/* One step of GIQ_PHASE_WAIT: a status call. On success `*due_ms` is when the next step
 * is due. Errors: those of giq_job_step(); they end the open, not the job. */
bool giq_wait_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err);

/* One step of GIQ_PHASE_RECORD_STATUS: record what the status calls reported.
 * `*due_ms` and errors as for giq_wait_step(). */
bool giq_wait_record_status(struct giq_job *job, int64_t *due_ms, struct giq_error *err);

#endif
