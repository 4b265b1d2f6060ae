/*
 * Members of an archive: turns untrusted paths into safe paths below a folder. Pure.
 *
 * Every part of a path is cleaned by giq_name_clean(); empty parts, "." and ".." are
 * dropped ("a/../b" becomes "a/b"). An archive is refused if two of its members get the
 * same path, or a file gets that of a folder. Secrets in a path are masked, because it
 * becomes a name on disk and appears in messages.
 */
#ifndef GIQ_MEMBER_H
#define GIQ_MEMBER_H

#include "base/giq_error.h"

/* Maximum number of parts of a path. */
enum { GIQ_MEMBER_DEPTH_MAX = 16 };

/* The paths of one archive. */
struct giq_members;

/* The caller passes `*out` to giq_members_free(). `cred` is borrowed until then; NULL is
 * allowed. Errors: GIQ_E_MEMORY. */
bool giq_members_new(const struct giq_cred *cred, struct giq_members **out,
                     struct giq_error *err);
void giq_members_free(struct giq_members *members); /* NULL is allowed */

/* Whether a member has no data of the result: it is metadata of macOS (`._*`, `__MACOSX`)
 * or has no file name. False if the path is too long: giq_members_add() then fails. */
bool giq_member_is_ignored(const char *raw);

/*
 * Add the file `raw`; giq_member_is_ignored(raw) must be false. Sets `*out_path` to its
 * safe path, to be freed by the caller, and `*out_folder_len` to the length of the
 * folders in that path, without the separator; 0 if there are none.
 * Errors: GIQ_E_RESULT (the path of another member, too deep, too long), GIQ_E_MEMORY.
 */
bool giq_members_add(struct giq_members *members, const char *raw, char **out_path,
                     size_t *out_folder_len, struct giq_error *err);

/*
 * Find the safe path of the file `raw`. Sets `*out_path` to it, owned by `members`, or to
 * NULL if the file was not added. Errors: GIQ_E_MEMORY.
 */
bool giq_members_find(const struct giq_members *members, const char *raw,
                      const char **out_path, struct giq_error *err);

#endif
