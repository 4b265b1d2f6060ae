/*
 * Record lock: at most one holder per request key, across threads and processes.
 *
 * Usage: giq_lock_acquire(), read the record again, do the work, giq_lock_release() on
 * every path.
 *
 * The lock file is never unlinked: unlinking would allow two holders. The lock ends with
 * the process that holds it, even if a forked child survives.
 *
 * The lock only saves work. A file system may have locks that exclude nobody on another
 * machine, and where it has none at all each caller acquires a lock that locks nothing:
 * what must happen once is decided by tickets (giq_ticket).
 */
#ifndef GIQ_LOCK_H
#define GIQ_LOCK_H

#include "base/giq_error.h"

struct giq_lock;

/*
 * Try once to acquire the lock of the key whose existing folder is `folder`. `access` is
 * bits of enum giq_os_access for the lock file.
 *
 * On success the caller passes `*out` to giq_lock_release(). Errors: GIQ_E_TIMEOUT (there
 * is another holder; the message names it if it is known), GIQ_E_STORE, GIQ_E_MEMORY.
 * Thread-safe. Must not be called while holding another lock: two opens that wait for
 * each other's lock would retry until their timeouts.
 */
bool giq_lock_acquire(const char *folder, unsigned access, struct giq_lock **out,
                      struct giq_error *err);

/* As giq_lock_acquire(), for the content of an upload: the lock file is at `path`, in an
 * existing folder. */
bool giq_lock_acquire_file(const char *path, unsigned access, struct giq_lock **out,
                           struct giq_error *err);

/* Whether the lock of a key has a holder, without acquiring it. True also after the
 * holder was killed, until the lock is acquired again; false if the holder is not known.
 */
bool giq_lock_is_held(const char *folder);

/* Release and free the lock; NULL is allowed. */
void giq_lock_release(struct giq_lock *lock);

#endif
