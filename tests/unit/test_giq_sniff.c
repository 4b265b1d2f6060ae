#include "result/giq_sniff.h"

#include "result/giq_name.h"
#include "unit.h"

/* A case whose bytes may hold NULs. */
#define CASE(name, bytes, kind, extension)                                               \
    {                                                                                    \
        name, bytes, sizeof(bytes) - 1, kind, extension                                  \
    }
#define DATA(name, bytes, extension) CASE(name, bytes, GIQ_FORMAT_DATA, extension)
#define HTML(bytes)                  CASE("result", bytes, GIQ_FORMAT_HTML, "html")
#define NOTHING(name, bytes)         CASE(name, bytes, GIQ_FORMAT_DATA, NULL)

struct sniffed {
    const char *name;
    const char *bytes;
    size_t len;
    enum giq_format_kind kind;
    const char *extension; /* NULL: of no known format */
};

static void check(const char *name, const char *bytes, size_t len,
                  enum giq_format_kind kind, const char *extension)
{
    const struct giq_format *format = giq_sniff(name, bytes, len);
    if (extension == NULL) {
        assert_null(format);
    } else {
        assert_non_null(format);
        assert_int_equal(format->kind, kind);
        assert_string_equal(format->extension, extension);
    }
}

static void check_all(const struct sniffed *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check(cases[i].name, cases[i].bytes, cases[i].len, cases[i].kind,
              cases[i].extension);
    }
}

static void test_signatures(void **state)
{
    (void)state;
    static const struct sniffed cases[] = {
        DATA("result", "fgb\3fgb\0xx", "fgb"),
        DATA("result", "II*\0\x08\0\0\0", "tif"),
        DATA("result", "MM\0*\0\0\0\x08", "tif"),
        DATA("result", "II+\0\x08\0\0\0", "tif"),
        DATA("result", "MM\0+\0\x08\0\0", "tif"),
        DATA("result", "\x89PNG\r\n\x1a\nxxx", "png"),
        DATA("result", "\xff\xd8\xff\xe0", "jpg"),
        DATA("result", "\0\0\0\x0cjP  \r\n\x87\n", "jp2"),
        DATA("result", "\xff\x4f\xff\x51", "j2k"),
        DATA("result", "CDF\1", "nc"),
        DATA("result", "CDF\2", "nc"),
        DATA("result", "CDF\5", "nc"),
        DATA("a.h5", "CDF\1", "nc"),
        DATA("result", "\x89HDF\r\n\x1a\n", "nc"),
        DATA("a.nc4", "\x89HDF\r\n\x1a\n", "nc"),
        DATA("a.H5", "\x89HDF\r\n\x1a\n", "h5"),
        DATA("a.hdf5", "\x89HDF\r\n\x1a\n", "h5"),
        DATA("result", "PAR1xxxx", "parquet"),
        DATA("result", "ARROW1\0\0", "arrow"),
        DATA("a.arrows", "\xff\xff\xff\xff\x10\0\0\0", "arrow"),
        NOTHING("result", "\xff\xff\xff\xff\x10\0\0\0"),
        DATA("result", "\0\0\x27\x0a\0\0", "shp"),
        DATA("result", "AutoCAD Binary DXF\r\n\x1a\0x", "dxf"),
        DATA("result", "RIFF1234WEBP", "webp"),
        NOTHING("result", "RIFF1234WAVE"),
        NOTHING("result", "II*"),
        NOTHING("result", ""),
        NOTHING("result", "some text"),
    };
    check_all(cases, GIQ_COUNT(cases));
}

static void test_archives(void **state)
{
    (void)state;
    static const struct sniffed cases[] = {
        CASE("result", "PK\3\4xx", GIQ_FORMAT_ZIP, "zip"),
        CASE("a.zip", "PK\5\6xx", GIQ_FORMAT_ZIP, "zip"),
        CASE("a.tif", "PK\3\4xx", GIQ_FORMAT_ZIP, "zip"),
        DATA("a.kmz", "PK\3\4xx", "kmz"),
        DATA("a.SHZ", "PK\3\4xx", "shz"),
        CASE("result", "PK00PK\3\4xx", GIQ_FORMAT_ZIP, "zip"),
        CASE("result", "PK\7\x08PK\3\4xx", GIQ_FORMAT_ZIP, "zip"),
        CASE("a.tar.gz", "\x1f\x8b\x08xx", GIQ_FORMAT_GZIP, "gz"),
        CASE("a.TGZ", "\x1f\x8b\x08xx", GIQ_FORMAT_GZIP, "gz"),
        CASE("a.gz", "\x1f\x8b\x08xx", GIQ_FORMAT_GZIP, "gz"),
        CASE("a.tif.gz", "\x1f\x8b\x08xx", GIQ_FORMAT_GZIP, "gz"),
        CASE("r.bin", "\x1f\x8b\x08xx", GIQ_FORMAT_GZIP, "gz"),
        CASE("result", "\x1f\x8b\x08xx", GIQ_FORMAT_GZIP, "gz"),
        NOTHING("a.gz", "\x1f\x8b\x07xx"),
    };
    check_all(cases, GIQ_COUNT(cases));
}

