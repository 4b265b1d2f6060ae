/*
 * Truncated downloads: whether a file is as long as its format states. A transfer can
 * succeed although the service sent only part of the file, and many GDAL drivers read
 * such a file without an error. No I/O other than through the caller's source;
 * thread-safe.
 *
 * A file is reported as truncated only if bytes are provably missing. Sparse holes, bytes
 * after the end, lengths that are marked as invalid, unknown variants and damage are not
 * errors here. Tables of offsets are read. Pixels and features are read only if there is
 * no other way to find the end: FlatGeobuf without an index, JPEG that does not end in
 * its end marker, and JPEG 2000 whose last tile-part has no length. Only XML counts as
 * truncated without proof: if the end tag of its root is not in the last 64 MiB.
 */
#ifndef GIQ_COMPLETE_H
#define GIQ_COMPLETE_H

#include "result/giq_bounds.h"

/*
 * Check a file. `extension` is the main extension of its format (struct giq_format), or
 * NULL if the format is not known; a format without a check counts as complete. Errors:
 * GIQ_E_INCOMPLETE if bytes are missing, GIQ_E_MEMORY, and those of the source.
 */
bool giq_complete_check(const struct giq_bounds_source *source, const char *extension,
                        struct giq_error *err);

/* ---- JSON ---- */

/* Only its brackets state where JSON ends, so they are counted during the download. Start
 * from `{0}`. */
struct giq_complete_json {
    bool has_begun;  /* a byte other than white space was scanned */
    bool is_other;   /* it is not JSON: nothing is counted */
    uint64_t depth;  /* of open brackets */
    bool has_closed; /* the first object or array was closed */
    bool in_string;
    bool is_escaped; /* the last byte of the string was a backslash */
};

/* Scan the next `len` bytes of the download. */
void giq_complete_json_scan(struct giq_complete_json *json, const char *bytes,
                            size_t len);

/* Fails with GIQ_E_INCOMPLETE if `extension`, which may be NULL, is the main extension of
 * a JSON format and the text ends too early: before its first object or array is closed,
 * or, if it is a sequence of objects, within any of them. */
bool giq_complete_json_check(const struct giq_complete_json *json, const char *extension,
                             struct giq_error *err);

#endif
