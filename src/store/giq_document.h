/*
 * JSON documents on disk that carry a format number: one value on one line, written
 * whole or not at all. Older formats are read, a newer one is an error.
 *
 * Messages name the file. `advice` is what a user can do about a damaged file, and is the
 * end of its message. Thread-safe. Errors are GIQ_E_STORE and GIQ_E_MEMORY.
 */
#ifndef GIQ_DOCUMENT_H
#define GIQ_DOCUMENT_H

#include "base/giq_buf.h"
#include "base/giq_error.h"
#include "base/giq_json.h"

/* The largest document that is read. A record has the text of an area, which may have a
 * million vertices. */
enum { GIQ_DOCUMENT_BYTES_MAX = 128 * 1024 * 1024 };

/* Read the bytes of folder/name into `buf`, an initialised buffer; `*out_found` is false
 * if there is no file. */
bool giq_document_read_bytes(const char *folder, const char *name, struct giq_buf *buf,
                             bool *out_found, struct giq_error *err);

/*
 * Read the document folder/name; the caller frees `*out` with giq_json_free(). It is NULL
 * if there is no file. `newest` is the newest format that the caller can read. On failure
 * `*out_damaged` is true if the content is damaged. It is false if the format is newer,
 * the file is too large or not a regular file, a system call failed or memory ran out.
 */
bool giq_document_read(const char *folder, const char *name, int64_t newest,
                       const char *advice, struct giq_json **out, bool *out_damaged,
                       struct giq_error *err);

/* The same without the member `without`, as giq_json_read_without(). */
bool giq_document_read_without(const char *folder, const char *name, const char *without,
                               int64_t newest, const char *advice, struct giq_json **out,
                               bool *out_damaged, struct giq_error *err);

/* Fail with "the record folder/name `reason`; `advice`". */
bool giq_document_fail(const char *folder, const char *name, const char *reason,
                       const char *advice, struct giq_error *err);

/* Write the text of a document; durable when the call returns. `access` is bits of enum
 * giq_os_access for the file. */
bool giq_document_write(const char *folder, const char *name, unsigned access,
                        const char *text, struct giq_error *err);

/* The same, but the folder is not synced, as giq_os_put_file(). */
bool giq_document_put(const char *folder, const char *name, unsigned access,
                      const char *text, struct giq_error *err);

#endif
