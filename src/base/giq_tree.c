/* Walks a folder with everything in it. */
#include "base/giq_tree.h"

#include "base/giq_cleanup.h"
#include "base/giq_os.h"

/* The maximum depth of nested folders, more than any archive may have
 * (GIQ_MEMBER_DEPTH_MAX). It limits the recursion. */
enum { DEPTH_MAX = 64 };

/* A walk that visits a folder after everything in it. */
struct walk {
    bool (*each)(void *ctx, const char *path, struct giq_error *err);
    void *ctx;
    const char *folder; /* the folder that is being listed */
    int depth;
};

static bool walk_entry(void *ctx, const char *name, struct giq_error *err)
{
    struct walk walk = *(const struct walk *)ctx;
    GIQ_AUTO_FREE char *path = giq_os_join(walk.folder, name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    walk.folder = path;
    walk.depth++;
    if (giq_os_is_folder(path)) {
        if (walk.depth > DEPTH_MAX) {
            return giq_fail(err, GIQ_E_STORE,
                            "%s is nested more than %d folders deep in the store", path,
                            DEPTH_MAX);
        }
        if (!giq_os_list(path, walk_entry, &walk, err)) {
            return false;
        }
    }
    return walk.each(walk.ctx, path, err);
}

/* A link is not followed; it is synced with the folder that it is in. */
static bool sync_entry(void *ctx, const char *path, struct giq_error *err)
{
    (void)ctx;
    return giq_os_is_link(path) || giq_os_sync_path(path, err);
}

static bool remove_entry(void *ctx, const char *path, struct giq_error *err)
{
    (void)ctx;
    return giq_os_remove(path, err);
}

static bool keep_newest(void *ctx, const char *path, struct giq_error *err)
{
    int64_t *newest_ns = ctx;
    struct giq_os_stat st;
    if (!giq_os_stat(path, &st, err)) {
        return false;
    }
    if (st.kind != GIQ_OS_NOTHING && st.modified_ns > *newest_ns) {
        *newest_ns = st.modified_ns;
    }
    return true;
}

static bool measure_entry(void *ctx, const char *path, struct giq_error *err)
{
    int64_t *bytes = ctx;
    struct giq_os_stat st;
    if (giq_os_is_link(path)) {
        return true;
    }
    if (!giq_os_stat(path, &st, err)) {
        return false;
    }
    *bytes += st.kind == GIQ_OS_FILE ? st.size : 0;
    return true;
}

bool giq_tree_remove(const char *path, struct giq_error *err)
{
    struct walk walk = {remove_entry, NULL, path, 0};
    if (giq_os_is_folder(path) && !giq_os_list(path, walk_entry, &walk, err)) {
        return false;
    }
    return giq_os_remove(path, err);
}

bool giq_tree_sync(const char *folder, struct giq_error *err)
{
    struct walk walk = {sync_entry, NULL, folder, 0};
    return giq_os_list(folder, walk_entry, &walk, err) && giq_os_sync_path(folder, err);
}

bool giq_tree_newest(const char *path, int64_t *out_ns, struct giq_error *err)
{
    int64_t newest_ns = INT64_MIN;
    struct walk walk = {keep_newest, &newest_ns, path, 0};
    if ((giq_os_is_folder(path) && !giq_os_list(path, walk_entry, &walk, err)) ||
        !keep_newest(&newest_ns, path, err)) {
        return false;
    }
    *out_ns = newest_ns;
    return true;
}

bool giq_tree_size(const char *path, int64_t *out_bytes, struct giq_error *err)
{
    int64_t bytes = 0;
    struct walk walk = {measure_entry, &bytes, path, 0};
    if ((giq_os_is_folder(path) && !giq_os_list(path, walk_entry, &walk, err)) ||
        !measure_entry(&bytes, path, err)) {
        return false;
    }
    *out_bytes = bytes;
    return true;
}
