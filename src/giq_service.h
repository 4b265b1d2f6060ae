/*
 * A service as one open sees it: its settings, who calls, and until when. The functions
 * that hosts use are in giq/giq.h.
 */
#ifndef GIQ_SERVICE_H
#define GIQ_SERVICE_H

#include "giq_error.h"

struct giq_http;

struct giq_service {
    struct giq_settings settings; /* its texts are owned */
    const struct giq_cred *cred;
    const struct giq_env *env;
    struct giq_http *http; /* NULL before the first call */
    int64_t deadline_ms;   /* of the open, on the monotonic clock */
};

/* GIQ_E_CREDENTIALS where there is nothing to authenticate with. */
bool giq_service_check_credentials(const struct giq_service *service,
                                   struct giq_error *err);

#endif
