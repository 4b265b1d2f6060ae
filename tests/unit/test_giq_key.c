#include "store/giq_key.h"

#include "unit.h"

static void make(const struct giq_request *request, char **text, struct giq_key *key)
{
    struct giq_error err = {0};
    assert_true(giq_key_make("https://api.example", request, text, key, &err));
}

static const struct giq_upload upload_a = {.digest = "aa", .type = "SAR"};
static const struct giq_upload upload_b = {.digest = "bb", .type = "SAR"};
static const struct giq_upload upload_of_type = {.digest = "aa", .type = "UNKNOWN"};

static void test_canonical_texts_and_keys(void **state)
{
    (void)state;
    static const struct {
        struct giq_request request;
        const char *text;
    } cases[] = {
        {{.model = "m", .file = "f"},
         "{\"format\":1,\"base_url\":\"https://api.example\",\"model\":\"m\",\"file\":"
         "\"f\"}"},
        {{.model = "m", .file = "f", .area = "POLYGON ((0 0))", .rerun = "2"},
         "{\"format\":1,\"base_url\":\"https://api.example\",\"model\":\"m\",\"file\":"
         "\"f\",\"geometry\":\"POLYGON ((0 0))\",\"rerun\":\"2\"}"},
        {{.model = "m", .upload = &upload_a},
         "{\"format\":1,\"base_url\":\"https://api.example\",\"model\":\"m\","
         "\"upload\":\"aa\",\"source_type\":\"SAR\"}"},
        {{.job = "j"},
         "{\"format\":1,\"base_url\":\"https://api.example\",\"job\":\"j\"}"},
        {{.model = "a\"b", .file = "\xc3\xa9\n"},
         "{\"format\":1,\"base_url\":\"https://api.example\",\"model\":\"a\\\"b\","
         "\"file\":\"\xc3\xa9\\n\"}"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char *text = NULL;
        struct giq_key key;
        struct giq_error err = {0};
        char digest[GIQ_DIGEST_HEX_SIZE];
        make(&cases[i].request, &text, &key);
        assert_string_equal(text, cases[i].text);
        assert_true(giq_digest_bytes(text, strlen(text), digest, &err));
        assert_string_equal(key.hex, digest);
        free(text);
    }
}

static void test_key_of_this_format_never_changes(void **state)
{
    (void)state;
    static const struct giq_request request = {.model = "m", .file = "f"};
    char *text = NULL;
    struct giq_key key;
    make(&request, &text, &key);
    assert_string_equal(
        key.hex, "0ee5b64719a35a712fe0fef775ee9c9a6d03d369b61281de45e9d34c2daa5be4");
    free(text);
}

static void test_every_part_of_a_request_makes_another_key(void **state)
{
    (void)state;
    static const struct giq_request requests[] = {
        {.model = "m", .file = "f"},
        {.model = "n", .file = "f"},
        {.model = "m", .file = "g"},
        {.model = "m", .file = "f", .area = "a"},
        {.model = "m", .file = "f", .rerun = "a"},
        {.model = "m", .file = "f", .rerun = "A"},
        {.model = "f", .file = "m"},
        {.job = "m"},
        {.model = "m", .upload = &upload_a},
        {.model = "m", .upload = &upload_b},
        {.model = "m", .upload = &upload_of_type},
        {.model = "m", .file = "aa"},
        {.model = "m\",\"file\":\"f", .file = "f"},
    };
    struct giq_key keys[GIQ_COUNT(requests)];
    for (size_t i = 0; i < GIQ_COUNT(requests); i++) {
        char *text = NULL;
        make(&requests[i], &text, &keys[i]);
        free(text);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(keys[i].hex, keys[k].hex);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical_texts_and_keys),
        cmocka_unit_test(test_key_of_this_format_never_changes),
        cmocka_unit_test(test_every_part_of_a_request_makes_another_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
