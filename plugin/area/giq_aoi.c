#include "area/giq_aoi.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <gdal.h>
#include <ogr_api.h>
#include <stdlib.h>
#include <string.h>

#include "area/giq_project.h"
#include "options/giq_list.h"

enum {
    LISTED_MAX = 250,
    SHOWN_MAX = 120,
    REASON_MAX = 160,
    COMMAS_MAX = 32, /* at which a source is split */
};

/* A dataset may open others (a VRT does), and GDAL hands nothing from one open to those
 * within. They share the thread; a configuration option of the thread says it without a
 * global of the driver's. */
static const char reading_option[] = "GIQ_READING_AREA";

/* An area that is being read. */
struct aoi {
    const char *source;
    GDALDatasetH dataset;
    OGRLayerH layer;
    bool names_layer; /* the user did, after a comma */
    struct giq_geom *geom;
    size_t polygons;
    struct giq_error *err;
};

/* ---- messages ---- */

/* Connection strings and queries of addresses may hold secrets. */
static bool may_show(const char *source)
{
    return source[strcspn(source, "?@=")] == '\0';
}

static const char *show(const struct aoi *a, char out[SHOWN_MAX])
{
    (void)CPLStrlcpy(out, may_show(a->source) ? a->source : "the AOI", SHOWN_MAX);
    return out;
}

/* GDAL's words, which may repeat the source. */
static const char *reason_of(const struct aoi *a, char out[REASON_MAX])
{
    (void)CPLStrlcpy(out, may_show(a->source) ? CPLGetLastErrorMsg() : "", REASON_MAX);
    for (char *at = out; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ') {
            *at = ' ';
        }
    }
    return out;
}

static const char *list_layers(const struct aoi *a, char out[LISTED_MAX])
{
    char **names = NULL;
    for (int i = 0; i < GDALDatasetGetLayerCount(a->dataset); i++) {
        names = CSLAddString(names, OGR_L_GetName(GDALDatasetGetLayer(a->dataset, i)));
    }
    giq_list_join(names, out, LISTED_MAX);
    CSLDestroy(names);
    return out;
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
    char **drivers = list_drivers();
    CPLErrorReset();
    GDALDatasetH dataset = GDALOpenEx(path, GDAL_OF_VECTOR | GDAL_OF_VERBOSE_ERROR,
                                      (const char *const *)drivers, NULL, NULL);
    CSLDestroy(drivers);
    return dataset;
}

/* Open what stands before a comma, where it has the layer that is named after it. The
 * first dataset without that layer is kept for the message. */
static void open_before(struct aoi *a, const char *comma)
{
    char *path = CPLStrdup(a->source);
    path[comma - a->source] = '\0';
    const char *name = comma + 1 + strspn(comma + 1, " ");
    GDALDatasetH dataset = open_path(path);
    OGRLayerH layer = dataset == NULL ? NULL : GDALDatasetGetLayerByName(dataset, name);
    CPLFree(path);
    if (layer == NULL && (dataset == NULL || a->dataset != NULL)) {
        if (dataset != NULL) {
            GDALClose(dataset);
        }
        return;
    }
    if (a->dataset != NULL) {
        GDALClose(a->dataset);
    }
    a->dataset = dataset;
    a->layer = layer;
    a->names_layer = true;
}

/* Open the source as it is, or else split at each comma from left to right: paths and
 * layers may have commas in their names. */
static bool open_source(struct aoi *a)
{
    char shown[SHOWN_MAX];
    char reason[REASON_MAX];
    if (STARTS_WITH_CI(a->source, "GIQ:")) {
        return giq_fail(a->err, GIQ_E_AREA,
                        "an AOI cannot be a GIQ: dataset; save the result first, with "
                        "ogr2ogr, and give that");
    }
    a->dataset = open_path(a->source);
    const char *comma = a->dataset == NULL ? strchr(a->source, ',') : NULL;
    bool has_comma = comma != NULL;
    for (int i = 0; comma != NULL && a->layer == NULL && i < COMMAS_MAX; i++) {
        open_before(a, comma);
        comma = strchr(comma + 1, ',');
    }
    return a->dataset != NULL ||
           giq_fail(a->err, GIQ_E_AREA,
                    "the dataset of the area cannot be opened: %s%s. %s", show(a, shown),
                    has_comma ? ", neither whole nor up to a comma" : "",
                    reason_of(a, reason));
}

static bool fail_layer(struct aoi *a, int count)
{
    char shown[SHOWN_MAX];
    char list[LISTED_MAX];
    char reason[REASON_MAX];
    if (count == 0) {
        return giq_fail(a->err, GIQ_E_AREA, "%s has no layer with geometries. %s",
                        show(a, shown), reason_of(a, reason));
    }
    return giq_fail(a->err, GIQ_E_AREA,
                    "%s has several layers; name one as <path>,<layer>: %s",
                    show(a, shown), list_layers(a, list));
}

static bool choose_layer(struct aoi *a)
{
    char shown[SHOWN_MAX];
    char list[LISTED_MAX];
    if (a->names_layer) {
        return a->layer != NULL ||
               giq_fail(a->err, GIQ_E_AREA, "%s: there is no such layer; there is %s",
                        show(a, shown), list_layers(a, list));
    }
    int count = 0;
    for (int i = 0; i < GDALDatasetGetLayerCount(a->dataset); i++) {
        OGRLayerH layer = GDALDatasetGetLayer(a->dataset, i);
        if (OGR_L_GetGeomType(layer) != wkbNone) {
            a->layer = layer;
            count++;
        }
    }
    return count == 1 || fail_layer(a, count);
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
    bool ok = true;
    for (int i = 0; ok && i < rings; i++) {
        ok = add_ring(a, OGR_G_GetGeometryRef(polygon, i));
    }
    a->polygons += rings > 0;
    return ok && giq_geom_end_polygon(a->geom, what, a->err);
}

