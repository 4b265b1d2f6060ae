/* What a fetch leaves, made without a service. */
#ifndef GIQ_TESTS_FETCH_KIT_H
#define GIQ_TESTS_FETCH_KIT_H

#include "store/giq_claim.h"

/* Make `folder`/result.<token> with the file a in it, as a fetch of the result of
 * `job_id` does that was an archive. The caller passes `out` to giq_claim_release(). */
void fetch_kit_result(const char *folder, const char *job_id, struct giq_claim *out);

#endif
