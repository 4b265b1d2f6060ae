/* Threads, locks and events of POSIX. */
#include "base/giq_thread.h"

#include <signal.h>
#include <time.h>

#include "base/giq_os.h"

/* A host may have set a locale for its thread alone. */
static void *start(void *ctx)
{
    const struct giq_thread *thread = ctx;
    (void)uselocale(thread->locale);
    return thread->run(thread->ctx);
}

bool giq_thread_start(struct giq_thread *thread, void *(*run)(void *ctx), void *ctx)
{
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    thread->run = run;
    thread->ctx = ctx;
    thread->locale = uselocale((locale_t)0);
    (void)pthread_attr_setstacksize(&attributes, GIQ_THREAD_STACK_SIZE);
    (void)sigfillset(&all);
    /* The new thread inherits the mask. */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&thread->id, &attributes, start, thread) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return ok;
}

void giq_thread_join(struct giq_thread *thread)
{
    (void)pthread_join(thread->id, NULL);
}

int giq_thread_processors(void)
{
    cpu_set_t set;
    /* Fails if the system has more processors than the set has bits. */
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

bool giq_thread_lock_init(struct giq_thread_lock *lock)
{
    return pthread_mutex_init(&lock->mutex, NULL) == 0;
}

void giq_thread_lock_release(struct giq_thread_lock *lock)
{
    (void)pthread_mutex_destroy(&lock->mutex);
}

void giq_thread_lock(struct giq_thread_lock *lock)
{
    (void)pthread_mutex_lock(&lock->mutex);
}

void giq_thread_unlock(struct giq_thread_lock *lock)
{
    (void)pthread_mutex_unlock(&lock->mutex);
}

bool giq_thread_event_init(struct giq_thread_event *event)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    bool ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(&event->cond, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    return ok;
}

void giq_thread_event_release(struct giq_thread_event *event)
{
    (void)pthread_cond_destroy(&event->cond);
}

void giq_thread_wake(struct giq_thread_event *event)
{
    (void)pthread_cond_signal(&event->cond);
}

void giq_thread_wait(struct giq_thread_event *event, struct giq_thread_lock *lock)
{
    (void)pthread_cond_wait(&event->cond, &lock->mutex);
}

void giq_thread_wait_ms(struct giq_thread_event *event, struct giq_thread_lock *lock,
                        int64_t ms)
{
    int64_t until_ms = giq_os_now_ms() + ms;
    const struct timespec until = {
        .tv_sec = (time_t)(until_ms / 1000),
        .tv_nsec = (long)(until_ms % 1000) * 1000 * 1000,
    };
    (void)pthread_cond_timedwait(&event->cond, &lock->mutex, &until);
}
