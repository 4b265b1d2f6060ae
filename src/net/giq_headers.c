/*
 * Reading the values of response headers. They come from a service that is not trusted.
 */
#include "net/giq_headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_text.h"

void giq_headers_init(struct giq_headers *headers)
{
    *headers = (struct giq_headers){.value = {NULL}};
}

void giq_headers_release(struct giq_headers *headers)
{
    for (size_t i = 0; i < GIQ_HEADERS_COUNT; i++) {
        free(headers->value[i]);
    }
    giq_headers_init(headers);
}

const char *giq_headers_field_name(enum giq_headers_field field)
{
    static const char *const names[GIQ_HEADERS_COUNT] = {
        [GIQ_HEADERS_CONTENT_DISPOSITION] = "Content-Disposition",
        [GIQ_HEADERS_CONTENT_ENCODING] = "Content-Encoding",
        [GIQ_HEADERS_CONTENT_RANGE] = "Content-Range",
        [GIQ_HEADERS_ETAG] = "ETag",
        [GIQ_HEADERS_RETRY_AFTER] = "Retry-After",
        [GIQ_HEADERS_TRANSFER_ENCODING] = "Transfer-Encoding",
    };
    return names[field];
}

bool giq_headers_add(struct giq_headers *headers, enum giq_headers_field field,
                     const char *value)
{
    char **slot = &headers->value[field];
    /* A download is resumed only if both are unambiguous. */
    bool must_agree = field == GIQ_HEADERS_ETAG || field == GIQ_HEADERS_CONTENT_RANGE;
    if (must_agree && *slot != NULL && strcmp(*slot, value) != 0) {
        value = "";
    }
    if (field != GIQ_HEADERS_CONTENT_ENCODING || *slot == NULL) {
        return giq_text_set(slot, value);
    }
    char *all = NULL;
    if (asprintf(&all, "%s,%s", *slot, value) < 0) {
        return false;
    }
    free(*slot);
    *slot = all;
    return true;
}

bool giq_headers_is_chunked(const struct giq_headers *headers)
{
    static const char chunked[] = "chunked";
    const char *value = headers->value[GIQ_HEADERS_TRANSFER_ENCODING];
    size_t len = value == NULL ? 0 : strlen(value);
    return len >= sizeof chunked - 1 &&
           giq_text_equal_nocase(value + len - (sizeof chunked - 1), chunked);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7). False for the two obsolete forms. */
static bool parse_http_date(const char *value, int64_t *out_ms)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int day = 0;
    int year = 0;
    int time[3] = {0, 0, 0};
    char month[4] = "";
    int used = 0;
    int fields = sscanf(value, "%*3s, %2d %3s %4d %2d:%2d:%2d GMT%n", &day, month, &year,
                        &time[0], &time[1], &time[2], &used);
    const char *at = strlen(month) == 3 ? strstr(months, month) : NULL;
    if (fields != 6 || used == 0 || value[used] != '\0' || at == NULL ||
        (at - months) % 3 != 0) {
        return false;
    }
    const int64_t civil[6] = {year,   (at - months) / 3 + 1, day, time[0], time[1],
                              time[2]};
    return giq_text_civil_to_ms(civil, out_ms);
}

int64_t giq_headers_retry_after_ms(const struct giq_headers *headers, int64_t wall_ms)
{
    const char *value = headers->value[GIQ_HEADERS_RETRY_AFTER];
    if (value == NULL || value[0] == '\0') {
        return -1;
    }
    const int64_t max_ms = GIQ_HEADERS_RETRY_AFTER_MAX_S * INT64_C(1000);
    int64_t ms = 0;
    if (value[strspn(value, "0123456789")] == '\0') {
        /* More than nine digits exceed the limit, and might overflow. */
        ms = strlen(value) > 9 ? max_ms : (int64_t)strtol(value, NULL, 10) * 1000;
    } else if (parse_http_date(value, &ms)) {
        ms = ms > wall_ms ? ms - wall_ms : 0;
    } else {
        return -1;
    }
    return ms > max_ms ? max_ms : ms;
}

