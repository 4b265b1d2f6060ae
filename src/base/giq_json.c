/* Typed access to JSON, by cJSON. */
#include "base/giq_json.h"

#include <cJSON.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_json_cut.h"
#include "base/giq_number.h"
#include "base/giq_text.h"

/* struct giq_json is cJSON under another name, so that headers need not include it. */
static cJSON *unwrap(struct giq_json *json)
{
    return (cJSON *)json;
}

static const cJSON *unwrap_const(const struct giq_json *json)
{
    return (const cJSON *)json;
}

static struct giq_json *wrap(cJSON *item)
{
    return (struct giq_json *)item;
}

static const struct giq_json *wrap_const(const cJSON *item)
{
    return (const struct giq_json *)item;
}

/* 2^53: doubles from here on do not represent every whole number. */
static const double exact_limit = 9007199254740992.0;

static const char nul_escape[] = "\\u0000";
static const char replacement_escape[] = "\\uFFFD";
static const char replacement[] = "\xEF\xBF\xBD";

/* cJSON would end a string at \u0000; giq_json_copy_id() refuses the U+FFFD in its place.
 */
static void replace_nul_escapes(char *text)
{
    size_t len = strlen(nul_escape);
    for (char *at = text; (at = strchr(at, '\\')) != NULL; at += at[1] != '\0' ? 2 : 1) {
        if (at[1] == 'u' && strncmp(at, nul_escape, len) == 0) {
            memcpy(at, replacement_escape, len);
        }
    }
}

/* Count the bytes that are not part of a UTF-8 character. */
static size_t count_broken_bytes(const char *bytes, size_t len)
{
    size_t broken = 0;
    size_t at = giq_text_utf8_prefix_len(bytes, len);
    while (at < len) {
        broken++;
        at++;
        at += giq_text_utf8_prefix_len(bytes + at, len - at);
    }
    return broken;
}

/* A copy in which every byte that is not part of a character is U+FFFD: cJSON does not
 * check UTF-8, and would pass such bytes on to tables and files. NULL when out of memory.
 */
static char *copy_as_utf8(const char *bytes, size_t len)
{
    const size_t replacement_len = sizeof replacement - 1;
    char *text = malloc(len + replacement_len * count_broken_bytes(bytes, len) + 1);
    if (text == NULL) {
        return NULL;
    }
    char *end = text;
    for (size_t at = 0; at < len;) {
        size_t run = giq_text_utf8_prefix_len(bytes + at, len - at);
        memcpy(end, bytes + at, run);
        end += run;
        at += run;
        if (at < len) {
            memcpy(end, replacement, replacement_len);
            end += replacement_len;
            at++;
        }
    }
    *end = '\0';
    return text;
}

/* An upper limit of the number of values in a text that may be JSON, without parsing it.
 */
static size_t count_values(const char *bytes, size_t len)
{
    size_t values = 1;
    bool is_in_string = false;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '"') {
            is_in_string = !is_in_string;
        } else if (is_in_string && bytes[i] == '\\') {
            i++;
        } else if (!is_in_string &&
                   (bytes[i] == ',' || bytes[i] == '[' || bytes[i] == '{')) {
            values++;
        }
    }
    return values;
}

/* Whether there are too many values to parse: two bytes of text may become a value of 64
 * bytes in memory. A text has no more values than bytes, so a short one is not counted.
 */
static bool has_too_many_values(const char *bytes, size_t len)
{
    return len > GIQ_JSON_VALUES_MAX && count_values(bytes, len) > GIQ_JSON_VALUES_MAX;
}

/* ---- numbers ---- */

/* A number is kept as the text that was read, in a cJSON item of the type raw: a double
 * has fewer digits than some ids, and cJSON prints fewer still. `valuedouble` is its
 * value. */
static bool is_number(const struct giq_json *json)
{
    return cJSON_IsNumber(unwrap_const(json)) || cJSON_IsRaw(unwrap_const(json));
}

/* Store the text of every number in `item`. `*at` is the position in the text that `item`
 * was parsed from, and moves past each number. False when out of memory. */
