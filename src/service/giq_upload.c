/*
 * The digest of a file, cached in the store, and its upload.
 */
#include "service/giq_upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_env.h"
#include "base/giq_text.h"
#include "net/giq_url.h"
#include "result/giq_name.h"
#include "service/giq_call.h"
#include "store/giq_content.h"

enum {
    BLOCK_BYTES = 256 * 1024,
    /* Resolution of file times: COARSE if the time is a whole second, else FINE. A file
     * that was written more recently may change again and keep its time. */
    COARSE_MS = 2000,
    FINE_MS = 20,
    EXPECTATION_FAILED = 417, /* of old proxies, for "Expect: 100-continue" */
    NS_PER_MS = 1000000,
    NS_PER_S = 1000000000,
    PRINTED_MAX = 40, /* bytes of an invalid value in a message */
};

/* For GIQ_SOURCE_TYPES(): the names as an array, and as one text. */
#define SEPARATOR     ", "
#define NAME_OF(name) name,
#define LISTED(name)  name SEPARATOR

bool giq_upload_type(const char *option, const char *text, const char **out,
                     struct giq_error *err)
{
    static const char *const types[] = {GIQ_SOURCE_TYPES(NAME_OF)};
    static const char list[] = GIQ_SOURCE_TYPES(LISTED);
    for (size_t i = 0; i < GIQ_COUNT(types); i++) {
        if (giq_text_equal_nocase(text, types[i])) {
            *out = types[i];
            return true;
        }
    }
    struct giq_printable printable;
    return giq_fail(err, GIQ_E_USAGE, "%s must be one of %.*s; got \"%.*s\"", option,
                    (int)(sizeof list - sizeof SEPARATOR), list,
                    giq_text_cut_len(giq_text_printable(text, &printable), PRINTED_MAX),
                    printable.text);
}

/* ---- identifying the content ---- */

static bool fail_changed(const struct giq_source *source, struct giq_error *err)
{
    struct giq_printable printable;
    return giq_fail(
        err, GIQ_E_USAGE,
        "the file %s changed while it was read; open again when it is complete",
        giq_text_printable(source->path, &printable));
}

static bool check_size(const struct giq_source *source, int64_t size,
                       struct giq_error *err)
{
    struct giq_printable path;
    (void)giq_text_printable(source->path, &path);
    if (size <= 0) {
        return giq_fail(err, GIQ_E_USAGE, "the file to upload is empty: %s", path.text);
    }
    if (size > GIQ_UPLOAD_BYTES_MAX) {
        return giq_fail(
            err, GIQ_E_USAGE,
            "%s has %lld bytes; an upload may have %d bytes at most. Upload it "
            "on the service's web page and open it with file=<id>",
            path.text, (long long)size, GIQ_UPLOAD_BYTES_MAX);
    }
    return true;
}

/* Digest the file, which must have `size` bytes. */
static bool digest_file(const struct giq_source *source, int64_t size,
                        const struct giq_env *env, struct giq_digest *digest,
                        struct giq_error *err)
{
    GIQ_AUTO_FREE char *block = malloc(BLOCK_BYTES);
    if (block == NULL) {
        return giq_fail_memory(err);
    }
    if (!source->open(source->ctx, err)) {
        return false;
    }
    size_t len = 0;
    /* One more read after `size` bytes checks that the file did not grow. */
    for (int64_t left = size; left >= 0; left -= (int64_t)len) {
        if (!giq_env_check_cancelled(env, " while the file was read", err) ||
            !source->read(source->ctx, block, BLOCK_BYTES, &len, err)) {
            return false;
        }
        if (len == 0) {
            return left == 0 || fail_changed(source, err);
        }
        if (!giq_digest_add(digest, block, len, err)) {
            return false;
        }
    }
    return fail_changed(source, err);
}

