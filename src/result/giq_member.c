/* Safe and distinct paths for the members of an archive. */
#include "result/giq_member.h"

#include <assert.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_text.h"
#include "result/giq_name.h"

/* A longer path is refused, to limit the memory and time for a hostile archive. */
enum { RAW_MAX = 4096, PATH_SIZE = GIQ_MEMBER_DEPTH_MAX * GIQ_NAME_SIZE };

/* A path that is assigned to a file or a folder. */
struct member {
    char *path; /* safe */
    char *raw;  /* `raw` of struct path, defined below; ends in '/' for a folder */
};

struct giq_members {
    const struct giq_cred *cred;
    void *tree; /* of struct member by its path, made by tsearch() */
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->path, ((const struct member *)b)->path);
}

static void free_member(void *node)
{
    struct member *member = node;
    free(member->path);
    free(member->raw);
    free(member);
}

bool giq_members_new(const struct giq_cred *cred, struct giq_members **out,
                     struct giq_error *err)
{
    struct giq_members *members = calloc(1, sizeof *members);
    if (members == NULL) {
        return giq_fail_memory(err);
    }
    members->cred = cred;
    *out = members;
    return true;
}

void giq_members_free(struct giq_members *members)
{
    if (members != NULL) {
        tdestroy(members->tree, free_member);
        free(members);
    }
}

/* ---- assigned paths ---- */

static bool add_member(struct giq_members *members, const char *path, const char *raw,
                       struct giq_error *err)
{
    struct member *member = calloc(1, sizeof *member);
    if (member == NULL) {
        return giq_fail_memory(err);
    }
    member->path = strdup(path);
    member->raw = strdup(raw);
    if (member->path == NULL || member->raw == NULL ||
        tsearch(member, &members->tree, compare) == NULL) {
        free_member(member);
        return giq_fail_memory(err);
    }
    return true;
}

/* Reserve the path for the file or folder `raw`. A folder may be reserved again. */
static bool reserve_path(struct giq_members *members, const char *path, const char *raw,
                         struct giq_error *err)
{
    const struct member wanted = {.path = (char *)path};
    struct member *const *found = tfind(&wanted, &members->tree, compare);
    if (found == NULL) {
        return add_member(members, path, raw, err);
    }
    bool is_folder = raw[strlen(raw) - 1] == '/';
    bool is_same = strcmp((*found)->raw, raw) == 0;
    struct giq_printable one;
    struct giq_printable other;
    if (is_same && is_folder) {
        return true;
    }
    if (is_same) {
        return giq_fail(err, GIQ_E_RESULT,
                        "the result is an archive that has the member \"%s\" twice",
                        giq_text_printable(raw, &one));
    }
    return giq_fail(err, GIQ_E_RESULT,
                    "the result is an archive whose members \"%s\" and \"%s\" get the "
                    "same file name",
                    giq_text_printable((*found)->raw, &one),
                    giq_text_printable(raw, &other));
}

/* ---- parts of a path ---- */

/* The first part of a raw path that is not empty, "." or "..", and its length; NULL at
 * the end. `is_utf8` states whether the whole path is UTF-8: if it is not, not every '\'
 * is a separator, see giq_name_part_len(). */
static const char *next_part(const char *at, bool is_utf8, size_t *out_len)
{
    for (;;) {
        at += strspn(at, "/\\");
        size_t len = giq_name_part_len(at, is_utf8);
        bool is_dots = (len == 1 || len == 2) && strncmp(at, "..", len) == 0;
        if (len == 0) {
            return NULL;
        }
        if (!is_dots) {
            *out_len = len;
            return at;
        }
        at += len;
    }
}

bool giq_member_is_ignored(const char *raw)
{
    static const char macosx[] = "__MACOSX";
    char part[RAW_MAX + 1];
    char name[GIQ_NAME_SIZE] = "";
    size_t len = 0;
    const char *last = NULL;
    if (strlen(raw) > RAW_MAX) {
        return false;
    }
    const bool is_utf8 = giq_text_is_utf8(raw);
    for (const char *at = raw; (at = next_part(at, is_utf8, &len)) != NULL; at += len) {
        memcpy(part, at, len);
        part[len] = '\0';
        giq_name_clean(part, name);
        if (giq_text_equal_nocase(name, macosx)) {
            return true;
        }
        last = at;
    }
    return last == NULL || strncmp(last, "._", 2) == 0;
}

