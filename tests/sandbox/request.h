/*
 * One HTTP request while it is received: what of it goes into the journal, the
 * fields of its form, and the file that it uploads.
 */
#ifndef SANDBOX_REQUEST_H
#define SANDBOX_REQUEST_H

#include <cJSON.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "fault.h"
#include "files.h"

/* Most bytes of the JSON of a call. */
enum { REQUEST_JSON_MAX = 64 * 1024 };
/* Most bytes of one field of a form, and of an upload (the service's limit). */
enum { REQUEST_FIELD_MAX = 64 * 1024 * 1024, REQUEST_UPLOAD_MAX = 100 * 1000 * 1000 };

/* Variable segments of a path. */
enum { REQUEST_SEGMENTS = 2 };

struct route;

struct request {
    struct MHD_Connection *connection;
    struct MHD_PostProcessor *post;  /* NULL without a form */
    cJSON *entry;                    /* of the journal */
    const char *path;                /* without /public; in `entry` */
    const char *method;              /* in `entry` */
    const struct route *route;       /* NULL: no such call */
    char *segment[REQUEST_SEGMENTS]; /* the variable ones of the path, or NULL */
    struct files *files;
    char *upload_id;   /* while a file comes in */
    char *upload_name; /* as the client calls it */
    FILE *upload;
    int64_t upload_size;
    size_t field_room; /* bytes of the field that comes in */
    char *json;        /* the body of a control call or a search, or NULL */
    size_t json_len;
    struct fault fault; /* that it gets */
    bool is_control;
    bool has_json; /* the body is no form */
    bool is_too_large;
    bool is_answered; /* and in the journal */
};

/* `url` and `method` are copied. Never NULL. */
struct request *request_new(struct MHD_Connection *connection, const char *url,
                            const char *method, struct files *files);

/* Take in a part of the body. */
void request_receive(struct request *request, const char *bytes, size_t len);

/* The value of a field of the form, or of the query; NULL where it is absent. */
const char *request_field(const struct request *request, const char *name);
const char *request_query(const struct request *request, const char *name);

/* Close the uploaded file; true where there was one. */
bool request_end_upload(struct request *request);

/* Remove the file of an upload, unless it was kept. */
void request_drop_upload(struct request *request);

/* Drops the upload too. */
void request_free(struct request *request);

#endif
