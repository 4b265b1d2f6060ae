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
    LISTED_MAX = 250,     /* room for the list of layers in a message */
    NAME_MAX_BYTES = 120, /* room for the name of an area or a feature in a message */
    REASON_MAX = 160,     /* room for GDAL's reason in a message */
    LAYER_MAX = 60,       /* bytes of the name of a layer in a message */
    COMMAS_MAX = 32,      /* the commas, from the left, at which a source may be split */
};

/* Set while an area is read, so that a VRT in it cannot open a GIQ: dataset. Only the
 * configuration of the thread reaches such nested opens. */
static const char reading_option[] = "GIQ_READING_AREA";

struct aoi {
    const char *source; /* as the user gave it */
    const struct giq_env *env;
    GDALDatasetH dataset;
    OGRLayerH layer;
    bool has_layer_name; /* the source ends in a comma and the name of a layer */
    struct giq_geom *geom;
    size_t polygons;
    struct giq_error *err;
};

/* ---- messages ---- */

/* Connection strings, and queries, fragments and users of URLs, may contain secrets. */
static bool may_contain_secret(const char *source)
{
    return strpbrk(source, "?@=") != NULL ||
           (strstr(source, "://") != NULL && strchr(source, '#') != NULL);
}

/* "AOI" and the source, without the source if it may contain a secret; too long a text is
 * cut. */
static const char *name_of(const struct aoi *aoi, char out[NAME_MAX_BYTES])
{
    (void)CPLStrlcpy(out, "AOI", NAME_MAX_BYTES);
    if (!may_contain_secret(aoi->source)) {
        (void)CPLStrlcat(out, " ", NAME_MAX_BYTES);
        (void)CPLStrlcat(out, aoi->source, NAME_MAX_BYTES);
    }
    return out;
}

/* ": " and GDAL's message, which may repeat the source; "" if there is none. */
static const char *reason_of(const struct aoi *aoi, char out[REASON_MAX])
{
    const char *reason = may_contain_secret(aoi->source) ? "" : CPLGetLastErrorMsg();
    (void)CPLStrlcpy(out, reason[0] == '\0' ? "" : ": ", REASON_MAX);
    (void)CPLStrlcat(out, reason, REASON_MAX);
    return out;
}

