/*
 * Progress of a wait on stderr: on a terminal one line that is updated in place; else,
 * with PROGRESS=YES, one line at the start and then one per minute. On a terminal that
 * GDAL's progress bar uses too, one line for each of the first states and then one per
 * minute. A struct is for one open in one thread.
 */
#ifndef GIQ_PROGRESS_H
#define GIQ_PROGRESS_H

#include "options/giq_options.h"

struct giq_progress {
    bool is_terminal;
    bool is_enabled;
    bool is_shared;     /* GDAL's progress bar may be on the terminal's current line */
    int changes;        /* of the state, each printed at once; counted if is_shared */
    bool is_drawn;      /* the terminal's current line holds progress text */
    int64_t began_ms;   /* on the monotonic clock */
    int64_t printed_ms; /* when the last line was printed */
    char text[512];     /* the current state; "": none yet */
    char detail[512];   /* printed after the elapsed time, or "" */
    const char *hint;   /* how the user may end the wait, borrowed, or NULL */
};

/* Begin: the elapsed time counts from here. Prints nothing. */
void giq_progress_init(struct giq_progress *progress, enum giq_progress_mode mode);

/* State that GDAL's progress bar may be on the same terminal. */
void giq_progress_share(struct giq_progress *progress);

/* Set the current state and its detail, which are copied; a text that is too long is cut.
 * Prints the state, the elapsed time and the detail: on a terminal at once, else if it is
 * the first or a minute has passed since the last line. Prints nothing if progress is
 * off. */
void giq_progress_set(struct giq_progress *progress, const char *text,
                      const char *detail);

/* Print the current state, if any, with the elapsed time and the detail: on a terminal
 * each time, else if a minute has passed since the last line. */
void giq_progress_tick(struct giq_progress *progress);

/* Print a line of its own, whether progress is on or off. */
void giq_progress_print_line(struct giq_progress *progress, const char *text);

/* Clear the terminal's line if it holds progress text, so that other text may be printed.
 */
void giq_progress_clear(struct giq_progress *progress);

#endif
