#include "store/giq_store.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/giq_os.h"
#include "base/giq_tree.h"
#include "env_kit.h"
#include "store/giq_record.h"

#define BASE "https://api.example"

static const struct giq_key key = {"0123abcd"};

/* Renaming to a path with this end fails once; NULL: none fails. */
static const char *fail_rename_to;

UNIT_WRAPS(fsync);

static char synced[16][4096]; /* the paths of files and folders, in order */
static size_t synced_count;

int __wrap_fsync(int fd)
{
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (synced_count < GIQ_COUNT(synced)) {
        ssize_t len = readlink(link, synced[synced_count], sizeof synced[0] - 1);
        assert_true(len > 0);
        synced[synced_count++][len] = '\0';
    }
    return __real_fsync(fd);
}

static bool is_synced(const char *folder, const char *name)
{
    char *path = name == NULL ? strdup(folder) : giq_os_join(folder, name);
    bool found = false;
    for (size_t i = 0; i < synced_count; i++) {
        found = found || strcmp(synced[i], path) == 0;
    }
    free(path);
    return found;
}

static void test_each_folder_in_which_one_was_made_is_synced(void **state)
{
    (void)state;
    char *folder = env_kit_folder();
    char *real = realpath(folder, NULL);
    char *path = giq_os_join(real, "share/giq");
    char *of_key = giq_os_join(path, "v1/key");
    struct giq_error err = {0};
    struct giq_store *store = NULL;
    assert_true(giq_store_open(path, 0, &store, &err));
    synced_count = 0;
    assert_true(giq_store_make(store, of_key, &err));
    static const char *const parents[] = {NULL, "share", "share/giq", "share/giq/v1"};
    for (size_t i = 0; i < GIQ_COUNT(parents); i++) {
        assert_true(is_synced(real, parents[i]));
    }
    giq_store_close(store);
    free(of_key);
    free(path);
    free(real);
    env_kit_remove(folder);
}

/* Another process may have created the store's folder, and not synced its parent yet. */
static void test_parent_of_a_new_store_is_synced(void **state)
{
    (void)state;
    char *folder = env_kit_folder();
    char *real = realpath(folder, NULL);
    char *path = giq_os_join(real, "giq");
    char *of_key = giq_os_join(path, "v1/key");
    struct giq_error err = {0};
    struct giq_store *store = NULL;
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(giq_store_open(path, 0, &store, &err));
    synced_count = 0;
    assert_true(giq_store_make(store, of_key, &err));
    assert_true(is_synced(real, NULL));
    giq_store_close(store);
    /* Whoever created <store>/v1 has synced it. */
    assert_true(giq_store_open(path, 0, &store, &err));
    synced_count = 0;
    assert_true(giq_store_make(store, of_key, &err));
    assert_true(is_synced(path, NULL));
    assert_false(is_synced(real, NULL));
    giq_store_close(store);
    free(of_key);
    free(path);
    free(real);
    env_kit_remove(folder);
}

static void test_parent_is_synced_although_the_path_ends_in_a_slash(void **state)
{
    (void)state;
    char *folder = env_kit_folder();
    char *real = realpath(folder, NULL);
    char *path = giq_os_join(real, "giq/");
    struct giq_error err = {0};
    struct giq_store *store = NULL;
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(giq_store_open(path, 0, &store, &err));
    char *of_key = giq_store_folder(store, key.hex);
    synced_count = 0;
    assert_true(giq_store_make(store, of_key, &err));
    assert_true(is_synced(real, NULL));
    giq_store_close(store);
    free(of_key);
    free(path);
    free(real);
    env_kit_remove(folder);
}

UNIT_WRAPS(rename);

int __wrap_rename(const char *from, const char *to)
{
    size_t end = fail_rename_to == NULL ? 0 : strlen(fail_rename_to);
    if (end > 0 && strcmp(to + strlen(to) - end, fail_rename_to) == 0) {
        fail_rename_to = NULL;
        errno = EIO;
        return -1;
    }
    return __real_rename(from, to);
}

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
    assert_non_null(strstr(shop->err.text, "the store must be a folder; "));
    assert_int_equal(chmod(shop->folder, 01777), 0);
    assert_false(giq_store_open(shop->folder, 0, &store, &shop->err));
    assert_non_null(
        strstr(shop->err.text, "is world-writable, so any user can replace its results"));
    assert_int_equal(chmod(shop->folder, 0700), 0);
    assert_null(store);
    free(file);
}

