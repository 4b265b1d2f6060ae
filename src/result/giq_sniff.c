#include "result/giq_sniff.h"

#include <stdint.h>
#include <string.h>

#include "base/giq_text.h"
#include "result/giq_name.h"

/* Leading bytes, and how much of them is left to read. */
struct head {
    const char *at;
    size_t len;
};

static const struct giq_sniff nothing = {GIQ_SNIFF_NOTHING, NULL};

static struct giq_sniff data(const char *extension)
{
    return (struct giq_sniff){GIQ_SNIFF_DATA, extension};
}

/* ---- extensions ---- */

/* An extension that is given, and others that are used for the same kind. */
static const struct {
    const char *extension;
    const char *others[7];
} used[] = {
    {"arrow", {"feather", "arrows", "ipc"}},
    {"csv", {"tsv", "psv", "txt"}},
    {"geojson", {"json"}},
    {"geojsonl", {"geojsons", "jsonl", "ndjson", "geojsonseq", "nlgeojson"}},
    {"geojsons", {"geojsonl", "geojsonseq"}},
    {"gml", {"xml"}},
    {"grib2", {"grib", "grb", "grb2"}},
    {"h5", {"hdf5", "he5", "hdf"}},
    {"gz", {"tgz"}},
    {"html", {"htm", "xhtml"}},
    {"jp2", {"j2k", "jpx", "jpf", "j2c", "jpc"}},
    {"j2k", {"jp2", "jpx", "jpf", "j2c", "jpc"}},
    {"jpg", {"jpeg", "jpe", "jfif"}},
    {"nc", {"nc4", "cdf", "netcdf"}},
    {"parquet", {"geoparquet", "pq"}},
    {"shp", {"shx"}},
    {"sqlite", {"sqlite3", "db", "db3"}},
    {"tif", {"tiff", "gtiff", "geotiff", "btf", "tf8"}},
    {"topojson", {"json"}},
};

bool giq_sniff_extension_fits(const struct giq_sniff *kind, const char *name)
{
    if (kind->extension == NULL) {
        return true;
    }
    const char *extension = giq_name_extension(name);
    if (giq_text_same(extension, kind->extension)) {
        return true;
    }
    for (size_t i = 0; i < GIQ_COUNT(used); i++) {
        if (strcmp(kind->extension, used[i].extension) != 0) {
            continue;
        }
        const size_t count = GIQ_COUNT(used[i].others);
        for (size_t k = 0; k < count && used[i].others[k] != NULL; k++) {
            if (giq_text_same(extension, used[i].others[k])) {
                return true;
            }
        }
    }
    return false;
}

/* ---- signatures ---- */

struct signature {
    size_t at;
    const char *bytes;
    size_t len;
};

#define BYTES(at, text)                                                                  \
    {                                                                                    \
        at, text, sizeof(text) - 1                                                       \
    }
#define SQLITE BYTES(0, "SQLite format 3\0")
#define HDF5   BYTES(0, "\x89HDF\r\n\x1a\n")
#define ZIP    BYTES(0, "PK\3\4")
#define ANY                                                                              \
    {                                                                                    \
        0, "", 0                                                                         \
    }

