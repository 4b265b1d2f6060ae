#include "result/giq_complete.h"

#include "result/giq_bounds.h"
#include "unit.h"

#define BYTES(text) text, sizeof(text) - 1

struct sample {
    const char *label;
    const char *extension;
    const char *bytes;
    size_t len;
};

/* Files that state where they end. */
static const struct sample samples[] = {
    {"strips", "tif",
     BYTES("II*\0\10\0\0\0\4\0\3\1\3\0\1\0\0\0\1\0\0\0\21\1\4\0\3\0\0\0>\0\0\0"
           "\27\1\4\0\3\0\0\0J\0\0\0\257\207\3\0\1\0\0\0\7\0\0\0\0\0\0\0V\0\0"
           "\0X\0\0\0Z\0\0\0\2\0\0\0\2\0\0\0\4\0\0\0abcdefgh")},
    {"strips_big_endian", "tif",
     BYTES("MM\0*\0\0\0\10\0\4\1\3\0\3\0\0\0\1\0\1\0\0\1\21\0\4\0\0\0\3\0\0\0>"
           "\1\27\0\4\0\0\0\3\0\0\0J\207\257\0\3\0\0\0\1\0\7\0\0\0\0\0\0\0\0\0"
           "V\0\0\0X\0\0\0Z\0\0\0\2\0\0\0\2\0\0\0\4abcdefgh")},
    {"bigtiff_sub_directory", "tif",
     BYTES("II+\0\10\0\0\0\20\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\3\1\3\0\1\0\0\0\0"
           "\0\0\0\1\0\0\0\0\0\0\0\21\1\20\0\3\0\0\0\0\0\0\0\204\0\0\0\0\0\0\0"
           "\27\1\20\0\3\0\0\0\0\0\0\0\234\0\0\0\0\0\0\0J\1\22\0\1\0\0\0\0\0\0"
           "\0\264\0\0\0\0\0\0\0\257\207\3\0\1\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\0"
           "\0\0\0\0\0\0\0\354\0\0\0\0\0\0\0\356\0\0\0\0\0\0\0\360\0\0\0\0\0\0"
           "\0\2\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"
           "D\1\20\0\1\0\0\0\0\0\0\0\364\0\0\0\0\0\0\0E\1\20\0\1\0\0\0\0\0\0\0"
           "\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0abcdefghijklmn")},
    {"tiff_sub_directory", "tif",
     BYTES("MM\0*\0\0\0\10\0\5\1\3\0\3\0\0\0\1\0\1\0\0\1\21\0\4\0\0\0\3\0\0\0J"
           "\1\27\0\4\0\0\0\3\0\0\0V\1J\0\15\0\0\0\1\0\0\0b\207\257\0\3\0\0\0"
           "\1\0\7\0\0\0\0\0\0\0\0\0\200\0\0\0\202\0\0\0\204\0\0\0\2\0\0\0\2\0"
           "\0\0\4\0\2\1D\0\4\0\0\0\1\0\0\0\210\1E\0\4\0\0\0\1\0\0\0\6\0\0\0\0"
           "abcdefghijklmn")},
    {"cog", "tif",
     BYTES("II*\0\300\0\0\0GDAL_STRUCTURAL_METADATA_SIZE=000140 bytes\12LAYOUT"
           "=IFDS_BEFORE_DATA\12BLOCK_ORDER=ROW_MAJOR\12BLOCK_LEADER=SIZE_AS_U"
           "INT4\12BLOCK_TRAILER=LAST_4_BYTES_REPEATED\12KNOWN_INCOMPATIBLE_ED"
           "ITION=NO\12 \0\15\0\0\1\3\0\1\0\0\0(\0\0\0\1\1\3\0\1\0\0\0(\0\0\0"
           "\2\1\3\0\1\0\0\0\10\0\0\0\3\1\3\0\1\0\0\0\10\0\0\0\6\1\3\0\1\0\0\0"
           "\1\0\0\0\25\1\3\0\1\0\0\0\1\0\0\0\34\1\3\0\1\0\0\0\1\0\0\0=\1\3\0"
           "\1\0\0\0\1\0\0\0B\1\3\0\1\0\0\0\200\0\0\0C\1\3\0\1\0\0\0\200\0\0\0"
           "D\1\4\0\1\0\0\0f\1\0\0E\1\4\0\1\0\0\0<\0\0\0S\1\3\0\1\0\0\0\1\0\0"
           "\0\0\0\0\0<\0\0\0x\234\355\3151\15\0\0\10\0030\276\371w\214\5\236"
           "\35$\255\201&7S\22\277\337\357\367\373\375~\277\337\357\367\373"
           "\375~\277\337_\373\1\0\0\0\0\0\0\0\0\0\200\77\26\345\276+\301\345"
           "\276+\301")},
    {"png", "png",
     BYTES("\211PNG\15\12\32\12\0\0\0\15IHDR\0\0\0\2\0\0\0\2\10\0\0\0\0W\335R"
           "\370\0\0\0\16IDAT\10\231c`````\0\0\0\6\0\1\205\302\231\274\0\0\0\0"
           "IEND\256B`\202")},
    {"jpeg", "jpg",
     BYTES("\377\330\377\340\0\6ab\377\331\377\332\0\4cdxyz\377\0w\377\320v"
           "\377\331")},
    {"codestream", "j2k",
     BYTES("\377O\377Q\0\4ab\377R\0\3c\377\220\0\12\0\0\0\0\0\23\0\2\377\223da"
           "ta!\377\220\0\12\0\0\0\0\0\23\1\2\377\223data!\377\331")},
    {"codestream_to_its_end", "j2k",
     BYTES("\377O\377Q\0\4ab\377R\0\3c\377\220\0\12\0\0\0\0\0\23\0\2\377\223da"
           "ta!\377\220\0\12\0\0\0\0\0\0\1\2\377\223data!\377\331")},
    {"jp2", "jp2",
     BYTES("\0\0\0\14jP  \15\12\207\12\0\0\0\24ftypjp2 \0\0\0\0jp2 \0\0\0=jp2c"
           "\377O\377Q\0\4ab\377R\0\3c\377\220\0\12\0\0\0\0\0\23\0\2\377\223da"
           "ta!\377\220\0\12\0\0\0\0\0\23\1\2\377\223data!\377\331")},
    {"jp2_to_its_end", "jp2",
     BYTES("\0\0\0\14jP  \15\12\207\12\0\0\0\24ftypjp2 \0\0\0\0jp2 \0\0\0\0jp2"
           "c\377O\377Q\0\4ab\377R\0\3c\377\220\0\12\0\0\0\0\0\23\0\2\377\223d"
           "ata!\377\220\0\12\0\0\0\0\0\23\1\2\377\223data!\377\331")},
    {"jp2_long_box", "jp2",
     BYTES("\0\0\0\14jP  \15\12\207\12\0\0\0\24ftypjp2 \0\0\0\0jp2 \0\0\0\1jp2"
           "c\0\0\0\0\0\0\0E\377O\377Q\0\4ab\377R\0\3c\377\220\0\12\0\0\0\0\0"
           "\23\0\2\377\223data!\377\220\0\12\0\0\0\0\0\23\1\2\377\223data!"
           "\377\331")},
    {"flatgeobuf", "fgb",
     BYTES("fgb\3fgb\1l\0\0\0 \0\0\0\0\0\0\0\0\0\26\0\34\0\10\0\14\0\7\0\0\0\0"
           "\0\0\0\0\0\20\0\24\0\26\0\0\0\0\0\0\1<\0\0\0\24\0\0\0\14\0\0\0\2\0"
           "\0\0\0\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0@\0\0\0"
           "\0\0\0\360\77\0\0\0\0\0\0\0@\1\0\0\0v\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
           "\0\0\0\0@\0\0\0\0\0\0\360\77\0\0\0\0\0\0\0@\1\0\0\0\0\0\0\0\0\0\0"
           "\0\0\0\360\77\0\0\0\0\0\0\0@\0\0\0\0\0\0\360\77\0\0\0\0\0\0\0@\0\0"
           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0@\0\0\0\0\0\0\0\0\0\0\0"
           "\0\0\0\0@@\0\0\0\0\0\0\0<\0\0\0\20\0\0\0\0\0\0\0\0\0\6\0\10\0\4\0"
           "\6\0\0\0\14\0\0\0\10\0\10\0\0\0\4\0\10\0\0\0\4\0\0\0\2\0\0\0\0\0\0"
           "\0\0\0\360\77\0\0\0\0\0\0\0@<\0\0\0\20\0\0\0\0\0\0\0\0\0\6\0\10\0"
           "\4\0\6\0\0\0\14\0\0\0\10\0\10\0\0\0\4\0\10\0\0\0\4\0\0\0\2\0\0\0\0"
           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0@")},
    {"flatgeobuf_without_index", "fgb",
     BYTES("fgb\3fgb\1l\0\0\0 \0\0\0\0\0\0\0\30\0\34\0\10\0\14\0\5\0\0\0\0\0\0"
           "\0\0\0\20\0\24\0\6\0\30\0\0\0\0\1\0\0<\0\0\0\24\0\0\0\14\0\0\0\2\0"
           "\0\0\0\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0@\0\0\0"
           "\0\0\0\360\77\0\0\0\0\0\0\0@\1\0\0\0v\0\0\0<\0\0\0\20\0\0\0\0\0\0"
           "\0\0\0\6\0\10\0\4\0\6\0\0\0\14\0\0\0\10\0\10\0\0\0\4\0\10\0\0\0\4"
           "\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0@<\0\0\0\20\0\0\0\0\0"
           "\0\0\0\0\6\0\10\0\4\0\6\0\0\0\14\0\0\0\10\0\10\0\0\0\4\0\10\0\0\0"
           "\4\0\0\0\2\0\0\0\0\0\0\0\0\0\360\77\0\0\0\0\0\0\0@")},
    {"arrow_file", "arrow",
     BYTES("ARROW1\0\0\377\377\377\377(\0\0\0\20\0\0\0\14\0\24\0\4\0\6\0\0\0"
           "\14\0\14\0\0\0\4\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\377\377\377"
           "\377(\0\0\0\20\0\0\0\14\0\24\0\4\0\6\0\0\0\14\0\14\0\0\0\4\0\3\0\0"
           "\0\0\0\20\0\0\0\0\0\0\0\0\0\0\0BBBBBBBBBBBBBBBB\10\0\0\0ARROW1")},
    {"parquet", "parquet", BYTES("PAR1data\4\0\0\0PAR1")},
    {"shp", "shp",
     BYTES("\0\0'\12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0006\0\0\0\0"
           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
           "\0\0recordno")},
    {"kmz", "kmz", BYTES("PK\3\4xxxxPK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")},
    {"kml", "kml",
     BYTES("<\77xml version='1.0'\77><kml><Document><Folder/></Document></kml>")},
};

/* Files that do not, that are longer than they state, or of unknown forms. */
static const struct sample odd_samples[] = {
    {"holes", "tif",
     BYTES("II*\0\10\0\0\0\4\0\3\1\3\0\1\0\0\0\1\0\0\0\21\1\4\0\3\0\0\0>\0\0\0"
           "\27\1\4\0\3\0\0\0J\0\0\0\257\207\3\0\1\0\0\0\7\0\0\0\0\0\0\0\0\0\0"
           "\0V\0\0\0\77B\17\0\7\0\0\0\2\0\0\0\0\0\0\0ab")},
    {"old_jpeg", "tif",
     BYTES("II*\0\10\0\0\0\4\0\3\1\3\0\1\0\0\0\6\0\0\0\21\1\4\0\3\0\0\0>\0\0\0"
           "\27\1\4\0\3\0\0\0J\0\0\0\257\207\3\0\1\0\0\0\7\0\0\0\0\0\0\0V\0\0"
           "\0X\0\0\0Z\0\0\0\347\3\0\0\347\3\0\0\347\3\0\0abcdefgh")},
    {"directories_in_a_ring", "tif",
     BYTES("II*\0\10\0\0\0\1\0\0\1\3\0\1\0\0\0\1\0\0\0\10\0\0\0")},
    {"png_with_junk", "png",
     BYTES("\211PNG\15\12\32\12\0\0\0\15IHDR\0\0\0\2\0\0\0\2\10\0\0\0\0W\335R"
           "\370\0\0\0\16IDAT\10\231c`````\0\0\0\6\0\1\205\302\231\274\0\0\0\0"
           "IEND\256B`\202junk")},
    {"jpeg_with_junk", "jpg",
     BYTES("\377\330\377\340\0\6ab\377\331\377\332\0\4cdxyz\377\0w\377\320v"
           "\377\331junk\0\0")},
    {"jpeg_with_a_mask", "jpg",
     BYTES("\377\330\377\340\0\6ab\377\331\377\332\0\4cdxyz\377\0w\377\320v"
           "\377\331mask\33\0\0\0")},
    {"jpeg_of_other_bytes", "jpg", BYTES("\377\330\377xyz")},
    {"codestream_with_junk", "j2k",
     BYTES("\377O\377Q\0\4ab\377R\0\3c\377\220\0\12\0\0\0\0\0\23\0\2\377\223da"
           "ta!\377\220\0\12\0\0\0\0\0\23\1\2\377\223data!\377\331xx")},
    {"codestream_to_its_end_with_junk", "j2k",
     BYTES("\377O\377Q\0\4ab\377R\0\3c\377\220\0\12\0\0\0\0\0\23\0\2\377\223da"
           "ta!\377\220\0\12\0\0\0\0\0\0\1\2\377\223data!\377\331xx")},
    {"jp2_with_junk", "jp2",
     BYTES("\0\0\0\14jP  \15\12\207\12\0\0\0\24ftypjp2 \0\0\0\0jp2 \0\0\0=jp2c"
           "\377O\377Q\0\4ab\377R\0\3c\377\220\0\12\0\0\0\0\0\23\0\2\377\223da"
           "ta!\377\220\0\12\0\0\0\0\0\23\1\2\377\223data!\377\331\0\0\0\0\0\0"
           "\0\0\0")},
    {"arrow_stream_without_a_mark", NULL,
     BYTES("\377\377\377\377(\0\0\0\20\0\0\0\14\0\24\0\4\0\6\0\0\0\14\0\14\0\0"
           "\0\4\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\377\377\377\377(\0\0\0"
           "\20\0\0\0\14\0\24\0\4\0\6\0\0\0\14\0\14\0\0\0\4\0\3\0\0\0\0\0\20\0"
           "\0\0\0\0\0\0\0\0\0\0BBBBBBBBBBBBBBBB")},
    {"arrow_stream_with_a_mark", NULL,
     BYTES("\377\377\377\377(\0\0\0\20\0\0\0\14\0\24\0\4\0\6\0\0\0\14\0\14\0\0"
           "\0\4\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\377\377\377\377(\0\0\0"
           "\20\0\0\0\14\0\24\0\4\0\6\0\0\0\14\0\14\0\0\0\4\0\3\0\0\0\0\0\20\0"
           "\0\0\0\0\0\0\0\0\0\0BBBBBBBBBBBBBBBB\377\377\377\377\0\0\0\0")},
    {"other_minus_one", NULL,
     BYTES("\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377"
           "\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377"
           "\377\377\377\377\377\377\377\377")},
    {"parquet_with_a_secret_footer", "parquet", BYTES("PAR1data\4\0\0\0PARE")},
    {"zip_with_a_comment", "kmz", BYTES("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\3\0abc")},
    {"minus_one_and_a_length", NULL,
     BYTES("\377\377\377\377\0\1\0\0 a table of the user's own")},
    {"kml_that_is_empty", "kml", BYTES("<kml xmlns='x'/>\12")},
    {"kml_that_is_empty_after_a_comment", "kml", BYTES("<!-- <a> --><kml/>")},
    {"kml_with_a_comment", "kml", BYTES("<k:kml><a/></k:kml >\12<!-- x -->\12")},
    {"gml", "gml", BYTES("<wfs:FeatureCollection a='b'><c/></wfs:FeatureCollection>")},
};

struct memory {
    const char *bytes;
    size_t len;
    bool fails;
};

static bool read_memory(void *ctx, uint64_t at, void *bytes, size_t len,
                        struct giq_error *err)
{
    const struct memory *memory = ctx;
    assert_true(at <= memory->len && len <= memory->len - at);
    if (memory->fails) {
        return giq_fail(err, GIQ_E_STORE, "the disk is gone");
    }
    memcpy(bytes, memory->bytes + at, len);
    return true;
}

/* The outcome for the first `len` bytes of a sample, which nothing may be read behind. */
static enum giq_code check(const struct sample *sample, size_t len, struct giq_error *err)
{
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy, sample->bytes, len);
    struct memory memory = {copy, len, false};
    const struct giq_bounds_source source = {read_memory, &memory, len};
    *err = (struct giq_error){0};
    bool ok = giq_complete_check(&source, sample->extension, err);
    assert_int_equal(ok, err->code == GIQ_E_NONE);
    free(copy);
    return err->code;
}

static void test_each_cut_is_found(void **state)
{
    (void)state;
    enum { HEAD = 16 };
    for (size_t i = 0; i < GIQ_COUNT(samples); i++) {
        const struct sample *sample = &samples[i];
        struct giq_error err;
        if (check(sample, sample->len, &err) != GIQ_E_NONE) {
            fail_msg("%s: %s", sample->label, err.text);
        }
        for (size_t len = HEAD; len < sample->len; len++) {
            if (check(sample, len, &err) != GIQ_E_INCOMPLETE) {
                fail_msg("%s is whole with %zu bytes", sample->label, len);
            }
        }
    }
}

static void test_what_is_not_provably_cut_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(odd_samples); i++) {
        struct giq_error err;
        if (check(&odd_samples[i], odd_samples[i].len, &err) != GIQ_E_NONE) {
            fail_msg("%s: %s", odd_samples[i].label, err.text);
        }
    }
}

