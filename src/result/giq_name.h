/*
 * Turns untrusted file names into safe names for a file system. Pure.
 *
 * The caller masks a name that may hold a secret before it cleans the name, because
 * cleaning may split a secret, and once more afterwards.
 */
#ifndef GIQ_NAME_H
#define GIQ_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "giq/giq.h"

/* Longest cleaned name in bytes. */
enum { GIQ_NAME_MAX = 128, GIQ_NAME_SIZE = GIQ_NAME_MAX + 1 };

/*
 * The file name of a Content-Disposition value, not cleaned; the caller frees it. It is
 * filename*, if that can be decoded, else filename (RFC 6266, RFC 8187: UTF-8 and
 * ISO-8859-1), with the escapes of a quoted string decoded. Percent signs in a plain
 * filename are kept. NULL if there is none, or when out of memory. `value` may be NULL.
 */
char *giq_name_from_disposition(const char *value);

/*
 * The length of a raw path up to its first separator, '/' or '\', or to its end.
 * `is_utf8` states whether the whole path is UTF-8. If it is not, a '\' that may be the
 * second byte of a character (Shift-JIS, GBK, Big5) is not a separator.
 */
size_t giq_name_part_len(const char *at, bool is_utf8);

/*
 * Clean `raw` into `out`: keep what follows the last separator; drop control characters
 * (C1 included), and dots and white space at both ends; replace bytes that are not UTF-8
 * and the characters `<>:"|?*\` by '_'; cut to GIQ_NAME_MAX bytes between characters, but
 * keep an extension of at most 20 bytes, with its dot and a ".tar" before it. If nothing
 * is left the name is "result". `raw` may be NULL.
 */
void giq_name_clean(const char *raw, char out[GIQ_NAME_SIZE]);

/* giq_cred_mask() for a cleaned name, with '_' instead of '*'. `cred` may be NULL. */
void giq_name_mask(const struct giq_cred *cred, char name[GIQ_NAME_SIZE]);

/* Set the extension of a cleaned name, within GIQ_NAME_MAX: it replaces an extension for
 * which giq_format_is_extension() is true, with a ".tar" before it, and is added to any
 * other name. NULL, or an extension of 20 bytes or more, changes nothing. */
void giq_name_set_extension(char name[GIQ_NAME_SIZE], const char *extension);

/* Change the cleaned name of a gzip file to the name of its content: without ".gz", or
 * with ".tar" instead of ".tgz". Other names are not changed. */
void giq_name_drop_gzip(char name[GIQ_NAME_SIZE]);

/* The part of `name` after its last dot; "" if there is no dot, or the last one is the
 * first character. */
const char *giq_name_extension(const char *name);

#endif
