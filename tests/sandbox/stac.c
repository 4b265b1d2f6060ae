#include "stac.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "odd.h"
#include "text.h"

/* Stands in each presigned address: no client may show it. */
#define SECRET "s1gned-s3cret"

enum { LIMIT_DEFAULT = 10, LIMIT_MAX = 1000, SORTS_MAX = 4, PREVIEW_PIXELS = 512 };

struct sort {
    int (*compare)(const struct catalogue_item *, const struct catalogue_item *);
    int sign;
};

struct query {
    double box[FOOTPRINT_BOX]; /* minx > maxx across 180 degrees */
    bool has_box;
    const cJSON *collections; /* or NULL: all */
    int64_t from_ms, to_ms;
    size_t limit, offset;
    struct sort sort[SORTS_MAX];
    int sorts;
};

/* ---- requests ---- */

/* RFC 3339 with a zone, as milliseconds since 1970. */
static bool read_date(const char *text, int64_t *out)
{
    struct tm civil = {.tm_isdst = 0};
    double seconds = 0;
    int hours = 0;
    int minutes = 0;
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:", &civil);
    if (end == NULL) {
        return false;
    }
    char *zone = NULL;
    seconds = strtod(end, &zone);
    if (zone < end + 2 || seconds < 0 || seconds >= 61) {
        return false;
    }
    char sign = *zone;
    if (sign == '+' || sign == '-') {
        if (sscanf(zone + 1, "%2d:%2d", &hours, &minutes) != 2 || strlen(zone) != 6) {
            return false;
        }
    } else if (strcmp(zone, "Z") != 0) {
        return false;
    }
    int64_t offset = (int64_t)(hours * 60 + minutes) * 60000;
    *out = (int64_t)timegm(&civil) * 1000 + llround(seconds * 1000) +
           (sign == '-' ? offset : -offset);
    return true;
}

/* One end of an interval; ".." and nothing leave `*out` as it is. */
static bool read_end(const char *text, int64_t *out)
{
    return text[0] == '\0' || strcmp(text, "..") == 0 || read_date(text, out);
}

static bool read_interval(const char *text, struct query *out)
{
    char *from = text_make("%s", text);
    char *slash = strchr(from, '/');
    bool ok = false;
    if (slash == NULL) {
        ok = read_date(from, &out->from_ms);
        out->to_ms = out->from_ms;
    } else {
        *slash = '\0';
        ok = read_end(from, &out->from_ms) && read_end(slash + 1, &out->to_ms) &&
             out->from_ms <= out->to_ms;
    }
    free(from);
    return ok;
}

/* Four numbers, or six, of which the third and the sixth are heights. */
static bool read_box(const cJSON *json, struct query *out)
{
    const int size = cJSON_GetArraySize(json);
    const cJSON *number = NULL;
    int i = 0;
    if (!cJSON_IsArray(json) || (size != 4 && size != 6)) {
        return false;
    }
    cJSON_ArrayForEach(number, json)
    {
        if (!cJSON_IsNumber(number)) {
            return false;
        }
        if (size == 4) {
            out->box[i] = number->valuedouble;
        } else if (i % 3 != 2) {
            out->box[i - i / 3] = number->valuedouble;
        }
        i++;
    }
    out->has_box = true;
    const double *box = out->box;
    return fabs(box[0]) <= 180 && fabs(box[2]) <= 180 && box[1] >= -90 &&
           box[1] <= box[3] && box[3] <= 90;
}

static bool read_count(const cJSON *json, int least, int most, size_t *out)
{
    if (!cJSON_IsNumber(json) || json->valuedouble != json->valueint ||
        json->valueint < least || json->valueint > most) {
        return false;
    }
    *out = (size_t)json->valueint;
    return true;
}