/* A path to which parts are added. */
struct path {
    char raw[RAW_MAX + 2]; /* the parts in the archive, masked and joined by '/' */
    size_t raw_len;
    char safe[PATH_SIZE]; /* the cleaned parts, joined by '/' */
    size_t safe_len;
};

/* Add the part of `*len` bytes at `part`. If another part follows, also add a separator
 * to the raw path, set `*len` to the length of that next part and return the next part;
 * else return NULL. */
static const char *add_part(const struct giq_members *members, struct path *path,
                            const char *part, bool is_utf8, size_t *len)
{
    char name[GIQ_NAME_SIZE];
    const char *after = part + *len;
    memcpy(path->raw + path->raw_len, part, *len);
    path->raw[path->raw_len + *len] = '\0';
    giq_name_clean(path->raw + path->raw_len, name);
    giq_name_mask(members->cred, name);
    path->raw_len += *len;
    path->safe_len +=
        (size_t)snprintf(path->safe + path->safe_len, sizeof path->safe - path->safe_len,
                         "%s%s", path->safe_len == 0 ? "" : "/", name);
    const char *next = next_part(after, is_utf8, len);
    if (next != NULL) {
        path->raw[path->raw_len++] = '/';
        path->raw[path->raw_len] = '\0';
    }
    return next;
}

/* Make the path of the masked raw path `raw`, and reserve it and each folder in it. */
static bool make_path(struct giq_members *members, const char *raw, struct path *path,
                      size_t *out_folder_len, struct giq_error *err)
{
    size_t len = 0;
    int depth = 0;
    const bool is_utf8 = giq_text_is_utf8(raw);
    *out_folder_len = 0;
    for (const char *at = next_part(raw, is_utf8, &len); at != NULL;) {
        if (++depth > GIQ_MEMBER_DEPTH_MAX) {
            struct giq_printable printable;
            return giq_fail(err, GIQ_E_RESULT,
                            "the result is an archive whose folders are nested more than "
                            "%d deep: \"%s\"",
                            (int)GIQ_MEMBER_DEPTH_MAX - 1,
                            giq_text_printable(raw, &printable));
        }
        at = add_part(members, path, at, is_utf8, &len);
        if (at != NULL) {
            *out_folder_len = path->safe_len;
        }
        if (!reserve_path(members, path->safe, path->raw, err)) {
            return false;
        }
    }
    return true;
}

bool giq_members_add(struct giq_members *members, const char *raw, char **out_path,
                     size_t *out_folder_len, struct giq_error *err)
{
    assert(!giq_member_is_ignored(raw));
    if (strlen(raw) > RAW_MAX) {
        return giq_fail(err, GIQ_E_RESULT,
                        "the result is an archive that has a member whose path is longer "
                        "than %d bytes",
                        (int)RAW_MAX);
    }
    GIQ_AUTO_FREE char *masked = strdup(raw);
    GIQ_AUTO_FREE struct path *path = calloc(1, sizeof *path);
    size_t folder_len = 0;
    if (masked == NULL || path == NULL) {
        return giq_fail_memory(err);
    }
    giq_cred_mask(members->cred, masked);
    if (!make_path(members, masked, path, &folder_len, err)) {
        return false;
    }
    char *safe = strdup(path->safe);
    if (safe == NULL) {
        return giq_fail_memory(err);
    }
    *out_path = safe;
    *out_folder_len = folder_len;
    return true;
}

bool giq_members_find(const struct giq_members *members, const char *raw,
                      const char **out_path, struct giq_error *err)
{
    *out_path = NULL;
    if (strlen(raw) > RAW_MAX) {
        return true;
    }
    GIQ_AUTO_FREE char *masked = strdup(raw);
    GIQ_AUTO_FREE struct path *path = calloc(1, sizeof *path);
    if (masked == NULL || path == NULL) {
        return giq_fail_memory(err);
    }
    giq_cred_mask(members->cred, masked);
    const bool is_utf8 = giq_text_is_utf8(masked);
    size_t len = 0;
    const char *at = next_part(masked, is_utf8, &len);
    for (int depth = 0; at != NULL && depth < GIQ_MEMBER_DEPTH_MAX; depth++) {
        at = add_part(members, path, at, is_utf8, &len);
    }
    const struct member wanted = {.path = path->safe};
    struct member *const *found = tfind(&wanted, &members->tree, compare);
    if (at == NULL && found != NULL && strcmp((*found)->raw, path->raw) == 0) {
        *out_path = (*found)->path;
    }
    return true;
}
