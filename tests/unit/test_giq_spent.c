/* Slots of GIQ_MAX_JOBS: taken by a link, one each, never above the limit. */
#include "store/giq_spent.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/giq_os.h"
#include "env_kit.h"
#include "store/giq_store.h"

#define MAY_1 "2024-05-01"
#define MAY_2 "2024-05-02"

enum { DAY_MS = 86400000 };
static const int64_t may_1_ms = 1714521600000;

/* ---- system calls that a test replaces ---- */

enum link_fault {
    LINK_WORKS,
    LINK_FAILS,       /* with link_errno */
    LINK_LOSES_REPLY, /* the link is made, and link_errno reported */
    LINK_IS_LATE,     /* another taker is faster, so many times as link_late says */
};
static enum link_fault link_fault;
static int link_errno;
static int link_late;
static atomic_int links;

UNIT_WRAPS(link);

int __wrap_link(const char *from, const char *to)
{
    links++;
    if (link_fault == LINK_FAILS) {
        errno = link_errno;
        return -1;
    }
    if (link_fault == LINK_IS_LATE && link_late > 0) {
        link_late--;
        FILE *file = fopen(to, "wx");
        assert_non_null(file);
        assert_int_equal(fclose(file), 0);
    }
    int rc = __real_link(from, to);
    if (link_fault == LINK_LOSES_REPLY) {
        errno = link_errno;
        return -1;
    }
    return rc;
}

static const char *synced_slot; /* this path is looked for when a folder is synced */
static atomic_bool was_there;   /* what the last sync found */
static bool sync_fails;         /* that of the folder of MAY_1 */

UNIT_WRAPS(giq_os_sync_path);

bool __wrap_giq_os_sync_path(const char *path, struct giq_error *err)
{
    was_there = synced_slot != NULL && access(synced_slot, F_OK) == 0;
    if (sync_fails && strstr(path, "/spent/" MAY_1) != NULL) {
        return giq_fail(err, GIQ_E_STORE, "cannot sync");
    }
    return __real_giq_os_sync_path(path, err);
}

static int pretended; /* slots that exist for giq_os_stat() only */
static atomic_int stats;

UNIT_WRAPS(giq_os_stat);

bool __wrap_giq_os_stat(const char *path, struct giq_os_stat *out, struct giq_error *err)
{
    const char *name = strrchr(path, '/') + 1;
    stats++;
    if (pretended > 0 && strspn(name, "0123456789") == strlen(name) &&
        atoi(name) <= pretended) {
        *out = (struct giq_os_stat){.kind = GIQ_OS_FILE};
        return true;
    }
    return __real_giq_os_stat(path, out, err);
}

/* ---- a store ---- */

struct shop {
    char *folder;
    struct giq_store *store;
    struct giq_error err;
};

static int setup(void **state)
{
    static struct shop shop;
    shop = (struct shop){.folder = env_kit_folder()};
    assert_true(giq_store_open(shop.folder, GIQ_STORE_PRIVATE, &shop.store, &shop.err));
    link_fault = LINK_WORKS;
    links = 0;
    pretended = 0;
    synced_slot = NULL;
    sync_fails = false;
    *state = &shop;
    return 0;
}

static int teardown(void **state)
{
    struct shop *shop = *state;
    giq_store_close(shop->store);
    env_kit_remove(shop->folder);
    return 0;
}

#define SHOP_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* The number of the slot that is taken, or 0 if there is none. */
static int take_at(struct shop *shop, int64_t now_ms, int max_jobs)
{
    GIQ_AUTO_FREE char *slot = NULL;
    shop->err = (struct giq_error){0};
    if (!giq_spent_take(shop->store, now_ms, max_jobs, "00ff", &slot, &shop->err)) {
        assert_int_equal(shop->err.code, GIQ_E_USAGE);
        return 0;
    }
    return atoi(strrchr(slot, '/') + 1);
}

static int take(struct shop *shop, int max_jobs)
{
    return take_at(shop, may_1_ms, max_jobs);
}

static char *folder_of(const struct shop *shop, const char *date)
{
    GIQ_AUTO_FREE char *spent = giq_os_join(shop->folder, "v1/spent");
    return giq_os_join(spent, date);
}

static char *path_of(const struct shop *shop, const char *date, int slot)
{
    char name[16];
    GIQ_AUTO_FREE char *folder = folder_of(shop, date);
    (void)snprintf(name, sizeof name, "%d", slot);
    return giq_os_join(folder, name);
}

