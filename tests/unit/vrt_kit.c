/* A store of published results, made by GDAL, and the batch of their rows. */
#include "vrt_kit.h"

#include "unit.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <ogr_srs_api.h>
#include <string.h>

#include "env_kit.h"
#include "giq_batch_vrt.h"

void GDALRegister_GIQ(void);

struct vrt_kit vrt_kit;

void vrt_kit_register(void)
{
    GDALAllRegister();
    GDALRegister_GIQ();
}

int vrt_kit_setup(void **state)
{
    (void)state;
    struct giq_error err = {0};
    vrt_kit.top = env_kit_folder();
    CPLSetConfigOption("GIQ_STORE_DIR", vrt_kit.top);
    CPLSetConfigOption("GIQ_BASE_URL", "http://127.0.0.1:1/public");
    CPLSetConfigOption("GIQ_API_KEY", "k");
    assert_true(giq_session_open(&vrt_kit.session, NULL, &err));
    assert_true(giq_session_open_store(&vrt_kit.session, &err));
    return 0;
}

void vrt_kit_open_session(char **options)
{
    struct giq_error err = {0};
    giq_session_close(&vrt_kit.session);
    vrt_kit.session = (struct giq_session){0};
    assert_true(giq_session_open(&vrt_kit.session, options, &err));
    assert_true(giq_session_open_store(&vrt_kit.session, &err));
}

int vrt_kit_teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < vrt_kit.count; i++) {
        CPLFree(vrt_kit.rows[i].name);
        CPLFree(vrt_kit.rows[i].key);
        CPLFree(vrt_kit.rows[i].job_id);
        CPLFree(vrt_kit.rows[i].path);
    }
    vrt_kit.count = 0;
    giq_session_close(&vrt_kit.session);
    vrt_kit.session = (struct giq_session){0};
    env_kit_remove(vrt_kit.top);
    CPLSetConfigOption("GIQ_STORE_DIR", NULL);
    CPLSetConfigOption("GIQ_BASE_URL", NULL);
    CPLSetConfigOption("GIQ_API_KEY", NULL);
    return 0;
}

