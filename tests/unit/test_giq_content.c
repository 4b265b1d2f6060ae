#include "store/giq_content.h"

#include "unit.h"

#include "base/giq_os.h"
#include "env_kit.h"

#define DIGEST "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME   DIGEST ".json"
#define BASE   "https://api.example"

struct shop {
    char *folder;
    struct giq_store *store;
    struct env_kit clock;
    struct giq_error err;
};

static int open_store(void **state)
{
    struct shop *shop = calloc(1, sizeof *shop);
    assert_non_null(shop);
    env_kit_init(&shop->clock);
    shop->folder = env_kit_folder();
    assert_true(
        giq_store_open(shop->folder, GIQ_STORE_PRIVATE, &shop->store, &shop->err));
    *state = shop;
    return 0;
}

static int close_store(void **state)
{
    struct shop *shop = *state;
    giq_store_close(shop->store);
    env_kit_remove(shop->folder);
    free(shop);
    return 0;
}

static struct giq_content read_content(struct shop *shop)
{
    struct giq_content content;
    assert_true(giq_content_read(shop->store, DIGEST, &content, &shop->err));
    return content;
}

/* Make the folder of the record as the first writer does. */
static void enter_and_leave(struct shop *shop)
{
    struct giq_lock *lock = NULL;
    assert_true(giq_content_acquire_lock(shop->store, DIGEST, &lock, &shop->err));
    giq_lock_release(lock);
}

static void plant(struct shop *shop, const char *text)
{
    enter_and_leave(shop);
    env_kit_write(giq_store_uploads_folder(shop->store), NAME, text);
}

/* Whether the record contains this. */
static bool has(const struct shop *shop, const char *part)
{
    return env_kit_has(giq_store_uploads_folder(shop->store), NAME, part);
}

static const char *id_of(struct shop *shop, const struct giq_content *content,
                         const char *base_url, const char *type)
{
    const char *id = "unset";
    assert_true(giq_content_file_id(content, base_url, type, &id, &shop->err));
    return id;
}

static void test_ids_are_kept_for_each_service_and_kind(void **state)
{
    struct shop *shop = *state;
    struct giq_content content = read_content(shop);
    assert_null(id_of(shop, &content, BASE, "SAR"));
    enter_and_leave(shop);
    assert_true(
        giq_content_set_file_id(&content, BASE, "SAR", "f1", 1714521600000, &shop->err));
    assert_true(giq_content_set_file_id(&content, BASE, "IMAGE", "f2", 0, &shop->err));
    assert_true(
        giq_content_set_file_id(&content, "http://[::1]:8", "SAR", "f3", 0, &shop->err));
    assert_true(giq_content_set_file_id(&content, BASE, "IMAGE", "f4", 0, &shop->err));
    assert_true(giq_content_write(&content, &shop->err));
    giq_content_release(&content);
    content = read_content(shop);
    assert_string_equal(id_of(shop, &content, BASE, "SAR"), "f1");
    assert_string_equal(id_of(shop, &content, BASE, "IMAGE"), "f4");
    assert_string_equal(id_of(shop, &content, "http://[::1]:8", "SAR"), "f3");
    assert_null(id_of(shop, &content, "http://[::1]:8", "IMAGE"));
    giq_content_release(&content);
    assert_true(has(shop, "\"uploaded_at\":\"2024-05-01T00:00:00.000Z\""));
}

