#include "net/giq_inflate.h"

#include "unit.h"

#include <zlib.h>

#include "base/giq_buf.h"

enum { GZIP = MAX_WBITS + 16, ZLIB = MAX_WBITS, RAW = -MAX_WBITS, SIZE_MAX_CODED = 4096 };

/* `text` in one of these forms behind what `out` holds. */
static void code(struct giq_buf *out, const char *text, int bits)
{
    unsigned char coded[SIZE_MAX_CODED];
    z_stream stream = {.next_in = (unsigned char *)text,
                       .avail_in = (unsigned)strlen(text),
                       .next_out = coded,
                       .avail_out = sizeof coded};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_true(giq_buf_add(out, coded, stream.total_out));
    assert_int_equal(deflateEnd(&stream), Z_OK);
}

static bool keep(void *ctx, const char *bytes, size_t len, struct giq_error *err)
{
    return giq_buf_add(ctx, bytes, len) || giq_fail(err, GIQ_E_STORE, "full");
}

/* Decode in pieces of `piece` bytes; false where that fails with GIQ_E_INCOMPLETE. */
static bool decode(enum giq_inflate_coding coding, const struct giq_buf *in, size_t piece,
                   struct giq_buf *out, bool *out_whole, bool *out_coded)
{
    struct giq_error err = {0};
    struct giq_inflate *decoder = NULL;
    bool ok = true;
    assert_true(giq_inflate_new(coding, &decoder, &err));
    giq_buf_release(out);
    for (size_t at = 0; ok && at < in->len; at += piece) {
        size_t len = in->len - at < piece ? in->len - at : piece;
        ok = giq_inflate_add(decoder, in->data + at, len, keep, out, &err);
    }
    assert_int_equal(err.code, ok ? GIQ_E_NONE : GIQ_E_INCOMPLETE);
    *out_whole = giq_inflate_is_complete(decoder);
    *out_coded = giq_inflate_is_coded(decoder);
    giq_inflate_free(decoder);
    return ok;
}

/* `text` NULL: any. */
static void check(enum giq_inflate_coding coding, const struct giq_buf *in, bool ok,
                  bool whole, bool coded, const char *text)
{
    struct giq_buf out;
    giq_buf_init(&out, 1 << 20);
    for (size_t piece = 1; piece <= in->len; piece += piece < 4 ? 1 : in->len - 4) {
        bool is_whole = !whole;
        bool is_coded = !coded;
        assert_int_equal(decode(coding, in, piece, &out, &is_whole, &is_coded), ok);
        assert_int_equal(is_coded, coded);
        if (ok) {
            assert_int_equal(is_whole, whole);
        }
        if (ok && text != NULL) {
            assert_string_equal(giq_buf_text(&out), text);
        }
    }
    giq_buf_release(&out);
}

static void test_bodies_are_decoded_in_pieces(void **state)
{
    (void)state;
    static const struct {
        enum giq_inflate_coding coding;
        int bits;
    } cases[] = {
        {GIQ_INFLATE_GZIP, GZIP},
        {GIQ_INFLATE_DEFLATE, ZLIB},
        {GIQ_INFLATE_DEFLATE, RAW},
        {GIQ_INFLATE_DEFLATE, GZIP},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_buf in;
        giq_buf_init(&in, 1 << 20);
        code(&in, "what was meant", cases[i].bits);
        check(cases[i].coding, &in, true, true, true, "what was meant");
        in.len -= 3;
        check(cases[i].coding, &in, true, false, true, NULL);
        giq_buf_release(&in);
    }
}

static void test_what_follows_a_gzip_stream(void **state)
{
    (void)state;
    static const struct {
        const char *bytes; /* NULL: another stream */
        size_t len;
        bool ok, whole;
        const char *text;
    } cases[] = {
        {NULL, 0, true, true, "oneone"},  {"\0\0\0", 3, true, true, "one"},
        {"\0\0x", 3, false, false, NULL}, {"x", 1, true, false, "one"},
        {"xx", 2, false, false, NULL},    {"\x1F\x8Bxx", 4, false, false, NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_buf in;
        giq_buf_init(&in, 1 << 20);
        code(&in, "one", GZIP);
        if (cases[i].bytes == NULL) {
            code(&in, "one", GZIP);
        } else {
            assert_true(giq_buf_add(&in, cases[i].bytes, cases[i].len));
        }
        check(GIQ_INFLATE_GZIP, &in, cases[i].ok, cases[i].whole, true, cases[i].text);
        giq_buf_release(&in);
    }
}

static void test_damaged_bytes_are_found(void **state)
{
    (void)state;
    struct giq_buf in;
    giq_buf_init(&in, 1 << 20);
    code(&in, "what was meant", GZIP);
    in.data[in.len - 5] ^= 1; /* of the checksum */
    check(GIQ_INFLATE_GZIP, &in, false, false, true, "");
    in.data[in.len - 5] ^= 1;
    in.data[in.len - 1] ^= 1; /* of the length */
    check(GIQ_INFLATE_GZIP, &in, false, false, true, "");
    giq_buf_release(&in);
}

static void test_body_without_the_mark_of_its_coding_is_plain(void **state)
{
    (void)state;
    struct giq_buf in;
    giq_buf_init(&in, 1 << 20);
    assert_true(giq_buf_add_text(&in, "{\"type\": 1}"));
    check(GIQ_INFLATE_GZIP, &in, true, false, false, "{\"type\": 1}");
    giq_buf_release(&in);
    check(GIQ_INFLATE_GZIP, &in, true, false, false, "");
}

static void test_error_of_the_sink_ends_the_decoding(void **state)
{
    (void)state;
    struct giq_error err = {0};
    struct giq_buf in;
    struct giq_buf out;
    struct giq_inflate *decoder = NULL;
    giq_buf_init(&in, 1 << 20);
    giq_buf_init(&out, 1);
    code(&in, "what was meant", GZIP);
    assert_true(giq_inflate_new(GIQ_INFLATE_GZIP, &decoder, &err));
    assert_false(giq_inflate_add(decoder, in.data, in.len, keep, &out, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    giq_inflate_free(decoder);
    giq_buf_release(&in);
    giq_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_are_decoded_in_pieces),
        cmocka_unit_test(test_what_follows_a_gzip_stream),
        cmocka_unit_test(test_damaged_bytes_are_found),
        cmocka_unit_test(test_body_without_the_mark_of_its_coding_is_plain),
        cmocka_unit_test(test_error_of_the_sink_ends_the_decoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
