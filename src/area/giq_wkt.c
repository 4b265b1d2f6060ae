/*
 * Areas as text. This is the grammar of the WKT that is read. Case is ignored; white
 * space may stand between words and numbers; the space before `dim` is optional.
 *
 *   area     = "POLYGON" [dim] polygon | "MULTIPOLYGON" [dim] polygons
 *   dim      = "Z" | "M" | "ZM"
 *   polygons = "EMPTY" | "(" polygon *( "," polygon ) ")"
 *   polygon  = "EMPTY" | "(" ring *( "," ring ) ")"
 *   ring     = "EMPTY" | "(" point *( "," point ) ")"
 *   point    = number number [ number [ number ] ]
 */
#include "area/giq_wkt.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_buf.h"
#include "base/giq_text.h"

/* In messages, coordinates below DECIMALS_BELOW have at most 7 decimals, because their
 * units fit 64 bits; larger coordinates below WHOLE_BELOW have no decimals, and fit
 * NUMBER_SIZE; others have an exponent. */
#define DECIMALS_BELOW 9e11
#define WHOLE_BELOW    1e21

enum {
    WORD_SIZE = 24, /* more than "GEOMETRYCOLLECTIONZM" */
    QUOTE_MAX = 24, /* bytes of a text that a message quotes */
    NUMBER_SIZE = 32,
    DECIMALS = 7, /* of GIQ_RINGS_UNITS_PER_DEGREE */
};

struct reader {
    const char *text;
    const char *at;
    locale_t c_locale;       /* the locale "C", in which numbers have a decimal point */
    struct giq_rings *rings; /* the polygons of the WKT are added to it */
    bool has_points;         /* the current polygon has a ring that is not EMPTY */
    double *box;             /* filled from a box: minx, miny, maxx, maxy */
    struct giq_error *err;
};

/* ---- words ---- */

/* In ASCII, whatever the locale. */
static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void skip_space(struct reader *r)
{
    while (is_space(*r->at)) {
        r->at++;
    }
}

static bool fail_at(struct reader *r, const char *expected)
{
    size_t position = (size_t)(r->at - r->text) + 1;
    if (*r->at == '\0') {
        return giq_fail(
            r->err, GIQ_E_AREA,
            "the area cannot be read: expected %s at byte %zu, but it ends there",
            expected, position);
    }
    struct giq_printable found;
    (void)giq_text_printable(r->at, &found);
    return giq_fail(r->err, GIQ_E_AREA,
                    "the area cannot be read: expected %s at byte %zu, got \"%.*s\"",
                    expected, position, giq_text_cut_len(found.text, QUOTE_MAX),
                    found.text);
}

/* Skip white space, and then `c` if it is next. */
static bool skip_char(struct reader *r, char c)
{
    skip_space(r);
    if (*r->at != c) {
        return false;
    }
    r->at++;
    return true;
}

static bool expect_char(struct reader *r, char c)
{
    const char expected[] = {'\'', c, '\'', '\0'};
    return skip_char(r, c) || fail_at(r, expected);
}

/* Read the letters that are next. If there are none, or too many for `out`, read nothing
 * and write "". */
static void read_word(struct reader *r, char out[WORD_SIZE])
{
    skip_space(r);
    size_t len = 0;
    while (is_letter(r->at[len])) {
        len++;
    }
    if (len >= WORD_SIZE) {
        len = 0;
    }
    memcpy(out, r->at, len);
    out[len] = '\0';
    r->at += len;
}

/* Skip the word EMPTY if it is next. */
static bool skip_empty(struct reader *r)
{
    const char *before = r->at;
    char word[WORD_SIZE];
    read_word(r, word);
    if (giq_text_equal_nocase(word, "EMPTY")) {
        return true;
    }
    r->at = before;
    return false;
}

/* ---- numbers ---- */

static bool fail_number(struct reader *r)
{
    struct giq_printable found;
    (void)giq_text_printable(r->at, &found);
    return giq_fail(r->err, GIQ_E_AREA,
                    "the coordinate at byte %zu of the area is not a finite number; got "
                    "\"%.*s\"",
                    (size_t)(r->at - r->text) + 1,
                    giq_text_cut_len(found.text, QUOTE_MAX), found.text);
}

