#include "request.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "text.h"

enum { FORM_BUFFER = 64 * 1024 };

/* ---- what the journal says ---- */

static bool is_secret(const char *name)
{
    static const char *const names[] = {"x-api-key", "authorization",
                                        "proxy-authorization", "cookie"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum MHD_Result note_header(void *ctx, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    char lower[128];
    size_t i = 0;
    (void)kind;
    for (; name[i] != '\0' && i < sizeof lower - 1; i++) {
        lower[i] = (char)tolower((unsigned char)name[i]);
    }
    lower[i] = '\0';
    (void)cJSON_AddStringToObject(
        ctx, lower, is_secret(name) ? "present" : (value == NULL ? "" : value));
    return MHD_YES;
}

static enum MHD_Result note_query(void *ctx, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    (void)cJSON_AddStringToObject(ctx, name, value == NULL ? "" : value);
    return MHD_YES;
}

static void note_client(struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr_in *address = (const void *)info->client_addr;
    char *port = text_make("%d", (int)ntohs(address->sin_port));
    (void)cJSON_AddStringToObject(request->entry, "connection", port);
    free(port);
}

static void note_request(struct request *request, const char *url, const char *method)
{
    static const char prefix[] = "/public/";
    const char *path =
        strncmp(url, prefix, sizeof prefix - 1) == 0 ? url + sizeof prefix - 2 : url;
    cJSON *entry = request->entry;
    (void)cJSON_AddNullToObject(entry, "n");
    (void)cJSON_AddNullToObject(entry, "time");
    request->method =
        cJSON_GetStringValue(cJSON_AddStringToObject(entry, "method", method));
    request->path = cJSON_GetStringValue(cJSON_AddStringToObject(entry, "path", path));
    (void)MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND,
                                    note_query, cJSON_AddObjectToObject(entry, "query"));
    (void)cJSON_AddObjectToObject(entry, "form");
    (void)MHD_get_connection_values(request->connection, MHD_HEADER_KIND, note_header,
                                    cJSON_AddObjectToObject(entry, "headers"));
    (void)cJSON_AddNumberToObject(entry, "status", 0);
    (void)cJSON_AddNullToObject(entry, "job");
    note_client(request);
}

/* ---- the form ---- */

static bool open_upload(struct request *request, const char *name)
{
    request->upload_id = files_new_id();
    request->upload_name = text_make("%s", name);
    char *path = files_part(request->files, request->upload_id);
    request->upload = fopen(path, "we");
    free(path);
    return request->upload != NULL;
}

static enum MHD_Result take_file(struct request *request, const char *name,
                                 const char *bytes, size_t len)
{
    if (request->upload_id == NULL && !open_upload(request, name)) {
        return MHD_NO;
    }
    request->upload_size += (int64_t)len;
    if (request->upload_size > REQUEST_UPLOAD_MAX) {
        request->is_too_large = true;
        return MHD_YES;
    }
    return fwrite(bytes, 1, len, request->upload) == len ? MHD_YES : MHD_NO;
}

/* Put a part of a field behind those that came before. */
static void put_part(struct request *request, const char *name, const char *bytes,
                     size_t offset, size_t len)
{
    cJSON *form = cJSON_GetObjectItem(request->entry, "form");
    if (offset == 0) {
        cJSON_DeleteItemFromObject(form, name);
        (void)cJSON_AddStringToObject(form, name, "");
        request->field_room = 1;
    }
    cJSON *field = cJSON_GetObjectItem(form, name);
    if (offset + len + 1 > request->field_room) {
        request->field_room = 2 * (offset + len + 1);
        field->valuestring = realloc(field->valuestring, request->field_room);
        if (field->valuestring == NULL) {
            abort();
        }
    }
    memcpy(field->valuestring + offset, bytes, len);
    field->valuestring[offset + len] = '\0';
}

/* Fields come in parts; `offset` says where this one begins. */
static enum MHD_Result take_field(void *ctx, enum MHD_ValueKind kind, const char *name,
                                  const char *file, const char *type,
                                  const char *encoding, const char *bytes,
                                  uint64_t offset, size_t len)
{
    struct request *request = ctx;
    (void)kind;
    (void)type;
    (void)encoding;
    if (file != NULL) {
        if (request_field(request, name) == NULL) {
            put_part(request, name, file, 0, strlen(file));
        }
        return take_file(request, file, bytes, len);
    }
    if (offset + len > REQUEST_FIELD_MAX) {
        request->is_too_large = true;
        return MHD_YES;
    }
    put_part(request, name, bytes, (size_t)offset, len);
    return MHD_YES;
}

/* ---- the whole ---- */

struct request *request_new(struct MHD_Connection *connection, const char *url,
                            const char *method, struct files *files)
{
    struct request *request = calloc(1, sizeof *request);
    if (request == NULL) {
        abort();
    }
    request->connection = connection;
    request->files = files;
    request->entry = cJSON_CreateObject();
    note_request(request, url, method);
    request->is_control = strcmp(url, "/control/faults") == 0;
    request->has_json = request->is_control || strcmp(request->path, "/stac/search") == 0;
    request->post = request->has_json ? NULL
                                      : MHD_create_post_processor(connection, FORM_BUFFER,
                                                                  take_field, request);
    return request;
}

static void receive_json(struct request *request, const char *bytes, size_t len)
{
    request->is_too_large = request->json_len + len > REQUEST_JSON_MAX;
    if (!request->is_too_large) {
        char *whole = text_make("%s%.*s", request->json == NULL ? "" : request->json,
                                (int)len, bytes);
        free(request->json);
        request->json = whole;
        request->json_len += len;
    }
}

void request_receive(struct request *request, const char *bytes, size_t len)
{
    if (request->has_json) {
        receive_json(request, bytes, len);
    }
    if (request->post != NULL) {
        (void)MHD_post_process(request->post, bytes, len);
    }
}

static const char *member(const struct request *request, const char *part,
                          const char *name)
{
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(request->entry, part);
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

const char *request_field(const struct request *request, const char *name)
{
    return member(request, "form", name);
}

const char *request_query(const struct request *request, const char *name)
{
    return member(request, "query", name);
}

bool request_end_upload(struct request *request)
{
    bool ok = request->upload != NULL && fclose(request->upload) == 0;
    request->upload = NULL;
    return ok;
}

void request_drop_upload(struct request *request)
{
    (void)request_end_upload(request);
    if (request->upload_id != NULL) {
        char *path = files_part(request->files, request->upload_id);
        (void)unlink(path);
        free(path);
    }
}

void request_free(struct request *request)
{
    if (request->post != NULL) {
        (void)MHD_destroy_post_processor(request->post);
    }
    request_drop_upload(request);
    free(request->upload_id);
    free(request->upload_name);
    free(request->json);
    for (int i = 0; i < REQUEST_SEGMENTS; i++) {
        free(request->segment[i]);
    }
    cJSON_Delete(request->entry);
    free(request);
}