/* The first row that holds is taken. */
static const struct {
    struct signature first;
    struct signature second;
    bool by_name; /* only where the name has an extension of the kind already */
    struct giq_sniff kind;
} rules[] = {
    {SQLITE, BYTES(68, "GPKG"), false, {GIQ_SNIFF_DATA, "gpkg"}},
    {SQLITE, BYTES(68, "GP1"), false, {GIQ_SNIFF_DATA, "gpkg"}},
    {SQLITE, BYTES(68, "MPBX"), false, {GIQ_SNIFF_DATA, "mbtiles"}},
    {SQLITE, ANY, true, {GIQ_SNIFF_DATA, "mbtiles"}},
    {SQLITE, ANY, true, {GIQ_SNIFF_DATA, "gpkg"}},
    {SQLITE, ANY, false, {GIQ_SNIFF_DATA, "sqlite"}},
    {BYTES(0, "fgb\3fgb"), ANY, false, {GIQ_SNIFF_DATA, "fgb"}},
    {BYTES(0, "II*\0"), ANY, false, {GIQ_SNIFF_DATA, "tif"}},
    {BYTES(0, "MM\0*"), ANY, false, {GIQ_SNIFF_DATA, "tif"}},
    {BYTES(0, "II+\0"), ANY, false, {GIQ_SNIFF_DATA, "tif"}},
    {BYTES(0, "MM\0+"), ANY, false, {GIQ_SNIFF_DATA, "tif"}},
    {BYTES(0, "\x89PNG\r\n\x1a\n"), ANY, false, {GIQ_SNIFF_DATA, "png"}},
    {BYTES(0, "\xff\xd8\xff"), ANY, false, {GIQ_SNIFF_DATA, "jpg"}},
    {BYTES(0, "\0\0\0\x0cjP  \r\n\x87\n"), ANY, false, {GIQ_SNIFF_DATA, "jp2"}},
    {BYTES(0, "\xff\x4f\xff\x51"), ANY, false, {GIQ_SNIFF_DATA, "j2k"}},
    {BYTES(0, "GIF8"), ANY, false, {GIQ_SNIFF_DATA, "gif"}},
    {BYTES(0, "RIFF"), BYTES(8, "WEBP"), false, {GIQ_SNIFF_DATA, "webp"}},
    {BYTES(0, "%PDF-"), ANY, false, {GIQ_SNIFF_DATA, "pdf"}},
    {BYTES(0, "CDF\1"), ANY, false, {GIQ_SNIFF_DATA, "nc"}},
    {BYTES(0, "CDF\2"), ANY, false, {GIQ_SNIFF_DATA, "nc"}},
    {BYTES(0, "CDF\5"), ANY, false, {GIQ_SNIFF_DATA, "nc"}},
    {HDF5, ANY, true, {GIQ_SNIFF_DATA, "h5"}},
    {HDF5, ANY, false, {GIQ_SNIFF_DATA, "nc"}},
    {BYTES(0, "\x0e\x03\x13\x01"), ANY, false, {GIQ_SNIFF_DATA, "hdf"}},
    {BYTES(0, "GRIB"), ANY, false, {GIQ_SNIFF_DATA, "grib2"}},
    {BYTES(0, "PAR1"), ANY, false, {GIQ_SNIFF_DATA, "parquet"}},
    {BYTES(0, "ARROW1"), ANY, false, {GIQ_SNIFF_DATA, "arrow"}},
    {BYTES(0, "\xff\xff\xff\xff"), ANY, true, {GIQ_SNIFF_DATA, "arrow"}},
    {BYTES(0, "PMTiles"), ANY, false, {GIQ_SNIFF_DATA, "pmtiles"}},
    {BYTES(0, "AutoCAD Binary DXF\r\n\x1a\0"), ANY, false, {GIQ_SNIFF_DATA, "dxf"}},
    {BYTES(0, "\0\0\x27\x0a"), ANY, false, {GIQ_SNIFF_DATA, "shp"}},
    {ZIP, ANY, true, {GIQ_SNIFF_DATA, "kmz"}},
    {ZIP, ANY, true, {GIQ_SNIFF_DATA, "shz"}},
    {ZIP, ANY, true, {GIQ_SNIFF_DATA, "xlsx"}},
    {ZIP, ANY, true, {GIQ_SNIFF_DATA, "ods"}},
    {ZIP, ANY, false, {GIQ_SNIFF_ZIP, "zip"}},
    {BYTES(0, "PK\5\6"), ANY, false, {GIQ_SNIFF_ZIP, "zip"}},
    {BYTES(0, "PK00PK\3\4"), ANY, false, {GIQ_SNIFF_ZIP, "zip"}},
    {BYTES(0, "PK\7\x08PK\3\4"), ANY, false, {GIQ_SNIFF_ZIP, "zip"}},
    {BYTES(0, "\x1f\x8b\x08"), ANY, false, {GIQ_SNIFF_GZIP, "gz"}},
    {BYTES(257, "ustar"), ANY, false, {GIQ_SNIFF_TAR, "tar"}},
};

static bool holds(struct head head, const struct signature *signature)
{
    return head.len >= signature->at + signature->len &&
           memcmp(head.at + signature->at, signature->bytes, signature->len) == 0;
}

static struct giq_sniff by_signature(struct head head, const char *name)
{
    for (size_t i = 0; i < GIQ_COUNT(rules); i++) {
        if (holds(head, &rules[i].first) && holds(head, &rules[i].second) &&
            (!rules[i].by_name || giq_sniff_extension_fits(&rules[i].kind, name))) {
            return rules[i].kind;
        }
    }
    return nothing;
}

/* Whether the head is that of a tar: its first block has a true checksum. Comes
 * before the signatures, as a tar begins with the name of a member. */
static struct giq_sniff by_checksum(struct head head, const char *name)
{
    enum { BLOCK = 512, SUM_AT = 148, SUM_LEN = 8 };
    (void)name;
    if (head.len < BLOCK || head.at[0] == '\0') {
        return nothing;
    }
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        bool is_own = i >= SUM_AT && i < SUM_AT + SUM_LEN;
        sum += is_own ? ' ' : (unsigned char)head.at[i];
    }
    unsigned told = 0;
    size_t at = SUM_AT;
    while (at < SUM_AT + SUM_LEN && head.at[at] == ' ') {
        at++;
    }
    for (; at < SUM_AT + SUM_LEN && head.at[at] >= '0' && head.at[at] <= '7'; at++) {
        told = told * 8 + (unsigned)(head.at[at] - '0');
    }
    return told == sum ? (struct giq_sniff){GIQ_SNIFF_TAR, "tar"} : nothing;
}

