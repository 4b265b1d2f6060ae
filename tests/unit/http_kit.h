/* A web server on 127.0.0.1 that gives scripted responses in order, each to the
 * next request whatever it asks for, and keeps the requests. One thread serves all
 * connections; what it is given is borrowed until it stops. */
#ifndef GIQ_TESTS_HTTP_KIT_H
#define GIQ_TESTS_HTTP_KIT_H

#include <stddef.h>

enum http_kit_then {
    HTTP_KIT_KEEP,   /* keep the connection */
    HTTP_KIT_CLOSE,  /* close it after the response */
    HTTP_KIT_SILENT, /* keep it after what `raw` says; the response never ends */
};

/* A response: `raw` as it is, or else built of the other members. */
struct http_kit_response {
    const char *headers; /* lines, each with its end; NULL: none */
    const char *body;    /* NULL: empty */
    const char *raw;
    size_t body_len; /* 0: `body`, or `raw`, ends with a NUL */
    size_t fill;     /* so many 'x' more in the body */
    int status;
    enum http_kit_then then;
};

/* Responses and their count, for a function that is given both. They live as long as the
 * block. */
#define HTTP_KIT_SCRIPT(...)                                                             \
    (const struct http_kit_response[]){__VA_ARGS__},                                     \
        sizeof((const struct http_kit_response[]){__VA_ARGS__}) /                        \
            sizeof(struct http_kit_response)

struct http_kit;

struct http_kit *http_kit_start(const struct http_kit_response *responses, size_t count);
void http_kit_stop(struct http_kit *kit); /* NULL is allowed */

/* "http://127.0.0.1:<port>"; borrowed. */
const char *http_kit_url(const struct http_kit *kit);

/* How many requests came whole; the bytes of one, and on which connection (from 0)
 * it came. The texts live until the server stops. */
size_t http_kit_count(struct http_kit *kit);
const char *http_kit_request(struct http_kit *kit, size_t i);
int http_kit_connection(struct http_kit *kit, size_t i);

#endif
