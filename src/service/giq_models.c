/*
 * The list of models, in the forms that services send it, and finding a model in it.
 */
#include "service/giq_models.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_cred.h"
#include "base/giq_json.h"
#include "base/giq_text.h"
#include "net/giq_url.h"
#include "service/giq_call.h"

/* Find the list: it is the document itself, or a member of it. */
static const struct giq_json *find_list(const struct giq_json *json)
{
    static const char *const names[] = {"models", "content", "data", "items", "results"};
    if (giq_json_is_list(json)) {
        return json;
    }
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        const struct giq_json *inner = giq_json_get(json, names[i]);
        if (giq_json_is_list(inner)) {
            return inner;
        }
    }
    return NULL;
}

/* Copy the labels, which are strings or objects with a name; others are skipped. The list
 * ends with NULL. NULL if there are none, or when out of memory. */
static char **parse_labels(const struct giq_service *service, const struct giq_json *list)
{
    size_t count = giq_json_count(list);
    char **labels = count == 0 ? NULL : calloc(count + 1, sizeof *labels);
    if (labels == NULL) {
        return NULL;
    }
    size_t n = 0;
    for (const struct giq_json *item = giq_json_first(list); item != NULL;
         item = giq_json_next(item)) {
        const struct giq_json *name = giq_json_get(item, "name");
        char *label = giq_call_masked_text(service, name == NULL ? item : name);
        if (label != NULL) {
            labels[n++] = label;
        }
    }
    return labels;
}

static void mask(void *ctx, char *text)
{
    giq_cred_mask(ctx, text);
}

/* The complete description of a model. Texts are masked before they are escaped, which
 * could hide a secret. NULL when out of memory. */
static char *print_masked(const struct giq_service *service, const struct giq_json *json)
{
    GIQ_AUTO_JSON struct giq_json *copy = giq_json_copy(json);
    if (copy == NULL) {
        return NULL;
    }
    giq_json_each_text(copy, mask, (void *)service->cred);
    return giq_json_print(copy);
}

static void parse_model(const struct giq_service *service, const struct giq_json *json,
                        struct giq_model *out)
{
    const struct giq_json *id = giq_json_get(json, "id");
    *out = (struct giq_model){
        .id = giq_json_id(id == NULL ? giq_json_get(json, "modelId") : id),
        .name = giq_call_masked_text(service, giq_json_get(json, "name")),
        .version = giq_call_masked_text(service, giq_json_get(json, "version")),
        .type = giq_call_masked_text(service, giq_json_get(json, "type")),
        .labels = parse_labels(service, giq_json_get(json, "labels")),
        .json = print_masked(service, json),
    };
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

/* Whether the list is one page of several. */
static bool is_one_page(const struct giq_json *json, size_t count)
{
    static const char *const totals[] = {"totalElements", "total", "totalCount"};
    for (size_t i = 0; i < GIQ_COUNT(totals); i++) {
        if (giq_json_integer(giq_json_get(json, totals[i]), 0) > (int64_t)count) {
            return true;
        }
    }
    const struct giq_json *is_last = giq_json_get(json, "last");
    return giq_json_integer(giq_json_get(json, "totalPages"), 0) > 1 ||
           (is_last != NULL && !giq_json_is_true(is_last)) ||
           giq_json_is_true(giq_json_get(json, "hasNext")) ||
           giq_json_text(giq_json_get(json, "next")) != NULL;
}

static bool parse_models(const struct giq_service *service,
                         const struct giq_response *response, struct giq_models *out,
                         struct giq_error *err)
{
    GIQ_AUTO_JSON struct giq_json *json =
        giq_json_parse(response->body.data, response->body.len);
    const struct giq_json *body = giq_call_unwrap(json);
    const struct giq_json *list = find_list(body);
    if (list == NULL) {
        return giq_fail(err, GIQ_E_SERVICE,
                        "the list of models cannot be read: the response is not a list");
    }
    struct giq_models models = {0};
    models.item = calloc(giq_json_count(list) + 1, sizeof *models.item);
    if (models.item == NULL) {
        return giq_fail_memory(err);
    }
    for (const struct giq_json *item = giq_json_first(list); item != NULL;
         item = giq_json_next(item)) {
        parse_model(service, item, &models.item[models.count++]);
    }
    models.is_incomplete = is_one_page(body, models.count);
    *out = models;
    return true;
}

static const char models_call[] = "getting the list of models";

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
    struct giq_response response;
    bool ok = giq_call_with_retries(service, &get, &response, err);
    if (!ok) {
        (void)giq_error_context(err, models_call);
    } else if (response.status != 200) {
        ok = giq_call_fail_status(service, &response, GIQ_E_SERVICE, models_call, err);
    } else {
        ok = parse_models(service, &response, out, err);
    }
    giq_response_release(&response);
    return ok;
}

