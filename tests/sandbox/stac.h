/*
 * The STAC calls of the service over its catalogue of files: requests are checked,
 * responses are JSON. Nothing here knows HTTP. Thread-safe.
 */
#ifndef SANDBOX_STAC_H
#define SANDBOX_STAC_H

#include <cJSON.h>

#include "catalogue.h"

struct stac_context {
    struct catalogue *catalogue;
    const char *base; /* of the service, as the client calls it, without a final slash */
    int data_port;    /* of the presigned addresses, on 127.0.0.1 */
    unsigned odd;     /* how the response is odd: enum odd */
};

/* All collections. */
cJSON *stac_collections(const struct stac_context *context);

/*
 * The items that match the body of a search: `bbox`, `collections`, `datetime`,
 * `limit`, `offset`, `sortby`, all optional. NULL after setting `*error` for a body
 * that the service would refuse.
 */
cJSON *stac_search(const struct stac_context *context, const cJSON *body,
                   const char **error);

bool stac_has_collection(const char *id);

/* One item by its name or UUID; NULL where the collection has none. */
cJSON *stac_item(const struct stac_context *context, const char *collection,
                 const char *id);

#endif
