/*
 * URLs as libcurl parses them, so that the checks here and the connection agree: their
 * parts, URLs of requests, and redirects. giq_base_url() of giq/giq.h is here
 * too. Thread-safe.
 */
#ifndef GIQ_URL_H
#define GIQ_URL_H

#include "base/giq_error.h"

/* The parts of an absolute URL. */
struct giq_url {
    char *scheme;         /* in lower case */
    char *host;           /* percent-decoded, case kept; IPv6 in brackets */
    char *port;           /* as written, or NULL */
    char *effective_port; /* `port`, or the default of the scheme */
    char *path;           /* begins with '/' */
    bool has_user;
    bool has_query;
    bool has_fragment;
};

/* Parse an absolute URL. False if `text` is not one, if its host has an IPv6 zone, or
 * when out of memory. On success the caller must release `*out`; on failure it is
 * unchanged. */
bool giq_url_split(const char *text, struct giq_url *out);
void giq_url_release(struct giq_url *url);

/* Make "`base`/`path`" or, if `name` is not NULL, "`base`/`path`?name=value" with the
 * value percent-encoded. The caller frees it with free(); NULL when out of memory. */
char *giq_url_make(const char *base, const char *path, const char *name,
                   const char *value);

/* Resolve `location`, the Location of a response from `base`. A user in it is kept, since
 * it is a reason to refuse the redirect. Copies `location` if it cannot be resolved. The
 * caller frees the result with free(); NULL when out of memory. */
char *giq_url_join(const char *base, const char *location);

enum giq_url_redirect {
    GIQ_URL_SAME_ORIGIN, /* scheme, host and port are equal */
    GIQ_URL_CROSS_ORIGIN,
    GIQ_URL_FORBIDDEN, /* not http(s), https to http, with a user, or invalid */
};

/* Classify a redirect from one absolute URL to another. When out of memory it is
 * forbidden. */
enum giq_url_redirect giq_url_classify_redirect(const char *from, const char *to);

#endif
