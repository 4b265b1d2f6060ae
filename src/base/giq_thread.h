/*
 * Threads of the core, and what they share: a lock, and events to wait for.
 *
 * Usage: giq_thread_lock_init(), giq_thread_event_init(), giq_thread_start(); with the
 * lock held, read and change what is shared, giq_thread_wait() in a loop that checks the
 * condition again, giq_thread_wake() after a change; giq_thread_join() every thread that
 * was started, then release the events and the lock.
 *
 * Functions that return bool fail only for lack of memory or of threads.
 */
#ifndef GIQ_THREAD_H
#define GIQ_THREAD_H

#include <locale.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct giq_thread {
    pthread_t id;
    void *(*run)(void *ctx);
    void *ctx;
    locale_t locale;
};

struct giq_thread_lock {
    pthread_mutex_t mutex;
};

/* A wait for an event may also end without it. */
struct giq_thread_event {
    pthread_cond_t cond;
};

/* Start a thread that calls `run(ctx)`. All signals are blocked in it, its stack has
 * GIQ_THREAD_STACK_SIZE bytes, and it uses the locale of the calling thread, which must
 * exist until it ends. The caller passes `thread` to giq_thread_join(), and must not move
 * or free `*thread` before that. */
enum { GIQ_THREAD_STACK_SIZE = 512 * 1024 };
bool giq_thread_start(struct giq_thread *thread, void *(*run)(void *ctx), void *ctx);
void giq_thread_join(struct giq_thread *thread);

/* How many processors the threads of this process can use at the same time; at least 1.
 */
int giq_thread_processors(void);

bool giq_thread_lock_init(struct giq_thread_lock *lock);
void giq_thread_lock_release(struct giq_thread_lock *lock);
void giq_thread_lock(struct giq_thread_lock *lock);
void giq_thread_unlock(struct giq_thread_lock *lock);

bool giq_thread_event_init(struct giq_thread_event *event);
void giq_thread_event_release(struct giq_thread_event *event);

/* Wake one thread that waits for the event, if there is one. */
void giq_thread_wake(struct giq_thread_event *event);

/* Wait for the event. Must be called with the lock held, which is not held during the
 * wait. */
void giq_thread_wait(struct giq_thread_event *event, struct giq_thread_lock *lock);

/* The same, for at most `ms` of the monotonic clock. */
void giq_thread_wait_ms(struct giq_thread_event *event, struct giq_thread_lock *lock,
                        int64_t ms);

#endif
