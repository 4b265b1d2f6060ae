#include "base/giq_tree.h"

#include "unit.h"

#include <unistd.h>

#include "base/giq_os.h"
#include "env_kit.h"

static void test_removing_takes_all_below_but_not_behind_links(void **state)
{
    char *folder = *state;
    struct giq_error err = {0};
    char *kept = giq_os_join(folder, "kept");
    char *tree = giq_os_join(folder, "tree");
    char *deep = giq_os_join(folder, "tree/a/b");
    char *link = giq_os_join(folder, "tree/a/link");
    assert_true(giq_os_make_folders(kept, GIQ_OS_PRIVATE, &err));
    assert_true(giq_os_make_folders(deep, GIQ_OS_PRIVATE, &err));
    env_kit_write(kept, "f", "x");
    env_kit_write(deep, "f", "x");
    assert_int_equal(symlink(kept, link), 0);
    assert_true(giq_tree_remove(tree, &err));
    assert_true(giq_tree_remove(tree, &err));
    assert_int_equal(access(tree, F_OK), -1);
    env_kit_expect(kept, "f", "x");
    free(link);
    free(deep);
    free(tree);
    free(kept);
}

/* The path of so many folders in one another, which are made. */
static char *make_deep(const char *folder, int depth)
{
    struct giq_error err = {0};
    char *path = giq_os_join(folder, "top");
    for (int i = 0; i < depth; i++) {
        char *below = giq_os_join(path, "d");
        free(path);
        path = below;
    }
    assert_true(giq_os_make_folders(path, GIQ_OS_PRIVATE, &err));
    return path;
}

static void test_depth_has_a_limit(void **state)
{
    static const struct {
        int depth;
        bool ok;
    } cases[] = {{64, true}, {65, false}};
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        struct giq_error err = {0};
        char *path = make_deep(*state, cases[i].depth);
        char *top = giq_os_join(*state, "top");
        env_kit_write(path, "f", "x");
        assert_int_equal(giq_tree_sync(top, &err), cases[i].ok);
        assert_int_equal(giq_tree_remove(top, &err), cases[i].ok);
        if (!cases[i].ok) {
            assert_int_equal(err.code, GIQ_E_STORE);
            assert_non_null(
                strstr(err.text, "nested more than 64 folders deep in the store"));
            /* Two steps up what is left is within the limit. */
            assert_true(giq_tree_remove(path, &err));
            assert_true(giq_tree_remove(top, &err));
        }
        assert_int_equal(access(top, F_OK), -1);
        free(top);
        free(path);
    }
}

static void test_syncing_does_not_follow_links(void **state)
{
    struct giq_error err = {0};
    char *tree = giq_os_join(*state, "linked");
    char *link = giq_os_join(tree, "link");
    assert_true(giq_os_make_folders(tree, GIQ_OS_PRIVATE, &err));
    assert_int_equal(symlink("/nonexistent/target", link), 0);
    assert_true(giq_tree_sync(tree, &err));
    assert_string_equal(err.text, "");
    free(link);
    free(tree);
}

static void test_missing_paths(void **state)
{
    struct giq_error err = {0};
    char *path = giq_os_join(*state, "none");
    assert_true(giq_tree_remove(path, &err));
    assert_false(giq_tree_sync(path, &err));
    assert_int_equal(err.code, GIQ_E_STORE);
    free(path);
}

static void test_size_is_that_of_the_files(void **state)
{
    struct giq_error err = {0};
    int64_t bytes = -1;
    char *tree = giq_os_join(*state, "tree");
    char *deep = giq_os_join(tree, "a/b");
    char *file = giq_os_join(deep, "f");
    char *link = giq_os_join(tree, "link");
    assert_true(giq_tree_size(tree, &bytes, &err));
    assert_true(bytes == 0);
    assert_true(giq_os_make_folders(deep, GIQ_OS_PRIVATE, &err));
    env_kit_write(tree, "g", "12345");
    env_kit_write(deep, "f", "123");
    assert_int_equal(symlink(file, link), 0);
    assert_true(giq_tree_size(tree, &bytes, &err));
    assert_true(bytes == 8);
    assert_true(giq_tree_size(file, &bytes, &err));
    assert_true(bytes == 3);
    free(link);
    free(file);
    free(deep);
    free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENV_KIT_TEST(test_removing_takes_all_below_but_not_behind_links),
        ENV_KIT_TEST(test_depth_has_a_limit),
        ENV_KIT_TEST(test_syncing_does_not_follow_links),
        ENV_KIT_TEST(test_missing_paths),
        ENV_KIT_TEST(test_size_is_that_of_the_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
