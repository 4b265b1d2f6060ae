/*
 * Which texts were seen before: a set that keeps a digest of each. Start from `{0}`;
 * giq_seen_release() on every path. A set is for one thread at a time.
 */
#ifndef GIQ_SEEN_H
#define GIQ_SEEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/giq_error.h"

struct giq_seen_digest {
    uint64_t half[2]; /* both 0: the slot is free */
};

struct giq_seen {
    struct giq_seen_digest *slot;
    size_t capacity; /* 0 or a power of two */
    size_t count;
};

/* Add a text. `*out_new` is whether it was not in the set. Errors: GIQ_E_MEMORY. */
bool giq_seen_add(struct giq_seen *seen, const char *text, bool *out_new,
                  struct giq_error *err);

/* Free the set, which is then empty. */
void giq_seen_release(struct giq_seen *seen);

#endif
