/* Union-find with path halving; the root of a set is its lowest number. */
#include "area/giq_disjoint.h"

#include <stdlib.h>

bool giq_disjoint_init(struct giq_disjoint *sets, size_t count)
{
    /* One more than needed, because calloc() may return NULL for 0. */
    *sets = (struct giq_disjoint){.parent = calloc(count + 1, sizeof(size_t)),
                                  .next = calloc(count + 1, sizeof(size_t)),
                                  .count = count};
    for (size_t i = 0; sets->parent != NULL && i < count; i++) {
        sets->parent[i] = i;
    }
    return sets->parent != NULL && sets->next != NULL;
}

void giq_disjoint_release(struct giq_disjoint *sets)
{
    free(sets->parent);
    free(sets->next);
    *sets = (struct giq_disjoint){0};
}

static size_t find_root(struct giq_disjoint *sets, size_t i)
{
    while (sets->parent[i] != i) {
        sets->parent[i] = sets->parent[sets->parent[i]];
        i = sets->parent[i];
    }
    return i;
}

bool giq_disjoint_are_joined(struct giq_disjoint *sets, size_t a, size_t b)
{
    return find_root(sets, a) == find_root(sets, b);
}

void giq_disjoint_join(struct giq_disjoint *sets, size_t a, size_t b)
{
    size_t root_a = find_root(sets, a);
    size_t root_b = find_root(sets, b);
    if (root_a < root_b) {
        sets->parent[root_b] = root_a;
    } else {
        sets->parent[root_a] = root_b;
    }
}

void giq_disjoint_link(struct giq_disjoint *sets)
{
    for (size_t i = sets->count; i-- > 0;) {
        size_t first = find_root(sets, i);
        if (first != i) {
            sets->next[i] = sets->next[first];
            sets->next[first] = i;
        }
    }
}

bool giq_disjoint_is_first(const struct giq_disjoint *sets, size_t number)
{
    return sets->parent[number] == number;
}

size_t giq_disjoint_next(const struct giq_disjoint *sets, size_t number)
{
    return sets->next[number];
}
