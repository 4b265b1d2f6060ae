/* Cleans file names, reads them from headers, and sets their extensions. */
#include "result/giq_name.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_text.h"
#include "result/giq_format.h"

/* The longest extension, with its dot, that a cut keeps whole. */
enum { EXTENSION_KEPT_MAX = 20 };

/* ---- double-byte characters ---- */

/* A scan for double-byte characters in an unknown encoding. Each field states whether the
 * last byte was a lead byte: in Shift-JIS, where 0xA1 to 0xDF are single-byte characters,
 * or in GBK or Big5. */
struct double_byte {
    bool in_shift_jis;
    bool in_others;
};

/* Advance the scan by the byte `c`. Returns whether `c` may be the second byte of a
 * character. */
static bool next_is_second(struct double_byte *pair, char c)
{
    unsigned char byte = (unsigned char)c;
    bool is_lead = byte >= 0x81 && byte <= 0xFE;
    bool is_kana = byte >= 0xA1 && byte <= 0xDF;
    bool is_second = pair->in_shift_jis || pair->in_others;
    pair->in_shift_jis = !pair->in_shift_jis && is_lead && !is_kana;
    pair->in_others = !pair->in_others && is_lead;
    return is_second;
}

size_t giq_name_part_len(const char *at, bool is_utf8)
{
    struct double_byte pair = {false, false};
    size_t len = 0;
    for (; at[len] != '\0' && at[len] != '/'; len++) {
        bool is_second_byte = next_is_second(&pair, at[len]) && !is_utf8;
        if (at[len] == '\\' && !is_second_byte) {
            break;
        }
    }
    return len;
}

/* ---- Content-Disposition ---- */

/* Copy the value of a parameter at `at` (a quoted string, or up to the next ';') into
 * `out`, which has room for strlen(at) + 1 bytes. Returns what follows it. */
static const char *copy_value(const char *at, bool is_utf8, char *out)
{
    at += strspn(at, " \t");
    if (*at != '"') {
        size_t len = strcspn(at, ";");
        const char *after = at + len;
        while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t')) {
            len--;
        }
        memcpy(out, at, len);
        out[len] = '\0';
        return after;
    }
    struct double_byte pair = {false, false};
    for (at++; *at != '\0' && *at != '"'; at++) {
        bool is_second_byte = next_is_second(&pair, *at) && !is_utf8;
        if (*at == '\\' && !is_second_byte && at[1] != '\0') {
            at++;
        }
        *out++ = *at;
    }
    *out = '\0';
    return at + strcspn(at, ";");
}

/* The first non-empty value of the parameter `name` in a header's value; the caller frees
 * it. NULL if there is none, or when out of memory. */
static char *parameter(const char *value, const char *name)
{
    char *out = malloc(strlen(value) + 1);
    if (out == NULL) {
        return NULL;
    }
    const bool is_utf8 = giq_text_is_utf8(value);
    size_t name_len = strlen(name);
    while (*value != '\0') {
        value += strspn(value, "; \t");
        size_t len = strcspn(value, "=; \t");
        bool found = len == name_len && giq_text_begins_nocase(value, name);
        value += len;
        value += strspn(value, " \t");
        if (*value != '=') {
            continue;
        }
        value = copy_value(value + 1, is_utf8, out);
        if (found && out[0] != '\0') {
            return out;
        }
    }
    free(out);
    return NULL;
}

/* Percent-decode `text` in place. With `latin1` the bytes are ISO-8859-1 and are
 * converted to UTF-8; this fits, because each "%xx" becomes at most two bytes. False if
 * `text` is not ASCII, has a '%' without two hexadecimal digits, or has "%00". */
