#include "giq_flight.h"

#include <stdlib.h>

#include "giq_os.h"

struct giq_flight {
    struct giq_os_lock *lock;
};

bool giq_flight_enter_at(const char *path, unsigned access, struct giq_flight **out,
                         struct giq_error *err)
{
    struct giq_flight *flight = calloc(1, sizeof *flight);
    if (flight == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_os_lock_try(path, access, &flight->lock, err)) {
        free(flight);
        return false;
    }
    if (flight->lock == NULL) {
        free(flight);
        return giq_fail(
            err, GIQ_E_TIMEOUT,
            "another process holds the lock %s; opening again goes on when it "
            "is done",
            path);
    }
    *out = flight;
    return true;
}

bool giq_flight_enter(const char *folder, unsigned access, struct giq_flight **out,
                      struct giq_error *err)
{
    char *path = giq_os_join(folder, "lock");
    bool ok =
        path == NULL ? giq_fail_memory(err) : giq_flight_enter_at(path, access, out, err);
    free(path);
    return ok;
}

void giq_flight_leave(struct giq_flight *flight)
{
    if (flight != NULL) {
        giq_os_lock_release(flight->lock);
        free(flight);
    }
}
