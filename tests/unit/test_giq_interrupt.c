/* Ctrl-C during waits, in programs with handlers of every kind. */
#include "giq_interrupt.h"

#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RESTORER = 0x04000000 }; /* a flag that only the C library sets */

static int plain_calls;
static int detailed_calls;

static void plain(int number)
{
    assert_int_equal(number, SIGINT);
    plain_calls++;
}

static void detailed(int number, siginfo_t *info, void *context)
{
    assert_int_equal(number, SIGINT);
    assert_int_equal(info->si_signo, SIGINT);
    assert_non_null(context);
    detailed_calls++;
}

/* As old programs do: the handler sets itself again. */
static void again(int number)
{
    plain_calls++;
    (void)signal(number, again);
}

/* Handlers that call the one that stood there before them. */
static struct sigaction before[2];
static int chained_calls[2];

static void call_before(int at, int number, siginfo_t *info, void *context)
{
    chained_calls[at]++;
    if (before[at].sa_flags & SA_SIGINFO) {
        before[at].sa_sigaction(number, info, context);
    } else {
        before[at].sa_handler(number);
    }
}

static void chained(int number, siginfo_t *info, void *context)
{
    call_before(0, number, info, context);
}

static void chained_too(int number, siginfo_t *info, void *context)
{
    call_before(1, number, info, context);
}

static struct sigaction current(void)
{
    struct sigaction now;
    assert_int_equal(sigaction(SIGINT, NULL, &now), 0);
    return now;
}

static void set(const struct sigaction *action)
{
    assert_int_equal(sigaction(SIGINT, action, NULL), 0);
    plain_calls = detailed_calls = 0;
}

static void assert_is(const struct sigaction *action)
{
    struct sigaction now = current();
    assert_true(now.sa_sigaction == action->sa_sigaction);
    assert_int_equal(now.sa_flags & ~RESTORER, action->sa_flags & ~RESTORER);
    /* ThreadSanitizer changes the mask of SIG_DFL and SIG_IGN, which is never used. */
    if (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN) {
        assert_int_equal(sigismember(&now.sa_mask, SIGUSR1),
                         sigismember(&action->sa_mask, SIGUSR1));
    }
}