static bool decode_percent(char *text, bool latin1)
{
    char *out = text;
    for (const char *at = text; *at != '\0'; at++) {
        unsigned byte = (unsigned char)*at;
        if (byte >= 0x80) {
            return false;
        }
        if (byte == '%') {
            int decoded = giq_text_percent_byte(at);
            if (decoded <= 0) {
                return false;
            }
            byte = (unsigned)decoded;
            at += 2;
        }
        if (latin1 && byte >= 0x80) {
            *out++ = (char)(0xC0 | byte >> 6);
            byte = 0x80 | (byte & 0x3F);
        }
        *out++ = (char)byte;
    }
    *out = '\0';
    return true;
}

/* Decode "UTF-8'en'a%20b" to "a b", in place (RFC 8187). */
static bool decode_extended(char *value)
{
    static const struct {
        const char *charset;
        bool latin1;
    } charsets[] = {{"UTF-8'", false}, {"ISO-8859-1'", true}};
    for (size_t i = 0; i < GIQ_COUNT(charsets); i++) {
        if (!giq_text_begins_nocase(value, charsets[i].charset)) {
            continue;
        }
        const char *text = strchr(value + strlen(charsets[i].charset), '\'');
        if (text == NULL) {
            return false;
        }
        memmove(value, text + 1, strlen(text + 1) + 1);
        return decode_percent(value, charsets[i].latin1) && giq_text_is_utf8(value) &&
               value[0] != '\0';
    }
    return false;
}

char *giq_name_from_disposition(const char *value)
{
    if (value == NULL) {
        return NULL;
    }
    char *name = parameter(value, "filename*");
    if (name != NULL && decode_extended(name)) {
        return name;
    }
    free(name);
    return parameter(value, "filename");
}

/* ---- cleaning ---- */

/* What cleaning does to one character. */
enum action {
    KEEP,
    TRIM, /* kept, but not at an end of the name */
    DROP,
    REPLACE,
};

static bool is_space(uint32_t code)
{
    static const struct {
        uint32_t low, high;
    } spaces[] = {
        {0x20, 0x20},     {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200B},
        {0x202F, 0x202F}, {0x205F, 0x2060}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF},
    };
    for (size_t i = 0; i < GIQ_COUNT(spaces); i++) {
        if (code >= spaces[i].low && code <= spaces[i].high) {
            return true;
        }
    }
    return false;
}

/* The action for the first character of the `len` bytes at `at`. `*out_size` is the
 * length of that character, and 1 for a byte that is not UTF-8. */
static enum action action_of(const char *at, size_t len, size_t *out_size)
{
    *out_size = giq_text_utf8_char_len(at, len);
    if (*out_size == 0) {
        *out_size = 1;
        return REPLACE;
    }
    uint32_t code = giq_text_code_point(at, *out_size);
    if (giq_text_is_control(code)) {
        return DROP;
    }
    if (code == '.' || is_space(code)) {
        return TRIM;
    }
    return code < 0x80 && strchr("<>:\"|?*\\", (int)code) != NULL ? REPLACE : KEEP;
}

/* A part of a name. */
struct span {
    const char *from;
    const char *to;
};

/* The span without the dots, white space and control characters at its ends. */
static struct span without_ends(struct span span)
{
    struct span inner = {span.to, span.to};
    size_t size = 0;
    for (const char *at = span.from; at < span.to; at += size) {
        enum action action = action_of(at, (size_t)(span.to - at), &size);
        if (action == TRIM || action == DROP) {
            continue;
        }
        if (inner.from == span.to) {
            inner.from = at;
        }
        inner.to = at + size;
    }
    return inner;
}

/* Write the cleaned span to `out`, as many characters as fit `max` bytes. Returns the
 * number of bytes. With `out` NULL it only counts. */
static size_t write_clean(struct span span, char *out, size_t max)
{
    size_t len = 0;
    size_t size = 0;
    for (const char *at = span.from; at < span.to; at += size) {
        enum action action = action_of(at, (size_t)(span.to - at), &size);
        if (action == DROP) {
            continue;
        }
        size_t written = action == REPLACE ? 1 : size;
        if (written > max - len) {
            break;
        }
        if (out != NULL) {
            memcpy(out + len, action == REPLACE ? "_" : at, written);
        }
        len += written;
    }
    return len;
}

