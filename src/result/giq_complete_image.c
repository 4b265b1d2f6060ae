/*
 * Completeness of PNG, JPEG and JPEG 2000: chunks, segments and boxes must lie in the
 * file, and their end markers must exist (ISO 15948, ISO 10918-1, ISO 15444-1).
 */
#include "result/giq_complete_formats.h"

#include <string.h>

/* ---- PNG ---- */

static bool is_chunk_type(const char type[4])
{
    for (int i = 0; i < 4; i++) {
        bool is_letter =
            (type[i] >= 'A' && type[i] <= 'Z') || (type[i] >= 'a' && type[i] <= 'z');
        if (!is_letter) {
            return false;
        }
    }
    return true;
}

/* Read the type of the chunk or box at `at`. */
static bool read_type(struct giq_bounds *file, uint64_t at, char out[4])
{
    uint64_t number = giq_bounds_number(file, at, 4);
    for (int i = 3; i >= 0; i--) {
        out[i] = (char)(number & 0xFF);
        number >>= 8;
    }
    return !file->stop;
}

void giq_complete_png(struct giq_bounds *file)
{
    enum { SIGNATURE = 8 };
    enum { CHUNK_OVERHEAD = 12 }; /* length, type and checksum */
    static const char end[] = "\0\0\0\0IEND\xae\x42\x60\x82";
    file->order = GIQ_BOUNDS_BIG;
    if (file->size >= CHUNK_OVERHEAD &&
        giq_bounds_match(file, file->size - CHUNK_OVERHEAD, end, CHUNK_OVERHEAD)) {
        return;
    }
    uint64_t at = SIGNATURE;
    while (!file->stop) {
        char type[4];
        if (file->size < CHUNK_OVERHEAD || at > file->size - CHUNK_OVERHEAD) {
            giq_bounds_missing(file, "the chunk IEND");
            return;
        }
        uint64_t len = giq_bounds_number(file, at, 4);
        if (!read_type(file, at + 4, type) || !is_chunk_type(type) ||
            !giq_bounds_require(file, at, CHUNK_OVERHEAD + len)) {
            return;
        }
        if (memcmp(type, "IEND", 4) == 0) {
            return;
        }
        at += CHUNK_OVERHEAD + len;
    }
}

/* ---- JPEG ---- */

/* Whether the end marker precedes a mask of GDAL's JPEG driver: the driver writes the
 * mask after the image, and then the length of the image (4 bytes, little-endian). */
static bool has_mask(struct giq_bounds *file)
{
    if (file->size < 8) {
        return false;
    }
    file->order = GIQ_BOUNDS_LITTLE;
    uint64_t at = giq_bounds_number(file, file->size - 4, 4);
    file->order = GIQ_BOUNDS_BIG;
    return at >= 4 && at <= file->size - 4 &&
           giq_bounds_match(file, at - 2, "\xff\xd9", 2);
}

/* Find where the coded image begins: after the first start-of-scan segment. False if the
 * file is not a sequence of segments, or ends before it. */
static bool find_scan(struct giq_bounds *file, uint64_t *out_at)
{
    enum {
        FILL = 0xFF,
        WITH_LENGTH_MIN = 0xC0,
        START_OF_SCAN = 0xDA,
        END_OF_IMAGE = 0xD9
    };
    uint64_t at = 2; /* after the marker SOI */
    while (!file->stop) {
        if (giq_bounds_number(file, at, 1) != FILL) {
            return false;
        }
        uint64_t marker = giq_bounds_number(file, at + 1, 1);
        if (marker == FILL) {
            at++;
            continue;
        }
        uint64_t len = marker < WITH_LENGTH_MIN || marker == END_OF_IMAGE
                           ? 0
                           : giq_bounds_number(file, at + 2, 2);
        if (len < 2 || !giq_bounds_require(file, at + 2, len)) {
            return false;
        }
        at += 2 + len;
        if (marker == START_OF_SCAN) {
            *out_at = at;
            return true;
        }
    }
    return false;
}

