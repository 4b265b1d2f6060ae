/*
 * Uploading a file once for each content, kind and service. Which content a file has is
 * found by giq_upload_identify() of giq/giq.h; what is known of it lies in the store
 * (giq_content).
 *
 * An upload bills nothing, so it is repeated like a GET. What went out is digested on
 * its way, and counts only where it is the content that was to go.
 */
#ifndef GIQ_UPLOAD_H
#define GIQ_UPLOAD_H

#include "base/giq_error.h"

/*
 * The id that the service gave the content, as recorded, into a new text; `*out` is NULL
 * where none is, or where it is `forgotten` (may be NULL), which the service no longer
 * knows. Takes no flight. Errors: GIQ_E_STORE, GIQ_E_MEMORY.
 */
bool giq_upload_find(const struct giq_service *service, const struct giq_store *store,
                     const struct giq_upload *upload, const char *forgotten, char **out,
                     struct giq_error *err);

/*
 * The same, and upload the file where no id is recorded. Must not be called within a
 * flight. Errors: GIQ_E_TIMEOUT (another uploads the content now), GIQ_E_USAGE (the file
 * changed, or cannot be read), GIQ_E_SERVICE, _CREDENTIALS, _NETWORK, _STORE, _MEMORY.
 */
bool giq_upload_send(struct giq_service *service, const struct giq_store *store,
                     const struct giq_upload *upload, const char *forgotten, char **out,
                     struct giq_error *err);

#endif
