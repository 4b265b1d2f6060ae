#include "store/giq_lock.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/giq_os.h"
#include "env_kit.h"

/* The errors of the next calls that lock, in turn; the later calls are real. */
static int failures[4];
static size_t failures_left;
static size_t lock_calls;
static int always_fails; /* with this error, unless it is 0 */

static bool fails_now(void)
{
    lock_calls++;
    if (always_fails != 0) {
        errno = always_fails;
        return true;
    }
    if (failures_left > 0) {
        errno = failures[GIQ_COUNT(failures) - failures_left--];
        return true;
    }
    return false;
}

UNIT_WRAPS(fcntl);
int __wrap_fcntl(int fd, int command, ...)
{
    UNIT_OPTIONAL_ARG(void *, value, command);
    return command == F_OFD_SETLK && fails_now() ? -1 : __real_fcntl(fd, command, value);
}

UNIT_WRAPS(flock);
int __wrap_flock(int fd, int operation)
{
    return fails_now() ? -1 : __real_flock(fd, operation);
}

static bool acquire(const char *folder, struct giq_lock **out, struct giq_error *err)
{
    *err = (struct giq_error){0};
    *out = NULL;
    return giq_lock_acquire(folder, GIQ_OS_PRIVATE, out, err);
}

static void test_lock_has_one_holder(void **state)
{
    struct giq_lock *first = NULL;
    struct giq_lock *second = NULL;
    struct giq_error err;
    const char *folder = *state;
    assert_false(giq_lock_is_held(folder));
    assert_true(acquire(folder, &first, &err));
    assert_true(giq_lock_is_held(folder));
    assert_false(acquire(folder, &second, &err));
    assert_int_equal(err.code, GIQ_E_TIMEOUT);
    assert_null(second);
    giq_lock_release(first);
    assert_false(giq_lock_is_held(folder));
    assert_true(acquire(folder, &second, &err));
    giq_lock_release(second);
    giq_lock_release(NULL);
}

