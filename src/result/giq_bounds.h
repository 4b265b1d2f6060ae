/*
 * Reading a file for what it says of its own length (giq_complete.h). Numbers that lie
 * beyond the end of the file are missing bytes; a file that was made to lead round and
 * round ends the reading.
 *
 * Every function returns zeros or false once `stop` is set, so callers check it in their
 * loops and before they act on a number.
 */
#ifndef GIQ_BOUNDS_H
#define GIQ_BOUNDS_H

#include "result/giq_complete.h"

/* More than any table of positions takes. */
#define GIQ_BOUNDS_BYTES_MAX (UINT64_C(1) << 30)
enum { GIQ_BOUNDS_NUMBERS_MAX = 50 * 1000 * 1000, GIQ_BOUNDS_WINDOW = 65536 };

enum giq_bounds_order { GIQ_BOUNDS_LITTLE, GIQ_BOUNDS_BIG };

struct giq_bounds {
    const struct giq_complete_source *source;
    struct giq_error *err;
    uint64_t size;
    enum giq_bounds_order order;
    bool stop;         /* all is known, or too much was read to go on */
    bool failed;       /* the source failed, and `err` is set */
    uint64_t size_min; /* of the file where it is larger than `size`, else 0 */
    const char *lacks; /* what is missing at the end where the length is not known */
    uint64_t bytes;    /* read so far */
    uint64_t numbers;  /* taken so far */
    uint64_t window_at;
    size_t window_len;
    unsigned char window[GIQ_BOUNDS_WINDOW];
};

/* Whether the file has `len` bytes at `at`; where it has not, they are missing. */
bool giq_bounds_need(struct giq_bounds *file, uint64_t at, uint64_t len);

/* The end of the file is missing. */
void giq_bounds_lack(struct giq_bounds *file, const char *what);

/* The reading ends, and nothing is known to be missing. */
void giq_bounds_stop(struct giq_bounds *file);

/* A number of at most 8 bytes, in the file's order of bytes. */
uint64_t giq_bounds_number(struct giq_bounds *file, uint64_t at, unsigned len);

/* Bytes that are needed, into `out`, past the window. */
bool giq_bounds_read(struct giq_bounds *file, uint64_t at, void *out, size_t len);

/* Whether these bytes stand at `at`; none are missing where they cannot. */
bool giq_bounds_is(struct giq_bounds *file, uint64_t at, const char *bytes, size_t len);

/* Whether these two bytes stand anywhere from `at` on. */
bool giq_bounds_has_pair(struct giq_bounds *file, uint64_t at, unsigned char first,
                         unsigned char second);

/* The last bytes of the file, as many as the window takes, until the next call that
 * reads. NULL where they cannot be read. */
const char *giq_bounds_tail(struct giq_bounds *file, size_t *out_len);

/* A number from memory. */
uint64_t giq_bounds_decode(const struct giq_bounds *file, const unsigned char *bytes,
                           unsigned len);

/* ---- formats ---- */

void giq_complete_tiff(struct giq_bounds *file);
void giq_complete_png(struct giq_bounds *file);
void giq_complete_jpeg(struct giq_bounds *file);
void giq_complete_jp2(struct giq_bounds *file);
void giq_complete_codestream(struct giq_bounds *file);
void giq_complete_flatgeobuf(struct giq_bounds *file);
void giq_complete_sqlite(struct giq_bounds *file);
void giq_complete_parquet(struct giq_bounds *file);
void giq_complete_arrow(struct giq_bounds *file);
void giq_complete_shapefile(struct giq_bounds *file);
void giq_complete_zip(struct giq_bounds *file);
void giq_complete_xml(struct giq_bounds *file);

#endif
