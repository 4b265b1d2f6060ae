/* Reads STAC items with tolerance: whatever cannot be read is absent. */
#include "service/giq_item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_buf.h"
#include "base/giq_cleanup.h"
#include "base/giq_text.h"
#include "net/giq_response.h"
#include "net/giq_url.h"

/* ---- texts without secrets ---- */

static void clean(void *ctx, char *text)
{
    const struct giq_service *service = ctx;
    giq_cred_mask(service->cred, text);
    giq_text_strip_addresses(text);
}

bool giq_item_copy_text(const struct giq_service *service, const struct giq_json *json,
                        char **out)
{
    if (!giq_json_copy_scalar(json, out)) {
        return false;
    }
    if (*out != NULL) {
        clean((void *)service, *out);
    }
    return true;
}

bool giq_item_copy_id(const struct giq_service *service, const struct giq_json *json,
                      char **out)
{
    const char *text = giq_json_text(json);
    if (text != NULL && giq_text_is_address(text)) {
        return giq_item_copy_text(service, json, out);
    }
    if (!giq_json_copy_scalar(json, out)) {
        return false;
    }
    if (*out != NULL) {
        giq_cred_mask(service->cred, *out);
    }
    return true;
}

/* Copy the first of two members that is a text. */
static bool copy_either(const struct giq_service *service, const struct giq_json *object,
                        const char *name, const char *other, char **out)
{
    if (!giq_item_copy_text(service, giq_json_get(object, name), out)) {
        return false;
    }
    return *out != NULL || giq_item_copy_text(service, giq_json_get(object, other), out);
}

/* A date and time, or a date alone, which stands for its first moment. */
static int64_t time_of(const struct giq_json *json)
{
    const char *text = giq_json_text(json);
    int64_t ms = GIQ_TIME_NONE;
    if (text != NULL && giq_text_to_date(text, &ms)) {
        return ms;
    }
    return giq_json_time(json);
}

/* ---- the footprint ---- */

/* Polygons that are written as WKT. */
struct writer {
    struct giq_buf text;
    bool is_invalid; /* the JSON is not polygons; otherwise a failure is one of memory */
};

static bool fail_invalid(struct writer *w)
{
    w->is_invalid = true;
    return false;
}

/* Write a position, [x, y] or [x, y, z]. */
static bool write_position(struct writer *w, const struct giq_json *position)
{
    const struct giq_json *first = giq_json_first(position);
    const struct giq_json *second = first == NULL ? NULL : giq_json_next(first);
    const char *x = giq_json_number_text(first);
    const char *y = giq_json_number_text(second);
    if (x == NULL || y == NULL) {
        return fail_invalid(w);
    }
    return giq_buf_add_text(&w->text, x) && giq_buf_add_text(&w->text, " ") &&
           giq_buf_add_text(&w->text, y);
}

typedef bool write_item(struct writer *w, const struct giq_json *item);

static bool write_list(struct writer *w, const struct giq_json *list, write_item *write)
{
    const char *before = "(";
    if (giq_json_first(list) == NULL) {
        return fail_invalid(w);
    }
    for (const struct giq_json *item = giq_json_first(list); item != NULL;
         item = giq_json_next(item)) {
        if (!giq_buf_add_text(&w->text, before) || !write(w, item)) {
            return false;
        }
        before = ",";
    }
    return giq_buf_add_text(&w->text, ")");
}

static bool write_ring(struct writer *w, const struct giq_json *ring)
{
    return write_list(w, ring, write_position);
}

static bool write_polygon(struct writer *w, const struct giq_json *polygon)
{
    return write_list(w, polygon, write_ring);
}

