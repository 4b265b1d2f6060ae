/*
 * The list of models, in the forms that services send it, and finding a model in it.
 */
#include "service/giq_models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_cred.h"
#include "base/giq_json.h"
#include "base/giq_text.h"
#include "net/giq_url.h"
#include "service/giq_call.h"

/* Copy the labels, which are strings, numbers, or objects with a name; others are
 * skipped. The list ends with NULL; `*out` is NULL if `list` is empty or not a list.
 * False when out of memory; the caller frees `*out` in any case. */
static bool parse_labels(const struct giq_service *service, const struct giq_json *list,
                         char ***out)
{
    size_t count = giq_json_count(list);
    if (count == 0) {
        return true;
    }
    *out = calloc(count + 1, sizeof **out);
    if (*out == NULL) {
        return false;
    }
    size_t n = 0;
    for (const struct giq_json *item = giq_json_first(list); item != NULL;
         item = giq_json_next(item)) {
        const struct giq_json *name = giq_json_get(item, "name");
        if (!giq_call_copy_masked(service, name == NULL ? item : name, &(*out)[n])) {
            return false;
        }
        if ((*out)[n] != NULL) {
            n++;
        }
    }
    return true;
}

static void mask(void *ctx, char *text)
{
    giq_cred_mask(ctx, text);
}

/* The complete description of a model. Texts are masked before they are printed, because
 * JSON escapes could hide a secret from the mask. NULL when out of memory. */
static char *print_masked(const struct giq_service *service, const struct giq_json *json)
{
    GIQ_AUTO_JSON struct giq_json *copy = giq_json_copy(json);
    if (copy == NULL) {
        return NULL;
    }
    giq_json_each_text(copy, mask, (void *)service->cred);
    return giq_json_print(copy);
}

/* `*out` must be zeroed before; the caller releases it in any case. False when out of
 * memory. */
static bool parse_model(const struct giq_service *service, const struct giq_json *json,
                        struct giq_model *out)
{
    const struct giq_json *id = giq_json_get(json, "id");
    if (!giq_json_copy_id(id == NULL ? giq_json_get(json, "modelId") : id, &out->id) ||
        !giq_call_copy_masked(service, giq_json_get(json, "name"), &out->name) ||
        !giq_call_copy_masked(service, giq_json_get(json, "version"), &out->version) ||
        !giq_call_copy_masked(service, giq_json_get(json, "type"), &out->type) ||
        !parse_labels(service, giq_json_get(json, "labels"), &out->labels)) {
        return false;
    }
    out->json = print_masked(service, json);
    return out->json != NULL;
}

static void release_model(struct giq_model *model)
{
    for (char **label = model->labels; label != NULL && *label != NULL; label++) {
        free(*label);
    }
    free(model->labels);
    free(model->id);
    free(model->name);
    free(model->version);
    free(model->type);
    free(model->json);
}

void giq_models_release(struct giq_models *models)
{
    for (size_t i = 0; i < models->count; i++) {
        release_model(&models->item[i]);
    }
    free(models->item);
    *models = (struct giq_models){0};
}

/* Whether the list of `count` models is one page of several, by the members of the
 * response beside it. */
static bool is_one_page(const struct giq_json *json, size_t count)
{
    static const char *const totals[] = {"totalElements", "total", "totalCount"};
    for (size_t i = 0; i < GIQ_COUNT(totals); i++) {
        if (giq_json_integer(giq_json_get(json, totals[i]), 0) > (int64_t)count) {
            return true;
        }
    }
    const struct giq_json *last = giq_json_get(json, "last");
    return giq_json_integer(giq_json_get(json, "totalPages"), 0) > 1 ||
           (last != NULL && !giq_json_is_true(last)) ||
           giq_json_is_true(giq_json_get(json, "hasNext")) ||
           giq_json_text(giq_json_get(json, "next")) != NULL;
}

static bool parse_models(const struct giq_service *service, const struct giq_json *body,
                         const struct giq_json *list, struct giq_models *out,
                         struct giq_error *err)
{
    struct giq_models models = {0};
    models.item = calloc(giq_json_count(list) + 1, sizeof *models.item);
    if (models.item == NULL) {
        return giq_fail_memory(err);
    }
    for (const struct giq_json *item = giq_json_first(list); item != NULL;
         item = giq_json_next(item)) {
        if (!parse_model(service, item, &models.item[models.count++])) {
            giq_models_release(&models);
            return giq_fail_memory(err);
        }
    }
    models.is_incomplete = is_one_page(body, models.count);
    *out = models;
    return true;
}

