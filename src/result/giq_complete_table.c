/*
 * Completeness of formats of features and tables: FlatGeobuf, Arrow, Parquet, SQLite, the
 * .shp of a Shapefile, zip files that drivers open as they are (KMZ), and XML.
 */
#include "result/giq_complete_formats.h"

#include <string.h>

/* ---- FlatBuffers ---- */

/* A FlatBuffers table, between the offsets `begin` and `end`. */
struct flat {
    struct giq_bounds *file;
    uint64_t begin;
    uint64_t end;
    uint64_t table;
    uint64_t fields; /* its vtable */
    uint64_t fields_len;
};

static bool is_within(const struct flat *flat, uint64_t at, uint64_t len)
{
    return at >= flat->begin && at <= flat->end && len <= flat->end - at;
}

/* Find the root table; false if there is none. All of it is required. */
static bool flat_open(struct giq_bounds *file, uint64_t begin, uint64_t len,
                      struct flat *out)
{
    struct flat flat = {.file = file, .begin = begin, .end = begin + len};
    if (!is_within(&flat, begin, 4)) {
        return false;
    }
    flat.table = begin + giq_bounds_number(file, begin, 4);
    if (!is_within(&flat, flat.table, 4)) {
        return false;
    }
    flat.fields = flat.table - (uint64_t)(int32_t)giq_bounds_number(file, flat.table, 4);
    if (!is_within(&flat, flat.fields, 4)) {
        return false;
    }
    flat.fields_len = giq_bounds_number(file, flat.fields, 2);
    *out = flat;
    return !file->stop && is_within(&flat, flat.fields, flat.fields_len);
}

/* The number in a field, or `otherwise` if the field is not set. */
static uint64_t flat_number(const struct flat *flat, unsigned field, unsigned len,
                            uint64_t otherwise)
{
    uint64_t slot = 4 + 2 * (uint64_t)field;
    if (slot + 2 > flat->fields_len) {
        return otherwise;
    }
    uint64_t offset = giq_bounds_number(flat->file, flat->fields + slot, 2);
    uint64_t at = flat->table + offset;
    return offset == 0 || !is_within(flat, at, len)
               ? otherwise
               : giq_bounds_number(flat->file, at, len);
}

/* ---- FlatGeobuf ---- */

/* The number of nodes in the index of `count` features (a packed R-tree). */
static uint64_t count_nodes(uint64_t count, uint64_t node_size)
{
    uint64_t nodes = count;
    do {
        count = (count + node_size - 1) / node_size;
        nodes += count;
    } while (count > 1);
    return nodes;
}

/* The last leaf of the index has the offset of the last feature. */
static void check_last_feature(struct giq_bounds *file, uint64_t index_end)
{
    uint64_t offset = giq_bounds_number(file, index_end - 8, 8);
    uint64_t at = offset > UINT64_MAX - index_end ? UINT64_MAX : index_end + offset;
    uint64_t len = giq_bounds_number(file, at, 4);
    if (!file->stop) {
        (void)giq_bounds_require(file, at, 4 + len);
    }
}

/* Without an index each feature has the offset of the next one. `count` is 0 if it is not
 * known. */
static void check_each_feature(struct giq_bounds *file, uint64_t at, uint64_t count)
{
    for (uint64_t i = 0; !file->stop && (count > 0 ? i < count : at < file->size); i++) {
        uint64_t len = giq_bounds_number(file, at, 4);
        if (len == 0 || !giq_bounds_require(file, at, 4 + len)) {
            return;
        }
        at += 4 + len;
    }
}

void giq_complete_flatgeobuf(struct giq_bounds *file)
{
    enum { MAGIC = 8, NODE = 40, HEADER_MAX = 10 * 1024 * 1024 };
    enum { FEATURES_COUNT = 8, INDEX_NODE_SIZE = 9 };
    struct flat header;
    uint64_t len = giq_bounds_number(file, MAGIC, 4);
    if (len > HEADER_MAX || !giq_bounds_require(file, MAGIC + 4, len) ||
        !flat_open(file, MAGIC + 4, len, &header)) {
        return;
    }
    uint64_t at = MAGIC + 4 + len;
    uint64_t count = flat_number(&header, FEATURES_COUNT, 8, 0);
    uint64_t node_size = flat_number(&header, INDEX_NODE_SIZE, 2, 16);
    if (count == 0 || node_size < 2) {
        check_each_feature(file, at, count);
        return;
    }
    if (count > UINT64_MAX / (4 * NODE)) {
        return;
    }
    uint64_t index_len = count_nodes(count, node_size) * NODE;
    if (giq_bounds_require(file, at, index_len)) {
        check_last_feature(file, at + index_len);
    }
}

/* ---- Arrow ---- */

/* Check a stream of messages, which ends by a marker or with the file. */
static void check_stream(struct giq_bounds *file)
{
    enum { HEAD = 8, KIND = 1, BODY_LENGTH = 3, SCHEMA = 1, MESSAGE_MAX = 1 << 28 };
    uint64_t at = 0;
    while (!file->stop && at < file->size) {
        struct flat message;
        uint64_t mark = giq_bounds_number(file, at, 4);
        uint64_t len = giq_bounds_number(file, at + 4, 4);
        if (mark != UINT32_MAX || len == 0 || len > MESSAGE_MAX ||
            !giq_bounds_require(file, at + HEAD, len) ||
            !flat_open(file, at + HEAD, len, &message) ||
            (at == 0 && flat_number(&message, KIND, 1, 0) != SCHEMA)) {
            return;
        }
        uint64_t body_len = flat_number(&message, BODY_LENGTH, 8, 0);
        at += HEAD + len;
        if (!giq_bounds_require(file, at, body_len)) {
            return;
        }
        at += body_len;
    }
}

