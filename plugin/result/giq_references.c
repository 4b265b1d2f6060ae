#include "result/giq_references.h"

#include <cpl_conv.h>
#include <cpl_http.h>
#include <cpl_string.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <string.h>

/* ---- what GDAL is asked to fetch ---- */

static CPLHTTPResult *refuse_fetch(const char *url, CSLConstList options,
                                   GDALProgressFunc progress, void *progress_ctx,
                                   CPLHTTPFetchWriteFunc write, void *write_ctx,
                                   void *ctx)
{
    struct giq_references *reach = ctx;
    (void)url, (void)options, (void)progress, (void)progress_ctx, (void)write,
        (void)write_ctx;
    reach->has_fetched = true;
    CPLHTTPResult *result = CPLCalloc(1, sizeof *result);
    result->nStatus = 1;
    result->pszErrBuf = CPLStrdup("results may not fetch anything");
    return result;
}

void giq_references_begin(struct giq_references *reach)
{
    *reach = (struct giq_references){0};
    (void)CPLHTTPPushFetchCallback(refuse_fetch, reach);
}

bool giq_references_end(struct giq_references *reach, bool ok, struct giq_error *err)
{
    (void)CPLHTTPPopFetchCallback();
    if (ok && reach->has_fetched) {
        return giq_fail(err, GIQ_E_RESULT,
                        "the result would make GDAL fetch an external address and is "
                        "refused");
    }
    return ok;
}

/* Read all features, for what the driver asks for on the way. */
static void read_features(GDALDatasetH dataset)
{
    for (int i = 0; i < GDALDatasetGetLayerCount(dataset); i++) {
        OGRLayerH layer = GDALDatasetGetLayer(dataset, i);
        OGRFeatureH feature = NULL;
        while ((feature = OGR_L_GetNextFeature(layer)) != NULL) {
            OGR_F_Destroy(feature);
        }
    }
}

/* ---- metadata ---- */

static bool has_overviews(GDALMajorObjectH object)
{
    return GDALGetMetadataItem(object, "OVERVIEW_FILE", "OVERVIEWS") != NULL;
}

static bool check_overviews(GDALDatasetH dataset, struct giq_error *err)
{
    bool found = has_overviews(dataset);
    for (int i = 1; i <= GDALGetRasterCount(dataset) && !found; i++) {
        found = has_overviews(GDALGetRasterBand(dataset, i));
    }
    return !found || giq_fail(err, GIQ_E_RESULT,
                              "the result names an overview file outside itself and is "
                              "refused");
}

/* The arrays that say where each pixel lies; the driver of netCDF finds those in the
 * file itself. */
static bool check_geolocation(GDALDatasetH dataset, const char *driver,
                              struct giq_error *err)
{
    bool found = GDALGetMetadataItem(dataset, "X_DATASET", "GEOLOCATION") != NULL ||
                 GDALGetMetadataItem(dataset, "Y_DATASET", "GEOLOCATION") != NULL;
    return EQUAL(driver, "netCDF") || !found ||
           giq_fail(err, GIQ_E_RESULT,
                    "the result names a geolocation file outside itself and is refused");
}

/* Whether a part has the name that its driver gives to parts of the file. */
static bool is_own_part(const char *name, const char *driver, const char *path)
{
    static const struct {
        const char *driver;
        const char *before, *after; /* the path; NULL: it has no parts */
    } forms[] = {
        {"GPKG", "GPKG:", ":"}, {"JPEG", "JPEG:\"", "\":"}, {"JP2OpenJPEG", NULL, NULL},
        {"PNG", NULL, NULL},    {"MBTiles", NULL, NULL},
    };
    size_t path_len = strlen(path);
    if (EQUAL(driver, "GTiff")) {
        static const char before[] = "GTIFF_DIR:";
        const char *rest = name + strlen(before);
        return STARTS_WITH(name, before) && strspn(rest, "0123456789") > 0 &&
               rest[strspn(rest, "0123456789")] == ':' &&
               EQUAL(rest + strspn(rest, "0123456789") + 1, path);
    }
    for (size_t i = 0; i < GIQ_COUNT(forms); i++) {
        if (EQUAL(driver, forms[i].driver)) {
            const char *before = forms[i].before;
            return before != NULL && STARTS_WITH(name, before) &&
                   strncmp(name + strlen(before), path, path_len) == 0 &&
                   STARTS_WITH(name + strlen(before) + path_len, forms[i].after);
        }
    }
    /* Drivers whose parts are no files, and those that the user added. */
    return true;
}

