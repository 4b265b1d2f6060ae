/*
 * Finds external references in coordinate systems, database schemas and texts. The
 * interface is in giq/external.h.
 */
#include "giq/external.h"

#include <stddef.h>
#include <string.h>

#include "base/giq_text.h"

static bool is_separator(char c)
{
    return c == '/' || c == '\\';
}

/* Whether the text from `start` up to `at` ends in `word`, in any case. */
static bool ends_in(const char *start, const char *at, const char *word)
{
    ptrdiff_t len = (ptrdiff_t)strlen(word);
    return at - start >= len && giq_text_begins_nocase(at - len, word);
}

/* Whether the text from `at` up to `end` has a path separator. */
static bool has_path(const char *at, const char *end)
{
    while (at < end) {
        if (is_separator(*at++)) {
            return true;
        }
    }
    return false;
}

/* ---- values ---- */

bool giq_external_value(const char *value)
{
    if (value[0] == '\0' || value[1] == '\0') {
        return false;
    }
    if (is_separator(value[0]) || value[0] == '~' || strcmp(value, "..") == 0) {
        return true;
    }
    if (value[1] == ':' && is_separator(value[2])) {
        return true; /* a drive of Windows */
    }
    return strcasestr(value, "/vsi") != NULL || strstr(value, "://") != NULL ||
           strstr(value, "../") != NULL || strstr(value, "..\\") != NULL;
}

/* ---- coordinate systems ---- */

/* Whether the text is not a definition but the URL, /vsi path or dictionary file of
 * one. */
