/* Acquiring and releasing record locks. */
#include "store/giq_lock.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/giq_cleanup.h"
#include "base/giq_os.h"
#include "base/giq_os_lock.h"

static const char lock_name[] = "lock";

struct giq_lock {
    struct giq_os_lock *lock;
};

static bool fail_held(const char *path, struct giq_error *err)
{
    struct giq_os_holder holder;
    /* Room for the longest, "the process <pid> on the host <host>". */
    char name[sizeof holder.host + 48] = "another process";
    if (giq_os_lock_holder(path, &holder)) {
        if (holder.is_this_process) {
            (void)snprintf(name, sizeof name, "another thread of this program");
        } else {
            (void)snprintf(name, sizeof name, "the process %ld on the host %s",
                           holder.pid, holder.host);
        }
    }
    return giq_fail(err, GIQ_E_TIMEOUT,
                    "%s holds the lock %s; open again when it has finished", name, path);
}

bool giq_lock_acquire_file(const char *path, unsigned access, struct giq_lock **out,
                           struct giq_error *err)
{
    struct giq_lock *lock = calloc(1, sizeof *lock);
    if (lock == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_os_lock_try(path, access, &lock->lock, err)) {
        free(lock);
        return false;
    }
    if (lock->lock == NULL) {
        free(lock);
        return fail_held(path, err);
    }
    *out = lock;
    return true;
}

bool giq_lock_acquire(const char *folder, unsigned access, struct giq_lock **out,
                      struct giq_error *err)
{
    GIQ_AUTO_FREE char *path = giq_os_join(folder, lock_name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    return giq_lock_acquire_file(path, access, out, err);
}

bool giq_lock_is_held(const char *folder)
{
    struct giq_os_holder holder;
    GIQ_AUTO_FREE char *path = giq_os_join(folder, lock_name);
    return path != NULL && giq_os_lock_holder(path, &holder);
}

void giq_lock_release(struct giq_lock *lock)
{
    if (lock != NULL) {
        giq_os_lock_release(lock->lock);
        free(lock);
    }
}
