/* Areas. Input: WKT; after '!' it is repaired, after '#' coordinates are not changed;
 * or, after '=', the numbers of a box. */
#include "fuzz.h"

#include <math.h>

#include "giq/geom.h"

/* Check the number at `*at`, and advance past it: it is written as short as possible,
 * with at most 7 decimals, and its magnitude is at most `most`. */
static void check_number(const char **at, double most)
{
    const char *from = *at;
    from += *from == '-';
    size_t whole = strspn(from, "0123456789");
    MUST(whole > 0 && (whole == 1 || from[0] != '0'));
    const char *end = from + whole;
    if (*end == '.') {
        size_t decimals = strspn(end + 1, "0123456789");
        MUST(decimals >= 1 && decimals <= 7 && end[decimals] != '0');
        end += decimals + 1;
    }
    double value = strtod(*at, NULL);
    MUST(value >= -most && value <= most);
    MUST(value != 0 || strncmp(*at, "0", (size_t)(end - *at)) == 0);
    *at = end;
}

/* Without a range of coordinates `most_x` and `most_y` are infinite. */
static void check_text(const char *at, double most_x, double most_y)
{
    bool is_multi = strncmp(at, "MULTI", 5) == 0;
    at += is_multi ? 5 : 0;
    MUST(strncmp(at, "POLYGON", 7) == 0);
    at += 7;
    MUST(strncmp(at, is_multi ? "(((" : "((", is_multi ? 3 : 2) == 0);
    while (*at != '\0') {
        at += strspn(at, "(),");
        if (*at != '\0') {
            check_number(&at, most_x);
            MUST(*at++ == ' ');
            check_number(&at, most_y);
            MUST(*at == ',' || *at == ')');
        }
    }
    MUST(strcmp(at - (is_multi ? 3 : 2), is_multi ? ")))" : "))") == 0);
}

/* Parsing the text of an area gives the same text. */
static void check_again(const char *area, unsigned flags)
{
    struct giq_error err = {0};
    char *again = NULL;
    MUST(giq_geom_area_from_wkt(area, flags, &again, &err));
    MUST(strcmp(area, again) == 0);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    char mark = text[0];
    unsigned flags = mark == '!' ? GIQ_GEOM_MAKE_VALID : mark == '#' ? GIQ_GEOM_AS_IS : 0;
    const char *given = text + (flags != 0 || mark == '=');
    struct giq_error err = {0};
    char *area = NULL;
    if (mark == '=' ? giq_geom_area_from_box(given, flags, &area, &err)
                    : giq_geom_area_from_wkt(given, flags, &area, &err)) {
        bool is_free = (flags & GIQ_GEOM_AS_IS) != 0;
        check_text(area, is_free ? HUGE_VAL : 180, is_free ? HUGE_VAL : 90);
        /* A box may span more than half of the world; a WKT ring may not. */
        unsigned kept = mark == '=' ? GIQ_GEOM_AS_IS : flags & GIQ_GEOM_AS_IS;
        check_again(area, kept);
        check_again(area, kept | GIQ_GEOM_MAKE_VALID);
    } else {
        MUST(area == NULL);
        MUST(err.code == GIQ_E_AREA && err.text[0] != '\0' && fuzz_is_plain(err.text));
    }
    free(area);
    free(text);
    return 0;
}