static int sign_of(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_id(const struct catalogue_item *a, const struct catalogue_item *b)
{
    return strcmp(a->id, b->id);
}

static int by_date(const struct catalogue_item *a, const struct catalogue_item *b)
{
    return sign_of(a->taken_ms, b->taken_ms);
}

static int by_ingestion(const struct catalogue_item *a, const struct catalogue_item *b)
{
    return sign_of(a->changed_ms, b->changed_ms);
}

static bool read_sort(const cJSON *json, struct sort *out)
{
    static const struct {
        const char *field;
        int (*compare)(const struct catalogue_item *, const struct catalogue_item *);
    } fields[] = {
        {"id", by_id},
        {"properties.datetime", by_date},
        {"properties.giq:ingestion_date", by_ingestion},
    };
    const char *field =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "field"));
    const char *direction =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "direction"));
    bool is_down = direction != NULL && strcmp(direction, "desc") == 0;
    if (field == NULL ||
        (direction != NULL && !is_down && strcmp(direction, "asc") != 0)) {
        return false;
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(fields[i].field, field) == 0) {
            *out = (struct sort){fields[i].compare, is_down ? -1 : 1};
            return true;
        }
    }
    return false;
}

static bool read_sorts(const cJSON *json, struct query *out)
{
    const cJSON *sort = NULL;
    if (!cJSON_IsArray(json) || cJSON_GetArraySize(json) > SORTS_MAX) {
        return false;
    }
    cJSON_ArrayForEach(sort, json)
    {
        if (!read_sort(sort, &out->sort[out->sorts++])) {
            return false;
        }
    }
    return true;
}

/* What is wrong with the body, or NULL. */
static const char *read_query(const cJSON *body, struct query *out)
{
    const cJSON *member = NULL;
    *out =
        (struct query){.from_ms = INT64_MIN, .to_ms = INT64_MAX, .limit = LIMIT_DEFAULT};
    if (!cJSON_IsObject(body)) {
        return "The body is not a JSON object";
    }
    cJSON_ArrayForEach(member, body)
    {
        const char *name = member->string;
        const char *text = cJSON_GetStringValue(member);
        if (strcmp(name, "bbox") == 0 && !read_box(member, out)) {
            return "bbox is not [minx,miny,maxx,maxy] in degrees";
        }
        if (strcmp(name, "datetime") == 0 &&
            (text == NULL || !read_interval(text, out))) {
            return "datetime is not an RFC 3339 instant or interval";
        }
        if (strcmp(name, "limit") == 0 &&
            !read_count(member, 1, LIMIT_MAX, &out->limit)) {
            return "limit is not a number from 1 to 1000";
        }
        if (strcmp(name, "offset") == 0 &&
            !read_count(member, 0, INT32_MAX, &out->offset)) {
            return "offset is not a number from 0";
        }
        if (strcmp(name, "sortby") == 0 && !read_sorts(member, out)) {
            return "sortby is not a list of known fields and directions";
        }
        if (strcmp(name, "collections") == 0) {
            out->collections = member;
        }
    }
    return out->collections == NULL || cJSON_IsArray(out->collections)
               ? NULL
               : "collections is not a list of ids";
}

/* ---- which items ---- */

static bool ranges_touch(double a_from, double a_to, double b_from, double b_to)
{
    return a_from <= b_to && b_from <= a_to;
}

/* Whether the x ranges touch, either of which may cross 180 degrees. */
static bool circles_touch(const double *a, const double *b)
{
    if (a[0] > a[2]) {
        const double west[] = {a[0], 0, 180};
        const double east[] = {-180, 0, a[2]};
        return circles_touch(west, b) || circles_touch(east, b);
    }
    return b[0] > b[2] ? circles_touch(b, a) : ranges_touch(a[0], a[2], b[0], b[2]);
}

static bool is_in(const struct catalogue_collection *collection, const cJSON *ids)
{
    const cJSON *id = NULL;
    cJSON_ArrayForEach(id, ids)
    {
        const char *text = cJSON_GetStringValue(id);
        if (text != NULL && strcmp(text, collection->id) == 0) {
            return true;
        }
    }
    return false;
}

