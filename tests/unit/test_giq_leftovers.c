/* Leftovers: what is old and named by nothing is removed, and nothing else. */
#include "store/giq_leftovers.h"

#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/giq_os.h"
#include "env_kit.h"

#define TOKEN_1 "00000000000000000000000000000001"
#define TOKEN_2 "00000000000000000000000000000002"
#define TOKEN_3 "00000000000000000000000000000003"

enum { OLD_MS = 601000, YOUNG_MS = 599000 };

/* A claim that is made just before the leftover gets its other name; NULL: none. */
static const char *late_claim;
static const char *claim_folder;

UNIT_WRAPS(giq_os_rename);
bool __wrap_giq_os_rename(const char *from, const char *to, struct giq_error *err)
{
    if (late_claim != NULL) {
        env_kit_write(claim_folder, "published.9", late_claim);
        late_claim = NULL;
    }
    return __real_giq_os_rename(from, to, err);
}

/* A file of this age, or a folder with a file of this age in a folder in it. */
static void make(const char *folder, const char *name, bool is_folder, int64_t age_ms)
{
    struct giq_error err = {0};
    if (!is_folder) {
        env_kit_write(folder, name, "x");
    } else {
        char *path = giq_os_join(folder, name);
        char *inner = giq_os_join(path, "inner");
        assert_true(giq_os_make_folders(inner, GIQ_OS_PRIVATE, &err));
        env_kit_write(inner, "f", "x");
        env_kit_set_age(inner, "f", age_ms);
        env_kit_set_age(path, "inner", OLD_MS);
        free(inner);
        free(path);
    }
    env_kit_set_age(folder, name, is_folder ? OLD_MS : age_ms);
}

static bool exists(const char *folder, const char *name)
{
    char *path = giq_os_join(folder, name);
    bool found = access(path, F_OK) == 0;
    free(path);
    return found;
}

static const struct entry {
    const char *name;
    bool is_folder;
    bool is_leftover;
} entries[] = {
    {"result.part." TOKEN_1, false, true},
    {"result.new." TOKEN_1, true, true},
    {"result." TOKEN_1, true, true},
    {"result." TOKEN_2, true, false}, /* named by the record */
    {"result." TOKEN_3, true, false}, /* named by the newest claim */
    {"job.json." TOKEN_1 ".tmp", false, true},
    {"job.json.tmp", false, true},
    {"result.part", false, true},
    {"result.new", true, true},
    {"result.old", true, true},
    {"result.discarded", true, true},
    {"result", true, true},
    {"result.short", false, false},
    {"job.json", false, false},
    {"job.json.damaged", false, false},
    {"request.json", false, false},
    {"lock", false, false},
    {"sent.1", false, false},
    {"published.1", false, false},
    {"notes of the user", false, false},
};

#define CLAIM(token)                                                                     \
    "{\"format\":1,\"job_id\":\"j1\",\"size\":7,\"folder\":\"result." token "\"}"

static void make_all(const char *folder, int64_t age_ms)
{
    for (size_t i = 0; i < GIQ_COUNT(entries); i++) {
        make(folder, entries[i].name, entries[i].is_folder, age_ms);
    }
    env_kit_write(folder, "published.2", CLAIM(TOKEN_3));
}

static void test_old_leftovers_are_removed(void **state)
{
    const char *folder = *state;
    make_all(folder, OLD_MS);
    giq_leftovers_remove(folder, GIQ_OS_PRIVATE, "result." TOKEN_2);
    for (size_t i = 0; i < GIQ_COUNT(entries); i++) {
        assert_int_equal(exists(folder, entries[i].name), !entries[i].is_leftover);
    }
}

static void test_young_ones_may_have_an_owner(void **state)
{
    const char *folder = *state;
    make_all(folder, YOUNG_MS);
    giq_leftovers_remove(folder, GIQ_OS_PRIVATE, "result." TOKEN_2);
    for (size_t i = 0; i < GIQ_COUNT(entries); i++) {
        assert_true(exists(folder, entries[i].name));
    }
}

