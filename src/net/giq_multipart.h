/*
 * Multipart forms of a POST. A file of a form is read in pieces while it is sent.
 * Thread-safe for different handles.
 */
#ifndef GIQ_MULTIPART_H
#define GIQ_MULTIPART_H

#include "base/giq_error.h"

/* A file of a form. All pointers are borrowed. */
struct giq_multipart_file {
    const char *name; /* the file name that is sent */
    int64_t size;     /* bytes */
    /* Open or rewind the file. Called before each transmission. */
    bool (*begin)(void *ctx, struct giq_error *err);
    /* Read 1 to `max` bytes; called until `size` bytes were read. */
    bool (*read)(void *ctx, char *out, size_t max, size_t *out_len,
                 struct giq_error *err);
    void *ctx;
};

struct giq_multipart_field {
    const char *name;
    const char *value;
    const struct giq_multipart_file *file; /* instead of a value, at most one in a form */
};

struct giq_multipart;

/*
 * Make a form and set it on the easy handle `curl`, which then sends a POST. The fields
 * are borrowed for the life of the form, and so is `err`, for errors while it is sent.
 * The form must be freed after the exchange. Errors: those of `begin`; GIQ_E_MEMORY.
 */
bool giq_multipart_new(void *curl, const struct giq_multipart_field *fields, size_t count,
                       struct giq_multipart **out, struct giq_error *err);
void giq_multipart_free(struct giq_multipart *multipart); /* NULL is allowed */

/* Whether opening, rewinding or reading the file has failed, which ended the exchange and
 * set `err`. False for NULL. */
bool giq_multipart_has_failed(const struct giq_multipart *multipart);

/*
 * Record the progress of a form, and return whether its file is sent at less than `limit`
 * bytes a second. Must be called at least once a second during the exchange: each call
 * may begin the next window of `window_s` seconds over which the speed is measured.
 * `now_ms` is the monotonic clock; `sent` of `total` bytes are sent. Once all bytes are
 * sent it returns false: unlike with libcurl's own limit, the service may take its time
 * for the response. False for a form without a file, and for NULL.
 */
bool giq_multipart_is_too_slow(struct giq_multipart *multipart, int window_s, int limit,
                               int64_t now_ms, int64_t sent, int64_t total);

#endif
