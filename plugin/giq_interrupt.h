/*
 * Ctrl-C in programs that handle SIGINT themselves (Python, R): while an open waits in
 * the main thread, the signal ends the wait, after the program's own handler has run.
 *
 * Usage: giq_interrupt_begin(), check giq_interrupt_received() while waiting,
 * giq_interrupt_end() on every path. Waits may be nested.
 *
 * No handler is installed if SIGINT has its default action or is ignored, nor in threads
 * other than the main one. The end of the last wait restores the program's handler.
 *
 * This is the only signal handler of the driver. Without it an open in Python or R could
 * not be interrupted: their handlers only set a flag, which nothing reads during an open.
 *
 * Thread-safe. A wait must begin and end in the same thread.
 */
#ifndef GIQ_INTERRUPT_H
#define GIQ_INTERRUPT_H

#include <stdbool.h>

/* One wait; start from `{0}`. */
struct giq_interrupt {
    bool is_armed;      /* the wait has begun, and Ctrl-C ends it */
    int signals_before; /* count of signals when the wait began */
};

/* Begin a wait, unless it has begun. Returns true if Ctrl-C will end the wait or, if
 * SIGINT has its default action, the program. */
bool giq_interrupt_begin(struct giq_interrupt *wait);

/* Whether SIGINT was received since the wait began; false if Ctrl-C does not end the
 * wait. */
bool giq_interrupt_received(const struct giq_interrupt *wait);

/* End a wait, if it has begun. */
void giq_interrupt_end(struct giq_interrupt *wait);

#endif