static void give_back(const struct shop *shop, int slot)
{
    GIQ_AUTO_FREE char *path = path_of(shop, MAY_1, slot);
    assert_int_equal(access(path, F_OK), 0);
    giq_spent_return(path);
    assert_int_equal(access(path, F_OK), -1);
}

/* How many files the folder of a day has, whatever their names. */
static size_t files_of(struct shop *shop, const char *date)
{
    GIQ_AUTO_FREE char *folder = folder_of(shop, date);
    return env_kit_count(folder, "");
}

static int taken_at(struct shop *shop, int64_t now_ms)
{
    int count = -1;
    assert_true(giq_spent_count(shop->store, now_ms, &count, &shop->err));
    return count;
}

/* ---- tests ---- */

static void test_slots_are_taken_up_to_the_limit(void **state)
{
    struct shop *shop = *state;
    assert_true(giq_spent_check(shop->store, may_1_ms, 3, &shop->err));
    assert_int_equal(taken_at(shop, may_1_ms), 0);
    assert_int_equal(files_of(shop, MAY_1), 0);
    for (int slot = 1; slot <= 3; slot++) {
        assert_true(giq_spent_check(shop->store, may_1_ms, 3, &shop->err));
        assert_int_equal(take(shop, 3), slot);
        assert_int_equal(taken_at(shop, may_1_ms), slot);
    }
    static const char full[] =
        "no job was started: GIQ_MAX_JOBS limits the jobs that may be started from this "
        "store in a day (UTC) to 3; started today: 3; the next day begins at 2024-05-02 "
        "00:00:00 UTC; open again then, or raise GIQ_MAX_JOBS";
    assert_int_equal(take(shop, 3), 0);
    assert_string_equal(shop->err.text, full);
    assert_false(giq_spent_check(shop->store, may_1_ms, 3, &shop->err));
    assert_int_equal(shop->err.code, GIQ_E_USAGE);
    assert_string_equal(shop->err.text, full);
    assert_int_equal(files_of(shop, MAY_1), 3);
}

static void test_limit_of_zero_allows_none_and_writes_nothing(void **state)
{
    struct shop *shop = *state;
    assert_int_equal(take(shop, 0), 0);
    assert_string_equal(shop->err.text,
                        "no job was started: GIQ_MAX_JOBS=0 allows none on any day; set "
                        "it to the number of jobs that may be started in a day");
    assert_false(giq_spent_check(shop->store, may_1_ms, 0, &shop->err));
    assert_int_equal(shop->err.code, GIQ_E_USAGE);
    GIQ_AUTO_FREE char *keys = giq_os_join(shop->folder, "v1");
    assert_int_equal(access(keys, F_OK), -1);
}

static void test_slot_states_whose_it_is(void **state)
{
    struct shop *shop = *state;
    char host[GIQ_OS_HOST_SIZE];
    char expected[256];
    giq_os_host(host);
    (void)snprintf(expected, sizeof expected,
                   "{\"key\":\"00ff\",\"time\":\"2024-05-01T00:00:00.000Z\",\"pid\":%ld,"
                   "\"host\":\"%s\"}\n",
                   (long)getpid(), host);
    assert_int_equal(take(shop, 1), 1);
    env_kit_expect(shop->folder, "v1/spent/" MAY_1 "/1", expected);
}

static void test_slots_have_the_permissions_of_the_store(void **state)
{
    static const struct {
        unsigned flags;
        mode_t top, folder, file;
    } cases[] = {
        {GIQ_STORE_PRIVATE, 0770, 0700, 0600},
        {0, 0770, 0770, 0660},
        {0, 0700, 0700, 0600},
    };
    struct shop *shop = *state;
    mode_t before = umask(0);
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct stat st;
        int64_t now_ms = may_1_ms + (int64_t)i * DAY_MS;
        GIQ_AUTO_FREE char *slot = NULL;
        giq_store_close(shop->store);
        assert_int_equal(chmod(shop->folder, cases[i].top), 0);
        assert_true(
            giq_store_open(shop->folder, cases[i].flags, &shop->store, &shop->err));
        assert_true(giq_spent_take(shop->store, now_ms, 1, "00ff", &slot, &shop->err));
        assert_int_equal(stat(slot, &st), 0);
        assert_int_equal(st.st_mode & 0777, cases[i].file);
        *strrchr(slot, '/') = '\0';
        assert_int_equal(stat(slot, &st), 0);
        assert_int_equal(st.st_mode & 0777, cases[i].folder);
    }
    (void)umask(before);
}

