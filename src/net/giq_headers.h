/*
 * The response headers that the driver reads, and what their values mean. Pure.
 *
 * Usage: giq_headers_init(), giq_headers_add() for each field in the order of the
 * response, giq_headers_release().
 */
#ifndef GIQ_HEADERS_H
#define GIQ_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds; a longer Retry-After counts as this. */
enum { GIQ_HEADERS_RETRY_AFTER_MAX_S = 24 * 3600 };

enum giq_headers_field {
    GIQ_HEADERS_CONTENT_DISPOSITION,
    GIQ_HEADERS_CONTENT_ENCODING, /* values of several fields, joined by commas */
    GIQ_HEADERS_CONTENT_RANGE,
    GIQ_HEADERS_ETAG,
    GIQ_HEADERS_RETRY_AFTER,
    GIQ_HEADERS_TRANSFER_ENCODING,
    GIQ_HEADERS_COUNT,
};

struct giq_headers {
    char *value[GIQ_HEADERS_COUNT]; /* owned; NULL if the response has no such field */
};

void giq_headers_init(struct giq_headers *headers);
void giq_headers_release(struct giq_headers *headers);

/* "Content-Disposition" and so on. */
const char *giq_headers_field_name(enum giq_headers_field field);

/*
 * Add a field; `value` is copied. If a field is repeated, values of Content-Encoding are
 * joined with a comma (RFC 9110, 5.3), an ETag or Content-Range that differs from the
 * earlier one makes the value empty, and the last one of other fields is kept. Returns
 * false and changes nothing when out of memory.
 */
bool giq_headers_add(struct giq_headers *headers, enum giq_headers_field field,
                     const char *value);

/* Whether chunks show where the body ends: Transfer-Encoding ends in "chunked". */
bool giq_headers_is_chunked(const struct giq_headers *headers);

/* The pause in milliseconds that Retry-After asks for: a number of seconds, or the time
 * from `wall_ms` (since 1970-01-01 UTC) to an HTTP date, 0 if that has passed. At most
 * GIQ_HEADERS_RETRY_AFTER_MAX_S seconds; -1 if it is absent or invalid. */
int64_t giq_headers_retry_after_ms(const struct giq_headers *headers, int64_t wall_ms);

/* The ETag if it is strong, not empty and without control characters, so that it can be
 * sent in If-Range; else NULL. Borrowed. */
const char *giq_headers_strong_etag(const struct giq_headers *headers);

enum giq_headers_coding {
    GIQ_HEADERS_CODING_IDENTITY, /* none, or values that are not codings, such as utf-8 */
    GIQ_HEADERS_CODING_GZIP,
    GIQ_HEADERS_CODING_DEFLATE,
    GIQ_HEADERS_CODING_UNSUPPORTED, /* another coding, several, or out of memory */
};

/* The content coding of the body, by Content-Encoding. */
enum giq_headers_coding giq_headers_get_coding(const struct giq_headers *headers);

/* Content-Range: bytes `first` to `last`, counted from 0, of `total`. */
struct giq_headers_range {
    int64_t first;
    int64_t last;
    int64_t total;
};

/* Parse Content-Range. False if it is absent, contradicts itself or does not state the
 * total. */
bool giq_headers_get_range(const struct giq_headers *headers,
                           struct giq_headers_range *out);

#endif
