/* The listing of a store: all rows, in the order of the folder, whoever reads them. */
#include "giq/giq.h"

#include "unit.h"

#include <limits.h>

#include "base/giq_os.h"
#include "base/giq_thread.h"
#include "env_kit.h"
#include "store/giq_digest.h"
#include "store/giq_store.h"

enum {
    READ_AHEAD = 32,
    MANY = 200,
    DAMAGED_EVERY = 7,
    EMPTY_EVERY = 10,
    STOP_AT = 50,
};

/* A store, and the rows that a listing of it reports. */
struct shop {
    char *folder;
    struct giq_store *store;
    char keys[MANY][GIQ_DIGEST_HEX_SIZE]; /* of the records, in the order of the folder */
    size_t key_count;
    size_t row_count;
    size_t stop_at;
    size_t area_len; /* of all rows */
};

static int processors;
static int threads_started;
static int threads_max;

UNIT_WRAPS(giq_thread_processors);

int __wrap_giq_thread_processors(void)
{
    return processors;
}

UNIT_WRAPS(giq_thread_start);

bool __wrap_giq_thread_start(struct giq_thread *thread, void *(*run)(void *ctx),
                             void *ctx)
{
    if (threads_started == threads_max) {
        return false;
    }
    threads_started++;
    return __real_giq_thread_start(thread, run, ctx);
}

static int open_shop(void **state)
{
    struct giq_error err = {0};
    struct shop *shop = calloc(1, sizeof *shop);
    assert_non_null(shop);
    shop->folder = env_kit_folder();
    shop->stop_at = SIZE_MAX;
    assert_true(giq_store_open(shop->folder, GIQ_STORE_PRIVATE, &shop->store, &err));
    processors = 4;
    threads_started = 0;
    threads_max = INT_MAX;
    *state = shop;
    return 0;
}

static int close_shop(void **state)
{
    struct shop *shop = *state;
    giq_store_close(shop->store);
    env_kit_remove(shop->folder);
    free(shop);
    return 0;
}

static char *make_folder(const struct shop *shop, int at)
{
    struct giq_error err = {0};
    char key[GIQ_DIGEST_HEX_SIZE];
    (void)snprintf(key, sizeof key, "%064d", at);
    char *folder = giq_store_folder(shop->store, key);
    assert_true(giq_os_make_folders(folder, GIQ_OS_PRIVATE, &err));
    return folder;
}

/* Make the record of a job whose id is its number. */
static void plant(const struct shop *shop, int at, const char *request)
{
    char job[100];
    char *folder = make_folder(shop, at);
    bool is_damaged = at % DAMAGED_EVERY == 0;
    (void)snprintf(job, sizeof job,
                   "%s\"format\":1,\"state\":\"failed\",\"job_id\":\"%d\"}",
                   is_damaged ? "" : "{", at);
    if (at % EMPTY_EVERY != 0) {
        env_kit_write(folder, "request.json", request);
        env_kit_write(folder, "job.json", job);
    }
    free(folder);
}

static void plant_many(const struct shop *shop, int count)
{
    for (int i = 1; i <= count; i++) {
        plant(shop, i, "{\"format\":1,\"geometry\":\"POINT EMPTY\"}");
    }
}

/* ---- listing ---- */

static bool note_key(void *ctx, const char *name, struct giq_error *err)
{
    struct shop *shop = ctx;
    (void)err;
    if (strtol(name, NULL, 10) % EMPTY_EVERY != 0) {
        (void)snprintf(shop->keys[shop->key_count++], GIQ_DIGEST_HEX_SIZE, "%s", name);
    }
    return true;
}

static bool note_row(void *ctx, const struct giq_job_view *job, struct giq_error *err)
{
    struct shop *shop = ctx;
    char id[16];
    long at = strtol(job->key, NULL, 10);
    (void)snprintf(id, sizeof id, "%ld", at);
    assert_string_equal(job->key, shop->keys[shop->row_count]);
    if (at % DAMAGED_EVERY == 0) {
        assert_string_equal(job->state_name, "damaged");
        assert_non_null(strstr(job->error, job->key));
        assert_null(job->job_id);
        assert_null(job->area);
    } else {
        assert_string_equal(job->state_name, "failed");
        assert_non_null(strstr(job->error, id));
        assert_string_equal(job->job_id, id);
        shop->area_len += strlen(job->area);
    }
    if (shop->row_count == shop->stop_at) {
        return giq_fail(err, GIQ_E_USAGE, "enough");
    }
    shop->row_count++;
    return true;
}