static const char arrow_mark[] = "ARROW1";

void giq_complete_arrow(struct giq_bounds *file)
{
    const size_t len = sizeof arrow_mark - 1;
    if (!giq_bounds_match(file, 0, arrow_mark, len)) {
        check_stream(file);
        return;
    }
    /* Two of them: that at the start is not that at the end. */
    if (file->size < 2 * len ||
        !giq_bounds_match(file, file->size - len, arrow_mark, len)) {
        giq_bounds_missing(file, "ARROW1 at the end");
    }
}

/* ---- Parquet ---- */

void giq_complete_parquet(struct giq_bounds *file)
{
    enum { MARK = 4, SIZE_MIN = 12 };
    bool has_end = file->size >= SIZE_MIN &&
                   (giq_bounds_match(file, file->size - MARK, "PAR1", MARK) ||
                    giq_bounds_match(file, file->size - MARK, "PARE", MARK));
    if (!has_end) {
        giq_bounds_missing(file, "PAR1 at the end");
    }
}

/* ---- SQLite ---- */

/* The number of pages is valid only if the last write set it (SQLite database file
 * format, 1.3.7). */
void giq_complete_sqlite(struct giq_bounds *file)
{
    enum { PAGE_SIZE_AT = 16, CHANGES_AT = 24, PAGES_AT = 28, VALID_FOR_AT = 92 };
    file->order = GIQ_BOUNDS_BIG;
    if (!giq_bounds_require(file, 0, 100)) {
        return;
    }
    uint64_t page_size = giq_bounds_number(file, PAGE_SIZE_AT, 2);
    uint64_t pages = giq_bounds_number(file, PAGES_AT, 4);
    bool is_valid = giq_bounds_number(file, CHANGES_AT, 4) ==
                    giq_bounds_number(file, VALID_FOR_AT, 4);
    page_size = page_size == 1 ? 65536 : page_size;
    bool is_power = page_size >= 512 && (page_size & (page_size - 1)) == 0;
    if (is_valid && is_power) {
        (void)giq_bounds_require(file, 0, pages * page_size);
    }
}

/* ---- Shapefile, zip ---- */

void giq_complete_shapefile(struct giq_bounds *file)
{
    enum { LENGTH_AT = 24, HEAD = 100 };
    file->order = GIQ_BOUNDS_BIG;
    if (giq_bounds_require(file, 0, HEAD)) {
        (void)giq_bounds_require(file, 0, 2 * giq_bounds_number(file, LENGTH_AT, 4));
    }
}

/* A zip ends with its central directory and a comment. */
void giq_complete_zip(struct giq_bounds *file)
{
    enum { END_LEN = 22 };
    size_t len = 0;
    const char *tail = giq_bounds_tail(file, &len);
    const char *end = tail == NULL ? NULL : memmem(tail, len, "PK\5\6", 4);
    if (tail != NULL && (end == NULL || (size_t)(tail + len - end) < END_LEN)) {
        giq_bounds_missing(file, "the central directory at the end");
    }
}

/* ---- XML ---- */

/* Whether the end tag at `text` closes a root element that giq_sniff() knows. */
static bool closes_root(const char *text, const char *end)
{
    static const char *const roots[] = {"kml", "gpx", "FeatureCollection"};
    const char *close = memchr(text, '>', (size_t)(end - text));
    const char *colon = close == NULL ? NULL : memchr(text, ':', (size_t)(close - text));
    text = colon == NULL ? text : colon + 1;
    for (size_t i = 0; close != NULL && i < GIQ_COUNT(roots); i++) {
        size_t len = strlen(roots[i]);
        if ((size_t)(close - text) >= len && memcmp(text, roots[i], len) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the text has only one element, which is empty. */
static bool is_empty_root(const char *text, const char *end)
{
    int elements = 0;
    bool is_empty = false;
    const char *at = text;
    while ((at = memchr(at, '<', (size_t)(end - at))) != NULL && end - at > 1) {
        at++;
        if (*at != '?' && *at != '!') {
            const char *close = memchr(at, '>', (size_t)(end - at));
            is_empty = close != NULL && close[-1] == '/';
            elements++;
        }
    }
    return elements == 1 && is_empty;
}

void giq_complete_xml(struct giq_bounds *file)
{
    size_t len = 0;
    const char *tail = giq_bounds_tail(file, &len);
    if (tail == NULL) {
        return;
    }
    const char *end = tail + len;
    const char *at = tail;
    while ((at = memmem(at, (size_t)(end - at), "</", 2)) != NULL) {
        at += 2;
        if (closes_root(at, end)) {
            return;
        }
    }
    if (len < file->size || !is_empty_root(tail, end)) {
        giq_bounds_missing(file, "the end tag of the root");
    }
}
