/* The record of a content that was uploaded, and the hints that find it. */
#include "store/giq_content.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_os.h"
#include "store/giq_document.h"

static const char advice[] = "remove it to upload the file again";

static const char files_name[] = "files";
static const char paths_name[] = "paths";

enum {
    NAME_SIZE = GIQ_DIGEST_HEX_SIZE + sizeof ".json",
    STAMP_SIZE = 192, /* five numbers of at most 20 digits, and the words between them */
};

static const char *name_of(const char *digest, const char *ending, char out[NAME_SIZE])
{
    (void)snprintf(out, NAME_SIZE, "%s%s", digest, ending);
    return out;
}

/* ---- the record ---- */

static struct giq_json *new_record(void)
{
    GIQ_AUTO_JSON struct giq_json *json = giq_json_new_object();
    if (json == NULL || !giq_json_set_integer(json, "format", GIQ_CONTENT_FORMAT)) {
        return NULL;
    }
    return giq_take(&json);
}

bool giq_content_read(const struct giq_store *store, const char *digest,
                      struct giq_content *out, struct giq_error *err)
{
    char name[NAME_SIZE];
    bool ignored = false;
    struct giq_content content = {.store = store};
    (void)snprintf(content.digest, sizeof content.digest, "%s", digest);
    if (!giq_document_read(giq_store_uploads_folder(store),
                           name_of(digest, ".json", name), GIQ_CONTENT_FORMAT, advice,
                           &content.json, &ignored, err)) {
        return false;
    }
    if (content.json == NULL) {
        content.json = new_record();
    }
    if (content.json == NULL) {
        return giq_fail_memory(err);
    }
    *out = content;
    return true;
}

void giq_content_release(struct giq_content *content)
{
    giq_json_free(content->json);
    content->json = NULL;
}

bool giq_content_acquire_lock(const struct giq_store *store, const char *digest,
                              struct giq_lock **out, struct giq_error *err)
{
    char name[NAME_SIZE];
    const char *folder = giq_store_uploads_folder(store);
    if (!giq_store_make(store, folder, err)) {
        return false;
    }
    GIQ_AUTO_FREE char *path = giq_os_join(folder, name_of(digest, ".lock", name));
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    return giq_lock_acquire_file(path, giq_store_access(store), out, err);
}

bool giq_content_write(const struct giq_content *content, struct giq_error *err)
{
    char name[NAME_SIZE];
    GIQ_AUTO_FREE char *text = giq_json_print(content->json);
    if (text == NULL) {
        return giq_fail_memory(err);
    }
    return giq_document_write(giq_store_uploads_folder(content->store),
                              name_of(content->digest, ".json", name),
                              giq_store_access(content->store), text, err);
}

/* ---- ids ---- */

bool giq_content_file_id(const struct giq_content *content, const char *base_url,
                         const char *type, const char **out, struct giq_error *err)
{
    const struct giq_json *files = giq_json_get(content->json, files_name);
    const struct giq_json *file = giq_json_get(giq_json_get(files, base_url), type);
    const char *id = giq_json_text(giq_json_get(file, "file_id"));
    if (file != NULL && (id == NULL || id[0] == '\0')) {
        char name[NAME_SIZE];
        return giq_document_fail(giq_store_uploads_folder(content->store),
                                 name_of(content->digest, ".json", name), "is damaged",
                                 advice, err);
    }
    *out = id;
    return true;
}

bool giq_content_set_file_id(struct giq_content *content, const char *base_url,
                             const char *type, const char *file_id, int64_t uploaded_ms,
                             struct giq_error *err)
{
    struct giq_json *files = giq_json_ensure_object(content->json, files_name);
    struct giq_json *of_service =
        files == NULL ? NULL : giq_json_ensure_object(files, base_url);
    struct giq_json *file =
        of_service == NULL ? NULL : giq_json_ensure_object(of_service, type);
    if (file == NULL || !giq_json_set_text(file, "file_id", file_id) ||
        !giq_json_set_time(file, "uploaded_at", uploaded_ms)) {
        return giq_fail_memory(err);
    }
    return true;
}

/* ---- local files ---- */

/* The status of a file as recorded. Version 0.1 recorded no change time, so its stamps
 * never match and the file is read again. */
