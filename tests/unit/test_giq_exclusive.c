/* One of several callers creates a file, whatever link() answers. */
#include "store/giq_exclusive.h"

#include "unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/giq_os.h"
#include "env_kit.h"

static int link_errno;   /* of each call; 0: it works */
static bool loses_reply; /* the link is made before link_errno is reported */

UNIT_WRAPS(link);
int __wrap_link(const char *from, const char *to)
{
    int rc = link_errno == 0 || loses_reply ? __real_link(from, to) : -1;
    if (link_errno != 0) {
        errno = link_errno;
        rc = -1;
    }
    return rc;
}

static int empty_creations; /* of files that must not exist */

UNIT_WRAPS(giq_os_create_new);
bool __wrap_giq_os_create_new(const char *path, unsigned access, const char *bytes,
                              size_t len, bool *out_exists, struct giq_error *err)
{
    empty_creations += len == 0;
    return __real_giq_os_create_new(path, access, bytes, len, out_exists, err);
}

static bool create(const char *folder, const char *name, const char *text, bool *out,
                   struct giq_error *err)
{
    GIQ_AUTO(giq_exclusive_release)
    struct giq_exclusive file = {
        .folder = folder, .access = 0640, .bytes = text, .len = strlen(text)};
    *err = (struct giq_error){0};
    return giq_exclusive_create(&file, name, out, err);
}

static void test_second_creator_leaves_the_file_of_the_first(void **state)
{
    static const int errors[] = {0, EPERM, EOPNOTSUPP, ENOSYS, EMLINK};
    const char *folder = *state;
    for (size_t i = 0; i < GIQ_COUNT(errors); i++) {
        struct giq_error err;
        struct stat st;
        char name[24];
        bool is_first = false;
        bool is_second = true;
        (void)snprintf(name, sizeof name, "f%zu", i);
        link_errno = errors[i];
        assert_true(create(folder, name, "first", &is_first, &err));
        assert_true(create(folder, name, "second", &is_second, &err));
        link_errno = 0;
        assert_true(is_first);
        assert_false(is_second);
        env_kit_expect(folder, name, "first");
        char *path = giq_os_join(folder, name);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0640);
        assert_int_equal(st.st_nlink, 1);
        free(path);
        assert_int_equal(env_kit_count(folder, ""), (int)i + 1);
    }
}

static void test_link_whose_reply_was_lost_is_made(void **state)
{
    static const int errors[] = {EEXIST, EIO, ETIMEDOUT, EPERM};
    const char *folder = *state;
    for (size_t i = 0; i < GIQ_COUNT(errors); i++) {
        struct giq_error err;
        char name[24];
        bool is_created = false;
        (void)snprintf(name, sizeof name, "f%zu", i);
        link_errno = errors[i];
        loses_reply = true;
        assert_true(create(folder, name, "mine", &is_created, &err));
        loses_reply = false;
        link_errno = 0;
        assert_true(is_created);
        env_kit_expect(folder, name, "mine");
    }
    assert_int_equal(env_kit_count(folder, ""), GIQ_COUNT(errors));
}

static void test_link_that_fails_is_an_error_and_leaves_nothing(void **state)
{
    static const int errors[] = {EIO, ENOSPC, EDQUOT, EROFS, ESTALE};
    const char *folder = *state;
    for (size_t i = 0; i < GIQ_COUNT(errors); i++) {
        struct giq_error err;
        bool is_created = false;
        link_errno = errors[i];
        assert_false(create(folder, "f", "mine", &is_created, &err));
        link_errno = 0;
        assert_int_equal(err.code, GIQ_E_STORE);
        assert_int_equal(err.sys_errno, errors[i]);
        assert_int_equal(env_kit_count(folder, ""), 0);
    }
}

/* Somebody has created the file and not written it yet. */
static void test_empty_file_decides_where_there_are_no_links(void **state)
{
    const char *folder = *state;
    struct giq_error err;
    bool is_created = true;
    env_kit_write(folder, "f", "");
    link_errno = EPERM;
    assert_true(create(folder, "f", "mine", &is_created, &err));
    link_errno = 0;
    assert_false(is_created);
    env_kit_expect(folder, "f", "");
}