static bool matches(const struct catalogue_item *item, const struct query *query)
{
    const double *box = item->footprint.box;
    return item->collection != NULL && item->taken_ms >= query->from_ms &&
           item->taken_ms <= query->to_ms &&
           (query->collections == NULL || is_in(item->collection, query->collections)) &&
           (!query->has_box ||
            (ranges_touch(box[1], box[3], query->box[1], query->box[3]) &&
             circles_touch(box, query->box)));
}

static int compare(const void *a, const void *b, void *ctx)
{
    const struct query *query = ctx;
    const struct catalogue_item *const *first = a;
    const struct catalogue_item *const *second = b;
    for (int i = 0; i < query->sorts; i++) {
        int order = query->sort[i].compare(*first, *second) * query->sort[i].sign;
        if (order != 0) {
            return order;
        }
    }
    return by_id(*first, *second);
}

/* ---- responses ---- */

static void add_link(cJSON *links, const char *rel, char *href)
{
    cJSON *link = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(link, "rel", rel);
    (void)cJSON_AddStringToObject(link, "href", href);
    (void)cJSON_AddItemToArray(links, link);
    free(href);
}

static void add_date(cJSON *object, const char *name, int64_t ms)
{
    char date[TEXT_TIME_SIZE];
    text_time(ms, date);
    (void)cJSON_AddStringToObject(object, name, date);
}

static void add_asset(cJSON *assets, const char *name, const char *type, char *href)
{
    cJSON *asset = cJSON_AddObjectToObject(assets, name);
    (void)cJSON_AddStringToObject(asset, "href", href);
    (void)cJSON_AddStringToObject(asset, "type", type);
    free(href);
}

static cJSON *describe_assets(const struct stac_context *context,
                              const struct catalogue_item *item)
{
    const double *box = item->footprint.box;
    cJSON *assets = cJSON_CreateObject();
    add_asset(assets, "rendered_preview", "image/png",
              text_make("%s/file/preview?sourceId=%s&bbox=%.7f,%.7f,%.7f,%.7f"
                        "&width=%d&height=%d",
                        context->base, item->uuid, box[0], box[1], box[2], box[3],
                        PREVIEW_PIXELS, PREVIEW_PIXELS));
    add_asset(assets, "data", "application/octet-stream",
              text_make("http://127.0.0.1:%d/giq-data/%s"
                        "?X-Amz-Algorithm=AWS4-HMAC-SHA256"
                        "&X-Amz-Credential=" SECRET
                        "%%2F20240501%%2Feu-west-1%%2Fs3%%2Faws4_request"
                        "&X-Amz-Date=20240501T000000Z&X-Amz-Expires=3600"
                        "&X-Amz-SignedHeaders=host&X-Amz-Signature=" SECRET "%.8s",
                        context->data_port, item->uuid, item->uuid));
    return assets;
}

static cJSON *describe_properties(const struct catalogue_item *item)
{
    static const char made_up[] =
        "Made up to be as long as what a service says of a file, for measuring. "
        "Made up to be as long as what a service says of a file, for measuring. "
        "Made up to be as long as what a service says of a file, for measuring. "
        "Made up to be as long as what a service says of a file, for measuring. "
        "Made up to be as long as what a service says of a file, for measuring. "
        "Made up to be as long as what a service says of a file, for measuring. "
        "Made up to be as long as what a service says of a file, for measuring. "
        "Made up to be as long as what a service says of a file, for measuring. ";
    const struct footprint *footprint = &item->footprint;
    const char *layer_type = footprint->is_raster ? "RASTER" : "VECTOR";
    const char *dot = strrchr(item->id, '.');
    char *name = text_make("%.*s", dot == NULL ? -1 : (int)(dot - item->id), item->id);
    const char *description =
        footprint->geometry == NULL ? made_up : footprint->description;
    cJSON *properties = cJSON_CreateObject();
    add_date(properties, "datetime", item->taken_ms);
    (void)cJSON_AddStringToObject(properties, "name", name);
    (void)cJSON_AddItemToObject(properties, "description",
                                description == NULL ? cJSON_CreateNull()
                                                    : cJSON_CreateString(description));
    (void)cJSON_AddStringToObject(properties, "source_type", footprint->source_type);
    (void)cJSON_AddStringToObject(properties, "layer_type", layer_type);
    add_date(properties, "giq:ingestion_date", item->changed_ms);
    (void)cJSON_AddStringToObject(properties, "giq:source", "SANDBOX");
    (void)cJSON_AddStringToObject(properties, "giq:source_type", footprint->source_type);
    (void)cJSON_AddStringToObject(properties, "giq:source_sub_type", footprint->driver);
    (void)cJSON_AddStringToObject(properties, "giq:layer_type", layer_type);
    free(name);
    return properties;
}

