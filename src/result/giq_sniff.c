/* Identifies formats by magic numbers, XML root elements, JSON types and first words. */
#include "result/giq_sniff.h"

#include <stdint.h>
#include <string.h>

#include "base/giq_text.h"
#include "result/giq_name.h"

/* The leading bytes of a file that are not read yet, or a string in them. */
struct head {
    const char *at;
    size_t len;
};

/* ---- tar ---- */

/* The format tar if the first block has the checksum of a tar. Must come before the magic
 * numbers, because a tar begins with the name of a member, which may look like one. */
static const struct giq_format *by_checksum(struct head head, const char *name)
{
    enum { BLOCK = 512, SUM_AT = 148, SUM_LEN = 8 };
    (void)name;
    if (head.len < BLOCK || head.at[0] == '\0') {
        return NULL;
    }
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        bool is_checksum = i >= SUM_AT && i < SUM_AT + SUM_LEN;
        sum += is_checksum ? ' ' : (unsigned char)head.at[i];
    }
    unsigned stored = 0;
    size_t at = SUM_AT;
    while (at < SUM_AT + SUM_LEN && head.at[at] == ' ') {
        at++;
    }
    for (; at < SUM_AT + SUM_LEN && head.at[at] >= '0' && head.at[at] <= '7'; at++) {
        stored = stored * 8 + (unsigned)(head.at[at] - '0');
    }
    return stored == sum ? giq_format_get("tar") : NULL;
}

/* ---- magic numbers ---- */

static const struct giq_format *by_magic(struct head head, const char *name)
{
    return giq_format_by_magic(giq_name_extension(name), head.at, head.len);
}

/* ---- text ---- */

static void skip(struct head *head, size_t len)
{
    len = len < head->len ? len : head->len;
    head->at += len;
    head->len -= len;
}

/* The case of ASCII letters makes no difference. */
static bool begins(struct head head, const char *text)
{
    size_t len = strlen(text);
    return head.len >= len && giq_text_begins_nocase(head.at, text);
}

static void skip_space(struct head *head)
{
    while (head->len > 0 && head->at[0] != '\0' && strchr(" \t\r\n\v\f", head->at[0])) {
        skip(head, 1);
    }
}

/* Skip up to and including `text`, or everything. */
static void skip_past(struct head *head, const char *text)
{
    size_t len = strlen(text);
    const char *at = memmem(head->at, head->len, text, len);
    skip(head, at == NULL ? head->len : (size_t)(at - head->at) + len);
}

static void skip_mark_and_space(struct head *head)
{
    if (begins(*head, GIQ_TEXT_BYTE_ORDER_MARK)) {
        skip(head, strlen(GIQ_TEXT_BYTE_ORDER_MARK));
    }
    skip_space(head);
}

/* Skip a "<!DOCTYPE x [...]>"; the declarations in the brackets are optional. */
static void skip_doctype(struct head *head)
{
    while (head->len > 0 && head->at[0] != '>' && head->at[0] != '[') {
        skip(head, 1);
    }
    while (head->len > 0 && !begins(*head, ">")) {
        skip_past(head, "]");
        skip_space(head);
    }
    skip(head, 1);
}

/* Skip declarations and comments, in any order, to the root element of XML. */
static void skip_prolog(struct head *head)
{
    static const struct {
        const char *begin, *end;
    } parts[] = {{"<?", "?>"}, {"<!--", "-->"}, {"<!doctype", NULL}};
    size_t i = 0;
    while (i < GIQ_COUNT(parts)) {
        if (!begins(*head, parts[i].begin) || begins(*head, "<!doctype html")) {
            i++;
            continue;
        }
        if (parts[i].end == NULL) {
            skip_doctype(head);
        } else {
            skip_past(head, parts[i].end);
        }
        skip_space(head);
        i = 0; /* any part may come next */
    }
}

/* A root element of XML. */
struct root {
    const char *element;          /* without a prefix */
    const char *extension;        /* of its format */
    const char *reference_driver; /* that reads external references from it, or NULL */
};

/* giq_complete_xml() searches for the end tags of those that may be results. */
static const struct root roots[] = {
    {"!doctype html", "html", NULL},
    {"html", "html", NULL},
    {"kml", "kml", NULL},
    {"gpx", "gpx", NULL},
    {"FeatureCollection", "gml", NULL},
    {"VRTDataset", "vrt", "VRT"},
    {"OGRVRTDataSource", "vrt", "OGR_VRT"},
    {"GDAL_WMS", "xml", "WMS"},
    {"WMS_Capabilities", "xml", "WMS"},
    {"WMT_MS_Capabilities", "xml", "WMS"},
    {"WMS_Tile_Service", "xml", "WMS"},
    {"TileMap", "xml", "WMS"},
    {"GDAL_WMTS", "xml", "WMTS"},
    {"Capabilities", "xml", "WMTS"},
    {"WCS_GDAL", "xml", "WCS"},
    {"OGRWFSDataSource", "xml", "WFS"},
    {"WFS_Capabilities", "xml", "WFS"},
    {"MRF_META", "mrf", "MRF"},
    {"GDALTileIndexDataset", "gti", "GTI"},
};

