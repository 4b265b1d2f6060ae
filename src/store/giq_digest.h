/*
 * SHA-256, by OpenSSL's libcrypto. Thread-safe, but a struct giq_digest may be used by
 * one thread at a time. GIQ_DIGEST_HEX_SIZE is in giq/giq.h. Errors are GIQ_E_MEMORY,
 * also if a function of OpenSSL fails, since it reports no reason.
 */
#ifndef GIQ_DIGEST_H
#define GIQ_DIGEST_H

#include "base/giq_error.h"

/* The digest of `len` bytes in lower-case hexadecimal digits. */
bool giq_digest_bytes(const char *bytes, size_t len, char out[GIQ_DIGEST_HEX_SIZE],
                      struct giq_error *err);

/* Whether `text` has the form of such a digest. */
bool giq_digest_is_valid(const char *text);

/* ---- the digest of bytes that arrive in pieces ---- */

struct giq_digest;

/* The caller passes `*out` to giq_digest_free(). */
bool giq_digest_new(struct giq_digest **out, struct giq_error *err);
void giq_digest_free(struct giq_digest *digest);

/* Restart with no bytes added. */
bool giq_digest_restart(struct giq_digest *digest, struct giq_error *err);

/* Add `len` bytes. */
bool giq_digest_add(struct giq_digest *digest, const void *bytes, size_t len,
                    struct giq_error *err);

/* The digest of all bytes that were added. Only giq_digest_restart() or
 * giq_digest_free() may follow. */
bool giq_digest_finish(struct giq_digest *digest, char out[GIQ_DIGEST_HEX_SIZE],
                       struct giq_error *err);

#endif
