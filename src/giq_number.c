#include "giq_number.h"

#include <stdbool.h>
#include <string.h>

static const char digits[] = "0123456789";

const char *giq_number_find(const char *json)
{
    bool is_in_string = false;
    while (*json != '\0' &&
           (is_in_string || (*json != '-' && (*json < '0' || *json > '9')))) {
        if (*json == '"') {
            is_in_string = !is_in_string;
        } else if (is_in_string && *json == '\\' && json[1] != '\0') {
            json++;
        }
        json++;
    }
    return json;
}

size_t giq_number_length(const char *text)
{
    const char *at = text + (*text == '-');
    size_t whole = strspn(at, digits);
    if (whole == 0) {
        return 0;
    }
    at += *at == '0' ? 1 : whole;
    if (*at == '.' && strspn(at + 1, digits) > 0) {
        at += 1 + strspn(at + 1, digits);
    }
    if (*at == 'e' || *at == 'E') {
        const char *exponent = at + 1 + (at[1] == '+' || at[1] == '-');
        size_t len = strspn(exponent, digits);
        at = len > 0 ? exponent + len : at;
    }
    return (size_t)(at - text);
}
