/* Content codings. The first byte chooses the coding and the size of the pieces in which
 * the rest is decoded. The decoded bytes do not depend on the pieces. */
#include "fuzz.h"

#include "base/giq_buf.h"
#include "net/giq_inflate.h"

enum { OUT_MAX = 1 << 20 };

static bool keep(void *ctx, const char *bytes, size_t len, struct giq_error *err)
{
    MUST(len > 0);
    return giq_buf_add(ctx, bytes, len) || giq_fail(err, GIQ_E_RESULT, "too large");
}

struct decoded {
    struct giq_buf bytes;
    struct giq_error err;
    bool is_whole;
    bool is_coded;
};

static void decode(enum giq_inflate_coding coding, const char *bytes, size_t len,
                   size_t piece, struct decoded *out)
{
    struct giq_inflate *decoder = NULL;
    *out = (struct decoded){.is_whole = false};
    giq_buf_init(&out->bytes, OUT_MAX);
    MUST(giq_inflate_new(coding, &decoder, &out->err));
    bool ok = true;
    for (size_t at = 0; ok && at < len; at += piece) {
        ok = giq_inflate_add(decoder, bytes + at, len - at < piece ? len - at : piece,
                             keep, &out->bytes, &out->err);
    }
    MUST(ok == (out->err.code == GIQ_E_NONE));
    MUST(ok || out->err.code == GIQ_E_INCOMPLETE || out->err.code == GIQ_E_RESULT);
    out->is_whole = giq_inflate_is_complete(decoder);
    out->is_coded = giq_inflate_is_coded(decoder);
    MUST(!out->is_whole || out->is_coded);
    giq_inflate_free(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) {
        return 0;
    }
    enum giq_inflate_coding coding = data[0] & 1 ? GIQ_INFLATE_DEFLATE : GIQ_INFLATE_GZIP;
    const char *bytes = (const char *)data + 1;
    struct decoded whole;
    struct decoded parts;
    /* Pieces have at least two bytes, since the first two decide whether it is coded. */
    decode(coding, bytes, size - 1, size - 1, &whole);
    decode(coding, bytes, size - 1, 2 + data[0] / 2, &parts);
    MUST(whole.err.code == parts.err.code);
    MUST(whole.is_coded == parts.is_coded);
    if (whole.err.code == GIQ_E_NONE) {
        MUST(whole.is_whole == parts.is_whole);
        MUST(whole.bytes.len == parts.bytes.len);
        MUST(whole.bytes.len == 0 ||
             memcmp(whole.bytes.data, parts.bytes.data, whole.bytes.len) == 0);
        MUST(whole.is_coded || whole.bytes.len == size - 1);
    }
    giq_buf_release(&whole.bytes);
    giq_buf_release(&parts.bytes);
    return 0;
}