static const char *list_layers(const struct aoi *aoi, char out[LISTED_MAX])
{
    GIQ_AUTO_CSL char **names = NULL;
    for (int i = 0; i < GDALDatasetGetLayerCount(aoi->dataset); i++) {
        names = CSLAddString(names, OGR_L_GetName(GDALDatasetGetLayer(aoi->dataset, i)));
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
static void open_up_to_comma(struct aoi *aoi, const char *comma)
{
    GIQ_AUTO_CPL char *path = CPLStrdup(aoi->source);
    path[comma - aoi->source] = '\0';
    GIQ_AUTO_DATASET GDALDatasetH dataset = open_path(path);
    if (dataset == NULL) {
        return;
    }
    const char *name = comma + 1 + strspn(comma + 1, " ");
    OGRLayerH layer = GDALDatasetGetLayerByName(dataset, name);
    if (layer == NULL && aoi->dataset != NULL) {
        return;
    }
    if (aoi->dataset != NULL) {
        GDALClose(aoi->dataset);
    }
    aoi->dataset = dataset;
    aoi->layer = layer;
    aoi->has_layer_name = true;
    dataset = NULL;
}

/* Open the source as it is, else split at each of the first COMMAS_MAX commas from left
 * to right: paths and layers may have commas in their names. */
static bool open_source(struct aoi *aoi)
{
    char name[NAME_MAX_BYTES];
    char reason[REASON_MAX];
    if (STARTS_WITH_CI(aoi->source, "GIQ:")) {
        return giq_fail(aoi->err, GIQ_E_AREA,
                        "AOI must not be a GIQ: dataset; save the result with ogr2ogr "
                        "first and use the file");
    }
    aoi->dataset = open_path(aoi->source);
    if (aoi->dataset != NULL) {
        return true;
    }
    const char *comma = strchr(aoi->source, ',');
    bool has_comma = comma != NULL;
    for (int i = 0; comma != NULL && aoi->layer == NULL && i < COMMAS_MAX; i++) {
        open_up_to_comma(aoi, comma);
        comma = strchr(comma + 1, ',');
    }
    if (aoi->dataset == NULL) {
        return giq_fail(aoi->err, GIQ_E_AREA,
                        "%s cannot be opened as a vector dataset%s%s", name_of(aoi, name),
                        has_comma ? "; also tried as <path>,<layer>" : "",
                        reason_of(aoi, reason));
    }
    return true;
}

static bool choose_layer(struct aoi *aoi)
{
    char name[NAME_MAX_BYTES];
    char list[LISTED_MAX];
    char reason[REASON_MAX];
    if (aoi->has_layer_name && aoi->layer == NULL) {
        return giq_fail(
            aoi->err, GIQ_E_AREA,
            "%s names a layer that the dataset does not have; its layers are %s",
            name_of(aoi, name), list_layers(aoi, list));
    }
    if (aoi->has_layer_name) {
        return true;
    }
    int count = 0;
    for (int i = 0; i < GDALDatasetGetLayerCount(aoi->dataset); i++) {
        OGRLayerH layer = GDALDatasetGetLayer(aoi->dataset, i);
        if (OGR_L_GetGeomType(layer) != wkbNone) {
            aoi->layer = layer;
            count++;
        }
    }
    if (count == 0) {
        return giq_fail(aoi->err, GIQ_E_AREA, "%s has no layer with geometries%s",
                        name_of(aoi, name), reason_of(aoi, reason));
    }
    if (count > 1) {
        return giq_fail(
            aoi->err, GIQ_E_AREA,
            "%s has several layers with geometries; name one as <path>,<layer>: %s",
            name_of(aoi, name), list_layers(aoi, list));
    }
    return true;
}

/* ---- geometries ---- */

static bool add_ring(struct aoi *aoi, OGRGeometryH ring)
{
    size_t count = (size_t)OGR_G_GetPointCount(ring);
    double *xy = malloc((count + 1) * 2 * sizeof *xy);
    if (xy == NULL) {
        return giq_fail(aoi->err, GIQ_E_MEMORY, "out of memory");
    }
    const int stride = 2 * (int)sizeof *xy;
    (void)OGR_G_GetPoints(ring, xy, stride, xy + 1, stride, NULL, 0);
    if (count > 0 && (xy[0] != xy[2 * count - 2] || xy[1] != xy[2 * count - 1])) {
        xy[2 * count] = xy[0];
        xy[2 * count + 1] = xy[1];
        count++;
    }
    bool ok = giq_geom_add_ring(aoi->geom, xy, count, aoi->err);
    free(xy);
    return ok;
}

static bool add_polygon(struct aoi *aoi, OGRGeometryH polygon, const char *what)
{
    int rings = OGR_G_GetGeometryCount(polygon);
    for (int i = 0; i < rings; i++) {
        if (!add_ring(aoi, OGR_G_GetGeometryRef(polygon, i))) {
            return false;
        }
    }
    if (rings > 0) {
        aoi->polygons++;
    }
    return giq_geom_end_polygon(aoi->geom, what, aoi->err);
}

/* Add the polygons of a geometry without curves; points and lines are ignored. */
static bool add_geometry(struct aoi *aoi, OGRGeometryH geometry, const char *what)
{
    OGRwkbGeometryType type = OGR_GT_Flatten(OGR_G_GetGeometryType(geometry));
    if (OGR_GT_IsSubClassOf(type, wkbPolygon)) {
        return OGR_G_IsEmpty(geometry) || add_polygon(aoi, geometry, what);
    }
    bool has_parts = OGR_GT_IsSubClassOf(type, wkbGeometryCollection) ||
                     OGR_GT_IsSubClassOf(type, wkbPolyhedralSurface);
    if (!has_parts && OGR_GT_IsSubClassOf(type, wkbSurface)) {
        return giq_fail(aoi->err, GIQ_E_AREA,
                        "%s has a %s, which cannot be part of an area; convert it to "
                        "polygons",
                        what, OGR_G_GetGeometryName(geometry));
    }
    if (!has_parts) {
        return true;
    }
    for (int i = 0; i < OGR_G_GetGeometryCount(geometry); i++) {
        if (!add_geometry(aoi, OGR_G_GetGeometryRef(geometry, i), what)) {
            return false;
        }
    }
    return true;
}

static bool add_feature(struct aoi *aoi, OGRFeatureH feature)
{
    OGRGeometryH geometry = OGR_F_GetGeometryRef(feature);
    if (geometry == NULL) {
        return true;
    }
    char what[NAME_MAX_BYTES];
    (void)snprintf(what, sizeof what, "the feature " CPL_FRMT_GIB " of the layer %.*s",
                   OGR_F_GetFID(feature),
                   giq_text_cut_len(OGR_L_GetName(aoi->layer), LAYER_MAX),
                   OGR_L_GetName(aoi->layer));
    /* FALSE: a type of curves counts even if no part is an arc. */
    if (!OGR_G_HasCurveGeometry(geometry, FALSE)) {
        return add_geometry(aoi, geometry, what);
    }
    OGRGeometryH linear = OGR_G_GetLinearGeometry(geometry, 0, NULL);
    if (linear == NULL) {
        return giq_fail(aoi->err, GIQ_E_AREA,
                        "%s has curves that GDAL cannot convert to lines; convert it to "
                        "polygons",
                        what);
    }
    bool ok = add_geometry(aoi, linear, what);
    OGR_G_DestroyGeometry(linear);
    return ok;
}

static bool add_features(struct aoi *aoi)
{
    char name[NAME_MAX_BYTES];
    char reason[REASON_MAX];
    OGRFeatureH feature = NULL;
    CPLErrorReset();
    OGR_L_ResetReading(aoi->layer);
    while ((feature = OGR_L_GetNextFeature(aoi->layer)) != NULL) {
        bool ok =
            giq_project_check_cancelled(aoi->env, aoi->err) && add_feature(aoi, feature);
        OGR_F_Destroy(feature);
        if (!ok) {
            return false;
        }
    }
    if (CPLGetLastErrorType() == CE_Failure) {
        return giq_fail(aoi->err, GIQ_E_AREA, "%s cannot be read to its end%s",
                        name_of(aoi, name), reason_of(aoi, reason));
    }
    if (aoi->polygons == 0) {
        return giq_fail(aoi->err, GIQ_E_AREA, "the layer %.*s of %s contains no polygons",
                        giq_text_cut_len(OGR_L_GetName(aoi->layer), LAYER_MAX),
                        OGR_L_GetName(aoi->layer), name_of(aoi, name));
    }
    return true;
}

/* ---- the area ---- */

/* `srs` is that of the layer, NULL or one that gives no position on Earth. */
static bool fail_without_srs(struct aoi *aoi, OGRSpatialReferenceH srs)
{
    static const char advice[] = "assign one, for example with ogr2ogr -a_srs "
                                 "EPSG:<code>, or send its coordinates as they are with "
                                 "GEOMETRY_CRS=AS_IS";
    char name[NAME_MAX_BYTES];
    const char *layer = OGR_L_GetName(aoi->layer);
    int layer_len = giq_text_cut_len(layer, LAYER_MAX);
    const char *srs_name = srs == NULL ? NULL : OSRGetName(srs);
    if (srs_name == NULL) {
        return giq_fail(aoi->err, GIQ_E_AREA,
                        "the layer %.*s of %s has no coordinate system; %s", layer_len,
                        layer, name_of(aoi, name), advice);
    }
    return giq_fail(
        aoi->err, GIQ_E_AREA,
        "the layer %.*s of %s has the coordinate system \"%.*s\", which gives "
        "no position on Earth; %s",
        layer_len, layer, name_of(aoi, name), giq_text_cut_len(srs_name, LAYER_MAX),
        srs_name, advice);
}

static bool make_project(struct aoi *aoi, struct giq_project **out)
{
    char name[NAME_MAX_BYTES];
    char reason[REASON_MAX];
    CPLErrorReset();
    OGRSpatialReferenceH srs = OGR_L_GetSpatialRef(aoi->layer);
    if (srs == NULL && CPLGetLastErrorType() == CE_Failure) {
        return giq_fail(aoi->err, GIQ_E_AREA, "the layer %.*s of %s cannot be read%s",
                        giq_text_cut_len(OGR_L_GetName(aoi->layer), LAYER_MAX),
                        OGR_L_GetName(aoi->layer), name_of(aoi, name),
                        reason_of(aoi, reason));
    }
    if (srs == NULL || giq_project_has_no_position(srs)) {
        return fail_without_srs(aoi, srs);
    }
    return giq_project_new(srs, aoi->env, out, aoi->err);
}

/* Read the polygons of the chosen layer; `project` is NULL if their coordinates are sent
 * as they are. */
static bool read_layer(struct aoi *aoi, unsigned flags, struct giq_project *project,
                       char **out)
{
    if (!giq_geom_new(flags, &aoi->geom, aoi->err) || !add_features(aoi) ||
        !giq_geom_unite(aoi->geom, aoi->err)) {
        return false;
    }
    if (project != NULL) {
        const struct giq_projection projection = giq_project_get_projection(project);
        if (!giq_geom_project(aoi->geom, &projection, aoi->err)) {
            return false;
        }
    }
    return giq_geom_write(aoi->geom, out, aoi->err);
}

static bool read_aoi(struct aoi *aoi, unsigned flags, char **out)
{
    if (flags & GIQ_GEOM_AS_IS) {
        return open_source(aoi) && choose_layer(aoi) && read_layer(aoi, flags, NULL, out);
    }
    struct giq_project *project = NULL;
    if (!giq_project_check(aoi->err) || !open_source(aoi) || !choose_layer(aoi) ||
        !make_project(aoi, &project)) {
        return false;
    }
    bool ok = read_layer(aoi, flags, project, out);
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
