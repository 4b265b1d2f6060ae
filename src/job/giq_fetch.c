/* Downloading and checking a result. */
#include "job/giq_fetch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_env.h"
#include "base/giq_os.h"
#include "result/giq_complete.h"
#include "result/giq_stage.h"
#include "service/giq_call.h"
#include "service/giq_download.h"
#include "service/giq_service.h"
#include "store/giq_digest.h"
#include "store/giq_leftovers.h"

static const char short_name[] = "result.short"; /* digest of a truncated download */

/* Between two touches of the part and its folder, which a slow step may not write to. */
enum { TOUCH_MS = 60 * 1000 };
static_assert(2 * TOUCH_MS < GIQ_LEFTOVERS_AGE_MS, "touched too seldom");

/* A download into a file of its own. */
struct part {
    struct giq_service *service;
    const struct giq_store *store;
    const char *folder;
    const char *job_id;
    char token[GIQ_OS_TOKEN_SIZE];
    char *path;
    struct giq_os_file *file; /* NULL before the first byte */
    int64_t size;
    int64_t total; /* -1: not known */
    struct giq_complete_json json;
    char *staging;      /* the folder where it is checked; NULL before that */
    int64_t touched_ms; /* when both were touched, by giq_env_boot_ms() */
};

/* Mark `path` as in use: giq_leftovers_remove() removes what is old. */
static void touch(const char *path)
{
    struct giq_error ignored = {0};
    (void)giq_os_touch(path, &ignored);
}

/* Mark the part and its folder as in use, unless that was done a moment ago. */
static void touch_both(void *ctx)
{
    struct part *part = ctx;
    int64_t now_ms = giq_env_boot_ms(part->service->env);
    if (now_ms - part->touched_ms < TOUCH_MS) {
        return;
    }
    part->touched_ms = now_ms;
    touch(part->path);
    if (part->staging != NULL) {
        touch(part->staging);
    }
}

static bool begin_part(void *ctx, int64_t length, struct giq_error *err)
{
    struct part *part = ctx;
    part->size = 0;
    part->total = length;
    part->json = (struct giq_complete_json){0};
    /* Empty the file before the free space is checked: it may have the bytes
     * of an earlier attempt. */
    if (part->file == NULL) {
        if (!giq_os_create(part->path, giq_store_access(part->store), &part->file, err)) {
            return false;
        }
    } else if (!giq_os_truncate(part->file, err)) {
        return false;
    }
    if (length < 0) {
        return true; /* the length is not known */
    }
    return giq_store_check_space(part->folder, length, err);
}

static bool write_part(void *ctx, const char *bytes, size_t len, struct giq_error *err)
{
    struct part *part = ctx;
    part->size += (int64_t)len;
    giq_env_transferred(part->service->env, part->size, part->total);
    giq_complete_json_scan(&part->json, bytes, len);
    return giq_os_write(part->file, bytes, len, err);
}

static bool download(struct part *part, char **out_disposition, struct giq_error *err)
{
    const struct giq_download_sink sink = {
        .begin = begin_part, .write = write_part, .tick = touch_both, .ctx = part};
    giq_env_begin(part->service->env, GIQ_ACTIVITY_DOWNLOAD);
    return giq_download(part->service, part->job_id, &sink, out_disposition, err) &&
           giq_os_sync(part->file, err);
}

/* ---- checking that it is complete ---- */

static bool read_part(void *ctx, uint64_t at, void *bytes, size_t len,
                      struct giq_error *err)
{
    struct part *part = ctx;
    size_t n = 0;
    touch_both(part);
    if (!giq_os_seek(part->file, at, err)) {
        return false;
    }
    for (size_t have = 0; have < len; have += n) {
        if (!giq_os_read(part->file, (char *)bytes + have, len - have, &n, err)) {
            return false;
        }
        if (n == 0) {
            return giq_fail(
                err, GIQ_E_STORE,
                "the downloaded file was truncated while it was read; open again to "
                "repeat the download");
        }
    }
    return true;
}

static bool add_blocks(struct part *part, struct giq_digest *digest,
                       struct giq_error *err)
{
    enum { BLOCK_SIZE = 65536 };
    GIQ_AUTO_FREE char *block = malloc(BLOCK_SIZE);
    if (block == NULL) {
        return giq_fail_memory(err);
    }
    for (int64_t at = 0; at < part->size; at += BLOCK_SIZE) {
        size_t len =
            part->size - at < BLOCK_SIZE ? (size_t)(part->size - at) : BLOCK_SIZE;
        if (!read_part(part, (uint64_t)at, block, len, err) ||
            !giq_digest_add(digest, block, len, err)) {
            return false;
        }
    }
    return true;
}

static bool digest_part(struct part *part, char out[GIQ_DIGEST_HEX_SIZE],
                        struct giq_error *err)
{
    struct giq_digest *digest = NULL;
    bool ok = giq_digest_new(&digest, err) && add_blocks(part, digest, err) &&
              giq_digest_finish(digest, out, err);
    giq_digest_free(digest);
    return ok;
}

