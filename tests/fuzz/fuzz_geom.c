/* Areas as WKT. A '!' before the text asks for repairs. */
#include "fuzz.h"
#include "giq/geom.h"

/* A number at `*at`, which moves behind it: as short as it can be written, with at
 * most 7 decimals, of at most `most`. */
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

static void check_text(const char *at)
{
    bool is_multi = strncmp(at, "MULTI", 5) == 0;
    at += is_multi ? 5 : 0;
    MUST(strncmp(at, "POLYGON", 7) == 0);
    at += 7;
    MUST(strncmp(at, is_multi ? "(((" : "((", is_multi ? 3 : 2) == 0);
    while (*at != '\0') {
        at += strspn(at, "(),");
        if (*at != '\0') {
            check_number(&at, 180);
            MUST(*at++ == ' ');
            check_number(&at, 90);
            MUST(*at == ',' || *at == ')');
        }
    }
    MUST(strcmp(at - (is_multi ? 3 : 2), is_multi ? ")))" : "))") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    unsigned flags = text[0] == '!' ? GIQ_GEOM_MAKE_VALID : 0;
    struct giq_error err = {0};
    char *area = NULL;
    if (giq_geom_area(text + (flags != 0), flags, &area, &err)) {
        check_text(area);
        char *again = NULL;
        MUST(giq_geom_area(area, 0, &again, &err));
        MUST(strcmp(area, again) == 0);
        free(again);
        MUST(giq_geom_area(area, GIQ_GEOM_MAKE_VALID, &again, &err));
        MUST(strcmp(area, again) == 0);
        free(again);
    } else {
        MUST(area == NULL);
        MUST(err.code == GIQ_E_AREA && err.text[0] != '\0' && fuzz_is_plain(err.text));
    }
    free(area);
    free(text);
    return 0;
}
