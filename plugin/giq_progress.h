/*
 * Telling a person that a job is being waited for, on stderr: one line that
 * changes on a terminal, else (where it is wanted) a line at once and one a
 * minute. One open, one thread.
 */
#ifndef GIQ_PROGRESS_H
#define GIQ_PROGRESS_H

#include "options/giq_options.h"

struct giq_progress {
    bool is_terminal;
    bool is_told;     /* lines are wanted */
    bool is_drawn;    /* the terminal's line holds text of ours */
    int64_t began_ms; /* on the monotonic clock */
    int64_t told_ms;  /* of the last line */
    char text[256];   /* what to tell */
    const char *hint; /* how the user may end the wait, or NULL */
};

void giq_progress_init(struct giq_progress *progress, enum giq_progress_mode mode);

/* What there is to tell now; shown with the time that has passed. */
void giq_progress_report(struct giq_progress *progress, const char *text);

/* Bring the time up to date. */
void giq_progress_tick(struct giq_progress *progress);

/* Leave the terminal's line as it was before; what follows may print. */
void giq_progress_clear(struct giq_progress *progress);

#endif
