/*
 * The service as one open uses it: settings, credentials and time limit. The functions
 * that hosts use are in giq/giq.h.
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
    /* For an open that checks once: when its calls end, and the timeout and deadline that
     * it gets back when it goes on. */
    int64_t check_until_ms;
    int64_t resume_deadline_ms;
    int resume_timeout_ms;
    bool checks_once; /* giq_service_limit_to_one_try() */
    bool polls_once;  /* giq_service_limit_to_one_poll() */
};

/* Give the further calls of an open that checks once as much time as at its beginning,
 * because the run request took some. */
void giq_service_restart_check(struct giq_service *service);

/* Call before the status of the job is requested. */
void giq_service_begin_poll(struct giq_service *service);

/* Call after the service has sent the status of the job. */
void giq_service_end_poll(struct giq_service *service, bool is_finished);

/* When a transfer that stalls must end, on the monotonic clock. */
int64_t giq_service_call_deadline_ms(const struct giq_service *service);

/* Fails with GIQ_E_CREDENTIALS where no key and no token is set. */
bool giq_service_check_credentials(const struct giq_service *service,
                                   struct giq_error *err);

#endif
