#include "base/giq_tree.h"

#include <stdlib.h>

#include "base/giq_os.h"

/* Folders below a key's folder are ours or an unpacked archive's. */
enum { DEPTH_MAX = 64 };

/* A walk that comes to a folder after all that is in it. */
struct walk {
    bool (*each)(const char *path, struct giq_error *err);
    const char *at;
    int depth;
};

static bool walk_entry(void *ctx, const char *name, struct giq_error *err)
{
    struct walk walk = *(const struct walk *)ctx;
    char *path = giq_os_join(walk.at, name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    walk.at = path;
    walk.depth++;
    bool ok = true;
    if (giq_os_is_folder(path)) {
        ok = walk.depth > DEPTH_MAX
                 ? giq_fail(err, GIQ_E_STORE, "%s lies too deep in the store", path)
                 : giq_os_list(path, walk_entry, &walk, err);
    }
    ok = ok && walk.each(path, err);
    free(path);
    return ok;
}

bool giq_tree_remove(const char *path, struct giq_error *err)
{
    struct walk walk = {giq_os_remove, path, 0};
    return (!giq_os_is_folder(path) || giq_os_list(path, walk_entry, &walk, err)) &&
           giq_os_remove(path, err);
}

bool giq_tree_sync(const char *folder, struct giq_error *err)
{
    struct walk walk = {giq_os_sync_path, folder, 0};
    return giq_os_list(folder, walk_entry, &walk, err) && giq_os_sync_path(folder, err);
}
