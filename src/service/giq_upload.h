/*
 * Uploading a file once for each content, source type and service. giq_upload_identify()
 * of giq/giq.h identifies the content of a file; the store keeps its file ids
 * (giq_content).
 *
 * An upload costs nothing, so it is retried like a GET. The bytes are digested while they
 * are sent, and an upload is recorded only if they are the expected content.
 */
#ifndef GIQ_UPLOAD_H
#define GIQ_UPLOAD_H

#include "base/giq_error.h"

/*
 * Copy the recorded file id of the content into a new text, which the caller frees.
 * `*out` is NULL if there is none, or if it is `stale_id` (may be NULL), which the
 * service no longer knows. Takes no lock. Errors: GIQ_E_STORE, GIQ_E_MEMORY.
 */
bool giq_upload_find(const struct giq_service *service, const struct giq_store *store,
                     const struct giq_upload *upload, const char *stale_id, char **out,
                     struct giq_error *err);

/*
 * As giq_upload_find(), but upload the file if no id is recorded, and record the new one.
 * Holds the lock of the content meanwhile. Errors: GIQ_E_TIMEOUT (another open uploads
 * the content now), GIQ_E_USAGE (the file changed, or cannot be read), GIQ_E_SERVICE,
 * _CREDENTIALS, _NETWORK, _CANCELLED, _STORE, _MEMORY.
 */
bool giq_upload_find_or_send(struct giq_service *service, const struct giq_store *store,
                             const struct giq_upload *upload, const char *stale_id,
                             char **out, struct giq_error *err);

#endif
