/* Chooses the check for a format, and counts the brackets of JSON. */
#include "result/giq_complete.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_cleanup.h"
#include "base/giq_text.h"
#include "result/giq_complete_formats.h"
#include "result/giq_format.h"

#define TRUNCATED "the downloaded file is truncated, although its transfer succeeded: "

static const struct {
    const char *extension; /* as in struct giq_format */
    void (*check)(struct giq_bounds *file);
} checks[] = {
    {"tif", giq_complete_tiff},       {"png", giq_complete_png},
    {"jpg", giq_complete_jpeg},       {"jp2", giq_complete_jp2},
    {"j2k", giq_complete_codestream}, {"fgb", giq_complete_flatgeobuf},
    {"gpkg", giq_complete_sqlite},    {"mbtiles", giq_complete_sqlite},
    {"sqlite", giq_complete_sqlite},  {"parquet", giq_complete_parquet},
    {"arrow", giq_complete_arrow},    {"shp", giq_complete_shapefile},
    {"kmz", giq_complete_zip},        {"shz", giq_complete_zip},
    {"xlsx", giq_complete_zip},       {"ods", giq_complete_zip},
    {"kml", giq_complete_xml},        {"gml", giq_complete_xml},
    {"gpx", giq_complete_xml},
};

/* Run the check of the format. Files of formats without a check count as complete. */
static void run_check(struct giq_bounds *file, const char *extension)
{
    if (extension == NULL) {
        giq_complete_unknown(file);
        return;
    }
    for (size_t i = 0; i < GIQ_COUNT(checks); i++) {
        if (strcmp(extension, checks[i].extension) == 0) {
            checks[i].check(file);
            return;
        }
    }
}

bool giq_complete_check(const struct giq_bounds_source *source, const char *extension,
                        struct giq_error *err)
{
    GIQ_AUTO_FREE struct giq_bounds *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return giq_fail_memory(err);
    }
    file->source = source;
    file->size = source->size;
    file->err = err;
    run_check(file, extension);
    if (file->failed) {
        return false;
    }
    /* In a file of unknown format only parts of an Arrow stream are found missing. */
    const char *name = extension == NULL ? "Arrow" : giq_format_get(extension)->name;
    if (file->missing != NULL) {
        return giq_fail(err, GIQ_E_INCOMPLETE,
                        TRUNCATED "%s of %" PRIu64 " bytes without %s", name, file->size,
                        file->missing);
    }
    if (file->size_min != 0) {
        return giq_fail(err, GIQ_E_INCOMPLETE,
                        TRUNCATED "%s of %" PRIu64 " bytes, but at least %" PRIu64
                                  " are needed",
                        name, file->size, file->size_min);
    }
    return true;
}

/* ---- JSON ---- */

/* The number of bytes before the next quote or backslash; `len` if there is none. */
static size_t plain_length(const char *bytes, size_t len)
{
    const char *quote = memchr(bytes, '"', len);
    size_t plain = quote == NULL ? len : (size_t)(quote - bytes);
    const char *escape = memchr(bytes, '\\', plain);
    return escape == NULL ? plain : (size_t)(escape - bytes);
}

/* Scan some bytes of a string; returns how many. */
static size_t scan_string(struct giq_complete_json *json, const char *bytes, size_t len)
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
    json->in_string = bytes[plain] != '"';
    return plain + 1;
}

/* Skip what may precede JSON: white space, a record separator (RFC 8142) and a byte order
 * mark. Returns the number of bytes. */
static size_t begin_json(struct giq_complete_json *json, const char *bytes, size_t len)
{
    static const char skipped[] = " \t\r\n\v\f\x1e" GIQ_TEXT_BYTE_ORDER_MARK;
    size_t at = 0;
    while (at < len && memchr(skipped, bytes[at], sizeof skipped - 1) != NULL) {
        at++;
    }
    if (at < len) {
        json->has_begun = true;
        json->is_other = bytes[at] != '{' && bytes[at] != '[';
    }
    return at;
}

void giq_complete_json_scan(struct giq_complete_json *json, const char *bytes, size_t len)
{
    size_t at = json->has_begun ? 0 : begin_json(json, bytes, len);
    while (at < len && !json->is_other) {
        if (json->in_string) {
            at += scan_string(json, bytes + at, len - at);
            continue;
        }
        char c = bytes[at++];
        json->in_string = c == '"';
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
        bool is_sequence; /* of objects; else what follows the first one is ignored */
    } kinds[] = {
        {"geojson", false}, {"topojson", false}, {"geojsonl", true}, {"geojsons", true}};
    if (json->is_other || extension == NULL) {
        return true;
    }
    bool is_complete = true;
    for (size_t i = 0; i < GIQ_COUNT(kinds); i++) {
        if (strcmp(extension, kinds[i].extension) == 0) {
            is_complete = kinds[i].is_sequence ? json->depth == 0 && !json->in_string
                                               : json->has_closed;
        }
    }
    if (!is_complete) {
        return giq_fail(err, GIQ_E_INCOMPLETE, TRUNCATED "JSON that ends within %s",
                        json->in_string ? "a string" : "an object or array");
    }
    return true;
}
