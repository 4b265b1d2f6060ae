/* The store on disk: opening, checking, searching for a job, publishing results. */
#include "store/giq_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "base/giq_tree.h"
#include "store/giq_digest.h"
#include "store/giq_exclusive.h"
#include "store/giq_record.h"
#include "store/giq_record_read.h"

enum {
    SPARE_BYTES = 1024 * 1024, /* that must stay free, for records */
    PROBE_BYTES = 1024,        /* of the file that is written to check the store */
};

static const char keys_name[] = "v1";
static const char uploads_name[] = "uploads/v1";
static const char waiting_name[] = "waiting/v1";
static const char batches_name[] = "batches/v1";
static const char probe_name[] = "probe";
/* Prefixes of the names of results; a token follows. */
static const char published_prefix[] = "result.";
static const char part_prefix[] = "result.part.";
static const char staged_prefix[] = "result.new.";

/* Names of results in version 0.1. */
static const char old_published_name[] = "result";
static const char old_replaced_name[] = "result.old";
static const char old_discarded_name[] = "result.discarded";

static const char move_advice[] = "free some space, or move the whole store and set "
                                  "GIQ_STORE_DIR to its new path (with an empty store "
                                  "each request would be paid for again)";

struct giq_store {
    char *top;
    char *keys_folder;    /* <top>/v1 */
    char *uploads_folder; /* <top>/uploads/v1 */
    char *waiting_folder; /* <top>/waiting/v1 */
    char *batches_folder; /* <top>/batches/v1 */
    unsigned access;
    bool was_empty; /* none of the driver's folders existed in it when it was opened */
};

/* The message must not advise another store, since this one may have records: each
 * request would be paid for again there. */
static bool fail_used_world_writable(const char *folder, const char *danger,
                                     struct giq_error *err)
{
    return giq_fail(
        err, GIQ_E_STORE,
        "the folder %s is world-writable, so any user can %s; keep the store, "
        "because in another one requests would be paid for again, and run: "
        "chmod -R o-w \"%s\"",
        folder, danger, folder);
}

static bool fail_empty_world_writable(const char *path, struct giq_error *err)
{
    return giq_fail(err, GIQ_E_STORE,
                    "the folder %s is world-writable, so any user can replace its "
                    "results; set GIQ_STORE_DIR to a folder that only you, or your "
                    "group, can write to",
                    path);
}

/* Check that the store at `path`, an existing folder with the bits `access`, is not
 * world-writable. The folders of the driver in it, whose mode someone may have changed,
 * must not be world-writable either, unless other users cannot enter the store.
 * `*out_is_empty` is whether none of these folders exists. */
static bool check_access(const char *path, unsigned access, bool *out_is_empty,
                         struct giq_error *err)
{
    static const char replace_results[] = "replace its results";
    static const char change_uploads[] = "change which file a job runs on";
    static const struct {
        const char *name;
        const char *danger; /* of being world-writable, for the message */
    } own[] = {
        {keys_name, replace_results},
        {"uploads", change_uploads},
        {uploads_name, change_uploads},
    };
    bool is_used = false;
    for (size_t i = 0; i < GIQ_COUNT(own); i++) {
        struct giq_os_stat st;
        GIQ_AUTO_FREE char *folder = giq_os_join(path, own[i].name);
        if (folder == NULL) {
            return giq_fail_memory(err);
        }
        if (!giq_os_stat(folder, &st, err)) {
            return false;
        }
        if ((st.access & GIQ_OS_WORLD_WRITE) && (access & GIQ_OS_WORLD_SEARCH)) {
            return fail_used_world_writable(folder, own[i].danger, err);
        }
        if (st.kind != GIQ_OS_NOTHING) {
            is_used = true;
        }
    }
    if (access & GIQ_OS_WORLD_WRITE) {
        return is_used ? fail_used_world_writable(path, replace_results, err)
                       : fail_empty_world_writable(path, err);
    }
    *out_is_empty = !is_used;
    return true;
}

