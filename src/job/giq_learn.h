/*
 * Learned waiting of one job: when it began, what earlier jobs of its model predict, and
 * how long it took, for later ones.
 *
 * The time of a job counts from its submission. If it was seen waiting for an approval,
 * which a person gives, it counts from the end of that wait. A job whose beginning or end
 * is not known well enough is not learned from, nor is one that failed: it may have ended
 * early, or at a limit of the service.
 *
 * The functions take the job that they are about, and are called in its steps, by one
 * thread at a time. What cannot be read or written of the history is no error.
 */
#ifndef GIQ_LEARN_H
#define GIQ_LEARN_H

#include "job/giq_job_internal.h"

/* Note that the service reported the job as not finished, with `status`. Must be called
 * before the status is copied to the record. Reads the history of the model once. */
void giq_learn_running(struct giq_job *job, const char *status);

/* Note that the service reported the job as succeeded. */
void giq_learn_succeeded(struct giq_job *job);

/* The adaptive pause before the next status call. */
int64_t giq_learn_pause_ms(struct giq_job *job);

/* Describe what is left of the job, as giq_pace_describe(). */
const char *giq_learn_describe(const struct giq_job *job, char out[GIQ_PACE_TEXT_SIZE]);

/* Copy what was learned of this job to its record, in memory. Must be called before the
 * record is written with its final state. Errors: GIQ_E_MEMORY. */
bool giq_learn_record(struct giq_job *job, struct giq_error *err);

#endif
