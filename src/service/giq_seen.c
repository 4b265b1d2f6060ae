/*
 * A hash table with open addressing. Digests are their own hashes: whoever chooses the
 * texts cannot make two digests equal.
 */
#include "service/giq_seen.h"

#include <stdlib.h>
#include <string.h>

#include "store/giq_digest.h"

enum {
    FIRST_CAPACITY = 256,
    HALF_DIGITS = 16, /* hexadecimal digits of a uint64_t */
    DIGITS = 2 * HALF_DIGITS,
};

static bool is_free(const struct giq_seen_digest *slot)
{
    return slot->half[0] == 0 && slot->half[1] == 0;
}

/* The first half of the SHA-256 of the text: no two texts have the same 128 bits. */
static bool digest_of(const char *text, struct giq_seen_digest *out,
                      struct giq_error *err)
{
    char hex[GIQ_DIGEST_HEX_SIZE];
    if (!giq_digest_bytes(text, strlen(text), hex, err)) {
        return false;
    }
    hex[DIGITS] = '\0';
    out->half[1] = strtoull(hex + HALF_DIGITS, NULL, 16);
    hex[HALF_DIGITS] = '\0';
    out->half[0] = strtoull(hex, NULL, 16);
    if (is_free(out)) {
        out->half[0] = 1;
    }
    return true;
}

/* The slot that holds the digest, or else the free one for it. `capacity` is more than
 * the number of digests. */
static struct giq_seen_digest *find(struct giq_seen_digest *slots, size_t capacity,
                                    const struct giq_seen_digest *digest)
{
    size_t at = (size_t)digest->half[0] & (capacity - 1);
    while (!is_free(&slots[at]) && (slots[at].half[0] != digest->half[0] ||
                                    slots[at].half[1] != digest->half[1])) {
        at = (at + 1) & (capacity - 1);
    }
    return &slots[at];
}

/* Keep the table at most half full. */
static bool reserve(struct giq_seen *seen, struct giq_error *err)
{
    if (2 * (seen->count + 1) <= seen->capacity) {
        return true;
    }
    size_t capacity = seen->capacity == 0 ? FIRST_CAPACITY : 2 * seen->capacity;
    struct giq_seen_digest *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL) {
        return giq_fail_memory(err);
    }
    for (size_t i = 0; i < seen->capacity; i++) {
        if (!is_free(&seen->slot[i])) {
            *find(slots, capacity, &seen->slot[i]) = seen->slot[i];
        }
    }
    free(seen->slot);
    seen->slot = slots;
    seen->capacity = capacity;
    return true;
}

bool giq_seen_add(struct giq_seen *seen, const char *text, bool *out_new,
                  struct giq_error *err)
{
    struct giq_seen_digest digest;
    if (!digest_of(text, &digest, err) || !reserve(seen, err)) {
        return false;
    }
    struct giq_seen_digest *slot = find(seen->slot, seen->capacity, &digest);
    *out_new = is_free(slot);
    if (*out_new) {
        *slot = digest;
        seen->count++;
    }
    return true;
}

void giq_seen_release(struct giq_seen *seen)
{
    free(seen->slot);
    *seen = (struct giq_seen){0};
}
