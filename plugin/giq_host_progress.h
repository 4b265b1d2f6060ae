/*
 * The progress callback of a program that runs a command (GDAL 3.11 and later): it gets
 * the share that is done, and cancels the open by returning false.
 *
 * The callback is called in the thread that called giq_host_progress_init() only, at most
 * twenty times a second, and not again once it has cancelled.
 */
#ifndef GIQ_HOST_PROGRESS_H
#define GIQ_HOST_PROGRESS_H

#include <cpl_progress.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Start from `{0}`: there is no callback, and nothing is cancelled. Must not be moved. */
struct giq_host_progress {
    GDALProgressFunc function;
    void *data;
    GIntBig thread;    /* that may call it */
    double share;      /* the largest that was reported */
    int64_t called_ms; /* on the monotonic clock */
    atomic_bool is_cancelled;
};

/* `data` is borrowed; `function` may be NULL. */
void giq_host_progress_init(struct giq_host_progress *host, GDALProgressFunc function,
                            void *data);

/* Whether the callback may be called now, in this thread. */
bool giq_host_progress_is_due(const struct giq_host_progress *host);

/* Call the callback, which is due, with the share from 0 to 1, which never decreases, and
 * a text. */
void giq_host_progress_call(struct giq_host_progress *host, double share,
                            const char *text);

/* Whether the callback has cancelled. May be called in any thread. */
bool giq_host_progress_is_cancelled(const struct giq_host_progress *host);

#endif
