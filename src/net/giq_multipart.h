/*
 * Multipart forms as libcurl sends them. A file of a form is read while it goes out, in
 * pieces. Beside giq_http, giq_net and giq_address the only user of libcurl. Thread-safe
 * for different handles.
 */
#ifndef GIQ_MULTIPART_H
#define GIQ_MULTIPART_H

#include "base/giq_error.h"

/* A file of a form. */
struct giq_multipart_file {
    const char *name; /* what the service is to call it */
    int64_t size;
    /* Go to the first byte. Called each time before the file is sent. */
    bool (*begin)(void *ctx, struct giq_error *err);
    /* Read up to `max` of the bytes that are left of `size`, at least one. */
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
 * Make a form on the easy handle `curl`, which sends it as a POST. The fields are
 * borrowed for the form's life, and so is `err`, for what goes wrong while it is sent.
 * The form must be freed after the exchange. Errors: those of `begin`; GIQ_E_MEMORY.
 */
bool giq_multipart_new(void *curl, const struct giq_multipart_field *fields, size_t count,
                       struct giq_multipart **out, struct giq_error *err);
void giq_multipart_free(struct giq_multipart *multipart); /* NULL is allowed */

/* Whether reading the file ended the exchange: `err` is set. NULL is allowed. */
bool giq_multipart_has_failed(const struct giq_multipart *multipart);

/*
 * Whether a file goes out at less than `limit` bytes a second, over windows of
 * `window_s` seconds from its first byte. `now_ms` is the monotonic clock; `sent` of
 * `total` bytes are out. Once all are, the service may think as long as it likes:
 * libcurl's own limit would go on. False for a form without a file, and for NULL.
 */
bool giq_multipart_is_too_slow(struct giq_multipart *multipart, int window_s, int limit,
                               int64_t now_ms, int64_t sent, int64_t total);

#endif
