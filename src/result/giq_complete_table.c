/*
 * Completeness of formats of features and tables: FlatGeobuf, Arrow, Parquet, SQLite, the
 * .shp of a Shapefile, zip files that drivers open as they are (KMZ), and XML.
 */
#include <string.h>

#include "result/giq_complete_formats.h"
#include "result/giq_format.h"
#include "result/giq_sniff.h"

/* ---- FlatBuffers ---- */

/* A FlatBuffers table, between the offsets `begin` and `end`. */
struct flatbuffer {
    struct giq_bounds *file;
    uint64_t begin;
    uint64_t end;
    uint64_t table;
    uint64_t vtable;
    uint64_t vtable_len;
};

static bool is_within(const struct flatbuffer *flat, uint64_t at, uint64_t len)
{
    return at >= flat->begin && at <= flat->end && len <= flat->end - at;
}

/* Find the root table in `len` bytes, which the file has; false if there is none. */
static bool flat_open(struct giq_bounds *file, uint64_t begin, uint64_t len,
                      struct flatbuffer *out)
{
    struct flatbuffer flat = {.file = file, .begin = begin, .end = begin + len};
    if (!is_within(&flat, begin, 4)) {
        return false;
    }
    flat.table = begin + giq_bounds_number(file, begin, 4);
    if (!is_within(&flat, flat.table, 4)) {
        return false;
    }
    /* The offset of the vtable is signed, and is subtracted. */
    flat.vtable = flat.table - (uint64_t)(int32_t)giq_bounds_number(file, flat.table, 4);
    if (!is_within(&flat, flat.vtable, 4)) {
        return false;
    }
    flat.vtable_len = giq_bounds_number(file, flat.vtable, 2);
    *out = flat;
    return !file->stop && is_within(&flat, flat.vtable, flat.vtable_len);
}

