/*
 * Whether a download is as long as its format says: a transfer may end well although
 * the service sent half a file, and many formats are read without a word then. Pure but
 * for the reads that a caller lends.
 *
 * Only what is provably missing counts. Holes that a format allows, bytes after its end,
 * lengths that the format calls invalid, unknown variants and damage are no shortage.
 * Tables of positions are read, pixels and features are not, except where a format has no
 * other way to its end: FlatGeobuf without an index, and JPEG with bytes after its end.
 */
#ifndef GIQ_COMPLETE_H
#define GIQ_COMPLETE_H

#include "base/giq_error.h"

/* A file that is read at will. `read` fills `bytes` from `at` on; what it is asked for
 * lies within `size`. */
struct giq_complete_source {
    bool (*read)(void *ctx, uint64_t at, void *bytes, size_t len, struct giq_error *err);
    void *ctx;
    uint64_t size;
};

/*
 * Check the file of the kind `extension`, as giq_sniff() gives it, or NULL. Errors:
 * GIQ_E_INCOMPLETE where bytes are missing, and those of the source.
 */
bool giq_complete_check(const struct giq_complete_source *source, const char *extension,
                        struct giq_error *err);

/* ---- JSON ---- */

/* JSON tells its end by its brackets alone, so these are counted while the bytes come.
 * Start from `{0}`. */
struct giq_complete_json {
    bool has_begun;  /* something other than white space came */
    bool is_other;   /* which was no JSON: nothing is counted */
    uint64_t depth;  /* of open brackets */
    bool has_closed; /* the first object or list */
    bool in_text;
    bool is_escaped; /* the next byte of a text stands for itself */
};
void giq_complete_json_take(struct giq_complete_json *json, const char *bytes,
                            size_t len);

/* Whether all that was opened is closed, of a single object the first one;
 * GIQ_E_INCOMPLETE where it is not and `extension` is that of JSON. */
bool giq_complete_json_check(const struct giq_complete_json *json, const char *extension,
                             struct giq_error *err);

#endif
