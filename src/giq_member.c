#include "giq_member.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "giq_name.h"
#include "giq_text.h"

/* Beyond any archive that giq_archive takes. */
enum { NUMBER_MAX = 20000 };

/* What is remembered, by the first character of a key. The rest of the key is a
 * path; those of paths given out are in lower case. */
enum topic {
    MEMBER = 'm', /* a raw path that was seen */
    FOLDER = 'f', /* raw folder in a folder given out: its path */
    GROUP = 'g',  /* raw stem in a folder given out: its number */
    STEM = 's',   /* a stem given out: the group that has it */
    TAKEN = 't',  /* a path given out */
};

/* `text` is NULL where the fact that it is there is all. */
struct entry {
    char *key;
    char *text;
    int number;
};

struct giq_members {
    void *tree; /* of struct entry, by tsearch() */
};

/* A part of a path on its way to a name. */
struct part {
    const char *folder;       /* given out, with '/' at its end, or "" */
    const char *raw;          /* as the archive has it */
    char name[GIQ_NAME_SIZE]; /* cleaned */
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static void free_entry(void *node)
{
    struct entry *entry = node;
    if (entry != NULL) {
        free(entry->key);
        free(entry->text);
        free(entry);
    }
}

bool giq_members_new(struct giq_members **out, struct giq_error *err)
{
    struct giq_members *members = calloc(1, sizeof *members);
    if (members == NULL) {
        return giq_fail_memory(err);
    }
    *out = members;
    return true;
}

void giq_members_free(struct giq_members *members)
{
    if (members != NULL) {
        tdestroy(members->tree, free_entry);
        free(members);
    }
}

/* "<topic><folder><name>", to be freed; NULL when out of memory. */
static char *make_key(enum topic topic, const char *folder, const char *name)
{
    char *key = NULL;
    if (asprintf(&key, "%c%s%s", (char)topic, folder, name) < 0) {
        return NULL;
    }
    bool fold = topic == STEM || topic == TAKEN;
    for (char *c = key; fold && *c != '\0'; c++) {
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    }
    return key;
}

/* The entry of a key, made where it is missing. NULL when out of memory. */
static struct entry *get(struct giq_members *members, enum topic topic,
                         const char *folder, const char *name, bool *out_new)
{
    struct entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        return NULL;
    }
    entry->key = make_key(topic, folder, name);
    struct entry **node =
        entry->key == NULL ? NULL : tsearch(entry, &members->tree, compare);
    if (node == NULL) {
        free_entry(entry);
        return NULL;
    }
    *out_new = *node == entry;
    if (*node != entry) {
        free_entry(entry);
    }
    return *node;
}

/* "<stem>-<number><extension>" within GIQ_NAME_MAX; number 1 changes nothing.
 * Returns the length of the stem with its number. */
static size_t number_name(const char *name, int number, char out[GIQ_NAME_SIZE])
{
    char suffix[16] = "";
    if (number > 1) {
        (void)snprintf(suffix, sizeof suffix, "-%d", number);
    }
    const char *extension = giq_name_extension(name);
    size_t extension_len = extension[0] == '\0' ? 0 : strlen(extension) + 1;
    const size_t suffix_len = strlen(suffix);
    size_t stem_len = strlen(name) - extension_len;
    const char *dot = name + stem_len;
    if (extension_len > GIQ_NAME_MAX / 2) {
        stem_len += extension_len;
        extension_len = 0;
    }
    while (stem_len + suffix_len + extension_len > GIQ_NAME_MAX ||
           (name[stem_len] & 0xC0) == 0x80) {
        stem_len--;
    }
    memcpy(out, name, stem_len);
    memcpy(out + stem_len, suffix, suffix_len);
    memcpy(out + stem_len + suffix_len, dot, extension_len);
    out[stem_len + suffix_len + extension_len] = '\0';
    return stem_len + suffix_len;
}

static bool fail_crowded(struct giq_error *err)
{
    return giq_fail(err, GIQ_E_RESULT,
                    "the result is an archive that has too many members of one name");
}

/* Take the path of a part with the first number from `number` on that is free. */
static bool take_path(struct giq_members *members, const struct part *part, int number,
                      char out[GIQ_NAME_SIZE], bool *out_taken, struct giq_error *err)
{
    bool is_new = false;
    (void)number_name(part->name, number, out);
    if (get(members, TAKEN, part->folder, out, &is_new) == NULL) {
        return giq_fail_memory(err);
    }
    *out_taken = is_new;
    return true;
}

static bool name_folder(struct giq_members *members, const struct part *part,
                        char out[GIQ_NAME_SIZE], struct giq_error *err)
{
    bool is_new = false;
    struct entry *folder = get(members, FOLDER, part->folder, part->raw, &is_new);
    if (folder == NULL) {
        return giq_fail_memory(err);
    }
    if (folder->text != NULL) {
        memcpy(out, folder->text, strlen(folder->text) + 1);
        return true;
    }
    for (int number = 1; number <= NUMBER_MAX; number++) {
        bool taken = false;
        if (!take_path(members, part, number, out, &taken, err)) {
            return false;
        }
        if (taken) {
            folder->text = strdup(out);
            return folder->text != NULL || giq_fail_memory(err);
        }
    }
    return fail_crowded(err);
}

