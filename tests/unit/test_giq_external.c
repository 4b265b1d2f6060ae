#include "giq/external.h"

#include "unit.h"

struct system {
    const char *text;
    bool is_external;
};

static void check_systems(const struct system *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (giq_external_srs(cases[i].text) != cases[i].is_external) {
            fail_msg("%s", cases[i].text);
        }
    }
}

static void test_coordinate_systems(void **state)
{
    (void)state;
    static const struct system cases[] = {
        {"", false},
        {"EPSG:4326", false},
        {"urn:ogc:def:crs:OGC:1.3:CRS84", false},
        {"http://www.opengis.net/def/crs/EPSG/0/4326", false},
        {"WGS 84 / UTM zone 33N (EPSG:32633)", false},
        {"PROJCRS[\"NAD83(HARN) / UTM 59S\",REMARK[\"see http://a.b/c\"]]", false},
        {"http://127.0.0.1/EPSG:", true},
        {" ESRI::HTTPS://x/", true},
        {"dict:../x,EPSG:", true},
        {"/vsicurl/http://x/EPSG:", true},
        {"+proj=longlat +nadgrids=@conus,@alaska,@ntv2_0.gsb,@ntv1_can.dat", false},
        {"+proj=longlat +nadgrids=@null +to_meter=1/3 +no_defs", false},
        {"+init=epsg:4326 +title=a/b", false},
        {"+proj=longlat +nadgrids=conus,/etc/passwd", true},
        {"+proj=longlat +geoidgrids=http://h/g.tif +vunits=m", true},
        {"+init=/etc/passwd:x", true},
        {"METHOD[\"PROJ pipeline step proj=hgridshift grids=../g\"]", true},
        {"METHOD[\"PROJ defmodel model=~/m.json\"]", true},
        {"REMARK[\"PROJ CRS string: +proj=merc +nadgrids=./g\"]", true},
        {"PARAMETERFILE[\"Latitude and longitude difference file\",\"ntv2_0.gsb\"]",
         false},
        {"PARAMETERFILE[\"Latitude / longitude\",\"ntv2_0.gsb\"],ID[\"a/b\"]", false},
        {"parameterfile [ \"difference file\" , \"/etc/x\"", true},
        {"EXTENSION[\"PROJ4_GRIDS\",\"g2012a_conus.gtx\"]", false},
        {"EXTENSION[\"PROJ4_GRIDS\",\"C:\\\\x\"]", true},
        {"PARAMETERFILE", false},
        {"+proj=longlat +nadgrids=@a, @/x", true},
        {"+proj=longlat +nadgrids=@a ;,@/x", true},
        {"+proj=longlat +nadgrids = @/x", true},
        {"+proj=longlat +nadgrids=@a\",@/x", true},
        {"PROJCS +proj=longlat +nadgrids=@a\",@/x", true},
        {"+proj=longlat +nadgrids=@a(,@/x", true},
        {"+proj=longlat +nadgrids=\"@/x\"", true},
        {"+proj=longlat +nadgrids = @a , @b +no_defs +title=a/b", false},
        {"PROJCS[\"x\",EXTENSION[\"PROJ4\",\"+proj=x +nadgrids=@null\"],UNIT[\"a/b\"",
         false},
        {" boundcrs [\"x\",ABRIDGED[\"+grids=@a\"\",@/x\"", true},
        {"GEOGCS[\"x\",\xe2\x80\x9c+grids=@a\",@/x\xe2\x80\x9d", true},
    };
    check_systems(cases, GIQ_COUNT(cases));
}

static void test_values_that_are_paths_or_urls(void **state)
{
    (void)state;
    static const struct system cases[] = {
        {"", false},        {"/", false},           {"~", false},     {"A:", false},
        {"a/b", false},     {"12:30", false},       {"...", false},   {"AB:/c", false},
        {"/etc", true},     {"\\\\host\\x", true},  {"~/x", true},    {"..", true},
        {"C:\\x", true},    {"c:/x", true},         {"a/../x", true}, {"..\\x", true},
        {"http://h", true}, {"b /VSICURL/x", true},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        if (giq_external_value(cases[i].text) != cases[i].is_external) {
            fail_msg("%s", cases[i].text);
        }
    }
}

