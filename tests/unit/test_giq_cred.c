#include "base/giq_cred.h"

#include "unit.h"

#include <sys/stat.h>

#include "base/giq_os.h"
#include "env_kit.h"

static void test_secrets_become_headers(void **state)
{
    (void)state;
    static const struct {
        const char *key, *token;
        size_t count;
        const char *lines[2];
    } cases[] = {
        {NULL, NULL, 0, {NULL, NULL}},
        {"", "", 0, {NULL, NULL}},
        {"abc", NULL, 1, {"X-API-KEY: abc", NULL}},
        {NULL, "t.o.k", 1, {"Authorization: Bearer t.o.k", NULL}},
        {"abc", "t", 2, {"X-API-KEY: abc", "Authorization: Bearer t"}},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_cred *cred = NULL;
        struct giq_error err = {0};
        assert_true(giq_cred_new(cases[i].key, cases[i].token, &cred, &err));
        assert_int_equal(giq_cred_any(cred), cases[i].count > 0);
        for (size_t k = 0; k < cases[i].count; k++) {
            assert_string_equal(giq_cred_header(cred, k), cases[i].lines[k]);
        }
        assert_null(giq_cred_header(cred, cases[i].count));
        giq_cred_free(cred);
    }
    assert_false(giq_cred_any(NULL));
    assert_null(giq_cred_header(NULL, 0));
    giq_cred_free(NULL);
    giq_cred_wipe(NULL);
}

/* What of the user's own headers goes along, and which would speak for ours. */
static void test_headers_of_the_user(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *sent; /* NULL: left out */
    } cases[] = {
        {"X-Team: maps", "X-Team: maps"},
        {"  x-trace :\tabc def ", "x-trace: abc def"},
        {"Cookie: a=b; c=d", "Cookie: a=b; c=d"},
        {"Host: other.example", "Host: other.example"},
        {"Authorization: Basic abcd", "Authorization: Basic abcd"},
        {"x-api-key: other", NULL},
        {"Accept: text/html", NULL},
        {"accept-encoding: gzip", NULL},
        {"Content-Length: 0", NULL},
        {"Transfer-Encoding: chunked", NULL},
        {"Range: bytes=0-1", NULL},
        {"If-None-Match: \"x\"", NULL},
        {"no header", NULL},
        {": nameless", NULL},
        {"Empty:", NULL},
        {"Two Words: x", NULL},
        {"X-Break: a\r\nX-Other: b", NULL},
    };
    struct giq_cred *cred = NULL;
    struct giq_error err = {0};
    size_t next = 1;
    assert_true(giq_cred_new("the-key", NULL, &cred, &err));
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        bool added = false;
        assert_true(giq_cred_add_header(cred, cases[i].line, &added, &err));
        assert_int_equal(added, cases[i].sent != NULL);
        if (added) {
            assert_string_equal(giq_cred_header(cred, next++), cases[i].sent);
        }
    }
    assert_null(giq_cred_header(cred, next));
    giq_cred_free(cred);
}

static void test_headers_of_the_user_are_secrets_and_counted(void **state)
{
    (void)state;
    struct giq_cred *cred = NULL;
    struct giq_error err = {0};
    bool added = true;
    assert_true(giq_cred_new("the-key", "the-token", &cred, &err));
    assert_true(giq_cred_add_header(cred, "Authorization: Basic other", &added, &err));
    assert_false(added);
    assert_true(giq_cred_add_header(cred, "X-Proof: Bearer s3cr3t", &added, &err));
    assert_true(added);
    assert_true(giq_cred_add_secret(cred, "phrase", &err));
    char text[] = "Bearer s3cr3t, s3cr3t, phrase, the-key, the-token";
    giq_cred_mask(cred, text);
    assert_string_equal(text, "*************, ******, ******, *******, *********");
    size_t count = 3;
    for (int i = 0; i < 100; i++) {
        assert_true(giq_cred_add_header(cred, "X-More: of them", &added, &err));
        count += added;
    }
    assert_false(added);
    assert_null(giq_cred_header(cred, count));
    assert_non_null(giq_cred_header(cred, count - 1));
    giq_cred_free(cred);
}

