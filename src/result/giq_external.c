#include "giq/external.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/giq_text.h"

/* A path or a list of grids is no longer. */
enum { VALUE_MAX = GIQ_EXTERNAL_KEPT - 16 };

static bool is_separator(char c)
{
    return c == '/' || c == '\\';
}

/* Whether `at` ends, but for the character there, in `word`; case makes no
 * difference. `start` is where the text begins. */
static bool ends_in(const char *start, const char *at, const char *word)
{
    ptrdiff_t len = (ptrdiff_t)strlen(word);
    return at - start >= len && strncasecmp(at - len, word, (size_t)len) == 0;
}

/* Whether a path stands from `at` on before one of `ends` or the end. */
static bool has_path(const char *at, const char *end, const char *ends)
{
    for (size_t i = 0; i < VALUE_MAX && at < end && strchr(ends, *at) == NULL; i++) {
        if (is_separator(*at++)) {
            return true;
        }
    }
    return false;
}

/* ---- coordinate systems ---- */

/* A text that is no definition but says where one is. */
static bool is_cross_origin(const char *text)
{
    static const char *const starts[] = {"http://", "https://", "dict:", "/vsi"};
    static const char *const known[] = {
        "http://opengis.net/def/crs", "https://opengis.net/def/crs",
        "http://www.opengis.net/def/crs", "https://www.opengis.net/def/crs"};
    text += strspn(text, " \t\r\n");
    text += giq_text_begins(text, "ESRI::") ? strlen("ESRI::") : 0;
    for (size_t i = 0; i < GIQ_COUNT(known); i++) {
        if (giq_text_begins(text, known[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < GIQ_COUNT(starts); i++) {
        if (giq_text_begins(text, starts[i])) {
            return true;
        }
    }
    return false;
}

/* A parameter of PROJ whose value is a path, in a text from `start` to `end` that has
 * a '=' at `at`. Names without a path are those of grids that PROJ has. */
static bool is_file_parameter(const char *start, const char *at, const char *end)
{
    static const char *const names[] = {"init", "grids", "model", "file", "catalog"};
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        if (ends_in(start, at, names[i])) {
            return has_path(at + 1, end, " \t\r\n\"'[]()");
        }
    }
    return false;
}

/* What follows the next quote of a text, or NULL where it is not near. */
static const char *behind_quote(const char *at)
{
    const char *quote = at == NULL ? NULL : memchr(at, '"', strnlen(at, VALUE_MAX));
    return quote == NULL ? NULL : quote + 1;
}

/* What follows the text in quotes that ends next; a quote in it stands doubled. */
static const char *behind_text(const char *at)
{
    do {
        at = behind_quote(at);
    } while (at != NULL && *at++ == '"');
    return at == NULL ? NULL : at - 1;
}

/* A file of a transformation in WKT, the second text of an element, whose name is at `at`
 * and `is_text` itself or stands before the first text. */
static bool is_file_element(const char *at, bool is_text)
{
    const char *path = behind_quote(behind_text(is_text ? at : behind_quote(at)));
    return path != NULL && has_path(path, path + strnlen(path, VALUE_MAX), "\"");
}

bool giq_external_srs(const char *text)
{
    static const struct {
        const char *name;
        bool is_text;
    } elements[] = {{"PARAMETERFILE", false}, {"PROJ4_GRIDS", true}};
    const char *end = text + strlen(text);
    if (is_cross_origin(text)) {
        return true;
    }
    for (size_t i = 0; i < GIQ_COUNT(elements); i++) {
        const char *name = elements[i].name;
        for (const char *at = text; (at = strcasestr(at, name)) != NULL; at++) {
            if (is_file_element(at, elements[i].is_text)) {
                return true;
            }
        }
    }
    for (const char *at = text; (at = strchr(at, '=')) != NULL; at++) {
        if (is_file_parameter(text, at, end)) {
            return true;
        }
    }
    return false;
}

/* ---- tables ---- */

/* A word, a quoted name or one other character of SQL, behind space and comments. */
struct token {
    const char *at;
    size_t len;
};

static const char *skip_blank(const char *at)
{
    for (;;) {
        at += strspn(at, " \t\r\n\f");
        const char *end = NULL;
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

/* How long a quoted name is, in which its quote may stand doubled. */
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
    return token.len == strlen(word) && strncasecmp(token.at, word, token.len) == 0;
}

static bool take(const char **text, const char *word)
{
    const char *after = *text;
    if (!is_token(next_token(&after), word)) {
        return false;
    }
    *text = after;
    return true;
}

/* Whether a module reads what its own database holds, and nothing else. */
static bool is_inner_module(struct token name)
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

bool giq_external_table(const char *sql)
{
    if (!take(&sql, "create") || !take(&sql, "virtual") || !take(&sql, "table")) {
        return false;
    }
    (void)(take(&sql, "if") && take(&sql, "not") && take(&sql, "exists"));
    (void)next_token(&sql);
    if (take(&sql, ".")) {
        (void)next_token(&sql);
    }
    return !take(&sql, "using") || !is_inner_module(next_token(&sql));
}

/* ---- text files ---- */

/* Where the scan is in an escape of JSON's. */
enum { PLAIN, ESCAPED, FIRST_DIGIT, LAST_DIGIT = FIRST_DIGIT + 3 };

/* Take one byte and undo JSON's escapes. */
static void unescape(struct giq_external *scan, char c)
{
    int digit = c >= '0' && c <= '9' ? c - '0' : ((c | 32) - 'a') + 10;
    if (scan->state == PLAIN && c == '\\') {
        scan->state = ESCAPED;
    } else if (scan->state == ESCAPED && c == 'u') {
        scan->state = FIRST_DIGIT;
        scan->code = 0;
    } else if (scan->state <= ESCAPED) {
        scan->state = PLAIN;
        scan->text[scan->len++] = c;
    } else {
        scan->code = scan->code * 16 + (unsigned)digit;
        scan->state++;
        if (scan->state > LAST_DIGIT) {
            scan->state = PLAIN;
            scan->text[scan->len++] = (char)(scan->code < 0x80 ? scan->code : '?');
        }
    }
}

/* Whether the text up to `at` is the start of one, which a quote, "ESRI::", the bytes
 * of a length or nothing stands before. */
static bool begins_with(const char *start, const char *at, const char *word)
{
    size_t len = strlen(word);
    if (!ends_in(start + 1, at, word)) {
        return false;
    }
    char before = at[-(ptrdiff_t)len - 1];
    return (unsigned char)before < ' ' || strchr("\"':", before) != NULL;
}

/* What stands behind a quote. */
static void note_word(struct giq_external *scan, const char *at)
{
    scan->has_crs = scan->has_crs || strncasecmp(at, "crs", 3) == 0;
    scan->has_link = scan->has_link || strncasecmp(at, "link", 4) == 0 ||
                     strncasecmp(at, "url", 3) == 0;
}

/* Take what stands before the next escape, or one byte of that; how many bytes. */
static size_t take_some(struct giq_external *scan, const char *bytes, size_t len)
{
    size_t room = GIQ_EXTERNAL_TEXT - scan->len;
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

static bool is_mark(char c)
{
    return c == '"' || c == '\'' || c == ':' || c == '=';
}

/* Look at the text that is there; its last part stays for what comes. */
static void look(struct giq_external *scan)
{
    const char *start = scan->text;
    const char *end = start + scan->len;
    scan->text[scan->len] = '\0';
    for (const char *at = start; at < end; at++) {
        if (!is_mark(*at)) {
            continue;
        }
        if (*at == '"' || *at == '\'') {
            note_word(scan, at + 1);
        } else if (*at == ':' && begins_with(start, at, "dict")) {
            scan->names_file = scan->names_file || has_path(at + 1, end, ",\r\n\"'");
        } else if (*at == '=' && ends_in(start, at, "+init")) {
            scan->names_file = scan->names_file || has_path(at + 1, end, " \t\r\n\"'");
        }
    }
    size_t kept = scan->len < GIQ_EXTERNAL_KEPT ? scan->len : GIQ_EXTERNAL_KEPT;
    memmove(scan->text, end - kept, kept);
    scan->len = kept;
}

void giq_external_take(struct giq_external *scan, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len;) {
        if (scan->len == 0) {
            scan->text[scan->len++] = '\n';
        }
        i += take_some(scan, bytes + i, len - i);
        if (scan->len == GIQ_EXTERNAL_TEXT) {
            look(scan);
        }
    }
    look(scan);
}
