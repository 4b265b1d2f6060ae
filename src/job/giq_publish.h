/*
 * The result of a job: whether it is published, fetching it, and publishing it.
 *
 * Of several opens that fetched the result of one job, on any machine, the one that makes
 * the claim (giq_claim) publishes its result, and the others discard theirs and use that
 * one. The record lock only saves downloads: it may lock nothing.
 *
 * Errors are GIQ_E_STORE and GIQ_E_MEMORY unless stated otherwise.
 */
#ifndef GIQ_PUBLISH_H
#define GIQ_PUBLISH_H

#include "job/giq_job_internal.h"

/* Whether the published result of the record exists unchanged. If not, job->record is set
 * to a newer claim whose result exists. Sets the fields of `job` that describe a changed
 * result. */
bool giq_publish_find(struct giq_job *job, bool *out, struct giq_error *err);

/* If job->record was published by a claim that job.json does not state, record it there.
 * Failures are ignored: the claim is a record too. */
void giq_publish_record_claim(struct giq_job *job);

/* The step of GIQ_PHASE_FETCH. If another open holds the record lock, `*due_ms` is when
 * to try again. Errors also: those of giq_fetch(), and what the record states. */
bool giq_publish_step(struct giq_job *job, int64_t *due_ms, struct giq_error *err);

#endif