bool giq_store_open(const char *path, unsigned flags, struct giq_store **out,
                    struct giq_error *err)
{
    struct giq_os_stat st;
    bool is_empty = true;
    if (path[0] == '\0') {
        return giq_fail(err, GIQ_E_STORE,
                        "GIQ_STORE_DIR is empty; set it to a folder, or unset it");
    }
    if (!giq_os_stat(path, &st, err)) {
        return false;
    }
    if (st.kind != GIQ_OS_NOTHING && st.kind != GIQ_OS_FOLDER) {
        return giq_fail(err, GIQ_E_STORE, "the store must be a folder; %s is not", path);
    }
    if (st.kind == GIQ_OS_FOLDER && !check_access(path, st.access, &is_empty, err)) {
        return false;
    }
    struct giq_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return giq_fail_memory(err);
    }
    bool is_shared = st.kind == GIQ_OS_FOLDER && (flags & GIQ_STORE_PRIVATE) == 0;
    store->access = GIQ_OS_PRIVATE | (is_shared ? st.access & GIQ_OS_SHARED : 0);
    store->was_empty = is_empty;
    store->top = strdup(path);
    store->keys_folder = giq_os_join(path, keys_name);
    store->uploads_folder = giq_os_join(path, uploads_name);
    store->waiting_folder = giq_os_join(path, waiting_name);
    store->batches_folder = giq_os_join(path, batches_name);
    if (store->top == NULL || store->keys_folder == NULL ||
        store->uploads_folder == NULL || store->waiting_folder == NULL ||
        store->batches_folder == NULL) {
        giq_store_close(store);
        return giq_fail_memory(err);
    }
    *out = store;
    return true;
}

void giq_store_close(struct giq_store *store)
{
    if (store != NULL) {
        free(store->top);
        free(store->keys_folder);
        free(store->uploads_folder);
        free(store->waiting_folder);
        free(store->batches_folder);
        free(store);
    }
}

unsigned giq_store_access(const struct giq_store *store)
{
    return store->access;
}

char *giq_store_folder(const struct giq_store *store, const char *key)
{
    return giq_os_join(store->keys_folder, key);
}

const char *giq_store_keys_folder(const struct giq_store *store)
{
    return store->keys_folder;
}

const char *giq_store_uploads_folder(const struct giq_store *store)
{
    return store->uploads_folder;
}

const char *giq_store_waiting_folder(const struct giq_store *store)
{
    return store->waiting_folder;
}

const char *giq_store_batches_folder(const struct giq_store *store)
{
    return store->batches_folder;
}

/* If this process or another one may just have created the store's folder, sync its
 * parent. One that this user may not read cannot be synced, and is skipped. */
static bool sync_parent_of_store(const struct giq_store *store, struct giq_error *err)
{
    struct giq_error reason = {0};
    if (store->was_empty && !giq_os_sync_parent(store->top, &reason) &&
        reason.sys_errno != EACCES) {
        *err = reason;
        return false;
    }
    return true;
}

/* Whether `folder` is directly in the store's folder. */
static bool is_in_top(const struct giq_store *store, const char *folder)
{
    size_t parent_len = (size_t)(strrchr(folder, '/') - folder);
    return parent_len == strlen(store->top);
}

bool giq_store_make(const struct giq_store *store, const char *folder,
                    struct giq_error *err)
{
    /* The store's folder is synced even if all folders exist: another process may have
     * created an entry in it and not synced it yet. */
    return giq_os_make_durable_folders(folder, store->access, err) &&
           sync_parent_of_store(store, err) &&
           (is_in_top(store, folder) || giq_os_sync_path(store->top, err));
}

/* ---- checking that it is writable ---- */

/* Check that only one of two creations of `name` succeeds. */
static bool probe(const struct giq_store *store, const char *folder, const char *name,
                  struct giq_error *err)
{
    static const char block[PROBE_BYTES];
    bool is_first = false;
    bool is_second = true;
    const struct giq_exclusive file = {.folder = folder,
                                       .access = store->access | GIQ_OS_UNSYNCED,
                                       .bytes = block,
                                       .len = sizeof block};
    GIQ_AUTO(giq_exclusive_release) struct giq_exclusive first = file;
    GIQ_AUTO(giq_exclusive_release) struct giq_exclusive second = file;
    if (!giq_exclusive_create(&first, name, &is_first, err) ||
        !giq_exclusive_create(&second, name, &is_second, err)) {
        return false;
    }
    return (is_first && !is_second) ||
           giq_fail(err, GIQ_E_STORE,
                    "the file system of %s has neither links nor exclusive creation of "
                    "files, so a request could be paid for twice; use a store on another "
                    "file system",
                    folder);
}

static bool fail_no_space(int64_t available, const char *folder, struct giq_error *err)
{
    return giq_fail(err, GIQ_E_STORE,
                    "only %lld bytes are free in %s, and at least %d are needed; %s",
                    (long long)available, folder, SPARE_BYTES, move_advice);
}

