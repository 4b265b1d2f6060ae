/*
 * The progress of an open as one JSON object in a file, for programs that watch it:
 * {"phase":"download","bytes":1048576,"total":4194304,"job":"…","status":"DONE",
 * "waited_s":12,"expected_s":15}. What is not known is null.
 */
#ifndef GIQ_PROGRESS_FILE_API_H
#define GIQ_PROGRESS_FILE_API_H

#include "giq/giq.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Texts are borrowed, and NULL if not known; numbers are then -1. */
struct giq_progress_state {
    const char *phase;
    int64_t bytes; /* of a transfer so far */
    int64_t total;
    const char *job;    /* the id of the job */
    const char *status; /* as the service reported it last */
    int64_t waited_ms;  /* since the job was submitted */
    int64_t expected_ms;
};

/* Replace the file at `path`; a reader sees the old or the new object whole. Not synced.
 * Thread-safe. Errors: GIQ_E_STORE, GIQ_E_MEMORY. */
bool giq_progress_file_write(const char *path, const struct giq_progress_state *state,
                             struct giq_error *err);

#ifdef __cplusplus
}
#endif

#endif
