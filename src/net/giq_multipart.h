/*
 * Multipart forms of a POST. A file of a form is read in pieces while it is sent.
 * Thread-safe for different handles.
 */
#ifndef GIQ_MULTIPART_H
#define GIQ_MULTIPART_H

#include "base/giq_error.h"

/* A file of a form. */
struct giq_multipart_file {
    const char *name; /* as the service gets it */
    int64_t size;
    /* Go to the first byte. Called each time the file is about to be sent. */
    bool (*begin)(void *ctx, struct giq_error *err);
    /* Read at least one and at most `max` of the remaining bytes. */
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

/* Whether reading the file failed, which ended the exchange and set `err`. NULL is
 * allowed. */
bool giq_multipart_has_failed(const struct giq_multipart *multipart);

/*
 * Whether a file is sent at less than `limit` bytes a second, over windows of `window_s`
 * seconds from its first byte. `now_ms` is the monotonic clock; `sent` of `total` bytes
 * are sent. The wait for the response, when all are, does not count, as it would with
 * libcurl's own limit. False for a form without a file, and for NULL.
 */
bool giq_multipart_is_too_slow(struct giq_multipart *multipart, int window_s, int limit,
                               int64_t now_ms, int64_t sent, int64_t total);

#endif
