/* Installs a SIGINT handler while an open waits, and calls the program's own from it. */
#include "giq_interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <threads.h>
#include <unistd.h>

enum { LEVELS = 8, RUNNING_MAX = 64 };

/*
 * The program's handlers that ours replaced: program[0] is the oldest, on_signal() calls
 * program[levels - 1]. A handler that the program installs during a wait may call ours as
 * the previous one; such a nested call goes one level down, so older handlers are kept.
 * One is always kept, because code that saved our handler as the program's may still call
 * it.
 */
static struct {
    mtx_t mutex;
    unsigned waits;
    pid_t process; /* the owner of the waits: a forked child has none */
    volatile sig_atomic_t levels;
    struct sigaction program[LEVELS];
} chain;

static once_flag mutex_made = ONCE_FLAG_INIT;

/* Count of SIGINTs, which any thread may receive. */
static volatile sig_atomic_t signals;

/* The calls of on_signal() that have not returned, each with its thread; 0: free. Not a
 * thread-local counter: the first access to one of a loaded library may allocate memory,
 * which a signal handler must not. */
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

/* Remove the calls of a thread that were left by longjmp(). */
static void clear_running(int thread)
{
    for (int i = 0; i < RUNNING_MAX; i++) {
        int expected = thread;
        (void)atomic_compare_exchange_strong(&running[i], &expected, 0);
    }
}

/* The handler at a level; below level 0 the oldest one. */
static const struct sigaction *program_at(int level)
{
    return &chain.program[level > 0 ? level : 0];
}

static void call(const struct sigaction *program, int number, siginfo_t *info,
                 void *context)
{
    if (program->sa_flags & SA_SIGINFO) {
        program->sa_sigaction(number, info, context);
    } else if (program->sa_handler != SIG_DFL && program->sa_handler != SIG_IGN) {
        program->sa_handler(number);
    }
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    int sys_errno = errno;
    int thread = gettid();
    int depth = count_running(thread);
    const struct sigaction *program = program_at(chain.levels - 1 - depth);
    signals = signals + 1;
    /* The limit breaks an endless recursion of handlers that call each other. */
    atomic_int *entry = depth < LEVELS ? add_running(thread) : NULL;
    if (entry != NULL) {
        call(program, number, info, context);
        atomic_store(entry, 0);
    }
    errno = sys_errno;
}

static void make_mutex(void)
{
    (void)mtx_init(&chain.mutex, mtx_plain);
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

/* The level of a handler: its own if it has one, else the next free one. */
static int level_of(const struct sigaction *program)
{
    int level = 0;
    while (level < chain.levels &&
           chain.program[level].sa_sigaction != program->sa_sigaction) {
        level++;
    }
    return level;
}

/* Install our handler in place of the program's, with the same mask and flags. */
static bool install(const struct sigaction *program)
{
    struct sigaction ours = *program;
    int level = level_of(program);
    if (level == LEVELS) {
        return false;
    }
    chain.program[level] = *program;
    chain.levels = level + 1;
    ours.sa_sigaction = on_signal;
    ours.sa_flags |= SA_SIGINFO;
    return sigaction(SIGINT, &ours, NULL) == 0;
}

/* Must be called with the mutex held. */
static bool add_wait(const struct sigaction *now)
{
    if (chain.process != getpid()) {
        chain.process = getpid();
        chain.waits = 0;
    }
    if (!is_ours(now) && !install(now)) {
        return false;
    }
    chain.waits++;
    return true;
}

/* Must be called with the mutex held. A handler that the program has installed in the
 * meantime stays. */
static void remove_wait(void)
{
    struct sigaction now;
    if (--chain.waits == 0 && sigaction(SIGINT, NULL, &now) == 0 && is_ours(&now)) {
        (void)sigaction(SIGINT, program_at(chain.levels - 1), NULL);
        chain.levels = chain.levels > 1 ? chain.levels - 1 : 1;
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
    if (getpid() != gettid()) {
        return false;
    }
    call_once(&mutex_made, make_mutex);
    clear_running(getpid());
    (void)mtx_lock(&chain.mutex);
    wait->signals_before = (int)signals;
    wait->is_armed = add_wait(&now);
    (void)mtx_unlock(&chain.mutex);
    return wait->is_armed;
}

bool giq_interrupt_received(const struct giq_interrupt *wait)
{
    return wait->is_armed && (int)signals != wait->signals_before;
}

void giq_interrupt_end(struct giq_interrupt *wait)
{
    if (wait->is_armed) {
        (void)mtx_lock(&chain.mutex);
        remove_wait();
        (void)mtx_unlock(&chain.mutex);
        wait->is_armed = false;
    }
}
