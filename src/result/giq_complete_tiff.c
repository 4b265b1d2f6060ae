/*
 * Completeness of TIFF, BigTIFF and COG: every directory, strip and tile must lie in the
 * file (TIFF 6.0, sections 2 and 15; BigTIFF as libtiff has it; COG as GDAL writes it).
 */
#include "result/giq_complete_formats.h"

#include <string.h>

/* Limits against crafted files: checking stops at more directories or entries, and deeper
 * directories are not checked. */
enum { DIRECTORIES_MAX = 65536, ENTRIES_MAX = 65535, DEPTH_MAX = 8 };

/* How many offsets of blocks are read at once. A block is a strip or a tile. */
enum { BATCH = 512 };

/* The version number in the header of a BigTIFF; that of a TIFF is 42. */
enum { VERSION_BIG = 43 };

enum {
    TAG_COMPRESSION = 259,
    TAG_STRIP_OFFSETS = 273,
    TAG_STRIP_COUNTS = 279,
    TAG_TILE_OFFSETS = 324,
    TAG_TILE_COUNTS = 325,
    TAG_SUB_DIRECTORIES = 330,
    TAG_EXIF = 34665,
    TAG_GPS = 34853,
};

/* With this compression the byte counts of blocks are often wrong, so blocks are not
 * checked. */
enum { COMPRESSION_OLD_JPEG = 6 };

/* Types of integers. */
enum { TYPE_SHORT = 3, TYPE_LONG = 4, TYPE_IFD = 13, TYPE_LONG8 = 16, TYPE_IFD8 = 18 };

/* An array of numbers in the file. */
struct table {
    uint64_t at;
    uint64_t count;
    unsigned size; /* bytes of one number; 0 if they are not integers */
};

/* The blocks of a directory, and the directories that it refers to. */
struct directory {
    struct table offsets;
    struct table counts;
    struct table subs;
    struct table exif;
    struct table gps;
    uint64_t compression;
};

struct tiff {
    struct giq_bounds *file;
    bool is_big;
    int directories;     /* read so far */
    uint64_t last_at;    /* of the block that ends last */
    uint64_t last_count; /* its bytes */
};

/* The bytes of one value of a type of TIFF 6.0 (section 2) or BigTIFF; 0 if it is
 * unknown. */
static unsigned size_of_type(uint64_t type)
{
    static const unsigned char sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4,
                                          8, 4, 8, 4, 0, 0, 8, 8, 8};
    return type < sizeof sizes ? sizes[type] : 0;
}

static bool is_integer(uint64_t type)
{
    return type == TYPE_SHORT || type == TYPE_LONG || type == TYPE_IFD ||
           type == TYPE_LONG8 || type == TYPE_IFD8;
}

/* ---- blocks ---- */

static void check_block(struct tiff *tiff, uint64_t at, uint64_t count)
{
    /* A zero means a hole of a sparse file. */
    if (at == 0 || count == 0 || !giq_bounds_require(tiff->file, at, count)) {
        return;
    }
    if (at + count > tiff->last_at + tiff->last_count) {
        tiff->last_at = at;
        tiff->last_count = count;
    }
}

static void check_blocks(struct tiff *tiff, const struct table *offsets,
                         const struct table *counts)
{
    struct giq_bounds *file = tiff->file;
    unsigned char at[BATCH * 8];
    unsigned char count[BATCH * 8];
    uint64_t most = offsets->count < counts->count ? offsets->count : counts->count;
    for (uint64_t i = 0; i < most && !file->stop; i += BATCH) {
        size_t len = most - i < BATCH ? (size_t)(most - i) : BATCH;
        if (!giq_bounds_read(file, offsets->at + i * offsets->size, at,
                             len * offsets->size) ||
            !giq_bounds_read(file, counts->at + i * counts->size, count,
                             len * counts->size)) {
            return;
        }
        for (size_t k = 0; k < len; k++) {
            check_block(tiff,
                        giq_bounds_decode(file, at + k * offsets->size, offsets->size),
                        giq_bounds_decode(file, count + k * counts->size, counts->size));
        }
    }
}

/* ---- directories ---- */

/* The values of the entry at `at`; their bytes are required. `size` is 0 if they are not
 * integers. */
static struct table values_of(struct tiff *tiff, uint64_t at, uint64_t type)
{
    const unsigned word = tiff->is_big ? 8 : 4;
    struct table values = {at + 4 + word, giq_bounds_number(tiff->file, at + 4, word),
                           size_of_type(type)};
    if (values.size == 0) {
        return (struct table){0};
    }
    if (values.count > word / values.size) {
        values.at = giq_bounds_number(tiff->file, values.at, word);
        uint64_t len = values.count > UINT64_MAX / values.size
                           ? UINT64_MAX
                           : values.count * values.size;
        (void)giq_bounds_require(tiff->file, values.at, len);
    }
    values.size = is_integer(type) ? values.size : 0;
    return values;
}

