/* Names and writes the derived files of batches. The interface is in giq/batch_file.h. */
#include "giq/batch_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_buf.h"
#include "base/giq_cleanup.h"
#include "base/giq_os.h"
#include "store/giq_digest.h"
#include "store/giq_store.h"

static const char file_name[] = "rows.vrt";

/* Part of the digest: to be changed when the content of the files changes. */
static const char content_format[] = "giq-batch-file 1";

struct giq_batch_file {
    struct giq_digest *digest;
};

bool giq_batch_file_new(struct giq_batch_file **out, struct giq_error *err)
{
    struct giq_batch_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_digest_new(&file->digest, err) ||
        !giq_batch_file_add(file, content_format, err)) {
        giq_batch_file_free(file);
        return false;
    }
    *out = file;
    return true;
}

void giq_batch_file_free(struct giq_batch_file *file)
{
    if (file != NULL) {
        giq_digest_free(file->digest);
        free(file);
    }
}

bool giq_batch_file_add(struct giq_batch_file *file, const char *text,
                        struct giq_error *err)
{
    /* The length of a text precedes it, so that no two lists of texts are the same bytes.
     */
    char prefix[sizeof "18446744073709551615;"]; /* the largest size_t */
    size_t len = text == NULL ? 0 : strlen(text);
    int n = text == NULL ? snprintf(prefix, sizeof prefix, "-;")
                         : snprintf(prefix, sizeof prefix, "%zu;", len);
    return giq_digest_add(file->digest, prefix, (size_t)n, err) &&
           (len == 0 || giq_digest_add(file->digest, text, len, err));
}

bool giq_batch_file_path(struct giq_batch_file *file, const struct giq_store *store,
                         char **out_path, struct giq_error *err)
{
    char digest[GIQ_DIGEST_HEX_SIZE];
    if (!giq_digest_finish(file->digest, digest, err)) {
        return false;
    }
    GIQ_AUTO_FREE char *folder = giq_os_join(giq_store_batches_folder(store), digest);
    GIQ_AUTO_FREE char *path = folder == NULL ? NULL : giq_os_join(folder, file_name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    *out_path = giq_take(&path);
    return true;
}

bool giq_batch_file_equals(const char *path, const char *bytes, size_t len)
{
    GIQ_AUTO_BUF struct giq_buf found;
    struct giq_error ignored = {0};
    bool is_found = false;
    giq_buf_init(&found, len);
    return giq_os_read_file(path, len, &found, &is_found, &ignored) && is_found &&
           found.len == len && memcmp(found.data, bytes, len) == 0;
}

bool giq_batch_file_write(const struct giq_store *store, const char *path,
                          const char *bytes, size_t len, struct giq_error *err)
{
    unsigned access = giq_store_access(store);
    bool exists = false;
    struct giq_error ignored = {0};
    GIQ_AUTO_FREE char *folder = strdup(path);
    GIQ_AUTO_FREE char *temporary = NULL;
    if (folder == NULL || asprintf(&temporary, "%s.%ld-%08" PRIx32, path, giq_os_pid(),
                                   giq_os_random()) < 0) {
        temporary = NULL;
        return giq_fail_memory(err);
    }
    *strrchr(folder, '/') = '\0';
    if (!giq_store_make(store, folder, err) ||
        !giq_os_create_new(temporary, access, bytes, len, &exists, err)) {
        return false;
    }
    if (exists) {
        return giq_fail(err, GIQ_E_STORE, "the file %s exists; remove it", temporary);
    }
    if (!giq_os_rename(temporary, path, err)) {
        (void)giq_os_remove(temporary, &ignored);
        return false;
    }
    return true;
}
