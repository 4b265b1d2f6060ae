/* Summaries of results: their JSON, their limit, and in records; files of batches. */
#include "store/giq_summary.h"

#include "unit.h"

#include <stdio.h>

#include "base/giq_os.h"
#include "env_kit.h"
#include "giq/batch_file.h"
#include "store/giq_record.h"
#include "store/giq_record_read.h"
#include "store/giq_store.h"

#define KEY "000000000000000000000000000000000000000000000000000000000000000a"

static const char whole[] =
    "{\"files\":[{\"name\":\"a.gpkg\",\"driver\":\"GPKG\",\"is_vector\":true,\"raster\":{"
    "\"width\":5,\"height\":6,\"geotransform\":\"1 2 3 4 5 "
    "6\",\"srs\":\"R\",\"has_mask\":"
    "true,\"bands\":[{\"type\":\"Byte\",\"interpretation\":\"Gray\",\"nodata\":\"nan\","
    "\"block_width\":7,\"block_height\":8}]},\"layers\":[{\"name\":\"\",\"geometry_"
    "type\":"
    "2147483651,\"srs\":\"S\",\"features\":-1,\"extent\":\"0 1 2 "
    "3\",\"fields\":[{\"name\":"
    "\"caf\u00e9\",\"type\":\"Integer\",\"subtype\":\"Boolean\"}]}]}]}";

static void test_summary_is_written_as_it_was_read(void **state)
{
    (void)state;
    struct giq_error err = {0};
    struct giq_summary summary;
    bool found = false;
    GIQ_AUTO_JSON struct giq_json *json = giq_json_parse(whole, strlen(whole));
    assert_true(giq_summary_parse(json, &summary, &found, &err));
    assert_true(found);
    assert_int_equal(summary.files[0].raster.bands[0].block_height, 8);
    assert_true(summary.files[0].layers[0].geometry_type == 2147483651);
    assert_string_equal(summary.files[0].layers[0].fields[0].subtype, "Boolean");
    GIQ_AUTO_JSON struct giq_json *again = NULL;
    assert_true(giq_summary_to_json(&summary, &again, &err));
    GIQ_AUTO_FREE char *text = giq_json_print(again);
    assert_string_equal(text, whole);
    giq_summary_release(&summary);
}

static void test_what_is_not_a_summary_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "[]",
        "{\"files\":3}",
        "{\"files\":[]}",
        "{\"files\":[3]}",
        "{\"files\":[{\"name\":\"a\"}]}",
        "{\"files\":[{\"name\":3,\"driver\":\"d\"}]}",
        "{\"files\":[{\"name\":\"a\",\"driver\":\"d\",\"layers\":[{}]}]}",
        "{\"files\":[{\"name\":\"a\",\"driver\":\"d\",\"raster\":{\"width\":-1}}]}",
        "{\"files\":[{\"name\":\"a\",\"driver\":\"d\",\"raster\":{\"bands\":[{}]}}]}",
        ("{\"files\":[{\"name\":\"a\",\"driver\":\"d\",\"layers\":[{\"name\":\"l\","
         "\"fields\":[{\"name\":\"f\"}]}]}]}"),
    };
    for (size_t i = 0; i < GIQ_COUNT(texts); i++) {
        struct giq_error err = {0};
        struct giq_summary summary;
        bool found = true;
        GIQ_AUTO_JSON struct giq_json *json = giq_json_parse(texts[i], strlen(texts[i]));
        assert_true(giq_summary_parse(json, &summary, &found, &err));
        assert_false(found);
        assert_true(summary.file_count == 0);
    }
}

static void test_too_large_or_broken_summary_is_not_recorded(void **state)
{
    (void)state;
    struct giq_error err = {0};
    struct giq_summary summary = {0};
    struct giq_json *json = NULL;
    struct giq_summary_file *file = giq_summary_add_file(&summary);
    file->name = strdup("\xff");
    file->driver = strdup("d");
    assert_true(giq_summary_to_json(&summary, &json, &err));
    assert_null(json);
    free(file->name);
    file->name = calloc(1, GIQ_SUMMARY_BYTES_MAX + 1);
    memset(file->name, 'x', GIQ_SUMMARY_BYTES_MAX);
    assert_true(giq_summary_to_json(&summary, &json, &err));
    assert_null(json);
    giq_summary_release(&summary);
}