/* The root element of the text, or NULL if it is not XML or the element is unknown. */
static const struct root *root_of(struct head head)
{
    skip_mark_and_space(&head);
    skip_prolog(&head);
    if (head.len == 0 || head.at[0] != '<') {
        return NULL;
    }
    skip(&head, 1);
    for (size_t i = 0; i < head.len && !strchr(" \t\r\n/>", head.at[i]); i++) {
        if (head.at[i] == ':') {
            skip(&head, i + 1);
            break;
        }
    }
    for (size_t i = 0; i < GIQ_COUNT(roots); i++) {
        size_t len = strlen(roots[i].element);
        if (begins(head, roots[i].element) &&
            (head.len == len || strchr(" \t\r\n/>", head.at[len]) != NULL)) {
            return &roots[i];
        }
    }
    return NULL;
}

bool giq_sniff_is_root(const char *name, size_t len)
{
    size_t name_len = 0;
    while (name_len < len && strchr(" \t\r\n", name[name_len]) == NULL) {
        name_len++;
    }
    for (size_t i = 0; i < GIQ_COUNT(roots); i++) {
        if (strlen(roots[i].element) == name_len &&
            memcmp(name, roots[i].element, name_len) == 0) {
            const struct giq_format *format = giq_format_get(roots[i].extension);
            return format->kind == GIQ_FORMAT_DATA && format->driver != NULL;
        }
    }
    return false;
}

static const struct giq_format *by_xml_root(struct head head, const char *name)
{
    (void)name;
    const struct root *root = root_of(head);
    return root == NULL ? NULL : giq_format_get(root->extension);
}

/* ---- JSON ---- */

/* What a scan of the head of a JSON text found. */
struct json {
    bool has_feature; /* or a collection of features, at any depth */
    bool is_geometry; /* the outermost object is a geometry */
    bool is_topology;
    bool is_algorithm; /* a command of the gdal program */
    bool is_sequence;  /* another object follows the first */
};

static bool is_type(struct head value, const char *type)
{
    size_t len = strlen(type);
    return value.len == len && memcmp(value.at, type, len) == 0;
}

static void record_type(struct json *json, struct head value, int depth)
{
    static const char *const geometries[] = {
        "Point",   "MultiPoint",   "LineString",         "MultiLineString",
        "Polygon", "MultiPolygon", "GeometryCollection",
    };
    if (is_type(value, "Feature") || is_type(value, "FeatureCollection")) {
        json->has_feature = true;
    }
    if (depth != 1) {
        return;
    }
    if (is_type(value, "Topology")) {
        json->is_topology = true;
    }
    if (is_type(value, "gdal_streamed_alg")) {
        json->is_algorithm = true;
    }
    for (size_t i = 0; i < GIQ_COUNT(geometries); i++) {
        if (is_type(value, geometries[i])) {
            json->is_geometry = true;
        }
    }
}

/* Read the string at a '"'. Its escapes are not decoded. */
static struct head next_string(struct head *head)
{
    skip(head, 1);
    struct head text = {head->at, 0};
    while (head->len > 0 && head->at[0] != '"') {
        skip(head, head->at[0] == '\\' ? 2 : 1);
    }
    text.len = (size_t)(head->at - text.at);
    skip(head, 1);
    return text;
}

/* Read a string; if it is the key "type", also its value. */
static void scan_string(struct json *json, struct head *head, int depth)
{
    struct head key = next_string(head);
    skip_space(head);
    if (!is_type(key, "type") || !begins(*head, ":")) {
        return;
    }
    skip(head, 1);
    skip_space(head);
    if (begins(*head, "\"")) {
        record_type(json, next_string(head), depth);
    }
}

static struct json scan_json(struct head head)
{
    struct json json = {0};
    int depth = 0;
    while (head.len > 0) {
        char c = head.at[0];
        if (c == '"') {
            scan_string(&json, &head, depth);
            continue;
        }
        if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
        }
        skip(&head, 1);
        if (depth <= 0) {
            skip_space(&head);
            json.is_sequence = begins(head, "{");
            break;
        }
    }
    return json;
}

