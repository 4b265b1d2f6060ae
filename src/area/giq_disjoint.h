/*
 * Which of many things belong together, when pairs of them are found to. Pure.
 *
 * giq_disjoint_init(), giq_disjoint_join() for each pair, giq_disjoint_close(), then
 * walk: from each number that is the first of its cluster to the next ones.
 */
#ifndef GIQ_DISJOINT_H
#define GIQ_DISJOINT_H

#include <stdbool.h>
#include <stddef.h>

struct giq_disjoint {
    size_t *lower; /* for each thing one of its cluster with a lower number, or itself */
    size_t *next;  /* of the cluster, 0 at its end */
    size_t count;
};

/* Things 0 to `count` - 1, each by itself. False when out of memory; to be released
 * all the same. */
bool giq_disjoint_init(struct giq_disjoint *clusters, size_t count);
void giq_disjoint_release(struct giq_disjoint *clusters);

bool giq_disjoint_are_joined(struct giq_disjoint *clusters, size_t a, size_t b);
void giq_disjoint_join(struct giq_disjoint *clusters, size_t a, size_t b);

/* No pair follows: make it possible to walk. */
void giq_disjoint_close(struct giq_disjoint *clusters);

/* Whether a number is the lowest of its cluster, with which a walk begins. */
bool giq_disjoint_is_first(const struct giq_disjoint *clusters, size_t number);

/* The number that follows in the cluster; 0 after the last. */
size_t giq_disjoint_next(const struct giq_disjoint *clusters, size_t number);

#endif
