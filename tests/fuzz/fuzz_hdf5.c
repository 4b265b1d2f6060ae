/* HDF5 files, whole. */
#include "fuzz.h"

#include "giq/external.h"

struct file {
    const uint8_t *bytes;
    size_t size;
    size_t reads;
};

static bool read_file(void *ctx, uint64_t at, void *bytes, size_t len)
{
    struct file *file = ctx;
    MUST(at <= file->size && len <= file->size - at);
    memcpy(bytes, file->bytes + at, len);
    file->reads++;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* More than parts of so small a file could want, however they lead round. */
    enum { READS_MAX = 5000000 };
    struct file file = {data, size, 0};
    const struct giq_hdf5_source source = {read_file, &file, size};
    struct giq_error err = {0};
    bool ok = giq_hdf5_check(&source, &err);
    MUST(file.reads <= READS_MAX);
    MUST(ok == (err.code == GIQ_E_NONE));
    MUST(ok || err.code == GIQ_E_RESULT);
    struct giq_error again = {0};
    MUST(giq_hdf5_check(&source, &again) == ok);
    return 0;
}
