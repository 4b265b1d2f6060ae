#include "service/giq_upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_env.h"
#include "base/giq_text.h"
#include "net/giq_url.h"
#include "result/giq_name.h"
#include "service/giq_call.h"
#include "store/giq_content.h"

enum {
    BLOCK_BYTES = 256 * 1024,
    /* Times of file systems are as coarse as this, those without a fraction of a second
     * as the first: what was written so lately may be written again without another
     * time. */
    COARSE_MS = 2000,
    FINE_MS = 20,
    EXPECTATION_FAILED = 417, /* what old proxies say to whoever asks first */
    NS_PER_MS = 1000000,
    NS_PER_S = 1000000000,
};

#define NAME_OF(name) name,

bool giq_upload_type(const char *text, const char **out, struct giq_error *err)
{
    static const char *const types[] = {GIQ_SOURCE_TYPES(NAME_OF)};
    char list[512];
    size_t len = 0;
    for (size_t i = 0; i < GIQ_COUNT(types); i++) {
        if (giq_text_same(text, types[i])) {
            *out = types[i];
            return true;
        }
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", i == 0 ? "" : ", ",
                                types[i]);
    }
    struct giq_printable shown;
    return giq_fail(err, GIQ_E_USAGE, "SOURCE_TYPE \"%.40s\" is none of %s",
                    giq_text_printable(text, &shown), list);
}

/* ---- which content ---- */

static bool fail_changed(const struct giq_source *source, struct giq_error *err)
{
    struct giq_printable shown;
    return giq_fail(err, GIQ_E_USAGE,
                    "the file %s changed while it was read; open again when it is whole",
                    giq_text_printable(source->path, &shown));
}

static bool check_size(const struct giq_source *source, int64_t size,
                       struct giq_error *err)
{
    struct giq_printable shown;
    (void)giq_text_printable(source->path, &shown);
    if (size <= 0) {
        return giq_fail(err, GIQ_E_USAGE, "the file to upload is empty: %s", shown.text);
    }
    return size <= GIQ_UPLOAD_BYTES_MAX ||
           giq_fail(err, GIQ_E_USAGE,
                    "%s has %lld bytes, and the service takes %d in one upload; upload "
                    "it on the service's web page, and give the id that it shows with "
                    "file=<id>",
                    shown.text, (long long)size, GIQ_UPLOAD_BYTES_MAX);
}

/* Digest all that can be read, which must be as much as there was said to be. */
static bool digest_all(const struct giq_source *source, int64_t size,
                       struct giq_digest *digest, struct giq_error *err)
{
    char *block = malloc(BLOCK_BYTES);
    int64_t left = size;
    size_t len = 0;
    bool ok = block != NULL ? source->open(source->ctx, err) : giq_fail_memory(err);
    do {
        ok = ok && source->read(source->ctx, block, BLOCK_BYTES, &len, err) &&
             giq_digest_add(digest, block, len, err);
        left -= ok ? (int64_t)len : 0;
    } while (ok && len > 0 && left >= 0);
    source->close(source->ctx);
    free(block);
    return ok && (left == 0 || fail_changed(source, err));
}

static bool is_same(const struct giq_source_stat *a, const struct giq_source_stat *b)
{
    return a->size == b->size && a->modified_ns == b->modified_ns &&
           a->changed_ns == b->changed_ns && a->device == b->device &&
           a->inode == b->inode;
}

static bool read_content(const struct giq_source *source,
                         const struct giq_source_stat *stat, char *out,
                         struct giq_error *err)
{
    struct giq_digest *digest = NULL;
    struct giq_source_stat after;
    bool ok =
        giq_digest_new(&digest, err) && digest_all(source, stat->size, digest, err) &&
        giq_digest_end(digest, out, err) && source->stat(source->ctx, &after, err) &&
        (is_same(stat, &after) || fail_changed(source, err));
    giq_digest_free(digest);
    return ok;
}

/* Whether a change since `looked_ms`, UTC, would show in this time of the file. */
static bool is_past(int64_t time_ns, int64_t looked_ms)
{
    int64_t least_ms = time_ns % NS_PER_S == 0 ? COARSE_MS : FINE_MS;
    return looked_ms - time_ns / NS_PER_MS >= least_ms;
}

static bool is_settled(const struct giq_source_stat *stat, int64_t looked_ms)
{
    return stat->inode != 0 && is_past(stat->modified_ns, looked_ms) &&
           is_past(stat->changed_ns, looked_ms);
}