static bool read_number(struct reader *r, double *out)
{
    skip_space(r);
    if (is_letter(*r->at)) {
        return fail_number(r); /* strtod() would read "nan" and "inf" */
    }
    /* strtod() also reads hexadecimal numbers, and stops within "1-2": it must read
     * exactly the characters of a decimal number. */
    char *end = NULL;
    size_t len = strspn(r->at, "0123456789+-.eE");
    double number = strtod_l(r->at, &end, r->c_locale);
    if (len == 0 || end != r->at + len) {
        return fail_at(r, "a number");
    }
    if (!isfinite(number)) {
        return fail_number(r);
    }
    *out = number;
    r->at = end;
    return true;
}

/* The third and fourth number of a point are dropped. */
static bool read_point(struct reader *r, double xy[2])
{
    double ignored = 0;
    if (!read_number(r, &xy[0]) || !read_number(r, &xy[1])) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        skip_space(r);
        bool is_more = *r->at != '\0' && strchr("0123456789+-.", *r->at) != NULL;
        if (is_more && !read_number(r, &ignored)) {
            return false;
        }
    }
    return true;
}

/* ---- rings and polygons ---- */

/* Print a location with all digits that distinguish it from others. */
static void print_all_digits(struct reader *r, const double xy[2],
                             struct giq_location *out)
{
    locale_t before = uselocale(r->c_locale);
    (void)snprintf(out->text, sizeof out->text, "%.17g %.17g", xy[0], xy[1]);
    (void)uselocale(before);
}

static bool check_closed(struct reader *r, const double first[2], const double last[2])
{
    if (first[0] == last[0] && first[1] == last[1]) {
        return true;
    }
    struct giq_location begin;
    struct giq_location end;
    (void)giq_wkt_print_location(first[0], first[1], &begin);
    (void)giq_wkt_print_location(last[0], last[1], &end);
    if (strcmp(begin.text, end.text) == 0) {
        print_all_digits(r, first, &begin);
        print_all_digits(r, last, &end);
    }
    return giq_fail(r->err, GIQ_E_AREA,
                    "the area cannot be read: a ring is not closed: its first point is "
                    "%s, its last point is %s; repeat the first point at the end",
                    begin.text, end.text);
}

static bool read_ring(struct reader *r)
{
    double first[2];
    double last[2];
    if (skip_empty(r)) {
        return giq_rings_end_ring(r->rings) || giq_fail_memory(r->err);
    }
    if (!expect_char(r, '(') || !read_point(r, first)) {
        return false;
    }
    r->has_points = true;
    memcpy(last, first, sizeof last);
    for (;;) {
        if (!giq_rings_add_point(r->rings, last[0], last[1])) {
            return giq_fail_memory(r->err);
        }
        if (!skip_char(r, ',')) {
            break;
        }
        if (!read_point(r, last)) {
            return false;
        }
    }
    if (!expect_char(r, ')') || !check_closed(r, first, last)) {
        return false;
    }
    return giq_rings_end_ring(r->rings) || giq_fail_memory(r->err);
}

/* A list in parentheses, or EMPTY. */
static bool read_list(struct reader *r, bool (*read_item)(struct reader *))
{
    if (skip_empty(r)) {
        return true;
    }
    if (!expect_char(r, '(')) {
        return false;
    }
    do {
        if (!read_item(r)) {
            return false;
        }
    } while (skip_char(r, ','));
    return expect_char(r, ')');
}

static bool read_polygon(struct reader *r)
{
    size_t collapsed = r->rings->collapsed;
    r->has_points = false;
    if (!read_list(r, read_ring)) {
        return false;
    }
    if (!giq_rings_end_polygon(r->rings)) {
        return giq_fail_memory(r->err);
    }
    if (!r->has_points) {
        r->rings->collapsed = collapsed; /* POLYGON(EMPTY) is empty, not collapsed */
    }
    return true;
}

/* ---- the whole text ---- */

/* Whether `text` is a dim of the grammar. */
static bool is_dim(const char *text)
{
    return giq_text_equal_nocase(text, "Z") || giq_text_equal_nocase(text, "M") ||
           giq_text_equal_nocase(text, "ZM");
}

