/* Rows of batches: the same requests as if they were typed alone. */
#include "unit.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <gdal.h>
#include <ogr_api.h>
#include <unistd.h>

#include "area/giq_vector_source.h"
#include "env_kit.h"
#include "giq_rows.h"
#include "store/giq_key.h"

void GDALRegister_GIQ(void);

/* The bytes of each area that is written; 0: as it is. */
static size_t area_len;

UNIT_WRAPS(giq_vector_source_write);

bool __wrap_giq_vector_source_write(struct giq_geom *geom, struct giq_project *project,
                                    char **out, struct giq_error *err)
{
    if (area_len == 0) {
        return __real_giq_vector_source_write(geom, project, out, err);
    }
    char *text = malloc(area_len + 1);
    assert_non_null(text);
    memset(text, 'x', area_len);
    text[area_len] = '\0';
    *out = text;
    return true;
}

/* An open session, and the rows of a batch or the error. */
struct kit {
    const char *folder;
    struct giq_session session;
    struct giq_rows *rows;
    struct giq_error err;
};

static char *path_in(const char *folder, const char *name)
{
    return CPLStrdup(CPLSPrintf("%s/%s", folder, name));
}

static void begin(struct kit *kit, void *folder)
{
    *kit = (struct kit){.folder = folder};
    char *store = path_in(folder, "store");
    CPLSetConfigOption("GIQ_STORE_DIR", store);
    CPLSetConfigOption("GIQ_BASE_URL", "http://127.0.0.1:9");
    CPLSetConfigOption("GIQ_API_KEY", "k3y-0f-the-unit");
    CPLFree(store);
}

/* Read the batch "GIQ:batch=<folder>/<rest>"; `options` ends in NULL. */
static bool reads_with(struct kit *kit, const char *rest, char **options)
{
    struct giq_conn conn;
    char *text = CPLStrdup(CPLSPrintf("GIQ:batch=%s/%s", kit->folder, rest));
    assert_true(giq_conn_parse(text, &conn, &kit->err));
    CPLFree(text);
    assert_true(giq_session_open(&kit->session, options, &kit->err));
    bool ok = giq_rows_read(&kit->session, &conn, &kit->rows, &kit->err);
    giq_conn_release(&conn);
    return ok;
}

static bool reads(struct kit *kit, const char *rest)
{
    return reads_with(kit, rest, NULL);
}

static void end(struct kit *kit)
{
    giq_rows_free(kit->rows);
    giq_session_close(&kit->session);
    *kit = (struct kit){.folder = kit->folder};
}

static void fails(struct kit *kit, const char *rest, enum giq_code code, const char *part)
{
    assert_false(reads(kit, rest));
    assert_int_equal(kit->err.code, code);
    if (strstr(kit->err.text, part) == NULL) {
        fail_msg("%s is not in %s", part, kit->err.text);
    }
    end(kit);
}

/* The key of a row. */
static void key_of(const struct kit *kit, size_t row, struct giq_key *out)
{
    struct giq_error err = {0};
    char *text = NULL;
    assert_true(giq_key_make(kit->session.config.base_url,
                             &giq_rows_requests(kit->rows)[row], &text, out, &err));
    free(text);
}

/* The key of a request that is opened alone: a dry run makes no call. */
static void key_alone(const char *name, const char *option, struct giq_key *out)
{
    const char *options[] = {"SUBMIT=NO", option, NULL};
    char *text = NULL; /* longer than CPLSPrintf() allows */
    assert_true(asprintf(&text, "%s;wait=no", name) > 0);
    GDALDatasetH dataset =
        GDALOpenEx(text, GDAL_OF_VECTOR | GDAL_OF_VERBOSE_ERROR, NULL, options, NULL);
    assert_non_null(dataset);
    OGRFeatureH row = OGR_L_GetNextFeature(GDALDatasetGetLayer(dataset, 0));
    (void)snprintf(out->hex, sizeof out->hex, "%s",
                   OGR_F_GetFieldAsString(row, OGR_F_GetFieldIndex(row, "key")));
    OGR_F_Destroy(row);
    GDALClose(dataset);
    free(text);
}