static const struct giq_format *by_json(struct head head, const char *name)
{
    skip_mark_and_space(&head);
    if (begins(head, "\x1e")) {
        skip(&head, 1);
        skip_space(&head);
        return begins(head, "{") ? giq_format_get("geojsons") : NULL;
    }
    if (!begins(head, "{") && !begins(head, "[")) {
        return NULL;
    }
    struct json json = scan_json(head);
    if (json.is_topology) {
        return giq_format_get("topojson");
    }
    if (!json.has_feature && !json.is_geometry) {
        return NULL;
    }
    /* The first object may be longer than the head: then only the name shows that more
     * objects follow. */
    const struct giq_format *lines = giq_format_get("geojsonl");
    bool is_lines =
        json.is_sequence || giq_format_has_extension(lines, giq_name_extension(name));
    return is_lines ? lines : giq_format_get("geojson");
}

/* ---- other text ---- */

static void skip_line(struct head *head)
{
    skip_past(head, "\n");
}

static const struct giq_format *by_dxf(struct head head, const char *name)
{
    (void)name;
    skip_mark_and_space(&head);
    /* Comments, each of two lines, may come first. */
    while (begins(head, "999\r") || begins(head, "999\n")) {
        skip_line(&head);
        skip_line(&head);
        skip_space(&head);
    }
    if (!begins(head, "0")) {
        return NULL;
    }
    skip(&head, 1);
    size_t before = head.len;
    skip_space(&head);
    return head.len < before && begins(head, "SECTION") ? giq_format_get("dxf") : NULL;
}

/* A CSV file has no keyword: any text with its extension counts as one. */
static const struct giq_format *by_keyword(struct head head, const char *name)
{
    bool is_text = head.len > 0 && memchr(head.at, '\0', head.len) == NULL;
    skip_mark_and_space(&head);
    if (begins(head, "!table")) {
        return giq_format_get("tab");
    }
    const char *extension = giq_name_extension(name);
    if (begins(head, "Version") && giq_text_equal_nocase(extension, "mif")) {
        return giq_format_get("mif");
    }
    return is_text && giq_text_equal_nocase(extension, "csv") ? giq_format_get("csv")
                                                              : NULL;
}

/* ---- the whole ---- */

const struct giq_format *giq_sniff(const char *name, const char *bytes, size_t len)
{
    static const struct giq_format *(*const checks[])(struct head head,
                                                      const char *name) = {
        by_checksum, by_magic, by_xml_root, by_json, by_dxf, by_keyword,
    };
    const struct head head = {bytes, len < GIQ_SNIFF_BYTES ? len : GIQ_SNIFF_BYTES};
    const struct giq_format *format = NULL;
    for (size_t i = 0; format == NULL && i < GIQ_COUNT(checks); i++) {
        format = checks[i](head, name);
    }
    return format;
}

const char *giq_sniff_driver(const char *name, const char *bytes, size_t len)
{
    const struct giq_format *format = giq_sniff(name, bytes, len);
    return format == NULL ? NULL : format->driver;
}

uint64_t giq_sniff_text_len(const char *bytes, size_t len)
{
    enum { FLATGEOBUF_MAGIC_AND_LENGTH = 12 };
    /* Formats that only the name of the file distinguishes have the same `text`. */
    const struct giq_format *format = giq_sniff("", bytes, len);
    if (format == NULL || format->text == GIQ_FORMAT_TEXT_ANYWHERE) {
        return UINT64_MAX;
    }
    return format->text == GIQ_FORMAT_TEXT_AT_START
               ? FLATGEOBUF_MAGIC_AND_LENGTH + GIQ_FORMAT_FLATGEOBUF_HEADER_MAX
               : 0;
}

/* ---- texts that only refer to other files or hosts ---- */

/* Whether the text is a connection string of this driver: the prefix, then a word (or
 * none) at the end or before '=' or ';'. A header of CSV may begin with the prefix, too.
 */
static bool is_giq(struct head head)
{
    if (!begins(head, "GIQ:")) {
        return false;
    }
    skip(&head, strlen("GIQ:"));
    skip_space(&head);
    while (head.len > 0 && ((head.at[0] | 32) >= 'a' && (head.at[0] | 32) <= 'z')) {
        skip(&head, 1);
    }
    skip_space(&head);
    return head.len == 0 || begins(head, "=") || begins(head, ";");
}

const char *giq_sniff_reference_driver(const char *bytes, size_t len)
{
    struct head head = {bytes, len < GIQ_SNIFF_BYTES ? len : GIQ_SNIFF_BYTES};
    const struct root *root = root_of(head);
    if (root != NULL) {
        return root->reference_driver;
    }
    skip_mark_and_space(&head);
    if (is_giq(head)) {
        return "GIQ";
    }
    return begins(head, "{") && scan_json(head).is_algorithm ? "GDALG" : NULL;
}
