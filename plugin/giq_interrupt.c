#include "giq_interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <threads.h>
#include <unistd.h>

/* The handler of the program, while ours stands before it. It stays set afterwards:
 * whoever took ours for the program's may still call it. */
static struct {
    mtx_t mutex;
    unsigned waits;
    pid_t process; /* whose waits these are: a forked child has none */
    struct sigaction program;
} chain;

static once_flag made = ONCE_FLAG_INIT;

/* SIGINT may come in any thread. */
static volatile sig_atomic_t signals;

static void on_signal(int number, siginfo_t *info, void *context)
{
    int sys_errno = errno;
    signals = signals + 1;
    if (chain.program.sa_flags & SA_SIGINFO) {
        chain.program.sa_sigaction(number, info, context);
    } else if (chain.program.sa_handler != SIG_DFL &&
               chain.program.sa_handler != SIG_IGN) {
        chain.program.sa_handler(number);
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

/* Whether the action is a function of the program's. */
static bool is_handler(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) != 0 ||
           (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

/* Put our handler before the program's, with what holds while that runs. */
static bool install(const struct sigaction *program)
{
    struct sigaction ours = *program;
    chain.program = *program;
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
        (void)sigaction(SIGINT, &chain.program, NULL);
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
    (void)mtx_lock(&chain.mutex);
    wait->before = (int)signals;
    wait->is_armed = enter(&now);
    (void)mtx_unlock(&chain.mutex);
    return wait->is_armed;
}

bool giq_interrupt_came(const struct giq_interrupt *wait)
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