/* ---- records ---- */

static void write_record(const struct giq_store *store, const char *job_id, int64_t size)
{
    struct giq_error err = {0};
    GIQ_AUTO(giq_record_release) struct giq_record record;
    GIQ_AUTO_FREE char *folder = giq_store_folder(store, KEY);
    giq_record_init(&record);
    assert_true(giq_record_read(folder, NULL, &record, NULL, &err));
    record.state = GIQ_JOB_PUBLISHED;
    free(record.job_id);
    record.job_id = strdup(job_id);
    record.result_size = size;
    assert_true(giq_store_make(store, folder, &err));
    assert_true(giq_record_write(folder, GIQ_OS_PRIVATE, &record, &err));
}

static bool has_summary(const struct giq_store *store)
{
    struct giq_error err = {0};
    struct giq_summary summary = {0};
    bool found = false;
    assert_true(giq_summary_read(store, KEY, &summary, &found, &err));
    giq_summary_release(&summary);
    return found;
}

static void test_summary_holds_for_its_job_and_size(void **state)
{
    struct giq_store *store = NULL;
    struct giq_summary summary;
    struct giq_error err = {0};
    bool found = false;
    assert_true(giq_store_open(*state, 0, &store, &err));
    assert_false(has_summary(store));
    write_record(store, "j", 5);
    GIQ_AUTO_JSON struct giq_json *json = giq_json_parse(whole, strlen(whole));
    assert_true(giq_summary_parse(json, &summary, &found, &err));
    giq_summary_record(store, KEY, "another", &summary);
    assert_false(has_summary(store));
    giq_summary_record(store, KEY, "j", &summary);
    assert_true(has_summary(store));
    write_record(store, "j", 6);
    assert_false(has_summary(store));
    write_record(store, "j", 5);
    assert_true(has_summary(store));
    write_record(store, "k", 5);
    assert_false(has_summary(store));
    giq_summary_release(&summary);
    giq_store_close(store);
}

/* ---- files of batches ---- */

/* The path for these texts, which the caller frees. */
static char *path_for(const struct giq_store *store, const char *const *texts,
                      size_t count)
{
    struct giq_batch_file *file = NULL;
    struct giq_error err = {0};
    char *path = NULL;
    assert_true(giq_batch_file_new(&file, &err));
    for (size_t i = 0; i < count; i++) {
        assert_true(giq_batch_file_add(file, texts[i], &err));
    }
    assert_true(giq_batch_file_path(file, store, &path, &err));
    giq_batch_file_free(file);
    return path;
}

static void test_other_texts_are_another_file(void **state)
{
    static const char *const lists[][2] = {{"ab", "c"},   {"a", "bc"}, {"", "abc"},
                                           {NULL, "abc"}, {"abc", ""}, {"abc", NULL}};
    char *paths[GIQ_COUNT(lists)];
    struct giq_store *store = NULL;
    struct giq_error err = {0};
    assert_true(giq_store_open(*state, 0, &store, &err));
    for (size_t i = 0; i < GIQ_COUNT(lists); i++) {
        paths[i] = path_for(store, lists[i], 2);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(paths[i], paths[j]);
        }
    }
    assert_false(giq_batch_file_equals(paths[0], "text", 4));
    assert_true(giq_batch_file_write(store, paths[0], "old", 3, &err));
    assert_true(giq_batch_file_write(store, paths[0], "text", 4, &err));
    assert_true(giq_batch_file_equals(paths[0], "text", 4));
    assert_false(giq_batch_file_equals(paths[0], "test", 4));
    assert_false(giq_batch_file_equals(paths[0], "tex", 3));
    assert_false(giq_batch_file_equals(paths[0], "text ", 5));
    *strrchr(paths[0], '/') = '\0';
    env_kit_expect(paths[0], "rows.vrt", "text");
    for (size_t i = 0; i < GIQ_COUNT(lists); i++) {
        free(paths[i]);
    }
    giq_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summary_is_written_as_it_was_read),
        cmocka_unit_test(test_what_is_not_a_summary_is_none),
        cmocka_unit_test(test_too_large_or_broken_summary_is_not_recorded),
        ENV_KIT_TEST(test_summary_holds_for_its_job_and_size),
        ENV_KIT_TEST(test_other_texts_are_another_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