static bool probe_folder(const struct giq_store *store, const char *folder,
                         struct giq_error *err)
{
    int64_t available = 0;
    struct giq_error ignored = {0};
    if (!giq_store_make(store, folder, err)) {
        return giq_store_explain_full(err);
    }
    GIQ_AUTO_FREE char *path = giq_os_temporary(folder, probe_name);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    bool ok = probe(store, folder, path + strlen(folder) + 1, err);
    bool is_removed = giq_os_remove(path, ok ? err : &ignored);
    if (!ok || !is_removed) {
        return giq_store_explain_full(err);
    }
    if (giq_os_free_space(folder, &available) && available < SPARE_BYTES) {
        return fail_no_space(available, folder, err);
    }
    return true;
}

/* Check the folder of a key, and also the folder of uploads if `uploads` is true. */
static bool probe_folders(const struct giq_store *store, const char *folder, bool uploads,
                          struct giq_error *err)
{
    struct giq_os_stat st;
    if (!giq_os_stat(folder, &st, err)) {
        return false;
    }
    /* A key's folder is created only when its lock is acquired; until then check its
     * parent. */
    if (!probe_folder(store, st.kind == GIQ_OS_NOTHING ? store->keys_folder : folder,
                      err)) {
        return false;
    }
    if (uploads) {
        return probe_folder(store, store->uploads_folder, err);
    }
    return true;
}

bool giq_store_check_writable(const struct giq_store *store, const char *folder,
                              bool uploads, struct giq_error *err)
{
    if (!probe_folders(store, folder, uploads, err)) {
        return giq_error_context(
            err, "nothing was sent, because the store %s cannot be used", store->top);
    }
    return true;
}

/* ---- finding a job ---- */

struct search {
    const struct giq_store *store;
    const char *base_url;
    const char *job_id;
    char *found;
    struct giq_error failure; /* of a record that may be that of the job */
};

/* Read the record in `folder`; `*out` is whether it is that of the job. */
static bool read_is_match(const struct search *search, const char *folder, bool *out,
                          struct giq_error *err)
{
    GIQ_AUTO(giq_record_release) struct giq_record record;
    GIQ_AUTO_JSON struct giq_json *request = NULL;
    giq_record_init(&record);
    *out = false;
    if (!giq_record_read_brief(folder, &record, err)) {
        return false;
    }
    if (record.job_id == NULL || !giq_text_is_same_id(record.job_id, search->job_id)) {
        return true;
    }
    if (!giq_record_read_request(folder, &request, err)) {
        return false;
    }
    const char *base_url = giq_json_text(giq_json_get(request, "base_url"));
    *out = base_url != NULL && strcmp(base_url, search->base_url) == 0;
    return true;
}

/* Whether a record that could not be read may be skipped: its content is damaged or of a
 * newer format, or it is another user's. After other errors it may be that of the job,
 * which must not get a second record. */
static bool may_skip(const struct giq_error *reason)
{
    return reason->code == GIQ_E_STORE &&
           (reason->sys_errno == 0 || reason->sys_errno == EACCES);
}

static bool match_record(void *ctx, const char *name, struct giq_error *err)
{
    struct search *search = ctx;
    struct giq_error reason = {0};
    bool is_match = false;
    if (search->found != NULL || !giq_digest_is_valid(name)) {
        return true;
    }
    GIQ_AUTO_FREE char *folder = giq_store_folder(search->store, name);
    if (folder == NULL) {
        return giq_fail_memory(err);
    }
    if (!read_is_match(search, folder, &is_match, &reason) && !may_skip(&reason)) {
        search->failure = reason;
    }
    if (is_match) {
        search->found = giq_take(&folder);
    }
    return true;
}

bool giq_store_find_job(const struct giq_store *store, const char *base_url,
                        const char *job_id, char **out, struct giq_error *err)
{
    struct search search = {.store = store, .base_url = base_url, .job_id = job_id};
    if (!giq_os_list(store->keys_folder, match_record, &search, err)) {
        free(search.found);
        return false;
    }
    if (search.found == NULL && search.failure.code != GIQ_E_NONE) {
        *err = search.failure;
        return false;
    }
    *out = search.found;
    return true;
}

/* ---- results ---- */

bool giq_store_check_space(const char *folder, int64_t bytes, struct giq_error *err)
{
    int64_t available = 0;
    if (!giq_os_free_space(folder, &available) || bytes <= available - SPARE_BYTES) {
        return true;
    }
    return giq_fail(
        err, GIQ_E_STORE,
        "the result has %lld bytes and needs 1 MiB more for records, but only %lld "
        "bytes are free in %s; %s",
        (long long)bytes, (long long)available, folder, move_advice);
}

