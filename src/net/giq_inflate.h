/*
 * Decoding the content codings gzip and deflate (RFC 9110, 8.4.1) in pieces. With
 * GIQ_INFLATE_GZIP a body that does not begin like gzip passes through unchanged: some
 * services name a coding that they did not apply.
 *
 * Usage: giq_inflate_new(), giq_inflate_add() for each piece, giq_inflate_is_complete()
 * at the end, giq_inflate_free(). A decoder serves one thread at a time.
 */
#ifndef GIQ_INFLATE_H
#define GIQ_INFLATE_H

#include "base/giq_error.h"

enum giq_inflate_coding {
    GIQ_INFLATE_GZIP,
    GIQ_INFLATE_DEFLATE, /* zlib (RFC 1950), or raw (RFC 1951), which has no checksum */
};

struct giq_inflate;

/* Takes decoded bytes; false ends the decoding with `err` set. */
typedef bool giq_inflate_sink(void *ctx, const char *bytes, size_t len,
                              struct giq_error *err);

/* The caller frees `*out` with giq_inflate_free(). Errors: GIQ_E_MEMORY. */
bool giq_inflate_new(enum giq_inflate_coding coding, struct giq_inflate **out,
                     struct giq_error *err);
void giq_inflate_free(struct giq_inflate *decoder); /* NULL is allowed */

/* Decode the next bytes of the body and pass them to `sink`. Errors: GIQ_E_INCOMPLETE if
 * they are damaged, those of the sink, GIQ_E_MEMORY. After a failure only
 * giq_inflate_is_coded() and giq_inflate_free() may be called. */
bool giq_inflate_add(struct giq_inflate *decoder, const char *bytes, size_t len,
                     giq_inflate_sink *sink, void *ctx, struct giq_error *err);

/* Whether the body is coded. False before its first byte was added. */
bool giq_inflate_is_coded(const struct giq_inflate *decoder);

/* Whether a coded body has ended, with the right checksum and length if its coding has
 * them. */
bool giq_inflate_is_complete(const struct giq_inflate *decoder);

#endif