/* Add the polygons of a geometry without curves. */
static bool add_geometry(struct aoi *a, OGRGeometryH geometry, const char *what)
{
    OGRwkbGeometryType type = OGR_GT_Flatten(OGR_G_GetGeometryType(geometry));
    if (OGR_GT_IsSubClassOf(type, wkbPolygon)) {
        return OGR_G_IsEmpty(geometry) || add_polygon(a, geometry, what);
    }
    bool has_parts = OGR_GT_IsSubClassOf(type, wkbGeometryCollection) ||
                     OGR_GT_IsSubClassOf(type, wkbPolyhedralSurface);
    bool ok = true;
    for (int i = 0; ok && has_parts && i < OGR_G_GetGeometryCount(geometry); i++) {
        ok = add_geometry(a, OGR_G_GetGeometryRef(geometry, i), what);
    }
    return ok;
}

static bool add_feature(struct aoi *a, OGRFeatureH feature)
{
    OGRGeometryH geometry = OGR_F_GetGeometryRef(feature);
    if (geometry == NULL) {
        return true;
    }
    char what[SHOWN_MAX];
    (void)snprintf(what, sizeof what, "the feature " CPL_FRMT_GIB " of the layer %.60s",
                   OGR_F_GetFID(feature), OGR_L_GetName(a->layer));
    OGRGeometryH lines = OGR_G_HasCurveGeometry(geometry, TRUE)
                             ? OGR_G_GetLinearGeometry(geometry, 0, NULL)
                             : NULL;
    bool ok = add_geometry(a, lines == NULL ? geometry : lines, what);
    OGR_G_DestroyGeometry(lines);
    return ok;
}

static bool add_features(struct aoi *a)
{
    char shown[SHOWN_MAX];
    char reason[REASON_MAX];
    bool ok = true;
    OGRFeatureH feature = NULL;
    CPLErrorReset();
    OGR_L_ResetReading(a->layer);
    while (ok && (feature = OGR_L_GetNextFeature(a->layer)) != NULL) {
        ok = add_feature(a, feature);
        OGR_F_Destroy(feature);
    }
    if (ok && CPLGetLastErrorType() == CE_Failure) {
        return giq_fail(a->err, GIQ_E_AREA,
                        "the dataset of the area cannot be read to its end: %s. %s",
                        show(a, shown), reason_of(a, reason));
    }
    if (ok && a->polygons == 0) {
        return giq_fail(a->err, GIQ_E_AREA, "the layer %.60s of %s has no polygon",
                        OGR_L_GetName(a->layer), show(a, shown));
    }
    return ok;
}

/* ---- the whole ---- */

/* The layer has no coordinate system, or `srs`, which stands for none. */
static bool fail_none(struct aoi *a, OGRSpatialReferenceH srs)
{
    char shown[SHOWN_MAX];
    const char *name = srs == NULL ? NULL : OSRGetName(srs);
    return giq_fail(
        a->err, GIQ_E_AREA,
        "the layer %.60s of %s has no coordinate system%s%.60s%s: give it one, for "
        "example with ogr2ogr -a_srs EPSG:<code>, or GEOMETRY_CRS=AS_IS sends its "
        "coordinates as they are",
        OGR_L_GetName(a->layer), show(a, shown), name == NULL ? "" : " (\"",
        name == NULL ? "" : name, name == NULL ? "" : "\" stands for none)");
}

static bool make_project(struct aoi *a, struct giq_project **out)
{
    char shown[SHOWN_MAX];
    char reason[REASON_MAX];
    CPLErrorReset();
    OGRSpatialReferenceH srs = OGR_L_GetSpatialRef(a->layer);
    if (srs == NULL && CPLGetLastErrorType() == CE_Failure) {
        return giq_fail(a->err, GIQ_E_AREA, "the layer %.60s of %s cannot be read. %s",
                        OGR_L_GetName(a->layer), show(a, shown), reason_of(a, reason));
    }
    if (srs == NULL || giq_project_is_none(srs)) {
        return fail_none(a, srs);
    }
    return giq_project_new(srs, out, a->err);
}

static bool project(struct aoi *a, struct giq_project *how)
{
    const struct giq_projection projection = giq_project_use(how);
    return giq_geom_project(a->geom, &projection, a->err);
}

static bool read_aoi(struct aoi *a, unsigned flags, char **out)
{
    struct giq_project *how = NULL;
    bool is_as_is = (flags & GIQ_GEOM_AS_IS) != 0;
    bool ok = (is_as_is || giq_project_check(a->err)) && open_source(a) &&
              choose_layer(a) && (is_as_is || make_project(a, &how)) &&
              giq_geom_new(flags, &a->geom, a->err) && add_features(a) &&
              giq_geom_unite(a->geom, a->err) && (how == NULL || project(a, how)) &&
              giq_geom_write(a->geom, out, a->err);
    giq_project_free(how);
    return ok;
}

bool giq_aoi_is_reading(void)
{
    return CPLGetThreadLocalConfigOption(reading_option, NULL) != NULL;
}

bool giq_aoi_read(const char *source, unsigned flags, char **out, struct giq_error *err)
{
    struct aoi aoi = {.source = source, .err = err};
    CPLSetThreadLocalConfigOption(reading_option, "YES");
    bool ok = read_aoi(&aoi, flags, out);
    giq_geom_free(aoi.geom);
    if (aoi.dataset != NULL) {
        GDALClose(aoi.dataset);
    }
    CPLSetThreadLocalConfigOption(reading_option, NULL);
    return ok;
}