static void test_files_are_known_until_they_change(void **state)
{
    struct shop *shop = *state;
    const struct giq_source_stat stat = {10, INT64_C(1600000000123456789), 7, 3, 4};
    const struct giq_source_stat others[] = {{11, stat.modified_ns, 7, 3, 4},
                                             {10, stat.modified_ns + 1, 7, 3, 4},
                                             {10, stat.modified_ns, 8, 3, 4},
                                             {10, stat.modified_ns, 7, 4, 4},
                                             {10, stat.modified_ns, 7, 3, 5}};
    char digest[GIQ_DIGEST_HEX_SIZE];
    struct giq_content content = read_content(shop);
    enter_and_leave(shop);
    assert_true(giq_content_set_file(&content, "/a/b", &stat, &shop->err));
    assert_true(giq_content_write(&content, &shop->err));
    assert_true(giq_content_find(shop->store, "/a/b", &stat, digest, &shop->err));
    assert_string_equal(digest, "");
    assert_true(giq_content_write_hint(&content, "/a/b", &shop->err));
    assert_true(giq_content_find(shop->store, "/a/b", &stat, digest, &shop->err));
    assert_string_equal(digest, DIGEST);
    for (size_t i = 0; i < GIQ_COUNT(others); i++) {
        assert_true(
            giq_content_find(shop->store, "/a/b", &others[i], digest, &shop->err));
        assert_string_equal(digest, "");
    }
    assert_true(giq_content_find(shop->store, "/a/c", &stat, digest, &shop->err));
    assert_string_equal(digest, "");
    assert_true(giq_content_set_file(&content, "/a/b", NULL, &shop->err));
    assert_true(giq_content_write(&content, &shop->err));
    assert_true(giq_content_find(shop->store, "/a/b", &stat, digest, &shop->err));
    assert_string_equal(digest, "");
    giq_content_release(&content);
}

/* As version 0.1 wrote it. The ids that such a record has stay. */
static void test_mark_without_a_change_time_is_not_trusted(void **state)
{
    struct shop *shop = *state;
    const struct giq_source_stat stat = {10, 20, 30, 3, 4};
    char digest[GIQ_DIGEST_HEX_SIZE];
    plant(shop,
          "{\"format\":1,\"paths\":{\"/a/b\":\"10 bytes, 20 ns, device 3, inode 4\"},"
          "\"files\":{\"" BASE "\":{\"SAR\":{\"file_id\":\"f1\"}}},\"more\":[1]}\n");
    struct giq_content content = read_content(shop);
    assert_true(giq_content_write_hint(&content, "/a/b", &shop->err));
    assert_true(giq_content_find(shop->store, "/a/b", &stat, digest, &shop->err));
    assert_string_equal(digest, "");
    assert_true(giq_content_set_file(&content, "/a/b", &stat, &shop->err));
    assert_true(giq_content_write(&content, &shop->err));
    giq_content_release(&content);
    assert_true(giq_content_find(shop->store, "/a/b", &stat, digest, &shop->err));
    assert_string_equal(digest, DIGEST);
    assert_true(has(shop, "\"10 bytes, 20 ns, device 3, inode 4, changed 30 ns\""));
    assert_true(has(shop, "\"SAR\":{\"file_id\":\"f1\"}"));
    assert_true(has(shop, "\"more\":[1]"));
}

static void test_hints_that_are_none_are_passed_over(void **state)
{
    struct shop *shop = *state;
    static const char *const hints[] = {"", "x", "{}\n", (DIGEST "a"), ("A" DIGEST)};
    const struct giq_source_stat stat = {10, 20, 30, 3, 4};
    char name[GIQ_DIGEST_HEX_SIZE];
    char digest[GIQ_DIGEST_HEX_SIZE];
    struct giq_content content = read_content(shop);
    enter_and_leave(shop);
    assert_true(giq_content_write_hint(&content, "/a/b", &shop->err));
    assert_true(giq_digest_bytes("/a/b", 4, name, &shop->err));
    char *folder = giq_os_join(giq_store_uploads_folder(shop->store), "paths");
    for (size_t i = 0; i < GIQ_COUNT(hints); i++) {
        env_kit_write(folder, name, hints[i]);
        assert_true(giq_content_find(shop->store, "/a/b", &stat, digest, &shop->err));
        assert_string_equal(digest, "");
    }
    free(folder);
    giq_content_release(&content);
}

