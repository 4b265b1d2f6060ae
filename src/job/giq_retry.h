/*
 * Whether RETRY=<label> starts a new job for a request that has one.
 *
 * A job that failed, an unknown outcome and a damaged record allow it at once. A job
 * that is recorded as gone may be a gateway's mistake, so it is checked again first:
 * giq_retry_must_recheck(), giq_retry_begin_recheck(), a status call or a download while
 * giq_retry_is_rechecking(), and giq_retry_end_recheck() if it is gone again. Then
 * giq_retry_allows_job() holds.
 */
#ifndef GIQ_RETRY_H
#define GIQ_RETRY_H

#include "job/giq_job_internal.h"

/* giq_retry_check_label() is in giq/giq.h. */

/* Whether RETRY may start a new job now. */
bool giq_retry_allows_job(const struct giq_job *job);

/* Whether the job is recorded as gone, and the open does not name it. An open that names
 * it checks it again. */
bool giq_retry_counts_as_gone(const struct giq_job *job);

/* Whether a job that is gone must still be checked again. */
bool giq_retry_must_recheck(const struct giq_job *job);

/* Begin to check the recorded job again. Errors: GIQ_E_MEMORY. */
bool giq_retry_begin_recheck(struct giq_job *job, struct giq_error *err);

/* Whether that check has not ended yet. */
bool giq_retry_is_rechecking(const struct giq_job *job);

/* The job is gone again; the next step reads the record. */
void giq_retry_end_recheck(struct giq_job *job);

#endif
