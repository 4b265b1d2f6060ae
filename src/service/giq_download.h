/*
 * Downloading the result of a job. Succeeds only if the download is proven complete.
 *
 * A download that was cut resumes where it stopped if the service proves that the body is
 * the same: If-Range with a strong ETag (RFC 9110, 13.1.5), and a 206 with that ETag, the
 * requested range and the total of the first response. Else it starts over.
 */
#ifndef GIQ_DOWNLOAD_H
#define GIQ_DOWNLOAD_H

#include "base/giq_error.h"

/* Where the bytes of a download go. */
struct giq_download_sink {
    /* Called before the first byte of a body. Called again if the download starts over,
     * or is given up because it decodes to too much: the sink must drop what it has.
     * `length` is in bytes, -1 if it is not known. */
    bool (*begin)(void *ctx, int64_t length, struct giq_error *err);
    bool (*write)(void *ctx, const char *bytes, size_t len, struct giq_error *err);
    /* Called at least once a second during a transfer, and at least once a minute in a
     * pause between two attempts. May be NULL. */
    void (*tick)(void *ctx);
    void *ctx;
};

/*
 * Download the complete result of a job. On success `*out_disposition` is the value of
 * Content-Disposition, owned by the caller, or NULL. The pauses between attempts end
 * within the time limit of the open; a transfer that keeps moving is not limited. Errors:
 * GIQ_E_NETWORK (no byte of a body was received, or a redirect was refused),
 * GIQ_E_INCOMPLETE (cut after the first byte, empty without a Content-Length of 0, of the
 * wrong length, in a content coding that was not requested, or without a proof that it is
 * complete), GIQ_E_RESULT (a Content-Length of 0, or a gzip coding that decodes to too
 * much), GIQ_E_GONE, _SERVICE, _CREDENTIALS, _CANCELLED, _MEMORY, and those of the sink.
 */
bool giq_download(struct giq_service *service, const char *job_id,
                  const struct giq_download_sink *sink, char **out_disposition,
                  struct giq_error *err);

#endif
