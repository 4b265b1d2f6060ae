#include "net/giq_headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/giq_text.h"

void giq_headers_init(struct giq_headers *headers)
{
    *headers = (struct giq_headers){0};
}

void giq_headers_release(struct giq_headers *headers)
{
    free(headers->disposition);
    free(headers->encoding);
    free(headers->etag);
    free(headers->range);
    free(headers->retry_after);
    giq_headers_init(headers);
}

static bool ends_in_chunked(const char *value)
{
    static const char word[] = "chunked";
    size_t len = strlen(value);
    size_t word_len = sizeof word - 1;
    return len >= word_len && giq_text_same(value + len - word_len, word);
}

/* What a further line of a header makes of the one before; takes ownership of `value`.
 * Lines of Content-Encoding add up (RFC 9110, 5.3). Proofs that contradict each other
 * prove nothing. Of the others the last one counts. */
static char *merge(const struct giq_headers *headers, char *const *slot, char *value)
{
    bool is_proof = slot == &headers->etag || slot == &headers->range;
    if (is_proof && strcmp(*slot, value) != 0) {
        value[0] = '\0';
    }
    if (slot != &headers->encoding) {
        return value;
    }
    char *both = NULL;
    both = asprintf(&both, "%s,%s", *slot, value) < 0 ? NULL : both;
    free(value);
    return both;
}

/* Takes ownership of `value`. */
static void note(struct giq_headers *headers, const char *name, char *value)
{
    const struct {
        const char *name;
        char **slot;
    } kept[] = {
        {"Content-Disposition", &headers->disposition},
        {"Content-Encoding", &headers->encoding},
        {"Content-Range", &headers->range},
        {"ETag", &headers->etag},
        {"Retry-After", &headers->retry_after},
    };
    for (size_t i = 0; i < GIQ_COUNT(kept); i++) {
        if (giq_text_same(name, kept[i].name)) {
            if (*kept[i].slot != NULL) {
                value = merge(headers, kept[i].slot, value);
            }
            free(*kept[i].slot);
            *kept[i].slot = value;
            return;
        }
    }
    if (giq_text_same(name, "Transfer-Encoding")) {
        headers->chunked = ends_in_chunked(value);
    }
    free(value);
}

/* The line that ends a headers. Without its line feed the response was cut. */
static bool is_blank(const char *bytes, size_t len)
{
    return (len == 1 && bytes[0] == '\n') || (len == 2 && memcmp(bytes, "\r\n", 2) == 0);
}

bool giq_headers_line(struct giq_headers *headers, const char *bytes, size_t len)
{
    size_t total = headers->bytes + len;
    if (total > GIQ_HEADERS_BYTES_MAX) {
        return false;
    }
    if (len > 5 && memcmp(bytes, "HTTP/", 5) == 0) {
        giq_headers_release(headers);
    }
    headers->bytes = total;
    if (is_blank(bytes, len)) {
        headers->is_whole = true;
        return true;
    }
    const char *colon = memchr(bytes, ':', len);
    if (colon == NULL) {
        return true;
    }
    char *name = giq_text_trim(bytes, (size_t)(colon - bytes));
    char *value = giq_text_trim(colon + 1, len - (size_t)(colon + 1 - bytes));
    if (name != NULL && value != NULL) {
        note(headers, name, value);
        value = NULL;
    }
    free(value);
    free(name);
    return true;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7; the obsolete forms are not
 * sent by anything that also sends Retry-After). */
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
    return giq_text_civil(civil, out_ms);
}

int64_t giq_headers_retry_after_ms(const struct giq_headers *headers, int64_t wall_ms)
{
    const char *value = headers->retry_after;
    if (value == NULL || value[0] == '\0') {
        return -1;
    }
    const int64_t most = GIQ_HEADERS_RETRY_AFTER_MAX_S * INT64_C(1000);
    int64_t ms = 0;
    if (value[strspn(value, "0123456789")] == '\0') {
        /* Nine digits are beyond the limit already. */
        ms = strlen(value) > 9 ? most : (int64_t)strtol(value, NULL, 10) * 1000;
    } else if (parse_http_date(value, &ms)) {
        ms = ms > wall_ms ? ms - wall_ms : 0;
    } else {
        return -1;
    }
    return ms > most ? most : ms;
}