static bool is_same(const struct giq_source_stat *a, const struct giq_source_stat *b)
{
    return a->size == b->size && a->modified_ns == b->modified_ns &&
           a->changed_ns == b->changed_ns && a->device == b->device &&
           a->inode == b->inode;
}

/* Write the digest of the file into `out`, which has GIQ_DIGEST_HEX_SIZE bytes. Fails if
 * the file no longer has the status `stat` afterwards. */
static bool read_content(const struct giq_source *source,
                         const struct giq_source_stat *stat, const struct giq_env *env,
                         char *out, struct giq_error *err)
{
    struct giq_digest *digest = NULL;
    struct giq_source_stat after;
    if (!giq_digest_new(&digest, err)) {
        return false;
    }
    bool ok = digest_file(source, stat->size, env, digest, err) &&
              giq_digest_finish(digest, out, err);
    source->close(source->ctx);
    giq_digest_free(digest);
    if (!ok || !source->stat(source->ctx, &after, err)) {
        return false;
    }
    return is_same(stat, &after) || fail_changed(source, err);
}

/* Whether a time of the file is so old that a change after `stat_ms` (since 1970-01-01
 * UTC) must alter it. */
static bool is_older(int64_t time_ns, int64_t stat_ms)
{
    int64_t min_age_ms = time_ns % NS_PER_S == 0 ? COARSE_MS : FINE_MS;
    return stat_ms - time_ns / NS_PER_MS >= min_age_ms;
}

/* Whether a file with this status at `stat_ms` can be recognised by the status: a later
 * change alters it. */
static bool is_stable(const struct giq_source_stat *stat, int64_t stat_ms)
{
    return stat->inode != 0 && is_older(stat->modified_ns, stat_ms) &&
           is_older(stat->changed_ns, stat_ms);
}

static bool set_file(struct giq_content *content, const struct giq_source *source,
                     const struct giq_source_stat *stat, struct giq_error *err)
{
    if (!giq_content_set_file(content, source->absolute_path, stat, err) ||
        !giq_content_write(content, err)) {
        return false;
    }
    return stat == NULL || giq_content_write_hint(content, source->absolute_path, err);
}

/* Record that the file with this status has the content; if `stat` is NULL, remove the
 * file from the record. A failure is only logged: a file that is not recorded is read
 * again next time. */
static void record_content(const struct giq_store *store, const char *digest,
                           const struct giq_source *source,
                           const struct giq_source_stat *stat, const struct giq_env *env)
{
    struct giq_error failure = {0};
    struct giq_lock *lock = NULL;
    struct giq_content content = {.json = NULL};
    bool ok = giq_content_acquire_lock(store, digest, &lock, &failure) &&
              giq_content_read(store, digest, &content, &failure) &&
              set_file(&content, source, stat, &failure);
    if (!ok) {
        giq_env_debug(env, "the digest of %s is not recorded: %s", source->path,
                      failure.text);
    }
    giq_content_release(&content);
    giq_lock_release(lock);
}

bool giq_upload_identify(const struct giq_store *store, const struct giq_source *source,
                         const char *type, const struct giq_env *env,
                         struct giq_upload *out, struct giq_error *err)
{
    struct giq_source_stat stat;
    struct giq_upload upload = {.source = source, .type = type};
    int64_t stat_ms = env->wall_ms(env->ctx);
    if (!source->stat(source->ctx, &stat, err) || !check_size(source, stat.size, err)) {
        return false;
    }
    if (stat.inode != 0 &&
        !giq_content_find(store, source->absolute_path, &stat, upload.digest, err)) {
        return false;
    }
    if (upload.digest[0] == '\0') {
        if (!read_content(source, &stat, env, upload.digest, err)) {
            return false;
        }
        if (is_stable(&stat, stat_ms)) {
            record_content(store, upload.digest, source, &stat, env);
        }
    }
    upload.size = stat.size;
    *out = upload;
    return true;
}

/* ---- sending ---- */

