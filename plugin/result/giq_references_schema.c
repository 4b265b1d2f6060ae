#include <cpl_conv.h>
#include <cpl_string.h>
#include <ogr_api.h>

#include "result/giq_references.h"

/* Go through the rows of a query, whose columns are a name and a text, until one
 * reaches out; its name into `name`. */
static bool find_row(GDALDatasetH dataset, const char *sql,
                     bool (*reaches_out)(const char *text), char name[100])
{
    bool found = false;
    OGRLayerH rows = GDALDatasetExecuteSQL(dataset, sql, NULL, "");
    OGRFeatureH row = NULL;
    while (!found && rows != NULL && (row = OGR_L_GetNextFeature(rows)) != NULL) {
        found = reaches_out(OGR_F_GetFieldAsString(row, 1));
        (void)CPLStrlcpy(name, OGR_F_GetFieldAsString(row, 0), 100);
        OGR_F_Destroy(row);
    }
    if (rows != NULL) {
        GDALDatasetReleaseResultSet(dataset, rows);
    }
    return found;
}

static bool check_tables(GDALDatasetH dataset, struct giq_error *err)
{
    char name[100];
    return !find_row(dataset,
                     "SELECT name, sql FROM sqlite_master WHERE sql LIKE '%virtual%'",
                     giq_external_table, name) ||
           giq_fail(err, GIQ_E_RESULT,
                    "the result has the virtual table \"%s\", which may read other "
                    "files, and is refused",
                    name);
}

/* The tables of coordinate systems that GeoPackage and SpatiaLite have. Columns that
 * are not there give an error, which is quiet, and no row. */
static bool check_systems(GDALDatasetH dataset, struct giq_error *err)
{
    static const char *const columns[][2] = {
        {"gpkg_spatial_ref_sys", "definition"},
        {"gpkg_spatial_ref_sys", "definition_12_063"},
        {"spatial_ref_sys", "proj4text"},
        {"spatial_ref_sys", "srtext"},
        {"spatial_ref_sys", "srs_wkt"},
    };
    char name[100];
    bool found = false;
    for (size_t i = 0; !found && i < GIQ_COUNT(columns); i++) {
        char *sql = CPLStrdup(CPLSPrintf("SELECT '%s', %s FROM %s", columns[i][0],
                                         columns[i][1], columns[i][0]));
        found = find_row(dataset, sql, giq_external_srs, name);
        CPLFree(sql);
    }
    return !found || giq_fail(err, GIQ_E_RESULT,
                              "the table %s of the result names a file or an address, "
                              "and the result is refused",
                              name);
}

static bool check_database(GDALDatasetH dataset, struct giq_error *err)
{
    return check_tables(dataset, err) && check_systems(dataset, err);
}

/* The driver of tiles gives no look at the schema, that of SQLite does. */
static bool check_tiles(const char *path, struct giq_error *err)
{
    static const char *const drivers[] = {"SQLite", NULL};
    char *name = CPLStrdup(CPLSPrintf("SQLITE:%s", path));
    GDALDatasetH dataset = GDALOpenEx(name, GDAL_OF_VECTOR, drivers, NULL, NULL);
    CPLFree(name);
    if (dataset == NULL) {
        return giq_fail(err, GIQ_E_RESULT,
                        "the schema of the result cannot be read, so it is refused");
    }
    bool ok = check_database(dataset, err);
    GDALClose(dataset);
    return ok;
}

bool giq_references_check_schema(GDALDatasetH dataset, const char *path,
                                 struct giq_error *err)
{
    const char *driver = GDALGetDriverShortName(GDALGetDatasetDriver(dataset));
    if (EQUAL(driver, "MBTiles")) {
        return check_tiles(path, err);
    }
    return (!EQUAL(driver, "GPKG") && !EQUAL(driver, "SQLite")) ||
           check_database(dataset, err);
}
