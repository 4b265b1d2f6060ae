#include "server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <ogr_api.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "odd.h"
#include "request.h"
#include "stac.h"
#include "text.h"

enum { BLOCK_BYTES = 512 * 1024, WAIT_SLICE_MS = 20, HANG_S = 24 * 3600 };

struct server {
    struct server_settings settings;
    struct MHD_Daemon *daemon;
    atomic_bool stops;
};

/* ---- responding ---- */

/* Write the request into the journal, then respond. */
static enum MHD_Result respond(struct server *server, struct request *request,
                               unsigned status, struct MHD_Response *response)
{
    const char *job = cJSON_GetStringValue(cJSON_GetObjectItem(request->entry, "job"));
    (void)cJSON_ReplaceItemInObject(request->entry, "status", cJSON_CreateNumber(status));
    if (request->fault.kind == FAULT_LOST) {
        (void)cJSON_ReplaceItemInObject(request->entry, "status", cJSON_CreateNumber(0));
    }
    journal_write(server->settings.journal, request->entry);
    request->is_answered = true;
    if (request->fault.kind == FAULT_LOST) {
        text_log("%s %s: the response is lost", request->method, request->path);
        MHD_destroy_response(response);
        return MHD_NO;
    }
    text_log("%s %s %u%s%s", request->method, request->path, status,
             job == NULL ? "" : " ", job == NULL ? "" : job);
    enum MHD_Result result = MHD_queue_response(request->connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result respond_json(struct server *server, struct request *request,
                                    unsigned status, cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    if (text == NULL) {
        return MHD_NO;
    }
    size_t len = strlen(text);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        (request->fault.odd & ODD_HALF) != 0 ? len / 2 : len, text,
        MHD_RESPMEM_MUST_COPY);
    cJSON_free(text);
    (void)MHD_add_response_header(response, "Content-Type", "application/json");
    return respond(server, request, status, response);
}

static enum MHD_Result respond_error(struct server *server, struct request *request,
                                     unsigned status, const char *message)
{
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddNumberToObject(json, "status", status);
    (void)cJSON_AddStringToObject(json, "error", MHD_get_reason_phrase_for(status));
    (void)cJSON_AddStringToObject(json, "message", message);
    return respond_json(server, request, status, json);
}

static cJSON *describe_job(const struct job_view *job)
{
    char started[TEXT_TIME_SIZE];
    cJSON *json = cJSON_CreateObject();
    text_time(job->started_ms, started);
    (void)cJSON_AddStringToObject(json, "id", job->id);
    (void)cJSON_AddStringToObject(json, "status", job->status);
    (void)cJSON_AddStringToObject(json, "type", job->type);
    (void)cJSON_AddStringToObject(json, "startedAt", started);
    if (job->error != NULL) {
        (void)cJSON_AddStringToObject(json, "message", job->error);
    }
    return json;
}

static void note_job(struct request *request, const char *id)
{
    (void)cJSON_ReplaceItemInObject(request->entry, "job", cJSON_CreateString(id));
}

/* ---- the calls ---- */

static enum MHD_Result list_models(struct server *server, struct request *request)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < models_count; i++) {
        if (!model_is_offered(&models[i], server->settings.offers_wait)) {
            continue;
        }
        cJSON *model = cJSON_CreateObject();
        int labels = 0;
        (void)cJSON_AddStringToObject(model, "id", models[i].id);
        (void)cJSON_AddStringToObject(model, "name", models[i].name);
        (void)cJSON_AddStringToObject(model, "version", models[i].version);
        (void)cJSON_AddStringToObject(model, "type", models[i].type);
        while (models[i].labels[labels] != NULL) {
            labels++;
        }
        (void)cJSON_AddItemToObject(model, "labels",
                                    cJSON_CreateStringArray(models[i].labels, labels));
        (void)cJSON_AddStringToObject(model, "description", models[i].description);
        (void)cJSON_AddItemToArray(list, model);
    }
    return respond_json(server, request, MHD_HTTP_OK, list);
}

