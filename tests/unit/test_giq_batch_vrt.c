/* The dataset of a batch: summaries, its file, kinds, drivers, options and members. */
#include "unit.h"

#include <cpl_conv.h>
#include <cpl_vsi.h>

#include "env_kit.h"
#include "giq/summary.h"
#include "vrt_kit.h"

static char *recorded_summary(size_t row)
{
    char *folder = CPLStrdup(CPLSPrintf("%s/v1/%s", vrt_kit.top, vrt_kit.rows[row].key));
    char *text = env_kit_read(folder, "job.json");
    CPLFree(folder);
    assert_non_null(text);
    char *at = strstr(text, "\"summary\":");
    char *found = at == NULL ? NULL : CPLStrdup(at);
    free(text);
    return found;
}

static void test_older_record_gets_its_summary(void **state)
{
    (void)state;
    vrt_kit_add_text("a", "a.geojson", vrt_kit_polygon);
    assert_null(recorded_summary(0));
    GDALClose(vrt_kit_open(GDAL_OF_VECTOR));
    char *summary = recorded_summary(0);
    assert_non_null(summary);
    assert_non_null(strstr(summary, "\"features\":1"));
    assert_non_null(strstr(summary, "\"extent\":\"0 0 1 1\""));
    assert_non_null(strstr(summary, "\"job_id\":\"job-1\""));
    CPLFree(summary);
}

static void test_summary_of_another_result_is_not_used(void **state)
{
    (void)state;
    struct giq_error err = {0};
    struct giq_summary summary = {0};
    bool found = true;
    vrt_kit_add_text("a", "a.geojson", vrt_kit_polygon);
    GDALClose(vrt_kit_open(GDAL_OF_VECTOR));
    assert_true(giq_summary_read(vrt_kit.session.store, vrt_kit.rows[0].key, &summary,
                                 &found, &err));
    assert_true(found);
    giq_summary_release(&summary);
    char *folder = CPLStrdup(CPLSPrintf("%s/v1/%s", vrt_kit.top, vrt_kit.rows[0].key));
    char *text = env_kit_read(folder, "job.json");
    char *size = strstr(text, "\"size\":");
    size[strlen("\"size\":")] = '9';
    env_kit_write(folder, "job.json", text);
    free(text);
    CPLFree(folder);
    assert_true(giq_summary_read(vrt_kit.session.store, vrt_kit.rows[0].key, &summary,
                                 &found, &err));
    assert_false(found);
}

static char **list_batches(void)
{
    return VSIReadDirRecursive(CPLSPrintf("%s/batches/v1", vrt_kit.top));
}

static void test_file_is_written_once_and_with_submit_no(void **state)
{
    (void)state;
    vrt_kit_add_text("a", "a.geojson", vrt_kit_polygon);
    GDALClose(vrt_kit_open(GDAL_OF_VECTOR));
    char **before = list_batches();
    GDALClose(vrt_kit_open(GDAL_OF_VECTOR));
    char **after = list_batches();
    assert_int_equal(CSLCount(before), 2); /* a folder and its file */
    assert_int_equal(CSLCount(after), 2);
    assert_string_equal(before[1], after[1]);
    assert_string_equal(CPLGetFilename(after[1]), "rows.vrt");
    char *folder =
        CPLStrdup(CPLSPrintf("%s/batches/v1/%s", vrt_kit.top, CPLGetPath(after[1])));
    assert_true(env_kit_has(folder, "rows.vrt", "<OOI key=\"SUBMIT\">NO</OOI>"));
    env_kit_write(folder, "rows.vrt", "<OGRVRTDataSource><OGRVRT");
    GDALClose(vrt_kit_open(GDAL_OF_VECTOR));
    CPLFree(folder);
    CSLDestroy(before);
    CSLDestroy(after);
}

static void test_store_that_cannot_be_written_is_read(void **state)
{
    (void)state;
    vrt_kit_add_text("a", "a.geojson", vrt_kit_polygon);
    env_kit_write(vrt_kit.top, "batches", "not a folder");
    for (int i = 0; i < 2; i++) {
        GDALDatasetH dataset = vrt_kit_open(GDAL_OF_VECTOR);
        vrt_kit_lines(GDALDatasetGetLayer(dataset, 0),
                      "row=a a=1 POLYGON ((0 0,1 0,1 1,0 0))\n");
        GDALClose(dataset);
    }
}

static void test_result_of_the_other_kind_is_an_error(void **state)
{
    (void)state;
    vrt_kit_add_text("a", "a.geojson", vrt_kit_polygon);
    vrt_kit_fails(GDAL_OF_RASTER, NULL, GIQ_E_RESULT, "job-1 is not a raster");
}

