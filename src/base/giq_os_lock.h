/*
 * Exclusive locks on files that are never unlinked. They exclude threads as well as
 * processes, and are released when the holding process exits: open-file-description
 * locks, or flock() where the system has none. Children of the holder do not inherit
 * them.
 *
 * Locks only save work: on a file system without locks each caller gets one that locks
 * nothing, and on some file systems locks exclude no other host. Nothing that must happen
 * once may depend on a lock.
 *
 * Thread-safe.
 */
#ifndef GIQ_OS_LOCK_H
#define GIQ_OS_LOCK_H

#include "base/giq_error.h"
#include "base/giq_os.h"

struct giq_os_lock;

/* Try once to acquire the lock, whose file is created if it is missing. Returns true with
 * `*out` NULL if another holder exists; otherwise the caller passes `*out` to
 * giq_os_lock_release(). Errors: GIQ_E_STORE (the file cannot be opened), GIQ_E_MEMORY.
 */
bool giq_os_lock_try(const char *path, unsigned access, struct giq_os_lock **out,
                     struct giq_error *err);
/* NULL is allowed. */
void giq_os_lock_release(struct giq_os_lock *lock);

/* The holder of a lock, as it recorded itself in the lock file. */
struct giq_os_holder {
    long pid;
    char host[GIQ_OS_HOST_SIZE];
    bool is_this_process;
};

/* False if the holder is not known. */
bool giq_os_lock_holder(const char *path, struct giq_os_holder *out);

#endif
