/*
 * Finds references to other files and hosts in texts, datasets and database schemas.
 */
#include "result/giq_references.h"

#include <cpl_http.h>
#include <cpl_string.h>
#include <errno.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <string.h>

#include "options/giq_gdal_cleanup.h"

/* ---- URLs that GDAL would fetch ---- */

static CPLHTTPResult *refuse_fetch(const char *url, CSLConstList options,
                                   GDALProgressFunc progress, void *progress_ctx,
                                   CPLHTTPFetchWriteFunc write, void *write_ctx,
                                   void *ctx)
{
    struct giq_references *references = ctx;
    (void)options;
    (void)progress;
    (void)progress_ctx;
    (void)write;
    (void)write_ctx;
    if (references->fetched_url[0] == '\0') {
        size_t len = strcspn(url, "?#");
        int max = len < GIQ_REFERENCES_URL_SIZE ? (int)len : GIQ_REFERENCES_URL_SIZE - 1;
        memcpy(references->fetched_url, url, (size_t)giq_text_cut_len(url, max));
    }
    CPLHTTPResult *result = CPLCalloc(1, sizeof *result);
    result->nStatus = 1;
    result->pszErrBuf = CPLStrdup("fetching URLs is disabled while a result is checked");
    return result;
}

void giq_references_begin(struct giq_references *references)
{
    *references = (struct giq_references){0};
    (void)CPLHTTPPushFetchCallback(refuse_fetch, references);
}

bool giq_references_end(struct giq_references *references, bool ok, struct giq_error *err)
{
    (void)CPLHTTPPopFetchCallback();
    if (ok && references->fetched_url[0] != '\0') {
        return giq_fail(err, GIQ_E_RESULT,
                        "the result would make GDAL fetch \"%s\" and is refused",
                        references->fetched_url);
    }
    return ok;
}

/* ---- the bytes of a file ---- */

enum { BLOCK_LEN = 1 << 20 };

/* Scan the text of the file until it names another file. */
static void scan_file(VSILFILE *file, char *block, struct giq_external *scan)
{
    size_t len = VSIFReadL(block, 1, BLOCK_LEN, file);
    uint64_t text_len = giq_sniff_text_len(block, len);
    for (uint64_t at = 0; at < text_len && len > 0 && !scan->names_file; at += len) {
        giq_external_scan(scan, block, len);
        len = VSIFReadL(block, 1, BLOCK_LEN, file);
    }
}

bool giq_references_check_file(struct giq_references *references, const char *path,
                               struct giq_error *err)
{
    errno = 0;
    GIQ_AUTO_VSI VSILFILE *file = VSIFOpenL(path, "rb");
    if (file == NULL) {
        return giq_fail(err, GIQ_E_STORE, "cannot read the result %.*s: %s",
                        giq_text_cut_len(path, 300), path, VSIStrerror(errno));
    }
    GIQ_AUTO_CPL char *block = VSIMalloc(BLOCK_LEN);
    GIQ_AUTO_CPL struct giq_external *scan = VSICalloc(1, sizeof *scan);
    if (block == NULL || scan == NULL) {
        return giq_fail_memory(err);
    }
    scan_file(file, block, scan);
    references->may_fetch = references->may_fetch || (scan->has_crs && scan->has_link);
    if (scan->names_file) {
        return giq_fail(err, GIQ_E_RESULT,
                        "the result defines a coordinate system by a file or a URL "
                        "and is refused");
    }
    return true;
}

/* ---- metadata ---- */

/* The most bytes that a message contains of a name from the result. */
enum { NAME_PRINTED_MAX = 200 };

static bool fail_external(const char *kind, const char *name, struct giq_error *err)
{
    return giq_fail(err, GIQ_E_RESULT,
                    "the result names the external %s \"%.*s\" and is refused", kind,
                    giq_text_cut_len(name, NAME_PRINTED_MAX), name);
}

