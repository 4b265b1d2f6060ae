/*
 * Opens a vector dataset with any driver but this one, chooses its layer, and passes the
 * polygons of its features to the core.
 */
#include "area/giq_vector_source.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <stdlib.h>
#include <string.h>

#include "options/giq_gdal_cleanup.h"
#include "options/giq_list.h"

enum {
    LISTED_MAX = 250,     /* room for the list of layers in a message */
    NAME_MAX_BYTES = 120, /* room for the name of an area or a feature in a message */
    REASON_MAX = 160,     /* room for GDAL's reason in a message */
    LAYER_MAX = 60,       /* bytes of the name of a layer in a message */
    COMMAS_MAX = 32,      /* the commas, from the left, at which a source may be split */
};

/* Set while a source is open, so that a VRT in it cannot open a GIQ: dataset. Only the
 * configuration of the thread reaches such nested opens. */
static const char reading_option[] = "GIQ_READING_AREA";

/* ---- messages ---- */

/* Connection strings, and queries, fragments and users of URLs, may contain secrets. */
static bool may_contain_secret(const char *name)
{
    return strpbrk(name, "?@=") != NULL ||
           (strstr(name, "://") != NULL && strchr(name, '#') != NULL);
}

/* The role and the name of a source, without the name if it may contain a secret; too
 * long a text is cut. */
static const char *name_of(const struct giq_vector_source *source,
                           char out[NAME_MAX_BYTES])
{
    (void)CPLStrlcpy(out, source->role, NAME_MAX_BYTES);
    if (!may_contain_secret(source->name)) {
        (void)CPLStrlcat(out, " ", NAME_MAX_BYTES);
        (void)CPLStrlcat(out, source->name, NAME_MAX_BYTES);
    }
    return out;
}

/* ": " and GDAL's message, which may repeat the source; "" if there is none. */
static const char *reason_of(const struct giq_vector_source *source, char out[REASON_MAX])
{
    const char *reason = may_contain_secret(source->name) ? "" : CPLGetLastErrorMsg();
    (void)CPLStrlcpy(out, reason[0] == '\0' ? "" : ": ", REASON_MAX);
    (void)CPLStrlcat(out, reason, REASON_MAX);
    return out;
}