static void read_entry(struct tiff *tiff, uint64_t at, struct directory *out)
{
    uint64_t tag = giq_bounds_number(tiff->file, at, 2);
    uint64_t type = giq_bounds_number(tiff->file, at + 2, 2);
    const struct table values = values_of(tiff, at, type);
    if (tiff->file->stop || values.size == 0 || values.count == 0) {
        return;
    }
    switch (tag) {
    case TAG_COMPRESSION:
        out->compression = giq_bounds_number(tiff->file, values.at, values.size);
        break;
    case TAG_STRIP_OFFSETS:
    case TAG_TILE_OFFSETS:
        out->offsets = values;
        break;
    case TAG_STRIP_COUNTS:
    case TAG_TILE_COUNTS:
        out->counts = values;
        break;
    case TAG_SUB_DIRECTORIES:
        out->subs = values;
        break;
    case TAG_EXIF:
        out->exif = values;
        break;
    case TAG_GPS:
        out->gps = values;
        break;
    default:
        break;
    }
}

/* Read the directory at `at`; returns the offset of the next one, or 0. */
static uint64_t read_directory(struct tiff *tiff, uint64_t at, struct directory *out)
{
    const unsigned head = tiff->is_big ? 8 : 2;
    const unsigned entry = tiff->is_big ? 20 : 12;
    const unsigned next = tiff->is_big ? 8 : 4;
    uint64_t count = giq_bounds_number(tiff->file, at, head);
    tiff->directories++;
    if (count > ENTRIES_MAX || tiff->directories > DIRECTORIES_MAX) {
        giq_bounds_stop(tiff->file);
        return 0;
    }
    for (uint64_t i = 0; i < count && !tiff->file->stop; i++) {
        read_entry(tiff, at + head + i * entry, out);
    }
    return giq_bounds_number(tiff->file, at + head + count * entry, next);
}

static void check_chain(struct tiff *tiff, uint64_t at, int depth, bool is_single);

/* Check the directories at the offsets `subs`. */
static void check_subs(struct tiff *tiff, const struct table *subs, int depth,
                       bool is_single)
{
    for (uint64_t i = 0; i < subs->count && !tiff->file->stop; i++) {
        check_chain(tiff,
                    giq_bounds_number(tiff->file, subs->at + i * subs->size, subs->size),
                    depth + 1, is_single);
    }
}

/* Check the directory at `at` and, unless it is single, those that follow it. */
static void check_chain(struct tiff *tiff, uint64_t at, int depth, bool is_single)
{
    while (at != 0 && depth < DEPTH_MAX && !tiff->file->stop) {
        struct directory directory = {0};
        at = read_directory(tiff, at, &directory);
        if (directory.compression != COMPRESSION_OLD_JPEG) {
            check_blocks(tiff, &directory.offsets, &directory.counts);
        }
        check_subs(tiff, &directory.subs, depth, false);
        check_subs(tiff, &directory.exif, depth, true);
        check_subs(tiff, &directory.gps, depth, true);
        at = is_single ? 0 : at;
    }
}

/* ---- the whole ---- */

/* Whether the header of a COG states that the last four bytes of each tile are repeated
 * after it, and no other program rewrote the file. */
static bool has_trailers(struct giq_bounds *file, uint64_t at)
{
    static const char start[] = "GDAL_STRUCTURAL_METADATA_SIZE=";
    static const char trailer[] = "BLOCK_TRAILER=LAST_4_BYTES_REPEATED";
    static const char untouched[] = "KNOWN_INCOMPATIBLE_EDITION=NO";
    char head[512]; /* GDAL writes about 200 bytes */
    size_t len = file->size - at < sizeof head ? (size_t)(file->size - at) : sizeof head;
    if (len < sizeof start || !giq_bounds_read(file, at, head, len)) {
        return false;
    }
    return memcmp(head, start, sizeof start - 1) == 0 &&
           memmem(head, len, trailer, sizeof trailer - 1) != NULL &&
           memmem(head, len, untouched, sizeof untouched - 1) != NULL;
}

/* A complete COG extends four bytes beyond its last tile. */
static void check_trailer(const struct tiff *tiff)
{
    struct giq_bounds *file = tiff->file;
    uint64_t at = tiff->is_big ? 16 : 8; /* after the header of the TIFF */
    if (file->stop || tiff->last_at <= at || !has_trailers(file, at)) {
        return;
    }
    /* The length of a tile precedes it, unless another program rewrote the tile. */
    if (giq_bounds_number(file, tiff->last_at - 4, 4) == tiff->last_count) {
        (void)giq_bounds_require(file, tiff->last_at, tiff->last_count + 4);
    }
}

void giq_complete_tiff(struct giq_bounds *file)
{
    struct tiff tiff = {.file = file};
    file->order = giq_bounds_match(file, 0, "MM", 2) ? GIQ_BOUNDS_BIG : GIQ_BOUNDS_LITTLE;
    tiff.is_big = giq_bounds_number(file, 2, 2) == VERSION_BIG;
    check_chain(&tiff, giq_bounds_number(file, tiff.is_big ? 8 : 4, tiff.is_big ? 8 : 4),
                0, false);
    check_trailer(&tiff);
}
