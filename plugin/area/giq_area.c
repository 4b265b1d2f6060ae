/* Reads an area from WKT, EWKT, a file, a vector dataset or a box. */
#include "area/giq_area.h"

#include <assert.h>
#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_vsi.h>
#include <ogr_srs_api.h>
#include <stdlib.h>
#include <string.h>

#include "area/giq_aoi.h"
#include "area/giq_project.h"
#include "options/giq_gdal_cleanup.h"
#include "options/giq_path.h"

enum {
    SRID_DIGITS_MAX = 9,
    TEXT_MAX = 40,             /* bytes of an area in a message */
    NAME_MAX_BYTES = 80,       /* of the name of a coordinate system in a message */
    BLOCK_BYTES = 1024 * 1024, /* of a file, read between two checks of cancelled() */
};

static const char white_space[] = " \t\r\n\v\f";
static const char byte_order_mark[] = GIQ_TEXT_BYTE_ORDER_MARK;

/* ---- files ---- */

static bool fail_unreadable(const char *printable, struct giq_error *err)
{
    return giq_fail(err, GIQ_E_AREA, "the GEOMETRY file %s cannot be read", printable);
}

/* Read `size` bytes into `out`. `printable` names the file in messages. */
static bool read_blocks(VSILFILE *file, const char *printable, const struct giq_env *env,
                        char *out, size_t size, struct giq_error *err)
{
    for (size_t len = 0; len < size; len += BLOCK_BYTES) {
        size_t block = size - len < BLOCK_BYTES ? size - len : BLOCK_BYTES;
        if (!giq_project_check_cancelled(env, err)) {
            return false;
        }
        if (VSIFReadL(out + len, 1, block, file) != block) {
            return fail_unreadable(printable, err);
        }
    }
    return giq_project_check_cancelled(env, err);
}

/* The bytes of an open file, with a '\0' after them, to be freed with VSIFree(), or NULL
 * after an error. */
static char *read_whole(VSILFILE *file, const char *printable, const struct giq_env *env,
                        size_t *out_size, struct giq_error *err)
{
    if (VSIFSeekL(file, 0, SEEK_END) != 0) {
        (void)fail_unreadable(printable, err);
        return NULL;
    }
    if (VSIFTellL(file) > GIQ_AREA_FILE_MAX) {
        (void)giq_fail(err, GIQ_E_AREA,
                       "the GEOMETRY file %s is larger than %d MiB; simplify the area",
                       printable, GIQ_AREA_FILE_MAX / (1024 * 1024));
        return NULL;
    }
    size_t size = (size_t)VSIFTellL(file);
    char *bytes = VSIMalloc(size + 1);
    if (bytes == NULL) {
        (void)giq_fail_memory(err);
        return NULL;
    }
    VSIRewindL(file);
    if (!read_blocks(file, printable, env, bytes, size, err)) {
        VSIFree(bytes);
        return NULL;
    }
    bytes[size] = '\0';
    *out_size = size;
    return bytes;
}

/* The text of the file at `path`, to be freed with VSIFree(), or NULL after an error. */
static char *read_file(const char *path, const struct giq_env *env, struct giq_error *err)
{
    GIQ_AUTO_CPL char *printable = giq_path_printable(path);
    VSIStatBufL st = {0};
    if (VSIStatExL(path, &st, VSI_STAT_EXISTS_FLAG | VSI_STAT_NATURE_FLAG) != 0) {
        (void)giq_fail(err, GIQ_E_AREA, "the GEOMETRY file %s cannot be found",
                       printable);
        return NULL;
    }
    if (!VSI_ISREG(st.st_mode)) {
        (void)giq_fail(err, GIQ_E_AREA, "the GEOMETRY file %s is not a regular file",
                       printable);
        return NULL;
    }
    VSILFILE *file = VSIFOpenL(path, "rb");
    if (file == NULL) {
        (void)fail_unreadable(printable, err);
        return NULL;
    }
    size_t size = 0;
    char *bytes = read_whole(file, printable, env, &size, err);
    (void)VSIFCloseL(file);
    if (bytes == NULL) {
        return NULL;
    }
    if (memchr(bytes, '\0', size) != NULL) {
        VSIFree(bytes);
        (void)giq_fail(err, GIQ_E_AREA, "the GEOMETRY file %s is not a text file",
                       printable);
        return NULL;
    }
    return bytes;
}

/* ---- WKT and EWKT ---- */

/* Parse "SRID=<code>;" at the beginning of `text`; `*out_rest` is what follows. Without
 * it `*out_srid` is 0. SRID=0 means "unknown", as in PostGIS, and is read like WKT
 * without SRID. */