/* `word` is the first word of the text. */
static bool fail_kind(struct reader *r, const char *word)
{
    static const char *const others[] = {
        "POINT",
        "LINESTRING",
        "MULTIPOINT",
        "MULTILINESTRING",
        "CIRCULARSTRING",
        "TRIANGLE",
        "CURVEPOLYGON",
        "COMPOUNDCURVE",
        "GEOMETRYCOLLECTION",
        "MULTICURVE",
        "LINEARRING",
        "MULTISURFACE",
        "TIN",
        "POLYHEDRALSURFACE",
    };
    for (size_t i = 0; i < GIQ_COUNT(others); i++) {
        if (!giq_text_begins_nocase(word, others[i])) {
            continue;
        }
        const char *dim = word + strlen(others[i]);
        if (dim[0] == '\0' || is_dim(dim)) {
            return giq_fail(r->err, GIQ_E_AREA,
                            "the area is a %s; it must be a POLYGON or MULTIPOLYGON",
                            others[i]);
        }
    }
    struct giq_printable text;
    (void)giq_text_printable(r->text, &text);
    giq_text_mask_addresses(text.text); /* an address may hold a password */
    return giq_fail(
        r->err, GIQ_E_AREA,
        "the area must be WKT of a POLYGON or MULTIPOLYGON; got \"%.*s\". Use "
        "@file for a file that holds WKT, and AOI for a dataset",
        giq_text_cut_len(text.text, QUOTE_MAX), text.text);
}

/* Read POLYGON or MULTIPOLYGON, and the dim after it, with or without a space. */
static bool read_kind(struct reader *r, bool *out_multi)
{
    char word[WORD_SIZE] = "";
    read_word(r, word);
    *out_multi = giq_text_begins_nocase(word, "MULTI");
    const char *single = word + (*out_multi ? strlen("MULTI") : 0);
    if (!giq_text_begins_nocase(single, "POLYGON")) {
        return fail_kind(r, word);
    }
    const char *joined = single + strlen("POLYGON");
    if (joined[0] != '\0') {
        return is_dim(joined) || fail_kind(r, word);
    }
    const char *before = r->at;
    read_word(r, word);
    if (!is_dim(word)) {
        r->at = before; /* EMPTY, or no word */
    }
    return true;
}

static bool read_area(struct reader *r)
{
    bool is_multi = false;
    if (!read_kind(r, &is_multi)) {
        return false;
    }
    bool ok = is_multi ? read_list(r, read_polygon) : read_polygon(r);
    if (!ok) {
        return false;
    }
    skip_space(r);
    if (*r->at == '\0') {
        return true;
    }
    struct giq_printable rest;
    (void)giq_text_printable(r->at, &rest);
    return giq_fail(r->err, GIQ_E_AREA,
                    "the area is followed by unexpected text; remove it: \"%.*s\"",
                    giq_text_cut_len(rest.text, QUOTE_MAX), rest.text);
}

/* Read a text in the C locale, whatever the locale of the thread. */
static bool read_in_c_locale(struct reader *r, bool (*read_text)(struct reader *))
{
    r->c_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (r->c_locale == (locale_t)0) {
        return giq_fail_memory(r->err);
    }
    bool ok = read_text(r);
    freelocale(r->c_locale);
    return ok;
}

bool giq_wkt_read(const char *text, struct giq_rings *rings, struct giq_error *err)
{
    struct reader reader = {.text = text, .at = text, .rings = rings, .err = err};
    if (strnlen(text, (size_t)GIQ_WKT_BYTES_MAX + 1) > GIQ_WKT_BYTES_MAX) {
        return giq_fail(err, GIQ_E_AREA, "the area is longer than %d bytes; simplify it",
                        GIQ_WKT_BYTES_MAX);
    }
    return read_in_c_locale(&reader, read_area);
}

static bool read_four_numbers(struct reader *r)
{
    for (int i = 0; i < 4; i++) {
        if ((i > 0 && !skip_char(r, ',')) || !read_number(r, &r->box[i])) {
            return false;
        }
    }
    skip_space(r);
    return *r->at == '\0';
}

/* One message for everything that may be wrong with the text. */
static bool read_box(struct reader *r)
{
    if (read_four_numbers(r)) {
        return true;
    }
    struct giq_printable printable;
    return giq_fail(r->err, GIQ_E_AREA,
                    "BBOX must be minx,miny,maxx,maxy: four numbers, such as 54.25, "
                    "separated by commas; got \"%s\"",
                    giq_text_printable(r->text, &printable));
}

