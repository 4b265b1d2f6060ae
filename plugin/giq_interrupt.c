/* Installs a SIGINT handler while an open waits, and calls the program's own from it. */
#include "giq_interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

enum {
    LEVELS = 8,       /* handlers in the stack, and nested calls of on_signal() */
    RUNNING_MAX = 64, /* calls of on_signal() in all threads */
};

/*
 * A stack of the program's handlers that ours replaced: handlers[0] is the oldest,
 * on_signal() calls handlers[levels - 1]. If the program installs a handler during a
 * wait, that handler may in turn call on_signal(), which then calls the next older one.
 * The oldest is never removed: code that saved on_signal() as the previous handler may
 * call it after the wait.
 *
 * No mutex: only the main thread changes it. A child that another thread forks must not
 * find a mutex locked that its parent's main thread would have unlocked.
 */
static struct {
    unsigned waits; /* of `process` that have begun and not ended */
    pid_t process;  /* not this process in a forked child, which has no waits */
    atomic_int levels;
    struct sigaction handlers[LEVELS];
} stack;

/* Count of SIGINTs. Atomic, because any thread may receive one. */
static atomic_int signals;

/* The ids of the threads that are in on_signal(), once for each call; 0: free. This is
 * not a thread-local counter, because the first access to a thread-local variable of a
 * library loaded by dlopen() may allocate memory, which a signal handler must not do. */
static atomic_int running[RUNNING_MAX];

static int count_running(int thread)
{
    int count = 0;
    for (int i = 0; i < RUNNING_MAX; i++) {
        count += atomic_load(&running[i]) == thread ? 1 : 0;
    }
    return count;
}

/* Returns the call's entry, or NULL if all are in use. */
static atomic_int *add_running(int thread)
{
    for (int i = 0; i < RUNNING_MAX; i++) {
        int unused = 0;
        if (atomic_compare_exchange_strong(&running[i], &unused, thread)) {
            return &running[i];
        }
    }
    return NULL;
}

/* Remove the entries of a thread whose calls of on_signal() were left by longjmp(). */
static void clear_running(int thread)
{
    for (int i = 0; i < RUNNING_MAX; i++) {
        int expected = thread;
        (void)atomic_compare_exchange_strong(&running[i], &expected, 0);
    }
}

/* The handler at a level; for a negative level the oldest one. */
static const struct sigaction *handler_at(int level)
{
    return &stack.handlers[level > 0 ? level : 0];
}

static void call_handler(const struct sigaction *handler, int number, siginfo_t *info,
                         void *context)
{
    if (handler->sa_flags & SA_SIGINFO) {
        handler->sa_sigaction(number, info, context);
    } else if (handler->sa_handler != SIG_DFL && handler->sa_handler != SIG_IGN) {
        handler->sa_handler(number);
    }
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    int sys_errno = errno;
    int thread = gettid();
    int depth = count_running(thread);
    const struct sigaction *handler = handler_at(atomic_load(&stack.levels) - 1 - depth);
    (void)atomic_fetch_add(&signals, 1);
    /* The limit breaks an endless recursion of handlers that call each other. */
    atomic_int *entry = depth < LEVELS ? add_running(thread) : NULL;
    if (entry != NULL) {
        call_handler(handler, number, info, context);
        atomic_store(entry, 0);
    }
    errno = sys_errno;
}

static bool is_ours(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == on_signal;
}

/* Whether the action is a function, not SIG_DFL or SIG_IGN. */
static bool is_handler(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) != 0 ||
           (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

/* The level of a handler in the stack, or the next free level if it is not in it. */
static int level_of(const struct sigaction *handler)
{
    int levels = atomic_load(&stack.levels);
    int level = 0;
    while (level < levels &&
           stack.handlers[level].sa_sigaction != handler->sa_sigaction) {
        level++;
    }
    return level;
}

/* Install our handler in place of the program's, with the same mask and flags. Fails if
 * the stack is full. */
static bool install(const struct sigaction *handler)
{
    struct sigaction ours = *handler;
    int level = level_of(handler);
    if (level == LEVELS) {
        return false;
    }
    stack.handlers[level] = *handler;
    atomic_store(&stack.levels, level + 1);
    ours.sa_sigaction = on_signal;
    ours.sa_flags |= SA_SIGINFO;
    return sigaction(SIGINT, &ours, NULL) == 0;
}

/* `now` is the current action of SIGINT. */
static bool add_wait(const struct sigaction *now)
{
    if (stack.process != getpid()) {
        stack.process = getpid();
        stack.waits = 0;
    }
    if (!is_ours(now) && !install(now)) {
        return false;
    }
    stack.waits++;
    return true;
}

/* A handler that the program has installed since the wait began stays. */
static void remove_wait(void)
{
    struct sigaction now;
    stack.waits--;
    if (stack.waits == 0 && sigaction(SIGINT, NULL, &now) == 0 && is_ours(&now)) {
        int levels = atomic_load(&stack.levels);
        (void)sigaction(SIGINT, handler_at(levels - 1), NULL);
        atomic_store(&stack.levels, levels > 1 ? levels - 1 : 1);
    }
}

bool giq_interrupt_begin(struct giq_interrupt *wait)
{
    struct sigaction now;
    if (wait->is_armed) {
        return true;
    }
    if (sigaction(SIGINT, NULL, &now) != 0) {
        return false;
    }
    if (!is_handler(&now)) {
        return now.sa_handler == SIG_DFL; /* which ends the program */
    }
    int thread = gettid();
    if (thread != getpid()) {
        return false; /* not the main thread */
    }
    clear_running(thread);
    wait->signals_before = atomic_load(&signals);
    wait->is_armed = add_wait(&now);
    return wait->is_armed;
}

bool giq_interrupt_received(const struct giq_interrupt *wait)
{
    return wait->is_armed && atomic_load(&signals) != wait->signals_before;
}

void giq_interrupt_end(struct giq_interrupt *wait)
{
    if (wait->is_armed) {
        remove_wait();
        wait->is_armed = false;
    }
}
