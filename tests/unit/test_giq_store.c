#include "giq_store.h"

#include "unit.h"

#include <errno.h>
#include <sys/stat.h>

#include "env_kit.h"
#include "giq_os.h"
#include "giq_record.h"

#define BASE "https://api.example"

static const struct giq_key key = {"0123abcd"};

struct shop {
    char *folder;
    struct giq_store *store;
    char *of_key;
    struct giq_error err;
};

static int open_store(void **state)
{
    struct shop *shop = calloc(1, sizeof *shop);
    assert_non_null(shop);
    shop->folder = env_kit_folder();
    assert_true(
        giq_store_open(shop->folder, GIQ_STORE_PRIVATE, &shop->store, &shop->err));
    shop->of_key = giq_store_folder(shop->store, key.hex);
    *state = shop;
    return 0;
}

static int close_store(void **state)
{
    struct shop *shop = *state;
    giq_store_close(shop->store);
    free(shop->of_key);
    env_kit_remove(shop->folder);
    free(shop);
    return 0;
}

static void test_opening_writes_nothing(void **state)
{
    struct shop *shop = *state;
    struct giq_os_stat st;
    char expected[512];
    (void)snprintf(expected, sizeof expected, "%s/v1/0123abcd", shop->folder);
    assert_string_equal(shop->of_key, expected);
    assert_int_equal(giq_store_access(shop->store), GIQ_OS_PRIVATE);
    (void)snprintf(expected, sizeof expected, "%s/v1", shop->folder);
    assert_true(giq_os_stat(expected, &st, &shop->err));
    assert_int_equal(st.kind, GIQ_OS_NOTHING);
}

static void test_places_that_are_no_store_are_refused(void **state)
{
    struct shop *shop = *state;
    struct giq_store *store = NULL;
    char *file = giq_os_join(shop->folder, "file");
    env_kit_write(shop->folder, "file", "");
    assert_false(giq_store_open("", 0, &store, &shop->err));
    assert_int_equal(shop->err.code, GIQ_E_STORE);
    assert_false(giq_store_open(file, 0, &store, &shop->err));
    assert_non_null(strstr(shop->err.text, "is not a folder"));
    assert_int_equal(chmod(shop->folder, 01777), 0);
    assert_false(giq_store_open(shop->folder, 0, &store, &shop->err));
    assert_non_null(strstr(shop->err.text, "anybody may write to the folder"));
    assert_int_equal(chmod(shop->folder, 0700), 0);
    assert_null(store);
    free(file);
}

static void plant(struct shop *shop, const char *name, const char *base_url,
                  const char *job_json)
{
    struct giq_key of = {""};
    char request[256];
    (void)snprintf(of.hex, sizeof of.hex, "%s", name);
    (void)snprintf(request, sizeof request, "{\"format\":1,\"base_url\":\"%s\"}",
                   base_url);
    char *folder = giq_store_folder(shop->store, of.hex);
    assert_true(giq_store_make(shop->store, folder, &shop->err));
    env_kit_write(folder, "request.json", request);
    env_kit_write(folder, "job.json", job_json);
    free(folder);
}

static void test_job_is_found_by_its_id_and_service(void **state)
{
    static const struct {
        const char *base_url, *job_id, *folder; /* NULL: none */
    } cases[] = {
        {BASE, "1", "one"},
        {BASE, "2", "two"},
        {BASE, "3", NULL},
        {BASE, "", NULL},
        {"https://other", "1", "foreign"},
        {"https://x", "1", NULL},
    };
    struct shop *shop = *state;
    char *found = NULL;
    assert_true(giq_store_find_job(shop->store, BASE, "1", &found, &shop->err));
    assert_null(found);
    plant(shop, "foreign", "https://other",
          "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"1\"}");
    plant(shop, "one", BASE, "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"1\"}");
    plant(shop, "two", BASE, "{\"format\":1,\"state\":\"failed\",\"job_id\":\"2\"}");
    plant(shop, "damaged", BASE, "{\"format\":1,\"job_id\":\"3\"");
    plant(shop, "newer", BASE, "{\"format\":9,\"state\":\"failed\",\"job_id\":\"3\"}");
    plant(shop, "idless", BASE, "{\"format\":1,\"state\":\"intent\"}");
    char *v1 = giq_os_join(shop->folder, "v1");
    env_kit_write(v1, "stray", "no folder");
    free(v1);
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        found = NULL;
        assert_true(giq_store_find_job(shop->store, cases[i].base_url, cases[i].job_id,
                                       &found, &shop->err));
        assert_string_equal(found == NULL ? "-" : strrchr(found, '/') + 1,
                            cases[i].folder == NULL ? "-" : cases[i].folder);
        free(found);
    }
}