/* ---- text ---- */

static void skip(struct head *head, size_t len)
{
    len = len < head->len ? len : head->len;
    head->at += len;
    head->len -= len;
}

static bool begins(struct head head, const char *text)
{
    size_t len = strlen(text);
    return head.len >= len && giq_text_begins(head.at, text);
}

static void skip_space(struct head *head)
{
    while (head->len > 0 && head->at[0] != '\0' && strchr(" \t\r\n\v\f", head->at[0])) {
        skip(head, 1);
    }
}

/* Everything up to and with `text`, or everything. */
static void skip_past(struct head *head, const char *text)
{
    size_t len = strlen(text);
    const char *at = memmem(head->at, head->len, text, len);
    skip(head, at == NULL ? head->len : (size_t)(at - head->at) + len);
}

static void skip_mark_and_space(struct head *head)
{
    if (begins(*head, "\xEF\xBB\xBF")) {
        skip(head, 3);
    }
    skip_space(head);
}

/* Where the root element of XML begins: after declarations and comments. */
static void skip_prolog(struct head *head)
{
    static const struct {
        const char *begin, *end;
    } parts[] = {{"<?", "?>"}, {"<!--", "-->"}, {"<!doctype", ">"}};
    size_t i = 0;
    while (i < GIQ_COUNT(parts)) {
        if (!begins(*head, parts[i].begin) || begins(*head, "<!doctype html")) {
            i++;
            continue;
        }
        skip_past(head, parts[i].end);
        skip_space(head);
        i = 0;
    }
}

/* A root element of XML. */
struct root {
    const char *element; /* without a prefix */
    struct giq_sniff kind;
    const char *source; /* the driver that reads other files by it, or NULL */
};

static const struct root roots[] = {
    {"!doctype html", {GIQ_SNIFF_HTML, "html"}, NULL},
    {"html", {GIQ_SNIFF_HTML, "html"}, NULL},
    {"kml", {GIQ_SNIFF_DATA, "kml"}, NULL},
    {"gpx", {GIQ_SNIFF_DATA, "gpx"}, NULL},
    {"FeatureCollection", {GIQ_SNIFF_DATA, "gml"}, NULL},
    {"VRTDataset", {GIQ_SNIFF_DATA, "vrt"}, "VRT"},
    {"OGRVRTDataSource", {GIQ_SNIFF_DATA, "vrt"}, "OGR_VRT"},
    {"GDAL_WMS", {GIQ_SNIFF_DATA, "xml"}, "WMS"},
    {"WMS_Capabilities", {GIQ_SNIFF_DATA, "xml"}, "WMS"},
    {"WMT_MS_Capabilities", {GIQ_SNIFF_DATA, "xml"}, "WMS"},
    {"WMS_Tile_Service", {GIQ_SNIFF_DATA, "xml"}, "WMS"},
    {"TileMap", {GIQ_SNIFF_DATA, "xml"}, "WMS"},
    {"GDAL_WMTS", {GIQ_SNIFF_DATA, "xml"}, "WMTS"},
    {"Capabilities", {GIQ_SNIFF_DATA, "xml"}, "WMTS"},
    {"WCS_GDAL", {GIQ_SNIFF_DATA, "xml"}, "WCS"},
    {"OGRWFSDataSource", {GIQ_SNIFF_DATA, "xml"}, "WFS"},
    {"WFS_Capabilities", {GIQ_SNIFF_DATA, "xml"}, "WFS"},
    {"MRF_META", {GIQ_SNIFF_DATA, "mrf"}, "MRF"},
    {"GDALTileIndexDataset", {GIQ_SNIFF_DATA, "gti"}, "GTI"},
};

/* The root element of the text, or NULL where it is no XML or another one. */
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

static struct giq_sniff by_markup(struct head head, const char *name)
{
    (void)name;
    const struct root *root = root_of(head);
    return root == NULL ? nothing : root->kind;
}

/* ---- JSON ---- */

/* What a scan through the head of a JSON text found. */
struct json {
    bool has_feature; /* or a collection of them, anywhere */
    bool is_geometry; /* the outermost object is one */
    bool is_topology;
    bool is_algorithm; /* a command of the gdal program */
    bool is_sequence;  /* another object follows the first */
};

static bool is_type(struct head value, const char *type)
{
    size_t len = strlen(type);
    return value.len == len && memcmp(value.at, type, len) == 0;
}

