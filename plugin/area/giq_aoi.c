/*
 * Opens a vector dataset with any driver but this one, chooses its layer, and passes the
 * polygons of its features to the core.
 */
#include "area/giq_aoi.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <gdal.h>
#include <ogr_api.h>
#include <stdlib.h>
#include <string.h>

#include "area/giq_project.h"
#include "options/giq_gdal_cleanup.h"
#include "options/giq_list.h"

enum {
    LISTED_MAX = 250,
    NAME_MAX_BYTES = 120,
    REASON_MAX = 160,
    LAYER_MAX = 60,  /* bytes of the name of a layer in a message */
    COMMAS_MAX = 32, /* at which a source is split */
};

/* A dataset may open others, as a VRT does, and GDAL passes nothing to those opens but
 * the configuration of the thread. */
static const char reading_option[] = "GIQ_READING_AREA";

struct aoi {
    const char *source; /* what the user gave */
    const struct giq_env *env;
    GDALDatasetH dataset;
    OGRLayerH layer;
    bool names_layer; /* the source ends in a comma and the name of a layer */
    struct giq_geom *geom;
    size_t polygons;
    struct giq_error *err;
};

/* ---- messages ---- */

/* Connection strings and queries of addresses may contain secrets. */
static bool is_printable(const char *source)
{
    return source[strcspn(source, "?@=")] == '\0';
}

/* "AOI" and the source. */
static const char *name_of(const struct aoi *a, char out[NAME_MAX_BYTES])
{
    (void)CPLStrlcpy(out, "AOI", NAME_MAX_BYTES);
    if (is_printable(a->source)) {
        (void)CPLStrlcat(out, " ", NAME_MAX_BYTES);
        (void)CPLStrlcat(out, a->source, NAME_MAX_BYTES);
    }
    return out;
}

/* ": " and GDAL's message, which may repeat the source; "" if there is none. */
static const char *reason_of(const struct aoi *a, char out[REASON_MAX])
{
    const char *reason = is_printable(a->source) ? CPLGetLastErrorMsg() : "";
    (void)CPLStrlcpy(out, reason[0] == '\0' ? "" : ": ", REASON_MAX);
    (void)CPLStrlcat(out, reason, REASON_MAX);
    return out;
}

static const char *list_layers(const struct aoi *a, char out[LISTED_MAX])
{
    GIQ_AUTO_CSL char **names = NULL;
    for (int i = 0; i < GDALDatasetGetLayerCount(a->dataset); i++) {
        names = CSLAddString(names, OGR_L_GetName(GDALDatasetGetLayer(a->dataset, i)));
    }
    return giq_list_join(names, out, LISTED_MAX);
}

/* ---- opening ---- */

/* All drivers of vector data but this one. */
static char **list_drivers(void)
{
    char **drivers = NULL;
    for (int i = 0; i < GDALGetDriverCount(); i++) {
        GDALDriverH driver = GDALGetDriver(i);
        const char *name = GDALGetDriverShortName(driver);
        if (!EQUAL(name, "GIQ") &&
            GDALGetMetadataItem(driver, GDAL_DCAP_VECTOR, NULL) != NULL) {
            drivers = CSLAddString(drivers, name);
        }
    }
    return drivers;
}

static GDALDatasetH open_path(const char *path)
{
    GIQ_AUTO_CSL char **drivers = list_drivers();
    CPLErrorReset();
    return GDALOpenEx(path, GDAL_OF_VECTOR | GDAL_OF_VERBOSE_ERROR,
                      (const char *const *)drivers, NULL, NULL);
}

/* Open the path before a comma if that dataset has the layer that is named after it. The
 * first dataset without that layer is kept for the message. */
static void open_before(struct aoi *a, const char *comma)
{
    GIQ_AUTO_CPL char *path = CPLStrdup(a->source);
    path[comma - a->source] = '\0';
    GIQ_AUTO_DATASET GDALDatasetH dataset = open_path(path);
    if (dataset == NULL) {
        return;
    }
    const char *name = comma + 1 + strspn(comma + 1, " ");
    OGRLayerH layer = GDALDatasetGetLayerByName(dataset, name);
    if (layer == NULL && a->dataset != NULL) {
        return;
    }
    GDALDatasetH before = a->dataset;
    a->dataset = dataset;
    a->layer = layer;
    a->names_layer = true;
    dataset = before;
}

/* Open the source as it is, else split at each comma from left to right: paths and layers
 * may have commas in their names. */
