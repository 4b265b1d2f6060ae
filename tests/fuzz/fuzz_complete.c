/* Detection of truncated files. Input: a line with the name, then the file. */
#include "fuzz.h"

#include "result/giq_complete.h"
#include "result/giq_name.h"
#include "result/giq_sniff.h"

struct file {
    const uint8_t *bytes;
    size_t size;
    uint64_t read;
};

static bool read_file(void *ctx, uint64_t at, void *bytes, size_t len,
                      struct giq_error *err)
{
    struct file *file = ctx;
    (void)err;
    MUST(at <= file->size && len <= file->size - at);
    memcpy(bytes, file->bytes + at, len);
    file->read += len;
    return true;
}

static bool check(const uint8_t *bytes, size_t size, const char *extension)
{
    enum { READ_MAX = 1 << 30 };
    struct file file = {bytes, size, 0};
    const struct giq_bounds_source source = {read_file, &file, size};
    struct giq_error err = {0};
    bool ok = giq_complete_check(&source, extension, &err);
    MUST(file.read <= READ_MAX);
    MUST(ok == (err.code == GIQ_E_NONE));
    if (!ok) {
        fuzz_check_error(&err, GIQ_E_INCOMPLETE);
    }
    return ok;
}

/* The bracket check finds the same in one piece as byte by byte. */
static void check_json(const char *bytes, size_t size, const char *extension)
{
    struct giq_complete_json once = {0};
    struct giq_complete_json each = {0};
    struct giq_error err = {0};
    giq_complete_json_scan(&once, bytes, size);
    for (size_t i = 0; i < size; i++) {
        giq_complete_json_scan(&each, bytes + i, 1);
    }
    MUST(once.depth == each.depth && once.has_closed == each.has_closed &&
         once.in_string == each.in_string && once.is_escaped == each.is_escaped &&
         once.is_other == each.is_other && once.has_begun == each.has_begun);
    (void)giq_complete_json_check(&once, extension, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
    size_t name_len = end == NULL ? 0 : (size_t)(end - data);
    size_t used = end == NULL ? 0 : name_len + 1;
    char *raw = fuzz_text(data, name_len);
    char name[GIQ_NAME_SIZE];
    giq_name_clean(raw, name);
    const char *bytes = (const char *)data + used;
    const struct giq_format *format = giq_sniff(name, bytes, size - used);
    const char *extension = format == NULL ? NULL : format->extension;
    bool ok = check(data + used, size - used, extension);
    MUST(check(data + used, size - used, extension) == ok);
    check_json(bytes, size - used, extension);
    free(raw);
    return 0;
}