static void test_files_of_transformations_whatever_their_names(void **state)
{
    (void)state;
    static const struct system cases[] = {
        {"PARAMETERFILE[\"a, b\",\"/etc/x\"]", true},
        {"PARAMETERFILE[\"a \"\"b\"\", c\",\"/etc/x\"]", true},
        {"PARAMETERFILE [\"a/b, c\", \"x.gsb\"]", false},
        {"EXTENSION[\"PROJ4_GRIDS\" , \"a,/b\"]", true},
        {"EXTENSION[\"PROJ4_GRIDS\",\"@a\"\",@/x\"]", true},
        {"EXTENSION[\xe2\x80\x9cPROJ4_GRIDS\xe2\x80\x9d,\xe2\x80\x9c/x\xe2\x80\x9d]",
         true},
        {"NAME[\"a PROJ4_GRIDS b\"],ID[\"a/b\"]", true},
        {"PARAMETERFILE[\"PARAMETERFILE\",\"a\"],PARAMETERFILE[\"b\",\"/x\"]", true},
    };
    check_systems(cases, GIQ_COUNT(cases));
}

static void test_long_lists_of_grids(void **state)
{
    (void)state;
    enum { LEN = 100000 };
    static char text[2 * LEN];
    static const char *const starts[] = {"+proj=longlat +nadgrids=@",
                                         "EXTENSION[\"PROJ4_GRIDS\",\"@",
                                         "PARAMETERFILE[\"x\",\"@", "PARAMETERFILE[\""};
    static const char *const ends[] = {",@/x", ",@/x\"]", ",@/x\"]", "\",\"/x\"]"};
    for (size_t i = 0; i < GIQ_COUNT(starts); i++) {
        memset(text, 'a', LEN);
        memcpy(text, starts[i], strlen(starts[i]));
        (void)memcpy(text + LEN, ends[i], strlen(ends[i]) + 1);
        assert_true(giq_external_srs(text));
    }
}

static void test_tables(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        bool is_external;
    } cases[] = {
        {"", false},
        {"CREATE TABLE t(a, virtual_table_using TEXT)", false},
        {"CREATE VIEW v AS SELECT 'CREATE VIRTUAL TABLE x USING VirtualText(1)'", false},
        {"CREATE VIRTUAL TABLE \"rtree_t_geom\" USING rtree(id, minx, maxx)", false},
        {"create virtual table t using FTS5(a)", false},
        {"CREATE VIRTUAL TABLE main.[a ]b].c USING 'rtree'(id)", true},
        {"CREATE VIRTUAL TABLE main.\"a \"\"b\" USING \"rtree\"(id)", false},
        {"CREATE VIRTUAL TABLE SpatialIndex USING VirtualSpatialIndex()", false},
        {"CREATE VIRTUAL TABLE ElementaryGeometries USING VirtualElementary()", false},
        {"CREATE VIRTUAL TABLE KNN USING VirtualKNN()", false},
        {"CREATE VIRTUAL TABLE e USING VirtualText('/etc/passwd','UTF-8',1)", true},
        {"CREATE VIRTUAL TABLE e USING rtree_of_mine(1)", true},
        {"CREATE VIRTUAL TABLE e USING VirtualText('/tmp/a using rtree',1)", true},
        {"CREATE VIRTUAL TABLE e USING VirtualText('/x') -- using rtree", true},
        {"CREATE/**/VIRTUAL--x\nTABLE IF NOT EXISTS \"using rtree\"/*/*/USING csv(x)",
         true},
        {"CREATE VIRTUAL TABLE `using` USING `VirtualShape`('x')", true},
        {"CREATE VIRTUAL TABLE e", true},
        {"CREATE VIRTUAL TABLE e USING", true},
        {"CREATE VIRTUAL TABLE \"e", true},
        {"CREATE VIRTUAL TABLE /* USING rtree", true},
        {"CREATE \xef\xbb\xbf VIRTUAL TABLE e USING csv(x)", true},
        {"CREATE VIRTUAL\xef\xbb\xbf TABLE e USING rtree(x)", true},
        {"CREATE \vVIRTUAL TABLE e USING csv(x)", true},
        {"CREATE \vVIRTUAL TABLE t USING \xef\xbb\xbf fts5(a)", false},
        {"DROP TABLE e", true},
        {"CREATE TEMP TABLE e(a)", true},
        {"CREATE VIRTUAL x", true},
        {"CREATE UNIQUE INDEX i ON t(a)", false},
        {"CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT XB_Create(1); END", false},
        {"CREATE VIEW v AS SELECT \"OGR_geocode\"('x')", true},
        {"CREATE TABLE t(a AS (SqlProc_Execute(b)))", true},
        {"CREATE VIEW v AS SELECT ST_Transform(g, 1, 0, '+proj=x +nadgrids=/x')", true},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        if (giq_external_statement(cases[i].sql) != cases[i].is_external) {
            fail_msg("%s", cases[i].sql);
        }
    }
}

