/*
 * Names that come from outside, made safe for a file system. Pure.
 *
 * One that may repeat a secret is masked before it is cleaned, since a secret may hold
 * what cleaning takes apart, and after.
 */
#ifndef GIQ_NAME_H
#define GIQ_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "giq/giq.h"

/* Longest cleaned name in bytes. */
enum { GIQ_NAME_MAX = 128, GIQ_NAME_SIZE = GIQ_NAME_MAX + 1 };

/*
 * The file name of a Content-Disposition value, as raw UTF-8 into a new text
 * (to be freed): filename* before filename (RFC 6266, RFC 8187: UTF-8 and
 * ISO-8859-1), quoted-string escapes undone. Percent signs in a plain filename
 * stay. NULL where it names none or when out of memory. NULL is allowed.
 */
char *giq_name_from_disposition(const char *value);

/*
 * The length of what stands before the first separator of a raw path, '/' or '\', or
 * before its end. In a path that is not UTF-8 as a whole (`is_utf8`), a '\' that may be
 * the second byte of a character (Shift-JIS, GBK, Big5) separates nothing.
 */
size_t giq_name_part_len(const char *at, bool is_utf8);

/*
 * Clean `raw` into `out`: what follows the last separator, valid UTF-8, no control
 * characters (C1 included), no leading dots, no trailing dots or spaces, none of the
 * characters `<>:"|?*\`, no outer white space, at most GIQ_NAME_MAX bytes cut between
 * characters with a short extension kept. Nothing left: "result". NULL is allowed.
 */
void giq_name_clean(const char *raw, char out[GIQ_NAME_SIZE]);

/* giq_cred_mask() of a cleaned name, which stays one. */
void giq_name_mask(const struct giq_cred *cred, char name[GIQ_NAME_SIZE]);

/* Replace or add the extension of a cleaned name, keeping GIQ_NAME_MAX.
 * A known wrong extension is replaced, an unknown one kept and added to. */
void giq_name_set_extension(char name[GIQ_NAME_SIZE], const char *extension);

/* From the cleaned name of a gzip file that of what it holds: without ".gz", and with
 * ".tar" for ".tgz". Another name stays. */
void giq_name_drop_gzip(char name[GIQ_NAME_SIZE]);

/* What follows the last dot that is not the first character, else "". */
const char *giq_name_extension(const char *name);

#endif