static bool parse_srid(const char *text, int *out_srid, const char **out_rest,
                       struct giq_error *err)
{
    *out_srid = 0;
    *out_rest = text;
    text += strspn(text, white_space);
    if (!STARTS_WITH_CI(text, "SRID=")) {
        return true;
    }
    const char *digits = text + strlen("SRID=");
    size_t len = strspn(digits, "0123456789");
    const char *end = digits + len + strspn(digits + len, white_space);
    if (len == 0 || len > SRID_DIGITS_MAX || *end != ';') {
        return giq_fail(err, GIQ_E_AREA,
                        "an area with SRID must be SRID=<EPSG code>;POLYGON((...)); got "
                        "\"%.*s\"",
                        giq_text_cut_len(text, TEXT_MAX), text);
    }
    *out_srid = atoi(digits);
    *out_rest = end + 1;
    return true;
}

static bool make_project(int srid, const struct giq_env *env, struct giq_project **out,
                         struct giq_error *err)
{
    if (!giq_project_check_database(err)) {
        return false;
    }
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    bool ok = false;
    if (OSRImportFromEPSG(srs, srid) != OGRERR_NONE) {
        (void)giq_fail(err, GIQ_E_AREA,
                       "the SRID %d of the area is not a known EPSG code", srid);
    } else if (giq_project_has_no_position(srs)) {
        (void)giq_fail(err, GIQ_E_AREA,
                       "the SRID %d of the area (\"%.*s\") gives no position on Earth",
                       srid, giq_text_cut_len(OSRGetName(srs), NAME_MAX_BYTES),
                       OSRGetName(srs));
    } else {
        OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
        ok = giq_project_new(srs, env, out, err);
    }
    OSRRelease(srs);
    return ok;
}

static bool read_ewkt(int srid, const char *wkt, unsigned flags,
                      const struct giq_env *env, char **out, struct giq_error *err)
{
    struct giq_project *project = NULL;
    struct giq_geom *geom = NULL;
    bool ok = make_project(srid, env, &project, err) && giq_geom_new(flags, &geom, err) &&
              giq_geom_add_wkt(geom, wkt, err);
    if (ok) {
        giq_geom_set_env(geom, env);
        const struct giq_projection projection = giq_project_get_projection(project);
        ok = giq_geom_project(geom, &projection, err) && giq_geom_write(geom, out, err);
    }
    giq_geom_free(geom);
    giq_project_free(project);
    return ok;
}

static bool read_text(const char *text, unsigned flags, const struct giq_env *env,
                      char **out, struct giq_error *err)
{
    int srid = 0;
    const char *wkt = NULL;
    if (!parse_srid(text, &srid, &wkt, err)) {
        return false;
    }
    if (srid == 0) {
        return giq_geom_area_from_wkt(wkt, flags, out, err);
    }
    if (flags & GIQ_GEOM_AS_IS) {
        return giq_fail(err, GIQ_E_AREA,
                        "the area has SRID=%d, but GEOMETRY_CRS=AS_IS sends coordinates "
                        "as they are; use one of them",
                        srid);
    }
    return read_ewkt(srid, wkt, flags, env, out, err);
}

static bool read_geometry(const char *text, unsigned flags, const struct giq_env *env,
                          char **out, struct giq_error *err)
{
    if (text[0] != '@') {
        return read_text(text, flags, env, out, err);
    }
    char *content = read_file(text + 1, env, err);
    if (content == NULL) {
        return false;
    }
    bool has_mark = STARTS_WITH(content, byte_order_mark);
    const char *first = content + (has_mark ? strlen(byte_order_mark) : 0);
    bool ok = read_text(first, flags, env, out, err);
    VSIFree(content);
    return ok;
}

/* ---- all kinds ---- */

static bool read_kind(enum giq_area_kind kind, const char *text, unsigned flags,
                      const struct giq_env *env, char **out, struct giq_error *err)
{
    switch (kind) {
    case GIQ_AREA_AOI:
        return giq_aoi_read(text, flags, env, out, err);
    case GIQ_AREA_BBOX:
        return giq_geom_area_from_box(text, flags, out, err);
    case GIQ_AREA_GEOMETRY:
        return read_geometry(text, flags, env, out, err);
    case GIQ_AREA_KINDS:
        break;
    }
    assert(false);
    return false;
}

bool giq_area_read(enum giq_area_kind kind, const char *text, unsigned flags,
                   const struct giq_env *env, char **out, struct giq_error *err)
{
    CPLPushErrorHandler(CPLQuietErrorHandler);
    char *area = NULL;
    bool ok = read_kind(kind, text, flags, env, &area, err) &&
              giq_project_check_cancelled(env, err);
    CPLPopErrorHandler();
    CPLErrorReset();
    if (!ok) {
        free(area);
        return false;
    }
    *out = area;
    return true;
}