static bool write_polygons(struct writer *w, const struct giq_json *geometry)
{
    const char *type = giq_json_text(giq_json_get(geometry, "type"));
    const struct giq_json *coordinates = giq_json_get(geometry, "coordinates");
    if (type != NULL && giq_text_equal_nocase(type, "Polygon")) {
        return giq_buf_add_text(&w->text, "POLYGON") && write_polygon(w, coordinates);
    }
    if (type != NULL && giq_text_equal_nocase(type, "MultiPolygon")) {
        return giq_buf_add_text(&w->text, "MULTIPOLYGON") &&
               write_list(w, coordinates, write_polygon);
    }
    return fail_invalid(w);
}

/* Copy a geometry as WKT; `*out` stays NULL if it is not one of polygons. */
static bool copy_geometry(const struct giq_json *geometry, char **out)
{
    struct writer w = {.is_invalid = false};
    /* The response has more bytes than the WKT that is made of it. */
    giq_buf_init(&w.text, GIQ_RESPONSE_BYTES_MAX);
    bool ok = write_polygons(&w, geometry);
    if (ok) {
        *out = giq_buf_take(&w.text);
    }
    giq_buf_release(&w.text);
    return ok || w.is_invalid;
}

/* Copy a box of two or three dimensions as "minx,miny,maxx,maxy"; `*out` stays NULL if it
 * is not one. */
static bool copy_box(const struct giq_json *box, char **out)
{
    enum { NUMBERS_MAX = 6 };
    const char *number[NUMBERS_MAX] = {NULL};
    size_t count = giq_json_is_list(box) ? giq_json_count(box) : 0;
    if (count != 4 && count != NUMBERS_MAX) {
        return true;
    }
    size_t n = 0;
    for (const struct giq_json *item = giq_json_first(box); item != NULL;
         item = giq_json_next(item)) {
        number[n] = giq_json_number_text(item);
        if (number[n++] == NULL) {
            return true;
        }
    }
    size_t half = count / 2;
    if (asprintf(out, "%s,%s,%s,%s", number[0], number[1], number[half],
                 number[half + 1]) < 0) {
        *out = NULL; /* not set on failure */
        return false;
    }
    return true;
}

/* ---- the preview ---- */

/* The length of the parameter of a query at `text`, without the '&' after it. */
static size_t parameter_len(const char *text)
{
    return strcspn(text, "&#");
}

/* Whether the parameter at `text` has this name. */
static bool has_name(const char *text, const char *name)
{
    size_t len = strlen(name);
    return strncmp(text, name, len) == 0 && text[len] == '=';
}

/* Whether a value of `len` bytes has only characters of ids and numbers. A comma may be
 * escaped. */