/* A row is the same request as `name`, and as its own string. */
static void is_same(const struct kit *kit, size_t row, const char *name,
                    const char *option)
{
    struct giq_key key;
    struct giq_key alone;
    struct giq_error err = {0};
    char *location = NULL;
    key_of(kit, row, &key);
    key_alone(name, option, &alone);
    assert_string_equal(key.hex, alone.hex);
    assert_true(giq_rows_location(kit->rows, row, NULL, &location, &err));
    assert_non_null(location);
    key_alone(location, option, &alone);
    assert_string_equal(key.hex, alone.hex);
    free(location);
}

static void is_location(const struct kit *kit, size_t row, const char *expected)
{
    struct giq_error err = {0};
    char *location = NULL;
    assert_true(giq_rows_location(kit->rows, row, NULL, &location, &err));
    assert_string_equal(location, expected);
    free(location);
}

/* ---- areas ---- */

#define CRS(code)                                                                        \
    "\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"urn:ogc:def:crs:EPSG::" code  \
    "\"}},"
#define COLLECTION(crs, features)                                                        \
    "{\"type\":\"FeatureCollection\"," crs "\"features\":[" features "]}"
#define FEATURE(properties, geometry)                                                    \
    "{\"type\":\"Feature\",\"properties\":{" properties "},\"geometry\":" geometry "}"
#define POLYGON(rings)      "{\"type\":\"Polygon\",\"coordinates\":[" rings "]}"
#define MULTIPOLYGON(parts) "{\"type\":\"MultiPolygon\",\"coordinates\":[" parts "]}"
#define SQUARE              POLYGON("[[54,24],[55,24],[55,25],[54,25],[54,24]]")

/* Areas in degrees: overlapping parts, a hole, beyond the antimeridian. */
static const char *const in_degrees[] = {
    SQUARE,
    POLYGON("[[54.123456789,24],[55,24],[55,25],[54.123456789,24]],"
            "[[54.6,24.2],[54.8,24.2],[54.8,24.4],[54.6,24.2]]"),
    MULTIPOLYGON("[[[54,24],[56,24],[56,26],[54,26],[54,24]]],"
                 "[[[55,25],[57,25],[57,27],[55,27],[55,25]]]"),
    POLYGON("[[179,10],[182,10],[182,12],[179,10]]"),
    "{\"type\":\"GeometryCollection\",\"geometries\":[" SQUARE
    ",{\"type\":\"Point\",\"coordinates\":[1,2]}]}",
};

/* And in UTM zone 40, with long edges that are divided. */
static const char *const in_utm[] = {
    POLYGON("[[200000,2600000],[700000,2600000],[700000,2700000],[200000,2600000]]"),
    POLYGON("[[200000,2600000],[200100,2600000],[200100,2600100],[200000,2600000]]"),
};

static void write_features(const char *folder, const char *name, const char *crs,
                           const char *const *geometries, size_t count)
{
    char *text =
        CPLStrdup(CPLSPrintf("{\"type\":\"FeatureCollection\",%s\"features\":[", crs));
    for (size_t i = 0; i < count; i++) {
        char *more = CPLStrdup(CPLSPrintf(
            "%s%s{\"type\":\"Feature\",\"properties\":{\"id\":\"r%d\",\"file\":\"f%d\"},"
            "\"geometry\":%s}",
            text, i == 0 ? "" : ",", (int)i, (int)i, geometries[i]));
        CPLFree(text);
        text = more;
    }
    char *all = CPLStrdup(CPLSPrintf("%s]}", text));
    env_kit_write(folder, name, all);
    CPLFree(text);
    CPLFree(all);
}

