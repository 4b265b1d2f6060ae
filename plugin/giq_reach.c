#include "giq_reach.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <ogr_api.h>
#include <string.h>

static const char virtual_tables[] =
    "SELECT name, sql FROM sqlite_master WHERE sql LIKE '%VIRTUAL%TABLE%'";

/* Whether the text of a schema makes a table of a module that reads its own file
 * only. Names of tables may hold anything, so the module is what follows the last
 * USING. */
static bool is_index(const char *sql)
{
    static const char *const modules[] = {"rtree", "fts3", "fts4", "fts5"};
    const char *module = NULL;
    for (const char *at = sql; *at != '\0'; at++) {
        if (EQUALN(at, "using", 5)) {
            module = at + 5;
        }
    }
    if (module == NULL) {
        return false;
    }
    module += strspn(module, " \t\r\n\"'`[");
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        if (EQUALN(module, modules[i], strlen(modules[i]))) {
            return true;
        }
    }
    return false;
}

static bool check_tables(GDALDatasetH dataset, struct giq_error *err)
{
    OGRLayerH tables = GDALDatasetExecuteSQL(dataset, virtual_tables, NULL, "");
    bool ok = true;
    OGRFeatureH table = NULL;
    while (ok && tables != NULL && (table = OGR_L_GetNextFeature(tables)) != NULL) {
        if (!is_index(OGR_F_GetFieldAsString(table, 1))) {
            ok = giq_fail(err, GIQ_E_RESULT,
                          "the result has the virtual table \"%.100s\", which may read "
                          "other files, and is refused",
                          OGR_F_GetFieldAsString(table, 0));
        }
        OGR_F_Destroy(table);
    }
    if (tables != NULL) {
        GDALDatasetReleaseResultSet(dataset, tables);
    }
    return ok;
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
    bool ok = check_tables(dataset, err);
    GDALClose(dataset);
    return ok;
}

static bool names_overviews(GDALMajorObjectH object)
{
    return GDALGetMetadataItem(object, "OVERVIEW_FILE", "OVERVIEWS") != NULL;
}

static bool check_overviews(GDALDatasetH dataset, struct giq_error *err)
{
    bool found = names_overviews(dataset);
    for (int i = 1; i <= GDALGetRasterCount(dataset) && !found; i++) {
        found = names_overviews(GDALGetRasterBand(dataset, i));
    }
    return !found || giq_fail(err, GIQ_E_RESULT,
                              "the result names an overview file outside itself and is "
                              "refused");
}

bool giq_reach_check(GDALDatasetH dataset, const char *path, struct giq_error *err)
{
    const char *driver = GDALGetDriverShortName(GDALGetDatasetDriver(dataset));
    if (EQUAL(driver, "GPKG") || EQUAL(driver, "SQLite")) {
        return check_tables(dataset, err) && check_overviews(dataset, err);
    }
    if (EQUAL(driver, "MBTiles")) {
        return check_tiles(path, err);
    }
    return check_overviews(dataset, err);
}
