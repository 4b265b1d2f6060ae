/*
 * Summaries of results in records: the member `summary` of job.json. Their fields and the
 * functions of hosts are in giq/summary.h. Thread-safe.
 */
#ifndef GIQ_SUMMARY_H
#define GIQ_SUMMARY_H

#include "base/giq_error.h"
#include "base/giq_json.h"
#include "giq/summary.h"
#include "store/giq_record.h"

/* The JSON of a summary, which the caller frees. `*out` is NULL if it would be larger
 * than GIQ_SUMMARY_BYTES_MAX or has text that is not UTF-8. Errors: GIQ_E_MEMORY. */
bool giq_summary_to_json(const struct giq_summary *summary, struct giq_json **out,
                         struct giq_error *err);

/* Parse `json`, which may be NULL. `*out_found` is false, and `*out` empty, if it is not
 * a summary. The caller passes `*out` to giq_summary_release(). Errors: GIQ_E_MEMORY. */
bool giq_summary_parse(const struct giq_json *json, struct giq_summary *out,
                       bool *out_found, struct giq_error *err);

/* The member `proof` of the summary of the record's result, borrowed; NULL if the result
 * has none. */
const char *giq_summary_get_proof(const struct giq_record *record);

#endif