static void make_tar_head(char block[512], const char *member)
{
    memset(block, 0, 512);
    (void)snprintf(block, 100, "%s", member);
    (void)snprintf(block + 100, 8, "0000644");
    memset(block + 148, ' ', 8);
    unsigned sum = 0;
    for (size_t i = 0; i < 512; i++) {
        sum += (unsigned char)block[i];
    }
    (void)snprintf(block + 148, 8, "%06o", sum);
}

static void test_tars(void **state)
{
    (void)state;
    char block[512];
    make_tar_head(block, "II*/GRIB.tif");
    check("result", block, sizeof block, GIQ_FORMAT_TAR, "tar");
    make_tar_head(block, "GRIB.grb");
    check("a.tif", block, sizeof block, GIQ_FORMAT_TAR, "tar");
    block[0]++;
    check("result", block, sizeof block, GIQ_FORMAT_DATA, NULL);
    memcpy(block + 257, "ustar", 6);
    check("result", block, sizeof block, GIQ_FORMAT_TAR, "tar");
    check("result", block, 261, GIQ_FORMAT_DATA, NULL);
    memset(block, 0, sizeof block);
    check("result", block, sizeof block, GIQ_FORMAT_DATA, NULL);
}

static void test_sqlite_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *id, *name, *extension;
    } cases[] = {
        {"GPKG", "result", "gpkg"},       {"GP10", "result", "gpkg"},
        {"GPKG", "a.mbtiles", "gpkg"},    {"MPBX", "result", "mbtiles"},
        {"xxxx", "a.mbtiles", "mbtiles"}, {"xxxx", "a.gpkg", "gpkg"},
        {"xxxx", "a.db", "sqlite"},       {"xxxx", "result", "sqlite"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char head[100] = "SQLite format 3";
        memcpy(head + 68, cases[i].id, 4);
        check(cases[i].name, head, sizeof head, GIQ_FORMAT_DATA, cases[i].extension);
        check(cases[i].name, head, 15, GIQ_FORMAT_DATA, NULL);
    }
}

static void test_markup(void **state)
{
    (void)state;
    static const struct sniffed cases[] = {
        HTML("<!doctype html><p>"),
        HTML("\r\n  <!DOCTYPE HTML PUBLIC \"x\">"),
        HTML("<HTML lang=en>"),
        HTML("\xEF\xBB\xBF<html>"),
        HTML("<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"x\">"),
        HTML("<!-- a --> <!-- b --><html>"),
        CASE("map.tif", "<html>", GIQ_FORMAT_HTML, "html"),
        DATA("result", "<kml xmlns='x'>", "kml"),
        DATA("result", "\xEF\xBB\xBF<?xml version='1.0'?>\n<!-- <html> -->\n<kml>",
             "kml"),
        DATA("result", "<?xml version='1.0'?><kml:kml xmlns:kml='x'>", "kml"),
        DATA("result", "<?xml version='1.0'?><ogr:FeatureCollection a='b'>", "gml"),
        DATA("result", "<gpx version='1.1'>", "gpx"),
        NOTHING("result", "<?xml version='1.0'?><kmlx>"),
        NOTHING("result", "<htmlx>"),
        NOTHING("result", "<?xml version='1.0'"),
        NOTHING("result", "<!-- <html>"),
        NOTHING("result", "<"),
    };
    check_all(cases, GIQ_COUNT(cases));
}

static void test_json(void **state)
{
    (void)state;
    static const struct sniffed cases[] = {
        DATA("result", "{\"type\":\"FeatureCollection\",\"features\":[]}", "geojson"),
        DATA("result", "\xEF\xBB\xBF\n { \"x\": [1, 2], \"type\" : \"Feature\" }",
             "geojson"),
        DATA("result", "{\"features\":[{\"type\":\"Feature\"", "geojson"),
        DATA("result", "[{\"type\":\"Feature\"", "geojson"),
        DATA("result", "{\"type\":\"MultiPolygon\",\"coordinates\":[", "geojson"),
        DATA("result", "{\"type\":\"Feature\"}\n{\"type\":\"Feature\"}\n", "geojsonl"),
        DATA("result", "{\"type\":\"Feature\"}\r\n{", "geojsonl"),
        DATA("a.geojsonl", "{\"type\":\"Feature\",\"x\":[", "geojsonl"),
        DATA("a.ndjson", "{\"type\":\"Feature\"}\n", "geojsonl"),
        DATA("result", "{\"type\":\"Feature\"}\n", "geojson"),
        DATA("result", "\x1e{\"type\":\"Feature\"}\n\x1e{", "geojsons"),
        DATA("result", "{\"type\":\"Topology\"}", "topojson"),
        NOTHING("result", "{\"error\":\"no \\\"type\\\": \\\"Feature\\\"\"}"),
        NOTHING("result", "{\"area\":{\"type\":\"Polygon\"}}"),
        NOTHING("result", "{\"x\":\"type\", \"y\":\"Feature\"}"),
        NOTHING("result", "{\"a\\"),
        NOTHING("result", "{\"type\":"),
        NOTHING("result", "{"),
        NOTHING("result", "[1,2]"),
    };
    check_all(cases, GIQ_COUNT(cases));
}