/* Each row of the features has the key of an AOI with its feature alone. */
static void are_areas_alone(void *folder, const char *crs, const char *const *geometries,
                            size_t count)
{
    struct kit kit;
    begin(&kit, folder);
    write_features(folder, "rows.geojson", crs, geometries, count);
    assert_true(reads(&kit, "rows.geojson;model=m"));
    assert_int_equal(giq_rows_count(kit.rows), count);
    for (size_t i = 0; i < count; i++) {
        write_features(folder, "alone.geojson", crs, &geometries[i], 1);
        char *name = CPLStrdup(
            CPLSPrintf("GIQ:model=m;file=f%d;aoi=%s/alone.geojson", (int)i, kit.folder));
        is_same(&kit, i, name, NULL);
        CPLFree(name);
    }
    end(&kit);
}

static void test_rows_are_the_requests_that_are_typed_alone(void **state)
{
    are_areas_alone(*state, "", in_degrees, GIQ_COUNT(in_degrees));
    are_areas_alone(*state, CRS("32640"), in_utm, GIQ_COUNT(in_utm));
}

static void test_coordinates_are_sent_as_they_are_with_as_is(void **state)
{
    char *options[] = {"GEOMETRY_CRS=AS_IS", NULL};
    struct kit kit;
    begin(&kit, *state);
    write_features(*state, "rows.geojson", CRS("32640"), in_utm, 1);
    assert_true(reads_with(&kit, "rows.geojson;model=m", options));
    is_same(&kit, 0,
            "GIQ:model=m;file=f0;geometry=POLYGON((200000 2600000,700000 2600000,"
            "700000 2700000,200000 2600000))",
            options[0]);
    end(&kit);
}

static void test_area_that_text_cannot_express_has_no_string(void **state)
{
    static const char *const world[] = {
        POLYGON("[[-19000000,-9000000],[19000000,-9000000],[19000000,9000000],"
                "[-19000000,9000000],[-19000000,-9000000]]"),
        POLYGON("[[-9000000,0],[9000000,0],[9000000,9000000],[-9000000,0]]"),
    };
    struct kit kit;
    char *location = NULL;
    begin(&kit, *state);
    write_features(*state, "rows.geojson", CRS("3857"), world, GIQ_COUNT(world));
    assert_true(reads(&kit, "rows.geojson;model=m;member=x"));
    assert_true(giq_rows_location(kit.rows, 0, NULL, &location, &kit.err));
    assert_null(location);
    assert_true(giq_rows_location(kit.rows, 0, "j;1", &location, &kit.err));
    assert_string_equal(location, "GIQ:job=\"j;1\";member=x");
    free(location);
    assert_true(giq_rows_location(kit.rows, 1, "j", &location, &kit.err));
    assert_memory_equal(location, "GIQ:model=m;file=f1;", strlen("GIQ:model=m;file=f1;"));
    free(location);
    end(&kit);
}

static void test_layer_without_geometries_is_for_whole_files(void **state)
{
    char *options[] = {"USE_GEOMETRY=NO", NULL};
    struct kit kit;
    begin(&kit, *state);
    env_kit_write(*state, "rows.csv", "model,file\nm,f\n");
    write_features(*state, "rows.geojson", "", in_degrees, 1);
    assert_true(reads(&kit, "rows.csv"));
    is_same(&kit, 0, "GIQ:model=m;file=f", NULL);
    end(&kit);
    assert_true(reads_with(&kit, "rows.geojson;model=m", options));
    is_same(&kit, 0, "GIQ:model=m;file=f0", NULL);
    end(&kit);
}

/* ---- fields ---- */