static void test_each_day_of_utc_has_its_slots(void **state)
{
    struct shop *shop = *state;
    assert_int_equal(take_at(shop, may_1_ms, 1), 1);
    assert_int_equal(take_at(shop, may_1_ms + DAY_MS - 1, 1), 0);
    assert_non_null(strstr(shop->err.text, "begins at 2024-05-02 00:00:00 UTC"));
    assert_int_equal(take_at(shop, may_1_ms + DAY_MS, 1), 1);
    assert_int_equal(files_of(shop, MAY_2), 1);
    /* A clock that is set back finds what it left. */
    assert_int_equal(take_at(shop, may_1_ms + 1, 1), 0);
    assert_int_equal(take_at(shop, -1, 1), 1);
    assert_int_equal(files_of(shop, "1969-12-31"), 1);
    assert_int_equal(take_at(shop, -1, 1), 0);
    assert_non_null(strstr(shop->err.text, "begins at 1970-01-01 00:00:00 UTC"));
}

static void test_returned_slot_is_taken_again(void **state)
{
    enum { SLOTS = 9 };
    struct shop *shop = *state;
    for (int slot = 1; slot <= SLOTS; slot++) {
        assert_int_equal(take(shop, SLOTS), slot);
    }
    for (int slot = 1; slot <= SLOTS; slot++) {
        give_back(shop, slot);
        assert_int_equal(taken_at(shop, may_1_ms), SLOTS - 1);
        assert_true(giq_spent_check(shop->store, may_1_ms, SLOTS, &shop->err));
        assert_int_equal(take(shop, SLOTS), slot);
        assert_int_equal(take(shop, SLOTS), 0);
    }
    assert_int_equal(files_of(shop, MAY_1), SLOTS);
}

/* Of a slot that does not exist any more, as after an operator removed the folder. */
static void test_returning_a_slot_twice_does_nothing(void **state)
{
    struct shop *shop = *state;
    GIQ_AUTO_FREE char *slot = path_of(shop, MAY_1, 1);
    assert_int_equal(take(shop, 1), 1);
    giq_spent_return(slot);
    giq_spent_return(slot);
    assert_int_equal(taken_at(shop, may_1_ms), 0);
}

static void test_slots_above_a_lowered_limit_count(void **state)
{
    struct shop *shop = *state;
    for (int slot = 1; slot <= 9; slot++) {
        assert_int_equal(take(shop, 9), slot);
    }
    give_back(shop, 2);
    assert_int_equal(take(shop, 3), 0);
    assert_non_null(strstr(shop->err.text, "to 3; started today: 8;"));
    assert_false(giq_spent_check(shop->store, may_1_ms, 3, &shop->err));
    assert_int_equal(take(shop, 9), 2);
    /* A limit that was raised. */
    assert_int_equal(take(shop, 10), 10);
}

static void test_other_files_are_no_slots(void **state)
{
    static const char *const names[] = {"2.tmp", "0",  "02",       "-1", "1 ",
                                        "+1",    "1a", "12345678", ".1"};
    struct shop *shop = *state;
    GIQ_AUTO_FREE char *folder = giq_os_join(shop->folder, "v1/spent/" MAY_1);
    assert_int_equal(take(shop, 2), 1);
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        env_kit_write(folder, names[i], "");
    }
    assert_int_equal(taken_at(shop, may_1_ms), 1);
    assert_int_equal(take(shop, 2), 2);
    assert_int_equal(take(shop, 2), 0);
    /* An empty file is a slot: O_EXCL made it, and its taker was killed. */
    env_kit_write(folder, "3", "");
    assert_int_equal(taken_at(shop, may_1_ms), 3);
    assert_int_equal(take(shop, 3), 0);
}

static void test_slot_is_durable_when_it_is_returned(void **state)
{
    struct shop *shop = *state;
    GIQ_AUTO_FREE char *slot = path_of(shop, MAY_1, 1);
    synced_slot = slot;
    assert_int_equal(take(shop, 1), 1);
    assert_true(was_there);
}

static void test_slot_that_cannot_be_synced_is_returned(void **state)
{
    struct shop *shop = *state;
    char *slot = NULL;
    assert_int_equal(take(shop, 9), 1);
    sync_fails = true;
    assert_false(giq_spent_take(shop->store, may_1_ms, 9, "00ff", &slot, &shop->err));
    assert_int_equal(shop->err.code, GIQ_E_STORE);
    assert_null(slot);
    assert_int_equal(files_of(shop, MAY_1), 1);
}

