/*
 * Decoding of content codings with zlib.
 */
#include "net/giq_inflate.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { PIECE = 64 * 1024 }; /* bytes that are decoded at a time */

/* What the next byte of the body belongs to. The order matters: the functions below
 * compare positions. */
enum position {
    START,
    PLAIN,   /* a body that is not coded */
    MEMBER,  /* a compressed stream with its header and trailer */
    BETWEEN, /* a member ended: another one or the padding may begin */
    PADDING,
};

struct giq_inflate {
    enum giq_inflate_coding coding;
    enum position position;
    z_stream stream; /* initialised once a member has begun */
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
        if (giq_inflate_is_coded(decoder)) {
            (void)inflateEnd(&decoder->stream);
        }
        free(decoder);
    }
}

bool giq_inflate_is_coded(const struct giq_inflate *decoder)
{
    return decoder->position >= MEMBER;
}

bool giq_inflate_is_complete(const struct giq_inflate *decoder)
{
    return decoder->position >= BETWEEN;
}

/* `len` is at least 1. If the first piece has only one byte, the second is not checked.
 */
static bool is_gzip(const unsigned char *bytes, size_t len)
{
    return bytes[0] == 0x1F && (len == 1 || bytes[1] == 0x8B);
}

/* As is_gzip(), for zlib (RFC 1950, 2.2). */
static bool is_zlib(const unsigned char *bytes, size_t len)
{
    enum { METHOD = 0x0F, DEFLATE = 8 };
    return (bytes[0] & METHOD) == DEFLATE &&
           (len == 1 || (bytes[0] * 256 + bytes[1]) % 31 == 0);
}

/* Choose how to decode the body by its first bytes. */
static bool begin(struct giq_inflate *decoder, const char *bytes, size_t len,
                  struct giq_error *err)
{
    const unsigned char *start = (const unsigned char *)bytes;
    int window_bits = -MAX_WBITS; /* raw deflate, RFC 1951 */
    if (is_gzip(start, len)) {
        window_bits = MAX_WBITS + 16; /* gzip (zlib.h, inflateInit2) */
    } else if (decoder->coding == GIQ_INFLATE_GZIP) {
        decoder->position = PLAIN;
        return true;
    } else if (is_zlib(start, len)) {
        window_bits = MAX_WBITS; /* zlib, RFC 1950 */
    }
    if (inflateInit2(&decoder->stream, window_bits) != Z_OK) {
        return giq_fail_memory(err);
    }
    decoder->position = MEMBER;
    return true;
}

static bool fail_damaged(struct giq_error *err)
{
    return giq_fail(err, GIQ_E_INCOMPLETE,
                    "the gzip or deflate coding of the response is damaged");
}

/* Skip zeros after the last member; nothing else may follow them. */
static bool skip_padding(const char **bytes, size_t *len, struct giq_error *err)
{
    while (*len > 0 && **bytes == '\0') {
        ++*bytes;
        --*len;
    }
    return *len == 0 || fail_damaged(err);
}

/* Decode the input at `*bytes` into `out`. Advances `*bytes` past what was used.
 * `*out_len` is 0 if there is no more output for now. */
static bool step(struct giq_inflate *decoder, const char **bytes, size_t *len,
                 size_t *out_len, struct giq_error *err)
{
    z_stream *stream = &decoder->stream;
    *out_len = 0;
    if (*len > 0 && decoder->position == BETWEEN) {
        decoder->position = **bytes == '\0' ? PADDING : MEMBER;
    }
    if (decoder->position == PADDING) {
        return skip_padding(bytes, len, err);
    }
    uInt given = *len < UINT_MAX ? (uInt)*len : UINT_MAX;
    /* zlib does not write to its input, though the type may not be const. */
    stream->next_in = (z_const Bytef *)*bytes;
    stream->avail_in = given;
    stream->next_out = (Bytef *)decoder->out;
    stream->avail_out = PIECE;
    int status = inflate(stream, Z_NO_FLUSH);
    *bytes += given - stream->avail_in;
    *len -= given - stream->avail_in;
    *out_len = PIECE - stream->avail_out;
    switch (status) {
    case Z_STREAM_END:
        decoder->position = BETWEEN;
        (void)inflateReset(stream);
        return true;
    case Z_OK:
    case Z_BUF_ERROR:
        return true;
    case Z_MEM_ERROR:
        return giq_fail_memory(err);
    default:
        return fail_damaged(err);
    }
}

bool giq_inflate_add(struct giq_inflate *decoder, const char *bytes, size_t len,
                     giq_inflate_sink *sink, void *ctx, struct giq_error *err)
{
    if (len == 0) {
        return true;
    }
    if (decoder->position == START && !begin(decoder, bytes, len, err)) {
        return false;
    }
    if (decoder->position == PLAIN) {
        return sink(ctx, bytes, len, err);
    }
    size_t out_len = 0;
    do {
        if (!step(decoder, &bytes, &len, &out_len, err)) {
            return false;
        }
        if (out_len > 0 && !sink(ctx, decoder->out, out_len, err)) {
            return false;
        }
    } while (len > 0 || out_len > 0);
    return true;
}
