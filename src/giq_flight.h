/*
 * Single flight across threads and processes: at most one caller per key does
 * the work, the others come again for its result.
 *
 * Calling sequence: giq_flight_enter(), look at the record again, work,
 * giq_flight_leave(). Leaving is required on every path.
 *
 * The lock file is never unlinked: unlinking would let two holders coexist. A
 * holder that dies leaves at once, also where a child that it forked lives on.
 */
#ifndef GIQ_FLIGHT_H
#define GIQ_FLIGHT_H

#include "giq_error.h"

struct giq_flight;

/*
 * Try once to enter the flight of the key whose existing folder is `folder`. `access`
 * is an enum giq_os_access.
 *
 * On success the caller owns `*out` and must pass it to giq_flight_leave(). On
 * failure `*out` is untouched and `err` holds GIQ_E_TIMEOUT (held elsewhere),
 * GIQ_E_STORE (a file system without locks, too) or GIQ_E_MEMORY.
 * Thread-safe; must not be called while holding another flight.
 */
bool giq_flight_enter(const char *folder, unsigned access, struct giq_flight **out,
                      struct giq_error *err);

/* The same for what is not a request: the lock is the file `path`. */
bool giq_flight_enter_at(const char *path, unsigned access, struct giq_flight **out,
                         struct giq_error *err);

/* NULL is allowed. */
void giq_flight_leave(struct giq_flight *flight);

#endif