static void plant_folder(struct shop *shop, const char *name, const char *base_url,
                         const char *job_json)
{
    char request[256];
    (void)snprintf(request, sizeof request, "{\"format\":1,\"base_url\":\"%s\"}",
                   base_url);
    char *folder = giq_store_folder(shop->store, name);
    assert_true(giq_store_make(shop->store, folder, &shop->err));
    env_kit_write(folder, "request.json", request);
    env_kit_write(folder, "job.json", job_json);
    free(folder);
}

/* The key has 64 times this digit. */
static void plant(struct shop *shop, char digit, const char *base_url,
                  const char *job_json)
{
    struct giq_key of = {""};
    (void)memset(of.hex, digit, sizeof of.hex - 1);
    plant_folder(shop, of.hex, base_url, job_json);
}

static void test_job_is_found_by_its_id_and_service(void **state)
{
    static const struct {
        const char *base_url, *job_id, *end; /* of the folder; NULL: none */
    } cases[] = {
        {BASE, "1", "1"},         {BASE, "2", "2"}, {BASE, "3", NULL},
        {BASE, "4", NULL},        {BASE, "", NULL}, {"https://other", "1", "f"},
        {"https://x", "1", NULL},
    };
    struct shop *shop = *state;
    char *found = NULL;
    assert_true(giq_store_find_job(shop->store, BASE, "1", &found, &shop->err));
    assert_null(found);
    plant(shop, 'f', "https://other",
          "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"1\"}");
    plant(shop, '1', BASE, "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"1\"}");
    plant(shop, '2', BASE, "{\"format\":1,\"state\":\"failed\",\"job_id\":\"2\"}");
    plant(shop, 'd', BASE, "{\"format\":1,\"job_id\":\"3\"");
    plant(shop, '9', BASE, "{\"format\":9,\"state\":\"failed\",\"job_id\":\"3\"}");
    plant(shop, '0', BASE, "{\"format\":1,\"state\":\"intent\"}");
    /* The folder of another program is not that of a key. */
    plant_folder(shop, "copy", BASE,
                 "{\"format\":1,\"state\":\"failed\",\"job_id\":\"4\"}");
    char *v1 = giq_os_join(shop->folder, "v1");
    env_kit_write(v1, "stray", "no folder");
    free(v1);
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        found = NULL;
        assert_true(giq_store_find_job(shop->store, cases[i].base_url, cases[i].job_id,
                                       &found, &shop->err));
        assert_string_equal(found == NULL ? "-" : found + strlen(found) - 1,
                            cases[i].end == NULL ? "-" : cases[i].end);
        free(found);
    }
}

/* It may be that of the job: the job would get a second record. */
static void test_record_that_cannot_be_read_is_not_skipped(void **state)
{
    struct shop *shop = *state;
    char *found = NULL;
    plant(shop, '1', BASE, "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"1\"}");
    plant(shop, '2', BASE, "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"2\"}");
    char *v1 = giq_os_join(shop->folder, "v1");
    char name[128];
    (void)memset(name, '2', sizeof name);
    (void)memcpy(name + GIQ_DIGEST_HEX_SIZE - 1, "/job.json", sizeof "/job.json");
    char *path = giq_os_join(v1, name);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("job.json", path), 0);
    assert_false(giq_store_find_job(shop->store, BASE, "2", &found, &shop->err));
    assert_int_equal(shop->err.code, GIQ_E_STORE);
    assert_int_equal(shop->err.sys_errno, ELOOP);
    assert_non_null(strstr(shop->err.text, path));
    assert_null(found);
    /* Another job is still found. */
    assert_true(giq_store_find_job(shop->store, BASE, "1", &found, &shop->err));
    assert_non_null(found);
    free(found);
    free(path);
    free(v1);
}

