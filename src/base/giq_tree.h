/*
 * A folder with all that is in it. Links are not followed: they are files here. Errors
 * are those of giq_os.h; GIQ_E_STORE too where folders lie too deep in one another.
 */
#ifndef GIQ_TREE_H
#define GIQ_TREE_H

#include "base/giq_error.h"

/* Remove a folder with all in it, or a file; a path that is not there is fine. */
bool giq_tree_remove(const char *path, struct giq_error *err);

/* fsync every file below `folder`, then the folders. */
bool giq_tree_sync(const char *folder, struct giq_error *err);

#endif
