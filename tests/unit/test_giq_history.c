/* The summary of finished jobs: written whole, bounded, rebuilt, and never an error. */
#include "store/giq_history.h"

#include "unit.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/giq_json.h"
#include "base/giq_os.h"
#include "env_kit.h"
#include "store/giq_record_read.h"

#define BASE  "https://api.example"
#define MODEL "ndvi"

struct shop {
    char *folder;
    struct giq_store *store;
};

static int records_read; /* calls of giq_record_read() */

static int64_t now_ms;      /* what giq_os_now_ms() returns */
static int64_t per_call_ms; /* added each time */

UNIT_WRAPS(giq_os_now_ms);

int64_t __wrap_giq_os_now_ms(void)
{
    now_ms += per_call_ms;
    return now_ms;
}

UNIT_WRAPS(giq_record_read);

bool __wrap_giq_record_read(const char *folder, const char *request,
                            struct giq_record *out, bool *out_damaged,
                            struct giq_error *err)
{
    records_read++;
    return __real_giq_record_read(folder, request, out, out_damaged, err);
}

static int open_store(void **state)
{
    struct giq_error err = {0};
    struct shop *shop = calloc(1, sizeof *shop);
    assert_non_null(shop);
    shop->folder = env_kit_folder();
    assert_true(giq_store_open(shop->folder, GIQ_STORE_PRIVATE, &shop->store, &err));
    records_read = 0;
    per_call_ms = 0;
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

static size_t count_of(const struct shop *shop)
{
    struct giq_history history;
    giq_history_read(shop->store, BASE, MODEL, &history);
    return history.count;
}

static void add(const struct shop *shop, int64_t finished_ms, int64_t duration_ms)
{
    const struct giq_record record = {.state = GIQ_JOB_SUCCEEDED,
                                      .model_id = (char[]){MODEL},
                                      .base_url = (char[]){BASE},
                                      .finished_ms = finished_ms,
                                      .duration_ms = duration_ms,
                                      .area_m2 = 5000000};
    giq_history_add(shop->store, &record);
}

/* Make the record of a request; `at` numbers it. */
static void plant(const struct shop *shop, int at, const char *job_json)
{
    struct giq_error err = {0};
    char key[GIQ_DIGEST_HEX_SIZE];
    (void)snprintf(key, sizeof key, "%064d", at);
    char *folder = giq_store_folder(shop->store, key);
    assert_true(giq_os_make_folders(folder, GIQ_OS_PRIVATE, &err));
    env_kit_write(folder, "job.json", job_json);
    free(folder);
}

/* Make the record of a job that counts. */
static void plant_finished(const struct shop *shop, int at)
{
    char text[400];
    (void)snprintf(
        text, sizeof text,
        "{\"format\":1,\"state\":\"published\",\"job_id\":\"j%d\","
        "\"model_id\":\"" MODEL "\",\"finished_at\":\"2024-05-01T10:%02d:%02dZ\","
        "\"waiting\":{\"duration_ms\":%d,\"area_m2\":7,\"base_url\":\"" BASE "\"}}",
        at, at / 60, at % 60, 1000 + at);
    plant(shop, at, text);
}

/* The path of the only file in the folder of summaries, which the caller frees; NULL if
 * there is none. */
static bool note_name(void *ctx, const char *name, struct giq_error *err)
{
    char **found = ctx;
    (void)err;
    assert_null(*found);
    *found = strdup(name);
    return true;
}

static char *summary_name(const struct shop *shop)
{
    struct giq_error err = {0};
    char *name = NULL;
    assert_true(
        giq_os_list(giq_store_waiting_folder(shop->store), note_name, &name, &err));
    return name;
}

static char *summary_text(const struct shop *shop)
{
    char *name = summary_name(shop);
    char *text =
        name == NULL ? NULL : env_kit_read(giq_store_waiting_folder(shop->store), name);
    free(name);
    return text;
}

static void write_summary(const struct shop *shop, const char *text)
{
    char *name = summary_name(shop);
    assert_non_null(name);
    env_kit_write(giq_store_waiting_folder(shop->store), name, text);
    free(name);
}

static void check_summary(const struct shop *shop, const char *text)
{
    char *found = summary_text(shop);
    assert_string_equal(found, text);
    free(found);
}

static void test_jobs_are_kept_in_the_order_of_their_ends(void **state)
{
    const struct shop *shop = *state;
    struct giq_history history;
    add(shop, 2000, 300);
    add(shop, 1000, 100);
    add(shop, 3000, 200);
    add(shop, 3000, 200); /* the same job again */
    giq_history_read(shop->store, BASE, MODEL, &history);
    assert_int_equal(history.count, 3);
    assert_int_equal(history.job[0].duration_ms, 100);
    assert_int_equal(history.job[1].duration_ms, 300);
    assert_int_equal(history.job[2].duration_ms, 200);
    assert_int_equal(history.job[2].area_m2, 5000000);
    check_summary(shop, "{\"format\":1,\"base_url\":\"" BASE "\",\"model_id\":\"" MODEL
                        "\",\"jobs\":["
                        "{\"finished_at\":\"1970-01-01T00:00:01.000Z\","
                        "\"duration_ms\":100,\"area_m2\":5000000},"
                        "{\"finished_at\":\"1970-01-01T00:00:02.000Z\","
                        "\"duration_ms\":300,\"area_m2\":5000000},"
                        "{\"finished_at\":\"1970-01-01T00:00:03.000Z\","
                        "\"duration_ms\":200,\"area_m2\":5000000}]}");
}

static void test_the_last_64_jobs_are_kept(void **state)
{
    const struct shop *shop = *state;
    struct giq_history history;
    for (int i = 1; i <= 70; i++) {
        add(shop, INT64_C(1000) * i, i);
    }
    add(shop, 500, 999); /* older than all */
    giq_history_read(shop->store, BASE, MODEL, &history);
    assert_int_equal(history.count, GIQ_HISTORY_JOBS_MAX);
    assert_int_equal(history.job[0].duration_ms, 7);
    assert_int_equal(history.job[GIQ_HISTORY_JOBS_MAX - 1].duration_ms, 70);
}

static void test_other_models_and_services_have_their_own(void **state)
{
    const struct shop *shop = *state;
    struct giq_history history;
    add(shop, 1000, 100);
    giq_history_read(shop->store, BASE, "other", &history);
    assert_int_equal(history.count, 0);
    giq_history_read(shop->store, BASE "/2", MODEL, &history);
    assert_int_equal(history.count, 0);
    assert_int_equal(count_of(shop), 1);
}

static void test_jobs_without_a_duration_do_not_count(void **state)
{
    const struct shop *shop = *state;
    static const struct {
        enum giq_job_state state;
        const char *base_url, *model_id;
        int64_t finished_ms, duration_ms, area_m2;
    } cases[] = {
        {GIQ_JOB_FAILED, BASE, MODEL, 1000, 100, 0},
        {GIQ_JOB_SUBMITTED, BASE, MODEL, 1000, 100, 0},
        {GIQ_JOB_SUCCEEDED, NULL, MODEL, 1000, 100, 0},
        {GIQ_JOB_SUCCEEDED, BASE, NULL, 1000, 100, 0},
        {GIQ_JOB_SUCCEEDED, BASE, "", 1000, 100, 0},
        {GIQ_JOB_SUCCEEDED, BASE, MODEL, GIQ_TIME_NONE, 100, 0},
        {GIQ_JOB_SUCCEEDED, BASE, MODEL, INT64_C(253402300800000), 100, 0},
        {GIQ_JOB_SUCCEEDED, BASE, MODEL, 1000, 0, 0},
        {GIQ_JOB_SUCCEEDED, BASE, MODEL, 1000, GIQ_HISTORY_DURATION_MAX_MS + 1, 0},
        {GIQ_JOB_SUCCEEDED, BASE, MODEL, 1000, 100, -1},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        const struct giq_record record = {.state = cases[i].state,
                                          .model_id = (char *)cases[i].model_id,
                                          .base_url = (char *)cases[i].base_url,
                                          .finished_ms = cases[i].finished_ms,
                                          .duration_ms = cases[i].duration_ms,
                                          .area_m2 = cases[i].area_m2};
        giq_history_add(shop->store, &record);
        assert_null(summary_name(shop));
    }
}

static void test_long_names_have_no_history(void **state)
{
    const struct shop *shop = *state;
    struct giq_history history;
    char model[GIQ_HISTORY_NAME_MAX + 2];
    memset(model, 'm', sizeof model);
    model[sizeof model - 1] = '\0';
    giq_history_read(shop->store, BASE, model, &history);
    assert_int_equal(history.count, 0);
    assert_null(summary_name(shop));
    /* Of control characters, JSON makes six times as much. */
    memset(model, '\1', sizeof model);
    model[GIQ_HISTORY_NAME_MAX] = '\0';
    const struct giq_record record = {.state = GIQ_JOB_SUCCEEDED,
                                      .model_id = model,
                                      .base_url = (char[]){BASE},
                                      .finished_ms = 1000,
                                      .duration_ms = 100};
    giq_history_add(shop->store, &record);
    giq_history_read(shop->store, BASE, model, &history);
    assert_int_equal(history.count, 1);
}

/* ---- rebuilding ---- */

static void test_missing_summary_is_rebuilt_once(void **state)
{
    const struct shop *shop = *state;
    struct giq_history history;
    plant_finished(shop, 2);
    plant_finished(shop, 1);
    giq_history_read(shop->store, BASE, MODEL, &history);
    assert_int_equal(history.count, 2);
    assert_int_equal(history.job[0].duration_ms, 1001);
    assert_int_equal(history.job[1].duration_ms, 1002);
    assert_int_equal(history.job[1].area_m2, 7);
    assert_int_equal(records_read, 2);
    /* From then on the summary is read, and not the records. */
    plant_finished(shop, 3);
    assert_int_equal(count_of(shop), 2);
    assert_int_equal(records_read, 2);
}

static void test_empty_summary_is_not_rebuilt(void **state)
{
    const struct shop *shop = *state;
    plant(shop, 1, "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"j\"}");
    assert_int_equal(count_of(shop), 0);
    assert_int_equal(count_of(shop), 0);
    assert_int_equal(records_read, 1);
    check_summary(shop, "{\"format\":1,\"base_url\":\"" BASE "\",\"model_id\":\"" MODEL
                        "\",\"jobs\":[]}");
}

static void test_only_jobs_that_count_are_rebuilt(void **state)
{
    const struct shop *shop = *state;
#define FINISHED "\"finished_at\":\"2024-05-01T10:00:00Z\",\"job_id\":\"j\""
#define WAITING  "\"waiting\":{\"duration_ms\":5,\"base_url\":\"" BASE "\"}"
    static const char *const records[] = {
        "{\"format\":1,\"state\":\"failed\",\"model_id\":\"" MODEL "\"," FINISHED
        "," WAITING "}",
        "{\"format\":1,\"state\":\"published\",\"model_id\":\"other\"," FINISHED
        "," WAITING "}",
        "{\"format\":1,\"state\":\"published\"," FINISHED "," WAITING "}",
        "{\"format\":1,\"state\":\"published\",\"model_id\":\"" MODEL "\"," FINISHED "}",
        "{\"format\":1,\"state\":\"published\",\"model_id\":\"" MODEL "\"," FINISHED
        ",\"waiting\":{\"duration_ms\":5,\"base_url\":\"https://other.example\"}}",
        "{\"format\":1,\"state\":\"published\",\"model_id\":\"" MODEL "\"," FINISHED
        ",\"waiting\":\"long\"}",
        "{\"format\":1,\"state\":\"publ",
        "{\"format\":1,\"state\":\"succeeded\",\"model_id\":\"" MODEL "\"," FINISHED
        "," WAITING "}",
    };
#undef FINISHED
#undef WAITING
    for (int i = 0; i < (int)GIQ_COUNT(records); i++) {
        plant(shop, i, records[i]);
    }
    assert_int_equal(count_of(shop), 1);
}

static void test_damaged_summary_is_rebuilt(void **state)
{
    const struct shop *shop = *state;
#define HEAD                                                                             \
    "{\"format\":1,\"base_url\":\"" BASE "\",\"model_id\":\"" MODEL "\",\"jobs\":"
    static const char *const damaged[] = {
        "",
        "{",
        "[]",
        "{\"format\":0,\"jobs\":[]}",
        "{\"format\":1}",
        "{\"format\":1,\"base_url\":\"" BASE "\",\"model_id\":\"other\",\"jobs\":[]}",
        "{\"format\":1,\"base_url\":\"other\",\"model_id\":\"" MODEL "\",\"jobs\":[]}",
        HEAD "{}}",
        HEAD "[5]}",
        HEAD "[{\"finished_at\":\"yesterday\",\"duration_ms\":5}]}",
        HEAD "[{\"finished_at\":1000,\"duration_ms\":-5}]}",
        HEAD "[{\"finished_at\":1000,\"duration_ms\":1e300}]}",
        HEAD "[{\"finished_at\":1000,\"duration_ms\":5,\"area_m2\":-1}]}",
    };
#undef HEAD
    plant_finished(shop, 1);
    assert_int_equal(count_of(shop), 1);
    char *whole = summary_text(shop);
    for (size_t i = 0; i < GIQ_COUNT(damaged); i++) {
        write_summary(shop, damaged[i]);
        assert_int_equal(count_of(shop), 1);
        check_summary(shop, whole);
        /* Also where a job is added, which is in its record by then. */
        write_summary(shop, damaged[i]);
        add(shop, 1000, 100);
        assert_int_equal(count_of(shop), 2);
        write_summary(shop, whole);
    }
    free(whole);
}

static void test_huge_summary_is_rebuilt_without_reading_it(void **state)
{
    const struct shop *shop = *state;
    plant_finished(shop, 1);
    assert_int_equal(count_of(shop), 1);
    char *name = summary_name(shop);
    char *path = giq_os_join(giq_store_waiting_folder(shop->store), name);
    assert_int_equal(truncate(path, INT64_C(1) << 40), 0);
    assert_int_equal(count_of(shop), 1);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < GIQ_HISTORY_BYTES_MAX);
    free(path);
    free(name);
}

