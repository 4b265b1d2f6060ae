/*
 * The spending limits of the host, for new jobs alone.
 *
 * Usage: giq_limits_check() before work that only a new job needs. For each run request
 * giq_limits_take_slot() just before it is sent, then giq_limits_return_slot() if no job
 * was started, or giq_limits_spend_slot() if one was or may have been. Without a limit
 * they do nothing.
 *
 * Errors: GIQ_E_USAGE, which states the limit; GIQ_E_STORE, GIQ_E_MEMORY.
 */
#ifndef GIQ_LIMITS_H
#define GIQ_LIMITS_H

#include "job/giq_job_internal.h"

/* Check that a new job is within the limits. The number of jobs is not checked if another
 * open may be submitting the same request: this one would use its job. Sends and writes
 * nothing. */
bool giq_limits_check(struct giq_job *job, struct giq_error *err);

/* The part of giq_limits_check() that is about the area. No I/O. */
bool giq_limits_check_area(struct giq_job *job, struct giq_error *err);

/* Take a slot of GIQ_MAX_JOBS, durably, unless the job holds one already. */
bool giq_limits_take_slot(struct giq_job *job, struct giq_error *err);

/* Give the job's slot back, if it holds one. */
void giq_limits_return_slot(struct giq_job *job);

/* Leave the job's slot taken, and remove those of days that are long past. */
void giq_limits_spend_slot(struct giq_job *job);

#endif