static void test_without_links_a_file_is_created(void **state)
{
    static const int numbers[] = {EPERM, EOPNOTSUPP, ENOSYS, EMLINK};
    struct shop *shop = *state;
    link_fault = LINK_FAILS;
    for (size_t i = 0; i < GIQ_COUNT(numbers); i++) {
        int64_t now_ms = may_1_ms + (int64_t)i * DAY_MS;
        link_errno = numbers[i];
        links = 0;
        for (int slot = 1; slot <= 3; slot++) {
            assert_int_equal(take_at(shop, now_ms, 3), slot);
        }
        assert_int_equal(take_at(shop, now_ms, 3), 0);
        assert_int_equal(links, 3);
    }
    assert_int_equal(files_of(shop, MAY_1), 3);
    assert_true(env_kit_has(shop->folder, "v1/spent/" MAY_1 "/3", "{\"key\":\"00ff\","));
}

static void test_link_whose_reply_was_lost_is_a_slot(void **state)
{
    static const int numbers[] = {EIO, EEXIST, ETIMEDOUT};
    struct shop *shop = *state;
    link_fault = LINK_LOSES_REPLY;
    for (size_t i = 0; i < GIQ_COUNT(numbers); i++) {
        link_errno = numbers[i];
        assert_int_equal(take(shop, 3), (int)i + 1);
        assert_int_equal(files_of(shop, MAY_1), (int)i + 1);
    }
    assert_int_equal(take(shop, 3), 0);
}

static void test_link_that_fails_is_an_error_and_leaves_nothing(void **state)
{
    struct shop *shop = *state;
    char *slot = NULL;
    link_fault = LINK_FAILS;
    link_errno = EIO;
    assert_false(giq_spent_take(shop->store, may_1_ms, 9, "00ff", &slot, &shop->err));
    assert_int_equal(shop->err.code, GIQ_E_STORE);
    assert_int_equal(shop->err.sys_errno, EIO);
    assert_int_equal(files_of(shop, MAY_1), 0);
}

/* Fewer and more than are tried before the folder is read. */
static void test_faster_takers_leave_the_next_slot(void **state)
{
    static const int counts[] = {1, 31, 32, 33, 100};
    struct shop *shop = *state;
    link_fault = LINK_IS_LATE;
    for (size_t i = 0; i < GIQ_COUNT(counts); i++) {
        int64_t now_ms = may_1_ms + (int64_t)i * DAY_MS;
        link_late = counts[i];
        assert_int_equal(take_at(shop, now_ms, counts[i] + 1), counts[i] + 1);
        assert_int_equal(link_late, 0);
    }
    /* They take the last ones. */
    int64_t now_ms = may_1_ms + (int64_t)GIQ_COUNT(counts) * DAY_MS;
    link_late = 100;
    assert_int_equal(take_at(shop, now_ms, 100), 0);
    assert_non_null(strstr(shop->err.text, "to 100; started today: 100;"));
    assert_int_equal(taken_at(shop, now_ms), 100);
}

static void test_free_slot_among_many_is_found_by_few_calls(void **state)
{
    static const int counts[] = {0, 1, 2, 1000, 65536, 99998, 99999};
    struct shop *shop = *state;
    for (size_t i = 0; i < GIQ_COUNT(counts); i++) {
        int64_t now_ms = may_1_ms + (int64_t)i * DAY_MS;
        pretended = counts[i];
        stats = 0;
        links = 0;
        assert_true(giq_spent_check(shop->store, now_ms, 100000, &shop->err));
        assert_int_equal(take_at(shop, now_ms, 100000), counts[i] + 1);
        assert_int_equal(links, 1);
        assert_true(stats <= 2 * 36);
    }
}

/* ---- threads ---- */

enum { THREADS = 16, SLOTS = 40, ROUNDS = 60 };

static struct shop *shared;
static atomic_int in_use[SLOTS + 1]; /* owners of each slot at this moment */
static atomic_int kept;
static atomic_int refused;

/* Takes slots, and returns two of three. */
static void *take_and_return(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        struct giq_error err = {0};
        GIQ_AUTO_FREE char *path = NULL;
        if (!giq_spent_take(shared->store, may_1_ms, SLOTS, "00ff", &path, &err)) {
            refused += err.code == GIQ_E_USAGE;
            continue;
        }
        int slot = atoi(strrchr(path, '/') + 1);
        if (slot < 1 || slot > SLOTS || ++in_use[slot] != 1) {
            return "two owners of a slot";
        }
        if (i % 3 == 0) {
            kept++;
            continue;
        }
        in_use[slot]--;
        giq_spent_return(path);
    }
    return NULL;
}

