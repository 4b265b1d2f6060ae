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

/* Declare `name`, the optional argument behind `last`, in a function like open(). */
#define UNIT_OPTIONAL_ARG(type, name, last)                                              \
    va_list name##_args;                                                                 \
    va_start(name##_args, last);                                                         \
    type name = va_arg(name##_args, type);                                               \
    va_end(name##_args)

/* Declare what the linker makes of calls of `function` that are replaced (--wrap), and
 * the function itself. */
#define UNIT_WRAPS(function) __typeof__(function) __wrap_##function, __real_##function

#endif
