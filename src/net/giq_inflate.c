#include "net/giq_inflate.h"

#include <stdlib.h>

#include "base/giq_gzip.h"

enum { PIECE = 64 * 1024 };

struct giq_inflate {
    enum giq_inflate_coding coding;
    bool has_begun;
    struct giq_gunzip *gunzip; /* NULL where the body is not coded */
    char out[PIECE];
};

bool giq_inflate_new(enum giq_inflate_coding coding, struct giq_inflate **out,
                     struct giq_error *err)
{
    struct giq_inflate *decoder = calloc(1, sizeof *decoder);
    if (decoder == NULL) {
        return giq_fail_memory(err);
    }
    decoder->coding = coding;
    *out = decoder;
    return true;
}

void giq_inflate_free(struct giq_inflate *decoder)
{
    if (decoder != NULL) {
        giq_gunzip_free(decoder->gunzip);
        free(decoder);
    }
}

bool giq_inflate_is_coded(const struct giq_inflate *decoder)
{
    return decoder->gunzip != NULL;
}

bool giq_inflate_is_whole(const struct giq_inflate *decoder)
{
    return decoder->gunzip != NULL && giq_gunzip_is_complete(decoder->gunzip);
}

static bool is_gzip(const unsigned char *bytes, size_t len)
{
    return bytes[0] == 0x1F && (len == 1 || bytes[1] == 0x8B);
}

/* RFC 1950, 2.2. */
static bool is_zlib(const unsigned char *bytes, size_t len)
{
    enum { METHOD = 0x0F, DEFLATE = 8 };
    return (bytes[0] & METHOD) == DEFLATE &&
           (len == 1 || (bytes[0] * 256 + bytes[1]) % 31 == 0);
}

/* The first bytes of a body show what it is. */
static bool begin(struct giq_inflate *decoder, const char *bytes, size_t len,
                  struct giq_error *err)
{
    const unsigned char *head = (const unsigned char *)bytes;
    decoder->has_begun = true;
    if (is_gzip(head, len)) {
        return giq_gunzip_new_form(GIQ_GUNZIP_GZIP, &decoder->gunzip, err);
    }
    if (decoder->coding == GIQ_INFLATE_GZIP) {
        return true;
    }
    return giq_gunzip_new_form(is_zlib(head, len) ? GIQ_GUNZIP_ZLIB : GIQ_GUNZIP_RAW,
                               &decoder->gunzip, err);
}

/* One piece of output; `*out_made` is 0 where there is none left. */
static bool step(struct giq_inflate *decoder, const char **bytes, size_t *len,
                 size_t *out_made, struct giq_error *err)
{
    if (giq_gunzip_step(decoder->gunzip, bytes, len, decoder->out, PIECE, out_made,
                        err)) {
        return true;
    }
    if (err->code == GIQ_E_RESULT) {
        (void)giq_fail(err, GIQ_E_INCOMPLETE, "its content coding is damaged");
    }
    return false;
}

bool giq_inflate_add(struct giq_inflate *decoder, const char *bytes, size_t len,
                     giq_inflate_sink *sink, void *ctx, struct giq_error *err)
{
    if (len == 0) {
        return true;
    }
    if (!decoder->has_begun && !begin(decoder, bytes, len, err)) {
        return false;
    }
    if (decoder->gunzip == NULL) {
        return sink(ctx, bytes, len, err);
    }
    for (size_t made = 1; len > 0 || made > 0;) {
        if (!step(decoder, &bytes, &len, &made, err) ||
            (made > 0 && !sink(ctx, decoder->out, made, err))) {
            return false;
        }
    }
    return true;
}