static void test_files_beyond_the_most_are_forgotten(void **state)
{
    struct shop *shop = *state;
    const struct giq_source_stat stat = {10, 20, 30, 3, 4};
    struct giq_content content = read_content(shop);
    char place[32];
    for (int i = 0; i < 2 * GIQ_CONTENT_PATHS_MAX; i++) {
        (void)snprintf(place, sizeof place, "/a/%d", i);
        assert_true(giq_content_set_file(&content, place, &stat, &shop->err));
        assert_true(giq_content_has_file(&content, place, &stat));
        assert_true(giq_json_count(giq_json_get(content.json, "paths")) <=
                    GIQ_CONTENT_PATHS_MAX);
    }
    giq_content_release(&content);
}

static void test_records_that_cannot_be_read_are_named(void **state)
{
    struct shop *shop = *state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"{", "is damaged; remove it to upload the file again"},
        {"", "is damaged"},
        {"{\"files\":{}}", "has no valid format number"},
        {"{\"format\":2}", "was written by a newer version"},
        {"{\"format\":1,\"files\":{\"" BASE "\":{\"SAR\":{}}}}", "is damaged"},
        {"{\"format\":1,\"files\":{\"" BASE "\":{\"SAR\":{\"file_id\":7}}}}",
         "is damaged"},
        {"{\"format\":1,\"files\":{\"" BASE "\":{\"SAR\":{\"file_id\":\"\"}}}}",
         "is damaged"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_content content = {.json = NULL};
        struct giq_error err = {0};
        const char *id = NULL;
        plant(shop, cases[i].text);
        assert_false(giq_content_read(shop->store, DIGEST, &content, &err) &&
                     giq_content_file_id(&content, BASE, "SAR", &id, &err));
        assert_int_equal(err.code, GIQ_E_STORE);
        assert_non_null(strstr(err.text, "/uploads/v1/" NAME " "));
        assert_non_null(strstr(err.text, cases[i].words));
        giq_content_release(&content);
    }
}

static void test_what_is_not_known_survives_a_rewrite(void **state)
{
    struct shop *shop = *state;
    plant(shop, "{\"format\":1,\"more\":[1,{\"x\":null}],\"files\":{\"" BASE
                "\":{\"SAR\":{\"file_id\":\"f\",\"etag\":\"e\"}}}}\n");
    struct giq_content content = read_content(shop);
    assert_true(giq_content_set_file_id(&content, BASE, "SAR", "g", 0, &shop->err));
    assert_true(giq_content_write(&content, &shop->err));
    giq_content_release(&content);
    assert_true(has(shop, "\"more\":[1,{\"x\":null}]"));
    assert_true(has(shop, "\"file_id\":\"g\",\"etag\":\"e\""));
}

static void test_content_lock_has_one_holder(void **state)
{
    struct shop *shop = *state;
    struct giq_lock *first = NULL;
    struct giq_lock *second = NULL;
    char other[] = DIGEST;
    other[0] = 'b';
    assert_true(giq_content_acquire_lock(shop->store, DIGEST, &first, &shop->err));
    assert_false(giq_content_acquire_lock(shop->store, DIGEST, &second, &shop->err));
    assert_int_equal(shop->err.code, GIQ_E_TIMEOUT);
    assert_true(giq_content_acquire_lock(shop->store, other, &second, &shop->err));
    giq_lock_release(second);
    giq_lock_release(first);
    enter_and_leave(shop);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_ids_are_kept_for_each_service_and_kind),
        STORE_TEST(test_files_are_known_until_they_change),
        STORE_TEST(test_mark_without_a_change_time_is_not_trusted),
        STORE_TEST(test_hints_that_are_none_are_passed_over),
        STORE_TEST(test_files_beyond_the_most_are_forgotten),
        STORE_TEST(test_records_that_cannot_be_read_are_named),
        STORE_TEST(test_what_is_not_known_survives_a_rewrite),
        STORE_TEST(test_content_lock_has_one_holder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