static void test_fields_override_the_keys_of_the_batch(void **state)
{
    static const struct {
        const char *csv;    /* two lines */
        const char *string; /* keys of the batch */
        const char *location;
    } cases[] = {
        {"MODEL,File\na,b\n", ";model=m;file=f;rerun=r", "GIQ:model=a;file=b;rerun=r"},
        {"model,file_id\n,b\n", ";model=m", "GIQ:model=m;file=b"},
        {"file,file_id\na,b\n", ";model=m", "GIQ:model=m;file=a"},
        {"file,file_id\n,b\n", ";model=m", "GIQ:model=m;file=b"},
        {"rerun,x\n 7 ,9\n", ";model=m;file=f", "GIQ:model=m;file=f;rerun=7"},
        {"file,x\nb,1\n", ";model=m;upload=none.tif;member=a/b",
         "GIQ:model=m;file=b;member=a/b"},
        {"file,x\ns.zip/,1\n", ";model=m", "GIQ:model=m;file=s.zip"},
        {"file,model\n\"a;'b|c\",\"\"\"q\"\"\"\n", "",
         "GIQ:model=\"\"\"q\"\"\";file=\"a;'b|c\""},
        {"file,x\ns.zip/x,1\n", ";model=m", "GIQ:model=m;file=\"s.zip/x\""},
    };
    struct kit kit;
    begin(&kit, *state);
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char *rest = CPLStrdup(CPLSPrintf("rows.csv%s", cases[i].string));
        env_kit_write(*state, "rows.csv", cases[i].csv);
        if (!reads(&kit, rest)) {
            fail_msg("%s", kit.err.text);
        }
        is_location(&kit, 0, cases[i].location);
        is_same(&kit, 0, cases[i].location, NULL);
        end(&kit);
        CPLFree(rest);
    }
}

static void test_numbers_and_null_of_fields(void **state)
{
    struct kit kit;
    begin(&kit, *state);
    env_kit_write(
        *state, "rows.geojson",
        COLLECTION("", FEATURE("\"id\":7,\"file\":123456789012,\"rerun\":null", SQUARE)));
    assert_true(reads(&kit, "rows.geojson;model=m;rerun=r"));
    assert_string_equal(giq_rows_id(kit.rows, 0), "7");
    is_location(&kit, 0,
                "GIQ:model=m;file=123456789012;geometry=POLYGON((54 24,54 25,55 25,55 "
                "24,54 24));rerun=r");
    end(&kit);
}

static void test_row_is_named_by_its_id_or_its_feature(void **state)
{
    struct kit kit;
    begin(&kit, *state);
    env_kit_write(*state, "rows.csv", "ID,file\nx y,a\nz,a\n");
    assert_true(reads(&kit, "rows.csv;model=m"));
    assert_string_equal(giq_rows_id(kit.rows, 0), "x y");
    assert_string_equal(giq_rows_id(kit.rows, 1), "z");
    end(&kit);
    env_kit_write(*state, "rows.csv", "file,x\na,1\nb,1\n");
    assert_true(reads(&kit, "rows.csv;model=m"));
    assert_string_equal(giq_rows_id(kit.rows, 0), "1");
    assert_string_equal(giq_rows_id(kit.rows, 1), "2");
    end(&kit);
}

static void test_long_id_is_cut_between_characters(void **state)
{
    struct kit kit;
    begin(&kit, *state);
    /* Of 41 bytes: the first 40 end within the last character. */
#define FOUR "\u00e9\u00e9\u00e9\u00e9"
    env_kit_write(*state, "rows.csv", "id,file\na" FOUR FOUR FOUR FOUR FOUR ",\n");
    fails(&kit, "rows.csv;model=m", GIQ_E_BATCH,
          "row a" FOUR FOUR FOUR FOUR "\u00e9\u00e9\u00e9: it has no \"file\"");
#undef FOUR
}

static void test_part_takes_rows_by_their_position(void **state)
{
    struct kit kit;
    begin(&kit, *state);
    env_kit_write(*state, "rows.csv", "id,file\na,1\nb,\nc,3\nd,\ne,5\n");
    assert_true(reads(&kit, "rows.csv;model=m;part=0/2"));
    assert_int_equal(giq_rows_count(kit.rows), 3);
    assert_string_equal(giq_rows_id(kit.rows, 1), "c");
    end(&kit);
    assert_true(reads(&kit, "rows.csv;model=m;part=4/5"));
    assert_int_equal(giq_rows_count(kit.rows), 1);
    assert_string_equal(giq_rows_id(kit.rows, 0), "e");
    end(&kit);
    assert_true(reads(&kit, "rows.csv;model=m;part=8/9"));
    assert_int_equal(giq_rows_count(kit.rows), 0);
    end(&kit);
    fails(&kit, "rows.csv;model=m;part=1/2", GIQ_E_BATCH, "2 of 2 rows");
}

/* ---- uploads ---- */

