/*
 * The identity of a request: a canonical text, and its digest as the key, which names the
 * folder of the record and the result. Two opens are the same request exactly when their
 * canonical texts are equal.
 *
 * The text is JSON on one line with members in a fixed order; the first is the number of
 * the format. It never holds a secret.
 */
#ifndef GIQ_KEY_H
#define GIQ_KEY_H

#include "base/giq_error.h"
#include "store/giq_digest.h"

enum { GIQ_KEY_FORMAT = 1 };

struct giq_key {
    char hex[GIQ_DIGEST_HEX_SIZE];
};

/*
 * `base_url` is from giq_base_url(), `request->area` from the functions of giq/geom.h.
 * `retry` and `geometry_crs` of the request are not read, and `job` only if `model` is
 * NULL. On success the caller frees `*out_text`. Errors: GIQ_E_MEMORY. Thread-safe.
 */
bool giq_key_make(const char *base_url, const struct giq_request *request,
                  char **out_text, struct giq_key *out_key, struct giq_error *err);

#endif
