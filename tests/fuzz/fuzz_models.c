/* The list of models, and choosing from it. */
#include "script.h"

#include <cJSON.h>

#include "service/giq_models.h"

static void check_label(const char *text)
{
    MUST(text == NULL ||
         (text[0] != '\0' && fuzz_is_utf8(text) && !fuzz_has_secret(text)));
}

/* No text of the JSON has a secret, also not after unescaping. */
static void check_json(const cJSON *json)
{
    for (; json != NULL; json = json->next) {
        MUST(json->string == NULL || !fuzz_has_secret(json->string));
        MUST(!cJSON_IsString(json) || !fuzz_has_secret(json->valuestring));
        check_json(json->child);
    }
}

static void check_model(const struct giq_model *model)
{
    check_label(model->name);
    check_label(model->version);
    check_label(model->type);
    for (char **label = model->labels; label != NULL && *label != NULL; label++) {
        check_label(*label);
    }
    MUST(model->json != NULL);
    cJSON *json = cJSON_Parse(model->json);
    MUST(json != NULL);
    check_json(json);
    cJSON_Delete(json);
}

static void check_choice(const struct giq_service *service,
                         const struct giq_models *models)
{
    struct giq_error err = {0};
    char *chosen = NULL;
    bool is_listed = false;
    bool is_id = false;
    bool ok = giq_models_choose(service, models, "water", &chosen, &err);
    for (size_t i = 0; i < models->count; i++) {
        const char *id = models->item[i].id;
        is_listed = is_listed || (id != NULL && strcmp(id, "water") == 0);
        is_id = is_id || (ok && id != NULL && strcmp(id, chosen) == 0);
    }
    if (ok) {
        MUST(is_listed ? strcmp(chosen, "water") == 0
                       : is_id || strcmp(chosen, "water") == 0);
    } else {
        MUST(!is_listed && chosen == NULL);
        fuzz_check_error(&err, GIQ_E_USAGE);
    }
    free(chosen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script;
    struct giq_models models = {0};
    struct giq_error err = {0};
    script_start(&script, data, size);
    if (giq_models_get(script.service, &models, &err)) {
        MUST(script.status == 200 && !script.was_cut);
        for (size_t i = 0; i < models.count; i++) {
            check_model(&models.item[i]);
        }
        check_choice(script.service, &models);
    } else {
        fuzz_check_error(&err, err.code);
        MUST(err.code != GIQ_E_NONE && models.item == NULL);
    }
    MUST(script.posts == 0);
    giq_models_release(&models);
    script_stop(&script);
    return 0;
}