static void note_type(struct json *json, struct head value, int depth)
{
    static const char *const geometries[] = {
        "Point",   "MultiPoint",   "LineString",         "MultiLineString",
        "Polygon", "MultiPolygon", "GeometryCollection",
    };
    if (is_type(value, "Feature") || is_type(value, "FeatureCollection")) {
        json->has_feature = true;
    }
    json->is_topology = json->is_topology || (depth == 1 && is_type(value, "Topology"));
    json->is_algorithm =
        json->is_algorithm || (depth == 1 && is_type(value, "gdal_streamed_alg"));
    for (size_t i = 0; i < GIQ_COUNT(geometries); i++) {
        json->is_geometry =
            json->is_geometry || (depth == 1 && is_type(value, geometries[i]));
    }
}

/* Take the string at a '"'. What is in it stays as it is written. */
static struct head take_string(struct head *head)
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

/* A string, and where it is a "type" also what follows. */
static void scan_string(struct json *json, struct head *head, int depth)
{
    struct head key = take_string(head);
    skip_space(head);
    if (!is_type(key, "type") || !begins(*head, ":")) {
        return;
    }
    skip(head, 1);
    skip_space(head);
    if (begins(*head, "\"")) {
        note_type(json, take_string(head), depth);
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
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        skip(&head, 1);
        if (depth <= 0) {
            skip_space(&head);
            json.is_sequence = begins(head, "{");
            break;
        }
    }
    return json;
}

static struct giq_sniff by_json(struct head head, const char *name)
{
    static const struct giq_sniff lines = {GIQ_SNIFF_DATA, "geojsonl"};
    skip_mark_and_space(&head);
    if (begins(head, "\x1e")) {
        skip(&head, 1);
        skip_space(&head);
        return begins(head, "{") ? data("geojsons") : nothing;
    }
    if (!begins(head, "{") && !begins(head, "[")) {
        return nothing;
    }
    struct json json = scan_json(head);
    if (json.is_topology) {
        return data("topojson");
    }
    if (!json.has_feature && !json.is_geometry) {
        return nothing;
    }
    /* The first line may be longer than the head: then the name tells. */
    bool is_lines = json.is_sequence || giq_sniff_extension_fits(&lines, name);
    return is_lines ? lines : data("geojson");
}

/* ---- other text ---- */

static void skip_line(struct head *head)
{
    skip_past(head, "\n");
}

static struct giq_sniff by_dxf(struct head head, const char *name)
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
        return nothing;
    }
    skip(&head, 1);
    size_t before = head.len;
    skip_space(&head);
    return head.len < before && begins(head, "SECTION") ? data("dxf") : nothing;
}

static struct giq_sniff by_words(struct head head, const char *name)
{
    static const struct giq_sniff csv = {GIQ_SNIFF_DATA, "csv"};
    bool is_text = head.len > 0 && memchr(head.at, '\0', head.len) == NULL;
    skip_mark_and_space(&head);
    if (begins(head, "!table")) {
        return data("tab");
    }
    const char *extension = giq_name_extension(name);
    if (begins(head, "Version") && giq_text_same(extension, "mif")) {
        return data("mif");
    }
    return is_text && giq_text_same(extension, "csv") ? csv : nothing;
}

struct giq_sniff giq_sniff(const char *name, const char *bytes, size_t len)
{
    static struct giq_sniff (*const looks[])(struct head head, const char *name) = {
        by_checksum, by_signature, by_markup, by_json, by_dxf, by_words,
    };
    const struct head head = {bytes, len < GIQ_SNIFF_BYTES ? len : GIQ_SNIFF_BYTES};
    for (size_t i = 0; i < GIQ_COUNT(looks); i++) {
        struct giq_sniff kind = looks[i](head, name);
        if (kind.content != GIQ_SNIFF_NOTHING) {
            return kind;
        }
    }
    return nothing;
}

const char *giq_sniff_known(const char *name, const char *bytes, size_t len)
{
    struct giq_sniff kind = giq_sniff(name, bytes, len);
    return kind.content == GIQ_SNIFF_DATA ? kind.extension : NULL;
}

/* Whether the text is a connection string of this driver: after the prefix comes a key,
 * or nothing but a word. A header of CSV may begin with the prefix. */
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
    return head.len == 0 || head.at[0] == '=' || begins(head, ";");
}

/* ---- texts that name other sources ---- */

const char *giq_sniff_source(const char *bytes, size_t len)
{
    struct head head = {bytes, len < GIQ_SNIFF_BYTES ? len : GIQ_SNIFF_BYTES};
    const struct root *root = root_of(head);
    if (root != NULL) {
        return root->source;
    }
    skip_mark_and_space(&head);
    if (is_giq(head)) {
        return "GIQ";
    }
    return begins(head, "{") && scan_json(head).is_algorithm ? "GDALG" : NULL;
}
