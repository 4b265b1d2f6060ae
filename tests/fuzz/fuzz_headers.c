/* Response headers. Input: header lines, each ended by a line feed. */
#include "fuzz.h"

#include "net/giq_headers.h"

/* Check that the strong ETag can be sent in a request. */
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
    if (giq_headers_get_range(headers, &range)) {
        MUST(headers->value[GIQ_HEADERS_CONTENT_RANGE] != NULL);
        MUST(range.first >= 0 && range.first <= range.last && range.last < range.total);
    }
}

static void check_retry_after(const struct giq_headers *headers)
{
    static const int64_t clocks[] = {0, INT64_C(784111777000), INT64_C(4102444800000)};
    for (size_t i = 0; i < GIQ_COUNT(clocks); i++) {
        int64_t ms = giq_headers_retry_after_ms(headers, clocks[i]);
        MUST(ms >= -1 && ms <= GIQ_HEADERS_RETRY_AFTER_MAX_S * INT64_C(1000));
        MUST(ms < 0 || headers->value[GIQ_HEADERS_RETRY_AFTER] != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct giq_headers headers;
    giq_headers_init(&headers);
    char *text = fuzz_text(data, size);
    char *rest = text;
    for (char *line = fuzz_line(&rest); line != NULL; line = fuzz_line(&rest)) {
        fuzz_add_header(&headers, line);
    }
    free(text);
    check_etag(giq_headers_strong_etag(&headers));
    check_range(&headers);
    check_retry_after(&headers);
    enum giq_headers_coding coding = giq_headers_get_coding(&headers);
    MUST(coding == GIQ_HEADERS_CODING_IDENTITY ||
         headers.value[GIQ_HEADERS_CONTENT_ENCODING] != NULL);
    MUST(!giq_headers_is_chunked(&headers) ||
         headers.value[GIQ_HEADERS_TRANSFER_ENCODING] != NULL);
    giq_headers_release(&headers);
    return 0;
}
