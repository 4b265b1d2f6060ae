/*
 * Ctrl-C in programs that handle SIGINT themselves (Python, R): while an open waits in
 * the main thread, the signal ends the wait, after the program's own handler has run.
 *
 * Usage: giq_interrupt_begin(), check giq_interrupt_received() while waiting,
 * giq_interrupt_end() on every path. Waits may be nested.
 *
 * No handler is installed if SIGINT has its default action or is ignored, or in other
 * threads than the main one. The end of the last wait restores the program's handler.
 */
#ifndef GIQ_INTERRUPT_H
#define GIQ_INTERRUPT_H

#include <stdbool.h>

/* One wait; start from `{0}`. */
struct giq_interrupt {
    bool is_armed;
    int before; /* count of signals when the wait began */
};

/* Begin a wait; does nothing if it has begun. Returns whether Ctrl-C ends it, or the
 * whole program. */
bool giq_interrupt_begin(struct giq_interrupt *wait);

/* Whether SIGINT was received since the wait began. */
bool giq_interrupt_received(const struct giq_interrupt *wait);

/* End a wait; does nothing if it has not begun. */
void giq_interrupt_end(struct giq_interrupt *wait);

#endif