static bool open_source(struct aoi *a)
{
    char name[NAME_MAX_BYTES];
    char reason[REASON_MAX];
    if (STARTS_WITH_CI(a->source, "GIQ:")) {
        return giq_fail(a->err, GIQ_E_AREA,
                        "AOI must not be a GIQ: dataset; save the result with ogr2ogr "
                        "first and use the file");
    }
    a->dataset = open_path(a->source);
    if (a->dataset != NULL) {
        return true;
    }
    const char *comma = strchr(a->source, ',');
    bool has_comma = comma != NULL;
    for (int i = 0; comma != NULL && a->layer == NULL && i < COMMAS_MAX; i++) {
        open_before(a, comma);
        comma = strchr(comma + 1, ',');
    }
    if (a->dataset == NULL) {
        return giq_fail(a->err, GIQ_E_AREA, "%s cannot be opened as a vector dataset%s%s",
                        name_of(a, name),
                        has_comma ? ", neither whole nor up to a comma" : "",
                        reason_of(a, reason));
    }
    return true;
}

static bool choose_layer(struct aoi *a)
{
    char name[NAME_MAX_BYTES];
    char list[LISTED_MAX];
    char reason[REASON_MAX];
    if (a->names_layer) {
        return a->layer != NULL ||
               giq_fail(a->err, GIQ_E_AREA,
                        "%s names a layer that does not exist; its layers are %s",
                        name_of(a, name), list_layers(a, list));
    }
    int count = 0;
    for (int i = 0; i < GDALDatasetGetLayerCount(a->dataset); i++) {
        OGRLayerH layer = GDALDatasetGetLayer(a->dataset, i);
        if (OGR_L_GetGeomType(layer) != wkbNone) {
            a->layer = layer;
            count++;
        }
    }
    if (count == 0) {
        return giq_fail(a->err, GIQ_E_AREA, "%s has no layer with geometries%s",
                        name_of(a, name), reason_of(a, reason));
    }
    if (count > 1) {
        return giq_fail(a->err, GIQ_E_AREA,
                        "%s has several layers; name one as <path>,<layer>: %s",
                        name_of(a, name), list_layers(a, list));
    }
    return true;
}

/* ---- geometries ---- */

static bool add_ring(struct aoi *a, OGRGeometryH ring)
{
    size_t count = (size_t)OGR_G_GetPointCount(ring);
    double *xy = malloc((count + 1) * 2 * sizeof *xy);
    if (xy == NULL) {
        return giq_fail(a->err, GIQ_E_MEMORY, "out of memory");
    }
    const int stride = 2 * (int)sizeof *xy;
    (void)OGR_G_GetPoints(ring, xy, stride, xy + 1, stride, NULL, 0);
    if (count > 0 && (xy[0] != xy[2 * count - 2] || xy[1] != xy[2 * count - 1])) {
        xy[2 * count] = xy[0];
        xy[2 * count + 1] = xy[1];
        count++;
    }
    bool ok = giq_geom_add_ring(a->geom, xy, count, a->err);
    free(xy);
    return ok;
}

static bool add_polygon(struct aoi *a, OGRGeometryH polygon, const char *what)
{
    int rings = OGR_G_GetGeometryCount(polygon);
    for (int i = 0; i < rings; i++) {
        if (!add_ring(a, OGR_G_GetGeometryRef(polygon, i))) {
            return false;
        }
    }
    a->polygons += rings > 0;
    return giq_geom_end_polygon(a->geom, what, a->err);
}

/* Add the polygons of a geometry without curves. */
static bool add_geometry(struct aoi *a, OGRGeometryH geometry, const char *what)
{
    OGRwkbGeometryType type = OGR_GT_Flatten(OGR_G_GetGeometryType(geometry));
    if (OGR_GT_IsSubClassOf(type, wkbPolygon)) {
        return OGR_G_IsEmpty(geometry) || add_polygon(a, geometry, what);
    }
    if (!OGR_GT_IsSubClassOf(type, wkbGeometryCollection) &&
        !OGR_GT_IsSubClassOf(type, wkbPolyhedralSurface)) {
        if (OGR_GT_IsSubClassOf(type, wkbSurface)) {
            return giq_fail(a->err, GIQ_E_AREA,
                            "%s has a %s, which cannot be part of an area; convert it to "
                            "polygons",
                            what, OGR_G_GetGeometryName(geometry));
        }
        return true;
    }
    for (int i = 0; i < OGR_G_GetGeometryCount(geometry); i++) {
        if (!add_geometry(a, OGR_G_GetGeometryRef(geometry, i), what)) {
            return false;
        }
    }
    return true;
}

static bool add_feature(struct aoi *a, OGRFeatureH feature)
{
    OGRGeometryH geometry = OGR_F_GetGeometryRef(feature);
    if (geometry == NULL) {
        return true;
    }
    char what[NAME_MAX_BYTES];
    (void)snprintf(what, sizeof what, "the feature " CPL_FRMT_GIB " of the layer %.*s",
                   OGR_F_GetFID(feature),
                   giq_text_cut_len(OGR_L_GetName(a->layer), LAYER_MAX),
                   OGR_L_GetName(a->layer));
    /* Types of curves also where no part is an arc. */
    if (!OGR_G_HasCurveGeometry(geometry, FALSE)) {
        return add_geometry(a, geometry, what);
    }
    OGRGeometryH linear = OGR_G_GetLinearGeometry(geometry, 0, NULL);
    if (linear == NULL) {
        return giq_fail(a->err, GIQ_E_AREA, "%s has curves that GDAL cannot convert",
                        what);
    }
    bool ok = add_geometry(a, linear, what);
    OGR_G_DestroyGeometry(linear);
    return ok;
}