static void test_rows_that_upload_a_file_have_readers_of_their_own(void **state)
{
    struct kit kit;
    begin(&kit, *state);
    char *a = path_in(*state, "a.tif");
    char *csv = CPLStrdup(CPLSPrintf("upload,rerun\n%s,1\n%s,2\n", a, a));
    char *name = CPLStrdup(CPLSPrintf("GIQ:model=m;upload=%s;rerun=2", a));
    env_kit_write(*state, "a.tif", "content");
    env_kit_write(*state, "rows.csv", csv);
    assert_true(reads(&kit, "rows.csv;model=m;file=f"));
    const struct giq_request *requests = giq_rows_requests(kit.rows);
    assert_null(requests[0].file);
    assert_string_equal(requests[0].upload->digest, requests[1].upload->digest);
    assert_ptr_not_equal(requests[0].upload->source, requests[1].upload->source);
    assert_ptr_not_equal(requests[0].upload->source->ctx,
                         requests[1].upload->source->ctx);
    for (size_t i = 0; i < 2; i++) {
        const struct giq_source *source = requests[i].upload->source;
        char bytes[16];
        size_t len = 0;
        assert_true(source->open(source->ctx, &kit.err));
        assert_true(source->read(source->ctx, bytes, sizeof bytes, &len, &kit.err));
        assert_int_equal(len, strlen("content"));
    }
    is_same(&kit, 1, name, NULL);
    end(&kit);
    CPLFree(name);
    CPLFree(csv);
    CPLFree(a);
}

static void test_path_of_a_file_becomes_absolute_in_the_string(void **state)
{
    struct kit kit;
    char *here = CPLGetCurrentDir();
    begin(&kit, *state);
    env_kit_write(*state, "a.tif", "content");
    env_kit_write(*state, "rows.csv", "upload,x\na.tif,1\n");
    char *expected = CPLStrdup(CPLSPrintf("GIQ:model=m;upload=%s/a.tif", kit.folder));
    char *rest = CPLStrdup("rows.csv;model=m");
    assert_int_equal(chdir(kit.folder), 0);
    bool ok = reads(&kit, rest);
    assert_int_equal(chdir(here), 0);
    assert_true(ok);
    is_location(&kit, 0, expected);
    end(&kit);
    CPLFree(rest);
    CPLFree(expected);
    CPLFree(here);
}

static void test_missing_file_is_found_for_each_row(void **state)
{
    struct kit kit;
    begin(&kit, *state);
    env_kit_write(*state, "rows.csv", "upload,id\n/none/a.tif,x\n/none/a.tif,y\n");
    fails(&kit, "rows.csv;model=m", GIQ_E_BATCH,
          "2 of 2 rows of the batch are not valid, so no job was started; correct or "
          "remove them: row x: the file to upload cannot be found: /none/a.tif; row y: "
          "the file to upload cannot be found: /none/a.tif");
}

/* ---- rows that are not valid ---- */

static void test_one_error_counts_all_rows_that_are_not_valid(void **state)
{
    struct kit kit;
    begin(&kit, *state);
    env_kit_write(*state, "rows.csv",
                  "id,model,file,upload\n"
                  "a,m,f,\n"
                  ",m,f,\n"
                  "a,m,f,\n"
                  "b,,f,\n"
                  "c,m,,\n"
                  "d,m,f,u\n"
                  "e,m,f/,\n"
                  "g,m,,\n");
    fails(&kit, "rows.csv", GIQ_E_BATCH,
          "7 of 8 rows of the batch are not valid, so no job was started; correct or "
          "remove them: row with feature id 2: its \"id\" is NULL; give each row one; "
          "row a: another row has the same id; each must have its own; row b: it has no "
          "\"model\", and the connection string gives none; row c: it has no \"file\" or "
          "\"upload\", and the connection string gives none; row d: it has both a "
          "\"file\" and an \"upload\"; leave one of them empty; and 2 more");
}

