#include "base/giq_env.h"

#include "unit.h"

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
    giq_env_debug(&kit.env, "%700s", "b");
    assert_int_equal(strlen(kit.noted), 511);
    assert_int_equal(kit.warnings, 1);
}

static void test_system_clocks_run(void **state)
{
    (void)state;
    const struct giq_env *env = &giq_env_system;
    int64_t before = env->now_ms(env->ctx);
    env->sleep_ms(env->ctx, 1);
    assert_true(env->now_ms(env->ctx) >= before);
    assert_true(env->wall_ms(env->ctx) > INT64_C(1700000000000));
    env->warn(env->ctx, "nobody hears this");
    env->debug(env->ctx, "nor this");
    (void)env->random(env->ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_left_is_never_negative),
        cmocka_unit_test(test_jitter_is_a_quarter_either_way),
        cmocka_unit_test(test_sleep_until_goes_on_after_waking_early),
        cmocka_unit_test(test_lines_are_formatted_and_cut),
        cmocka_unit_test(test_system_clocks_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
