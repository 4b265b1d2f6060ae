/*
 * A byte buffer with a ceiling. What would grow it beyond the ceiling fails
 * and leaves it as it was. The bytes are always followed by a NUL.
 *
 * Start with giq_buf_init(), end with giq_buf_release() or giq_buf_take().
 */
#ifndef GIQ_BUF_H
#define GIQ_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/giq_cleanup.h"

struct giq_buf {
    char *data; /* NULL while nothing was added */
    size_t len;
    size_t cap;
    size_t max; /* most bytes it may hold */
};

void giq_buf_init(struct giq_buf *buf, size_t max);
void giq_buf_release(struct giq_buf *buf);
/* For a local that is released at the end of its block; init it where it is declared. */
#define GIQ_AUTO_BUF GIQ_AUTO(giq_buf_release)

/* False beyond the ceiling or out of memory; giq_buf_fits() tells which. */
bool giq_buf_add(struct giq_buf *buf, const void *bytes, size_t len);
bool giq_buf_add_text(struct giq_buf *buf, const char *text);
bool giq_buf_addf(struct giq_buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether `len` more bytes are within the ceiling. */
bool giq_buf_fits(const struct giq_buf *buf, size_t len);

/* The contents as a text that is never NULL; borrowed. */
const char *giq_buf_text(const struct giq_buf *buf);

/* Hand over the contents (to be freed with free()) and empty the buffer; NULL
 * when nothing was ever added. */
char *giq_buf_take(struct giq_buf *buf);

#endif