/* A file that is being sent. */
struct outgoing {
    const struct giq_upload *upload;
    struct giq_digest *digest;
    int64_t sent;
};

static bool begin_file(void *ctx, struct giq_error *err)
{
    struct outgoing *outgoing = ctx;
    const struct giq_source *source = outgoing->upload->source;
    outgoing->sent = 0;
    return source->open(source->ctx, err) && giq_digest_restart(outgoing->digest, err);
}

static bool read_file(void *ctx, char *out, size_t max, size_t *out_len,
                      struct giq_error *err)
{
    struct outgoing *outgoing = ctx;
    const struct giq_source *source = outgoing->upload->source;
    int64_t left = outgoing->upload->size - outgoing->sent;
    size_t len = 0;
    if (!source->read(source->ctx, out, (int64_t)max < left ? max : (size_t)left, &len,
                      err)) {
        return false;
    }
    if (len == 0 && left > 0) {
        return fail_changed(source, err);
    }
    outgoing->sent += (int64_t)len;
    *out_len = len;
    return giq_digest_add(outgoing->digest, out, len, err);
}

/* Whether the expected content was sent. */
static bool check_sent(const struct outgoing *outgoing, struct giq_error *err)
{
    char digest[GIQ_DIGEST_HEX_SIZE];
    if (outgoing->sent < outgoing->upload->size) {
        return giq_fail(err, GIQ_E_SERVICE,
                        "uploading the file: the service read only %lld of %lld bytes",
                        (long long)outgoing->sent, (long long)outgoing->upload->size);
    }
    if (!giq_digest_finish(outgoing->digest, digest, err)) {
        return false;
    }
    if (strcmp(digest, outgoing->upload->digest) != 0) {
        return fail_changed(outgoing->upload->source, err);
    }
    return true;
}

/* The file id of a response, freed by the caller; NULL if there is no valid id, or when
 * out of memory. */
static char *parse_id(const struct giq_response *response)
{
    GIQ_AUTO_JSON struct giq_json *json =
        giq_json_parse(response->body.data, response->body.len);
    return giq_json_id(giq_json_get(giq_call_unwrap(json), "fileId"));
}

static bool check_response(const struct giq_service *service,
                           const struct giq_response *response,
                           const struct outgoing *outgoing, char **out,
                           struct giq_error *err)
{
    int status_class = response->status / 100;
    if (status_class != 2) {
        return giq_call_fail_status(
            service, response, status_class == 3 ? GIQ_E_NETWORK : GIQ_E_SERVICE,
            status_class == 4 ? "the service refused the upload" : "uploading the file",
            err);
    }
    if (!check_sent(outgoing, err)) {
        return false;
    }
    *out = parse_id(response);
    return *out != NULL || giq_fail(err, GIQ_E_SERVICE,
                                    "uploading the file: HTTP %d without a valid fileId",
                                    response->status);
}

static bool exchange(struct giq_service *service, struct outgoing *outgoing,
                     const char *url, char **out, struct giq_error *err)
{
    char name[GIQ_NAME_SIZE];
    const struct giq_upload *upload = outgoing->upload;
    const struct giq_multipart_file file = {name, upload->size, begin_file, read_file,
                                            outgoing};
    const struct giq_multipart_field field = {.name = "file", .file = &file};
    struct giq_http_request post = {
        .url = url,
        .accept = "application/json",
        .fields = &field,
        .field_count = 1,
        .deadline_ms = giq_service_call_deadline_ms(service),
        /* With a timeout of 0 the deadline is near: the response may take as long as that
         * of a small call, unless the open is limited to one try. */
        .stall_ms = service->settings.timeout_ms == 0 && !service->checks_once
                        ? service->settings.http_timeout_ms
                        : 0,
        .expects_continue = true,
    };
    struct giq_response response;
    giq_name_clean(upload->source->path, name);
    bool ok = giq_call_with_retries(service, &post, &response, err);
    if (ok && response.status == EXPECTATION_FAILED) {
        post.expects_continue = false;
        giq_response_release(&response);
        ok = giq_call_with_retries(service, &post, &response, err);
    }
    if (ok) {
        ok = check_response(service, &response, outgoing, out, err);
    } else if (err->code == GIQ_E_NETWORK) {
        (void)giq_error_context(err, "uploading the file");
    }
    upload->source->close(upload->source->ctx);
    giq_response_release(&response);
    return ok;
}

