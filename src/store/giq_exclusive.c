/* Creating a file that others may create at the same time. */
#include "store/giq_exclusive.h"

#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_os.h"

enum { NUMBER_DIGITS_MAX = 7 }; /* of GIQ_EXCLUSIVE_NUMBER_MAX */

static bool create_temporary(struct giq_exclusive *file, struct giq_error *err)
{
    bool exists = false;
    GIQ_AUTO_FREE char *path = giq_os_temporary(file->folder, "new");
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_os_create_new(path, file->access, file->bytes, file->len, &exists, err)) {
        return false;
    }
    if (exists) {
        return giq_fail(err, GIQ_E_STORE, "the file %s exists; remove it", path);
    }
    file->temporary = giq_take(&path);
    return true;
}

/* The caller that creates the empty file owns the name, and replaces the file by one with
 * the content. If that fails, the empty file stays: others may have found it. */
static bool create_without_links(struct giq_exclusive *file, const char *name,
                                 const char *path, bool *out_created,
                                 struct giq_error *err)
{
    bool exists = false;
    if (!giq_os_create_new(path, file->access, "", 0, &exists, err)) {
        return false;
    }
    if (!exists && !giq_os_replace_file(file->folder, name, file->access, file->bytes,
                                        file->len, err)) {
        return false;
    }
    *out_created = !exists;
    return true;
}

/* For `is_whole` without links: a rename is not exclusive, but leaves no empty file. */
static bool create_by_rename(const struct giq_exclusive *file, const char *name,
                             const char *path, bool *out_created, struct giq_error *err)
{
    struct giq_os_stat st;
    if (!giq_os_stat(path, &st, err)) {
        return false;
    }
    *out_created = st.kind == GIQ_OS_NOTHING;
    return !*out_created || giq_os_replace_file(file->folder, name, file->access,
                                                file->bytes, file->len, err);
}

bool giq_exclusive_create(struct giq_exclusive *file, const char *name, bool *out_created,
                          struct giq_error *err)
{
    enum giq_os_link_outcome outcome = GIQ_OS_LINK_UNSUPPORTED;
    GIQ_AUTO_FREE char *path = giq_os_join(file->folder, name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    if (file->temporary == NULL && !create_temporary(file, err)) {
        return false;
    }
    if (!file->has_no_links && !giq_os_link(file->temporary, path, &outcome, err)) {
        return false;
    }
    if (outcome == GIQ_OS_LINK_UNSUPPORTED) {
        file->has_no_links = true;
        if (file->is_whole) {
            return create_by_rename(file, name, path, out_created, err);
        }
        return create_without_links(file, name, path, out_created, err);
    }
    *out_created = outcome == GIQ_OS_LINKED;
    return true;
}

void giq_exclusive_release(struct giq_exclusive *file)
{
    struct giq_error ignored = {0};
    if (file->temporary != NULL) {
        (void)giq_os_remove(file->temporary, &ignored);
    }
    free(giq_take(&file->temporary));
}

int giq_exclusive_number(const char *name, const char *prefix)
{
    size_t prefix_len = strlen(prefix);
    if (strncmp(name, prefix, prefix_len) != 0) {
        return 0;
    }
    const char *digits = name + prefix_len;
    size_t len = strspn(digits, "0123456789");
    if (len == 0 || len > NUMBER_DIGITS_MAX || digits[len] != '\0' || digits[0] == '0') {
        return 0;
    }
    return (int)strtol(digits, NULL, 10);
}
