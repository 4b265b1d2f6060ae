/*
 * What the header lines of an answer say, as far as the driver asks. Pure.
 *
 * Start with giq_head_init(), feed every line as it came (the status line too,
 * which begins a new answer and forgets an interim one), end with
 * giq_head_release().
 */
#ifndef GIQ_HEAD_H
#define GIQ_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GIQ_HEAD_BYTES_MAX = 64 * 1024, /* all lines of one exchange */
    GIQ_HEAD_RETRY_AFTER_MAX_S = 24 * 3600,
};

struct giq_head {
    char *disposition; /* value of Content-Disposition, or NULL */
    char *encoding;    /* values of Content-Encoding, parted by commas, or NULL */
    char *etag;        /* value of ETag, or NULL */
    char *range;       /* value of Content-Range, or NULL */
    char *retry_after; /* value of Retry-After, or NULL */
    bool chunked;      /* Transfer-Encoding ends in chunked */
    bool is_whole;     /* the empty line at its end came */
    size_t bytes;      /* of all lines so far */
};

void giq_head_init(struct giq_head *head);
void giq_head_release(struct giq_head *head);

/* Take one line, with or without its end. False beyond GIQ_HEAD_BYTES_MAX. A
 * line that is no header is passed over. */
bool giq_head_line(struct giq_head *head, const char *bytes, size_t len);

/* Retry-After, in seconds or as an HTTP date, as milliseconds from `wall_ms`, at
 * most GIQ_HEAD_RETRY_AFTER_MAX_S; -1 where absent, negative or neither. */
int64_t giq_head_retry_after_ms(const struct giq_head *head, int64_t wall_ms);

/* ETag where it is a strong one that may stand in a header of ours, without control
 * characters, else NULL. */
const char *giq_head_strong_etag(const struct giq_head *head);

enum giq_head_coding {
    GIQ_HEAD_PLAIN, /* none, or values that are no coding, such as utf-8 or binary */
    GIQ_HEAD_GZIP,
    GIQ_HEAD_DEFLATE,
    GIQ_HEAD_CODED, /* another coding, or several */
};

/* In which coding the body is, by Content-Encoding. */
enum giq_head_coding giq_head_coding(const struct giq_head *head);

/* Content-Range: bytes `first` to `last`, counted from 0, of `total`. */
struct giq_head_range {
    int64_t first;
    int64_t last;
    int64_t total;
};

/* False where it is absent, contradicts itself or leaves the total open. */
bool giq_head_range(const struct giq_head *head, struct giq_head_range *out);

#endif