const char *giq_headers_strong_etag(const struct giq_headers *headers)
{
    const char *etag = headers->value[GIQ_HEADERS_ETAG];
    size_t len = etag == NULL ? 0 : strlen(etag);
    bool is_quoted = len > 2 && etag[0] == '"' && etag[len - 1] == '"';
    if (!is_quoted) {
        return NULL;
    }
    for (size_t i = 1; i < len - 1; i++) {
        unsigned char c = (unsigned char)etag[i];
        if (c < 0x20 || c == 0x7F || c == '"') {
            return NULL;
        }
    }
    return etag;
}

/* The registered codings (RFC 9110, 16.6.1). Other values, such as character sets, do not
 * describe the bytes. */
static enum giq_headers_coding coding_of(const char *word)
{
    static const struct {
        const char *word;
        enum giq_headers_coding coding;
    } known[] = {
        {"gzip", GIQ_HEADERS_CODING_GZIP},
        {"x-gzip", GIQ_HEADERS_CODING_GZIP},
        {"deflate", GIQ_HEADERS_CODING_DEFLATE},
        {"br", GIQ_HEADERS_CODING_UNSUPPORTED},
        {"zstd", GIQ_HEADERS_CODING_UNSUPPORTED},
        {"compress", GIQ_HEADERS_CODING_UNSUPPORTED},
        {"x-compress", GIQ_HEADERS_CODING_UNSUPPORTED},
        {"dcb", GIQ_HEADERS_CODING_UNSUPPORTED},
        {"dcz", GIQ_HEADERS_CODING_UNSUPPORTED},
        {"exi", GIQ_HEADERS_CODING_UNSUPPORTED},
        {"pack200-gzip", GIQ_HEADERS_CODING_UNSUPPORTED},
        {"aes128gcm", GIQ_HEADERS_CODING_UNSUPPORTED},
    };
    for (size_t i = 0; i < GIQ_COUNT(known); i++) {
        if (giq_text_equal_nocase(word, known[i].word)) {
            return known[i].coding;
        }
    }
    return GIQ_HEADERS_CODING_IDENTITY;
}

enum giq_headers_coding giq_headers_get_coding(const struct giq_headers *headers)
{
    enum giq_headers_coding coding = GIQ_HEADERS_CODING_IDENTITY;
    const char *value = headers->value[GIQ_HEADERS_CONTENT_ENCODING];
    const char *at = value == NULL ? "" : value;
    while (*at != '\0') {
        size_t len = strcspn(at, ",");
        char *word = giq_text_trim(at, len);
        enum giq_headers_coding applied =
            word == NULL ? GIQ_HEADERS_CODING_UNSUPPORTED : coding_of(word);
        free(word);
        if (applied != GIQ_HEADERS_CODING_IDENTITY) {
            coding = coding == GIQ_HEADERS_CODING_IDENTITY
                         ? applied
                         : GIQ_HEADERS_CODING_UNSUPPORTED;
        }
        at += at[len] == ',' ? len + 1 : len;
    }
    return coding;
}

/* Parse the digits at `*at`, which `end` must follow. Advances `*at` past both. */
static bool parse_number(const char **at, char end, int64_t *out)
{
    enum { DIGITS_MAX = 18 }; /* fit int64_t */
    size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > DIGITS_MAX || (*at)[digits] != end) {
        return false;
    }
    *out = (int64_t)strtoll(*at, NULL, 10);
    *at += end == '\0' ? digits : digits + 1;
    return true;
}

bool giq_headers_get_range(const struct giq_headers *headers,
                           struct giq_headers_range *out)
{
    const char *at = headers->value[GIQ_HEADERS_CONTENT_RANGE];
    if (at == NULL || !giq_text_begins_nocase(at, "bytes ")) {
        return false;
    }
    at += strlen("bytes ");
    struct giq_headers_range range;
    if (!parse_number(&at, '-', &range.first) || !parse_number(&at, '/', &range.last) ||
        !parse_number(&at, '\0', &range.total) || range.first > range.last ||
        range.last >= range.total) {
        return false;
    }
    *out = range;
    return true;
}