static void test_search_without_free_descriptors_fails(void **state)
{
    struct shop *shop = *state;
    struct rlimit before;
    char *found = NULL;
    plant(shop, '1', BASE, "{\"format\":1,\"state\":\"submitted\",\"job_id\":\"1\"}");
    int next = dup(STDIN_FILENO);
    assert_true(next >= 0);
    assert_int_equal(close(next), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    /* One descriptor, for the list of the folder. */
    struct rlimit low = {(rlim_t)next + 1, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    bool ok = giq_store_find_job(shop->store, BASE, "1", &found, &shop->err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(ok);
    assert_int_equal(shop->err.sys_errno, EMFILE);
    assert_null(found);
}

static void test_room_is_checked_with_some_to_spare(void **state)
{
    struct shop *shop = *state;
    assert_true(giq_store_check_space(shop->folder, 1, &shop->err));
    assert_false(giq_store_check_space(shop->folder, INT64_MAX, &shop->err));
    assert_int_equal(shop->err.code, GIQ_E_STORE);
    assert_non_null(strstr(shop->err.text, "the result has 9223372036854775807 bytes and "
                                           "needs 1 MiB more for records, but only "));
    assert_non_null(strstr(shop->err.text, "move the whole store"));
    assert_null(strstr(shop->err.text, "another folder"));
}

static void test_advice_never_leads_from_a_used_store_to_an_empty_one(void **state)
{
    struct shop *shop = *state;
    struct giq_store *store = NULL;
    assert_int_equal(chmod(shop->folder, 0777), 0);
    assert_false(giq_store_open(shop->folder, 0, &store, &shop->err));
    assert_non_null(strstr(shop->err.text, "set GIQ_STORE_DIR to a folder that only"));
    assert_true(giq_store_make(shop->store, shop->of_key, &shop->err));
    assert_false(giq_store_open(shop->folder, 0, &store, &shop->err));
    assert_null(strstr(shop->err.text, "GIQ_STORE_DIR"));
    assert_non_null(strstr(shop->err.text, "run: chmod -R o-w \""));
    assert_int_equal(chmod(shop->folder, 0700), 0);
}

static mode_t mode_at(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void test_what_is_made_gets_what_the_store_has(void **state)
{
    static const struct {
        mode_t store, umask, folder; /* store 0: the driver makes it */
    } cases[] = {
        {0, 0, 0700},      {0, 022, 0700},  {0700, 0, 0700},   {0770, 0, 0770},
        {0770, 027, 0750}, {0755, 0, 0755}, {0775, 002, 0775}, {02770, 007, 0770},
    };
    struct shop *shop = *state;
    char *path = giq_os_join(shop->folder, "of the user");
    char *folder = giq_os_join(path, "v1/0123abcd");
    char *file = giq_os_join(folder, "f");
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_store *store = NULL;
        mode_t before = umask(cases[i].umask);
        if (cases[i].store != 0) {
            assert_int_equal(mkdir(path, 0700), 0);
            assert_int_equal(chmod(path, cases[i].store), 0);
        }
        assert_true(giq_store_open(path, 0, &store, &shop->err));
        assert_true(giq_store_make(store, folder, &shop->err));
        assert_true(giq_os_replace_file(folder, "f", giq_store_access(store), "x", 1,
                                        &shop->err));
        (void)umask(before);
        giq_store_close(store);
        /* And it opens again. */
        assert_true(giq_store_open(path, 0, &store, &shop->err));
        giq_store_close(store);
        assert_int_equal(mode_at(folder), cases[i].folder);
        assert_int_equal(mode_at(file), cases[i].folder & 0666);
        assert_int_equal(mode_at(path),
                         cases[i].store == 0 ? 0700 : cases[i].store & 0777);
        assert_true(giq_tree_remove(path, &shop->err));
    }
    free(file);
    free(folder);
    free(path);
}

static void test_own_folders_that_anybody_may_write_to_are_refused(void **state)
{
    static const struct {
        mode_t store, own;
        bool is_refused;
    } cases[] = {{0755, 0777, true},  {0755, 01777, true}, {0711, 0757, true},
                 {0755, 0775, false}, {0750, 0777, false}, {0700, 0777, false}};
    static const char *const names[] = {"v1", "uploads", "uploads/v1"};
    struct shop *shop = *state;
    for (size_t i = 0; i < GIQ_COUNT(cases) * GIQ_COUNT(names); i++) {
        mode_t own = cases[i / GIQ_COUNT(names)].own;
        struct giq_store *store = NULL;
        char *uploads = giq_os_join(shop->folder, "uploads");
        char *folder = giq_os_join(shop->folder, names[i % GIQ_COUNT(names)]);
        assert_true(giq_os_make_folders(folder, GIQ_OS_PRIVATE, &shop->err));
        assert_int_equal(chmod(folder, own), 0);
        assert_int_equal(chmod(shop->folder, cases[i / GIQ_COUNT(names)].store), 0);
        bool ok = giq_store_open(shop->folder, 0, &store, &shop->err);
        assert_int_equal(ok, !cases[i / GIQ_COUNT(names)].is_refused);
        if (!ok) {
            bool is_v1 = i % GIQ_COUNT(names) == 0;
            char expected[512];
            (void)snprintf(
                expected, sizeof expected,
                "the folder %s is world-writable, so any user can %s; keep the "
                "store, because in another one requests would be paid for "
                "again, and run: chmod -R o-w \"%s\"",
                folder, is_v1 ? "replace its results" : "change which file a job runs on",
                folder);
            assert_string_equal(shop->err.text, expected);
        }
        giq_store_close(store);
        assert_true(giq_tree_remove(folder, &shop->err));
        assert_true(giq_tree_remove(uploads, &shop->err));
        free(folder);
        free(uploads);
    }
}

static void test_store_that_can_be_recorded_in_is_left_as_it_was(void **state)
{
    struct shop *shop = *state;
    char *v1 = giq_os_join(shop->folder, "v1");
    char *uploads = giq_os_join(shop->folder, "uploads/v1");
    assert_true(giq_store_check_writable(shop->store, shop->of_key, true, &shop->err));
    assert_false(giq_os_is_folder(shop->of_key));
    assert_int_equal(rmdir(v1), 0);
    assert_int_equal(rmdir(uploads), 0);
    free(uploads);
    free(v1);
}

static void test_store_that_cannot_be_recorded_in_is_told(void **state)
{
    static const char *const names[] = {"v1", "v1/0123abcd", "uploads", "uploads/v1"};
    struct shop *shop = *state;
    for (size_t i = 0; i < GIQ_COUNT(names); i++) {
        char *path = giq_os_join(shop->folder, names[i]);
        char *parent = strndup(path, (size_t)(strrchr(path, '/') - path));
        assert_true(giq_os_make_folders(parent, GIQ_OS_PRIVATE, &shop->err));
        env_kit_write(parent, strrchr(path, '/') + 1, "in the way");
        assert_false(
            giq_store_check_writable(shop->store, shop->of_key, true, &shop->err));
        assert_int_equal(shop->err.code, GIQ_E_STORE);
        assert_non_null(strstr(shop->err.text, "nothing was sent, because the store"));
        assert_non_null(strstr(shop->err.text, path));
        for (size_t made = 0; made < GIQ_COUNT(names); made++) {
            char *each = giq_os_join(shop->folder, names[made]);
            assert_true(giq_tree_remove(each, &shop->err));
            free(each);
        }
        free(parent);
        free(path);
    }
}

/* ---- links and exclusive creation, which a test replaces ---- */

static int link_errno;
static int exclusive_errno;       /* of the creation of files that must not exist */
static bool ignores_exclusive;    /* such a creation succeeds if the file exists */
static const char *created_alone; /* where neither is replaced: temporary files */

UNIT_WRAPS(link);
int __wrap_link(const char *from, const char *to)
{
    errno = link_errno;
    return link_errno == 0 ? __real_link(from, to) : -1;
}

UNIT_WRAPS(open);
int __wrap_open(const char *path, int flags, ...)
{
    UNIT_OPTIONAL_ARG(mode_t, mode, flags);
    const char *name = strrchr(path, '/');
    bool is_replaced = created_alone != NULL && (flags & O_EXCL) != 0 &&
                       strncmp(name + 1, created_alone, strlen(created_alone)) != 0;
    if (is_replaced && exclusive_errno != 0) {
        errno = exclusive_errno;
        return -1;
    }
    if (is_replaced && ignores_exclusive) {
        flags &= ~O_EXCL;
    }
    return __real_open(path, flags, mode);
}

static void test_store_needs_links_or_exclusive_creation(void **state)
{
    static const struct {
        int link_errno, exclusive_errno;
        bool ignores_exclusive, ok;
        const char *part; /* of the message */
    } cases[] = {
        {0, EOPNOTSUPP, false, true, ""},
        {0, 0, true, true, ""},
        {EPERM, 0, false, true, ""},
        {EOPNOTSUPP, 0, false, true, ""},
        {EPERM, EOPNOTSUPP, false, false, "probe."},
        {ENOSYS, 0, true, false, "has neither links nor exclusive creation of files"},
        {EIO, 0, false, false, "cannot make the link"},
    };
    struct shop *shop = *state;
    char *v1 = giq_os_join(shop->folder, "v1");
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        shop->err = (struct giq_error){0};
        link_errno = cases[i].link_errno;
        exclusive_errno = cases[i].exclusive_errno;
        ignores_exclusive = cases[i].ignores_exclusive;
        created_alone = "new.";
        bool ok = giq_store_check_writable(shop->store, shop->of_key, false, &shop->err);
        created_alone = NULL;
        link_errno = 0;
        assert_int_equal(ok, cases[i].ok);
        assert_int_equal(shop->err.code, ok ? GIQ_E_NONE : GIQ_E_STORE);
        assert_non_null(strstr(shop->err.text, cases[i].part));
        assert_true(ok || strstr(shop->err.text, "nothing was sent, because") != NULL);
        assert_int_equal(rmdir(v1), 0);
    }
    free(v1);
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
        char expected[256];
        (void)snprintf(expected, sizeof expected, "cannot write /s/part%s%s%s",
                       cases[i].sys_errno == 0 ? "" : ": ",
                       cases[i].sys_errno == 0 ? "" : strerror(cases[i].sys_errno),
                       cases[i].is_full ? "; free some space, or move" : "");
        assert_memory_equal(err.text, expected, strlen(expected));
        assert_int_equal(strstr(err.text, "move the whole store and set "
                                          "GIQ_STORE_DIR to its new path") != NULL,
                         cases[i].is_full);
    }
}

#define TOKEN "0123456789abcdef0123456789abcdef"

/* A result that was checked, with the file a. */
static void stage_result(struct shop *shop)
{
    char *staged = NULL;
    assert_true(giq_store_make(shop->store, shop->of_key, &shop->err));
    assert_true(giq_store_stage(shop->store, shop->of_key, TOKEN, &staged, &shop->err));
    env_kit_write(staged, "a", "a");
    free(staged);
}

static void test_publishing_renames_the_result_whole(void **state)
{
    struct shop *shop = *state;
    char *name = NULL;
    stage_result(shop);
    assert_true(giq_store_publish(shop->of_key, TOKEN, &name, &shop->err));
    assert_string_equal(name, "result." TOKEN);
    env_kit_expect(shop->of_key, "result." TOKEN "/a", "a");
    assert_null(env_kit_read(shop->of_key, "result.new." TOKEN "/a"));
    giq_store_unpublish(shop->of_key, name);
    assert_null(env_kit_read(shop->of_key, "result." TOKEN "/a"));
    free(name);
}

static void test_published_result_is_new_however_long_its_check_took(void **state)
{
    struct shop *shop = *state;
    static const struct timespec past[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    struct stat st;
    char *name = NULL;
    stage_result(shop);
    char *path = giq_os_join(shop->of_key, "result.new." TOKEN);
    assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
    free(path);
    assert_true(giq_store_publish(shop->of_key, TOKEN, &name, &shop->err));
    path = giq_os_join(shop->of_key, name);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_mtim.tv_sec > 1);
    free(path);
    free(name);
}

static void test_result_that_cannot_be_renamed_is_not_published(void **state)
{
    struct shop *shop = *state;
    char *name = NULL;
    stage_result(shop);
    fail_rename_to = "/result." TOKEN;
    assert_false(giq_store_publish(shop->of_key, TOKEN, &name, &shop->err));
    assert_int_equal(shop->err.code, GIQ_E_STORE);
    assert_null(fail_rename_to);
    assert_null(name);
    giq_store_unstage(shop->of_key, TOKEN);
    assert_null(env_kit_read(shop->of_key, "result.new." TOKEN "/a"));
    assert_null(env_kit_read(shop->of_key, "result." TOKEN "/a"));
}

static void test_replaced_result_is_restored_only_without_a_published_one(void **state)
{
    struct shop *shop = *state;
    char old[256];
    char published[256];
    assert_true(giq_store_make(shop->store, shop->of_key, &shop->err));
    (void)snprintf(old, sizeof old, "%s/result.old", shop->of_key);
    (void)snprintf(published, sizeof published, "%s/result", shop->of_key);
    assert_int_equal(mkdir(old, 0700), 0);
    env_kit_write(old, "a", "old");
    assert_int_equal(mkdir(published, 0700), 0);
    env_kit_write(published, "a", "new");
    assert_true(giq_store_restore(shop->of_key, &shop->err));
    assert_null(env_kit_read(shop->of_key, "result.old/a"));
    assert_null(env_kit_read(shop->of_key, "result.discarded/a"));
    env_kit_expect(shop->of_key, "result/a", "new");
    giq_store_unpublish(shop->of_key, NULL);
    assert_true(giq_store_restore(shop->of_key, &shop->err));
    assert_null(env_kit_read(shop->of_key, "result/a"));
    assert_int_equal(mkdir(old, 0700), 0);
    env_kit_write(old, "a", "old");
    assert_true(giq_store_restore(shop->of_key, &shop->err));
    env_kit_expect(shop->of_key, "result/a", "old");
}

static void test_paths_of_results(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *file;
        const char *path;
    } cases[] = {
        {NULL, "a.tif", "/s/k/result/a.tif"},
        {NULL, NULL, "/s/k/result"},
        {"result.1", "a.tif", "/s/k/result.1/a.tif"},
        {"result.1", NULL, "/s/k/result.1"},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        char *path = giq_store_result("/s/k", cases[i].name, cases[i].file);
        assert_string_equal(path, cases[i].path);
        free(path);
    }
}

