/* What every unit test includes: cmocka and what it needs before it. */
#ifndef GIQ_TESTS_UNIT_H
#define GIQ_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "giq/giq.h"

/* Declare what the linker makes of calls of `function` that are replaced (--wrap), and
 * the function itself. */
#define UNIT_WRAPS(function) __typeof__(function) __wrap_##function, __real_##function

#endif
