/*
 * Inputs, checks and folders that the fuzz targets share.
 */
#include "fuzz.h"

#include <strings.h>

#include "base/giq_os.h"
#include "base/giq_text.h"
#include "base/giq_tree.h"
#include "net/giq_headers.h"

void fuzz_fail(const char *file, int line, const char *claim)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, claim);
    abort();
}

/* ---- inputs ---- */

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = size == 0 ? strdup("") : strndup((const char *)data, size);
    MUST(text != NULL);
    return text;
}

char *fuzz_line(char **rest)
{
    char *line = *rest;
    if (line == NULL || *line == '\0') {
        return NULL;
    }
    size_t len = strcspn(line, "\n");
    *rest = line + len + (line[len] == '\n');
    line[len] = '\0';
    return line;
}

char *fuzz_part(char **rest)
{
    static const char parting[] = "~~~\n";
    char *part = *rest;
    for (char *at = part; at != NULL; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, parting, sizeof parting - 1) == 0) {
            *at = '\0';
            *rest = at + sizeof parting - 1;
            return part;
        }
    }
    *rest = NULL;
    return part;
}

void fuzz_add_header(struct giq_headers *headers, const char *line)
{
    for (int i = 0; i < GIQ_HEADERS_COUNT; i++) {
        const char *name = giq_headers_field_name((enum giq_headers_field)i);
        size_t len = strlen(name);
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            char *value = giq_text_trim(line + len + 1, strlen(line + len + 1));
            MUST(value != NULL);
            MUST(giq_headers_add(headers, (enum giq_headers_field)i, value));
            free(value);
        }
    }
}

/* ---- secrets ---- */

static struct giq_cred *make_cred(void)
{
    struct giq_cred *cred = NULL;
    struct giq_error err = {0};
    bool added = false;
    MUST(giq_cred_new(FUZZ_KEY, FUZZ_TOKEN, &cred, &err));
    MUST(giq_cred_add_header(cred, "X-Door: " FUZZ_HEADER, &added, &err) && added);
    return cred;
}

const struct giq_cred *fuzz_cred(void)
{
    static struct giq_cred *cred;
    if (cred == NULL) {
        cred = make_cred();
    }
    return cred;
}

bool fuzz_has_secret(const char *text)
{
    return strstr(text, FUZZ_KEY) != NULL || strstr(text, FUZZ_TOKEN) != NULL ||
           strstr(text, FUZZ_HEADER) != NULL;
}

/* ---- texts ---- */

/* The character at `*at`, which is advanced past it; -1 if it is not UTF-8. */
static long next_character(const unsigned char **at)
{
    static const long least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *s = *at;
    int more = s[0] < 0x80 ? 0 : s[0] < 0xE0 ? 1 : s[0] < 0xF0 ? 2 : 3;
    if ((s[0] >= 0x80 && s[0] < 0xC0) || s[0] >= 0xF8) {
        return -1;
    }
    long code = more == 0 ? s[0] : s[0] & (0x3F >> more);
    for (int i = 1; i <= more; i++) {
        if (s[i] >> 6 != 2) {
            return -1;
        }
        code = code * 64 + (s[i] & 0x3F);
    }
    *at = s + more + 1;
    bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < least[more] || code > 0x10FFFF || is_surrogate ? -1 : code;
}

bool fuzz_is_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    long code = 0;
    while (*at != '\0' && code >= 0) {
        code = next_character(&at);
    }
    return code >= 0;
}

bool fuzz_is_plain(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at != '\0') {
        long code = next_character(&at);
        if (code < 0x20 || (code >= 0x7F && code <= 0x9F)) {
            return false;
        }
    }
    return true;
}

void fuzz_check_error(const struct giq_error *err, enum giq_code code)
{
    MUST(err->code == code);
    MUST(memchr(err->text, '\0', sizeof err->text) != NULL);
    MUST(err->text[0] != '\0');
    MUST(fuzz_is_plain(err->text));
    MUST(!fuzz_has_secret(err->text));
}

/* ---- the disk ---- */

static char *folder;

static void remove_folder(void)
{
    struct giq_error err = {0};
    MUST(giq_tree_remove(folder, &err));
    free(folder);
    folder = NULL;
}

const char *fuzz_folder(void)
{
    if (folder == NULL) {
        const char *top = getenv("TMPDIR");
        folder = giq_os_join(top == NULL ? "/tmp" : top, "giq-fuzz-XXXXXX");
        MUST(folder != NULL && mkdtemp(folder) != NULL);
        MUST(atexit(remove_folder) == 0);
    }
    return folder;
}

void fuzz_write(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    MUST(file != NULL);
    MUST(len == 0 || fwrite(bytes, 1, len, file) == len);
    MUST(fclose(file) == 0);
}
