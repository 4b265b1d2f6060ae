/* The search for files: pages of items, and titles of collections. */
#include "script.h"

#include <cJSON.h>
#include <strings.h>

#include "giq/geom.h"

/* An L in degrees, on both sides of the equator. */
#define AREA "POLYGON((-34 -9,-34 1,-33 1,-33 -8,-24 -8,-24 -9,-34 -9))"

struct taken {
    struct giq_geom_filter *filter;
    int selected;
};

static void check_text(const char *text)
{
    MUST(text == NULL ||
         (text[0] != '\0' && fuzz_is_utf8(text) && !fuzz_has_secret(text)));
}

/* No word that is an address has a query or a fragment. */
static void check_words(const char *text)
{
    for (const char *at = text; *at != '\0';) {
        at += strspn(at, " \t\r\n\v\f");
        size_t len = strcspn(at, " \t\r\n\v\f");
        bool is_address = memmem(at, len, "://", 3) != NULL;
        MUST(!is_address || strcspn(at, "?#") >= len);
        at += len;
    }
}

/* No text has a secret, also not after unescaping. */
static void check_json(const cJSON *json, const char *preview)
{
    for (; json != NULL; json = json->next) {
        MUST(json->string == NULL || !fuzz_has_secret(json->string));
        if (cJSON_IsString(json)) {
            MUST(!fuzz_has_secret(json->valuestring));
            if (preview == NULL || strcmp(preview, json->valuestring) != 0) {
                check_words(json->valuestring);
            }
        }
        check_json(json->child, preview);
    }
}

static void check_item(const struct giq_file *file)
{
    MUST(file->json != NULL);
    cJSON *json = cJSON_Parse(file->json);
    MUST(json != NULL);
    check_json(json, file->preview);
    cJSON_Delete(json);
}

static void check_footprint(struct taken *taken, const struct giq_file *file,
                            bool *out_selected)
{
    struct giq_error err = {0};
    char *wkt = NULL;
    if (!giq_geom_filter_check(taken->filter, file->geometry, file->box, &wkt,
                               out_selected, &err)) {
        fuzz_check_error(&err, GIQ_E_AREA);
        *out_selected = false;
        return;
    }
    MUST(wkt != NULL || !*out_selected);
    free(wkt);
}

static bool take(void *ctx, const struct giq_file *file, bool is_limit_reached,
                 bool *out_selected, struct giq_error *err)
{
    (void)err;
    struct taken *taken = ctx;
    check_text(file->item_id);
    check_text(file->file_id);
    check_text(file->name);
    check_text(file->collection);
    check_text(file->collection_title);
    check_text(file->source_type);
    check_text(file->preview);
    if (file->preview != NULL &&
        strncasecmp(file->preview, "https://giq.example/", 20) != 0) {
        check_words(file->preview);
    }
    check_item(file);
    check_footprint(taken, file, out_selected);
    taken->selected += *out_selected && !is_limit_reached;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script;
    struct taken taken = {.selected = 0};
    struct giq_error err = {0};
    struct giq_geom_box boxes[GIQ_FILES_BOXES_MAX];
    MUST(giq_geom_filter_new(AREA, &taken.filter, &err));
    const struct giq_files_query query = {
        .boxes = boxes,
        .box_count = giq_geom_filter_boxes(taken.filter, boxes),
        .limit = "3",
    };
    const struct giq_files_host host = {.add = take, .ctx = &taken};
    script_start(&script, data, size);
    if (!giq_files_search(script.service, &query, &host, &err)) {
        fuzz_check_error(&err, err.code);
        MUST(err.code != GIQ_E_NONE && err.code != GIQ_E_USAGE);
    }
    MUST(taken.selected <= 3 && script.posts == 0);
    script_stop(&script);
    giq_geom_filter_free(taken.filter);
    return 0;
}