static bool list(struct shop *shop, struct giq_error *err)
{
    assert_true(giq_os_list(giq_store_keys_folder(shop->store), note_key, shop, err));
    return giq_jobs_each(shop->store, note_row, shop, err);
}

static void list_all(struct shop *shop)
{
    struct giq_error err = {0};
    assert_true(list(shop, &err));
    assert_int_equal(shop->row_count, shop->key_count);
}

static void test_missing_store_has_no_rows(void **state)
{
    struct shop *shop = *state;
    list_all(shop);
    assert_int_equal(shop->row_count, 0);
}

static void test_rows_are_in_the_order_of_the_folder(void **state)
{
    struct shop *shop = *state;
    plant_many(shop, MANY);
    list_all(shop);
    assert_int_equal(shop->row_count, MANY - MANY / EMPTY_EVERY);
    assert_int_equal(threads_started, 3);
}

static void test_small_store_starts_no_thread(void **state)
{
    struct shop *shop = *state;
    plant_many(shop, READ_AHEAD);
    list_all(shop);
    assert_int_equal(shop->row_count, READ_AHEAD - READ_AHEAD / EMPTY_EVERY);
    assert_int_equal(threads_started, 0);
}

static void test_one_processor_starts_no_thread(void **state)
{
    struct shop *shop = *state;
    processors = 1;
    plant_many(shop, MANY);
    list_all(shop);
    assert_int_equal(shop->row_count, MANY - MANY / EMPTY_EVERY);
    assert_int_equal(threads_started, 0);
}

static void test_all_is_listed_with_the_threads_that_start(void **state)
{
    struct shop *shop = *state;
    threads_max = 1;
    plant_many(shop, MANY);
    list_all(shop);
    assert_int_equal(shop->row_count, MANY - MANY / EMPTY_EVERY);
    assert_int_equal(threads_started, 1);
}

static void test_listing_ends_with_the_error_of_a_row(void **state)
{
    struct shop *shop = *state;
    struct giq_error err = {0};
    shop->stop_at = STOP_AT;
    plant_many(shop, MANY);
    assert_false(list(shop, &err));
    assert_string_equal(err.text, "enough");
    assert_int_equal(shop->row_count, STOP_AT);
}

/* Rows with large areas are not read far ahead. */
static void test_large_areas_are_listed(void **state)
{
    enum { LARGE = 3 * 1024 * 1024, EVERY = 40 };
    static const char head[] = "{\"format\":1,\"geometry\":\"";
    struct shop *shop = *state;
    size_t expected = 0;
    char *large = malloc(sizeof head + LARGE + sizeof "\"}");
    assert_non_null(large);
    (void)snprintf(large, sizeof head + LARGE + sizeof "\"}", "%s%*s\"}", head, LARGE,
                   "");
    for (int i = 1; i <= MANY; i++) {
        bool is_large = i % EVERY == 1;
        plant(shop, i, is_large ? large : "{\"format\":1,\"geometry\":\"\"}");
        if (is_large && i % DAMAGED_EVERY != 0) {
            expected += LARGE;
        }
    }
    free(large);
    list_all(shop);
    assert_int_equal(shop->area_len, expected);
}

#define SHOP_TEST(test) cmocka_unit_test_setup_teardown(test, open_shop, close_shop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_missing_store_has_no_rows),
        SHOP_TEST(test_rows_are_in_the_order_of_the_folder),
        SHOP_TEST(test_small_store_starts_no_thread),
        SHOP_TEST(test_one_processor_starts_no_thread),
        SHOP_TEST(test_all_is_listed_with_the_threads_that_start),
        SHOP_TEST(test_listing_ends_with_the_error_of_a_row),
        SHOP_TEST(test_large_areas_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
