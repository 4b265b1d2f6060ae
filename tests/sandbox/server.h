/*
 * The calls of the service over HTTP, as its description has them: models, run,
 * status, download and upload, with its errors word for word, and the STAC calls.
 */
#ifndef SANDBOX_SERVER_H
#define SANDBOX_SERVER_H

#include <stdbool.h>

#include "catalogue.h"
#include "fault.h"
#include "files.h"
#include "jobs.h"
#include "journal.h"

struct server_settings {
    int port;                 /* 0: a free one */
    const char *api_key;      /* or NULL */
    const char *bearer_token; /* or NULL */
    int data_port;            /* of the presigned addresses in STAC items */
    bool offers_wait;         /* the model that only waits */
    struct files *files;
    struct catalogue *catalogue;
    struct jobs *jobs;
    struct faults *faults;
    struct journal *journal;
};

struct server;

/* Listen on the loopback address only. NULL where that fails, which is logged.
 * What `settings` points to must live as long. */
struct server *server_start(const struct server_settings *settings);
int server_port(const struct server *server);
void server_stop(struct server *server);

#endif
