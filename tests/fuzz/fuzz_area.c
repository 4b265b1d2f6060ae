/*
 * Areas made of polygons that may overlap. The first line has letters: v repairs them,
 * d projects degrees that may exceed 180, s uses a grid finer than the rounding, e moves
 * the polygons to the antimeridian. Each further line is a ring of whole numbers
 * "x y x y ..."; with "- " before it, a hole of the polygon above.
 */
#include "fuzz.h"
#include "giq/geom.h"

enum { POINTS_MAX = 64 };

struct fuzzed {
    struct giq_geom *geom;
    double scale;
    double east;
    struct giq_error err;
};

static bool add_ring(struct fuzzed *f, const char *line)
{
    double xy[2 * POINTS_MAX + 2];
    size_t count = 0;
    char *end = NULL;
    for (; count < POINTS_MAX; count++, line = end) {
        long x = strtol(line, &end, 10);
        line = end;
        long y = strtol(line, &end, 10);
        if (end == line || labs(x) > 1000000000 || labs(y) > 1000000000) {
            break;
        }
        xy[2 * count] = (double)x * f->scale + f->east;
        xy[2 * count + 1] = (double)y * f->scale;
    }
    if (count == 0) {
        return true;
    }
    xy[2 * count] = xy[0];
    xy[2 * count + 1] = xy[1];
    return giq_geom_add_ring(f->geom, xy, count + 1, &f->err);
}

static bool add_rings(struct fuzzed *f, char *lines)
{
    bool ok = true;
    for (char *line = NULL; ok && (line = fuzz_line(&lines)) != NULL;) {
        bool is_hole = line[0] == '-' && line[1] == ' ';
        ok = (is_hole || giq_geom_end_polygon(f->geom, "a polygon", &f->err)) &&
             add_ring(f, is_hole ? line + 1 : line);
    }
    return ok && giq_geom_end_polygon(f->geom, "a polygon", &f->err);
}

static bool make(struct fuzzed *f, const char *letters, char *lines, char **out)
{
    const struct giq_projection degrees = {.half_turn = 180};
    f->scale = strchr(letters, 's') != NULL ? 3e-8 : 0.25;
    f->east = strchr(letters, 'e') != NULL ? 179.9999999 : 0;
    unsigned flags = strchr(letters, 'v') != NULL ? GIQ_GEOM_MAKE_VALID : 0;
    return giq_geom_new(flags, &f->geom, &f->err) && add_rings(f, lines) &&
           giq_geom_unite(f->geom, &f->err) &&
           (strchr(letters, 'd') == NULL ||
            giq_geom_project(f->geom, &degrees, &f->err)) &&
           giq_geom_write(f->geom, out, &f->err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    char *rest = text;
    const char *letters = fuzz_line(&rest);
    struct fuzzed f = {0};
    char *area = NULL;
    if (make(&f, letters == NULL ? "" : letters, rest, &area)) {
        /* The text that would be sent is valid, and parsing it does not change it. */
        char *again = NULL;
        struct giq_error err = {0};
        MUST(giq_geom_area_from_wkt(area, GIQ_GEOM_AS_IS, &again, &err));
        MUST(strcmp(area, again) == 0);
        free(again);
    } else {
        MUST(area == NULL);
        fuzz_check_error(&f.err, GIQ_E_AREA);
    }
    giq_geom_free(f.geom);
    free(area);
    free(text);
    return 0;
}