static void test_other_text(void **state)
{
    (void)state;
    static const struct sniffed cases[] = {
        DATA("result", "  0\nSECTION\n  2\nHEADER", "dxf"),
        DATA("result", "0\r\nSECTION\r\n", "dxf"),
        DATA("result", "999\nmade by x\n999\r\nSECTION\r\n 0\nSECTION\n", "dxf"),
        NOTHING("result", "0SECTION"),
        NOTHING("result", "0\nsomething"),
        DATA("result", "!table\n!version 300", "tab"),
        DATA("a.mif", "Version 300\nCharset", "mif"),
        NOTHING("a.txt", "Version 300\nCharset"),
        DATA("a.csv", "id,x,y\n1,2,3\n", "csv"),
        DATA("a.CSV", "\xEF\xBB\xBFid,x", "csv"),
        NOTHING("result", "id,x,y\n1,2,3\n"),
        NOTHING("a.csv", "id\0x"),
        NOTHING("a.csv", ""),
    };
    check_all(cases, GIQ_COUNT(cases));
}

static void test_extensions_that_fit(void **state)
{
    (void)state;
    static const struct {
        const char *extension, *name;
        bool fits;
    } cases[] = {
        {"tif", "a.tif", true},       {"tif", "a.TIFF", true},
        {"tif", "a.gtiff", true},     {"tif", "a.png", false},
        {"tif", "tif", false},        {"tif", ".tif", false},
        {"jpg", "a.jpeg", true},      {"geojson", "a.json", true},
        {"geojson", "a.txt", false},  {"jp2", "a.j2k", true},
        {"j2k", "a.jp2", true},       {"nc", "a.nc4", true},
        {"nc", "a.cdf", true},        {"nc", "a.h5", false},
        {"h5", "a.hdf5", true},       {"sqlite", "a.db", true},
        {"sqlite", "a.gpkg", false},  {"kml", "a.KML", true},
        {"csv", "a.csv", true},       {"gpkg", "a.gpkg", true},
        {"gpkg", "a.sqlite", false},  {"gz", "map.tar.gz", true},
        {"gz", "map.tgz", true},      {"tar", "map.tar.gz", false},
        {"zip", "map.shp.zip", true},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_int_equal(giq_format_has_extension(giq_format_get(cases[i].extension),
                                                  giq_name_extension(cases[i].name)),
                         cases[i].fits);
    }
}

struct source {
    const char *text, *driver;
};

static void check_sources(const struct source *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *driver =
            giq_sniff_reference_driver(cases[i].text, strlen(cases[i].text));
        if (cases[i].driver == NULL) {
            assert_null(driver);
        } else {
            assert_non_null(driver);
            assert_string_equal(driver, cases[i].driver);
        }
    }
}

static void test_texts_that_name_other_sources(void **state)
{
    (void)state;
    static const struct source cases[] = {
        {"<VRTDataset rasterXSize='1'>", "VRT"},
        {"<OGRVRTDataSource>", "OGR_VRT"},
        {"\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!-- x -->\n<OGRVRTDataSource/>",
         "OGR_VRT"},
        {" \t\r\n<vrtdataset>", "VRT"},
        {"<!DOCTYPE VRTDataset SYSTEM 'x'><VRTDataset>", "VRT"},
        {"<!DOCTYPE x [<!ENTITY a \"]b>\"><!ENTITY c 'd'>] ><VRTDataset>", "VRT"},
        {"<GDAL_WMS><Service/></GDAL_WMS>", "WMS"},
        {"<?xml version='1.0'?><WMS_Capabilities version='1.3.0'>", "WMS"},
        {"<GDAL_WMTS>", "WMTS"},
        {"<wmts:Capabilities xmlns:wmts='x'>", "WMTS"},
        {"<WCS_GDAL>", "WCS"},
        {"<OGRWFSDataSource>", "WFS"},
        {"<MRF_META>", "MRF"},
        {"<GDALTileIndexDataset>", "GTI"},
        {"{\"type\": \"gdal_streamed_alg\", \"command_line\": \"gdal x\"}", "GDALG"},
        {"\xEF\xBB\xBF\n{\"command_line\":\"x\",\"type\" : \"gdal_streamed_alg\"}",
         "GDALG"},
    };
    check_sources(cases, GIQ_COUNT(cases));
}

