/* The loader is chosen by the test: it works, or fails at the library or at one of the
 * functions. */
#include "unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/resource.h>

#include "base/giq_os.h"
#include "result/giq_archive.h"
#include "result/giq_libarchive.h"

static struct {
    bool is_real; /* its words too */
    bool finds_no_library;
    int symbols; /* found before one is not; -1: all are */
    int sys_errno;
    const char *says;
    int open; /* handles */
} loader;

UNIT_WRAPS(dlopen);
UNIT_WRAPS(dlsym);
UNIT_WRAPS(dlclose);
UNIT_WRAPS(dlerror);

void *__wrap_dlopen(const char *name, int flags)
{
    if (loader.finds_no_library) {
        errno = loader.sys_errno;
        return NULL;
    }
    void *handle = __real_dlopen(name, flags);
    loader.open += handle != NULL;
    return handle;
}

void *__wrap_dlsym(void *handle, const char *name)
{
    if (loader.symbols == 0) {
        errno = loader.sys_errno;
        return NULL;
    }
    loader.symbols--;
    return __real_dlsym(handle, name);
}

int __wrap_dlclose(void *handle)
{
    loader.open--;
    return __real_dlclose(handle);
}

char *__wrap_dlerror(void)
{
    return loader.is_real ? __real_dlerror() : (char *)(uintptr_t)loader.says;
}

static int set_up(void **state)
{
    (void)state;
    memset(&loader, 0, sizeof loader);
    loader.symbols = -1;
    return 0;
}

static bool is_empty(const struct giq_libarchive *la)
{
    static const struct giq_libarchive none;
    return memcmp(la, &none, sizeof none) == 0;
}

static void test_all_functions_are_found(void **state)
{
    (void)state;
    struct giq_libarchive la;
    struct giq_error err = {0};
    assert_true(giq_libarchive_load(&la, &err));
#define CHECK_FOUND(name) assert_true(la.name != NULL);
    GIQ_LIBARCHIVE_FUNCTIONS(CHECK_FOUND)
    giq_libarchive_release(&la);
    assert_int_equal(loader.open, 0);
    assert_true(is_empty(&la));
    giq_libarchive_release(&la);
    assert_int_equal(loader.open, 0);
}

static void test_missing_library_is_told(void **state)
{
    (void)state;
    struct giq_libarchive la;
    struct giq_error err = {0};
    loader.finds_no_library = true;
    loader.sys_errno = ENOENT;
    loader.says = "lib.so:\n no such\x1b file";
    assert_false(giq_libarchive_load(&la, &err));
    assert_int_equal(err.code, GIQ_E_RESULT);
    assert_string_equal(err.text, "archives cannot be unpacked: lib.so: no such file; "
                                  "install or update libarchive");
    assert_true(is_empty(&la));
    loader.says = NULL;
    assert_false(giq_libarchive_load(&la, &err));
    assert_non_null(strstr(err.text, "no reason given"));
}

static void test_long_words_of_the_loader_are_cut(void **state)
{
    (void)state;
    struct giq_libarchive la;
    struct giq_error err = {0};
    char words[4000];
    memset(words, 'w', sizeof words);
    words[sizeof words - 1] = '\0';
    loader.finds_no_library = true;
    loader.says = words;
    assert_false(giq_libarchive_load(&la, &err));
    assert_non_null(strstr(err.text, "w; install or update libarchive"));
}

static void test_memory_that_runs_out_is_told_as_such(void **state)
{
    (void)state;
    struct giq_libarchive la;
    loader.sys_errno = ENOMEM;
    loader.says = "out of memory";
    for (int i = 0; i < 2; i++) {
        struct giq_error err = {0};
        loader.finds_no_library = i == 0;
        loader.symbols = i;
        assert_false(giq_libarchive_load(&la, &err));
        assert_int_equal(err.code, GIQ_E_MEMORY);
        assert_int_equal(loader.open, 0);
    }
}

/* The real loader, and no descriptor is left for it. */
static void test_too_many_open_files_are_told_as_such(void **state)
{
    (void)state;
    struct giq_libarchive la;
    struct giq_error err = {0};
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    loader.is_real = true;
    bool ok = giq_libarchive_load(&la, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(ok);
    assert_int_equal(err.code, GIQ_E_STORE);
    assert_int_equal(err.sys_errno, EMFILE);
    assert_null(strstr(err.text, "install"));
    assert_true(is_empty(&la));
}

static void test_each_missing_function_is_told(void **state)
{
    (void)state;
    int count = 0;
    struct giq_libarchive la;
    struct giq_error err = {0};
    loader.says = "undefined symbol";
    for (;; count++) {
        loader.symbols = count;
        if (giq_libarchive_load(&la, &err)) {
            break;
        }
        assert_int_equal(err.code, GIQ_E_RESULT);
        assert_non_null(
            strstr(err.text, "undefined symbol; install or update libarchive"));
        assert_true(is_empty(&la));
        assert_int_equal(loader.open, 0);
    }
    giq_libarchive_release(&la);
    assert_int_equal(count, sizeof la / sizeof la.archive_read_new - 1);
}

static void test_unpacking_without_the_library_fails(void **state)
{
    (void)state;
    struct giq_error err = {0};
    loader.finds_no_library = true;
    loader.says = "no such file";
    assert_false(giq_archive_unpack("/proc/self/exe", GIQ_ARCHIVE_ZIP, "/nowhere",
                                    GIQ_OS_PRIVATE, NULL, NULL, &err));
    assert_int_equal(err.code, GIQ_E_RESULT);
    assert_non_null(strstr(err.text, "archives cannot be unpacked: no such file"));
}

#define TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* Before one that loads it: it stays in the process. */
        TEST(test_too_many_open_files_are_told_as_such),
        TEST(test_all_functions_are_found),
        TEST(test_missing_library_is_told),
        TEST(test_long_words_of_the_loader_are_cut),
        TEST(test_memory_that_runs_out_is_told_as_such),
        TEST(test_each_missing_function_is_told),
        TEST(test_unpacking_without_the_library_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
