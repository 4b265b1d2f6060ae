#include "giq_flight.h"

#include <stdlib.h>

#include "giq_env.h"
#include "giq_os.h"

enum { FIRST_PAUSE_MS = 5, LONGEST_PAUSE_MS = 250 };

struct giq_flight {
    struct giq_os_lock *lock;
};

/* Try until `deadline_ms`; `*out` stays NULL where another holds the lock. */
static bool wait_for_lock(const struct giq_env *env, const char *path, unsigned access,
                          int64_t deadline_ms, struct giq_os_lock **out,
                          struct giq_error *err)
{
    int64_t pause_ms = FIRST_PAUSE_MS;
    for (;;) {
        if (!giq_os_lock_try(path, access, out, err)) {
            return false;
        }
        int64_t left_ms = giq_env_left_ms(env, deadline_ms);
        if (*out != NULL || left_ms == 0) {
            return true;
        }
        env->sleep_ms(env->ctx, pause_ms < left_ms ? pause_ms : left_ms);
        pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
    }
}

bool giq_flight_enter_at(const struct giq_env *env, const char *path, unsigned access,
                         int64_t timeout_ms, struct giq_flight **out,
                         struct giq_error *err)
{
    struct giq_flight *flight = calloc(1, sizeof *flight);
    bool ok = false;
    if (flight == NULL) {
        (void)giq_fail_memory(err);
    } else if (wait_for_lock(env, path, access, env->now_ms(env->ctx) + timeout_ms,
                             &flight->lock, err)) {
        ok = flight->lock != NULL ||
             giq_fail(err, GIQ_E_TIMEOUT,
                      "another process holds the lock of this request, %s; opening again "
                      "goes on when it is done",
                      path);
    }
    if (!ok) {
        free(flight);
        return false;
    }
    *out = flight;
    return true;
}

bool giq_flight_enter(const struct giq_env *env, const char *folder, unsigned access,
                      int64_t timeout_ms, struct giq_flight **out, struct giq_error *err)
{
    char *path = giq_os_join(folder, "lock");
    bool ok = path == NULL ? giq_fail_memory(err)
                           : giq_flight_enter_at(env, path, access, timeout_ms, out, err);
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
