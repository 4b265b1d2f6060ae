/* gzip files, read by zlib. */
#include "result/giq_gzip.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct giq_gzip {
    gzFile file;
    size_t path_len; /* zlib's messages begin with the path and ": " */
};

bool giq_gzip_open(const char *path, struct giq_gzip **out, struct giq_error *err)
{
    enum { BUFFER_SIZE = 65536 };
    GIQ_AUTO_GZIP struct giq_gzip *gzip = calloc(1, sizeof *gzip);
    if (gzip == NULL) {
        return giq_fail_memory(err);
    }
    /* gzopen() need not set errno when out of memory. */
    errno = 0;
    gzip->file = gzopen(path, "rbe");
    if (gzip->file == NULL) {
        if (errno == 0 || errno == ENOMEM) {
            return giq_fail_memory(err);
        }
        (void)giq_fail_sys(err, GIQ_E_STORE, errno, "cannot open %s", path);
        return false;
    }
    (void)gzbuffer(gzip->file, BUFFER_SIZE);
    gzip->path_len = strlen(path);
    *out = giq_take(&gzip);
    return true;
}

void giq_gzip_close(struct giq_gzip *gzip)
{
    if (gzip != NULL) {
        if (gzip->file != NULL) {
            (void)gzclose(gzip->file);
        }
        free(gzip);
    }
}

static bool fail_damaged(struct giq_error *err, const char *why)
{
    return giq_fail(err, GIQ_E_RESULT, "the result is a gzip file that is damaged: %s",
                    why);
}

bool giq_gzip_read(struct giq_gzip *gzip, char *out, size_t max, size_t *out_len,
                   struct giq_error *err)
{
    int len = gzread(gzip->file, out, max < INT_MAX ? (unsigned)max : INT_MAX);
    int sys_errno = errno;
    int status = Z_OK;
    const char *message = gzerror(gzip->file, &status);
    switch (status) {
    case Z_OK:
        if (gzdirect(gzip->file)) {
            return giq_fail(err, GIQ_E_RESULT, "the result is not a gzip file");
        }
        *out_len = (size_t)len;
        return true;
    case Z_BUF_ERROR:
        return giq_fail(err, GIQ_E_RESULT, "the result is a gzip file that is truncated");
    case Z_MEM_ERROR:
        return giq_fail_memory(err);
    case Z_ERRNO:
        return giq_fail_sys(err, GIQ_E_STORE, sys_errno,
                            "cannot read the downloaded file");
    default:
        return fail_damaged(err, message + gzip->path_len + strlen(": "));
    }
}

bool giq_gzip_read_head(const char *path, char *out, size_t max, size_t *out_len,
                        struct giq_error *err)
{
    GIQ_AUTO_GZIP struct giq_gzip *gzip = NULL;
    if (!giq_gzip_open(path, &gzip, err)) {
        return false;
    }
    size_t total = 0;
    for (size_t len = 1; len > 0 && total < max; total += len) {
        if (!giq_gzip_read(gzip, out + total, max - total, &len, err)) {
            return false;
        }
    }
    *out_len = total;
    return true;
}
