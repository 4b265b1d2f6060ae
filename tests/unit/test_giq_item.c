#include "service/giq_item.h"

#include <curl/curlver.h>

#include "unit.h"

#include "service_kit.h"

#define UUID  "0a1b2c3d-0000-4000-8000-00000000abcd"
#define OTHER "ffffffff-0000-4000-8000-00000000abcd"

/* What libcurl makes of "%2c" in an address: since 8.20 it writes such digits in upper
 * case. */
#if LIBCURL_VERSION_NUM >= 0x081400
#define COMMA "%2C"
#else
#define COMMA "%2c"
#endif

/* A service that is never called. */
struct fixture {
    struct giq_cred *cred;
    struct giq_service *service;
};

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    struct giq_error err = {0};
    static const struct giq_settings settings = {.base_url =
                                                     "https://giq.example/public"};
    assert_true(giq_cred_new(SERVICE_KIT_KEY, NULL, &fixture.cred, &err));
    assert_true(giq_service_new(&settings, fixture.cred, &giq_env_system,
                                &fixture.service, &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    giq_service_free(fixture.service);
    giq_cred_free(fixture.cred);
    return 0;
}

/* The caller releases the file. */
static struct giq_file parse(const char *text)
{
    struct giq_file file;
    struct giq_json *json = giq_json_parse(text, strlen(text));
    assert_non_null(json);
    assert_true(giq_item_parse(fixture.service, json, &file));
    giq_json_free(json);
    return file;
}

static void check(const char *value, const char *expected)
{
    if (expected == NULL) {
        assert_null(value);
    } else {
        assert_non_null(value);
        assert_string_equal(value, expected);
    }
}

static void test_whole_item(void **state)
{
    (void)state;
    struct giq_file file = parse(
        "{\"type\":\"Feature\",\"id\":\"a-ortho.zip\",\"title\":\"" UUID "\","
        "\"collection\":\"c1\",\"bbox\":[1,2,3,4],"
        "\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[1,2],[3,2.50],[3,4e0],[1,2]]]},"
        "\"properties\":{\"datetime\":\"2024-05-01T10:20:30+04:00\",\"name\":\"A\","
        "\"description\":null,\"source_type\":\"IMAGE\",\"layer_type\":\"RASTER\","
        "\"giq:ingestion_date\":\"2024-05-02\",\"giq:source\":\"SAT\","
        "\"giq:source_type\":\"SAR\",\"giq:source_sub_type\":\"X\","
        "\"giq:layer_type\":null},"
        "\"assets\":{\"rendered_preview\":{\"href\":"
        "\"https://giq.example/render?sourceId=" UUID "&token=s&bbox=1,2,3,4&width=5"
        "&height=6#f\"},"
        "\"data\":{\"href\":\"https://store.example/a.zip?X-Amz-Signature=s\"}}}");
    check(file.item_id, "a-ortho.zip");
    check(file.file_id, UUID);
    check(file.name, "A");
    check(file.collection, "c1");
    assert_null(file.collection_title);
    assert_true(file.datetime_ms == INT64_C(1714544430000));
    assert_true(file.ingested_ms == INT64_C(1714608000000));
    check(file.source_type, "SAR");
    check(file.layer_type, "RASTER");
    check(file.source, "SAT");
    check(file.source_sub_type, "X");
    check(file.preview,
          "https://giq.example/render?sourceId=" UUID "&bbox=1,2,3,4&width=5&height=6");
    check(file.geometry, "POLYGON((1 2,3 2.50,3 4e0,1 2))");
    check(file.box, "1,2,3,4");
    assert_non_null(strstr(file.json, "\"href\":\"https://store.example/a.zip\""));
    assert_non_null(strstr(file.json, "sourceId=" UUID "&bbox=1,2,3,4&width=5&height=6"));
    assert_non_null(strstr(file.json, "2.50"));
    assert_null(strstr(file.json, "Signature"));
    assert_null(strstr(file.json, "token"));
    giq_item_release(&file);
}

static void test_anything_may_be_missing(void **state)
{
    (void)state;
    static const char *const items[] = {
        "{}",
        "{\"id\":null,\"title\":null,\"collection\":null,\"bbox\":null,"
        "\"geometry\":null,\"properties\":null,\"assets\":null,\"links\":null}",
        "{\"id\":[],\"title\":{},\"collection\":true,\"bbox\":7,\"geometry\":[],"
        "\"properties\":[1],\"assets\":[{}],\"links\":{}}",
        "{\"id\":\"\",\"title\":\"\",\"properties\":{\"datetime\":\"soon\","
        "\"name\":{},\"giq:ingestion_date\":null},\"bbox\":[],"
        "\"assets\":{\"rendered_preview\":{\"href\":7}},\"links\":[{},7,null]}",
    };
    for (size_t i = 0; i < GIQ_COUNT(items); i++) {
        struct giq_file file = parse(items[i]);
        check(file.item_id, NULL);
        check(file.file_id, NULL);
        check(file.name, NULL);
        check(file.collection, NULL);
        assert_true(file.datetime_ms == GIQ_TIME_NONE);
        assert_true(file.ingested_ms == GIQ_TIME_NONE);
        check(file.source_type, NULL);
        check(file.layer_type, NULL);
        check(file.source, NULL);
        check(file.source_sub_type, NULL);
        check(file.preview, NULL);
        check(file.geometry, NULL);
        check(file.box, NULL);
        assert_string_equal(file.json, items[i]);
        giq_item_release(&file);
    }
}

static void test_geometries_and_boxes(void **state)
{
    (void)state;
    static const struct {
        const char *geometry, *bbox, *wkt, *box;
    } cases[] = {
        {"{\"type\":\"MultiPolygon\",\"coordinates\":[[[[1,2,9],[3,4,9]],[[5,6]]],"
         "[[[7,8]]]]}",
         "[1,2,9,3,4,9]", "MULTIPOLYGON(((1 2,3 4),(5 6)),((7 8)))", "1,2,3,4"},
        {"{\"type\":\"Point\",\"coordinates\":[1,2]}", "[1,2,3,4,5]", NULL, NULL},
        {"{\"type\":\"Polygon\",\"coordinates\":[[[1],[2]]]}", "[1,2,3]", NULL, NULL},
        {"{\"type\":\"Polygon\",\"coordinates\":[[[\"1\",2]]]}", "[1,2,3,\"4\"]", NULL,
         NULL},
        {"{\"type\":\"Polygon\",\"coordinates\":[[1,2]]}", "[1,2,3,null]", NULL, NULL},
        {"{\"type\":\"Polygon\",\"coordinates\":[]}", "{}", NULL, NULL},
        {"{\"type\":\"Polygon\"}", "\"1,2,3,4\"", NULL, NULL},
        {"{\"coordinates\":[[[1,2]]]}", "[170,-1,-170,1]", NULL, "170,-1,-170,1"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "{\"geometry\":%s,\"bbox\":%s}",
                       cases[i].geometry, cases[i].bbox);
        struct giq_file file = parse(text);
        check(file.geometry, cases[i].wkt);
        check(file.box, cases[i].box);
        giq_item_release(&file);
    }
}

static void test_previews(void **state)
{
    (void)state;
    static const struct {
        const char *href, *expected;
    } cases[] = {
        {"https://giq.example/p", "https://giq.example/p"},
        {"https://GIQ.example:443/p?width=1", "https://GIQ.example:443/p?width=1"},
        {"https://giq.example/p?Width=1&key=s&widths=2", "https://giq.example/p"},
        {"https://giq.example/p?a=1&width=&&height=2&",
         "https://giq.example/p?width=&height=2"},
        {"https://giq.example/p#width=1", "https://giq.example/p"},
        {"/p?sourceId=7&sig=s", "https://giq.example/p?sourceId=7"},
        {"http://giq.example/p?width=1", "http://giq.example/p"},
        {"https://giq.example:8443/p?width=1", "https://giq.example:8443/p"},
        {"https://user:pw@giq.example/p?width=1", "https://giq.example/p"},
        {"https://cdn.example/p.png?width=1&sig=s#f", "https://cdn.example/p.png"},
        {"s3://bucket/p.png?sig=s", "s3://bucket/p.png"},
        {"https://giq.example/p?sourceId=" SERVICE_KIT_KEY,
         "https://giq.example/p?sourceId=**************"},
        {"https://giq.example/p?bbox=1.5,-2%2c3%2C4e-7&width=5",
         "https://giq.example/p?bbox=1.5,-2" COMMA "3%2C4e-7&width=5"},
        {"https://giq.example/p?sourceId=7?sig=s&width=1%26sig=s&height=1;sig=s&bbox=1%",
         "https://giq.example/p"},
        {"https://giq.example/https%3A%2F%2Fh%2Fa%3Fsig%3Ds?width=1",
         "https://giq.example/https%3A%2F%2Fh%2Fa"},
        {"//u:p@giq.example/p?width=1", "https://giq.example/p"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char text[256];
        char member[256];
        (void)snprintf(text, sizeof text,
                       "{\"assets\":{\"rendered_preview\":{\"href\":\"%s\"}}}",
                       cases[i].href);
        (void)snprintf(member, sizeof member, "\"href\":\"%s\"", cases[i].expected);
        struct giq_file file = parse(text);
        check(file.preview, cases[i].expected);
        assert_non_null(strstr(file.json, member));
        giq_item_release(&file);
    }
}

static void test_id_of_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *item, *expected;
    } cases[] = {
        {"{\"title\":\"" UUID "\",\"links\":[{\"rel\":\"self\",\"href\":\"/x/" OTHER
         "\"}]}",
         UUID},
        {"{\"properties\":{\"title\":\"" UUID "\"}}", UUID},
        {"{\"links\":[{\"rel\":\"root\",\"href\":\"/x/" OTHER "\"},"
         "{\"rel\":\"self\",\"href\":\"https://h/x/" UUID "?sig=s\"}]}",
         UUID},
        {"{\"title\":\"Harbour\",\"links\":[{\"rel\":\"self\",\"href\":\"" UUID "\"}]}",
         UUID},
        {"{\"assets\":{\"rendered_preview\":{\"href\":"
         "\"/p?width=1&sourceId=" UUID "&s=t\"}}}",
         UUID},
        {"{\"title\":\"file-7\",\"links\":[{\"rel\":\"self\",\"href\":\"/x/file-7\"}]}",
         "file-7"},
        {"{\"title\":17}", "17"},
        {"{\"title\":\"a.zip?v=2\"}", "a.zip?v=2"},
        {"{\"title\":\"https://h/a.zip?sig=s\"}", "https://h/a.zip"},
        {"{\"title\":\"/data/a.zip?s\"}", "/data/a.zip"},
        {"{\"title\":\"a.zip?X-Amz-Signature=s\"}", "a.zip"},
        {"{\"title\":\"0a1b2c3d-0000-4000-8000_00000000abcd\"}",
         "0a1b2c3d-0000-4000-8000_00000000abcd"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_file file = parse(cases[i].item);
        check(file.file_id, cases[i].expected);
        giq_item_release(&file);
    }
}

/* Wherever an address stands in an item, and whatever it is called. */
static void test_no_secret_is_kept(void **state)
{
    (void)state;
    static const char *const items[] = {
        "{\"links\":[{\"href\":\"https://h/x?sig=S3CRET\"}]}",
        "{\"assets\":{\"data\":{\"href\":\"https:\\/\\/h\\/x\\u003fsig=S3CRET\"}}}",
        "{\"assets\":{\"data\":{\"alternate\":{\"s3\":{\"href\":\"//h/x?S3CRET\"}}}}}",
        "{\"properties\":{\"description\":\"see https://h/x?sig=S3CRET\"}}",
        "{\"properties\":{\"name\":\"https://u:S3CRET@h/x\"}}",
        "{\"properties\":{\"giq:source\":\"https://h/x#S3CRET\"}}",
        "{\"id\":\"https://h/x?sig=S3CRET\",\"collection\":\"ftp://S3CRET@h/\"}",
        "{\"https://h/x?sig=S3CRET\":1}",
        "[\"a\"]",
        ("{\"properties\":{\"name\":\"" SERVICE_KIT_KEY "\"}}"),
        ("{\"title\":\"" SERVICE_KIT_KEY "\",\"x\":\"sesame\\u002dopen-42\"}"),
    };
    for (size_t i = 0; i < GIQ_COUNT(items); i++) {
        struct giq_file file = parse(items[i]);
        const char *const texts[] = {file.item_id,    file.file_id, file.name,
                                     file.collection, file.source,  file.json};
        for (size_t k = 0; k < GIQ_COUNT(texts); k++) {
            assert_true(texts[k] == NULL || strstr(texts[k], "S3CRET") == NULL);
            assert_true(texts[k] == NULL || strstr(texts[k], SERVICE_KIT_KEY) == NULL);
        }
        giq_item_release(&file);
    }
}

static void test_identities(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool is_same;
    } cases[] = {
        {"{\"id\":\"a\",\"collection\":\"c\",\"x\":1}",
         "{\"id\":\"a\",\"collection\":\"c\"}", true},
        {"{\"id\":\"a\",\"collection\":\"c\"}", "{\"id\":\"a\",\"collection\":\"d\"}",
         false},
        {"{\"id\":\"a\",\"title\":\"1\"}", "{\"id\":\"a\",\"title\":\"2\"}", false},
        {"{\"x\":\"https://h/a?sig=1\"}", "{\"x\":\"https://h/a?sig=2\"}", true},
        {"{\"x\":1}", "{\"x\":2}", false},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_file a = parse(cases[i].a);
        struct giq_file b = parse(cases[i].b);
        char *identity = giq_item_identity(&a);
        char *other = giq_item_identity(&b);
        assert_int_equal(strcmp(identity, other) == 0, cases[i].is_same);
        free(identity);
        free(other);
        giq_item_release(&a);
        giq_item_release(&b);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_item),
        cmocka_unit_test(test_anything_may_be_missing),
        cmocka_unit_test(test_geometries_and_boxes),
        cmocka_unit_test(test_previews),
        cmocka_unit_test(test_id_of_the_file),
        cmocka_unit_test(test_no_secret_is_kept),
        cmocka_unit_test(test_identities),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
