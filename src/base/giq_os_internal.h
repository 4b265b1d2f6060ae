/* What giq_os.c and giq_os_lock.c share: calls on descriptors. */
#ifndef GIQ_OS_INTERNAL_H
#define GIQ_OS_INTERNAL_H

#include <sys/types.h>

#include "base/giq_error.h"

/* Open a file, close-on-exec and never as 0 to 2; -1 on failure. */
int giq_os_open_fd(const char *path, int flags, unsigned access);

/* Read at most `max` bytes once; 0 at the end of the file, -1 on failure. */
ssize_t giq_os_read_some(int fd, char *out, size_t max);

/* Empty a file. */
bool giq_os_truncate_fd(int fd);

/* Fail with "cannot `doing` `path`" and the message for `errno`. */
bool giq_os_fail_path(struct giq_error *err, const char *doing, const char *path);

#endif