/* ---- choosing ---- */

enum { COMPARED_MAX = 64, SUGGESTIONS_MAX = 3 };

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

/* The distance of a model from `typed`, by its id or its name. */
static int model_distance(const struct giq_model *item, const char *typed)
{
    int by_id = distance(typed, item->id);
    int by_name = item->name == NULL ? by_id : distance(typed, item->name);
    return by_name < by_id ? by_name : by_id;
}

/* The model nearest to `typed` that was not suggested yet, or NULL. */
static const struct giq_model *nearest(const struct giq_models *models, const char *typed,
                                       const bool *suggested)
{
    const struct giq_model *best = NULL;
    int best_distance = 0;
    for (size_t i = 0; i < models->count; i++) {
        const struct giq_model *item = &models->item[i];
        if (suggested[i] || item->id == NULL) {
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

enum { SUGGESTION_SIZE = 2 * sizeof(struct giq_printable) + sizeof ", " + sizeof " ()" };

/* "name (id)", or the id alone if there is no other name; after ", " unless first. */
static void print_suggestion(const struct giq_service *service,
                             const struct giq_model *item, bool is_first,
                             char out[SUGGESTION_SIZE])
{
    struct giq_printable name;
    struct giq_printable id;
    const char *separator = is_first ? "" : ", ";
    (void)giq_call_printable(service, item->name, &name);
    (void)giq_call_printable(service, item->id, &id);
    if (item->name != NULL && strcmp(item->name, item->id) != 0) {
        (void)snprintf(out, SUGGESTION_SIZE, "%s%s (%s)", separator, name.text, id.text);
    } else {
        (void)snprintf(out, SUGGESTION_SIZE, "%s%s", separator, id.text);
    }
}

/* Append the nearest models, at most `max_distance` from `typed`, to the text of `err`,
 * as many as fit. Returns false. */
static bool append_suggestions(const struct giq_service *service,
                               const struct giq_models *models, const char *typed,
                               int max_distance, struct giq_error *err)
{
    GIQ_AUTO_FREE bool *suggested = calloc(models->count, sizeof *suggested);
    if (suggested == NULL) {
        return giq_fail_memory(err);
    }
    for (int n = 0; n < SUGGESTIONS_MAX; n++) {
        const struct giq_model *item = nearest(models, typed, suggested);
        char suggestion[SUGGESTION_SIZE];
        size_t len = strlen(err->text);
        if (item == NULL || model_distance(item, typed) > max_distance) {
            break;
        }
        print_suggestion(service, item, n == 0, suggestion);
        size_t suggestion_len = strlen(suggestion);
        if (len + suggestion_len >= sizeof err->text) {
            break;
        }
        suggested[item - models->item] = true;
        (void)memcpy(err->text + len, suggestion, suggestion_len + 1);
    }
    return false;
}

/* Count the models with this name, and store one of them in `*out`. A model that is
 * listed twice counts once. */
static size_t find_name(const struct giq_models *models, const char *typed,
                        const struct giq_model **out)
{
    size_t count = 0;
    for (size_t i = 0; i < models->count; i++) {
        const struct giq_model *item = &models->item[i];
        if (item->id == NULL || item->name == NULL ||
            !giq_text_equal_nocase(item->name, typed)) {
            continue;
        }
        if (count == 0 || strcmp(item->id, (*out)->id) != 0) {
            *out = item;
            count++;
        }
    }
    return count;
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

/* Whether the list proves which models the service has. */
static bool is_complete(const struct giq_models *models)
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
    const struct giq_model *named = NULL;
    const char *id = typed;
    struct giq_printable printable;
    if (is_complete(models) && !has_id(models, typed)) {
        size_t count = find_name(models, typed, &named);
        if (count != 1) {
            (void)giq_fail(err, GIQ_E_USAGE,
                           count == 0
                               ? "the service has no model with the id or name \"%s\"; "
                                 "the nearest: "
                               : "several models have the name \"%s\"; give the id: ",
                           giq_text_printable(typed, &printable));
            return append_suggestions(service, models, typed, count == 0 ? INT_MAX : 0,
                                      err);
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
