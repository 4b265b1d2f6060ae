#include "result/giq_stage.h"

#include "archive_kit.h"
#include "base/giq_os.h"
#include "gzip_kit.h"

static const char geojson[] = "{\"type\": \"FeatureCollection\", \"features\": []}";

/* Stage what lies at `archive_path`, under the name that the service gives it. */
static void check_staged(const char *disposition, const char *name, int64_t size)
{
    struct giq_staged staged;
    struct giq_error err = {0};
    struct giq_os_stat st;
    if (!giq_stage_download(archive_path, disposition, folder, GIQ_OS_PRIVATE, NULL, NULL,
                            &staged, &err)) {
        fail_msg("%s: %s", disposition, err.text);
    }
    if (name == NULL) {
        assert_null(staged.name);
        assert_string_equal(staged.path, folder);
    } else {
        char *path = giq_os_join(folder, name);
        assert_string_equal(staged.name, name);
        assert_string_equal(staged.path, path);
        free(path);
    }
    assert_int_equal(staged.size, size);
    assert_true(giq_os_stat(archive_path, &st, &err));
    assert_int_equal(st.kind, GIQ_OS_NOTHING);
    giq_staged_release(&staged);
}

static void check_not_staged(const char *disposition, const char *says)
{
    struct giq_staged staged;
    struct giq_error err = {0};
    assert_false(giq_stage_download(archive_path, disposition, folder, GIQ_OS_PRIVATE,
                                    NULL, NULL, &staged, &err));
    if (err.code != GIQ_E_RESULT || strstr(err.text, says) == NULL) {
        fail_msg("not \"%s\": %s", says, err.text);
    }
}

static int64_t write_gzip(const char *bytes, size_t len)
{
    struct giq_buf gzip;
    giq_buf_init(&gzip, FILE_MAX);
    add_gzip(&gzip, bytes, len);
    write_archive(gzip.data, gzip.len);
    int64_t size = (int64_t)gzip.len;
    giq_buf_release(&gzip);
    return size;
}

static void test_archives_are_known_by_content_not_by_name(void **state)
{
    (void)state;
    static const char *const dispositions[] = {
        NULL,
        "attachment; filename=r.bin",
        "attachment; filename=r.tif",
        "attachment; filename=r.csv.gz",
        "attachment; filename=r.tgz",
    };
    for (size_t i = 0; i < GIQ_COUNT(all_kinds); i++) {
        for (size_t k = 0; k < GIQ_COUNT(dispositions); k++) {
            struct giq_buf bytes;
            make_archive(all_kinds[i], NULL, two_members);
            read_archive(&bytes);
            check_staged(dispositions[k], NULL, (int64_t)bytes.len);
            assert_int_equal(count_files(), 2);
            giq_buf_release(&bytes);
            empty_folder();
        }
    }
}

static void test_one_compressed_file_is_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *disposition, *name;
    } cases[] = {
        {"attachment; filename=x.geojson.gz", "x.geojson"},
        {"attachment; filename=x.GeoJSON.GZ", "x.GeoJSON"},
        {"attachment; filename=x.json", "x.json"},
        {"attachment; filename=r.bin", "r.geojson"},
        {"attachment; filename=x.gz", "x.geojson"},
        {"attachment; filename=x.tgz", "x.geojson"},
        {"attachment; filename=x.csv.gz", "x.geojson"},
        {"attachment; filename=gz", "gz.geojson"},
        {NULL, "result.geojson"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        (void)write_gzip(geojson, sizeof geojson - 1);
        check_staged(cases[i].disposition, cases[i].name, sizeof geojson - 1);
        check_file(cases[i].name, geojson);
        empty_folder();
    }
    (void)write_gzip("a,b\n1,2\n", 8);
    check_staged("attachment; filename=x.csv.gz", "x.csv", 8);
    check_file("x.csv", "a,b\n1,2\n");
}

