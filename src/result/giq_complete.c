#include "result/giq_complete.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "result/giq_bounds.h"

/* What a file without an extension of its own may be. */
static void check_unknown(struct giq_bounds *file)
{
    if (giq_bounds_is(file, 0, "\xff\xff\xff\xff", 4)) {
        giq_complete_arrow(file);
    }
}

static const struct format {
    const char *extension; /* as giq_sniff() gives it */
    const char *name;
    void (*check)(struct giq_bounds *file);
} formats[] = {
    {"tif", "TIFF", giq_complete_tiff},
    {"png", "PNG", giq_complete_png},
    {"jpg", "JPEG", giq_complete_jpeg},
    {"jp2", "JPEG 2000", giq_complete_jp2},
    {"j2k", "JPEG 2000", giq_complete_codestream},
    {"fgb", "FlatGeobuf", giq_complete_flatgeobuf},
    {"gpkg", "GeoPackage", giq_complete_sqlite},
    {"mbtiles", "MBTiles", giq_complete_sqlite},
    {"sqlite", "SQLite", giq_complete_sqlite},
    {"parquet", "Parquet", giq_complete_parquet},
    {"arrow", "Arrow", giq_complete_arrow},
    {"shp", "Shapefile", giq_complete_shapefile},
    {"kmz", "KMZ", giq_complete_zip},
    {"shz", "zipped Shapefile", giq_complete_zip},
    {"xlsx", "spreadsheet", giq_complete_zip},
    {"ods", "spreadsheet", giq_complete_zip},
    {"kml", "KML", giq_complete_xml},
    {"gml", "GML", giq_complete_xml},
    {"gpx", "GPX", giq_complete_xml},
};

static const struct format unknown = {NULL, "Arrow", check_unknown};

static const struct format *format_of(const char *extension)
{
    for (size_t i = 0; extension != NULL && i < GIQ_COUNT(formats); i++) {
        if (strcmp(extension, formats[i].extension) == 0) {
            return &formats[i];
        }
    }
    return extension == NULL ? &unknown : NULL;
}

/* The verdict of a check, as an error or none. */
static bool judge(const struct giq_bounds *file, const char *name, struct giq_error *err)
{
    if (file->failed) {
        return false;
    }
    if (file->lacks != NULL) {
        return giq_fail(err, GIQ_E_INCOMPLETE,
                        "the file that came is cut, though its transfer ended as if "
                        "whole: %s, %" PRIu64 " bytes without %s",
                        name, file->size, file->lacks);
    }
    return file->size_min == 0 ||
           giq_fail(err, GIQ_E_INCOMPLETE,
                    "the file that came is cut, though its transfer ended as if whole: "
                    "%s, %" PRIu64 " bytes of at least %" PRIu64,
                    name, file->size, file->size_min);
}

bool giq_complete_check(const struct giq_complete_source *source, const char *extension,
                        struct giq_error *err)
{
    const struct format *format = format_of(extension);
    if (format == NULL) {
        return true;
    }
    struct giq_bounds *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return giq_fail_memory(err);
    }
    file->source = source;
    file->size = source->size;
    file->err = err;
    format->check(file);
    bool ok = judge(file, format->name, err);
    free(file);
    return ok;
}

/* ---- JSON ---- */

/* The length of the text up to its next quote or escape, or `len`. */
static size_t plain_length(const char *bytes, size_t len)
{
    const char *quote = memchr(bytes, '"', len);
    size_t plain = quote == NULL ? len : (size_t)(quote - bytes);
    const char *escape = memchr(bytes, '\\', plain);
    return escape == NULL ? plain : (size_t)(escape - bytes);
}

/* Take some bytes of a text; returns how many. */
static size_t take_text(struct giq_complete_json *json, const char *bytes, size_t len)
{
    if (json->is_escaped) {
        json->is_escaped = false;
        return 1;
    }
    size_t plain = plain_length(bytes, len);
    if (plain == len) {
        return len;
    }
    json->is_escaped = bytes[plain] == '\\';
    json->in_text = bytes[plain] != '"';
    return plain + 1;
}

/* Go past what may stand before JSON, a mark of UTF-8 and a record separator included;
 * returns where it begins. */
static size_t begin_json(struct giq_complete_json *json, const char *bytes, size_t len)
{
    size_t at = 0;
    while (at < len && memchr(" \t\r\n\v\f\x1e\xef\xbb\xbf", bytes[at], 10) != NULL) {
        at++;
    }
    if (at < len) {
        json->has_begun = true;
        json->is_other = bytes[at] != '{' && bytes[at] != '[';
    }
    return at;
}

void giq_complete_json_take(struct giq_complete_json *json, const char *bytes, size_t len)
{
    size_t at = json->has_begun ? 0 : begin_json(json, bytes, len);
    while (at < len && !json->is_other) {
        if (json->in_text) {
            at += take_text(json, bytes + at, len - at);
            continue;
        }
        char c = bytes[at++];
        json->in_text = c == '"';
        if (c == '{' || c == '[') {
            json->depth++;
        } else if ((c == '}' || c == ']') && json->depth > 0) {
            json->depth--;
            json->has_closed = json->has_closed || json->depth == 0;
        }
    }
}

bool giq_complete_json_check(const struct giq_complete_json *json, const char *extension,
                             struct giq_error *err)
{
    static const struct {
        const char *extension;
        bool is_one; /* what follows the first object does not count */
    } kinds[] = {
        {"geojson", true}, {"topojson", true}, {"geojsonl", false}, {"geojsons", false}};
    bool is_whole = true;
    for (size_t i = 0; !json->is_other && extension != NULL && i < GIQ_COUNT(kinds);
         i++) {
        if (strcmp(extension, kinds[i].extension) == 0) {
            is_whole =
                kinds[i].is_one ? json->has_closed : json->depth == 0 && !json->in_text;
        }
    }
    return is_whole ||
           giq_fail(err, GIQ_E_INCOMPLETE,
                    "the file that came is cut, though its transfer ended as if whole: "
                    "JSON that ends within %s",
                    json->in_text ? "a text" : "an object or a list");
}
