/*
 * SHA-256, by libcrypto (which libcurl brings along). Thread-safe.
 */
#ifndef GIQ_DIGEST_H
#define GIQ_DIGEST_H

#include "giq_error.h"

enum { GIQ_DIGEST_HEX_SIZE = 65 };

/* The digest of `len` bytes in lower-case hexadecimal digits. */
bool giq_digest_text(const char *bytes, size_t len, char out[GIQ_DIGEST_HEX_SIZE],
                     struct giq_error *err);

#endif
