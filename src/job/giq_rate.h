/*
 * The rate of a batch: how fast its threads may call the service.
 *
 * Status calls are spread evenly: 10 a second over all threads, or 2 a second for each
 * thread if there are more than 16. Run requests wait as long as the service asks for.
 * When it has throttled, one run request at a time is sent, and one more at a time for
 * each that the service takes, until it throttles again.
 *
 * Usage: with the lock of the batch held, giq_rate_take_status() before a status call;
 * giq_rate_submit_due_ms() until it is not later than now, giq_rate_begin_submit(),
 * submit, giq_rate_end_submit(); giq_rate_throttle() after a response that throttles.
 *
 * No I/O and no waiting: times are arguments, in milliseconds of the monotonic clock.
 */
#ifndef GIQ_RATE_H
#define GIQ_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* Later than any time: wait until giq_rate_end_submit(). */
#define GIQ_RATE_BLOCKED INT64_MAX

struct giq_rate {
    int64_t status_interval_us;
    int64_t next_status_us;     /* when the next status call may begin */
    int64_t throttled_until_ms; /* no run request before; 0: never throttled */
    int submit_limit;           /* run requests at a time, now */
    int submit_limit_max;
    int submitting; /* run requests that were begun and not ended */
};

void giq_rate_init(struct giq_rate *rate, int threads);

/* Take the next turn of a status call, and return its time, which may be `now_ms`. */
int64_t giq_rate_take_status(struct giq_rate *rate, int64_t now_ms);

/* When a run request may be sent: `now_ms`, a later time to check again, or
 * GIQ_RATE_BLOCKED. */
int64_t giq_rate_submit_due_ms(const struct giq_rate *rate, int64_t now_ms);

void giq_rate_begin_submit(struct giq_rate *rate);

/* `is_accepted`: the service took the request. */
void giq_rate_end_submit(struct giq_rate *rate, bool is_accepted);

/* The service asked for no further requests before `until_ms`. */
void giq_rate_throttle(struct giq_rate *rate, int64_t until_ms);

#endif
