/* Names of files. Input: the value of a Content-Disposition, or a name. */
#include "fuzz.h"

#include "base/giq_text.h"
#include "giq/external.h"
#include "result/giq_name.h"

/* A cleaned name is safe, and cleaning it again does not change it. */
static void check_name(const char *name)
{
    char again[GIQ_NAME_SIZE];
    size_t len = strlen(name);
    MUST(len > 0 && len <= GIQ_NAME_MAX);
    MUST(fuzz_is_plain(name));
    MUST(strpbrk(name, "/\\<>:\"|?*") == NULL);
    MUST(name[0] != '.' && name[0] != ' ');
    MUST(name[len - 1] != '.' && name[len - 1] != ' ');
    giq_name_clean(name, again);
    MUST(strcmp(name, again) == 0);
}

static void check_extension(const char *name, const char *extension)
{
    char other[GIQ_NAME_SIZE];
    memcpy(other, name, strlen(name) + 1);
    giq_name_set_extension(other, extension);
    check_name(other);
    size_t len = strlen(other);
    size_t extension_len = strlen(extension);
    MUST(len > extension_len + 1);
    MUST(other[len - extension_len - 1] == '.');
    MUST(strcmp(other + len - extension_len, extension) == 0);
}

static void check_raw(const char *raw)
{
    char name[GIQ_NAME_SIZE];
    giq_name_clean(raw, name);
    check_name(name);
    const char *extension = giq_name_extension(name);
    MUST(strchr(extension, '.') == NULL && strlen(extension) < strlen(name));
    check_extension(name, "tif");
    check_extension(name, "tar.gz");
    check_extension(name, "nineteen-characters");
    giq_name_drop_gzip(name);
    check_name(name);
    raw = raw == NULL ? "" : raw;
    MUST(giq_norm_same(raw, raw) && giq_norm_same(name, name));
    MUST(giq_norm_same(raw, name) == giq_norm_same(name, raw));
}

/* giq_text and fuzz_is_utf8() agree on what is well-formed. */
static void check_utf8(const char *text)
{
    const char *at = text;
    size_t size = 1;
    for (; *at != '\0' && size > 0; at += size) {
        size = giq_text_utf8_char_len(at, strlen(at));
    }
    MUST((size > 0) == fuzz_is_utf8(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    char *stated = giq_name_from_disposition(text);
    MUST(stated == NULL || (stated[0] != '\0' && strlen(stated) < strlen(text)));
    check_raw(stated);
    check_raw(text);
    check_utf8(text);
    free(stated);
    free(text);
    return 0;
}