/* The number in a field, or `default_value` if the field is not set. */
static uint64_t flat_number(const struct flatbuffer *flat, unsigned field, unsigned len,
                            uint64_t default_value)
{
    /* A vtable begins with its length and that of the table; all slots have two bytes. */
    uint64_t slot = 4 + 2 * (uint64_t)field;
    if (slot + 2 > flat->vtable_len) {
        return default_value;
    }
    uint64_t offset = giq_bounds_number(flat->file, flat->vtable + slot, 2);
    uint64_t at = flat->table + offset;
    return offset == 0 || !is_within(flat, at, len)
               ? default_value
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

/* Without an index only the lengths of the features lead to the end. `count` is 0 if it
 * is not known: the features then end with the file. */
static void check_each_feature(struct giq_bounds *file, uint64_t at, uint64_t count)
{
    for (uint64_t i = 0; !file->stop; i++) {
        bool is_end = count > 0 ? i == count : at >= file->size;
        if (is_end) {
            return;
        }
        uint64_t len = giq_bounds_number(file, at, 4);
        /* No feature has 0 bytes: what that means is for the driver to find. */
        if (len == 0 || !giq_bounds_require(file, at, 4 + len)) {
            return;
        }
        at += 4 + len;
    }
}

void giq_complete_flatgeobuf(struct giq_bounds *file)
{
    /* Bytes at the start; bytes of a node: four doubles and an offset; nodes of a node.
     */
    enum { MAGIC = 8, NODE = 40, NODE_SIZE_DEFAULT = 16 };
    enum { FEATURES_COUNT = 8, INDEX_NODE_SIZE = 9 }; /* fields of the header's table */
    struct flatbuffer header;
    uint64_t len = giq_bounds_number(file, MAGIC, 4);
    if (len > GIQ_FORMAT_FLATGEOBUF_HEADER_MAX ||
        !giq_bounds_require(file, MAGIC + 4, len) ||
        !flat_open(file, MAGIC + 4, len, &header)) {
        return;
    }
    uint64_t at = MAGIC + 4 + len;
    uint64_t count = flat_number(&header, FEATURES_COUNT, 8, 0);
    uint64_t node_size = flat_number(&header, INDEX_NODE_SIZE, 2, NODE_SIZE_DEFAULT);
    /* A node size of 0 means that there is no index; 1 is not valid. */
    if (count == 0 || node_size < 2) {
        check_each_feature(file, at, count);
        return;
    }
    /* The index has fewer than 4 * count nodes. If its length overflows, the header is
     * damaged, which is for the driver to find. */
    if (count > UINT64_MAX / 4 / NODE) {
        return;
    }
    uint64_t index_len = count_nodes(count, node_size) * NODE;
    if (giq_bounds_require(file, at, index_len)) {
        check_last_feature(file, at + index_len);
    }
}

/* ---- Arrow ---- */

enum {
    ARROW_HEAD = 8, /* bytes of a mark and the length of a message */
    /* Fields of a message. */
    ARROW_KIND = 1,
    ARROW_BODY_LENGTH = 3,
    ARROW_SCHEMA = 1, /* a kind */
};

/* Read the length of the message at `at`, whose first ARROW_HEAD bytes are required.
 * False at the end marker of a stream (a length of 0), and if there is no message. */
static bool find_message(struct giq_bounds *file, uint64_t at, uint64_t *out_len)
{
    enum { MESSAGE_MAX = 1 << 28 }; /* of metadata: real messages have less */
    uint64_t mark = giq_bounds_number(file, at, 4);
    *out_len = giq_bounds_number(file, at + 4, 4);
    return !file->stop && mark == UINT32_MAX && *out_len > 0 && *out_len <= MESSAGE_MAX;
}

/* Check a stream of messages, which ends with a marker or with the file. */
static void check_stream(struct giq_bounds *file)
{
    uint64_t at = 0;
    while (!file->stop && at < file->size) {
        struct flatbuffer message;
        uint64_t len = 0;
        if (!find_message(file, at, &len) ||
            !giq_bounds_require(file, at + ARROW_HEAD, len) ||
            !flat_open(file, at + ARROW_HEAD, len, &message)) {
            return;
        }
        if (at == 0 && flat_number(&message, ARROW_KIND, 1, 0) != ARROW_SCHEMA) {
            return;
        }
        uint64_t body_len = flat_number(&message, ARROW_BODY_LENGTH, 8, 0);
        at += ARROW_HEAD + len;
        if (!giq_bounds_require(file, at, body_len)) {
            return;
        }
        at += body_len;
    }
}

/* Other formats may begin with the same bytes, so nothing is missing until the whole
 * first message shows that the file is an Arrow stream. */
void giq_complete_unknown(struct giq_bounds *file)
{
    uint64_t len = 0;
    if (file->size > ARROW_HEAD && find_message(file, 0, &len) &&
        len <= file->size - ARROW_HEAD) {
        check_stream(file);
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
    /* In a shorter file the mark at the start would be taken for that at the end. */
    if (file->size < 2 * len ||
        !giq_bounds_match(file, file->size - len, arrow_mark, len)) {
        giq_bounds_missing(file, "ARROW1 at the end");
    }
}

/* ---- Parquet ---- */

void giq_complete_parquet(struct giq_bounds *file)
{
    enum { MARK = 4, SIZE_MIN = 12 };
    /* PARE ends a file whose footer is encrypted. */
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
    enum { HEADER_LEN = 100 };
    file->order = GIQ_BOUNDS_BIG;
    if (!giq_bounds_require(file, 0, HEADER_LEN)) {
        return;
    }
    uint64_t page_size = giq_bounds_number(file, PAGE_SIZE_AT, 2);
    uint64_t pages = giq_bounds_number(file, PAGES_AT, 4);
    bool is_valid = giq_bounds_number(file, CHANGES_AT, 4) ==
                    giq_bounds_number(file, VALID_FOR_AT, 4);
    page_size = page_size == 1 ? 65536 : page_size; /* the field has 16 bits */
    /* A page has at least 512 bytes, and its size is a power of two. */
    bool is_page_size = page_size >= 512 && (page_size & (page_size - 1)) == 0;
    if (is_valid && is_page_size) {
        (void)giq_bounds_require(file, 0, pages * page_size);
    }
}

/* ---- Shapefile, zip ---- */

void giq_complete_shapefile(struct giq_bounds *file)
{
    enum { LENGTH_AT = 24, HEAD = 100 };
    file->order = GIQ_BOUNDS_BIG;
    if (giq_bounds_require(file, 0, HEAD)) {
        /* The length is in words of 16 bits. */
        (void)giq_bounds_require(file, 0, 2 * giq_bounds_number(file, LENGTH_AT, 4));
    }
}

/* The length of the end record of a zip, without the comment that follows it, and the
 * positions of its fields (APPNOTE 4.3.16). */
enum { ZIP_END_LEN = 22, ZIP_SIZE_AT = 12, ZIP_OFFSET_AT = 16, ZIP_COMMENT_AT = 20 };

/*
 * Whether the record at `end`, with `rest` bytes of the file after it, ends this zip. The
 * record of a zip that is stored in it mostly does not: its comment would have to end
 * with the file, its central directory to be empty, or there would have to be a central
 * directory at its offset, which counts from the start of the zip. In ZIP64 another
 * record has the offset, so this record is accepted.
 */
static bool is_own_end(struct giq_bounds *file, const char *end, size_t rest)
{
    const unsigned char *bytes = (const unsigned char *)end;
    uint64_t size = giq_bounds_decode(file, bytes + ZIP_SIZE_AT, 4);
    uint64_t offset = giq_bounds_decode(file, bytes + ZIP_OFFSET_AT, 4);
    uint64_t comment_len = giq_bounds_decode(file, bytes + ZIP_COMMENT_AT, 2);
    if (comment_len == rest || size == 0 || offset == UINT32_MAX) {
        return true;
    }
    char mark[4];
    return offset <= file->size - sizeof mark &&
           giq_bounds_read(file, offset, mark, sizeof mark) &&
           memcmp(mark, "PK\1\2", sizeof mark) == 0;
}

void giq_complete_zip(struct giq_bounds *file)
{
    size_t len = 0;
    const char *tail = giq_bounds_before(file, file->size, &len);
    if (tail == NULL) {
        return;
    }
    for (size_t i = len < ZIP_END_LEN ? 0 : len - ZIP_END_LEN + 1; i > 0; i--) {
        const char *at = tail + i - 1;
        if (memcmp(at, "PK\5\6", 4) == 0 &&
            is_own_end(file, at, len - (i - 1) - ZIP_END_LEN)) {
            return;
        }
        if (file->stop) {
            return;
        }
    }
    giq_bounds_missing(file, "the central directory at the end");
}

/* ---- XML ---- */

/* Whether the text has an end tag of the root of KML, GPX or GML; one within the file
 * counts too. */
static bool has_root_end(const char *text, size_t len)
{
    const char *end = text + len;
    const char *at = text;
    while ((at = memmem(at, (size_t)(end - at), "</", 2)) != NULL) {
        at += 2;
        const char *close = memchr(at, '>', (size_t)(end - at));
        if (close == NULL) {
            return false;
        }
        const char *colon = memchr(at, ':', (size_t)(close - at));
        const char *name = colon == NULL ? at : colon + 1;
        if (giq_sniff_is_root(name, (size_t)(close - name))) {
            return true;
        }
    }
    return false;
}

/* Whether the first element of the text is empty, such as <kml/>. */
static bool is_empty_root(const char *text, size_t len)
{
    const char *end = text + len;
    const char *at = text;
    while ((at = memchr(at, '<', (size_t)(end - at))) != NULL && end - at > 1) {
        const char *close = memchr(at, '>', (size_t)(end - at));
        if (at[1] != '?' && at[1] != '!') {
            return close != NULL && close[-1] == '/';
        }
        if (end - at >= 4 && memcmp(at, "<!--", 4) == 0) {
            close = memmem(at + 4, (size_t)(end - at - 4), "-->", 3);
        }
        if (close == NULL) {
            return false;
        }
        at = close;
    }
    return false;
}

/* The end tag is searched for from the end of the file, because white space and comments
 * may follow it. A file with more than AFTER_ROOT_MAX of these is reported as truncated.
 */
void giq_complete_xml(struct giq_bounds *file)
{
    enum { TAG_MAX = 1024 }; /* read twice, for a tag at the border of two windows */
    enum { AFTER_ROOT_MAX = 64 << 20 }; /* no real file has so much */
    uint64_t end = file->size;
    while (file->size - end < AFTER_ROOT_MAX) {
        size_t len = 0;
        const char *text = giq_bounds_before(file, end, &len);
        if (text == NULL || has_root_end(text, len)) {
            return;
        }
        if (len == end) {
            if (is_empty_root(text, len)) {
                return;
            }
            break;
        }
        end -= len - TAG_MAX;
    }
    giq_bounds_missing(file, "the end tag of the root");
}