static cJSON *describe_geometry(const struct footprint *footprint)
{
    const double *box = footprint->box;
    char *text =
        footprint->geometry != NULL
            ? text_make("%s", footprint->geometry)
            : text_make("{\"type\":\"Polygon\",\"coordinates\":[[[%.7f,%.7f],[%.7f,%.7f],"
                        "[%.7f,%.7f],[%.7f,%.7f],[%.7f,%.7f]]]}",
                        box[0], box[1], box[2], box[1], box[2], box[3], box[0], box[3],
                        box[0], box[1]);
    cJSON *geometry = cJSON_Parse(text);
    free(text);
    return geometry;
}

static cJSON *describe_item(const struct stac_context *context,
                            const struct catalogue_item *item)
{
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(json, "type", "Feature");
    (void)cJSON_AddStringToObject(json, "stac_version", "1.0.0");
    (void)cJSON_AddStringToObject(json, "id", item->id);
    (void)cJSON_AddStringToObject(json, "title", item->uuid);
    (void)cJSON_AddStringToObject(json, "collection", item->collection->id);
    (void)cJSON_AddItemToObject(json, "geometry", describe_geometry(&item->footprint));
    (void)cJSON_AddItemToObject(
        json, "bbox", cJSON_CreateDoubleArray(item->footprint.box, FOOTPRINT_BOX));
    (void)cJSON_AddItemToObject(json, "properties", describe_properties(item));
    (void)cJSON_AddItemToObject(json, "assets", describe_assets(context, item));
    cJSON *links = cJSON_AddArrayToObject(json, "links");
    add_link(links, "self",
             text_make("%s/stac/collections/%s/items/%s", context->base,
                       item->collection->id, item->uuid));
    add_link(links, "collection",
             text_make("%s/stac/collections/%s", context->base, item->collection->id));
    odd_change_item(json, context->odd);
    return json;
}

/* ---- collections ---- */

/* The box and the dates of all items of a collection. */
static cJSON *describe_extent(const struct catalogue_collection *collection,
                              const struct catalogue_item *item, size_t count)
{
    double box[FOOTPRINT_BOX] = {180, 90, -180, -90};
    int64_t from_ms = INT64_MAX;
    int64_t to_ms = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        const double *own = item[i].footprint.box;
        bool crosses = own[0] > own[2];
        if (item[i].collection != collection) {
            continue;
        }
        box[0] = crosses ? -180 : fmin(box[0], own[0]);
        box[1] = fmin(box[1], own[1]);
        box[2] = crosses ? 180 : fmax(box[2], own[2]);
        box[3] = fmax(box[3], own[3]);
        from_ms = item[i].taken_ms < from_ms ? item[i].taken_ms : from_ms;
        to_ms = item[i].taken_ms > to_ms ? item[i].taken_ms : to_ms;
    }
    if (from_ms > to_ms) {
        return cJSON_Parse("{\"spatial\":{\"bbox\":[[-180,-90,180,90]]},"
                           "\"temporal\":{\"interval\":[[null,null]]}}");
    }
    char from[TEXT_TIME_SIZE];
    char to[TEXT_TIME_SIZE];
    text_time(from_ms, from);
    text_time(to_ms, to);
    char *text = text_make("{\"spatial\":{\"bbox\":[[%.7f,%.7f,%.7f,%.7f]]},"
                           "\"temporal\":{\"interval\":[[\"%s\",\"%s\"]]}}",
                           box[0], box[1], box[2], box[3], from, to);
    cJSON *extent = cJSON_Parse(text);
    free(text);
    return extent;
}

