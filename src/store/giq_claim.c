/* Making, listing and reading claims. */
#include "store/giq_claim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_os.h"
#include "base/giq_text.h"
#include "store/giq_document.h"
#include "store/giq_exclusive.h"

enum {
    FORMAT = 1,
    READ_MAX = 100, /* claims that a search reads until one is not damaged */
    NAME_SIZE = 32, /* of the name of a claim */
};

static const char prefix[] = "published.";
static const char summary_member[] = "summary";

void giq_claim_release(struct giq_claim *claim)
{
    free(claim->job_id);
    free(claim->folder);
    free(claim->name);
    giq_json_free(claim->summary);
    *claim = (struct giq_claim){0};
}

static void write_name(int generation, char out[NAME_SIZE])
{
    (void)snprintf(out, NAME_SIZE, "%s%d", prefix, generation);
}

/* ---- reading ---- */

static bool parse(const struct giq_json *json, struct giq_claim *claim)
{
    const struct giq_json *summary = giq_json_get(json, summary_member);
    claim->size = giq_json_integer(giq_json_get(json, "size"), -1);
    claim->summary = summary == NULL ? NULL : giq_json_copy(summary);
    return giq_text_set(&claim->job_id, giq_json_text(giq_json_get(json, "job_id"))) &&
           giq_text_set(&claim->folder, giq_json_text(giq_json_get(json, "folder"))) &&
           giq_text_set(&claim->name, giq_json_text(giq_json_get(json, "name"))) &&
           (claim->summary != NULL || summary == NULL);
}

bool giq_claim_is_folder(const char *name)
{
    static const char result_prefix[] = "result.";
    size_t prefix_len = sizeof result_prefix - 1;
    if (strncmp(name, result_prefix, prefix_len) != 0) {
        return false;
    }
    const char *token = name + prefix_len;
    return strlen(token) == GIQ_OS_TOKEN_SIZE - 1 &&
           token[strspn(token, "0123456789abcdef")] == '\0';
}

bool giq_claim_is_file(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

static bool is_whole(const struct giq_claim *claim)
{
    return claim->job_id != NULL && claim->job_id[0] != '\0' && claim->size >= 0 &&
           claim->folder != NULL && giq_claim_is_folder(claim->folder) &&
           (claim->name == NULL || giq_claim_is_file(claim->name));
}

bool giq_claim_read(const char *folder, int generation, struct giq_claim *out,
                    struct giq_error *err)
{
    char name[NAME_SIZE];
    bool damaged = false;
    struct giq_error reason = {0};
    GIQ_AUTO_JSON struct giq_json *json = NULL;
    GIQ_AUTO(giq_claim_release) struct giq_claim claim = {0};
    write_name(generation, name);
    if (!giq_document_read(folder, name, FORMAT, "", &json, &damaged, &reason) &&
        !damaged) {
        *err = reason;
        return false;
    }
    if (json != NULL && !parse(json, &claim)) {
        return giq_fail_memory(err);
    }
    if (!is_whole(&claim)) {
        giq_claim_release(&claim);
    }
    claim.generation = generation;
    *out = claim;
    claim = (struct giq_claim){0};
    return true;
}

/* A search for the highest generation that is listed and less than `below`. */
struct search {
    int below;
    int found; /* 0: none */
};

static bool note_generation(void *ctx, const char *name, struct giq_error *err)
{
    struct search *search = ctx;
    int generation = giq_exclusive_number(name, prefix);
    (void)err;
    if (generation > search->found && generation < search->below) {
        search->found = generation;
    }
    return true;
}

bool giq_claim_read_newest(const char *folder, struct giq_claim *out,
                           struct giq_error *err)
{
    struct search search = {.below = GIQ_CLAIM_MAX + 1};
    int newest = 0;
    for (int i = 0; i < READ_MAX; i++) {
        GIQ_AUTO(giq_claim_release) struct giq_claim claim = {0};
        search.found = 0;
        if (!giq_os_list(folder, note_generation, &search, err)) {
            return false;
        }
        newest = i == 0 ? search.found : newest;
        if (search.found == 0) {
            break;
        }
        if (!giq_claim_read(folder, search.found, &claim, err)) {
            return false;
        }
        if (claim.folder != NULL) {
            *out = claim;
            claim = (struct giq_claim){0};
            return true;
        }
        search.below = search.found;
    }
    *out = (struct giq_claim){.generation = newest};
    return true;
}

/* ---- making ---- */

/* The text of the file, which the caller frees; NULL when out of memory. */
static char *print(const struct giq_claim *claim)
{
    GIQ_AUTO_JSON struct giq_json *json = giq_json_new_object();
    if (json == NULL || !giq_json_set_integer(json, "format", FORMAT) ||
        !giq_json_set_text(json, "job_id", claim->job_id) ||
        !giq_json_set_text(json, "folder", claim->folder) ||
        !giq_json_set_text(json, "name", claim->name) ||
        !giq_json_set_integer(json, "size", claim->size) ||
        (claim->summary != NULL &&
         !giq_json_set_copy(json, summary_member, claim->summary))) {
        return NULL;
    }
    GIQ_AUTO_FREE char *line = giq_json_print(json);
    char *text = NULL;
    return line == NULL || asprintf(&text, "%s\n", line) < 0 ? NULL : text;
}

bool giq_claim_make(const char *folder, unsigned access, const struct giq_claim *claim,
                    bool *out_made, struct giq_claim *out_other, struct giq_error *err)
{
    char name[NAME_SIZE];
    bool made = false;
    GIQ_AUTO_FREE char *text = print(claim);
    if (text == NULL) {
        return giq_fail_memory(err);
    }
    GIQ_AUTO(giq_exclusive_release)
    struct giq_exclusive file = {
        .folder = folder, .access = access, .bytes = text, .len = strlen(text)};
    write_name(claim->generation, name);
    if (!giq_exclusive_create(&file, name, &made, err)) {
        return false;
    }
    if (made ? !giq_os_sync_path(folder, err)
             : !giq_claim_read(folder, claim->generation, out_other, err)) {
        return false;
    }
    *out_made = made;
    return true;
}