static void test_room_is_checked_with_some_to_spare(void **state)
{
    struct shop *shop = *state;
    assert_true(giq_store_check_space(shop->folder, 1, &shop->err));
    assert_false(giq_store_check_space(shop->folder, INT64_MAX, &shop->err));
    assert_int_equal(shop->err.code, GIQ_E_STORE);
    assert_non_null(strstr(shop->err.text, "move the store as a whole"));
    assert_null(strstr(shop->err.text, "another folder"));
}

static void test_advice_never_leads_from_a_used_store_to_an_empty_one(void **state)
{
    struct shop *shop = *state;
    struct giq_store *store = NULL;
    assert_int_equal(chmod(shop->folder, 0777), 0);
    assert_false(giq_store_open(shop->folder, 0, &store, &shop->err));
    assert_non_null(
        strstr(shop->err.text, "set GIQ_STORE_DIR to a folder in which only"));
    assert_true(giq_store_make(shop->store, shop->of_key, &shop->err));
    assert_false(giq_store_open(shop->folder, 0, &store, &shop->err));
    assert_null(strstr(shop->err.text, "GIQ_STORE_DIR"));
    assert_non_null(strstr(shop->err.text, "with chmod -R o-w"));
    assert_int_equal(chmod(shop->folder, 0700), 0);
}

static void test_full_disk_is_explained(void **state)
{
    (void)state;
    static const struct {
        int sys_errno;
        bool is_full;
    } cases[] = {{ENOSPC, true}, {EDQUOT, true}, {EROFS, false}, {0, false}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        (void)giq_fail_sys(&err, GIQ_E_STORE, cases[i].sys_errno, "cannot write /s/part");
        assert_false(giq_store_explain_full(&err));
        assert_int_equal(err.code, GIQ_E_STORE);
        assert_non_null(strstr(err.text, "cannot write /s/part"));
        assert_int_equal(strstr(err.text, "move the store as a whole and set "
                                          "GIQ_STORE_DIR to its new place") != NULL,
                         cases[i].is_full);
    }
}

static void test_publishing_replaces_the_result_whole(void **state)
{
    struct shop *shop = *state;
    static const char *const names[] = {"a", "b"};
    assert_true(giq_store_make(shop->store, shop->of_key, &shop->err));
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        char *staged = NULL;
        assert_true(giq_store_stage(shop->store, shop->of_key, &staged, &shop->err));
        env_kit_write(staged, "left by a crash", "x");
        free(staged);
        assert_true(giq_store_stage(shop->store, shop->of_key, &staged, &shop->err));
        env_kit_write(staged, names[i], names[i]);
        free(staged);
        assert_true(giq_store_publish(shop->of_key, &shop->err));
        char *text = env_kit_read(shop->of_key, i == 0 ? "result/a" : "result/b");
        assert_string_equal(text, names[i]);
        free(text);
    }
    assert_null(env_kit_read(shop->of_key, "result/a"));
    assert_null(env_kit_read(shop->of_key, "result/left by a crash"));
    assert_null(env_kit_read(shop->of_key, "result.new/b"));
}

static void test_publishing_nothing_keeps_the_result(void **state)
{
    struct shop *shop = *state;
    char *staged = NULL;
    assert_true(giq_store_make(shop->store, shop->of_key, &shop->err));
    assert_true(giq_store_stage(shop->store, shop->of_key, &staged, &shop->err));
    env_kit_write(staged, "a", "a");
    free(staged);
    assert_true(giq_store_publish(shop->of_key, &shop->err));
    assert_false(giq_store_publish(shop->of_key, &shop->err));
    assert_int_equal(shop->err.code, GIQ_E_STORE);
    char *text = env_kit_read(shop->of_key, "result/a");
    assert_string_equal(text, "a");
    free(text);
}

static void test_paths_of_results(void **state)
{
    (void)state;
    char *file = giq_store_result("/s/k", "a.tif");
    char *folder = giq_store_result("/s/k", NULL);
    assert_string_equal(file, "/s/k/result/a.tif");
    assert_string_equal(folder, "/s/k/result");
    free(file);
    free(folder);
}

#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_STORE(test_opening_writes_nothing),
        IN_STORE(test_places_that_are_no_store_are_refused),
        IN_STORE(test_job_is_found_by_its_id_and_service),
        IN_STORE(test_room_is_checked_with_some_to_spare),
        IN_STORE(test_advice_never_leads_from_a_used_store_to_an_empty_one),
        cmocka_unit_test(test_full_disk_is_explained),
        IN_STORE(test_publishing_replaces_the_result_whole),
        IN_STORE(test_publishing_nothing_keeps_the_result),
        cmocka_unit_test(test_paths_of_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