static void test_folders_do_not_meet_and_need_to_exist(void **state)
{
    struct giq_lock *first = NULL;
    struct giq_lock *second = NULL;
    struct giq_error err;
    const char *one = *state;
    char *two = env_kit_folder();
    assert_true(acquire(one, &first, &err));
    assert_true(acquire(two, &second, &err));
    giq_lock_release(first);
    giq_lock_release(second);
    env_kit_remove(two);
    assert_true(acquire(one, &first, &err));
    assert_false(acquire("/nonexistent-giq", &second, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    giq_lock_release(first);
}

/* The child ends without releasing the lock; then the parent can acquire it. */
static void test_holder_that_dies_leaves(void **state)
{
    struct giq_lock *lock = NULL;
    struct giq_error err;
    const char *folder = *state;
    pid_t child = fork();
    if (child == 0) {
        _exit(acquire(folder, &lock, &err) ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(giq_lock_is_held(folder)); /* until it is acquired again */
    assert_true(acquire(folder, &lock, &err));
    child = fork();
    if (child == 0) {
        struct giq_lock *other = NULL;
        _exit(acquire(folder, &other, &err) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    giq_lock_release(lock);
    env_kit_expect(folder, "lock", "");
}

static void test_locking_that_is_interrupted_is_repeated(void **state)
{
    static const struct {
        int failures[4];
        enum giq_code code;
    } cases[] = {
        {{EINTR, EINTR, EINTR, EINTR}, GIQ_E_NONE},
        {{EINTR, EINVAL, EINTR, EINTR}, GIQ_E_NONE},
        {{EINTR, EPERM, EINTR, EINTR}, GIQ_E_NONE},
        {{EINTR, ENOSYS, EINTR, EINTR}, GIQ_E_NONE},
        {{EINTR, EINTR, EINTR, EAGAIN}, GIQ_E_TIMEOUT},
        {{EINTR, EINTR, EINTR, EACCES}, GIQ_E_TIMEOUT},
    };
    const char *folder = *state;
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_lock *lock = NULL;
        struct giq_error err;
        (void)memcpy(failures, cases[i].failures, sizeof failures);
        failures_left = GIQ_COUNT(failures);
        lock_calls = 0;
        bool ok = cases[i].code == GIQ_E_NONE;
        assert_int_equal(acquire(folder, &lock, &err), ok);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(failures_left, 0);
        assert_int_equal(lock_calls, ok ? 5 : 4);
        assert_int_equal(giq_lock_is_held(folder), ok);
        giq_lock_release(lock);
    }
}

/* Both acquire a lock that locks nothing, and neither is named as its holder. */
static void test_file_system_without_locks_excludes_nobody(void **state)
{
    static const int errors[] = {ENOLCK, EOPNOTSUPP, ENOSYS, EIO, EINTR, EINVAL, EPERM};
    const char *folder = *state;
    for (size_t i = 0; i < GIQ_COUNT(errors); i++) {
        struct giq_lock *first = NULL;
        struct giq_lock *second = NULL;
        struct giq_error err;
        always_fails = errors[i];
        assert_true(acquire(folder, &first, &err));
        assert_true(acquire(folder, &second, &err));
        assert_false(giq_lock_is_held(folder));
        giq_lock_release(first);
        giq_lock_release(second);
        always_fails = 0;
        assert_true(acquire(folder, &first, &err));
        assert_true(giq_lock_is_held(folder));
        always_fails = errors[i];
        assert_true(acquire(folder, &second, &err));
        giq_lock_release(second);
        assert_true(giq_lock_is_held(folder));
        always_fails = 0;
        giq_lock_release(first);
    }
}

/* Acquire the lock and fork a child that lives until `end` is closed. The child drops the
 * lock before its fork() returns; the holder may not die earlier, or the test would find
 * the lock still held. */
static void hold_and_fork(const char *folder, int end, int started_read,
                          int started_write)
{
    struct giq_lock *lock = NULL;
    struct giq_error err;
    char byte = 0;
    bool ok = acquire(folder, &lock, &err);
    if (fork() == 0) {
        ok = write(started_write, &byte, 1) == 1 && read(end, &byte, 1) == 0;
        _exit(ok ? 0 : 1);
    }
    ok = ok && read(started_read, &byte, 1) == 1;
    _exit(ok ? 0 : 1);
}

static void test_child_of_a_dead_holder_holds_nothing(void **state)
{
    struct giq_lock *lock = NULL;
    struct giq_error err;
    int end[2];
    int started[2];
    int status = -1;
    const char *folder = *state;
    assert_int_equal(pipe2(end, O_CLOEXEC), 0);
    assert_int_equal(pipe2(started, O_CLOEXEC), 0);
    pid_t holder = fork();
    if (holder == 0) {
        (void)close(end[1]);
        hold_and_fork(folder, end[0], started[0], started[1]);
    }
    assert_int_equal(waitpid(holder, &status, 0), holder);
    assert_int_equal(status, 0);
    assert_true(acquire(folder, &lock, &err));
    giq_lock_release(lock);
    (void)close(end[0]);
    (void)close(end[1]);
    (void)close(started[0]);
    (void)close(started[1]);
}

/* ... and takes nothing from one that lives. */
static void test_child_takes_no_lock_from_its_parent(void **state)
{
    struct giq_lock *lock = NULL;
    struct giq_lock *other = NULL;
    struct giq_error err;
    const char *folder = *state;
    assert_true(acquire(folder, &lock, &err));
    pid_t child = fork();
    if (child == 0) {
        giq_lock_release(lock);
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_false(acquire(folder, &other, &err));
    assert_int_equal(err.code, GIQ_E_TIMEOUT);
    giq_lock_release(lock);
    assert_true(acquire(folder, &other, &err));
    giq_lock_release(other);
}

static void test_holder_is_named(void **state)
{
    struct giq_lock *lock = NULL;
    struct giq_lock *other = NULL;
    struct giq_error err;
    char host[65] = "";
    char expected[160];
    const char *folder = *state;
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    assert_true(acquire(folder, &lock, &err));
    assert_false(acquire(folder, &other, &err));
    assert_non_null(strstr(err.text, "another thread of this program holds the lock"));
    (void)snprintf(expected, sizeof expected,
                   "the process %ld on the host %s holds the lock", (long)getpid(), host);
    pid_t child = fork();
    if (child == 0) {
        bool acquired = acquire(folder, &other, &err);
        _exit(!acquired && strstr(err.text, expected) != NULL ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    static const char *const unreadable[] = {"",        "12",      "0 host",
                                             "-3 host", "7 a/b\n", "x y"};
    for (size_t i = 0; i < GIQ_COUNT(unreadable); i++) {
        env_kit_write(folder, "lock", unreadable[i]);
        assert_false(acquire(folder, &other, &err));
        assert_non_null(strstr(err.text, "another process holds the lock"));
    }
    giq_lock_release(lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENV_KIT_TEST(test_lock_has_one_holder),
        ENV_KIT_TEST(test_folders_do_not_meet_and_need_to_exist),
        ENV_KIT_TEST(test_holder_that_dies_leaves),
        ENV_KIT_TEST(test_locking_that_is_interrupted_is_repeated),
        ENV_KIT_TEST(test_file_system_without_locks_excludes_nobody),
        ENV_KIT_TEST(test_child_of_a_dead_holder_holds_nothing),
        ENV_KIT_TEST(test_child_takes_no_lock_from_its_parent),
        ENV_KIT_TEST(test_holder_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