void vrt_kit_write(const char *path, const char *text)
{
    VSILFILE *file = VSIFOpenL(path, "wb");
    assert_non_null(file);
    assert_int_equal(VSIFWriteL(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(VSIFCloseL(file), 0);
}

/* The record of row `row`, without a summary. `file` is the name of its result, NULL for
 * an archive. */
void vrt_kit_record(const struct vrt_kit_row *row, const char *file)
{
    VSIStatBufL st = {0};
    assert_int_equal(VSIStatL(row->path, &st), 0);
    const char *folder = CPLSPrintf("%s/v1/%s", vrt_kit.top, row->key);
    char *request = CPLStrdup(CPLSPrintf("%s/request.json", folder));
    char *job = CPLStrdup(CPLSPrintf("%s/job.json", folder));
    vrt_kit_write(request, "{\"format\":1,\"base_url\":\"http://127.0.0.1:1/public\","
                           "\"model\":\"m\"}");
    vrt_kit_write(job,
                  CPLSPrintf("{\"format\":1,\"state\":\"published\",\"job_id\":\"%s\","
                             "\"model_id\":\"m\",\"result\":{%s%s%s\"size\":%lld}}",
                             row->job_id, file == NULL ? "" : "\"name\":\"",
                             file == NULL ? "" : file, file == NULL ? "" : "\",",
                             (long long)st.st_size));
    CPLFree(request);
    CPLFree(job);
}

/* A row whose result is to be written to its path, and then recorded. */
struct vrt_kit_row *vrt_kit_add_row(const char *id, const char *file)
{
    assert_true(vrt_kit.count < VRT_KIT_ROWS_MAX);
    struct vrt_kit_row *row = &vrt_kit.rows[vrt_kit.count++];
    row->id = id;
    row->key = CPLStrdup(CPLSPrintf("%064d", (int)vrt_kit.count));
    row->job_id = CPLStrdup(CPLSPrintf("job-%d", (int)vrt_kit.count));
    row->name = CPLStrdup(CPLSPrintf("GIQ:job=%s", row->job_id));
    const char *folder = CPLSPrintf("%s/v1/%s/result", vrt_kit.top, row->key);
    row->path = CPLStrdup(file == NULL ? folder : CPLSPrintf("%s/%s", folder, file));
    assert_int_equal(
        VSIMkdirRecursive(CPLSPrintf("%s/v1/%s/result", vrt_kit.top, row->key), 0700), 0);
    return row;
}

void vrt_kit_add_text(const char *id, const char *file, const char *text)
{
    const struct vrt_kit_row *row = vrt_kit_add_row(id, file);
    vrt_kit_write(row->path, text);
    vrt_kit_record(row, file);
}

/* A vector with one field, and a point for each value. */
void vrt_kit_add_points(const char *id, const char *driver, const char *file, int epsg,
                        OGRFieldType type, const char *field, const char *value,
                        int points)
{
    const struct vrt_kit_row *row = vrt_kit_add_row(id, file);
    GDALDatasetH dataset =
        GDALCreate(GDALGetDriverByName(driver), row->path, 0, 0, 0, GDT_Unknown, NULL);
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(srs, epsg);
    OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    OGRLayerH layer = GDALDatasetCreateLayer(dataset, "found", srs, wkbPoint, NULL);
    OGRFieldDefnH definition = OGR_Fld_Create(field, type);
    assert_int_equal(OGR_L_CreateField(layer, definition, TRUE), OGRERR_NONE);
    for (int i = 0; i < points; i++) {
        OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(layer));
        OGRGeometryH point = OGR_G_CreateGeometry(wkbPoint);
        OGR_G_SetPoint_2D(point, 0, epsg == 4326 ? i : 500000.0, i);
        OGR_F_SetFieldString(feature, 0, value);
        OGR_F_SetGeometryDirectly(feature, point);
        assert_int_equal(OGR_L_CreateFeature(layer, feature), OGRERR_NONE);
        OGR_F_Destroy(feature);
    }
    OGR_Fld_Destroy(definition);
    OSRDestroySpatialReference(srs);
    GDALClose(dataset);
    vrt_kit_record(row, file);
}

/* ---- the batch ---- */

static bool add_all(struct giq_batch_vrt *vrt, struct giq_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < vrt_kit.count; i++) {
        const struct giq_batch_vrt_row row = {.id = vrt_kit.rows[i].id,
                                              .name = vrt_kit.rows[i].name,
                                              .key = vrt_kit.rows[i].key,
                                              .job_id = vrt_kit.rows[i].job_id,
                                              .result_path = vrt_kit.rows[i].path};
        ok = giq_batch_vrt_add(vrt, &row, err);
    }
    return ok;
}

GDALDatasetH vrt_kit_try(unsigned flags, const char *member, struct giq_error *err)
{
    GDALDatasetH dataset = NULL;
    struct giq_batch_vrt *vrt = NULL;
    const struct giq_batch_vrt_args args = {.config = &vrt_kit.session.config,
                                            .store = vrt_kit.session.store,
                                            .member = member,
                                            .name = "GIQ:batch=x",
                                            .flags = flags};
    *err = (struct giq_error){0};
    assert_true(giq_batch_vrt_new(&args, &vrt, err));
    bool ok = add_all(vrt, err) && giq_batch_vrt_open(vrt, &dataset, err);
    giq_batch_vrt_free(vrt);
    assert_true(ok == (dataset != NULL));
    return dataset;
}

GDALDatasetH vrt_kit_open(unsigned flags)
{
    struct giq_error err;
    GDALDatasetH dataset = vrt_kit_try(flags, NULL, &err);
    assert_string_equal(err.text, "");
    assert_non_null(dataset);
    return dataset;
}

void vrt_kit_fails(unsigned flags, const char *member, enum giq_code code,
                   const char *words)
{
    struct giq_error err;
    char *expected = CPLStrdup(words);
    assert_null(vrt_kit_try(flags, member, &err));
    assert_int_equal(err.code, code);
    if (strstr(err.text, expected) == NULL) {
        assert_string_equal(err.text, expected);
    }
    CPLFree(expected);
}