/* Whether the stem of the name with this number is or becomes the group's. */
static bool claim_stem(struct giq_members *members, const struct part *part, int number,
                       const struct entry *group, bool *out_ours, struct giq_error *err)
{
    char name[GIQ_NAME_SIZE];
    name[number_name(part->name, number, name)] = '\0';
    bool is_new = false;
    struct entry *stem = get(members, STEM, part->folder, name, &is_new);
    if (stem == NULL) {
        return giq_fail_memory(err);
    }
    if (is_new) {
        stem->text = strdup(group->key);
    }
    if (stem->text == NULL) {
        return giq_fail_memory(err);
    }
    *out_ours = strcmp(stem->text, group->key) == 0;
    return true;
}

/* The group of a file: all that shares what stands before the last dot. */
static struct entry *group_of(struct giq_members *members, const struct part *part)
{
    char *stem = strdup(part->raw);
    if (stem == NULL) {
        return NULL;
    }
    char *dot = strrchr(stem, '.');
    if (dot != NULL && dot != stem) {
        *dot = '\0';
    }
    bool is_new = false;
    struct entry *group = get(members, GROUP, part->folder, stem, &is_new);
    free(stem);
    return group;
}

static bool name_file(struct giq_members *members, const struct part *part,
                      char out[GIQ_NAME_SIZE], struct giq_error *err)
{
    struct entry *group = group_of(members, part);
    if (group == NULL) {
        return giq_fail_memory(err);
    }
    int number = group->number == 0 ? 1 : group->number;
    for (; number <= NUMBER_MAX; number++) {
        bool ours = false;
        bool taken = false;
        if (!claim_stem(members, part, number, group, &ours, err) ||
            (ours && !take_path(members, part, number, out, &taken, err))) {
            return false;
        }
        if (taken) {
            group->number = group->number == 0 ? number : group->number;
            return true;
        }
    }
    return fail_crowded(err);
}

/* ---- paths ---- */

/* The next part of a raw path that counts, and how long it is; NULL at the end. */
static const char *next_part(const char *at, size_t *out_len)
{
    for (;;) {
        at += strspn(at, "/\\");
        size_t len = strcspn(at, "/\\");
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

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);
    return len >= end_len && giq_text_same(text + len - end_len, end);
}

bool giq_member_is_passed_over(const char *raw)
{
    static const char macosx[] = "__MACOSX";
    static const char *const ends[] = {".ovr", ".msk",     ".aux.xml",
                                       "-wal", "-journal", "-shm"};
    size_t len = 0;
    const char *last = NULL;
    for (const char *at = raw; (at = next_part(at, &len)) != NULL; at += len) {
        if (len == sizeof macosx - 1 && giq_text_begins(at, macosx)) {
            return true;
        }
        last = at;
    }
    if (last == NULL || strncmp(last, "._", 2) == 0) {
        return true;
    }
    /* What is dropped or trimmed must not hide an end. */
    char name[GIQ_NAME_SIZE];
    giq_name_clean(raw, name);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (ends_with(name, ends[i])) {
            return true;
        }
    }
    return false;
}

/* Put the name of one part after `path`, whose last part it is or a folder. */
static bool add_part(struct giq_members *members, const char *raw, size_t raw_len,
                     bool is_last, char *path, struct giq_error *err)
{
    char *copy = strndup(raw, raw_len);
    if (copy == NULL) {
        return giq_fail_memory(err);
    }
    struct part part = {.folder = path, .raw = copy};
    char name[GIQ_NAME_SIZE];
    giq_name_clean(copy, part.name);
    bool ok = is_last ? name_file(members, &part, name, err)
                      : name_folder(members, &part, name, err);
    if (ok) {
        (void)strcat(path, name);
    }
    free(copy);
    return ok;
}

static bool check_once(struct giq_members *members, const char *raw,
                       struct giq_error *err)
{
    bool is_new = false;
    if (get(members, MEMBER, "", raw, &is_new) == NULL) {
        return giq_fail_memory(err);
    }
    struct giq_shown shown;
    return is_new || giq_fail(err, GIQ_E_RESULT,
                              "the result is an archive that has the member %s twice",
                              giq_text_show(raw, &shown));
}

bool giq_members_place(struct giq_members *members, const char *raw, char **out_path,
                       size_t *out_folder_len, struct giq_error *err)
{
    if (!check_once(members, raw, err)) {
        return false;
    }
    char path[GIQ_MEMBER_DEPTH_MAX * GIQ_NAME_SIZE + 1] = "";
    size_t folder_len = 0;
    size_t len = 0;
    const char *part = next_part(raw, &len);
    for (int depth = 1; part != NULL; depth++) {
        if (depth > GIQ_MEMBER_DEPTH_MAX) {
            return giq_fail(err, GIQ_E_RESULT,
                            "the result is an archive that has folders too deep");
        }
        size_t part_len = len;
        const char *after = next_part(part + part_len, &len);
        if (!add_part(members, part, part_len, after == NULL, path, err)) {
            return false;
        }
        if (after != NULL) {
            folder_len = strlen(path);
            (void)strcat(path, "/");
        }
        part = after;
    }
    char *out = strdup(path[0] == '\0' ? "result" : path);
    if (out == NULL) {
        return giq_fail_memory(err);
    }
    *out_path = out;
    *out_folder_len = folder_len;
    return true;
}
