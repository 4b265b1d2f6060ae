#include "giq/external.h"
#include "unit.h"

static void test_names_are_the_same_however_they_are_composed(void **state)
{
    (void)state;
    static const struct {
        const char *one, *other;
        bool same;
    } cases[] = {
        {"", "", true},
        {"a.tif", "A.TIF", true},
        {"a.tif", "b.tif", false},
        {"a", "ab", false},
        {"caf\u00e9.tif", "cafe\u0301.tif", true},
        {"CAF\u00c9.tif", "cafE\u0301.tif", true},
        {"caf\u00e9.tif", "cafe\u0300.tif", false},
        {"caf\u00e9.tif", "cafe.tif", false},
        {"\u1ec7", "e\u0323\u0302", true}, /* Vietnamese, two marks */
        {"\u1ec7", "\u1eb9\u0302", true},
        {"\u01d5", "U\u0308\u0304", true},
        {"\u0439\u0451", "\u0438\u0306\u0435\u0308", true},
        {"\u03ad\u0390", "\u03b5\u0301\u03b9\u0308\u0301", true},
        {"\u304c\u30d1", "\u304b\u3099\u30cf\u309a", true},
        {"\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af", true},
        {"\uac00", "\u1100\u1161", true},
        {"\uac01", "\uac00", false},
        {"\xff.tif", "\xff.tif", true},
        {"\xff.tif", "\xfe.tif", false},
        {"\xc3\xa9", "\xc3", false},
    };
    for (size_t i = 0; i < GIQ_COUNT(cases); i++) {
        assert_int_equal(giq_norm_same(cases[i].one, cases[i].other), cases[i].same);
        assert_int_equal(giq_norm_same(cases[i].other, cases[i].one), cases[i].same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_the_same_however_they_are_composed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
