/*
 * What an open is doing: written to the file that GIQ_PROGRESS_FILE names, at most four
 * times a second, and at the end; and as the share that is done, for the program's
 * callback. For the thread of the session.
 */
#ifndef GIQ_ACTIVITY_H
#define GIQ_ACTIVITY_H

#include "giq/giq.h"

enum { GIQ_ACTIVITY_TEXT_SIZE = 256 };

struct giq_activity_log {
    const char *path; /* borrowed; NULL: nothing is written */
    const char *phase;
    int64_t bytes; /* -1: not known, as for the numbers below */
    int64_t total;
    char job[GIQ_ACTIVITY_TEXT_SIZE]; /* "": not known */
    char status[GIQ_ACTIVITY_TEXT_SIZE];
    int64_t submitted_ms; /* of the job, since 1970-01-01 UTC, or GIQ_TIME_NONE */
    int64_t expected_ms;
    double batch_share; /* of the requests of a batch that are done; -1: no batch */
    int64_t written_ms; /* on the monotonic clock; 0: not written so far */
    bool has_changed;   /* since it was written */
    bool has_failed;    /* the file cannot be written */
    struct giq_error failure;
};

void giq_activity_init(struct giq_activity_log *log, const char *path);

/* Set the phase to that of this activity. Writes it, as giq_activity_tick(). */
void giq_activity_begin(struct giq_activity_log *log, enum giq_activity activity);

/* Set the bytes of the current transfer; -1: nothing new is known. Ignored in other
 * phases. Writes what has changed, as giq_activity_tick(). */
void giq_activity_transferred(struct giq_activity_log *log, int64_t bytes, int64_t total);

/* Set what is known of the job; the view is not kept. */
void giq_activity_set_job(struct giq_activity_log *log, const struct giq_job_view *view);

/* Set the status to that of a batch, in words, and the share of its requests that is
 * done, from 0 to 1. */
void giq_activity_set_batch(struct giq_activity_log *log, const char *status,
                            double share);

/* The share of the open that is done, from 0 to 1: an estimate. */
double giq_activity_share(const struct giq_activity_log *log);

/* Write what has changed, if a quarter of a second has passed since the last time. */
void giq_activity_tick(struct giq_activity_log *log);

/* End the log: the open ended with this error, or GIQ_E_NONE. Writes the last state; then
 * `has_failed` and `failure` state whether the file could be written. */
void giq_activity_end(struct giq_activity_log *log, enum giq_code code);

#endif
