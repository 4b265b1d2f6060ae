/*
 * Lists of names: in messages, and of the files of a folder.
 */
#ifndef GIQ_LIST_H
#define GIQ_LIST_H

#include <stddef.h>

/* Room for a list in a message, in bytes with the NUL. */
enum { GIQ_LIST_SIZE = 300 };

/*
 * Join the names of a GDAL string list (NULL: an empty one) with ", " into `out`, of
 * `size` bytes, at least 4. The names that do not fit are replaced by "...". Returns
 * `out`. Thread-safe.
 */
const char *giq_list_join(char **names, char *out, size_t size);

/*
 * The paths of all files and folders below `folder`, relative to it and sorted by bytes,
 * so that every file system gives the same order. A GDAL string list, which the caller
 * frees; NULL if there are none. Thread-safe.
 */
char **giq_list_folder(const char *folder);

#endif
