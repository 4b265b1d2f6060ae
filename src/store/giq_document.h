/*
 * JSON documents on disk that carry a format number: one value on one line, written
 * whole or not at all. Older formats are read, a newer one is an error.
 *
 * Messages name the file. `advice` is what a user can do about a damaged one, and ends
 * its message.
 */
#ifndef GIQ_DOCUMENT_H
#define GIQ_DOCUMENT_H

#include "base/giq_buf.h"
#include "base/giq_error.h"
#include "base/giq_json.h"

enum { GIQ_DOCUMENT_BYTES_MAX = 128 * 1024 * 1024 };

/* The bytes of folder/name into `buf`, an initialised buffer; `*out_found` is false
 * where there is no file. */
bool giq_document_bytes(const char *folder, const char *name, struct giq_buf *buf,
                        bool *out_found, struct giq_error *err);

/*
 * The document folder/name, which is the caller's, or NULL in `*out` where there is
 * none. Errors: GIQ_E_STORE, where `*out_damaged` tells what cannot be read from a
 * format above `newest` and from failing calls; GIQ_E_MEMORY.
 */
bool giq_document_read(const char *folder, const char *name, int64_t newest,
                       const char *advice, struct giq_json **out, bool *out_damaged,
                       struct giq_error *err);

/* GIQ_E_STORE: the record folder/name `reason`. */
bool giq_document_fail(const char *folder, const char *name, const char *reason,
                       const char *advice, struct giq_error *err);

/* Write the text of a document; durable when the call returns. `access` is an enum
 * giq_os_access. */
bool giq_document_write(const char *folder, const char *name, unsigned access,
                        const char *text, struct giq_error *err);

#endif