/* The dot before the extension, or before ".tar" if that precedes it; NULL if there is
 * none. */
static const char *extension_dot(struct span span)
{
    static const char tar[] = ".tar";
    const size_t tar_len = sizeof tar - 1;
    const char *dot = memrchr(span.from, '.', (size_t)(span.to - span.from));
    if (dot == NULL || dot == span.from) {
        return NULL;
    }
    bool is_double =
        (size_t)(dot - span.from) > tar_len && giq_text_begins_nocase(dot - tar_len, tar);
    return is_double ? dot - tar_len : dot;
}

/* Write the cleaned span to `out` in at most `max` bytes, and keep a short extension. */
static void write_cut(struct span span, char *out, size_t max)
{
    size_t len = 0;
    const char *dot = extension_dot(span);
    if (write_clean(span, NULL, SIZE_MAX) <= max || dot == NULL) {
        len = write_clean(span, out, max);
    } else {
        struct span stem = {span.from, dot};
        struct span extension = {dot, span.to};
        size_t extension_len = write_clean(extension, NULL, SIZE_MAX);
        if (extension_len > EXTENSION_KEPT_MAX) {
            len = write_clean(span, out, max);
        } else {
            len = write_clean(stem, out, max - extension_len);
            len += write_clean(extension, out + len, extension_len);
        }
    }
    /* After a cut the name may end in a dot or a space. */
    struct span written = without_ends((struct span){out, out + len});
    out[written.to - out] = '\0';
}

void giq_name_clean(const char *raw, char out[GIQ_NAME_SIZE])
{
    raw = raw == NULL ? "" : raw;
    const bool is_utf8 = giq_text_is_utf8(raw);
    size_t len = giq_name_part_len(raw, is_utf8);
    while (raw[len] != '\0') {
        raw += len + 1;
        len = giq_name_part_len(raw, is_utf8);
    }
    struct span name = without_ends((struct span){raw, raw + len});
    write_cut(name, out, GIQ_NAME_MAX);
    if (out[0] == '\0') {
        memcpy(out, "result", sizeof "result");
    }
}

void giq_name_mask(const struct giq_cred *cred, char name[GIQ_NAME_SIZE])
{
    giq_cred_mask(cred, name);
    while ((name = strchr(name, '*')) != NULL) {
        *name++ = '_';
    }
}

/* ---- extensions ---- */

const char *giq_name_extension(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot == NULL || dot == name ? "" : dot + 1;
}

void giq_name_drop_gzip(char name[GIQ_NAME_SIZE])
{
    const char *extension = giq_name_extension(name);
    bool is_tar = giq_text_equal_nocase(extension, "tgz");
    if (!is_tar && !giq_text_equal_nocase(extension, "gz")) {
        return;
    }
    char stem[GIQ_NAME_SIZE];
    size_t len = (size_t)(extension - name) - 1;
    memcpy(stem, name, len);
    const char *rest = is_tar ? ".tar" : "";
    memcpy(stem + len, rest, strlen(rest) + 1);
    giq_name_clean(stem, name);
}

void giq_name_set_extension(char name[GIQ_NAME_SIZE], const char *extension)
{
    if (extension == NULL || strlen(extension) >= EXTENSION_KEPT_MAX) {
        return;
    }
    size_t len = strlen(name);
    if (giq_format_is_extension(giq_name_extension(name))) {
        len = (size_t)(extension_dot((struct span){name, name + len}) - name);
    }
    const size_t extension_len = strlen(extension);
    struct span stem = {name, name + len};
    /* The stem is clean already: this only counts the characters that fit. */
    len = write_clean(stem, NULL, GIQ_NAME_MAX - 1 - extension_len);
    name[len] = '.';
    memcpy(name + len + 1, extension, extension_len + 1);
}