static void test_geometries_that_are_no_areas(void **state)
{
    static const struct {
        const char *geometry, *part; /* of the message */
    } cases[] = {
        {"null", "row r0: its geometry is NULL; it needs polygons, or USE_GEOMETRY=NO"},
        {"{\"type\":\"Point\",\"coordinates\":[1,2]}",
         "row r0: its geometry, a POINT, has no polygons"},
        {MULTIPOLYGON(""),
         "row r0: its geometry, an empty MULTIPOLYGON, has no polygons"},
        {POLYGON("[[0,0],[1,1],[1,0],[0,1],[0,0]]"),
         "row r0: the feature 0 of the layer rows is not valid: Self-intersection"},
        {POLYGON("[[400,0],[401,1],[401,0],[400,0]]"), "out of range"},
        {POLYGON("[[-170,0],[170,1],[170,0],[-170,0]]"), "spans more than half"},
    };
    struct kit kit;
    begin(&kit, *state);
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const char *const both[] = {cases[i].geometry, SQUARE};
        write_features(*state, "rows.geojson", "", both, 2);
        fails(&kit, "rows.geojson;model=m", GIQ_E_BATCH,
              "1 of 2 rows of the batch is not valid, so no job was started");
        fails(&kit, "rows.geojson;model=m", GIQ_E_BATCH, cases[i].part);
    }
}

/* ---- the dataset ---- */

static void test_datasets_that_are_no_batch(void **state)
{
    struct kit kit;
    begin(&kit, *state);
    fails(&kit, "none.gpkg;model=m", GIQ_E_USAGE, "cannot be opened as a vector dataset");
    write_features(*state, "rows.geojson", "", in_degrees, 1);
    fails(&kit, "rows.geojson,x;model=m", GIQ_E_USAGE,
          "names a layer that the dataset does not have; its layers are rows");
    assert_true(reads(&kit, "rows.geojson,rows;model=m"));
    end(&kit);
    env_kit_write(*state, "rows.csv", "id,file\n");
    assert_true(reads(&kit, "rows.csv;model=m"));
    assert_int_equal(giq_rows_count(kit.rows), 0);
    end(&kit);
}

static void test_other_datasets_of_the_driver_are_refused(void **state)
{
    static const char *const names[] = {"GIQ:jobs", "giq:", "'GIQ:model=m;file=f'",
                                        "'GIQ:batch=x'"};
    struct kit kit;
    begin(&kit, *state);
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        struct giq_conn conn;
        char *text = CPLStrdup(CPLSPrintf("GIQ:model=m;batch=%s", names[i]));
        assert_true(giq_conn_parse(text, &conn, &kit.err));
        assert_true(giq_session_open(&kit.session, NULL, &kit.err));
        assert_false(giq_rows_read(&kit.session, &conn, &kit.rows, &kit.err));
        assert_int_equal(kit.err.code, GIQ_E_USAGE);
        assert_non_null(strstr(kit.err.text, "other than GIQ:files"));
        giq_conn_release(&conn);
        end(&kit);
        CPLFree(text);
    }
}

static void test_options_for_one_area_are_refused(void **state)
{
    char *options[] = {"BBOX=0,0,1,1", NULL};
    struct kit kit;
    begin(&kit, *state);
    write_features(*state, "rows.geojson", "", in_degrees, 1);
    assert_false(reads_with(&kit, "rows.geojson;model=m", options));
    assert_int_equal(kit.err.code, GIQ_E_USAGE);
    assert_non_null(strstr(kit.err.text, "BBOX cannot be combined with a batch"));
    end(&kit);
}

static void test_more_rows_than_a_batch_may_have(void **state)
{
    struct kit kit;
    begin(&kit, *state);
    char *path = path_in(*state, "rows.csv");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("file,x\n", file);
    for (int i = 0; i <= GIQ_ROWS_MAX; i++) {
        (void)fputs("f,1\n", file);
    }
    assert_int_equal(fclose(file), 0);
    fails(&kit, "rows.csv;model=m", GIQ_E_BATCH,
          "the batch has more than 100000 rows; open it in parts");
    assert_true(reads(&kit, "rows.csv;model=m;part=1/2"));
    assert_int_equal(giq_rows_count(kit.rows), GIQ_ROWS_MAX / 2);
    end(&kit);
    CPLFree(path);
}