static bool is_part_name(const char *item)
{
    const char *value = strchr(item, '=');
    return value != NULL && value - item > 5 && EQUALN(value - 5, "_NAME", 5);
}

static bool check_parts(GDALDatasetH dataset, const char *driver, const char *path,
                        struct giq_error *err)
{
    char **parts = GDALGetMetadata(dataset, "SUBDATASETS");
    for (int i = 0; parts != NULL && parts[i] != NULL; i++) {
        if (is_part_name(parts[i]) &&
            !is_own_part(strchr(parts[i], '=') + 1, driver, path)) {
            return giq_fail(err, GIQ_E_RESULT,
                            "the result names a subdataset outside itself and is "
                            "refused");
        }
    }
    return true;
}

/* ---- coordinate systems ---- */

static bool check_system(OGRSpatialReferenceH system, struct giq_error *err)
{
    static const char *const options[] = {"FORMAT=WKT2_2019", NULL};
    char *wkt = NULL;
    bool found = system != NULL &&
                 OSRExportToWktEx(system, &wkt, options) == OGRERR_NONE && wkt != NULL &&
                 giq_external_srs(wkt);
    CPLFree(wkt);
    return !found || giq_fail(err, GIQ_E_RESULT,
                              "the coordinate system of the result names a file or an "
                              "address, and the result is refused");
}

static bool check_systems(GDALDatasetH dataset, struct giq_error *err)
{
    bool ok = check_system(GDALGetSpatialRef(dataset), err) &&
              check_system(GDALGetGCPSpatialRef(dataset), err);
    for (int i = 0; ok && i < GDALDatasetGetLayerCount(dataset); i++) {
        OGRFeatureDefnH layer = OGR_L_GetLayerDefn(GDALDatasetGetLayer(dataset, i));
        for (int k = 0; ok && k < OGR_FD_GetGeomFieldCount(layer); k++) {
            OGRGeomFieldDefnH field = OGR_FD_GetGeomFieldDefn(layer, k);
            ok = check_system(OGR_GFld_GetSpatialRef(field), err);
        }
    }
    return ok;
}

/* ---- the whole ---- */

static bool check_one(GDALDatasetH dataset, const char *path, struct giq_error *err)
{
    const char *driver = GDALGetDriverShortName(GDALGetDatasetDriver(dataset));
    return check_overviews(dataset, err) && check_geolocation(dataset, driver, err) &&
           check_parts(dataset, driver, path, err) && check_systems(dataset, err);
}

/* The parts of a file whose metadata are their own: pages of a TIFF, rasters of a
 * GeoPackage. */
static bool check_each_part(GDALDatasetH dataset, const char *path, char **drivers,
                            struct giq_error *err)
{
    enum { PARTS_MAX = 1000 };
    const char *driver = GDALGetDriverShortName(GDALGetDatasetDriver(dataset));
    char **parts = CSLDuplicate(GDALGetMetadata(dataset, "SUBDATASETS"));
    bool has_own = EQUAL(driver, "GTiff") || EQUAL(driver, "GPKG");
    bool ok = !has_own || CSLCount(parts) <= 2 * PARTS_MAX ||
              giq_fail(err, GIQ_E_RESULT,
                       "the result has more than %d parts, too many to be looked at, and "
                       "is refused",
                       (int)PARTS_MAX);
    for (int i = 0; ok && has_own && parts != NULL && parts[i] != NULL; i++) {
        GDALDatasetH part = is_part_name(parts[i])
                                ? GDALOpenEx(strchr(parts[i], '=') + 1, GDAL_OF_RASTER,
                                             (const char *const *)drivers, NULL, NULL)
                                : NULL;
        if (part != NULL) {
            ok = check_one(part, path, err);
            GDALClose(part);
        }
    }
    CSLDestroy(parts);
    return ok;
}

bool giq_references_check(const struct giq_references *reach, GDALDatasetH dataset,
                          const char *path, char **drivers, struct giq_error *err)
{
    const char *driver = GDALGetDriverShortName(GDALGetDatasetDriver(dataset));
    if (!giq_references_check_schema(dataset, path, err) ||
        !check_one(dataset, path, err) || !check_each_part(dataset, path, drivers, err)) {
        return false;
    }
    if (reach->may_fetch && STARTS_WITH_CI(driver, "GeoJSON")) {
        read_features(dataset);
    }
    return true;
}