/* All features as lines "<field>=<value> ... <geometry>". */
char *vrt_kit_text_of(OGRLayerH layer)
{
    char *lines = CPLStrdup("");
    OGRFeatureH feature = NULL;
    while ((feature = OGR_L_GetNextFeature(layer)) != NULL) {
        for (int i = 0; i < OGR_F_GetFieldCount(feature); i++) {
            char *longer = CPLStrdup(CPLSPrintf(
                "%s%s=%s ", lines, OGR_Fld_GetNameRef(OGR_F_GetFieldDefnRef(feature, i)),
                OGR_F_IsFieldSetAndNotNull(feature, i)
                    ? OGR_F_GetFieldAsString(feature, i)
                    : "-"));
            CPLFree(lines);
            lines = longer;
        }
        char *wkt = NULL;
        OGRGeometryH geometry = OGR_F_GetGeometryRef(feature);
        if (geometry != NULL) {
            OGR_G_ExportToWkt(geometry, &wkt);
        }
        char *longer = CPLStrdup(CPLSPrintf("%s%s\n", lines, wkt == NULL ? "-" : wkt));
        CPLFree(wkt);
        CPLFree(lines);
        lines = longer;
        OGR_F_Destroy(feature);
    }
    return lines;
}

void vrt_kit_lines(OGRLayerH layer, const char *expected)
{
    char *lines = vrt_kit_text_of(layer);
    assert_string_equal(lines, expected);
    CPLFree(lines);
}

const char *vrt_kit_type_of(OGRLayerH layer, const char *field)
{
    OGRFeatureDefnH defn = OGR_L_GetLayerDefn(layer);
    int index = OGR_FD_GetFieldIndex(defn, field);
    assert_true(index >= 0);
    return OGR_GetFieldTypeName(OGR_Fld_GetType(OGR_FD_GetFieldDefn(defn, index)));
}

/* ---- texts and tiles ---- */

const char vrt_kit_polygon[] = "{\"type\":\"FeatureCollection\",\"name\":\"found\","
                               "\"features\":[{\"type\":\"Feature\","
                               "\"properties\":{\"a\":1},\"geometry\":{\"type\":"
                               "\"Polygon\",\"coordinates\":[[[0,0],[1,"
                               "0],[1,1],[0,0]]]}}]}";
const char vrt_kit_multipolygon[] = "{\"type\":\"FeatureCollection\",\"name\":\"found\","
                                    "\"features\":[{\"type\":\"Feature\","
                                    "\"properties\":{\"a\":2.5},\"geometry\":{\"type\":"
                                    "\"MultiPolygon\",\"coordinates\":[[[["
                                    "5,5],[6,5],[6,6],[5,5]]]]}}]}";
const char vrt_kit_without_geometry[] = "{\"type\":\"FeatureCollection\",\"name\":"
                                        "\"found\",\"features\":[{\"type\":\"Feature\","
                                        "\"properties\":{\"a\":3},\"geometry\":null}]}";
const char vrt_kit_empty[] = "{\"type\":\"FeatureCollection\",\"name\":\"found\","
                             "\"features\":[]}";

static void fill_tile(GDALDatasetH dataset, const struct vrt_kit_tile *tile)
{
    for (int band = 1; band <= tile->bands; band++) {
        GDALRasterBandH target = GDALGetRasterBand(dataset, band);
        if (tile->has_nodata) {
            GDALSetRasterNoDataValue(target, 0);
        }
        GDALFillRaster(target, tile->value, 0);
        if (tile->has_nodata) {
            int zeros[16] = {0};
            assert_int_equal(GDALRasterIO(target, GF_Write, 0, 0, tile->size, 1, zeros,
                                          tile->size, 1, GDT_Int32, 0, 0),
                             CE_None);
        }
    }
}

void vrt_kit_add_tile(const char *id, const struct vrt_kit_tile *tile)
{
    const struct vrt_kit_row *row = vrt_kit_add_row(id, "a.tif");
    GDALDatasetH dataset = GDALCreate(GDALGetDriverByName("GTiff"), row->path, tile->size,
                                      tile->size, tile->bands, tile->type, NULL);
    double transform[6] = {tile->x, tile->resolution, 0, tile->y, 0, -tile->resolution};
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(srs, tile->epsg);
    GDALSetGeoTransform(dataset, transform);
    GDALSetSpatialRef(dataset, srs);
    fill_tile(dataset, tile);
    OSRDestroySpatialReference(srs);
    GDALClose(dataset);
    vrt_kit_record(row, "a.tif");
}

const struct vrt_kit_tile vrt_kit_base_tile = {500000, 1000,     4, 32631, 10,
                                               1,      GDT_Byte, 1, false};
