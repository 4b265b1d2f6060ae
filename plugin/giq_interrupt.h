/*
 * Ctrl-C in programs that handle SIGINT themselves (Python, R): while an open waits in
 * the main thread, the signal ends the wait, after the program's own handler has run.
 *
 * Usage: giq_interrupt_begin(), check giq_interrupt_received() while waiting,
 * giq_interrupt_end() on every path. Waits may be nested.
 *
 * No handler is installed if SIGINT has its default action or is ignored, or in other
 * threads than the main one. The end of the last wait restores the program's handler.
 *
 * This is the only signal handler of the driver. Without it an open in Python or R could
 * not be interrupted: their handlers only set a flag, which nothing reads during an open.
 *
 * Thread-safe; one struct is for one thread.
 */
#ifndef GIQ_INTERRUPT_H
#define GIQ_INTERRUPT_H

#include <stdbool.h>

/* One wait; start from `{0}`. */
struct giq_interrupt {
    bool is_armed;
    int signals_before; /* count of signals when the wait began */
};

/* Begin a wait; does nothing if it has begun. Returns true if Ctrl-C will end the wait,
 * or with the default action the program. */
bool giq_interrupt_begin(struct giq_interrupt *wait);

/* Whether SIGINT was received since the wait began. */
bool giq_interrupt_received(const struct giq_interrupt *wait);

/* End a wait; does nothing if it has not begun. */
void giq_interrupt_end(struct giq_interrupt *wait);

#endif
