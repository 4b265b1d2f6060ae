#include "area/giq_area.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_vsi.h>
#include <ogr_srs_api.h>
#include <stdlib.h>
#include <string.h>

#include "area/giq_aoi.h"
#include "area/giq_project.h"
#include "options/giq_path.h"

enum { SRID_DIGITS_MAX = 9 };

static const char white_space[] = " \t\r\n\v\f";
static const char byte_order_mark[] = "\xEF\xBB\xBF";

/* The text of the file at `path`, which messages call `shown`; to be freed with
 * VSIFree(). */
static char *ingest(const char *path, const char *shown, struct giq_error *err)
{
    VSIStatBufL st;
    if (VSIStatExL(path, &st, VSI_STAT_EXISTS_FLAG | VSI_STAT_NATURE_FLAG) != 0) {
        (void)giq_fail(err, GIQ_E_AREA, "the file of the area cannot be found: %s",
                       shown);
        return NULL;
    }
    if (!VSI_ISREG(st.st_mode)) {
        (void)giq_fail(err, GIQ_E_AREA, "the area's %s is not a regular file", shown);
        return NULL;
    }
    GByte *bytes = NULL;
    vsi_l_offset size = 0;
    if (!VSIIngestFile(NULL, path, &bytes, &size, GIQ_AREA_FILE_MAX)) {
        (void)giq_fail(err, GIQ_E_AREA,
                       "the file of the area cannot be read or is larger than %d MiB: %s",
                       GIQ_AREA_FILE_MAX / (1024 * 1024), shown);
        return NULL;
    }
    if (memchr(bytes, '\0', (size_t)size) != NULL) {
        VSIFree(bytes);
        (void)giq_fail(err, GIQ_E_AREA, "the file of the area is no text: %s", shown);
        return NULL;
    }
    return (char *)bytes;
}

static char *read_file(const char *path, struct giq_error *err)
{
    char *shown = giq_path_printable(path);
    char *text = ingest(path, shown, err);
    CPLFree(shown);
    return text;
}

/* Read "SRID=<code>;" at the beginning of `text`; `*out_rest` is what follows. */
static bool read_srid(const char *text, int *out_srid, const char **out_rest,
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
                        "an area with SRID is SRID=<EPSG code>;POLYGON((...))");
    }
    *out_srid = atoi(digits);
    *out_rest = end + 1;
    return true;
}

static bool make_project(int srid, struct giq_project **out, struct giq_error *err)
{
    if (!giq_project_check(err)) {
        return false;
    }
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    bool ok =
        OSRImportFromEPSG(srs, srid) == OGRERR_NONE ||
        giq_fail(err, GIQ_E_AREA,
                 "the SRID %d of the area is no EPSG code that is known here", srid);
    OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    if (ok && giq_project_is_none(srs)) {
        ok =
            giq_fail(err, GIQ_E_AREA,
                     "the SRID %d of the area is \"%.80s\", which says nothing of places "
                     "on the globe",
                     srid, OSRGetName(srs));
    }
    ok = ok && giq_project_new(srs, out, err);
    OSRRelease(srs);
    return ok;
}

static bool read_ewkt(int srid, const char *wkt, unsigned flags, char **out,
                      struct giq_error *err)
{
    struct giq_project *how = NULL;
    struct giq_geom *geom = NULL;
    bool ok = make_project(srid, &how, err) && giq_geom_new(flags, &geom, err) &&
              giq_geom_add_wkt(geom, wkt, err);
    if (ok) {
        const struct giq_projection projection = giq_project_use(how);
        ok = giq_geom_project(geom, &projection, err) && giq_geom_write(geom, out, err);
    }
    giq_geom_free(geom);
    giq_project_free(how);
    return ok;
}

static bool read_text(const char *text, unsigned flags, char **out, struct giq_error *err)
{
    int srid = 0;
    const char *wkt = NULL;
    if (!read_srid(text, &srid, &wkt, err)) {
        return false;
    }
    if (srid != 0 && (flags & GIQ_GEOM_AS_IS)) {
        return giq_fail(err, GIQ_E_AREA,
                        "SRID=%d says what the coordinates of the area are, and "
                        "GEOMETRY_CRS=AS_IS sends them as they are: give one of them",
                        srid);
    }
    return srid == 0 ? giq_geom_area(wkt, flags, out, err)
                     : read_ewkt(srid, wkt, flags, out, err);
}

static bool read_geometry(const char *text, unsigned flags, char **out,
                          struct giq_error *err)
{
    if (text[0] != '@') {
        return read_text(text, flags, out, err);
    }
    char *from_file = read_file(text + 1, err);
    if (from_file == NULL) {
        return false;
    }
    /* Some editors begin a text with a byte order mark. */
    bool is_marked = strncmp(from_file, byte_order_mark, strlen(byte_order_mark)) == 0;
    bool ok =
        read_text(from_file + (is_marked ? strlen(byte_order_mark) : 0), flags, out, err);
    VSIFree(from_file);
    return ok;
}

bool giq_area_read(enum giq_area_kind kind, const char *text, unsigned flags, char **out,
                   struct giq_error *err)
{
    static bool (*const readers[GIQ_AREA_KINDS])(const char *, unsigned, char **,
                                                 struct giq_error *) = {
        [GIQ_AREA_GEOMETRY] = read_geometry,
        [GIQ_AREA_AOI] = giq_aoi_read,
        [GIQ_AREA_BBOX] = giq_geom_box,
    };
    CPLPushErrorHandler(CPLQuietErrorHandler);
    bool ok = readers[kind](text, flags, out, err);
    CPLPopErrorHandler();
    CPLErrorReset();
    return ok;
}
