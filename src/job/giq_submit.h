/*
 * Submitting a request once: whether a run request is to be sent, and what it needs.
 * giq_send sends it.
 */
#ifndef GIQ_SUBMIT_H
#define GIQ_SUBMIT_H

#include "job/giq_job_internal.h"

/* Whether the list of models is needed to find the model; a further job runs the recorded
 * one. */
bool giq_submit_needs_models(const struct giq_job *job);

/*
 * Get the list of models. After an error status or an unexpected list `*out_listed` is
 * false, and the model is sent as typed. On success the caller passes `*out` to
 * giq_models_release(). It fails if the service cannot be reached, the credentials are
 * not valid, memory ran out or the open was cancelled. No run request must be sent then:
 * over a broken connection it might arrive, and its response be lost.
 */
bool giq_submit_list_models(struct giq_service *service, struct giq_models *out,
                            bool *out_listed, struct giq_error *err);

/* The model was found before: by its id, which is copied, or it is sent as typed if
 * `model_id` is NULL. Errors: GIQ_E_MEMORY. */
bool giq_submit_set_model(struct giq_job *job, const char *model_id,
                          struct giq_error *err);

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
