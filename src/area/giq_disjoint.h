/*
 * Disjoint sets (union-find) of the numbers below a count. Pure.
 *
 * Usage: giq_disjoint_init(); giq_disjoint_join() for each pair that belongs together;
 * giq_disjoint_link(); for each number that giq_disjoint_is_first() accepts,
 * giq_disjoint_next() until it returns 0; giq_disjoint_release().
 */
#ifndef GIQ_DISJOINT_H
#define GIQ_DISJOINT_H

#include <stdbool.h>
#include <stddef.h>

struct giq_disjoint {
    size_t *parent; /* for each number a lower one of its set, or itself if it is the
                       lowest */
    size_t *next;   /* the next higher number of the set; 0 after the last: number 0 is
                       always the first of its set */
    size_t count;
};

/* Make one set for each number from 0 to `count` - 1. False when out of memory. The
 * caller releases `sets` in either case. */
bool giq_disjoint_init(struct giq_disjoint *sets, size_t count);
void giq_disjoint_release(struct giq_disjoint *sets);

/* Whether two numbers are in the same set. Shortens paths, so `sets` is not const. */
bool giq_disjoint_are_joined(struct giq_disjoint *sets, size_t a, size_t b);

/* Join the sets of two numbers. */
void giq_disjoint_join(struct giq_disjoint *sets, size_t a, size_t b);

/* Link the numbers of each set for giq_disjoint_next(). No pair may be joined
 * afterwards. */
void giq_disjoint_link(struct giq_disjoint *sets);

/* Whether a number is the lowest of its set. */
bool giq_disjoint_is_first(const struct giq_disjoint *sets, size_t number);

/* The next higher number of the set; 0 after the last. */
size_t giq_disjoint_next(const struct giq_disjoint *sets, size_t number);

#endif
