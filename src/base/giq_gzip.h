/*
 * Decodes gzip (RFC 1952) with zlib: several members one behind another are one stream,
 * and zeros may follow them. The length and the checksum of every member must be true.
 *
 * Bytes as they arrive: giq_gunzip_new(), giq_gunzip_step() while there is input,
 * giq_gunzip_is_complete(), giq_gunzip_free(). A file: giq_gzip_open(),
 * giq_gzip_read() until it reads nothing, giq_gzip_close().
 */
#ifndef GIQ_GZIP_H
#define GIQ_GZIP_H

#include "giq/giq.h"

struct giq_gunzip;

/* What stands around the compressed data. */
enum giq_gunzip_form {
    GIQ_GUNZIP_GZIP,
    GIQ_GUNZIP_ZLIB, /* RFC 1950 */
    GIQ_GUNZIP_RAW,  /* nothing, so that nothing proves it (RFC 1951) */
};

/* The caller owns `*out`. Errors: GIQ_E_MEMORY. */
bool giq_gunzip_new(struct giq_gunzip **out, struct giq_error *err);
bool giq_gunzip_new_form(enum giq_gunzip_form form, struct giq_gunzip **out,
                         struct giq_error *err);
void giq_gunzip_free(struct giq_gunzip *gunzip); /* NULL is allowed */

/*
 * Decode input at `*in`, which moves past what was used, into at most `max` bytes at
 * `out`. No output does not mean that the input is used up. Errors: GIQ_E_RESULT (the
 * data is no gzip or is damaged), GIQ_E_MEMORY.
 */
bool giq_gunzip_step(struct giq_gunzip *gunzip, const char **in, size_t *in_len,
                     char *out, size_t max, size_t *out_len, struct giq_error *err);

/* Whether the input so far ends with a whole member. */
bool giq_gunzip_is_complete(const struct giq_gunzip *gunzip);

/* A gzip file being read. */
struct giq_gzip;

/* The caller owns `*out`. Errors: GIQ_E_STORE, GIQ_E_MEMORY. */
bool giq_gzip_open(const char *path, struct giq_gzip **out, struct giq_error *err);
void giq_gzip_close(struct giq_gzip *gzip); /* NULL is allowed */

/* Read up to `max` decoded bytes, which is not 0. `*out_len` is 0 at the end, where
 * everything was proven; what follows that and is no gzip is ignored, as gzip does.
 * Errors: GIQ_E_RESULT (no gzip, damaged, truncated), GIQ_E_STORE, GIQ_E_MEMORY. */
bool giq_gzip_read(struct giq_gzip *gzip, char *out, size_t max, size_t *out_len,
                   struct giq_error *err);

/* At the end: whether anything but zeros and white space follows it. Errors:
 * GIQ_E_STORE. */
bool giq_gzip_find_trailing(struct giq_gzip *gzip, bool *out, struct giq_error *err);

/* Up to `max` first decoded bytes of a file, fewer where it holds fewer. Errors as of
 * giq_gzip_read(). */
bool giq_gzip_read_head(const char *path, char *out, size_t max, size_t *out_len,
                        struct giq_error *err);

#endif