/* Many bytes may follow the end of a file. */
static void test_end_is_found_far_from_the_end_of_the_file(void **state)
{
    (void)state;
    static const struct {
        struct sample sample;
        char filler;
        unsigned len;
        enum giq_code code;
    } cases[] = {
        {{"kml", "kml", BYTES("<kml></kml>")}, '\n', 70000, GIQ_E_NONE},
        {{"gpx", "gpx", BYTES("<gpx></gpx >")}, ' ', 200000, GIQ_E_NONE},
        {{"gml", "gml", BYTES("<a:FeatureCollection></a:FeatureCollection><!--")},
         'x',
         300000,
         GIQ_E_NONE},
        {{"empty", "kml", BYTES("<kml/>")}, '\n', 200000, GIQ_E_NONE},
        {{"cut_after_a_zip_in_it", "kmz",
          BYTES("PK\3\4[PK\3\4xxPK\1\2PK\5\6\0\0\0\0\0\0\0\0\4\0\0\0\6\0\0\0\0\0")},
         'x',
         9,
         GIQ_E_INCOMPLETE},
        {{"open", "kml", BYTES("<kml><a/>")}, '\n', 200000, GIQ_E_INCOMPLETE},
        {{"page", "kml", BYTES("<kml></html></kmlx>")}, 'x', 200000, GIQ_E_INCOMPLETE},
        {{"zip", "kmz",
          BYTES("PK\3\4PK\1\2PK\5\6\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0\0\377\377")},
         'x',
         65535,
         GIQ_E_NONE},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct sample *start = &cases[i].sample;
        char *bytes = malloc(start->len + cases[i].len);
        assert_non_null(bytes);
        memcpy(bytes, start->bytes, start->len);
        memset(bytes + start->len, cases[i].filler, cases[i].len);
        const struct sample sample = {start->label, start->extension, bytes,
                                      start->len + cases[i].len};
        struct giq_error err;
        if (check(&sample, sample.len, &err) != cases[i].code) {
            fail_msg("%s: %s", sample.label, err.text);
        }
        free(bytes);
    }
}

