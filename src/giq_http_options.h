/*
 * The settings that users give for every network driver, as libcurl takes them. Beside
 * giq_http the only user of libcurl. Thread-safe for different handles.
 */
#ifndef GIQ_HTTP_OPTIONS_H
#define GIQ_HTTP_OPTIONS_H

#include "giq/giq.h"

enum giq_http_options_flags {
    GIQ_HTTP_OPTIONS_HOME = 1, /* to the service's own origin: secrets go along */
    GIQ_HTTP_OPTIONS_TLS = 2,  /* the address is https */
};

/* Set on the easy handle `curl` what is not NULL in `net` (GIQ_NET_COUNT texts, copied).
 * False where libcurl refuses one. */
bool giq_http_options_apply(void *curl, const char *const *net, unsigned flags);

#endif
