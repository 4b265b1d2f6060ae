/* Detection of formats. Input: a line with the name, then the leading bytes. */
#include "fuzz.h"

#include "result/giq_name.h"
#include "result/giq_sniff.h"

/* A file renamed to the extension of its format is still of that format. */
static void check_renamed(const struct giq_format *format, const char *name,
                          const char *bytes, size_t len)
{
    char renamed[GIQ_NAME_SIZE];
    memcpy(renamed, name, strlen(name) + 1);
    if (!giq_format_has_extension(format, giq_name_extension(name))) {
        giq_name_set_extension(renamed, format->extension);
    }
    MUST(giq_format_has_extension(format, giq_name_extension(renamed)));
    MUST(giq_sniff(renamed, bytes, len) == format);
}

static void check(const char *name, const char *bytes, size_t len)
{
    const struct giq_format *format = giq_sniff(name, bytes, len);
    const char *driver = giq_sniff_driver(name, bytes, len);
    const char *source = giq_sniff_reference_driver(bytes, len);
    if (format != NULL) {
        check_renamed(format, name, bytes, len);
    }
    MUST(driver == (format == NULL ? NULL : format->driver));
    /* A text is scanned for references, and is not of a binary format. */
    MUST(source == NULL || giq_sniff_text_len(bytes, len) == UINT64_MAX);
    MUST(source == NULL || format == NULL || format->kind == GIQ_FORMAT_DATA ||
         format->kind == GIQ_FORMAT_TAR);
    MUST(giq_sniff(name, bytes, 0) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
    size_t name_len = end == NULL ? 0 : (size_t)(end - data);
    size_t used = end == NULL ? 0 : name_len + 1;
    size_t len = size - used;
    char *raw = fuzz_text(data, name_len);
    char *bytes = malloc(len == 0 ? 1 : len);
    MUST(bytes != NULL);
    if (len > 0) {
        memcpy(bytes, data + used, len);
    }
    char name[GIQ_NAME_SIZE];
    giq_name_clean(raw, name);
    check(name, bytes, len);
    free(bytes);
    free(raw);
    return 0;
}
