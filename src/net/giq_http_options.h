/*
 * Applies GDAL's network options, such as GDAL_HTTP_PROXY, to a libcurl handle.
 * Thread-safe for different handles.
 */
#ifndef GIQ_HTTP_OPTIONS_H
#define GIQ_HTTP_OPTIONS_H

#include "giq/giq.h"

enum giq_http_options_flags {
    GIQ_HTTP_OPTIONS_SAME_ORIGIN = 1, /* the request goes to the origin of the service */
    GIQ_HTTP_OPTIONS_HTTPS = 2,       /* its URL is https */
};

/*
 * Set the options of `net` (GIQ_NET_COUNT texts, NULL if not set) on the easy handle
 * `curl`, a CURL *. Without GIQ_HTTP_OPTIONS_SAME_ORIGIN those for the service's own
 * origin (netrc, client certificate) are not set. Errors: GIQ_E_NETWORK, permanent, which
 * names the option whose value libcurl rejects; GIQ_E_MEMORY.
 */
bool giq_http_options_apply(void *curl, const char *const *net, unsigned flags,
                            struct giq_error *err);

/* Whether GDAL_HTTP_VERSION is 2PRIOR_KNOWLEDGE: HTTP/2 without negotiation. */
bool giq_http_options_has_prior_knowledge(const char *const *net);

#endif
