#include "giq_interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <threads.h>
#include <unistd.h>

enum { LEVELS = 8 };

/* The program's handlers that ours replaced, the newest one last. A handler that the
 * program installs during a wait may call ours as the previous one, so the older ones are
 * kept. One is always kept, because code that saved our handler as the program's may
 * still call it. */
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

/* How often our handler has been entered in this thread without returning. */
static _Thread_local volatile sig_atomic_t depth;

/* The handler at a level. Ours calls the newest one; when that calls ours again, it means
 * the previous one. */
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
    int entered = depth;
    const struct sigaction *program = program_at(chain.levels - 1 - entered);
    signals = signals + 1;
    depth = entered + 1;
    if (entered < LEVELS) { /* ends a circle of handlers that call each other */
        call(program, number, info, context);
    }
    depth = entered;
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

/* Whether the action is a function. */
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
    if (sigaction(SIGINT, NULL, &now) != 0 || !is_handler(&now) || getpid() != gettid()) {
        return !is_handler(&now) && now.sa_handler == SIG_DFL;
    }
    call_once(&mutex_made, make_mutex);
    depth = 0; /* a handler that left by longjmp() did not reset it */
    (void)mtx_lock(&chain.mutex);
    wait->before = (int)signals;
    wait->is_armed = add_wait(&now);
    (void)mtx_unlock(&chain.mutex);
    return wait->is_armed;
}

bool giq_interrupt_received(const struct giq_interrupt *wait)
{
    return wait->is_armed && (int)signals != wait->before;
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