bool giq_models_get(struct giq_service *service, struct giq_models *out,
                    struct giq_error *err)
{
    GIQ_AUTO_FREE char *url =
        giq_url_make(service->settings.base_url, "inference/models", NULL, NULL);
    if (url == NULL) {
        return giq_fail_memory(err);
    }
    const struct giq_http_request get = {
        .url = url,
        .accept = "application/json",
        .timeout_ms = giq_call_timeout_ms(service),
    };
    GIQ_AUTO_JSON struct giq_json *json = NULL;
    const struct giq_json *list = NULL;
    return giq_call_for_list(service, &get, "the list of models", "models", &json, &list,
                             err) &&
           parse_models(service, giq_call_unwrap(json), list, out, err);
}

/* ---- choosing ---- */

enum {
    COMPARED_MAX = 64, /* bytes of a text that count for its distance */
    NEAREST_MAX = 3,   /* models that are suggested for a text that names none */
    LISTED_MAX = 10,   /* models of one name that are listed */
};

static const char and_more[] = ", ...";

/* The models that an error message lists, each id once. */
struct listed {
    const struct giq_model *item[LISTED_MAX];
    size_t count;
};

static bool is_listed(const struct listed *listed, const char *id)
{
    for (size_t i = 0; i < listed->count; i++) {
        if (strcmp(listed->item[i]->id, id) == 0) {
            return true;
        }
    }
    return false;
}

