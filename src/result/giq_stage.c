#include "result/giq_stage.h"

#include <stdlib.h>
#include <string.h>

#include "base/giq_os.h"
#include "result/giq_archive.h"
#include "result/giq_gzip.h"
#include "result/giq_name.h"
#include "result/giq_sniff.h"

/* What a download is. */
struct content {
    bool is_gzip;                 /* and what follows is said of what it holds */
    struct giq_sniff kind;        /* of a file */
    bool is_archive;              /* of which kind: */
    enum giq_archive_kind format; /* for giq_archive_unpack() */
    char name[GIQ_NAME_SIZE];     /* of a file, with the extension of its kind */
};

/* The name that the service gave, made safe. */
static void take_name(const char *disposition, const struct giq_cred *cred,
                      char name[GIQ_NAME_SIZE])
{
    char *given = giq_name_from_disposition(disposition);
    if (given != NULL) {
        giq_cred_mask(cred, given);
    }
    giq_name_clean(given, name);
    giq_name_mask(cred, name);
    free(given);
}

static bool fail_nested(const char *extension, struct giq_error *err)
{
    return giq_fail(err, GIQ_E_RESULT,
                    "the result is a gzip file that holds another archive (%s), which is "
                    "not unpacked",
                    extension);
}

/* Look into a gzip: it holds a tar or one file. */
static bool look_inside(const char *part, struct content *content, struct giq_error *err)
{
    char head[GIQ_SNIFF_BYTES];
    size_t len = 0;
    if (!giq_gzip_read_head(part, head, sizeof head, &len, err)) {
        return false;
    }
    content->is_gzip = true;
    content->kind = giq_sniff(content->name, head, len);
    bool is_nested =
        content->kind.content == GIQ_SNIFF_ZIP || content->kind.content == GIQ_SNIFF_GZIP;
    return !is_nested || fail_nested(content->kind.extension, err);
}

static bool identify(const char *part, const char *disposition,
                     const struct giq_cred *cred, struct content *out,
                     struct giq_error *err)
{
    char head[GIQ_SNIFF_BYTES];
    size_t len = 0;
    if (!giq_os_read_head(part, head, sizeof head, &len, err)) {
        return false;
    }
    struct content content = {.is_gzip = false};
    take_name(disposition, cred, content.name);
    /* Whether it is one still: a content coding may be undone already. */
    giq_name_drop_gzip(content.name);
    content.kind = giq_sniff(content.name, head, len);
    if (content.kind.content == GIQ_SNIFF_GZIP && !look_inside(part, &content, err)) {
        return false;
    }
    if (content.kind.content == GIQ_SNIFF_HTML) {
        return giq_fail(err, GIQ_E_RESULT,
                        "the service sent a web page in place of the result");
    }
    if (!giq_sniff_extension_fits(&content.kind, content.name)) {
        giq_name_set_extension(content.name, content.kind.extension);
    }
    content.is_archive =
        content.kind.content == GIQ_SNIFF_ZIP || content.kind.content == GIQ_SNIFF_TAR;
    content.format = content.kind.content == GIQ_SNIFF_ZIP ? GIQ_ARCHIVE_ZIP
                     : content.is_gzip                     ? GIQ_ARCHIVE_TAR_GZ
                                                           : GIQ_ARCHIVE_TAR;
    *out = content;
    return true;
}

/* Put what the part holds to `path`, which is `folder` where that is an archive. */
static bool place(const char *part, const struct content *content, const char *path,
                  unsigned access, const struct giq_cred *cred, struct giq_error *err)
{
    if (!content->is_archive && !content->is_gzip) {
        return giq_os_rename(part, path, err);
    }
    bool ok = content->is_archive
                  ? giq_archive_unpack(part, content->format, path, access, cred, err)
                  : giq_archive_gunzip(part, path, access, err);
    return ok && giq_os_remove(part, err);
}

bool giq_stage(const char *part, const char *disposition, const char *folder,
               unsigned access, const struct giq_cred *cred, struct giq_staged *out,
               struct giq_error *err)
{
    struct content content;
    struct giq_os_stat st;
    if (!identify(part, disposition, cred, &content, err) ||
        !giq_os_stat(part, &st, err)) {
        return false;
    }
    struct giq_staged staged = {
        .size = st.size,
        .is_as_downloaded = !content.is_archive && !content.is_gzip,
        .extension = content.kind.extension,
    };
    staged.name = content.is_archive ? NULL : strdup(content.name);
    staged.path = content.is_archive ? strdup(folder) : giq_os_join(folder, content.name);
    if (staged.path == NULL || (staged.name == NULL && !content.is_archive)) {
        giq_staged_release(&staged);
        return giq_fail_memory(err);
    }
    bool ok = place(part, &content, staged.path, access, cred, err) &&
              (content.is_archive || giq_os_stat(staged.path, &st, err));
    if (!ok) {
        giq_staged_release(&staged);
        return false;
    }
    staged.size = st.size;
    *out = staged;
    return true;
}

void giq_staged_release(struct giq_staged *staged)
{
    free(staged->path);
    free(staged->name);
    *staged = (struct giq_staged){0};
}