static const char *overview_file(GDALMajorObjectH object)
{
    return GDALGetMetadataItem(object, "OVERVIEW_FILE", "OVERVIEWS");
}

static bool check_overviews(GDALDatasetH dataset, struct giq_error *err)
{
    const char *file = overview_file(dataset);
    for (int i = 1; i <= GDALGetRasterCount(dataset) && file == NULL; i++) {
        file = overview_file(GDALGetRasterBand(dataset, i));
    }
    if (file != NULL) {
        return fail_external("overview file", file, err);
    }
    return true;
}

/* Check the arrays with the location of each pixel. Those of netCDF are in the file. */
static bool check_geolocation(GDALDatasetH dataset, const char *driver,
                              struct giq_error *err)
{
    if (EQUAL(driver, "netCDF")) {
        return true;
    }
    const char *file = GDALGetMetadataItem(dataset, "X_DATASET", "GEOLOCATION");
    if (file == NULL) {
        file = GDALGetMetadataItem(dataset, "Y_DATASET", "GEOLOCATION");
    }
    if (file != NULL) {
        return fail_external("geolocation file", file, err);
    }
    return true;
}

/* Whether a subdataset of a TIFF is a page of the file itself. */
static bool is_own_page(const char *name, const char *path)
{
    static const char before[] = "GTIFF_DIR:";
    if (!STARTS_WITH(name, before)) {
        return false;
    }
    const char *number = name + strlen(before);
    size_t len = strspn(number, "0123456789");
    return len > 0 && number[len] == ':' && EQUAL(number + len + 1, path);
}

/* Whether a subdataset is in the file itself, by the form of names of its driver. */
static bool is_own_subdataset(const char *name, const char *driver, const char *path)
{
    static const struct {
        const char *driver;
        const char *before, *after; /* what encloses the path in the name of a subdataset;
                                     * NULL: the driver has no subdatasets */
    } forms[] = {
        {"GPKG", "GPKG:", ":"}, {"JPEG", "JPEG:\"", "\":"}, {"JP2OpenJPEG", NULL, NULL},
        {"PNG", NULL, NULL},    {"MBTiles", NULL, NULL},
    };
    size_t path_len = strlen(path);
    if (EQUAL(driver, "GTiff")) {
        return is_own_page(name, path);
    }
    for (size_t i = 0; i < GIQ_COUNT(forms); i++) {
        if (!EQUAL(driver, forms[i].driver)) {
            continue;
        }
        const char *before = forms[i].before;
        if (before == NULL || !STARTS_WITH(name, before)) {
            return false;
        }
        const char *rest = name + strlen(before);
        return strncmp(rest, path, path_len) == 0 &&
               STARTS_WITH(rest + path_len, forms[i].after);
    }
    /* Subdatasets of the other default drivers are not files; a driver that the user
     * added is trusted. */
    return true;
}

/* The name of a subdataset in an item "SUBDATASET_1_NAME=..." of metadata, or NULL. */
static const char *subdataset_name(const char *item)
{
    static const char tail[] = "_NAME";
    const ptrdiff_t len = sizeof tail - 1;
    const char *value = strchr(item, '=');
    bool is_name =
        value != NULL && value - item > len && EQUALN(value - len, tail, (size_t)len);
    return is_name ? value + 1 : NULL;
}

static bool check_subdatasets(GDALDatasetH dataset, const char *driver, const char *path,
                              struct giq_error *err)
{
    char **items = GDALGetMetadata(dataset, "SUBDATASETS");
    for (int i = 0; items != NULL && items[i] != NULL; i++) {
        const char *name = subdataset_name(items[i]);
        if (name != NULL && !is_own_subdataset(name, driver, path)) {
            return fail_external("subdataset", name, err);
        }
    }
    return true;
}

/* ---- coordinate systems ---- */