static bool keep_numbers(cJSON *item, const char **at)
{
    if (cJSON_IsNumber(item)) {
        const char *text = giq_number_find(*at);
        size_t len = giq_number_span(text);
        *at = text + len;
        if (len == 0 || giq_number_length(text) != len) {
            return true; /* cJSON accepts more than JSON allows */
        }
        char *literal = cJSON_malloc(len + 1);
        if (literal == NULL) {
            return false;
        }
        (void)memcpy(literal, text, len);
        literal[len] = '\0';
        item->valuestring = literal;
        item->type = (item->type & ~cJSON_Number) | cJSON_Raw;
    }
    for (cJSON *child = item->child; child != NULL; child = child->next) {
        if (!keep_numbers(child, at)) {
            return false;
        }
    }
    return true;
}

static cJSON *parse_text(const char *text)
{
    cJSON *item = cJSON_ParseWithOpts(text, NULL, 1);
    if (item != NULL && !keep_numbers(item, &text)) {
        cJSON_Delete(item);
        return NULL;
    }
    return item;
}

/* ---- parsing ---- */

/* cJSON returns NULL both for a text that is not JSON and when out of memory. If all the
 * memory that it may need can be allocated, parse again: NULL then means that the text is
 * not JSON. False when out of memory. */
static bool parse_again(const char *text, cJSON **out)
{
    const size_t blocks_of_value = 3;                /* the value, its name, its string */
    const size_t overhead = 2 * sizeof(max_align_t); /* of one block */
    size_t len = strlen(text);
    size_t value_size = sizeof(cJSON) + blocks_of_value * overhead;
    void *probe = cJSON_malloc(count_values(text, len) * value_size + 2 * len);
    if (probe == NULL) {
        return false;
    }
    cJSON_free(probe);
    *out = parse_text(text);
    return true;
}

bool giq_json_read_without(const char *bytes, size_t len, const char *name,
                           struct giq_json **out, struct giq_error *err)
{
    *out = NULL;
    if (bytes == NULL || len == 0 || memchr(bytes, '\0', len) != NULL ||
        has_too_many_values(bytes, len)) {
        return true;
    }
    GIQ_AUTO_FREE char *text = copy_as_utf8(bytes, len);
    if (text == NULL) {
        return giq_fail_memory(err);
    }
    if (name != NULL) {
        (void)giq_json_cut(text, name);
    }
    replace_nul_escapes(text);
    cJSON *item = parse_text(text);
    if (item == NULL && !parse_again(text, &item)) {
        return giq_fail_memory(err);
    }
    *out = wrap(item);
    if (name != NULL) {
        giq_json_remove(*out, name);
    }
    return true;
}

bool giq_json_read(const char *bytes, size_t len, struct giq_json **out,
                   struct giq_error *err)
{
    return giq_json_read_without(bytes, len, NULL, out, err);
}

struct giq_json *giq_json_parse(const char *bytes, size_t len)
{
    struct giq_error ignored = {0};
    struct giq_json *json = NULL;
    (void)giq_json_read(bytes, len, &json, &ignored);
    return json;
}

struct giq_json *giq_json_new_object(void)
{
    return wrap(cJSON_CreateObject());
}

void giq_json_free(struct giq_json *json)
{
    cJSON_Delete(unwrap(json));
}

char *giq_json_print(const struct giq_json *json)
{
    return cJSON_PrintUnformatted(unwrap_const(json));
}

struct giq_json *giq_json_copy(const struct giq_json *json)
{
    return wrap(cJSON_Duplicate(unwrap_const(json), true));
}

bool giq_json_is_object(const struct giq_json *json)
{
    return cJSON_IsObject(unwrap_const(json));
}

bool giq_json_is_true(const struct giq_json *json)
{
    return cJSON_IsTrue(unwrap_const(json));
}

bool giq_json_is_list(const struct giq_json *json)
{
    return cJSON_IsArray(unwrap_const(json));
}

const struct giq_json *giq_json_get(const struct giq_json *object, const char *name)
{
    return giq_json_is_object(object)
               ? wrap_const(cJSON_GetObjectItemCaseSensitive(unwrap_const(object), name))
               : NULL;
}

const struct giq_json *giq_json_first(const struct giq_json *list)
{
    return giq_json_is_list(list) ? wrap_const(unwrap_const(list)->child) : NULL;
}

const struct giq_json *giq_json_next(const struct giq_json *item)
{
    return wrap_const(unwrap_const(item)->next);
}

size_t giq_json_count(const struct giq_json *json)
{
    return (size_t)cJSON_GetArraySize(unwrap_const(json));
}

const char *giq_json_text(const struct giq_json *json)
{
    return cJSON_GetStringValue(unwrap_const(json));
}

