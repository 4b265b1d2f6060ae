/*
 * Unpacks an archive into a folder and checks every file of it. The linker's
 * --wrap watches every file and folder that is made, and ends what grows too large as
 * a full disk would.
 */
#ifndef GIQ_TESTS_UNPACKING_H
#define GIQ_TESTS_UNPACKING_H

#include "fuzz.h"

#include "result/giq_archive.h"

void unpacking_check(enum giq_archive_kind kind, const void *bytes, size_t len);

/* The same of one compressed file, which must be decoded alike in whatever pieces. */
void unpacking_check_gzip(const void *bytes, size_t len);

#endif
