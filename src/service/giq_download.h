/*
 * Downloading the result of a job: whole and proved so, or an error.
 *
 * A body that broke off goes on where it stopped when the service proves that it is
 * the same (If-Range with a strong ETag, RFC 9110, 13.1.5; 206 with that ETag, the range
 * that was asked for and the total of the first response), else it starts over.
 */
#ifndef GIQ_DOWNLOAD_H
#define GIQ_DOWNLOAD_H

#include "base/giq_error.h"

/* Where a download goes. */
struct giq_download_sink {
    /* A body begins, from its first byte, perhaps again; `length` is -1 where it is
     * not told. */
    bool (*begin)(void *ctx, int64_t length, struct giq_error *err);
    bool (*write)(void *ctx, const char *bytes, size_t len, struct giq_error *err);
    void *ctx;
};

/*
 * Fetch the result of a job whole. On success `*out_disposition` is the value of
 * Content-Disposition or NULL, the caller's. Waits between tries within the open's
 * time; a transfer that goes on moving is not a wait. Errors: GIQ_E_NETWORK where no byte
 * came, GIQ_E_INCOMPLETE where a try was cut later, GIQ_E_RESULT (a gzip coding that
 * unpacks to too much), GIQ_E_GONE, _SERVICE, _CREDENTIALS, and those of the sink.
 */
bool giq_download(struct giq_service *service, const char *job_id,
                  const struct giq_download_sink *sink, char **out_disposition,
                  struct giq_error *err);

#endif