static void test_threads_never_share_a_slot_or_exceed_the_limit(void **state)
{
    pthread_t threads[THREADS];
    shared = *state;
    kept = 0;
    refused = 0;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_return, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *fault = NULL;
        assert_int_equal(pthread_join(threads[i], &fault), 0);
        assert_null(fault);
    }
    assert_true(refused > 0);
    assert_int_equal(files_of(shared, MAY_1), kept);
    /* What was free only after the last refusal. */
    while (take(shared, SLOTS) > 0) {
        kept++;
    }
    assert_int_equal(kept, SLOTS);
    assert_int_equal(files_of(shared, MAY_1), SLOTS);
}

/* ---- past days ---- */

static void make_days(struct shop *shop, const char *const *dates, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        GIQ_AUTO_FREE char *folder = folder_of(shop, dates[i]);
        assert_true(giq_os_make_folders(folder, GIQ_OS_PRIVATE, &shop->err));
        env_kit_write(folder, "1", "");
        env_kit_write(folder, "0123.tmp", "");
    }
}

static bool has_day(const struct shop *shop, const char *date)
{
    GIQ_AUTO_FREE char *slot = path_of(shop, date, 1);
    return access(slot, F_OK) == 0;
}

static void test_past_days_are_removed(void **state)
{
    static const char *const old[] = {"1999-12-31", "2024-04-22", "2024-04-23"};
    static const char *const kept_days[] = {"2024-04-24", "2024-04-25", "2024-04-26",
                                            "2024-04-27", "2024-04-28", "2024-04-29",
                                            "2024-04-30", MAY_1,        MAY_2,
                                            "2040-01-01", "2024-4-1",   "1999-12-32x"};
    struct shop *shop = *state;
    make_days(shop, old, GIQ_COUNT(old));
    make_days(shop, kept_days, GIQ_COUNT(kept_days));
    giq_spent_tidy(shop->store, may_1_ms);
    for (size_t i = 0; i < GIQ_COUNT(old); i++) {
        assert_false(has_day(shop, old[i]));
    }
    for (size_t i = 0; i < GIQ_COUNT(kept_days); i++) {
        assert_true(has_day(shop, kept_days[i]));
    }
}

/* The clock was in the future for a while. */
static void test_wrong_clock_does_not_remove_the_real_days(void **state)
{
    static const char *const days[] = {"2024-04-28", "2024-04-29", "2024-04-30", MAY_1};
    struct shop *shop = *state;
    const int64_t future_ms = may_1_ms + (int64_t)5000 * DAY_MS;
    make_days(shop, days, GIQ_COUNT(days));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(take_at(shop, future_ms + (int64_t)i * DAY_MS, 1), 1);
        giq_spent_tidy(shop->store, future_ms + (int64_t)i * DAY_MS);
    }
    for (size_t i = 0; i < GIQ_COUNT(days); i++) {
        assert_true(has_day(shop, days[i]));
    }
}

static void test_tidying_an_empty_store_does_nothing(void **state)
{
    struct shop *shop = *state;
    GIQ_AUTO_FREE char *keys = giq_os_join(shop->folder, "v1");
    giq_spent_tidy(shop->store, may_1_ms);
    assert_int_equal(access(keys, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHOP_TEST(test_slots_are_taken_up_to_the_limit),
        SHOP_TEST(test_limit_of_zero_allows_none_and_writes_nothing),
        SHOP_TEST(test_slot_states_whose_it_is),
        SHOP_TEST(test_slots_have_the_permissions_of_the_store),
        SHOP_TEST(test_each_day_of_utc_has_its_slots),
        SHOP_TEST(test_returned_slot_is_taken_again),
        SHOP_TEST(test_returning_a_slot_twice_does_nothing),
        SHOP_TEST(test_slots_above_a_lowered_limit_count),
        SHOP_TEST(test_other_files_are_no_slots),
        SHOP_TEST(test_slot_is_durable_when_it_is_returned),
        SHOP_TEST(test_slot_that_cannot_be_synced_is_returned),
        SHOP_TEST(test_without_links_a_file_is_created),
        SHOP_TEST(test_link_whose_reply_was_lost_is_a_slot),
        SHOP_TEST(test_link_that_fails_is_an_error_and_leaves_nothing),
        SHOP_TEST(test_faster_takers_leave_the_next_slot),
        SHOP_TEST(test_free_slot_among_many_is_found_by_few_calls),
        SHOP_TEST(test_threads_never_share_a_slot_or_exceed_the_limit),
        SHOP_TEST(test_past_days_are_removed),
        SHOP_TEST(test_wrong_clock_does_not_remove_the_real_days),
        SHOP_TEST(test_tidying_an_empty_store_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