#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_folder_in_which_one_was_made_is_synced),
        cmocka_unit_test(test_parent_of_a_new_store_is_synced),
        cmocka_unit_test(test_parent_is_synced_although_the_path_ends_in_a_slash),
        IN_STORE(test_replaced_result_is_restored_only_without_a_published_one),
        IN_STORE(test_opening_writes_nothing),
        IN_STORE(test_places_that_are_no_store_are_refused),
        IN_STORE(test_job_is_found_by_its_id_and_service),
        IN_STORE(test_record_that_cannot_be_read_is_not_skipped),
        IN_STORE(test_search_without_free_descriptors_fails),
        IN_STORE(test_room_is_checked_with_some_to_spare),
        IN_STORE(test_advice_never_leads_from_a_used_store_to_an_empty_one),
        IN_STORE(test_what_is_made_gets_what_the_store_has),
        IN_STORE(test_own_folders_that_anybody_may_write_to_are_refused),
        IN_STORE(test_store_that_can_be_recorded_in_is_left_as_it_was),
        IN_STORE(test_store_that_cannot_be_recorded_in_is_told),
        IN_STORE(test_store_needs_links_or_exclusive_creation),
        cmocka_unit_test(test_full_disk_is_explained),
        IN_STORE(test_publishing_renames_the_result_whole),
        IN_STORE(test_published_result_is_new_however_long_its_check_took),
        IN_STORE(test_result_that_cannot_be_renamed_is_not_published),
        cmocka_unit_test(test_paths_of_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