static bool post_file(struct giq_service *service, const struct giq_upload *upload,
                      char **out, struct giq_error *err)
{
    struct outgoing outgoing = {.upload = upload};
    GIQ_AUTO_FREE char *url = giq_url_make(service->settings.base_url, "file/upload",
                                           "sourceType", upload->type);
    if (url == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_digest_new(&outgoing.digest, err)) {
        return false;
    }
    bool ok = exchange(service, &outgoing, url, out, err);
    giq_digest_free(outgoing.digest);
    return ok;
}

/* ---- once for each content ---- */

/* As giq_upload_find(), from a record that was read. */
static bool copy_recorded_id(const struct giq_service *service,
                             const struct giq_content *content,
                             const struct giq_upload *upload, const char *stale_id,
                             char **out, struct giq_error *err)
{
    const char *id = NULL;
    if (!giq_content_file_id(content, service->settings.base_url, upload->type, &id,
                             err)) {
        return false;
    }
    *out = NULL;
    if (id == NULL || (stale_id != NULL && strcmp(id, stale_id) == 0)) {
        return true;
    }
    *out = strdup(id);
    return *out != NULL || giq_fail_memory(err);
}

bool giq_upload_find(const struct giq_service *service, const struct giq_store *store,
                     const struct giq_upload *upload, const char *stale_id, char **out,
                     struct giq_error *err)
{
    struct giq_content content;
    if (!giq_content_read(store, upload->digest, &content, err)) {
        return false;
    }
    bool ok = copy_recorded_id(service, &content, upload, stale_id, out, err);
    giq_content_release(&content);
    return ok;
}

static bool upload_now(struct giq_service *service, struct giq_content *content,
                       const struct giq_upload *upload, char **out, struct giq_error *err)
{
    const struct giq_env *env = service->env;
    GIQ_AUTO_FREE char *id = NULL;
    if (!post_file(service, upload, &id, err) ||
        !giq_content_set_file_id(content, service->settings.base_url, upload->type, id,
                                 env->wall_ms(env->ctx), err) ||
        !giq_content_write(content, err)) {
        return false;
    }
    *out = giq_take(&id);
    return true;
}

/* Must be called with the lock of the content held. */
static bool find_or_upload(struct giq_service *service, const struct giq_store *store,
                           const struct giq_upload *upload, const char *stale_id,
                           char **out, struct giq_error *err)
{
    struct giq_content content;
    if (!giq_content_read(store, upload->digest, &content, err)) {
        return false;
    }
    char *id = NULL;
    bool ok = copy_recorded_id(service, &content, upload, stale_id, &id, err);
    if (ok && id == NULL) {
        ok = upload_now(service, &content, upload, &id, err);
    }
    giq_content_release(&content);
    if (ok) {
        *out = id;
    }
    return ok;
}

bool giq_upload_find_or_send(struct giq_service *service, const struct giq_store *store,
                             const struct giq_upload *upload, const char *stale_id,
                             char **out, struct giq_error *err)
{
    struct giq_lock *lock = NULL;
    if (!giq_content_acquire_lock(store, upload->digest, &lock, err)) {
        return false;
    }
    bool ok = find_or_upload(service, store, upload, stale_id, out, err);
    giq_lock_release(lock);
    if (!ok && err->code == GIQ_E_USAGE) {
        /* The file changed or cannot be read: its recorded content may be wrong. */
        record_content(store, upload->digest, upload->source, NULL, service->env);
    }
    return ok;
}