static void test_programs_handler_runs_and_comes_back(void **state)
{
    (void)state;
    struct sigaction cases[] = {
        {.sa_handler = plain},
        {.sa_handler = plain, .sa_flags = SA_RESTART},
        {.sa_sigaction = detailed, .sa_flags = SA_SIGINFO | SA_ONSTACK},
        {.sa_handler = plain, .sa_flags = SA_NODEFER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct giq_interrupt wait = {0};
        (void)sigemptyset(&cases[i].sa_mask);
        (void)sigaddset(&cases[i].sa_mask, SIGUSR1);
        set(&cases[i]);
        assert_true(giq_interrupt_begin(&wait));
        assert_true(giq_interrupt_begin(&wait));
        assert_false(giq_interrupt_received(&wait));
        assert_int_equal(raise(SIGINT), 0);
        assert_true(giq_interrupt_received(&wait));
        assert_int_equal(plain_calls + detailed_calls, 1);
        giq_interrupt_end(&wait);
        giq_interrupt_end(&wait);
        assert_is(&cases[i]);
        assert_false(giq_interrupt_received(&wait));
    }
}

static void test_default_and_ignored_signals_are_left_alone(void **state)
{
    (void)state;
    const struct sigaction ignored = {.sa_handler = SIG_IGN};
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    struct giq_interrupt wait = {0};
    set(&ignored);
    assert_false(giq_interrupt_begin(&wait));
    assert_is(&ignored);
    assert_int_equal(raise(SIGINT), 0);
    assert_false(giq_interrupt_received(&wait));
    set(&usual);
    assert_true(giq_interrupt_begin(&wait));
    assert_is(&usual);
    assert_false(wait.is_armed);
    giq_interrupt_end(&wait);
}

static void *begin_in_thread(void *ctx)
{
    struct giq_interrupt wait = {0};
    *(bool *)ctx = giq_interrupt_begin(&wait);
    giq_interrupt_end(&wait);
    return NULL;
}

static void test_wait_of_another_thread_changes_nothing(void **state)
{
    (void)state;
    const struct sigaction action = {.sa_handler = plain};
    pthread_t thread;
    bool begun = true;
    set(&action);
    assert_int_equal(pthread_create(&thread, NULL, begin_in_thread, &begun), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(begun);
    assert_is(&action);
}

static void test_nested_waits_share_one_handler(void **state)
{
    (void)state;
    const struct sigaction action = {.sa_handler = plain};
    struct giq_interrupt outer = {0};
    struct giq_interrupt inner = {0};
    set(&action);
    assert_true(giq_interrupt_begin(&outer));
    assert_int_equal(raise(SIGINT), 0);
    assert_true(giq_interrupt_begin(&inner));
    assert_false(giq_interrupt_received(&inner));
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(plain_calls, 2);
    giq_interrupt_end(&inner);
    assert_true(giq_interrupt_received(&outer));
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(plain_calls, 3);
    giq_interrupt_end(&outer);
    assert_is(&action);
}

static void test_handler_that_the_program_sets_meanwhile_stays(void **state)
{
    (void)state;
    const struct sigaction first = {.sa_handler = again};
    const struct sigaction once = {.sa_handler = plain, .sa_flags = (int)SA_RESETHAND};
    struct giq_interrupt wait = {0};
    set(&first);
    assert_true(giq_interrupt_begin(&wait));
    assert_int_equal(raise(SIGINT), 0);
    assert_true(giq_interrupt_received(&wait));
    giq_interrupt_end(&wait);
    assert_true(current().sa_handler == again);
    set(&once);
    assert_true(giq_interrupt_begin(&wait));
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(plain_calls, 1);
    giq_interrupt_end(&wait);
    assert_true(current().sa_handler == SIG_DFL);
}

/* Who took our handler for the program's own puts it back after the wait. */
static void test_handler_that_outlives_the_wait_still_calls_the_programs(void **state)
{
    (void)state;
    const struct sigaction action = {.sa_handler = plain};
    struct giq_interrupt wait = {0};
    set(&action);
    assert_true(giq_interrupt_begin(&wait));
    const struct sigaction ours = current();
    giq_interrupt_end(&wait);
    assert_int_equal(sigaction(SIGINT, &ours, NULL), 0);
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(plain_calls, 1);
    assert_true(giq_interrupt_begin(&wait));
    assert_int_equal(raise(SIGINT), 0);
    assert_true(giq_interrupt_received(&wait));
    assert_int_equal(plain_calls, 2);
    giq_interrupt_end(&wait);
    assert_is(&action);
}

static void assert_each_runs_once(int first, int second)
{
    plain_calls = chained_calls[0] = chained_calls[1] = 0;
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(plain_calls, 1);
    assert_int_equal(chained_calls[0], first);
    assert_int_equal(chained_calls[1], second);
}

static void test_handlers_that_chain_during_waits_run_once_each(void **state)
{
    (void)state;
    const struct sigaction action = {.sa_handler = plain};
    const struct sigaction chains[] = {
        {.sa_sigaction = chained, .sa_flags = SA_SIGINFO | SA_NODEFER},
        {.sa_sigaction = chained_too, .sa_flags = SA_SIGINFO},
    };
    struct giq_interrupt wait = {0};
    set(&action);
    for (int i = 0; i < 2; i++) {
        assert_true(giq_interrupt_begin(&wait));
        assert_int_equal(sigaction(SIGINT, &chains[i], &before[i]), 0);
        assert_each_runs_once(1, i);
        assert_true(giq_interrupt_received(&wait));
        giq_interrupt_end(&wait);
        assert_is(&chains[i]);
        assert_each_runs_once(1, i);
        for (int again = 0; again < 2; again++) {
            assert_true(giq_interrupt_begin(&wait));
            assert_each_runs_once(1, i);
            assert_true(giq_interrupt_received(&wait));
            giq_interrupt_end(&wait);
            assert_is(&chains[i]);
            assert_each_runs_once(1, i);
        }
    }
}

/* Without end such handlers would use up the stack. */
static void test_handler_that_chains_to_itself_comes_to_an_end(void **state)
{
    (void)state;
    const struct sigaction action = {.sa_sigaction = chained, .sa_flags = SA_SIGINFO};
    struct giq_interrupt wait = {0};
    set(&action);
    assert_true(giq_interrupt_begin(&wait));
    assert_int_equal(sigaction(SIGINT, &action, &before[0]), 0);
    giq_interrupt_end(&wait);
    assert_true(giq_interrupt_begin(&wait));
    assert_int_equal(raise(SIGINT), 0);
    assert_true(giq_interrupt_received(&wait));
    giq_interrupt_end(&wait);
    assert_is(&action);
}

static void test_child_forked_during_a_wait_has_no_part_in_it(void **state)
{
    (void)state;
    const struct sigaction action = {.sa_handler = plain};
    struct giq_interrupt wait = {0};
    set(&action);
    assert_true(giq_interrupt_begin(&wait));
    pid_t child = fork();
    if (child == 0) {
        struct giq_interrupt own = {0};
        bool ok = giq_interrupt_begin(&own) && raise(SIGINT) == 0 &&
                  giq_interrupt_received(&own) && plain_calls == 1;
        giq_interrupt_end(&own);
        _exit(ok && current().sa_handler == plain ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_false(giq_interrupt_received(&wait));
    giq_interrupt_end(&wait);
    assert_is(&action);
}

/* The child's wait, like that of its parent's main thread, which may be anywhere. */
static int begin_and_end_in_child(void)
{
    struct giq_interrupt wait = {0};
    (void)alarm(10); /* ends a child that hangs */
    bool begun = giq_interrupt_begin(&wait);
    giq_interrupt_end(&wait);
    return begun ? 0 : 1;
}

static atomic_bool is_forking;

/* Stores the number of children that failed or hung. */
static void *fork_children(void *failures)
{
    for (int i = 0; i < 100 && *(int *)failures == 0; i++) {
        pid_t child = fork();
        if (child == 0) {
            _exit(begin_and_end_in_child());
        }
        int status = -1;
        *(int *)failures += waitpid(child, &status, 0) != child || status != 0;
    }
    atomic_store(&is_forking, false);
    return NULL;
}

static void test_child_of_another_thread_does_not_hang(void **state)
{
    (void)state;
    const struct sigaction action = {.sa_handler = plain};
    pthread_t thread;
    int failures = 0;
    set(&action);
    atomic_store(&is_forking, true);
    assert_int_equal(pthread_create(&thread, NULL, fork_children, &failures), 0);
    while (atomic_load(&is_forking)) {
        struct giq_interrupt wait = {0};
        assert_true(giq_interrupt_begin(&wait));
        giq_interrupt_end(&wait);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(failures, 0);
    assert_is(&action);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs_handler_runs_and_comes_back),
        cmocka_unit_test(test_default_and_ignored_signals_are_left_alone),
        cmocka_unit_test(test_wait_of_another_thread_changes_nothing),
        cmocka_unit_test(test_nested_waits_share_one_handler),
        cmocka_unit_test(test_handler_that_the_program_sets_meanwhile_stays),
        cmocka_unit_test(test_handler_that_outlives_the_wait_still_calls_the_programs),
        cmocka_unit_test(test_handlers_that_chain_during_waits_run_once_each),
        cmocka_unit_test(test_handler_that_chains_to_itself_comes_to_an_end),
        cmocka_unit_test(test_child_forked_during_a_wait_has_no_part_in_it),
        cmocka_unit_test(test_child_of_another_thread_does_not_hang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