static bool is_geometry(const char *wkt)
{
    char *at = (char *)wkt;
    OGRGeometryH geometry = NULL;
    bool ok = OGR_G_CreateFromWkt(&at, NULL, &geometry) == OGRERR_NONE;
    OGR_G_DestroyGeometry(geometry);
    return ok;
}

static enum MHD_Result run_job(struct server *server, struct request *request)
{
    const char *model_id = request_field(request, "modelId");
    const char *file_id = request_field(request, "fileId");
    const char *area = request_field(request, "geometry");
    if (request->is_too_large) {
        return respond_error(server, request, 413, "The form is too large");
    }
    if (model_id == NULL || model_id[0] == '\0' || file_id == NULL ||
        file_id[0] == '\0') {
        return respond_error(server, request, 400, "modelId and fileId are required");
    }
    if (area != NULL && !is_geometry(area)) {
        return respond_error(server, request, 400, "geometry is not valid WKT");
    }
    const struct model *model = model_find(model_id);
    if (!model_is_offered(model, server->settings.offers_wait)) {
        return respond_error(server, request, 404, "Model not found");
    }
    char *path = files_find(server->settings.files, file_id);
    if (path == NULL) {
        return respond_error(server, request, 404, "File not found");
    }
    free(path);
    struct job_view job;
    if (!jobs_add(server->settings.jobs, model, file_id, area, &job)) {
        return respond_error(server, request, 500,
                             "Error occurred while running inference.");
    }
    note_job(request, job.id);
    enum MHD_Result result = respond_json(server, request, 200, describe_job(&job));
    job_view_release(&job);
    return result;
}

static enum MHD_Result tell_status(struct server *server, struct request *request)
{
    const char *id = request_query(request, "inferenceId");
    struct job_view job;
    if (id == NULL || !jobs_look(server->settings.jobs, id, &job)) {
        return respond_error(server, request, 404, "Inference Job not found");
    }
    if (request->fault.kind == FAULT_STATE) {
        job.status = request->fault.text;
    }
    note_job(request, job.id);
    enum MHD_Result result = respond_json(server, request, 200, describe_job(&job));
    job_view_release(&job);
    return result;
}

/* ---- the download ---- */

struct stream {
    int fd;
    uint64_t most; /* bytes after which it is cut */
};

static ssize_t read_block(void *ctx, uint64_t position, char *block, size_t max)
{
    const struct stream *stream = ctx;
    if (position >= stream->most) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    uint64_t left = stream->most - position;
    ssize_t len = read(stream->fd, block, left < max ? (size_t)left : max);
    if (len < 0) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    return len == 0 ? MHD_CONTENT_READER_END_OF_STREAM : len;
}

static void close_stream(void *ctx)
{
    struct stream *stream = ctx;
    (void)close(stream->fd);
    free(stream);
}

/* Without a length, as the service does: MHD sends chunks then. */
static enum MHD_Result send_file(struct server *server, struct request *request,
                                 const char *path)
{
    const struct fault *fault = &request->fault;
    struct stream *stream = malloc(sizeof *stream);
    if (stream == NULL) {
        abort();
    }
    stream->fd = open(path, O_RDONLY | O_CLOEXEC);
    stream->most = fault->kind == FAULT_CUT ? (uint64_t)fault->number : UINT64_MAX;
    if (stream->fd < 0) {
        free(stream);
        return respond_error(server, request, 500,
                             "Error occurred while streaming the file");
    }
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_block, stream, close_stream);
    char *disposition = text_make("attachment; filename=%s", strrchr(path, '/') + 1);
    (void)MHD_add_response_header(response, "Content-Type", "application/octet-stream");
    (void)MHD_add_response_header(response, "Content-Disposition", disposition);
    free(disposition);
    return respond(server, request, MHD_HTTP_OK, response);
}

