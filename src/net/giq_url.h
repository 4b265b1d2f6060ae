/*
 * URLs as libcurl parses them, so that the checks here and the connection agree: their
 * parts, the requests of the service, and redirects. giq_base_url() of giq/giq.h is here
 * too. Pure but for memory.
 */
#ifndef GIQ_URL_H
#define GIQ_URL_H

#include "base/giq_error.h"

/* The parts of an absolute URL. */
struct giq_url {
    char *scheme; /* in lower case */
    char *host;   /* as written, percent-decoded; IPv6 in brackets */
    char *port;   /* as written, or NULL */
    char *effective_port;
    char *path; /* begins with '/' */
    bool has_user;
    bool has_query;
    bool has_fragment;
};

/* False where `text` is not an absolute URL, its host has an IPv6 zone, or memory ran
 * out. On success the caller must release `*out`. */
bool giq_url_split(const char *text, struct giq_url *out);
void giq_url_release(struct giq_url *url);

/* `base`/`path`, and "?name=value" with the value percent-encoded if `name` is not NULL.
 * To be freed; NULL when out of memory. */
char *giq_url_make(const char *base, const char *path, const char *name,
                   const char *value);

/* The absolute URL that `location`, the Location of a response from `base`, refers to,
 * with its user; `location` itself where it cannot be resolved. To be freed; NULL when
 * out of memory. */
char *giq_url_join(const char *base, const char *location);

enum giq_url_redirect {
    GIQ_URL_SAME_ORIGIN, /* scheme, host and port are equal */
    GIQ_URL_CROSS_ORIGIN,
    GIQ_URL_FORBIDDEN, /* not http(s), https to http, with a user, or invalid */
};

/* What a redirect from one absolute URL to another is. */
enum giq_url_redirect giq_url_classify_redirect(const char *from, const char *to);

#endif