static struct giq_external scanned(const char *text, size_t step)
{
    static struct giq_external scan;
    scan = (struct giq_external){0};
    for (size_t at = 0, len = strlen(text); at < len; at += step) {
        giq_external_scan(&scan, text + at, len - at < step ? len - at : step);
    }
    return scan;
}

static void test_text_files(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool names_file, has_crs, has_link;
    } cases[] = {
        {"", false, false, false},
        {"{\"crs\":{\"type\":\"name\"}}", false, true, false},
        {"{'\\u0043R\\u0073':{'type':'\\u004cink'}}", false, true, true},
        {"{\"crs\":{\"type\":\"URL\"}}", false, true, true},
        {"{\"a\":\"DICT:..\\/x,y\"}", true, false, false},
        {"{\"a\":\"\\u0044ICT:\\u002fx,y\"}", true, false, false},
        {"dict:esri_extra.wkt,y /", false, false, false},
        {"ESRI::dict:../esri_extra.wkt,y", true, false, false},
        {"{\"a\":\"verdict:a/b, a dict: a/b\"}", false, false, false},
        {"+init=epsg:4326 a/b", false, false, false},
        {"\"+proj=x \\u002binit=~\\u002Fx:y\"", true, false, false},
        {"+init=/etc/passwd:root", true, false, false},
        {"+init= /etc/passwd:root", true, false, false},
        {"+init= epsg:4326 a/b", false, false, false},
        {"kernel init=/sbin/init predict: a/b", false, false, false},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        for (size_t step = 1; step < 40; step += 3) {
            struct giq_external scan = scanned(cases[i].text, step);
            if (scan.names_file != cases[i].names_file ||
                scan.has_crs != cases[i].has_crs || scan.has_link != cases[i].has_link) {
                fail_msg("%s in steps of %zu", cases[i].text, step);
            }
        }
    }
}

static void test_long_text_files(void **state)
{
    (void)state;
    static char text[5 * GIQ_EXTERNAL_BUFFER_SIZE];
    static const char found[] = "+init=../x:y";
    for (size_t at = GIQ_EXTERNAL_BUFFER_SIZE - 40; at < GIQ_EXTERNAL_BUFFER_SIZE + 40;
         at++) {
        memset(text, 'x', sizeof text - 1);
        memcpy(text + at, found, sizeof found - 1);
        assert_true(scanned(text, 1000).names_file);
        assert_true(scanned(text, sizeof text).names_file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_coordinate_systems),
        cmocka_unit_test(test_values_that_are_paths_or_urls),
        cmocka_unit_test(test_files_of_transformations_whatever_their_names),
        cmocka_unit_test(test_long_lists_of_grids),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_text_files),
        cmocka_unit_test(test_long_text_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
