/*
 * The error of a request whose job failed, is gone, or may or may not have been started:
 * what happened, and how to go on. An open raises it, and the tables of jobs show it.
 * Thread-safe.
 */
#ifndef GIQ_ADVICE_H
#define GIQ_ADVICE_H

#include "store/giq_record.h"

/* Whether the record has such a state. */
bool giq_advice_applies(const struct giq_record *record);

/*
 * Set the code and text of `err` from what is recorded: GIQ_E_FAILED, GIQ_E_UNKNOWN or
 * GIQ_E_GONE; its cause stays. `job_id` is the id of the job as it may be printed. The
 * record must have such a state. Returns false.
 */
bool giq_advice_fail(const struct giq_record *record, const char *job_id,
                     struct giq_error *err);

/*
 * Set the text of `out` to what the tables of jobs show for the record: the error of
 * giq_advice_fail(), and further jobs that were started for the request. Returns false,
 * with `out` as it was, if there is neither.
 */
bool giq_advice_describe(const struct giq_record *record, const char *job_id,
                         struct giq_error *out);

#endif