static void test_rebuilding_reads_a_limited_number_of_records(void **state)
{
    const struct shop *shop = *state;
    for (int i = 0; i < GIQ_HISTORY_RECORDS_MAX + 20; i++) {
        plant_finished(shop, i);
    }
    assert_int_equal(count_of(shop), GIQ_HISTORY_JOBS_MAX);
    assert_int_equal(records_read, GIQ_HISTORY_RECORDS_MAX);
}

static void test_rebuilding_takes_a_limited_time(void **state)
{
    const struct shop *shop = *state;
    for (int i = 0; i < 60; i++) {
        plant_finished(shop, i);
    }
    per_call_ms = 1; /* the clock is read before the 33rd record, and each one after it */
    assert_int_equal(count_of(shop),
                     GIQ_HISTORY_RECORDS_MIN + GIQ_HISTORY_REBUILD_MS - 1);
    per_call_ms = 1000;
    write_summary(shop, "");
    assert_int_equal(count_of(shop), GIQ_HISTORY_RECORDS_MIN);
    per_call_ms = 0;
    write_summary(shop, "");
    assert_int_equal(count_of(shop), 60);
}

/* ---- what cannot be read or written ---- */

static void test_summary_of_a_newer_version_is_left_alone(void **state)
{
    const struct shop *shop = *state;
    static const char newer[] = "{\"format\":2,\"jobs\":[]}";
    plant_finished(shop, 1);
    assert_int_equal(count_of(shop), 1);
    write_summary(shop, newer);
    assert_int_equal(count_of(shop), 0);
    add(shop, 1000, 100);
    check_summary(shop, newer);
}