const char *giq_headers_strong_etag(const struct giq_headers *headers)
{
    const char *etag = headers->etag;
    size_t len = etag == NULL ? 0 : strlen(etag);
    bool is_quoted = len > 2 && etag[0] == '"' && etag[len - 1] == '"';
    for (size_t i = 1; is_quoted && i < len - 1; i++) {
        unsigned char c = (unsigned char)etag[i];
        is_quoted = c >= 0x20 && c != 0x7F && c != '"';
    }
    return is_quoted ? etag : NULL;
}

/* The codings that are registered (RFC 9110, 16.6.1); what else services put there says
 * nothing of the bytes. */
static enum giq_headers_coding coding_of(const char *word)
{
    static const struct {
        const char *word;
        enum giq_headers_coding coding;
    } known[] = {
        {"gzip", GIQ_HEADERS_GZIP},
        {"x-gzip", GIQ_HEADERS_GZIP},
        {"deflate", GIQ_HEADERS_DEFLATE},
        {"br", GIQ_HEADERS_UNSUPPORTED},
        {"zstd", GIQ_HEADERS_UNSUPPORTED},
        {"compress", GIQ_HEADERS_UNSUPPORTED},
        {"x-compress", GIQ_HEADERS_UNSUPPORTED},
        {"dcb", GIQ_HEADERS_UNSUPPORTED},
        {"dcz", GIQ_HEADERS_UNSUPPORTED},
        {"exi", GIQ_HEADERS_UNSUPPORTED},
        {"pack200-gzip", GIQ_HEADERS_UNSUPPORTED},
        {"aes128gcm", GIQ_HEADERS_UNSUPPORTED},
    };
    for (size_t i = 0; i < GIQ_COUNT(known); i++) {
        if (giq_text_same(word, known[i].word)) {
            return known[i].coding;
        }
    }
    return GIQ_HEADERS_IDENTITY;
}

enum giq_headers_coding giq_headers_coding(const struct giq_headers *headers)
{
    enum giq_headers_coding coding = GIQ_HEADERS_IDENTITY;
    const char *at = headers->encoding == NULL ? "" : headers->encoding;
    while (*at != '\0') {
        size_t len = strcspn(at, ",");
        char *word = giq_text_trim(at, len);
        enum giq_headers_coding one =
            word == NULL ? GIQ_HEADERS_UNSUPPORTED : coding_of(word);
        free(word);
        if (one != GIQ_HEADERS_IDENTITY) {
            coding = coding == GIQ_HEADERS_IDENTITY ? one : GIQ_HEADERS_UNSUPPORTED;
        }
        at += len + (at[len] == ',');
    }
    return coding;
}

/* Digits at `*at`, which moves behind them and the character `end`. */
static bool take_number(const char **at, char end, int64_t *out)
{
    size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > 18 || (*at)[digits] != end) {
        return false;
    }
    *out = (int64_t)strtoll(*at, NULL, 10);
    *at += digits + (end != '\0');
    return true;
}

bool giq_headers_range(const struct giq_headers *headers, struct giq_headers_range *out)
{
    const char *at = headers->range;
    if (at == NULL || !giq_text_begins(at, "bytes ")) {
        return false;
    }
    at += strlen("bytes ");
    struct giq_headers_range range;
    if (!take_number(&at, '-', &range.first) || !take_number(&at, '/', &range.last) ||
        !take_number(&at, '\0', &range.total) || range.first > range.last ||
        range.last >= range.total) {
        return false;
    }
    *out = range;
    return true;
}
