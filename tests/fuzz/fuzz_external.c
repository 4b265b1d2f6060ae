/* External references in texts of a result: coordinate systems, tables, JSON. */
#include "fuzz.h"

#include "giq/external.h"

/* `text` in capitals after `before`, which has no meaning. The caller frees it. */
static char *disguised(const char *text, const char *before)
{
    char *other = NULL;
    MUST(asprintf(&other, "%s%s", before, text) >= 0);
    for (char *c = other; *c != '\0'; c++) {
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    }
    return other;
}

/* Case, white space and comments do not change what is found. */
static void check_disguised(const char *text)
{
    char *srs = disguised(text, " \t\r\n");
    char *sql = disguised(text, "-- a\n/* b */\f");
    MUST(giq_external_srs(text) == giq_external_srs(srs));
    MUST(giq_external_statement(text) == giq_external_statement(sql));
    free(sql);
    free(srs);
}

static struct giq_external *scan_in_parts(const uint8_t *data, size_t size, size_t part)
{
    struct giq_external *scan = calloc(1, sizeof *scan);
    MUST(scan != NULL);
    for (size_t at = 0; at < size; at += part) {
        giq_external_scan(scan, (const char *)data + at,
                          size - at < part ? size - at : part);
    }
    return scan;
}

/* The same is found in one piece and in parts. */
static void check_parts(const uint8_t *data, size_t size)
{
    struct giq_external *whole = scan_in_parts(data, size, size);
    struct giq_external *parts = scan_in_parts(data, size, 1 + size % 7);
    MUST(size >= GIQ_EXTERNAL_OVERLAP || whole->names_file == parts->names_file);
    MUST(whole->has_crs == parts->has_crs && whole->has_link == parts->has_link);
    free(whole);
    free(parts);
}

/* A text across the end of the buffer is found too. */
static void check_late(const uint8_t *data, size_t size)
{
    size_t lines = GIQ_EXTERNAL_BUFFER_SIZE - 1 - size / 2 % GIQ_EXTERNAL_OVERLAP;
    uint8_t *late = malloc(lines + size);
    MUST(late != NULL);
    memset(late, '\n', lines);
    memcpy(late + lines, data, size);
    struct giq_external *first = scan_in_parts(data, size, size);
    struct giq_external *second = scan_in_parts(late, lines + size, lines + size);
    MUST(size >= GIQ_EXTERNAL_OVERLAP || first->names_file == second->names_file);
    MUST(first->has_crs == second->has_crs && first->has_link == second->has_link);
    free(second);
    free(first);
    free(late);
}

/* Words after the module do not hide a table that reads other files. */
static void check_tables(const char *text)
{
    static const char *const behind[] = {" USING rtree", " -- using rtree",
                                         "/* rtree */"};
    for (size_t i = 0; i < GIQ_COUNT(behind); i++) {
        size_t len = strlen(text) + 100;
        char *sql = malloc(len);
        MUST(sql != NULL);
        (void)snprintf(sql, len, "CREATE VIRTUAL TABLE t USING VirtualText(%s%s)", text,
                       behind[i]);
        MUST(giq_external_statement(sql));
        free(sql);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    check_disguised(text);
    check_tables(text);
    if (size > 0) {
        check_parts(data, size);
        check_late(data, size);
    }
    free(text);
    return 0;
}
