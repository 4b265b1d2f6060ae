/*
 * A byte buffer with a maximum size. An addition that would exceed it fails and leaves
 * the buffer as it was. The bytes are always followed by a NUL.
 *
 * Usage: giq_buf_init(), the functions that add, giq_buf_release() or giq_buf_take().
 */
#ifndef GIQ_BUF_H
#define GIQ_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/giq_cleanup.h"

struct giq_buf {
    char *data; /* NULL while nothing was added */
    size_t len; /* without the NUL */
    size_t cap; /* of `data`, with the NUL */
    size_t max; /* the maximum of `len` */
};

/* Make an empty buffer, without allocating memory. `max` is less than SIZE_MAX / 2. */
void giq_buf_init(struct giq_buf *buf, size_t max);
/* Free the contents. The buffer is then empty, and may be filled again. */
void giq_buf_release(struct giq_buf *buf);
/* For a local that is released at the end of its block; call giq_buf_init() before any
 * return. */
#define GIQ_AUTO_BUF GIQ_AUTO(giq_buf_release)

/* Append bytes, a text or formatted text, which must not be part of the buffer. False
 * when out of memory, or if the maximum size would be exceeded: giq_buf_fits()
 * distinguishes the two. */
bool giq_buf_add(struct giq_buf *buf, const void *bytes, size_t len);
bool giq_buf_add_text(struct giq_buf *buf, const char *text);
bool giq_buf_addf(struct giq_buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether `len` more bytes are within the maximum size. */
bool giq_buf_fits(const struct giq_buf *buf, size_t len);

/* Keep only the first `len` bytes; the buffer must have at least as many. */
void giq_buf_truncate(struct giq_buf *buf, size_t len);

/* The contents as a text that is never NULL; borrowed. */
const char *giq_buf_text(const struct giq_buf *buf);

/* Transfer the contents to the caller, who frees them with free(), and empty the buffer.
 * NULL if nothing was ever added. */
char *giq_buf_take(struct giq_buf *buf);

#endif