bool giq_wkt_read_box(const char *text, double out[4], struct giq_error *err)
{
    struct reader reader = {.text = text, .at = text, .box = out, .err = err};
    return read_in_c_locale(&reader, read_box);
}

/* ---- writing ---- */

/* By hand, because snprintf() took a tenth of the time of a batch with 100000 rows. */
static const char *print_units(int64_t units, char out[NUMBER_SIZE])
{
    uint64_t left = units < 0 ? (uint64_t)-units : (uint64_t)units;
    char *const end = out + NUMBER_SIZE;
    char *at = end;
    *--at = '\0';
    bool has_decimals = false; /* zeros at the end are dropped */
    for (int i = 0; i < DECIMALS; i++) {
        char digit = (char)('0' + left % 10);
        left /= 10;
        has_decimals = has_decimals || digit != '0';
        if (has_decimals) {
            *--at = digit;
        }
    }
    if (has_decimals) {
        *--at = '.';
    }
    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (units < 0) {
        *--at = '-';
    }
    return memmove(out, at, (size_t)(end - at));
}

const char *giq_wkt_print_location(double x, double y, struct giq_location *out)
{
    const double xy[2] = {x, y};
    char number[2][NUMBER_SIZE];
    for (int i = 0; i < 2; i++) {
        double size = fabs(xy[i]);
        if (size < DECIMALS_BELOW) {
            (void)print_units(giq_rings_to_units(xy[i]), number[i]);
        } else {
            (void)snprintf(number[i], NUMBER_SIZE, size < WHOLE_BELOW ? "%.0f" : "%.0e",
                           xy[i]);
        }
    }
    (void)snprintf(out->text, sizeof out->text, "%s %s", number[0], number[1]);
    return out->text;
}

const char *giq_wkt_print_box(const double box[4], struct giq_geom_box *out)
{
    char number[4][NUMBER_SIZE];
    for (int i = 0; i < 4; i++) {
        (void)print_units(giq_rings_to_units(box[i]), number[i]);
    }
    (void)snprintf(out->text, sizeof out->text, "%s,%s,%s,%s", number[0], number[1],
                   number[2], number[3]);
    return out->text;
}

static bool write_ring(const struct giq_rings *rings, size_t ring, struct giq_buf *out)
{
    size_t count = 0;
    const double *xy = giq_rings_points(rings, ring, &count);
    for (size_t i = 0; i < count; i++) {
        char x[NUMBER_SIZE];
        char y[NUMBER_SIZE];
        if (!giq_buf_add_text(out, i == 0 ? "(" : ",") ||
            !giq_buf_add_text(out, print_units(giq_rings_to_units(xy[2 * i]), x)) ||
            !giq_buf_add_text(out, " ") ||
            !giq_buf_add_text(out, print_units(giq_rings_to_units(xy[2 * i + 1]), y))) {
            return false;
        }
    }
    return giq_buf_add_text(out, ")");
}

static bool write_polygon(const struct giq_rings *rings, size_t polygon,
                          struct giq_buf *out)
{
    size_t first = giq_rings_first_ring(rings, polygon);
    for (size_t ring = first; ring < rings->polygon_end[polygon]; ring++) {
        if (!giq_buf_add_text(out, ring == first ? "(" : ",") ||
            !write_ring(rings, ring, out)) {
            return false;
        }
    }
    return giq_buf_add_text(out, ")");
}

char *giq_wkt_write(const struct giq_rings *rings)
{
    GIQ_AUTO_BUF struct giq_buf text;
    giq_buf_init(&text, GIQ_WKT_BYTES_MAX);
    bool is_multi = rings->polygons != 1;
    if (!giq_buf_add_text(&text, is_multi ? "MULTIPOLYGON(" : "POLYGON")) {
        return NULL;
    }
    for (size_t i = 0; i < rings->polygons; i++) {
        if ((i > 0 && !giq_buf_add_text(&text, ",")) || !write_polygon(rings, i, &text)) {
            return NULL;
        }
    }
    if (is_multi && !giq_buf_add_text(&text, ")")) {
        return NULL;
    }
    return giq_buf_take(&text);
}
