/*
 * Unpacks an archive into a folder and checks every file of it. With the linker's --wrap
 * it checks every file and folder when it is made, and fails writing like a full disk
 * when they grow too large.
 */
#ifndef GIQ_TESTS_UNPACKING_H
#define GIQ_TESTS_UNPACKING_H

#include "fuzz.h"

#include "result/giq_archive.h"

void unpacking_check(enum giq_archive_kind kind, const void *bytes, size_t len);

/* The same for one gzip file; its content must not depend on the size of the pieces. */
void unpacking_check_gzip(const void *bytes, size_t len);

#endif
