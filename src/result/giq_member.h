/*
 * Members of an archive: turns untrusted paths into safe paths below a folder. Pure.
 *
 * Every part of a path is cleaned by giq_name_clean(); empty parts, "." and ".." are
 * dropped ("a/../b" becomes "a/b"). An archive in which two members get the same path is
 * refused. Secrets in a path are masked, because it becomes a name on disk and appears in
 * messages.
 */
#ifndef GIQ_MEMBER_H
#define GIQ_MEMBER_H

#include "base/giq_error.h"

/* Maximum number of parts of a path. */
enum { GIQ_MEMBER_DEPTH_MAX = 16 };

/* The paths of one archive. */
struct giq_members;

/* `cred` is borrowed until giq_members_free(); NULL is allowed. */
bool giq_members_new(const struct giq_cred *cred, struct giq_members **out,
                     struct giq_error *err);
void giq_members_free(struct giq_members *members); /* NULL is allowed */

/* Whether a member has no data of the result: it is metadata of macOS (`._*`, `__MACOSX`)
 * or has no file name. */
bool giq_member_is_ignored(const char *raw);

/*
 * Add the file `raw`, which must not be one to ignore. `*out_path` is its safe path,
 * which the caller frees; `*out_folder_len` is the length of its folder part, 0 if it has
 * none.
 * Errors: GIQ_E_RESULT (two members with one path, too deep, too long), GIQ_E_MEMORY.
 */
bool giq_members_add(struct giq_members *members, const char *raw, char **out_path,
                     size_t *out_folder_len, struct giq_error *err);

/*
 * The safe path of the file `raw`, which is owned by `members`; NULL if it was not added.
 * Errors: GIQ_E_MEMORY.
 */
bool giq_members_find(const struct giq_members *members, const char *raw,
                      const char **out_path, struct giq_error *err);

#endif
