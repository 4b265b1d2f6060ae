/* A service as one open sees it, on a scripted web server and a fake clock. */
#ifndef GIQ_TESTS_SERVICE_KIT_H
#define GIQ_TESTS_SERVICE_KIT_H

#include "env_kit.h"
#include "http_kit.h"
#include "service/giq_call.h"

#define SERVICE_KIT_KEY "sesame-open-42"

struct service_kit {
    struct env_kit clock;
    struct http_kit *http;
    struct giq_cred *cred;
    struct giq_service *service; /* its settings may be changed before a call */
    struct giq_error err;
};

/* The limit of the open is 600 s, small GETs may take 20 s, there are 3 retries
 * with a base delay of 1 s. `responses` is borrowed. */
void service_kit_start(struct service_kit *kit, const struct http_kit_response *responses,
                       size_t count);
void service_kit_stop(struct service_kit *kit);

/* A new open of the same service: a new service object, its time begins now. */
void service_kit_reopen(struct service_kit *kit);

/* The first line of a request, without its end, into `out`. */
enum { SERVICE_KIT_LINE_SIZE = 512 };
const char *service_kit_line(struct service_kit *kit, size_t i,
                             char out[SERVICE_KIT_LINE_SIZE]);

/* Whether request `i` holds `text`. */
bool service_kit_sent(struct service_kit *kit, size_t i, const char *text);

#endif