void giq_json_copy_short(const struct giq_json *json, char *out, size_t size)
{
    const char *text = giq_json_text(json);
    bool fits = text != NULL && strlen(text) < size;
    (void)snprintf(out, size, "%s", fits ? text : "");
}

/* Whether `json` is a whole number greater than -2^53 and less than 2^53. */
static bool whole_number(const struct giq_json *json, double *out)
{
    if (!is_number(json)) {
        return false;
    }
    *out = unwrap_const(json)->valuedouble;
    return fabs(*out) < exact_limit && floor(*out) == *out;
}

int64_t giq_json_integer(const struct giq_json *json, int64_t otherwise)
{
    double value = 0;
    return whole_number(json, &value) ? (int64_t)value : otherwise;
}

const char *giq_json_number_text(const struct giq_json *json)
{
    return cJSON_IsRaw(unwrap_const(json)) ? unwrap_const(json)->valuestring : NULL;
}

bool giq_json_copy_scalar(const struct giq_json *json, char **out)
{
    *out = NULL;
    const char *text = giq_json_text(json);
    if (text == NULL && is_number(json)) {
        *out = giq_json_print(json);
        return *out != NULL;
    }
    if (text == NULL || text[0] == '\0') {
        return true;
    }
    *out = strdup(text);
    return *out != NULL;
}

char *giq_json_scalar_text(const struct giq_json *json)
{
    char *text = NULL;
    (void)giq_json_copy_scalar(json, &text);
    return text;
}

/* Whether a string can be an id; see giq_json_copy_id(). */
static bool is_usable_id(const char *text)
{
    return text[0] != '\0' && strlen(text) <= GIQ_JSON_ID_MAX &&
           strstr(text, replacement) == NULL && !giq_text_has_ascii_control(text);
}

/* Print the decimal digits of a whole number; `*out` stays NULL for anything else. A
 * number whose absolute value is 2^53 or more must be written without fraction and
 * exponent. False when out of memory. */
static bool print_whole(const struct giq_json *json, char **out)
{
    double value = 0;
    char *digits = NULL;
    if (whole_number(json, &value)) {
        if (asprintf(&digits, "%lld", (long long)value) < 0) {
            return false;
        }
        *out = digits;
        return true;
    }
    const char *number = giq_json_number_text(json);
    const char *text = number == NULL ? "" : number;
    const char *first = *text == '-' ? text + 1 : text;
    bool is_whole = *first != '\0' && first[strspn(first, "0123456789")] == '\0';
    if (!is_whole || strlen(text) > GIQ_JSON_ID_MAX) {
        return true;
    }
    *out = strdup(text);
    return *out != NULL;
}

bool giq_json_copy_id(const struct giq_json *json, char **out)
{
    *out = NULL;
    const char *text = giq_json_text(json);
    if (text == NULL) {
        return print_whole(json, out);
    }
    if (!is_usable_id(text)) {
        return true;
    }
    *out = strdup(text);
    return *out != NULL;
}

char *giq_json_id(const struct giq_json *json)
{
    char *id = NULL;
    (void)giq_json_copy_id(json, &id);
    return id;
}

/* A time from [2024,5,1,10,20,30,500000000]: year to nanosecond. Seconds and nanoseconds
 * are absent where they are 0. */
static int64_t time_from_list(const struct giq_json *list)
{
    enum { FIELDS_MIN = 5, FIELDS = 7, NS_PER_MS = 1000000 };
    int64_t field[FIELDS] = {0};
    int count = 0;
    for (const struct giq_json *item = giq_json_first(list); item != NULL;
         item = giq_json_next(item)) {
        int64_t value = giq_json_integer(item, -1);
        if (count == FIELDS || value < 0) {
            return GIQ_TIME_NONE;
        }
        field[count++] = value;
    }
    int64_t ms = 0;
    if (count < FIELDS_MIN || !giq_text_civil_to_ms(field, &ms)) {
        return GIQ_TIME_NONE;
    }
    return ms + field[FIELDS - 1] / NS_PER_MS % 1000;
}

