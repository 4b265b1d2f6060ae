#include "gzip_kit.h"

#include <zlib.h>

void add_gzip(struct giq_buf *out, const void *bytes, size_t len)
{
    z_stream stream = {.next_in = (z_const Bytef *)bytes, .avail_in = (uInt)len};
    assert_int_equal(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    uLong room = deflateBound(&stream, (uLong)len);
    char *member = malloc(room);
    assert_non_null(member);
    stream.next_out = (Bytef *)member;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_true(giq_buf_add(out, member, room - stream.avail_out));
    (void)deflateEnd(&stream);
    free(member);
}
