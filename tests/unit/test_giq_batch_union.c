/* The union of the layers of results: fields, geometry, ids of rows. */
#include "unit.h"

#include <cpl_error.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>

#include "vrt_kit.h"

static void test_union_of_geopackage_and_geojson_keeps_geometry(void **state)
{
    (void)state;
    vrt_kit_add_points("one", "GPKG", "a.gpkg", 4326, OFTInteger, "n", "1", 1);
    vrt_kit_add_points("two", "GeoJSON", "a.geojson", 4326, OFTInteger, "n", "2", 2);
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_VECTOR);
    assert_int_equal(GDALDatasetGetLayerCount(dataset), 1);
    OGRLayerH layer = GDALDatasetGetLayer(dataset, 0);
    assert_string_equal(OGR_L_GetName(layer), "found");
    vrt_kit_lines(layer, "row=one n=1 POINT (0 0)\n"
                         "row=two n=2 POINT (0 0)\n"
                         "row=two n=2 POINT (1 1)\n");
    GDALClose(dataset);
}

static void test_types_are_widened_in_any_order(void **state)
{
    (void)state;
    static const struct {
        OGRFieldType types[2];
        const char *merged;
    } cases[] = {
        {{OFTInteger, OFTInteger64}, "Integer64"},
        {{OFTInteger64, OFTInteger}, "Integer64"},
        {{OFTInteger, OFTReal}, "Real"},
        {{OFTReal, OFTInteger64}, "Real"},
        {{OFTString, OFTReal}, "String"},
        {{OFTInteger, OFTString}, "String"},
        {{OFTInteger, OFTDate}, "String"},
        {{OFTDate, OFTDate}, "Date"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        for (int j = 0; j < 2; j++) {
            bool is_date = cases[i].types[j] == OFTDate;
            vrt_kit_add_points(j == 0 ? "a" : "b", "GPKG", "a.gpkg", 4326,
                               cases[i].types[j], "n", is_date ? "2024/05/01" : "7", 1);
        }
        GDALDatasetH dataset = vrt_kit_open(GDAL_OF_VECTOR);
        OGRLayerH layer = GDALDatasetGetLayer(dataset, 0);
        assert_string_equal(vrt_kit_type_of(layer, "n"), cases[i].merged);
        assert_string_equal(vrt_kit_type_of(layer, "row"), "String");
        char *lines = vrt_kit_text_of(layer);
        assert_non_null(strstr(lines, "row=a n="));
        assert_non_null(strstr(lines, "row=b n="));
        assert_null(strstr(lines, "=-"));
        CPLFree(lines);
        GDALClose(dataset);
        (void)vrt_kit_teardown(NULL);
        (void)vrt_kit_setup(NULL);
    }
}

static void test_row_holds_exactly_the_id(void **state)
{
    (void)state;
    static const char *const ids[] = {"a&b<c>\"d'",
                                      " leading",
                                      "trailing ",
                                      "two\nlines\r\tand tab",
                                      "\x01\x1f bell",
                                      "gr\xc3\xbc\xc3\x9f",
                                      "GIQ:job=1;x",
                                      "&#32;",
                                      "007",
                                      "\xef\xbb\xbf",
                                      ""};
    for (size_t i = 0; i < GIQ_COUNT(ids); i++) {
        vrt_kit_add_points(ids[i], "GeoJSON", "a.geojson", 4326, OFTInteger, "n", "1", 1);
    }
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_VECTOR);
    OGRLayerH layer = GDALDatasetGetLayer(dataset, 0);
    for (size_t i = 0; i < GIQ_COUNT(ids); i++) {
        OGRFeatureH feature = OGR_L_GetNextFeature(layer);
        assert_non_null(feature);
        assert_string_equal(OGR_F_GetFieldAsString(feature, 0), ids[i]);
        OGR_F_Destroy(feature);
    }
    GDALClose(dataset);
}