static void test_text_says_how_much_is_there_and_what_is_missing(void **state)
{
    (void)state;
    static const struct {
        struct sample sample;
        const char *text;
    } cases[] = {
        {{"shp", "shp",
          BYTES("\0\0'\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40"
                "........................................"
                "................................")},
         "the downloaded file is truncated, although its transfer succeeded: "
         "Shapefile of 100 bytes, but at least 128 are needed"},
        {{"parquet", "parquet", BYTES("PAR1data")},
         "the downloaded file is truncated, although its transfer succeeded: "
         "Parquet of 8 bytes without PAR1 at the end"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err;
        (void)check(&cases[i].sample, cases[i].sample.len, &err);
        assert_string_equal(err.text, cases[i].text);
    }
}

/* ---- databases ---- */

static void put(char *at, unsigned number)
{
    for (int i = 3; i >= 0; i--) {
        at[i] = (char)(number & 0xFF);
        number >>= 8;
    }
}

static void test_pages_of_a_database_count_where_its_header_is_valid(void **state)
{
    (void)state;
    enum { LEN = 4096 };
    static const struct {
        unsigned page_size, pages, changes, valid_for;
        size_t len;
        enum giq_code code;
    } cases[] = {
        {512, 8, 3, 3, LEN, GIQ_E_NONE},
        {512, 8, 3, 3, LEN - 1, GIQ_E_INCOMPLETE},
        {4096, 1, 3, 3, LEN, GIQ_E_NONE},
        {4096, 2, 3, 3, LEN, GIQ_E_INCOMPLETE},
        {1, 1, 3, 3, LEN, GIQ_E_INCOMPLETE},
        {4096, 0xFFFFFFFF, 7, 7, LEN, GIQ_E_INCOMPLETE},
        {4096, 2, 4, 3, LEN, GIQ_E_NONE},
        {4096, 0, 3, 3, LEN, GIQ_E_NONE},
        {1000, 99, 3, 3, LEN, GIQ_E_NONE},
        {0, 99, 3, 3, LEN, GIQ_E_NONE},
    };
    static const char *const kinds[] = {"gpkg", "mbtiles", "sqlite"};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char bytes[LEN] = "SQLite format 3";
        bytes[16] = (char)(cases[i].page_size >> 8);
        bytes[17] = (char)(cases[i].page_size & 0xFF);
        put(bytes + 24, cases[i].changes);
        put(bytes + 28, cases[i].pages);
        put(bytes + 92, cases[i].valid_for);
        for (size_t k = 0; k < GIQ_COUNT(kinds); k++) {
            const struct sample sample = {"database", kinds[k], bytes, cases[i].len};
            struct giq_error err;
            assert_int_equal(check(&sample, sample.len, &err), cases[i].code);
        }
    }
}