static cJSON *describe_collection(const struct stac_context *context,
                                  const struct catalogue_collection *collection,
                                  const struct catalogue_item *item, size_t count)
{
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(json, "type", "Collection");
    (void)cJSON_AddStringToObject(json, "stac_version", "1.0.0");
    (void)cJSON_AddStringToObject(json, "id", collection->id);
    (void)cJSON_AddStringToObject(json, "title", collection->title);
    (void)cJSON_AddStringToObject(json, "description", collection->description);
    (void)cJSON_AddStringToObject(json, "license", "proprietary");
    (void)cJSON_AddItemToObject(json, "extent", describe_extent(collection, item, count));
    (void)cJSON_AddItemToObject(json, "keywords",
                                cJSON_CreateStringArray(&collection->keyword, 1));
    cJSON *links = cJSON_AddArrayToObject(json, "links");
    add_link(links, "self",
             text_make("%s/stac/collections/%s", context->base, collection->id));
    add_link(links, "items",
             text_make("%s/stac/collections/%s/items", context->base, collection->id));
    return json;
}

cJSON *stac_collections(const struct stac_context *context)
{
    size_t count = 0;
    const struct catalogue_item *item = catalogue_open(context->catalogue, &count);
    cJSON *page = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(page, "collections");
    for (int i = 0; i < CATALOGUE_COLLECTIONS; i++) {
        (void)cJSON_AddItemToArray(
            list, describe_collection(context, &catalogue_collections[i], item, count));
    }
    catalogue_close(context->catalogue);
    add_link(cJSON_AddArrayToObject(page, "links"), "self",
             text_make("%s/stac/collections", context->base));
    return odd_change_page(page, context->odd, context->data_port);
}

bool stac_has_collection(const char *id)
{
    for (int i = 0; i < CATALOGUE_COLLECTIONS; i++) {
        if (strcmp(catalogue_collections[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- items ---- */

cJSON *stac_search(const struct stac_context *context, const cJSON *body,
                   const char **error)
{
    struct query query;
    *error = read_query(body, &query);
    if (*error != NULL) {
        return NULL;
    }
    size_t count = 0;
    size_t found = 0;
    const struct catalogue_item *item = catalogue_open(context->catalogue, &count);
    const struct catalogue_item **match = calloc(count + 1, sizeof(void *));
    if (match == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        if (matches(&item[i], &query)) {
            match[found++] = &item[i];
        }
    }
    qsort_r(match, found, sizeof(void *), compare, &query);
    size_t at = (context->odd & ODD_REPEAT) != 0 ? 0 : query.offset;
    size_t most = (context->odd & ODD_SHORT) != 0 ? (query.limit + 1) / 2 : query.limit;
    cJSON *page = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(page, "type", "FeatureCollection");
    cJSON *features = cJSON_AddArrayToObject(page, "features");
    for (size_t n = 0; n < most && at < found; n++, at++) {
        (void)cJSON_AddItemToArray(features, describe_item(context, match[at]));
    }
    free(match);
    catalogue_close(context->catalogue);
    add_link(cJSON_AddArrayToObject(page, "links"), "self",
             text_make("%s/stac/search", context->base));
    return odd_change_page(page, context->odd, context->data_port);
}

cJSON *stac_item(const struct stac_context *context, const char *collection,
                 const char *id)
{
    size_t count = 0;
    const struct catalogue_item *item = catalogue_open(context->catalogue, &count);
    cJSON *json = NULL;
    for (size_t i = 0; i < count && json == NULL; i++) {
        if (item[i].collection != NULL &&
            strcmp(item[i].collection->id, collection) == 0 &&
            (strcmp(item[i].id, id) == 0 || strcmp(item[i].uuid, id) == 0)) {
            json = odd_change_page(describe_item(context, &item[i]), context->odd,
                                   context->data_port);
        }
    }
    catalogue_close(context->catalogue);
    return json;
}