static void test_driver_that_is_no_longer_allowed_is_an_error(void **state)
{
    (void)state;
    vrt_kit_add_text("a", "a.geojson", vrt_kit_polygon);
    GDALClose(vrt_kit_open(GDAL_OF_VECTOR));
    CPLSetConfigOption("GIQ_RESULT_DRIVERS", "GPKG");
    vrt_kit_open_session(NULL);
    vrt_kit_fails(GDAL_OF_VECTOR, NULL, GIQ_E_RESULT, "GeoJSON");
    CPLSetConfigOption("GIQ_RESULT_DRIVERS", NULL);
}

static void test_options_of_results_hold_for_the_sources(void **state)
{
    (void)state;
    char *options[] = {
        "RESULT_OPTIONS=X_POSSIBLE_NAMES=x,Y_POSSIBLE_NAMES=y,AUTODETECT_TYPE=YES", NULL};
    vrt_kit_add_text("a", "found.csv", "x,y,n\n1,2,3\n");
    vrt_kit_open_session(options);
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_VECTOR);
    OGRLayerH layer = GDALDatasetGetLayer(dataset, 0);
    assert_string_equal(vrt_kit_type_of(layer, "n"), "Integer");
    vrt_kit_lines(layer, "row=a x=1 y=2 n=3 POINT (1 2)\n");
    GDALClose(dataset);
    assert_null(recorded_summary(0));
    vrt_kit_open_session(NULL);
    dataset = vrt_kit_open(GDAL_OF_VECTOR);
    vrt_kit_lines(GDALDatasetGetLayer(dataset, 0), "row=a x=1 y=2 n=3 -\n");
    GDALClose(dataset);
}

/* rasterio.Env and gdal.config_options() end before GDAL reads. */
static void test_options_of_the_thread_hold_for_the_sources(void **state)
{
    (void)state;
    static const char *const names[] = {"GIQ_STORE_DIR", "GIQ_BASE_URL"};
    vrt_kit_add_text("a", "a.geojson", vrt_kit_polygon);
    vrt_kit_add_text("b", "a.geojson", vrt_kit_multipolygon);
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        CPLSetThreadLocalConfigOption(names[i], CPLGetConfigOption(names[i], NULL));
        CPLSetConfigOption(names[i], NULL);
    }
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_VECTOR);
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        CPLSetThreadLocalConfigOption(names[i], NULL);
    }
    vrt_kit_lines(GDALDatasetGetLayer(dataset, 0),
                  "row=a a=1 POLYGON ((0 0,1 0,1 1,0 0))\n"
                  "row=b a=2.5 MULTIPOLYGON (((5 5,6 5,6 6,5 5)))\n");
    assert_null(CPLGetThreadLocalConfigOption("GIQ_STORE_DIR", NULL));
    GDALClose(dataset);
}

static void test_members_of_archives(void **state)
{
    (void)state;
    const struct vrt_kit_row *row = vrt_kit_add_row("a", NULL);
    vrt_kit_write(CPLSPrintf("%s/one.geojson", row->path), vrt_kit_polygon);
    vrt_kit_write(CPLSPrintf("%s/two.geojson", row->path), vrt_kit_multipolygon);
    vrt_kit_record(row, NULL);
    vrt_kit_fails(GDAL_OF_VECTOR, NULL, GIQ_E_USAGE,
                  "member=<name>: one.geojson, two.geojson");
    vrt_kit_fails(GDAL_OF_VECTOR, "three.geojson", GIQ_E_USAGE, "no member");
    CPLFree(vrt_kit.rows[0].name);
    vrt_kit.rows[0].name = CPLStrdup("GIQ:job=job-1;member=two.geojson");
    struct giq_error err;
    GDALDatasetH dataset = vrt_kit_try(GDAL_OF_VECTOR, "two.geojson", &err);
    assert_non_null(dataset);
    vrt_kit_lines(GDALDatasetGetLayer(dataset, 0),
                  "row=a a=2.5 MULTIPOLYGON (((5 5,6 5,6 6,5 5)))\n");
    GDALClose(dataset);
}

static void test_first_row_decides_the_kind(void **state)
{
    (void)state;
    struct giq_error err;
    vrt_kit_add_tile("a", &vrt_kit_base_tile);
    vrt_kit_add_text("b", "a.geojson", vrt_kit_polygon);
    assert_null(vrt_kit_try(GDAL_OF_RASTER | GDAL_OF_VECTOR, NULL, &err));
    assert_int_equal(err.code, GIQ_E_RESULT);
    assert_string_equal(err.text, "the result of the job job-2 is not a raster");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, vrt_kit_setup, vrt_kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_older_record_gets_its_summary),
        TEST(test_summary_of_another_result_is_not_used),
        TEST(test_file_is_written_once_and_with_submit_no),
        TEST(test_store_that_cannot_be_written_is_read),
        TEST(test_result_of_the_other_kind_is_an_error),
        TEST(test_driver_that_is_no_longer_allowed_is_an_error),
        TEST(test_options_of_results_hold_for_the_sources),
        TEST(test_options_of_the_thread_hold_for_the_sources),
        TEST(test_members_of_archives),
        TEST(test_first_row_decides_the_kind),
    };
    vrt_kit_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
