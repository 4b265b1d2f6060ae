/*
 * What the header lines of a response say, as far as the driver asks. Pure.
 *
 * Start with giq_headers_init(), feed every line as it came (the status line too,
 * which begins a new response and forgets an interim one), end with
 * giq_headers_release().
 */
#ifndef GIQ_HEADERS_H
#define GIQ_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GIQ_HEADERS_BYTES_MAX = 64 * 1024, /* all lines of one exchange */
    GIQ_HEADERS_RETRY_AFTER_MAX_S = 24 * 3600,
};

struct giq_headers {
    char *disposition; /* value of Content-Disposition, or NULL */
    char *encoding;    /* values of Content-Encoding, parted by commas, or NULL */
    char *etag;        /* value of ETag, or NULL */
    char *range;       /* value of Content-Range, or NULL */
    char *retry_after; /* value of Retry-After, or NULL */
    bool chunked;      /* Transfer-Encoding ends in chunked */
    bool is_whole;     /* the empty line at its end came */
    size_t bytes;      /* of all lines so far */
};

void giq_headers_init(struct giq_headers *headers);
void giq_headers_release(struct giq_headers *headers);

/* Take one line, with or without its end. False beyond GIQ_HEADERS_BYTES_MAX. A
 * line that is no header is passed over. */
bool giq_headers_line(struct giq_headers *headers, const char *bytes, size_t len);

/* Retry-After, in seconds or as an HTTP date, as milliseconds from `wall_ms`, at
 * most GIQ_HEADERS_RETRY_AFTER_MAX_S; -1 where absent, negative or neither. */
int64_t giq_headers_retry_after_ms(const struct giq_headers *headers, int64_t wall_ms);

/* ETag where it is a strong one that may stand in a header of ours, without control
 * characters, else NULL. */
const char *giq_headers_strong_etag(const struct giq_headers *headers);

enum giq_headers_coding {
    GIQ_HEADERS_IDENTITY, /* none, or values that are no coding, such as utf-8 or binary
                           */
    GIQ_HEADERS_GZIP,
    GIQ_HEADERS_DEFLATE,
    GIQ_HEADERS_UNSUPPORTED, /* another coding, or several */
};

/* In which coding the body is, by Content-Encoding. */
enum giq_headers_coding giq_headers_coding(const struct giq_headers *headers);

/* Content-Range: bytes `first` to `last`, counted from 0, of `total`. */
struct giq_headers_range {
    int64_t first;
    int64_t last;
    int64_t total;
};

/* False where it is absent, contradicts itself or leaves the total open. */
bool giq_headers_range(const struct giq_headers *headers, struct giq_headers_range *out);

#endif
