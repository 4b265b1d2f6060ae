/*
 * A bounds-checked reader for files that state their own length (giq_complete.h): it
 * reads numbers at offsets and records the first part of the file that is missing.
 *
 * Reading stops at the first missing part, after a failed read, and at a limit, so that a
 * crafted file cannot make it run for ever. Once `stop` is set, the functions that read
 * return 0, false or NULL: callers check it in their loops and before they act on a
 * number.
 */
#ifndef GIQ_BOUNDS_H
#define GIQ_BOUNDS_H

#include "base/giq_error.h"

/* Limits of the bytes and numbers that one check reads. A file that would need more
 * counts as complete; real tables of offsets need less. */
#define GIQ_BOUNDS_BYTES_MAX (UINT64_C(1) << 30)
enum { GIQ_BOUNDS_NUMBERS_MAX = 50 * 1000 * 1000 };

/* Bytes that are read at once: more than the longest end of a zip. */
enum { GIQ_BOUNDS_WINDOW = 131072 };

enum giq_bounds_order { GIQ_BOUNDS_LITTLE, GIQ_BOUNDS_BIG };

/* A file with random access. `read` fills `bytes` from the offset `at` on, always within
 * `size`. */
struct giq_bounds_source {
    bool (*read)(void *ctx, uint64_t at, void *bytes, size_t len, struct giq_error *err);
    void *ctx;
    uint64_t size;
};

struct giq_bounds {
    const struct giq_bounds_source *source;
    struct giq_error *err;
    uint64_t size;
    enum giq_bounds_order order;
    bool stop;           /* the outcome is known, a read failed, or a limit was reached */
    bool failed;         /* the source failed, and `err` is set */
    uint64_t size_min;   /* least size of the whole file, if above `size`; else 0 */
    const char *missing; /* the part missing at the end of a file of unknown length */
    uint64_t bytes;      /* how many were read */
    uint64_t numbers;    /* how many were read */
    uint64_t window_at;
    size_t window_len;
    unsigned char window[GIQ_BOUNDS_WINDOW];
};

/* Require `len` bytes at `at`. If the file is too short, sets size_min and `stop`, and
 * returns false. */
bool giq_bounds_require(struct giq_bounds *file, uint64_t at, uint64_t len);

/* Record that the part `what` (static) is missing at the end of the file, and stop. */
void giq_bounds_missing(struct giq_bounds *file, const char *what);

/* Stop reading, with no part missing. */
void giq_bounds_stop(struct giq_bounds *file);

/* Read an unsigned number of 1 to 8 bytes in the file's byte order. The bytes are
 * required as by giq_bounds_require(). */
uint64_t giq_bounds_number(struct giq_bounds *file, uint64_t at, unsigned len);

/* Decode an unsigned number of 1 to 8 bytes from memory, whether or not `stop` is set. */
uint64_t giq_bounds_decode(const struct giq_bounds *file, const unsigned char *bytes,
                           unsigned len);

/* Read `len` bytes, which are required, into `out`. The window does not change. */
bool giq_bounds_read(struct giq_bounds *file, uint64_t at, void *out, size_t len);

/* Whether the file has these bytes, at most 16, at `at`. They are not required. */
bool giq_bounds_match(struct giq_bounds *file, uint64_t at, const char *bytes,
                      size_t len);

/* Whether the file has these two bytes at `at` or later. */
bool giq_bounds_find_pair(struct giq_bounds *file, uint64_t at, unsigned char first,
                          unsigned char second);

/* The bytes before `end`, at most GIQ_BOUNDS_WINDOW of them, valid until the next call
 * that moves the window. NULL if they cannot be read. */
const char *giq_bounds_before(struct giq_bounds *file, uint64_t end, size_t *out_len);

#endif
