/*
 * A reader for files that state their own length (giq_complete.h): numbers at offsets,
 * and what of the file is missing.
 *
 * A number beyond the end of the file is a missing part. A file that was made to be read
 * without end stops the reading. Every function returns zero or false once `stop` is set,
 * so callers check it in their loops and before they act on a number.
 */
#ifndef GIQ_BOUNDS_H
#define GIQ_BOUNDS_H

#include "base/giq_error.h"

/* More than any table of offsets takes. */
#define GIQ_BOUNDS_BYTES_MAX (UINT64_C(1) << 30)
enum { GIQ_BOUNDS_NUMBERS_MAX = 50 * 1000 * 1000, GIQ_BOUNDS_WINDOW = 65536 };

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
    bool stop;           /* all is known, or too much was read to go on */
    bool failed;         /* the source failed, and `err` is set */
    uint64_t size_min;   /* of the whole file if it is larger than `size`, else 0 */
    const char *missing; /* the part missing at the end of a file of unknown length */
    uint64_t bytes;      /* read so far */
    uint64_t numbers;    /* read so far */
    uint64_t window_at;
    size_t window_len;
    unsigned char window[GIQ_BOUNDS_WINDOW];
};

/* Whether the file has `len` bytes at `at`; if not, they are missing. */
bool giq_bounds_require(struct giq_bounds *file, uint64_t at, uint64_t len);

/* Report that the part `what` (static) is missing at the end of the file. */
void giq_bounds_missing(struct giq_bounds *file, const char *what);

/* End the reading without a missing part. */
void giq_bounds_stop(struct giq_bounds *file);

/* Read a number of at most 8 bytes, in the file's byte order. It is required. */
uint64_t giq_bounds_number(struct giq_bounds *file, uint64_t at, unsigned len);

/* Decode a number of at most 8 bytes from memory. */
uint64_t giq_bounds_decode(const struct giq_bounds *file, const unsigned char *bytes,
                           unsigned len);

/* Read required bytes into `out`, not through the window. */
bool giq_bounds_read(struct giq_bounds *file, uint64_t at, void *out, size_t len);

/* Whether the file has these bytes, at most 16, at `at`. They are not required. */
bool giq_bounds_match(struct giq_bounds *file, uint64_t at, const char *bytes,
                      size_t len);

/* Whether the file has these two bytes at `at` or later. */
bool giq_bounds_find_pair(struct giq_bounds *file, uint64_t at, unsigned char first,
                          unsigned char second);

/* The last bytes of the file, at most GIQ_BOUNDS_WINDOW, valid until the next call that
 * reads. NULL if they cannot be read. */
const char *giq_bounds_tail(struct giq_bounds *file, size_t *out_len);

#endif