/* ---- JSON ---- */

static void test_brackets_of_json_are_counted_however_it_comes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *extension;
        enum giq_code code;
    } cases[] = {
        {"{\"a\":[1,2]}", "geojson", GIQ_E_NONE},
        {"\xEF\xBB\xBF\n {\"a\":[1,2]}\n", "geojson", GIQ_E_NONE},
        {"{\"a\":\"}]\\\"\",\"b\":{}}", "geojson", GIQ_E_NONE},
        {"{\"a\":\"\\\\\"}", "geojson", GIQ_E_NONE},
        {"{\"a\":[1,2]} junk {", "geojson", GIQ_E_NONE},
        {"{\"a\":[{\"b\":1}", "geojson", GIQ_E_INCOMPLETE},
        {"{\"a\":[{\"b\":1}]", "topojson", GIQ_E_INCOMPLETE},
        {"{\"a\":\"}", "geojson", GIQ_E_INCOMPLETE},
        {"{\"a\":\"\\\"}", "geojson", GIQ_E_INCOMPLETE},
        {"{\"a\":1}\n{\"a\":2}\n", "geojsonl", GIQ_E_NONE},
        {"{\"a\":1}\n{\"a\":", "geojsonl", GIQ_E_INCOMPLETE},
        {"\x1e{\"a\":1}\n\x1e{\"a\":2}\n", "geojsons", GIQ_E_NONE},
        {"\x1e{\"a\":1}\n\x1e{\"a\":\"", "geojsons", GIQ_E_INCOMPLETE},
        {"{\"a\":[", "csv", GIQ_E_NONE},
        {"{\"a\":[", NULL, GIQ_E_NONE},
        {"id,{\"a\":[", "geojson", GIQ_E_NONE},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        size_t len = strlen(cases[i].text);
        for (size_t step = 1; step <= len; step++) {
            struct giq_complete_json json = {0};
            struct giq_error err = {0};
            for (size_t at = 0; at < len; at += step) {
                giq_complete_json_scan(&json, cases[i].text + at,
                                       len - at < step ? len - at : step);
            }
            (void)giq_complete_json_check(&json, cases[i].extension, &err);
            assert_int_equal(err.code, cases[i].code);
        }
    }
}

