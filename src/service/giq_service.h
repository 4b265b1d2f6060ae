/*
 * The service as one open uses it: settings, credentials and time limits. The functions
 * that hosts use are in giq/giq.h. A service serves one thread at a time.
 */
#ifndef GIQ_SERVICE_H
#define GIQ_SERVICE_H

#include "base/giq_error.h"

struct giq_http;

struct giq_service {
    struct giq_settings settings; /* its texts are owned */
    const struct giq_cred *cred;
    const struct giq_env *env;
    struct giq_http *http; /* NULL before the first call */
    int64_t deadline_ms;   /* of the open, on the monotonic clock */
    /* Of an open that checks once: the deadline of its calls, and the deadline and
     * timeout that are restored afterwards. */
    int64_t check_until_ms;
    int64_t resume_deadline_ms;
    int resume_timeout_ms;
    int64_t throttled_until_ms; /* the service asked for no calls before; 0: it did not */
    bool checks_once; /* calls end after 2 s at most: giq_service_limit_to_one_try() */
    bool polls_once;  /* each poll of the status checks once:
                         giq_service_limit_to_one_poll() */
};

/* Restart the time limit of an open that checks once: 2 s, or its timeout if that is
 * shorter. Must be called after the run request, which used some of it. */
void giq_service_restart_check(struct giq_service *service);

/* Must be called before the status of the job is requested. If the open polls once, it
 * checks once from here on. */
void giq_service_begin_poll(struct giq_service *service);

/* Must be called after the service has sent the status of the job, which is final if
 * `is_finished`. Restores the timeout and deadline of an open that checked once, except
 * while it polls once and the job is not finished. */
void giq_service_end_poll(struct giq_service *service, bool is_finished);

/* The deadline of calls that begin now, on the monotonic clock: of the open, or, with a
 * timeout of 0, of its single check. A download that makes progress may pass it. */
int64_t giq_service_call_deadline_ms(const struct giq_service *service);

/* Fails with GIQ_E_CREDENTIALS if neither a key nor a token is set. */
bool giq_service_check_credentials(const struct giq_service *service,
                                   struct giq_error *err);

#endif
