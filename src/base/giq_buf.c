/* A byte buffer that doubles its capacity, up to a maximum. */
#include "base/giq_buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 256 };

void giq_buf_init(struct giq_buf *buf, size_t max)
{
    *buf = (struct giq_buf){.max = max};
}

void giq_buf_release(struct giq_buf *buf)
{
    free(buf->data);
    *buf = (struct giq_buf){.max = buf->max};
}

bool giq_buf_fits(const struct giq_buf *buf, size_t len)
{
    return len <= buf->max - buf->len;
}

void giq_buf_truncate(struct giq_buf *buf, size_t len)
{
    assert(len <= buf->len);
    if (buf->data != NULL) {
        buf->data[len] = '\0';
    }
    buf->len = len;
}

static bool reserve(struct giq_buf *buf, size_t len)
{
    if (!giq_buf_fits(buf, len)) {
        return false;
    }
    size_t need = buf->len + len + 1;
    if (need <= buf->cap) {
        return true;
    }
    size_t cap = buf->cap == 0 ? FIRST_CAP : buf->cap;
    while (cap < need) {
        cap *= 2;
    }
    char *data = realloc(buf->data, cap);
    if (data == NULL) {
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

bool giq_buf_add(struct giq_buf *buf, const void *bytes, size_t len)
{
    if (!reserve(buf, len)) {
        return false;
    }
    if (len > 0) {
        memcpy(buf->data + buf->len, bytes, len);
    }
    buf->len += len;
    buf->data[buf->len] = '\0';
    return true;
}

bool giq_buf_add_text(struct giq_buf *buf, const char *text)
{
    return giq_buf_add(buf, text, strlen(text));
}

bool giq_buf_addf(struct giq_buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0 || !reserve(buf, (size_t)len)) {
        return false;
    }
    va_start(args, fmt);
    (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, args);
    va_end(args);
    buf->len += (size_t)len;
    return true;
}

const char *giq_buf_text(const struct giq_buf *buf)
{
    return buf->data == NULL ? "" : buf->data;
}

char *giq_buf_take(struct giq_buf *buf)
{
    char *data = buf->data;
    *buf = (struct giq_buf){.max = buf->max};
    return data;
}
