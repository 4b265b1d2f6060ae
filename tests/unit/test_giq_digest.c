#include "store/giq_digest.h"

#include "unit.h"

static void test_digests_of_the_standard(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        char hex[GIQ_DIGEST_HEX_SIZE];
        assert_true(giq_digest_bytes(cases[i].text, strlen(cases[i].text), hex, &err));
        assert_string_equal(hex, cases[i].hex);
    }
}

static void test_pieces_give_the_digest_of_the_whole(void **state)
{
    (void)state;
    static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    char whole[GIQ_DIGEST_HEX_SIZE];
    char pieces[GIQ_DIGEST_HEX_SIZE];
    struct giq_error err = {0};
    struct giq_digest *digest = NULL;
    assert_true(giq_digest_bytes(text, strlen(text), whole, &err));
    assert_true(giq_digest_new(&digest, &err));
    assert_true(giq_digest_add(digest, "what is forgotten", 17, &err));
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        assert_true(giq_digest_restart(digest, &err));
        assert_true(giq_digest_add(digest, text, cut, &err));
        assert_true(giq_digest_add(digest, text + cut, strlen(text) - cut, &err));
        assert_true(giq_digest_finish(digest, pieces, &err));
        assert_string_equal(pieces, whole);
    }
    giq_digest_free(digest);
    giq_digest_free(NULL);
}

static void test_what_looks_like_a_digest(void **state)
{
    (void)state;
    char text[GIQ_DIGEST_HEX_SIZE + 1] = {0};
    memset(text, 'a', GIQ_DIGEST_HEX_SIZE - 1);
    assert_true(giq_digest_is_valid(text));
    text[3] = 'A';
    assert_false(giq_digest_is_valid(text));
    text[3] = '\0';
    assert_false(giq_digest_is_valid(text));
    memset(text, '0', GIQ_DIGEST_HEX_SIZE);
    assert_false(giq_digest_is_valid(text));
    assert_false(giq_digest_is_valid(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digests_of_the_standard),
        cmocka_unit_test(test_pieces_give_the_digest_of_the_whole),
        cmocka_unit_test(test_what_looks_like_a_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