static bool check_srs(OGRSpatialReferenceH srs, struct giq_error *err)
{
    static const char *const options[] = {"FORMAT=WKT2_2019", NULL};
    char *wkt = NULL;
    bool found = srs != NULL && OSRExportToWktEx(srs, &wkt, options) == OGRERR_NONE &&
                 wkt != NULL && giq_external_srs(wkt);
    CPLFree(wkt);
    if (found) {
        const char *name = OSRGetName(srs);
        return giq_fail(err, GIQ_E_RESULT,
                        "the coordinate system \"%.*s\" of the result names a file or a "
                        "URL; the result is refused",
                        giq_text_cut_len(name, NAME_PRINTED_MAX),
                        name == NULL ? "" : name);
    }
    return true;
}

static bool check_layer(OGRLayerH layer, struct giq_error *err)
{
    OGRFeatureDefnH definition = OGR_L_GetLayerDefn(layer);
    for (int i = 0; i < OGR_FD_GetGeomFieldCount(definition); i++) {
        OGRGeomFieldDefnH field = OGR_FD_GetGeomFieldDefn(definition, i);
        if (!check_srs(OGR_GFld_GetSpatialRef(field), err)) {
            return false;
        }
    }
    return true;
}

static bool check_all_srs(GDALDatasetH dataset, struct giq_error *err)
{
    if (!check_srs(GDALGetSpatialRef(dataset), err) ||
        !check_srs(GDALGetGCPSpatialRef(dataset), err)) {
        return false;
    }
    for (int i = 0; i < GDALDatasetGetLayerCount(dataset); i++) {
        if (!check_layer(GDALDatasetGetLayer(dataset, i), err)) {
            return false;
        }
    }
    return true;
}

/* ---- the schema of a database ---- */

enum { ROW_NAME_SIZE = 100 };

/* What a query for references found. */
enum rows {
    ROWS_NONE, /* no query: the table or column does not exist */
    ROWS_FAIL, /* not all were read */
    ROWS_CLEAN,
    ROWS_REFER
};

static enum rows read_rows(OGRLayerH rows, bool (*refers)(const char *text),
                           char name[ROW_NAME_SIZE])
{
    bool has_begun = false;
    for (;;) {
        OGRFeatureH row = OGR_L_GetNextFeature(rows);
        if (row == NULL) {
            return ROWS_FAIL;
        }
        bool is_marker = !OGR_F_IsFieldSetAndNotNull(row, 0);
        bool does_refer = !is_marker && refers(OGR_F_GetFieldAsString(row, 1));
        (void)CPLStrlcpy(name, OGR_F_GetFieldAsString(row, 0), ROW_NAME_SIZE);
        OGR_F_Destroy(row);
        if (does_refer || (is_marker && has_begun)) {
            return does_refer ? ROWS_REFER : ROWS_CLEAN;
        }
        has_begun = has_begun || is_marker;
    }
}

/*
 * Whether `refers` is true of a text in the column of the table. The name of its row,
 * given by the SQL expression `title`, is stored in `name` for messages. Texts may be
 * stored as blobs or numbers. The query adds a marker, a row without a name, before and
 * after the rows of the table: the first one makes the columns texts, and the last one
 * proves that all rows were read.
 */
static enum rows find_row(GDALDatasetH dataset, const char *table, const char *title,
                          const char *column, bool (*refers)(const char *text),
                          char name[ROW_NAME_SIZE])
{
    GIQ_AUTO_CPL char *sql =
        CPLStrdup(CPLSPrintf("SELECT CAST(NULL AS TEXT) AS n, '-' AS t UNION ALL SELECT "
                             "coalesce(CAST(%s AS TEXT), '-'), CAST(%s AS TEXT) FROM %s "
                             "UNION ALL SELECT NULL, '-'",
                             title, column, table));
    OGRLayerH rows = GDALDatasetExecuteSQL(dataset, sql, NULL, "");
    if (rows == NULL) {
        return ROWS_NONE;
    }
    enum rows found = read_rows(rows, refers, name);
    GDALDatasetReleaseResultSet(dataset, rows);
    return found;
}

