/*
 * Multipart forms with libcurl's mime interface.
 */
#include "net/giq_multipart.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEND_BUFFER = 512 * 1024 }; /* bytes; libcurl's default is 64 KiB */

struct giq_multipart {
    curl_mime *mime;
    const struct giq_multipart_file *file; /* or NULL */
    struct giq_error *err;
    bool has_failed;
    int64_t window_began_ms; /* -1 before the first call that measures the speed */
    int64_t window_sent;     /* bytes sent before the window */
};

/* ---- sending ---- */

static size_t on_read(char *out, size_t size, size_t count, void *ctx)
{
    struct giq_multipart *multipart = ctx;
    size_t len = 0;
    multipart->has_failed = !multipart->file->read(multipart->file->ctx, out,
                                                   size * count, &len, multipart->err);
    return multipart->has_failed ? CURL_READFUNC_ABORT : len;
}

/* libcurl seeks only to the beginning of the file, to send the form again. */
static int on_seek(void *ctx, curl_off_t offset, int origin)
{
    struct giq_multipart *multipart = ctx;
    if (offset != 0 || origin != SEEK_SET) {
        return CURL_SEEKFUNC_FAIL;
    }
    multipart->has_failed = !multipart->file->begin(multipart->file->ctx, multipart->err);
    return multipart->has_failed ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

bool giq_multipart_is_too_slow(struct giq_multipart *multipart, int window_s, int limit,
                               int64_t now_ms, int64_t sent, int64_t total)
{
    if (multipart == NULL || multipart->file == NULL || sent >= total) {
        return false;
    }
    /* The first window begins with the first byte: before it libcurl may wait for "100
     * Continue". */
    bool has_begun = multipart->window_began_ms >= 0 && sent > 0;
    bool is_window_over = now_ms - multipart->window_began_ms >= (int64_t)window_s * 1000;
    bool is_slow = has_begun && is_window_over &&
                   sent - multipart->window_sent < (int64_t)limit * window_s;
    if (is_window_over || !has_begun) {
        multipart->window_began_ms = now_ms;
        multipart->window_sent = sent;
    }
    return is_slow;
}

bool giq_multipart_has_failed(const struct giq_multipart *multipart)
{
    return multipart != NULL && multipart->has_failed;
}

/* ---- making ---- */

static bool fill_part(struct giq_multipart *multipart, curl_mimepart *part,
                      const struct giq_multipart_field *field)
{
    const struct giq_multipart_file *file = field->file;
    if (curl_mime_name(part, field->name) != CURLE_OK) {
        return false;
    }
    if (file == NULL) {
        return curl_mime_data(part, field->value, CURL_ZERO_TERMINATED) == CURLE_OK;
    }
    multipart->file = file;
    if (!file->begin(file->ctx, multipart->err)) {
        multipart->has_failed = true;
        return false;
    }
    return curl_mime_filename(part, file->name) == CURLE_OK &&
           curl_mime_type(part, "application/octet-stream") == CURLE_OK &&
           curl_mime_data_cb(part, file->size, on_read, on_seek, NULL, multipart) ==
               CURLE_OK;
}

static bool fill_form(struct giq_multipart *multipart,
                      const struct giq_multipart_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        curl_mimepart *part = curl_mime_addpart(multipart->mime);
        if (part == NULL || !fill_part(multipart, part, &fields[i])) {
            return false;
        }
    }
    return true;
}

bool giq_multipart_new(void *curl, const struct giq_multipart_field *fields, size_t count,
                       struct giq_multipart **out, struct giq_error *err)
{
    struct giq_multipart *multipart = calloc(1, sizeof *multipart);
    if (multipart == NULL) {
        return giq_fail_memory(err);
    }
    *multipart = (struct giq_multipart){
        .mime = curl_mime_init(curl), .err = err, .window_began_ms = -1};
    if (multipart->mime == NULL || !fill_form(multipart, fields, count) ||
        curl_easy_setopt(curl, CURLOPT_MIMEPOST, multipart->mime) != CURLE_OK) {
        /* libcurl itself fails here only when out of memory. */
        if (!multipart->has_failed) {
            (void)giq_fail_memory(err);
        }
        giq_multipart_free(multipart);
        return false;
    }
    if (multipart->file != NULL) {
        /* Only for speed, so a failure is ignored. */
        (void)curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER);
    }
    *out = multipart;
    return true;
}

void giq_multipart_free(struct giq_multipart *multipart)
{
    if (multipart != NULL) {
        curl_mime_free(multipart->mime);
        free(multipart);
    }
}
