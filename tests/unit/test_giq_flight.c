#include "giq_flight.h"

#include "unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "env_kit.h"
#include "giq_os.h"

static bool enter(struct env_kit *kit, const char *folder, int64_t timeout_ms,
                  struct giq_flight **out, struct giq_error *err)
{
    *err = (struct giq_error){0};
    *out = NULL;
    return giq_flight_enter(&kit->env, folder, GIQ_OS_PRIVATE, timeout_ms, out, err);
}

static void test_flight_is_held_by_one(void **state)
{
    (void)state;
    struct env_kit kit;
    struct giq_flight *first = NULL;
    struct giq_flight *second = NULL;
    struct giq_error err;
    char *folder = env_kit_folder();
    env_kit_init(&kit);
    assert_true(enter(&kit, folder, 0, &first, &err));
    assert_false(enter(&kit, folder, 0, &second, &err));
    assert_int_equal(err.code, GIQ_E_TIMEOUT);
    assert_null(second);
    assert_int_equal(kit.sleeps, 0);
    giq_flight_leave(first);
    assert_true(enter(&kit, folder, 0, &second, &err));
    giq_flight_leave(second);
    giq_flight_leave(NULL);
    env_kit_remove(folder);
}

static void test_waiting_pauses_double_and_end_in_time(void **state)
{
    (void)state;
    static const int64_t pauses[] = {5, 10, 20, 40, 80, 160, 250, 250, 185};
    struct env_kit kit;
    struct giq_flight *first = NULL;
    struct giq_flight *second = NULL;
    struct giq_error err;
    char *folder = env_kit_folder();
    env_kit_init(&kit);
    assert_true(enter(&kit, folder, 0, &first, &err));
    assert_false(enter(&kit, folder, 1000, &second, &err));
    assert_int_equal(err.code, GIQ_E_TIMEOUT);
    assert_true(kit.now_ms == 1001000);
    assert_int_equal(kit.sleeps, GIQ_COUNT(pauses));
    for (size_t i = 0; i < GIQ_COUNT(pauses); i++) {
        assert_true(kit.slept_ms[i] == pauses[i]);
    }
    giq_flight_leave(first);
    env_kit_remove(folder);
}

static struct giq_flight *left_while_sleeping;

static void leave_while_sleeping(void *ctx, int64_t ms)
{
    struct env_kit *kit = ctx;
    env_kit_advance(kit, ms);
    if (++kit->sleeps == 3) {
        giq_flight_leave(left_while_sleeping);
    }
}

static void test_waiting_ends_when_the_holder_leaves(void **state)
{
    (void)state;
    struct env_kit kit;
    struct giq_flight *second = NULL;
    struct giq_error err;
    char *folder = env_kit_folder();
    env_kit_init(&kit);
    assert_true(enter(&kit, folder, 0, &left_while_sleeping, &err));
    kit.env.sleep_ms = leave_while_sleeping;
    assert_true(enter(&kit, folder, 1000, &second, &err));
    assert_int_equal(kit.sleeps, 3);
    giq_flight_leave(second);
    env_kit_remove(folder);
}

static void test_folders_do_not_meet_and_need_to_exist(void **state)
{
    (void)state;
    struct env_kit kit;
    struct giq_flight *first = NULL;
    struct giq_flight *second = NULL;
    struct giq_error err;
    char *one = env_kit_folder();
    char *two = env_kit_folder();
    env_kit_init(&kit);
    assert_true(enter(&kit, one, 0, &first, &err));
    assert_true(enter(&kit, two, 0, &second, &err));
    giq_flight_leave(first);
    giq_flight_leave(second);
    env_kit_remove(two);
    assert_false(enter(&kit, one, 0, &first, &err) &&
                 enter(&kit, "/nonexistent-giq", 0, &second, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    giq_flight_leave(first);
    env_kit_remove(one);
}

/* The child enters and ends without leaving; then the parent holds it. */
static void test_holder_that_dies_leaves(void **state)
{
    (void)state;
    struct env_kit kit;
    struct giq_flight *flight = NULL;
    struct giq_error err;
    char *folder = env_kit_folder();
    env_kit_init(&kit);
    pid_t child = fork();
    if (child == 0) {
        _exit(enter(&kit, folder, 0, &flight, &err) ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(enter(&kit, folder, 0, &flight, &err));
    child = fork();
    if (child == 0) {
        struct giq_flight *other = NULL;
        _exit(enter(&kit, folder, 0, &other, &err) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 1);
    giq_flight_leave(flight);
    char *lock = env_kit_read(folder, "lock");
    assert_string_equal(lock, "");
    free(lock);
    env_kit_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flight_is_held_by_one),
        cmocka_unit_test(test_waiting_pauses_double_and_end_in_time),
        cmocka_unit_test(test_waiting_ends_when_the_holder_leaves),
        cmocka_unit_test(test_folders_do_not_meet_and_need_to_exist),
        cmocka_unit_test(test_holder_that_dies_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
