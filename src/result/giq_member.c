#include "result/giq_member.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_text.h"
#include "result/giq_name.h"

/* A raw path is at most so long, and so many numbers are tried for a name: both
 * bound what a hostile archive can cost. */
enum { RAW_MAX = 4096, TRIES_MAX = 200 };

/* What is remembered, by the first character of a key. After it come the number
 * of a folder that was given out, and a name in it. */
enum topic {
    MEMBER = 'm', /* a raw path that was seen */
    FOLDER = 'f', /* a raw folder: its name, and its own number */
    GROUP = 'g',  /* a raw stem: the "-n" that its files have */
    STEM = 's',   /* a stem given out: the group that has it */
    NEXT = 'n',   /* a cleaned stem: the next "-n" to try */
    TAKEN = 't',  /* a name given out */
};

struct fact {
    char *key;
    char *text; /* NULL where there is none */
    int number;
};

struct giq_members {
    const struct giq_cred *cred;
    void *tree; /* of struct fact, by tsearch() */
    int folders;
};

/* A part of a path on its way to a name. */
struct part {
    int folder;               /* number of the folder it lies in */
    const char *raw;          /* as the archive has it */
    char name[GIQ_NAME_SIZE]; /* cleaned */
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct fact *)a)->key, ((const struct fact *)b)->key);
}

static void free_fact(void *node)
{
    struct fact *fact = node;
    if (fact != NULL) {
        free(fact->key);
        free(fact->text);
        free(fact);
    }
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
        tdestroy(members->tree, free_fact);
        free(members);
    }
}

/* To be freed; NULL when out of memory. Names given out are folded, so that none
 * is the same as another but for case. */
static char *make_key(enum topic topic, int folder, const char *name)
{
    char *key = NULL;
    if (asprintf(&key, "%c%d/%s", (char)topic, folder, name) < 0) {
        return NULL;
    }
    bool fold = topic == STEM || topic == NEXT || topic == TAKEN;
    for (char *c = key; fold && *c != '\0'; c++) {
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    }
    return key;
}

/* The fact of a key, made where it is missing. NULL when out of memory. */
static struct fact *get(struct giq_members *members, enum topic topic, int folder,
                        const char *name, bool *out_new)
{
    struct fact *fact = calloc(1, sizeof *fact);
    if (fact == NULL) {
        return NULL;
    }
    fact->key = make_key(topic, folder, name);
    struct fact **node =
        fact->key == NULL ? NULL : tsearch(fact, &members->tree, compare);
    if (node == NULL) {
        free_fact(fact);
        return NULL;
    }
    *out_new = *node == fact;
    if (*node != fact) {
        free_fact(fact);
    }
    return *node;
}

/* The length of the part of a name that the files of one dataset share: all before the
 * extension of the file, or of the file that a sidecar lies beside. */
static size_t stem_len_of(const char *name)
{
    static const char *const tails[] = {".aux.xml", ".msk"};
    size_t len = strlen(name);
    for (size_t i = 0; i < GIQ_COUNT(tails); i++) {
        size_t tail = strlen(tails[i]);
        if (len > tail && giq_text_same(name + len - tail, tails[i])) {
            len -= tail;
            break;
        }
    }
    const char *dot = memrchr(name, '.', len);
    return dot == NULL || dot == name ? len : (size_t)(dot - name);
}

/* "<stem>-<number><extension>" within GIQ_NAME_MAX; number 1 changes nothing.
 * Returns the length of the stem with its number. */