static bool is_plain_value(const char *value, size_t len)
{
    static const char plain[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,-_+";
    static const char comma[] = "%2C";
    for (size_t i = 0; i < len; i++) {
        bool is_comma = giq_text_begins_nocase(value + i, comma);
        if (is_comma) {
            i += strlen(comma) - 1;
        } else if (strchr(plain, value[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* Whether a parameter of `len` bytes describes the picture, and nothing else. */
static bool is_kept(const char *parameter, size_t len)
{
    static const char *const names[] = {"sourceId", "bbox", "width", "height"};
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        size_t name_len = strlen(names[i]) + 1;
        if (has_name(parameter, names[i])) {
            return is_plain_value(parameter + name_len, len - name_len);
        }
    }
    return false;
}

/* Remove from an address, in place, all parameters but those that describe the picture,
 * and its fragment. */
static void keep_picture_parameters(char *address)
{
    char *in = address + strcspn(address, "?#");
    char *out = in;
    char separator = '?';
    bool has_more = *in == '?';
    while (has_more) {
        in++;
        size_t len = parameter_len(in);
        has_more = in[len] == '&';
        if (is_kept(in, len)) {
            *out++ = separator;
            (void)memmove(out, in, len);
            out += len;
            separator = '&';
        }
        in += len;
    }
    *out = '\0';
}

static const struct giq_json *preview_of(const struct giq_json *item)
{
    const struct giq_json *assets = giq_json_get(item, "assets");
    return giq_json_get(giq_json_get(assets, "rendered_preview"), "href");
}

/* An address of the service's own origin keeps the parameters of the picture, since they
 * are not secret. An address of another origin may be presigned, and so may one that is
 * part of the path. `*out` stays NULL without an address. */
static bool copy_preview(const struct giq_service *service, const struct giq_json *item,
                         char **out)
{
    const char *href = giq_json_text(preview_of(item));
    if (href == NULL || href[0] == '\0') {
        return true;
    }
    GIQ_AUTO_FREE char *base =
        giq_url_make(service->settings.base_url, "stac/search", NULL, NULL);
    GIQ_AUTO_FREE char *address = base == NULL ? NULL : giq_url_join(base, href);
    GIQ_AUTO_FREE char *bare = address == NULL ? NULL : strdup(address);
    if (bare == NULL) {
        return false;
    }
    giq_text_strip_addresses(bare);
    bool is_own = giq_url_classify_redirect(base, address) == GIQ_URL_SAME_ORIGIN;
    bool has_all_of_path = strlen(bare) == strcspn(address, "?#");
    if (is_own && has_all_of_path) {
        keep_picture_parameters(address);
        *out = giq_take(&address);
    } else {
        *out = giq_take(&bare);
    }
    giq_cred_mask(service->cred, *out);
    return true;
}

/* ---- the id of the file ---- */

enum { UUID_LEN = 36 };

static bool is_hex_digit(char c)
{
    return c != '\0' && strchr("0123456789abcdefABCDEF", c) != NULL;
}

/* Whether the `len` bytes at `text` have the form of a UUID. */
static bool is_uuid(const char *text, size_t len)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (len != UUID_LEN) {
        return false;
    }
    for (size_t i = 0; i < UUID_LEN; i++) {
        bool fits = form[i] == '-' ? text[i] == '-' : is_hex_digit(text[i]);
        if (!fits) {
            return false;
        }
    }
    return true;
}

/* The UUID, of UUID_LEN bytes, at the end of the item's link to itself, or NULL. */
static const char *uuid_of_self_link(const struct giq_json *item)
{
    const struct giq_json *links = giq_json_get(item, "links");
    for (const struct giq_json *link = giq_json_first(links); link != NULL;
         link = giq_json_next(link)) {
        const char *rel = giq_json_text(giq_json_get(link, "rel"));
        const char *href = giq_json_text(giq_json_get(link, "href"));
        if (rel == NULL || href == NULL || !giq_text_equal_nocase(rel, "self")) {
            continue;
        }
        size_t len = strcspn(href, "?#");
        const char *last = memrchr(href, '/', len);
        const char *name = last == NULL ? href : last + 1;
        if (is_uuid(name, (size_t)(href + len - name))) {
            return name;
        }
    }
    return NULL;
}

/* The UUID, of UUID_LEN bytes, in the address of the preview, or NULL. */
static const char *uuid_of_preview(const char *preview)
{
    const char *at = preview == NULL ? NULL : strchr(preview, '?');
    while (at != NULL) {
        at++;
        size_t len = parameter_len(at);
        size_t name_len = strlen("sourceId=");
        if (has_name(at, "sourceId") && is_uuid(at + name_len, len - name_len)) {
            return at + name_len;
        }
        at = strchr(at, '&');
    }
    return NULL;
}

static const struct giq_json *title_of(const struct giq_json *item)
{
    const struct giq_json *title = giq_json_get(item, "title");
    bool has_value = giq_json_text(title) != NULL || giq_json_number_text(title) != NULL;
    return has_value ? title : giq_json_get(giq_json_get(item, "properties"), "title");
}

/* The title of an item should be the UUID of its file. If it is not, the UUID of the self
 * link or of the preview is used; without one the title as it is. */
static bool copy_file_id(const struct giq_service *service, const struct giq_json *item,
                         const char *preview, char **out)
{
    const struct giq_json *title = title_of(item);
    const char *text = giq_json_text(title);
    if (text == NULL || !is_uuid(text, strlen(text))) {
        const char *uuid = uuid_of_self_link(item);
        uuid = uuid == NULL ? uuid_of_preview(preview) : uuid;
        if (uuid != NULL) {
            *out = strndup(uuid, UUID_LEN);
            return *out != NULL;
        }
    }
    return giq_item_copy_id(service, title, out);
}

/* ---- the item ---- */

/* The whole item as JSON. Texts are cleaned before they are printed, because JSON escapes
 * could hide a secret. NULL when out of memory. */
static char *print_clean(const struct giq_service *service, const struct giq_json *item,
                         const char *preview)
{
    GIQ_AUTO_JSON struct giq_json *copy = giq_json_copy(item);
    if (copy == NULL) {
        return NULL;
    }
    giq_json_each_text(copy, clean, (void *)service);
    if (giq_json_text(preview_of(copy)) != NULL) {
        struct giq_json *assets = giq_json_ensure_object(copy, "assets");
        struct giq_json *asset =
            assets == NULL ? NULL : giq_json_ensure_object(assets, "rendered_preview");
        if (asset == NULL || !giq_json_set_text(asset, "href", preview)) {
            return NULL;
        }
    }
    return giq_json_print(copy);
}

static bool parse_properties(const struct giq_service *service,
                             const struct giq_json *properties, struct giq_file *file)
{
    file->datetime_ms = time_of(giq_json_get(properties, "datetime"));
    file->ingested_ms = time_of(giq_json_get(properties, "giq:ingestion_date"));
    return giq_item_copy_text(service, giq_json_get(properties, "name"), &file->name) &&
           copy_either(service, properties, "giq:source_type", "source_type",
                       &file->source_type) &&
           copy_either(service, properties, "giq:layer_type", "layer_type",
                       &file->layer_type) &&
           giq_item_copy_text(service, giq_json_get(properties, "giq:source"),
                              &file->source) &&
           giq_item_copy_text(service, giq_json_get(properties, "giq:source_sub_type"),
                              &file->source_sub_type);
}

static bool parse_item(const struct giq_service *service, const struct giq_json *item,
                       struct giq_file *file)
{
    if (!giq_item_copy_id(service, giq_json_get(item, "id"), &file->item_id) ||
        !giq_item_copy_id(service, giq_json_get(item, "collection"), &file->collection) ||
        !parse_properties(service, giq_json_get(item, "properties"), file) ||
        !copy_preview(service, item, &file->preview) ||
        !copy_file_id(service, item, file->preview, &file->file_id) ||
        !copy_geometry(giq_json_get(item, "geometry"), &file->geometry) ||
        !copy_box(giq_json_get(item, "bbox"), &file->box)) {
        return false;
    }
    file->json = print_clean(service, item, file->preview);
    return file->json != NULL;
}

bool giq_item_parse(const struct giq_service *service, const struct giq_json *json,
                    struct giq_file *out)
{
    struct giq_file file = {.datetime_ms = GIQ_TIME_NONE};
    if (!parse_item(service, json, &file)) {
        giq_item_release(&file);
        return false;
    }
    *out = file;
    return true;
}

void giq_item_release(struct giq_file *file)
{
    free(file->item_id);
    free(file->file_id);
    free(file->name);
    free(file->collection);
    free(file->source_type);
    free(file->layer_type);
    free(file->source);
    free(file->source_sub_type);
    free(file->preview);
    free(file->json);
    free(file->geometry);
    free(file->box);
    *file = (struct giq_file){.datetime_ms = GIQ_TIME_NONE, .ingested_ms = GIQ_TIME_NONE};
}

char *giq_item_identity(const struct giq_file *file)
{
    char *identity = NULL;
    if (file->item_id == NULL && file->file_id == NULL) {
        return strdup(file->json);
    }
    int rc = asprintf(&identity, "%s\n%s\n%s",
                      file->collection == NULL ? "" : file->collection,
                      file->item_id == NULL ? "" : file->item_id,
                      file->file_id == NULL ? "" : file->file_id);
    return rc < 0 ? NULL : identity;
}