static const char *list_layers(const struct giq_vector_source *source,
                               char out[LISTED_MAX])
{
    GIQ_AUTO_CSL char **names = NULL;
    for (int i = 0; i < GDALDatasetGetLayerCount(source->dataset); i++) {
        names =
            CSLAddString(names, OGR_L_GetName(GDALDatasetGetLayer(source->dataset, i)));
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

/* Open the path before a comma; the text behind the comma is the name of the layer. A
 * dataset without that layer is kept only if it is the first, for the error message. */
static void open_up_to_comma(struct giq_vector_source *source, const char *comma)
{
    GIQ_AUTO_CPL char *path = CPLStrdup(source->name);
    path[comma - source->name] = '\0';
    GIQ_AUTO_DATASET GDALDatasetH dataset = open_path(path);
    if (dataset == NULL) {
        return;
    }
    const char *name = comma + 1 + strspn(comma + 1, " ");
    OGRLayerH layer = GDALDatasetGetLayerByName(dataset, name);
    if (layer == NULL && source->dataset != NULL) {
        return;
    }
    if (source->dataset != NULL) {
        GDALClose(source->dataset);
    }
    source->dataset = dataset;
    source->layer = layer;
    source->has_layer_name = true;
    dataset = NULL;
}

/* Open the source as it is, else split at each of the first COMMAS_MAX commas from left
 * to right: paths and layers may have commas in their names. */
static bool open_source(struct giq_vector_source *source, struct giq_error *err)
{
    char name[NAME_MAX_BYTES];
    char reason[REASON_MAX];
    if (STARTS_WITH_CI(source->name, "GIQ:")) {
        return giq_fail(err, source->code,
                        "%s must not be a GIQ: dataset; save the result with ogr2ogr "
                        "first and use the file",
                        source->role);
    }
    source->dataset = open_path(source->name);
    if (source->dataset != NULL) {
        return true;
    }
    const char *comma = strchr(source->name, ',');
    bool has_comma = comma != NULL;
    for (int i = 0; comma != NULL && source->layer == NULL && i < COMMAS_MAX; i++) {
        open_up_to_comma(source, comma);
        comma = strchr(comma + 1, ',');
    }
    if (source->dataset == NULL) {
        return giq_fail(err, source->code, "%s cannot be opened as a vector dataset%s%s",
                        name_of(source, name),
                        has_comma ? "; also tried as <path>,<layer>" : "",
                        reason_of(source, reason));
    }
    return true;
}

static bool choose_layer(struct giq_vector_source *source, struct giq_error *err)
{
    char name[NAME_MAX_BYTES];
    char list[LISTED_MAX];
    char reason[REASON_MAX];
    if (source->has_layer_name && source->layer == NULL) {
        return giq_fail(
            err, source->code,
            "%s names a layer that the dataset does not have; its layers are %s",
            name_of(source, name), list_layers(source, list));
    }
    if (source->has_layer_name) {
        return true;
    }
    int count = 0;
    const char *kind = source->needs_geometry ? " with geometries" : "";
    for (int i = 0; i < GDALDatasetGetLayerCount(source->dataset); i++) {
        OGRLayerH layer = GDALDatasetGetLayer(source->dataset, i);
        if (!source->needs_geometry || OGR_L_GetGeomType(layer) != wkbNone) {
            source->layer = layer;
            count++;
        }
    }
    if (count == 0) {
        return giq_fail(err, source->code, "%s has no layer%s%s", name_of(source, name),
                        kind, reason_of(source, reason));
    }
    if (count > 1) {
        return giq_fail(err, source->code,
                        "%s has several layers%s; name one as <path>,<layer>: %s",
                        name_of(source, name), kind, list_layers(source, list));
    }
    return true;
}

/* ---- features ---- */

static bool fail_unreadable(const struct giq_vector_source *source, struct giq_error *err)
{
    char name[NAME_MAX_BYTES];
    char reason[REASON_MAX];
    const char *layer = OGR_L_GetName(source->layer);
    return giq_fail(err, source->code, "the layer %.*s of %s cannot be read%s",
                    giq_text_cut_len(layer, LAYER_MAX), layer, name_of(source, name),
                    reason_of(source, reason));
}

bool giq_vector_source_defn(const struct giq_vector_source *source, OGRFeatureDefnH *out,
                            struct giq_error *err)
{
    CPLErrorReset();
    OGRFeatureDefnH defn = OGR_L_GetLayerDefn(source->layer);
    if (CPLGetLastErrorType() == CE_Failure) {
        return fail_unreadable(source, err);
    }
    *out = defn;
    return true;
}

bool giq_vector_source_next(const struct giq_vector_source *source, OGRFeatureH *out,
                            struct giq_error *err)
{
    char name[NAME_MAX_BYTES];
    char reason[REASON_MAX];
    if (!giq_project_check_cancelled(source->env, err)) {
        return false;
    }
    CPLErrorReset();
    OGRFeatureH feature = OGR_L_GetNextFeature(source->layer);
    if (CPLGetLastErrorType() == CE_Failure) {
        OGR_F_Destroy(feature);
        return giq_fail(err, source->code, "%s cannot be read to its end%s",
                        name_of(source, name), reason_of(source, reason));
    }
    *out = feature;
    return true;
}

/* Add a ring; an open one is closed by its first point. */
static bool add_ring(struct giq_geom *geom, OGRGeometryH ring, struct giq_error *err)
{
    size_t count = (size_t)OGR_G_GetPointCount(ring);
    double *xy = malloc((count + 1) * 2 * sizeof *xy);
    if (xy == NULL) {
        return giq_fail_memory(err);
    }
    const int stride = 2 * (int)sizeof *xy;
    (void)OGR_G_GetPoints(ring, xy, stride, xy + 1, stride, NULL, 0);
    if (count > 0 && (xy[0] != xy[2 * count - 2] || xy[1] != xy[2 * count - 1])) {
        xy[2 * count] = xy[0];
        xy[2 * count + 1] = xy[1];
        count++;
    }
    bool ok = giq_geom_add_ring(geom, xy, count, err);
    free(xy);
    return ok;
}

/* A geometry whose polygons are added. */
struct adding {
    struct giq_geom *geom;
    const char *what; /* names the feature in messages */
    size_t polygons;  /* that have rings */
    struct giq_error *err;
};

/* Add a polygon that is not empty. */
static bool add_polygon(struct adding *adding, OGRGeometryH polygon)
{
    int rings = OGR_G_GetGeometryCount(polygon);
    for (int i = 0; i < rings; i++) {
        if (!add_ring(adding->geom, OGR_G_GetGeometryRef(polygon, i), adding->err)) {
            return false;
        }
    }
    adding->polygons++;
    return giq_geom_end_polygon(adding->geom, adding->what, adding->err);
}

/* Add the polygons of a geometry without curves; points and lines are ignored. */
static bool add_geometry(struct adding *adding, OGRGeometryH geometry)
{
    OGRwkbGeometryType type = OGR_GT_Flatten(OGR_G_GetGeometryType(geometry));
    if (OGR_GT_IsSubClassOf(type, wkbPolygon)) {
        return OGR_G_IsEmpty(geometry) || add_polygon(adding, geometry);
    }
    bool has_parts = OGR_GT_IsSubClassOf(type, wkbGeometryCollection) ||
                     OGR_GT_IsSubClassOf(type, wkbPolyhedralSurface);
    if (!has_parts && OGR_GT_IsSubClassOf(type, wkbSurface)) {
        return giq_fail(adding->err, GIQ_E_AREA,
                        "%s has a %s, which cannot be part of an area; convert it to "
                        "polygons",
                        adding->what, OGR_G_GetGeometryName(geometry));
    }
    if (!has_parts) {
        return true;
    }
    for (int i = 0; i < OGR_G_GetGeometryCount(geometry); i++) {
        if (!add_geometry(adding, OGR_G_GetGeometryRef(geometry, i))) {
            return false;
        }
    }
    return true;
}

static bool add_linear(struct adding *adding, OGRGeometryH geometry)
{
    /* FALSE: a type of curves counts even if no part is an arc. */
    if (!OGR_G_HasCurveGeometry(geometry, FALSE)) {
        return add_geometry(adding, geometry);
    }
    OGRGeometryH linear = OGR_G_GetLinearGeometry(geometry, 0, NULL);
    if (linear == NULL) {
        return giq_fail(adding->err, GIQ_E_AREA,
                        "%s has curves that GDAL cannot convert to lines; convert it to "
                        "polygons",
                        adding->what);
    }
    bool ok = add_geometry(adding, linear);
    OGR_G_DestroyGeometry(linear);
    return ok;
}

bool giq_vector_source_add(const struct giq_vector_source *source, OGRFeatureH feature,
                           struct giq_geom *geom, size_t *polygons, struct giq_error *err)
{
    OGRGeometryH geometry = OGR_F_GetGeometryRef(feature);
    if (geometry == NULL) {
        return true;
    }
    char what[NAME_MAX_BYTES];
    (void)snprintf(what, sizeof what, "the feature " CPL_FRMT_GIB " of the layer %.*s",
                   OGR_F_GetFID(feature),
                   giq_text_cut_len(OGR_L_GetName(source->layer), LAYER_MAX),
                   OGR_L_GetName(source->layer));
    struct adding adding = {.geom = geom, .what = what, .err = err};
    bool ok = add_linear(&adding, geometry);
    *polygons += adding.polygons;
    return ok;
}

bool giq_vector_source_fail_empty(const struct giq_vector_source *source,
                                  struct giq_error *err)
{
    char name[NAME_MAX_BYTES];
    return giq_fail(err, GIQ_E_AREA, "the layer %.*s of %s contains no polygons",
                    giq_text_cut_len(OGR_L_GetName(source->layer), LAYER_MAX),
                    OGR_L_GetName(source->layer), name_of(source, name));
}

bool giq_vector_source_write(struct giq_geom *geom, struct giq_project *project,
                             char **out, struct giq_error *err)
{
    if (!giq_geom_unite(geom, err)) {
        return false;
    }
    if (project != NULL) {
        const struct giq_projection projection = giq_project_get_projection(project);
        if (!giq_geom_project(geom, &projection, err)) {
            return false;
        }
    }
    return giq_geom_write(geom, out, err);
}

/* ---- the coordinate system ---- */

/* `srs` is that of the layer, NULL or one that gives no position on Earth. */
static bool fail_without_srs(const struct giq_vector_source *source,
                             OGRSpatialReferenceH srs, struct giq_error *err)
{
    static const char advice[] = "assign one, for example with ogr2ogr -a_srs "
                                 "EPSG:<code>, or send its coordinates as they are with "
                                 "GEOMETRY_CRS=AS_IS";
    char name[NAME_MAX_BYTES];
    const char *layer = OGR_L_GetName(source->layer);
    int layer_len = giq_text_cut_len(layer, LAYER_MAX);
    const char *srs_name = srs == NULL ? NULL : OSRGetName(srs);
    if (srs_name == NULL) {
        return giq_fail(err, GIQ_E_AREA,
                        "the layer %.*s of %s has no coordinate system; %s", layer_len,
                        layer, name_of(source, name), advice);
    }
    return giq_fail(
        err, GIQ_E_AREA,
        "the layer %.*s of %s has the coordinate system \"%.*s\", which gives "
        "no position on Earth; %s",
        layer_len, layer, name_of(source, name), giq_text_cut_len(srs_name, LAYER_MAX),
        srs_name, advice);
}

bool giq_vector_source_project(const struct giq_vector_source *source,
                               struct giq_project **out, struct giq_error *err)
{
    CPLErrorReset();
    OGRSpatialReferenceH srs = OGR_L_GetSpatialRef(source->layer);
    if (srs == NULL && CPLGetLastErrorType() == CE_Failure) {
        return fail_unreadable(source, err);
    }
    if (srs == NULL || giq_project_has_no_position(srs)) {
        return fail_without_srs(source, srs, err);
    }
    return giq_project_new(srs, source->env, out, err);
}

/* ---- the source ---- */

bool giq_vector_source_is_reading(void)
{
    return CPLGetThreadLocalConfigOption(reading_option, NULL) != NULL;
}

static bool begin_reading(struct giq_vector_source *source, struct giq_error *err)
{
    if (!choose_layer(source, err)) {
        return false;
    }
    OGR_L_ResetReading(source->layer);
    return true;
}

bool giq_vector_source_open(struct giq_vector_source *source, struct giq_error *err)
{
    CPLSetThreadLocalConfigOption(reading_option, "YES");
    return open_source(source, err) && begin_reading(source, err);
}

bool giq_vector_source_take(struct giq_vector_source *source, GDALDatasetH dataset,
                            struct giq_error *err)
{
    CPLSetThreadLocalConfigOption(reading_option, "YES");
    source->dataset = dataset;
    return begin_reading(source, err);
}

void giq_vector_source_close(struct giq_vector_source *source)
{
    if (source->dataset != NULL) {
        GDALClose(source->dataset);
        source->dataset = NULL;
    }
    CPLSetThreadLocalConfigOption(reading_option, NULL);
}
