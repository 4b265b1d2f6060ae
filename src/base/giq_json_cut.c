/* Cuts one member out of the text of a JSON object. Functions named skip_x() return what
 * follows the x at `at`, or NULL if there is no x or it is unusual (giq_json_cut()). */
#include "base/giq_json_cut.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "base/giq_number.h"

enum {
    DEPTH_MAX = 32,
    NUMBER_LEN_MAX = 60, /* there are versions of cJSON that read at most 63 bytes */
};

static const char *skip_value(const char *at, int depth);

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') {
        at++;
    }
    return at;
}

static const char *skip_string(const char *at)
{
    static const bool is_escape[UCHAR_MAX + 1] = {
        ['"'] = true, ['\\'] = true, ['/'] = true, ['b'] = true,
        ['f'] = true, ['n'] = true,  ['r'] = true, ['t'] = true,
    };
    if (*at != '"') {
        return NULL;
    }
    at = giq_number_string_run(at + 1);
    while (*at == '\\') {
        if (!is_escape[(unsigned char)at[1]]) {
            return NULL;
        }
        at = giq_number_string_run(at + 2);
    }
    return *at == '"' ? at + 1 : NULL;
}

/* A name, its colon, and the space after it. */
static const char *skip_name(const char *at)
{
    at = skip_string(at);
    at = at == NULL ? NULL : skip_space(at);
    return at == NULL || *at != ':' ? NULL : skip_space(at + 1);
}

static const char *skip_word(const char *at)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i]);
        if (strncmp(at, words[i], len) == 0) {
            return at + len;
        }
    }
    return NULL;
}

static const char *skip_number(const char *at)
{
    size_t len = giq_number_length(at);
    bool is_usual = len > 0 && len <= NUMBER_LEN_MAX && giq_number_span(at) == len;
    return is_usual ? at + len : NULL;
}

/* The items of a list or the members of an object, and the bracket that closes it. */
static const char *skip_items(const char *at, char close, int depth)
{
    at = skip_space(at);
    if (*at == close) {
        return at + 1;
    }
    for (;;) {
        at = close == '}' ? skip_name(at) : at;
        at = at == NULL ? NULL : skip_value(at, depth);
        at = at == NULL ? NULL : skip_space(at);
        if (at == NULL || *at == close) {
            return at == NULL ? NULL : at + 1;
        }
        if (*at != ',') {
            return NULL;
        }
        at = skip_space(at + 1);
    }
}

static const char *skip_value(const char *at, int depth)
{
    if (*at == '"') {
        return skip_string(at);
    }
    if (*at == '{' || *at == '[') {
        char close = *at == '{' ? '}' : ']';
        return depth == DEPTH_MAX ? NULL : skip_items(at + 1, close, depth + 1);
    }
    return *at == '-' || (*at >= '0' && *at <= '9') ? skip_number(at) : skip_word(at);
}

bool giq_json_cut(char *text, const char *name)
{
    static const char null[] = "null";
    const size_t null_len = sizeof null - 1;
    size_t name_len = strlen(name);
    const char *at = skip_space(text);
    if (*at != '{') {
        return false;
    }
    do {
        at = skip_space(at + 1);
        bool is_named =
            *at == '"' && strncmp(at + 1, name, name_len) == 0 && at[1 + name_len] == '"';
        const char *value = skip_name(at);
        at = value == NULL ? NULL : skip_value(value, 0);
        if (at == NULL) {
            return false;
        }
        if (is_named) {
            char *start = text + (value - text);
            if ((size_t)(at - value) < null_len) {
                return false;
            }
            (void)memcpy(start, null, null_len);
            (void)memmove(start + null_len, at, strlen(at) + 1);
            return true;
        }
        at = skip_space(at);
    } while (*at == ',');
    return false;
}