/* Compare the part with the last truncated download of the request: `*out_same` is
 * whether both have the same bytes. If not, record the part's digest for the next
 * comparison; a failure to record it is ignored. */
static bool compare_with_last_truncated(struct part *part, bool *out_same,
                                        struct giq_error *err)
{
    char digest[GIQ_DIGEST_HEX_SIZE];
    struct giq_error ignored = {0};
    bool found = false;
    GIQ_AUTO_BUF struct giq_buf last;
    GIQ_AUTO_FREE char *path = giq_os_join(part->folder, short_name);
    giq_buf_init(&last, sizeof digest);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    if (!digest_part(part, digest, err)) {
        return false;
    }
    *out_same = giq_os_read_file(path, sizeof digest, &last, &found, &ignored) && found &&
                strcmp(giq_buf_text(&last), digest) == 0;
    if (!*out_same) {
        (void)giq_os_replace_file(part->folder, short_name, giq_store_access(part->store),
                                  digest, strlen(digest), &ignored);
    }
    return true;
}

/* A file that is shorter than its format states is not published, unless the service
 * sends the same bytes twice: it was paid for, and may be all that the service has. */
static bool check_complete(struct part *part, const struct giq_staged *staged,
                           struct giq_error *err)
{
    if (!staged->is_as_downloaded) {
        /* Unpacking an archive and decoding gzip fail if the download is truncated. */
        return true;
    }
    const struct giq_bounds_source source = {read_part, part, (uint64_t)part->size};
    struct giq_error reason = {0};
    if (giq_complete_check(&source, staged->extension, &reason) &&
        giq_complete_json_check(&part->json, staged->extension, &reason)) {
        return true;
    }
    if (reason.code != GIQ_E_INCOMPLETE) {
        *err = reason;
        return false;
    }
    bool is_same = false;
    if (!compare_with_last_truncated(part, &is_same, err)) {
        return false;
    }
    if (!is_same) {
        return giq_fail(err, GIQ_E_INCOMPLETE,
                        "%s; the download was discarded. Open again to repeat it",
                        reason.text);
    }
    struct giq_printable id;
    giq_env_warn(part->service->env,
                 "job %s: %s; the service sent the same bytes twice, so they count as "
                 "complete",
                 giq_call_printable(part->service, part->job_id, &id), reason.text);
    return true;
}

/* ---- staging ---- */

/* Remove a file of the folder; failures are ignored. */
static void remove_file(const char *folder, const char *name)
{
    struct giq_error ignored = {0};
    GIQ_AUTO_FREE char *path = giq_os_join(folder, name);
    if (path != NULL) {
        (void)giq_os_remove(path, &ignored);
    }
}

/* In place of the host's `cancelled`, which unpacking calls again and again. */
static bool touch_and_check_cancelled(void *ctx)
{
    struct part *part = ctx;
    touch_both(part);
    return giq_env_cancelled(part->service->env);
}

/* Stage the part, check it, let the host accept it, and give it its published name. */
static bool stage(struct part *part, const char *disposition,
                  const struct giq_job_host *host, struct giq_claim *out,
                  struct giq_error *err)
{
    GIQ_AUTO(giq_staged_release) struct giq_staged staged = {0};
    unsigned access = giq_store_access(part->store);
    const struct giq_env env = {.cancelled = touch_and_check_cancelled, .ctx = part};
    giq_env_begin(part->service->env, GIQ_ACTIVITY_UNPACK);
    touch(part->path);
    if (!giq_store_stage(part->store, part->folder, part->token, &part->staging, err) ||
        !giq_stage_download(part->path, disposition, part->staging, access,
                            part->service->cred, &env, &staged, err)) {
        return false;
    }
    touch(part->staging);
    if (!check_complete(part, &staged, err) ||
        !host->accept(host->ctx, staged.path, err)) {
        return false;
    }
    touch(part->staging);
    if (!giq_store_publish(part->folder, part->token, &out->folder, err)) {
        return false;
    }
    remove_file(part->folder, short_name);
    out->name = giq_take(&staged.name);
    out->size = staged.size;
    return true;
}

bool giq_fetch(struct giq_service *service, const struct giq_store *store,
               const char *folder, const char *job_id, const struct giq_job_host *host,
               struct giq_claim *out, struct giq_error *err)
{
    struct part part = {
        .service = service, .store = store, .folder = folder, .job_id = job_id};
    GIQ_AUTO_FREE char *disposition = NULL;
    GIQ_AUTO(giq_claim_release) struct giq_claim fetched = {.job_id = strdup(job_id)};
    giq_os_token(part.token);
    part.path = giq_store_part(folder, part.token);
    if (part.path == NULL || fetched.job_id == NULL) {
        free(part.path);
        return giq_fail_memory(err);
    }
    bool ok = download(&part, &disposition, err) &&
              stage(&part, disposition, host, &fetched, err);
    if (ok) {
        *out = fetched;
        fetched = (struct giq_claim){0};
    } else {
        giq_store_unstage(folder, part.token);
        if (err->code == GIQ_E_STORE) {
            (void)giq_store_explain_full(err);
        }
    }
    giq_os_close(part.file);
    free(part.path);
    free(part.staging);
    return ok;
}
