/* A bounds-checked reader of numbers in a file, which records the first missing part. */
#include "result/giq_bounds.h"

#include <string.h>

bool giq_bounds_require(struct giq_bounds *file, uint64_t at, uint64_t len)
{
    if (file->stop) {
        return false;
    }
    if (at <= file->size && len <= file->size - at) {
        return true;
    }
    file->size_min = len > UINT64_MAX - at ? UINT64_MAX : at + len;
    file->stop = true;
    return false;
}

void giq_bounds_missing(struct giq_bounds *file, const char *what)
{
    if (!file->stop) {
        file->missing = what;
        file->stop = true;
    }
}

void giq_bounds_stop(struct giq_bounds *file)
{
    file->stop = true;
}

/* Read bytes that the file has. */
static bool fetch(struct giq_bounds *file, uint64_t at, void *out, size_t len)
{
    file->bytes += len;
    if (file->bytes > GIQ_BOUNDS_BYTES_MAX) {
        file->stop = true;
        return false;
    }
    if (!file->source->read(file->source->ctx, at, out, len, file->err)) {
        file->failed = true;
        file->stop = true;
        return false;
    }
    return true;
}

/* Move the window to `at`, which lies in the file. */
static bool move_window(struct giq_bounds *file, uint64_t at)
{
    uint64_t rest = file->size - at;
    size_t len = rest < sizeof file->window ? (size_t)rest : sizeof file->window;
    file->window_len = 0;
    if (!fetch(file, at, file->window, len)) {
        return false;
    }
    file->window_at = at;
    file->window_len = len;
    return true;
}

/* The required bytes at `at`, at most 16, in the window; or NULL. */
static const unsigned char *peek(struct giq_bounds *file, uint64_t at, unsigned len)
{
    if (!giq_bounds_require(file, at, len)) {
        return NULL;
    }
    file->numbers++;
    if (file->numbers > GIQ_BOUNDS_NUMBERS_MAX) {
        file->stop = true;
        return NULL;
    }
    bool is_in_window = at >= file->window_at &&
                        at - file->window_at <= file->window_len &&
                        len <= file->window_len - (at - file->window_at);
    if (!is_in_window && !move_window(file, at)) {
        return NULL;
    }
    return file->window + (at - file->window_at);
}

uint64_t giq_bounds_decode(const struct giq_bounds *file, const unsigned char *bytes,
                           unsigned len)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < len; i++) {
        bool is_big = file->order == GIQ_BOUNDS_BIG;
        number = number << 8 | bytes[is_big ? i : len - 1 - i];
    }
    return number;
}

uint64_t giq_bounds_number(struct giq_bounds *file, uint64_t at, unsigned len)
{
    const unsigned char *bytes = peek(file, at, len);
    return bytes == NULL ? 0 : giq_bounds_decode(file, bytes, len);
}

bool giq_bounds_read(struct giq_bounds *file, uint64_t at, void *out, size_t len)
{
    return giq_bounds_require(file, at, len) && fetch(file, at, out, len);
}

bool giq_bounds_match(struct giq_bounds *file, uint64_t at, const char *bytes, size_t len)
{
    if (file->stop || at > file->size || len > file->size - at) {
        return false;
    }
    const unsigned char *found = peek(file, at, (unsigned)len);
    return found != NULL && memcmp(found, bytes, len) == 0;
}

bool giq_bounds_find_pair(struct giq_bounds *file, uint64_t at, unsigned char first,
                          unsigned char second)
{
    const unsigned char pair[] = {first, second};
    while (!file->stop && at < file->size && file->size - at >= sizeof pair) {
        if (!move_window(file, at)) {
            return false;
        }
        if (memmem(file->window, file->window_len, pair, sizeof pair) != NULL) {
            return true;
        }
        /* The last byte may be the first of the pair. */
        at += file->window_len - 1;
    }
    return false;
}

const char *giq_bounds_before(struct giq_bounds *file, uint64_t end, size_t *out_len)
{
    uint64_t at = end < sizeof file->window ? 0 : end - sizeof file->window;
    if (file->stop || end > file->size || !move_window(file, at)) {
        return NULL;
    }
    *out_len = (size_t)(end - at);
    return (const char *)file->window;
}