static void test_folder_in_place_of_a_summary_is_left_alone(void **state)
{
    const struct shop *shop = *state;
    plant_finished(shop, 1);
    assert_int_equal(count_of(shop), 1);
    char *name = summary_name(shop);
    char *path = giq_os_join(giq_store_waiting_folder(shop->store), name);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(count_of(shop), 0);
    add(shop, 1000, 100);
    assert_true(giq_os_is_folder(path));
    free(path);
    free(name);
}

static void check_waiting(const struct shop *shop, const char *text)
{
    env_kit_expect(shop->folder, "waiting", text);
}

/* As in a read-only store: the history is there, although it cannot be written. */
static void test_history_is_had_where_no_summary_can_be_written(void **state)
{
    const struct shop *shop = *state;
    plant_finished(shop, 1);
    env_kit_write(shop->folder, "waiting", "not a folder");
    assert_int_equal(count_of(shop), 1);
    add(shop, 1000, 100);
    assert_int_equal(count_of(shop), 1);
    check_waiting(shop, "not a folder");
}

/* ---- several writers ---- */

struct writer {
    const struct shop *shop;
    int number;
};

enum { WRITERS = 8, ADDS = 40 };

static void *write_jobs(void *ctx)
{
    const struct writer *writer = ctx;
    for (int i = 0; i < ADDS; i++) {
        add(writer->shop, INT64_C(1000) * (writer->number * ADDS + i),
            100 + writer->number);
    }
    return NULL;
}