/* It is never seen empty. */
static void test_whole_file_is_renamed_where_there_are_no_links(void **state)
{
    const char *folder = *state;
    for (int i = 0; i < 2; i++) {
        GIQ_AUTO(giq_exclusive_release)
        struct giq_exclusive file = {.folder = folder,
                                     .access = 0600,
                                     .bytes = i == 0 ? "first" : "second",
                                     .len = i == 0 ? 5 : 6,
                                     .is_whole = true};
        struct giq_error err = {0};
        bool is_created = i != 0;
        link_errno = EPERM;
        empty_creations = 0;
        assert_true(giq_exclusive_create(&file, "f", &is_created, &err));
        link_errno = 0;
        assert_int_equal(is_created, i == 0);
        assert_int_equal(empty_creations, 0);
        env_kit_expect(folder, "f", "first");
    }
    assert_int_equal(env_kit_count(folder, ""), 1);
}

static void test_one_of_several_processes_creates_each_name(void **state)
{
    enum { PROCESSES = 8, NAMES = 60 };
    const char *folder = *state;
    for (int has_links = 0; has_links < 2; has_links++) {
        pid_t creators[PROCESSES];
        int created = 0;
        link_errno = has_links ? 0 : EOPNOTSUPP;
        for (int i = 0; i < PROCESSES; i++) {
            creators[i] = fork();
            if (creators[i] == 0) {
                int mine = 0;
                for (int n = 0; n < NAMES; n++) {
                    struct giq_error err;
                    char name[32];
                    bool is_created = false;
                    (void)snprintf(name, sizeof name, "links%d.%d", has_links, n);
                    if (!create(folder, name, "whole", &is_created, &err)) {
                        _exit(255);
                    }
                    mine += is_created;
                }
                _exit(mine);
            }
        }
        for (int i = 0; i < PROCESSES; i++) {
            int status = -1;
            assert_int_equal(waitpid(creators[i], &status, 0), creators[i]);
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 255);
            created += WEXITSTATUS(status);
        }
        link_errno = 0;
        assert_int_equal(created, NAMES);
        for (int n = 0; n < NAMES; n++) {
            char name[32];
            (void)snprintf(name, sizeof name, "links%d.%d", has_links, n);
            env_kit_expect(folder, name, "whole");
        }
        assert_int_equal(env_kit_count(folder, ""), NAMES * (has_links + 1));
    }
}

static void test_numbers_of_names(void **state)
{
    static const struct {
        const char *name, *prefix;
        int number;
    } cases[] = {
        {"sent.1", "sent.", 1},
        {"sent.9999999", "sent.", 9999999},
        {"sent.10000000", "sent.", 0},
        {"sent.0", "sent.", 0},
        {"sent.01", "sent.", 0},
        {"sent.", "sent.", 0},
        {"sent.1x", "sent.", 0},
        {"sent.-1", "sent.", 0},
        {"sent. 1", "sent.", 0},
        {"sent.1.tmp", "sent.", 0},
        {"Sent.1", "sent.", 0},
        {"sen", "sent.", 0},
        {"12", "", 12},
        {"", "", 0},
    };
    (void)state;
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_int_equal(giq_exclusive_number(cases[i].name, cases[i].prefix),
                         cases[i].number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENV_KIT_TEST(test_second_creator_leaves_the_file_of_the_first),
        ENV_KIT_TEST(test_link_whose_reply_was_lost_is_made),
        ENV_KIT_TEST(test_link_that_fails_is_an_error_and_leaves_nothing),
        ENV_KIT_TEST(test_empty_file_decides_where_there_are_no_links),
        ENV_KIT_TEST(test_whole_file_is_renamed_where_there_are_no_links),
        ENV_KIT_TEST(test_one_of_several_processes_creates_each_name),
        cmocka_unit_test(test_numbers_of_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
