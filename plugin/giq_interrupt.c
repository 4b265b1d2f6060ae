#include "giq_interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <threads.h>
#include <unistd.h>

enum { LEVELS = 8 };

/* The handlers of the program that ours stands before, the newest one last. One that the
 * program sets during a wait may call ours as the one before it, and so the older ones
 * are kept. One always stays: whoever took ours for the program's may still call it. */
static struct {
    mtx_t mutex;
    unsigned waits;
    pid_t process; /* whose waits these are: a forked child has none */
    volatile sig_atomic_t levels;
    struct sigaction program[LEVELS];
} chain;

static once_flag made = ONCE_FLAG_INIT;

/* SIGINT may come in any thread. */
static volatile sig_atomic_t signals;

/* How often our handler has been entered in this thread without returning. */
static _Thread_local volatile sig_atomic_t depth;

/* A handler of the program's that calls ours means the handler before its own. */
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
    if (entered < LEVELS) { /* where handlers call each other in a circle it ends */
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

/* Whether the action is a function of the program's. */
static bool is_handler(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) != 0 ||
           (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

/* The level of a handler: its own where it has one, else the next free one. */
static int level_of(const struct sigaction *program)
{
    int level = 0;
    while (level < chain.levels &&
           chain.program[level].sa_sigaction != program->sa_sigaction) {
        level++;
    }
    return level;
}

/* Put our handler before the program's, with what holds while that runs. */
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
static bool enter(const struct sigaction *now)
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

/* Must be called with the mutex held. What the program has set in the meantime stays. */
static void leave(void)
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
    call_once(&made, make_mutex);
    depth = 0; /* a handler that left by a long jump has not set it back */
    (void)mtx_lock(&chain.mutex);
    wait->before = (int)signals;
    wait->is_armed = enter(&now);
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
        leave();
        (void)mtx_unlock(&chain.mutex);
        wait->is_armed = false;
    }
}
