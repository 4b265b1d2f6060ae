/*
 * Truncated downloads: whether a file is as long as its format states. A transfer may end
 * well although the service sent half a file, and many formats are then read without an
 * error. Pure but for the source that the caller passes.
 *
 * Only parts that are provably missing count: not the holes that a format allows, bytes
 * after its end, lengths that the format calls invalid, unknown variants or damage.
 * Tables of offsets are read, pixels and features are not, unless a format has no other
 * way to its end: FlatGeobuf without an index, and JPEG with bytes after its end.
 */
#ifndef GIQ_COMPLETE_H
#define GIQ_COMPLETE_H

#include "result/giq_bounds.h"

/*
 * Check the file of the format with this extension (struct giq_format), or NULL if it is
 * not known. Errors: GIQ_E_INCOMPLETE if bytes are missing, and those of the source.
 */
bool giq_complete_check(const struct giq_bounds_source *source, const char *extension,
                        struct giq_error *err);

/* ---- JSON ---- */

/* Only its brackets state where JSON ends, so they are counted while it is downloaded.
 * Start from `{0}`. */
struct giq_complete_json {
    bool has_begun;  /* something other than white space came */
    bool is_other;   /* it is not JSON: nothing is counted */
    uint64_t depth;  /* of open brackets */
    bool has_closed; /* the first object or array */
    bool in_text;    /* in a string */
    bool is_escaped; /* the next byte of a string has no meaning */
};
void giq_complete_json_scan(struct giq_complete_json *json, const char *bytes,
                            size_t len);

/* Whether every bracket is closed, of a single object the first one. Fails with
 * GIQ_E_INCOMPLETE if not, and `extension` is that of JSON. */
bool giq_complete_json_check(const struct giq_complete_json *json, const char *extension,
                             struct giq_error *err);

#endif
