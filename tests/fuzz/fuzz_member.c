/* Paths of the members of an archive. Input: one path a line. */
#include "fuzz.h"

#include "result/giq_member.h"
#include "result/giq_name.h"

enum { PATHS_MAX = 64 };

struct accepted {
    char *path[PATHS_MAX];
    size_t count;
};

/* Each part of the path is a cleaned name, and `folder_len` ends before the last one. */
static void check_path(const char *path, size_t folder_len)
{
    int parts = 0;
    size_t last = 0;
    for (size_t at = 0; at < strlen(path) + 1;) {
        char part[GIQ_NAME_SIZE];
        char name[GIQ_NAME_SIZE];
        size_t len = strcspn(path + at, "/");
        MUST(len > 0 && len <= GIQ_NAME_MAX);
        memcpy(part, path + at, len);
        part[len] = '\0';
        giq_name_clean(part, name);
        MUST(strcmp(part, name) == 0);
        last = at;
        at += len + 1;
        parts++;
    }
    MUST(parts <= GIQ_MEMBER_DEPTH_MAX);
    MUST(folder_len == (last == 0 ? 0 : last - 1));
    MUST(!giq_member_is_ignored(path));
}

/* No two paths are equal, and none is below another. */
static void check_apart(const struct accepted *accepted, const char *path)
{
    for (size_t i = 0; i < accepted->count; i++) {
        const char *other = accepted->path[i];
        size_t len = strlen(path);
        size_t other_len = strlen(other);
        size_t common = len < other_len ? len : other_len;
        char after = (len < other_len ? other : path)[common];
        MUST(memcmp(path, other, common) != 0 || (after != '\0' && after != '/'));
    }
}

static void add(struct giq_members *members, struct accepted *accepted, const char *raw)
{
    struct giq_error err = {0};
    char *path = NULL;
    size_t folder_len = 0;
    if (!giq_members_add(members, raw, &path, &folder_len, &err)) {
        MUST(path == NULL);
        fuzz_check_error(&err, GIQ_E_RESULT);
        return;
    }
    check_path(path, folder_len);
    check_apart(accepted, path);
    accepted->path[accepted->count++] = path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct giq_members *members = NULL;
    struct giq_error err = {0};
    struct accepted accepted = {.count = 0};
    MUST(giq_members_new(NULL, &members, &err));
    char *rest = text;
    for (char *line = NULL;
         accepted.count < PATHS_MAX && (line = fuzz_line(&rest)) != NULL;) {
        if (!fuzz_has_secret(line) && !giq_member_is_ignored(line)) {
            add(members, &accepted, line);
        }
    }
    for (size_t i = 0; i < accepted.count; i++) {
        free(accepted.path[i]);
    }
    giq_members_free(members);
    free(text);
    return 0;
}
