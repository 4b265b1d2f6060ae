#include "store/giq_document.h"

#include "unit.h"

#include <cJSON.h>

#include "env_kit.h"

static const char advice[] = "write it again";

static const struct {
    const char *text; /* NULL: no file */
    bool ok, damaged;
    const char *reason;
} documents[] = {
    {NULL, true, false, NULL},
    {"{\"format\":2}\n", true, false, NULL},
    {"{\"format\":1,\"more\":[]}", true, false, NULL},
    {"", false, true, "is damaged; write it again"},
    {"{\"format\":1", false, true, "is damaged; write it again"},
    {"[1]", false, true, "is damaged; write it again"},
    {"{}", false, true, "has no valid format number; write it again"},
    {"{\"format\":0}", false, true, "has no valid format number; write it again"},
    {"{\"format\":\"2\"}", false, true, "has no valid format number; write it again"},
    {"{\"format\":3}", false, false, "was written by a newer version"},
};

static void test_documents_as_they_lie_on_disk(void **state)
{
    (void)state;
    char *folder = env_kit_folder();
    for (size_t i = 0; i < GIQ_COUNT(documents); i++) {
        struct giq_error err = {0};
        struct giq_json *json = NULL;
        bool damaged = !documents[i].damaged;
        if (documents[i].text != NULL) {
            env_kit_write(folder, "a.json", documents[i].text);
        }
        bool ok = giq_document_read(folder, "a.json", 2, advice, &json, &damaged, &err);
        assert_int_equal(ok, documents[i].ok);
        assert_int_equal(damaged, documents[i].damaged);
        assert_int_equal(json != NULL, ok && documents[i].text != NULL);
        if (!ok) {
            assert_int_equal(err.code, GIQ_E_STORE);
            assert_non_null(strstr(err.text, folder));
            assert_non_null(strstr(err.text, "/a.json "));
            assert_non_null(strstr(err.text, documents[i].reason));
        }
        giq_json_free(json);
    }
    env_kit_remove(folder);
}

static int allocations_left;

static void *allocate(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void test_memory_that_runs_out_is_no_damage(void **state)
{
    (void)state;
    char *folder = env_kit_folder();
    cJSON_Hooks hooks = {allocate, free};
    env_kit_write(folder, "a.json", "{\"format\":1,\"more\":[\"b\"]}");
    bool ok = false;
    cJSON_InitHooks(&hooks);
    for (int most = 0; !ok; most++) {
        struct giq_error err = {0};
        struct giq_json *json = NULL;
        bool damaged = true;
        allocations_left = most;
        ok = giq_document_read(folder, "a.json", 1, advice, &json, &damaged, &err);
        assert_int_equal(err.code, ok ? GIQ_E_NONE : GIQ_E_MEMORY);
        assert_int_equal(json != NULL, ok);
        assert_false(damaged);
        giq_json_free(json);
    }
    cJSON_InitHooks(NULL);
    env_kit_remove(folder);
}

static void test_what_is_written_is_one_line(void **state)
{
    (void)state;
    char *folder = env_kit_folder();
    struct giq_error err = {0};
    assert_true(giq_document_write(folder, "a.json", 0, "{\"format\":1}", &err));
    env_kit_expect(folder, "a.json", "{\"format\":1}\n");
    assert_false(giq_document_write("/nowhere/at/all", "a.json", 0, "{}", &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    env_kit_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents_as_they_lie_on_disk),
        cmocka_unit_test(test_memory_that_runs_out_is_no_damage),
        cmocka_unit_test(test_what_is_written_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
