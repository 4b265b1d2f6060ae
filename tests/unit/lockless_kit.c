/* Record locks that are always free and lock nothing, for tests of what must hold where
 * locks do not work. The linker puts them in place of the real ones (--wrap). */
#include "unit.h"

#include "store/giq_lock.h"

UNIT_WRAPS(giq_lock_acquire);
UNIT_WRAPS(giq_lock_release);

bool __wrap_giq_lock_acquire(const char *folder, unsigned access, struct giq_lock **out,
                             struct giq_error *err)
{
    static int nothing;
    (void)folder;
    (void)access;
    (void)err;
    *out = (struct giq_lock *)(void *)&nothing;
    return true;
}

void __wrap_giq_lock_release(struct giq_lock *lock)
{
    (void)lock;
}
