#include "odd.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static const struct {
    const char *word;
    enum odd odd;
} words[] = {
    {"repeat", ODD_REPEAT},
    {"short", ODD_SHORT},
    {"half", ODD_HALF},
    {"wrapped", ODD_WRAPPED},
    {"next", ODD_NEXT},
    {"bare", ODD_BARE},
    {"no-geometry", ODD_NO_GEOMETRY},
    {"bad-geometry", ODD_BAD_GEOMETRY},
    {"bow-tie", ODD_BOW_TIE},
    {"no-box", ODD_NO_BOX},
    {"box-3d", ODD_BOX_3D},
    {"box-180", ODD_BOX_180},
    {"no-zone", ODD_NO_ZONE},
    {"null-properties", ODD_NULL_PROPERTIES},
};

/* 0 for a word that is not known. */
static unsigned find_word(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i].word) == len && strncmp(words[i].word, text, len) == 0) {
            return words[i].odd;
        }
    }
    return 0;
}

bool odd_parse(const char *text, unsigned *out)
{
    *out = 0;
    for (;;) {
        size_t len = strcspn(text, "+");
        unsigned odd = find_word(text, len);
        *out |= odd;
        if (odd == 0 || text[len] == '\0') {
            return odd != 0;
        }
        text += len + 1;
    }
}

static void keep_bare(cJSON *item)
{
    cJSON *next = NULL;
    for (cJSON *member = item->child; member != NULL; member = next) {
        next = member->next;
        if (strcmp(member->string, "type") != 0 && strcmp(member->string, "id") != 0) {
            cJSON_Delete(cJSON_DetachItemViaPointer(item, member));
        }
    }
}

static void change_geometry(cJSON *item, unsigned odd)
{
    static const char bad[] =
        "{\"type\":\"Polygon\",\"coordinates\":[[[\"x\",\"y\"],[\"z\"]]]}";
    static const char bow_tie[] =
        "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}";
    const char *text = (odd & ODD_NO_GEOMETRY) != 0    ? "null"
                       : (odd & ODD_BAD_GEOMETRY) != 0 ? bad
                       : (odd & ODD_BOW_TIE) != 0      ? bow_tie
                                                       : NULL;
    if (text != NULL) {
        (void)cJSON_ReplaceItemInObjectCaseSensitive(item, "geometry", cJSON_Parse(text));
    }
}

static void change_box(cJSON *item, unsigned odd)
{
    cJSON *box = cJSON_GetObjectItemCaseSensitive(item, "bbox");
    if ((odd & ODD_BOX_180) != 0) {
        (void)cJSON_ReplaceItemInArray(box, 0, cJSON_CreateNumber(179));
        (void)cJSON_ReplaceItemInArray(box, 2, cJSON_CreateNumber(-179));
    }
    if ((odd & ODD_BOX_3D) != 0) {
        cJSON *north = cJSON_DetachItemFromArray(box, 3);
        cJSON *east = cJSON_DetachItemFromArray(box, 2);
        (void)cJSON_AddItemToArray(box, cJSON_CreateNumber(-5));
        (void)cJSON_AddItemToArray(box, east);
        (void)cJSON_AddItemToArray(box, north);
        (void)cJSON_AddItemToArray(box, cJSON_CreateNumber(120));
    }
    if ((odd & ODD_NO_BOX) != 0) {
        cJSON_DeleteItemFromObjectCaseSensitive(item, "bbox");
    }
}

/* "2024-05-01T10:20:30.000Z" loses its end. */
static void drop_zone(cJSON *item, const char *name)
{
    cJSON *properties = cJSON_GetObjectItemCaseSensitive(item, "properties");
    const char *date =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(properties, name));
    char *cut = text_make("%.19s", date == NULL ? "" : date);
    (void)cJSON_ReplaceItemInObjectCaseSensitive(properties, name,
                                                 cJSON_CreateString(cut));
    free(cut);
}

void odd_change_item(cJSON *item, unsigned odd)
{
    change_geometry(item, odd);
    change_box(item, odd);
    if ((odd & ODD_NO_ZONE) != 0) {
        drop_zone(item, "datetime");
        drop_zone(item, "giq:ingestion_date");
    }
    if ((odd & ODD_NULL_PROPERTIES) != 0) {
        (void)cJSON_ReplaceItemInObjectCaseSensitive(item, "properties",
                                                     cJSON_CreateNull());
    }
    if ((odd & ODD_BARE) != 0) {
        keep_bare(item);
    }
}

cJSON *odd_change_page(cJSON *page, unsigned odd, int port)
{
    if ((odd & ODD_NEXT) != 0) {
        char *href = text_make("http://127.0.0.1:%d/public/stac/search?page=2", port);
        cJSON *link = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(link, "rel", "next");
        (void)cJSON_AddStringToObject(link, "method", "GET");
        (void)cJSON_AddStringToObject(link, "href", href);
        (void)cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(page, "links"), link);
        free(href);
    }
    if ((odd & ODD_WRAPPED) != 0) {
        cJSON *outer = cJSON_CreateObject();
        (void)cJSON_AddItemToObject(outer, "data", page);
        return outer;
    }
    return page;
}
