/*
 * Addresses of the service: building them, and how far a redirect leads away.
 * giq_base_url() of giq/giq.h is here too. Pure but for memory.
 */
#ifndef GIQ_URL_H
#define GIQ_URL_H

#include "base/giq_error.h"

/* `base`/`path`, and "?name=value" with the value escaped where `name` is not
 * NULL. To be freed; NULL when out of memory. */
char *giq_url_make(const char *base, const char *path, const char *name,
                   const char *value);

/* How `to` lies to `from`, for redirects. */
enum giq_url_redirect {
    GIQ_URL_SAME_ORIGIN, /* scheme, host and port are equal */
    GIQ_URL_CROSS_ORIGIN,
    GIQ_URL_FORBIDDEN, /* no http(s), https to http, a user in it, unreadable */
};
enum giq_url_redirect giq_url_redirect(const char *from, const char *to);

#endif
