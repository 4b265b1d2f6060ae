#include "giq_fetch.h"

#include <stdlib.h>
#include <string.h>

#include "giq_archive.h"
#include "giq_download.h"
#include "giq_name.h"
#include "giq_os.h"
#include "giq_service.h"
#include "giq_sniff.h"

/* A download on its way into result.part. */
struct part {
    const struct giq_store *store;
    const struct giq_cred *cred;
    const char *folder;
    char *path;
    struct giq_os_file *file; /* NULL before the first byte */
    int64_t size;
};

static bool begin_part(void *ctx, int64_t length, struct giq_error *err)
{
    struct part *part = ctx;
    part->size = 0;
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
    part->size += (int64_t)len;
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

/* What was downloaded, and the name that it gets. */
static bool identify(const struct part *part, const char *disposition,
                     struct giq_sniff *kind, char name[GIQ_NAME_SIZE],
                     struct giq_error *err)
{
    char head[GIQ_SNIFF_BYTES];
    size_t len = 0;
    if (!giq_os_read_head(part->path, head, sizeof head, &len, err)) {
        return false;
    }
    char *told = giq_name_from_disposition(disposition);
    if (told != NULL) {
        giq_cred_mask(part->cred, told);
    }
    giq_name_clean(told, name);
    giq_name_mask(part->cred, name);
    free(told);
    *kind = giq_sniff(name, head, len);
    if (kind->content == GIQ_SNIFF_HTML) {
        return giq_fail(err, GIQ_E_RESULT,
                        "the service sent a web page in place of the result");
    }
    if (!giq_sniff_extension_fits(kind, name)) {
        giq_name_set_extension(name, kind->extension);
    }
    return true;
}

/* Where the kind is an archive, which. */
static bool archive_kind(enum giq_sniff_class content, enum giq_archive_kind *out)
{
    switch (content) {
    case GIQ_SNIFF_ZIP:
        *out = GIQ_ARCHIVE_ZIP;
        return true;
    case GIQ_SNIFF_TAR:
        *out = GIQ_ARCHIVE_TAR;
        return true;
    case GIQ_SNIFF_TAR_GZ:
        *out = GIQ_ARCHIVE_TAR_GZ;
        return true;
    case GIQ_SNIFF_DATA:
    case GIQ_SNIFF_HTML:
    case GIQ_SNIFF_NOTHING:
        break;
    }
    return false;
}

/* Put the part into the empty folder `staged`, unpacked where it is an archive.
 * `*out_path` is what a driver may open. */
static bool stage(const struct part *part, const struct giq_sniff *kind,
                  const char *staged, const char *name, char **out_path,
                  struct giq_error *err)
{
    enum giq_archive_kind archive = GIQ_ARCHIVE_ZIP;
    bool is_archive = archive_kind(kind->content, &archive);
    char *path = is_archive ? strdup(staged) : giq_os_join(staged, name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    bool ok = is_archive
                  ? giq_archive_unpack(part->path, archive, staged,
                                       giq_store_access(part->store), part->cred, err) &&
                        giq_os_remove(part->path, err)
                  : giq_os_rename(part->path, path, err);
    if (!ok) {
        free(path);
        return false;
    }
    *out_path = path;
    return true;
}

/* From a whole part to a published result. */
static bool publish(const struct part *part, const char *disposition,
                    const struct giq_job_host *host, struct giq_fetched *out,
                    struct giq_error *err)
{
    struct giq_sniff kind = {GIQ_SNIFF_NOTHING, NULL};
    char name[GIQ_NAME_SIZE];
    char *staged = NULL;
    char *path = NULL;
    char *kept = NULL;
    bool ok = identify(part, disposition, &kind, name, err) &&
              giq_store_stage(part->store, part->folder, &staged, err) &&
              stage(part, &kind, staged, name, &path, err) &&
              host->accept(host->ctx, path, err);
    bool is_file = ok && strcmp(path, staged) != 0;
    if (is_file && (kept = strdup(name)) == NULL) {
        ok = giq_fail_memory(err);
    }
    ok = ok && giq_store_publish(part->folder, err);
    if (ok) {
        *out = (struct giq_fetched){kept, part->size};
        kept = NULL;
    } else if (staged != NULL) {
        giq_store_unstage(part->folder);
    }
    free(kept);
    free(path);
    free(staged);
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