static enum MHD_Result download(struct server *server, struct request *request)
{
    const char *id = request_query(request, "inferenceJobId");
    struct job_view job;
    if (id == NULL || id[0] == '\0') {
        return respond_error(server, request, 400,
                             "InferenceJob id cannot be null or empty");
    }
    if (!jobs_look(server->settings.jobs, id, &job)) {
        return respond_error(server, request, 404, "Inference Job not found");
    }
    note_job(request, job.id);
    enum MHD_Result result =
        job.result_path == NULL
            ? respond_error(server, request, 409, "Inference Job is not completed")
            : send_file(server, request, job.result_path);
    job_view_release(&job);
    return result;
}

static enum MHD_Result upload(struct server *server, struct request *request)
{
    const char *type = request_query(request, "sourceType");
    if (type != NULL && !files_is_source_type(type)) {
        return respond_error(server, request, 400, "sourceType is not known");
    }
    if (request->is_too_large) {
        request_drop_upload(request);
        return respond_error(server, request, 413, "Files are at most 100 MB");
    }
    if (!request_end_upload(request)) {
        return respond_error(server, request, 400, "file is required");
    }
    if (!files_keep(server->settings.files, request->upload_id, request->upload_name)) {
        return respond_error(server, request, 500, "Error occurred while uploading.");
    }
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(json, "fileId", request->upload_id);
    (void)cJSON_AddStringToObject(json, "originalName", request->upload_name);
    (void)cJSON_AddNumberToObject(json, "size", (double)request->upload_size);
    (void)cJSON_AddStringToObject(json, "sourceType", type == NULL ? "UNKNOWN" : type);
    return respond_json(server, request, 200, json);
}

/* ---- the STAC calls ---- */

/* `base` is to be freed. */
static struct stac_context stac_context(struct server *server, struct request *request,
                                        char **base)
{
    const char *host = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                   MHD_HTTP_HEADER_HOST);
    *base = host != NULL ? text_make("http://%s/public", host)
                         : text_make("http://127.0.0.1:%d/public", server_port(server));
    return (struct stac_context){
        .catalogue = server->settings.catalogue,
        .base = *base,
        .data_port = server->settings.data_port,
        .odd = request->fault.odd,
    };
}

static enum MHD_Result list_collections(struct server *server, struct request *request)
{
    char *base = NULL;
    const struct stac_context context = stac_context(server, request, &base);
    cJSON *page = stac_collections(&context);
    free(base);
    return respond_json(server, request, 200, page);
}

static enum MHD_Result respond_items(struct server *server, struct request *request,
                                     const cJSON *body)
{
    char *base = NULL;
    const char *error = NULL;
    const struct stac_context context = stac_context(server, request, &base);
    cJSON *page = stac_search(&context, body, &error);
    free(base);
    return page == NULL ? respond_error(server, request, 400, error)
                        : respond_json(server, request, 200, page);
}

static enum MHD_Result search(struct server *server, struct request *request)
{
    const char *text = request->json == NULL ? "{}" : request->json;
    cJSON *body = cJSON_Parse(text);
    if (request->is_too_large) {
        cJSON_Delete(body);
        return respond_error(server, request, 413, "The body is too large");
    }
    (void)cJSON_AddItemToObject(request->entry, "body",
                                body == NULL ? cJSON_CreateString(text)
                                             : cJSON_Duplicate(body, true));
    enum MHD_Result result = respond_items(server, request, body);
    cJSON_Delete(body);
    return result;
}

/* A parameter of the query that is JSON, if `form` is put around it. */
static void add_parameter(cJSON *body, const struct request *request, const char *name,
                          const char *before, const char *after)
{
    const char *value = request_query(request, name);
    if (value != NULL) {
        char *text = text_make("%s%s%s", before, value, after);
        cJSON *json = cJSON_Parse(text);
        (void)cJSON_AddItemToObject(body, name,
                                    json == NULL ? cJSON_CreateString(value) : json);
        free(text);
    }
}