/* Note what the file holds. Where that cannot be written it is read again next time. */
static void remember(const struct giq_store *store, const char *digest,
                     const struct giq_source *source, const struct giq_source_stat *stat,
                     const struct giq_env *env)
{
    struct giq_error ignored = {0};
    struct giq_lock *lock = NULL;
    struct giq_content content = {.json = NULL};
    if (giq_content_acquire_lock(store, digest, &lock, &ignored) &&
        giq_content_read(store, digest, &content, &ignored) &&
        giq_content_set_file(&content, source->absolute_path, stat, &ignored) &&
        giq_content_write(&content, &ignored) && stat != NULL) {
        (void)giq_content_write_hint(&content, source->absolute_path, &ignored);
    }
    if (ignored.code != GIQ_E_NONE) {
        giq_env_debug(env, "what %s holds is not noted: %s", source->path, ignored.text);
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
    int64_t looked_ms = env->wall_ms(env->ctx);
    if (!source->stat(source->ctx, &stat, err) || !check_size(source, stat.size, err) ||
        (stat.inode != 0 &&
         !giq_content_find(store, source->absolute_path, &stat, upload.digest, err))) {
        return false;
    }
    if (upload.digest[0] == '\0') {
        if (!read_content(source, &stat, upload.digest, err)) {
            return false;
        }
        if (is_settled(&stat, looked_ms)) {
            remember(store, upload.digest, source, &stat, env);
        }
    }
    upload.size = stat.size;
    *out = upload;
    return true;
}

/* ---- sending ---- */

/* A file on its way out. */
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

/* Whether what went out is the content that was to go. */
static bool check_sent(const struct outgoing *outgoing, struct giq_error *err)
{
    char digest[GIQ_DIGEST_HEX_SIZE];
    if (outgoing->sent < outgoing->upload->size) {
        return giq_fail(err, GIQ_E_SERVICE,
                        "uploading the file: the service took %lld of %lld bytes",
                        (long long)outgoing->sent, (long long)outgoing->upload->size);
    }
    return giq_digest_end(outgoing->digest, digest, err) &&
           (strcmp(digest, outgoing->upload->digest) == 0 ||
            fail_changed(outgoing->upload->source, err));
}

static char *id_in(const struct giq_response *response)
{
    struct giq_json *json = giq_json_parse(response->body.data, response->body.len);
    char *id = giq_json_id(giq_json_get(giq_call_unwrap(json), "fileId"));
    giq_json_free(json);
    return id;
}

static bool judge(const struct giq_service *service, const struct giq_response *response,
                  const struct outgoing *outgoing, char **out, struct giq_error *err)
{
    int hundreds = response->status / 100;
    if (hundreds != 2) {
        return giq_call_fail_status(
            service, response, hundreds == 3 ? GIQ_E_NETWORK : GIQ_E_SERVICE,
            hundreds == 4 ? "upload refused" : "uploading the file", err);
    }
    if (!check_sent(outgoing, err)) {
        return false;
    }
    *out = id_in(response);
    return *out != NULL ||
           giq_fail(err, GIQ_E_SERVICE,
                    "uploading the file: HTTP %d without a fileId that can be read",
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
        .deadline_ms = giq_service_deadline_ms(service),
        /* With a timeout of 0 the response may take as long as that to a small call. */
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
        ok = judge(service, &response, outgoing, out, err);
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
    char *url = giq_url_make(service->settings.base_url, "file/upload", "sourceType",
                             upload->type);
    bool ok = url != NULL ? giq_digest_new(&outgoing.digest, err) &&
                                exchange(service, &outgoing, url, out, err)
                          : giq_fail_memory(err);
    giq_digest_free(outgoing.digest);
    free(url);
    return ok;
}

/* ---- once ---- */

static bool take_recorded(const struct giq_service *service,
                          const struct giq_content *content,
                          const struct giq_upload *upload, const char *forgotten,
                          char **out, struct giq_error *err)
{
    const char *id = NULL;
    if (!giq_content_file_id(content, service->settings.base_url, upload->type, &id,
                             err)) {
        return false;
    }
    bool counts = id != NULL && (forgotten == NULL || strcmp(id, forgotten) != 0);
    *out = counts ? strdup(id) : NULL;
    return !counts || *out != NULL || giq_fail_memory(err);
}

bool giq_upload_find(const struct giq_service *service, const struct giq_store *store,
                     const struct giq_upload *upload, const char *forgotten, char **out,
                     struct giq_error *err)
{
    struct giq_content content;
    if (!giq_content_read(store, upload->digest, &content, err)) {
        return false;
    }
    bool ok = take_recorded(service, &content, upload, forgotten, out, err);
    giq_content_release(&content);
    return ok;
}

static bool upload_now(struct giq_service *service, struct giq_content *content,
                       const struct giq_upload *upload, char **out, struct giq_error *err)
{
    const struct giq_env *env = service->env;
    char *id = NULL;
    if (!post_file(service, upload, &id, err)) {
        return false;
    }
    if (!giq_content_set_file_id(content, service->settings.base_url, upload->type, id,
                                 env->wall_ms(env->ctx), err) ||
        !giq_content_write(content, err)) {
        free(id);
        return false;
    }
    *out = id;
    return true;
}

/* Within the lock of the content. */
static bool find_or_upload(struct giq_service *service, const struct giq_store *store,
                           const struct giq_upload *upload, const char *forgotten,
                           char **out, struct giq_error *err)
{
    struct giq_content content;
    if (!giq_content_read(store, upload->digest, &content, err)) {
        return false;
    }
    char *id = NULL;
    bool ok = take_recorded(service, &content, upload, forgotten, &id, err) &&
              (id != NULL || upload_now(service, &content, upload, &id, err));
    giq_content_release(&content);
    if (ok) {
        *out = id;
    }
    return ok;
}

bool giq_upload_send(struct giq_service *service, const struct giq_store *store,
                     const struct giq_upload *upload, const char *forgotten, char **out,
                     struct giq_error *err)
{
    struct giq_lock *lock = NULL;
    if (!giq_content_acquire_lock(store, upload->digest, &lock, err)) {
        return false;
    }
    bool ok = find_or_upload(service, store, upload, forgotten, out, err);
    giq_lock_release(lock);
    if (!ok && err->code == GIQ_E_USAGE) {
        /* Whatever was noted of the file is not so. */
        remember(store, upload->digest, upload->source, NULL, service->env);
    }
    return ok;
}