static bool fail_schema(struct giq_error *err)
{
    return giq_fail(err, GIQ_E_RESULT,
                    "the database schema of the result cannot be read, so the result is "
                    "refused");
}

/* Every row counts: SQLite runs all statements, whatever the type of their row. */
static bool check_tables(GDALDatasetH dataset, struct giq_error *err)
{
    char name[ROW_NAME_SIZE];
    switch (
        find_row(dataset, "sqlite_master", "name", "sql", giq_external_statement, name)) {
    case ROWS_CLEAN:
        return true;
    case ROWS_REFER:
        return giq_fail(err, GIQ_E_RESULT,
                        "the result has the table or view \"%s\", which may read other "
                        "files, and is refused",
                        name);
    default:
        return fail_schema(err);
    }
}

/* The tables of coordinate systems of GeoPackage (1.3, Annex F.10) and SpatiaLite (4 and
 * 5). A column that does not exist has no rows. */
static bool check_srs_tables(GDALDatasetH dataset, struct giq_error *err)
{
    static const char *const columns[][2] = {
        {"gpkg_spatial_ref_sys", "definition"},
        {"gpkg_spatial_ref_sys", "definition_12_063"},
        {"spatial_ref_sys", "proj4text"},
        {"spatial_ref_sys", "srtext"},
        {"spatial_ref_sys", "srs_wkt"},
    };
    char name[ROW_NAME_SIZE];
    for (size_t i = 0; i < GIQ_COUNT(columns); i++) {
        const char *table = columns[i][0];
        enum rows found =
            find_row(dataset, table, "''", columns[i][1], giq_external_srs, name);
        if (found == ROWS_FAIL) {
            return giq_fail(err, GIQ_E_RESULT,
                            "the table %s of the result cannot be read, so the result is "
                            "refused",
                            table);
        }
        if (found == ROWS_REFER) {
            return giq_fail(err, GIQ_E_RESULT,
                            "the table %s of the result defines a coordinate system by "
                            "a file or a URL; the result is refused",
                            table);
        }
    }
    return true;
}

static bool check_database(GDALDatasetH dataset, struct giq_error *err)
{
    return check_tables(dataset, err) && check_srs_tables(dataset, err);
}

/* The MBTiles driver does not run SQL on the schema; the SQLite driver does. */
static bool check_mbtiles(const char *path, struct giq_error *err)
{
    static const char *const drivers[] = {"SQLite", NULL};
    GIQ_AUTO_CPL char *name = CPLStrdup(CPLSPrintf("SQLITE:%s", path));
    GIQ_AUTO_DATASET GDALDatasetH dataset =
        GDALOpenEx(name, GDAL_OF_VECTOR, drivers, NULL, NULL);
    if (dataset == NULL) {
        return fail_schema(err);
    }
    return check_database(dataset, err);
}

static bool check_schema(GDALDatasetH dataset, const char *driver, const char *path,
                         struct giq_error *err)
{
    if (EQUAL(driver, "MBTiles")) {
        return check_mbtiles(path, err);
    }
    if (EQUAL(driver, "GPKG") || EQUAL(driver, "SQLite")) {
        return check_database(dataset, err);
    }
    return true;
}

/* ---- an open dataset ---- */

static bool check_one(GDALDatasetH dataset, const char *path, struct giq_error *err)
{
    const char *driver = GDALGetDriverShortName(GDALGetDatasetDriver(dataset));
    return check_overviews(dataset, err) && check_geolocation(dataset, driver, err) &&
           check_subdatasets(dataset, driver, path, err) && check_all_srs(dataset, err);
}

/* ---- the pages of a TIFF ---- */

/* A TIFF, whose directories are a chain: one for each page, overview and mask. */
struct tiff {
    VSILFILE *file;
    bool is_big_endian;
    bool is_big;         /* BigTIFF */
    uint64_t unread_len; /* the bytes that may still be read: as many as the file has, so
                          * that directories and texts that overlap cannot take long */
};