static void test_own_field_row_is_kept(void **state)
{
    (void)state;
    vrt_kit_add_points("1", "GPKG", "a.gpkg", 4326, OFTString, "ROW", "mine", 1);
    vrt_kit_add_points("2", "GPKG", "a.gpkg", 4326, OFTString, "row_2", "mine too", 1);
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_VECTOR);
    vrt_kit_lines(GDALDatasetGetLayer(dataset, 0),
                  "row_3=1 ROW=mine row_2=- POINT (0 0)\n"
                  "row_3=2 ROW=- row_2=mine too POINT (0 0)\n");
    GDALClose(dataset);
}

static void test_geometry_type_is_common_or_unknown(void **state)
{
    (void)state;
    vrt_kit_add_text("a", "a.geojson", vrt_kit_polygon);
    vrt_kit_add_text("b", "a.geojson", vrt_kit_polygon);
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_VECTOR);
    assert_int_equal(OGR_L_GetGeomType(GDALDatasetGetLayer(dataset, 0)), wkbPolygon);
    GDALClose(dataset);
    vrt_kit_add_text("c", "a.geojson", vrt_kit_multipolygon);
    dataset = vrt_kit_open(GDAL_OF_VECTOR);
    OGRLayerH layer = GDALDatasetGetLayer(dataset, 0);
    assert_int_equal(OGR_L_GetGeomType(layer), wkbUnknown);
    vrt_kit_lines(layer, "row=a a=1 POLYGON ((0 0,1 0,1 1,0 0))\n"
                         "row=b a=1 POLYGON ((0 0,1 0,1 1,0 0))\n"
                         "row=c a=2.5 MULTIPOLYGON (((5 5,6 5,6 6,5 5)))\n");
    GDALClose(dataset);
}

static void test_results_without_features_or_geometry_are_rows(void **state)
{
    (void)state;
    vrt_kit_add_text("none", "a.geojson", vrt_kit_empty);
    vrt_kit_add_text("null", "a.geojson", vrt_kit_without_geometry);
    vrt_kit_add_text("one", "a.geojson", vrt_kit_polygon);
    vrt_kit_add_text("table", "found.csv", "a,b\n4,5\n");
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_VECTOR);
    OGRLayerH layer = GDALDatasetGetLayer(dataset, 0);
    assert_int_equal(OGR_L_GetFeatureCount(layer, TRUE), 3);
    vrt_kit_lines(layer, "row=null a=3 b=- -\n"
                         "row=one a=1 b=- POLYGON ((0 0,1 0,1 1,0 0))\n"
                         "row=table a=4 b=5 -\n");
    GDALClose(dataset);
}

static void test_only_empty_results_are_an_empty_union(void **state)
{
    (void)state;
    vrt_kit_add_text("none", "a.geojson", vrt_kit_empty);
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_VECTOR | GDAL_OF_RASTER);
    OGRLayerH layer = GDALDatasetGetLayer(dataset, 0);
    assert_int_equal(OGR_L_GetFeatureCount(layer, TRUE), 0);
    vrt_kit_lines(layer, "");
    GDALClose(dataset);
}

