/* Header lines of a response, each ended by a line feed. */
#include "fuzz.h"

#include "net/giq_headers.h"

static void check_value(const char *value)
{
    if (value == NULL || value[0] == '\0') {
        return;
    }
    MUST(strchr(" \t\r\n", value[0]) == NULL);
    MUST(strchr(" \t\r\n", value[strlen(value) - 1]) == NULL);
    MUST(strchr(value, '\n') == NULL);
}

/* A strong entity-tag as it may stand in a request. */
static void check_etag(const char *etag)
{
    if (etag == NULL) {
        return;
    }
    size_t len = strlen(etag);
    MUST(len > 2 && etag[0] == '"' && etag[len - 1] == '"');
    for (size_t i = 1; i < len - 1; i++) {
        unsigned char c = (unsigned char)etag[i];
        MUST(c >= 0x20 && c != 0x7F && c != '"');
    }
}

static void check_range(const struct giq_headers *headers)
{
    struct giq_headers_range range;
    if (giq_headers_range(headers, &range)) {
        MUST(headers->range != NULL);
        MUST(range.first >= 0 && range.first <= range.last && range.last < range.total);
    }
}

static void check_retry_after(const struct giq_headers *headers)
{
    static const int64_t clocks[] = {0, INT64_C(784111777000), INT64_C(4102444800000)};
    for (size_t i = 0; i < GIQ_COUNT(clocks); i++) {
        int64_t ms = giq_headers_retry_after_ms(headers, clocks[i]);
        MUST(ms >= -1 && ms <= GIQ_HEADERS_RETRY_AFTER_MAX_S * INT64_C(1000));
        MUST(ms < 0 || headers->retry_after != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct giq_headers headers;
    giq_headers_init(&headers);
    size_t used = 0;
    bool ok = true;
    while (ok && used < size) {
        const uint8_t *end = memchr(data + used, '\n', size - used);
        size_t len = end == NULL ? size - used : (size_t)(end - data) + 1 - used;
        char *line = malloc(len);
        MUST(line != NULL);
        memcpy(line, data + used, len);
        ok = giq_headers_line(&headers, line, len);
        free(line);
        used += len;
        MUST(headers.bytes <= GIQ_HEADERS_BYTES_MAX);
        MUST(ok || used > GIQ_HEADERS_BYTES_MAX);
    }
    check_value(headers.disposition);
    check_value(headers.encoding);
    check_value(headers.etag);
    check_value(headers.range);
    check_value(headers.retry_after);
    check_etag(giq_headers_strong_etag(&headers));
    check_range(&headers);
    check_retry_after(&headers);
    giq_headers_release(&headers);
    return 0;
}