static void test_connection_strings_and_what_looks_like_them(void **state)
{
    (void)state;
    static const struct source cases[] = {
        {"GIQ:model=m;file=f", "GIQ"},
        {"giq: Model = m", "GIQ"},
        {"\xEF\xBB\xBF GIQ:models\n", "GIQ"},
        {"GIQ:", "GIQ"},
        {"GIQ:jobs;\n", "GIQ"},
        {"giq:source,giq:layer\n1,2\n", NULL},
        {"giq:models\n1\n", NULL},
        {"<VRTDatasets>", NULL},
        {"<a><VRTDataset/></a>", NULL},
        {"<kml/>", NULL},
        {"<DATE>,<TIME>\n1,2\n", NULL},
        {"{\"a\": {\"type\": \"gdal_streamed_alg\"}}", NULL},
        {"{\"type\": \"FeatureCollection\"}", NULL},
        {"", NULL},
    };
    check_sources(cases, GIQ_COUNT(cases));
}

/* What is found of a cut head must be found without looking beyond it. */
static void test_cut_heads_do_no_harm(void **state)
{
    (void)state;
    static const char *const whole[] = {
        "\xEF\xBB\xBF<?xml version='1.0'?><!DOCTYPE x><!-- y --><a:kml>",
        "{\"a\\\"b\":[{}],\"type\" : \"FeatureCollection\"}\n{\"type\":\"x\"}",
        "999\nx\n  0\nSECTION\n",
        "\x1e {}",
        " GIQ: model = ",
    };
    for (size_t i = 0; i < GIQ_COUNT(whole); i++) {
        for (size_t len = 0; len <= strlen(whole[i]); len++) {
            char *head = malloc(len + 1);
            assert_non_null(head);
            char *end = head + 1; /* so that the bytes end where the memory does */
            memcpy(end, whole[i], len);
            (void)giq_sniff("a.csv", end, len);
            (void)giq_sniff_reference_driver(end, len);
            free(head);
        }
    }
}

static void test_drivers_are_those_of_formats_for_results(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *bytes;
        const char *driver;
    } cases[] = {
        {"r", "PAR1", "Parquet"},
        {"r.geojson", "{\"type\": \"Feature\"}", "GeoJSON"},
        {"r.geojson", "{\"error\": \"try again\"}", NULL},
        {"r.nc", "\x89HDF\r\n\x1a\n", "netCDF"},
        {"r.h5", "\x89HDF\r\n\x1a\n", "HDF5"},
        {"r.kmz", "PK\3\4", "LIBKML"},
        {"r.tif", "PK\3\4", NULL},
        {"r.tif", "<html>", NULL},
        {"r.tif", "<VRTDataset>", NULL},
        {"r.tif", "nothing", NULL},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const char *driver =
            giq_sniff_driver(cases[i].name, cases[i].bytes, strlen(cases[i].bytes));
        assert_int_equal(driver == NULL, cases[i].driver == NULL);
        if (driver != NULL) {
            assert_string_equal(driver, cases[i].driver);
        }
    }
}

static void test_binary_formats_hold_no_text_to_scan(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        uint64_t text_len;
    } cases[] = {
        {"II*\0", 4, 0},
        {"SQLite format 3\0", 16, 0},
        {"PK\3\4", 4, 0},
        {"fgb\3fgb\0", 8, 12 + GIQ_FORMAT_FLATGEOBUF_HEADER_MAX},
        {"{\"type\": \"Feature\"}", 19, UINT64_MAX},
        {"ARROW1\0\0", 8, UINT64_MAX},
        {"\x1f\x8b\x08", 3, UINT64_MAX},
        {"GEOGCS[", 7, UINT64_MAX},
        {"", 0, UINT64_MAX},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_int_equal(giq_sniff_text_len(cases[i].bytes, cases[i].len),
                         cases[i].text_len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_archives),
        cmocka_unit_test(test_tars),
        cmocka_unit_test(test_sqlite_kinds),
        cmocka_unit_test(test_markup),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_other_text),
        cmocka_unit_test(test_extensions_that_fit),
        cmocka_unit_test(test_texts_that_name_other_sources),
        cmocka_unit_test(test_connection_strings_and_what_looks_like_them),
        cmocka_unit_test(test_cut_heads_do_no_harm),
        cmocka_unit_test(test_drivers_are_those_of_formats_for_results),
        cmocka_unit_test(test_binary_formats_hold_no_text_to_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
