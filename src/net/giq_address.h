/*
 * Addresses as libcurl, which connects to them, reads them, so that no check of ours
 * reads one otherwise. Pure.
 */
#ifndef GIQ_ADDRESS_H
#define GIQ_ADDRESS_H

#include <stdbool.h>

struct giq_address {
    char *scheme; /* in lower case */
    char *host;   /* as written, percent-decoded; IPv6 in brackets */
    char *port;   /* as written, or NULL */
    char *real_port;
    char *path; /* begins with '/' */
    bool has_user;
    bool has_query;
    bool has_fragment;
};

/* False where `text` is no absolute address, its host has an IPv6 zone, or memory ran
 * out; else the caller releases `*out`. */
bool giq_address_split(const char *text, struct giq_address *out);
void giq_address_release(struct giq_address *address);

/* Where `location`, the Location of a response from `base`, leads: an absolute address,
 * user and all, or what cannot be made one as it is. To be freed; NULL when out of
 * memory. */
char *giq_address_join(const char *base, const char *location);

/* `text` percent-encoded for a query, to be freed; NULL when out of memory. */
char *giq_address_escape(const char *text);

#endif
