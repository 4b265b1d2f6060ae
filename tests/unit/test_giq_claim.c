/* Claims: one maker each, the newest one counts, damaged ones name nothing. */
#include "store/giq_claim.h"

#include "unit.h"

#include "base/giq_os.h"
#include "env_kit.h"
#include "store/giq_record.h"
#include "store/giq_record_read.h"

#define FOLDER_1 "result.00000000000000000000000000000001"
#define FOLDER_2 "result.00000000000000000000000000000002"

/* A claim whose texts are not owned. */
static struct giq_claim claim_of(int generation, const char *folder)
{
    return (struct giq_claim){.generation = generation,
                              .job_id = (char *)"j1",
                              .folder = (char *)folder,
                              .name = (char *)"a.tif",
                              .size = 7};
}

static void test_first_one_makes_the_claim(void **state)
{
    const char *folder = *state;
    struct giq_error err = {0};
    struct giq_claim other = {0};
    struct giq_claim first = claim_of(1, FOLDER_1);
    const struct giq_claim second = claim_of(1, FOLDER_2);
    const char summary[] = "{\"files\":[]}";
    bool made = false;
    first.summary = giq_json_parse(summary, strlen(summary));
    assert_true(giq_claim_make(folder, GIQ_OS_PRIVATE, &first, &made, &other, &err));
    assert_true(made);
    giq_json_free(first.summary);
    assert_true(giq_claim_make(folder, GIQ_OS_PRIVATE, &second, &made, &other, &err));
    assert_false(made);
    assert_int_equal(other.generation, 1);
    assert_string_equal(other.job_id, "j1");
    assert_string_equal(other.folder, FOLDER_1);
    assert_string_equal(other.name, "a.tif");
    assert_true(other.size == 7);
    char *text = giq_json_print(other.summary);
    assert_string_equal(text, summary);
    free(text);
    giq_claim_release(&other);
}

static void test_newest_claim_is_the_highest_number(void **state)
{
    const char *folder = *state;
    struct giq_error err = {0};
    struct giq_claim newest = {0};
    static const char *const no_claims[] = {"published.",         "published.0",
                                            "published.011",      "published.x",
                                            "published.12345678", "published.3.tmp"};
    assert_true(giq_claim_read_newest(folder, &newest, &err));
    assert_int_equal(newest.generation, 0);
    assert_null(newest.folder);
    for (size_t i = 0; i < GIQ_COUNT(no_claims); i++) {
        env_kit_write(folder, no_claims[i], "{}");
    }
    for (int generation = 9; generation <= 10; generation++) {
        const struct giq_claim claim =
            claim_of(generation, generation == 9 ? FOLDER_1 : FOLDER_2);
        bool made = false;
        assert_true(giq_claim_make(folder, GIQ_OS_PRIVATE, &claim, &made, &newest, &err));
        assert_true(made);
    }
    assert_true(giq_claim_read_newest(folder, &newest, &err));
    assert_int_equal(newest.generation, 10);
    assert_string_equal(newest.folder, FOLDER_2);
    giq_claim_release(&newest);
}

#define CLAIM(members) "{\"format\":1,\"size\":7," members "}"

static void test_damaged_claim_names_nothing(void **state)
{
    const char *folder = *state;
    static const char *const damaged[] = {
        "",
        "{",
        "[]",
        "{\"job_id\":\"j1\",\"folder\":\"" FOLDER_1 "\",\"size\":7}",
        CLAIM("\"folder\":\"" FOLDER_1 "\""),
        CLAIM("\"job_id\":\"\",\"folder\":\"" FOLDER_1 "\""),
        CLAIM("\"job_id\":\"j1\""),
        CLAIM("\"job_id\":\"j1\",\"folder\":\"result\""),
        CLAIM("\"job_id\":\"j1\",\"folder\":\"../../x\""),
        CLAIM("\"job_id\":\"j1\",\"folder\":\"" FOLDER_1 "\",\"name\":\"../a\""),
        CLAIM("\"job_id\":\"j1\",\"folder\":\"" FOLDER_1 "\",\"name\":\"\""),
        "{\"format\":1,\"job_id\":\"j1\",\"folder\":\"" FOLDER_1 "\"}",
    };
    for (size_t i = 0; i < GIQ_COUNT(damaged); i++) {
        struct giq_error err = {0};
        struct giq_claim claim = {0};
        const struct giq_claim late = claim_of(1, FOLDER_2);
        bool made = true;
        env_kit_write(folder, "published.1", damaged[i]);
        assert_true(giq_claim_read_newest(folder, &claim, &err));
        assert_int_equal(claim.generation, 1);
        assert_null(claim.folder);
        assert_null(claim.job_id);
        assert_true(giq_claim_make(folder, GIQ_OS_PRIVATE, &late, &made, &claim, &err));
        assert_false(made);
        assert_null(claim.folder);
    }
}

