/*
 * Single lock across threads and processes: at most one caller per key does
 * the work, the others come again for its result.
 *
 * Calling sequence: giq_lock_acquire(), look at the record again, work,
 * giq_lock_release(). Leaving is required on every path.
 *
 * The lock file is never unlinked: unlinking would let two holders coexist. A
 * holder that dies leaves at once, also where a child that it forked lives on.
 */
#ifndef GIQ_LOCK_H
#define GIQ_LOCK_H

#include "base/giq_error.h"

struct giq_lock;

/*
 * Try once to enter the lock of the key whose existing folder is `folder`. `access`
 * is an enum giq_os_access.
 *
 * On success the caller owns `*out` and must pass it to giq_lock_release(). On
 * failure `*out` is untouched and `err` holds GIQ_E_TIMEOUT (held elsewhere),
 * GIQ_E_STORE (a file system without locks, too) or GIQ_E_MEMORY.
 * Thread-safe; must not be called while holding another lock.
 */
bool giq_lock_acquire(const char *folder, unsigned access, struct giq_lock **out,
                      struct giq_error *err);

/* The same for what is not a request: the lock is the file `path`. */
bool giq_lock_acquire_file(const char *path, unsigned access, struct giq_lock **out,
                           struct giq_error *err);

/* NULL is allowed. */
void giq_lock_release(struct giq_lock *lock);

#endif