int64_t giq_json_time(const struct giq_json *json)
{
    /* Smaller numbers are seconds, until the year 5138; others are milliseconds, from
     * March 1973 on. */
    static const double least_ms = 1e11;
    const char *text = giq_json_text(json);
    int64_t ms = GIQ_TIME_NONE;
    if (text != NULL) {
        return giq_text_to_time(text, &ms) ? ms : GIQ_TIME_NONE;
    }
    if (giq_json_is_list(json)) {
        return time_from_list(json);
    }
    if (is_number(json) && fabs(unwrap_const(json)->valuedouble) < exact_limit) {
        double number = unwrap_const(json)->valuedouble;
        ms = (int64_t)(number < least_ms ? number * 1000 : number);
        return ms >= 0 && ms <= GIQ_TEXT_TIME_MAX_MS ? ms : GIQ_TIME_NONE;
    }
    return GIQ_TIME_NONE;
}

/* Set a member to `item`, which is owned from here on. False if `item` is NULL or when
 * out of memory. */
static bool set_item(struct giq_json *object, const char *name, cJSON *item)
{
    if (item == NULL) {
        return false;
    }
    bool ok = giq_json_get(object, name) != NULL
                  ? cJSON_ReplaceItemInObjectCaseSensitive(unwrap(object), name, item)
                  : cJSON_AddItemToObject(unwrap(object), name, item);
    if (!ok) {
        cJSON_Delete(item);
    }
    return ok;
}

void giq_json_remove(struct giq_json *object, const char *name)
{
    while (giq_json_get(object, name) != NULL) {
        cJSON_DeleteItemFromObjectCaseSensitive(unwrap(object), name);
    }
}

bool giq_json_set_text(struct giq_json *object, const char *name, const char *text)
{
    if (text == NULL) {
        giq_json_remove(object, name);
        return true;
    }
    return set_item(object, name, cJSON_CreateString(text));
}

bool giq_json_set_integer(struct giq_json *object, const char *name, int64_t value)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%lld", (long long)value);
    cJSON *item = cJSON_CreateRaw(digits);
    if (item != NULL) {
        item->valuedouble = (double)value;
    }
    return set_item(object, name, item);
}

bool giq_json_set_null(struct giq_json *object, const char *name)
{
    return set_item(object, name, cJSON_CreateNull());
}

bool giq_json_set_bool(struct giq_json *object, const char *name, bool value)
{
    return set_item(object, name, cJSON_CreateBool(value));
}

bool giq_json_set_time(struct giq_json *object, const char *name, int64_t ms)
{
    if (ms == GIQ_TIME_NONE) {
        giq_json_remove(object, name);
        return true;
    }
    char text[GIQ_TEXT_TIME_SIZE];
    giq_text_from_time(ms, text);
    return giq_json_set_text(object, name, text);
}

bool giq_json_set_copy(struct giq_json *object, const char *name,
                       const struct giq_json *value)
{
    return set_item(object, name, cJSON_Duplicate(unwrap_const(value), true));
}

bool giq_json_set_list(struct giq_json *object, const char *name)
{
    return set_item(object, name, cJSON_CreateArray());
}

/* Append `item`, which is NULL when out of memory, to a list; on failure it is freed. */
static bool add_item(struct giq_json *object, const char *name, cJSON *item)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(unwrap(object), name);
    if (item == NULL || !cJSON_AddItemToArray(list, item)) {
        cJSON_Delete(item);
        return false;
    }
    return true;
}

bool giq_json_add_text(struct giq_json *object, const char *name, const char *text)
{
    if (!giq_json_is_list(giq_json_get(object, name)) &&
        !giq_json_set_list(object, name)) {
        return false;
    }
    return add_item(object, name, cJSON_CreateString(text));
}

struct giq_json *giq_json_add_object(struct giq_json *object, const char *name)
{
    cJSON *item = cJSON_CreateObject();
    return add_item(object, name, item) ? wrap(item) : NULL;
}

struct giq_json *giq_json_ensure_object(struct giq_json *object, const char *name)
{
    cJSON *existing = cJSON_GetObjectItemCaseSensitive(unwrap(object), name);
    if (cJSON_IsObject(existing)) {
        return wrap(existing);
    }
    cJSON *item = cJSON_CreateObject();
    return set_item(object, name, item) ? wrap(item) : NULL;
}

void giq_json_each_text(struct giq_json *json, void (*each)(void *ctx, char *text),
                        void *ctx)
{
    cJSON *item = unwrap(json);
    if (item->string != NULL) {
        each(ctx, item->string);
    }
    if (cJSON_IsString(item)) {
        each(ctx, item->valuestring);
    }
    for (cJSON *child = item->child; child != NULL; child = child->next) {
        giq_json_each_text(wrap(child), each, ctx);
    }
}
