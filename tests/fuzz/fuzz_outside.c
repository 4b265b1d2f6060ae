/* Texts of a result: definitions of coordinate systems and tables, JSON. */
#include "fuzz.h"

static struct giq_outside *scan_in_parts(const uint8_t *data, size_t size, size_t part)
{
    struct giq_outside *scan = calloc(1, sizeof *scan);
    MUST(scan != NULL);
    for (size_t at = 0; at < size; at += part) {
        giq_outside_take(scan, (const char *)data + at,
                         size - at < part ? size - at : part);
    }
    return scan;
}

/* What is found is the same however the text comes. */
static void check_parts(const uint8_t *data, size_t size)
{
    struct giq_outside *whole = scan_in_parts(data, size, size);
    struct giq_outside *parts = scan_in_parts(data, size, 1 + size % 7);
    MUST(size >= GIQ_OUTSIDE_KEPT || whole->names_file == parts->names_file);
    MUST(whole->has_crs == parts->has_crs && whole->has_link == parts->has_link);
    free(whole);
    free(parts);
}

/* No word behind makes of a table that reads elsewhere one that does not. */
static void check_tables(const char *text)
{
    static const char *const behind[] = {" USING rtree", " -- using rtree",
                                         "/* rtree */"};
    for (size_t i = 0; i < FUZZ_COUNT(behind); i++) {
        size_t len = strlen(text) + 100;
        char *sql = malloc(len);
        MUST(sql != NULL);
        (void)snprintf(sql, len, "CREATE VIRTUAL TABLE t USING VirtualText(%s%s)", text,
                       behind[i]);
        MUST(giq_outside_table(sql));
        free(sql);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    (void)giq_outside_srs(text);
    (void)giq_outside_table(text);
    check_tables(text);
    if (size > 0) {
        check_parts(data, size);
    }
    free(text);
    return 0;
}
