/*
 * Which of many things belong together, when pairs of them are found to. Pure.
 *
 * giq_clusters_init(), giq_clusters_join() for each pair, giq_clusters_close(), then
 * walk: from each number that is the first of its cluster to the next ones.
 */
#ifndef GIQ_CLUSTERS_H
#define GIQ_CLUSTERS_H

#include <stdbool.h>
#include <stddef.h>

struct giq_clusters {
    size_t *lower; /* for each thing one of its cluster with a lower number, or itself */
    size_t *next;  /* of the cluster, 0 at its end */
    size_t count;
};

/* Things 0 to `count` - 1, each by itself. False when out of memory; to be released
 * all the same. */
bool giq_clusters_init(struct giq_clusters *clusters, size_t count);
void giq_clusters_release(struct giq_clusters *clusters);

bool giq_clusters_are_joined(struct giq_clusters *clusters, size_t a, size_t b);
void giq_clusters_join(struct giq_clusters *clusters, size_t a, size_t b);

/* No pair follows: make it possible to walk. */
void giq_clusters_close(struct giq_clusters *clusters);

/* Whether a number is the lowest of its cluster, with which a walk begins. */
bool giq_clusters_is_first(const struct giq_clusters *clusters, size_t number);

/* The number that follows in the cluster; 0 after the last. */
size_t giq_clusters_next(const struct giq_clusters *clusters, size_t number);

#endif