/* Who made it died before it had content. */
static void test_damaged_claim_does_not_hide_an_older_one(void **state)
{
    const char *folder = *state;
    struct giq_error err = {0};
    struct giq_claim claim = {0};
    const struct giq_claim good = claim_of(3, FOLDER_1);
    bool made = false;
    env_kit_write(folder, "published.2", "{");
    env_kit_write(folder, "published.4", "{");
    env_kit_write(folder, "published.20", "");
    assert_true(giq_claim_read_newest(folder, &claim, &err));
    assert_int_equal(claim.generation, 20);
    assert_null(claim.folder);
    assert_true(giq_claim_make(folder, GIQ_OS_PRIVATE, &good, &made, &claim, &err));
    assert_true(giq_claim_read_newest(folder, &claim, &err));
    assert_int_equal(claim.generation, 3);
    assert_string_equal(claim.folder, FOLDER_1);
    giq_claim_release(&claim);
}

static void test_claim_of_a_newer_version_is_an_error(void **state)
{
    const char *folder = *state;
    struct giq_error err = {0};
    struct giq_claim claim = {0};
    env_kit_write(folder, "published.1", "{\"format\":2}");
    assert_false(giq_claim_read_newest(folder, &claim, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    assert_non_null(strstr(err.text, "newer version of the driver"));
}

static void test_claim_that_is_not_visible_names_nothing(void **state)
{
    struct giq_error err = {0};
    struct giq_claim claim = {0};
    assert_true(giq_claim_read(*state, 5, &claim, &err));
    assert_int_equal(claim.generation, 5);
    assert_null(claim.folder);
}

#define TOKEN "0123456789abcdef0123456789abcdef"

static void test_names_of_results(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool is_result;
    } cases[] = {
        {"result." TOKEN, true},
        {"result", false},
        {"result.", false},
        {"result.old", false},
        {"result.new." TOKEN, false},
        {"result.part." TOKEN, false},
        {"result." TOKEN "0", false},
        {"result.0123456789abcdef0123456789abcde", false},
        {"result.0123456789ABCDEF0123456789ABCDEF", false},
        {"result.0123456789abcdef/../56789abcdef0", false},
        {TOKEN, false},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_int_equal(giq_claim_is_folder(cases[i].name), cases[i].is_result);
    }
}

/* ---- records ---- */

#define RECORD(state, more)                                                              \
    "{\"format\":1,\"state\":\"" state "\",\"job_id\":\"j1\"" more "}"
#define CLAIM_OF(job_id)                                                                 \
    CLAIM("\"job_id\":\"" job_id "\",\"folder\":\"" FOLDER_1 "\",\"name\":\"a.tif\"")

static void test_record_of_a_job_is_published_by_its_claim(void **state)
{
    const char *folder = *state;
    static const struct {
        const char *record;
        const char *claim; /* of the generation 2 */
        enum giq_job_state state;
    } cases[] = {
        {RECORD("succeeded", ""), CLAIM_OF("j1"), GIQ_JOB_PUBLISHED},
        {RECORD("succeeded", ""), CLAIM_OF("j2"), GIQ_JOB_SUCCEEDED},
        {RECORD("succeeded", ""), "", GIQ_JOB_SUCCEEDED},
        {RECORD("succeeded", ",\"gone\":true"), CLAIM_OF("j1"), GIQ_JOB_PUBLISHED},
        {RECORD("succeeded", ",\"gone\":true,\"result\":{\"size\":7,\"generation\":1}"),
         CLAIM_OF("j1"), GIQ_JOB_PUBLISHED},
        {RECORD("succeeded", ",\"gone\":true,\"result\":{\"size\":7,\"generation\":2}"),
         CLAIM_OF("j1"), GIQ_JOB_SUCCEEDED},
        {RECORD("submitted", ""), CLAIM_OF("j1"), GIQ_JOB_PUBLISHED},
        {RECORD("submitted", ""), CLAIM_OF("j2"), GIQ_JOB_SUBMITTED},
        {RECORD("failed", ""), CLAIM_OF("j1"), GIQ_JOB_FAILED},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        struct giq_record record;
        giq_record_init(&record);
        env_kit_write(folder, "job.json", cases[i].record);
        env_kit_write(folder, "published.2", cases[i].claim);
        assert_true(giq_record_read(folder, NULL, &record, NULL, &err));
        assert_int_equal(record.state, cases[i].state);
        assert_int_equal(record.is_claimed, cases[i].state == GIQ_JOB_PUBLISHED);
        if (cases[i].state == GIQ_JOB_PUBLISHED) {
            assert_false(record.gone);
            assert_int_equal(record.result_generation, 2);
            assert_string_equal(record.result_folder, FOLDER_1);
            assert_string_equal(record.result_name, "a.tif");
            assert_true(record.result_size == 7);
        }
        giq_record_release(&record);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENV_KIT_TEST(test_first_one_makes_the_claim),
        ENV_KIT_TEST(test_newest_claim_is_the_highest_number),
        ENV_KIT_TEST(test_damaged_claim_names_nothing),
        ENV_KIT_TEST(test_damaged_claim_does_not_hide_an_older_one),
        ENV_KIT_TEST(test_claim_of_a_newer_version_is_an_error),
        ENV_KIT_TEST(test_claim_that_is_not_visible_names_nothing),
        cmocka_unit_test(test_names_of_results),
        ENV_KIT_TEST(test_record_of_a_job_is_published_by_its_claim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
