/*
 * Removes, syncs or measures a folder with everything in it, or finds when it was last
 * modified. Links are not followed, but giq_tree_newest() counts the time of their
 * targets. Errors: those of giq_os.h, and GIQ_E_STORE if folders are nested too deeply.
 */
#ifndef GIQ_TREE_H
#define GIQ_TREE_H

#include "base/giq_error.h"

/* Remove a folder with everything in it, or a file; succeeds if the path does not exist.
 */
bool giq_tree_remove(const char *path, struct giq_error *err);

/* fsync everything in `folder`, and each folder after its contents. */
bool giq_tree_sync(const char *folder, struct giq_error *err);

/* When `path`, a file or a folder, or anything in it was last modified, as in
 * struct giq_os_stat; INT64_MIN if it does not exist. */
bool giq_tree_newest(const char *path, int64_t *out_ns, struct giq_error *err);

/* The bytes of `path`, a file, or of all files in it; 0 if it does not exist. */
bool giq_tree_size(const char *path, int64_t *out_bytes, struct giq_error *err);

#endif
