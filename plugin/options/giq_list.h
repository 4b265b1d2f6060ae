/*
 * Lists of names in messages.
 */
#ifndef GIQ_LIST_H
#define GIQ_LIST_H

#include <stddef.h>

/*
 * Join the names of a GDAL string list (NULL: an empty one) with commas into `out`. Names
 * that do not fit in `size` bytes are replaced by "...". Returns `out`. Thread-safe.
 */
const char *giq_list_join(char **names, char *out, size_t size);

#endif
