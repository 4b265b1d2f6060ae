/*
 * Where the members of an archive go: paths from outside mapped to safe paths
 * below a folder, no two alike. Pure.
 *
 * Every part of a path is cleaned by giq_name_clean(); empty parts, "." and ".."
 * are dropped. Members whose cleaned paths are the same but for ASCII case are
 * told apart by "-2", "-3" before the extension. Files of one folder that share
 * all before the last dot move together, so that a Shapefile stays one, and so do a file
 * and its .aux.xml and .msk. Secrets in a path are masked: it becomes a name on disk, and
 * is shown.
 */
#ifndef GIQ_MEMBER_H
#define GIQ_MEMBER_H

#include "base/giq_error.h"

/* Most parts of a path. */
enum { GIQ_MEMBER_DEPTH_MAX = 16 };

/* The paths that were given out. */
struct giq_members;

/* `cred` is borrowed for their life; NULL is allowed. */
bool giq_members_new(const struct giq_cred *cred, struct giq_members **out,
                     struct giq_error *err);
void giq_members_free(struct giq_members *members); /* NULL is allowed */

/* Whether a member is what macOS keeps beside the data: `._*`, `__MACOSX`. */
bool giq_member_is_passed_over(const char *raw);

/*
 * The path for the file `raw`, to be freed. `*out_folder_len` is the length of
 * the folder's part of it, 0 where it has none. `raw` must not be one to be
 * passed over. Errors: GIQ_E_RESULT (the same member twice, too deep, too long),
 * GIQ_E_MEMORY.
 */
bool giq_members_place(struct giq_members *members, const char *raw, char **out_path,
                       size_t *out_folder_len, struct giq_error *err);

#endif
