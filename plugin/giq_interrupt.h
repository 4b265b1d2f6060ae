/*
 * Ctrl-C in programs that handle SIGINT themselves (Python, R): while an open waits in
 * the main thread, the signal ends the wait, after the program's own handler has run.
 *
 * Usage: giq_interrupt_begin(), ask giq_interrupt_received() while waiting,
 * giq_interrupt_end() on every path. Waits may be nested.
 *
 * Nothing is changed where SIGINT has its default action or is ignored, and in other
 * threads. After the last wait the program has its own handler again.
 */
#ifndef GIQ_INTERRUPT_H
#define GIQ_INTERRUPT_H

#include <stdbool.h>

/* One wait; start from `{0}`. */
struct giq_interrupt {
    bool is_armed;
    int before; /* signals that had come when the wait began */
};

/* Begin a wait; nothing happens where it has begun. Returns whether Ctrl-C ends it, or
 * the whole program. */
bool giq_interrupt_begin(struct giq_interrupt *wait);

/* Whether SIGINT came since the wait began. */
bool giq_interrupt_received(const struct giq_interrupt *wait);

/* End a wait; nothing happens where none has begun. */
void giq_interrupt_end(struct giq_interrupt *wait);

#endif