static bool add_features(struct aoi *a)
{
    char name[NAME_MAX_BYTES];
    char reason[REASON_MAX];
    OGRFeatureH feature = NULL;
    CPLErrorReset();
    OGR_L_ResetReading(a->layer);
    while ((feature = OGR_L_GetNextFeature(a->layer)) != NULL) {
        bool ok = giq_project_check_cancelled(a->env, a->err) && add_feature(a, feature);
        OGR_F_Destroy(feature);
        if (!ok) {
            return false;
        }
    }
    if (CPLGetLastErrorType() == CE_Failure) {
        return giq_fail(a->err, GIQ_E_AREA, "%s cannot be read to its end%s",
                        name_of(a, name), reason_of(a, reason));
    }
    if (a->polygons == 0) {
        return giq_fail(a->err, GIQ_E_AREA, "the layer %.*s of %s contains no polygons",
                        giq_text_cut_len(OGR_L_GetName(a->layer), LAYER_MAX),
                        OGR_L_GetName(a->layer), name_of(a, name));
    }
    return true;
}

/* ---- the whole ---- */

/* `srs` is that of the layer, NULL or one that gives no position on Earth. */
static bool fail_without_srs(struct aoi *a, OGRSpatialReferenceH srs)
{
    char name[NAME_MAX_BYTES];
    const char *srs_name = srs == NULL ? NULL : OSRGetName(srs);
    return giq_fail(
        a->err, GIQ_E_AREA,
        "the layer %.*s of %s has no coordinate system%s%.*s%s; assign one, for "
        "example with ogr2ogr -a_srs EPSG:<code>, or send its coordinates as they are "
        "with GEOMETRY_CRS=AS_IS",
        giq_text_cut_len(OGR_L_GetName(a->layer), LAYER_MAX), OGR_L_GetName(a->layer),
        name_of(a, name), srs_name == NULL ? "" : " (\"",
        giq_text_cut_len(srs_name, LAYER_MAX), srs_name == NULL ? "" : srs_name,
        srs_name == NULL ? "" : "\" gives no position on Earth)");
}

static bool make_project(struct aoi *a, struct giq_project **out)
{
    char name[NAME_MAX_BYTES];
    char reason[REASON_MAX];
    CPLErrorReset();
    OGRSpatialReferenceH srs = OGR_L_GetSpatialRef(a->layer);
    if (srs == NULL && CPLGetLastErrorType() == CE_Failure) {
        return giq_fail(a->err, GIQ_E_AREA, "the layer %.*s of %s cannot be read%s",
                        giq_text_cut_len(OGR_L_GetName(a->layer), LAYER_MAX),
                        OGR_L_GetName(a->layer), name_of(a, name), reason_of(a, reason));
    }
    if (srs == NULL || giq_project_is_none(srs)) {
        return fail_without_srs(a, srs);
    }
    return giq_project_new(srs, a->env, out, a->err);
}

/* Read the polygons of the chosen layer; `project` is NULL if their coordinates are sent
 * as they are. */
static bool read_layer(struct aoi *a, unsigned flags, struct giq_project *project,
                       char **out)
{
    if (!giq_geom_new(flags, &a->geom, a->err) || !add_features(a) ||
        !giq_geom_unite(a->geom, a->err)) {
        return false;
    }
    if (project != NULL) {
        const struct giq_projection projection = giq_project_use(project);
        if (!giq_geom_project(a->geom, &projection, a->err)) {
            return false;
        }
    }
    return giq_geom_write(a->geom, out, a->err);
}

static bool read_aoi(struct aoi *a, unsigned flags, char **out)
{
    if (flags & GIQ_GEOM_AS_IS) {
        return open_source(a) && choose_layer(a) && read_layer(a, flags, NULL, out);
    }
    struct giq_project *project = NULL;
    if (!giq_project_check(a->err) || !open_source(a) || !choose_layer(a) ||
        !make_project(a, &project)) {
        return false;
    }
    bool ok = read_layer(a, flags, project, out);
    giq_project_free(project);
    return ok;
}

bool giq_aoi_is_reading(void)
{
    return CPLGetThreadLocalConfigOption(reading_option, NULL) != NULL;
}

bool giq_aoi_read(const char *source, unsigned flags, const struct giq_env *env,
                  char **out, struct giq_error *err)
{
    struct aoi aoi = {.source = source, .env = env, .err = err};
    CPLSetThreadLocalConfigOption(reading_option, "YES");
    bool ok = read_aoi(&aoi, flags, out);
    giq_geom_free(aoi.geom);
    if (aoi.dataset != NULL) {
        GDALClose(aoi.dataset);
    }
    CPLSetThreadLocalConfigOption(reading_option, NULL);
    return ok;
}