/* The number in `len` bytes. */
static uint64_t decode(const struct tiff *tiff, const unsigned char *bytes, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        number = number << 8 | bytes[tiff->is_big_endian ? i : len - 1 - i];
    }
    return number;
}

static bool read_at(struct tiff *tiff, uint64_t at, void *out, size_t len)
{
    if (len > tiff->unread_len) {
        return false;
    }
    tiff->unread_len -= len;
    return VSIFSeekL(tiff->file, at, SEEK_SET) == 0 &&
           VSIFReadL(out, 1, len, tiff->file) == len;
}

/* Whether a tag of a page is a text that can have an external reference, or cannot be
 * read. Such texts are metadata of GDAL that name a dataset, and names of coordinate
 * systems that are definitions. */
static bool may_tag_refer(struct tiff *tiff, const unsigned char *entry)
{
    enum {
        GEO_TEXTS = 34737,
        GDAL_METADATA = 42112,
        BYTE = 1,
        ASCII = 2,
        TEXT_MAX = 65536
    };
    const uint64_t tag = decode(tiff, entry, 2);
    if (tag != GEO_TEXTS && tag != GDAL_METADATA) {
        return false;
    }
    const size_t number_len = tiff->is_big ? 8 : 4;
    const uint64_t type = decode(tiff, entry + 2, 2);
    const uint64_t len = decode(tiff, entry + 4, number_len);
    const bool is_text = type == BYTE || type == ASCII;
    if (is_text && len <= number_len) {
        return false; /* too short for a reference */
    }
    if (!is_text || len > TEXT_MAX) {
        return true;
    }
    GIQ_AUTO_CPL char *text = VSICalloc(1, len + 1);
    if (text == NULL ||
        !read_at(tiff, decode(tiff, entry + 4 + number_len, number_len), text, len)) {
        return true;
    }
    if (tag == GEO_TEXTS) {
        /* A PROJ string has a '=', WKT a '"'. */
        return memchr(text, '=', len) != NULL || memchr(text, '"', len) != NULL;
    }
    /* An XML entity, or text after a NUL, could hide the name of a domain. */
    return memchr(text, '&', len) != NULL || strlen(text) + 1 < len ||
           strcasestr(text, "OVERVIEWS") != NULL ||
           strcasestr(text, "GEOLOCATION") != NULL ||
           strcasestr(text, "SUBDATASETS") != NULL;
}

/* Whether a page at or after the directory `at` may have an external reference, or the
 * chain cannot be read. */
static bool may_pages_refer(struct tiff *tiff, uint64_t at)
{
    const size_t number_len = tiff->is_big ? 8 : 4; /* of an offset */
    const size_t count_len = tiff->is_big ? 8 : 2;
    const size_t entry_len = tiff->is_big ? 20 : 12;
    while (at != 0) {
        unsigned char bytes[8];
        if (!read_at(tiff, at, bytes, count_len)) {
            return true;
        }
        const uint64_t count = decode(tiff, bytes, count_len);
        if (count > UINT16_MAX) {
            return true;
        }
        const size_t len = (size_t)count * entry_len;
        GIQ_AUTO_CPL unsigned char *entries = VSIMalloc(len + number_len);
        if (entries == NULL ||
            !read_at(tiff, at + count_len, entries, len + number_len)) {
            return true;
        }
        for (size_t i = 0; i < len; i += entry_len) {
            if (may_tag_refer(tiff, entries + i)) {
                return true;
            }
        }
        at = decode(tiff, entries + len, number_len);
    }
    return false;
}

/* Whether the pages of the TIFF must be opened to find their references; true also if the
 * file cannot be read. The time to open all is quadratic in their number, as libtiff goes
 * through the chain for every one. */
