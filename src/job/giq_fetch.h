/*
 * Fetching a result: download it into a part, name it, unpack it if it is an archive,
 * check that it is complete, let the host accept it, and rename it to result.<token>/.
 * Others can open it only once a claim names it.
 */
#ifndef GIQ_FETCH_H
#define GIQ_FETCH_H

#include "base/giq_error.h"
#include "store/giq_claim.h"
#include "store/giq_store.h"

/*
 * Fetch the result of `job_id` into the key's `folder`. Several callers may do so at a
 * time. On success the caller passes `out`, a claim without generation and summary, to
 * giq_claim_release(). Errors: those of giq_download(), giq_stage_download(),
 * giq_complete_check() and the host; then what was written is removed.
 */
bool giq_fetch(struct giq_service *service, const struct giq_store *store,
               const char *folder, const char *job_id, const struct giq_job_host *host,
               struct giq_claim *out, struct giq_error *err);

#endif
