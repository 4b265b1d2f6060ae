/* How fast the threads of a batch may call the service. */
#include "job/giq_rate.h"

#include <assert.h>

enum {
    STATUS_CALLS_PER_S = 10,    /* of up to EVEN_RATE_THREADS threads */
    STATUS_CALLS_OF_THREAD = 2, /* a second, for each of more threads */
    EVEN_RATE_THREADS = 16,
    US_PER_MS = 1000,
    US_PER_S = 1000 * 1000,
};

void giq_rate_init(struct giq_rate *rate, int threads)
{
    int calls = threads > EVEN_RATE_THREADS ? STATUS_CALLS_OF_THREAD * threads
                                            : STATUS_CALLS_PER_S;
    *rate = (struct giq_rate){
        .status_interval_us = US_PER_S / calls,
        .submit_limit = threads,
        .submit_limit_max = threads,
    };
}

int64_t giq_rate_take_status(struct giq_rate *rate, int64_t now_ms)
{
    int64_t now_us = now_ms * US_PER_MS;
    int64_t turn_us = rate->next_status_us > now_us ? rate->next_status_us : now_us;
    rate->next_status_us = turn_us + rate->status_interval_us;
    return (turn_us + US_PER_MS - 1) / US_PER_MS;
}

int64_t giq_rate_submit_due_ms(const struct giq_rate *rate, int64_t now_ms)
{
    if (rate->throttled_until_ms > now_ms) {
        return rate->throttled_until_ms;
    }
    return rate->submitting < rate->submit_limit ? now_ms : GIQ_RATE_BLOCKED;
}

void giq_rate_begin_submit(struct giq_rate *rate)
{
    rate->submitting++;
}

void giq_rate_end_submit(struct giq_rate *rate, bool is_accepted)
{
    assert(rate->submitting > 0);
    rate->submitting--;
    if (is_accepted && rate->submit_limit < rate->submit_limit_max) {
        rate->submit_limit++;
    }
}

void giq_rate_throttle(struct giq_rate *rate, int64_t until_ms)
{
    if (until_ms > rate->throttled_until_ms) {
        rate->throttled_until_ms = until_ms;
        rate->submit_limit = 1;
    }
}