/* A part of such a batch has smaller areas. */
static void test_areas_have_at_most_256_mib(void **state)
{
    enum { MIB = 1024 * 1024, ROWS = 4 };
    const char *const areas[ROWS] = {in_degrees[0], in_degrees[0], in_degrees[0],
                                     in_degrees[0]};
    struct kit kit;
    begin(&kit, *state);
    write_features(*state, "rows.geojson", "", areas, ROWS);
    area_len = 256 * MIB / ROWS;
    assert_true(reads(&kit, "rows.geojson;model=m"));
    assert_int_equal(giq_rows_count(kit.rows), ROWS);
    end(&kit);
    area_len++;
    fails(&kit, "rows.geojson;model=m", GIQ_E_BATCH,
          "the areas of the batch have more than 256 MiB");
    assert_true(reads(&kit, "rows.geojson;model=m;part=0/2"));
    end(&kit);
    area_len = 0;
}

/* ---- options ---- */

static void test_configuration_limits_new_jobs(void **state)
{
    static const struct {
        const char *config;
        const char *option;
        int max;
    } cases[] = {
        {NULL, NULL, 1000},
        {NULL, "MAX_NEW_JOBS=5000", 5000},
        {"10", NULL, 10},
        {"10", "MAX_NEW_JOBS=5", 5},
        {"10", "MAX_NEW_JOBS=11", 10},
        {"0", "MAX_NEW_JOBS=11", 0},
        {"5000", NULL, 5000},
    };
    struct kit kit;
    begin(&kit, *state);
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char *options[] = {(char *)cases[i].option, NULL};
        CPLSetConfigOption("GIQ_MAX_NEW_JOBS", cases[i].config);
        assert_true(giq_session_open(&kit.session, options, &kit.err));
        assert_int_equal(kit.session.config.max_new_jobs, cases[i].max);
        end(&kit);
    }
    CPLSetConfigOption("GIQ_MAX_NEW_JOBS", NULL);
}

int main(void)
{
    /* Not the plugins of the system, which may be other builds of this driver. */
    CPLSetConfigOption("GDAL_DRIVER_PATH", "disable");
    GDALAllRegister();
    GDALRegister_GIQ();
    const struct CMUnitTest tests[] = {
        ENV_KIT_TEST(test_rows_are_the_requests_that_are_typed_alone),
        ENV_KIT_TEST(test_coordinates_are_sent_as_they_are_with_as_is),
        ENV_KIT_TEST(test_area_that_text_cannot_express_has_no_string),
        ENV_KIT_TEST(test_layer_without_geometries_is_for_whole_files),
        ENV_KIT_TEST(test_fields_override_the_keys_of_the_batch),
        ENV_KIT_TEST(test_numbers_and_null_of_fields),
        ENV_KIT_TEST(test_row_is_named_by_its_id_or_its_feature),
        ENV_KIT_TEST(test_long_id_is_cut_between_characters),
        ENV_KIT_TEST(test_part_takes_rows_by_their_position),
        ENV_KIT_TEST(test_areas_have_at_most_256_mib),
        ENV_KIT_TEST(test_rows_that_upload_a_file_have_readers_of_their_own),
        ENV_KIT_TEST(test_path_of_a_file_becomes_absolute_in_the_string),
        ENV_KIT_TEST(test_missing_file_is_found_for_each_row),
        ENV_KIT_TEST(test_one_error_counts_all_rows_that_are_not_valid),
        ENV_KIT_TEST(test_geometries_that_are_no_areas),
        ENV_KIT_TEST(test_datasets_that_are_no_batch),
        ENV_KIT_TEST(test_other_datasets_of_the_driver_are_refused),
        ENV_KIT_TEST(test_options_for_one_area_are_refused),
        ENV_KIT_TEST(test_more_rows_than_a_batch_may_have),
        ENV_KIT_TEST(test_configuration_limits_new_jobs),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    GDALDestroyDriverManager();
    return failures;
}