static int least(int a, int b, int c)
{
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Edit distance (Levenshtein) of the first COMPARED_MAX bytes, ignoring case. */
static int distance(const char *a, const char *b)
{
    size_t b_len = strnlen(b, COMPARED_MAX);
    int row[COMPARED_MAX + 1];
    for (size_t k = 0; k <= b_len; k++) {
        row[k] = (int)k;
    }
    for (size_t i = 0; a[i] != '\0' && i < COMPARED_MAX; i++) {
        int diagonal = row[0];
        row[0] = (int)i + 1;
        for (size_t k = 1; k <= b_len; k++) {
            int above = row[k];
            int changed = lower(a[i]) != lower(b[k - 1]);
            row[k] = least(above + 1, row[k - 1] + 1, diagonal + changed);
            diagonal = above;
        }
    }
    return row[b_len];
}

/* The distance of a model from `typed`: that of its id or its name, whichever is nearer.
 */
static int model_distance(const struct giq_model *item, const char *typed)
{
    int by_id = distance(typed, item->id);
    int by_name = item->name == NULL ? by_id : distance(typed, item->name);
    return by_name < by_id ? by_name : by_id;
}

/* The model nearest to `typed` that is not listed yet, or NULL. */
static const struct giq_model *nearest(const struct giq_models *models, const char *typed,
                                       const struct listed *listed)
{
    const struct giq_model *best = NULL;
    int best_distance = 0;
    for (size_t i = 0; i < models->count; i++) {
        const struct giq_model *item = &models->item[i];
        if (item->id == NULL || is_listed(listed, item->id)) {
            continue;
        }
        int d = model_distance(item, typed);
        if (best == NULL || d < best_distance) {
            best = item;
            best_distance = d;
        }
    }
    return best;
}

enum { ENTRY_SIZE = 2 * sizeof(struct giq_printable) + sizeof ", " + sizeof " ()" };

/* "name (id)", or the id alone if there is no other name; after ", " unless first. */
static void print_entry(const struct giq_service *service, const struct giq_model *item,
                        bool is_first, char out[ENTRY_SIZE])
{
    struct giq_printable name;
    struct giq_printable id;
    const char *separator = is_first ? "" : ", ";
    (void)giq_call_printable(service, item->name, &name);
    (void)giq_call_printable(service, item->id, &id);
    if (item->name != NULL && strcmp(item->name, item->id) != 0) {
        (void)snprintf(out, ENTRY_SIZE, "%s%s (%s)", separator, name.text, id.text);
    } else {
        (void)snprintf(out, ENTRY_SIZE, "%s%s", separator, id.text);
    }
}

/* Append a model to `listed` and to the text of `err`. False if `listed` is full, or the
 * text has no room for the model and `and_more`; nothing is changed then. */
static bool append_model(const struct giq_service *service, const struct giq_model *item,
                         struct listed *listed, struct giq_error *err)
{
    char entry[ENTRY_SIZE];
    print_entry(service, item, listed->count == 0, entry);
    size_t len = strlen(err->text);
    size_t entry_len = strlen(entry);
    if (listed->count == LISTED_MAX ||
        len + entry_len + sizeof and_more > sizeof err->text) {
        return false;
    }
    listed->item[listed->count++] = item;
    (void)memcpy(err->text + len, entry, entry_len + 1);
    return true;
}

/* Set `err` with the nearest models: at most NEAREST_MAX, and as many as fit. */
static bool fail_unknown(const struct giq_service *service,
                         const struct giq_models *models, const char *typed,
                         struct giq_error *err)
{
    struct giq_printable printable;
    struct listed listed = {.count = 0};
    (void)giq_fail(err, GIQ_E_USAGE,
                   "the service has no model with the id or name \"%s\"; the nearest: ",
                   giq_text_printable(typed, &printable));
    while (listed.count < NEAREST_MAX) {
        const struct giq_model *item = nearest(models, typed, &listed);
        if (item == NULL || !append_model(service, item, &listed, err)) {
            break;
        }
    }
    return false;
}

/* Whether `typed` is the name of the model, ignoring case. */
static bool has_name(const struct giq_model *item, const char *typed)
{
    return item->id != NULL && item->name != NULL &&
           giq_text_equal_nocase(item->name, typed);
}

/* Set `err` with the models of this name: at most LISTED_MAX, and as many as fit; ", ..."
 * stands for the others. */
static bool fail_ambiguous(const struct giq_service *service,
                           const struct giq_models *models, const char *typed,
                           struct giq_error *err)
{
    struct giq_printable printable;
    struct listed listed = {.count = 0};
    (void)giq_fail(err, GIQ_E_USAGE, "several models have the name \"%s\"; give the id: ",
                   giq_text_printable(typed, &printable));
    for (size_t i = 0; i < models->count; i++) {
        const struct giq_model *item = &models->item[i];
        if (!has_name(item, typed) || is_listed(&listed, item->id)) {
            continue;
        }
        if (!append_model(service, item, &listed, err)) {
            /* append_model() left room for it. */
            (void)memcpy(err->text + strlen(err->text), and_more, sizeof and_more);
            break;
        }
    }
    return false;
}

/* Find the model with this name. Returns 0 if there is none, 1 with the model in `*out`,
 * or 2 if models with different ids have the name. */
static int find_name(const struct giq_models *models, const char *typed,
                     const struct giq_model **out)
{
    const struct giq_model *found = NULL;
    for (size_t i = 0; i < models->count; i++) {
        const struct giq_model *item = &models->item[i];
        if (!has_name(item, typed)) {
            continue;
        }
        if (found != NULL && strcmp(item->id, found->id) != 0) {
            return 2;
        }
        found = item;
    }
    *out = found;
    return found == NULL ? 0 : 1;
}

static bool has_id(const struct giq_models *models, const char *typed)
{
    for (size_t i = 0; i < models->count; i++) {
        const char *id = models->item[i].id;
        if (id != NULL && strcmp(id, typed) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether a model that is not in the list does not exist. */
static bool can_exclude_models(const struct giq_models *models)
{
    for (size_t i = 0; i < models->count; i++) {
        if (models->item[i].id == NULL) {
            return false;
        }
    }
    return models->count > 0 && !models->is_incomplete;
}

bool giq_models_choose(const struct giq_service *service, const struct giq_models *models,
                       const char *typed, char **out, struct giq_error *err)
{
    const char *id = typed;
    if (can_exclude_models(models) && !has_id(models, typed)) {
        const struct giq_model *named = NULL;
        int count = find_name(models, typed, &named);
        if (count == 0) {
            return fail_unknown(service, models, typed, err);
        }
        if (count > 1) {
            return fail_ambiguous(service, models, typed, err);
        }
        id = named->id;
    }
    char *copy = strdup(id);
    if (copy == NULL) {
        return giq_fail_memory(err);
    }
    *out = copy;
    return true;
}
