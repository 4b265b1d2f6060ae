/* Waiting and logging by the functions of a host, and giq_env_system: a host without
 * cancelling and logging. */
#include "base/giq_env.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/giq_os.h"

/* Room for the text of an error, and some words before it. */
enum { LINE_SIZE = GIQ_ERROR_TEXT_SIZE + 256 };

bool giq_env_is_terminal(void)
{
    return giq_os_is_terminal();
}

int64_t giq_env_boot_ms(const struct giq_env *env)
{
    return env->boot_ms == NULL ? env->now_ms(env->ctx) : env->boot_ms(env->ctx);
}

int64_t giq_env_left_ms(const struct giq_env *env, int64_t deadline_ms)
{
    int64_t now = env->now_ms(env->ctx);
    return deadline_ms > now ? deadline_ms - now : 0;
}

bool giq_env_cancelled(const struct giq_env *env)
{
    return env->cancelled(env->ctx);
}

bool giq_env_check_cancelled(const struct giq_env *env, const char *when,
                             struct giq_error *err)
{
    return env == NULL || !giq_env_cancelled(env) ||
           giq_fail(err, GIQ_E_CANCELLED, "the open was cancelled%s", when);
}

void giq_env_begin(const struct giq_env *env, enum giq_activity activity)
{
    if (env->begin != NULL) {
        env->begin(env->ctx, activity);
    }
}

void giq_env_transferred(const struct giq_env *env, int64_t bytes, int64_t total)
{
    if (env->transferred != NULL) {
        env->transferred(env->ctx, bytes, total);
    }
}

void giq_env_sleep_until(const struct giq_env *env, int64_t due_ms)
{
    while (!giq_env_cancelled(env)) {
        int64_t left_ms = giq_env_left_ms(env, due_ms);
        if (left_ms == 0) {
            break;
        }
        env->sleep_ms(env->ctx, left_ms);
    }
}

int64_t giq_env_jitter(const struct giq_env *env, int64_t ms)
{
    enum { STEPS = 1024 };
    int64_t step = env->random(env->ctx) % (STEPS + 1);
    /* Three quarters of `ms`, and up to half of `ms` more. */
    return ms * 3 / 4 + ms * step / STEPS / 2;
}

/* Print a line. A line that is too long is cut between characters and ends in "...". */
static void format_line(char out[LINE_SIZE], const char *fmt, va_list args)
{
    static const char dots[] = "...";
    if (vsnprintf(out, LINE_SIZE, fmt, args) >= LINE_SIZE) {
        (void)memcpy(out + giq_text_cut_len(out, LINE_SIZE - (int)sizeof dots), dots,
                     sizeof dots);
    }
}

void giq_env_warn(const struct giq_env *env, const char *fmt, ...)
{
    char line[LINE_SIZE];
    va_list args;
    va_start(args, fmt);
    format_line(line, fmt, args);
    va_end(args);
    env->warn(env->ctx, line);
}

void giq_env_debug(const struct giq_env *env, const char *fmt, ...)
{
    char line[LINE_SIZE];
    va_list args;
    va_start(args, fmt);
    format_line(line, fmt, args);
    va_end(args);
    env->debug(env->ctx, line);
}

static int64_t system_now(void *ctx)
{
    (void)ctx;
    return giq_os_now_ms();
}

static int64_t system_boot(void *ctx)
{
    (void)ctx;
    return giq_os_boot_ms();
}

static int64_t system_wall(void *ctx)
{
    (void)ctx;
    return giq_os_wall_ms();
}

static void system_sleep(void *ctx, int64_t ms)
{
    (void)ctx;
    giq_os_sleep_ms(ms);
}

static bool never(void *ctx)
{
    (void)ctx;
    return false;
}

static uint32_t system_random(void *ctx)
{
    (void)ctx;
    return giq_os_random();
}

static void ignore_text(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
}

const struct giq_env giq_env_system = {
    .now_ms = system_now,
    .boot_ms = system_boot,
    .wall_ms = system_wall,
    .sleep_ms = system_sleep,
    .cancelled = never,
    .random = system_random,
    .warn = ignore_text,
    .debug = ignore_text,
};
