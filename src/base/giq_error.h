/*
 * Errors as values. giq_fail() and giq_fail_memory() of giq/giq.h, and giq_fail_sys() set
 * a new error, whatever `err` held before. giq_error_replace() and giq_error_context()
 * change the text of an error and keep its cause. A text that is too long is cut.
 * Thread-safe: all state is the caller's.
 */
#ifndef GIQ_ERROR_H
#define GIQ_ERROR_H

#include "giq/giq.h"

/* giq_fail() for a system call: appends the system's message for `sys_errno`. The
 * arguments of this and the functions below must not point into `err`. */
bool giq_fail_sys(struct giq_error *err, enum giq_code code, int sys_errno,
                  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Room for a message of the system with its NUL. */
enum { GIQ_ERROR_STRERROR_SIZE = 128 };

/* Write the system's message for `sys_errno`, in the user's language, to the `size` bytes
 * at `out`; a longer message is cut. */
void giq_error_strerror(int sys_errno, char *out, size_t size);

/* Replace the code and text of `err`, whether it is set or not; its cause (http_status,
 * sys_errno, permanent) stays. Returns false. */
bool giq_error_replace(struct giq_error *err, enum giq_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "context: " before the text of an error that is set. Returns false. */
bool giq_error_context(struct giq_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
