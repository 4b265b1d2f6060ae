#include "unit.h"
int main(void)
{
    return cmocka_run_group_tests(((struct CMUnitTest[]){{0}}), NULL, NULL);
}
