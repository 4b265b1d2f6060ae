/* Gzip files made in memory. */
#ifndef GIQ_TESTS_GZIP_KIT_H
#define GIQ_TESTS_GZIP_KIT_H

#include "base/giq_buf.h"
#include "unit.h"

/* Add the member that holds these bytes. */
void add_gzip(struct giq_buf *out, const void *bytes, size_t len);

#endif