/* ---- limits ---- */

static void test_failing_read_is_an_error_of_its_own(void **state)
{
    (void)state;
    struct memory memory = {samples[0].bytes, samples[0].len, true};
    const struct giq_bounds_source source = {read_memory, &memory, samples[0].len};
    struct giq_error err = {0};
    assert_false(giq_complete_check(&source, samples[0].extension, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    assert_string_equal(err.text, "the disk is gone");
}

static bool read_zeros(void *ctx, uint64_t at, void *bytes, size_t len,
                       struct giq_error *err)
{
    (void)at, (void)err;
    *(uint64_t *)ctx += len;
    memset(bytes, 0, len);
    return true;
}

static void test_numbers_are_limited(void **state)
{
    (void)state;
    uint64_t bytes = 0;
    const struct giq_bounds_source source = {read_zeros, &bytes, 8};
    struct giq_bounds *file = calloc(1, sizeof *file);
    struct giq_error err = {0};
    assert_non_null(file);
    *file = (struct giq_bounds){.source = &source, .err = &err, .size = source.size};
    file->numbers = GIQ_BOUNDS_NUMBERS_MAX - 1;
    (void)giq_bounds_number(file, 0, 4);
    assert_false(file->stop);
    (void)giq_bounds_number(file, 0, 4);
    assert_true(file->stop && !file->failed);
    free(file);
}

static void test_reading_ends_at_its_limit_and_knows_nothing(void **state)
{
    (void)state;
    uint64_t bytes = 0;
    /* All of it is looked through for the end of the image. */
    const struct giq_bounds_source source = {read_zeros, &bytes, UINT64_C(1) << 40};
    struct giq_bounds *file = calloc(1, sizeof *file);
    struct giq_error err = {0};
    assert_non_null(file);
    *file = (struct giq_bounds){.source = &source, .err = &err, .size = source.size};
    assert_false(giq_bounds_find_pair(file, 0, 0xFF, 0xD9));
    assert_true(file->stop && !file->failed);
    assert_int_equal(file->size_min, 0);
    assert_null(file->missing);
    assert_true(bytes >= GIQ_BOUNDS_BYTES_MAX - GIQ_BOUNDS_WINDOW &&
                bytes <= GIQ_BOUNDS_BYTES_MAX);
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_cut_is_found),
        cmocka_unit_test(test_what_is_not_provably_cut_is_whole),
        cmocka_unit_test(test_end_is_found_far_from_the_end_of_the_file),
        cmocka_unit_test(test_text_says_how_much_is_there_and_what_is_missing),
        cmocka_unit_test(test_pages_of_a_database_count_where_its_header_is_valid),
        cmocka_unit_test(test_brackets_of_json_are_counted_however_it_comes),
        cmocka_unit_test(test_failing_read_is_an_error_of_its_own),
        cmocka_unit_test(test_numbers_are_limited),
        cmocka_unit_test(test_reading_ends_at_its_limit_and_knows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
