/*
 * Fetching a result and publishing it: download it into result.part, name it, unpack it
 * if it is an archive, check that it is complete, let the host accept it, and rename it
 * to result/. The result cannot be opened before it is renamed.
 */
#ifndef GIQ_FETCH_H
#define GIQ_FETCH_H

#include "base/giq_error.h"
#include "store/giq_store.h"

struct giq_fetched {
    char *name;   /* of the file in result/; NULL if it was an archive */
    int64_t size; /* of that file, or of the archive as downloaded */
};

/*
 * Fetch the result of `job_id` into the key's `folder`. Must be called with the record
 * lock held. On success the caller frees `out->name`. Errors: those of giq_download(),
 * giq_stage_download(), giq_complete_check() and the host; then nothing is published, and
 * an earlier result stays, except as giq_store_publish() states. If result.part is left,
 * the next download overwrites it; after GIQ_E_STORE it is removed, since the disk may be
 * full.
 */
bool giq_fetch(struct giq_service *service, const struct giq_store *store,
               const char *folder, const char *job_id, const struct giq_job_host *host,
               struct giq_fetched *out, struct giq_error *err);

#endif