static void test_summary_is_whole_at_all_times(void **state)
{
    const struct shop *shop = *state;
    pthread_t threads[WRITERS];
    struct writer writers[WRITERS];
    add(shop, 1, 1);
    char *name = summary_name(shop);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){shop, i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_jobs, &writers[i]), 0);
    }
    size_t whole = 0;
    for (int i = 0; i < 400; i++) {
        char *text = env_kit_read(giq_store_waiting_folder(shop->store), name);
        struct giq_json *json = giq_json_parse(text, strlen(text));
        whole += giq_json_count(giq_json_get(json, "jobs")) > 0;
        giq_json_free(json);
        free(text);
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(whole, 400);
    free(name);
    name = summary_name(shop); /* and no other file is left */
    assert_non_null(name);
    free(name);
    /* Writers may have lost each other's jobs, but not all of them. */
    assert_true(count_of(shop) > 1);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_jobs_are_kept_in_the_order_of_their_ends),
        STORE_TEST(test_the_last_64_jobs_are_kept),
        STORE_TEST(test_other_models_and_services_have_their_own),
        STORE_TEST(test_jobs_without_a_duration_do_not_count),
        STORE_TEST(test_long_names_have_no_history),
        STORE_TEST(test_missing_summary_is_rebuilt_once),
        STORE_TEST(test_empty_summary_is_not_rebuilt),
        STORE_TEST(test_only_jobs_that_count_are_rebuilt),
        STORE_TEST(test_damaged_summary_is_rebuilt),
        STORE_TEST(test_huge_summary_is_rebuilt_without_reading_it),
        STORE_TEST(test_rebuilding_reads_a_limited_number_of_records),
        STORE_TEST(test_rebuilding_takes_a_limited_time),
        STORE_TEST(test_summary_of_a_newer_version_is_left_alone),
        STORE_TEST(test_folder_in_place_of_a_summary_is_left_alone),
        STORE_TEST(test_history_is_had_where_no_summary_can_be_written),
        STORE_TEST(test_summary_is_whole_at_all_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
