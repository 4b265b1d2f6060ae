/* Union-find with path halving; the root of a set is its lowest number. */
#include "area/giq_disjoint.h"

#include <stdlib.h>

bool giq_disjoint_init(struct giq_disjoint *sets, size_t count)
{
    *sets = (struct giq_disjoint){.lower = calloc(count + 1, sizeof(size_t)),
                                  .next = calloc(count + 1, sizeof(size_t)),
                                  .count = count};
    for (size_t i = 0; sets->lower != NULL && i < count; i++) {
        sets->lower[i] = i;
    }
    return sets->lower != NULL && sets->next != NULL;
}

void giq_disjoint_release(struct giq_disjoint *sets)
{
    free(sets->lower);
    free(sets->next);
    *sets = (struct giq_disjoint){0};
}

static size_t find_first(struct giq_disjoint *sets, size_t i)
{
    while (sets->lower[i] != i) {
        sets->lower[i] = sets->lower[sets->lower[i]];
        i = sets->lower[i];
    }
    return i;
}

bool giq_disjoint_are_joined(struct giq_disjoint *sets, size_t a, size_t b)
{
    return find_first(sets, a) == find_first(sets, b);
}

void giq_disjoint_join(struct giq_disjoint *sets, size_t a, size_t b)
{
    size_t first_a = find_first(sets, a);
    size_t first_b = find_first(sets, b);
    if (first_a < first_b) {
        sets->lower[first_b] = first_a;
    } else {
        sets->lower[first_a] = first_b;
    }
}

void giq_disjoint_link(struct giq_disjoint *sets)
{
    for (size_t i = sets->count; i-- > 0;) {
        size_t first = find_first(sets, i);
        if (first != i) {
            sets->next[i] = sets->next[first];
            sets->next[first] = i;
        }
    }
}

bool giq_disjoint_is_first(const struct giq_disjoint *sets, size_t number)
{
    return sets->lower[number] == number;
}

size_t giq_disjoint_next(const struct giq_disjoint *sets, size_t number)
{
    return sets->next[number];
}
