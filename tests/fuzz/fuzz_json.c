/* JSON: printed JSON is parsed to the same, and getters return what they document. */
#include "fuzz.h"

#include "base/giq_json.h"

static void check_id(const struct giq_json *value)
{
    char *id = giq_json_id(value);
    const char *text = giq_json_text(value);
    if (id != NULL) {
        MUST(id[0] != '\0' && strlen(id) <= GIQ_JSON_ID_MAX);
        MUST(text == NULL ? strspn(id, "-0123456789") == strlen(id)
                          : strcmp(id, text) == 0);
        for (const char *c = id; *c != '\0'; c++) {
            MUST((unsigned char)*c >= 0x20 && *c != 0x7F);
        }
    }
    free(id);
}

static void check_label(const struct giq_json *value)
{
    char *label = giq_json_scalar_text(value);
    const char *text = giq_json_text(value);
    MUST(label == NULL || (label[0] != '\0' && fuzz_is_utf8(label)));
    MUST(text == NULL || (label == NULL) == (text[0] == '\0'));
    free(label);
}

/* A time that is written is parsed to the same time. */
static void check_time(const struct giq_json *value)
{
    int64_t ms = giq_json_time(value);
    struct giq_json *object = giq_json_new_object();
    MUST(object != NULL && giq_json_set_time(object, "t", ms));
    MUST(giq_json_time(giq_json_get(object, "t")) == ms);
    giq_json_free(object);
}

static void check_integer(const struct giq_json *value)
{
    int64_t number = giq_json_integer(value, -1);
    struct giq_json *object = giq_json_new_object();
    MUST(object != NULL && giq_json_set_integer(object, "n", number));
    MUST(giq_json_integer(giq_json_get(object, "n"), 0) == number);
    giq_json_free(object);
}

static void check_value(const struct giq_json *value)
{
    check_id(value);
    check_label(value);
    check_time(value);
    check_integer(value);
}

/* Check the value, the items if it is a list, and members with common names. */
static void check_values(const struct giq_json *value, int depth)
{
    static const char *const names[] = {"id", "data", "startedAt", "labels", ""};
    check_value(value);
    for (size_t i = 0; depth > 0 && i < GIQ_COUNT(names); i++) {
        const struct giq_json *member = giq_json_get(value, names[i]);
        MUST(member == NULL || giq_json_is_object(value));
        check_values(member, depth - 1);
    }
    for (const struct giq_json *item = giq_json_first(value); depth > 0 && item != NULL;
         item = giq_json_next(item)) {
        check_values(item, depth - 1);
    }
}

static void check_printed(const struct giq_json *json)
{
    char *text = giq_json_print(json);
    MUST(text != NULL);
    struct giq_json *again = giq_json_parse(text, strlen(text));
    struct giq_json *copy = giq_json_copy(json);
    char *text_again = giq_json_print(again);
    char *text_copied = giq_json_print(copy);
    MUST(text_again != NULL && strcmp(text, text_again) == 0);
    MUST(text_copied != NULL && strcmp(text, text_copied) == 0);
    giq_json_free(copy);
    giq_json_free(again);
    free(text_copied);
    free(text_again);
    free(text);
}

static void check_written(struct giq_json *json, const char *text)
{
    static const char name[] = "\xC3\xA4";
    if (!giq_json_is_object(json) || !fuzz_is_utf8(text)) {
        return;
    }
    MUST(giq_json_set_text(json, name, text));
    MUST(strcmp(giq_json_text(giq_json_get(json, name)), text) == 0);
    MUST(giq_json_add_text(json, name, text) && giq_json_add_text(json, name, text));
    const struct giq_json *list = giq_json_get(json, name);
    MUST(giq_json_next(giq_json_first(list)) != NULL);
    MUST(giq_json_next(giq_json_next(giq_json_first(list))) == NULL);
    check_printed(json);
}

/* Without a member the value is the same but for that member, also one that is nested or
 * whose value is damaged. */
static void check_without(const char *bytes, size_t size, const char *name)
{
    struct giq_error err = {0};
    struct giq_json *whole = giq_json_parse(bytes, size);
    struct giq_json *rest = NULL;
    MUST(giq_json_read_without(bytes, size, name, &rest, &err));
    MUST((whole == NULL) == (rest == NULL));
    if (whole != NULL) {
        giq_json_remove(whole, name);
        char *text = giq_json_print(whole);
        char *text_of_rest = giq_json_print(rest);
        MUST(text != NULL && text_of_rest != NULL && strcmp(text, text_of_rest) == 0);
        free(text_of_rest);
        free(text);
    }
    giq_json_free(rest);
    giq_json_free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of the exact size, so that AddressSanitizer detects reading beyond it. */
    char *bytes = malloc(size == 0 ? 1 : size);
    MUST(bytes != NULL);
    if (size > 0) {
        memcpy(bytes, data, size);
    }
    struct giq_json *json = giq_json_parse(bytes, size);
    check_without(bytes, size, "id");
    check_without(bytes, size, "data");
    free(bytes);
    if (json != NULL) {
        char *text = fuzz_text(data, size);
        check_values(json, 3);
        check_printed(json);
        check_written(json, text);
        free(text);
    }
    giq_json_free(json);
    return 0;
}
