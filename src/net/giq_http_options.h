/*
 * What GDAL users set for every network driver, brought to libcurl.
 */
#ifndef GIQ_HTTP_OPTIONS_H
#define GIQ_HTTP_OPTIONS_H

#include "giq/giq.h"

enum giq_http_options_flags {
    GIQ_HTTP_OPTIONS_SAME_ORIGIN = 1, /* the request goes to the service's own origin */
    GIQ_HTTP_OPTIONS_HTTPS = 2,       /* its address is an https one */
};

/* Set the options of `net` (GIQ_NET_COUNT texts, NULL where not set) on the easy
 * handle `curl`, a CURL *. What is for the service alone is left out without
 * GIQ_HTTP_OPTIONS_SAME_ORIGIN. Errors: GIQ_E_NETWORK, permanent, which names the option
 * whose value libcurl refuses; GIQ_E_MEMORY. */
bool giq_http_options_apply(void *curl, const char *const *net, unsigned flags,
                            struct giq_error *err);

/* Whether the user said that the server speaks HTTP/2 without being asked. */
bool giq_http_options_force_http2(const char *const *net);

#endif