static enum MHD_Result list_items(struct server *server, struct request *request)
{
    if (!stac_has_collection(request->segment[0])) {
        return respond_error(server, request, 404, "Collection not found");
    }
    cJSON *body = cJSON_CreateObject();
    add_parameter(body, request, "limit", "", "");
    add_parameter(body, request, "offset", "", "");
    add_parameter(body, request, "bbox", "[", "]");
    add_parameter(body, request, "datetime", "\"", "\"");
    cJSON *collections = cJSON_AddArrayToObject(body, "collections");
    (void)cJSON_AddItemToArray(collections, cJSON_CreateString(request->segment[0]));
    enum MHD_Result result = respond_items(server, request, body);
    cJSON_Delete(body);
    return result;
}

static enum MHD_Result tell_item(struct server *server, struct request *request)
{
    char *base = NULL;
    const struct stac_context context = stac_context(server, request, &base);
    cJSON *item = stac_item(&context, request->segment[0], request->segment[1]);
    free(base);
    return item == NULL ? respond_error(server, request, 404, "Item not found")
                        : respond_json(server, request, 200, item);
}

/* ---- routing ---- */

struct route {
    const char *path; /* each * stands for one segment */
    const char *name; /* of the call, for its faults */
    const char *method;
    enum MHD_Result (*call)(struct server *, struct request *);
};

static const struct route routes[] = {
    {"/inference/models", "models", "GET", list_models},
    {"/inference/run", "run", "POST", run_job},
    {"/inference/status", "status", "GET", tell_status},
    {"/inference/download", "download", "GET", download},
    {"/file/upload", "upload", "POST", upload},
    {"/stac/collections", "collections", "GET", list_collections},
    {"/stac/collections/*/items", "items", "GET", list_items},
    {"/stac/collections/*/items/*", "item", "GET", tell_item},
    {"/stac/search", "search", "POST", search},
};

/* Whether the path fits the route; then the request has its variable segments. */
static bool fits(const struct route *route, struct request *request)
{
    const char *path = request->path;
    int segments = 0;
    const char *at = route->path;
    for (; *at != '\0' && *path != '\0'; at++) {
        if (*at == '*') {
            size_t len = strcspn(path, "/");
            free(request->segment[segments]);
            request->segment[segments++] = text_make("%.*s", (int)len, path);
            path += len;
        } else if (*at != *path++) {
            return false;
        }
    }
    return *at == '\0' && *path == '\0';
}

static const struct route *find_route(struct request *request)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (fits(&routes[i], request)) {
            return &routes[i];
        }
    }
    return NULL;
}

static bool header_is(const struct request *request, const char *name, const char *prefix,
                      const char *secret)
{
    const char *value =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
    size_t len = strlen(prefix);
    return secret != NULL && value != NULL && strncmp(value, prefix, len) == 0 &&
           strcmp(value + len, secret) == 0;
}

static enum MHD_Result route(struct server *server, struct request *request)
{
    const struct route *found = request->route;
    const struct server_settings *settings = &server->settings;
    if (!header_is(request, "X-API-KEY", "", settings->api_key) &&
        !header_is(request, "Authorization", "Bearer ", settings->bearer_token)) {
        return respond_error(server, request, 401, "Unauthorized Request");
    }
    if (found == NULL) {
        return respond_error(server, request, 404, "No such endpoint");
    }
    return strcmp(request->method, found->method) == 0
               ? found->call(server, request)
               : respond_error(server, request, 405, "Method not allowed");
}

/* ---- faults ---- */

/* Let time pass, until the client goes away or the server stops. */
static bool wait_for(struct server *server, struct request *request, double seconds)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int64_t until = text_now_ms() + (int64_t)(seconds * 1000);
    while (text_now_ms() < until && !server->stops) {
        struct pollfd client = {.fd = info->connect_fd, .events = POLLRDHUP};
        if (poll(&client, 1, WAIT_SLICE_MS) == 1) {
            return false;
        }
    }
    return !server->stops;
}