static size_t number_name(const char *name, int number, char out[GIQ_NAME_SIZE])
{
    char suffix[16] = "";
    if (number > 1) {
        (void)snprintf(suffix, sizeof suffix, "-%d", number);
    }
    const size_t suffix_len = strlen(suffix);
    size_t stem_len = stem_len_of(name);
    size_t extension_len = strlen(name) - stem_len;
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

/* Whether the stem of the name with this number is or becomes the group's. */
static bool claim_stem(struct giq_members *members, const struct part *part, int number,
                       const struct fact *group, bool *out_ours, struct giq_error *err)
{
    char name[GIQ_NAME_SIZE];
    name[number_name(part->name, number, name)] = '\0';
    bool is_new = false;
    struct fact *stem = get(members, STEM, part->folder, name, &is_new);
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

/* Take the name with this number where it is free. A folder has no group. */
static bool try_name(struct giq_members *members, const struct part *part, int number,
                     const struct fact *group, char out[GIQ_NAME_SIZE], bool *out_taken,
                     struct giq_error *err)
{
    bool ours = group == NULL;
    if (!ours && !claim_stem(members, part, number, group, &ours, err)) {
        return false;
    }
    bool is_new = false;
    (void)number_name(part->name, number, out);
    if (ours && get(members, TAKEN, part->folder, out, &is_new) == NULL) {
        return giq_fail_memory(err);
    }
    *out_taken = is_new;
    return true;
}

/* Take a name with the number at `*number` or, where it is not free, a later
 * one, which is put there. */
static bool take_name(struct giq_members *members, const struct part *part,
                      const struct fact *group, int *number, char out[GIQ_NAME_SIZE],
                      struct giq_error *err)
{
    char stem[GIQ_NAME_SIZE];
    stem[number_name(part->name, 1, stem)] = '\0';
    bool is_new = false;
    struct fact *next = get(members, NEXT, part->folder, stem, &is_new);
    if (next == NULL) {
        return giq_fail_memory(err);
    }
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        bool taken = false;
        if (!try_name(members, part, *number, group, out, &taken, err)) {
            return false;
        }
        next->number = *number < next->number ? next->number : *number + 1;
        if (taken) {
            return true;
        }
        *number = next->number;
    }
    return giq_fail(err, GIQ_E_RESULT,
                    "the result is an archive that has too many members of one name");
}

/* `*folder` becomes the number of the part's folder. */
static bool name_folder(struct giq_members *members, const struct part *part,
                        char out[GIQ_NAME_SIZE], int *folder, struct giq_error *err)
{
    bool is_new = false;
    struct fact *known = get(members, FOLDER, part->folder, part->raw, &is_new);
    if (known == NULL) {
        return giq_fail_memory(err);
    }
    if (known->text == NULL) {
        int number = 1;
        if (!take_name(members, part, NULL, &number, out, err)) {
            return false;
        }
        known->text = strdup(out);
        known->number = ++members->folders;
    }
    if (known->text == NULL) {
        return giq_fail_memory(err);
    }
    memcpy(out, known->text, strlen(known->text) + 1);
    *folder = known->number;
    return true;
}

/* The group of a file: all that shares its stem. */
static struct fact *group_of(struct giq_members *members, const struct part *part)
{
    char *stem = strndup(part->raw, stem_len_of(part->raw));
    if (stem == NULL) {
        return NULL;
    }
    bool is_new = false;
    struct fact *group = get(members, GROUP, part->folder, stem, &is_new);
    free(stem);
    return group;
}

static bool name_file(struct giq_members *members, const struct part *part,
                      char out[GIQ_NAME_SIZE], struct giq_error *err)
{
    struct fact *group = group_of(members, part);
    if (group == NULL) {
        return giq_fail_memory(err);
    }
    int number = group->number == 0 ? 1 : group->number;
    if (!take_name(members, part, group, &number, out, err)) {
        return false;
    }
    group->number = group->number == 0 ? number : group->number;
    return true;
}

/* ---- paths ---- */

/* The next part of a raw path that counts, and how long it is; NULL at the end.
 * `is_utf8` says whether the whole path is. */
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

bool giq_member_is_passed_over(const char *raw)
{
    static const char macosx[] = "__MACOSX";
    char part[RAW_MAX + 1];
    char name[GIQ_NAME_SIZE] = "";
    size_t len = 0;
    const char *last = NULL;
    /* A longer path finds no place. */
    if (strlen(raw) > RAW_MAX) {
        return false;
    }
    const bool is_utf8 = giq_text_is_utf8(raw);
    for (const char *at = raw; (at = next_part(at, is_utf8, &len)) != NULL; at += len) {
        memcpy(part, at, len);
        part[len] = '\0';
        giq_name_clean(part, name);
        if (giq_text_same(name, macosx)) {
            return true;
        }
        last = at;
    }
    return last == NULL || strncmp(last, "._", 2) == 0;
}

/* `masked` is what may be shown of the path. */
static bool check_raw(struct giq_members *members, const char *raw, const char *masked,
                      struct giq_error *err)
{
    if (strlen(raw) > RAW_MAX) {
        return giq_fail(err, GIQ_E_RESULT,
                        "the result is an archive that has a member whose path is longer "
                        "than %d bytes",
                        (int)RAW_MAX);
    }
    bool is_new = false;
    if (get(members, MEMBER, 0, raw, &is_new) == NULL) {
        return giq_fail_memory(err);
    }
    struct giq_printable shown;
    return is_new || giq_fail(err, GIQ_E_RESULT,
                              "the result is an archive that has the member %s twice",
                              giq_text_printable(masked, &shown));
}

/* The name of one part; `*folder` is where it lies and then, where it is no file, the
 * folder that it is. */
static bool name_part(struct giq_members *members, const char *raw, size_t raw_len,
                      bool is_file, int *folder, char out[GIQ_NAME_SIZE],
                      struct giq_error *err)
{
    char *copy = strndup(raw, raw_len);
    if (copy == NULL) {
        return giq_fail_memory(err);
    }
    struct part part = {.folder = *folder, .raw = copy};
    giq_name_clean(copy, part.name);
    giq_name_mask(members->cred, part.name);
    bool ok = is_file ? name_file(members, &part, out, err)
                      : name_folder(members, &part, out, folder, err);
    free(copy);
    return ok;
}

static bool place(struct giq_members *members, const char *raw, char **out_path,
                  size_t *out_folder_len, struct giq_error *err)
{
    char path[GIQ_MEMBER_DEPTH_MAX * GIQ_NAME_SIZE] = "";
    size_t path_len = 0;
    size_t folder_len = 0;
    size_t len = 0;
    int folder = 0;
    int depth = 0;
    const bool is_utf8 = giq_text_is_utf8(raw);
    for (const char *at = next_part(raw, is_utf8, &len); at != NULL;) {
        size_t part_len = len;
        const char *after = next_part(at + part_len, is_utf8, &len);
        if (++depth > GIQ_MEMBER_DEPTH_MAX) {
            return giq_fail(err, GIQ_E_RESULT,
                            "the result is an archive that has folders too deep");
        }
        char name[GIQ_NAME_SIZE];
        if (!name_part(members, at, part_len, after == NULL, &folder, name, err)) {
            return false;
        }
        path_len += (size_t)snprintf(path + path_len, sizeof path - path_len, "%s%s",
                                     depth == 1 ? "" : "/", name);
        if (after != NULL) {
            folder_len = path_len;
        }
        at = after;
    }
    char *out = strdup(path);
    if (out == NULL) {
        return giq_fail_memory(err);
    }
    *out_path = out;
    *out_folder_len = folder_len;
    return true;
}

bool giq_members_place(struct giq_members *members, const char *raw, char **out_path,
                       size_t *out_folder_len, struct giq_error *err)
{
    char *masked = strdup(raw);
    if (masked == NULL) {
        return giq_fail_memory(err);
    }
    giq_cred_mask(members->cred, masked);
    bool ok = check_raw(members, raw, masked, err) &&
              place(members, masked, out_path, out_folder_len, err);
    free(masked);
    return ok;
}
