#include "base/giq_env.h"

#include "unit.h"

#include <time.h>
#include <unistd.h>

#include "env_kit.h"

static void test_time_left_is_never_negative(void **state)
{
    (void)state;
    static const struct {
        int64_t after, left;
    } cases[] = {{500, 500}, {1, 1}, {0, 0}, {-1, 0}, {-500, 0}};
    struct env_kit kit;
    env_kit_init(&kit);
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        int64_t deadline = kit.now_ms + cases[i].after;
        assert_true(giq_env_left_ms(&kit.env, deadline) == cases[i].left);
    }
}

static void test_jitter_is_a_quarter_either_way(void **state)
{
    (void)state;
    static const struct {
        uint32_t random;
        int64_t ms, jittered;
    } cases[] = {
        {0, 1000, 750},     {512, 1000, 1000},  {1024, 1000, 1250}, {1025, 1000, 750},
        {UINT32_MAX, 0, 0}, {1024, 4000, 5000}, {256, 1000, 875},
    };
    struct env_kit kit;
    env_kit_init(&kit);
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        kit.random = cases[i].random;
        assert_true(giq_env_jitter(&kit.env, cases[i].ms) == cases[i].jittered);
    }
}

/* A sleep that wakes after a third of its time, at least a millisecond. */
static void wake_early(void *ctx, int64_t ms)
{
    struct env_kit *kit = ctx;
    kit->sleeps++;
    env_kit_advance(kit, ms / 3 > 0 ? ms / 3 : 1);
}

static void test_sleep_until_goes_on_after_waking_early(void **state)
{
    (void)state;
    struct env_kit kit;
    env_kit_init(&kit);
    kit.env.sleep_ms = wake_early;
    giq_env_sleep_until(&kit.env, 1000100);
    assert_true(kit.now_ms == 1000100);
    assert_true(kit.sleeps > 1);
    kit.sleeps = 0;
    giq_env_sleep_until(&kit.env, 1000100);
    assert_int_equal(kit.sleeps, 0);
}

static void test_lines_are_formatted_and_cut(void **state)
{
    (void)state;
    struct env_kit kit;
    env_kit_init(&kit);
    giq_env_warn(&kit.env, "%s %d", "a", 1);
    assert_string_equal(kit.warned, "a 1");
    giq_env_debug(&kit.env, "%2300s", "b");
    assert_int_equal(strlen(kit.noted), GIQ_ERROR_TEXT_SIZE + 255);
    assert_int_equal(kit.warnings, 1);
    char text[3001] = "x";
    for (size_t i = 1; i + 2 < sizeof text; i += 2) {
        (void)memcpy(text + i, "\u00e9", 3);
    }
    for (size_t skipped = 0; skipped < 2; skipped++) {
        giq_env_debug(&kit.env, "%s", text + skipped);
        assert_string_equal(kit.noted + strlen(kit.noted) - 5, "\u00e9...");
    }
}

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    assert_int_equal(clock_gettime(clock, &now), 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void test_system_clocks_are_those_of_the_system(void **state)
{
    (void)state;
    const struct giq_env *env = &giq_env_system;
    int64_t before = clock_ms(CLOCK_MONOTONIC);
    int64_t now = env->now_ms(env->ctx);
    assert_true(before <= now && now <= clock_ms(CLOCK_MONOTONIC));
    before = clock_ms(CLOCK_BOOTTIME);
    now = giq_env_boot_ms(env);
    assert_true(before <= now && now <= clock_ms(CLOCK_BOOTTIME));
    before = clock_ms(CLOCK_REALTIME);
    now = env->wall_ms(env->ctx);
    assert_true(before <= now && now <= clock_ms(CLOCK_REALTIME));
}

static void test_host_without_a_boot_clock_has_the_monotonic_one(void **state)
{
    (void)state;
    struct env_kit kit;
    env_kit_init(&kit);
    kit.suspended_ms = 5000;
    assert_true(giq_env_boot_ms(&kit.env) == kit.now_ms + 5000);
    kit.env.boot_ms = NULL;
    assert_true(giq_env_boot_ms(&kit.env) == kit.now_ms);
}

static void test_system_sleep_is_not_shorter_than_asked(void **state)
{
    (void)state;
    const struct giq_env *env = &giq_env_system;
    int64_t due = clock_ms(CLOCK_MONOTONIC) + 20;
    env->sleep_ms(env->ctx, 20);
    assert_true(clock_ms(CLOCK_MONOTONIC) >= due);
}

/* Of 32 numbers, two or more differ but for one case in 2^992. */
static void test_system_random_numbers_differ(void **state)
{
    (void)state;
    const struct giq_env *env = &giq_env_system;
    uint32_t first = env->random(env->ctx);
    bool differs = false;
    for (int i = 1; i < 32; i++) {
        differs |= env->random(env->ctx) != first;
    }
    assert_true(differs);
}

static void test_system_prints_no_lines(void **state)
{
    (void)state;
    const struct giq_env *env = &giq_env_system;
    FILE *file = tmpfile();
    assert_non_null(file);
    int saved = dup(STDERR_FILENO);
    assert_int_equal(dup2(fileno(file), STDERR_FILENO), STDERR_FILENO);
    env->warn(env->ctx, "a warning");
    env->debug(env->ctx, "a line for debugging");
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(lseek(fileno(file), 0, SEEK_END), 0);
    (void)close(saved);
    (void)fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_left_is_never_negative),
        cmocka_unit_test(test_jitter_is_a_quarter_either_way),
        cmocka_unit_test(test_sleep_until_goes_on_after_waking_early),
        cmocka_unit_test(test_lines_are_formatted_and_cut),
        cmocka_unit_test(test_system_clocks_are_those_of_the_system),
        cmocka_unit_test(test_host_without_a_boot_clock_has_the_monotonic_one),
        cmocka_unit_test(test_system_sleep_is_not_shorter_than_asked),
        cmocka_unit_test(test_system_random_numbers_differ),
        cmocka_unit_test(test_system_prints_no_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