static bool must_open_pages(const char *path)
{
    enum { BIGTIFF_VERSION = 43 };
    GIQ_AUTO_VSI VSILFILE *file = VSIFOpenL(path, "rb");
    struct tiff tiff = {.file = file};
    unsigned char head[16];
    if (file == NULL || VSIFReadL(head, 1, sizeof head, file) != sizeof head ||
        VSIFSeekL(file, 0, SEEK_END) != 0) {
        return true;
    }
    tiff.unread_len = VSIFTellL(file);
    tiff.is_big_endian = head[0] == 'M';
    tiff.is_big = decode(&tiff, head + 2, 2) == BIGTIFF_VERSION;
    return may_pages_refer(&tiff, tiff.is_big ? decode(&tiff, head + 8, 8)
                                              : decode(&tiff, head + 4, 4));
}

/* ---- subdatasets ---- */

/* The most subdatasets that are opened for one check. The time for the pages of a TIFF is
 * quadratic in their number: 500 take about 2 s, 1000 about 7 s. */
enum { OPENED_MAX = 500 };

/* Check the subdatasets that have metadata of their own: the pages of a TIFF and the
 * rasters of a GeoPackage. Their names are not paths, so giq_inner_open() does not open
 * them. */
static bool check_each_subdataset(struct giq_references *references, GDALDatasetH dataset,
                                  const char *path, char **drivers, struct giq_error *err)
{
    const char *driver = GDALGetDriverShortName(GDALGetDatasetDriver(dataset));
    if (!EQUAL(driver, "GTiff") && !EQUAL(driver, "GPKG")) {
        return true;
    }
    GIQ_AUTO_CSL char **items = CSLDuplicate(GDALGetMetadata(dataset, "SUBDATASETS"));
    if (items == NULL || (EQUAL(driver, "GTiff") && !must_open_pages(path))) {
        return true;
    }
    if (CSLCount(items) > 2 * OPENED_MAX) { /* each has a name and a description */
        references->has_too_many_subdatasets = true;
        return giq_fail(err, GIQ_E_RESULT,
                        "the result has %d subdatasets; references to other files can be "
                        "checked in at most %d. The result is kept; if you trust the "
                        "service, open the file itself: %s",
                        CSLCount(items) / 2, (int)OPENED_MAX, path);
    }
    for (int i = 0; items[i] != NULL; i++) {
        const char *name = subdataset_name(items[i]);
        if (name == NULL) {
            continue;
        }
        GIQ_AUTO_DATASET GDALDatasetH subdataset =
            GDALOpenEx(name, GDAL_OF_RASTER, (const char *const *)drivers, NULL, NULL);
        if (subdataset != NULL && !check_one(subdataset, path, err)) {
            return false;
        }
    }
    return true;
}

/* Read all features, so that the driver fetches what it would fetch for the user, who
 * then reads the same dataset from its first feature. */
static void read_features(GDALDatasetH dataset)
{
    for (int i = 0; i < GDALDatasetGetLayerCount(dataset); i++) {
        OGRLayerH layer = GDALDatasetGetLayer(dataset, i);
        OGRFeatureH feature = NULL;
        while ((feature = OGR_L_GetNextFeature(layer)) != NULL) {
            OGR_F_Destroy(feature);
        }
        OGR_L_ResetReading(layer);
    }
}

bool giq_references_check(struct giq_references *references, GDALDatasetH dataset,
                          const char *path, char **drivers, struct giq_error *err)
{
    const char *driver = GDALGetDriverShortName(GDALGetDatasetDriver(dataset));
    references->has_too_many_subdatasets = false;
    if (!check_schema(dataset, driver, path, err) || !check_one(dataset, path, err) ||
        !check_each_subdataset(references, dataset, path, drivers, err)) {
        return false;
    }
    if (references->may_fetch && STARTS_WITH_CI(driver, "GeoJSON")) {
        read_features(dataset);
    }
    return true;
}
