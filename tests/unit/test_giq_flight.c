#include "giq_flight.h"

#include "unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "env_kit.h"
#include "giq_os.h"

static bool enter(const char *folder, struct giq_flight **out, struct giq_error *err)
{
    *err = (struct giq_error){0};
    *out = NULL;
    return giq_flight_enter(folder, GIQ_OS_PRIVATE, out, err);
}

static void test_flight_is_held_by_one(void **state)
{
    (void)state;
    struct giq_flight *first = NULL;
    struct giq_flight *second = NULL;
    struct giq_error err;
    char *folder = env_kit_folder();
    assert_true(enter(folder, &first, &err));
    assert_false(enter(folder, &second, &err));
    assert_int_equal(err.code, GIQ_E_TIMEOUT);
    assert_null(second);
    giq_flight_leave(first);
    assert_true(enter(folder, &second, &err));
    giq_flight_leave(second);
    giq_flight_leave(NULL);
    env_kit_remove(folder);
}

static void test_folders_do_not_meet_and_need_to_exist(void **state)
{
    (void)state;
    struct giq_flight *first = NULL;
    struct giq_flight *second = NULL;
    struct giq_error err;
    char *one = env_kit_folder();
    char *two = env_kit_folder();
    assert_true(enter(one, &first, &err));
    assert_true(enter(two, &second, &err));
    giq_flight_leave(first);
    giq_flight_leave(second);
    env_kit_remove(two);
    assert_false(enter(one, &first, &err) && enter("/nonexistent-giq", &second, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    giq_flight_leave(first);
    env_kit_remove(one);
}

/* The child enters and ends without leaving; then the parent holds it. */
static void test_holder_that_dies_leaves(void **state)
{
    (void)state;
    struct giq_flight *flight = NULL;
    struct giq_error err;
    char *folder = env_kit_folder();
    pid_t child = fork();
    if (child == 0) {
        _exit(enter(folder, &flight, &err) ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(enter(folder, &flight, &err));
    child = fork();
    if (child == 0) {
        struct giq_flight *other = NULL;
        _exit(enter(folder, &other, &err) ? 0 : 1);
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
        cmocka_unit_test(test_folders_do_not_meet_and_need_to_exist),
        cmocka_unit_test(test_holder_that_dies_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