static bool is_reference(const char *text)
{
    static const char *const starts[] = {"http://", "https://", "dict:", "/vsi"};
    /* GDAL parses these URLs without the network. */
    static const char *const known[] = {
        "http://opengis.net/def/crs", "https://opengis.net/def/crs",
        "http://www.opengis.net/def/crs", "https://www.opengis.net/def/crs"};
    text += strspn(text, " \t\r\n");
    text += giq_text_begins_nocase(text, "ESRI::") ? strlen("ESRI::") : 0;
    for (size_t i = 0; i < GIQ_COUNT(known); i++) {
        if (giq_text_begins_nocase(text, known[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < GIQ_COUNT(starts); i++) {
        if (giq_text_begins_nocase(text, starts[i])) {
            return true;
        }
    }
    return false;
}

/* PROJ ignores these around '=' and ','. */
#define BLANK " \t\r\n\f\v;"

/* The position, not before `start`, at which the white space in front of `at` begins. */
static const char *skip_back(const char *start, const char *at)
{
    while (at > start && strchr(BLANK, at[-1]) != NULL) {
        at--;
    }
    return at;
}

/* U+201C, which PROJ accepts like '"' as the opening quote of a WKT string. */
static const char curly_quote[] = "\xe2\x80\x9c";

/* Whether PROJ and GDAL read the definition as WKT, where a '"' that is not doubled ends
 * every string. */
static bool is_wkt(const char *text)
{
    static const char *const names[] = {
        "GEOGCS",   "GEOCCS",   "PROJCS",         "VERT_CS",       "COMPD_CS",
        "LOCAL_CS", "GEODCRS",  "GEOGCRS",        "GEODETICCRS",   "GEOGRAPHICCRS",
        "PROJCRS",  "VERTCRS",  "PROJECTEDCRS",   "COMPOUNDCRS",   "VERTICALCRS",
        "ENGCRS",   "BOUNDCRS", "ENGINEERINGCRS", "DERIVEDPROJCRS"};
    if (strstr(text, curly_quote) != NULL) {
        return false;
    }
    text += strspn(text, " \t\r\n");
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        if (giq_text_begins_nocase(text, names[i])) {
            const char *after = text + strlen(names[i]);
            after += strspn(after, " \t\r\n");
            return *after == '[' || *after == '(';
        }
    }
    return false;
}

static bool is_grid_byte(char c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') || (c & 0x80) != 0 ||
           (c != '\0' && strchr("_.@:-+%~", c) != NULL);
}

/* Whether the value at `at` is a list of names without a path, which PROJ looks for in
 * its own folders, and nothing that PROJ could read as another list follows it. */
static bool is_grid_list(const char *at, bool is_in_wkt)
{
    at += strspn(at, BLANK);
    for (;;) {
        while (is_grid_byte(*at)) {
            at++;
        }
        const char *next = at + strspn(at, BLANK);
        if (*next != ',') {
            /* The list must end with the text, at white space or with a WKT string. */
            return *at == '\0' || next != at ||
                   (is_in_wkt && at[0] == '"' && at[1] != '"');
        }
        at = next + 1 + strspn(next + 1, BLANK);
    }
}

/* Whether the '=' at `at` follows a parameter of PROJ that takes files. */
static bool is_file_parameter(const char *start, const char *at)
{
    static const char *const names[] = {"init", "grids", "model", "file", "catalog"};
    const char *end = skip_back(start, at);
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        if (ends_in(start, end, names[i])) {
            return true;
        }
    }
    return false;
}

/* What follows the next quote, or NULL if there is none. */
static const char *after_quote(const char *at)
{
    const char *quote = at == NULL ? NULL : strchr(at, '"');
    return quote == NULL ? NULL : quote + 1;
}

/* What follows the end of the quoted string that `at` is in; NULL if the string does not
 * end. A quote within it is doubled. */
static const char *after_string(const char *at)
{
    for (;;) {
        at = after_quote(at);
        if (at == NULL || *at != '"') {
            return at;
        }
        at++;
    }
}

/* Whether a WKT element has the path of a transformation file as its second string. The
 * element is found by `name`: its keyword or, with `in_string`, its first string. In a
 * text with curly quotes any such element counts, because its strings are not found. */
static bool has_file_element(const char *text, const char *name, bool in_string)
{
    const char *at = strcasestr(text, name);
    if (at != NULL && strstr(text, curly_quote) != NULL) {
        return true;
    }
    while (at != NULL) {
        /* All occurrences within one string are one element. */
        const char *after = in_string ? after_string(at) : after_quote(at);
        const char *path = after_quote(in_string ? after : after_string(after));
        const char *end = after_string(path);
        if (path != NULL && has_path(path, end == NULL ? path + strlen(path) : end)) {
            return true;
        }
        at = after == NULL ? NULL : strcasestr(after, name);
    }
    return false;
}

bool giq_external_srs(const char *text)
{
    if (is_reference(text) || has_file_element(text, "PARAMETERFILE", false) ||
        has_file_element(text, "PROJ4_GRIDS", true)) {
        return true;
    }
    bool is_in_wkt = is_wkt(text);
    for (const char *at = text; (at = strchr(at, '=')) != NULL; at++) {
        if (is_file_parameter(text, at) && !is_grid_list(at + 1, is_in_wkt)) {
            return true;
        }
    }
    return false;
}

/* ---- tables of SQLite ---- */

/* A word, a quoted name or one other character of SQL. */
struct token {
    const char *at;
    size_t len;
};

static const char byte_order_mark[] = GIQ_TEXT_BYTE_ORDER_MARK;

/* Skip what SQLite's tokenizer skips: white space, byte order marks and comments. */
static const char *skip_blank(const char *at)
{
    for (;;) {
        at += strspn(at, " \t\r\n\f\v");
        const char *end = NULL;
        if (strncmp(at, byte_order_mark, strlen(byte_order_mark)) == 0) {
            at += strlen(byte_order_mark);
            continue;
        }
        if (strncmp(at, "--", 2) == 0) {
            end = strchr(at, '\n');
        } else if (strncmp(at, "/*", 2) == 0) {
            end = strstr(at + 2, "*/");
            end = end == NULL ? NULL : end + 1;
        } else {
            return at;
        }
        at = end == NULL ? at + strlen(at) : end + 1;
    }
}

static bool is_word_byte(char c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') || c == '_' || c == '$' || (c & 0x80) != 0;
}

/* The length of a quoted name. A quote within it is doubled. */
static size_t quoted_len(const char *at, char close)
{
    size_t i = 1;
    while (at[i] != '\0') {
        if (at[i] != close) {
            i++;
        } else if (close == ']' || at[i + 1] != close) {
            return i + 1;
        } else {
            i += 2;
        }
    }
    return i;
}

static struct token next_token(const char **text)
{
    const char *at = skip_blank(*text);
    struct token token = {at, *at == '\0' ? 0 : 1};
    if (*at == '[') {
        token.len = quoted_len(at, ']');
    } else if (*at == '"' || *at == '`' || *at == '\'') {
        token.len = quoted_len(at, *at);
    } else {
        while (token.len > 0 && is_word_byte(*at) && is_word_byte(at[token.len])) {
            token.len++;
        }
    }
    *text = at + token.len;
    return token;
}

static bool is_token(struct token token, const char *word)
{
    return token.len == strlen(word) && giq_text_begins_nocase(token.at, word);
}

static bool accept_word(const char **text, const char *word)
{
    const char *after = *text;
    if (!is_token(next_token(&after), word)) {
        return false;
    }
    *text = after;
    return true;
}

/* Whether a module of virtual tables reads only the database that the table is in. */
static bool is_self_contained_module(struct token name)
{
    static const char *const modules[] = {
        "rtree",
        "rtree_i32",
        "geopoly",
        "fts3",
        "fts4",
        "fts5",
        "fts4aux",
        "fts5vocab",
        "VirtualKNN",
        "VirtualSpatialIndex",
        "VirtualElementary",
        "VirtualGPKG",
        "VirtualKNN2",
    };
    if (name.len > 2 && !is_word_byte(name.at[0])) {
        name = (struct token){name.at + 1, name.len - 2};
    }
    for (size_t i = 0; i < GIQ_COUNT(modules); i++) {
        if (is_token(name, modules[i])) {
            return true;
        }
    }
    return false;
}

/* Whether a virtual table reads only its own database. `sql` is what follows "CREATE
 * VIRTUAL TABLE". */
static bool is_self_contained_table(const char *sql)
{
    if (accept_word(&sql, "if")) {
        (void)accept_word(&sql, "not");
        (void)accept_word(&sql, "exists");
    }
    (void)next_token(&sql);
    if (accept_word(&sql, ".")) {
        (void)next_token(&sql);
    }
    return accept_word(&sql, "using") && is_self_contained_module(next_token(&sql));
}

/* Whether a statement contains the name of a function that reads files or options,
 * connects to hosts or runs other statements. GDAL refuses its own functions, but not in
 * statements that are stored as BLOBs. SpatiaLite's other functions that read files are
 * off by default. */
static bool names_external_function(const char *sql)
{
    static const char *const functions[] = {
        "ogr_geocode",  "ogr_datasource_load_layers", "ogr_getconfigoption", "gdal_get_",
        "sqlproc_exec", "proj_setdatabasepath",       "xb_create",
    };
    for (size_t i = 0; i < GIQ_COUNT(functions); i++) {
        if (strcasestr(sql, functions[i]) != NULL) {
            return true;
        }
    }
    /* SpatiaLite's ST_Transform() takes definitions for PROJ, which may name files. */
    return strcasestr(sql, "transform") != NULL && giq_external_srs(sql);
}

bool giq_external_statement(const char *sql)
{
    if (*skip_blank(sql) == '\0') {
        return false;
    }
    if (!accept_word(&sql, "create")) {
        return true;
    }
    if (accept_word(&sql, "virtual")) {
        return !accept_word(&sql, "table") || !is_self_contained_table(sql);
    }
    /* Triggers run when a database is written, and results are not. */
    if (accept_word(&sql, "trigger")) {
        return false;
    }
    (void)accept_word(&sql, "unique");
    bool is_known = accept_word(&sql, "table") || accept_word(&sql, "view") ||
                    accept_word(&sql, "index");
    return !is_known || names_external_function(sql);
}

/* ---- text files ---- */

/* The position within an escape of JSON. */
enum { PLAIN, ESCAPED, FIRST_DIGIT, LAST_DIGIT = FIRST_DIGIT + 3 };

/* The value of a hexadecimal digit. Another character gives some number: such an escape
 * is not JSON, and no driver reads it. */
static unsigned hex_value(char c)
{
    return (unsigned)(c >= '0' && c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

/* Add one byte, decoding the escapes of JSON. A NUL ends a string, as in GDAL. */
static void unescape(struct giq_external *scan, char c)
{
    if (scan->state == PLAIN && c == '\\') {
        scan->state = ESCAPED;
    } else if (scan->state == ESCAPED && c == 'u') {
        scan->state = FIRST_DIGIT;
        scan->code = 0;
    } else if (scan->state == PLAIN || scan->state == ESCAPED) {
        scan->state = PLAIN;
        scan->text[scan->len++] = c;
    } else {
        scan->code = scan->code * 16 + hex_value(c);
        scan->state++;
        if (scan->state > LAST_DIGIT) {
            scan->state = PLAIN;
            scan->text[scan->len++] = (char)(scan->code < 0x80 ? scan->code : '?');
        }
    }
}

/* Whether the text up to `at` ends in `word`, and a string begins with it: a quote, a
 * colon (of "ESRI::") or a control character (a length in bytes) precedes it. */
static bool is_string_start(const char *start, const char *at, const char *word)
{
    size_t len = strlen(word);
    if (!ends_in(start + 1, at, word)) {
        return false;
    }
    char before = at[-(ptrdiff_t)len - 1];
    return (unsigned char)before < ' ' || strchr("\"':", before) != NULL;
}

/* Record whether the string at `at` begins with a word of a linked coordinate system, as
 * in {"crs": {"type": "link", ...}}; the type "url" has the same meaning. */
static void record_word(struct giq_external *scan, const char *at)
{
    scan->has_crs = scan->has_crs || giq_text_begins_nocase(at, "crs");
    scan->has_link = scan->has_link || giq_text_begins_nocase(at, "link") ||
                     giq_text_begins_nocase(at, "url");
}

/* Add the bytes up to the next escape, or one byte of an escape; returns their number. */
static size_t add_bytes(struct giq_external *scan, const char *bytes, size_t len)
{
    size_t room = GIQ_EXTERNAL_BUFFER_SIZE - scan->len;
    size_t most = len < room ? len : room;
    if (scan->state != PLAIN || *bytes == '\\') {
        unescape(scan, *bytes);
        return 1;
    }
    const char *escape = memchr(bytes, '\\', most);
    size_t plain_len = escape == NULL ? most : (size_t)(escape - bytes);
    memcpy(scan->text + scan->len, bytes, plain_len);
    scan->len += plain_len;
    return plain_len;
}

static bool is_delimiter(char c)
{
    return c == '"' || c == '\'' || c == ':' || c == '=';
}

/* How many bytes of white space, and then of a path, are scanned: with the word
 * before them, both fit in the bytes that are scanned again with the next ones. The first
 * separator of a path comes earlier, because names of folders are shorter. */
enum { SCANNED_MAX = GIQ_EXTERNAL_OVERLAP / 2 - 16 };

/* Whether a path begins at `at`, after white space: the text up to one of `ends`, or to
 * `end`, has a path separator. More white space than SCANNED_MAX counts as a path. */
static bool has_text_path(const char *at, const char *end, const char *ends)
{
    size_t blanks = strspn(at, BLANK);
    if (blanks > SCANNED_MAX) {
        return true;
    }
    at += blanks;
    for (size_t i = 0; i < SCANNED_MAX && at < end; i++, at++) {
        if (is_separator(*at)) {
            return true;
        }
        if (strchr(ends, *at) != NULL) {
            return false;
        }
    }
    return false;
}

/* Scan the buffered text. Its end is kept, to be scanned again with what follows. */
static void scan_buffer(struct giq_external *scan)
{
    const char *start = scan->text;
    const char *end = start + scan->len;
    scan->text[scan->len] = '\0';
    for (const char *at = start; at < end; at++) {
        if (!is_delimiter(*at)) {
            continue;
        }
        if (*at == '"' || *at == '\'') {
            record_word(scan, at + 1);
        } else if (*at == ':' && is_string_start(start, at, "dict")) {
            scan->names_file = scan->names_file || has_text_path(at + 1, end, ",\r\n\"'");
        } else if (*at == '=' && ends_in(start, at, "+init")) {
            scan->names_file =
                scan->names_file || has_text_path(at + 1, end, " \t\r\n\"'");
        }
    }
    size_t kept = scan->len < GIQ_EXTERNAL_OVERLAP ? scan->len : GIQ_EXTERNAL_OVERLAP;
    memmove(scan->text, end - kept, kept);
    scan->len = kept;
}

void giq_external_scan(struct giq_external *scan, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len;) {
        /* is_string_start() reads the byte before a word. */
        if (scan->len == 0) {
            scan->text[scan->len++] = '\n';
        }
        i += add_bytes(scan, bytes + i, len - i);
        if (scan->len == GIQ_EXTERNAL_BUFFER_SIZE) {
            scan_buffer(scan);
        }
    }
    scan_buffer(scan);
}