void giq_complete_jpeg(struct giq_bounds *file)
{
    uint64_t at = 0;
    file->order = GIQ_BOUNDS_BIG;
    if (giq_bounds_match(file, file->size - 2, "\xff\xd9", 2) || has_mask(file) ||
        !find_scan(file, &at)) {
        return;
    }
    /* The coded image cannot contain the marker of its end. */
    if (!giq_bounds_find_pair(file, at, 0xFF, 0xD9)) {
        giq_bounds_missing(file, "the marker EOI");
    }
}

/* ---- JPEG 2000 ---- */

enum { MARKER_MIN = 0xFF00, MARKER_TILE = 0xFF90 };

static void report_missing_eoc(struct giq_bounds *file)
{
    giq_bounds_missing(file, "the marker EOC");
}

/* Check the tile-parts from `at` on. */
static void check_tiles(struct giq_bounds *file, uint64_t at)
{
    enum { LENGTH_AT = 6, HEAD = 12 };
    while (!file->stop) {
        if (at >= file->size || file->size - at < 2) {
            report_missing_eoc(file);
            return;
        }
        if (giq_bounds_number(file, at, 2) != MARKER_TILE) {
            return;
        }
        uint64_t len = giq_bounds_number(file, at + LENGTH_AT, 4);
        /* A length of 0 means up to the marker EOC (ISO 15444-1, A.4.2). */
        if (len == 0 && !giq_bounds_match(file, file->size - 2, "\xff\xd9", 2) &&
            !giq_bounds_find_pair(file, at + HEAD, 0xFF, 0xD9)) {
            report_missing_eoc(file);
        }
        if (len < HEAD || !giq_bounds_require(file, at, len)) {
            return;
        }
        at += len;
    }
}

/* Check the codestream at `at`, which extends to the end of the file. */
static void check_codestream(struct giq_bounds *file, uint64_t at)
{
    at += 2; /* the marker SOC */
    while (!file->stop) {
        uint64_t marker = giq_bounds_number(file, at, 2);
        if (marker == MARKER_TILE) {
            check_tiles(file, at);
            return;
        }
        uint64_t len = giq_bounds_number(file, at + 2, 2);
        if (marker < MARKER_MIN || len < 2 || !giq_bounds_require(file, at + 2, len)) {
            return;
        }
        at += 2 + len;
    }
}

void giq_complete_codestream(struct giq_bounds *file)
{
    file->order = GIQ_BOUNDS_BIG;
    check_codestream(file, 0);
}

static bool is_printable(const char type[4])
{
    for (int i = 0; i < 4; i++) {
        if (type[i] < ' ' || type[i] > '~') {
            return false;
        }
    }
    return true;
}

void giq_complete_jp2(struct giq_bounds *file)
{
    enum { HEAD = 8, LONG_HEAD = 16 };
    bool has_image = false;
    uint64_t at = 0;
    file->order = GIQ_BOUNDS_BIG;
    while (!file->stop && at < file->size && file->size - at >= HEAD) {
        char type[4];
        uint64_t len = giq_bounds_number(file, at, 4);
        if (!read_type(file, at + 4, type) || !is_printable(type)) {
            return;
        }
        /* The box jp2c has the codestream, the box ftbl a table of its fragments. */
        bool is_image = memcmp(type, "jp2c", 4) == 0;
        has_image = has_image || is_image || memcmp(type, "ftbl", 4) == 0;
        /* A length of 0 means up to the end of the file, 1 that a 64-bit length follows
         * (ISO 15444-1, I.4). */
        if (len == 0 && is_image) {
            check_codestream(file, at + HEAD);
        }
        uint64_t head = len == 1 ? LONG_HEAD : HEAD;
        len = len == 1 ? giq_bounds_number(file, at + HEAD, 8) : len;
        if (len < head || !giq_bounds_require(file, at, len)) {
            return;
        }
        at += len;
    }
    if (!has_image) {
        giq_bounds_missing(file, "an image");
    }
}
