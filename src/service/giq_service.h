/*
 * A service as one open sees it: its settings, who calls, and until when. The functions
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
    /* Of an open that checks once: when its calls end, and its timeout and deadline once
     * it resumes. */
    int64_t check_until_ms;
    int64_t resume_deadline_ms;
    int resume_timeout_ms;
    bool checks_once; /* giq_service_check_once() */
    bool polls_once;  /* giq_service_poll_once() */
};

/* The run request took its time: what an open that checks once still calls gets as much
 * as at its beginning. */
void giq_service_restart_check(struct giq_service *service);

/* The state of the job is to be asked for. */
void giq_service_begin_poll(struct giq_service *service);

/* The service has told the state of the job, which is finished or not. */
void giq_service_end_poll(struct giq_service *service, bool is_finished);

/* When an exchange that stalls is to end. */
int64_t giq_service_deadline_ms(const struct giq_service *service);

/* GIQ_E_CREDENTIALS where there is nothing to authenticate with. */
bool giq_service_check_credentials(const struct giq_service *service,
                                   struct giq_error *err);

#endif
