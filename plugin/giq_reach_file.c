#include <cpl_vsi.h>
#include <string.h>

#include "giq_reach.h"

static bool read_source(void *ctx, uint64_t at, void *bytes, size_t len)
{
    VSILFILE *file = ctx;
    return VSIFSeekL(file, at, SEEK_SET) == 0 && VSIFReadL(bytes, 1, len, file) == len;
}

bool giq_reach_check_file(const char *path, struct giq_error *err)
{
    VSIStatBufL st;
    VSILFILE *file = VSIStatL(path, &st) == 0 ? VSIFOpenL(path, "rb") : NULL;
    if (file == NULL) {
        return giq_fail(err, GIQ_E_STORE, "the result cannot be read at %.300s", path);
    }
    const struct giq_source source = {read_source, file, (uint64_t)st.st_size};
    bool ok = giq_hdf5_check(&source, err);
    (void)VSIFCloseL(file);
    return ok;
}