static void test_result_of_version_0_1_stays_until_a_newer_one_is_named(void **state)
{
    const char *folder = *state;
    make(folder, "result", true, OLD_MS);
    make(folder, "result.old", true, OLD_MS);
    giq_leftovers_remove(folder, GIQ_OS_PRIVATE, NULL);
    assert_true(exists(folder, "result"));
    assert_true(exists(folder, "result.old"));
    giq_leftovers_remove(folder, GIQ_OS_PRIVATE, "result." TOKEN_2);
    assert_false(exists(folder, "result"));
    assert_false(exists(folder, "result.old"));
}

static void test_folder_without_leftovers_is_not_written_to(void **state)
{
    const char *folder = *state;
    struct stat before;
    struct stat after;
    make(folder, "result." TOKEN_2, true, OLD_MS);
    env_kit_write(folder, "job.json", "{}");
    env_kit_set_age(folder, ".", OLD_MS);
    assert_int_equal(stat(folder, &before), 0);
    giq_leftovers_remove(folder, GIQ_OS_PRIVATE, "result." TOKEN_2);
    assert_int_equal(stat(folder, &after), 0);
    assert_true(before.st_ctim.tv_nsec == after.st_ctim.tv_nsec &&
                before.st_ctim.tv_sec == after.st_ctim.tv_sec);
}

static void test_results_stay_if_the_newest_claim_cannot_be_read(void **state)
{
    const char *folder = *state;
    make(folder, "result." TOKEN_1, true, OLD_MS);
    env_kit_write(folder, "published.1", "{\"format\":2}");
    giq_leftovers_remove(folder, GIQ_OS_PRIVATE, NULL);
    assert_true(exists(folder, "result." TOKEN_1));
}

static void test_claimed_result_stays_beside_a_damaged_claim(void **state)
{
    const char *folder = *state;
    make(folder, "result." TOKEN_1, true, OLD_MS);
    env_kit_write(folder, "published.1", CLAIM(TOKEN_1));
    env_kit_write(folder, "published.2", "");
    giq_leftovers_remove(folder, GIQ_OS_PRIVATE, NULL);
    assert_true(exists(folder, "result." TOKEN_1));
}

static void test_result_that_is_claimed_meanwhile_stays(void **state)
{
    static const struct {
        const char *claim;
        bool stays;
    } cases[] = {
        {CLAIM(TOKEN_1), true},
        {CLAIM(TOKEN_2), false},
        {"{\"format\":2}", true}, /* it cannot be read */
    };
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char *folder = env_kit_folder();
        make(folder, "result." TOKEN_1, true, OLD_MS);
        claim_folder = folder;
        late_claim = cases[i].claim;
        giq_leftovers_remove(folder, GIQ_OS_PRIVATE, NULL);
        assert_null(late_claim);
        assert_int_equal(exists(folder, "result." TOKEN_1), cases[i].stays);
        assert_int_equal(exists(folder, "result." TOKEN_1 "/inner/f"), cases[i].stays);
        env_kit_remove(folder);
    }
}

static void test_missing_folder_is_no_error(void **state)
{
    char *folder = giq_os_join(*state, "none");
    giq_leftovers_remove(folder, GIQ_OS_PRIVATE, NULL);
    assert_false(exists(*state, "none"));
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENV_KIT_TEST(test_old_leftovers_are_removed),
        ENV_KIT_TEST(test_young_ones_may_have_an_owner),
        ENV_KIT_TEST(test_result_of_version_0_1_stays_until_a_newer_one_is_named),
        ENV_KIT_TEST(test_folder_without_leftovers_is_not_written_to),
        ENV_KIT_TEST(test_results_stay_if_the_newest_claim_cannot_be_read),
        ENV_KIT_TEST(test_claimed_result_stays_beside_a_damaged_claim),
        cmocka_unit_test(test_result_that_is_claimed_meanwhile_stays),
        ENV_KIT_TEST(test_missing_folder_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