static enum MHD_Result respond_fault(struct server *server, struct request *request)
{
    const struct fault *fault = &request->fault;
    unsigned status = fault->kind == FAULT_BODY ? 200 : (unsigned)fault->number;
    const char *text =
        fault->kind == FAULT_BODY ? fault->text : "{\"message\":\"fault\"}";
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);
    if (fault->retry_after >= 0) {
        char *seconds = text_make("%.0f", fault->retry_after);
        (void)MHD_add_response_header(response, "Retry-After", seconds);
        free(seconds);
    }
    return respond(server, request, status, response);
}

static enum MHD_Result route_with_fault(struct server *server, struct request *request)
{
    switch (request->fault.kind) {
    case FAULT_STATUS:
    case FAULT_BODY:
        return respond_fault(server, request);
    case FAULT_HANG:
        (void)wait_for(server, request, HANG_S);
        return MHD_NO;
    case FAULT_RESET_BEFORE:
    case FAULT_RESET_AFTER:
        return MHD_NO;
    case FAULT_LATE:
        if (!wait_for(server, request, request->fault.number)) {
            return MHD_NO;
        }
        break;
    case FAULT_NONE:
    case FAULT_LOST:
    case FAULT_STATE:
    case FAULT_CUT:
    case FAULT_ODD:
        break;
    }
    return route(server, request);
}

/* Control calls are not of the service: no key, no journal. */
static enum MHD_Result control(struct server *server, struct request *request)
{
    bool ok = !request->is_too_large && request->json != NULL &&
              faults_replace(server->settings.faults, request->json);
    const char *text = ok ? "{}" : "{\"message\":\"not a list of faults\"}";
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
    request->is_answered = true;
    enum MHD_Result result =
        MHD_queue_response(request->connection, ok ? 200 : 400, response);
    MHD_destroy_response(response);
    return result;
}

static struct request *begin(struct server *server, struct MHD_Connection *connection,
                             const char *url, const char *method)
{
    struct request *request =
        request_new(connection, url, method, server->settings.files);
    request->route = find_route(request);
    if (request->route != NULL) {
        request->fault = faults_take(server->settings.faults, request->route->name);
    }
    return request;
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection,
                              const char *url, const char *method, const char *version,
                              const char *bytes, size_t *len, void **state)
{
    struct server *server = ctx;
    (void)version;
    if (*state == NULL) {
        struct request *request = begin(server, connection, url, method);
        *state = request;
        return request->fault.kind == FAULT_RESET_BEFORE ? MHD_NO : MHD_YES;
    }
    struct request *request = *state;
    if (*len > 0) {
        request_receive(request, bytes, *len);
        *len = 0;
        return MHD_YES;
    }
    if (request->is_answered) {
        return MHD_YES;
    }
    return request->is_control ? control(server, request)
                               : route_with_fault(server, request);
}

/* A request whose client went away before the response has the status 0. */
static void completed(void *ctx, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode code)
{
    struct server *server = ctx;
    struct request *request = *state;
    (void)connection;
    (void)code;
    if (request != NULL) {
        if (!request->is_answered && !request->is_control) {
            journal_write(server->settings.journal, request->entry);
        }
        request_free(request);
        *state = NULL;
    }
}

/* ---- the whole ---- */

struct server *server_start(const struct server_settings *settings)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        abort();
    }
    server->settings = *settings;
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)settings->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL,
        handle, server, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED,
        completed, server, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(1 << 20),
        MHD_OPTION_END);
    if (server->daemon == NULL) {
        text_log("cannot listen on port %d", settings->port);
        free(server);
        return NULL;
    }
    return server;
}

int server_port(const struct server *server)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info->port;
}

void server_stop(struct server *server)
{
    server->stops = true;
    MHD_stop_daemon(server->daemon);
    free(server);
}
