#include "base/giq_gzip.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/giq_error.h"
#include "base/giq_os.h"

enum { BLOCK_SIZE = 65536 };

/* What the next byte of input belongs to. */
enum position {
    FIRST_MEMBER,
    INSIDE,
    BETWEEN, /* a member or the padding may begin */
    PADDING,
};

struct giq_gunzip {
    z_stream stream;
    enum position position;
};

bool giq_gunzip_new(struct giq_gunzip **out, struct giq_error *err)
{
    return giq_gunzip_new_form(GIQ_GUNZIP_GZIP, out, err);
}

bool giq_gunzip_new_form(enum giq_gunzip_form form, struct giq_gunzip **out,
                         struct giq_error *err)
{
    static const int windows[] = {
        [GIQ_GUNZIP_GZIP] = MAX_WBITS + 16,
        [GIQ_GUNZIP_ZLIB] = MAX_WBITS,
        [GIQ_GUNZIP_RAW] = -MAX_WBITS,
    };
    struct giq_gunzip *gunzip = calloc(1, sizeof *gunzip);
    if (gunzip == NULL) {
        return giq_fail_memory(err);
    }
    if (inflateInit2(&gunzip->stream, windows[form]) != Z_OK) {
        free(gunzip);
        return giq_fail_memory(err);
    }
    *out = gunzip;
    return true;
}

void giq_gunzip_free(struct giq_gunzip *gunzip)
{
    if (gunzip != NULL) {
        (void)inflateEnd(&gunzip->stream);
        free(gunzip);
    }
}

static bool fail_damaged(struct giq_error *err, const char *why)
{
    return giq_fail(err, GIQ_E_RESULT, "the result is a gzip file that is damaged: %s",
                    why == NULL ? "no reason given" : why);
}

/* Skip zeros behind the last member; nothing else may follow them. */
static bool skip_padding(const char **in, size_t *in_len, struct giq_error *err)
{
    while (*in_len > 0 && **in == '\0') {
        ++*in;
        --*in_len;
    }
    return *in_len == 0 || fail_damaged(err, "other data follows its end");
}

/* Begin with the member that the input begins with. */
static void begin_member(struct giq_gunzip *gunzip, const char *in)
{
    if (gunzip->position == BETWEEN && *in == '\0') {
        gunzip->position = PADDING;
    } else if (gunzip->position == FIRST_MEMBER || gunzip->position == BETWEEN) {
        gunzip->position = INSIDE;
    }
}

bool giq_gunzip_step(struct giq_gunzip *gunzip, const char **in, size_t *in_len,
                     char *out, size_t max, size_t *out_len, struct giq_error *err)
{
    z_stream *stream = &gunzip->stream;
    *out_len = 0;
    if (*in_len > 0) {
        begin_member(gunzip, *in);
    }
    if (gunzip->position == PADDING) {
        return skip_padding(in, in_len, err);
    }
    uInt given = *in_len < UINT_MAX ? (uInt)*in_len : UINT_MAX;
    uInt room = max < UINT_MAX ? (uInt)max : UINT_MAX;
    /* zlib does not write to its input, whatever the type says. */
    stream->next_in = (z_const Bytef *)*in;
    stream->avail_in = given;
    stream->next_out = (Bytef *)out;
    stream->avail_out = room;
    int status = inflate(stream, Z_NO_FLUSH);
    *in += given - stream->avail_in;
    *in_len -= given - stream->avail_in;
    *out_len = room - stream->avail_out;
    switch (status) {
    case Z_STREAM_END:
        gunzip->position = BETWEEN;
        (void)inflateReset(stream);
        return true;
    case Z_OK:
    case Z_BUF_ERROR:
        return true;
    case Z_MEM_ERROR:
        return giq_fail_memory(err);
    default:
        return fail_damaged(err, stream->msg);
    }
}

bool giq_gunzip_is_complete(const struct giq_gunzip *gunzip)
{
    return gunzip->position == BETWEEN || gunzip->position == PADDING;
}

/* ---- files ---- */

struct giq_gzip {
    struct giq_os_file *file;
    struct giq_gunzip *gunzip;
    const char *at; /* input that is left in `block` */
    size_t len;
    bool is_over; /* what is left is no gzip */
    char block[BLOCK_SIZE];
};

bool giq_gzip_open(const char *path, struct giq_gzip **out, struct giq_error *err)
{
    struct giq_gzip *gzip = calloc(1, sizeof *gzip);
    if (gzip == NULL) {
        return giq_fail_memory(err);
    }
    if (!giq_os_open(path, &gzip->file, err) || !giq_gunzip_new(&gzip->gunzip, err)) {
        giq_gzip_close(gzip);
        return false;
    }
    *out = gzip;
    return true;
}

void giq_gzip_close(struct giq_gzip *gzip)
{
    if (gzip != NULL) {
        giq_os_close(gzip->file);
        giq_gunzip_free(gzip->gunzip);
        free(gzip);
    }
}

/* Whether data that is no gzip follows a whole one. */
static bool is_behind(const struct giq_gzip *gzip)
{
    static const char mark = '\x1f';
    return gzip->len > 0 && *gzip->at != mark && giq_gunzip_is_complete(gzip->gunzip);
}

bool giq_gzip_read(struct giq_gzip *gzip, char *out, size_t max, size_t *out_len,
                   struct giq_error *err)
{
    for (;;) {
        bool is_end = false;
        if (gzip->len == 0) {
            gzip->at = gzip->block;
            if (!giq_os_read(gzip->file, gzip->block, BLOCK_SIZE, &gzip->len, err)) {
                return false;
            }
            is_end = gzip->len == 0;
        }
        gzip->is_over = gzip->is_over || is_behind(gzip);
        if (gzip->is_over) {
            *out_len = 0;
            return true;
        }
        size_t len = 0;
        if (!giq_gunzip_step(gzip->gunzip, &gzip->at, &gzip->len, out, max, &len, err)) {
            return false;
        }
        if (len == 0 && is_end && !giq_gunzip_is_complete(gzip->gunzip)) {
            return giq_fail(err, GIQ_E_RESULT,
                            "the result is a gzip file that is truncated");
        }
        if (len > 0 || is_end) {
            *out_len = len;
            return true;
        }
    }
}

static bool is_filling(char c)
{
    return c == '\0' || c == ' ' || (c >= '\t' && c <= '\r');
}

bool giq_gzip_find_trailing(struct giq_gzip *gzip, bool *out, struct giq_error *err)
{
    bool found = false;
    while (!found && gzip->len > 0) {
        size_t i = 0;
        while (i < gzip->len && is_filling(gzip->at[i])) {
            i++;
        }
        found = i < gzip->len;
        gzip->at = gzip->block;
        if (!giq_os_read(gzip->file, gzip->block, BLOCK_SIZE, &gzip->len, err)) {
            return false;
        }
    }
    *out = found;
    return true;
}

bool giq_gzip_read_head(const char *path, char *out, size_t max, size_t *out_len,
                        struct giq_error *err)
{
    struct giq_gzip *gzip = NULL;
    if (!giq_gzip_open(path, &gzip, err)) {
        return false;
    }
    bool ok = true;
    size_t len = 0;
    size_t n = 1;
    while (ok && n > 0 && len < max) {
        ok = giq_gzip_read(gzip, out + len, max - len, &n, err);
        len += ok ? n : 0;
    }
    giq_gzip_close(gzip);
    if (ok) {
        *out_len = len;
    }
    return ok;
}