static const char *stamp_of(const struct giq_source_stat *stat, char out[STAMP_SIZE])
{
    (void)snprintf(out, STAMP_SIZE,
                   "%" PRId64 " bytes, %" PRId64 " ns, device %" PRIu64 ", inode %" PRIu64
                   ", changed %" PRId64 " ns",
                   stat->size, stat->modified_ns, stat->device, stat->inode,
                   stat->changed_ns);
    return out;
}

bool giq_content_has_file(const struct giq_content *content, const char *absolute_path,
                          const struct giq_source_stat *stat)
{
    char stamp[STAMP_SIZE];
    const struct giq_json *paths = giq_json_get(content->json, paths_name);
    const char *recorded = giq_json_text(giq_json_get(paths, absolute_path));
    return recorded != NULL && strcmp(recorded, stamp_of(stat, stamp)) == 0;
}

bool giq_content_set_file(struct giq_content *content, const char *absolute_path,
                          const struct giq_source_stat *stat, struct giq_error *err)
{
    char stamp[STAMP_SIZE];
    struct giq_json *paths = giq_json_ensure_object(content->json, paths_name);
    if (stat != NULL && paths != NULL && giq_json_count(paths) >= GIQ_CONTENT_PATHS_MAX) {
        /* The files that this removes are read again when they are used. */
        giq_json_remove(content->json, paths_name);
        paths = giq_json_ensure_object(content->json, paths_name);
    }
    const char *text = stat == NULL ? NULL : stamp_of(stat, stamp);
    if (paths == NULL || !giq_json_set_text(paths, absolute_path, text)) {
        return giq_fail_memory(err);
    }
    return true;
}

/* ---- hints ---- */

/* Find where the hint for `absolute_path` is: returns its folder, which the caller frees,
 * and writes its file name into `name`. NULL with `err` on failure. */
static char *locate_hint(const struct giq_store *store, const char *absolute_path,
                         char name[GIQ_DIGEST_HEX_SIZE], struct giq_error *err)
{
    if (!giq_digest_bytes(absolute_path, strlen(absolute_path), name, err)) {
        return NULL;
    }
    char *folder = giq_os_join(giq_store_uploads_folder(store), paths_name);
    if (folder == NULL) {
        (void)giq_fail_memory(err);
    }
    return folder;
}

/* Read the digest in the hint, which ends in a line feed. `out` is empty if there is no
 * hint, or if it is not a digest. */
static bool read_hint(const struct giq_store *store, const char *absolute_path,
                      char out[GIQ_DIGEST_HEX_SIZE], struct giq_error *err)
{
    char name[GIQ_DIGEST_HEX_SIZE];
    GIQ_AUTO_BUF struct giq_buf buf;
    bool found = false;
    GIQ_AUTO_FREE char *folder = locate_hint(store, absolute_path, name, err);
    giq_buf_init(&buf, GIQ_DOCUMENT_BYTES_MAX);
    if (folder == NULL || !giq_document_read_bytes(folder, name, &buf, &found, err)) {
        return false;
    }
    out[0] = '\0';
    if (buf.len == GIQ_DIGEST_HEX_SIZE && buf.data[buf.len - 1] == '\n') {
        (void)memcpy(out, buf.data, GIQ_DIGEST_HEX_SIZE - 1);
        out[GIQ_DIGEST_HEX_SIZE - 1] = '\0';
        if (!giq_digest_is_valid(out)) {
            out[0] = '\0';
        }
    }
    return true;
}

bool giq_content_find(const struct giq_store *store, const char *absolute_path,
                      const struct giq_source_stat *stat, char out[GIQ_DIGEST_HEX_SIZE],
                      struct giq_error *err)
{
    struct giq_content content;
    if (!read_hint(store, absolute_path, out, err)) {
        return false;
    }
    if (out[0] == '\0') {
        return true;
    }
    if (!giq_content_read(store, out, &content, err)) {
        return false;
    }
    if (!giq_content_has_file(&content, absolute_path, stat)) {
        out[0] = '\0';
    }
    giq_content_release(&content);
    return true;
}

bool giq_content_write_hint(const struct giq_content *content, const char *absolute_path,
                            struct giq_error *err)
{
    char name[GIQ_DIGEST_HEX_SIZE];
    unsigned access = giq_store_access(content->store);
    GIQ_AUTO_FREE char *folder = locate_hint(content->store, absolute_path, name, err);
    return folder != NULL && giq_os_make_folders(folder, access, err) &&
           giq_document_write(folder, name, access, content->digest, err);
}
