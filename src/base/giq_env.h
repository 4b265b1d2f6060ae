/*
 * Deadlines, waiting and logging by means of the functions that a host provides (struct
 * giq_env). Thread-safe as far as the host's functions are.
 */
#ifndef GIQ_ENV_H
#define GIQ_ENV_H

#include "giq/giq.h"

/* Now in milliseconds, on the clock that also runs while the system is suspended; if the
 * host has none, on the monotonic clock. */
int64_t giq_env_boot_ms(const struct giq_env *env);

/* Milliseconds until `deadline_ms` on the monotonic clock; never below 0. */
int64_t giq_env_left_ms(const struct giq_env *env, int64_t deadline_ms);

/* Whether the host cancelled the open. */
bool giq_env_cancelled(const struct giq_env *env);

/* Fail with GIQ_E_CANCELLED if the host cancelled the open: "the open was cancelled",
 * then `when`. With NULL for `env` nobody cancels. */
bool giq_env_check_cancelled(const struct giq_env *env, const char *when,
                             struct giq_error *err);

/* Report the beginning of an activity, and bytes transferred, if the host wants them. */
void giq_env_begin(const struct giq_env *env, enum giq_activity activity);
void giq_env_transferred(const struct giq_env *env, int64_t bytes, int64_t total);

/* Sleep until `due_ms` on the monotonic clock, or until the host cancels the open. */
void giq_env_sleep_until(const struct giq_env *env, int64_t due_ms);

/* `ms` times a random factor from 0.75 to 1.25, so that many clients do not retry at the
 * same time. */
int64_t giq_env_jitter(const struct giq_env *env, int64_t ms);

/* Pass a warning or a debug message to the host. A message longer than
 * GIQ_ERROR_TEXT_SIZE + 255 bytes is cut and ends in "...". Secrets in it must be
 * masked already. */
void giq_env_warn(const struct giq_env *env, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void giq_env_debug(const struct giq_env *env, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
