/*
 * One run request, and what is recorded around it.
 *
 * A new request is recorded as `intent` first. When the connection is up and the request
 * is about to be sent, the next ticket of the key is taken (giq_ticket), which only one
 * open gets, and the record becomes `sending`. The outcome goes into the ticket, then
 * into the record. So whatever races, fails or is killed, nothing is sent without a
 * ticket, and only the owner of the newest ticket sends.
 */
#ifndef GIQ_SEND_H
#define GIQ_SEND_H

#include "job/giq_job_internal.h"

/*
 * Send a run request, which job->record allows. Must be called with the record lock held,
 * after the record was read again. If another open has taken the ticket, or has started
 * or recorded a job since, nothing is sent, and the next step reads the record. On
 * success `*due_ms` is when the next step is due. Errors: those of giq_job_step().
 */
bool giq_send_run(struct giq_job *job, int64_t *due_ms, struct giq_error *err);

/*
 * Whether the newest run request of the key was throttled, by this open or another one,
 * and its pause lasts: `*due_ms` is then when it ends. Errors: GIQ_E_REFUSED if MAX_RETRY
 * or TIMEOUT does not allow to wait for it; GIQ_E_STORE, GIQ_E_MEMORY.
 */
bool giq_send_is_paused(struct giq_job *job, bool *out, int64_t *due_ms,
                        struct giq_error *err);

/* The model of the run request: its id if it is known, else as typed. */
const char *giq_send_model(const struct giq_job *job);

#endif
