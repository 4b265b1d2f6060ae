/* Identifies a download and moves, decodes or unpacks it. */
#include "result/giq_stage.h"

#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_os.h"
#include "result/giq_archive.h"
#include "result/giq_gzip.h"
#include "result/giq_name.h"
#include "result/giq_sniff.h"

/* The identified content of a download. */
struct content {
    bool is_gzip;                    /* `format` and `name` are of the decoded content */
    const struct giq_format *format; /* NULL if not known */
    char name[GIQ_NAME_SIZE];        /* of a file, with the extension of its format */
};

static bool is_archive(const struct content *content)
{
    return content->format != NULL && (content->format->kind == GIQ_FORMAT_ZIP ||
                                       content->format->kind == GIQ_FORMAT_TAR);
}

static enum giq_archive_kind archive_kind(const struct content *content)
{
    if (content->format->kind == GIQ_FORMAT_ZIP) {
        return GIQ_ARCHIVE_ZIP;
    }
    return content->is_gzip ? GIQ_ARCHIVE_TAR_GZ : GIQ_ARCHIVE_TAR;
}

/* The name that the service gave, made safe. */
static void make_name(const char *disposition, const struct giq_cred *cred,
                      char name[GIQ_NAME_SIZE])
{
    GIQ_AUTO_FREE char *given = giq_name_from_disposition(disposition);
    if (given != NULL) {
        giq_cred_mask(cred, given);
    }
    giq_name_clean(given, name);
    giq_name_mask(cred, name);
}

/* Identify the decoded content of a gzip file. */
static bool identify_decoded(const char *part, struct content *content,
                             struct giq_error *err)
{
    char head[GIQ_SNIFF_BYTES];
    size_t len = 0;
    if (!giq_gzip_read_head(part, head, sizeof head, &len, err)) {
        return false;
    }
    content->is_gzip = true;
    content->format = giq_sniff(content->name, head, len);
    const struct giq_format *inner = content->format;
    if (inner != NULL &&
        (inner->kind == GIQ_FORMAT_ZIP || inner->kind == GIQ_FORMAT_GZIP)) {
        return giq_fail(err, GIQ_E_RESULT,
                        "the result is a gzip file that holds another archive (%s), "
                        "which is not unpacked: only a tar in a gzip is",
                        inner->extension);
    }
    return true;
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
    make_name(disposition, cred, content.name);
    /* The name may end in ".gz" although the bytes are not gzip: a content coding is
     * decoded during the download. */
    giq_name_drop_gzip(content.name);
    content.format = giq_sniff(content.name, head, len);
    if (content.format != NULL && content.format->kind == GIQ_FORMAT_GZIP &&
        !identify_decoded(part, &content, err)) {
        return false;
    }
    if (content.format != NULL && content.format->kind == GIQ_FORMAT_HTML) {
        return giq_fail(err, GIQ_E_RESULT,
                        "the service sent a web page in place of the result");
    }
    if (content.format != NULL &&
        !giq_format_has_extension(content.format, giq_name_extension(content.name))) {
        giq_name_set_extension(content.name, content.format->extension);
    }
    *out = content;
    return true;
}

/* Move, decode or unpack the download to `path`: the file, or the folder of an archive.
 */
static bool write_result(const char *part, const struct content *content,
                         const char *path, unsigned access, const struct giq_cred *cred,
                         const struct giq_env *env, struct giq_error *err)
{
    if (is_archive(content)) {
        return giq_archive_unpack(part, archive_kind(content), path, access, cred, env,
                                  err) &&
               giq_os_remove(part, err);
    }
    if (content->is_gzip) {
        return giq_archive_gunzip(part, path, access, env, err) &&
               giq_os_remove(part, err);
    }
    return giq_os_rename(part, path, err);
}

bool giq_stage_download(const char *part, const char *disposition, const char *folder,
                        unsigned access, const struct giq_cred *cred,
                        const struct giq_env *env, struct giq_staged *out,
                        struct giq_error *err)
{
    struct content content;
    struct giq_os_stat downloaded;
    if (!identify(part, disposition, cred, &content, err) ||
        !giq_os_stat(part, &downloaded, err)) {
        return false;
    }
    const bool is_folder = is_archive(&content);
    GIQ_AUTO(giq_staged_release)
    struct giq_staged staged = {
        .name = is_folder ? NULL : strdup(content.name),
        .path = is_folder ? strdup(folder) : giq_os_join(folder, content.name),
        .is_as_downloaded = !is_folder && !content.is_gzip,
        .extension = content.format == NULL ? NULL : content.format->extension,
    };
    if (staged.path == NULL || (staged.name == NULL && !is_folder)) {
        return giq_fail_memory(err);
    }
    if (!write_result(part, &content, staged.path, access, cred, env, err)) {
        return false;
    }
    struct giq_os_stat written = downloaded;
    if (!is_folder && !giq_os_stat(staged.path, &written, err)) {
        return false;
    }
    staged.size = written.size;
    *out = staged;
    staged.name = NULL;
    staged.path = NULL;
    return true;
}

void giq_staged_release(struct giq_staged *staged)
{
    free(staged->path);
    free(staged->name);
    *staged = (struct giq_staged){0};
}
