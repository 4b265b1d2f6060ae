/* Finding and removing leftovers. */
#include "store/giq_leftovers.h"

#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "base/giq_tree.h"
#include "store/giq_claim.h"

enum { LEFTOVERS_MAX = 1000 }; /* that one call considers */

static const int64_t age_ns = GIQ_LEFTOVERS_AGE_MS * INT64_C(1000000);

/* What may be a leftover, by its name. */
struct candidates {
    const char *published;
    char *names[LEFTOVERS_MAX];
    size_t len;
    bool has_results;
};

static void candidates_release(struct candidates *candidates)
{
    for (size_t i = 0; i < candidates->len; i++) {
        free(candidates->names[i]);
    }
}

/* Whether a file or folder of this name exists only while a process works on it. */
static bool is_private(const char *name)
{
    static const char *const prefixes[] = {"result.part", "result.new",
                                           "result.discarded"};
    for (size_t i = 0; i < GIQ_COUNT(prefixes); i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    const char *extension = strrchr(name, '.');
    return extension != NULL && strcmp(extension, ".tmp") == 0;
}

/* Whether this is a result that the record does not name. Version 0.1 used result/ and
 * result.old/. */
static bool is_unnamed_result(const char *name, const char *published)
{
    if (giq_claim_is_folder(name)) {
        return published == NULL || strcmp(name, published) != 0;
    }
    bool is_of_0_1 = strcmp(name, "result") == 0 || strcmp(name, "result.old") == 0;
    return is_of_0_1 && published != NULL;
}

static bool add_candidate(void *ctx, const char *name, struct giq_error *err)
{
    struct candidates *candidates = ctx;
    bool is_result = is_unnamed_result(name, candidates->published);
    if (candidates->len == LEFTOVERS_MAX || (!is_result && !is_private(name))) {
        return true;
    }
    char *copy = strdup(name);
    if (copy == NULL) {
        return giq_fail_memory(err);
    }
    candidates->names[candidates->len++] = copy;
    candidates->has_results = candidates->has_results || is_result;
    return true;
}

/* Whether the newest claim names this result, or cannot be read. */
static bool may_be_claimed(const char *folder, const char *name)
{
    struct giq_error ignored = {0};
    GIQ_AUTO(giq_claim_release) struct giq_claim newest = {0};
    if (!giq_claim_is_folder(name)) {
        return false;
    }
    return !giq_claim_read_newest(folder, &newest, &ignored) ||
           (newest.folder != NULL && strcmp(newest.folder, name) == 0);
}

/* Remove `folder`/`name` if it was not modified since `before_ns`. It gets another name
 * first: whoever still uses it must not find a tree that is half removed. Its owner may
 * have been suspended, and claim it at this moment: it then gets its name back. */
static bool remove_old(const char *folder, const char *name, int64_t before_ns,
                       struct giq_error *err)
{
    int64_t modified_ns = 0;
    GIQ_AUTO_FREE char *path = giq_os_join(folder, name);
    GIQ_AUTO_FREE char *discarded = giq_os_temporary(folder, "discarded");
    if (path == NULL || discarded == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_tree_newest(path, &modified_ns, err) || modified_ns > before_ns) {
        return true;
    }
    if (!giq_os_rename(path, discarded, err)) {
        return false;
    }
    return may_be_claimed(folder, name) ? giq_os_rename(discarded, path, err)
                                        : giq_tree_remove(discarded, err);
}

static void remove_candidates(const char *folder, unsigned access,
                              const struct candidates *candidates)
{
    struct giq_error ignored = {0};
    int64_t now_ns = 0;
    GIQ_AUTO(giq_claim_release) struct giq_claim newest = {0};
    if (!giq_os_server_time(folder, access, &now_ns, &ignored) ||
        (candidates->has_results && !giq_claim_read_newest(folder, &newest, &ignored))) {
        return;
    }
    for (size_t i = 0; i < candidates->len; i++) {
        const char *name = candidates->names[i];
        if (newest.folder == NULL || strcmp(newest.folder, name) != 0) {
            (void)remove_old(folder, name, now_ns - age_ns, &ignored);
        }
    }
}

void giq_leftovers_remove(const char *folder, unsigned access, const char *published)
{
    struct giq_error ignored = {0};
    GIQ_AUTO(candidates_release) struct candidates candidates = {.published = published};
    if (giq_os_list(folder, add_candidate, &candidates, &ignored) && candidates.len > 0) {
        remove_candidates(folder, access, &candidates);
    }
}
