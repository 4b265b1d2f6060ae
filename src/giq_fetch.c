#include "giq_fetch.h"

#include <stdlib.h>
#include <string.h>

#include "giq_download.h"
#include "giq_os.h"
#include "giq_service.h"
#include "giq_stage.h"

/* A download on its way into result.part. */
struct part {
    const struct giq_store *store;
    const struct giq_cred *cred;
    const char *folder;
    char *path;
    struct giq_os_file *file; /* NULL before the first byte */
};

static bool begin_part(void *ctx, int64_t length, struct giq_error *err)
{
    struct part *part = ctx;
    /* Emptied first: what an earlier try left of it is room too. */
    bool ok =
        part->file == NULL
            ? giq_os_create(part->path, giq_store_access(part->store), &part->file, err)
            : giq_os_truncate(part->file, err);
    return ok && (length < 0 || giq_store_check_space(part->folder, length, err));
}

static bool write_part(void *ctx, const char *bytes, size_t len, struct giq_error *err)
{
    struct part *part = ctx;
    return giq_os_write(part->file, bytes, len, err);
}

static bool download(struct giq_service *service, const char *job_id, struct part *part,
                     char **out_disposition, struct giq_error *err)
{
    const struct giq_download_sink sink = {begin_part, write_part, part};
    bool ok = giq_download(service, job_id, &sink, out_disposition, err) &&
              giq_os_sync(part->file, err);
    giq_os_close(part->file);
    part->file = NULL;
    return ok;
}

/* From a whole part to a published result. */
static bool publish(const struct part *part, const char *disposition,
                    const struct giq_job_host *host, struct giq_fetched *out,
                    struct giq_error *err)
{
    struct giq_staged staged = {0};
    char *folder = NULL;
    bool ok = giq_store_stage(part->store, part->folder, &folder, err) &&
              giq_stage(part->path, disposition, folder, giq_store_access(part->store),
                        part->cred, &staged, err) &&
              host->accept(host->ctx, staged.path, err) &&
              giq_store_publish(part->folder, err);
    if (ok) {
        *out = (struct giq_fetched){staged.name, staged.size};
        staged.name = NULL;
    } else if (folder != NULL) {
        giq_store_unstage(part->folder);
    }
    giq_staged_release(&staged);
    free(folder);
    return ok;
}

bool giq_fetch(struct giq_service *service, const struct giq_store *store,
               const char *folder, const char *job_id, const struct giq_job_host *host,
               struct giq_fetched *out, struct giq_error *err)
{
    struct part part = {.store = store, .cred = service->cred, .folder = folder};
    part.path = giq_os_join(folder, "result.part");
    if (part.path == NULL) {
        return giq_fail_memory(err);
    }
    char *disposition = NULL;
    /* Where a process was killed while it unpacked, the room is needed again. */
    giq_store_unstage(folder);
    bool ok = download(service, job_id, &part, &disposition, err) &&
              publish(&part, disposition, host, out, err);
    if (!ok && err->code == GIQ_E_STORE) {
        /* The disk may be full, and the part takes the room for another try. */
        struct giq_error ignored = {0};
        (void)giq_os_remove(part.path, &ignored);
        (void)giq_store_explain_full(err);
    }
    free(disposition);
    free(part.path);
    return ok;
}