/* As a server has it that takes the extension for a content coding. */
static void test_a_decoded_file_with_the_name_of_a_gzip(void **state)
{
    (void)state;
    write_archive("a,b\n1,2\n", 8);
    check_staged("attachment; filename=x.csv.gz", "x.csv", 8);
    write_archive(geojson, sizeof geojson - 1);
    check_staged("attachment; filename=x.geojson.gz", "x.geojson", sizeof geojson - 1);
}

static void test_damage_of_one_compressed_file_is_refused(void **state)
{
    (void)state;
    int64_t size = write_gzip(geojson, sizeof geojson - 1);
    struct giq_buf bytes;
    read_archive(&bytes);
    write_archive(bytes.data, (size_t)size - 1);
    check_not_staged(NULL, "truncated");
    bytes.data[size - 8] = (char)(bytes.data[size - 8] ^ 1);
    write_archive(bytes.data, bytes.len);
    check_not_staged(NULL, "damaged: incorrect data check");
    giq_buf_release(&bytes);
}

static void test_a_gzip_that_grows_without_end_is_refused(void **state)
{
    (void)state;
    static const char zeros[1 << 20];
    struct giq_buf gzip;
    giq_buf_init(&gzip, 1 << 23);
    add_gzip(&gzip, zeros, sizeof zeros);
    struct giq_buf parts;
    giq_buf_init(&parts, 1 << 23);
    for (int64_t size = 0; size <= GIQ_ARCHIVE_UNPACKED_ALLOWANCE;
         size += (int64_t)sizeof zeros) {
        assert_true(giq_buf_add(&parts, gzip.data, gzip.len));
    }
    write_archive(parts.data, parts.len);
    giq_buf_release(&parts);
    giq_buf_release(&gzip);
    check_not_staged(NULL, "unpacks to more than");
}

static void test_an_archive_in_a_gzip_is_named_and_refused(void **state)
{
    (void)state;
    struct giq_buf zip;
    make_archive(GIQ_ARCHIVE_ZIP, NULL, two_members);
    read_archive(&zip);
    (void)write_gzip(zip.data, zip.len);
    check_not_staged("attachment; filename=r.zip.gz", "another archive (zip)");
    giq_buf_release(&zip);

    make_archive(GIQ_ARCHIVE_TAR_GZ, NULL, two_members);
    read_archive(&zip);
    (void)write_gzip(zip.data, zip.len);
    check_not_staged("attachment; filename=r.tar.gz.gz", "another archive (gz)");
    giq_buf_release(&zip);
    assert_int_equal(count_files(), 0);
}

static void test_a_web_page_is_no_result(void **state)
{
    (void)state;
    static const char page[] = "<!doctype html><p>Sign in</p>";
    write_archive(page, sizeof page - 1);
    check_not_staged("attachment; filename=r.tif", "a web page");
    (void)write_gzip(page, sizeof page - 1);
    check_not_staged("attachment; filename=r.tif.gz", "a web page");
}

static void test_other_files_keep_their_bytes(void **state)
{
    (void)state;
    write_archive(geojson, sizeof geojson - 1);
    check_staged("attachment; filename=\"../x.tif\"", "x.geojson", sizeof geojson - 1);
    check_file("x.geojson", geojson);
    empty_folder();
    make_archive(GIQ_ARCHIVE_ZIP, NULL, two_members);
    struct giq_buf bytes;
    read_archive(&bytes);
    check_staged("attachment; filename=x.kmz", "x.kmz", (int64_t)bytes.len);
    giq_buf_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_archives_are_known_by_content_not_by_name),
        TEST(test_one_compressed_file_is_decoded),
        TEST(test_a_decoded_file_with_the_name_of_a_gzip),
        TEST(test_damage_of_one_compressed_file_is_refused),
        TEST(test_a_gzip_that_grows_without_end_is_refused),
        TEST(test_an_archive_in_a_gzip_is_named_and_refused),
        TEST(test_a_web_page_is_no_result),
        TEST(test_other_files_keep_their_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