bool giq_store_is_full(const struct giq_error *err)
{
    return err->sys_errno == ENOSPC || err->sys_errno == EDQUOT;
}

bool giq_store_explain_full(struct giq_error *err)
{
    if (!giq_store_is_full(err)) {
        return false;
    }
    const struct giq_error cause = *err;
    return giq_error_replace(err, cause.code, "%s; %s", cause.text, move_advice);
}

/* The path of a name with a token in `folder`. */
static char *token_path(const char *folder, const char *prefix, const char *token)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s%s", folder, prefix, token) < 0 ? NULL : path;
}

char *giq_store_part(const char *folder, const char *token)
{
    return token_path(folder, part_prefix, token);
}

bool giq_store_stage(const struct giq_store *store, const char *folder, const char *token,
                     char **out, struct giq_error *err)
{
    GIQ_AUTO_FREE char *path = token_path(folder, staged_prefix, token);
    if (path == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_os_make_folders(path, store->access, err)) {
        return false;
    }
    *out = giq_take(&path);
    return true;
}

bool giq_store_publish(const char *folder, const char *token, char **out,
                       struct giq_error *err)
{
    GIQ_AUTO_FREE char *staged = token_path(folder, staged_prefix, token);
    GIQ_AUTO_FREE char *published = token_path(folder, published_prefix, token);
    GIQ_AUTO_FREE char *name = NULL;
    struct giq_error ignored = {0};
    if (staged == NULL || published == NULL ||
        asprintf(&name, "%s%s", published_prefix, token) < 0) {
        name = NULL;
        return giq_fail_memory(err);
    }
    if (!giq_tree_sync(staged, err)) {
        return false;
    }
    /* No claim names it yet, so it must not look like a leftover. */
    (void)giq_os_touch(staged, &ignored);
    if (!giq_os_rename(staged, published, err) || !giq_os_sync_path(folder, err)) {
        return false;
    }
    *out = giq_take(&name);
    return true;
}

/* Remove the tree at `path` and free `path`, which may be NULL. Failures are ignored. */
static void remove_quietly(char *path)
{
    struct giq_error ignored = {0};
    if (path != NULL) {
        (void)giq_tree_remove(path, &ignored);
    }
    free(path);
}

void giq_store_unstage(const char *folder, const char *token)
{
    remove_quietly(token_path(folder, part_prefix, token));
    remove_quietly(token_path(folder, staged_prefix, token));
}

void giq_store_unpublish(const char *folder, const char *name)
{
    remove_quietly(giq_store_result(folder, name, NULL));
    if (name == NULL) {
        remove_quietly(giq_os_join(folder, old_replaced_name));
    }
}

/* Delete the result that version 0.1 replaced. It gets another name first, because
 * giq_store_restore() must not find a tree that is half deleted. */
static void discard_replaced(const char *folder, const char *replaced)
{
    struct giq_error ignored = {0};
    GIQ_AUTO_FREE char *discarded = giq_os_join(folder, old_discarded_name);
    if (discarded != NULL && giq_tree_remove(discarded, &ignored) &&
        giq_os_rename(replaced, discarded, &ignored)) {
        (void)giq_tree_remove(discarded, &ignored);
    }
}

bool giq_store_restore(const char *folder, struct giq_error *err)
{
    struct giq_os_stat st;
    struct giq_os_stat replaced_st;
    GIQ_AUTO_FREE char *published = giq_os_join(folder, old_published_name);
    GIQ_AUTO_FREE char *replaced = giq_os_join(folder, old_replaced_name);
    if (published == NULL || replaced == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_os_stat(published, &st, err) || !giq_os_stat(replaced, &replaced_st, err)) {
        return false;
    }
    if (replaced_st.kind == GIQ_OS_NOTHING) {
        return true;
    }
    if (st.kind != GIQ_OS_NOTHING) {
        discard_replaced(folder, replaced);
        return true;
    }
    return giq_os_rename(replaced, published, err) && giq_os_sync_path(folder, err);
}

char *giq_store_result(const char *folder, const char *name, const char *file)
{
    GIQ_AUTO_FREE char *result =
        giq_os_join(folder, name == NULL ? old_published_name : name);
    if (result == NULL || file == NULL) {
        return giq_take(&result);
    }
    return giq_os_join(result, file);
}
