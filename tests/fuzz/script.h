/*
 * A service that responds from a text, in place of giq_http_exchange() (the linker's
 * --wrap). The code that interprets responses is the real one. Responses have the form of
 * HTTP/1.1, separated by lines "~~~"; "cut " before one means that the connection ends
 * within its body. After the last response there is no connection.
 */
#ifndef GIQ_TESTS_SCRIPT_H
#define GIQ_TESTS_SCRIPT_H

#include "fuzz.h"

#include "net/giq_http.h"

struct script {
    struct giq_service *service;
    struct giq_env env; /* its clock advances only by sleeping */
    char *text;
    char *rest;
    int64_t now_ms;
    int sent;          /* requests that were sent */
    int posts;         /* ... that were POSTs */
    int tries;         /* requests, also those that were not sent */
    bool was_sent;     /* the last one was sent */
    bool was_cut;      /* its response was cut */
    int status;        /* of the last response, 0 without one */
    bool has_location; /* it is a redirect with a target */
    bool is_proven;    /* its end was proven */
    bool has_strong_etag;
};

/* `data` is the script; one may run at a time. */
void script_start(struct script *script, const uint8_t *data, size_t size);
void script_stop(struct script *script);

#endif
