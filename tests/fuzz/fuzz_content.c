/* The record of an uploaded content. Input: its text. */
#include "fuzz.h"

#include <cJSON.h>

#include "base/giq_os.h"
#include "store/giq_content.h"

#define DIGEST "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BASE   "https://api.example"

static const struct giq_source_stat stat = {10, 20, 30, 3, 4};

static struct giq_store *store;

static void plant(const char *text)
{
    struct giq_error err = {0};
    char *path = giq_os_join(giq_store_uploads_folder(store), DIGEST ".json");
    MUST(path != NULL && giq_store_make(store, giq_store_uploads_folder(store), &err));
    fuzz_write(path, text, strlen(text));
    free(path);
}

/* The members that this version does not know, as text. */
static char *unknown_of(const struct giq_content *content)
{
    cJSON *copy = cJSON_Duplicate((const cJSON *)content->json, true);
    MUST(copy != NULL);
    while (cJSON_HasObjectItem(copy, "files") || cJSON_HasObjectItem(copy, "paths")) {
        cJSON_DeleteItemFromObject(copy, "files");
        cJSON_DeleteItemFromObject(copy, "paths");
    }
    char *text = cJSON_PrintUnformatted(copy);
    MUST(text != NULL);
    cJSON_Delete(copy);
    return text;
}

/* What was recorded is read back, and unknown members are kept. */
static void check_rewrite(struct giq_content *content)
{
    struct giq_content again;
    struct giq_error err = {0};
    const char *id = NULL;
    char *before = unknown_of(content);
    MUST(giq_content_set_file_id(content, BASE, "SAR", "f-1", 5, &err));
    MUST(giq_content_set_file(content, "/a/b", &stat, &err));
    MUST(giq_content_write(content, &err));
    MUST(giq_content_read(store, DIGEST, &again, &err));
    MUST(giq_content_file_id(&again, BASE, "SAR", &id, &err));
    MUST(id != NULL && strcmp(id, "f-1") == 0);
    MUST(giq_content_has_file(&again, "/a/b", &stat));
    char *after = unknown_of(&again);
    MUST(strcmp(before, after) == 0);
    free(after);
    free(before);
    giq_content_release(&again);
}

static void check(void)
{
    struct giq_content content = {.json = NULL};
    struct giq_error err = {0};
    const char *id = NULL;
    if (!giq_content_read(store, DIGEST, &content, &err)) {
        fuzz_check_error(&err, GIQ_E_STORE);
        return;
    }
    if (giq_content_file_id(&content, BASE, "SAR", &id, &err)) {
        MUST(id == NULL || id[0] != '\0');
    } else {
        fuzz_check_error(&err, GIQ_E_STORE);
    }
    (void)giq_content_has_file(&content, "/a/b", &stat);
    check_rewrite(&content);
    giq_content_release(&content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct giq_error err = {0};
    if (store == NULL) {
        MUST(giq_store_open(fuzz_folder(), GIQ_STORE_PRIVATE, &store, &err));
    }
    char *text = fuzz_text(data, size);
    plant(text);
    check();
    free(text);
    return 0;
}
