/* Finds numbers in JSON without parsing it. */
#include "base/giq_number.h"

#include <limits.h>
#include <stdbool.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Not strspn(), which under AddressSanitizer reads the whole text at each call. */
static size_t count_digits(const char *text)
{
    size_t len = 0;
    while (is_digit(text[len])) {
        len++;
    }
    return len;
}

const char *giq_number_string_run(const char *json)
{
    static const bool ends_run[UCHAR_MAX + 1] = {
        ['"'] = true, ['\\'] = true, ['\0'] = true};
    while (!ends_run[(unsigned char)*json]) {
        json++;
    }
    return json;
}

/* What follows the string whose opening quote precedes `json`. */
static const char *skip_string(const char *json)
{
    json = giq_number_string_run(json);
    while (*json == '\\') {
        json = giq_number_string_run(json + (json[1] == '\0' ? 1 : 2));
    }
    return *json == '"' ? json + 1 : json;
}

const char *giq_number_find(const char *json)
{
    while (*json != '\0' && *json != '-' && !is_digit(*json)) {
        json = *json == '"' ? skip_string(json + 1) : json + 1;
    }
    return json;
}

size_t giq_number_span(const char *text)
{
    size_t len = 0;
    while (is_digit(text[len]) || text[len] == '-' || text[len] == '+' ||
           text[len] == '.' || text[len] == 'e' || text[len] == 'E') {
        len++;
    }
    return len;
}

size_t giq_number_length(const char *text)
{
    const char *at = *text == '-' ? text + 1 : text;
    size_t whole = count_digits(at);
    if (whole == 0) {
        return 0;
    }
    at += *at == '0' ? 1 : whole;
    if (*at == '.' && count_digits(at + 1) > 0) {
        at += 1 + count_digits(at + 1);
    }
    if (*at == 'e' || *at == 'E') {
        bool has_sign = at[1] == '+' || at[1] == '-';
        const char *exponent = at + (has_sign ? 2 : 1);
        size_t len = count_digits(exponent);
        at = len > 0 ? exponent + len : at;
    }
    return (size_t)(at - text);
}