static void test_secrets_that_are_no_header_are_refused_unseen(void **state)
{
    (void)state;
    static const char *const secrets[] = {
        "s3cr3t\r\nX: y",
        "s3cr3t ",
        "s3 cr3t",
        "\ts3cr3t",
        "s3cr3t\x7f",
        "s3cr3t\x01",
        "s3cr3t\xC2\xA0",
        "\xEF\xBB\xBFs3cr3t",
        "\"s3cr3t\"",
        "Bearer s3cr3t",
        "GIQ_API_KEY=s3cr3t",
    };
    for (size_t i = 0; i < 2 * GIQ_COUNT(secrets); i++) {
        const char *secret = secrets[i / 2];
        bool is_key = i % 2 == 0;
        struct giq_cred *cred = NULL;
        struct giq_error err = {0};
        assert_false(
            giq_cred_new(is_key ? secret : "k", is_key ? NULL : secret, &cred, &err));
        assert_int_equal(err.code, GIQ_E_CREDENTIALS);
        assert_null(strstr(err.text, "s3"));
        assert_non_null(strstr(err.text, is_key ? "API key" : "bearer token"));
        assert_null(cred);
    }
}

static void test_longest_secret(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        bool ok;
    } cases[] = {{16384, true}, {16385, false}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char *secret = calloc(cases[i].len + 1, 1);
        struct giq_cred *cred = NULL;
        struct giq_error err = {0};
        assert_non_null(secret);
        memset(secret, 'a', cases[i].len);
        assert_int_equal(giq_cred_new(secret, NULL, &cred, &err), cases[i].ok);
        giq_cred_free(cred);
        free(secret);
    }
}

static void test_secret_that_cannot_be_masked_is_refused(void **state)
{
    (void)state;
    enum { SECRETS_MAX = 164 };
    struct giq_cred *cred = NULL;
    struct giq_error err = {0};
    char secret[32];
    assert_true(giq_cred_new(NULL, NULL, &cred, &err));
    for (int i = 0; i < SECRETS_MAX; i++) {
        (void)snprintf(secret, sizeof secret, "secret-%d", i);
        assert_true(giq_cred_add_secret(cred, secret, &err));
    }
    assert_false(giq_cred_add_secret(cred, "one too many", &err));
    assert_int_equal(err.code, GIQ_E_CREDENTIALS);
    assert_non_null(strstr(err.text, "more than 164 secrets"));
    assert_true(giq_cred_add_secret(cred, "abc", &err));
    giq_cred_free(cred);
}