/* What programs ask for before they read features, while no result can be opened. */
static void test_open_count_and_extent_open_no_result(void **state)
{
    (void)state;
    vrt_kit_add_points("a", "GPKG", "a.gpkg", 4326, OFTInteger, "n", "1", 3);
    vrt_kit_add_points("b", "GeoJSON", "a.geojson", 4326, OFTReal, "n", "2", 5);
    GDALClose(vrt_kit_open(GDAL_OF_VECTOR)); /* records the summaries */
    char *moved = CPLStrdup(CPLSPrintf("%s/moved", vrt_kit.top));
    char *keys = CPLStrdup(CPLSPrintf("%s/v1", vrt_kit.top));
    for (size_t i = 0; i < vrt_kit.count; i++) {
        char *folder = CPLStrdup(CPLGetPath(vrt_kit.rows[i].path));
        assert_int_equal(rename(folder, CPLSPrintf("%s.away", folder)), 0);
        CPLFree(folder);
    }
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_VECTOR);
    assert_int_equal(rename(keys, moved), 0);
    CPLErrorReset();
    OGRLayerH layer = GDALDatasetGetLayer(dataset, 0);
    OGREnvelope box;
    assert_int_equal(OGR_L_GetFeatureCount(layer, TRUE), 8);
    assert_int_equal(OGR_L_GetExtent(layer, &box, TRUE), OGRERR_NONE);
    assert_true(box.MinX == 0 && box.MinY == 0 && box.MaxX == 4 && box.MaxY == 4);
    assert_int_equal(OGR_L_GetGeomType(layer), wkbPoint);
    assert_string_equal(vrt_kit_type_of(layer, "n"), "Real");
    assert_string_equal(OSRGetAuthorityCode(OGR_L_GetSpatialRef(layer), NULL), "4326");
    assert_string_equal(CPLGetLastErrorMsg(), "");
    GDALClose(dataset);
    CPLFree(moved);
    CPLFree(keys);
}

static void test_others_are_reprojected_to_the_first(void **state)
{
    (void)state;
    vrt_kit_add_points("a", "GPKG", "a.gpkg", 4326, OFTInteger, "n", "1", 1);
    vrt_kit_add_points("b", "GPKG", "a.gpkg", 32631, OFTInteger, "n", "1", 1);
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_VECTOR);
    OGRLayerH layer = GDALDatasetGetLayer(dataset, 0);
    OGREnvelope box;
    assert_string_equal(OSRGetAuthorityCode(OGR_L_GetSpatialRef(layer), NULL), "4326");
    assert_int_equal(OGR_L_GetExtent(layer, &box, TRUE), OGRERR_NONE);
    assert_true(fabs(box.MinX) < 1e-6 && fabs(box.MaxX - 3) < 1e-6);
    OGR_F_Destroy(OGR_L_GetNextFeature(layer));
    OGRFeatureH feature = OGR_L_GetNextFeature(layer);
    assert_true(fabs(OGR_G_GetX(OGR_F_GetGeometryRef(feature), 0) - 3) < 1e-6);
    OGR_F_Destroy(feature);
    GDALClose(dataset);
}

static void test_more_results_than_may_be_open_are_read(void **state)
{
    (void)state;
    static char ids[300][8];
    for (size_t i = 0; i < GIQ_COUNT(ids); i++) {
        (void)snprintf(ids[i], sizeof ids[i], "%zu", i);
        vrt_kit_add_points(ids[i], "GeoJSON", "a.geojson", 4326, OFTInteger, "n", "1", 2);
    }
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_VECTOR);
    OGRLayerH layer = GDALDatasetGetLayer(dataset, 0);
    for (size_t i = 0; i < GIQ_COUNT(ids) * 2; i++) {
        OGRFeatureH feature = OGR_L_GetNextFeature(layer);
        assert_non_null(feature);
        assert_string_equal(OGR_F_GetFieldAsString(feature, 0), ids[i / 2]);
        OGR_F_Destroy(feature);
    }
    assert_null(OGR_L_GetNextFeature(layer));
    GDALClose(dataset);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, vrt_kit_setup, vrt_kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_union_of_geopackage_and_geojson_keeps_geometry),
        TEST(test_types_are_widened_in_any_order),
        TEST(test_row_holds_exactly_the_id),
        TEST(test_own_field_row_is_kept),
        TEST(test_geometry_type_is_common_or_unknown),
        TEST(test_results_without_features_or_geometry_are_rows),
        TEST(test_only_empty_results_are_an_empty_union),
        TEST(test_open_count_and_extent_open_no_result),
        TEST(test_others_are_reprojected_to_the_first),
        TEST(test_more_results_than_may_be_open_are_read),
    };
    vrt_kit_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
