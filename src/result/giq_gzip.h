/*
 * Reading a gzip file (RFC 1952) by zlib's gzread(). The length and the checksum of every
 * member must be right. Members one after another are one stream; as in gzip and zlib,
 * data after the last member that is not gzip is ignored. (zlib 1.3.2 takes a single
 * byte there for a truncated member.)
 *
 * Usage: giq_gzip_open(), giq_gzip_read() until it reads nothing, giq_gzip_close().
 * Thread-safe for different struct giq_gzip.
 */
#ifndef GIQ_GZIP_H
#define GIQ_GZIP_H

#include "base/giq_cleanup.h"
#include "base/giq_error.h"

struct giq_gzip;

/* The caller owns `*out`. Errors: GIQ_E_STORE, GIQ_E_MEMORY. */
bool giq_gzip_open(const char *path, struct giq_gzip **out, struct giq_error *err);
void giq_gzip_close(struct giq_gzip *gzip); /* NULL is allowed */
GIQ_AUTO_DEFINE(giq_gzip_close, struct giq_gzip)
#define GIQ_AUTO_GZIP GIQ_AUTO(giq_gzip_close_auto)

/* Read up to `max` decoded bytes; `max` must not be 0. `*out_len` is 0 at the end of the
 * file. Errors: GIQ_E_RESULT (not gzip, damaged, truncated), GIQ_E_STORE, GIQ_E_MEMORY.
 */
bool giq_gzip_read(struct giq_gzip *gzip, char *out, size_t max, size_t *out_len,
                   struct giq_error *err);

/* Decode the first `max` bytes of a file, or fewer if it holds fewer. `max` must not be
 * 0. Errors as for giq_gzip_read(). */
bool giq_gzip_read_head(const char *path, char *out, size_t max, size_t *out_len,
                        struct giq_error *err);

#endif