static void test_masking(void **state)
{
    (void)state;
    static const struct {
        const char *key, *token, *text, *masked;
    } cases[] = {
        {"abcd", NULL, "abcd and xabcdx", "**** and x****x"},
        {"abcd", "efghi", "abcdefghi", "*********"},
        {"abcd", NULL, "abc", "abc"},
        {"abcd", NULL, "", ""},
        {"aaaa", NULL, "aaaaaaaa", "********"},
        {"abc", NULL, "abc", "abc"},
        {NULL, NULL, "abcd", "abcd"},
        {"abcd", "xxabcdyy", "xxabcdyy", "********"},
        {"xxabcdyy", "abcd", "xxabcdyy abcd", "******** ****"},
        {"abcdefghijkl", NULL, "abcdefghijk", "abcdefghijk"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_cred *cred = NULL;
        struct giq_error err = {0};
        char text[64];
        assert_true(giq_cred_new(cases[i].key, cases[i].token, &cred, &err));
        (void)snprintf(text, sizeof text, "%s", cases[i].text);
        giq_cred_mask(cred, text);
        assert_string_equal(text, cases[i].masked);
        giq_cred_free(cred);
    }
    char text[] = "abcd";
    giq_cred_mask(NULL, text);
    assert_string_equal(text, "abcd");
}

static void test_masking_of_messages(void **state)
{
    (void)state;
    static const struct {
        const char *key, *token, *text, *masked;
    } cases[] = {
        {"abcdefghijkl", NULL, "abcdefghijk", "***********"},
        {"abcdefghijkl", NULL, "x abcdefgh: y", "x ********: y"},
        {"abcdefghijkl", NULL, "abcdefg", "abcdefg"},
        {"abcdefghijkl", NULL, "abcdefgh abcdefghijkl", "******** ************"},
        {"abcabcabcd", NULL, "abcabcabcabcd", "abc**********"},
        {"abcdefgh-long-one", "abcdefgh-two", "abcdefgh-two", "************"},
        {"abcdefgh-long-one", "abcdefgh-two", "abcdefgh-tw abcdefgh-lo",
         "*********** ***********"},
        {NULL, "abcdefghijkl", "Bearer abcdefghi", "Bearer *********"},
        {"abcd", NULL, "abcd abc", "**** abc"},
        {"abcdefghijkl", NULL, "", ""},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_cred *cred = NULL;
        struct giq_error err = {0};
        bool added = false;
        char text[64];
        assert_true(giq_cred_new(cases[i].key, cases[i].token, &cred, &err));
        assert_true(
            giq_cred_add_header(cred, "Referer: https://example.com/", &added, &err));
        (void)snprintf(text, sizeof text, "%s https://x", cases[i].text);
        giq_cred_mask_message(cred, text);
        assert_memory_equal(text, cases[i].masked, strlen(cases[i].masked));
        assert_string_equal(text + strlen(cases[i].masked), " https://x");
        giq_cred_free(cred);
    }
    char text[] = "abcd";
    giq_cred_mask_message(NULL, text);
    assert_string_equal(text, "abcd");
}

static void test_wiped_text_is_gone(void **state)
{
    (void)state;
    static const char zeros[6] = "";
    char text[] = "secret";
    giq_cred_wipe(text);
    assert_memory_equal(text, zeros, sizeof zeros);
}

/* ---- key files ---- */

static const struct {
    const char *content, *key; /* NULL: refused */
    mode_t mode;
    bool exposed;
} key_files[] = {
    {"abc", "abc", 0600, false},
    {"abc\n", "abc", 0600, false},
    {"abc\r\nmore\n", "abc", 0600, false},
    {" abc \n", "abc", 0644, true},
    {"abc", "abc", 0640, true},
    {"abc", "abc", 0400, false},
    {"", NULL, 0600, false},
    {"\nabc", NULL, 0600, false},
    {"\xEF\xBB\xBF"
     "abc\r\n",
     "abc", 0600, false},
    {"\xEF\xBB\xBF", NULL, 0600, false},
    {"a=b:c==\n", "a=b:c==", 0600, false},
    {"setxyz", "setxyz", 0600, false},
    {"GIQ_API_KEYabc", "GIQ_API_KEYabc", 0600, false},
};

static void test_first_line_of_a_key_file(void **state)
{
    (void)state;
    char *folder = env_kit_folder();
    char *path = giq_os_join(folder, "key");
    for (size_t i = 0; i < GIQ_COUNT(key_files); i++) {
        struct giq_error err = {0};
        char *key = NULL;
        bool exposed = !key_files[i].exposed;
        env_kit_write(folder, "key", key_files[i].content);
        assert_int_equal(chmod(path, key_files[i].mode), 0);
        assert_int_equal(giq_cred_read_file(path, &key, &exposed, &err),
                         key_files[i].key != NULL);
        if (key_files[i].key == NULL) {
            assert_int_equal(err.code, GIQ_E_CREDENTIALS);
            assert_null(key);
        } else {
            assert_string_equal(key, key_files[i].key);
            assert_int_equal(exposed, key_files[i].exposed);
        }
        free(key);
        assert_true(giq_os_remove(path, &err));
    }
    free(path);
    env_kit_remove(folder);
}

static void write_bytes(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

#define TEXT(text) text, sizeof(text) - 1

static const struct {
    const char *content;
    size_t len;
    const char *words;
} wrong_key_files[] = {
    {TEXT("\xFF\xFEs\0e\0c\0r\0e\0t\0\n\0"), "UTF-16"},
    {TEXT("\xFE\xFF\0s\0e\0c\0r\0e\0t\0\n"), "UTF-16"},
    {TEXT("s\0e\0c\0r\0e\0t\0\n\0"), "UTF-16"},
    {TEXT("secret\n\0"), "UTF-16"},
    {TEXT("\"secret\"\n"), "begins or ends with a quote, which is not part"},
    {TEXT("'secret'\r\n"), "begins or ends with a quote, which is not part"},
    {TEXT("\xEF\xBB\xBF\"secret\""), "begins or ends with a quote, which is not part"},
    {TEXT("\xE2\x80\x9Csecret\xE2\x80\x9D"), "not ASCII at its byte 1,"},
    {TEXT("secret\"\n"), "begins or ends with a quote, which is not part"},
    {TEXT("[credentials]\nkey=secret\n"), "must not begin with \"[\""},
    {TEXT("{\"key\":\"secret\"}\n"), "must not begin with \"{\""},
    {TEXT("#secret\n"), "must not begin with \"#\""},
    {TEXT("GIQ_API_KEY=secret\n"), "the name \"GIQ_API_KEY\" before it"},
    {TEXT("giq_api_key = secret\n"), "the name \"GIQ_API_KEY\" before it"},
    {TEXT("GIQ_API_KEY=\"secret\"\n"), "the name \"GIQ_API_KEY\" before it"},
    {TEXT("X-API-Key: secret\n"), "the name \"X-API-KEY\" before it"},
    {TEXT("Authorization: Bearer secret"), "the name \"Authorization\" before it"},
    {TEXT("export GIQ_API_KEY=secret\n"), "the word \"export\" before it"},
    {TEXT("set GIQ_API_KEY=secret\n"), "the word \"set\" before it"},
    {TEXT("Bearer secret\n"), "the word \"Bearer\" before it"},
    {TEXT("secret\xC2\xA0\n"), "not ASCII at its byte 7,"},
    {TEXT("sec\xE2\x80\x8Bret\n"), "not ASCII at its byte 4,"},
    {TEXT("sec ret\n"), "white space or a control character at its byte 4; copy"},
    {TEXT("sec\tret\n"), "contains white space"},
};

static void test_key_files_that_hold_more_than_a_key_say_what(void **state)
{
    (void)state;
    char *folder = env_kit_folder();
    char *path = giq_os_join(folder, "key");
    for (size_t i = 0; i < GIQ_COUNT(wrong_key_files); i++) {
        struct giq_error err = {0};
        char *key = NULL;
        bool exposed = false;
        write_bytes(path, wrong_key_files[i].content, wrong_key_files[i].len);
        assert_false(giq_cred_read_file(path, &key, &exposed, &err));
        assert_int_equal(err.code, GIQ_E_CREDENTIALS);
        assert_non_null(strstr(err.text, wrong_key_files[i].words));
        assert_non_null(strstr(err.text, "GIQ_API_KEY_FILE"));
        assert_null(strstr(err.text, "sec"));
        assert_null(key);
    }
    free(path);
    env_kit_remove(folder);
}

static void test_unusable_key_file_is_refused(void **state)
{
    (void)state;
    char *folder = env_kit_folder();
    char *missing = giq_os_join(folder, "missing");
    char *large = giq_os_join(folder, "large");
    char *content = calloc(64 * 1024 + 2, 1);
    assert_non_null(content);
    memset(content, 'a', 64 * 1024 + 1);
    env_kit_write(folder, "large", content);
    const char *const paths[] = {folder, missing, large};
    for (size_t i = 0; i < GIQ_COUNT(paths); i++) {
        struct giq_error err = {0};
        char *key = NULL;
        bool exposed = false;
        assert_false(giq_cred_read_file(paths[i], &key, &exposed, &err));
        assert_int_equal(err.code, GIQ_E_CREDENTIALS);
        assert_non_null(strstr(err.text, "GIQ_API_KEY_FILE"));
        assert_null(key);
    }
    free(content);
    free(large);
    free(missing);
    env_kit_remove(folder);
}

/* Somebody may set the key where its file is meant. */
static void test_key_given_as_the_path_is_not_printed(void **state)
{
    (void)state;
    char too_long[300];
    memset(too_long, 'k', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    const char *const keys[] = {"sk-live-0123456789", too_long};
    for (size_t i = 0; i < GIQ_COUNT(keys); i++) {
        struct giq_error err = {0};
        char *key = NULL;
        bool exposed = false;
        assert_false(giq_cred_read_file(keys[i], &key, &exposed, &err));
        assert_int_equal(err.code, GIQ_E_CREDENTIALS);
        assert_non_null(strstr(err.text, "GIQ_API_KEY_FILE"));
        assert_null(strstr(err.text, "sk-live"));
        assert_null(strstr(err.text, "kkkk"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secrets_become_headers),
        cmocka_unit_test(test_headers_of_the_user),
        cmocka_unit_test(test_headers_of_the_user_are_secrets_and_counted),
        cmocka_unit_test(test_secrets_that_are_no_header_are_refused_unseen),
        cmocka_unit_test(test_longest_secret),
        cmocka_unit_test(test_secret_that_cannot_be_masked_is_refused),
        cmocka_unit_test(test_masking),
        cmocka_unit_test(test_masking_of_messages),
        cmocka_unit_test(test_wiped_text_is_gone),
        cmocka_unit_test(test_first_line_of_a_key_file),
        cmocka_unit_test(test_key_files_that_hold_more_than_a_key_say_what),
        cmocka_unit_test(test_unusable_key_file_is_refused),
        cmocka_unit_test(test_key_given_as_the_path_is_not_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
