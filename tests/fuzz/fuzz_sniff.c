/* Kinds of files: a line with the name, then the leading bytes. */
#include "fuzz.h"

#include "result/giq_name.h"
#include "result/giq_sniff.h"

/* With the extension of its kind a file is of that kind still. */
static void check_renamed(const struct giq_sniff *kind, const char *name,
                          const char *bytes, size_t len)
{
    char renamed[GIQ_NAME_SIZE];
    memcpy(renamed, name, strlen(name) + 1);
    if (!giq_sniff_extension_fits(kind, name)) {
        giq_name_set_extension(renamed, kind->extension);
    }
    MUST(giq_sniff_extension_fits(kind, renamed));
    struct giq_sniff again = giq_sniff(renamed, bytes, len);
    MUST(again.content == kind->content);
    MUST(kind->extension == NULL || strcmp(again.extension, kind->extension) == 0);
}

static void check(const char *name, const char *bytes, size_t len)
{
    struct giq_sniff kind = giq_sniff(name, bytes, len);
    MUST((kind.content == GIQ_SNIFF_NOTHING) == (kind.extension == NULL));
    check_renamed(&kind, name, bytes, len);
    const char *source = giq_sniff_source(bytes, len);
    /* It is a text, and never one of the kinds that are read as bytes. */
    MUST(source == NULL || kind.content == GIQ_SNIFF_NOTHING ||
         kind.content == GIQ_SNIFF_DATA || kind.content == GIQ_SNIFF_TAR);
    struct giq_sniff none = giq_sniff(name, bytes, 0);
    MUST(none.content == GIQ_SNIFF_NOTHING);
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
