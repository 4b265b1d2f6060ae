/* What a thread has from the one that started it. */
#include "base/giq_thread.h"

#include "unit.h"

#include <locale.h>

static void *note_locale(void *ctx)
{
    *(locale_t *)ctx = uselocale((locale_t)0);
    return NULL;
}

static void check_locale(locale_t expected)
{
    struct giq_thread thread;
    locale_t seen = (locale_t)0;
    assert_true(giq_thread_start(&thread, note_locale, &seen));
    giq_thread_join(&thread);
    assert_ptr_equal(seen, expected);
}

static void test_thread_uses_the_locale_of_its_starter(void **state)
{
    (void)state;
    locale_t own = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    assert_non_null(own);
    check_locale(LC_GLOBAL_LOCALE);
    (void)uselocale(own);
    check_locale(own);
    (void)uselocale(LC_GLOBAL_LOCALE);
    freelocale(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thread_uses_the_locale_of_its_starter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
